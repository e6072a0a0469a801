/* The OTA server hands out data: blocks, pages, pace, places. */
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

static void restart(const struct al_zota_server_config *config)
{
    server_bench_init(&b, config);
}

/* Asks and confirms the answer. */
static uint8_t get(uint16_t addr, uint32_t offset, uint8_t max)
{
    server_bench_ask(&b, addr, offset, max);
    uint32_t handle = b.wire.sent[0].how.handle;
    uint8_t n = server_bench_expect_block(&b, addr, offset);
    al_zota_server_sent(&b.server, b.now, handle, true);
    return n;
}

static void the_answer_takes_all_from_the_request(void **state)
{
    /* No query, no order: as after a restart of the server. */
    static const struct {
        uint32_t offset;
        uint8_t max, n;
    } row[] = {{0, 223, 223}, {0, 255, 223},  {4000, 64, 64},  {223, 1, 1},
               {63, 63, 63},  {4999, 100, 1}, {4900, 223, 100}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        b.now += S(3);
        server_bench_ask(&b, A, row[i].offset, row[i].max);
        const struct zota_sent *s = &b.wire.sent[0];
        assert_int_equal(s->zcl.seq, b.seq);
        assert_int_equal(s->bytes[0], 0x19);
        assert_true(s->how.aps_ack);
        assert_int_equal(s->how.may_fragment, row[i].n > 64);
        al_zota_server_sent(&b.server, b.now, s->how.handle, true);
        assert_int_equal(server_bench_expect_block(&b, A, row[i].offset), row[i].n);
    }
    assert_int_equal(b.events[AL_ZOTA_SERVER_STARTED], 1);
}

static void requests_beyond_reason_get_their_status(void **state)
{
    static const struct {
        uint32_t offset;
        uint8_t max;
        uint16_t type;
        uint8_t status;
    } row[] = {{5000, 63, 1, 0x80}, {0xffffffff, 63, 1, 0x80}, {0, 0, 1, 0x80}, {0, 63, 2, 0x98}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct al_zota_frame f = server_bench_block_req(&b, row[i].offset, row[i].max);
        f.u.image_block_req.id.image_type = row[i].type;
        server_bench_receive(&b, A, &f);
        zota_wire_only_default(&b.wire, AL_ZOTA_IMAGE_BLOCK_REQ, row[i].status);
        assert_null(server_bench_session(&b, A));
        assert_int_equal(b.last[AL_ZOTA_SERVER_REFUSED].status, row[i].status);
    }
}

static void a_second_copy_of_a_request_is_not_answered_twice(void **state)
{
    assert_int_equal(get(A, 0, 223), 223);
    b.seq--;
    server_bench_ask(&b, A, 0, 223);
    zota_wire_silent(&b.wire);
    b.now += S(3); /* but asked for later it is */
    b.seq--;
    assert_int_equal(get(A, 0, 223), 223);
}

static void late_copies_of_older_requests_are_not_answered(void **state)
{
    get(A, 0, 100);
    get(A, 100, 100);
    get(A, 200, 100);
    b.seq -= 3;
    server_bench_ask(&b, A, 0, 100);
    server_bench_ask(&b, A, 100, 100);
    zota_wire_silent(&b.wire);
    b.seq++;
    get(A, 300, 100);
    b.seq -= 2, b.now += S(3); /* not so late: the client began anew */
    get(A, 0, 100);
}

static void a_copy_of_a_page_request_brings_no_second_page(void **state)
{
    server_bench_ask_page(&b, A, 0, 128, 0);
    assert_int_equal(b.wire.count, 2);
    for (unsigned i = 0; i < 2; i++)
        al_zota_server_sent(&b.server, b.now, b.wire.sent[i].how.handle, true);
    b.seq--;
    server_bench_ask_page(&b, A, 0, 128, 0);
    assert_int_equal(b.wire.count, 2);
    zota_wire_clear(&b.wire);
    server_bench_ask_page(&b, A, 128, 64, 0);
    server_bench_expect_block(&b, A, 128);
    b.seq -= 2;
    server_bench_ask_page(&b, A, 0, 128, 0);
    zota_wire_silent(&b.wire);
}

static void a_request_that_meets_its_answer_on_the_way_waits_for_its_fate(void **state)
{
    for (int ok = 0; ok < 2; ok++) {
        fresh(state);
        server_bench_ask(&b, A, 0, 223);
        uint32_t handle = b.wire.sent[0].how.handle;
        zota_wire_clear(&b.wire);
        b.now += S(5);
        server_bench_ask(&b, A, 0, 223);
        zota_wire_silent(&b.wire);
        al_zota_server_sent(&b.server, b.now, handle, ok);
        if (ok)
            zota_wire_silent(&b.wire);
        else
            server_bench_expect_block(&b, A, 0);
    }
}

static void going_on_is_as_good_as_a_confirmation(void **state)
{
    for (uint32_t at = 0; at < 4000; at += 100) {
        server_bench_ask(&b, A, at, 100);
        assert_int_equal(server_bench_expect_block(&b, A, at), 100);
    }
    assert_int_equal(b.server.in_air, 1);
}

static void loss_makes_blocks_smaller_and_success_bigger_again(void **state)
{
    static const uint8_t size[] = {223, 223, 63, 63, 49, 49, 40, 40, 40};
    for (size_t i = 0; i < sizeof size; i++) {
        server_bench_ask(&b, A, 0, 223);
        uint32_t handle = b.wire.sent[0].how.handle;
        assert_int_equal(server_bench_expect_block(&b, A, 0), size[i]);
        al_zota_server_sent(&b.server, b.now, handle, false);
        b.now += S(3);
    }
    assert_int_equal(b.events[AL_ZOTA_SERVER_PACE], 3);
    uint32_t at = 0;
    static const uint8_t run[][2] = {{16, 40}, {32, 49}, {64, 63}};
    for (size_t i = 0; i < 3; i++)
        for (unsigned k = 0; k < run[i][0]; k++) {
            if (at > 4700) at = 1;
            assert_int_equal(get(A, at, 223), run[i][1]);
            at += run[i][1];
            b.now += S(3);
        }
    assert_int_equal(get(A, at < 4700 ? at : 1, 223), 223);
}

static void blocks_that_arrive_and_are_asked_for_again_become_smaller_too(void **state)
{
    /* A client that acknowledges fragments and never puts them together. */
    unsigned tries = 0;
    while (get(A, 0, 223) == 223 && tries < 10) tries++, b.now += S(6);
    assert_in_range(tries, 2, 3);
}

static void loss_makes_blocks_slower_and_success_faster_again(void **state)
{
    uint64_t pause = 0;
    uint32_t at = 0;
    for (unsigned i = 0; i < 8; i++, at += 40) {
        server_bench_ask(&b, A, at, 40);
        if (i > 0) {
            zota_wire_silent(&b.wire);
            assert_int_equal(server_bench_wait(&b), pause);
        }
        uint32_t handle = b.wire.sent[0].how.handle;
        server_bench_expect_block(&b, A, at);
        al_zota_server_sent(&b.server, b.now, handle, false);
        pause = server_bench_session(&b, A)->pace * MS(1);
        assert_int_equal(pause, MS(i < 5 ? 20 << i : 500));
    }
    for (unsigned i = 0; i < 40; i++, at += 40) {
        b.now += S(1);
        get(A, at, 40);
    }
    assert_int_equal(server_bench_session(&b, A)->pace, 0);
    server_bench_ask(&b, A, at, 40);
    server_bench_expect_block(&b, A, at);
}

static void limits_of_a_device_are_kept(void **state)
{
    static const struct {
        struct al_zota_device device;
        uint8_t n;
        bool fragment;
    } row[] = {{{0}, 223, true},
               {{.max_block = 50}, 50, false},
               {{.no_fragments = true}, 64, false},
               {{.max_block = 100}, 100, true}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        fresh(state);
        b.device = row[i].device;
        server_bench_ask(&b, A, 0, 223);
        assert_int_equal(b.wire.sent[0].how.may_fragment, row[i].fragment);
        assert_int_equal(server_bench_expect_block(&b, A, 0), row[i].n);
    }
    struct al_zota_server_config config = {.max_block = 40};
    restart(&config);
    assert_int_equal(get(A, 0, 223), 40);
}

static void a_size_that_the_network_cannot_carry_is_not_tried_again(void **state)
{
    b.device.no_fragments = true;
    b.wire.longest = 17 + 60; /* a network with longer headers */
    assert_int_equal(get(A, 0, 64), 49);
    for (uint32_t at = 49; at < 4800; at += 49) assert_int_equal(get(A, at, 64), 49);
}

static void what_read_gives_less_is_sent_less(void **state)
{
    b.read_most = 30;
    assert_int_equal(get(A, 0, 223), 30);
}

static void missing_data_makes_the_client_wait(void **state)
{
    b.read_answer = AL_ERR_NOT_FINISHED;
    server_bench_ask(&b, A, 0, 223);
    zota_wire_silent(&b.wire);
    uint64_t since = b.now;
    while (b.wire.count == 0 && b.now < since + S(5)) server_bench_wait(&b);
    const struct al_zota_image_block_rsp *r = server_bench_expect_status(&b, 0x97);
    assert_int_equal(r->current_time, 0);
    assert_int_equal(r->request_time, 1);
    assert_in_range(b.now - since, S(1), MS(1200));
}

static void data_that_comes_late_is_sent_at_once(void **state)
{
    b.read_answer = AL_ERR_NOT_FINISHED;
    server_bench_ask(&b, A, 0, 223);
    b.now += MS(50);
    b.read_answer = 0;
    al_zota_server_wake(&b.server, b.now);
    assert_int_equal(server_bench_expect_block(&b, A, 0), 223);
}

static void a_file_that_cannot_be_read_ends_the_download(void **state)
{
    b.read_answer = AL_FAIL;
    server_bench_ask(&b, A, 0, 223);
    server_bench_expect_status(&b, 0x95);
    assert_int_equal(server_bench_session(&b, A)->record.state, AL_ZOTA_SESSION_FAILED);
}

static void a_full_queue_holds_the_answer_back(void **state)
{
    b.wire.refuse = AL_ERR_NO_MEM;
    server_bench_ask(&b, A, 0, 223);
    b.wire.refuse = 0;
    assert_true(server_bench_wait(&b) <= MS(10));
    server_bench_expect_block(&b, A, 0);
}

static void one_answer_is_under_way_at_a_time(void **state)
{
    uint32_t had[8] = {0};
    for (uint16_t i = 0; i < 8; i++) server_bench_ask(&b, (uint16_t)(0x100 + i), 0, 223);
    for (unsigned i = 0; i < 32; i++) {
        assert_int_equal(b.wire.count, i + 1);
        uint16_t addr = b.wire.sent[i].how.to.addr;
        b.now += MS(20);
        al_zota_server_sent(&b.server, b.now, b.wire.sent[i].how.handle, true);
        /* Its next request comes first, whoever waits. */
        assert_int_equal(b.wire.count, i + 1);
        b.now += MS(5);
        had[addr - 0x100] += 223;
        server_bench_ask(&b, addr, had[addr - 0x100], 223);
    }
    for (unsigned i = 0; i < 8; i++) assert_in_range(had[i], 3 * 223, 5 * 223);
}

static void a_client_that_does_not_ask_on_is_not_waited_for_long(void **state)
{
    server_bench_ask(&b, A, 0, 223);
    server_bench_ask(&b, B, 0, 223);
    al_zota_server_sent(&b.server, b.now, b.wire.sent[0].how.handle, true);
    assert_int_equal(b.wire.count, 1);
    assert_in_range(server_bench_wait(&b), MS(1), MS(20));
    assert_int_equal(b.wire.sent[1].how.to.addr, B);
}

static void few_answers_are_under_way_to_clients_that_are_slow(void **state)
{
    for (uint16_t i = 0; i < 8; i++) server_bench_ask(&b, (uint16_t)(0x100 + i), 0, 223);
    for (unsigned i = 1; i < 3; i++) {
        assert_int_equal(b.wire.count, i);
        assert_in_range(server_bench_wait(&b), MS(20), MS(500));
    }
    assert_int_equal(b.wire.count, 3);
    for (unsigned i = 0; i < 3; i++)
        al_zota_server_sent(&b.server, b.now, b.wire.sent[i].how.handle, true);
    while (b.wire.count < 6) assert_true(server_bench_wait(&b) < MS(1000));
    for (unsigned i = 0; i < 6; i++) assert_int_equal(b.wire.sent[i].how.to.addr, 0x100 + i);
}

static size_t room_of_76(void *ctx, struct al_zota_peer to)
{
    return 76;
}

/* Fragments hold two bytes less; a block has 17 in front of its data. */
static void blocks_fill_whole_frames(void **state)
{
    static const struct {
        uint8_t max, n;
    } row[] = {{223, 3 * 74 - 17}, {190, 190}, {59, 59}, {60, 59}, {64, 59}, {80, 59}, {120, 120}};
    b.server.transport.room = room_of_76;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        b.now += S(3);
        assert_int_equal(get(A, (uint32_t)(300 * i), row[i].max), row[i].n);
    }
    server_bench_ask_page(&b, A, 4000, 59, 10);
    assert_int_equal(server_bench_expect_block(&b, A, 4000), 59);
}

static void sleepy_devices_hold_up_nobody(void **state)
{
    b.device.sleepy = true;
    for (uint16_t i = 0; i < 6; i++) server_bench_ask(&b, (uint16_t)(0x100 + i), 0, 40);
    assert_int_equal(b.wire.count, 6);
    b.device.sleepy = false;
    server_bench_ask(&b, A, 0, 40);
    assert_int_equal(b.wire.count, 7);
}

static void an_answer_that_is_never_confirmed_does_not_block_for_ever(void **state)
{
    for (uint16_t i = 0; i < 4; i++) server_bench_ask(&b, (uint16_t)(0x100 + i), 0, 40);
    while (b.wire.count < 3) assert_true(server_bench_wait(&b) < S(1));
    assert_in_range(server_bench_wait(&b), S(20), S(60));
    assert_int_equal(b.wire.count, 4);
}

static void a_period_is_told_once_and_then_kept(void **state)
{
    struct al_zota_server_config config = {.block_period = 300};
    restart(&config);
    server_bench_ask(&b, A, 0, 63);
    const struct al_zota_image_block_rsp *r = server_bench_expect_status(&b, 0x97);
    assert_int_equal(r->request_time, 0);
    assert_int_equal(r->min_block_period, 300);
    assert_int_equal(get(A, 0, 63), 63);
    b.now += MS(100); /* it does not keep the period */
    server_bench_ask(&b, A, 63, 63);
    zota_wire_silent(&b.wire);
    assert_int_equal(server_bench_wait(&b), MS(200));
    server_bench_expect_block(&b, A, 63);
}

static void a_client_that_knows_the_period_is_not_told(void **state)
{
    struct al_zota_server_config config = {.block_period = 300};
    restart(&config);
    struct al_zota_frame f = server_bench_block_req(&b, 0, 63);
    f.u.image_block_req.has_min_block_period = true;
    f.u.image_block_req.min_block_period = 300;
    server_bench_receive(&b, A, &f);
    server_bench_expect_block(&b, A, 0);
}

static void a_period_may_be_told_in_seconds(void **state)
{
    b.device.block_period = 1500;
    b.device.period_in_seconds = true;
    server_bench_ask(&b, A, 0, 63);
    assert_int_equal(server_bench_expect_status(&b, 0x97)->min_block_period, 2);
}

static void others_wait_while_all_places_are_taken(void **state)
{
    struct al_zota_server_config config = {.parallel = 1};
    restart(&config);
    assert_int_equal(get(A, 0, 63), 63);
    server_bench_ask(&b, B, 0, 63);
    const struct al_zota_image_block_rsp *r = server_bench_expect_status(&b, 0x97);
    assert_in_range(r->request_time, 5, 75);
    assert_int_equal(server_bench_session(&b, B)->record.state, AL_ZOTA_SESSION_HELD);
    b.now += S(1);
    server_bench_ask(&b, C, 0, 63);
    server_bench_expect_status(&b, 0x97);
    /* A ends: C asks first, but B has waited longer. */
    server_bench_end(&b, A, 0);
    zota_wire_clear(&b.wire);
    server_bench_ask(&b, C, 0, 63);
    server_bench_expect_status(&b, 0x97);
    assert_int_equal(get(B, 0, 63), 63);
    server_bench_ask(&b, C, 0, 63);
    server_bench_expect_status(&b, 0x97);
    b.now += S(31); /* B is gone */
    assert_int_equal(get(C, 0, 63), 63);
}

/* A block takes 600 ms: more than four clients would lose their patience. */
static void more_than_the_air_can_serve_in_time_are_told_to_wait(void **state)
{
    for (uint32_t at = 0; at < 3000; at += 200) {
        server_bench_ask(&b, A, at, 200);
        uint32_t handle = b.wire.sent[0].how.handle;
        server_bench_expect_block(&b, A, at);
        b.now += MS(600);
        al_zota_server_sent(&b.server, b.now, handle, true);
    }
    for (uint16_t i = 0; i < 5; i++) {
        b.now += S(1);
        server_bench_ask(&b, (uint16_t)(0x100 + i), 0, 200);
        assert_int_equal(b.wire.count, 1);
        const struct al_zota_image_block_rsp *r = &b.wire.sent[0].frame.u.image_block_rsp;
        assert_int_equal(r->status, i < 3 ? 0 : 0x97);
        zota_wire_clear(&b.wire);
    }
    /* The one that waits gets the place of A, not who comes later. */
    server_bench_end(&b, A, 0);
    zota_wire_clear(&b.wire);
    server_bench_ask(&b, 0x104, 0, 200);
    server_bench_expect_status(&b, 0x97);
    server_bench_ask(&b, 0x103, 0, 200);
    while (!b.wire.count) server_bench_wait(&b);
    server_bench_expect_block(&b, 0x103, 0);
}

static void a_page_flows_with_one_tsn_and_without_acknowledgements(void **state)
{
    server_bench_ask_page(&b, A, 64, 300, 20);
    uint32_t at = 64;
    for (unsigned i = 0; i < 5; i++) {
        const struct zota_sent *s = &b.wire.sent[0];
        assert_int_equal(s->zcl.seq, b.seq);
        assert_false(s->how.aps_ack);
        assert_false(s->how.may_fragment);
        al_zota_server_sent(&b.server, b.now, s->how.handle, true);
        assert_int_equal(server_bench_expect_block(&b, A, at), i < 4 ? 64 : 44);
        at += 64;
        if (i < 4) assert_int_equal(server_bench_wait(&b), MS(20));
    }
    assert_false(server_bench_session(&b, A)->paging);
    assert_int_equal(server_bench_session(&b, A)->record.offset, 364);
}

static void a_page_ends_with_the_file(void **state)
{
    server_bench_ask_page(&b, A, 4950, 4096, 0);
    assert_int_equal(server_bench_expect_block(&b, A, 4950), 50);
    assert_int_equal(server_bench_session(&b, A)->record.state, AL_ZOTA_SESSION_VERIFYING);
}

static void a_page_is_paced_by_confirmations_too(void **state)
{
    server_bench_ask_page(&b, A, 0, 640, 0);
    assert_int_equal(b.wire.count, 2);
    for (unsigned i = 0; i < 8; i++)
        al_zota_server_sent(&b.server, b.now, b.wire.sent[i].how.handle, true);
    assert_int_equal(b.wire.count, 10);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(b.wire.sent[i].frame.u.image_block_rsp.file_offset, i * 64);
}

static void pages_at_the_same_time_take_turns(void **state)
{
    server_bench_ask_page(&b, A, 0, 640, 0);
    server_bench_ask_page(&b, B, 0, 640, 0);
    for (unsigned i = 0; i < 18; i++)
        al_zota_server_sent(&b.server, b.now, b.wire.sent[i].how.handle, true);
    assert_int_equal(b.wire.count, 20);
    unsigned of_a = 0;
    for (unsigned i = 4; i < 16; i++) of_a += b.wire.sent[i].how.to.addr == A;
    assert_int_equal(of_a, 6);
}

static void a_block_request_ends_the_page(void **state)
{
    server_bench_ask_page(&b, A, 0, 640, 50);
    zota_wire_clear(&b.wire);
    assert_int_equal(get(A, 64, 64), 64);
    assert_false(server_bench_session(&b, A)->paging);
}

static void an_abort_ends_a_page_at_once(void **state)
{
    server_bench_ask_page(&b, A, 0, 640, 50);
    zota_wire_clear(&b.wire);
    al_zota_server_abort(&b.server, b.now, server_bench_session(&b, A));
    server_bench_expect_status(&b, 0x95);
    server_bench_wait(&b);
    zota_wire_silent(&b.wire);
}

static void nobody_at_the_other_end_ends_the_page(void **state)
{
    server_bench_ask_page(&b, A, 0, 4096, 0);
    for (unsigned i = 0; i < 20 && i < b.wire.count; i++) {
        al_zota_server_sent(&b.server, b.now, b.wire.sent[i].how.handle, false);
        if (server_bench_session(&b, A)->paging) server_bench_wait(&b);
    }
    assert_in_range(b.wire.count, 8, 10);
}

static void pages_may_be_switched_off(void **state)
{
    struct al_zota_server_config config = {.no_pages = true};
    restart(&config);
    server_bench_ask_page(&b, A, 0, 640, 0);
    zota_wire_only_default(&b.wire, AL_ZOTA_IMAGE_PAGE_REQ, 0x81);
}

static void bad_page_requests_get_their_status(void **state)
{
    server_bench_ask_page(&b, A, 5000, 64, 0);
    zota_wire_only_default(&b.wire, AL_ZOTA_IMAGE_PAGE_REQ, 0x80);
    server_bench_ask_page(&b, A, 0, 0, 0);
    zota_wire_only_default(&b.wire, AL_ZOTA_IMAGE_PAGE_REQ, 0x80);
}

static void the_rate_and_the_remaining_time_are_measured(void **state)
{
    server_bench_query(&b, A, 1);
    zota_wire_clear(&b.wire);
    assert_int_equal(al_zota_session_remaining(server_bench_session(&b, A)), UINT32_MAX);
    for (uint32_t at = 0; at < 3000; at += 100) {
        get(A, at, 100);
        b.now += MS(500);
    }
    struct al_zota_session *c = server_bench_session(&b, A);
    assert_in_range(c->rate, 190, 220);
    assert_in_range(al_zota_session_remaining(c), 9, 11);
}

#define T(f) cmocka_unit_test_setup(f, fresh)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_answer_takes_all_from_the_request),
        T(requests_beyond_reason_get_their_status),
        T(a_second_copy_of_a_request_is_not_answered_twice),
        T(late_copies_of_older_requests_are_not_answered),
        T(a_copy_of_a_page_request_brings_no_second_page),
        T(a_request_that_meets_its_answer_on_the_way_waits_for_its_fate),
        T(going_on_is_as_good_as_a_confirmation),
        T(loss_makes_blocks_smaller_and_success_bigger_again),
        T(blocks_that_arrive_and_are_asked_for_again_become_smaller_too),
        T(loss_makes_blocks_slower_and_success_faster_again),
        T(limits_of_a_device_are_kept),
        T(a_size_that_the_network_cannot_carry_is_not_tried_again),
        T(what_read_gives_less_is_sent_less),
        T(missing_data_makes_the_client_wait),
        T(data_that_comes_late_is_sent_at_once),
        T(a_file_that_cannot_be_read_ends_the_download),
        T(a_full_queue_holds_the_answer_back),
        T(one_answer_is_under_way_at_a_time),
        T(a_client_that_does_not_ask_on_is_not_waited_for_long),
        T(few_answers_are_under_way_to_clients_that_are_slow),
        T(blocks_fill_whole_frames),
        T(sleepy_devices_hold_up_nobody),
        T(an_answer_that_is_never_confirmed_does_not_block_for_ever),
        T(a_period_is_told_once_and_then_kept),
        T(a_client_that_knows_the_period_is_not_told),
        T(a_period_may_be_told_in_seconds),
        T(others_wait_while_all_places_are_taken),
        T(more_than_the_air_can_serve_in_time_are_told_to_wait),
        T(a_page_flows_with_one_tsn_and_without_acknowledgements),
        T(a_page_ends_with_the_file),
        T(a_page_is_paced_by_confirmations_too),
        T(pages_at_the_same_time_take_turns),
        T(a_block_request_ends_the_page),
        T(an_abort_ends_a_page_at_once),
        T(nobody_at_the_other_end_ends_the_page),
        T(pages_may_be_switched_off),
        T(bad_page_requests_get_their_status),
        T(the_rate_and_the_remaining_time_are_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
