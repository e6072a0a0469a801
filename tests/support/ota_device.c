#include "tests/support/ota_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "host/crypto_openssl.h"
#include "tests/support/vectors.h"

static void on_boot_event(void *ctx, const struct al_boot_event_args *a)
{
    struct ota_device *d = ctx;
    if (d->boot_event_count < OTA_DEVICE_EVENTS) d->boot_events[d->boot_event_count++] = a->event;
}

static void on_ota_event(void *ctx, const struct al_ota_event_args *a)
{
    struct ota_device *d = ctx;
    if (d->ota_event_count < OTA_DEVICE_EVENTS) d->ota_events[d->ota_event_count++] = a->event;
}

static uint32_t version_get(void *ctx)
{
    return ((const struct ota_device *)ctx)->efuse;
}

static int version_raise(void *ctx, uint32_t version)
{
    struct ota_device *d = ctx;
    if (version < d->efuse) return AL_FAIL;
    d->efuse = version;
    return AL_OK;
}

struct al_part *ota_device_add(struct ota_device *d, uint8_t type, uint8_t subtype,
                               const char *label, uint32_t offset, uint32_t size)
{
    assert_true(d->table.count < AL_PART_MAX);
    struct al_part *p = &d->table.part[d->table.count++];
    *p = (struct al_part){.type = type, .subtype = subtype, .offset = offset, .size = size};
    memcpy(p->label, label, strnlen(label, sizeof p->label - 1));
    return p;
}

void ota_device_write_table(struct ota_device *d)
{
    uint8_t raw[AL_PART_TABLE_LEN];
    assert_int_equal(al_part_table_build(&d->table, true, &crypto_openssl, raw), 0);
    nor_flash_fill(&d->nor, AL_PART_TABLE_OFFSET, raw, sizeof raw);
}

static uint8_t app_subtype(const char *name, size_t len)
{
    if (len == 7 && memcmp(name, "factory", len) == 0) return AL_PART_FACTORY;
    if (len == 4 && memcmp(name, "test", len) == 0) return AL_PART_TEST;
    assert_memory_equal(name, "ota_", 4);
    return (uint8_t)(AL_PART_OTA_0 + atoi(name + 4));
}

void ota_device_new(struct ota_device *d, const char *layout)
{
    memset(d, 0, sizeof *d);
    assert_int_equal(nor_flash_memory(&d->nor, OTA_DEVICE_FLASH), 0);
    d->version = (struct al_secure_version){.ctx = d, .get = version_get, .raise = version_raise};
    d->boot = (struct al_boot_config){
        .crypto = &crypto_openssl,
        .device = {.chip = al_chip_by_id(13)},
        .secure_version = &d->version,
        .event_ctx = d,
        .event = on_boot_event,
    };
    d->ota = (struct al_ota){
        .flash = &d->nor.flash,
        .table = &d->table,
        .crypto = &crypto_openssl,
        .device = d->boot.device,
        .secure_version = &d->version,
        .event_ctx = d,
        .event = on_ota_event,
    };
    ota_device_add(d, AL_PART_DATA, AL_PART_DATA_NVS, "nvs", 0x9000, 0x4000);
    ota_device_add(d, AL_PART_DATA, AL_PART_DATA_OTA, "otadata", OTA_DEVICE_OTADATA,
                   AL_OTADATA_LEN);
    ota_device_add(d, AL_PART_DATA, AL_PART_DATA_PHY, "phy_init", 0xf000, 0x1000);
    uint32_t offset = OTA_DEVICE_APP;
    for (const char *name = layout; *name; offset += OTA_DEVICE_SLOT) {
        char label[17] = "";
        size_t len = strcspn(name, " ");
        memcpy(label, name, len);
        ota_device_add(d, AL_PART_APP, app_subtype(name, len), label, offset, OTA_DEVICE_SLOT);
        name += len + (name[len] == ' ');
    }
    ota_device_write_table(d);
}

void ota_device_free(struct ota_device *d)
{
    nor_flash_close(&d->nor);
}

const struct al_part *ota_device_part(struct ota_device *d, const char *label)
{
    const struct al_part *p = al_part_find(&d->table, AL_PART_ANY, AL_PART_ANY, label);
    if (!p) fail_msg("no partition %s", label);
    return p;
}

void ota_device_put_image(struct ota_device *d, const char *label, const char *image)
{
    size_t len;
    uint8_t *data = vector_file(&len, "esp-flash/otadata/images/%s", image);
    const struct al_part *p = ota_device_part(d, label);
    assert_true(len <= p->size);
    nor_flash_fill(&d->nor, p->offset, data, (uint32_t)len);
    free(data);
}

void ota_device_put_entry(struct ota_device *d, uint32_t index, uint32_t seq, uint32_t state)
{
    uint8_t raw[AL_OTA_ENTRY_LEN];
    struct al_ota_entry e = {.seq = seq, .state = state, .crc = al_ota_entry_crc(seq)};
    memset(e.seq_label, 0xff, sizeof e.seq_label);
    al_ota_entry_encode(&e, raw);
    nor_flash_fill(&d->nor, OTA_DEVICE_OTADATA + index * AL_SECTOR, raw, sizeof raw);
}

void ota_device_entries(struct ota_device *d, struct al_ota_entry e[2])
{
    struct al_window w;
    assert_int_equal(al_part_window(&d->nor.flash, ota_device_part(d, "otadata"), &w), 0);
    assert_int_equal(al_ota_data_read(&w, e), 0);
}

const char *ota_device_boot(struct ota_device *d)
{
    d->boot_event_count = d->ota_event_count = 0;
    (void)al_boot(&d->nor.flash, &d->boot, &d->result);
    const struct al_part *p = d->result.part;
    d->ota.open = NULL;
    d->ota.rollback = d->boot.rollback;
    d->ota.anti_rollback = d->boot.anti_rollback;
    d->ota.running = p ? &d->table.part[p - d->result.table.part] : NULL;
    return p ? p->label : "nothing";
}

static bool had(const uint32_t *events, uint32_t count, uint32_t event)
{
    for (uint32_t i = 0; i < count; i++)
        if (events[i] == event) return true;
    return false;
}

bool ota_device_had_boot_event(const struct ota_device *d, enum al_boot_event event)
{
    return had(d->boot_events, d->boot_event_count, event);
}

bool ota_device_had_ota_event(const struct ota_device *d, enum al_ota_event event)
{
    return had(d->ota_events, d->ota_event_count, event);
}
