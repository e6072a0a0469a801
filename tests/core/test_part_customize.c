/* Tables of user partitions: those of ESP-AT, and all that a device must not believe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/part_customize.h"
#include "host/crypto_openssl.h"
#include "tests/support/mem_flash.h"
#include "tests/support/vectors.h"

#define FOUR_MB 0x400000u
#define AREA    0x1e000u
#define SIZE    0x42000u

static const struct al_part area = {0x40, 0, AREA, SIZE, "at_customize", 0};
static struct mem_flash m;
static struct al_part_table table;
static struct al_part_fault fault;

static int setup(void **state)
{
    mem_flash_init(&m, FOUR_MB, false);
    return 0;
}

static int teardown(void **state)
{
    mem_flash_free(&m);
    return 0;
}

static int read_area(const struct al_part *where)
{
    return al_part_customize_read(&m.flash, where, &crypto_openssl, &table, &fault);
}

static void put_vector(const char *name)
{
    size_t len;
    uint8_t *raw = vector_file(&len, "at-adf/%s", name);
    mem_flash_put(&m, AREA, raw, (uint32_t)len);
    free(raw);
}

/* Puts a table of these and reads it. */
static int judge(const struct al_part *parts, uint32_t count)
{
    static struct al_part_table t;
    uint8_t raw[AL_PART_TABLE_LEN];
    t.count = count;
    memcpy(t.part, parts, count * sizeof *parts);
    assert_int_equal(al_part_table_build(&t, true, &crypto_openssl, raw), 0);
    mem_flash_put(&m, AREA, raw, sizeof raw);
    int err = read_area(&area);
    assert_int_equal(err == 0, fault.check == AL_PART_CHECK_NONE);
    assert_int_equal(table.count, err ? 0 : count);
    return err;
}

static int judge_one(uint8_t type, uint32_t offset, uint32_t size)
{
    const struct al_part p = {type, 1, offset, size, "mine", 0};
    return judge(&p, 1);
}

static void tables_of_the_vendors_tool_are_read(void **state)
{
    put_vector("at_customize_esp32c3.bin");
    assert_int_equal(read_area(&area), 0);
    assert_int_equal(table.count, 2);
    assert_string_equal(table.part[0].label, "mfg_nvs");
    assert_int_equal(table.part[1].offset, 0x47000);

    put_vector("at_customize_userparts.bin"); /* made for a larger area */
    assert_int_equal(read_area(&area), AL_ERR_INVALID_SIZE);
    assert_int_equal(fault.check, AL_PART_CHECK_OUTSIDE);
    assert_int_equal(fault.index, 5);
    const struct al_part larger = {0x40, 0, AREA, 0xe2000, "at_customize", 0};
    assert_int_equal(read_area(&larger), 0);
    assert_int_equal(table.count, 6);
    assert_string_equal(table.part[3].label, "mqtt_ca");
}

static void the_area_is_found_by_type_subtype_and_name(void **state)
{
    struct al_part_table t = {.count = 2, .part = {{0x40, 0, 0x10000, 0x1000, "mine", 0}, area}};
    assert_ptr_equal(al_part_customize_area(&t), &t.part[1]);
    t.part[1].subtype = 1;
    assert_null(al_part_customize_area(&t));
}

static void an_erased_area_has_no_table(void **state)
{
    assert_int_equal(read_area(&area), AL_ERR_NOT_FOUND);
    assert_int_equal(table.count, 0);
}

static void any_changed_byte_of_a_table_is_noticed(void **state)
{
    size_t len;
    uint8_t *raw = vector_file(&len, "at-adf/at_customize_esp32c3.bin");
    for (uint32_t i = 0; i < 4 * AL_PART_ENTRY; i++) {
        if (i >= 66 && i < 80) continue; /* filling of the MD5 entry, which nobody looks at */
        if (i >= 100) break;             /* nor behind the first bytes of the end marker */
        if (i == 99) continue;
        raw[i] ^= 0x11;
        mem_flash_put(&m, AREA, raw, (uint32_t)len);
        if (read_area(&area) == 0) fail_msg("byte %u", i);
        assert_int_equal(table.count, 0);
        raw[i] ^= 0x11;
    }
    free(raw);
}

static void entries_stay_inside_the_area_and_off_the_table(void **state)
{
    assert_int_equal(judge_one(0x40, AREA + 0x1000, SIZE - 0x1000), 0);
    assert_int_equal(judge_one(0x40, AREA + 0x1000, SIZE - 0xfff), AL_ERR_INVALID_SIZE);
    assert_int_equal(fault.check, AL_PART_CHECK_OUTSIDE);
    assert_int_equal(fault.expected, AREA + 0x1000);
    assert_int_equal(fault.found, AREA + SIZE);
    assert_int_equal(judge_one(0x40, AREA, 0x1000), AL_ERR_INVALID_SIZE);
    assert_int_equal(judge_one(0x40, AREA - 0x1000, 0x1000), AL_ERR_INVALID_SIZE);
    assert_int_equal(judge_one(0x40, AREA + SIZE, 0x1000), AL_ERR_INVALID_SIZE);
    assert_int_equal(judge_one(0x40, AREA + SIZE - 0x1000, 0x1000), 0);
    assert_int_equal(judge_one(0x40, 0xfffff000u, 0x22000), AL_ERR_INVALID_SIZE); /* 2^32 + ... */
    assert_int_equal(judge_one(0x40, AREA + 0x1000, 0xffffffffu), AL_ERR_INVALID_SIZE);
}

static void overlaps_are_refused(void **state)
{
    const struct al_part apart[] = {{0x40, 1, AREA + 0x3000, 0x2000, "a", 0},
                                    {0x40, 2, AREA + 0x1000, 0x2000, "b", 0}},
                         over[] = {{0x40, 1, AREA + 0x3000, 0x2000, "a", 0},
                                   {0x40, 2, AREA + 0x1000, 0x2001, "b", 0}};
    assert_int_equal(judge(apart, 2), 0);
    assert_int_equal(judge(over, 2), AL_ERR_INVALID_SIZE);
    assert_int_equal(fault.check, AL_PART_CHECK_OVERLAP);
    assert_int_equal(fault.index, 1);
    assert_int_equal(fault.expected, AREA + 0x3000);
}

static void types_of_the_primary_table_and_odd_addresses_are_refused(void **state)
{
    for (unsigned type = 0; type < 256; type++)
        assert_int_equal(judge_one((uint8_t)type, AREA + 0x1000, 0x1000) == 0,
                         type == AL_PART_DATA || (type >= 0x40 && type < 0xff));
    assert_int_equal(fault.check, AL_PART_CHECK_TYPE);
    assert_int_equal(judge_one(0x40, AREA + 0x1800, 0x1000), AL_ERR_INVALID_STATE);
    assert_int_equal(fault.check, AL_PART_CHECK_ALIGN);
}

static void an_area_without_room_or_outside_the_flash_is_refused(void **state)
{
    const struct al_part small = {0x40, 0, AREA, 0x800, "at_customize", 0},
                         beyond = {0x40, 0, FOUR_MB - 0x1000, 0x2000, "at_customize", 0};
    put_vector("at_customize_esp32c3.bin");
    assert_int_equal(read_area(&small), AL_ERR_INVALID_SIZE);
    assert_int_equal(read_area(&beyond), AL_ERR_INVALID_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tables_of_the_vendors_tool_are_read, setup, teardown),
        cmocka_unit_test(the_area_is_found_by_type_subtype_and_name),
        cmocka_unit_test_setup_teardown(an_erased_area_has_no_table, setup, teardown),
        cmocka_unit_test_setup_teardown(any_changed_byte_of_a_table_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(entries_stay_inside_the_area_and_off_the_table, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(overlaps_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(types_of_the_primary_table_and_odd_addresses_are_refused,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_area_without_room_or_outside_the_flash_is_refused, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
