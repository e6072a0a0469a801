#include "core/crc32.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void check_string_gives_the_zip_crc(void **state)
{
    assert_int_equal(al_crc32(0, "123456789", 9), 0xcbf43926);
}

static void otadata_start_value_gives_the_vendors_numbers(void **state)
{
    static const struct {
        uint8_t seq[4];
        uint32_t crc;
    } known[] = {
        {{0, 0, 0, 0}, 0xffffffff},
        {{1, 0, 0, 0}, 0x4743989a},
        {{2, 0, 0, 0}, 0x55f63774},
        {{7, 0, 0, 0}, 0x6228c746},
        {{0xfe, 0xff, 0xff, 0xff}, 0x99f8b879},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_int_equal(al_crc32(0xffffffff, known[i].seq, 4), known[i].crc);
}

static void pieces_give_the_crc_of_the_whole(void **state)
{
    const char text[] = "a partition at offset 0x10000";
    uint32_t whole = al_crc32(0, text, sizeof text);
    for (size_t cut = 0; cut <= sizeof text; cut++)
        assert_int_equal(al_crc32(al_crc32(0, text, cut), text + cut, sizeof text - cut), whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_string_gives_the_zip_crc),
        cmocka_unit_test(otadata_start_value_gives_the_vendors_numbers),
        cmocka_unit_test(pieces_give_the_crc_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
