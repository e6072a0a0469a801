/* OTA update step by step with esp_https_ota: look at the description first, tell
 * the events, confirm a new app once it is connected, go on after a cut. */
#include <inttypes.h>
#include <string.h>

#include "esp_check.h"
#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "freertos/task.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

#include "resumption.h"

#ifdef CONFIG_EXAMPLE_USE_CERT_BUNDLE
#include "esp_crt_bundle.h"
#endif
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
#include "esp_efuse.h"
#endif
#if CONFIG_EXAMPLE_CONNECT_WIFI
#include "esp_wifi.h"
#endif

#define URL_SIZE 256

static const char *TAG = "advanced_https_ota_example";

extern const uint8_t server_cert_pem_start[] asm("_binary_ca_cert_pem_start");
extern const uint8_t server_cert_pem_end[] asm("_binary_ca_cert_pem_end");

static void event_handler(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    if (base != ESP_HTTPS_OTA_EVENT) return;
    switch (id) {
    case ESP_HTTPS_OTA_START:
        ESP_LOGI(TAG, "OTA started");
        break;
    case ESP_HTTPS_OTA_CONNECTED:
        ESP_LOGI(TAG, "Connected to server");
        break;
    case ESP_HTTPS_OTA_GET_IMG_DESC:
        ESP_LOGI(TAG, "Reading Image Description");
        break;
    case ESP_HTTPS_OTA_VERIFY_CHIP_ID:
        ESP_LOGI(TAG, "Verifying chip id of new image: %d", *(esp_chip_id_t *)data);
        break;
    case ESP_HTTPS_OTA_VERIFY_CHIP_REVISION:
        ESP_LOGI(TAG, "Verifying chip revision of new image: %d", *(uint16_t *)data);
        break;
    case ESP_HTTPS_OTA_DECRYPT_CB:
        ESP_LOGI(TAG, "Callback to decrypt function");
        break;
    case ESP_HTTPS_OTA_WRITE_FLASH:
        ESP_LOGD(TAG, "Writing to flash: %d written", *(int *)data);
        break;
    case ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION:
        ESP_LOGI(TAG, "Boot partition updated. Next Partition: %d",
                 *(esp_partition_subtype_t *)data);
        break;
    case ESP_HTTPS_OTA_FINISH:
        ESP_LOGI(TAG, "OTA finish");
        break;
    case ESP_HTTPS_OTA_ABORT:
        ESP_LOGI(TAG, "OTA abort");
        break;
    default:
        break;
    }
}

static esp_err_t validate_image_header(const esp_app_desc_t *offered)
{
    if (offered == NULL) return ESP_ERR_INVALID_ARG;
    esp_app_desc_t current;
    const esp_partition_t *running = esp_ota_get_running_partition();
    if (esp_ota_get_partition_description(running, &current) == ESP_OK)
        ESP_LOGI(TAG, "Running firmware version: %s", current.version);

#ifndef CONFIG_EXAMPLE_SKIP_VERSION_CHECK
    if (memcmp(offered->version, current.version, sizeof current.version) == 0) {
        ESP_LOGW(TAG, "Current running version is the same as a new. We will not continue the "
                      "update.");
        return ESP_FAIL;
    }
#endif
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
    const uint32_t programmed = esp_efuse_read_secure_version();
    if (offered->secure_version < programmed) {
        ESP_LOGW(TAG,
                 "New firmware security version is less than eFuse programmed, %" PRIu32
                 " < %" PRIu32,
                 offered->secure_version, programmed);
        return ESP_FAIL;
    }
#endif
    return ESP_OK;
}

/* The place for headers of one's own, such as a token. */
static esp_err_t http_client_init_cb(esp_http_client_handle_t client)
{
    return ESP_OK;
}

#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL_FROM_STDIN
static const char *read_url(const char *configured)
{
    static char url[URL_SIZE];
    if (strcmp(configured, "FROM_STDIN") != 0) {
        ESP_LOGE(TAG, "Configuration mismatch: wrong firmware upgrade image url");
        abort();
    }
    example_configure_stdin_stdout();
    if (!fgets(url, sizeof url, stdin)) url[0] = 0;
    if (url[0]) url[strlen(url) - 1] = 0; /* the newline */
    return url;
}
#endif

/* Reads until the end, or an error. */
static esp_err_t download(esp_https_ota_handle_t ota, nvs_handle_t nvs, const char *url)
{
    for (;;) {
        esp_err_t err = esp_https_ota_perform(ota);
        if (err != ESP_ERR_HTTPS_OTA_IN_PROGRESS) return err;
        const size_t len = esp_https_ota_get_image_len_read(ota);
        ESP_LOGD(TAG, "Image bytes read: %d", len);
#ifdef CONFIG_EXAMPLE_ENABLE_OTA_RESUMPTION
        ESP_RETURN_ON_ERROR(resumption_save(nvs, url, len), TAG, "Failed to save OTA state");
#endif
    }
}

/* received: what the download ended with. */
static void finish(esp_https_ota_handle_t ota, esp_err_t received)
{
    esp_err_t err = esp_https_ota_finish(ota);
    if (received == ESP_OK && err == ESP_OK) {
        ESP_LOGI(TAG, "ESP_HTTPS_OTA upgrade successful. Rebooting ...");
        vTaskDelay(1000 / portTICK_PERIOD_MS);
        esp_restart();
    }
    if (err == ESP_ERR_OTA_VALIDATE_FAILED)
        ESP_LOGE(TAG, "Image validation failed, image is corrupted");
    ESP_LOGE(TAG, "ESP_HTTPS_OTA upgrade failed 0x%x", err);
}

static void run_update(const esp_https_ota_config_t *config, nvs_handle_t nvs)
{
    esp_https_ota_handle_t ota = NULL;
    if (esp_https_ota_begin(config, &ota) != ESP_OK) {
        ESP_LOGE(TAG, "ESP HTTPS OTA Begin failed");
        return;
    }
    esp_err_t ret;
    esp_app_desc_t desc = {};
    if (esp_https_ota_get_img_desc(ota, &desc) != ESP_OK) {
        ESP_LOGE(TAG, "esp_https_ota_get_img_desc failed");
        goto failed;
    }
    if (validate_image_header(&desc) != ESP_OK) {
        ESP_LOGE(TAG, "image header verification failed");
        goto failed;
    }
    ret = download(ota, nvs, config->http_config->url);

    if (!esp_https_ota_is_complete_data_received(ota)) {
        ESP_LOGE(TAG, "Complete data was not received.");
        goto failed;
    }
#ifdef CONFIG_EXAMPLE_ENABLE_OTA_RESUMPTION
    ESP_GOTO_ON_ERROR(resumption_clear(nvs), failed, TAG, "Failed to clean up OTA state");
#endif
    finish(ota, ret);
    return;

failed:
    esp_https_ota_abort(ota);
    ESP_LOGE(TAG, "ESP_HTTPS_OTA upgrade failed");
}

static void advanced_ota_example_task(void *unused)
{
    ESP_LOGI(TAG, "Starting Advanced OTA example");
    esp_http_client_config_t http = {
        .url = CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL,
#ifdef CONFIG_EXAMPLE_USE_CERT_BUNDLE
        .crt_bundle_attach = esp_crt_bundle_attach,
#else
        .cert_pem = (char *)server_cert_pem_start,
#endif
        .timeout_ms = CONFIG_EXAMPLE_OTA_RECV_TIMEOUT,
        .keep_alive_enable = true,
#ifdef CONFIG_EXAMPLE_ENABLE_PARTIAL_HTTP_DOWNLOAD
        .save_client_session = true,
#endif
        .buffer_size = CONFIG_EXAMPLE_OTA_BUF_SIZE,
    };
#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL_FROM_STDIN
    http.url = read_url(http.url);
#endif
#ifdef CONFIG_EXAMPLE_SKIP_COMMON_NAME_CHECK
    http.skip_cert_common_name_check = true;
#endif
    nvs_handle_t nvs = 0;
    esp_https_ota_config_t config = {
        .http_config = &http,
        .http_client_init_cb = http_client_init_cb,
#ifdef CONFIG_EXAMPLE_ENABLE_PARTIAL_HTTP_DOWNLOAD
        .partial_http_download = true,
        .max_http_request_size = CONFIG_EXAMPLE_HTTP_REQUEST_SIZE,
#endif
    };
#ifdef CONFIG_EXAMPLE_ENABLE_OTA_RESUMPTION
    uint32_t bytes = 0;
    if (nvs_open("ota_resumption", NVS_READWRITE, &nvs) != ESP_OK ||
        resumption_load(nvs, http.url, &bytes) != ESP_OK) {
        ESP_LOGE(TAG, "Failed to read OTA state from NVS");
        vTaskDelete(NULL);
    }
    config.ota_resumption = true;
    config.ota_image_bytes_written = bytes;
#endif
    run_update(&config, nvs);
    if (nvs) nvs_close(nvs);
    vTaskDelete(NULL);
}

#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
/* An app that reached the network can load the next one: it stays. */
static void confirm(void)
{
    esp_ota_img_states_t state;
    const esp_partition_t *running = esp_ota_get_running_partition();
    if (esp_ota_get_state_partition(running, &state) != ESP_OK ||
        state != ESP_OTA_IMG_PENDING_VERIFY)
        return;
    if (esp_ota_mark_app_valid_cancel_rollback() == ESP_OK)
        ESP_LOGI(TAG, "App is valid, rollback cancelled successfully");
    else
        ESP_LOGE(TAG, "Failed to cancel rollback");
}
#endif

void app_main(void)
{
    ESP_LOGI(TAG, "OTA example app_main start");
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(
        esp_event_handler_register(ESP_HTTPS_OTA_EVENT, ESP_EVENT_ANY_ID, &event_handler, NULL));
    ESP_ERROR_CHECK(example_connect());
#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
    confirm();
#endif
#if CONFIG_EXAMPLE_CONNECT_WIFI
#if CONFIG_BT_ENABLED
    esp_wifi_set_ps(WIFI_PS_MIN_MODEM); /* Bluetooth shares the radio */
#else
    esp_wifi_set_ps(WIFI_PS_NONE);
#endif
#endif
    xTaskCreate(&advanced_ota_example_task, "advanced_ota_example_task", 1024 * 8, NULL, 5, NULL);
}
