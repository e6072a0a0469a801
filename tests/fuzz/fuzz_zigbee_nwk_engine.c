/* Any frames into a coordinator and a router of a network, most of them rightly encrypted,
 * between calls of the layer above and the passing of time. The engine must always come to
 * rest, never send what is longer than a frame, and never let its counter go back.
 *
 *   input: steps; a step is what it does, a length n, n bytes */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/err.h"
#include "host/aes_openssl.h"
#include "zigbee/nwk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAN  0x1a62u
#define EXT  0x7af1000000000001u
#define PEER 0x7af1000000000002u

static struct al_aes aes;
static const uint8_t key[16] = {1, 2, 3};
static const uint8_t next_key[16] = {4, 5, 6};

static struct {
    struct al_mac mac;
    struct al_nwk nwk;
    struct al_mac_slot slots[6];
    struct al_mac_seen seen[4];
    struct al_nwk_neighbour neighbours[5];
    struct al_nwk_address addresses[4];
    struct al_nwk_route routes[4];
    struct al_nwk_source_route source_routes[2];
    struct al_nwk_broadcast broadcasts[4];
    struct al_nwk_waiting waiting[6];
    uint64_t now;
    uint32_t random, peer_counter;
    bool transmitting, scanning;
} node;

/* ---- The radio ---- */

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
    const struct al_nwk_key *active = al_nwk_active_key(&node.nwk);
    if (active && f.aux.key_seq == active->seq && f.aux.counter >= node.nwk.counter) abort();
}

static int transmit(void *ctx, const uint8_t *mpdu, uint8_t len)
{
    if (node.transmitting || len > AL_RADIO_MPDU_MAX) abort();
    check_counter(mpdu, len);
    node.transmitting = true;
    return 0;
}

static int set_pending(void *ctx, bool extended, uint64_t addr, bool pending)
{
    return 0;
}

static int energy_scan(void *ctx, uint8_t channel, uint32_t us)
{
    node.scanning = true;
    return 0;
}

static const struct al_radio radio = {.configure = configure,
                                      .transmit = transmit,
                                      .set_pending = set_pending,
                                      .energy_scan = energy_scan};

static uint32_t next_random(void *ctx)
{
    node.random = node.random * 1664525 + 1013904223;
    return node.random >> 4;
}

/* ---- The layer above ---- */

static void child(void *ctx, uint64_t now, const struct al_nwk_neighbour *c, bool rejoin,
                  bool secured)
{
    static const uint8_t payload[20] = {0x21};
    const struct al_nwk_send s = {.dst = c->addr,
                                  .dst_ext = c->ext,
                                  .payload = payload,
                                  .len = sizeof payload,
                                  .unsecured = true};
    if (secured) return;
    al_nwk_send(&node.nwk, now, &s);
    al_nwk_child_authenticated(&node.nwk, now, c->ext, next_random(NULL) % 4);
}

static void data(void *ctx, uint64_t now, const struct al_nwk_data_ind *ind)
{
    uint8_t copy[AL_RADIO_MPDU_MAX];
    if (ind->len > sizeof copy) abort();
    memcpy(copy, ind->payload, ind->len);
    const struct al_nwk_send s = {.dst = ind->src, .payload = copy, .len = ind->len % 90};
    al_nwk_send(&node.nwk, now, &s); /* answers from inside */
}

static void left(void *ctx, uint64_t now, bool rejoin)
{
    if (rejoin)
        al_nwk_rejoin(&node.nwk, now, 1u << 15, true);
    else
        al_nwk_forget(&node.nwk);
}

static const struct al_nwk_up up = {.child = child, .data = data, .left = left};

/* ---- Steps ---- */

static void set_up(bool router)
{
    const struct al_mac_config mac = {.radio = &radio,
                                      .random = {NULL, next_random},
                                      .ext_addr = EXT,
                                      .slots = node.slots,
                                      .slot_count = 6,
                                      .seen = node.seen,
                                      .seen_count = 4,
                                      .up = &al_nwk_mac_up,
                                      .up_ctx = &node.nwk};
    const struct al_nwk_config nwk = {
        .mac = &node.mac,
        .aes = &aes,
        .random = {NULL, next_random},
        .role = router ? AL_NWK_ROLE_ROUTER : AL_NWK_ROLE_COORDINATOR,
        .concentrator = !router,
        .neighbours = node.neighbours,
        .neighbour_count = 5,
        .addresses = node.addresses,
        .address_count = 4,
        .routes = node.routes,
        .route_count = 4,
        .source_routes = node.source_routes,
        .source_route_count = 2,
        .broadcasts = node.broadcasts,
        .broadcast_count = 4,
        .waiting = node.waiting,
        .waiting_count = 6,
        .up = &up,
    };
    memset(&node, 0, sizeof node);
    node.now = 1000000;
    al_mac_init(&node.mac, &mac);
    al_nwk_init(&node.nwk, &nwk);
    node.nwk.channel = 15;
    node.nwk.pan_id = PAN;
    node.nwk.addr = router ? 0x1111 : 0;
    node.nwk.parent = router ? 0 : AL_NWK_NO_ADDR;
    al_nwk_set_key(&node.nwk, node.now, key, 0);
    al_nwk_set_key(&node.nwk, node.now, next_key, 1);
    if (al_nwk_resume(&node.nwk, node.now)) abort();
    al_nwk_permit(&node.nwk, node.now, 254);
}

/* Runs what is due; a loop that never ends is a finding. */
static void settle(void)
{
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t mac = al_mac_next(&node.mac), nwk = al_nwk_next(&node.nwk);
        if (mac > node.now && nwk > node.now) return;
        al_mac_run(&node.mac, node.now);
        al_nwk_run(&node.nwk, node.now);
    }
    abort();
}

static void finish_radio(uint8_t how)
{
    if (node.transmitting) {
        node.transmitting = false;
        al_mac_transmitted(&node.mac, node.now, how % 8 < 6 ? AL_RADIO_SENT : AL_RADIO_NO_ACK,
                           how & 0x80);
    }
    if (node.scanning) {
        node.scanning = false;
        al_mac_scanned(&node.mac, node.now, 15, -60);
    }
}

static void receive(const uint8_t *mpdu, size_t len, uint8_t what)
{
    if (len < 3 || len > AL_RADIO_MPDU_MAX) return;
    const struct al_radio_rx rx = {
        .mpdu = mpdu, .len = (uint8_t)len, .lqi = 200, .pending = what & 0x80};
    al_mac_received(&node.mac, node.now, &rx);
}

/* MAC and NWK header from a few bytes, the rest is payload, encrypted by a neighbour. */
static void receive_sealed(struct al_cur *c, uint8_t what)
{
    static const uint16_t addrs[] = {0, 0x1111, 0x2222, 0x3333, 0xffff, 0xfffd, 0xfffc, 0x4444};
    uint8_t mpdu[AL_RADIO_MPDU_MAX], head = al_u8(c), who = al_u8(c);
    struct al_put p = al_put(mpdu, sizeof mpdu);
    uint16_t relay = addrs[who % 4];
    const struct al_mac_frame mac = {
        .type = AL_MAC_DATA,
        .dst = al_mac_short(PAN, head & 0x80 ? 0xffff : node.nwk.addr),
        .src = al_mac_short(PAN, relay),
        .seq = al_u8(c),
    };
    struct al_nwk_frame f = {
        .type = head & 1,
        .dst = head & 2 ? node.nwk.addr : addrs[(who >> 2) % 8],
        .src = head & 4 ? relay : addrs[(who >> 5) % 8],
        .radius = head & 8 ? 1 : 30,
        .seq = mac.seq,
        .discover_route = 1,
        .has_src_ext = head & 0x10,
        .src_ext = PEER + (who >> 5) % 8,
        .has_dst_ext = head & 0x20,
        .dst_ext = EXT,
        .end_device = head & 0x40,
        .secured = what % 8 != 2,
        .aux = {.source = PEER + who % 4,
                .has_source = true,
                .counter = ++node.peer_counter,
                .key_id = AL_SEC_KEY_NETWORK,
                .key_seq = what & 0x40 ? 1 : 0},
    };
    if (what & 0x20) {
        f.source_route = true;
        f.relay_count = 1 + head % 3;
        f.relay_index = al_u8(c) % 4;
        for (int i = 0; i < f.relay_count; i++) f.relays[i] = addrs[(i + who) % 4];
    }
    if (!c->failed) {
        f.payload = c->buf + c->pos;
        f.payload_len = c->len - c->pos;
    }
    if (al_mac_build(&mac, &p)) return;
    int err =
        f.secured ? al_nwk_seal(&f, &aes, what & 0x40 ? next_key : key, &p) : al_nwk_build(&f, &p);
    if (!err) receive(mpdu, p.len, what);
}

static void call(struct al_cur *c)
{
    struct al_nwk *n = &node.nwk;
    uint8_t what = al_u8(c), flags = al_u8(c);
    uint64_t ext = PEER + al_u8(c) % 8;
    uint16_t dst = al_le16(c);
    size_t len = c->failed ? 0 : c->len - c->pos;
    const struct al_nwk_send s = {.dst = dst,
                                  .payload = c->buf + c->pos,
                                  .len = len,
                                  .with_src_ext = flags & 1,
                                  .no_discovery = flags & 2,
                                  .handle = flags >> 4};
    const struct al_nwk_candidate candidate = {
        .pan_id = PAN, .channel = 15, .addr = dst, .epid = 1, .stack_profile = 2, .version = 2};
    switch (what % 10) {
    case 0:
        al_nwk_leave(n, node.now, flags & 4 ? ext : 0, flags & 1, flags & 2);
        break;
    case 1:
        al_nwk_learn(n, node.now, dst, ext);
        break;
    case 2:
        al_nwk_unlearn(n, node.now, ext);
        break;
    case 3:
        al_nwk_rejoin(n, node.now, 1u << 15, flags & 1);
        break;
    case 4:
        al_nwk_join(n, node.now, &candidate);
        break;
    case 5:
        al_nwk_permit(n, node.now, flags);
        break;
    case 6:
        al_nwk_set_key(n, node.now, key, 0);
        break;
    case 7:
        al_nwk_move(n, node.now, 11 + flags % 16, dst, flags);
        break;
    default:
        if (al_nwk_room(n, dst) > AL_NWK_PAYLOAD_MAX) abort();
        al_nwk_send(n, node.now, &s);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static struct aes_openssl *openssl;
    struct al_cur c = al_cur(input, size);
    if (!openssl) {
        openssl = aes_openssl_new();
        aes = *aes_openssl_aes(openssl);
    }
    set_up(al_u8(&c) & 1);
    while (c.pos < c.len) {
        uint8_t what = al_u8(&c), len = al_u8(&c);
        if (c.failed) break;
        if (len > c.len - c.pos) len = (uint8_t)(c.len - c.pos);
        struct al_cur step = al_cur(al_take(&c, len), len);
        node.now += 1000;
        if (what % 8 < 4)
            receive_sealed(&step, what);
        else if (what % 8 == 4)
            receive(step.buf, len, what);
        else if (what % 8 == 5)
            call(&step);
        else
            node.now += (uint64_t)len * len * 20000;
        settle();
        finish_radio(what);
        settle();
    }
    return 0;
}
