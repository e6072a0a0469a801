#include "core/part_table.h"

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

#define DIR     "esp-flash/partition-table/"
#define FOUR_MB 0x400000u

static struct al_part_table table;
static struct al_part_fault fault;

static void check_entries(const cJSON *entries)
{
    const cJSON *e;
    uint32_t i = 0;
    assert_int_equal(table.count, cJSON_GetArraySize(entries));
    cJSON_ArrayForEach(e, entries)
    {
        const struct al_part *p = &table.part[i++];
        assert_string_equal(p->label, vector_string(e, "label"));
        assert_int_equal(p->type, vector_number(e, "type"));
        assert_int_equal(p->subtype, vector_number(e, "subtype"));
        assert_int_equal(p->offset, vector_number(e, "offset"));
        assert_int_equal(p->size, vector_number(e, "size"));
        assert_int_equal(p->flags, vector_number(e, "flags"));
    }
}

static void generated_tables_decode_and_build_to_the_same_bytes(void **state)
{
    cJSON *json = vector_json(DIR "expected.json");
    const cJSON *v;
    uint32_t seen = 0;
    cJSON_ArrayForEach(v, vector_get(json, "valid"))
    {
        size_t len;
        uint8_t *raw = vector_file(&len, DIR "%s", vector_string(v, "bin"));
        uint8_t built[AL_PART_TABLE_LEN];
        const cJSON *device = vector_get(v, "device_verify_4MB");
        int want = (int)vector_number(device, "result");
        int err = al_part_table_parse(raw, len, FOUR_MB, &crypto_openssl, &table, &fault);
        assert_int_equal(al_err_vendor(err), want);
        assert_int_equal(table.count, vector_number(device, "num"));
        if (err) /* a table for a larger chip */
            assert_int_equal(
                al_part_table_parse(raw, len, 1u << 30, &crypto_openssl, &table, &fault), 0);
        check_entries(vector_get(v, "entries"));
        assert_int_equal(len, sizeof built);
        assert_int_equal(al_part_table_build(&table, table.has_md5, &crypto_openssl, built), 0);
        assert_memory_equal(built, raw, len);
        free(raw);
        seen++;
    }
    assert_true(seen >= 12);
    cJSON_Delete(json);
}

/* The first log line that the fault gives, as the vector writes it. */
static void check_log(const cJSON *log)
{
    struct vendor_line line;
    char text[256] = "";
    vendor_line_table(&fault, &line);
    if (line.level) vendor_line_print(&line, 0, false, text, sizeof text);
    assert_string_equal(text,
                        cJSON_GetArraySize(log) ? cJSON_GetArrayItem(log, 0)->valuestring : "");
}

static void device_verdicts_of_damaged_tables(void **state)
{
    cJSON *json = vector_json(DIR "expected.json");
    const cJSON *v;
    cJSON_ArrayForEach(v, vector_get(json, "binary"))
    {
        size_t len;
        uint8_t *raw = vector_file(&len, DIR "%s", vector_string(v, "bin"));
        const cJSON *device = vector_get(v, "device_verify_4MB");
        struct mem_flash m;
        mem_flash_init(&m, FOUR_MB, false);
        mem_flash_put(&m, AL_PART_TABLE_OFFSET, raw, len);
        int err =
            al_part_table_read(&m.flash, AL_PART_TABLE_OFFSET, &crypto_openssl, &table, &fault);
        assert_int_equal(al_err_vendor(err), vector_number(device, "result"));
        assert_int_equal(table.count, vector_number(device, "num"));
        check_log(vector_get(v, "device_log"));
        mem_flash_free(&m);
        free(raw);
    }
    cJSON_Delete(json);
}

static uint8_t *good_table(void)
{
    size_t len;
    uint8_t *raw = vector_file(&len, DIR "valid/two_ota.bin");
    assert_int_equal(len, AL_PART_TABLE_LEN);
    return raw;
}

/* As al_ota_end() does on a chip, where a table is too large for the stack. */
static void the_verdict_alone_is_the_same_as_with_the_table(void **state)
{
    cJSON *json = vector_json(DIR "expected.json");
    const cJSON *v;
    (void)state;
    cJSON_ArrayForEach(v, vector_get(json, "binary"))
    {
        size_t len;
        struct al_part_fault with, without;
        uint8_t *raw = vector_file(&len, DIR "%s", vector_string(v, "bin"));
        int err = al_part_table_parse(raw, len, 0x400000, &crypto_openssl, &table, &with);
        assert_int_equal(al_part_table_parse(raw, len, 0x400000, &crypto_openssl, NULL, &without),
                         err);
        assert_memory_equal(&with, &without, sizeof with);
        free(raw);
    }
    cJSON_Delete(json);
}

static void a_fault_names_entry_and_place(void **state)
{
    uint8_t *raw = good_table();
    raw[3 * 32] ^= 1;
    int err = al_part_table_parse(raw, AL_PART_TABLE_LEN, FOUR_MB, &crypto_openssl, &table, &fault);
    assert_int_equal(err, AL_ERR_INVALID_STATE);
    assert_int_equal(fault.check, AL_PART_CHECK_MAGIC);
    assert_int_equal(fault.index, 3);
    assert_int_equal(fault.offset, 96);
    assert_int_equal(fault.found, 0x50ab);

    raw[3 * 32] ^= 1;
    err = al_part_table_parse(raw, AL_PART_TABLE_LEN, 0x200000, &crypto_openssl, &table, &fault);
    assert_int_equal(err, AL_ERR_INVALID_SIZE);
    assert_int_equal(fault.check, AL_PART_CHECK_BEYOND);
    assert_int_equal(fault.index, 4);
    assert_int_equal(fault.part_offset, 0x110000);
    assert_int_equal(fault.expected, 0x200000);

    err = al_part_table_parse(raw, 100, FOUR_MB, &crypto_openssl, &table, &fault);
    assert_int_equal(err, AL_ERR_INVALID_STATE);
    assert_int_equal(fault.check, AL_PART_CHECK_NO_END);
    assert_int_equal(fault.index, 3);
    free(raw);
}

static void a_partition_that_wraps_around_is_beyond_the_flash(void **state)
{
    static const struct {
        uint32_t offset, size;
    } known[] = {{0x1000, 0xfffff800}, {0xfffff000, 0x2000}, {0x400001, 0}, {0x400000, 1}};
    uint8_t raw[2 * AL_PART_ENTRY];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct al_part p = {.offset = known[i].offset, .size = known[i].size};
        memset(raw, 0xff, sizeof raw);
        al_part_encode(&p, raw);
        assert_int_equal(
            al_part_table_parse(raw, sizeof raw, FOUR_MB, &crypto_openssl, &table, &fault),
            AL_ERR_INVALID_SIZE);
        assert_int_equal(fault.check, AL_PART_CHECK_BEYOND);
    }
}

static void any_changed_byte_of_the_entries_is_noticed(void **state)
{
    uint8_t *raw = good_table();
    for (uint32_t i = 0; i < 7 * 32; i++) {
        bool padding = i >= 6 * 32 + 2 && i < 6 * 32 + 16; /* of the MD5 entry */
        raw[i] ^= 0x20;
        int err =
            al_part_table_parse(raw, AL_PART_TABLE_LEN, 1u << 31, &crypto_openssl, &table, NULL);
        if (padding)
            assert_int_equal(err, 0);
        else
            assert_int_not_equal(err, 0);
        raw[i] ^= 0x20;
    }
    free(raw);
}

static void the_application_wants_an_md5_entry(void **state)
{
    struct mem_flash m;
    size_t len;
    uint8_t *raw = good_table(), *bare = vector_file(&len, DIR "binary/no_md5_entry.bin");
    mem_flash_init(&m, FOUR_MB, false);
    mem_flash_put(&m, 0x8000, raw, AL_PART_TABLE_LEN);
    assert_int_equal(al_part_table_load(&m.flash, 0x8000, true, &crypto_openssl, &table, &fault),
                     0);
    assert_int_equal(table.count, 6);

    raw[40] ^= 1;
    mem_flash_put(&m, 0x8000, raw, AL_PART_TABLE_LEN);
    assert_int_equal(al_part_table_load(&m.flash, 0x8000, true, &crypto_openssl, &table, &fault),
                     AL_ERR_INVALID_STATE);
    assert_int_equal(fault.check, AL_PART_CHECK_MD5);

    mem_flash_put(&m, 0x8000, bare, len);
    assert_int_equal(al_part_table_read(&m.flash, 0x8000, &crypto_openssl, &table, &fault), 0);
    assert_int_equal(al_part_table_load(&m.flash, 0x8000, true, &crypto_openssl, &table, &fault),
                     AL_ERR_NOT_FOUND);
    assert_int_equal(fault.check, AL_PART_CHECK_NO_MD5);
    assert_int_equal(table.count, 0);

    /* unless it was built to do without */
    assert_int_equal(al_part_table_load(&m.flash, 0x8000, false, &crypto_openssl, &table, &fault),
                     0);
    assert_true(table.count > 0 && !table.has_md5);
    assert_int_equal(al_part_table_load(&m.flash, 0x10000, false, &crypto_openssl, &table, &fault),
                     AL_ERR_NOT_FOUND);
    assert_int_equal(fault.check, AL_PART_CHECK_MAGIC);

    /* 96 entries: neither MD5 nor end */
    for (int i = 0; i < 96; i++) mem_flash_put(&m, 0x8000 + 32u * (uint32_t)i, raw, 32);
    assert_int_equal(al_part_table_load(&m.flash, 0x8000, true, &crypto_openssl, &table, &fault),
                     AL_ERR_NOT_FOUND);
    assert_int_equal(al_part_table_load(&m.flash, 0x8000, false, &crypto_openssl, &table, &fault),
                     AL_ERR_NOT_FOUND);
    assert_int_equal(table.count, 0);
    assert_int_equal(al_part_table_read(&m.flash, 0x8000, &crypto_openssl, &table, &fault),
                     AL_ERR_INVALID_STATE);
    assert_int_equal(fault.check, AL_PART_CHECK_NO_END);
    assert_int_equal(al_part_table_read(&m.flash, 0x3ffc00, &crypto_openssl, &table, &fault),
                     AL_ERR_INVALID_SIZE);
    assert_int_equal(fault.check, AL_PART_CHECK_READ);
    mem_flash_free(&m);
    free(raw);
    free(bare);
}

static void the_largest_table_has_94_entries_with_md5_and_95_without(void **state)
{
    uint8_t raw[AL_PART_TABLE_LEN];
    memset(&table, 0, sizeof table);
    table.count = 94;
    assert_int_equal(al_part_table_build(&table, true, &crypto_openssl, raw), 0);
    table.count = 95;
    assert_int_equal(al_part_table_build(&table, true, &crypto_openssl, raw), AL_ERR_INVALID_SIZE);
    assert_int_equal(al_part_table_build(&table, false, &crypto_openssl, raw), 0);
    assert_int_equal(al_part_table_parse(raw, sizeof raw, 1, &crypto_openssl, &table, NULL), 0);
    assert_int_equal(table.count, 95);
}

static void partitions_are_found_in_table_order(void **state)
{
    uint8_t *raw = good_table();
    assert_int_equal(
        al_part_table_parse(raw, AL_PART_TABLE_LEN, FOUR_MB, &crypto_openssl, &table, NULL), 0);
    free(raw);
    assert_ptr_equal(al_part_find(&table, AL_PART_ANY, AL_PART_ANY, NULL), &table.part[0]);
    assert_ptr_equal(al_part_find(&table, AL_PART_APP, AL_PART_ANY, NULL), &table.part[3]);
    assert_ptr_equal(al_part_find(&table, AL_PART_APP, AL_PART_OTA_0 + 1, NULL), &table.part[5]);
    assert_ptr_equal(al_part_find(&table, AL_PART_ANY, AL_PART_ANY, "otadata"), &table.part[1]);
    assert_null(al_part_find(&table, AL_PART_APP, AL_PART_ANY, "otadata"));
    assert_null(al_part_find(&table, AL_PART_ANY, AL_PART_ANY, "otadat"));
    assert_int_equal(al_part_ota_count(&table), 2);

    table.count = 17; /* all 16 slots, and behind them the test app */
    for (uint8_t i = 0; i < 17; i++)
        table.part[i] = (struct al_part){.subtype = (uint8_t)(AL_PART_OTA_0 + i)};
    assert_int_equal(al_part_ota_count(&table), 16);
    assert_int_equal(al_part_ota_count_all(&table), 16);

    table.count = 2;
    table.part[0].subtype = AL_PART_OTA_0 + 5; /* a hole */
    assert_int_equal(al_part_ota_count(&table), 0);
    assert_int_equal(al_part_ota_count_all(&table), 2);
}

static void a_partition_window_keeps_the_readonly_flag_and_the_bounds(void **state)
{
    struct mem_flash m;
    struct al_window w;
    struct al_part p = {.offset = 0x1000, .size = 0x1000, .flags = AL_PART_READONLY};
    mem_flash_init(&m, 0x2000, false);
    assert_int_equal(al_part_window(&m.flash, &p, &w), 0);
    assert_true(w.readonly);
    p.size = 0x1001;
    assert_int_equal(al_part_window(&m.flash, &p, &w), AL_ERR_INVALID_SIZE);
    p.offset = 0xfffff000;
    assert_int_equal(al_part_window(&m.flash, &p, &w), AL_ERR_INVALID_SIZE);
    mem_flash_free(&m);
}

static void types_and_subtypes_have_the_vendors_words(void **state)
{
    assert_string_equal(al_part_type_name(AL_PART_PARTITION_TABLE), "partition_table");
    assert_null(al_part_type_name(4));
    assert_string_equal(al_part_subtype_name(AL_PART_APP, 0x1f), "ota_15");
    assert_string_equal(al_part_subtype_name(AL_PART_APP, 0x20), "test");
    assert_string_equal(al_part_subtype_name(AL_PART_DATA, 0x82), "spiffs");
    assert_string_equal(al_part_subtype_name(AL_PART_BOOTLOADER, 2), "recovery");
    assert_null(al_part_subtype_name(AL_PART_DATA, 0x10));
    assert_null(al_part_subtype_name(0x40, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generated_tables_decode_and_build_to_the_same_bytes),
        cmocka_unit_test(device_verdicts_of_damaged_tables),
        cmocka_unit_test(the_verdict_alone_is_the_same_as_with_the_table),
        cmocka_unit_test(a_fault_names_entry_and_place),
        cmocka_unit_test(a_partition_that_wraps_around_is_beyond_the_flash),
        cmocka_unit_test(any_changed_byte_of_the_entries_is_noticed),
        cmocka_unit_test(the_application_wants_an_md5_entry),
        cmocka_unit_test(the_largest_table_has_94_entries_with_md5_and_95_without),
        cmocka_unit_test(partitions_are_found_in_table_order),
        cmocka_unit_test(a_partition_window_keeps_the_readonly_flag_and_the_bounds),
        cmocka_unit_test(types_and_subtypes_have_the_vendors_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
