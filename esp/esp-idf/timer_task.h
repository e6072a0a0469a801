/* Timers of one task: a list by due time, callbacks run one after the other.
 * esp_timer and the FreeRTOS timers are two of these. */
#ifndef ESP_TIMER_TASK_H
#define ESP_TIMER_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "esp/esp-idf/kernel.h"

/* Begin of a timer's own struct; lives until timer_task_stop() and its callback ended. */
struct timed {
    struct timed *next;
    uint64_t due_us;    /* board_uptime_us() */
    uint64_t period_us; /* 0: once */
    bool active, skip_late;
    /* Called in the task. The timer may be freed in there. */
    void (*fire)(struct timed *timed);
};

struct timer_task {
    const char *name;
    UBaseType_t priority;
    TaskHandle_t task; /* made with the first timer */
    pthread_cond_t changed;
    struct timed *first, *firing;
};

/* All of these take the kernel's lock. due_us: absolute. false: no memory for the task. */
bool timer_task_start(struct timer_task *tt, struct timed *t, uint64_t due_us, uint64_t period_us);
/* false: did not run. */
bool timer_task_stop(struct timer_task *tt, struct timed *t);
bool timer_task_active(const struct timed *t);
uint64_t timer_task_next(struct timer_task *tt); /* due time of the first; UINT64_MAX: none */
/* Waits until the callback of t, if it runs now, has ended; not from inside it. */
void timer_task_settle(struct timer_task *tt, struct timed *t);

#endif
