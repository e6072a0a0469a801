/* Spec rows: Verifying, WaitingToUpgrade, CountDown; the table of upgrade times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/zota_client.h"

static struct client_bench b;

static int fresh(void **state)
{
    struct al_zota_client_config config = client_bench_config();
    client_bench_init(&b, &config);
    return 0;
}

static void complete(void)
{
    client_bench_start(&b);
    client_bench_download(&b);
}

static void expect_end(uint8_t status)
{
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_UPGRADE_END_REQ);
    assert_int_equal(s->frame.u.upgrade_end_req.status, status);
    assert_int_equal(s->frame.u.upgrade_end_req.id.file_version, 2);
    assert_true(s->how.aps_ack);
}

static void order(uint32_t current, uint32_t upgrade)
{
    struct al_zota_frame f = client_bench_order(&b, current, upgrade);
    client_bench_receive(&b, &f);
}

static void the_check_decides_what_the_server_is_told(void **state)
{
    static const struct {
        int check;
        enum al_zota_client_state state;
        enum al_zota_reason reason;
        uint32_t kept;
    } row[] = {
        {0x00, AL_ZOTA_CLIENT_WAITING, AL_ZOTA_REASON_NONE, AL_ZOTA_PROGRESS_MAGIC},
        {0x96, AL_ZOTA_CLIENT_IDLE, AL_ZOTA_REASON_INVALID, 0},
        {0x95, AL_ZOTA_CLIENT_IDLE, AL_ZOTA_REASON_STOPPED, AL_ZOTA_PROGRESS_MAGIC},
        {0x99, AL_ZOTA_CLIENT_MORE, AL_ZOTA_REASON_NONE, 0},
    };
    for (int later = 0; later < 2; later++)
        for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
            fresh(state);
            b.check_answer = later ? AL_ZOTA_LATER : row[i].check;
            complete();
            if (later) {
                zota_wire_silent(&b.wire);
                assert_int_equal(al_zota_client_status(&b.client), 2);
                assert_int_equal(al_zota_client_next(&b.client), UINT64_MAX);
                assert_int_equal(al_zota_client_checked(&b.client, b.now, (uint8_t)row[i].check),
                                 0);
            }
            expect_end((uint8_t)row[i].check);
            assert_int_equal(b.client.state, row[i].state);
            assert_int_equal(b.client.reason, row[i].reason);
            assert_int_equal(b.saved.magic, row[i].kept);
            assert_int_equal(al_zota_client_checked(&b.client, b.now, 0), AL_ERR_INVALID_STATE);
        }
}

/* The table of spec section 3.4. */
static void upgrade_times_mean_what_the_table_says(void **state)
{
    static const struct {
        uint32_t current, upgrade;
        enum al_zota_client_state state;
        uint64_t next; /* of the timer */
    } row[] = {
        {0, 0, AL_ZOTA_CLIENT_COUNT_DOWN, S(3)},
        {0, 1, AL_ZOTA_CLIENT_COUNT_DOWN, S(3)},
        {0, 5, AL_ZOTA_CLIENT_COUNT_DOWN, S(5)},
        {0, 40000, AL_ZOTA_CLIENT_COUNT_DOWN, S(40000)},
        {0x12345, 0x1234a, AL_ZOTA_CLIENT_COUNT_DOWN, S(5)},
        {700000000, 700000000, AL_ZOTA_CLIENT_COUNT_DOWN, S(3)},
        {700000000, 699999999, AL_ZOTA_CLIENT_WAITING, S(3600)},
        {0, 0xffffffff, AL_ZOTA_CLIENT_WAITING, S(600)},
        {700000000, 0xffffffff, AL_ZOTA_CLIENT_WAITING, S(600)},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        fresh(state);
        complete();
        expect_end(0);
        order(row[i].current, row[i].upgrade);
        assert_int_equal(b.client.state, row[i].state);
        assert_int_equal(client_bench_wait(&b), row[i].next);
        if (row[i].state == AL_ZOTA_CLIENT_COUNT_DOWN) {
            assert_int_equal(b.events[AL_ZOTA_CLIENT_FINISH], 1);
            assert_int_equal(b.saved.magic, 0); /* before it restarts */
        } else {
            expect_end(0);
        }
    }
}

static void a_count_down_may_be_capped(void **state)
{
    b.client.config.max_count_down = 3600;
    complete();
    order(0, 40000);
    assert_int_equal(b.last[AL_ZOTA_CLIENT_APPLY].arg, 3600000);
    assert_int_equal(client_bench_wait(&b), S(3600));
}

static void an_order_later_ends_the_wait(void **state)
{
    complete();
    expect_end(0);
    order(0, 0xffffffff);
    assert_int_equal(al_zota_client_status(&b.client), 3);
    b.now += S(30);
    order(0, 4);
    assert_int_equal(al_zota_client_status(&b.client), 4);
    assert_int_equal(client_bench_wait(&b), S(4));
    assert_int_equal(b.events[AL_ZOTA_CLIENT_FINISH], 1);
}

static void wild_cards_in_an_order_fit_and_foreign_ids_do_not(void **state)
{
    static const struct {
        struct al_zota_id id;
        bool fits;
    } row[] = {
        {{0xffff, 0xffff, 0xffffffff}, true},
        {{0x131b, 0xffff, 2}, true},
        {{0x131b, 1, 0xffffffff}, true},
        {{0x131c, 1, 2}, false},
        {{0x131b, 2, 2}, false},
        {{0x131b, 1, 3}, false},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        fresh(state);
        complete();
        expect_end(0);
        struct al_zota_frame f = {.command = AL_ZOTA_UPGRADE_END_RSP,
                                  .u.upgrade_end_rsp = {row[i].id, 0, 0}};
        client_bench_receive(&b, &f);
        assert_int_equal(b.client.state,
                         row[i].fits ? AL_ZOTA_CLIENT_COUNT_DOWN : AL_ZOTA_CLIENT_WAITING);
        if (!row[i].fits) zota_wire_only_default(&b.wire, AL_ZOTA_UPGRADE_END_RSP, 0x87);
    }
}

static void an_order_out_of_turn_is_a_failure(void **state)
{
    order(0, 0);
    zota_wire_only_default(&b.wire, AL_ZOTA_UPGRADE_END_RSP, 0x01);
    client_bench_start(&b);
    zota_wire_clear(&b.wire);
    order(0, 0);
    zota_wire_only_default(&b.wire, AL_ZOTA_UPGRADE_END_RSP, 0x01);
    assert_int_equal(b.client.state, AL_ZOTA_CLIENT_DOWNLOADING);
}

static void a_missing_order_is_asked_for_and_then_taken_as_given(void **state)
{
    complete();
    unsigned sent = 0;
    uint64_t begin = b.now;
    while (b.client.state == AL_ZOTA_CLIENT_WAITING) {
        sent += b.wire.count;
        zota_wire_clear(&b.wire);
        client_bench_wait(&b);
    }
    assert_int_equal(sent, 10);
    assert_in_range(b.now - begin, S(6 * 600), S(6 * 600 + 60));
    assert_int_equal(b.client.state, AL_ZOTA_CLIENT_COUNT_DOWN);
    client_bench_wait(&b);
    assert_int_equal(b.events[AL_ZOTA_CLIENT_FINISH], 1);
}

static void with_timeout_policy_1_it_never_applies_without_an_order(void **state)
{
    b.client.config.timeout_policy = 1;
    complete();
    for (unsigned i = 0; i < 300; i++) client_bench_wait(&b);
    assert_int_equal(b.client.state, AL_ZOTA_CLIENT_WAITING);
    order(0, 0);
    assert_int_equal(b.client.state, AL_ZOTA_CLIENT_COUNT_DOWN);
}

static void activation_policy_1_leaves_the_order_to_the_device(void **state)
{
    b.client.config.activation_policy = 1;
    complete();
    expect_end(0);
    order(0, 0);
    zota_wire_only_default(&b.wire, AL_ZOTA_UPGRADE_END_RSP, 0x7e);
    assert_int_equal(al_zota_client_status(&b.client), 6);
    order(0, 0);
    zota_wire_only_default(&b.wire, AL_ZOTA_UPGRADE_END_RSP, 0x7e);
    assert_int_equal(al_zota_client_next(&b.client), UINT64_MAX);
    assert_int_equal(al_zota_client_activate(&b.client, b.now), 0);
    client_bench_wait(&b);
    assert_int_equal(b.events[AL_ZOTA_CLIENT_FINISH], 1);
    assert_int_equal(al_zota_client_activate(&b.client, b.now), AL_ERR_INVALID_STATE);
}

static void a_count_down_of_years_may_be_cut_short(void **state)
{
    complete();
    order(0, 788000000); /* a date where a delay belongs */
    assert_int_equal(b.client.state, AL_ZOTA_CLIENT_COUNT_DOWN);
    assert_int_equal(al_zota_client_activate(&b.client, b.now), 0);
    assert_int_equal(client_bench_wait(&b), S(3));
    assert_int_equal(b.events[AL_ZOTA_CLIENT_FINISH], 1);
}

static void activation_policy_1_holds_without_an_order_too(void **state)
{
    b.client.config.activation_policy = 1;
    complete();
    for (unsigned i = 0; b.client.state == AL_ZOTA_CLIENT_WAITING && i < 100; i++)
        client_bench_wait(&b);
    assert_int_equal(b.client.state, AL_ZOTA_CLIENT_EXTERNAL);
}

static void several_images_are_one_upgrade(void **state)
{
    b.check_answer = AL_ZOTA_REQUIRE_MORE_IMAGE;
    complete();
    expect_end(0x99);
    assert_int_equal(al_zota_client_status(&b.client), 5);
    client_bench_default(&b, AL_ZOTA_UPGRADE_END_REQ, 0); /* the server takes note */
    struct al_zota_id second = {0x131b, 0x0007, 1};
    assert_int_equal(al_zota_client_next_image(&b.client, b.now, &second), 0);
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_REQ);
    assert_int_equal(s->frame.u.query_next_image_req.id.image_type, 7);
    /* Not there yet: it keeps waiting for more. */
    struct al_zota_frame none = {.command = AL_ZOTA_QUERY_NEXT_IMAGE_RSP,
                                 .u.query_next_image_rsp = {.status = AL_ZOTA_NO_IMAGE_AVAILABLE}};
    client_bench_receive(&b, &none);
    assert_int_equal(al_zota_client_status(&b.client), 5);
    b.check_answer = 0;
    b.file.id.image_type = 7;
    client_bench_start(&b);
    client_bench_download(&b);
    expect_end(0);
    order(0, 0);
    assert_int_equal(b.client.state, AL_ZOTA_CLIENT_COUNT_DOWN);
}

static void a_lost_end_request_is_repeated_soon(void **state)
{
    complete();
    uint32_t handle = b.wire.sent[0].how.handle;
    zota_wire_clear(&b.wire);
    al_zota_client_sent(&b.client, b.now, handle, false);
    assert_int_equal(client_bench_wait(&b), 0);
    assert_int_equal(client_bench_wait(&b), S(1));
    expect_end(0);
}

static void names_cover_all_values(void **state)
{
    assert_string_equal(al_zota_reason_name(AL_ZOTA_REASON_STOPPED), "stopped");
    assert_string_equal(al_zota_reason_name(AL_ZOTA_REASON_UNANSWERED), "unanswered");
    assert_string_equal(al_zota_reason_name((enum al_zota_reason)99), "unknown");
    assert_string_equal(al_zota_client_state_name(AL_ZOTA_CLIENT_EXTERNAL), "external");
    assert_string_equal(al_zota_client_state_name((enum al_zota_client_state)8), "unknown");
}

#define T(f) cmocka_unit_test_setup(f, fresh)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_check_decides_what_the_server_is_told),
        T(upgrade_times_mean_what_the_table_says),
        T(a_count_down_may_be_capped),
        T(an_order_later_ends_the_wait),
        T(wild_cards_in_an_order_fit_and_foreign_ids_do_not),
        T(an_order_out_of_turn_is_a_failure),
        T(a_missing_order_is_asked_for_and_then_taken_as_given),
        T(with_timeout_policy_1_it_never_applies_without_an_order),
        T(activation_policy_1_leaves_the_order_to_the_device),
        T(a_count_down_of_years_may_be_cut_short),
        T(activation_policy_1_holds_without_an_order_too),
        T(several_images_are_one_upgrade),
        T(a_lost_end_request_is_repeated_soon),
        T(names_cover_all_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
