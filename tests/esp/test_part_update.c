/* New contents for data partitions through the firmware's calls: where they are staged, what
 * is refused, how callbacks of the vendor's services see them, what a start does. The device runs
 * ota_1, confirmed; ota_0 is the passive slot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/boot.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/part_update.h"
#include "esp_flash.h"
#include "esp_ota_ops.h"
#include "host/crypto_openssl.h"
#include "nvs_flash.h"
#include "tests/support/test_board.h"
#include "tests/support/vectors.h"

const struct airlift_config_entry airlift_config[] = {{"BOOTLOADER_APP_ROLLBACK_ENABLE", "y"},
                                                      {NULL, NULL}};

#define TONES   0x310000u
#define TEXTS   0x320000u
#define LOCKED  0x328000u
#define STAGING 0x330000u
#define LARGE   0x340000u
#define SLOT    0x100000u
#define IMAGE   65616u /* bytes of the images */

static const struct al_part parts[] = {
    {AL_PART_DATA, AL_PART_DATA_NVS, TEST_NVS, 0x4000, "nvs", 0},
    {AL_PART_DATA, AL_PART_DATA_OTA, TEST_OTADATA, 0x2000, "otadata", 0},
    {AL_PART_APP, AL_PART_OTA_0, TEST_OTA_0, SLOT, "ota_0", 0},
    {AL_PART_APP, AL_PART_OTA_0 + 1, TEST_OTA_1, SLOT, "ota_1", 0},
    {AL_PART_DATA, 0x81, TONES, 0x10000, "tones", 0},
    {AL_PART_DATA, 0x82, TEXTS, 0x8000, "texts", 0},
    {AL_PART_DATA, 0x83, LOCKED, 0x1000, "locked", AL_PART_READONLY},
    {AL_PART_DATA, 0x84, STAGING, 0x10000, "staging", 0},
    {AL_PART_DATA, 0x85, LARGE, 0x80000, "large", 0},
};

static uint8_t content[0x80000];

static void put_choice(uint32_t index, uint32_t seq, uint32_t state)
{
    uint8_t raw[AL_OTA_ENTRY_LEN];
    struct al_ota_entry e = {.seq = seq, .state = state, .crc = al_ota_entry_crc(seq)};
    memset(e.seq_label, 0xff, sizeof e.seq_label);
    al_ota_entry_encode(&e, raw);
    test_board_fill(TEST_OTADATA + index * AL_SECTOR, raw, sizeof raw);
}

static int setup(void **state)
{
    static struct al_part_table table;
    uint8_t raw[AL_PART_TABLE_LEN];
    test_board_new();
    memset(&table, 0, sizeof table);
    table.count = sizeof parts / sizeof *parts;
    memcpy(table.part, parts, sizeof parts);
    assert_int_equal(al_part_table_build(&table, true, &crypto_openssl, raw), 0);
    test_board_fill(AL_PART_TABLE_OFFSET, raw, sizeof raw);
    test_board_put_vector(TEST_OTA_1, "esp-flash/image/app_c3_v1.bin");
    test_board_run_from(TEST_OTA_1);
    put_choice(1, 18, AL_OTA_VALID);
    for (size_t i = 0; i < sizeof content; i++) content[i] = (uint8_t)(i * 31 + (i >> 8) + 1);
    test_board_fill(TONES, "old tones", 9);
    test_board_fill(TEXTS, "old texts", 9);
    test_board_fill(LARGE, "old large", 9);
    return 0;
}

static int teardown(void **state)
{
    nvs_flash_deinit();
    return 0;
}

static const esp_partition_t *labelled(const char *label)
{
    const esp_partition_t *p =
        esp_partition_find_first(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, label);
    assert_non_null(p);
    return p;
}

static uint8_t *flash(uint32_t at)
{
    return board()->nor.bytes + at;
}

static bool blank(uint32_t at, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (*flash(at + i) != 0xff) return false;
    return true;
}

static struct part_update *begun(const char *label, int64_t size)
{
    char why[200] = "";
    struct part_update *u;
    const struct part_update_options o = {.size = size};
    if (part_update_begin(labelled(label), &o, &u, why, sizeof why)) fail_msg("%s", why);
    return u;
}

static esp_err_t refused(const char *label, struct part_update_options o, const char *text)
{
    char why[300] = "";
    struct part_update *u;
    esp_err_t err = part_update_begin(labelled(label), &o, &u, why, sizeof why);
    if (!err || u) fail_msg("%s is not refused", label);
    if (!strstr(why, text)) fail_msg("no \"%s\" in: %s", text, why);
    return err;
}

static void write_all(struct part_update *u, uint32_t len)
{
    for (uint32_t at = 0; at < len; at += 1000)
        assert_int_equal(part_update_write(u, content + at, len - at < 1000 ? len - at : 1000), 0);
    assert_int_equal(part_update_written(u), len);
}

static void install_app(void)
{
    size_t len;
    esp_ota_handle_t handle;
    uint8_t *image = vector_file(&len, "esp-flash/image/app_c3_v2.bin");
    assert_int_equal(esp_ota_begin(labelled("ota_0"), OTA_SIZE_UNKNOWN, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, image, len), ESP_OK);
    assert_int_equal(esp_ota_end(handle), ESP_OK);
    free(image);
}

/* --- one partition --- */

static void new_content_is_staged_and_then_becomes_the_partitions(void **state)
{
    struct part_update *u = begun("tones", 5000);
    assert_int_equal(part_update_place(u), PART_UPDATE_STAGED);
    write_all(u, 5000);
    assert_memory_equal(flash(TONES), "old tones", 9);
    assert_memory_equal(flash(STAGING), content, 5000);
    assert_int_equal(part_update_commit(u), ESP_OK);
    assert_memory_equal(flash(TONES), content, 5000);
    assert_true(blank(TONES + 5000, 0x10000 - 5000));
    assert_true(blank(TEST_OTA_0, SLOT));
}

static void an_aborted_update_leaves_the_partition_alone(void **state)
{
    struct part_update *u = begun("tones", 5000);
    write_all(u, 5000);
    part_update_abort(u);
    assert_memory_equal(flash(TONES), "old tones", 9);
    u = begun("tones", 0);
    assert_int_equal(part_update_commit(u), ESP_OK);
    assert_true(blank(TONES, 0x10000));
}

static void what_does_not_fit_is_refused(void **state)
{
    assert_int_equal(refused("tones", (struct part_update_options){.size = 0x10001}, "do not fit"),
                     ESP_ERR_INVALID_SIZE);
    struct part_update *u = begun("texts", -1);
    write_all(u, 0x8000);
    assert_int_equal(part_update_write(u, "x", 1), ESP_ERR_INVALID_SIZE);
    part_update_abort(u);
    u = begun("large", 0x2000); /* no more room is kept than was asked for */
    write_all(u, 0x2000);
    assert_int_equal(part_update_write(u, "x", 1), ESP_ERR_INVALID_SIZE);
    part_update_abort(u);
}

static void partitions_of_the_system_are_refused(void **state)
{
    const struct part_update_options o = {.size = 100, .in_place = true};
    assert_int_equal(refused("locked", o, "read-only"), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(refused("nvs", o, "system"), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(refused("otadata", o, "system"), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(refused("ota_0", o, "system"), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(refused("staging", o, "system"), ESP_ERR_NOT_ALLOWED);
    struct part_update *u = begun("tones", 100);
    assert_int_equal(refused("tones", o, "open already"), ESP_ERR_INVALID_STATE);
    part_update_abort(u);
}

static void staged_bytes_that_read_back_differently_are_not_used(void **state)
{
    struct part_update *u = begun("tones", 5000);
    write_all(u, 5000);
    *flash(STAGING + 4321) ^= 2;
    assert_int_equal(part_update_commit(u), ESP_ERR_INVALID_CRC);
    assert_memory_equal(flash(TONES), "old tones", 9);
}

static void a_registered_partition_is_updated_too(void **state)
{
    const esp_partition_t *p;
    assert_int_equal(esp_partition_register_external(esp_flash_default_chip, 0x3c0000, 0x4000,
                                                     "fonts", 0x40, 0x05, &p),
                     ESP_OK);
    struct part_update *u = begun("fonts", -1);
    write_all(u, 0x3800);
    assert_int_equal(part_update_commit(u), ESP_OK);
    assert_memory_equal(flash(0x3c0000), content, 0x3800);
    assert_int_equal(esp_partition_deregister_external(p), ESP_OK);
}

/* --- where it is staged --- */

static void what_the_spare_partition_has_no_room_for_goes_to_the_passive_slot(void **state)
{
    struct part_update *a = begun("tones", 0x8000), *b = begun("texts", 0x7000);
    write_all(a, 0x8000);
    write_all(b, 0x7000);
    assert_memory_equal(flash(STAGING), content, 0x8000);
    assert_memory_equal(flash(TEST_OTA_0), content, 0x7000);
    assert_int_equal(part_update_commit(b), ESP_OK);
    assert_int_equal(part_update_commit(a), ESP_OK);
    assert_memory_equal(flash(TONES), content, 0x8000);
    assert_memory_equal(flash(TEXTS), content, 0x7000);
}

static void an_image_in_the_passive_slot_is_spared_when_there_is_room_behind_it(void **state)
{
    install_app();
    assert_int_equal(esp_ota_set_boot_partition(labelled("ota_0")), ESP_OK);
    struct part_update *u = begun("large", 0x80000);
    write_all(u, 0x80000);
    assert_memory_equal(flash(TEST_OTA_0 + 0x12000), content, 0x80000); /* 17 sectors and one */
    assert_int_equal(part_update_commit(u), ESP_OK);
    assert_memory_equal(flash(LARGE), content, 0x80000);
    assert_int_equal(esp_ota_set_boot_partition(labelled("ota_0")), ESP_OK);
}

static void nothing_is_staged_where_an_app_is_being_written(void **state)
{
    esp_ota_handle_t handle;
    assert_int_equal(esp_ota_begin(labelled("ota_0"), OTA_SIZE_UNKNOWN, &handle), ESP_OK);
    assert_int_equal(refused("large", (struct part_update_options){.size = -1}, "no place"),
                     ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_abort(handle), ESP_OK);
}

static esp_ota_handle_t ota_handle;
static esp_err_t ota_result;

static void try_ota(void *arg)
{
    ota_result = esp_ota_begin(labelled("ota_0"), OTA_SIZE_UNKNOWN, &ota_handle);
}

static void an_app_update_over_staged_data_is_refused(void **state)
{
    struct part_update *u = begun("large", 0x20000);
    write_all(u, 0x20000);
    char *log = test_board_capture(try_ota, NULL);
    assert_int_equal(ota_result, ESP_ERR_INVALID_STATE);
    assert_non_null(strstr(log, "ota_0 holds new data for partition large"));
    free(log);
    assert_int_equal(part_update_commit(u), ESP_OK);
    try_ota(NULL);
    assert_int_equal(ota_result, ESP_OK);
    assert_int_equal(esp_ota_abort(ota_handle), ESP_OK);
}

static void an_app_on_trial_keeps_the_slot_that_it_may_go_back_to(void **state)
{
    put_choice(1, 18, AL_OTA_PENDING_VERIFY);
    assert_int_equal(refused("large", (struct part_update_options){.size = -1}, "confirm"),
                     ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    struct part_update *u = begun("tones", 5000); /* fits into the spare partition */
    part_update_abort(u);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    u = begun("large", -1);
    part_update_abort(u);
}

/* --- in place --- */

static void without_room_an_update_in_place_is_marked_until_it_is_whole(void **state)
{
    esp_ota_handle_t handle;
    struct part_update *u;
    const struct part_update_options o = {.size = -1, .in_place = true};
    assert_int_equal(esp_ota_begin(labelled("ota_0"), OTA_SIZE_UNKNOWN, &handle), ESP_OK);
    assert_int_equal(refused("large", o, "nvs_flash_init"), ESP_ERR_INVALID_STATE);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(part_update_begin(labelled("large"), &o, &u, NULL, 0), ESP_OK);
    assert_int_equal(part_update_place(u), PART_UPDATE_IN_PLACE);
    assert_false(part_update_incomplete(labelled("large")));
    assert_memory_equal(flash(LARGE), "old large", 9);
    write_all(u, 3000);
    assert_true(part_update_incomplete(labelled("large")));
    part_update_abort(u);
    assert_true(part_update_incomplete(labelled("large")));
    assert_false(part_update_incomplete(labelled("tones")));
    assert_int_equal(part_update_begin(labelled("large"), &o, &u, NULL, 0), ESP_OK);
    write_all(u, 2000);
    assert_int_equal(part_update_commit(u), ESP_OK);
    assert_false(part_update_incomplete(labelled("large")));
    assert_memory_equal(flash(LARGE), content, 2000);
    assert_true(blank(LARGE + 2000, 0x80000 - 2000));
    assert_int_equal(esp_ota_abort(handle), ESP_OK);
}

static void strictly_in_place_nothing_is_staged(void **state)
{
    struct part_update *u;
    const struct part_update_options o = {.size = 5000, .strict_in_place = true};
    assert_int_equal(nvs_flash_init(), ESP_OK);
    test_board_fill(TONES + 0x8000, "old tones", 9);
    assert_int_equal(part_update_begin(labelled("tones"), &o, &u, NULL, 0), ESP_OK);
    assert_int_equal(part_update_write(u, content, 1), ESP_OK);
    assert_true(blank(TONES + 1, 0xffff)); /* all is erased before the first byte */
    assert_int_equal(part_update_commit(u), ESP_OK);
    assert_true(blank(STAGING, 0x10000));
}

static void cut_in_place(const char *label)
{
    struct part_update *u;
    const struct part_update_options o = {.size = -1, .strict_in_place = true};
    assert_int_equal(part_update_begin(labelled(label), &o, &u, NULL, 0), ESP_OK);
    write_all(u, 3000);
    part_update_abort(u);
    assert_true(part_update_incomplete(labelled(label)));
}

static void what_an_update_in_place_left_incomplete_is_whole_after_a_staged_one(void **state)
{
    assert_int_equal(nvs_flash_init(), ESP_OK);
    cut_in_place("tones");
    struct part_update *u = begun("tones", 5000);
    write_all(u, 5000);
    assert_true(part_update_incomplete(labelled("tones")));
    assert_int_equal(part_update_commit(u), ESP_OK);
    assert_false(part_update_incomplete(labelled("tones")));
    cut_in_place("texts");
    u = begun("texts", 100);
    part_update_abort(u);
    assert_true(part_update_incomplete(labelled("texts")));
}

static void what_a_commit_could_not_finish_is_incomplete_until_a_start_did(void **state)
{
    struct nor_flash *nor = &board()->nor;
    assert_int_equal(nvs_flash_init(), ESP_OK);
    struct part_update *u = begun("tones", 9000);
    write_all(u, 9000);
    nor->on_power_cut = NULL;
    nor_flash_cut_at(nor, 25); /* 13 for the record, then the first sectors */
    assert_int_not_equal(part_update_commit(u), ESP_OK);
    nor_flash_power_on(nor);
    assert_memory_equal(flash(STAGING + 0xf000), "ALCS", 4);
    assert_memory_not_equal(flash(TONES), content, 9000);
    assert_true(part_update_incomplete(labelled("tones")));
    assert_false(part_update_incomplete(labelled("texts")));
    idf_change_recover();
    assert_memory_equal(flash(TONES), content, 9000);
    assert_false(part_update_incomplete(labelled("tones")));
}

/* --- overlay --- */

static void callbacks_see_the_staged_content_in_the_partitions_place(void **state)
{
    uint8_t now[16];
    const esp_partition_t *tones = labelled("tones");
    struct part_update *u = begun("tones", 20000);
    part_overlay_begin(u, false);
    assert_int_equal(esp_partition_read(tones, 0, now, 9), ESP_OK);
    assert_memory_equal(now, "old tones", 9);
    assert_int_equal(esp_partition_erase_range(tones, 0, tones->size), ESP_OK);
    assert_int_equal(esp_partition_write(tones, 0, content, 8), ESP_OK);
    assert_int_equal(esp_partition_read(tones, 4, now, 16), ESP_OK);
    assert_memory_equal(now, content + 4, 4);
    assert_int_equal(now[4], 0xff);
    assert_int_equal(esp_partition_read(tones, tones->size - 16, now, 16), ESP_OK);
    assert_int_equal(now[15], 0xff);
    assert_int_equal(esp_partition_write(tones, 0x8000, now, 1), ESP_ERR_INVALID_SIZE);
    const void *map;
    esp_partition_mmap_handle_t handle;
    assert_int_equal(esp_partition_mmap(tones, 0, 8, ESP_PARTITION_MMAP_DATA, &map, &handle), 0);
    assert_memory_equal(map, content, 8);
    assert_null(part_overlay_end());
    assert_int_equal(esp_partition_read(tones, 0, now, 9), ESP_OK);
    assert_memory_equal(now, "old tones", 9);
    assert_int_equal(part_update_write(u, content + 8, 9992), ESP_OK);
    assert_int_equal(part_update_commit(u), ESP_OK);
    assert_memory_equal(flash(TONES), content, 10000);
    assert_true(blank(TONES + 10000, 0x10000 - 10000));
}

static void a_callback_that_changes_a_part_keeps_the_rest(void **state)
{
    const esp_partition_t *texts = labelled("texts");
    test_board_fill(TEXTS + 0x3000, content, 0x1000);
    struct part_update *u = begun("texts", -1);
    part_overlay_begin(u, false);
    assert_int_equal(esp_partition_erase_range(texts, 0x1000, 0x1000), ESP_OK);
    assert_int_equal(esp_partition_write(texts, 0x1000, "new", 3), ESP_OK);
    assert_int_equal(esp_partition_write(texts, 100, "added", 5), ESP_OK);
    part_overlay_end();
    assert_true(blank(TEXTS + 100, 5));
    assert_int_equal(part_update_commit(u), ESP_OK);
    assert_memory_equal(flash(TEXTS), "old texts", 9);
    assert_memory_equal(flash(TEXTS + 100), "added", 5);
    assert_memory_equal(flash(TEXTS + 0x1000), "new", 3);
    assert_memory_equal(flash(TEXTS + 0x3000), content, 0x1000);
}

/* --- together --- */

/* Two data partitions and the app, as the service's list does it. */
static void upgrade_all(void *arg)
{
    struct part_change *c;
    struct part_update *a = begun("tones", 9000), *b = begun("texts", 3000);
    assert_int_equal(part_change_new(&c), ESP_OK);
    part_overlay_begin(NULL, true);
    assert_int_equal(esp_ota_set_boot_partition(labelled("ota_0")), ESP_OK);
    const esp_partition_t *slot = part_overlay_end();
    assert_ptr_equal(slot, labelled("ota_0"));
    write_all(a, 9000);
    write_all(b, 3000);
    assert_int_equal(part_change_add(c, a), ESP_OK);
    assert_int_equal(part_change_add(c, b), ESP_OK);
    assert_int_equal(part_change_boot(c, slot), ESP_OK);
    assert_ptr_equal(esp_ota_get_boot_partition(), labelled("ota_1"));
    assert_memory_not_equal(flash(TONES + 3000), content + 3000, 6000); /* nothing yet */
    if (arg) nor_flash_cut_at(&board()->nor, *(const uint64_t *)arg);
    assert_int_equal(part_change_commit(c), ESP_OK);
}

static void apps_and_data_switch_together_and_are_confirmed_together(void **state)
{
    install_app();
    upgrade_all(NULL);
    assert_ptr_equal(esp_ota_get_boot_partition(), labelled("ota_0"));
    assert_memory_equal(flash(TONES), content, 9000);
    assert_memory_equal(flash(TEXTS), content, 3000);
    assert_int_equal(refused("tones", (struct part_update_options){.size = 1}, "on trial"),
                     ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    free(test_board_capture(try_ota, NULL)); /* over the app that the record names */
    assert_int_equal(ota_result, ESP_ERR_INVALID_STATE);
    assert_memory_equal(flash(STAGING + 0xf000), "ALCS", 4);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_memory_equal(flash(STAGING + 0xf000), "\0\0\0", 4); /* at once */
    struct part_update *u = begun("tones", 1);
    part_update_abort(u);
}

static void incomplete_content_is_not_kept_for_a_rollback(void **state)
{
    assert_int_equal(nvs_flash_init(), ESP_OK);
    cut_in_place("tones");
    install_app();
    upgrade_all(NULL);
    assert_ptr_equal(esp_ota_get_boot_partition(), labelled("ota_0"));
    assert_memory_equal(flash(TONES), content, 9000);
    assert_false(part_update_incomplete(labelled("tones")));
    assert_memory_equal(flash(STAGING + 0xf000), "\0\0\0", 4); /* nothing is on trial */
}

static void a_change_that_is_aborted_leaves_all_as_it_was(void **state)
{
    struct part_change *c;
    struct part_update *u = begun("tones", 9000);
    write_all(u, 9000);
    assert_int_equal(part_change_new(&c), ESP_OK);
    assert_int_equal(part_change_add(c, u), ESP_OK);
    part_change_abort(c);
    assert_memory_equal(flash(TONES), "old tones", 9);
}

static void data_is_never_staged_over_an_app_that_a_change_will_choose(void **state)
{
    install_app();
    struct part_change *c;
    assert_int_equal(part_change_new(&c), ESP_OK);
    assert_int_equal(part_change_boot(c, labelled("ota_0")), ESP_OK);
    *flash(TEST_OTA_0 + 0x1000) ^= 1; /* nobody can say where it ends */
    assert_int_equal(refused("large", (struct part_update_options){.size = -1}, "no place"),
                     ESP_ERR_NOT_FOUND);
    part_change_abort(c);
    struct part_update *u = begun("large", -1);
    part_update_abort(u);
}

/* --- power cuts, with everything as in a firmware --- */

static void recover(void *arg)
{
    idf_change_recover();
}

static const char *contents(void)
{
    bool new_tones = !memcmp(flash(TONES), content, 9000) && blank(TONES + 9000, 0x10000 - 9000);
    bool new_texts = !memcmp(flash(TEXTS), content, 3000) && blank(TEXTS + 3000, 0x8000 - 3000);
    bool old_tones = !memcmp(flash(TONES), "old tones", 9) && blank(TONES + 9, 0x10000 - 9);
    bool old_texts = !memcmp(flash(TEXTS), "old texts", 9) && blank(TEXTS + 9, 0x8000 - 9);
    return new_tones && new_texts ? "new" : old_tones && old_texts ? "old" : "mixed";
}

/* Boot loader and recovery until the app would start. Gives its offset. */
static uint32_t start_app(void)
{
    struct al_boot_config cfg = {.crypto = &crypto_openssl, .rollback = true};
    efuse_device_ids(&board()->efuse, &cfg.device);
    for (int restarts = 0; restarts < 4; restarts++) {
        static struct al_boot_result r;
        nor_flash_power_on(&board()->nor);
        assert_int_equal(al_boot(&board()->nor.flash, &cfg, &r), 0);
        test_board_run_from(r.part->offset);
        if (test_board_fork(recover, NULL, NULL) != RESET_SW) return r.part->offset;
    }
    fail_msg("restarts for ever");
    return 0;
}

/* Must run first: this process has not looked at the device yet, its children do. */
static void power_cuts_leave_apps_and_data_old_or_new_together(void **state)
{
    uint32_t cuts = 0, of_new = 0;
    for (uint64_t nth = 1;; nth += 3) {
        setup(NULL);
        test_board_put_vector(TEST_OTA_0, "esp-flash/image/app_c3_v2.bin");
        test_board_fork(upgrade_all, &nth, NULL);
        bool cut = board()->nor.power->off;
        uint32_t app = start_app();
        const char *is = contents();
        assert_string_equal(is, app == TEST_OTA_0 ? "new" : "old");
        of_new += app == TEST_OTA_0;
        if (!cut) break;
        cuts++;
        if (app != TEST_OTA_0) continue;
        /* The new app does not confirm itself: all goes back. */
        assert_int_equal(start_app(), TEST_OTA_1);
        assert_string_equal(contents(), "old");
    }
    assert_true(cuts > 20 && of_new > 10);
}

int main(void)
{
#define on_device(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_cuts_leave_apps_and_data_old_or_new_together),
        on_device(new_content_is_staged_and_then_becomes_the_partitions),
        on_device(an_aborted_update_leaves_the_partition_alone),
        on_device(what_does_not_fit_is_refused),
        on_device(partitions_of_the_system_are_refused),
        on_device(staged_bytes_that_read_back_differently_are_not_used),
        on_device(a_registered_partition_is_updated_too),
        on_device(what_the_spare_partition_has_no_room_for_goes_to_the_passive_slot),
        on_device(an_image_in_the_passive_slot_is_spared_when_there_is_room_behind_it),
        on_device(nothing_is_staged_where_an_app_is_being_written),
        on_device(an_app_update_over_staged_data_is_refused),
        on_device(an_app_on_trial_keeps_the_slot_that_it_may_go_back_to),
        on_device(without_room_an_update_in_place_is_marked_until_it_is_whole),
        on_device(strictly_in_place_nothing_is_staged),
        on_device(what_an_update_in_place_left_incomplete_is_whole_after_a_staged_one),
        on_device(what_a_commit_could_not_finish_is_incomplete_until_a_start_did),
        on_device(callbacks_see_the_staged_content_in_the_partitions_place),
        on_device(a_callback_that_changes_a_part_keeps_the_rest),
        on_device(apps_and_data_switch_together_and_are_confirmed_together),
        on_device(incomplete_content_is_not_kept_for_a_rollback),
        on_device(a_change_that_is_aborted_leaves_all_as_it_was),
        on_device(data_is_never_staged_over_an_app_that_a_change_will_choose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
