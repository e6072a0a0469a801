/* From app_main to "ready". */
#include "at/at_engine.h"
#include "at/at_settings.h"
#include "at/at_wifi.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/at_customize.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"

enum { GROUPS = 24, STACK = 4096, PRIORITY = 4 };

static const char TAG[] = "at", ready[] = "\r\nready\r\n";

static const struct at_command *groups[GROUPS + 1];

static void add(const struct at_command *group)
{
    size_t i = 0;
    while (groups[i]) i++;
    if (i == GROUPS) esp_system_abort("too many groups of AT commands");
    groups[i] = group;
}

static void list_groups(const struct at_config *cfg)
{
    add(at_basic_commands);
    add(at_system_commands);
    add(at_sysflash_commands);
    add(at_sysmfg_commands);
    add(at_wifi_commands);
    add(at_air_update_commands);
    if (airlift_config_bool("AT_OTA_SUPPORT")) {
        add(at_user_ota_commands);
        add(at_ciupdate_commands);
    }
    if (airlift_config_bool("AT_WEB_SERVER_SUPPORT")) add(at_web_server_commands);
    for (size_t i = 0; cfg && cfg->extra && cfg->extra[i]; i++) add(cfg->extra[i]);
}

static void open_nvs(void)
{
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_LOGW(TAG, "NVS is erased: %s", esp_err_to_name(err));
        err = nvs_flash_erase();
        if (err == ESP_OK) err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);
}

/* Whoever did not come so far is rolled back by the boot loader. */
static void confirm_app(void)
{
    esp_ota_img_states_t image;
    if (esp_ota_get_state_partition(esp_ota_get_running_partition(), &image) != ESP_OK ||
        image != ESP_OTA_IMG_PENDING_VERIFY)
        return;
    ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
    ESP_LOGI(TAG, "this app is confirmed");
}

static void join_task(void *arg)
{
    enum at_join result = at_wifi_join(at_settings.ssid, at_settings.password, AT_JOIN_TIMEOUT_S);
    if (result != AT_JOIN_OK) ESP_LOGW(TAG, "the saved network cannot be joined: %d", result);
    vTaskDelete(NULL);
}

void at_start(const struct at_config *cfg)
{
    int number = (int)airlift_config_int("AT_UART_PORT", 1);
    bool own_end = airlift_config_bool("AT_COMMAND_TERMINATOR_SUPPORT");
    open_nvs();
    (void)idf_at_customize_load(); /* its log says when there are none */
    at_settings_load();
    at_wifi_start();
    list_groups(cfg);
    at_engine_start(&(struct at_engine_config){
        .groups = groups,
        .terminator = own_end ? (int)airlift_config_int("AT_COMMAND_TERMINATOR", '\n') : -1,
    });
    struct at_port *port = at_uart_open(number);
    if (!port) esp_system_abort("the AT port cannot be opened");
    confirm_app();
    ESP_LOGI(TAG, "AT commands on UART %d", number);
    port->write(port, ready, sizeof ready - 1); /* before any answer to what came too early */
    at_engine_add(port);
    if (at_wifi_is_station() && at_settings.ssid[0])
        (void)xTaskCreate(join_task, "at_join", STACK, NULL, PRIORITY, NULL);
}
