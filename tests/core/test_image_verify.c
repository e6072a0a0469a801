#include "core/image_verify.h"

#include "core/err.h"
#include "host/crypto_openssl.h"
#include "host/vendor_log.h"
#include "tests/support/mem_flash.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIR     "esp-flash/image/"
#define FOUR_MB 0x400000u

static struct al_image image;
static struct al_image_fault fault;

/* A slot of a 4 MB flash with a vector's file in it. */
struct bench {
    struct mem_flash m;
    struct al_window slot;
    struct al_image_rules rules;
    size_t len;
};

static void bench_open(struct bench *b, const char *file, uint16_t chip, bool mapped)
{
    uint8_t *data = vector_file(&b->len, DIR "%s", file);
    mem_flash_init(&b->m, FOUR_MB, mapped);
    mem_flash_put(&b->m, 0x10000, data, b->len);
    free(data);
    b->slot = (struct al_window){.flash = &b->m.flash, .offset = 0x10000, .size = 0x100000};
    b->rules = (struct al_image_rules){.crypto = &crypto_openssl};
    b->rules.device.chip = al_chip_by_id(chip);
    b->rules.device.revision = 99;
}

static int verify(struct bench *b)
{
    return al_image_verify(&b->slot, &b->rules, &image, &fault);
}

static void check_segments(const cJSON *decoded)
{
    const cJSON *s;
    uint32_t i = 0;
    assert_int_equal(image.segment_count, vector_number(decoded, "segment_count"));
    cJSON_ArrayForEach(s, vector_get(decoded, "segments"))
    {
        assert_int_equal(image.segment[i].load_addr, vector_number(s, "load_addr"));
        assert_int_equal(image.segment[i].len, vector_number(s, "data_len"));
        assert_int_equal(image.segment[i].offset, vector_number(s, "data_offset"));
        i++;
    }
}

static void check_decoded(const cJSON *decoded)
{
    const struct al_image_header *h = &image.header;
    assert_int_equal(h->spi_mode, vector_number(decoded, "spi_mode"));
    assert_int_equal(h->spi_speed, vector_number(decoded, "spi_speed"));
    assert_int_equal(h->spi_size, vector_number(decoded, "spi_size"));
    assert_int_equal(h->entry_addr, vector_number(decoded, "entry_addr"));
    assert_int_equal(h->wp_pin, vector_number(decoded, "wp_pin"));
    assert_int_equal(h->chip_id, vector_number(decoded, "chip_id"));
    assert_int_equal(h->min_chip_rev, vector_number(decoded, "min_chip_rev"));
    assert_int_equal(h->min_chip_rev_full, vector_number(decoded, "min_chip_rev_full"));
    assert_int_equal(h->max_chip_rev_full, vector_number(decoded, "max_chip_rev_full"));
    assert_int_equal(h->hash_appended, vector_number(decoded, "hash_appended"));
    assert_int_equal(image.checksum_offset, vector_number(decoded, "checksum_offset"));
    assert_int_equal(image.checksum, vector_number(decoded, "checksum"));
    check_segments(decoded);
    uint8_t hash[32] = {0};
    if (h->hash_appended) vector_hex(decoded, "sha256", hash, sizeof hash);
    bool boot_loader = cJSON_HasObjectItem(decoded, "bootloader_desc");
    if (!boot_loader) assert_memory_equal(image.hash, hash, sizeof hash);
    assert_int_equal(image.has_desc, !boot_loader);
}

static void check_log(const cJSON *log)
{
    struct vendor_line line;
    char text[256] = "";
    vendor_line_image(&fault, &line);
    if (line.level) vendor_line_print(&line, 0, false, text, sizeof text);
    assert_string_equal(text,
                        cJSON_GetArraySize(log) ? cJSON_GetArrayItem(log, 0)->valuestring : "");
}

static void check_vector(const cJSON *v, bool mapped)
{
    const cJSON *device = vector_get(v, "device_verify");
    const cJSON *decoded = cJSON_GetObjectItem(v, "decoded");
    struct bench b;
    bench_open(&b, vector_string(v, "file"), (uint16_t)vector_number(device, "device_chip_id"),
               mapped);
    uint32_t offset = (uint32_t)vector_number(device, "partition_offset");
    memmove(b.m.bytes + offset, b.m.bytes + 0x10000, 0x20000);
    b.slot.offset = offset;
    b.slot.size = (uint32_t)vector_number(device, "partition_size");
    b.rules.device.revision = (uint16_t)vector_number(device, "device_chip_rev");
    b.rules.device.efuse_block_rev = (uint16_t)vector_number(device, "device_efuse_blk_rev");
    b.rules.kind = offset == 0 ? AL_IMAGE_BOOTLOADER : AL_IMAGE_APP;
    b.rules.skip_hash = offset == 0;

    int err = verify(&b), want = (int)vector_number(device, "result");
    if (al_err_vendor(err) != want)
        fail_msg("%s: %d, expected %d", vector_string(v, "file"), al_err_vendor(err), want);
    assert_int_equal(err, fault.err);
    assert_int_equal(image.image_len, vector_number(device, "image_len"));
    check_log(vector_get(device, "log"));
    if (!err && decoded) check_decoded(decoded);
    mem_flash_free(&b.m);
}

static void every_vector_has_the_vendors_verdict(void **state)
{
    cJSON *json = vector_json(DIR "expected.json");
    const cJSON *v;
    int seen = 0;
    cJSON_ArrayForEach(v, json)
    {
        check_vector(v, true);
        check_vector(v, false);
        seen++;
    }
    assert_true(seen >= 33);
    cJSON_Delete(json);
}

static void a_fault_says_where_what_was_expected_and_found(void **state)
{
    static const struct {
        const char *file;
        enum al_image_check check;
        uint32_t offset, expected, found;
    } known[] = {
        {"bad_magic.bin", AL_IMAGE_CHECK_MAGIC, 0, 0xe9, 0xea},
        {"wrong_chip.bin", AL_IMAGE_CHECK_CHIP_ID, 12, 13, 16},
        {"segments_17.bin", AL_IMAGE_CHECK_SEGMENT_COUNT, 1, 16, 17},
        {"segment_len_unaligned.bin", AL_IMAGE_CHECK_SEGMENT_LENGTH, 340, 0x1000000, 0x35},
        {"segment0_short.bin", AL_IMAGE_CHECK_SEGMENT0_SHORT, 28, 256, 240},
        {"map_misaligned.bin", AL_IMAGE_CHECK_SEGMENT_ADDRESS, 0x2018, 0x42000120, 0x12020},
        {"checksum_byte.bin", AL_IMAGE_CHECK_CHECKSUM, 8239, 0x60, 0x9f},
        {"digest_changed.bin", AL_IMAGE_CHECK_HASH, 8240, 0, 0},
        {"efuse_block_rev.bin", AL_IMAGE_CHECK_MIN_EFUSE_REV, 208, 5, 0},
        {"app_desc_magic.bin", AL_IMAGE_CHECK_APP_DESC_MAGIC, 32, 0xabcd5432, 0},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct bench b;
        bench_open(&b, known[i].file, 13, true);
        assert_int_not_equal(verify(&b), 0);
        assert_int_equal(fault.check, known[i].check);
        assert_int_equal(fault.offset, known[i].offset);
        assert_int_equal(fault.expected, known[i].expected);
        assert_int_equal(fault.found, known[i].found);
        assert_int_equal(fault.address, 0x10000);
        assert_int_equal(image.image_len, 0);
        mem_flash_free(&b.m);
    }
}

static void any_changed_byte_of_a_hashed_image_is_noticed(void **state)
{
    struct bench b;
    bench_open(&b, "app_c6_8k.bin", 13, true);
    assert_int_equal(verify(&b), 0);
    assert_int_equal(image.image_len, b.len);
    for (size_t i = 0; i < b.len; i += i < 1200 || i > 8100 ? 1 : 31) {
        b.m.bytes[0x10000 + i] ^= 0x40;
        if (verify(&b) == 0) fail_msg("byte %zu changed, and nobody noticed", i);
        b.m.bytes[0x10000 + i] ^= 0x40;
    }
    mem_flash_free(&b.m);
}

static void an_image_cut_at_any_place_is_refused(void **state)
{
    struct bench b;
    bench_open(&b, "app_c6_8k.bin", 13, true);
    for (size_t keep = b.len - 1; keep > 0; keep -= keep > 8200 || keep < 400 ? 1 : 13) {
        memset(b.m.bytes + 0x10000 + keep, 0xff, b.len - keep);
        assert_int_not_equal(verify(&b), 0);
        if (keep <= 13) break;
    }
    mem_flash_free(&b.m);
}

/* A bad chip and too many segments: the chip comes first, and so on. */
static void the_first_of_two_faults_in_the_originals_order_is_reported(void **state)
{
    struct bench b;
    bench_open(&b, "app_c6_8k.bin", 13, true);
    uint8_t *img = b.m.bytes + 0x10000;
    b.slot.size = 0x2000; /* too small */
    img[b.len - 1] ^= 1;  /* digest */
    assert_int_not_equal(verify(&b), 0);
    assert_int_equal(fault.check, AL_IMAGE_CHECK_LENGTH);
    img[8239] ^= 1; /* checksum */
    assert_int_not_equal(verify(&b), 0);
    assert_int_equal(fault.check, AL_IMAGE_CHECK_CHECKSUM);
    img[208] = 9; /* eFuse block revision, read with segment 0 */
    assert_int_not_equal(verify(&b), 0);
    assert_int_equal(fault.check, AL_IMAGE_CHECK_MIN_EFUSE_REV);
    img[32] ^= 1;
    assert_int_not_equal(verify(&b), 0);
    assert_int_equal(fault.check, AL_IMAGE_CHECK_APP_DESC_MAGIC);
    img[1] = 17;
    assert_int_not_equal(verify(&b), 0);
    assert_int_equal(fault.check, AL_IMAGE_CHECK_SEGMENT_COUNT);
    img[15] = 200;
    assert_int_not_equal(verify(&b), 0);
    assert_int_equal(fault.check, AL_IMAGE_CHECK_MIN_CHIP_REV);
    img[12] = 5;
    assert_int_not_equal(verify(&b), 0);
    assert_int_equal(fault.check, AL_IMAGE_CHECK_CHIP_ID);
    img[0] = 0;
    assert_int_not_equal(verify(&b), 0);
    assert_int_equal(fault.check, AL_IMAGE_CHECK_MAGIC);
    b.slot.size = 0x1000001;
    assert_int_equal(verify(&b), AL_ERR_INVALID_ARG);
    assert_int_equal(fault.check, AL_IMAGE_CHECK_SLOT_SIZE);
    mem_flash_free(&b.m);
}

static void revision_limits_of_0_and_65535_are_none(void **state)
{
    struct al_image_header h = {.chip_id = 13};
    struct al_device_ids dev = {.chip = al_chip_by_id(13), .revision = 150};
    static const struct {
        uint16_t min, max;
        bool fits;
    } known[] = {{0, 0, true},    {0, 65535, true}, {150, 150, true},
                 {151, 0, false}, {0, 149, false},  {65535, 0, false}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        h.min_chip_rev_full = known[i].min;
        h.max_chip_rev_full = known[i].max;
        int err = al_image_check_chip(&h, &dev, AL_IMAGE_APP, &fault);
        assert_int_equal(err, known[i].fits ? 0 : AL_FAIL);
    }
    h.min_chip_rev_full = 0;
    h.max_chip_rev_full = 149;
    assert_int_equal(al_image_check_chip(&h, &dev, AL_IMAGE_BOOTLOADER, &fault), 0);
    dev.ignore_max_revision = true;
    assert_int_equal(al_image_check_chip(&h, &dev, AL_IMAGE_APP, NULL), 0);
}

static void efuse_block_limits_of_0_and_65535_are_none(void **state)
{
    static const struct {
        uint8_t min, max;
        enum al_image_check check;
    } known[] = {{0xff, 0xff, AL_IMAGE_CHECK_CHECKSUM}, /* passed: the bytes were changed */
                 {0x00, 0x00, AL_IMAGE_CHECK_CHECKSUM},
                 {0xfe, 0xff, AL_IMAGE_CHECK_MIN_EFUSE_REV},
                 {0x00, 0x01, AL_IMAGE_CHECK_MAX_EFUSE_REV}};
    struct bench b;
    bench_open(&b, "app_c6_8k.bin", 13, true);
    b.rules.device.efuse_block_rev = 0x0102;
    b.m.bytes[0x10000 + 8239] ^= 1; /* the checksum is wrong in any case */
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        memset(b.m.bytes + 0x10000 + 208, known[i].min, 2);
        memset(b.m.bytes + 0x10000 + 210, known[i].max, 2);
        assert_int_not_equal(verify(&b), 0);
        assert_int_equal(fault.check, known[i].check);
    }
    b.rules.device.chip = al_chip_by_id(0); /* no such eFuse on ESP32 */
    b.m.bytes[0x10000 + 12] = 0;
    memset(b.m.bytes + 0x10000 + 208, 0xfe, 2);
    assert_int_not_equal(verify(&b), 0);
    assert_int_not_equal(fault.check, AL_IMAGE_CHECK_MIN_EFUSE_REV);
    mem_flash_free(&b.m);
}

static void a_boot_loaders_damaged_digest_passes_unless_hashing_is_asked_for(void **state)
{
    struct bench b;
    bench_open(&b, "boot_c3.bin", 5, true);
    b.rules.kind = AL_IMAGE_BOOTLOADER;
    b.m.bytes[0x10000 + b.len - 1] ^= 1;
    b.rules.skip_hash = true;
    assert_int_equal(verify(&b), 0);
    assert_false(image.has_desc);
    b.rules.skip_hash = false;
    assert_int_equal(verify(&b), AL_ERR_IMAGE_INVALID);
    assert_int_equal(fault.check, AL_IMAGE_CHECK_HASH);
    mem_flash_free(&b.m);
}

static void secure_version_below_the_devices_is_refused(void **state)
{
    struct bench b;
    bench_open(&b, "app_c6_8k.bin", 13, true); /* secure version 3 */
    b.rules.check_secure_version = true;
    b.rules.secure_version = 3;
    assert_int_equal(verify(&b), 0);
    b.rules.secure_version = 4;
    assert_int_equal(verify(&b), AL_FAIL);
    assert_int_equal(fault.check, AL_IMAGE_CHECK_SECURE_VERSION);
    assert_int_equal(fault.found, 3);
    mem_flash_free(&b.m);
}

static void a_flash_that_cannot_be_read_is_told_with_its_place(void **state)
{
    struct bench b;
    bench_open(&b, "app_c6_8k.bin", 13, false);
    b.m.fail_read_at = 0x10000 + 5000;
    assert_int_equal(verify(&b), AL_ERR_IMAGE_FLASH_FAIL);
    assert_int_equal(fault.check, AL_IMAGE_CHECK_READ);
    assert_in_range(fault.offset, 4700, 5000);
    b.m.fail_read_at = 0;
    b.slot.offset = FOUR_MB - 0x2000; /* image reaches behind the flash */
    memmove(b.m.bytes + b.slot.offset, b.m.bytes + 0x10000, 0x2000);
    b.slot.size = 0x2000;
    assert_int_equal(verify(&b), AL_ERR_IMAGE_FLASH_FAIL);
    mem_flash_free(&b.m);
}

struct seen {
    uint32_t segments, mapped, loaded, configured, found;
};

static void see_segment(void *ctx, uint32_t index, const struct al_image_segment *seg,
                        uint32_t address, bool mapped, bool loaded)
{
    struct seen *s = ctx;
    assert_int_equal(index, s->segments++);
    assert_int_equal(address, 0x10000 + seg->offset);
    s->mapped += mapped;
    s->loaded += loaded;
}

static void see_page_size(void *ctx, uint32_t configured, uint32_t found)
{
    struct seen *s = ctx;
    s->configured = configured;
    s->found = found;
}

static void the_trace_sees_every_segment_and_another_page_size(void **state)
{
    struct bench b;
    struct seen s = {0};
    struct al_image_trace trace = {.ctx = &s, .segment = see_segment, .page_size = see_page_size};
    bench_open(&b, "app_c6_8k.bin", 13, true);
    b.rules.trace = &trace;
    b.rules.loading = true;
    assert_int_equal(verify(&b), 0);
    assert_int_equal(s.segments, image.segment_count);
    assert_int_equal(s.mapped, 2);
    assert_true(s.loaded >= 1);
    assert_int_equal(s.configured, 0x10000);
    assert_int_equal(s.found, 0x2000);
    assert_int_equal(image.mmu_page_size, 0x2000);
    mem_flash_free(&b.m);
}

static void the_identity_of_an_image_is_its_appended_digest_or_the_hash_of_all(void **state)
{
    struct bench b;
    uint8_t digest[32], all[32];
    bench_open(&b, "app_c6_8k.bin", 13, true);
    assert_int_equal(al_image_sha256(&b.slot, &b.rules, digest), 0);
    assert_memory_equal(digest, b.m.bytes + 0x10000 + b.len - 32, 32);
    b.m.bytes[0x10000 + 12] ^= 1; /* another chip: only the hash sees it */
    assert_int_equal(al_image_sha256(&b.slot, &b.rules, digest), AL_ERR_IMAGE_INVALID);
    mem_flash_free(&b.m);

    bench_open(&b, "app_c3_nohash.bin", 5, false);
    assert_int_equal(al_image_sha256(&b.slot, &b.rules, digest), 0);
    crypto_digest(AL_SHA256, b.m.bytes + 0x10000, b.len, all);
    assert_memory_equal(digest, all, 32);
    b.slot.offset = 0x100000; /* erased */
    assert_int_equal(al_image_sha256(&b.slot, &b.rules, digest), AL_ERR_IMAGE_INVALID);
    mem_flash_free(&b.m);
}

static void a_mapped_flash_is_not_copied(void **state)
{
    struct bench b;
    bench_open(&b, "app_c3_v1.bin", 5, true);
    assert_int_equal(verify(&b), 0);
    assert_true(b.m.reads < 1024);
    mem_flash_free(&b.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_has_the_vendors_verdict),
        cmocka_unit_test(a_fault_says_where_what_was_expected_and_found),
        cmocka_unit_test(any_changed_byte_of_a_hashed_image_is_noticed),
        cmocka_unit_test(an_image_cut_at_any_place_is_refused),
        cmocka_unit_test(the_first_of_two_faults_in_the_originals_order_is_reported),
        cmocka_unit_test(revision_limits_of_0_and_65535_are_none),
        cmocka_unit_test(efuse_block_limits_of_0_and_65535_are_none),
        cmocka_unit_test(a_boot_loaders_damaged_digest_passes_unless_hashing_is_asked_for),
        cmocka_unit_test(secure_version_below_the_devices_is_refused),
        cmocka_unit_test(a_flash_that_cannot_be_read_is_told_with_its_place),
        cmocka_unit_test(the_trace_sees_every_segment_and_another_page_size),
        cmocka_unit_test(the_identity_of_an_image_is_its_appended_digest_or_the_hash_of_all),
        cmocka_unit_test(a_mapped_flash_is_not_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
