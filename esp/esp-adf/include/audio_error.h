/* Errors of ESP-ADF and its check macros, which log under the caller's tag. */
#pragma once

#include "esp_err.h"
#include "esp_log.h"

#define ESP_ERR_ADF_BASE              0x80000
#define ESP_ERR_ADF_NO_ERROR          ESP_OK
#define ESP_ERR_ADF_NO_FAIL           ESP_FAIL
#define ESP_ERR_ADF_UNKNOWN           (ESP_ERR_ADF_BASE + 0)
#define ESP_ERR_ADF_ALREADY_EXISTS    (ESP_ERR_ADF_BASE + 1)
#define ESP_ERR_ADF_MEMORY_LACK       (ESP_ERR_ADF_BASE + 2)
#define ESP_ERR_ADF_INVALID_URI       (ESP_ERR_ADF_BASE + 3)
#define ESP_ERR_ADF_INVALID_PATH      (ESP_ERR_ADF_BASE + 4)
#define ESP_ERR_ADF_INVALID_PARAMETER (ESP_ERR_ADF_BASE + 5)
#define ESP_ERR_ADF_NOT_READY         (ESP_ERR_ADF_BASE + 6)
#define ESP_ERR_ADF_NOT_SUPPORT       (ESP_ERR_ADF_BASE + 7)
#define ESP_ERR_ADF_NOT_FOUND         (ESP_ERR_ADF_BASE + 8)
#define ESP_ERR_ADF_TIMEOUT           (ESP_ERR_ADF_BASE + 9)
#define ESP_ERR_ADF_INITIALIZED       (ESP_ERR_ADF_BASE + 10)
#define ESP_ERR_ADF_UNINITIALIZED     (ESP_ERR_ADF_BASE + 11)
#define ESP_EXISTS                    (ESP_OK + 1)

#ifndef __FILENAME__
#define __FILENAME__ __FILE__
#endif

#define AUDIO_ERROR(TAG, str) \
    ESP_LOGE(TAG, "%s:%d (%s): %s", __FILENAME__, __LINE__, __FUNCTION__, str)

#define AUDIO_CHECK(TAG, a, action, msg) \
    if (!(a)) {                          \
        AUDIO_ERROR(TAG, msg);           \
        action;                          \
    }
#define AUDIO_MEM_CHECK(TAG, a, action)         AUDIO_CHECK(TAG, a, action, "Memory exhausted")
#define AUDIO_NULL_CHECK(TAG, a, action)        AUDIO_CHECK(TAG, a, action, "Got NULL Pointer")
#define AUDIO_RET_ON_FALSE(TAG, a, action, msg) AUDIO_CHECK(TAG, (a) != ESP_FAIL, action, msg)
