/* Calls of the update API: which code in which case, in the original's order of
 * checks. Whole sequences are in test_otadata_vectors.c. */
#include "core/ota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "host/crypto_openssl.h"
#include "tests/support/ota_device.h"
#include "tests/support/vectors.h"

static struct ota_device dev;
static struct al_ota *const ota = &dev.ota;
static uint8_t *image;
static size_t image_len;

/* Runs factory 1.0.0; ota_0 holds 1.1.0; image is 1.2.0. */
static int open_device(void **state)
{
    ota_device_new(&dev, "factory ota_0 ota_1");
    ota_device_put_image(&dev, "factory", IMAGE_1_0);
    ota_device_put_image(&dev, "ota_0", IMAGE_1_1);
    ota_device_add(&dev, AL_PART_DATA, 0x06, "blob", 0x20000, 0x4000);
    ota_device_add(&dev, AL_PART_BOOTLOADER, AL_PART_PRIMARY, "boot", 0x0, 0x4000);
    ota_device_add(&dev, AL_PART_PARTITION_TABLE, AL_PART_PRIMARY, "table", 0x8000, 0x1000);
    ota_device_write_table(&dev);
    assert_string_equal(ota_device_boot(&dev), "factory");
    image = vector_file(&image_len, "esp-flash/otadata/images/" IMAGE_1_2);
    return 0;
}

static int close_device(void **state)
{
    free(image);
    ota_device_free(&dev);
    return 0;
}

static const struct al_part *part(const char *label)
{
    return ota_device_part(&dev, label);
}

static void install(const char *label)
{
    struct al_ota_update u;
    assert_int_equal(al_ota_begin(ota, part(label), AL_OTA_SEQUENTIAL, &u), 0);
    assert_int_equal(al_ota_write(ota, &u, image, (uint32_t)image_len), 0);
    assert_int_equal(al_ota_end(ota, &u), 0);
}

static void begin_refuses_what_cannot_be_updated(void **state)
{
    struct al_ota_update u, v;
    struct al_part unknown = *part("ota_0");
    unknown.size -= AL_SECTOR;
    assert_int_equal(al_ota_begin(ota, NULL, 0, &u), AL_ERR_INVALID_ARG);
    assert_int_equal(al_ota_begin(ota, part("ota_0"), 0, NULL), AL_ERR_INVALID_ARG);
    assert_int_equal(al_ota_begin(ota, &unknown, 0, &u), AL_ERR_NOT_FOUND);
    assert_int_equal(al_ota_begin(ota, part("factory"), 0, &u), AL_ERR_INVALID_ARG);
    assert_null(ota->open);
    ota->running = part("ota_0");
    assert_int_equal(al_ota_begin(ota, part("ota_0"), 0, &u), AL_ERR_OTA_PARTITION_CONFLICT);
    assert_int_equal(al_ota_begin(ota, part("ota_1"), AL_OTA_SEQUENTIAL, &u), 0);
    assert_int_equal(al_ota_begin(ota, part("ota_1"), 0, &v), AL_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_true(ota_device_had_ota_event(&dev, AL_OTA_EV_IN_PROGRESS));
    assert_int_equal(al_ota_begin(ota, part("blob"), AL_OTA_SEQUENTIAL, &v), 0);
    assert_int_equal(al_ota_abort(ota, &u), 0);
    assert_int_equal(al_ota_abort(ota, &u), AL_ERR_NOT_FOUND);
    assert_int_equal(al_ota_abort(ota, &v), 0);
    assert_null(ota->open);
}

static void begin_erases_the_whole_slot_or_what_is_asked(void **state)
{
    static const struct {
        uint32_t size;
        int err;
        uint32_t sectors;
    } rows[] = {
        {0, 0, 4},      {AL_OTA_SIZE_UNKNOWN, 0, 4},      {1, 0, 1},
        {0x1001, 0, 2}, {0x4001, AL_ERR_INVALID_SIZE, 0}, {AL_OTA_SEQUENTIAL, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct al_ota_update u;
        dev.nor.power->sectors_erased = 0;
        assert_int_equal(al_ota_begin(ota, part("ota_1"), rows[i].size, &u), rows[i].err);
        assert_int_equal(dev.nor.power->sectors_erased, rows[i].sectors);
        /* Also after a failed erase the update is open, as the original's handle is. */
        assert_int_equal(al_ota_abort(ota, &u), 0);
    }
}

static void begin_waits_until_the_running_app_is_confirmed(void **state)
{
    struct al_ota_update u;
    dev.boot.rollback = true;
    install("ota_1");
    ota_device_put_entry(&dev, 0, 2, AL_OTA_NEW);
    assert_string_equal(ota_device_boot(&dev), "ota_1");
    assert_int_equal(al_ota_begin(ota, part("ota_0"), 0, &u), AL_ERR_OTA_ROLLBACK_INVALID_STATE);
    assert_true(ota_device_had_ota_event(&dev, AL_OTA_EV_NOT_CONFIRMED));
    assert_int_equal(al_ota_resume(ota, part("ota_0"), 0, 0, &u),
                     AL_ERR_OTA_ROLLBACK_INVALID_STATE);
    assert_int_equal(al_ota_begin(ota, part("blob"), 0, &u), 0); /* data may be updated */
    assert_int_equal(al_ota_abort(ota, &u), 0);
    assert_int_equal(al_ota_mark_valid(ota), 0);
    assert_int_equal(al_ota_begin(ota, part("ota_0"), 0, &u), 0);
}

static void begin_forgets_the_previous_choice_with_rollback_only(void **state)
{
    struct al_ota_entry e[2];
    struct al_ota_update u;
    install("ota_1");
    for (int rollback = 0; rollback < 2; rollback++) {
        dev.boot.rollback = rollback;
        memset(dev.nor.bytes + OTA_DEVICE_OTADATA, 0xff, AL_OTADATA_LEN);
        ota_device_put_entry(&dev, 0, 1, AL_OTA_VALID);
        ota_device_put_entry(&dev, 1, 2, AL_OTA_VALID);
        assert_string_equal(ota_device_boot(&dev), "ota_1");
        assert_int_equal(al_ota_begin(ota, part("ota_0"), AL_OTA_SEQUENTIAL, &u), 0);
        ota_device_entries(&dev, e);
        assert_int_equal(e[0].seq, rollback ? AL_OTA_SEQ_EMPTY : 1);
        assert_int_equal(e[1].seq, 2);
        assert_int_equal(al_ota_abort(ota, &u), 0);
    }
}

static void write_checks_its_arguments_and_the_first_byte(void **state)
{
    struct al_ota_update u;
    assert_int_equal(al_ota_begin(ota, part("ota_1"), AL_OTA_SEQUENTIAL, &u), 0);
    assert_int_equal(al_ota_write(ota, &u, NULL, 1), AL_ERR_INVALID_ARG);
    assert_int_equal(al_ota_write(ota, &u, image, 0), 0);
    assert_int_equal(al_ota_write(ota, &u, "x", 1), AL_ERR_OTA_VALIDATE_FAILED);
    assert_true(ota_device_had_ota_event(&dev, AL_OTA_EV_BAD_IMAGE_MAGIC));
    assert_int_equal(al_ota_write(ota, &u, image, OTA_DEVICE_SLOT + 1), AL_ERR_INVALID_SIZE);
    assert_int_equal(al_ota_write_at(ota, &u, image, 16, 0), AL_ERR_INVALID_STATE);
    assert_int_equal(al_ota_abort(ota, &u), 0);
    assert_int_equal(al_ota_write(ota, &u, image, 1), AL_ERR_INVALID_ARG);
    assert_int_equal(al_ota_write(ota, &u, image, 0), 0);
    assert_int_equal(al_ota_write_at(ota, &u, image, 1, 0), AL_ERR_INVALID_ARG);
}

static void end_verifies_and_always_closes(void **state)
{
    struct al_ota_update u;
    assert_int_equal(al_ota_begin(ota, part("ota_1"), 0, &u), 0);
    assert_int_equal(al_ota_end(ota, &u), AL_ERR_INVALID_ARG); /* nothing written */
    assert_int_equal(al_ota_end(ota, &u), AL_ERR_NOT_FOUND);

    assert_int_equal(al_ota_begin(ota, part("ota_1"), 0, &u), 0);
    image[1000] ^= 1;
    assert_int_equal(al_ota_write(ota, &u, image, (uint32_t)image_len), 0);
    assert_int_equal(al_ota_end(ota, &u), AL_ERR_OTA_VALIDATE_FAILED);
    assert_true(ota_device_had_ota_event(&dev, AL_OTA_EV_IMAGE_FAULT));
    assert_true(ota_device_had_ota_event(&dev, AL_OTA_EV_VERIFY_FAILED));
    assert_null(ota->open);
}

static void pieces_in_any_order_make_the_image(void **state)
{
    struct al_ota_update u;
    uint32_t len = (uint32_t)image_len;
    assert_int_equal(al_ota_begin(ota, part("ota_1"), len, &u), 0);
    assert_int_equal(al_ota_write_at(ota, &u, image + 4000, len - 4000, 4000), 0);
    assert_int_equal(al_ota_write_at(ota, &u, image, 4000, 0), 0);
    assert_int_equal(al_ota_end(ota, &u), 0);
}

static void resume_goes_on_where_it_stopped(void **state)
{
    struct al_ota_update u;
    const struct al_part *p = part("ota_1");
    uint32_t len = (uint32_t)image_len;
    assert_int_equal(al_ota_begin(ota, p, AL_OTA_SEQUENTIAL, &u), 0);
    assert_int_equal(al_ota_write(ota, &u, image, 5000), 0);
    ota->open = NULL; /* reset */
    assert_int_equal(al_ota_resume(ota, NULL, 0, 0, &u), AL_ERR_INVALID_ARG);
    assert_int_equal(al_ota_resume(ota, p, 0, p->size + 1, &u), AL_ERR_INVALID_ARG);
    assert_int_equal(al_ota_resume(ota, part("factory"), 0, 0, &u), AL_ERR_INVALID_ARG);
    assert_int_equal(al_ota_resume(ota, p, AL_OTA_SEQUENTIAL, 5000, &u), 0);
    assert_int_equal(al_ota_write(ota, &u, image + 5000, len - 5000), 0);
    assert_int_equal(al_ota_end(ota, &u), 0);
}

static void a_boot_loader_goes_through_staging_into_its_place(void **state)
{
    struct al_ota_update u;
    size_t len;
    uint8_t *loader = vector_file(&len, "esp-flash/image/boot_c3.bin");
    dev.ota.device.chip = al_chip_by_id(5);
    assert_int_equal(al_ota_begin(ota, part("ota_1"), AL_OTA_SEQUENTIAL, &u), 0);
    assert_int_equal(al_ota_set_final(ota, &u, NULL, true), AL_ERR_INVALID_ARG);
    assert_int_equal(al_ota_set_final(ota, &u, part("boot"), true), 0);
    assert_true(ota_device_had_ota_event(&dev, AL_OTA_EV_FINAL));
    assert_int_equal(al_ota_write(ota, &u, loader, (uint32_t)len), 0);
    assert_int_equal(al_ota_set_final(ota, &u, part("boot"), true), AL_ERR_INVALID_STATE);
    assert_int_equal(al_ota_end(ota, &u), 0);
    assert_true(ota_device_had_ota_event(&dev, AL_OTA_EV_COPY));
    assert_memory_equal(dev.nor.bytes, loader, len);
    assert_int_equal(dev.nor.bytes[0x3fff], 0xff);
    free(loader);
}

static void a_partition_table_is_checked_before_it_is_copied(void **state)
{
    struct al_ota_update u;
    uint8_t raw[AL_PART_TABLE_LEN];
    struct al_part_table t = dev.table;
    t.count--;
    assert_int_equal(al_part_table_build(&t, true, &crypto_openssl, raw), 0);
    for (int good = 0; good < 2; good++) {
        raw[4] ^= 1; /* the MD5 is wrong in the first round */
        assert_int_equal(al_ota_begin(ota, part("ota_1"), AL_OTA_SEQUENTIAL, &u), 0);
        assert_int_equal(al_ota_set_final(ota, &u, part("table"), true), 0);
        assert_int_equal(al_ota_write(ota, &u, image, 2), AL_ERR_OTA_VALIDATE_FAILED);
        assert_int_equal(al_ota_write(ota, &u, raw, sizeof raw), 0);
        assert_int_equal(al_ota_end(ota, &u), good ? 0 : AL_ERR_OTA_VALIDATE_FAILED);
        assert_int_equal(memcmp(dev.nor.bytes + 0x8000, raw, sizeof raw) == 0, good);
    }
}

static void set_boot_verifies_first(void **state)
{
    assert_int_equal(al_ota_set_boot(ota, NULL, false), AL_ERR_INVALID_ARG);
    assert_int_equal(al_ota_set_boot(ota, part("ota_1"), false), AL_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(al_ota_set_boot(ota, part("blob"), false), AL_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(al_ota_set_boot(ota, part("blob"), true), AL_ERR_INVALID_ARG);
    assert_int_equal(al_ota_set_boot(ota, part("ota_1"), true), 0);
    assert_string_equal(al_ota_get_boot(ota)->label, "ota_1");
    assert_int_equal(al_ota_set_boot(ota, part("ota_0"), false), 0);
    assert_string_equal(ota_device_boot(&dev), "ota_0");
}

static void a_slot_behind_a_hole_cannot_be_chosen(void **state)
{
    install("ota_1");
    dev.table.part[5].subtype = AL_PART_OTA_0 + 2;
    assert_int_equal(al_ota_set_boot(ota, part("ota_1"), false), AL_ERR_INVALID_ARG);
    assert_int_equal(al_ota_set_boot(ota, part("ota_0"), false), 0);
}

static void what_is_valid_already_is_not_written_again(void **state)
{
    ota_device_put_entry(&dev, 0, 1, AL_OTA_VALID);
    dev.nor.power->ops = 0;
    assert_int_equal(al_ota_mark_valid(ota), 0);
    assert_int_equal(dev.nor.power->ops, 0);
    ota_device_put_entry(&dev, 1, 2, AL_OTA_PENDING_VERIFY);
    assert_int_equal(al_ota_mark_valid(ota), 0);
    assert_true(dev.nor.power->ops > 0);
}

static void a_final_partition_larger_than_staging_is_refused_untouched(void **state)
{
    struct al_ota_update u;
    dev.table.part[6].size = 0x8000; /* blob */
    dev.nor.bytes[0x20000] = 0x77;
    assert_int_equal(al_ota_begin(ota, part("ota_1"), AL_OTA_SEQUENTIAL, &u), 0);
    assert_int_equal(al_ota_set_final(ota, &u, part("blob"), true), 0);
    assert_int_equal(al_ota_write(ota, &u, "data", 4), 0);
    assert_int_equal(al_ota_end(ota, &u), AL_ERR_INVALID_SIZE);
    assert_int_equal(dev.nor.bytes[0x20000], 0x77);
}

static void without_otadata_nothing_can_be_chosen(void **state)
{
    dev.table.part[1].subtype = AL_PART_DATA_EFUSE;
    uint32_t value;
    assert_int_equal(al_ota_set_boot(ota, part("ota_0"), false), AL_ERR_NOT_FOUND);
    assert_true(ota_device_had_ota_event(&dev, AL_OTA_EV_NO_OTADATA));
    assert_int_equal(al_ota_set_boot(ota, part("factory"), false), AL_ERR_NOT_FOUND);
    assert_int_equal(al_ota_mark_valid(ota), AL_ERR_NOT_FOUND);
    assert_int_equal(al_ota_mark_invalid(ota), AL_ERR_NOT_FOUND);
    assert_int_equal(al_ota_get_state(ota, part("ota_0"), &value), AL_ERR_NOT_FOUND);
    assert_int_equal(al_ota_erase_last_boot(ota), AL_FAIL);
    assert_null(al_ota_get_boot(ota));
    assert_null(al_ota_last_invalid(ota));
    assert_false(al_ota_rollback_possible(ota));
}

static void without_an_entry_in_force_nothing_can_be_marked(void **state)
{
    assert_int_equal(al_ota_mark_valid(ota), AL_FAIL);
    assert_true(ota_device_had_ota_event(&dev, AL_OTA_EV_RUNNING_FACTORY));
    assert_int_equal(al_ota_mark_invalid(ota), AL_FAIL);
    assert_string_equal(al_ota_get_boot(ota)->label, "factory");
    assert_false(ota_device_had_ota_event(&dev, AL_OTA_EV_NO_CURRENT_APP));
    ota_device_put_entry(&dev, 0, 1, AL_OTA_VALID);
    dev.nor.bytes[OTA_DEVICE_OTADATA + 28] ^= 2; /* not empty, and of no use */
    assert_string_equal(al_ota_get_boot(ota)->label, "factory");
    assert_true(ota_device_had_ota_event(&dev, AL_OTA_EV_NO_CURRENT_APP));
}

static void the_first_of_two_otadata_partitions_counts_for_the_app(void **state)
{
    ota_device_add(&dev, AL_PART_DATA, AL_PART_DATA_OTA, "second", 0x30000, AL_OTADATA_LEN);
    assert_int_equal(al_ota_set_boot(ota, part("ota_0"), false), 0);
    assert_int_equal(dev.nor.bytes[0x30000], 0xff);
    assert_int_equal(dev.nor.bytes[OTA_DEVICE_OTADATA], 0x01);
}

static void an_old_entry_hides_the_newer_state_of_the_same_slot(void **state)
{
    uint32_t value = 0;
    ota_device_put_entry(&dev, 0, 1, AL_OTA_ABORTED);
    ota_device_put_entry(&dev, 1, 3, AL_OTA_VALID);
    assert_int_equal(al_ota_get_state(ota, part("ota_0"), &value), 0);
    assert_int_equal(value, AL_OTA_ABORTED);
    assert_int_equal(al_ota_get_state(ota, part("ota_1"), &value), AL_ERR_NOT_FOUND);
    assert_int_equal(al_ota_get_state(ota, part("factory"), &value), AL_ERR_NOT_SUPPORTED);
    assert_int_equal(al_ota_get_state(ota, NULL, &value), AL_ERR_INVALID_ARG);
}

static void the_next_slot_is_the_one_behind_and_wraps(void **state)
{
    assert_string_equal(al_ota_next_update(ota, NULL)->label, "ota_0");
    assert_string_equal(al_ota_next_update(ota, part("ota_0"))->label, "ota_1");
    assert_string_equal(al_ota_next_update(ota, part("ota_1"))->label, "ota_0");
    dev.table.part[5].type = AL_PART_DATA; /* ota_1 gone: only one slot, it follows itself */
    assert_string_equal(al_ota_next_update(ota, part("ota_0"))->label, "ota_0");
    dev.table.part[4].type = AL_PART_DATA;
    assert_null(al_ota_next_update(ota, NULL));
}

static void rollback_needs_an_image_that_verifies(void **state)
{
    dev.boot.rollback = true;
    install("ota_1");
    ota_device_put_entry(&dev, 0, 1, AL_OTA_VALID);
    ota_device_put_entry(&dev, 1, 2, AL_OTA_PENDING_VERIFY);
    ota->rollback = true;
    assert_true(al_ota_rollback_possible(ota));
    dev.nor.bytes[part("ota_0")->offset + 1000] ^= 1;
    assert_false(al_ota_rollback_possible(ota)); /* factory is not looked at then */
    assert_int_equal(al_ota_mark_invalid(ota), AL_ERR_OTA_ROLLBACK_FAILED);
    assert_true(ota_device_had_ota_event(&dev, AL_OTA_EV_ROLLBACK_IMPOSSIBLE));
    assert_false(ota_device_had_ota_event(&dev, AL_OTA_EV_IMAGE_FAULT)); /* silent */
    memset(dev.nor.bytes + OTA_DEVICE_OTADATA, 0xff, AL_SECTOR);
    assert_true(al_ota_rollback_possible(ota)); /* to factory */
    ota->anti_rollback = true;
    assert_false(al_ota_rollback_possible(ota));
}

static void the_smaller_of_two_bad_sequences_is_the_last_invalid(void **state)
{
    install("ota_1");
    ota_device_put_entry(&dev, 0, 3, AL_OTA_ABORTED);
    ota_device_put_entry(&dev, 1, 2, AL_OTA_INVALID);
    assert_string_equal(al_ota_last_invalid(ota)->label, "ota_1");
    dev.nor.bytes[part("ota_1")->offset] = 0;
    assert_null(al_ota_last_invalid(ota));
}

static void the_previous_app_is_erased_only_when_it_does_not_run(void **state)
{
    struct al_ota_entry e[2];
    install("ota_1");
    ota_device_put_entry(&dev, 0, 1, AL_OTA_VALID);
    ota_device_put_entry(&dev, 1, 2, AL_OTA_VALID);
    ota->running = part("ota_0");
    assert_int_equal(al_ota_erase_last_boot(ota), AL_FAIL);
    assert_int_equal(al_ota_invalidate_inactive(ota), AL_FAIL);
    ota->running = part("ota_1");
    assert_int_equal(al_ota_erase_last_boot(ota), 0);
    ota_device_entries(&dev, e);
    assert_int_equal(e[0].seq, AL_OTA_SEQ_EMPTY);
    assert_int_equal(dev.nor.bytes[part("ota_0")->offset], 0xff);
    assert_int_equal(al_ota_erase_last_boot(ota), AL_FAIL);
}

static void registered_partitions_can_be_updated(void **state)
{
    struct al_ota_update u;
    struct al_part extra = {
        .type = AL_PART_DATA, .subtype = 0x99, .offset = 0x3c000, .size = 0x1000, .label = "extra"};
    assert_int_equal(al_ota_begin(ota, &extra, 0, &u), AL_ERR_NOT_FOUND);
    ota->extra = &extra;
    ota->extra_count = 1;
    assert_int_equal(al_ota_begin(ota, &extra, 0, &u), 0);
    assert_int_equal(al_ota_write(ota, &u, "data", 4), 0);
    assert_int_equal(al_ota_end(ota, &u), 0);
    assert_memory_equal(dev.nor.bytes + 0x3c000, "data", 4);
}

static void an_image_is_held_against_chip_and_flash_mode(void **state)
{
    struct al_image_header h;
    struct al_app_desc desc = {.spi_flash_mode = 1}, running = {.spi_flash_mode = 3};
    al_image_header_parse(image, &h);
    assert_int_equal(al_ota_check_image(ota, AL_PART_DATA, &h, NULL, NULL), AL_ERR_INVALID_ARG);
    assert_int_equal(al_ota_check_image(ota, AL_PART_APP, NULL, NULL, NULL), AL_ERR_INVALID_ARG);
    assert_int_equal(al_ota_check_image(ota, AL_PART_APP, &h, NULL, &running), 0);
    assert_int_equal(al_ota_check_image(ota, AL_PART_APP, &h, &desc, &running),
                     AL_ERR_OTA_SPI_MODE_MISMATCH);
    running.spi_flash_mode = 0;
    assert_int_equal(al_ota_check_image(ota, AL_PART_APP, &h, &desc, &running), 0);
    dev.ota_event_count = 0;
    h.chip_id = 5;
    assert_int_equal(al_ota_check_image(ota, AL_PART_APP, &h, NULL, NULL), AL_ERR_INVALID_VERSION);
    assert_int_equal(dev.ota_event_count, 1); /* people are told which figure is wrong */
    assert_int_equal(dev.ota_events[0], AL_OTA_EV_IMAGE_FAULT);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, open_device, close_device)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(begin_refuses_what_cannot_be_updated),
        TEST(begin_erases_the_whole_slot_or_what_is_asked),
        TEST(begin_waits_until_the_running_app_is_confirmed),
        TEST(begin_forgets_the_previous_choice_with_rollback_only),
        TEST(write_checks_its_arguments_and_the_first_byte),
        TEST(end_verifies_and_always_closes),
        TEST(pieces_in_any_order_make_the_image),
        TEST(resume_goes_on_where_it_stopped),
        TEST(a_boot_loader_goes_through_staging_into_its_place),
        TEST(a_partition_table_is_checked_before_it_is_copied),
        TEST(set_boot_verifies_first),
        TEST(a_slot_behind_a_hole_cannot_be_chosen),
        TEST(what_is_valid_already_is_not_written_again),
        TEST(a_final_partition_larger_than_staging_is_refused_untouched),
        TEST(without_otadata_nothing_can_be_chosen),
        TEST(without_an_entry_in_force_nothing_can_be_marked),
        TEST(the_first_of_two_otadata_partitions_counts_for_the_app),
        TEST(an_old_entry_hides_the_newer_state_of_the_same_slot),
        TEST(the_next_slot_is_the_one_behind_and_wraps),
        TEST(rollback_needs_an_image_that_verifies),
        TEST(the_smaller_of_two_bad_sequences_is_the_last_invalid),
        TEST(the_previous_app_is_erased_only_when_it_does_not_run),
        TEST(registered_partitions_can_be_updated),
        TEST(an_image_is_held_against_chip_and_flash_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
