/* Any frames and times into a whole node - coordinator, router, listening and sleepy end
 * device, in a network or not - most of them rightly encrypted with the network key, between
 * calls of its application, key changes and power cuts. It must always come to rest, send
 * nothing that is no frame, and never go back with a frame counter.
 *
 *   input: kind of node, then steps; a step is what it does, a length n, n bytes */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "host/aes_openssl.h"
#include "zigbee/node.h"
#include "zigbee/nwk_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAN     0x1a62u
#define EXT     0x7af1000000000001u
#define PEER    0x7af1000000000002u
#define ADDR    0x1111u
#define RECORDS 48u

static struct al_aes aes;
static const uint8_t key[16] = {1, 2, 3};

static struct {
    struct al_node node;
    struct al_node_config config;
    struct al_zcl_endpoint endpoint;
    struct al_zcl_cluster cluster;
    uint64_t now;
    uint32_t random, peer_counter;
    bool transmitting, scanning;
    uint8_t scan_channel;
    struct {
        uint16_t number;
        uint8_t len, data[AL_ZB_RECORD_MAX];
    } records[RECORDS];
    /* Highest counter on the air under this key */
    uint8_t used_key[16];
    uint32_t used_counter;
} world;
static uint8_t *memory;

/* ---- Radio, store, random numbers ---- */

static int configure(void *ctx, const struct al_radio_config *c)
{
    return 0;
}

static void check_counter(const uint8_t *mpdu, uint8_t len)
{
    struct al_mac_frame mac;
    struct al_nwk_frame f;
    if (al_mac_parse(&mac, mpdu, len)) abort();
    if (mac.type != AL_MAC_DATA) return;
    if (al_nwk_parse(&f, mac.payload, mac.payload_len)) abort();
    if (!f.secured) return;
    if (f.aux.source != EXT) abort();
    const struct al_nwk_key *active = al_nwk_active_key(&world.node.nwk);
    if (!active || active->seq != f.aux.key_seq) return; /* changed since it was protected */
    if (f.aux.counter >= world.node.nwk.counter) abort();
    if (memcmp(active->key, world.used_key, 16) != 0) {
        memcpy(world.used_key, active->key, 16);
        world.used_counter = 0;
    }
    if (f.aux.counter > world.used_counter) world.used_counter = f.aux.counter;
}

static int transmit(void *ctx, const uint8_t *mpdu, uint8_t len)
{
    if (world.transmitting || len > AL_RADIO_MPDU_MAX) abort();
    check_counter(mpdu, len);
    world.transmitting = true;
    return 0;
}

static int set_pending(void *ctx, bool extended, uint64_t addr, bool pending)
{
    return 0;
}

static int energy_scan(void *ctx, uint8_t channel, uint32_t us)
{
    world.scanning = true;
    world.scan_channel = channel;
    return 0;
}

static const struct al_radio radio = {.configure = configure,
                                      .transmit = transmit,
                                      .set_pending = set_pending,
                                      .energy_scan = energy_scan};

static uint32_t next_random(void *ctx)
{
    world.random = world.random * 1664525 + 1013904223;
    return world.random >> 4;
}

static int save(void *ctx, uint16_t number, const void *data, size_t len)
{
    unsigned place = RECORDS;
    if (len > AL_ZB_RECORD_MAX) abort();
    for (unsigned i = 0; i < RECORDS; i++) {
        if (world.records[i].len && world.records[i].number == number) {
            place = i;
            break;
        }
        if (!world.records[i].len && place == RECORDS) place = i;
    }
    if (place == RECORDS) return AL_ERR_NO_MEM;
    world.records[place].number = number;
    world.records[place].len = (uint8_t)len;
    if (len) memcpy(world.records[place].data, data, len);
    return 0;
}

static int load(void *ctx, uint16_t number, void *data, size_t size)
{
    for (unsigned i = 0; i < RECORDS; i++) {
        if (!world.records[i].len || world.records[i].number != number) continue;
        size_t len = world.records[i].len < size ? world.records[i].len : size;
        memcpy(data, world.records[i].data, len);
        return (int)len;
    }
    return AL_ERR_NOT_FOUND;
}

static const struct al_zb_store store = {NULL, save, load};

/* ---- The node ---- */

static const struct al_node_sizes small = {
    .mac_slots = 6,
    .neighbours = 5,
    .addresses = 4,
    .routes = 4,
    .source_routes = 2,
    .broadcasts = 4,
    .waiting = 6,
    .aps_tx = 4,
    .aps_rx = 2,
    .asdu = 256,
    .duplicates = 4,
    .link_keys = 4,
    .admissions = 2,
    .zdo_requests = 2,
    .bindings = 2,
    .zcl_requests = 2,
    .reports = 2,
};

static uint8_t number[2];
static const struct al_zcl_attribute attribute = {.id = 1,
                                                  .type = AL_ZCL_UINT16,
                                                  .access = AL_ZCL_MAY_READ | AL_ZCL_MAY_WRITE |
                                                            AL_ZCL_MAY_REPORT,
                                                  .value = number};

/* Runs what is due; a loop that never ends is a finding. */
static void settle(void)
{
    for (unsigned i = 0; i < 3000; i++) {
        if (al_node_next(&world.node) > world.now) return;
        al_node_run(&world.node, world.now);
    }
    abort();
}

/* The power comes (back): what was used on the air is not used again. */
static void power_on(void)
{
    world.transmitting = world.scanning = false;
    if (al_node_init(&world.node, &world.config)) abort();
    world.endpoint = (struct al_zcl_endpoint){.id = 1, .profile = AL_PROFILE_HA};
    world.cluster =
        (struct al_zcl_cluster){.id = 6, .attributes = &attribute, .attribute_count = 1};
    al_zcl_add_cluster(&world.endpoint, &world.cluster);
    al_zcl_add_endpoint(&world.node.zcl, &world.endpoint);
    const struct al_nwk_key *active = al_nwk_active_key(&world.node.nwk);
    if (active && memcmp(active->key, world.used_key, 16) == 0 && world.used_counter &&
        world.node.nwk.counter <= world.used_counter)
        abort();
    al_bdb_initialise(&world.node.bdb, world.now);
}

/* In a network, its coordinator being PEER. */
static void make_member(void)
{
    struct al_nwk *n = &world.node.nwk;
    if (n->c.role == AL_NWK_ROLE_COORDINATOR) {
        if (al_nwk_form(n, world.now, 15, PAN, 0)) abort();
        al_trust_new_network(&world.node.trust, world.now, key);
        return;
    }
    n->channel = 15;
    n->pan_id = PAN;
    n->epid = PEER;
    n->addr = ADDR;
    world.node.trust.centre = PEER;
    al_nwk_set_parent(n, world.now, AL_NWK_COORDINATOR, PEER);
    al_nwk_set_key(n, world.now, key, 0);
    if (al_nwk_resume(n, world.now)) abort();
    al_nwk_save_network(n, world.now);
}

static void set_up(uint8_t kind)
{
    static const enum al_nwk_role roles[] = {AL_NWK_ROLE_COORDINATOR, AL_NWK_ROLE_ROUTER,
                                             AL_NWK_ROLE_END_DEVICE, AL_NWK_ROLE_END_DEVICE};
    memset(&world, 0, sizeof world);
    world.now = 1000000;
    world.config = (struct al_node_config){
        .radio = &radio,
        .aes = &aes,
        .random = {NULL, next_random},
        .store = &store,
        .ext = EXT,
        .role = roles[kind % 4],
        .rx_off = kind % 4 == 3,
        .primary_channels = 1u << 15,
        .require_exchange = kind & 8,
        .sizes = small,
        .memory = memory,
    };
    power_on();
    settle();
    if (kind & 4) make_member();
    al_bdb_open(&world.node.bdb, world.now, 254);
}

/* ---- Steps ---- */

static void receive(const uint8_t *mpdu, size_t len, uint8_t what)
{
    if (len < 3 || len > AL_RADIO_MPDU_MAX) return;
    const struct al_radio_rx rx = {
        .mpdu = mpdu, .len = (uint8_t)len, .lqi = 200, .pending = what & 0x80};
    al_node_received(&world.node, world.now, &rx);
}

/* MAC, NWK header and, unless it is a command, an APS header from a few bytes; the rest is
 * what stands in it, encrypted by a neighbour. */
static void receive_sealed(struct al_cur *c, uint8_t what)
{
    static const uint16_t addrs[] = {0, 0x2222, 0x3333, ADDR, 0xffff, 0xfffd, 0xfffc, 0x4444};
    struct al_nwk *n = &world.node.nwk;
    uint8_t mpdu[AL_RADIO_MPDU_MAX], apdu[AL_RADIO_MPDU_MAX];
    uint8_t head = al_u8(c), who = al_u8(c), aps = al_u8(c);
    struct al_put p = al_put(mpdu, sizeof mpdu), q = al_put(apdu, sizeof apdu);
    const struct al_nwk_key *active = al_nwk_active_key(n);
    uint16_t relay = addrs[who % 4];
    const struct al_mac_frame mac = {
        .type = AL_MAC_DATA,
        .dst = al_mac_short(n->pan_id, head & 0x80 ? 0xffff : n->addr),
        .src = al_mac_short(n->pan_id, relay),
        .seq = (uint8_t)world.peer_counter,
    };
    struct al_nwk_frame f = {
        .type = head & 1,
        .dst = head & 2 ? n->addr : addrs[(who >> 2) % 8],
        .src = head & 4 ? relay : addrs[(who >> 5) % 8],
        .radius = head & 8 ? 1 : 30,
        .seq = (uint8_t)world.peer_counter,
        .has_src_ext = head & 0x10,
        .src_ext = PEER + (who >> 5) % 8,
        .end_device = head & 0x40,
        .secured = what % 8 != 2 && active,
        .aux = {.source = PEER + who % 4,
                .has_source = true,
                .counter = ++world.peer_counter,
                .key_id = AL_SEC_KEY_NETWORK,
                .key_seq = active ? active->seq : 0},
    };
    size_t len = c->failed ? 0 : c->len - c->pos;
    if (!(head & 1) && !(aps & 0x80)) {
        struct al_aps_frame a = {.type = AL_APS_DATA,
                                 .delivery = aps & 0x40 ? AL_APS_GROUP
                                             : head & 2 ? AL_APS_UNICAST
                                                        : AL_APS_BROADCAST,
                                 .dst_endpoint = aps & 1,
                                 .src_endpoint = aps & 1,
                                 .group = 1,
                                 .profile = aps & 1 ? AL_PROFILE_HA : AL_PROFILE_ZDP,
                                 .cluster = aps & 1 ? 6 : aps >> 1 & 0x1f,
                                 .counter = (uint8_t)world.peer_counter,
                                 .ack_request = head & 0x20};
        if (!(aps & 1) && len && c->buf[c->pos] & 1) a.cluster |= AL_ZDP_RESPONSE;
        if (!(aps & 1) && len && c->buf[c->pos] & 2) a.cluster |= 0x20;
        a.payload = c->buf + c->pos;
        a.payload_len = len;
        if (al_aps_build(&a, &q)) return;
        f.payload = apdu;
        f.payload_len = q.len;
    } else if (len) {
        f.payload = c->buf + c->pos;
        f.payload_len = len;
    }
    if (al_mac_build(&mac, &p)) return;
    int err = f.secured ? al_nwk_seal(&f, &aes, active->key, &p) : al_nwk_build(&f, &p);
    if (!err) receive(mpdu, p.len, what);
}

static void call(struct al_cur *c)
{
    struct al_node *n = &world.node;
    uint8_t what = al_u8(c), flags = al_u8(c);
    uint64_t ext = PEER + al_u8(c) % 8;
    uint16_t dst = al_le16(c);
    uint8_t new_key[16] = {flags, 7};
    switch (what % 14) {
    case 0:
        al_bdb_steer(&n->bdb, world.now);
        break;
    case 1:
        al_bdb_leave(&n->bdb, world.now);
        break;
    case 2:
        al_bdb_initialise(&n->bdb, world.now);
        break;
    case 3:
        al_bdb_form(&n->bdb, world.now);
        break;
    case 4:
        al_bdb_open(&n->bdb, world.now, flags);
        break;
    case 5:
        al_node_factory_reset(n, world.now);
        break;
    case 6:
        al_trust_change_key(&n->trust, world.now);
        break;
    case 7:
        al_trust_remove(&n->trust, world.now, ext);
        break;
    case 8:
        al_trust_add_install_key(&n->trust, flags & 1 ? ext : AL_APS_ANY_PARTNER, new_key);
        break;
    case 9:
        al_zdo_change_channel(&n->zdo, world.now, 11 + flags % 16);
        break;
    case 10:
        al_nwk_change_pan(&n->nwk, world.now, dst);
        break;
    case 11:
        al_zdo_leave(&n->zdo, world.now, dst, 0, flags & 1, flags & 2, NULL, NULL);
        break;
    case 12:
        al_zcl_changed(&n->zcl, world.now, 1, 6, false, 1);
        break;
    default:
        power_on();
        break;
    }
}

static void finish_radio(uint8_t how)
{
    if (world.transmitting) {
        world.transmitting = false;
        al_node_transmitted(&world.node, world.now, how % 8 < 6 ? AL_RADIO_SENT : AL_RADIO_NO_ACK,
                            how & 0x80);
    }
    if (world.scanning) {
        world.scanning = false;
        al_node_scanned(&world.node, world.now, world.scan_channel, -60);
    }
}

static void step(struct al_cur *c, uint8_t what)
{
    world.now += 1000;
    if (what % 8 < 4)
        receive_sealed(c, what);
    else if (what % 8 == 4)
        receive(c->buf, c->len, what);
    else if (what % 8 == 5)
        call(c);
    else
        world.now += (uint64_t)c->len * c->len * 20000;
    settle();
    for (int i = 0; i < 4 && (world.transmitting || world.scanning); i++) {
        finish_radio(what);
        settle();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static struct aes_openssl *openssl;
    struct al_cur c = al_cur(input, size);
    if (!openssl) {
        openssl = aes_openssl_new();
        aes = *aes_openssl_aes(openssl);
        memory = malloc(al_node_memory(&small));
    }
    set_up(al_u8(&c));
    while (c.pos < c.len) {
        uint8_t what = al_u8(&c), len = al_u8(&c);
        if (c.failed) break;
        if (len > c.len - c.pos) len = (uint8_t)(c.len - c.pos);
        struct al_cur part = al_cur(al_take(&c, len), len);
        step(&part, what);
    }
    return 0;
}
