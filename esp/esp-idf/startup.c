/* From the start of the process to app_main(): what the chip's start-up code
 * does after the boot loader. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "device/board.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/kernel.h"
#include "esp/esp-idf/part_update.h"
#include "esp/esp-idf/rtc_memory.h"
#include "esp/esp-idf/uart_impl.h"
#include "esp_app_desc.h"
#include "esp_efuse.h"
#include "esp_log.h"
#include "esp_system.h"
#include "esp_task.h"
#include "esp_task_wdt.h"

extern void app_main(void);

static void log_application(void)
{
    static const char *TAG = "app_init";
    const esp_app_desc_t *d = esp_app_get_description();
    ESP_LOGI(TAG, "Application information:");
    ESP_LOGI(TAG, "Project name:     %.32s", d->project_name);
    ESP_LOGI(TAG, "App version:      %.32s", d->version);
    if (airlift_config_bool("BOOTLOADER_APP_ANTI_ROLLBACK"))
        ESP_LOGI(TAG, "Secure version:   %u", d->secure_version);
    if (d->date[0] || d->time[0]) ESP_LOGI(TAG, "Compile time:     %.16s %.16s", d->date, d->time);
    ESP_LOGI(TAG, "ELF file SHA256:  %s...", esp_app_get_elf_sha256_str());
    ESP_LOGI(TAG, "ESP-IDF:          %.32s", d->idf_ver);
}

static void log_chip(void)
{
    struct al_device_ids ids;
    efuse_device_ids(&board()->efuse, &ids);
    ESP_LOGI("efuse_init", "Chip rev:         v%d.%d", ids.revision / 100, ids.revision % 100);
}

/* The boot loader looked already; a boot loader built without the check did not. */
static void check_secure_version(void)
{
    uint32_t own = esp_app_get_description()->secure_version;
    if (!airlift_config_bool("BOOTLOADER_APP_ANTI_ROLLBACK") || esp_efuse_check_secure_version(own))
        return;
    ESP_LOGE("efuse_init", "Incorrect secure version of app: it has %u, eFuse asks for %u", own,
             esp_efuse_read_secure_version());
    esp_system_abort("Incorrect secure version of app");
}

static void start_task_watchdog(void)
{
    if (!airlift_config_bool("ESP_TASK_WDT_INIT")) return;
    const esp_task_wdt_config_t config = {
        .timeout_ms = (uint32_t)airlift_config_int("ESP_TASK_WDT_TIMEOUT_S", 5) * 1000,
        .trigger_panic = airlift_config_bool("ESP_TASK_WDT_PANIC"),
    };
    ESP_ERROR_CHECK(esp_task_wdt_init(&config));
}

static void main_task(void *arg)
{
    static const char *TAG = "main_task";
    ESP_LOGI(TAG, "Started on CPU0");
    ESP_LOGI(TAG, "Calling app_main()");
    board()->control->app_started = 1;
    app_main();
    ESP_LOGI(TAG, "Returned from app_main()");
    vTaskDelete(NULL);
}

int main(void)
{
    board();
    uart_console_begin();
    signal(SIGPIPE, SIG_IGN); /* a closed connection is an error of send() */
    kernel_catch_faults();
    rtc_memory_restore();

    ESP_LOGI("cpu_start", "Unicore app");
    log_application();
    log_chip();
    check_secure_version();
    idf_change_recover();
    start_task_watchdog();
    uint32_t stack = (uint32_t)airlift_config_int("ESP_MAIN_TASK_STACK_SIZE", ESP_TASK_MAIN_STACK);
    if (xTaskCreatePinnedToCore(main_task, "main", stack, NULL, ESP_TASK_MAIN_PRIO, NULL, 0) !=
        pdPASS)
        esp_system_abort("no memory for the main task");
    for (;;) pause();
}
