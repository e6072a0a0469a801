/* OTA update with the app_update and esp_http_client APIs alone: read, look at the
 * first bytes, write, verify, switch. A pin plays the self-test of a new app. */
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
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

#if CONFIG_EXAMPLE_CONNECT_WIFI
#include "esp_wifi.h"
#endif

#define BLOCK_SIZE     1024
#define HASH_LEN       32
#define URL_SIZE       256
#define DIAGNOSTIC_SEC 5

static const char *TAG = "native_ota_example";

extern const uint8_t server_cert_pem_start[] asm("_binary_ca_cert_pem_start");
extern const uint8_t server_cert_pem_end[] asm("_binary_ca_cert_pem_end");

/* An update under way. */
struct update {
    esp_http_client_handle_t client;
    esp_ota_handle_t ota; /* 0: not begun */
    const esp_partition_t *slot;
    char block[BLOCK_SIZE + 1];
    int written;
};

static void __attribute__((noreturn)) give_up(struct update *u)
{
    ESP_LOGE(TAG, "Exiting task due to fatal error...");
    if (u->ota) esp_ota_abort(u->ota);
    if (u->client) {
        esp_http_client_close(u->client);
        esp_http_client_cleanup(u->client);
    }
    vTaskDelete(NULL);
    abort(); /* not reached */
}

static void __attribute__((noreturn)) wait_for_ever(struct update *u)
{
    esp_http_client_close(u->client);
    esp_http_client_cleanup(u->client);
    for (int i = 1;; i++) {
        ESP_LOGI(TAG, "Waiting for a new firmware ... %d", i);
        vTaskDelay(2000 / portTICK_PERIOD_MS);
    }
}

static bool same_version(const esp_app_desc_t *a, const esp_app_desc_t *b)
{
    return memcmp(a->version, b->version, sizeof a->version) == 0;
}

/* Looks at the description in the first block; does not return when it is not wanted. */
static void check_first_block(struct update *u, int len)
{
    const size_t at = sizeof(esp_image_header_t) + sizeof(esp_image_segment_header_t);
    esp_app_desc_t offered, other;
    if (len <= (int)(at + sizeof offered)) {
        ESP_LOGE(TAG, "received package is not fit len");
        give_up(u);
    }
    memcpy(&offered, u->block + at, sizeof offered);
    ESP_LOGI(TAG, "New firmware version: %s", offered.version);
    const esp_partition_t *running = esp_ota_get_running_partition();
    bool know_running = esp_ota_get_partition_description(running, &other) == ESP_OK;
    if (know_running) ESP_LOGI(TAG, "Running firmware version: %s", other.version);
#ifndef CONFIG_EXAMPLE_SKIP_VERSION_CHECK
    bool same_as_running = know_running && same_version(&offered, &other);
#endif

    const esp_partition_t *failed = esp_ota_get_last_invalid_partition();
    if (esp_ota_get_partition_description(failed, &other) == ESP_OK) {
        ESP_LOGI(TAG, "Last invalid firmware version: %s", other.version);
        if (same_version(&offered, &other)) {
            ESP_LOGW(TAG, "New version is the same as invalid version.");
            ESP_LOGW(TAG,
                     "Previously, there was an attempt to launch the firmware with %s version, "
                     "but it failed.",
                     other.version);
            ESP_LOGW(TAG, "The firmware has been rolled back to the previous version.");
            wait_for_ever(u);
        }
    }
#ifndef CONFIG_EXAMPLE_SKIP_VERSION_CHECK
    if (same_as_running) {
        ESP_LOGW(TAG, "Current running version is the same as a new. We will not continue the "
                      "update.");
        wait_for_ever(u);
    }
#endif
}

static void begin(struct update *u)
{
    esp_err_t err = esp_ota_begin(u->slot, OTA_WITH_SEQUENTIAL_WRITES, &u->ota);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "esp_ota_begin failed (%s)", esp_err_to_name(err));
        u->ota = 0;
        give_up(u);
    }
    ESP_LOGI(TAG, "esp_ota_begin succeeded");
}

static void download(struct update *u)
{
    for (;;) {
        int len = esp_http_client_read(u->client, u->block, BLOCK_SIZE);
        if (len < 0) {
            ESP_LOGE(TAG, "Error: SSL data read error");
            give_up(u);
        }
        if (len == 0) {
            if (errno == ECONNRESET || errno == ENOTCONN) {
                ESP_LOGE(TAG, "Connection closed, errno = %d", errno);
                return;
            }
            if (esp_http_client_is_complete_data_received(u->client)) {
                ESP_LOGI(TAG, "Connection closed");
                return;
            }
            continue;
        }
        if (!u->ota) {
            check_first_block(u, len);
            begin(u);
        }
        if (esp_ota_write(u->ota, u->block, len) != ESP_OK) give_up(u);
        u->written += len;
        ESP_LOGD(TAG, "Written image length %d", u->written);
    }
}

static void open_connection(struct update *u)
{
    esp_http_client_config_t config = {
        .url = CONFIG_EXAMPLE_FIRMWARE_UPG_URL,
        .cert_pem = (char *)server_cert_pem_start,
        .timeout_ms = CONFIG_EXAMPLE_OTA_RECV_TIMEOUT,
        .keep_alive_enable = true,
    };
#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL_FROM_STDIN
    static char url[URL_SIZE];
    if (strcmp(config.url, "FROM_STDIN") != 0) {
        ESP_LOGE(TAG, "Configuration mismatch: wrong firmware upgrade image url");
        abort();
    }
    example_configure_stdin_stdout();
    if (!fgets(url, sizeof url, stdin)) url[0] = 0;
    if (url[0]) url[strlen(url) - 1] = 0; /* the newline */
    config.url = url;
#endif
#ifdef CONFIG_EXAMPLE_SKIP_COMMON_NAME_CHECK
    config.skip_cert_common_name_check = true;
#endif
    u->client = esp_http_client_init(&config);
    if (!u->client) {
        ESP_LOGE(TAG, "Failed to initialise HTTP connection");
        give_up(u);
    }
    esp_err_t err = esp_http_client_open(u->client, 0);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Failed to open HTTP connection: %s", esp_err_to_name(err));
        esp_http_client_cleanup(u->client);
        u->client = NULL;
        give_up(u);
    }
    esp_http_client_fetch_headers(u->client);
}

static void finish(struct update *u)
{
    ESP_LOGI(TAG, "Total Write binary data length: %d", u->written);
    if (!esp_http_client_is_complete_data_received(u->client)) {
        ESP_LOGE(TAG, "Error in receiving complete file");
        give_up(u);
    }
    esp_err_t err = esp_ota_end(u->ota);
    u->ota = 0;
    if (err != ESP_OK) {
        if (err == ESP_ERR_OTA_VALIDATE_FAILED)
            ESP_LOGE(TAG, "Image validation failed, image is corrupted");
        else
            ESP_LOGE(TAG, "esp_ota_end failed (%s)!", esp_err_to_name(err));
        give_up(u);
    }
    err = esp_ota_set_boot_partition(u->slot);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "esp_ota_set_boot_partition failed (%s)!", esp_err_to_name(err));
        give_up(u);
    }
    ESP_LOGI(TAG, "Prepare to restart system!");
    esp_restart();
}

static void ota_example_task(void *unused)
{
    static struct update u;
    ESP_LOGI(TAG, "Starting OTA example task");
    const esp_partition_t *configured = esp_ota_get_boot_partition();
    const esp_partition_t *running = esp_ota_get_running_partition();
    if (configured != running) {
        ESP_LOGW(TAG,
                 "Configured OTA boot partition at offset 0x%08" PRIx32
                 ", but running from offset 0x%08" PRIx32,
                 configured->address, running->address);
        ESP_LOGW(TAG, "(This can happen if either the OTA boot data or preferred boot image become "
                      "corrupted somehow.)");
    }
    ESP_LOGI(TAG, "Running partition type %d subtype %d (offset 0x%08" PRIx32 ")", running->type,
             running->subtype, running->address);

    open_connection(&u);
    u.slot = esp_ota_get_next_update_partition(NULL);
    assert(u.slot != NULL);
    ESP_LOGI(TAG, "Writing to partition subtype %d at offset 0x%" PRIx32, u.slot->subtype,
             u.slot->address);
    download(&u);
    finish(&u);
}

static bool diagnostic(void)
{
    const gpio_config_t pin = {
        .pin_bit_mask = 1ULL << CONFIG_EXAMPLE_GPIO_DIAGNOSTIC,
        .mode = GPIO_MODE_INPUT,
        .pull_up_en = GPIO_PULLUP_ENABLE,
        .pull_down_en = GPIO_PULLDOWN_DISABLE,
        .intr_type = GPIO_INTR_DISABLE,
    };
    gpio_config(&pin);
    ESP_LOGI(TAG, "Diagnostics (%d sec)...", DIAGNOSTIC_SEC);
    vTaskDelay(DIAGNOSTIC_SEC * 1000 / portTICK_PERIOD_MS);
    bool good = gpio_get_level(CONFIG_EXAMPLE_GPIO_DIAGNOSTIC) == 1;
    gpio_reset_pin(CONFIG_EXAMPLE_GPIO_DIAGNOSTIC);
    return good;
}

/* A new app decides, before anything else, whether it stays. */
static void confirm_or_roll_back(void)
{
    esp_ota_img_states_t state;
    const esp_partition_t *running = esp_ota_get_running_partition();
    if (esp_ota_get_state_partition(running, &state) != ESP_OK ||
        state != ESP_OTA_IMG_PENDING_VERIFY)
        return;
    if (diagnostic()) {
        ESP_LOGI(TAG, "Diagnostics completed successfully! Continuing execution ...");
        esp_ota_mark_app_valid_cancel_rollback();
    } else {
        ESP_LOGE(TAG, "Diagnostics failed! Start rollback to the previous version ...");
        esp_ota_mark_app_invalid_rollback_and_reboot();
    }
}

static void print_sha256(const uint8_t *hash, const char *label)
{
    char hex[HASH_LEN * 2 + 1];
    for (int i = 0; i < HASH_LEN; i++) sprintf(hex + i * 2, "%02x", hash[i]);
    ESP_LOGI(TAG, "%s: %s", label, hex);
}

static void print_hashes(void)
{
    uint8_t hash[HASH_LEN] = {0};
    esp_partition_t place;

    place.address = ESP_PARTITION_TABLE_OFFSET;
    place.size = ESP_PARTITION_TABLE_MAX_LEN;
    place.type = ESP_PARTITION_TYPE_DATA;
    esp_partition_get_sha256(&place, hash);
    print_sha256(hash, "SHA-256 for the partition table: ");

    place.address = ESP_BOOTLOADER_OFFSET;
    place.size = ESP_PARTITION_TABLE_OFFSET;
    place.type = ESP_PARTITION_TYPE_APP;
    esp_partition_get_sha256(&place, hash);
    print_sha256(hash, "SHA-256 for bootloader: ");

    esp_partition_get_sha256(esp_ota_get_running_partition(), hash);
    print_sha256(hash, "SHA-256 for current firmware: ");
}

void app_main(void)
{
    ESP_LOGI(TAG, "OTA example app_main start");
    print_hashes();
    confirm_or_roll_back();

    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
#if CONFIG_EXAMPLE_CONNECT_WIFI
    esp_wifi_set_ps(WIFI_PS_NONE); /* full speed while downloading */
#endif
    xTaskCreate(&ota_example_task, "ota_example_task", 8192, NULL, 5, NULL);
}
