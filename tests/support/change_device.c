#include "tests/support/change_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/crypto_openssl.h"

static const struct data {
    uint32_t at, size, old_len, new_len;
} data[] = {{CHANGE_TONES, 0x3000, 0x2200, 0x1080}, {CHANGE_TEXTS, 0x2000, 0x300, 0x900}};

/* The first 200 bytes of every 4096 say which content they are of; the rest is blank. */
static void make(uint8_t *out, uint32_t size, uint32_t len, uint32_t part, bool is_new)
{
    memset(out, 0xff, size);
    for (uint32_t i = 0; i < len; i++)
        if (i % AL_SECTOR < 200 || i == len - 1)
            out[i] = (uint8_t)(i * (is_new ? 7 : 11) + (i >> 12) + part + (is_new ? 100 : 3));
}

void change_device_new(struct change_device *d, bool in_slot)
{
    uint8_t bytes[0x3000];
    struct ota_device *dev = &d->dev;
    ota_device_new(dev, "ota_0");
    ota_device_add(dev, AL_PART_APP, AL_PART_OTA_0 + 1, "ota_1", CHANGE_SLOT_1, 0x18000);
    ota_device_add(dev, AL_PART_DATA, 0x81, "tones", CHANGE_TONES, 0x3000);
    ota_device_add(dev, AL_PART_DATA, 0x82, "texts", CHANGE_TEXTS, 0x2000);
    ota_device_add(dev, AL_PART_DATA, 0x83, "spare", CHANGE_SPARE, 0x8000);
    ota_device_write_table(dev);
    ota_device_put_image(dev, "ota_0", IMAGE_1_1);
    ota_device_put_image(dev, "ota_1", IMAGE_1_2);
    ota_device_put_entry(dev, 0, 1, AL_OTA_VALID);
    dev->boot.rollback = true;
    for (uint32_t i = 0; i < 2; i++) {
        make(bytes, data[i].size, data[i].old_len, i, false);
        nor_flash_fill(&dev->nor, data[i].at, bytes, data[i].size);
    }
    /* What lay there before is of no meaning. */
    memset(bytes, 0x5a, sizeof bytes);
    for (uint32_t at = 0; at < 0x6000; at += 0x3000) {
        nor_flash_fill(&dev->nor, CHANGE_SPARE + at, bytes, sizeof bytes);
        nor_flash_fill(&dev->nor, CHANGE_TAIL + at, bytes, sizeof bytes);
    }
    struct al_window all = al_window_all(&dev->nor.flash);
    assert_int_equal(al_window_sub(&all, in_slot ? CHANGE_SLOT_1 : CHANGE_SPARE,
                                   in_slot ? 0x18000 : 0x8000, &d->area),
                     0);
    d->staged = in_slot ? CHANGE_TAIL : CHANGE_SPARE;
    assert_string_equal(ota_device_boot(dev), "ota_0");
}

void change_device_free(struct change_device *d)
{
    ota_device_free(&d->dev);
}

int change_device_stage(struct change_device *d, struct al_change_set *set, uint32_t parts)
{
    struct al_window all = al_window_all(&d->dev.nor.flash);
    uint8_t bytes[0x3000];
    uint32_t at = d->staged;
    *set = (struct al_change_set){.count = parts, .slot = CHANGE_SLOT_1};
    for (uint32_t i = 0; i < parts; i++) {
        struct al_change_part *p = &set->part[i];
        uint32_t room = data[i].size;
        make(bytes, data[i].size, data[i].new_len, i, true);
        *p = (struct al_change_part){.target = data[i].at,
                                     .target_size = data[i].size,
                                     .staged = at,
                                     .len = data[i].new_len,
                                     .room = room};
        crypto_digest(AL_SHA256, bytes, p->len, p->sha256);
        /* Only what the content needs: behind it lies what was there before. */
        uint32_t erase = (p->len + AL_SECTOR - 1) & ~(AL_SECTOR - 1);
        int err = al_window_erase(&all, at, erase);
        if (!err) err = al_window_program(&all, at, bytes, p->len);
        if (err) return err;
        at += room;
    }
    return 0;
}

const char *change_device_contents(struct change_device *d)
{
    static char text[3];
    uint8_t bytes[0x3000];
    for (uint32_t i = 0; i < 2; i++) {
        const uint8_t *is = d->dev.nor.bytes + data[i].at;
        text[i] = '?';
        make(bytes, data[i].size, data[i].old_len, i, false);
        if (!memcmp(is, bytes, data[i].size)) text[i] = 'o';
        make(bytes, data[i].size, data[i].new_len, i, true);
        if (!memcmp(is, bytes, data[i].size)) text[i] = 'n';
    }
    return text;
}

const char *change_device_start(struct change_device *d)
{
    for (int restarts = 0; restarts < 4; restarts++) {
        bool restart;
        const char *label = ota_device_boot(&d->dev);
        (void)al_change_start(&d->dev.ota, &d->area, &restart, NULL);
        if (!restart || d->dev.nor.power->off) return label;
    }
    return "restarts for ever";
}
