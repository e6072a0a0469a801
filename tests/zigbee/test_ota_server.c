/* The OTA server: lookups, the end of upgrades, sessions and what is kept of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/zota_server.h"

static struct server_bench b;
enum { A = 0x1111, B = 0x2222, C = 0x3333 };

static int fresh(void **state)
{
    server_bench_init(&b, NULL);
    return 0;
}

static uint8_t state_of(uint16_t addr)
{
    return server_bench_session(&b, addr)->record.state;
}

static void a_query_gets_what_the_lookup_says(void **state)
{
    static const struct {
        int find;
        uint8_t status;
    } row[] = {{0, 0x00}, {AL_ERR_NOT_FOUND, 0x98}, {AL_ERR_NOT_ALLOWED, 0x7e}, {AL_FAIL, 0x98}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        fresh(state);
        b.find_answer = row[i].find;
        server_bench_query(&b, A, 1);
        assert_int_equal(b.wanted.id.manufacturer, 0x131b);
        assert_int_equal(b.wanted.id.image_type, 1);
        assert_int_equal(b.wanted.id.file_version, 1);
        assert_true(b.wanted.has_hardware_version && b.wanted.hardware_version == 0x0203);
        const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_RSP);
        assert_int_equal(s->zcl.seq, b.seq);
        assert_int_equal(s->bytes[0], 0x19);
        assert_int_equal(s->how.len, row[i].status ? 4 : 16);
        assert_int_equal(s->frame.u.query_next_image_rsp.status, row[i].status);
        if (row[i].status == 0) {
            assert_int_equal(s->frame.u.query_next_image_rsp.image_size, 5000);
            assert_int_equal(s->frame.u.query_next_image_rsp.id.file_version, 2);
            assert_int_equal(state_of(A), AL_ZOTA_SESSION_QUERIED);
        } else {
            assert_null(server_bench_session(&b, A));
        }
    }
}

static void an_image_fits_by_ids_hardware_destination_and_version(void **state)
{
    static const struct {
        struct al_zota_id file;
        struct al_zota_image_limits limits;
        uint32_t running;
        bool has_hardware, fits;
    } row[] = {
        {{0x131b, 1, 5}, {0}, 4, true, true},
        {{0x131b, 1, 5}, {0}, 5, true, false},
        {{0x131b, 1, 5}, {.force = true}, 5, true, true},
        {{0x131b, 1, 5}, {.force = true}, 6, true, false},
        {{0x131b, 1, 5}, {0}, 6, true, false},
        {{0x131b, 1, 5}, {.downgrade = true}, 6, true, true},
        {{0x131b, 1, 5}, {.downgrade = true}, 5, true, false},
        {{0x131b, 1, 5}, {0}, 0xffffffff, true, true},
        {{0x131c, 1, 5}, {0}, 4, true, false},
        {{0x131b, 2, 5}, {0}, 4, true, false},
        {{0xffff, 1, 5}, {0}, 4, true, true},
        {{0x131b, 1, 5},
         {.has_hardware = true, .min_hardware = 0x0100, .max_hardware = 0x0203},
         4,
         true,
         true},
        {{0x131b, 1, 5},
         {.has_hardware = true, .min_hardware = 0x0100, .max_hardware = 0x0202},
         4,
         true,
         false},
        {{0x131b, 1, 5},
         {.has_hardware = true, .min_hardware = 0x0204, .max_hardware = 0x0300},
         4,
         true,
         false},
        {{0x131b, 1, 5},
         {.has_hardware = true, .min_hardware = 0x0204, .max_hardware = 0x0300},
         4,
         false,
         true},
        {{0x131b, 1, 5}, {.has_destination = true, .destination = 42}, 4, true, true},
        {{0x131b, 1, 5}, {.has_destination = true, .destination = 43}, 4, true, false},
        {{0x131b, 1, 5}, {.min_running = 4}, 4, true, true},
        {{0x131b, 1, 5}, {.min_running = 4}, 3, true, false},
        {{0x131b, 1, 5}, {.max_running = 3}, 4, true, false},
        {{0x131b, 1, 5}, {.max_running = 3}, 0xffffffff, true, false},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct al_zota_wanted w = {
            .ext_addr = 42,
            .id = {0x131b, 1, row[i].running},
            .has_hardware_version = row[i].has_hardware,
            .hardware_version = 0x0203,
        };
        assert_int_equal(al_zota_image_fits(&row[i].file, &row[i].limits, &w), row[i].fits);
    }
}

static void a_device_specific_file_is_looked_up_by_address(void **state)
{
    b.file.id = (struct al_zota_id){0x131b, 0xffc1, 7};
    struct al_zota_frame f = {.command = AL_ZOTA_SPECIFIC_FILE_REQ,
                              .u.specific_file_req = {99, {0x131b, 0xffc1, 7}, 2}};
    server_bench_receive(&b, A, &f);
    assert_true(b.wanted.device_specific && b.wanted.ext_addr == 99);
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_SPECIFIC_FILE_RSP);
    assert_int_equal(s->frame.u.query_next_image_rsp.image_size, 5000);
    f.u.specific_file_req.id.image_type = 0x0001;
    server_bench_receive(&b, A, &f);
    zota_wire_only_default(&b.wire, AL_ZOTA_SPECIFIC_FILE_REQ, 0x87);
    struct al_zota_wanted w = {.device_specific = true, .id = {0x131b, 0xffc1, 7}};
    struct al_zota_image_limits none = {0};
    assert_true(al_zota_image_fits(&b.file.id, &none, &w));
    w.id.file_version = 8;
    assert_false(al_zota_image_fits(&b.file.id, &none, &w));
}

static void the_end_is_answered_with_the_order_of_the_policy(void **state)
{
    server_bench_query(&b, A, 1);
    zota_wire_clear(&b.wire);
    b.order = (struct al_zota_order){0x12345, 0x1234a};
    server_bench_end(&b, A, 0);
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_UPGRADE_END_RSP);
    assert_int_equal(s->zcl.seq, b.seq);
    assert_int_equal(s->frame.u.upgrade_end_rsp.current_time, 0x12345);
    assert_int_equal(s->frame.u.upgrade_end_rsp.upgrade_time, 0x1234a);
    assert_int_equal(s->frame.u.upgrade_end_rsp.id.file_version, 2);
    assert_int_equal(state_of(A), AL_ZOTA_SESSION_ENDED);
    server_bench_end(&b, A, 0); /* again: the same answer, no second end */
    zota_wire_only(&b.wire, AL_ZOTA_UPGRADE_END_RSP);
    assert_int_equal(b.events[AL_ZOTA_SERVER_END], 1);
}

static void a_client_that_waits_is_released(void **state)
{
    server_bench_query(&b, A, 1);
    struct al_zota_session *c = server_bench_session(&b, A);
    struct al_zota_order now = {0, 10};
    assert_int_equal(al_zota_server_release(&b.server, b.now, c, now), AL_ERR_INVALID_STATE);
    b.order.upgrade_time = AL_ZOTA_WAIT;
    zota_wire_clear(&b.wire);
    server_bench_end(&b, A, 0);
    zota_wire_only(&b.wire, AL_ZOTA_UPGRADE_END_RSP);
    assert_int_equal(al_zota_server_release(&b.server, b.now, c, now), 0);
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_UPGRADE_END_RSP);
    assert_int_equal(s->frame.u.upgrade_end_rsp.upgrade_time, 10);
    /* It did not hear that and asks in its own time, after a restart of the server. */
    struct al_zota_record kept = b.saved;
    server_bench_init(&b, NULL);
    assert_int_equal(al_zota_server_restore(&b.server, b.now, &kept), 0);
    b.order.upgrade_time = AL_ZOTA_WAIT;
    server_bench_end(&b, A, 0);
    s = zota_wire_only(&b.wire, AL_ZOTA_UPGRADE_END_RSP);
    assert_int_equal(s->frame.u.upgrade_end_rsp.upgrade_time, 10);
}

static void a_bad_end_gets_a_default_response_and_no_order(void **state)
{
    static const struct {
        uint8_t status, state;
    } row[] = {{0x96, AL_ZOTA_SESSION_FAILED},
               {0x95, AL_ZOTA_SESSION_ABORTED},
               {0x99, AL_ZOTA_SESSION_MORE}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        fresh(state);
        server_bench_query(&b, A, 1);
        zota_wire_clear(&b.wire);
        server_bench_end(&b, A, row[i].status);
        zota_wire_only_default(&b.wire, AL_ZOTA_UPGRADE_END_REQ, 0);
        assert_int_equal(state_of(A), row[i].state);
        assert_int_equal(b.last[AL_ZOTA_SERVER_END].status, row[i].status);
    }
}

static void an_end_for_an_unknown_file_is_no_end(void **state)
{
    b.file.id.file_version = 9;
    struct al_zota_frame f = {.command = AL_ZOTA_UPGRADE_END_REQ,
                              .u.upgrade_end_req = {0, true, {0x131b, 1, 2}}};
    server_bench_receive(&b, A, &f);
    zota_wire_only_default(&b.wire, AL_ZOTA_UPGRADE_END_REQ, 0x98);
    assert_null(server_bench_session(&b, A));
}

static void who_runs_the_new_version_has_it_whatever_came_last(void **state)
{
    server_bench_query(&b, A, 1);
    server_bench_end(&b, A, 0);
    struct al_zota_frame late = server_bench_block_req(&b, 0, 50);
    server_bench_receive(&b, A, &late);
    assert_int_equal(state_of(A), AL_ZOTA_SESSION_DOWNLOADING);
    b.find_answer = AL_ERR_NOT_FOUND;
    server_bench_query(&b, A, 2);
    assert_int_equal(state_of(A), AL_ZOTA_SESSION_UPDATED);
}

static void the_next_query_shows_what_came_of_it(void **state)
{
    for (uint32_t version = 1; version <= 2; version++) {
        fresh(state);
        server_bench_query(&b, A, 1);
        server_bench_end(&b, A, 0);
        b.find_answer = AL_ERR_NOT_FOUND;
        server_bench_query(&b, A, version);
        assert_int_equal(state_of(A),
                         version == 2 ? AL_ZOTA_SESSION_UPDATED : AL_ZOTA_SESSION_NOT_APPLIED);
    }
}

static void notifies_carry_what_their_type_says(void **state)
{
    static const size_t len[] = {5, 7, 9, 13};
    struct al_zota_id id = {0x131b, 1, 2};
    for (uint8_t type = 0; type < 4; type++) {
        struct al_zota_peer all = {0xfffd, 0xff}, one = {A, 10};
        assert_int_equal(al_zota_server_notify(&b.server, all, type, 50, &id), 0);
        const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_IMAGE_NOTIFY);
        assert_int_equal(s->how.len, len[type]);
        assert_false(s->how.aps_ack);
        assert_int_equal(s->frame.u.image_notify.payload_type, type);
        assert_int_equal(al_zota_server_notify(&b.server, one, type, 100, &id), 0);
        assert_true(zota_wire_only(&b.wire, AL_ZOTA_IMAGE_NOTIFY)->how.aps_ack);
        assert_int_equal(al_zota_server_notify(&b.server, one, 4, 100, &id), AL_ERR_INVALID_ARG);
        assert_int_equal(al_zota_server_notify(&b.server, one, type, 0, &id), AL_ERR_INVALID_ARG);
        assert_int_equal(al_zota_server_notify(&b.server, one, type, 101, &id), AL_ERR_INVALID_ARG);
    }
}

static void foreign_frames_are_answered_as_zcl_wants(void **state)
{
    static const struct {
        uint8_t bytes[16], len;
        bool broadcast;
        int status; /* -1: silence */
        int err;
    } row[] = {
        {{0x01, 1, 0x01, 0, 0x1b}, 5, false, 0x80, 0},    /* query cut short */
        {{0x01, 1, 0x03, 0, 0x1b}, 5, false, 0x80, 0},    /* block request cut short */
        {{0x01, 1, 0x06}, 3, false, 0x80, 0},             /* end without status */
        {{0x01, 1, 0x0b, 0}, 4, false, 0x81, 0},          /* no such command */
        {{0x11, 1, 0x0b, 0}, 4, false, 0x81, 0},          /* a failure is told all the same */
        {{0x01, 1, 0x0b, 0}, 4, true, -1, 0},             /* broadcast */
        {{0x05, 0x1b, 0x13, 1, 0x03}, 5, false, 0x83, 0}, /* of a manufacturer */
        {{0x10, 1, 0x0b, 0x05, 0x80}, 5, false, -1, 0},   /* default response */
        {{0x00, 1, 0x00, 0, 0}, 5, false, -1, AL_ERR_NOT_SUPPORTED}, /* read attributes */
        {{0x19, 1, 0x05, 0}, 4, false, -1, AL_ERR_NOT_SUPPORTED},    /* for a client */
        {{0x01, 1}, 2, false, -1, AL_ERR_SHORT},
        {{0x03, 1, 1}, 3, false, -1, 0}, /* reserved frame type */
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct al_zota_received rx = {{A, 10}, 5, row[i].broadcast, row[i].bytes, row[i].len};
        assert_int_equal(al_zota_server_receive(&b.server, b.now, &rx), row[i].err);
        bool manufacturer = row[i].bytes[0] == 0x05;
        if (row[i].status < 0)
            zota_wire_silent(&b.wire);
        else
            zota_wire_only_default(&b.wire, row[i].bytes[manufacturer ? 4 : 2],
                                   (uint8_t)row[i].status);
    }
    assert_null(server_bench_session(&b, A));
}

static void a_silent_download_is_reported_as_stalled(void **state)
{
    static const struct {
        struct al_zota_device device;
        unsigned limit; /* s */
    } row[] = {{{0}, 150}, {{.sleepy = true}, 1800}, {{.stall_limit = 3600}, 3600}};
    for (size_t i = 0; i < 3; i++) {
        fresh(state);
        b.device = row[i].device;
        server_bench_query(&b, A, 1);
        server_bench_ask(&b, A, 0, 63);
        al_zota_server_sent(&b.server, b.now, b.wire.sent[1].how.handle, true);
        b.now += S(10);
        server_bench_ask(&b, A, 63, 63);
        al_zota_server_sent(&b.server, b.now, b.wire.sent[2].how.handle, true);
        assert_int_equal(server_bench_wait(&b), S(row[i].limit));
        assert_int_equal(b.events[AL_ZOTA_SERVER_STALLED], 1);
        assert_int_equal(b.last[AL_ZOTA_SERVER_STALLED].offset, 126);
        assert_int_equal(state_of(A), AL_ZOTA_SESSION_LOST);
        zota_wire_clear(&b.wire);
        server_bench_ask(&b, A, 126, 63); /* it is back */
        assert_int_equal(server_bench_expect_block(&b, A, 126), 63);
        assert_int_equal(state_of(A), AL_ZOTA_SESSION_DOWNLOADING);
    }
}

static void the_last_block_leaves_an_hour_for_the_check(void **state)
{
    server_bench_query(&b, A, 1);
    server_bench_ask(&b, A, 4900, 100);
    assert_int_equal(state_of(A), AL_ZOTA_SESSION_VERIFYING);
    al_zota_server_sent(&b.server, b.now, b.wire.sent[1].how.handle, true);
    assert_int_equal(server_bench_wait(&b), S(3600));
    assert_int_equal(state_of(A), AL_ZOTA_SESSION_LOST);
}

static void transfers_are_remembered_over_a_restart(void **state)
{
    server_bench_query(&b, A, 1);
    for (uint32_t at = 0; at < 2230; at += 223) {
        b.now += S(1);
        server_bench_ask(&b, A, at, 223);
    }
    assert_in_range(b.saves, 2, 6); /* two states, then every 5 s */
    struct al_zota_record kept = b.saved;
    server_bench_init(&b, NULL);
    assert_int_equal(al_zota_server_restore(&b.server, b.now, &kept), 0);
    struct al_zota_session *c = server_bench_session(&b, A);
    assert_int_equal(c->record.state, AL_ZOTA_SESSION_DOWNLOADING);
    assert_in_range(c->record.offset, 1115, 2230);
    server_bench_ask(&b, A, 2230, 223);
    server_bench_expect_block(&b, A, 2230);
    assert_int_equal(c->record.offset, 2453);
    assert_int_equal(c->repeats, 0);
}

static void damaged_records_are_refused(void **state)
{
    server_bench_query(&b, A, 1);
    struct al_zota_record kept = server_bench_session(&b, A)->record, bad;
    for (int i = 0; i < 4; i++) {
        bad = kept;
        if (i == 0) bad.magic++;
        if (i == 1) bad.state = AL_ZOTA_SESSION_MORE + 1;
        if (i == 2) bad.state = AL_ZOTA_SESSION_FREE;
        if (i == 3) bad.offset = bad.image.size + 1;
        assert_int_equal(al_zota_server_restore(&b.server, b.now, &bad), AL_ERR_INVALID_ARG);
    }
}

static void an_abort_reaches_the_client_even_after_a_restart(void **state)
{
    server_bench_query(&b, A, 1);
    server_bench_ask(&b, A, 0, 223);
    al_zota_server_abort(&b.server, b.now, server_bench_session(&b, A));
    struct al_zota_record kept = b.saved;
    assert_int_equal(kept.abort, 1);
    server_bench_init(&b, NULL);
    assert_int_equal(al_zota_server_restore(&b.server, b.now, &kept), 0);
    server_bench_ask(&b, A, 223, 223);
    server_bench_expect_status(&b, 0x95);
    assert_int_equal(state_of(A), AL_ZOTA_SESSION_ABORTED);
    assert_int_equal(b.saved.abort, 0);
}

static void a_device_keeps_its_session_with_a_new_address(void **state)
{
    b.device.ext_addr = 42;
    server_bench_query(&b, A, 1);
    server_bench_ask(&b, A, 0, 223);
    al_zota_server_moved(&b.server, 42, B);
    assert_null(server_bench_session(&b, A));
    assert_int_equal(server_bench_session(&b, B)->record.offset, 223);
    /* Also when it is heard before anybody says so. */
    zota_wire_clear(&b.wire);
    server_bench_ask(&b, C, 223, 223);
    server_bench_expect_block(&b, C, 223);
    assert_null(server_bench_session(&b, B));
    assert_int_equal(server_bench_session(&b, C)->record.offset, 446);
}

static void a_full_table_gives_up_the_oldest_that_is_idle(void **state)
{
    for (uint16_t i = 0; i < SERVER_BENCH_SESSIONS; i++) {
        b.now += S(1);
        server_bench_query(&b, (uint16_t)(0x100 + i), 1);
    }
    server_bench_ask(&b, 0x100, 0, 223); /* the oldest is busy now */
    server_bench_query(&b, A, 1);
    assert_non_null(server_bench_session(&b, A));
    assert_non_null(server_bench_session(&b, 0x100));
    assert_null(server_bench_session(&b, 0x101));
}

static void with_all_sessions_busy_a_newcomer_waits(void **state)
{
    for (uint16_t i = 0; i < SERVER_BENCH_SESSIONS; i++)
        server_bench_ask(&b, (uint16_t)(0x100 + i), 0, 40);
    zota_wire_clear(&b.wire);
    server_bench_ask(&b, A, 0, 40);
    assert_int_equal(server_bench_expect_status(&b, 0x97)->request_time, 60);
}

#define T(f) cmocka_unit_test_setup(f, fresh)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_query_gets_what_the_lookup_says),
        T(an_image_fits_by_ids_hardware_destination_and_version),
        T(a_device_specific_file_is_looked_up_by_address),
        T(the_end_is_answered_with_the_order_of_the_policy),
        T(a_client_that_waits_is_released),
        T(a_bad_end_gets_a_default_response_and_no_order),
        T(an_end_for_an_unknown_file_is_no_end),
        T(who_runs_the_new_version_has_it_whatever_came_last),
        T(the_next_query_shows_what_came_of_it),
        T(notifies_carry_what_their_type_says),
        T(foreign_frames_are_answered_as_zcl_wants),
        T(a_silent_download_is_reported_as_stalled),
        T(the_last_block_leaves_an_hour_for_the_check),
        T(transfers_are_remembered_over_a_restart),
        T(damaged_records_are_refused),
        T(an_abort_reaches_the_client_even_after_a_restart),
        T(a_device_keeps_its_session_with_a_new_address),
        T(a_full_table_gives_up_the_oldest_that_is_idle),
        T(with_all_sessions_busy_a_newcomer_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
