/* Change sets: what is obeyed, what is refused, what a rollback brings back. Power cuts:
 * tests/power/test_change.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/err.h"
#include "tests/support/change_device.h"

#define RECORD_SPARE (CHANGE_SPARE + 0x7000u)

static struct change_device d;

static struct al_ota *ota(void)
{
    return &d.dev.ota;
}

static int setup(void **state)
{
    change_device_new(&d, false);
    return 0;
}

static int setup_in_slot(void **state)
{
    change_device_new(&d, true);
    return 0;
}

static int teardown(void **state)
{
    change_device_free(&d);
    return 0;
}

static struct al_change_set staged(uint32_t parts, bool with_app)
{
    struct al_change_set set;
    assert_int_equal(change_device_stage(&d, &set, parts), 0);
    set.switches = set.keep_old = with_app;
    return set;
}

static void record(struct al_change_set set)
{
    assert_int_equal(al_change_record(ota(), &d.area, &set), 0);
}

static enum al_change_outcome apply(int *err)
{
    struct al_change c;
    assert_int_equal(al_change_read(ota(), &d.area, &c), 0);
    return al_change_apply(&c, err);
}

/* Boot loader and one look at the record, no restart. */
static enum al_change_outcome start(bool *restart, int *err)
{
    ota_device_boot(&d.dev);
    return al_change_start(ota(), &d.area, restart, err);
}

static bool recorded(void)
{
    struct al_change c;
    return !al_change_read(ota(), &d.area, &c);
}

static void assert_contents(const char *expected)
{
    assert_string_equal(change_device_contents(&d), expected);
}

/* --- rules --- */

static void only_whole_data_partitions_are_targets(void **state)
{
    static const struct {
        uint32_t at, size;
        bool ok;
    } cases[] = {
        {CHANGE_TONES, 0x3000, true},
        {CHANGE_TONES + 0x1000, 0x1000, true}, /* a partition registered inside another */
        {0x3e000, 0x1000, true},
        {0x0, 0x1000, false},    /* boot loader */
        {0x8000, 0x1000, false}, /* table */
        {0x9000, 0x4000, false}, /* nvs */
        {OTA_DEVICE_OTADATA, 0x2000, false},
        {CHANGE_SLOT_0, 0x1000, false},
        {CHANGE_TONES, 0x4000, false}, /* two partitions */
        {CHANGE_TONES + 0x200, 0x1000, false},
        {CHANGE_TONES, 0x200, false},
        {CHANGE_TONES, 0, false},
        {OTA_DEVICE_FLASH - 0x1000, 0x2000, false},
        {0xfffff000, 0x2000, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (al_change_target_ok(ota(), cases[i].at, cases[i].size) != cases[i].ok)
            fail_msg("0x%x, 0x%x", cases[i].at, cases[i].size);
}

static void sets_that_contradict_the_rules_are_not_recorded(void **state)
{
    const struct al_change_set good = staged(2, true);
    struct al_change_set set = good;
    struct al_change_part *p = set.part;
    p[0].target = OTA_DEVICE_OTADATA, p[0].target_size = 0x2000;
    assert_int_equal(al_change_record(ota(), &d.area, &set), AL_ERR_INVALID_ARG);
    set = good, p[0].len = 0x3001;
    assert_int_equal(al_change_record(ota(), &d.area, &set), AL_ERR_INVALID_ARG);
    set = good, p[1].staged = p[0].staged; /* two contents in one place */
    assert_int_equal(al_change_record(ota(), &d.area, &set), AL_ERR_INVALID_ARG);
    set = good, p[1].target = p[0].target, p[1].target_size = 0x3000;
    assert_int_equal(al_change_record(ota(), &d.area, &set), AL_ERR_INVALID_ARG);
    set = good, p[1].staged = p[0].target; /* its source is another's target */
    assert_int_equal(al_change_record(ota(), &d.area, &set), AL_ERR_INVALID_ARG);
    set = good, p[1].staged = RECORD_SPARE - 0x2000; /* over scratch */
    assert_int_equal(al_change_record(ota(), &d.area, &set), AL_ERR_INVALID_ARG);
    set = good, set.slot = CHANGE_TONES;
    assert_int_equal(al_change_record(ota(), &d.area, &set), AL_ERR_INVALID_ARG);
    struct al_part *slot = &d.dev.table.part[ota_device_part(&d.dev, "ota_1") - d.dev.table.part];
    slot->subtype = AL_PART_OTA_0 + 2; /* of two slots: otadata cannot say it */
    set = good;
    assert_int_equal(al_change_record(ota(), &d.area, &set), AL_ERR_INVALID_ARG);
    slot->subtype = AL_PART_OTA_0 + 1;
    set = good, set.count = AL_CHANGE_PARTS + 1;
    assert_int_equal(al_change_record(ota(), &d.area, &set), AL_ERR_INVALID_ARG);
    set = good, p[0].room = 0x2000; /* the old content is 0x2200 bytes long */
    assert_int_equal(al_change_record(ota(), &d.area, &set), AL_ERR_INVALID_SIZE);
    set = good, p[0].sha256[5] ^= 1;
    assert_int_equal(al_change_record(ota(), &d.area, &set), AL_ERR_INVALID_CRC);
    d.dev.nor.bytes[CHANGE_SLOT_1 + 0x100] ^= 1;
    set = good;
    assert_int_equal(al_change_record(ota(), &d.area, &set), AL_ERR_OTA_VALIDATE_FAILED);
    assert_false(recorded());
    d.dev.nor.bytes[CHANGE_SLOT_1 + 0x100] ^= 1;
    record(good);
    set = good;
    assert_int_equal(al_change_record(ota(), &d.area, &set), AL_ERR_INVALID_STATE);
}

/* As somebody with a tool for it would write one. */
static void reseal(uint32_t record_at)
{
    uint8_t *raw = d.dev.nor.bytes + record_at;
    al_put_le32(raw + 4, al_crc32(0, raw + 8, 736 - 8));
}

static void a_record_that_names_a_system_partition_is_not_obeyed(void **state)
{
    int err;
    bool restart;
    record(staged(1, false));
    al_put_le32(d.dev.nor.bytes + RECORD_SPARE + 32, OTA_DEVICE_OTADATA);
    al_put_le32(d.dev.nor.bytes + RECORD_SPARE + 36, 0x2000);
    reseal(RECORD_SPARE);
    assert_int_equal(start(&restart, &err), AL_CHANGE_NOTHING);
    al_put_le32(d.dev.nor.bytes + RECORD_SPARE + 32, CHANGE_TONES);
    al_put_le32(d.dev.nor.bytes + RECORD_SPARE + 36, 0x3000);
    reseal(RECORD_SPARE);
    al_put_le32(d.dev.nor.bytes + RECORD_SPARE + 12, 0xffffffff); /* CRC wrong, too */
    assert_int_equal(start(&restart, &err), AL_CHANGE_NOTHING);
    assert_contents("oo");
}

static void an_image_whose_end_is_a_record_is_refused_before_it_is_there(void **state)
{
    static uint8_t image[0x18000];
    struct al_ota_update u;
    const struct al_part *slot = ota_device_part(&d.dev, "ota_1");
    const uint32_t at = 0x18000 - AL_SECTOR;
    memset(image, 0xff, sizeof image);
    image[0] = 0xe9;
    al_put_le32(image + at, AL_CHANGE_MAGIC);
    for (int block16 = 0; block16 < 2; block16++) {
        ota()->flash_encryption = block16;
        for (uint32_t cut = 0; cut <= 4; cut++) {
            assert_int_equal(al_ota_begin(ota(), slot, AL_OTA_SEQUENTIAL, &u), 0);
            int err = al_ota_write(ota(), &u, image, at + cut);
            if (!err) err = al_ota_write(ota(), &u, image + at + cut, AL_SECTOR - cut);
            assert_int_equal(err, AL_ERR_OTA_VALIDATE_FAILED);
            assert_int_equal(al_ota_abort(ota(), &u), 0);
            assert_memory_not_equal(d.dev.nor.bytes + slot->offset + at, image + at, 4);
        }
    }
    assert_true(ota_device_had_ota_event(&d.dev, AL_OTA_EV_FORGED_RECORD));
    assert_int_equal(al_ota_begin(ota(), slot, AL_OTA_SIZE_UNKNOWN, &u), 0);
    assert_int_equal(al_ota_write_at(ota(), &u, image + at, 16, at), AL_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(al_ota_write_at(ota(), &u, image + at + 16, 16, at + 16), 0);
    assert_int_equal(al_ota_abort(ota(), &u), 0);
}

/* --- obeying --- */

static void all_partitions_and_the_slot_change_together(void **state)
{
    int err;
    bool restart;
    record(staged(2, true));
    assert_contents("oo");
    assert_int_equal(apply(&err), AL_CHANGE_ON_TRIAL);
    assert_contents("nn");
    assert_int_equal(start(&restart, &err), AL_CHANGE_ON_TRIAL);
    assert_int_equal(ota()->running->offset, CHANGE_SLOT_1);
    assert_false(restart);
    assert_int_equal(al_change_confirm(ota(), &d.area), AL_CHANGE_ON_TRIAL);
    assert_int_equal(al_ota_mark_valid(ota()), 0);
    assert_int_equal(al_change_confirm(ota(), &d.area), AL_CHANGE_CONFIRMED);
    assert_false(recorded());
    assert_int_equal(start(&restart, &err), AL_CHANGE_NOTHING);
    assert_contents("nn");
}

static void a_recorded_set_is_finished_by_the_next_start_which_asks_for_a_restart(void **state)
{
    int err;
    bool restart;
    record(staged(2, true));
    assert_int_equal(start(&restart, &err), AL_CHANGE_ON_TRIAL);
    assert_true(restart);
    assert_contents("nn");
    /* Without rollback in the boot loader there is no trial. */
    teardown(state);
    setup(state);
    d.dev.boot.rollback = false;
    ota_device_boot(&d.dev);
    record(staged(2, true));
    assert_int_equal(start(&restart, &err), AL_CHANGE_APPLIED);
    assert_true(restart);
    assert_false(recorded());
    assert_int_equal(start(&restart, &err), AL_CHANGE_NOTHING);
    assert_int_equal(ota()->running->offset, CHANGE_SLOT_1);
    assert_contents("nn");
}

static void a_void_record_is_zeros_which_no_torn_erase_revives(void **state)
{
    static const uint8_t zeros[8];
    record(staged(1, false));
    assert_int_equal(apply(NULL), AL_CHANGE_APPLIED);
    assert_memory_equal(d.dev.nor.bytes + RECORD_SPARE, zeros, sizeof zeros);
}

static void staged_content_that_was_overwritten_is_never_copied(void **state)
{
    int err;
    bool restart;
    record(staged(2, false));
    memset(d.dev.nor.bytes + CHANGE_SPARE + 0x3000, 0, 16); /* of the second */
    assert_int_equal(start(&restart, &err), AL_CHANGE_DROPPED);
    assert_int_equal(err, AL_ERR_INVALID_CRC);
    assert_false(restart);
    assert_false(recorded());
    assert_contents("oo");
}

static void a_set_whose_app_was_overwritten_is_dropped_before_anything_moves(void **state)
{
    int err;
    bool restart;
    record(staged(2, true));
    d.dev.nor.bytes[CHANGE_SLOT_1 + 0x100] ^= 1;
    assert_int_equal(start(&restart, &err), AL_CHANGE_DROPPED);
    assert_int_equal(err, AL_ERR_OTA_VALIDATE_FAILED);
    assert_false(recorded());
    assert_contents("oo");
}

static void a_set_is_dropped_when_another_slot_was_chosen_since(void **state)
{
    int err;
    bool restart;
    record(staged(2, true));
    ota_device_put_entry(&d.dev, 0, 5, AL_OTA_VALID); /* ota_0 again, by a tool */
    assert_int_equal(start(&restart, &err), AL_CHANGE_DROPPED);
    assert_int_equal(err, AL_ERR_INVALID_STATE);
    assert_false(recorded());
    assert_int_equal(ota()->running->offset, CHANGE_SLOT_0);
}

static void data_needs_no_otadata_a_slot_does(void **state)
{
    int err;
    bool restart;
    struct al_change_set set = staged(1, true);
    for (uint32_t i = 0; i < d.dev.table.count; i++) {
        struct al_part *p = &d.dev.table.part[i];
        if (p->type == AL_PART_DATA && p->subtype == AL_PART_DATA_OTA) p->subtype = 0x99;
    }
    assert_int_equal(al_change_record(ota(), &d.area, &set), AL_ERR_NOT_FOUND);
    assert_false(recorded());
    record(staged(1, false));
    assert_int_equal(al_change_start(ota(), &d.area, &restart, &err), AL_CHANGE_APPLIED);
    assert_false(restart);
    assert_contents("no");
    assert_false(recorded());
}

/* --- half-way --- */

/* Records a set and applies it until the power goes in an operation of that. false: it did not. */
static bool cut_while_applying(uint32_t parts, bool with_app, uint64_t nth)
{
    record(staged(parts, with_app));
    nor_flash_cut_at(&d.dev.nor, nth);
    (void)apply(NULL);
    bool cut = d.dev.nor.power->off;
    nor_flash_power_on(&d.dev.nor);
    return cut;
}

static void content_that_decays_when_another_was_copied_already_is_not_copied(void **state)
{
    int err;
    bool restart;
    assert_true(cut_while_applying(2, false, 4));
    memset(d.dev.nor.bytes + CHANGE_SPARE + 0x3000, 0, 16); /* of the second */
    assert_int_equal(start(&restart, &err), AL_CHANGE_DROPPED);
    assert_int_equal(err, AL_ERR_INVALID_CRC);
    assert_contents("no");
    assert_false(recorded());
}

static void contents_that_were_half_exchanged_are_exchanged_to_the_end(void **state)
{
    for (uint64_t nth = 2; cut_while_applying(2, true, nth); nth += 3) {
        assert_string_equal(change_device_start(&d), "ota_1");
        assert_contents("nn");
        teardown(state);
        setup(state);
    }
}

static void contents_that_were_half_exchanged_go_back_when_another_slot_was_chosen(void **state)
{
    for (uint64_t nth = 2; cut_while_applying(2, true, nth); nth += 3) {
        ota_device_put_entry(&d.dev, 0, 5, AL_OTA_VALID); /* ota_0 again, by a tool */
        assert_string_equal(change_device_start(&d), "ota_0");
        assert_contents("oo");
        assert_false(recorded());
        teardown(state);
        setup(state);
    }
}

static void contents_that_were_half_exchanged_go_back_when_the_app_was_given_up(void **state)
{
    struct al_change c;
    for (uint64_t nth = 2; cut_while_applying(2, true, nth); nth += 3) {
        assert_int_equal(al_change_read(ota(), &d.area, &c), 0);
        ota_device_put_entry(&d.dev, 1, c.seq, AL_OTA_ABORTED); /* chosen by a tool, and died */
        assert_string_equal(change_device_start(&d), "ota_0");
        assert_contents("oo");
        assert_false(recorded());
        teardown(state);
        setup(state);
    }
}

/* --- going back --- */

static void on_trial(uint32_t parts)
{
    int err;
    bool restart;
    record(staged(parts, true));
    assert_int_equal(apply(&err), AL_CHANGE_ON_TRIAL);
    assert_int_equal(start(&restart, &err), AL_CHANGE_ON_TRIAL);
    assert_int_equal(ota()->running->offset, CHANGE_SLOT_1);
}

static void a_rollback_brings_the_old_contents_back_whatever_the_new_app_wrote(void **state)
{
    int err;
    bool restart;
    on_trial(2);
    memset(d.dev.nor.bytes + CHANGE_TONES, 0x12, 0x3000);
    memset(d.dev.nor.bytes + CHANGE_TEXTS + 0x1f00, 0x34, 0x100);
    assert_int_equal(start(&restart, &err), AL_CHANGE_UNDONE); /* reset: ABORTED */
    assert_int_equal(ota()->running->offset, CHANGE_SLOT_0);
    assert_false(restart);
    assert_false(recorded());
    assert_contents("oo");
    on_trial(2); /* a second attempt: the same number in otadata */
    assert_contents("nn");
}

static void an_app_that_is_aborted_before_it_looks_takes_the_data_with_it(void **state)
{
    int err;
    bool restart;
    struct al_change c;
    record(staged(2, true));
    assert_int_equal(al_change_read(ota(), &d.area, &c), 0);
    assert_int_equal(al_change_apply(&c, &err), AL_CHANGE_ON_TRIAL);
    d.dev.nor.bytes[RECORD_SPARE + 768] = 0xff; /* cut before the trial was noted */
    ota_device_boot(&d.dev);                    /* the new app, cut before it looked */
    assert_int_equal(ota()->running->offset, CHANGE_SLOT_1);
    assert_int_equal(start(&restart, &err), AL_CHANGE_UNDONE);
    assert_int_equal(ota()->running->offset, CHANGE_SLOT_0);
    assert_contents("oo");
}

static void an_image_that_does_not_start_is_not_chosen_again_with_the_old_data(void **state)
{
    int err;
    bool restart;
    struct al_ota_entry e[2];
    record(staged(2, true));
    assert_int_equal(apply(&err), AL_CHANGE_ON_TRIAL);
    d.dev.nor.bytes[CHANGE_SLOT_1 + 0x100] ^= 1; /* the boot loader falls back */
    assert_int_equal(start(&restart, &err), AL_CHANGE_UNDONE);
    assert_contents("oo");
    d.dev.nor.bytes[CHANGE_SLOT_1 + 0x100] ^= 1;
    ota_device_entries(&d.dev, e);
    assert_int_equal(al_ota_active(e), 0);
    assert_string_equal(ota_device_boot(&d.dev), "ota_0");
}

static void a_record_of_the_time_before_the_device_was_flashed_anew_is_dropped(void **state)
{
    int err;
    bool restart;
    on_trial(2);
    memset(d.dev.nor.bytes + OTA_DEVICE_OTADATA, 0xff, AL_OTADATA_LEN);
    memset(d.dev.nor.bytes + CHANGE_TONES, 0x77, 0x1000);
    assert_int_equal(start(&restart, &err), AL_CHANGE_DROPPED);
    assert_int_equal(err, AL_ERR_INVALID_STATE);
    assert_false(recorded());
    assert_contents("?n");
}

static void a_choice_that_was_torn_is_a_rollback_whatever_the_new_app_wrote(void **state)
{
    int err;
    bool restart;
    ota_device_put_entry(&d.dev, 0, 3, AL_OTA_VALID); /* not the device's first update */
    on_trial(2);
    memset(d.dev.nor.bytes + OTA_DEVICE_OTADATA + AL_SECTOR, 0xff, AL_SECTOR);
    memset(d.dev.nor.bytes + CHANGE_TONES, 0x77, 0x1000);
    assert_int_equal(start(&restart, &err), AL_CHANGE_UNDONE);
    assert_contents("oo");
}

static void old_contents_that_were_overwritten_are_not_swapped_back(void **state)
{
    int err;
    bool restart;
    on_trial(2);
    d.dev.nor.bytes[d.staged + 5] ^= 0x40;
    assert_int_equal(start(&restart, &err), AL_CHANGE_DROPPED);
    assert_int_equal(err, AL_ERR_INVALID_CRC);
    assert_contents("nn");
}

static void an_update_over_the_staging_area_ends_the_record(void **state)
{
    struct al_ota_update u;
    bool restart;
    record(staged(2, true));
    const struct al_part *slot = ota_device_part(&d.dev, "ota_1");
    assert_int_equal(al_ota_begin(ota(), slot, AL_OTA_SIZE_UNKNOWN, &u), 0);
    assert_int_equal(al_ota_abort(ota(), &u), 0);
    assert_false(recorded());
    assert_int_equal(start(&restart, NULL), AL_CHANGE_NOTHING);
    assert_contents("oo");
}

int main(void)
{
#define spare(f)  cmocka_unit_test_setup_teardown(f, setup, teardown)
#define behind(f) cmocka_unit_test_setup_teardown(f, setup_in_slot, teardown)
    const struct CMUnitTest tests[] = {
        spare(only_whole_data_partitions_are_targets),
        spare(sets_that_contradict_the_rules_are_not_recorded),
        spare(a_record_that_names_a_system_partition_is_not_obeyed),
        spare(an_image_whose_end_is_a_record_is_refused_before_it_is_there),
        spare(all_partitions_and_the_slot_change_together),
        behind(all_partitions_and_the_slot_change_together),
        spare(a_recorded_set_is_finished_by_the_next_start_which_asks_for_a_restart),
        spare(a_void_record_is_zeros_which_no_torn_erase_revives),
        spare(staged_content_that_was_overwritten_is_never_copied),
        spare(a_set_whose_app_was_overwritten_is_dropped_before_anything_moves),
        spare(a_set_is_dropped_when_another_slot_was_chosen_since),
        spare(data_needs_no_otadata_a_slot_does),
        spare(content_that_decays_when_another_was_copied_already_is_not_copied),
        spare(contents_that_were_half_exchanged_are_exchanged_to_the_end),
        spare(contents_that_were_half_exchanged_go_back_when_another_slot_was_chosen),
        spare(contents_that_were_half_exchanged_go_back_when_the_app_was_given_up),
        behind(a_rollback_brings_the_old_contents_back_whatever_the_new_app_wrote),
        spare(an_app_that_is_aborted_before_it_looks_takes_the_data_with_it),
        spare(an_image_that_does_not_start_is_not_chosen_again_with_the_old_data),
        spare(a_record_of_the_time_before_the_device_was_flashed_anew_is_dropped),
        behind(a_choice_that_was_torn_is_a_rollback_whatever_the_new_app_wrote),
        behind(old_contents_that_were_overwritten_are_not_swapped_back),
        behind(an_update_over_the_staging_area_ends_the_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
