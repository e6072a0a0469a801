/* The OTA cluster on whole nodes: a server is looked for, a file is fetched, what the
 * client shows of itself can be read. */
#include "zigbee/zcl_ota.h"

#include <string.h>

#include "core/err.h"
#include "tests/support/zcl_pair.h"

#define SECOND    1000000u
#define FILE_SIZE 3000u

static const struct al_zota_id new_file = {0x131b, 0x1011, 2};

/* What is on the nodes besides what the pair brings. */
static struct zcl_pair pair;
static struct zb_sim_node *device;
static struct al_zcl_ota_client client;
static struct al_zcl_ota_server server;
static struct al_zota_session sessions[4];
static struct al_zcl_endpoint client_endpoint, server_endpoint;
static struct zb_engine client_engine, server_engine;
static uint32_t received;
static struct al_zota_peer queried;    /* the last server that was asked */
static uint64_t first_data, last_data; /* when */
static unsigned searches, finished;
static enum al_zota_reason gave_up;

static uint8_t byte_at(uint32_t offset)
{
    return (uint8_t)(offset * 7 + (offset >> 8));
}

/* ---- The applications ---- */

static uint8_t offer(void *ctx, const struct al_zota_file *file, bool reinstall, uint32_t *offset)
{
    return file->size == FILE_SIZE ? AL_ZOTA_SUCCESS : AL_ZOTA_ABORT;
}

static int data(void *ctx, uint32_t offset, const uint8_t *bytes, size_t len)
{
    last_data = zcl_pair_now(&pair);
    if (!offset) first_data = last_data;
    assert_int_equal(offset, received);
    for (size_t i = 0; i < len; i++) assert_int_equal(bytes[i], byte_at(received++));
    return 0;
}

static int check(void *ctx, const struct al_zota_file *file)
{
    assert_int_equal(received, FILE_SIZE);
    return AL_ZOTA_SUCCESS;
}

static void event(void *ctx, const struct al_zota_client_event *e)
{
    searches += e->kind == AL_ZOTA_CLIENT_FIND_SERVER;
    finished += e->kind == AL_ZOTA_CLIENT_FINISH;
    if (e->kind == AL_ZOTA_CLIENT_QUERY) queried = e->server;
    if (e->kind == AL_ZOTA_CLIENT_GAVE_UP) gave_up = e->reason;
}

static int find(void *ctx, const struct al_zota_wanted *wanted, struct al_zota_image *image)
{
    if (wanted->id.image_type != new_file.image_type) return AL_ERR_NOT_FOUND;
    *image = (struct al_zota_image){.id = new_file, .size = FILE_SIZE};
    return 0;
}

static int get(void *ctx, struct al_zota_peer peer, const struct al_zota_id *id,
               struct al_zota_image *image)
{
    *image = (struct al_zota_image){.id = new_file, .size = FILE_SIZE};
    return 0;
}

static int read(void *ctx, struct al_zota_peer peer, const struct al_zota_image *image,
                uint32_t offset, void *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) ((uint8_t *)buf)[i] = byte_at(offset + (uint32_t)i);
    return (int)len;
}

/* ---- The nodes ---- */

static uint64_t client_next(void *ctx)
{
    return al_zcl_ota_client_next(&client);
}

static void client_run(void *ctx, uint64_t now)
{
    al_zcl_ota_client_run(&client, now);
}

static uint64_t server_next(void *ctx)
{
    return al_zcl_ota_server_next(&server);
}

static void server_run(void *ctx, uint64_t now)
{
    al_zcl_ota_server_run(&server, now);
}

static void add_client(struct zb_sim_node *n)
{
    const struct al_zota_client_config c = {
        .manufacturer = new_file.manufacturer,
        .image_type = new_file.image_type,
        .file_version = 1,
        .start_delay = 1,
        .query_timeout = 2000,
        .query_retries = 1,
    };
    const struct al_zota_client_app app = {
        .offer = offer, .data = data, .check = check, .event = event};
    device = n;
    received = searches = finished = 0;
    gave_up = AL_ZOTA_REASON_NONE;
    client_endpoint = (struct al_zcl_endpoint){.id = 7, .profile = AL_PROFILE_HA};
    struct al_zb_random random = {&n->zb, zb_node_random};
    assert_int_equal(al_zcl_ota_client_init(&client, zcl_pair_zcl(n), zcl_pair_zdo(n),
                                            &client_endpoint, random, &c, &app),
                     0);
    assert_int_equal(al_zcl_add_endpoint(zcl_pair_zcl(n), &client_endpoint), 0);
    client_engine = (struct zb_engine){.next = client_next, .run = client_run};
    zb_node_add_engine(&n->zb, &client_engine);
}

static void add_server(struct zb_sim_node *n, uint8_t endpoint)
{
    const struct al_zota_server_config c = {0};
    const struct al_zota_server_app app = {.find = find, .get = get, .read = read};
    struct al_zb_random random = {&n->zb, zb_node_random};
    server_endpoint = (struct al_zcl_endpoint){.id = endpoint, .profile = AL_PROFILE_HA};
    assert_int_equal(al_zcl_ota_server_init(&server, zcl_pair_zcl(n), &server_endpoint, random, &c,
                                            &app, sessions, 4),
                     0);
    assert_int_equal(al_zcl_add_endpoint(zcl_pair_zcl(n), &server_endpoint), 0);
    server_engine = (struct zb_engine){.next = server_next, .run = server_run};
    zb_node_add_engine(&n->zb, &server_engine);
}

static void start(void)
{
    uint64_t now = zcl_pair_now(&pair);
    al_zota_client_start(al_zcl_ota_client_at(&client, now), now, NULL);
    zb_sim_touch(device);
}

static int open_network(void **state)
{
    zcl_pair_new(&pair);
    return 0;
}

static int close_network(void **state)
{
    zcl_pair_free(&pair);
    return 0;
}

static bool has_finished(void *ctx)
{
    return finished;
}

static void assert_upgraded(uint64_t within)
{
    assert_true(zb_sim_run(pair.world->sim, within, has_finished, NULL));
    assert_int_equal(received, FILE_SIZE);
    assert_int_equal(client.engine.server.addr, pair.c->zb.node.nwk.addr);
    assert_true(client.engine.server_ext_addr == pair.c->config.ext);
    for (unsigned i = 0; i < client.link.range.count; i++)
        assert_int_equal(client.handles[i], 0); /* all confirmed */
    for (unsigned i = 0; i < AL_ZOTA_OUTSTANDING; i++) assert_int_equal(server.handles[i], 0);
}

static void a_client_finds_its_server_and_upgrades(void **state)
{
    add_server(pair.c, 42);
    add_client(pair.d);
    start();
    assert_upgraded(60 * SECOND);
    assert_int_equal(searches, 1);
    assert_int_equal(client.engine.server.endpoint, 42);
    assert_int_equal(sessions[0].record.state, AL_ZOTA_SESSION_ENDED);
}

static void a_sleepy_client_polls_fast_while_it_waits_for_blocks(void **state)
{
    add_server(pair.c, 42);
    add_client(zcl_pair_add(&pair, AL_NWK_ROLE_END_DEVICE, true));
    start();
    assert_upgraded(90 * SECOND);
    assert_true(last_data - first_data < 3 * SECOND); /* a poll a second takes 14 */
}

static void the_first_endpoint_of_the_coordinator_is_tried_when_nobody_answers(void **state)
{
    add_server(pair.c, 42);
    server.cluster.id = 0xfc19; /* not found by Match_Desc ... */
    add_client(pair.d);
    start();
    zcl_pair_wait(&pair, 14 * SECOND);
    assert_int_equal(client.engine.server.addr, AL_NWK_NO_ADDR);
    assert_int_equal(client.search.tries, 3);
    zcl_pair_wait(&pair, 2 * SECOND);
    assert_int_equal(queried.addr, AL_NWK_COORDINATOR);
    assert_int_equal(queried.endpoint, 1);
    /* ... and endpoint 1 is no server either: it says so, and is not asked again. */
    zcl_pair_wait(&pair, 60 * SECOND);
    assert_int_equal(received, 0);
    assert_int_equal(gave_up, AL_ZOTA_REASON_REJECTED);
    assert_int_equal(client.engine.server.addr, AL_NWK_NO_ADDR);
    /* By then there is one. */
    server.cluster.id = AL_ZOTA_CLUSTER;
    assert_upgraded(700 * SECOND);
    assert_int_equal(queried.endpoint, 42);
}

static void an_image_notify_ends_the_search(void **state)
{
    add_server(pair.c, 42);
    server.cluster.id = 0xfc19;
    add_client(pair.d);
    start();
    zcl_pair_wait(&pair, 2 * SECOND);
    assert_true(client.search.wanted);
    server.cluster.id = AL_ZOTA_CLUSTER;
    uint64_t now = zcl_pair_now(&pair);
    struct al_zota_peer to = {device->zb.node.nwk.addr, 7};
    assert_int_equal(
        al_zota_server_notify(al_zcl_ota_server_at(&server, now), to, 0, 100, &new_file), 0);
    zb_sim_touch(pair.c);
    assert_true(zb_sim_run(pair.world->sim, 60 * SECOND, has_finished, NULL));
    assert_int_equal(received, FILE_SIZE);
    assert_false(client.search.wanted);
    assert_int_equal(client.engine.server.endpoint, 42);
}

static void its_attributes_are_read_from_the_client_side(void **state)
{
    char answer[ZCL_PAIR_TEXT];
    struct al_zcl_send s = {.command = AL_ZCL_READ, .to_client = true};
    add_client(pair.d);
    pair.cluster = AL_ZOTA_CLUSTER;
    pair.endpoint = 7;
    zcl_pair_ask(&pair, s, "0000 0200 0600 0700 0800 fdff 7700", answer);
    assert_string_equal(answer, "10 01 "
                                "000000f0ffffffffffffffff"
                                "0200002301000000"
                                "0600003000"
                                "070000211b13"
                                "080000211110"
                                "fdff00210400"
                                "770086");
    s.command = AL_ZCL_WRITE;
    zcl_pair_ask(&pair, s, "0200 23 05000000", answer);
    assert_string_equal(answer, "10 04 880200");
    s.command = AL_ZCL_DISCOVER;
    zcl_pair_ask(&pair, s, "0b00 10", answer);
    assert_string_equal(answer, "10 0d 01"
                                "0b0030"
                                "0c0030"
                                "fdff21");
}

static void commands_it_does_not_know_are_refused_once(void **state)
{
    char answer[ZCL_PAIR_TEXT];
    add_server(pair.d, 7);
    pair.cluster = AL_ZOTA_CLUSTER;
    pair.endpoint = 7;
    zcl_pair_expect_command(&pair, 0x44, "", "18 0b 4481");
    zcl_pair_expect_command(&pair, AL_ZOTA_IMAGE_BLOCK_REQ, "00", "18 0b 0380");
    zcl_pair_ask(&pair, (struct al_zcl_send){.cluster_specific = true, .manufacturer = 0x131b}, "",
                 answer);
    assert_string_equal(answer, "1c 0b 0083");
    assert_int_equal(zcl_pair_zcl(pair.d)->default_responses, 1); /* the engine sent two */
}

int main(void)
{
#define NETWORK_TEST(name) cmocka_unit_test_setup_teardown(name, open_network, close_network)
    const struct CMUnitTest tests[] = {
        NETWORK_TEST(a_client_finds_its_server_and_upgrades),
        NETWORK_TEST(a_sleepy_client_polls_fast_while_it_waits_for_blocks),
        NETWORK_TEST(the_first_endpoint_of_the_coordinator_is_tried_when_nobody_answers),
        NETWORK_TEST(an_image_notify_ends_the_search),
        NETWORK_TEST(its_attributes_are_read_from_the_client_side),
        NETWORK_TEST(commands_it_does_not_know_are_refused_once),
    };
    return cmocka_run_group_tests_name("zcl_ota", tests, NULL, NULL);
}
