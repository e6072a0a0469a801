/* OTA update of any partition: app, boot loader, partition table, data. The name
 * of the file says which; the download goes into a staging partition first. */
#include <string.h>

#include "esp_check.h"
#include "esp_event.h"
#include "esp_flash.h"
#include "esp_flash_partitions.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "partition_utils.h"
#include "protocol_examples_common.h"
#include "soc/soc_caps.h"
#include <sys/socket.h>

#if SOC_RECOVERY_BOOTLOADER_SUPPORTED
#include "esp_efuse.h"
#endif
#ifdef CONFIG_EXAMPLE_USE_CERT_BUNDLE
#include "esp_crt_bundle.h"
#endif
#if CONFIG_EXAMPLE_CONNECT_WIFI
#include "esp_wifi.h"
#endif

#define URL_SIZE 256

static const char *TAG = "ota_example";

extern const uint8_t server_cert_pem_start[] asm("_binary_ca_cert_pem_start");
extern const uint8_t server_cert_pem_end[] asm("_binary_ca_cert_pem_end");

static esp_err_t http_event_handler(esp_http_client_event_t *evt)
{
    if (evt->event_id == HTTP_EVENT_ON_HEADER)
        ESP_LOGD(TAG, "HTTP_EVENT_ON_HEADER, key=%s, value=%s", evt->header_key, evt->header_value);
    return ESP_OK;
}

/* The partition of the table; one that is missing there is registered. */
static esp_err_t get_partition(uint32_t offset, size_t size, const char *label,
                               esp_partition_type_t type, esp_partition_subtype_t subtype,
                               const esp_partition_t **partition)
{
    *partition = esp_partition_find_first(type, subtype, NULL);
    if (*partition == NULL)
        ESP_RETURN_ON_ERROR(
            esp_partition_register_external(NULL, offset, size, label, type, subtype, partition),
            TAG, "Partition %s could not be registered", label);
    ESP_LOGI(TAG, "Use <%s> partition (0x%08" PRIx32 ")", (*partition)->label,
             (*partition)->address);
    return ESP_OK;
}

static esp_err_t get_primary_bootloader(const esp_partition_t **partition)
{
    return get_partition(ESP_PRIMARY_BOOTLOADER_OFFSET, ESP_BOOTLOADER_SIZE, "PrimaryBTLDR",
                         ESP_PARTITION_TYPE_BOOTLOADER, ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY,
                         partition);
}

static esp_err_t copy_to_final(const esp_partition_t *staging, const esp_partition_t *final)
{
    ESP_LOGI(TAG, "Copy from <%s> staging partition to <%s>...", staging->label, final->label);
    ESP_LOGW(TAG,
             "Ensure stable power supply! Loss of power at this stage leads to a chip bricking");
    return esp_partition_copy(final, 0, staging, 0, final->size);
}

static esp_err_t ota_update_app(esp_https_ota_config_t *config)
{
    return esp_https_ota(config);
}

#if CONFIG_BOOTLOADER_RECOVERY_ENABLE
/* Saves the running boot loader where the ROM finds it if the primary one is bad,
 * and then downloads straight into the primary's place. */
static esp_err_t ota_update_bootloader(esp_https_ota_config_t *config)
{
    const esp_partition_t *primary, *recovery;
    ESP_RETURN_ON_ERROR(get_primary_bootloader(&primary), TAG, "No primary bootloader");
    ESP_RETURN_ON_ERROR(get_partition(CONFIG_BOOTLOADER_RECOVERY_OFFSET, ESP_BOOTLOADER_SIZE,
                                      "RecoveryBTLDR", ESP_PARTITION_TYPE_BOOTLOADER,
                                      ESP_PARTITION_SUBTYPE_BOOTLOADER_RECOVERY, &recovery),
                        TAG, "No recovery bootloader");
    ESP_RETURN_ON_ERROR(esp_efuse_set_recovery_bootloader_offset(recovery->address), TAG,
                        "Failed to set recovery bootloader offset");
    uint8_t sha256[32];
    if (esp_partition_get_sha256(primary, sha256) == ESP_OK) {
        ESP_LOGI(TAG, "Backup, copy <%s> -> <%s>", primary->label, recovery->label);
        ESP_RETURN_ON_ERROR(esp_partition_copy(recovery, 0, primary, 0, primary->size), TAG,
                            "Failed to back up the bootloader");
    } else {
        ESP_LOGW(TAG, "<%s> is damaged, <%s> stays as it is", primary->label, recovery->label);
    }
    config->partition.staging = primary;
    return esp_https_ota(config);
}
#else
/* A place for the new boot loader: the passive slot, or free flash when that slot
 * holds an app which may be needed for a rollback. */
static esp_err_t get_bootloader_staging(const esp_partition_t **staging)
{
    *staging = esp_ota_get_next_update_partition(NULL);
#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
    esp_ota_img_states_t state;
    if (esp_ota_get_state_partition(*staging, &state) == ESP_OK && state == ESP_OTA_IMG_VALID) {
        uint32_t offset;
        size_t size;
        ESP_RETURN_ON_ERROR(
            partition_utils_find_unallocated(NULL, ESP_BOOTLOADER_SIZE,
                                             ESP_PARTITION_TABLE_OFFSET + ESP_PARTITION_TABLE_SIZE,
                                             &offset, &size),
            TAG, "No free place for the bootloader");
        return get_partition(offset, ESP_BOOTLOADER_SIZE, "OtaBTLDR", ESP_PARTITION_TYPE_BOOTLOADER,
                             ESP_PARTITION_SUBTYPE_BOOTLOADER_OTA, staging);
    }
#endif
    ESP_LOGI(TAG, "Use <%s> partition (0x%08" PRIx32 ")", (*staging)->label, (*staging)->address);
    return ESP_OK;
}

static esp_err_t ota_update_bootloader(esp_https_ota_config_t *config)
{
    const esp_partition_t *primary, *staging;
    ESP_RETURN_ON_ERROR(get_primary_bootloader(&primary), TAG, "No primary bootloader");
    ESP_RETURN_ON_ERROR(get_bootloader_staging(&staging), TAG, "No staging partition");
    config->partition.staging = staging;
    config->partition.final = primary;
    esp_err_t err = esp_https_ota(config);
    if (err == ESP_OK) err = copy_to_final(staging, primary);
    if (staging->type == ESP_PARTITION_TYPE_BOOTLOADER) esp_partition_deregister_external(staging);
    return err;
}
#endif

static esp_err_t ota_update_partition_table(esp_https_ota_config_t *config)
{
    const esp_partition_t *primary;
    const esp_partition_t *staging = esp_ota_get_next_update_partition(NULL);
    ESP_RETURN_ON_ERROR(get_partition(ESP_PRIMARY_PARTITION_TABLE_OFFSET, ESP_PARTITION_TABLE_SIZE,
                                      "PrimaryPrtTable", ESP_PARTITION_TYPE_PARTITION_TABLE,
                                      ESP_PARTITION_SUBTYPE_PARTITION_TABLE_PRIMARY, &primary),
                        TAG, "No primary partition table");
    config->partition.staging = staging;
    config->partition.final = primary;
    esp_err_t err = esp_https_ota(config);
    return err == ESP_OK ? copy_to_final(staging, primary) : err;
}

static esp_err_t ota_update_storage(esp_https_ota_config_t *config)
{
    static const char begins[] = "7296406769363431";
    const esp_partition_t *storage =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "storage");
    ESP_RETURN_ON_FALSE(storage != NULL, ESP_ERR_NOT_FOUND, TAG, "No partition <storage>");
    config->partition.staging = NULL; /* the passive slot */
#ifdef CONFIG_SECURE_SIGNED_DATA_PARTITION
    config->partition.staging =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "staging");
    ESP_RETURN_ON_FALSE(config->partition.staging, ESP_ERR_NOT_FOUND, TAG,
                        "No partition <staging>");
#endif
    config->partition.final = storage;
    config->partition.finalize_with_copy = true;
    ESP_RETURN_ON_ERROR(esp_https_ota(config), TAG, "Update of <storage> failed");

    char first[16];
    ESP_ERROR_CHECK(esp_partition_read(storage, 0, first, sizeof first));
    ESP_LOG_BUFFER_HEXDUMP(TAG, first, sizeof first, ESP_LOG_INFO);
    assert(memcmp(begins, first, sizeof first) == 0);
    return ESP_OK;
}

static esp_err_t ota_update_partitions(esp_https_ota_config_t *config)
{
    const char *url = config->http_config->url;
    if (strstr(url, "partitions_ota.bin")) return ota_update_app(config);
    if (strstr(url, "bootloader.bin")) return ota_update_bootloader(config);
    if (strstr(url, "partition-table.bin")) return ota_update_partition_table(config);
    if (strstr(url, "storage.bin")) return ota_update_storage(config);
    ESP_LOGE(TAG, "Unable to load this file (%s). The final partition is unknown.", url);
    return ESP_ERR_NOT_SUPPORTED;
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

static void ota_example_task(void *unused)
{
    ESP_LOGI(TAG, "Starting OTA example task");
    esp_http_client_config_t config = {
        .url = CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL,
#ifdef CONFIG_EXAMPLE_USE_CERT_BUNDLE
        .crt_bundle_attach = esp_crt_bundle_attach,
#else
        .cert_pem = (char *)server_cert_pem_start,
#endif
        .event_handler = http_event_handler,
        .keep_alive_enable = true,
    };
#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_BIND_IF
    const char *name = EXAMPLE_NETIF_DESC_STA;
#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_BIND_IF_ETH
    name = EXAMPLE_NETIF_DESC_ETH;
#endif
    struct ifreq ifr = {0};
    esp_netif_t *netif = get_example_netif_from_desc(name);
    if (netif == NULL) {
        ESP_LOGE(TAG, "Can't find netif from interface description");
        abort();
    }
    esp_netif_get_netif_impl_name(netif, ifr.ifr_name);
    ESP_LOGI(TAG, "Bind interface name is %s", ifr.ifr_name);
    config.if_name = &ifr;
#endif
#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL_FROM_STDIN
    config.url = read_url(config.url);
#endif
#ifdef CONFIG_EXAMPLE_SKIP_COMMON_NAME_CHECK
    config.skip_cert_common_name_check = true;
#endif

    esp_https_ota_config_t ota_config = {.http_config = &config};
    ESP_LOGI(TAG, "Attempting to download update from %s", config.url);
    if (ota_update_partitions(&ota_config) == ESP_OK) {
        ESP_LOGI(TAG, "OTA Succeed, Rebooting...");
        vTaskDelay(1000 / portTICK_PERIOD_MS);
        esp_restart();
    }
    ESP_LOGE(TAG, "Firmware upgrade failed");
    for (;;) vTaskDelay(1000 / portTICK_PERIOD_MS);
}

static void confirm(void)
{
#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
    esp_ota_img_states_t state;
    const esp_partition_t *running = esp_ota_get_running_partition();
    if (esp_ota_get_state_partition(running, &state) == ESP_OK &&
        state == ESP_OTA_IMG_PENDING_VERIFY && esp_ota_mark_app_valid_cancel_rollback() == ESP_OK)
        ESP_LOGI(TAG, "App is valid, rollback cancelled successfully");
#endif
}

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
    ESP_ERROR_CHECK(example_connect());
    confirm();
#if CONFIG_EXAMPLE_CONNECT_WIFI
    esp_wifi_set_ps(WIFI_PS_NONE); /* full speed while downloading */
#endif
    xTaskCreate(&ota_example_task, "ota_example_task", 8192, NULL, 5, NULL);
}
