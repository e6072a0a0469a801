#include "core/ota_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/mem_flash.h"

#define U AL_OTA_UNDEFINED
#define E AL_OTA_SEQ_EMPTY

static struct al_ota_entry entry(uint32_t seq, uint32_t state)
{
    return (struct al_ota_entry){
        .seq = seq, .state = state, .crc = seq == E ? E : al_ota_entry_crc(seq)};
}

static void crc_of_the_sequence_is_that_of_the_rom(void **state)
{
    static const uint32_t known[][2] = {
        {0, 0xffffffff}, {1, 0x4743989a}, {2, 0x55f63774},
        {3, 0xed4a5011}, {4, 0x709d68a8}, {5, 0xc8210fcd},
        {6, 0xda94a023}, {7, 0x6228c746}, {0xfffffffe, 0x99f8b879},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_int_equal(al_ota_entry_crc(known[i][0]), known[i][1]);
}

static void an_entry_keeps_every_byte_through_decode_and_encode(void **state)
{
    uint8_t raw[AL_OTA_ENTRY_LEN], back[AL_OTA_ENTRY_LEN];
    struct al_ota_entry e;
    for (uint32_t i = 0; i < sizeof raw; i++) raw[i] = (uint8_t)(i * 7 + 1);
    al_ota_entry_decode(raw, &e);
    assert_int_equal(e.seq, 0x160f0801);
    assert_int_equal(e.state, 0xbeb7b0a9);
    assert_int_equal(e.crc, 0xdad3ccc5);
    al_ota_entry_encode(&e, back);
    assert_memory_equal(raw, back, sizeof raw);
}

static void usable_depends_on_state_and_crc(void **state)
{
    static const struct {
        uint32_t seq, state;
        bool unusable;
    } rows[] = {
        {E, U, true},
        {E, AL_OTA_VALID, true},
        {1, AL_OTA_INVALID, true},
        {1, AL_OTA_ABORTED, true},
        {1, U, false},
        {1, AL_OTA_PENDING_VERIFY, false},
        {1, AL_OTA_NEW, false},
        {1, AL_OTA_VALID, false},
        {0, U, false},
        {1, 5, false},
        {1, 0x80000003, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct al_ota_entry e = entry(rows[i].seq, rows[i].state);
        assert_int_equal(al_ota_entry_unusable(&e), rows[i].unusable);
        assert_int_equal(al_ota_entry_good(&e), !rows[i].unusable);
        assert_int_equal(al_ota_entry_written(&e), rows[i].seq != E);
        e.crc ^= 1;
        assert_false(al_ota_entry_good(&e));
        assert_false(al_ota_entry_written(&e));
    }
}

static void the_larger_good_sequence_is_in_force(void **state)
{
    static const struct {
        uint32_t seq0, state0, seq1, state1;
        int active;
    } rows[] = {
        {E, U, E, U, -1},
        {1, U, E, U, 0},
        {E, U, 2, U, 1},
        {1, 2, 2, 2, 1},
        {3, 2, 2, 2, 0},
        {4, 2, 4, 0, 0}, /* equal: the first */
        {3, AL_OTA_ABORTED, 2, 2, 1},
        {3, AL_OTA_INVALID, 2, AL_OTA_ABORTED, -1},
        {0x80000000, 2, 1, 2, 0}, /* unsigned */
        {0, U, E, U, 0},
        {0xfffffffe, U, 1, U, 0}, /* no wrap-around */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct al_ota_entry e[2] = {entry(rows[i].seq0, rows[i].state0),
                                    entry(rows[i].seq1, rows[i].state1)};
        assert_int_equal(al_ota_active(e), rows[i].active);
    }
}

static void an_entry_that_is_not_allowed_is_passed_over(void **state)
{
    struct al_ota_entry e[2] = {entry(3, 2), entry(2, 2)};
    assert_int_equal(al_ota_active_allowed(e, (const bool[2]){false, true}), 1);
    assert_int_equal(al_ota_active_allowed(e, (const bool[2]){false, false}), -1);
    assert_int_equal(al_ota_pick(e, (const bool[2]){true, true}, false), 1);
    assert_int_equal(al_ota_pick(e, (const bool[2]){true, true}, true), 0);
}

static void slot_is_the_sequence_less_one_modulo_slots(void **state)
{
    struct al_ota_entry e = entry(5, U);
    assert_int_equal(al_ota_entry_slot(&e, 2), 0);
    assert_int_equal(al_ota_entry_slot(&e, 3), 1);
    e.seq = 0;
    assert_int_equal(al_ota_entry_slot(&e, 2), 1);
    assert_int_equal(al_ota_entry_slot(&e, 3), 0);
}

static void a_switch_takes_the_next_sequence_that_leads_to_the_slot(void **state)
{
    for (uint32_t slots = 1; slots <= 16; slots++) {
        for (uint32_t seq = 1; seq < 40; seq++) {
            for (uint32_t slot = 0; slot < slots; slot++) {
                struct al_ota_entry e[2] = {entry(seq, 2), entry(seq - 1 ? seq - 1 : E, 2)};
                bool same = al_ota_entry_slot(&e[0], slots) == slot;
                struct al_ota_switch s = al_ota_switch_plan(e, slot, slots);
                assert_int_equal(s.index, same ? 0 : 1);
                assert_in_range(s.seq, seq, seq + slots - 1);
                e[s.index] = entry(s.seq, 0);
                int active = al_ota_active(e);
                assert_int_equal(active, s.index);
                assert_int_equal(al_ota_entry_slot(&e[active], slots), slot);
            }
        }
    }
}

static void the_first_switch_writes_entry_0(void **state)
{
    struct al_ota_entry e[2] = {entry(E, U), entry(7, AL_OTA_ABORTED)};
    struct al_ota_switch s = al_ota_switch_plan(e, 1, 2);
    assert_int_equal(s.index, 0);
    assert_int_equal(s.seq, 2);
}

static void the_tool_ignores_states_and_always_takes_the_other_sector(void **state)
{
    struct al_ota_entry e[2] = {entry(1, AL_OTA_VALID), entry(2, AL_OTA_ABORTED)};
    struct al_ota_switch s = al_ota_switch_plan_tool(e, 1, 2);
    assert_int_equal(s.index, 0);
    assert_int_equal(s.seq, 2);
    e[1].crc = 0;
    s = al_ota_switch_plan_tool(e, 0, 2);
    assert_int_equal(s.index, 1);
    assert_int_equal(s.seq, 1);
}

static void sequences_that_have_run_out_make_an_empty_one(void **state)
{
    struct al_ota_entry e[2] = {entry(0xfffffffe, 2), entry(E, U)};
    assert_int_equal(al_ota_switch_plan(e, 0, 3).seq, E);
    assert_int_equal(al_ota_switch_plan(e, 1, 3).seq, 0xfffffffe);
}

static void writing_touches_one_sector_and_leaves_the_originals_bytes(void **state)
{
    struct mem_flash m;
    mem_flash_init(&m, 0x4000, false);
    memset(m.bytes, 0x11, 0x4000);
    struct al_window all = al_window_all(&m.flash), w;
    assert_int_equal(al_window_sub(&all, 0x1000, AL_OTADATA_LEN, &w), 0);
    struct al_ota_entry e = entry(2, AL_OTA_NEW), back[2];
    memset(e.seq_label, 0xa5, sizeof e.seq_label);
    assert_int_equal(al_ota_data_write(&w, 1, &e), 0);
    assert_int_equal(al_ota_data_read(&w, back), 0);
    assert_memory_equal(&back[1], &e, sizeof e);
    for (uint32_t i = 0; i < 0x4000; i++) {
        if (i < 0x2000 || i >= 0x3000) assert_int_equal(m.bytes[i], 0x11);
        if (i >= 0x2000 + AL_OTA_ENTRY_LEN && i < 0x3000) assert_int_equal(m.bytes[i], 0xff);
    }
    mem_flash_free(&m);
}

static void a_small_partition_and_a_failing_flash_are_reported(void **state)
{
    struct mem_flash m;
    struct al_ota_entry e[2];
    mem_flash_init(&m, 0x4000, false);
    struct al_window all = al_window_all(&m.flash), w;
    assert_int_equal(al_window_sub(&all, 0, 0x1000, &w), 0);
    assert_int_equal(al_ota_data_read(&w, e), AL_ERR_INVALID_SIZE);
    m.fail_read_at = 0x1010;
    assert_int_equal(al_ota_data_read(&all, e), AL_ERR_FLASH_OP_FAIL);
    w.readonly = true;
    assert_int_equal(al_ota_data_write(&w, 0, &e[0]), AL_ERR_NOT_ALLOWED);
    mem_flash_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_of_the_sequence_is_that_of_the_rom),
        cmocka_unit_test(an_entry_keeps_every_byte_through_decode_and_encode),
        cmocka_unit_test(usable_depends_on_state_and_crc),
        cmocka_unit_test(the_larger_good_sequence_is_in_force),
        cmocka_unit_test(an_entry_that_is_not_allowed_is_passed_over),
        cmocka_unit_test(slot_is_the_sequence_less_one_modulo_slots),
        cmocka_unit_test(a_switch_takes_the_next_sequence_that_leads_to_the_slot),
        cmocka_unit_test(the_first_switch_writes_entry_0),
        cmocka_unit_test(the_tool_ignores_states_and_always_takes_the_other_sector),
        cmocka_unit_test(sequences_that_have_run_out_make_an_empty_one),
        cmocka_unit_test(writing_touches_one_sector_and_leaves_the_originals_bytes),
        cmocka_unit_test(a_small_partition_and_a_failing_flash_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
