/* Levels of the log. */
#pragma once

typedef enum {
    ESP_LOG_NONE = 0,
    ESP_LOG_ERROR = 1,
    ESP_LOG_WARN = 2,
    ESP_LOG_INFO = 3,
    ESP_LOG_DEBUG = 4,
    ESP_LOG_VERBOSE = 5,
    ESP_LOG_MAX = 6
} esp_log_level_t;

#ifdef __cplusplus
extern "C" {
#endif

/* Tag "*": all, and forgets what was set for single tags. */
void esp_log_level_set(const char *tag, esp_log_level_t level);
esp_log_level_t esp_log_level_get(const char *tag);

#ifdef __cplusplus
}
#endif
