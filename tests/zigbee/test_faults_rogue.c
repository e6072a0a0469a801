/* Wrong keys, forged and malformed frames, servers that lie: nothing crashes, nothing is
 * installed that did not verify, and afterwards upgrades go their way. */
#include <stdio.h>
#include <string.h>

#include "host/aes_openssl.h"
#include "tests/support/zb_rogue.h"
#include "zigbee/nwk_frame.h"

#define SECOND ZB_UPGRADE_SECOND
#define MINUTE (60 * SECOND)

static struct zb_upgrade *quiet_network(const char *payload, uint64_t seed)
{
    return zb_upgrade_new(&(struct medium_config){.seed = seed}, payload, -1);
}

static void finish_and_free(struct zb_upgrade *u)
{
    zb_upgrade_finish(u, 60 * MINUTE);
    zb_upgrade_free(u);
}

/* ---- Keys ---- */

static void a_device_with_a_wrong_install_code_stays_outside(void **state)
{
    static const uint8_t right[16] = {0x66, 0xb6, 0x90, 0x09}, wrong[16] = {0x66, 0xb6, 0x90, 0x08};
    struct zb_upgrade *u = quiet_network(ZB_UPGRADE_SMALL, 1);
    struct zb_sim_node *c = u->servers[0].sim;
    struct zb_sim_node *d = zb_world_add(u->world, AL_NWK_ROLE_ROUTER, false);
    assert_int_equal(al_trust_add_install_key(&c->zb.node.trust, d->config.ext, right), 0);
    assert_int_equal(al_trust_add_install_key(&d->zb.node.trust, AL_APS_ANY_PARTNER, wrong), 0);
    for (int i = 0; i < 3; i++) assert_int_equal(zb_world_steer(u->world, d), AL_ZB_SECURITY);
    assert_null(al_nwk_active_key(&d->zb.node.nwk));
    assert_false(al_bdb_is_member(&d->zb.node.bdb));
    zb_upgrade_free(u);
}

static void a_device_with_another_link_key_stays_outside(void **state)
{
    struct zb_upgrade *u = quiet_network(ZB_UPGRADE_SMALL, 2);
    struct zb_sim_node *d = zb_world_add(u->world, AL_NWK_ROLE_ROUTER, false);
    d->zb.node.aps.default_key[3] ^= 1;
    for (int i = 0; i < 3; i++) assert_int_not_equal(zb_world_steer(u->world, d), AL_ZB_OK);
    assert_null(al_nwk_active_key(&d->zb.node.nwk));
    assert_false(al_bdb_is_member(&d->zb.node.bdb));
    d->zb.node.aps.default_key[3] ^= 1;
    zb_world_join(u->world, d);
    zb_upgrade_free(u);
}

/* Same channel, same PAN id, same addresses, another key. */
static void a_server_of_another_network_reaches_nobody(void **state)
{
    struct zb_upgrade *u = quiet_network(ZB_UPGRADE_SMALL, 3);
    struct zb_upgrade_client *c = zb_upgrade_add_client(u, AL_NWK_ROLE_ROUTER, false, -1, NULL);
    zb_upgrade_finish(u, 10 * MINUTE);
    zb_upgrade_run(u, 10 * SECOND, NULL, NULL);
    const struct al_nwk *own = &u->servers[0].sim->zb.node.nwk;
    struct zb_sim_node *other = zb_world_add(u->world, AL_NWK_ROLE_COORDINATOR, false);
    other->zb.node.bdb.c.pan_id = own->pan_id;
    other->zb.node.bdb.c.primary = 1u << own->channel;
    other->zb.node.bdb.c.secondary = 0;
    assert_int_equal(al_bdb_form(&other->zb.node.bdb, zb_upgrade_now(u)), 0);
    zb_sim_touch(other);
    zb_upgrade_run(u, 5 * SECOND, NULL, NULL);
    assert_true(al_bdb_is_member(&other->zb.node.bdb));
    struct zb_upgrade_server *s = zb_upgrade_add_server(u, other);
    s->file.id.file_version = 7;
    unsigned queries = c->queries;
    for (int i = 0; i < 3; i++) {
        struct al_zota_server *e = al_zcl_ota_server_at(&s->ota, zb_upgrade_now(u));
        const struct al_zota_peer all = {AL_NWK_ALL_RX_ON, 0xff};
        const struct al_zota_peer one = {c->sim->zb.node.nwk.addr, ZB_UPGRADE_ENDPOINT};
        al_zota_server_notify(e, i ? one : all, 0, 100, &s->file.id);
        zb_sim_touch(other);
        zb_upgrade_run(u, 20 * SECOND, NULL, NULL);
    }
    assert_int_equal(s->queries, 0);
    assert_int_equal(c->queries, queries);
    zb_upgrade_free(u);
}

/* ---- Rogue notifications ---- */

/* Image Notify as the coordinator would send it, without security. */
static bool make_unsecured_notify(struct zb_rogue *r, struct al_put *p)
{
    const struct al_nwk *own = &r->u->servers[0].sim->zb.node.nwk;
    const struct al_nwk *victim = &r->u->clients[0].sim->zb.node.nwk;
    static const uint8_t zcl[] = {0x09, 0x55, 0x00, 0x00, 100};
    uint8_t apdu[40];
    bool broadcast = zb_rogue_random(r, 2);
    struct al_put a = al_put(apdu, sizeof apdu);
    const struct al_aps_frame aps = {.type = AL_APS_DATA,
                                     .delivery = broadcast ? AL_APS_BROADCAST : AL_APS_UNICAST,
                                     .dst_endpoint = broadcast ? 0xff : ZB_UPGRADE_ENDPOINT,
                                     .src_endpoint = ZB_UPGRADE_SERVER,
                                     .cluster = AL_ZOTA_CLUSTER,
                                     .profile = AL_PROFILE_HA,
                                     .counter = (uint8_t)r->sent,
                                     .payload = zcl,
                                     .payload_len = sizeof zcl};
    const struct al_nwk_frame nwk = {.dst = broadcast ? AL_NWK_ALL_RX_ON : victim->addr,
                                     .radius = 30,
                                     .seq = (uint8_t)(r->sent + 7),
                                     .payload = apdu};
    const struct al_mac_frame mac = {
        .type = AL_MAC_DATA,
        .dst = al_mac_short(own->pan_id, broadcast ? AL_MAC_BROADCAST : victim->addr),
        .src = al_mac_short(own->pan_id, 0),
        .seq = (uint8_t)r->sent};
    al_aps_build(&aps, &a);
    struct al_nwk_frame filled = nwk;
    filled.payload_len = a.len;
    return !al_mac_build(&mac, p) && !al_nwk_build(&filled, p);
}

static void an_unsecured_image_notify_is_not_heard(void **state)
{
    static struct zb_rogue r;
    struct zb_upgrade *u = quiet_network(ZB_UPGRADE_SMALL, 4);
    struct zb_upgrade_client *c = zb_upgrade_add_client(u, AL_NWK_ROLE_ROUTER, false, -1, NULL);
    zb_upgrade_finish(u, 10 * MINUTE);
    zb_upgrade_run(u, 10 * SECOND, NULL, NULL);
    unsigned queries = c->queries;
    r = (struct zb_rogue){.u = u, .make = make_unsecured_notify, .gap_us = 200000};
    zb_rogue_start(&r);
    zb_upgrade_run(u, MINUTE, NULL, NULL);
    assert_true(r.sent > 100);
    assert_int_equal(c->queries, queries);
    zb_upgrade_free(u);
}

/* Another member tells the device about an image of its own: the device asks whom it asked
 * before. */
static void an_insiders_image_notify_does_not_change_the_server(void **state)
{
    struct zb_upgrade *u = quiet_network(ZB_UPGRADE_SMALL, 5);
    struct zb_upgrade_client *c = zb_upgrade_add_client(u, AL_NWK_ROLE_ROUTER, false, -1, NULL);
    zb_upgrade_finish(u, 10 * MINUTE);
    zb_upgrade_run(u, 10 * SECOND, NULL, NULL);
    struct zb_sim_node *insider = zb_world_add(u->world, AL_NWK_ROLE_ROUTER, false);
    zb_world_join(u->world, insider);
    struct zb_upgrade_server *s = zb_upgrade_add_server(u, insider);
    s->file.id.file_version = 7;
    unsigned before = u->servers[0].queries;
    const struct al_zota_peer one = {c->sim->zb.node.nwk.addr, ZB_UPGRADE_ENDPOINT};
    struct al_zota_server *e = al_zcl_ota_server_at(&s->ota, zb_upgrade_now(u));
    assert_int_equal(al_zota_server_notify(e, one, 3, 100, &s->file.id), 0);
    zb_sim_touch(insider);
    zb_upgrade_run(u, MINUTE, NULL, NULL);
    assert_int_equal(s->queries, 0);
    assert_int_equal(u->servers[0].queries, before + 1);
    assert_int_equal(c->installed, 1);
    zb_upgrade_free(u);
}

/* ---- Servers that lie ---- */

static bool has_given_up(void *ctx)
{
    const struct zb_upgrade_client *c = ctx;
    return c->gave_up || c->installed;
}

static void damaged_files_are_never_installed(void **state)
{
    struct zb_upgrade *u = quiet_network(ZB_UPGRADE_SMALL, 6);
    struct zb_upgrade_client *c = zb_upgrade_add_client(u, AL_NWK_ROLE_ROUTER, false, -1, NULL);
    struct zb_upgrade_server *s = &u->servers[0];
    uint32_t runs = 0;
    zb_upgrade_finish(u, 10 * MINUTE);
    for (uint32_t at = 0; at < s->file.size; at += at < 70 ? 1 : 271, runs++) {
        bool matters = at < 4 || at >= s->file.image_at; /* or is covered by the code below */
        zb_upgrade_renew(c);
        c->gave_up = 0;
        s->file.bytes[at] ^= (uint8_t)(1u << at % 8);
        zb_upgrade_run(u, 30 * MINUTE, has_given_up, c);
        if (c->installed || !c->gave_up)
            fail_msg("byte %u changed: %u installed, %s", at, c->installed,
                     al_zota_reason_name(c->reason));
        assert_true(c->reason == AL_ZOTA_REASON_INVALID || c->reason == AL_ZOTA_REASON_WRITE ||
                    !matters);
        s->file.bytes[at] ^= (uint8_t)(1u << at % 8);
    }
    zb_upgrade_renew(c);
    zb_upgrade_finish(u, 10 * MINUTE);
    print_message("rogue: %u damaged files refused\n", runs);
    zb_upgrade_free(u);
}

static void sizes_that_are_not_the_files_are_found_out(void **state)
{
    struct zb_upgrade *u = quiet_network(ZB_UPGRADE_SMALL, 7);
    struct zb_upgrade_client *c = zb_upgrade_add_client(u, AL_NWK_ROLE_ROUTER, false, -1, NULL);
    struct zb_upgrade_server *s = &u->servers[0];
    zb_upgrade_finish(u, 10 * MINUTE);
    const uint32_t sizes[] = {1, 55, 56, 61, 62, 4096, s->file.size - 1};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        zb_upgrade_renew(c);
        c->gave_up = 0;
        c->reason = AL_ZOTA_REASON_NONE;
        s->claimed = sizes[i];
        zb_upgrade_run(u, 60 * MINUTE, has_given_up, c);
        bool found_out =
            c->reason == AL_ZOTA_REASON_INVALID || c->reason == AL_ZOTA_REASON_WRITE ||
            (sizes[i] < AL_ZFILE_HEADER_MIN && c->reason == AL_ZOTA_REASON_WRONG_IMAGE);
        if (c->installed || !found_out)
            fail_msg("size %u: %u installed, %s", sizes[i], c->installed,
                     al_zota_reason_name(c->reason));
    }
    s->claimed = 0;
    zb_upgrade_renew(c);
    finish_and_free(u);
}

/* ---- OTA commands with nonsense in them, from a member, to both sides ---- */

static void send_nonsense(struct zb_sim_node *from, struct zb_sim_node *to, bool to_client,
                          struct zb_rogue *dice)
{
    const struct zb_upgrade *u = dice->u;
    const struct al_zota_id *id = &u->servers[0].file.id;
    uint8_t payload[80];
    struct al_put p = al_put(payload, sizeof payload);
    uint8_t command = (uint8_t)zb_rogue_random(dice, 12);
    bool request = command == AL_ZOTA_IMAGE_BLOCK_REQ || command == AL_ZOTA_IMAGE_PAGE_REQ;
    if (zb_rogue_random(dice, 4)) {
        /* Right ids, wild numbers: offsets behind the end, lengths behind the frame. */
        al_put8(&p, request ? (uint8_t)zb_rogue_random(dice, 4) : 0);
        al_put16(&p, id->manufacturer);
        al_put16(&p, id->image_type);
        al_put32(&p, id->file_version);
        al_put32(&p, zb_rogue_random(dice, 2) ? zb_rogue_random(dice, 70000) : UINT32_MAX - 3);
        al_put8(&p, (uint8_t)zb_rogue_random(dice, 256));
        al_put16(&p, (uint16_t)zb_rogue_random(dice, 65536));
    }
    for (unsigned n = zb_rogue_random(dice, 40); n; n--)
        al_put8(&p, (uint8_t)zb_rogue_random(dice, 256));
    al_zcl_send(&from->zb.node.zcl, zb_upgrade_now(u),
                &(struct al_zcl_send){.dst = to->zb.node.nwk.addr,
                                      .dst_ep = to_client ? ZB_UPGRADE_ENDPOINT : ZB_UPGRADE_SERVER,
                                      .src_ep = 1,
                                      .cluster = AL_ZOTA_CLUSTER,
                                      .command = command,
                                      .cluster_specific = true,
                                      .to_client = to_client,
                                      .payload = payload,
                                      .len = zb_rogue_random(dice, 8) ? p.len : p.len / 2});
    zb_sim_touch(from);
}

static void nonsense_from_a_member_does_not_disturb_an_upgrade(void **state)
{
    struct zb_rogue dice = {.random = 8};
    struct zb_upgrade *u = quiet_network(ZB_UPGRADE_LARGE, 8);
    struct zb_upgrade_server *s = &u->servers[0];
    struct zb_upgrade_client *c = zb_upgrade_add_client(u, AL_NWK_ROLE_ROUTER, false, -1, NULL);
    struct zb_sim_node *insider = zb_world_add(u->world, AL_NWK_ROLE_ROUTER, false);
    dice.u = u;
    zb_world_join(u->world, insider);
    unsigned sent = 0;
    for (uint64_t end = zb_upgrade_now(u) + 30 * MINUTE; zb_upgrade_now(u) < end && !c->installed;
         sent++) {
        bool to_client = zb_rogue_random(&dice, 2);
        send_nonsense(insider, to_client ? c->sim : s->sim, to_client, &dice);
        zb_upgrade_run(u, 50000, zb_upgrade_all_installed, u);
    }
    assert_true(c->installed && c->starts == 1);
    /* The same from the server's own node: what the device does not ignore may end the
     * download, but nothing else is installed. */
    zb_upgrade_renew(c);
    for (unsigned i = 0; i < 400 && !c->installed; i++) {
        send_nonsense(s->sim, c->sim, true, &dice);
        zb_upgrade_run(u, 200000, zb_upgrade_all_installed, u);
    }
    print_message("rogue: %u commands of nonsense, %u requests refused, %u of the server's own\n",
                  sent, s->refused, c->starts);
    assert_true(s->refused > 0 && sent > 100);
    finish_and_free(u);
}

/* ---- Malformed frames ---- */

static void flip_bits(struct zb_rogue *r, uint8_t *bytes, size_t len)
{
    for (unsigned n = 1 + zb_rogue_random(r, 4); n && len; n--)
        bytes[zb_rogue_random(r, (uint32_t)len)] ^= (uint8_t)(1u << zb_rogue_random(r, 8));
}

static bool make_random(struct zb_rogue *r, struct al_put *p)
{
    const struct al_nwk *own = &r->u->servers[0].sim->zb.node.nwk;
    switch (zb_rogue_random(r, 3)) {
    case 0:
        for (unsigned n = 3 + zb_rogue_random(r, 122); n; n--)
            al_put8(p, (uint8_t)zb_rogue_random(r, 256));
        return true;
    case 1: { /* reaches the network layer */
        const struct al_mac_frame mac = {.type = (uint8_t)zb_rogue_random(r, 4),
                                         .dst = al_mac_short(own->pan_id, 0xffff),
                                         .src = al_mac_short(own->pan_id, 0),
                                         .seq = (uint8_t)r->sent};
        al_mac_build(&mac, p);
        for (unsigned n = zb_rogue_random(r, 100); n; n--)
            al_put8(p, (uint8_t)zb_rogue_random(r, 256));
        return true;
    }
    default:
        if (!zb_rogue_pick(r, p)) return false;
        flip_bits(r, p->buf, p->len);
        if (!zb_rogue_random(r, 4)) p->len = 3 + zb_rogue_random(r, (uint32_t)p->len);
        return true;
    }
}

/* A member's address and the network key, used for changed copies of real frames: they
 * decrypt, so that each layer above sees damage. */
struct thief {
    const struct al_aes *aes;
    struct al_nwk_key key;
    uint64_t ext;
    uint32_t counter;
    unsigned made;
};

static bool make_decryptable(struct zb_rogue *r, struct al_put *p)
{
    struct thief *t = r->ctx;
    uint8_t heard[AL_RADIO_MPDU_MAX], plain[AL_RADIO_MPDU_MAX];
    struct al_put h = al_put(heard, sizeof heard);
    struct al_mac_frame mac;
    struct al_nwk_frame nwk;
    if (!zb_rogue_pick(r, &h) || al_mac_parse(&mac, heard, h.len) || mac.type != AL_MAC_DATA ||
        al_nwk_parse(&nwk, mac.payload, mac.payload_len) || !nwk.secured ||
        al_nwk_open(&nwk, t->aes, t->key.key, 0, plain))
        return false;
    if (nwk.payload_len) flip_bits(r, plain, nwk.payload_len);
    if (!zb_rogue_random(r, 4)) nwk.payload_len = zb_rogue_random(r, (uint32_t)nwk.payload_len + 1);
    if (!zb_rogue_random(r, 8)) nwk.dst = AL_NWK_ALL;
    nwk.aux.source = t->ext;
    nwk.aux.has_source = true;
    nwk.aux.counter = t->counter++;
    nwk.aux.key_seq = t->key.seq;
    nwk.seq = (uint8_t)zb_rogue_random(r, 256);
    mac.seq = nwk.seq;
    mac.payload = NULL;
    mac.payload_len = 0;
    if (al_mac_build(&mac, p) || al_nwk_seal(&nwk, t->aes, t->key.key, p)) return false;
    t->made++;
    return true;
}

/* A device that was made to leave is brought back, as its owner would. */
static void bring_back(struct zb_upgrade *u)
{
    struct zb_sim_node *c = u->servers[0].sim;
    zb_upgrade_run(u, 2 * MINUTE, NULL, NULL);
    al_bdb_open(&c->zb.node.bdb, zb_upgrade_now(u), 254);
    zb_sim_touch(c);
    for (unsigned i = 0; i < 20 * u->client_count; i++) {
        struct zb_sim_node *n = u->clients[i % u->client_count].sim;
        if (n->on && al_bdb_factory_new(&n->zb.node.bdb)) {
            al_bdb_steer(&n->zb.node.bdb, zb_upgrade_now(u)); /* or it is at it already */
            zb_sim_touch(n);
            zb_upgrade_run(u, 6 * SECOND, NULL, NULL);
        }
    }
}

/* One that was told that there is no image any more would ask again tomorrow. */
static void notify_all(struct zb_upgrade *u)
{
    struct zb_upgrade_server *s = &u->servers[0];
    for (unsigned i = 0; i < u->client_count; i++) {
        struct al_zota_server *e = al_zcl_ota_server_at(&s->ota, zb_upgrade_now(u));
        const struct al_zota_peer one = {u->clients[i].sim->zb.node.nwk.addr, ZB_UPGRADE_ENDPOINT};
        if (!u->clients[i].installed) al_zota_server_notify(e, one, 0, 100, &s->file.id);
    }
    zb_sim_touch(s->sim);
}

static void upgrade_under(struct zb_rogue *r, struct zb_upgrade *u)
{
    r->u = u;
    r->stop = u->hold = true; /* it only listens while they join */
    zb_rogue_start(r);
    zb_upgrade_add_client(u, AL_NWK_ROLE_ROUTER, false, -1, NULL);
    zb_upgrade_add_client(u, AL_NWK_ROLE_END_DEVICE, true, -1, NULL);
    r->stop = u->hold = false;
    zb_upgrade_run(u, 5 * MINUTE, NULL, NULL);
    r->stop = true;
    bring_back(u);
    for (int i = 0; i < 20 && !zb_upgrade_all_installed(u); i++) {
        notify_all(u);
        zb_upgrade_run(u, 5 * MINUTE, zb_upgrade_all_installed, u);
    }
    zb_upgrade_finish(u, 1);
    for (unsigned i = 0; i < u->client_count; i++) assert_int_equal(u->clients[i].installed, 1);
}

static void malformed_frames_do_no_harm(void **state)
{
    static struct zb_rogue r;
    for (uint32_t seed = 1; seed <= 3; seed++) {
        struct zb_upgrade *u = quiet_network(ZB_UPGRADE_LARGE, seed);
        r = (struct zb_rogue){.make = make_random, .random = seed, .gap_us = 2000};
        upgrade_under(&r, u);
        assert_true(r.sent > 10000);
        /* Without a key nobody gets anybody out of step. */
        for (unsigned i = 0; i < u->client_count; i++) assert_int_equal(u->clients[i].starts, 1);
        print_message("rogue: %u malformed frames\n", r.sent);
        zb_upgrade_free(u);
    }
}

static void malformed_frames_under_the_network_key_install_nothing_wrong(void **state)
{
    static struct zb_rogue r;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        struct zb_upgrade *u = quiet_network(ZB_UPGRADE_LARGE, seed);
        struct zb_sim_node *member = zb_world_add(u->world, AL_NWK_ROLE_ROUTER, false);
        struct aes_openssl *aes = aes_openssl_new();
        zb_world_join(u->world, member);
        struct thief t = {.aes = aes_openssl_aes(aes),
                          .key = *al_nwk_active_key(&member->zb.node.nwk),
                          .ext = member->config.ext,
                          .counter = 100000};
        zb_sim_power_off(member);
        r = (struct zb_rogue){.make = make_decryptable, .ctx = &t, .random = seed, .gap_us = 5000};
        upgrade_under(&r, u);
        print_message("rogue: %u changed frames that decrypt; %u starts, %u gave up\n", t.made,
                      u->clients[0].starts + u->clients[1].starts,
                      u->clients[0].gave_up + u->clients[1].gave_up);
        assert_true(t.made > 1000);
        zb_upgrade_free(u);
        aes_openssl_free(aes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_with_a_wrong_install_code_stays_outside),
        cmocka_unit_test(a_device_with_another_link_key_stays_outside),
        cmocka_unit_test(a_server_of_another_network_reaches_nobody),
        cmocka_unit_test(an_unsecured_image_notify_is_not_heard),
        cmocka_unit_test(an_insiders_image_notify_does_not_change_the_server),
        cmocka_unit_test(damaged_files_are_never_installed),
        cmocka_unit_test(sizes_that_are_not_the_files_are_found_out),
        cmocka_unit_test(nonsense_from_a_member_does_not_disturb_an_upgrade),
        cmocka_unit_test(malformed_frames_do_no_harm),
        cmocka_unit_test(malformed_frames_under_the_network_key_install_nothing_wrong),
    };
    return cmocka_run_group_tests_name("faults_rogue", tests, NULL, NULL);
}
