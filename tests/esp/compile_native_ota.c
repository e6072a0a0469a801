/* Every name that the vendor's native_ota_example takes from outside the C library
 * (types, fields, macros, functions, headers), so that a missing one breaks the
 * build. It is linked as firmware and not run. */
#define CONFIG_EXAMPLE_FIRMWARE_UPG_URL   "https://192.168.2.106:8070/hello_world.bin"
#define CONFIG_EXAMPLE_OTA_RECV_TIMEOUT   5000
#define CONFIG_EXAMPLE_GPIO_DIAGNOSTIC    4
#define CONFIG_EXAMPLE_CONNECT_WIFI       1
#define CONFIG_BOOTLOADER_OFFSET_IN_FLASH 0x0
#define CONFIG_PARTITION_TABLE_OFFSET     0x8000

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "driver/gpio.h"
#include "esp_app_format.h"
#include "esp_event.h"
#include "esp_flash_partitions.h"
#include "esp_http_client.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "esp_wifi.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

static const char *TAG = "native";
static char block[1024 + 1];
static const char pem[] __asm__("_binary_ca_cert_pem_start") __attribute__((used)) = "";
static const char pem_end[] __asm__("_binary_ca_cert_pem_end") __attribute__((used)) = "";

static void show_digest(const uint8_t *digest, const char *label)
{
    char text[2 * 32 + 1];
    for (int i = 0; i < 32; i++) sprintf(&text[2 * i], "%02x", digest[i]);
    ESP_LOGI(TAG, "%s: %s", label, text);
}

static void digests(void)
{
    uint8_t digest[32];
    esp_partition_t p;
    p.address = ESP_PARTITION_TABLE_OFFSET;
    p.size = ESP_PARTITION_TABLE_MAX_LEN;
    p.type = ESP_PARTITION_TYPE_DATA;
    esp_partition_get_sha256(&p, digest);
    show_digest(digest, "table");
    p.address = ESP_BOOTLOADER_OFFSET;
    p.size = ESP_PARTITION_TABLE_OFFSET;
    p.type = ESP_PARTITION_TYPE_APP;
    esp_partition_get_sha256(&p, digest);
    esp_partition_get_sha256(esp_ota_get_running_partition(), digest);
}

static bool diagnostic(void)
{
    gpio_config_t io;
    io.intr_type = GPIO_INTR_DISABLE;
    io.mode = GPIO_MODE_INPUT;
    io.pin_bit_mask = 1ULL << CONFIG_EXAMPLE_GPIO_DIAGNOSTIC;
    io.pull_down_en = GPIO_PULLDOWN_DISABLE;
    io.pull_up_en = GPIO_PULLUP_ENABLE;
    gpio_config(&io);
    vTaskDelay(5000 / portTICK_PERIOD_MS);
    bool good = gpio_get_level(CONFIG_EXAMPLE_GPIO_DIAGNOSTIC);
    gpio_reset_pin(CONFIG_EXAMPLE_GPIO_DIAGNOSTIC);
    return good;
}

static bool known_version(const esp_app_desc_t *fresh)
{
    esp_app_desc_t running, invalid;
    const esp_partition_t *bad = esp_ota_get_last_invalid_partition();
    if (esp_ota_get_partition_description(bad, &invalid) == ESP_OK &&
        !memcmp(invalid.version, fresh->version, sizeof fresh->version))
        return true;
    return esp_ota_get_partition_description(esp_ota_get_running_partition(), &running) == ESP_OK &&
           !memcmp(running.version, fresh->version, sizeof fresh->version);
}

static esp_err_t install(esp_http_client_handle_t client)
{
    esp_ota_handle_t update = 0;
    const esp_partition_t *to = esp_ota_get_next_update_partition(NULL);
    ESP_LOGI(TAG, "Writing to partition subtype %d at offset 0x%" PRIx32, to->subtype, to->address);
    int n = esp_http_client_read(client, block, 1024);
    size_t head = sizeof(esp_image_header_t) + sizeof(esp_image_segment_header_t);
    esp_app_desc_t fresh;
    memcpy(&fresh, block + head, sizeof fresh);
    if (n < (int)(head + sizeof fresh) || known_version(&fresh)) return ESP_FAIL;
    esp_err_t err = esp_ota_begin(to, OTA_WITH_SEQUENTIAL_WRITES, &update);
    if (!err) err = esp_ota_write(update, block, (size_t)n);
    if (errno == ECONNRESET || errno == ENOTCONN ||
        !esp_http_client_is_complete_data_received(client))
        esp_ota_abort(update);
    err = esp_ota_end(update);
    if (err == ESP_ERR_OTA_VALIDATE_FAILED)
        ESP_LOGE(TAG, "corrupted");
    else if (err)
        ESP_LOGE(TAG, "(%s)", esp_err_to_name(err));
    return esp_ota_set_boot_partition(to);
}

static void update_task(void *arg)
{
    const esp_partition_t *configured = esp_ota_get_boot_partition();
    if (configured != esp_ota_get_running_partition()) ESP_LOGW(TAG, "boot and running differ");
    ESP_LOGI(TAG, "type %d (offset 0x%08" PRIx32 ", 0x%08lx)", configured->type,
             configured->address, configured->address);
    esp_http_client_config_t config = {
        .url = CONFIG_EXAMPLE_FIRMWARE_UPG_URL,
        .cert_pem = pem,
        .timeout_ms = CONFIG_EXAMPLE_OTA_RECV_TIMEOUT,
        .keep_alive_enable = true,
    };
    config.skip_cert_common_name_check = pem_end - pem < 1;
    esp_http_client_handle_t client = esp_http_client_init(&config);
    if (client && esp_http_client_open(client, 0) == ESP_OK) {
        esp_http_client_fetch_headers(client);
        if (install(client) == ESP_OK) esp_restart();
        esp_http_client_close(client);
    }
    esp_http_client_cleanup(client);
    (void)vTaskDelete(NULL);
}

void app_main(void);
void app_main(void)
{
    esp_ota_img_states_t state;
    digests();
    if (esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) == ESP_OK &&
        state == ESP_OTA_IMG_PENDING_VERIFY) {
        if (diagnostic())
            esp_ota_mark_app_valid_cancel_rollback();
        else
            esp_ota_mark_app_invalid_rollback_and_reboot();
    }
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_configure_stdin_stdout());
    ESP_ERROR_CHECK(example_connect());
    esp_wifi_set_ps(WIFI_PS_NONE);
    xTaskCreate(&update_task, "ota_example_task", 8192, NULL, 5, NULL);
}
