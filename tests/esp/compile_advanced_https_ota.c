/* Every name that the vendor's advanced_https_ota takes from outside the C library,
 * all options on. See compile_native_ota.c. */
#define CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL "https://192.168.2.106:8070/hello_world.bin"
#define CONFIG_EXAMPLE_OTA_RECV_TIMEOUT     5000
#define CONFIG_EXAMPLE_OTA_BUF_SIZE         1024
#define CONFIG_EXAMPLE_HTTP_REQUEST_SIZE    16384

#include <inttypes.h>
#include <string.h>

#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "freertos/task.h"

#include "esp_check.h"
#include "esp_crt_bundle.h"
#include "esp_efuse.h"
#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "esp_wifi.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

static const char *TAG = "advanced";

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    if (base != ESP_HTTPS_OTA_EVENT) return;
    switch (id) {
    case ESP_HTTPS_OTA_START:
        ESP_LOGI(TAG, "OTA started");
        break;
    case ESP_HTTPS_OTA_CONNECTED:
        break;
    case ESP_HTTPS_OTA_GET_IMG_DESC:
        break;
    case ESP_HTTPS_OTA_VERIFY_CHIP_ID:
        ESP_LOGI(TAG, "%d", *(esp_chip_id_t *)data);
        break;
    case ESP_HTTPS_OTA_VERIFY_CHIP_REVISION:
        ESP_LOGI(TAG, "%d", *(uint16_t *)data);
        break;
    case ESP_HTTPS_OTA_DECRYPT_CB:
        break;
    case ESP_HTTPS_OTA_WRITE_FLASH:
        ESP_LOGD(TAG, "%d", *(int *)data);
        break;
    case ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION:
        ESP_LOGI(TAG, "%d", *(esp_partition_subtype_t *)data);
        break;
    case ESP_HTTPS_OTA_FINISH:
        break;
    case ESP_HTTPS_OTA_ABORT:
        break;
    }
}

static esp_err_t load_progress(const char *url, uint32_t *bytes)
{
    nvs_handle_t nvs;
    char stored[256];
    size_t len = sizeof stored;
    uint16_t kib = 0;
    esp_err_t ret = nvs_open("ota_resumption", NVS_READWRITE, &nvs);
    ESP_RETURN_ON_ERROR(ret, TAG, "open failed (%s)", esp_err_to_name(ret));
    ret = nvs_get_str(nvs, "nvs_ota_url", stored, &len);
    if (ret == ESP_ERR_NVS_NOT_FOUND) {
        nvs_close(nvs);
        return ESP_OK;
    }
    ESP_GOTO_ON_ERROR(ret, out, TAG, "no url");
    ESP_GOTO_ON_ERROR(nvs_get_u16(nvs, "nvs_ota_wr_len", &kib), out, TAG, "no length");
    *bytes = strcmp(stored, url) ? 0 : kib * 1024u;
    ESP_GOTO_ON_ERROR(nvs_set_u16(nvs, "nvs_ota_wr_len", kib), out, TAG, "not stored");
    ESP_GOTO_ON_ERROR(nvs_set_str(nvs, "nvs_ota_url", url), out, TAG, "not stored");
    ESP_GOTO_ON_ERROR(nvs_erase_all(nvs), out, TAG, "not erased");
    ret = nvs_commit(nvs);
out:
    nvs_close(nvs);
    return ret;
}

static esp_err_t judge(const esp_app_desc_t *fresh)
{
    if (!fresh) return ESP_ERR_INVALID_ARG;
    const esp_partition_t *running = esp_ota_get_running_partition();
    esp_app_desc_t own;
    if (esp_ota_get_partition_description(running, &own) == ESP_OK)
        ESP_LOGI(TAG, "Running firmware version: %s", own.version);
    if (fresh->secure_version < esp_efuse_read_secure_version()) {
        ESP_LOGW(TAG, "%" PRIu32 " < %" PRIu32, fresh->secure_version,
                 esp_efuse_read_secure_version());
        return ESP_FAIL;
    }
    return ESP_OK;
}

static esp_err_t prepare(esp_http_client_handle_t client)
{
    return client ? ESP_OK : ESP_ERR_INVALID_STATE;
}

static void update_task(void *arg)
{
    uint32_t written = 0;
    if (load_progress(CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL, &written)) abort();
    esp_http_client_config_t config = {
        .url = CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL,
        .crt_bundle_attach = esp_crt_bundle_attach,
        .timeout_ms = CONFIG_EXAMPLE_OTA_RECV_TIMEOUT,
        .keep_alive_enable = true,
        .save_client_session = true,
        .buffer_size = CONFIG_EXAMPLE_OTA_BUF_SIZE,
        .skip_cert_common_name_check = true,
    };
    esp_https_ota_config_t ota_config = {
        .http_config = &config,
        .http_client_init_cb = prepare,
        .partial_http_download = true,
        .max_http_request_size = CONFIG_EXAMPLE_HTTP_REQUEST_SIZE,
        .ota_resumption = true,
        .ota_image_bytes_written = written,
    };
    esp_https_ota_handle_t ota = NULL;
    esp_app_desc_t desc = {};
    esp_err_t err = esp_https_ota_begin(&ota_config, &ota);
    if (!err) err = esp_https_ota_get_img_desc(ota, &desc);
    if (!err) err = judge(&desc);
    while (!err && (err = esp_https_ota_perform(ota)) == ESP_ERR_HTTPS_OTA_IN_PROGRESS)
        ESP_LOGD(TAG, "Image bytes read: %d", esp_https_ota_get_image_len_read(ota));
    if (esp_https_ota_is_complete_data_received(ota) && esp_https_ota_finish(ota) == ESP_OK) {
        vTaskDelay(1000 / portTICK_PERIOD_MS);
        esp_restart();
    }
    if (err == ESP_ERR_OTA_VALIDATE_FAILED || err == ESP_ERR_INVALID_STATE) ESP_LOGE(TAG, "bad");
    esp_https_ota_abort(ota);
    vTaskDelete(NULL);
}

void app_main(void);
void app_main(void)
{
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND)
        ESP_ERROR_CHECK(nvs_flash_erase());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(
        esp_event_handler_register(ESP_HTTPS_OTA_EVENT, ESP_EVENT_ANY_ID, &on_event, NULL));
    ESP_ERROR_CHECK(example_connect());
    example_configure_stdin_stdout();
    esp_ota_img_states_t state;
    if (esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) == ESP_OK &&
        state == ESP_OTA_IMG_PENDING_VERIFY && esp_ota_mark_app_valid_cancel_rollback() == ESP_OK)
        ESP_LOGI(TAG, "valid");
    esp_wifi_set_ps(WIFI_PS_NONE);
    esp_wifi_set_ps(WIFI_PS_MIN_MODEM);
    xTaskCreate(&update_task, "advanced_ota_example_task", 1024 * 8, NULL, 5, NULL);
}
