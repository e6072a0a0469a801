/* The description of the running app, from its slot in flash. */
#include "esp_app_desc.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/app_image.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp_ota_ops.h"
#include "host/crypto_openssl.h"

static pthread_once_t loaded = PTHREAD_ONCE_INIT;
static esp_app_desc_t desc;

static void load(void)
{
    if (esp_ota_get_partition_description(esp_ota_get_running_partition(), &desc))
        desc = (esp_app_desc_t){.magic_word = ESP_APP_DESC_MAGIC_WORD};
}

const esp_app_desc_t *esp_app_get_description(void)
{
    pthread_once(&loaded, load);
    return &desc;
}

int esp_app_get_elf_sha256(char *dst, size_t size)
{
    char hex[2 * sizeof desc.app_elf_sha256 + 1];
    crypto_hex(esp_app_get_description()->app_elf_sha256, sizeof desc.app_elf_sha256, hex);
    if (!dst || !size) return 0;
    int len = snprintf(dst, size, "%s", hex);
    return (size_t)len < size ? len + 1 : (int)size;
}

char *esp_app_get_elf_sha256_str(void)
{
    static char digits[2 * sizeof desc.app_elf_sha256 + 1];
    long wanted = airlift_config_int("APP_RETRIEVE_LEN_ELF_SHA", 9);
    if (wanted < 8 || wanted > 64) wanted = 9;
    esp_app_get_elf_sha256(digits, (size_t)wanted + 1);
    return digits;
}
