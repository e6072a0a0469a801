/* device info. */
#include <stdio.h>

#include "cli/device.h"
#include "cli/flash_device.h"
#include "core/app_image.h"
#include "core/err.h"
#include "core/image_verify.h"
#include "core/ota_data.h"
#include "core/part_table.h"
#include "device/device.h"
#include "device/loader_config.h"
#include "host/crypto_openssl.h"
#include "host/image_build.h"
#include "host/vendor_log.h"

/* Where the boot loader looks for the table. */
static uint32_t table_offset(const struct device *d)
{
    struct al_image img;
    struct loader_config config;
    uint32_t start = d->ids.chip->bootloader_offset, at, len;
    const struct al_window w = {
        .flash = &d->nor.flash, .offset = start, .size = d->nor.flash.size - start};
    const struct al_image_rules rules = {.crypto = &crypto_openssl,
                                         .device = d->ids,
                                         .kind = AL_IMAGE_BOOTLOADER,
                                         .skip_hash = true};
    const uint8_t *bytes = d->nor.readable + start;
    if (al_image_verify(&w, &rules, &img, NULL) ||
        !image_find_boot_config(bytes, img.image_len, img.segment, img.segment_count, &at, &len))
        return d->conf.table_offset;
    loader_config_read((const char *)bytes + at, len, &d->conf, &config);
    return config.table_offset;
}

static cJSON *describe_app(const struct device *d, const struct al_part *p)
{
    struct al_app_desc desc;
    struct al_window w;
    const struct al_image_rules rules = {.crypto = &crypto_openssl, .device = d->ids};
    struct al_image_fault fault;
    cJSON *app = cJSON_CreateObject();
    cJSON_AddStringToObject(app, "slot", p->label);
    cJSON_AddNumberToObject(app, "offset", p->offset);
    if (al_part_window(&d->nor.flash, p, &w)) return app;
    if (al_app_desc_read(&w, &desc) == 0) {
        cJSON_AddStringToObject(app, "project_name", desc.project_name);
        cJSON_AddStringToObject(app, "version", desc.version);
        cJSON_AddNumberToObject(app, "secure_version", desc.secure_version);
    }
    bool valid = al_image_verify(&w, &rules, NULL, &fault) == 0;
    cJSON_AddBoolToObject(app, "valid", valid);
    bool empty = !valid && fault.check == AL_IMAGE_CHECK_MAGIC && fault.found == 0xff;
    cJSON_AddBoolToObject(app, "empty", empty);
    if (!valid) cJSON_AddStringToObject(app, "check", image_check_name(fault.check));
    return app;
}

static cJSON *describe_otadata(const struct device *d, const struct al_part_table *t)
{
    const struct al_part *p = al_part_find(t, AL_PART_DATA, AL_PART_DATA_OTA, NULL);
    struct al_window w;
    struct al_ota_entry e[2];
    bool readable = p && !al_part_window(&d->nor.flash, p, &w) && !al_ota_data_read(&w, e);
    return readable ? ota_entries_json(e) : cJSON_CreateArray();
}

static void add_hex(cJSON *doc, const char *key, const uint8_t *bytes, size_t len)
{
    char text[3 * 8];
    for (size_t i = 0; i < len; i++)
        snprintf(text + 3 * i, 4, i + 1 < len ? "%02x:" : "%02x", bytes[i]);
    cJSON_AddStringToObject(doc, key, text);
}

static cJSON *describe(const struct device *d)
{
    cJSON *doc = cJSON_CreateObject();
    uint8_t mac[6], ieee[8];
    char revision[16];
    efuse_mac(&d->efuse, mac);
    efuse_ieee(&d->efuse, ieee);
    snprintf(revision, sizeof revision, "v%d.%d", d->ids.revision / 100, d->ids.revision % 100);
    cJSON_AddStringToObject(doc, "dir", d->dir);
    cJSON_AddBoolToObject(doc, "running", device_is_running(d->dir));
    cJSON_AddStringToObject(doc, "chip", d->ids.chip->name);
    cJSON_AddStringToObject(doc, "revision", revision);
    cJSON_AddNumberToObject(doc, "efuse_block_revision", d->ids.efuse_block_rev);
    cJSON_AddNumberToObject(doc, "flash_size", d->nor.flash.size);
    add_hex(doc, "mac", mac, sizeof mac);
    add_hex(doc, "ieee", ieee, sizeof ieee);
    cJSON_AddNumberToObject(doc, "secure_version", efuse_secure_version(&d->efuse));
    cJSON_AddBoolToObject(doc, "secure_boot", efuse_secure_boot(&d->efuse));

    struct al_part_table table;
    struct al_part_fault fault;
    cJSON *apps = cJSON_AddArrayToObject(doc, "apps");
    if (al_part_table_read(&d->nor.flash, table_offset(d), &crypto_openssl, &table, &fault)) {
        char why[256];
        part_fault_explain(&fault, why, sizeof why);
        cJSON_AddStringToObject(doc, "table_error", why);
        return doc;
    }
    for (uint32_t i = 0; i < table.count; i++)
        if (table.part[i].type == AL_PART_APP)
            cJSON_AddItemToArray(apps, describe_app(d, &table.part[i]));
    cJSON_AddItemToObject(doc, "otadata", describe_otadata(d, &table));
    return doc;
}

static double number_of(const cJSON *doc, const char *key)
{
    const cJSON *item = cJSON_GetObjectItem(doc, key);
    return item ? item->valuedouble : 0;
}

static void print_app(const cJSON *app)
{
    cli_print("app      %-16s ", cli_text_of(app, "slot"));
    if (cJSON_IsTrue(cJSON_GetObjectItem(app, "empty")))
        cli_print("empty\n");
    else if (cJSON_IsTrue(cJSON_GetObjectItem(app, "valid")))
        cli_print("%s %s\n", cli_text_of(app, "project_name"), cli_text_of(app, "version"));
    else
        cli_print("not valid: %s\n", cli_text_of(app, "check"));
}

static void print_text(const cJSON *doc)
{
    const cJSON *item;
    cli_print("device   %s%s\n", cli_text_of(doc, "dir"),
              cJSON_IsTrue(cJSON_GetObjectItem(doc, "running")) ? " (running)" : "");
    cli_print("chip     %s %s, %.0f KiB of flash\n", cli_text_of(doc, "chip"),
              cli_text_of(doc, "revision"), number_of(doc, "flash_size") / 1024);
    cli_print("mac      %s, ieee %s\n", cli_text_of(doc, "mac"), cli_text_of(doc, "ieee"));
    cli_print("eFuses   secure version %.0f, Secure Boot %s\n", number_of(doc, "secure_version"),
              cJSON_IsTrue(cJSON_GetObjectItem(doc, "secure_boot")) ? "on" : "off");
    if (*cli_text_of(doc, "table_error"))
        cli_print("table    %s\n", cli_text_of(doc, "table_error"));
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(doc, "apps"))
    {
        print_app(item);
    }
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(doc, "otadata"))
    {
        uint32_t seq = (uint32_t)number_of(item, "seq");
        if (seq == AL_OTA_SEQ_EMPTY)
            cli_print("otadata  empty\n");
        else
            cli_print("otadata  sequence %u, %s%s\n", seq, cli_text_of(item, "state_name"),
                      cJSON_IsTrue(cJSON_GetObjectItem(item, "crc_ok")) ? "" : ", CRC wrong");
    }
}

int device_info_main(const struct cli_args *a)
{
    char why[512];
    struct device d;
    if (cli_operand_count(a) != 1) return cli_usage(a, "expected one DIR");
    if (device_open(&d, cli_operand(a, 0), DEVICE_LOOK, why, sizeof why))
        return cli_fail("%s", why);
    cJSON *doc = describe(&d);
    device_close(&d);
    if (cli_json_wanted(a)) return cli_print_json(doc);
    print_text(doc);
    cJSON_Delete(doc);
    return CLI_OK;
}
