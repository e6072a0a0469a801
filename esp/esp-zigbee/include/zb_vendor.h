/* What the vendor's stack brings along: FreeRTOS, and small names of its own. */
#pragma once

#include <assert.h>
#include <string.h>

#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "sdkconfig.h"

#define ESP_ZB_TIME_ONE_SECOND 1000u
