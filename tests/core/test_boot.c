/* The corners of the boot loader's decision that no vector covers: spec facts and the
 * pins. The vectors are in test_otadata_vectors.c. */
#include "core/boot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/ota_device.h"

#define U AL_OTA_UNDEFINED

static struct ota_device dev;

static int close_device(void **state)
{
    ota_device_free(&dev);
    return 0;
}

/* factory 1.0.0, ota_0 1.1.0, ota_1 1.2.0 */
static void full_device(void)
{
    ota_device_new(&dev, "factory ota_0 ota_1");
    ota_device_put_image(&dev, "factory", IMAGE_1_0);
    ota_device_put_image(&dev, "ota_0", IMAGE_1_1);
    ota_device_put_image(&dev, "ota_1", IMAGE_1_2);
}

static void spoil(const char *label)
{
    dev.nor.bytes[ota_device_part(&dev, label)->offset + 2000] ^= 0x01;
}

static void a_hole_in_the_slots_makes_the_last_one_unreachable(void **state)
{
    ota_device_new(&dev, "ota_0 ota_2");
    ota_device_put_image(&dev, "ota_2", IMAGE_1_2);
    ota_device_put_entry(&dev, 0, 2, U);
    assert_string_equal(ota_device_boot(&dev), "nothing");
    assert_int_equal(dev.result.selected_index, 1); /* two rows: slot 1, which is none */
    ota_device_put_image(&dev, "ota_0", IMAGE_1_1);
    assert_string_equal(ota_device_boot(&dev), "ota_0");
}

static void slots_that_are_repeated_count_twice_and_the_last_row_is_taken(void **state)
{
    ota_device_new(&dev, "ota_0 ota_1 ota_1");
    ota_device_put_image(&dev, "ota_0", IMAGE_1_0);
    nor_flash_fill(&dev.nor, dev.table.part[5].offset, dev.nor.bytes + dev.table.part[3].offset,
                   OTA_DEVICE_SLOT);
    ota_device_put_entry(&dev, 0, 2, U);
    assert_string_equal(ota_device_boot(&dev), "ota_1");
    assert_int_equal(dev.result.part->offset, dev.table.part[5].offset);
    memset(dev.nor.bytes + OTA_DEVICE_OTADATA, 0xff, AL_OTADATA_LEN);
    ota_device_put_entry(&dev, 0, 3, U); /* (3 - 1) mod 3 rows: slot 2 has no row */
    assert_string_equal(ota_device_boot(&dev), "ota_1");
    assert_int_equal(dev.result.selected_index, 2);
}

static void more_than_sixteen_rows_select_no_slot_that_does_not_exist(void **state)
{
    ota_device_new(&dev, "ota_0");
    for (int i = 0; i < 20; i++)
        ota_device_add(&dev, AL_PART_APP, AL_PART_OTA_0, "more", OTA_DEVICE_APP, OTA_DEVICE_SLOT);
    ota_device_write_table(&dev);
    ota_device_put_image(&dev, "ota_0", IMAGE_1_0);
    ota_device_put_entry(&dev, 0, 19, U);
    assert_string_equal(ota_device_boot(&dev), "more");
    assert_int_equal(dev.result.selected_index, 18);
}

static void of_two_otadata_partitions_the_last_counts(void **state)
{
    full_device();
    ota_device_put_entry(&dev, 0, 1, U);
    ota_device_add(&dev, AL_PART_DATA, AL_PART_DATA_OTA, "second", 0x30000, AL_OTADATA_LEN);
    ota_device_write_table(&dev);
    assert_string_equal(ota_device_boot(&dev), "factory");
    memcpy(dev.nor.bytes + 0x30000, dev.nor.bytes + OTA_DEVICE_OTADATA, AL_OTADATA_LEN);
    memset(dev.nor.bytes + OTA_DEVICE_OTADATA, 0xff, AL_OTADATA_LEN);
    assert_string_equal(ota_device_boot(&dev), "ota_0");
}

static void small_otadata_stops_the_boot(void **state)
{
    full_device();
    dev.table.part[1].size = 0x1000;
    ota_device_write_table(&dev);
    assert_string_equal(ota_device_boot(&dev), "nothing");
    assert_int_equal(dev.result.selected_index, AL_BOOT_NONE);
    assert_true(ota_device_had_boot_event(&dev, AL_BOOT_EV_OTADATA_SMALL));
}

static void without_otadata_the_factory_app_comes_first(void **state)
{
    full_device();
    ota_device_put_entry(&dev, 0, 1, U);
    dev.table.part[1].subtype = AL_PART_DATA_EFUSE;
    ota_device_write_table(&dev);
    assert_string_equal(ota_device_boot(&dev), "factory");
    spoil("factory");
    assert_string_equal(ota_device_boot(&dev), "ota_0");
    assert_true(ota_device_had_boot_event(&dev, AL_BOOT_EV_NOT_BOOTABLE));
}

static void a_partition_of_no_size_is_passed_over(void **state)
{
    full_device();
    dev.table.part[3].size = 0; /* factory */
    ota_device_write_table(&dev);
    assert_string_equal(ota_device_boot(&dev), "ota_0");
    assert_int_equal(dev.result.selected_index, AL_BOOT_FACTORY);
    assert_false(ota_device_had_boot_event(&dev, AL_BOOT_EV_NOT_BOOTABLE));
}

static void sequence_zero_selects_the_last_slot(void **state)
{
    full_device();
    ota_device_put_entry(&dev, 0, 0, U);
    assert_string_equal(ota_device_boot(&dev), "ota_1");
}

static void a_new_image_that_is_damaged_is_aborted_on_the_second_boot(void **state)
{
    struct al_ota_entry e[2];
    full_device();
    dev.boot.rollback = true;
    ota_device_put_entry(&dev, 0, 1, AL_OTA_VALID);
    ota_device_put_entry(&dev, 1, 2, AL_OTA_NEW);
    spoil("ota_1");
    assert_string_equal(ota_device_boot(&dev), "ota_0");
    ota_device_entries(&dev, e);
    assert_int_equal(e[1].state, AL_OTA_PENDING_VERIFY);
    assert_string_equal(ota_device_boot(&dev), "ota_0");
    ota_device_entries(&dev, e);
    assert_int_equal(e[1].state, AL_OTA_ABORTED);
}

static void a_pending_entry_with_a_wrong_crc_is_aborted_too(void **state)
{
    struct al_ota_entry e[2];
    full_device();
    dev.boot.rollback = true;
    ota_device_put_entry(&dev, 0, 1, AL_OTA_PENDING_VERIFY);
    dev.nor.bytes[OTA_DEVICE_OTADATA + 28] ^= 0x02;
    assert_string_equal(ota_device_boot(&dev), "factory");
    ota_device_entries(&dev, e);
    assert_int_equal(e[0].state, AL_OTA_ABORTED);
    assert_false(al_ota_entry_crc_ok(&e[0]));
}

static void lower_slots_then_factory_then_higher_slots_are_tried(void **state)
{
    ota_device_new(&dev, "factory ota_0 ota_1 ota_2 ota_3");
    static const char *const labels[] = {"factory", "ota_0", "ota_1", "ota_2", "ota_3"};
    static const char *const order[] = {"ota_1", "ota_0", "factory", "ota_2", "ota_3", "nothing"};
    for (int i = 0; i < 5; i++) ota_device_put_image(&dev, labels[i], IMAGE_1_0);
    ota_device_put_entry(&dev, 0, 2, U);
    for (int i = 0; i < 6; i++) {
        assert_string_equal(ota_device_boot(&dev), order[i]);
        assert_int_equal(dev.result.selected_index, 1);
        if (i < 5) spoil(order[i]);
    }
    assert_true(ota_device_had_boot_event(&dev, AL_BOOT_EV_NOTHING));
}

static void the_test_app_starts_by_pin_or_as_the_last_way_out(void **state)
{
    ota_device_new(&dev, "factory test");
    ota_device_put_image(&dev, "factory", IMAGE_1_0);
    ota_device_put_image(&dev, "test", IMAGE_1_1);
    dev.boot.test_pin = true;
    assert_string_equal(ota_device_boot(&dev), "test");
    assert_int_equal(dev.result.selected_index, AL_BOOT_TEST);
    dev.boot.deep_sleep_wake = true;
    assert_string_equal(ota_device_boot(&dev), "factory");
    dev.boot.deep_sleep_wake = dev.boot.test_pin = false;
    spoil("factory");
    assert_string_equal(ota_device_boot(&dev), "test");
    assert_true(ota_device_had_boot_event(&dev, AL_BOOT_EV_TEST_FALLBACK));
    dev.boot.test_pin = true;
    spoil("test");
    assert_string_equal(ota_device_boot(&dev), "nothing");
    assert_true(ota_device_had_boot_event(&dev, AL_BOOT_EV_NO_TEST));
}

static void the_test_pin_without_a_test_app_stops_the_boot(void **state)
{
    full_device();
    dev.boot.test_pin = true;
    assert_string_equal(ota_device_boot(&dev), "nothing");
    assert_int_equal(dev.result.selected_index, AL_BOOT_NONE);
    assert_true(ota_device_had_boot_event(&dev, AL_BOOT_EV_TEST_MISSING));
}

static void factory_reset_erases_the_listed_partitions_and_selects_again(void **state)
{
    full_device();
    memset(dev.nor.bytes + 0x9000, 0, 0x4000);
    memset(dev.nor.bytes + 0xf000, 0, 0x1000);
    ota_device_put_entry(&dev, 0, 1, U);
    dev.boot.factory_reset_pin = true;
    assert_string_equal(ota_device_boot(&dev), "ota_0");
    assert_int_equal(dev.nor.bytes[0x9000], 0xff); /* nvs by default */
    assert_int_equal(dev.nor.bytes[0xf000], 0x00);
    dev.boot.factory_reset_labels = "nv,phy_init  otadat";
    assert_string_equal(ota_device_boot(&dev), "ota_0");
    assert_int_equal(dev.nor.bytes[0xf000], 0xff);
    dev.boot.factory_reset_otadata = true;
    assert_string_equal(ota_device_boot(&dev), "factory");
    assert_int_equal(dev.nor.bytes[OTA_DEVICE_OTADATA], 0xff);
}

static void a_readonly_flag_does_not_bind_the_boot_loader(void **state)
{
    struct al_ota_entry e[2];
    full_device();
    dev.boot.rollback = true;
    ota_device_put_entry(&dev, 0, 1, AL_OTA_NEW);
    dev.table.part[1].flags = AL_PART_READONLY;
    ota_device_write_table(&dev);
    assert_string_equal(ota_device_boot(&dev), "ota_0");
    ota_device_entries(&dev, e);
    assert_int_equal(e[0].state, AL_OTA_PENDING_VERIFY);
}

static void a_flash_that_cannot_be_written_still_boots(void **state)
{
    full_device();
    dev.boot.rollback = true;
    ota_device_put_entry(&dev, 0, 1, AL_OTA_NEW);
    dev.nor.writes_off = true;
    assert_string_equal(ota_device_boot(&dev), "ota_0");
    assert_true(ota_device_had_boot_event(&dev, AL_BOOT_EV_WRITE_FAILED));
}

static void without_validation_a_damaged_image_is_started(void **state)
{
    full_device();
    spoil("factory");
    assert_string_equal(ota_device_boot(&dev), "ota_0");
    dev.boot.skip_validate = true;
    assert_string_equal(ota_device_boot(&dev), "factory");
    dev.nor.bytes[OTA_DEVICE_APP + 12] = 5; /* chip id: the header is always looked at */
    assert_string_equal(ota_device_boot(&dev), "ota_0");
}

static void a_table_that_is_wrong_stops_the_boot(void **state)
{
    full_device();
    dev.nor.bytes[AL_PART_TABLE_OFFSET + 4] ^= 0x10;
    struct al_boot_result r;
    assert_int_equal(al_boot(&dev.nor.flash, &dev.boot, &r), AL_ERR_INVALID_STATE);
    assert_null(r.part);
    assert_int_equal(r.selected_index, AL_BOOT_NONE);
}

static void anti_rollback_without_slots_divides_by_nothing(void **state)
{
    ota_device_new(&dev, "factory");
    ota_device_put_image(&dev, "factory", IMAGE_1_0);
    ota_device_put_entry(&dev, 0, 1, AL_OTA_VALID);
    dev.boot.anti_rollback = dev.boot.rollback = true;
    assert_string_equal(ota_device_boot(&dev), "factory");
}

static void a_fallback_leaves_otadata_as_it_is(void **state)
{
    uint8_t before[AL_OTADATA_LEN];
    full_device();
    ota_device_put_entry(&dev, 0, 1, U);
    ota_device_put_entry(&dev, 1, 2, U);
    spoil("ota_1");
    memcpy(before, dev.nor.bytes + OTA_DEVICE_OTADATA, sizeof before);
    assert_string_equal(ota_device_boot(&dev), "ota_0");
    assert_memory_equal(before, dev.nor.bytes + OTA_DEVICE_OTADATA, sizeof before);
    assert_string_equal(al_ota_get_boot(&dev.ota)->label, "ota_1");
}

#define TEST(t) cmocka_unit_test_teardown(t, close_device)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hole_in_the_slots_makes_the_last_one_unreachable),
        TEST(slots_that_are_repeated_count_twice_and_the_last_row_is_taken),
        TEST(more_than_sixteen_rows_select_no_slot_that_does_not_exist),
        TEST(of_two_otadata_partitions_the_last_counts),
        TEST(small_otadata_stops_the_boot),
        TEST(without_otadata_the_factory_app_comes_first),
        TEST(a_partition_of_no_size_is_passed_over),
        TEST(sequence_zero_selects_the_last_slot),
        TEST(a_new_image_that_is_damaged_is_aborted_on_the_second_boot),
        TEST(a_pending_entry_with_a_wrong_crc_is_aborted_too),
        TEST(lower_slots_then_factory_then_higher_slots_are_tried),
        TEST(the_test_app_starts_by_pin_or_as_the_last_way_out),
        TEST(the_test_pin_without_a_test_app_stops_the_boot),
        TEST(factory_reset_erases_the_listed_partitions_and_selects_again),
        TEST(a_readonly_flag_does_not_bind_the_boot_loader),
        TEST(a_flash_that_cannot_be_written_still_boots),
        TEST(without_validation_a_damaged_image_is_started),
        TEST(a_table_that_is_wrong_stops_the_boot),
        TEST(anti_rollback_without_slots_divides_by_nothing),
        TEST(a_fallback_leaves_otadata_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
