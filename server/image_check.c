/* See image_check.h. */
#include "server/image_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/image_verify.h"
#include "host/crypto_openssl.h"
#include "host/vendor_log.h"
#include "server/zigbee_check.h"

#define MAX_IMAGE_LEN (16u << 20) /* the largest slot that boot loaders take */

/* The image as if it lay in flash: behind its end everything is erased. */
struct image_bytes {
    const uint8_t *data;
    size_t len;
};

static int read_image(void *ctx, uint32_t addr, void *dst, uint32_t len)
{
    const struct image_bytes *b = ctx;
    size_t there = addr < b->len ? b->len - addr : 0;
    if (there > len) there = len;
    if (there > 0) memcpy(dst, b->data + addr, there);
    memset((uint8_t *)dst + there, 0xff, len - there);
    return 0;
}

static const uint8_t *map_image(void *ctx, uint32_t addr, uint32_t len)
{
    const struct image_bytes *b = ctx;
    return addr <= b->len && len <= b->len - addr ? b->data + addr : NULL;
}

__attribute__((format(printf, 3, 4))) static void
set_refusal(struct image_refusal *why, const char *check, const char *format, ...)
{
    va_list list;
    snprintf(why->check, sizeof why->check, "%s", check);
    va_start(list, format);
    vsnprintf(why->message, sizeof why->message, format, list);
    va_end(list);
}
#define REFUSE(...) (set_refusal(__VA_ARGS__), false)

static bool explain(const struct image_bytes *b, const struct al_image_fault *fault,
                    struct image_refusal *why)
{
    char text[400];
    uint32_t field_len = fault->check == AL_IMAGE_CHECK_HASH ? AL_IMAGE_HASH_LEN : 1;
    if (fault->offset + (uint64_t)field_len > b->len)
        return REFUSE(why, "truncated",
                      "the file ends after %zu bytes, inside the image: it is cut short; "
                      "build or copy it again",
                      b->len);
    image_fault_explain(fault, text, sizeof text);
    return REFUSE(why, image_check_name(fault->check), "%s", text);
}

bool image_kind_ok(const char *kind)
{
    return strcmp(kind, "esp-app") == 0 || strcmp(kind, "esp-bootloader") == 0 ||
           strcmp(kind, ZIGBEE_KIND) == 0 || strcmp(kind, "other") == 0;
}

/* The figures of a device that the image is meant for. */
static bool meant_device(const struct image_bytes *b, struct al_device_ids *device,
                         struct image_refusal *why)
{
    struct al_image_header header;
    struct al_app_desc desc;
    uint8_t raw[AL_APP_DESC_LEN];
    read_image((void *)(uintptr_t)b, 0, raw, AL_IMAGE_HEADER_LEN);
    al_image_header_parse(raw, &header);
    if (header.magic == AL_IMAGE_MAGIC && b->len < AL_IMAGE_HEADER_LEN)
        return REFUSE(why, "truncated", "the file ends inside the image header, after %zu bytes",
                      b->len);
    if (header.magic != AL_IMAGE_MAGIC)
        return REFUSE(why, "magic",
                      "this is no ESP image: the first byte is 0x%02x, an image begins with 0xe9. "
                      "Other files are published with kind=other",
                      header.magic);
    device->chip = al_chip_by_id(header.chip_id);
    device->revision = header.min_chip_rev_full;
    if (!device->chip)
        return REFUSE(why, "chip_id", "the image is for chip id %u, which is not known",
                      header.chip_id);
    read_image((void *)(uintptr_t)b, AL_IMAGE_DESC_OFFSET, raw, AL_APP_DESC_LEN);
    if (al_app_desc_parse(raw, &desc) == 0) device->efuse_block_rev = desc.min_efuse_blk_rev_full;
    return true;
}

bool image_check(const uint8_t *data, size_t len, struct artifact *a, struct image_refusal *why)
{
    struct image_bytes bytes = {data, len};
    struct al_image_rules rules = {.crypto = &crypto_openssl};
    struct al_image image;
    struct al_image_fault fault = {0};
    if (!a->kind[0])
        snprintf(a->kind, sizeof a->kind, "%s",
                 zigbee_recognized(a->name, data, len) ? ZIGBEE_KIND : "esp-app");
    if (strcmp(a->kind, "other") == 0) return true;
    if (strcmp(a->kind, ZIGBEE_KIND) == 0) return zigbee_check(data, len, a, why);
    if (len > MAX_IMAGE_LEN)
        return REFUSE(why, "length", "the image has %zu bytes, more than any slot (%u)", len,
                      MAX_IMAGE_LEN);
    if (!meant_device(&bytes, &rules.device, why)) return false;
    rules.kind = strcmp(a->kind, "esp-app") == 0 ? AL_IMAGE_APP : AL_IMAGE_BOOTLOADER;
    struct al_flash flash = {
        .ctx = &bytes,
        .size = (uint32_t)((len + AL_SECTOR - 1) / AL_SECTOR * AL_SECTOR),
        .read = read_image,
        .map = map_image,
    };
    struct al_window slot = al_window_all(&flash);
    slot.readonly = true;
    if (al_image_verify(&slot, &rules, &image, &fault) != 0) return explain(&bytes, &fault, why);
    if (image.image_len > len)
        return REFUSE(why, "truncated", "the image has %u bytes, the file only %zu",
                      image.image_len, len);
    snprintf(a->chip, sizeof a->chip, "%s", rules.device.chip->name);
    if (image.has_desc) {
        snprintf(a->project, sizeof a->project, "%s", image.desc.project_name);
        snprintf(a->version, sizeof a->version, "%s", image.desc.version);
        a->secure_version = image.desc.secure_version;
    }
    return true;
}
