/* Any image in a slot, mapped and read: one verdict, and never a byte outside. */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/image_verify.h"
#include "host/crypto_openssl.h"
#include "host/image_describe.h"
#include "host/vendor_log.h"

struct bytes {
    const uint8_t *data;
    size_t len;
};

/* Behind the input lies erased flash. */
static int read_bytes(void *ctx, uint32_t addr, void *dst, uint32_t len)
{
    const struct bytes *b = ctx;
    memset(dst, 0xff, len);
    if (addr < b->len) memcpy(dst, b->data + addr, len < b->len - addr ? len : b->len - addr);
    return AL_OK;
}

static const uint8_t *map_bytes(void *ctx, uint32_t addr, uint32_t len)
{
    const struct bytes *b = ctx;
    return addr < b->len && len <= b->len - addr ? b->data + addr : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = {data, size};
    struct al_flash flash = {.ctx = &b, .size = 0x40000, .read = read_bytes};
    struct al_window slot = {.flash = &flash, .size = 0x20000};
    struct al_image_rules rules = {.crypto = &crypto_openssl};
    struct al_image image[2];
    struct al_image_fault fault;
    struct al_image_header h = {.chip_id = 5};
    static struct image_description description;
    uint8_t digest[32];
    char why[300];

    if (size >= AL_IMAGE_HEADER_LEN) al_image_header_parse(data, &h);
    rules.device.chip = al_chip_by_id(h.chip_id) ? al_chip_by_id(h.chip_id) : al_chip_at(2);
    rules.device.revision = h.min_chip_rev_full;
    int first = al_image_verify(&slot, &rules, &image[0], &fault);
    image_fault_explain(&fault, why, sizeof why);
    flash.map = map_bytes;
    int second = al_image_verify(&slot, &rules, &image[1], NULL);
    if (first != second || memcmp(&image[0], &image[1], sizeof image[0])) abort();
    if (first == 0 && image[0].image_len > slot.size) abort();
    if (first && image[0].image_len) abort();
    (void)al_image_sha256(&slot, &rules, digest);

    struct al_trusted_keys keys = {.version = AL_SIG_RSA, .count = 1};
    rules.keys = &keys;
    if (al_image_verify(&slot, &rules, NULL, NULL) == AL_OK) abort(); /* nobody has that key */
    image_describe(data, size, &description, why, sizeof why);
    return 0;
}
