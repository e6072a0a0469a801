/* Any bytes as an NVS partition: it opens or is refused; what it shows can be read,
 * it takes new values by the NOR rules, and opens again. The page headers and item
 * CRCs of the input are put right first, or hardly any input would get past them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/nvs_internal.h"

#define PAGES 4u

static uint8_t flash_bytes[PAGES * NVS_PAGE];

static int fuzz_read(void *ctx, uint32_t addr, void *dst, uint32_t len)
{
    memcpy(dst, flash_bytes + addr, len);
    return 0;
}

static int fuzz_program(void *ctx, uint32_t addr, const void *src, uint32_t len)
{
    const uint8_t *from = src;
    for (uint32_t i = 0; i < len; i++) {
        if (from[i] & ~flash_bytes[addr + i]) abort(); /* would set bits */
        flash_bytes[addr + i] &= from[i];
    }
    return 0;
}

static int fuzz_erase(void *ctx, uint32_t addr, uint32_t len)
{
    memset(flash_bytes + addr, 0xff, len);
    return 0;
}

static void put_crcs_right(void)
{
    for (unsigned p = 0; p < PAGES; p++) {
        uint8_t *page = flash_bytes + p * NVS_PAGE;
        al_put_le32(page + 28, al_crc32(NVS_CRC_INIT, page + 4, 24));
        for (unsigned i = 0; i < AL_NVS_ENTRIES; i++) {
            uint8_t *raw = page + NVS_ENTRIES_AT + i * AL_NVS_ENTRY;
            /* One entry in eight keeps its CRC, right or wrong. */
            if (raw[0] < 32 && raw[8] % 8) al_put_le32(raw + 4, al_nvs_header_crc(raw));
        }
    }
}

static void read_everything(struct al_nvs *nvs)
{
    static uint8_t value[PAGES * NVS_PAGE];
    struct al_nvs_iter it = {0};
    struct al_nvs_stats stats;
    size_t len;

    while (al_nvs_next(nvs, &it) == 0) {
        if (al_nvs_get(nvs, it.found_ns, it.found_type, it.key, NULL, 0, &len)) continue;
        if (len > sizeof value) len = sizeof value;
        al_nvs_get(nvs, it.found_ns, it.found_type, it.key, value, len, &len);
    }
    if (al_nvs_stats(nvs, &stats) == 0 && stats.used > stats.total) abort();
}

static void write_some(struct al_nvs *nvs)
{
    static uint8_t blob[6000];
    struct al_nvs_iter it = {0};
    uint8_t ns, n = 1;

    if (al_nvs_namespace(nvs, "fuzz", true, &ns)) return;
    if (al_nvs_next(nvs, &it) == 0) {
        al_nvs_set(nvs, it.found_ns, AL_NVS_U8, it.key, &n, 1, true);
        al_nvs_erase_key(nvs, it.found_ns, it.key, false);
        al_nvs_purge_all(nvs, it.found_ns);
    }
    /* Of two items of a key only the first can be read: a forged page may hold them. */
    bool fresh = al_nvs_find_key(nvs, ns, "n", NULL) == AL_ERR_NVS_NOT_FOUND;
    int err = al_nvs_set(nvs, ns, AL_NVS_U8, "n", &n, 1, false);
    if (fresh && !err && (al_nvs_get(nvs, ns, AL_NVS_U8, "n", &n, 1, NULL) || n != 1)) abort();
    al_nvs_set(nvs, ns, AL_NVS_STR, "s", "a string of some length, over one entry", 40, false);
    al_nvs_set(nvs, ns, AL_NVS_BLOB, "b", blob, sizeof blob, false);
    al_nvs_erase_all(nvs, ns, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct al_flash flash = {.size = sizeof flash_bytes,
                             .read = fuzz_read,
                             .program = fuzz_program,
                             .erase = fuzz_erase};
    struct al_window part = al_window_all(&flash);
    struct al_nvs_page pages[PAGES];
    struct al_nvs nvs;

    if (size < 1) return 0;
    part.readonly = data[0] == 1;
    memset(flash_bytes, 0xff, sizeof flash_bytes);
    memcpy(flash_bytes, data, size < sizeof flash_bytes ? size : sizeof flash_bytes);
    if (size % 2) put_crcs_right();
    if (al_nvs_init(&nvs, &part, pages, PAGES)) return 0;
    read_everything(&nvs);
    if (part.readonly) return 0;
    write_some(&nvs);
    int err = al_nvs_init(&nvs, &part, pages, PAGES);
    if (err && err != AL_ERR_NVS_NO_FREE_PAGES) abort();
    return 0;
}
