#include "esp/esp-zigbee/ota_installed.h"

#include <string.h>

#include "esp/esp-zigbee/stack.h"
#include "esp_app_desc.h"
#include "esp_ota_ops.h"

#define KEY "ota_installed"

/* By its digest, as what was installed may have been rolled back since. */
struct installed {
    uint32_t file_version;
    uint8_t program[sizeof((esp_app_desc_t *)0)->app_elf_sha256];
};

void ota_installed_note(uint32_t file_version)
{
    esp_app_desc_t desc;
    struct installed i = {.file_version = file_version};
    if (esp_ota_get_partition_description(esp_ota_get_boot_partition(), &desc)) return;
    memcpy(i.program, desc.app_elf_sha256, sizeof i.program);
    zb_store_save_blob(KEY, &i, sizeof i);
}

uint32_t ota_installed_version(void)
{
    struct installed i;
    const esp_app_desc_t *own = esp_app_get_description();
    bool same = zb_store_load_blob(KEY, &i, sizeof i) == sizeof i &&
                memcmp(i.program, own->app_elf_sha256, sizeof i.program) == 0;
    return same ? i.file_version : UINT32_MAX;
}
