#include "core/slot_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "device/nor_flash.h"

#define FLASH 0x10000u
#define SLOT  0x4000u /* offset and length of the slot under test */

static uint8_t image[SLOT + 1];

static int open_flash(void **state)
{
    static struct nor_flash nor;
    if (nor_flash_memory(&nor, FLASH)) return -1;
    memset(nor.bytes, 0x5a, FLASH); /* remains of something else */
    image[0] = 0xe9;
    for (uint32_t i = 1; i < sizeof image; i++) image[i] = (uint8_t)(i * 31 + i / 256);
    *state = &nor;
    return 0;
}

static int close_flash(void **state)
{
    nor_flash_close(*state);
    return 0;
}

static struct al_slot_config config(struct nor_flash *nor, enum al_slot_erase erase)
{
    struct al_slot_config cfg = {.erase = erase};
    struct al_window all = al_window_all(&nor->flash);
    assert_int_equal(al_window_sub(&all, SLOT, SLOT, &cfg.slot), 0);
    return cfg;
}

static void assert_outside_untouched(const struct nor_flash *nor)
{
    for (uint32_t i = 0; i < FLASH; i++)
        if (i < SLOT || i >= 2 * SLOT) assert_int_equal(nor->bytes[i], 0x5a);
}

static void any_chunk_size_gives_the_same_image(void **state)
{
    static const uint32_t chunks[] = {1, 3, 16, 255, 256, 257, 4095, 4096, 4097, 9000, SLOT};
    struct nor_flash *nor = *state;
    for (int block16 = 0; block16 < 2; block16++) {
        for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++) {
            struct al_slot_writer w;
            struct al_slot_config cfg = config(nor, AL_SLOT_ERASE_ON_DEMAND);
            cfg.block16 = block16;
            memset(nor->bytes + SLOT, 0x5a, SLOT);
            assert_int_equal(al_slot_begin(&w, &cfg), 0);
            for (uint32_t at = 0, n; at < 10001; at += n) {
                n = 10001 - at < chunks[c] ? 10001 - at : chunks[c];
                assert_int_equal(al_slot_write(&w, image + at, n), 0);
                assert_int_equal(w.written, at + n);
            }
            assert_int_equal(al_slot_flush(&w), 0);
            assert_memory_equal(nor->bytes + SLOT, image, 10001);
            assert_int_equal(nor->bytes[SLOT + 10001], 0xff);
            assert_int_equal(nor->bytes[SLOT + 0x3000], 0x5a); /* not entered: not erased */
        }
    }
    assert_outside_untouched(nor);
}

static void sectors_are_erased_when_they_are_entered_and_once(void **state)
{
    struct nor_flash *nor = *state;
    struct al_slot_writer w;
    struct al_slot_config cfg = config(nor, AL_SLOT_ERASE_ON_DEMAND);
    assert_int_equal(al_slot_begin(&w, &cfg), 0);
    assert_int_equal(nor->power->sectors_erased, 0);
    static const struct {
        uint32_t len, erased;
    } steps[] = {{1, 1}, {4095, 1}, {1, 2}, {8191, 3}, {0, 3}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        assert_int_equal(al_slot_write(&w, image + w.written, steps[i].len), 0);
        assert_int_equal(nor->power->sectors_erased, steps[i].erased);
    }
}

static void erase_ahead_erases_what_was_asked_rounded_up(void **state)
{
    static const struct {
        uint32_t len, sectors;
        int err;
    } rows[] = {
        {1, 1, 0},
        {0x1000, 1, 0},
        {0x1001, 2, 0},
        {0, 4, 0},
        {SLOT, 4, 0},
        {SLOT + 1, 0, AL_ERR_INVALID_SIZE},
        {0xfffffff0u, 0, AL_ERR_INVALID_SIZE},
    };
    struct nor_flash *nor = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct al_slot_writer w;
        struct al_slot_config cfg = config(nor, AL_SLOT_ERASE_AHEAD);
        cfg.erase_len = rows[i].len;
        nor->power->sectors_erased = 0;
        assert_int_equal(al_slot_begin(&w, &cfg), rows[i].err);
        assert_int_equal(nor->power->sectors_erased, rows[i].sectors);
    }
    assert_outside_untouched(nor);
}

static void the_first_bytes_must_fit_the_content(void **state)
{
    static const struct {
        enum al_slot_content content;
        uint8_t bytes[2];
        uint32_t len;
        int err;
        uint32_t seen;
    } rows[] = {
        {AL_SLOT_IMAGE, {0xe9, 0}, 2, 0, 0xe9},
        {AL_SLOT_IMAGE, {0x50, 0xe9}, 2, AL_ERR_OTA_VALIDATE_FAILED, 0x50},
        {AL_SLOT_PART_TABLE, {0xaa, 0x50}, 2, 0, 0x50aa},
        {AL_SLOT_PART_TABLE, {0x50, 0xaa}, 2, AL_ERR_OTA_VALIDATE_FAILED, 0xaa50},
        {AL_SLOT_PART_TABLE, {0x00}, 1, 0, 0},
        {AL_SLOT_DATA, {0x00, 0x00}, 2, 0, 0},
    };
    struct nor_flash *nor = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct al_slot_writer w;
        struct al_slot_config cfg = config(nor, AL_SLOT_ERASE_ON_DEMAND);
        cfg.content = rows[i].content;
        assert_int_equal(al_slot_begin(&w, &cfg), 0);
        assert_int_equal(al_slot_write(&w, rows[i].bytes, rows[i].len), rows[i].err);
        assert_int_equal(w.magic_seen, rows[i].seen);
        assert_int_equal(w.written, rows[i].err ? 0 : rows[i].len);
        assert_int_equal(nor->bytes[SLOT + 4095], 0xff); /* erased before the check */
    }
}

static void what_does_not_fit_changes_nothing(void **state)
{
    struct nor_flash *nor = *state;
    struct al_slot_writer w;
    struct al_slot_config cfg = config(nor, AL_SLOT_ERASE_ON_DEMAND);
    assert_int_equal(al_slot_begin(&w, &cfg), 0);
    assert_int_equal(al_slot_write(&w, image, SLOT + 1), AL_ERR_INVALID_SIZE);
    assert_int_equal(nor->bytes[SLOT], 0x5a);
    assert_int_equal(al_slot_write(&w, image, SLOT), 0);
    assert_int_equal(al_slot_write(&w, image, 1), AL_ERR_INVALID_SIZE);
    cfg.offset = SLOT + 1;
    assert_int_equal(al_slot_begin(&w, &cfg), AL_ERR_INVALID_ARG);
    cfg.offset = 8;
    cfg.block16 = true;
    assert_int_equal(al_slot_begin(&w, &cfg), AL_ERR_INVALID_ARG);
    assert_outside_untouched(nor);
}

static void bytes_at_an_offset_need_an_erased_slot(void **state)
{
    struct nor_flash *nor = *state;
    struct al_slot_writer w;
    struct al_slot_config cfg = config(nor, AL_SLOT_ERASE_ON_DEMAND);
    assert_int_equal(al_slot_begin(&w, &cfg), 0);
    assert_int_equal(al_slot_write_at(&w, 0, image, 16), AL_ERR_INVALID_STATE);
    cfg.erase = AL_SLOT_ERASE_AHEAD;
    assert_int_equal(al_slot_begin(&w, &cfg), 0);
    assert_int_equal(al_slot_write_at(&w, 5000, image + 5000, 5000), 0);
    assert_int_equal(al_slot_write_at(&w, 0, image, 5000), 0);
    assert_int_equal(w.written, 10000);
    assert_memory_equal(nor->bytes + SLOT, image, 10000);
    assert_int_equal(al_slot_write_at(&w, SLOT - 1, image, 2), AL_ERR_INVALID_SIZE);
    w.cfg.block16 = true;
    assert_int_equal(al_slot_write_at(&w, 0, image, 15), AL_ERR_INVALID_ARG);
}

static void whole_blocks_only_are_programmed_for_encrypted_flash(void **state)
{
    struct nor_flash *nor = *state;
    struct al_slot_writer w;
    struct al_slot_config cfg = config(nor, AL_SLOT_ERASE_ON_DEMAND);
    cfg.block16 = true;
    assert_int_equal(al_slot_begin(&w, &cfg), 0);
    assert_int_equal(al_slot_write(&w, image, 21), 0);
    assert_int_equal(w.held_len, 5);
    assert_memory_equal(nor->bytes + SLOT, image, 16);
    assert_int_equal(nor->bytes[SLOT + 16], 0xff);
    assert_int_equal(al_slot_flush(&w), 0);
    assert_memory_equal(nor->bytes + SLOT, image, 21);
    assert_int_equal(al_slot_flush(&w), 0); /* nothing is left */
}

static void resume_goes_on_without_erasing_what_is_there(void **state)
{
    struct nor_flash *nor = *state;
    struct al_slot_writer w;
    struct al_slot_config cfg = config(nor, AL_SLOT_ERASE_ON_DEMAND);
    assert_int_equal(al_slot_begin(&w, &cfg), 0);
    assert_int_equal(al_slot_write(&w, image, 6000), 0);
    cfg.offset = 6000;
    assert_int_equal(al_slot_begin(&w, &cfg), 0);
    assert_int_equal(al_slot_write(&w, image + 6000, 4000), 0);
    assert_memory_equal(nor->bytes + SLOT, image, 10000);

    /* Progress that was saved late: the same bytes are programmed again. */
    cfg.erase = AL_SLOT_ERASE_NONE;
    cfg.offset = 5000;
    assert_int_equal(al_slot_begin(&w, &cfg), 0);
    assert_int_equal(al_slot_write(&w, image + 5000, 5000), 0);
    assert_memory_equal(nor->bytes + SLOT, image, 10000);
}

static void resume_over_other_data_is_refused_before_anything_is_written(void **state)
{
    struct nor_flash *nor = *state;
    struct al_slot_writer w;
    struct al_slot_config cfg = config(nor, AL_SLOT_ERASE_NONE);
    cfg.offset = 5000;
    for (int erase = 0; erase < 2; erase++) {
        cfg.erase = erase ? AL_SLOT_ERASE_ON_DEMAND : AL_SLOT_ERASE_NONE;
        assert_int_equal(al_slot_begin(&w, &cfg), 0);
        assert_int_equal(al_slot_write(&w, image + 5000, 5000), AL_ERR_NOT_NOR);
        assert_int_equal(w.written, 5000);
        assert_int_equal(nor->bytes[SLOT + 5000], 0x5a);
        assert_int_equal(nor->bytes[SLOT + 0x2000], 0x5a);
    }
}

static void resume_offset_steps_back_only_where_it_must(void **state)
{
    struct nor_flash *nor = *state;
    struct al_slot_config cfg = config(nor, AL_SLOT_ERASE_ON_DEMAND);
    uint8_t *slot = nor->bytes + SLOT;
    memset(slot, 0xff, SLOT);
    assert_int_equal(al_slot_resume_offset(&cfg.slot, 5000, false), 5000);
    assert_int_equal(al_slot_resume_offset(&cfg.slot, 5000, true), 4992);
    assert_int_equal(al_slot_resume_offset(&cfg.slot, 0, false), 0);
    slot[0x1fff] = 0xfe; /* remains at the end of the sector */
    assert_int_equal(al_slot_resume_offset(&cfg.slot, 5000, false), 0x1000);
    assert_int_equal(al_slot_resume_offset(&cfg.slot, 0x1fff, false), 0x1000);
    assert_int_equal(al_slot_resume_offset(&cfg.slot, 0x1000, false), 0x1000);
    assert_int_equal(al_slot_resume_offset(&cfg.slot, 0x2000, false), 0x2000);
    slot[0x2000] = 0; /* another sector: will be erased */
    assert_int_equal(al_slot_resume_offset(&cfg.slot, 100, false), 100);
    assert_int_equal(al_slot_resume_offset(&cfg.slot, SLOT, false), SLOT);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, open_flash, close_flash)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(any_chunk_size_gives_the_same_image),
        TEST(sectors_are_erased_when_they_are_entered_and_once),
        TEST(erase_ahead_erases_what_was_asked_rounded_up),
        TEST(the_first_bytes_must_fit_the_content),
        TEST(what_does_not_fit_changes_nothing),
        TEST(bytes_at_an_offset_need_an_erased_slot),
        TEST(whole_blocks_only_are_programmed_for_encrypted_flash),
        TEST(resume_goes_on_without_erasing_what_is_there),
        TEST(resume_over_other_data_is_refused_before_anything_is_written),
        TEST(resume_offset_steps_back_only_where_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
