/* User partitions in firmware: found behind the primary ones, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/part_customize.h"
#include "esp/esp-idf/at_customize.h"
#include "esp_partition.h"
#include "host/crypto_openssl.h"
#include "tests/support/test_board.h"
#include "tests/support/vectors.h"

#define AREA 0x320000u

/* The board's table with partition at_customize behind the others, without an MD5 entry, as
 * ESP-AT builds its own. */
static void put_primary(bool md5)
{
    static struct al_part_table t;
    uint8_t raw[AL_PART_TABLE_LEN];
    assert_int_equal(
        al_part_table_read(&board()->nor.flash, AL_PART_TABLE_OFFSET, &crypto_openssl, &t, NULL),
        0);
    t.part[t.count++] = (struct al_part){0x40, 0, AREA, 0x42000, "at_customize", 0};
    assert_int_equal(al_part_table_build(&t, md5, &crypto_openssl, raw), 0);
    test_board_fill(AL_PART_TABLE_OFFSET, raw, sizeof raw);
}

/* The vendor's table, moved to where the area is here. */
static void put_secondary(void (*change)(struct al_part_table *t))
{
    static struct al_part_table t;
    uint8_t moved[AL_PART_TABLE_LEN];
    size_t len;
    uint8_t *raw = vector_file(&len, "at-adf/at_customize_esp32c3.bin");
    assert_int_equal(al_part_table_parse(raw, len, UINT32_MAX, &crypto_openssl, &t, NULL), 0);
    free(raw);
    for (uint32_t i = 0; i < t.count; i++) t.part[i].offset += AREA - 0x1e000;
    if (change) change(&t);
    assert_int_equal(al_part_table_build(&t, true, &crypto_openssl, moved), 0);
    test_board_fill(AREA, moved, sizeof moved);
}

static esp_err_t loaded;

static void load(void *arg)
{
    loaded = idf_at_customize_load();
}

static void user_partitions_are_found_behind_the_primary_ones(void *arg)
{
    put_primary(false);
    put_secondary(NULL);
    assert_null(idf_at_customize_find("mfg_nvs"));
    assert_null(
        esp_partition_find_first(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, "mfg_nvs"));
    assert_int_equal(idf_at_customize_load(), ESP_OK);
    assert_int_equal(idf_at_customize_load(), ESP_OK);

    const esp_partition_t *p = idf_at_customize_find("mfg_nvs");
    assert_non_null(p);
    assert_int_equal(p->type, ESP_PARTITION_TYPE_DATA);
    assert_int_equal(p->subtype, ESP_PARTITION_SUBTYPE_DATA_NVS);
    assert_int_equal(p->address, AREA + 0x1000);
    assert_int_equal(p->size, 124 * 1024);
    assert_ptr_equal(p, idf_at_customize_at(0));
    assert_string_equal(idf_at_customize_at(1)->label, "fs_storage");
    assert_null(idf_at_customize_at(2));
    assert_null(idf_at_customize_find("nvs")); /* a primary one */

    /* by the vendor's calls: primary first, user partitions once */
    assert_ptr_equal(
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "mfg_nvs"), p);
    assert_string_equal(
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, NULL)
            ->label,
        "nvs");
    unsigned count = 0;
    esp_partition_iterator_t it =
        esp_partition_find(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);
    for (; it; it = esp_partition_next(it)) count++;
    assert_int_equal(count, 7 + 1 + 2);
    assert_ptr_equal(esp_partition_verify(p), p);

    /* they can be written, and cannot be taken away */
    char back[5];
    assert_int_equal(esp_partition_erase_range(p, 0, p->size), ESP_OK);
    assert_int_equal(esp_partition_write(p, p->size - 5, "user", 5), ESP_OK);
    assert_int_equal(esp_partition_read(p, p->size - 5, back, 5), ESP_OK);
    assert_string_equal(back, "user");
    assert_int_equal(esp_partition_write(p, p->size - 4, "user", 5), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_deregister_external(p), ESP_ERR_INVALID_ARG);
}

static void reach_out(struct al_part_table *t)
{
    t->part[1].size += 0x1000;
}

static void reach_the_table(struct al_part_table *t)
{
    t->part[0].offset = AREA;
}

static void overlap(struct al_part_table *t)
{
    t->part[1].offset = t->part[0].offset;
}

static void refused(void (*change)(struct al_part_table *t), const char *why)
{
    put_primary(true);
    put_secondary(change);
    char *log = test_board_capture(load, NULL);
    assert_int_equal(loaded, ESP_ERR_INVALID_SIZE);
    assert_non_null(strstr(log, "find secondary partition failed"));
    assert_non_null(strstr(log, why));
    assert_null(idf_at_customize_at(0));
    assert_null(
        esp_partition_find_first(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, "mfg_nvs"));
    free(log);
    /* nothing stays behind of it */
    put_secondary(NULL);
    assert_int_equal(idf_at_customize_load(), ESP_OK);
    assert_non_null(idf_at_customize_find("fs_storage"));
}

static void an_entry_that_reaches_out_refuses_all(void *arg)
{
    refused(reach_out, "entry 1 ");
}

static void an_entry_over_the_table_refuses_all(void *arg)
{
    refused(reach_the_table, "first 4 KiB belong to the table");
}

static void overlapping_entries_refuse_all(void *arg)
{
    refused(overlap, "overlaps the one at");
}

static void a_corrupt_table_is_refused(void *arg)
{
    put_primary(true);
    put_secondary(NULL);
    test_board_fill(AREA + 12, "M", 1); /* of a name: the MD5 tells */
    char *log = test_board_capture(load, NULL);
    assert_int_equal(loaded, ESP_ERR_INVALID_STATE);
    assert_non_null(strstr(log, "MD5"));
    free(log);
}

static void without_the_partition_there_are_none(void *arg)
{
    assert_int_equal(idf_at_customize_load(), ESP_ERR_NOT_FOUND);
    assert_null(idf_at_customize_find("mfg_nvs"));
}

static void without_a_table_there_are_none(void *arg)
{
    put_primary(true);
    assert_int_equal(idf_at_customize_load(), ESP_ERR_NOT_FOUND);
    assert_null(idf_at_customize_find("mfg_nvs"));
}

/* The list of partitions is made once a process: each test is one. */
struct child {
    void (*test)(void *arg);
    void *arg;
};

static void run_child(void *arg)
{
    const struct child *c = arg;
    c->test(c->arg);
    printf("the child has passed\n");
}

static void in_a_child(void (*test)(void *arg), void *arg)
{
    char *output;
    test_board_new();
    test_board_fork(run_child, &(struct child){test, arg}, &output);
    if (!strstr(output, "the child has passed")) fail_msg("%s", output);
    free(output);
}

#define IN_A_CHILD(test)              \
    static void test##_(void **state) \
    {                                 \
        in_a_child(test, NULL);       \
    }

IN_A_CHILD(user_partitions_are_found_behind_the_primary_ones)
IN_A_CHILD(an_entry_that_reaches_out_refuses_all)
IN_A_CHILD(an_entry_over_the_table_refuses_all)
IN_A_CHILD(overlapping_entries_refuse_all)
IN_A_CHILD(a_corrupt_table_is_refused)
IN_A_CHILD(without_the_partition_there_are_none)
IN_A_CHILD(without_a_table_there_are_none)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(user_partitions_are_found_behind_the_primary_ones_),
        cmocka_unit_test(an_entry_that_reaches_out_refuses_all_),
        cmocka_unit_test(an_entry_over_the_table_refuses_all_),
        cmocka_unit_test(overlapping_entries_refuse_all_),
        cmocka_unit_test(a_corrupt_table_is_refused_),
        cmocka_unit_test(without_the_partition_there_are_none_),
        cmocka_unit_test(without_a_table_there_are_none_),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
