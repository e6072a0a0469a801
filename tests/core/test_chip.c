#include "core/chip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void every_chip_is_found_by_id_and_by_name(void **state)
{
    const struct al_chip *c;
    unsigned n = 0;
    for (; (c = al_chip_at(n)); n++) {
        assert_ptr_equal(al_chip_by_id(c->id), c);
        assert_ptr_equal(al_chip_by_name(c->name), c);
        assert_true(c->drom_low <= c->drom_high && c->irom_low <= c->irom_high);
        assert_true(c->secure_boot_digests == 1 || c->secure_boot_digests == 3);
    }
    assert_int_equal(n, 14);
    assert_null(al_chip_by_id(0xffff));
    assert_null(al_chip_by_id(1));
    assert_null(al_chip_by_name("esp32c33"));
}

static void numbers_are_those_of_the_vendor(void **state)
{
    static const struct {
        const char *name;
        uint16_t id;
        uint32_t loader;
        bool mmu;
    } known[] = {
        {"esp32", 0, 0x1000, false},    {"esp32s2", 2, 0x1000, false},  {"esp32c3", 5, 0, false},
        {"esp32c2", 12, 0, true},       {"esp32c6", 13, 0, true},       {"esp32h2", 16, 0, true},
        {"esp32p4", 18, 0x2000, false}, {"esp32c5", 23, 0x2000, false},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct al_chip *c = al_chip_by_id(known[i].id);
        assert_string_equal(c->name, known[i].name);
        assert_int_equal(c->bootloader_offset, known[i].loader);
        assert_int_equal(c->mmu_page_configurable, known[i].mmu);
    }
    assert_int_equal(al_chip_by_name("esp32")->secure_version_bits, 32);
    assert_int_equal(al_chip_by_name("esp32c2")->secure_version_bits, 4);
    assert_int_equal(al_chip_by_name("esp32c5")->secure_version_bits, 9);
    assert_int_equal(al_chip_by_name("esp32c6")->secure_version_bits, 16);
}

static void flash_mapped_addresses_end_where_the_window_ends(void **state)
{
    const struct al_chip *c3 = al_chip_by_name("esp32c3"), *c6 = al_chip_by_name("esp32c6");
    assert_true(al_chip_mapped(c3, 0x3c000000));
    assert_true(al_chip_mapped(c3, 0x3c7fffff));
    assert_false(al_chip_mapped(c3, 0x3c800000));
    assert_true(al_chip_mapped(c3, 0x42000020));
    assert_false(al_chip_mapped(c3, 0x42800000));
    assert_false(al_chip_mapped(c3, 0x4037c000));
    assert_false(al_chip_mapped(c3, 0));
    assert_true(al_chip_mapped(c6, 0x42000020));
    assert_false(al_chip_mapped(c6, 0x3c000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_chip_is_found_by_id_and_by_name),
        cmocka_unit_test(numbers_are_those_of_the_vendor),
        cmocka_unit_test(flash_mapped_addresses_end_where_the_window_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
