/* Backups of a coordinator: there and back, and one that another program wrote. */
#include "tests/support/zb_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "radio/zb_backup.h"
#include "radio/zb_memory.h"

/* As zigbee-herdsman writes coordinator_backup.json; numbers made up. */
static const char foreign[] =
    "{\"metadata\":{\"format\":\"zigpy/open-coordinator-backup\",\"version\":1,"
    "\"source\":\"zigbee-herdsman@0.14.0\",\"internal\":{\"date\":\"2022-01-01T10:00:00.000Z\","
    "\"znpVersion\":1}},\"stack_specific\":{\"zstack\":{\"tclk_seed\":"
    "\"928a2c479e72a9a53e3b5133fc55021f\"}},\"coordinator_ieee\":\"00124b0009d80ba7\","
    "\"pan_id\":\"1a63\",\"extended_pan_id\":\"00124b0009d69f77\",\"nwk_update_id\":3,"
    "\"security_level\":5,\"channel\":20,\"channel_mask\":[11,20],\"network_key\":{\"key\":"
    "\"01030507090b0d0f00020406080a0c0d\",\"sequence_number\":2,\"frame_counter\":66781},"
    "\"devices\":[{\"nwk_address\":\"9876\",\"ieee_address\":\"000b57fffe000002\",\"is_child\":"
    "false,\"link_key\":{\"key\":\"00112233445566778899aabbccddeeff\",\"rx_counter\":300,"
    "\"tx_counter\":4000}},{\"nwk_address\":null,\"ieee_address\":\"000b57fffe000003\","
    "\"is_child\":true,\"link_key\":null}]}";

static void fill_store(struct zb_memory *m, const char *text, const char *why)
{
    char error[300] = "";
    cJSON *doc = cJSON_Parse(text);
    assert_non_null(doc);
    int err = zb_backup_restore(doc, zb_memory_store(m), error, sizeof error);
    cJSON_Delete(doc);
    if (!why && err) fail_msg("%s", error);
    if (why && !strstr(error, why)) fail_msg("'%s' does not say '%s'", error, why);
}

/* A coordinator on the records of m, after a start. */
static struct zb_sim_node *coordinator_of(struct zb_world *w, struct zb_memory *m, uint64_t ext)
{
    struct al_node_config c = {.role = AL_NWK_ROLE_COORDINATOR,
                               .ext = ext,
                               .sizes = al_node_sizes_coordinator(ZB_WORLD_NODES)};
    struct zb_sim_node *n = zb_sim_add(w->sim, &c, NULL);
    assert_non_null(n);
    zb_sim_power_off(n);
    n->config.store = zb_memory_store(m);
    assert_int_equal(zb_sim_power_on(n), 0);
    assert_int_equal(al_bdb_initialise(&n->zb.node.bdb, zb_sim_now(w->sim)), 0);
    zb_sim_touch(n);
    zb_sim_run(w->sim, 1000000, NULL, NULL);
    return n;
}

static void a_backup_of_another_program_is_taken(void **state)
{
    struct zb_world *w = zb_world_new(&(struct medium_config){0});
    struct zb_memory *m = zb_memory_new();
    fill_store(m, foreign, NULL);
    struct zb_sim_node *n = coordinator_of(w, m, 0x00124b0009d80ba7);
    struct al_nwk *nwk = &n->zb.node.nwk;
    assert_true(al_bdb_is_member(&n->zb.node.bdb));
    assert_int_equal(nwk->pan_id, 0x1a63);
    assert_int_equal(nwk->epid, 0x00124b0009d69f77);
    assert_int_equal(nwk->channel, 20);
    assert_int_equal(nwk->update_id, 3);
    const struct al_nwk_key *key = al_nwk_active_key(nwk);
    assert_int_equal(key->seq, 2);
    assert_int_equal(key->key[15], 0x0d);
    assert_true(nwk->counter > 66781);
    assert_int_equal(al_nwk_addr_of(nwk, 0x000b57fffe000002), 0x9876);
    const struct al_aps_link_key *link = al_aps_key(&n->zb.node.aps, 0x000b57fffe000002);
    assert_non_null(link);
    assert_true(link->verified && link->rx_known);
    assert_int_equal(link->rx_counter, 300);
    assert_int_equal(link->key[1], 0x11);
    assert_true(n->zb.node.aps.tx_counter > 4000);
    assert_null(al_aps_key(&n->zb.node.aps, 0x000b57fffe000003));
    fill_store(m, foreign, "holds a network already");
    zb_world_free(w);
    zb_memory_free(m);
}

/* The coordinator breaks; its network goes on with another one, made from the backup. */
static void a_network_goes_on_with_a_restored_coordinator(void **state)
{
    struct zb_world *w = zb_world_new(&(struct medium_config){.seed = 3});
    struct zb_sim_node *old = zb_world_coordinator(w);
    struct zb_sim_node *nodes[3] = {zb_world_add(w, AL_NWK_ROLE_ROUTER, false),
                                    zb_world_add(w, AL_NWK_ROLE_END_DEVICE, false),
                                    zb_world_add(w, AL_NWK_ROLE_END_DEVICE, true)};
    for (int i = 0; i < 3; i++) zb_world_join(w, nodes[i]);
    const uint8_t code[16] = {1, 2, 3};
    al_trust_add_install_key(&old->zb.node.trust, 0x1122334455667788, code);
    const struct al_zb_store *s = zb_memory_store(old->records);
    s->save(s->ctx, 0x5001, "application", 11);
    cJSON *doc = zb_backup_make(&old->zb.node);
    assert_non_null(doc);
    char *text = cJSON_Print(doc);
    cJSON_Delete(doc);
    uint32_t counter = old->zb.node.nwk.counter;

    zb_sim_power_off(old);
    const struct al_zb_store *empty = zb_memory_store(old->records);
    for (uint32_t number = 1; number <= 0xffff; number++)
        empty->save(empty->ctx, (uint16_t)number, NULL, 0);
    fill_store(old->records, text, NULL);
    free(text);
    zb_world_restart(w, old);
    assert_true(old->zb.node.nwk.counter > counter);
    for (int i = 0; i < 3; i++) {
        zb_world_exchange(w, nodes[i], old);
        zb_world_exchange(w, old, nodes[i]);
    }
    const struct al_aps_link_key *key = al_aps_install_key(&old->zb.node.aps, 0x1122334455667788);
    assert_non_null(key);
    assert_int_equal(key->key[2], 3);
    char data[20] = "";
    assert_int_equal(s->load(s->ctx, 0x5001, data, sizeof data), 11);
    assert_string_equal(data, "application");
    zb_world_free(w);
}

static void wrong_fields_are_named(void **state)
{
    static const char *const wrong[][3] = {
        {"zigpy/open-coordinator-backup", "something", "metadata.format"},
        {"\"version\":1", "\"version\":2", "version: expected"},
        {"00124b0009d80ba7", "00124b0009d80ba", "coordinator_ieee"},
        {"00124b0009d80ba7", "0000000000000000", "coordinator_ieee"},
        {"\"pan_id\":\"1a63\"", "\"pan_id\":\"ffff\"", "pan_id"},
        {"\"channel\":20", "\"channel\":27", "channel"},
        {"\"security_level\":5", "\"security_level\":0", "security_level"},
        {"01030507090b0d0f00020406080a0c0d", "xx030507090b0d0f00020406080a0c0d", "key"},
        {"\"frame_counter\":66781", "\"frame_counter\":4294967295", "frame_counter"},
        {"000b57fffe000002", "nonsense", "ieee_address"},
        {"\"rx_counter\":300", "\"rx_counter\":-1", "rx_counter"},
        {"\"is_child\":false", "\"is_child\":true,\"capability\":300", "capability"},
        {"\"is_child\":false", "\"is_child\":true,\"capability\":8", "timeout_index"},
        {"\"zstack\":", "\"airlift\":{\"aps_frame_counter\":1,\"records\":[\"00\"]},\"zstack\":",
         "is no record"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct zb_memory *m = zb_memory_new();
        char text[2000];
        uint8_t byte;
        const char *at = strstr(foreign, wrong[i][0]);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - foreign), foreign, wrong[i][1],
                 at + strlen(wrong[i][0]));
        fill_store(m, text, wrong[i][2]);
        const struct al_zb_store *s = zb_memory_store(m);
        assert_int_equal(s->load(s->ctx, AL_ZB_REC_NETWORK, &byte, 1), AL_ERR_NOT_FOUND);
        zb_memory_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_backup_of_another_program_is_taken),
        cmocka_unit_test(a_network_goes_on_with_a_restored_coordinator),
        cmocka_unit_test(wrong_fields_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
