/* Clients that mean no good: many endpoints, upgrades that never end, another's EUI. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/zota_server.h"

static struct server_bench b;
enum { VICTIM = 0x1111, ROGUE = 0x6666 };
#define VICTIM_EXT 0x744dbdfffe600001ull

static int fresh(void **state)
{
    server_bench_init(&b, NULL);
    return 0;
}

static void receive(uint16_t addr, uint8_t endpoint, const struct al_zota_frame *f)
{
    uint8_t zcl[128] = {0x01, ++b.seq, f->command};
    int n = al_zota_build(f, zcl + 3, sizeof zcl - 3);
    assert_true(n >= 0);
    const struct al_zota_received rx = {
        .from = {addr, endpoint}, .dst_endpoint = 5, .zcl = zcl, .len = (size_t)n + 3};
    al_zota_server_receive(&b.server, b.now, &rx);
}

static unsigned sessions_of(uint16_t addr)
{
    unsigned n = 0;
    for (unsigned i = 0; i < b.server.sessions; i++)
        n += b.server.session[i].record.state != AL_ZOTA_SESSION_FREE &&
             b.server.session[i].record.peer.addr == addr;
    return n;
}

static void endpoints_of_one_address_do_not_take_the_table(void **state)
{
    static struct al_zota_session table[32];
    b.server.session = table;
    b.server.sessions = 32;
    for (unsigned i = 1; i <= 240; i++) {
        struct al_zota_frame f = server_bench_block_req(&b, 0, 64);
        receive(ROGUE, (uint8_t)i, &f);
        zota_wire_clear(&b.wire);
    }
    assert_int_equal(sessions_of(ROGUE), 8);
    server_bench_ask(&b, VICTIM, 0, 64);
    assert_non_null(server_bench_session(&b, VICTIM));
    /* It has its turn among them. */
    for (unsigned i = 0; i < 40; i++) {
        for (unsigned k = 0; k < AL_ZOTA_OUTSTANDING; k++)
            al_zota_server_sent(&b.server, b.now, b.server.outstanding[k].handle, true);
        b.now += MS(20);
        al_zota_server_run(&b.server, b.now);
        zota_wire_clear(&b.wire);
    }
    assert_true(server_bench_session(&b, VICTIM)->blocks > 0);
}

static void upgrades_that_ended_long_ago_make_room(void **state)
{
    for (unsigned i = 0; i < SERVER_BENCH_SESSIONS; i++) {
        server_bench_end(&b, (uint16_t)(ROGUE + i), 0);
        assert_int_equal(server_bench_session(&b, (uint16_t)(ROGUE + i))->record.state,
                         AL_ZOTA_SESSION_ENDED);
    }
    zota_wire_clear(&b.wire);
    server_bench_ask(&b, VICTIM, 0, 64);
    server_bench_expect_status(&b, 0x97);
    b.now += S(3600) + 1;
    zota_wire_clear(&b.wire);
    server_bench_ask(&b, VICTIM, 0, 64);
    server_bench_expect_block(&b, VICTIM, 0);
}

static void an_eui_that_is_known_is_nobody_elses(void **state)
{
    b.device.ext_addr = VICTIM_EXT;
    server_bench_query(&b, VICTIM, 1);
    b.device.ext_addr = 0; /* the stack does not know the other one */
    struct al_zota_frame f = server_bench_block_req(&b, 0, 64);
    f.u.image_block_req.has_node_addr = true;
    f.u.image_block_req.node_addr = VICTIM_EXT;
    receive(ROGUE, 10, &f);
    assert_int_equal(server_bench_session(&b, ROGUE)->record.ext_addr, 0);
    assert_ptr_equal(al_zota_server_find_ext(&b.server, VICTIM_EXT),
                     server_bench_session(&b, VICTIM));
}

static void a_claim_gives_way_to_what_the_stack_knows(void **state)
{
    struct al_zota_frame f = server_bench_block_req(&b, 0, 64);
    f.u.image_block_req.has_node_addr = true;
    f.u.image_block_req.node_addr = VICTIM_EXT;
    receive(ROGUE, 11, &f);
    b.device.ext_addr = VICTIM_EXT;
    server_bench_query(&b, VICTIM, 1);
    assert_ptr_equal(al_zota_server_find_ext(&b.server, VICTIM_EXT),
                     server_bench_session(&b, VICTIM));
    /* A move of the victim does not hit the other one. */
    al_zota_server_moved(&b.server, VICTIM_EXT, 0x1234);
    assert_non_null(server_bench_session(&b, 0x1234));
}

static void files_for_another_device_are_not_given_out(void **state)
{
    b.device.ext_addr = 42;
    b.file.id = (struct al_zota_id){0x131b, 0xffc1, 7};
    struct al_zota_frame f = {.command = AL_ZOTA_SPECIFIC_FILE_REQ,
                              .u.specific_file_req = {VICTIM_EXT, {0x131b, 0xffc1, 7}, 2}};
    server_bench_receive(&b, ROGUE, &f);
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_SPECIFIC_FILE_RSP);
    assert_int_equal(s->frame.u.query_next_image_rsp.status, 0x7e);
    assert_int_equal(b.wanted.ext_addr, 0); /* the application was not asked */
    zota_wire_clear(&b.wire);
    f.u.specific_file_req.node_addr = 42;
    server_bench_receive(&b, ROGUE, &f);
    s = zota_wire_only(&b.wire, AL_ZOTA_SPECIFIC_FILE_RSP);
    assert_int_equal(s->frame.u.query_next_image_rsp.status, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, fresh)
    const struct CMUnitTest tests[] = {
        T(endpoints_of_one_address_do_not_take_the_table),
        T(upgrades_that_ended_long_ago_make_room),
        T(an_eui_that_is_known_is_nobody_elses),
        T(a_claim_gives_way_to_what_the_stack_knows),
        T(files_for_another_device_are_not_given_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
