/* Waiting for another task: the condition must become true within five seconds.
 * A busy machine makes a test slower, not wrong. */
#ifndef TESTS_SUPPORT_EVENTUALLY_H
#define TESTS_SUPPORT_EVENTUALLY_H

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#define eventually(condition)                                                \
    do {                                                                     \
        for (int left_ = 500; left_ && !(condition); left_--) vTaskDelay(1); \
        assert_true(condition);                                              \
    } while (0)

#endif
