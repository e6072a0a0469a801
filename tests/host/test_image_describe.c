#include "host/image_describe.h"

#include "core/err.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct image_description d;
static char why[256];

static int describe(const char *file, size_t keep)
{
    size_t len;
    uint8_t *img = vector_file(&len, "esp-flash/%s", file);
    int err = image_describe(img, len < keep ? len : keep, &d, why, sizeof why);
    free(img);
    return err;
}

static void a_whole_image_is_described(void **state)
{
    assert_int_equal(describe("image/app_c3_v1.bin", SIZE_MAX), 0);
    assert_int_equal(d.image_len, 65616);
    assert_int_equal(d.segment_count, 5);
    assert_true(d.has_app_desc);
    assert_false(d.has_boot_desc);
    assert_string_equal(d.app_desc.version, "1.0.0");
    assert_int_equal(d.checksum, d.checksum_calculated);
    assert_memory_equal(d.hash, d.hash_calculated, 32);
    assert_int_equal(d.signature_count, 0);

    assert_int_equal(describe("image/boot_c3.bin", SIZE_MAX), 0);
    assert_true(d.has_boot_desc);
    assert_false(d.has_app_desc);
}

static void damage_is_shown_not_hidden(void **state)
{
    assert_int_equal(describe("image/checksum_byte.bin", SIZE_MAX), 0);
    assert_int_equal(d.checksum, 0x9f);
    assert_int_equal(d.checksum_calculated, 0x60);
    assert_int_equal(describe("image/digest_changed.bin", SIZE_MAX), 0);
    assert_memory_not_equal(d.hash, d.hash_calculated, 32);
}

static void a_cut_image_is_described_as_far_as_it_goes(void **state)
{
    static const struct {
        size_t keep;
        uint32_t segments;
        const char *word;
    } known[] = {
        {30, 0, "segment 0"},  {340, 1, "segment 1"}, {8230, 4, "segment 4"},
        {8238, 5, "checksum"}, {8241, 5, "SHA-256"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(describe("image/app_c6_8k.bin", known[i].keep), AL_ERR_SHORT);
        assert_int_equal(d.segment_count, known[i].segments);
        assert_int_equal(d.image_len, 0);
        assert_non_null(strstr(why, known[i].word));
    }
    for (size_t keep = 0; keep < 24; keep++)
        assert_int_equal(describe("image/app_c6_8k.bin", keep), AL_ERR_IMAGE_INVALID);
}

static void no_image_is_said_to_be_none(void **state)
{
    assert_int_equal(describe("image/erased.bin", SIZE_MAX), AL_ERR_IMAGE_INVALID);
    assert_non_null(strstr(why, "0xff"));
    assert_int_equal(describe("image/segments_17.bin", SIZE_MAX), AL_ERR_SHORT);
}

static void signature_blocks_are_found_behind_the_image(void **state)
{
    assert_int_equal(describe("signed/rsa_three_keys.bin", SIZE_MAX), 0);
    assert_int_equal(d.signature_count, 3);
    assert_int_equal(d.signature[2].block, 2);
    assert_int_equal(d.signature[2].offset, 16384 + 2 * 1216);
    assert_int_equal(describe("signed/bad_block_crc.bin", SIZE_MAX), 0);
    assert_int_equal(d.signature_count, 1);
    assert_false(d.signature[0].b.crc_ok);
    assert_int_equal(describe("signed/unsigned.bin", SIZE_MAX), 0);
    assert_int_equal(d.signature_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_image_is_described),
        cmocka_unit_test(damage_is_shown_not_hidden),
        cmocka_unit_test(a_cut_image_is_described_as_far_as_it_goes),
        cmocka_unit_test(no_image_is_said_to_be_none),
        cmocka_unit_test(signature_blocks_are_found_behind_the_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
