/* The log: "L (ms) tag: text" on UART 0.
 *
 * Sources for the chip print uint32_t with %lx, since there it is a long. Here
 * it is an int: the log takes one `l` out of every integer conversion, so such a
 * line prints what it prints on the chip (where long has 32 bits). For the same
 * reason the functions below carry no format attribute. */
#pragma once

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "esp_log_level.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef CONFIG_LOG_MAXIMUM_LEVEL
#define CONFIG_LOG_MAXIMUM_LEVEL 3
#endif
/* What is compiled in; a source may define it before the include. */
#ifndef LOG_LOCAL_LEVEL
#define LOG_LOCAL_LEVEL CONFIG_LOG_MAXIMUM_LEVEL
#endif

typedef int (*vprintf_like_t)(const char *, va_list);

/* Where the log goes instead of UART 0; gives the one before. */
vprintf_like_t esp_log_set_vprintf(vprintf_like_t func);

uint32_t esp_log_timestamp(void); /* ms since reset */
uint32_t esp_log_early_timestamp(void);
/* "hh:mm:ss.mmm"; valid until the thread's next call */
char *esp_log_system_timestamp(void);

/* Raw: the format as it is, if the tag's level lets it pass. */
void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...);
void esp_log_writev(esp_log_level_t level, const char *tag, const char *format, va_list args);
/* A whole line, prefix, colour and line end added. */
void esp_log_line(esp_log_level_t level, const char *tag, const char *format, ...);

void esp_log_buffer_hex_internal(const char *tag, const void *buffer, uint16_t len,
                                 esp_log_level_t level);
void esp_log_buffer_char_internal(const char *tag, const void *buffer, uint16_t len,
                                  esp_log_level_t level);
void esp_log_buffer_hexdump_internal(const char *tag, const void *buffer, uint16_t len,
                                     esp_log_level_t level);

#define ESP_LOG_LEVEL(level, tag, format, ...) esp_log_line(level, tag, format, ##__VA_ARGS__)
#define ESP_LOG_LEVEL_LOCAL(level, tag, format, ...)                                      \
    do {                                                                                  \
        if (LOG_LOCAL_LEVEL >= (level)) ESP_LOG_LEVEL(level, tag, format, ##__VA_ARGS__); \
    } while (0)

#define ESP_LOGE(tag, format, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_ERROR, tag, format, ##__VA_ARGS__)
#define ESP_LOGW(tag, format, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_WARN, tag, format, ##__VA_ARGS__)
#define ESP_LOGI(tag, format, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_INFO, tag, format, ##__VA_ARGS__)
#define ESP_LOGD(tag, format, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_DEBUG, tag, format, ##__VA_ARGS__)
#define ESP_LOGV(tag, format, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_VERBOSE, tag, format, ##__VA_ARGS__)

#define ESP_EARLY_LOGE ESP_LOGE
#define ESP_EARLY_LOGW ESP_LOGW
#define ESP_EARLY_LOGI ESP_LOGI
#define ESP_EARLY_LOGD ESP_LOGD
#define ESP_EARLY_LOGV ESP_LOGV
#define ESP_DRAM_LOGE  ESP_LOGE
#define ESP_DRAM_LOGW  ESP_LOGW
#define ESP_DRAM_LOGI  ESP_LOGI
#define ESP_DRAM_LOGD  ESP_LOGD
#define ESP_DRAM_LOGV  ESP_LOGV
#define DRAM_STR(str)  (str)

#define ESP_LOG_BUFFER_HEX_LEVEL(tag, buffer, buff_len, level)                                     \
    do {                                                                                           \
        if (LOG_LOCAL_LEVEL >= (level)) esp_log_buffer_hex_internal(tag, buffer, buff_len, level); \
    } while (0)
#define ESP_LOG_BUFFER_CHAR_LEVEL(tag, buffer, buff_len, level)         \
    do {                                                                \
        if (LOG_LOCAL_LEVEL >= (level))                                 \
            esp_log_buffer_char_internal(tag, buffer, buff_len, level); \
    } while (0)
#define ESP_LOG_BUFFER_HEXDUMP(tag, buffer, buff_len, level)               \
    do {                                                                   \
        if (LOG_LOCAL_LEVEL >= (level))                                    \
            esp_log_buffer_hexdump_internal(tag, buffer, buff_len, level); \
    } while (0)
#define ESP_LOG_BUFFER_HEX(tag, buffer, buff_len) \
    ESP_LOG_BUFFER_HEX_LEVEL(tag, buffer, buff_len, ESP_LOG_INFO)
#define ESP_LOG_BUFFER_CHAR(tag, buffer, buff_len) \
    ESP_LOG_BUFFER_CHAR_LEVEL(tag, buffer, buff_len, ESP_LOG_INFO)

#ifdef __cplusplus
}
#endif
