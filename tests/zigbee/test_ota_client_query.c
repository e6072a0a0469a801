/* Spec rows: Idle and Querying; Image Notify; who may say what. */
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

static void expect_gave_up(enum al_zota_reason reason, uint8_t status)
{
    assert_int_equal(b.client.state, AL_ZOTA_CLIENT_IDLE);
    assert_int_equal(b.events[AL_ZOTA_CLIENT_GAVE_UP], 1);
    assert_int_equal(b.last[AL_ZOTA_CLIENT_GAVE_UP].reason, reason);
    assert_int_equal(b.last[AL_ZOTA_CLIENT_GAVE_UP].status, status);
}

static void a_query_tells_what_runs(void **state)
{
    b.client.config.has_hardware_version = true;
    b.client.config.hardware_version = 0x0102;
    assert_int_equal(al_zota_client_query(&b.client, b.now), 0);
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_REQ);
    const struct al_zota_query_next_image_req *r = &s->frame.u.query_next_image_req;
    assert_int_equal(r->id.manufacturer, 0x131b);
    assert_int_equal(r->id.image_type, 1);
    assert_int_equal(r->id.file_version, 1);
    assert_true(r->has_hardware_version);
    assert_int_equal(r->hardware_version, 0x0102);
    assert_int_equal(s->how.to.addr, 0);
    assert_int_equal(s->how.to.endpoint, 5);
    assert_int_equal(s->how.src_endpoint, 10);
    assert_int_equal(s->bytes[0], 0x01); /* frame control */
    assert_true(al_zota_client_awaits(&b.client));
    assert_int_equal(al_zota_client_query(&b.client, b.now), AL_ERR_INVALID_STATE);
}

static void the_first_query_comes_within_the_start_delay_and_then_every_interval(void **state)
{
    struct al_zota_client_config config = client_bench_config();
    config.query_interval = 0;
    client_bench_init(&b, &config);
    b.wire.random = 0x12345678;
    al_zota_client_start(&b.client, b.now, NULL);
    assert_true(client_bench_wait(&b) <= S(300));
    zota_wire_only(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_REQ);
    struct al_zota_frame none = {.command = AL_ZOTA_QUERY_NEXT_IMAGE_RSP,
                                 .u.query_next_image_rsp = {.status = AL_ZOTA_NO_IMAGE_AVAILABLE}};
    client_bench_receive(&b, &none);
    expect_gave_up(AL_ZOTA_REASON_NO_IMAGE, 0x98);
    assert_in_range(client_bench_wait(&b), S(24 * 3600 * 9 / 10), S(24 * 3600 * 11 / 10));
    zota_wire_only(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_REQ);
}

static void start_delays_differ_by_random(void **state)
{
    uint64_t first = 0;
    for (uint32_t i = 1; i <= 3; i++) {
        struct al_zota_client_config config = client_bench_config();
        config.query_interval = 0;
        client_bench_init(&b, &config);
        b.wire.random = i * 0x9e3779b9u;
        al_zota_client_start(&b.client, b.now, NULL);
        uint64_t next = al_zota_client_next(&b.client);
        assert_true(next != first);
        first = next;
    }
}

/* Rows of "Querying": answer -> reason. */
static void refusals_have_their_names(void **state)
{
    static const struct {
        uint8_t status;
        struct al_zota_id id;
        uint32_t size;
        uint8_t app;
        enum al_zota_reason reason;
        uint8_t says; /* status of the event */
        int answer;   /* default response, -1: none */
    } row[] = {
        {0x98, {0}, 0, 0, AL_ZOTA_REASON_NO_IMAGE, 0x98, -1},
        {0x7e, {0}, 0, 0, AL_ZOTA_REASON_NOT_AUTHORIZED, 0x7e, -1},
        {0, {0x131c, 1, 2}, 1000, 0, AL_ZOTA_REASON_WRONG_IMAGE, 0x87, 0x87},
        {0, {0x131b, 2, 2}, 1000, 0, AL_ZOTA_REASON_WRONG_IMAGE, 0x87, 0x87},
        {0, {0x131b, 1, 0xffffffff}, 1000, 0, AL_ZOTA_REASON_WRONG_IMAGE, 0x87, 0x87},
        {0, {0x131b, 1, 2}, 55, 0, AL_ZOTA_REASON_WRONG_IMAGE, 0x87, 0x87},
        {0, {0x131b, 1, 1}, 1000, 0, AL_ZOTA_REASON_SAME_VERSION, 0, -1},
        {0, {0x131b, 1, 2}, 20001, 0, AL_ZOTA_REASON_TOO_LARGE, 0x89, 0x89},
        {0, {0x131b, 1, 2}, 1000, 0x01, AL_ZOTA_REASON_REFUSED, 0x01, -1},
        {0, {0x131b, 1, 2}, 1000, 0x89, AL_ZOTA_REASON_REFUSED, 0x89, 0x89},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        fresh(state);
        b.client.config.max_image_size = 20000;
        b.offer_answer = row[i].app;
        assert_int_equal(al_zota_client_query(&b.client, b.now), 0);
        zota_wire_clear(&b.wire);
        struct al_zota_frame f = {
            .command = AL_ZOTA_QUERY_NEXT_IMAGE_RSP,
            .u.query_next_image_rsp = {row[i].status, row[i].id, row[i].size}};
        client_bench_receive(&b, &f);
        expect_gave_up(row[i].reason, row[i].says);
        if (row[i].answer < 0)
            zota_wire_silent(&b.wire);
        else
            zota_wire_only_default(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_RSP, (uint8_t)row[i].answer);
        assert_int_equal(al_zota_client_next(&b.client), UINT64_MAX);
    }
}

static void wild_cards_in_an_offer_fit(void **state)
{
    b.file.id.manufacturer = 0xffff;
    client_bench_start(&b);
    assert_int_equal(b.client.state, AL_ZOTA_CLIENT_DOWNLOADING);
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_IMAGE_BLOCK_REQ);
    assert_int_equal(s->frame.u.image_block_req.id.manufacturer, 0xffff);
}

static void a_lower_version_is_accepted(void **state)
{
    b.client.config.file_version = 9;
    client_bench_start(&b);
    assert_int_equal(b.client.state, AL_ZOTA_CLIENT_DOWNLOADING);
}

static void a_default_response_ends_a_query(void **state)
{
    al_zota_client_query(&b.client, b.now);
    client_bench_default(&b, AL_ZOTA_QUERY_NEXT_IMAGE_REQ, 0x81);
    expect_gave_up(AL_ZOTA_REASON_REJECTED, 0x81);
    assert_int_equal(b.client.server.addr, 0xffff); /* that was none: it is looked for anew */
    assert_true(al_zota_client_next(&b.client) <= b.now + 600000000);
}

static void unanswered_queries_back_off_and_then_another_server_is_looked_for(void **state)
{
    static const unsigned pause[] = {1, 2, 4, 8, 8, 8, 8, 8, 8, 8};
    al_zota_client_query(&b.client, b.now);
    for (unsigned i = 0; i < 10; i++) {
        zota_wire_only(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_REQ);
        assert_int_equal(client_bench_wait(&b), S(5));
        zota_wire_silent(&b.wire);
        assert_int_equal(client_bench_wait(&b), S(pause[i]));
    }
    zota_wire_only(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_REQ);
    client_bench_wait(&b);
    expect_gave_up(AL_ZOTA_REASON_NO_SERVER, 0);
    assert_int_equal(client_bench_wait(&b), S(600));
    assert_int_equal(b.events[AL_ZOTA_CLIENT_FIND_SERVER], 1);
    zota_wire_silent(&b.wire);
    al_zota_client_set_server(&b.client, b.now, (struct al_zota_peer){0x1234, 8}, 7);
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_REQ);
    assert_int_equal(s->how.to.addr, 0x1234);
    assert_int_equal(s->how.to.endpoint, 8);
}

static void no_server_is_said_and_searched_for_again(void **state)
{
    al_zota_client_set_server(&b.client, b.now, (struct al_zota_peer){0xffff, 0xff}, 0);
    al_zota_client_query(&b.client, b.now);
    assert_int_equal(b.events[AL_ZOTA_CLIENT_FIND_SERVER], 1);
    al_zota_client_no_server(&b.client, b.now);
    expect_gave_up(AL_ZOTA_REASON_NO_SERVER, 0);
    assert_int_equal(client_bench_wait(&b), S(600));
    assert_int_equal(b.events[AL_ZOTA_CLIENT_FIND_SERVER], 2);
}

static struct al_zota_frame notify(uint8_t type, uint8_t jitter, uint16_t manufacturer,
                                   uint16_t image_type, uint32_t version)
{
    return (struct al_zota_frame){
        .command = AL_ZOTA_IMAGE_NOTIFY,
        .u.image_notify = {type, jitter, {manufacturer, image_type, version}, true}};
}

static void a_broadcast_notify_is_heeded_by_whom_it_means(void **state)
{
    static const struct {
        uint8_t type, jitter;
        struct al_zota_id id;
        uint32_t random; /* r = 1 + random % 100 */
        bool query;
    } row[] = {
        {0, 100, {0}, 99, true},
        {0, 50, {0}, 49, true},
        {0, 50, {0}, 50, false},
        {0, 1, {0}, 0, true},
        {1, 100, {0x131b, 0, 0}, 0, true},
        {1, 100, {0xffff, 0, 0}, 0, true},
        {1, 100, {0x131c, 0, 0}, 0, false},
        {2, 100, {0x131b, 1, 0}, 0, true},
        {2, 100, {0x131b, 0xffff, 0}, 0, true},
        {2, 100, {0x131b, 2, 0}, 0, false},
        {3, 100, {0x131b, 1, 2}, 0, true},
        {3, 100, {0x131b, 1, 0xffffffff}, 0, true},
        {3, 100, {0x131b, 1, 1}, 0, false},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        fresh(state);
        b.wire.random = row[i].random;
        struct al_zota_frame f = notify(row[i].type, row[i].jitter, row[i].id.manufacturer,
                                        row[i].id.image_type, row[i].id.file_version);
        client_bench_receive_from(&b, b.server, true, &f);
        if (row[i].query)
            zota_wire_only(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_REQ);
        else
            zota_wire_silent(&b.wire);
    }
}

static void broken_broadcast_notifies_are_dropped(void **state)
{
    static const uint8_t frame[][16] = {
        {5, 0x19, 1, 0, 0, 0},               /* jitter 0 */
        {5, 0x19, 1, 0, 0, 101},             /* jitter 101 */
        {5, 0x19, 1, 0, 4, 100},             /* payload type 4 */
        {5, 0x19, 1, 0, 1, 100},             /* manufacturer code announced, not there */
        {8, 0x19, 1, 0, 2, 100, 0x1b, 0x13}, /* image type announced, not there */
        {4, 0x19, 1, 0, 0},
    };
    for (size_t i = 0; i < sizeof frame / sizeof *frame; i++) {
        struct al_zota_received rx = {b.server, 10, true, frame[i] + 1, frame[i][0]};
        al_zota_client_receive(&b.client, b.now, &rx);
        zota_wire_silent(&b.wire);
        assert_int_equal(b.client.state, AL_ZOTA_CLIENT_IDLE);
    }
}

static void a_unicast_notify_always_makes_a_query_and_allows_a_reinstall(void **state)
{
    struct al_zota_frame f = notify(3, 1, 0x9999, 9, 1);
    b.wire.random = 99;
    client_bench_receive(&b, &f);
    zota_wire_only(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_REQ);
    b.file.id.file_version = 1;
    client_bench_offer(&b);
    assert_true(b.reinstall);
    assert_int_equal(b.client.state, AL_ZOTA_CLIENT_DOWNLOADING);
}

static void a_rogue_notify_makes_a_query_to_the_server_and_no_reinstall(void **state)
{
    struct al_zota_frame f = notify(0, 100, 0, 0, 0);
    client_bench_receive_from(&b, (struct al_zota_peer){0x6666, 1}, false, &f);
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_REQ);
    assert_int_equal(s->how.to.addr, 0);
    b.file.id.file_version = 1;
    client_bench_offer(&b);
    expect_gave_up(AL_ZOTA_REASON_SAME_VERSION, 0);
}

static void many_notifies_are_one_query_a_second(void **state)
{
    struct al_zota_frame f = notify(0, 100, 0, 0, 0);
    struct al_zota_frame none = {.command = AL_ZOTA_QUERY_NEXT_IMAGE_RSP,
                                 .u.query_next_image_rsp = {.status = AL_ZOTA_NO_IMAGE_AVAILABLE}};
    for (unsigned i = 0; i < 30; i++) {
        client_bench_receive_from(&b, (struct al_zota_peer){0x6666, 1}, false, &f);
        al_zota_client_run(&b.client, b.now);
        if (b.client.state == AL_ZOTA_CLIENT_QUERYING) client_bench_receive(&b, &none);
        b.now += MS(100);
    }
    assert_int_equal(b.events[AL_ZOTA_CLIENT_QUERY], 3);
}

static void without_a_server_the_notifier_is_it(void **state)
{
    al_zota_client_set_server(&b.client, b.now, (struct al_zota_peer){0xffff, 0xff}, UINT64_MAX);
    struct al_zota_frame f = notify(0, 100, 0, 0, 0);
    client_bench_receive_from(&b, (struct al_zota_peer){0x4321, 3}, false, &f);
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_REQ);
    assert_int_equal(s->how.to.addr, 0x4321);
}

static void strangers_are_not_authorized(void **state)
{
    al_zota_client_query(&b.client, b.now);
    zota_wire_clear(&b.wire);
    struct al_zota_frame f = {.command = AL_ZOTA_QUERY_NEXT_IMAGE_RSP,
                              .u.query_next_image_rsp = {AL_ZOTA_SUCCESS, b.file.id, b.file.size}};
    client_bench_receive_from(&b, (struct al_zota_peer){0x6666, 5}, false, &f);
    zota_wire_only_default(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_RSP, 0x7e);
    assert_int_equal(b.client.state, AL_ZOTA_CLIENT_QUERYING);
    /* A broadcast answer is none, whoever sends it, and is not answered. */
    client_bench_receive_from(&b, b.server, true, &f);
    zota_wire_silent(&b.wire);
    assert_int_equal(b.client.state, AL_ZOTA_CLIENT_QUERYING);
}

static void short_and_unknown_commands_get_their_status(void **state)
{
    static const struct {
        uint8_t bytes[6];
        uint8_t len, status;
    } row[] = {
        {{0x09, 1, 0x00, 0}, 4, 0x80},             /* Image Notify without jitter */
        {{0x09, 1, 0x02}, 3, 0x80},                /* Query Next Image Response without status */
        {{0x09, 1, 0x05, 0, 1}, 5, 0x80},          /* block without ids */
        {{0x09, 1, 0x0a, 0}, 4, 0x81},             /* no such command */
        {{0x0d, 0x1b, 0x13, 1, 0x00, 0}, 6, 0x83}, /* of a manufacturer */
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct al_zota_received rx = {b.server, 10, false, row[i].bytes, row[i].len};
        assert_int_equal(al_zota_client_receive(&b.client, b.now, &rx), 0);
        zota_wire_only_default(&b.wire, row[i].bytes[row[i].bytes[0] == 0x0d ? 4 : 2],
                               row[i].status);
    }
}

static void what_is_not_for_a_client_is_passed_on(void **state)
{
    static const uint8_t to_server[] = {0x01, 1, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t read[] = {0x18, 1, 0x00, 0x06, 0x00};
    struct al_zota_received rx = {b.server, 10, false, to_server, sizeof to_server};
    assert_int_equal(al_zota_client_receive(&b.client, b.now, &rx), AL_ERR_NOT_SUPPORTED);
    rx.zcl = read, rx.len = sizeof read;
    assert_int_equal(al_zota_client_receive(&b.client, b.now, &rx), AL_ERR_NOT_SUPPORTED);
    zota_wire_silent(&b.wire);
}

static void a_device_specific_file_is_asked_for_and_fetched(void **state)
{
    b.file = (struct al_zota_file){{0x131b, 0xffc1, 7}, 300, true};
    assert_int_equal(al_zota_client_query_specific(&b.client, b.now, 0x0001, 7),
                     AL_ERR_INVALID_ARG);
    assert_int_equal(al_zota_client_query_specific(&b.client, b.now, 0xffc1, 7), 0);
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_SPECIFIC_FILE_REQ);
    assert_true(s->frame.u.specific_file_req.node_addr == 0x744dbdfffe60aa02);
    assert_int_equal(s->frame.u.specific_file_req.stack_version, 2);
    client_bench_offer(&b);
    client_bench_download(&b);
    assert_int_equal(b.got, 300);
    zota_wire_only(&b.wire, AL_ZOTA_UPGRADE_END_REQ);
}

static void stop_ends_everything_with_its_reason(void **state)
{
    client_bench_start(&b);
    zota_wire_clear(&b.wire);
    al_zota_client_stop(&b.client, b.now);
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_UPGRADE_END_REQ);
    assert_int_equal(s->frame.u.upgrade_end_req.status, 0x95);
    expect_gave_up(AL_ZOTA_REASON_STOPPED, 0);
    assert_int_equal(al_zota_client_next(&b.client), UINT64_MAX);
}

static void a_full_queue_is_tried_again_soon(void **state)
{
    b.wire.refuse = AL_ERR_NO_MEM;
    al_zota_client_query(&b.client, b.now);
    assert_true(client_bench_wait(&b) <= MS(100));
    b.wire.refuse = 0;
    assert_true(client_bench_wait(&b) <= MS(100));
    zota_wire_only(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_REQ);
    assert_int_equal(b.client.tries, 0);
}

#define T(f) cmocka_unit_test_setup(f, fresh)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_query_tells_what_runs),
        T(the_first_query_comes_within_the_start_delay_and_then_every_interval),
        T(start_delays_differ_by_random),
        T(refusals_have_their_names),
        T(wild_cards_in_an_offer_fit),
        T(a_lower_version_is_accepted),
        T(a_default_response_ends_a_query),
        T(unanswered_queries_back_off_and_then_another_server_is_looked_for),
        T(no_server_is_said_and_searched_for_again),
        T(a_broadcast_notify_is_heeded_by_whom_it_means),
        T(broken_broadcast_notifies_are_dropped),
        T(a_unicast_notify_always_makes_a_query_and_allows_a_reinstall),
        T(a_rogue_notify_makes_a_query_to_the_server_and_no_reinstall),
        T(many_notifies_are_one_query_a_second),
        T(without_a_server_the_notifier_is_it),
        T(strangers_are_not_authorized),
        T(short_and_unknown_commands_get_their_status),
        T(what_is_not_for_a_client_is_passed_on),
        T(a_device_specific_file_is_asked_for_and_fetched),
        T(stop_ends_everything_with_its_reason),
        T(a_full_queue_is_tried_again_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
