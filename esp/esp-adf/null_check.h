/* The line that the vendor's check macros print, with the caller's tag. */
#ifndef ESP_ADF_NULL_CHECK_H
#define ESP_ADF_NULL_CHECK_H

#include "esp_log.h"

/* false: p is NULL, and that is logged. */
#define NOT_NULL(tag, p) ((p) ? true : (log_null_pointer(tag, __FILE__, __LINE__, __func__), false))

static inline void log_null_pointer(const char *tag, const char *file, int line, const char *func)
{
    ESP_LOGE(tag, "%s:%d (%s): Got NULL Pointer", file, line, func);
}

#endif
