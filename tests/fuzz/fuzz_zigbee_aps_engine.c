/* APS and trust hear anything: a trust centre and a joiner, over a network layer that only
 * counts. The input is a list of steps: an octet that says what happens, then what it needs
 * (a length and as many octets of a frame). Frames under the default link key are sealed
 * here, so that what is behind the protection is reached, too. */
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/err.h"
#include "host/aes_openssl.h"
#include "zigbee/hash.h"
#include "zigbee/trust.h"

#define TX   4
#define RX   2
#define ASDU 600

struct node {
    struct al_nwk nwk;
    struct al_aps aps;
    struct al_trust trust;
    struct al_aps_tx tx[TX];
    struct al_aps_rx rx[RX];
    uint8_t bytes[(TX + RX) * ASDU];
    struct al_aps_duplicate duplicates[4];
    struct al_aps_link_key keys[4];
    struct al_trust_device devices[2];
    struct al_nwk_neighbour neighbours[2];
    struct al_nwk_address addresses[2];
    unsigned seen, last_handle;
    int full;
};

static struct node nodes[2];
static const struct al_aes *aes;
static volatile unsigned sum;

/* ---- The network layer ---- */

static struct node *node_of(const struct al_nwk *n)
{
    return n == &nodes[0].nwk ? &nodes[0] : &nodes[1];
}

int al_nwk_send(struct al_nwk *n, uint64_t now, const struct al_nwk_send *s)
{
    struct node *node = node_of(n);
    if (s->len > AL_NWK_PAYLOAD_MAX) return AL_ERR_INVALID_SIZE;
    for (size_t i = 0; i < s->len; i++) sum += s->payload[i];
    node->last_handle = s->handle;
    return node->full ? AL_ERR_NO_MEM : 0;
}

size_t al_nwk_room(const struct al_nwk *n, uint16_t dst)
{
    return AL_NWK_PAYLOAD_MAX;
}

uint64_t al_nwk_ext_of(const struct al_nwk *n, uint16_t addr)
{
    return addr < 0x100 ? 0x1000u + addr : 0;
}

uint16_t al_nwk_addr_of(const struct al_nwk *n, uint64_t ext)
{
    return ext - 0x1000 < 0x100 ? (uint16_t)(ext - 0x1000) : AL_NWK_NO_ADDR;
}

void al_nwk_learn(struct al_nwk *n, uint64_t now, uint16_t addr, uint64_t ext)
{
}

void al_nwk_unlearn(struct al_nwk *n, uint64_t now, uint64_t ext)
{
}

struct al_nwk_neighbour *al_nwk_neighbour_ext(const struct al_nwk *n, uint64_t ext)
{
    return ext ? &n->c.neighbours[ext & 1] : NULL;
}

bool al_nwk_sleepy_child(const struct al_nwk *n, uint16_t addr)
{
    return addr & 1;
}

void al_nwk_fast_poll(struct al_nwk *n, uint64_t now, uint64_t until)
{
}

const struct al_nwk_key *al_nwk_active_key(const struct al_nwk *n)
{
    return &n->keys[0];
}

void al_nwk_set_key(struct al_nwk *n, uint64_t now, const uint8_t key[16], uint8_t seq)
{
    memcpy(n->keys[1].key, key, 16);
}

void al_nwk_switch_key(struct al_nwk *n, uint64_t now, uint8_t seq)
{
}

int al_nwk_leave(struct al_nwk *n, uint64_t now, uint64_t ext, bool remove_children, bool rejoin)
{
    return 0;
}

void al_nwk_child_authenticated(struct al_nwk *n, uint64_t now, uint64_t ext, bool accepted)
{
}

bool al_nwk_permitted(const struct al_nwk *n, uint64_t now)
{
    return true;
}

/* ---- A node ---- */

static uint32_t next_random(void *ctx)
{
    return 4; /* chosen by fair dice roll; the same in every run */
}

static void data(void *ctx, uint64_t now, const struct al_aps_data_ind *ind)
{
    struct node *node = ctx;
    for (size_t i = 0; i < ind->len; i++) sum += ind->asdu[i];
    node->seen++;
}

static void sent(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    sum += handle;
}

static void command(void *ctx, uint64_t now, const struct al_aps_command_ind *ind)
{
    al_trust_command(&((struct node *)ctx)->trust, now, ind);
}

static void command_sent(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    al_trust_sent(&((struct node *)ctx)->trust, now, handle, status);
}

static const struct al_aps_up aps_up = {data, sent, command, command_sent};
static const struct al_trust_up trust_up = {0};

static void start(struct node *node, bool centre)
{
    memset(node, 0, sizeof *node);
    node->nwk.ext = 0x1000u + !centre;
    node->nwk.c.random.next = next_random;
    node->nwk.c.rx_off = !centre;
    node->nwk.c.neighbours = node->neighbours;
    node->nwk.c.neighbour_count = 2;
    node->nwk.c.addresses = node->addresses;
    node->nwk.c.address_count = 2;
    node->nwk.keys[0].valid = true;
    node->neighbours[0] = (struct al_nwk_neighbour){.ext = 2, .addr = 2, .relation = AL_NWK_CHILD};
    node->neighbours[1] =
        (struct al_nwk_neighbour){.ext = 3, .addr = 3, .relation = AL_NWK_JOINING};
    struct al_aps_config c = {.nwk = &node->nwk,
                              .aes = aes,
                              .tx = node->tx,
                              .tx_count = TX,
                              .rx = node->rx,
                              .rx_count = RX,
                              .asdu_size = ASDU,
                              .bytes = node->bytes,
                              .duplicates = node->duplicates,
                              .duplicate_count = 4,
                              .keys = node->keys,
                              .key_count = 4,
                              .up = &aps_up,
                              .up_ctx = node};
    al_aps_init(&node->aps, &c);
    struct al_trust_config t = {.aps = &node->aps,
                                .nwk = &node->nwk,
                                .aes = aes,
                                .random = {NULL, next_random},
                                .trust_centre = centre,
                                .require_exchange = true,
                                .devices = node->devices,
                                .device_count = 2,
                                .up = &trust_up,
                                .up_ctx = node};
    al_trust_init(&node->trust, &t);
    node->trust.centre = 0x1000;
}

/* ---- Steps ---- */

enum { HEAR, HEAR_SEALED, SEND, CONFIRM, WAIT, CHILD, EXCHANGE, CHANGE, STEPS };

/* in: octets of a frame; sealed: header, then what is to be protected under the default key. */
static void hear(struct node *node, uint64_t now, uint8_t how, const uint8_t *in, size_t len,
                 bool sealed)
{
    uint8_t bytes[AL_RADIO_MPDU_MAX];
    struct al_put p = al_put(bytes, sizeof bytes);
    struct al_aps_frame f;
    if (sealed && al_aps_parse(&f, in, len) == 0 && f.secured) {
        uint8_t key[16];
        static const enum al_key_use uses[] = {AL_KEY_DATA, AL_KEY_DATA, AL_KEY_TRANSPORT,
                                               AL_KEY_LOAD};
        al_key_derive(aes, al_default_link_key, uses[f.aux.key_id], key);
        f.aux.has_source = true;
        f.aux.source = 0x1000u + (how >> 4 & 3);
        if (al_aps_seal(&f, aes, key, &p)) return;
    } else {
        al_put_bytes(&p, in, len);
    }
    struct al_nwk_data_ind ind = {.src = how >> 4 & 3,
                                  .dst = how & 8 ? AL_NWK_ALL : node->nwk.addr,
                                  .secured = !(how & 4),
                                  .payload = bytes,
                                  .len = p.len};
    if (!p.failed) al_aps_nwk_data(&node->aps, now, &ind);
}

static void step(struct node *node, uint64_t *now, struct al_cur *c)
{
    uint8_t what = al_u8(c), how = al_u8(c), len = al_u8(c) & 0x7f;
    const uint8_t *in = what % STEPS <= SEND ? al_take(c, len) : NULL;
    if (c->failed) return;
    switch (what % STEPS) {
    case HEAR:
        hear(node, *now, how, in, len, false);
        break;
    case HEAR_SEALED:
        hear(node, *now, how, in, len, true);
        break;
    case SEND: {
        uint8_t asdu[ASDU] = {0};
        if (len) memcpy(asdu, in, len);
        struct al_aps_send s = {.dst = how & 3,
                                .asdu = asdu,
                                .len = how & 4 ? len : len * 4u,
                                .ack = how & 8,
                                .fragment = how & 16,
                                .link_key = how & 32,
                                .handle = 1};
        al_aps_send(&node->aps, *now, &s);
        break;
    }
    case CONFIRM:
        node->full = how & 64;
        al_aps_nwk_sent(&node->aps, *now, how & 1 ? (uint16_t)node->last_handle : how,
                        how & 2 ? AL_ZB_OK : AL_ZB_NO_ACK);
        break;
    case WAIT:
        *now += (uint64_t)how * how * 300;
        al_aps_run(&node->aps, *now);
        al_trust_run(&node->trust, *now);
        break;
    case CHILD:
        if (how & 32)
            al_trust_await_key(&node->trust, *now);
        else
            al_trust_child(&node->trust, *now, &node->neighbours[how & 1], how & 2, how & 4);
        break;
    case EXCHANGE:
        al_trust_exchange_key(&node->trust, *now, how & 1);
        break;
    default:
        al_trust_change_key(&node->trust, *now);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    static struct aes_openssl *openssl;
    if (!openssl) openssl = aes_openssl_new();
    if (!openssl) abort();
    aes = aes_openssl_aes(openssl);
    struct al_cur c = al_cur(in, len);
    uint64_t now = 1000000;
    start(&nodes[0], true);
    start(&nodes[1], false);
    while (!c.failed && c.pos < c.len) {
        uint8_t which = al_u8(&c);
        step(&nodes[which & 1], &now, &c);
    }
    return 0;
}
