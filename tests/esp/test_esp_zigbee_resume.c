/* What a download leaves in flash, and what of it is believed after a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "esp/esp-zigbee/ota_resume.h"
#include "esp/esp-zigbee/stack.h"
#include "esp_ota_ops.h"
#include "tests/support/test_board.h"
#include "zigbee/ota_file.h"

enum { HEAD = 56, HAD = 9000, TOTAL = 20000 };

static uint8_t file[HAD];
static const struct al_zota_file offered = {.id = {0x1001, 0x1011, 2}, .size = TOTAL};

void esp_zb_app_signal_handler(esp_zb_app_signal_t *s)
{
}

static struct al_zota_progress progress(uint32_t offset)
{
    return (struct al_zota_progress){AL_ZOTA_PROGRESS_MAGIC, offered, offset};
}

static int setup(void **state)
{
    test_board_new();
    for (int i = 0; i < HAD; i++) file[i] = (uint8_t)(i * 5 + i / 256);
    assert_non_null(zb_store_open(true));
    return 0;
}

/* The application stores the file from byte `from` on. */
static void download(uint32_t from)
{
    struct al_zota_progress p = progress(HAD);
    ota_resume_begin();
    for (uint32_t at = 0; at < HAD; at += 100) ota_resume_add(file + at, 100);
    ota_resume_save(&p, HEAD);
    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    assert_non_null(slot);
    test_board_erase(slot->address, slot->size);
    test_board_fill(slot->address, file + from, HAD - from);
}

static void expect_all_of_it(void)
{
    struct al_zota_progress p;
    assert_true(ota_resume_progress(&p));
    assert_int_equal(p.offset, HAD);
    uint8_t *bytes = ota_resume_load(&offered, HAD);
    assert_non_null(bytes);
    assert_memory_equal(bytes, file, HAD);
    ota_resume_free(bytes);
}

static void the_image_in_the_slot_gives_the_file_again(void **state)
{
    download(HEAD + AL_ZFILE_ELEMENT_HEADER);
    expect_all_of_it();
}

static void so_does_all_behind_the_header(void **state)
{
    download(HEAD);
    expect_all_of_it();
}

static void other_bytes_in_the_slot_are_not_believed(void **state)
{
    const uint8_t other = 0x5a;
    download(HEAD);
    test_board_fill(esp_ota_get_next_update_partition(NULL)->address + 4000, &other, 1);
    assert_null(ota_resume_load(&offered, HAD));
}

static void an_erased_slot_begins_anew(void **state)
{
    download(HEAD);
    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    test_board_erase(slot->address, slot->size);
    assert_null(ota_resume_load(&offered, HAD));
}

static void another_offset_or_file_is_not_what_was_kept(void **state)
{
    struct al_zota_file larger = offered;
    larger.size++;
    download(HEAD);
    assert_null(ota_resume_load(&offered, HAD - 100));
    assert_null(ota_resume_load(&larger, HAD));
}

static void the_end_of_a_download_forgets_it(void **state)
{
    struct al_zota_progress p = {0};
    download(HEAD);
    ota_resume_save(&p, HEAD);
    assert_false(ota_resume_progress(&p));
}

static void progress_that_the_digest_does_not_cover_is_not_kept(void **state)
{
    struct al_zota_progress p = progress(HAD);
    ota_resume_begin();
    ota_resume_add(file, 100);
    ota_resume_save(&p, HEAD);
    assert_false(ota_resume_progress(&p));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_image_in_the_slot_gives_the_file_again),
        TEST(so_does_all_behind_the_header),
        TEST(other_bytes_in_the_slot_are_not_believed),
        TEST(an_erased_slot_begins_anew),
        TEST(another_offset_or_file_is_not_what_was_kept),
        TEST(the_end_of_a_download_forgets_it),
        TEST(progress_that_the_digest_does_not_cover_is_not_kept),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ota_resume_begin(); /* lets go of what the last download holds */
    return failed;
}
