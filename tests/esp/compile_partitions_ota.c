/* Every name that the vendor's partitions_ota takes from outside the C library. See
 * compile_native_ota.c. */
#define CONFIG_BOOTLOADER_RECOVERY_ENABLE 1
#define CONFIG_BOOTLOADER_RECOVERY_OFFSET 0x3F0000

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "esp_check.h"
#include "esp_efuse.h"
#include "esp_err.h"
#include "esp_event.h"
#include "esp_flash.h"
#include "esp_flash_partitions.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_image_format.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "protocol_examples_common.h"
#include "soc/soc_caps.h"

#ifndef SOC_RECOVERY_BOOTLOADER_SUPPORTED
#error "a project with a recovery boot loader needs a chip that has one"
#endif

static const char *TAG = "partitions";

static int by_address(const void *a, const void *b)
{
    uint32_t x = (*(const esp_partition_t *const *)a)->address;
    uint32_t y = (*(const esp_partition_t *const *)b)->address;
    return x < y ? -1 : x > y;
}

static esp_err_t find_gap(esp_flash_t *chip, size_t needed, uint32_t begin, uint32_t *offset)
{
    const esp_partition_t *list[32];
    size_t count = 0;
    uint32_t flash_size;
    if (!chip) chip = esp_flash_default_chip;
    ESP_RETURN_ON_FALSE(offset, ESP_ERR_INVALID_ARG, TAG, "no result wanted");
    ESP_RETURN_ON_ERROR(esp_flash_get_size(chip, &flash_size), TAG, "size");
    esp_partition_iterator_t it =
        esp_partition_find(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);
    for (; it && count < 32; it = esp_partition_next(it)) {
        const esp_partition_t *p = esp_partition_get(it);
        if (p->flash_chip == chip) list[count++] = p;
    }
    esp_partition_iterator_release(it);
    qsort(list, count, sizeof *list, by_address);
    for (size_t i = 0; i < count; i++) begin = MAX(begin, list[i]->address + list[i]->size);
    *offset = begin;
    return flash_size - begin >= needed ? ESP_OK : ESP_ERR_NOT_FOUND;
}

static esp_err_t find_or_register(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                  size_t offset, size_t size, const char *label,
                                  const esp_partition_t **out)
{
    *out = esp_partition_find_first(type, subtype, NULL);
    if (*out) return ESP_OK;
    return esp_partition_register_external(NULL, offset, size, label, type, subtype, out);
}

static esp_err_t targets(esp_https_ota_config_t *config)
{
    const esp_partition_t *primary, *recovery, *table, *spare;
    uint32_t gap;
    esp_ota_img_states_t state;
    ESP_RETURN_ON_ERROR(find_or_register(ESP_PARTITION_TYPE_BOOTLOADER,
                                         ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY,
                                         ESP_PRIMARY_BOOTLOADER_OFFSET, ESP_BOOTLOADER_SIZE,
                                         "PrimaryBTLDR", &primary),
                        TAG, "primary");
    ESP_RETURN_ON_ERROR(find_or_register(ESP_PARTITION_TYPE_BOOTLOADER,
                                         ESP_PARTITION_SUBTYPE_BOOTLOADER_RECOVERY,
                                         CONFIG_BOOTLOADER_RECOVERY_OFFSET, ESP_BOOTLOADER_SIZE,
                                         "RecoveryBTLDR", &recovery),
                        TAG, "recovery");
    ESP_RETURN_ON_ERROR(find_or_register(ESP_PARTITION_TYPE_PARTITION_TABLE,
                                         ESP_PARTITION_SUBTYPE_PARTITION_TABLE_PRIMARY,
                                         ESP_PRIMARY_PARTITION_TABLE_OFFSET,
                                         ESP_PARTITION_TABLE_SIZE, "PrimaryPrtTable", &table),
                        TAG, "table");
    ESP_RETURN_ON_ERROR(find_gap(NULL, ESP_BOOTLOADER_SIZE,
                                 ESP_PARTITION_TABLE_OFFSET + ESP_PARTITION_TABLE_SIZE, &gap),
                        TAG, "no gap");
    ESP_RETURN_ON_ERROR(find_or_register(ESP_PARTITION_TYPE_BOOTLOADER,
                                         ESP_PARTITION_SUBTYPE_BOOTLOADER_OTA, gap,
                                         ESP_BOOTLOADER_SIZE, "OtaBTLDR", &spare),
                        TAG, "spare");
    ESP_LOGI(TAG, "Use <%s> partition (0x%08" PRIx32 ")", spare->label, spare->address);
    if (esp_ota_get_state_partition(esp_ota_get_next_update_partition(NULL), &state) == ESP_OK &&
        state == ESP_OTA_IMG_VALID)
        ESP_LOGI(TAG, "kept");
    ESP_RETURN_ON_ERROR(esp_partition_copy(recovery, 0, primary, 0, primary->size), TAG, "copy");
    ESP_RETURN_ON_ERROR(esp_efuse_set_recovery_bootloader_offset(CONFIG_BOOTLOADER_RECOVERY_OFFSET),
                        TAG, "eFuse");
    config->partition.staging = spare;
    config->partition.final =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "storage");
    config->partition.finalize_with_copy = true;
    char head[16];
    ESP_RETURN_ON_ERROR(esp_partition_read(config->partition.final, 0, head, sizeof head), TAG, "");
    ESP_LOG_BUFFER_HEXDUMP(TAG, head, sizeof head, ESP_LOG_INFO);
    assert(memcmp("7296406769363431", head, sizeof head) == 0);
    return esp_partition_deregister_external(spare);
}

void app_main(void);
void app_main(void)
{
    esp_http_client_config_t http = {.url = "https://x/storage.bin"};
    esp_https_ota_config_t config = {.http_config = &http};
    esp_err_t err = strstr(http.url, "storage.bin") ? targets(&config) : ESP_ERR_NOT_SUPPORTED;
    if (err == ESP_ERR_NO_MEM || err) ESP_LOGE(TAG, "0x%x", err);
    if (esp_https_ota(&config) == ESP_OK) esp_restart();
}
