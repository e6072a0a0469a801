#include "core/tone_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/err.h"
#include "host/file.h"
#include "host/tone_image.h"

#define ENTRY(n) (AL_TONE_HEADER_LEN + AL_TONE_DESC_LEN + (n)*AL_TONE_ENTRY_LEN)

struct image {
    uint8_t *data;
    struct tone_bytes bytes;
    struct al_tone_source source;
    struct al_tone tone;
    struct al_tone_fault fault;
};

static void load(struct image *i, const char *name)
{
    char path[100];
    snprintf(path, sizeof path, "tests/vectors/at-adf/%s", name);
    assert_int_equal(file_read(path, 1 << 20, &i->data, &i->bytes.len), 0);
    i->bytes.data = i->data;
    i->source = tone_image_source(&i->bytes);
}

static int verify(struct image *i, uint32_t *len)
{
    int err = al_tone_open(&i->tone, &i->source, &i->fault);
    return err ? err : al_tone_verify(&i->tone, len, &i->fault);
}

static int setup(void **state)
{
    struct image *i = calloc(1, sizeof *i);
    load(i, "tone_f1_v1.0.0.bin");
    *state = i;
    return 0;
}

static int teardown(void **state)
{
    struct image *i = *state;
    free(i->data);
    free(i);
    return 0;
}

static void format_1_reads_as_the_vendors_tool_wrote_it(void **state)
{
    static const uint32_t address[] = {456, 464, 472}, length[] = {5, 8, 11};
    struct image *i = *state;
    struct al_tone_desc desc;
    struct al_tone_file file;
    uint32_t len;
    assert_int_equal(verify(i, &len), 0);
    assert_int_equal(len, i->bytes.len);
    assert_int_equal(i->tone.format, 1);
    assert_int_equal(i->tone.count, 3);
    assert_int_equal(al_tone_read_desc(&i->tone, &desc, &i->fault), 0);
    assert_string_equal(desc.version, "v1.0.0");
    assert_string_equal(desc.project, "ESP_TONE_BIN");
    assert_string_equal(desc.time, "07:43:44");
    assert_string_equal(desc.date, "2026-11-20");
    for (uint32_t n = 0; n < 3; n++) {
        assert_int_equal(al_tone_read_file(&i->tone, n, &file, &i->fault), 0);
        assert_int_equal(file.index, n);
        assert_int_equal(file.type, AL_TONE_MP3);
        assert_int_equal(file.address, address[n]);
        assert_int_equal(file.length, length[n]);
    }
}

static void format_0_has_the_first_words_of_the_seed(void **state)
{
    struct image i = {0};
    struct al_tone_desc desc;
    uint32_t len;
    load(&i, "tone_f0_21files.bin");
    assert_int_equal(verify(&i, &len), 0);
    assert_int_equal(i.tone.count, 21);
    assert_int_equal(len, i.bytes.len);
    assert_int_equal(al_get_le32(i.data), 1384531);
    assert_int_equal(al_get_le32(i.data + 4), 0);
    assert_int_equal(al_tone_read_desc(&i.tone, &desc, &i.fault), AL_ERR_IMAGE_INVALID);
    assert_int_equal(i.fault.check, AL_TONE_BAD_FORMAT);
    free(i.data);
}

static void what_lies_behind_an_image_in_its_partition_does_not_count(void **state)
{
    struct image *i = *state;
    uint32_t len = 0, whole = (uint32_t)i->bytes.len;
    uint8_t *partition = malloc(0x1000);
    memset(partition, 0xff, 0x1000);
    memcpy(partition, i->data, whole);
    i->bytes = (struct tone_bytes){partition, 0x1000};
    i->source = tone_image_source(&i->bytes);
    assert_int_equal(verify(i, &len), 0);
    assert_int_equal(len, whole);
    free(partition);
}

static void each_damage_has_its_name_and_place(void **state)
{
    static const struct {
        uint32_t at;
        uint8_t value[4];
        uint8_t len;
        enum al_tone_check check;
        uint32_t offset;
    } cases[] = {
        {0, {0x54}, 1, AL_TONE_BAD_TAG, 0},
        {4, {2}, 1, AL_TONE_BAD_FORMAT, 4},
        {2, {0, 0}, 2, AL_TONE_BAD_COUNT, 2},
        {2, {1, 1}, 2, AL_TONE_BAD_COUNT, 2},
        {2, {200}, 1, AL_TONE_SHORT, 264},
        {8, {0x32, 0x54, 0xcd, 0xab}, 4, AL_TONE_BAD_MAGIC, 8},
        {56, {'X'}, 1, AL_TONE_BAD_PROJECT, 56},
        {56, {0}, 1, AL_TONE_BAD_PROJECT, 56},
        {ENTRY(1), {0x29}, 1, AL_TONE_BAD_ENTRY_TAG, ENTRY(1)},
        {ENTRY(1) + 1, {2}, 1, AL_TONE_BAD_INDEX, ENTRY(1) + 1},
        {ENTRY(0) + 4, {0x00, 0x01}, 2, AL_TONE_BAD_ADDRESS, ENTRY(0) + 4},
        {ENTRY(1) + 4, {0xcc, 0x01}, 2, AL_TONE_BAD_ADDRESS, ENTRY(1) + 4},
        {ENTRY(2) + 4, {0xff, 0xff, 0xff, 0xff}, 4, AL_TONE_BAD_LENGTH, ENTRY(2) + 8},
        {ENTRY(0) + 8, {0xff, 0xff, 0xff, 0xff}, 4, AL_TONE_BAD_LENGTH, ENTRY(0) + 8},
        {ENTRY(2) + 8, {18}, 1, AL_TONE_SHORT, 490},
        {488, {0xff, 0xff}, 2, AL_TONE_BAD_TAIL, 488},
        {470, {0}, 1, AL_TONE_BAD_CRC, 484},
        {484, {0}, 1, AL_TONE_BAD_CRC, 484},
    };
    struct image *i = *state;
    uint8_t *right = malloc(i->bytes.len);
    memcpy(right, i->data, i->bytes.len);
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        uint32_t len;
        memcpy(i->data, right, i->bytes.len);
        memcpy(i->data + cases[n].at, cases[n].value, cases[n].len);
        assert_int_equal(verify(i, &len), AL_ERR_IMAGE_INVALID);
        if (i->fault.check != cases[n].check || i->fault.offset != cases[n].offset)
            fail_msg("case %zu: %s at %u", n, al_tone_check_name(i->fault.check), i->fault.offset);
    }
    free(right);
}

static void an_image_cut_anywhere_is_refused(void **state)
{
    struct image *i = *state;
    uint32_t len;
    for (size_t cut = 0; cut + 1 < i->bytes.len; cut++) {
        struct tone_bytes part = {i->data, cut};
        i->source = tone_image_source(&part);
        assert_int_equal(verify(i, &len), AL_ERR_IMAGE_INVALID);
    }
}

/* What tone_partition_init looks at. */
static void the_end_is_found_without_the_crc(void **state)
{
    struct image *i = *state;
    uint32_t len;
    i->data[484] ^= 1;
    assert_int_equal(al_tone_open(&i->tone, &i->source, &i->fault), 0);
    assert_int_equal(al_tone_find_end(&i->tone, &len, &i->fault), 0);
    assert_int_equal(len, 490);
    assert_int_equal(al_tone_check_crc(&i->tone, len, &i->fault), AL_ERR_IMAGE_INVALID);
    i->data[489] ^= 1;
    assert_int_equal(al_tone_find_end(&i->tone, &len, &i->fault), AL_ERR_IMAGE_INVALID);
    assert_int_equal(i->fault.check, AL_TONE_BAD_TAIL);
}

static int broken_read(void *ctx, uint32_t offset, void *dst, uint32_t len)
{
    return AL_ERR_FLASH_OP_FAIL;
}

static void an_error_of_the_flash_comes_back(void **state)
{
    struct image *i = *state;
    i->source.read = broken_read;
    assert_int_equal(al_tone_open(&i->tone, &i->source, &i->fault), AL_ERR_FLASH_OP_FAIL);
    assert_int_equal(i->fault.check, AL_TONE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(format_1_reads_as_the_vendors_tool_wrote_it, setup,
                                        teardown),
        cmocka_unit_test(format_0_has_the_first_words_of_the_seed),
        cmocka_unit_test_setup_teardown(what_lies_behind_an_image_in_its_partition_does_not_count,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(each_damage_has_its_name_and_place, setup, teardown),
        cmocka_unit_test_setup_teardown(an_image_cut_anywhere_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_is_found_without_the_crc, setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_of_the_flash_comes_back, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
