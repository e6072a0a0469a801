#include "zigbee/aps_internal.h"
#include "zigbee/deadline.h"

#define HEADER        8u
#define SECURITY_SIZE (AL_AUX_APS_SIZE + AL_CCM_MIC)
#define EXT_SIZE      8u /* an EUI in the NWK header */
#define FRAGMENT_SIZE 2u

#define ACK_WAIT_MS        3000
#define ACK_WAIT_SLEEPY_MS 10000
#define RETRIES            3
#define IN_FLIGHT          3
#define KEPT_FOR_COMMANDS \
    16 /* one in so many slots: transfers must not keep devices from joining */

static void defaults(struct al_aps_config *c)
{
    if (!c->window || c->window > AL_APS_WINDOW) c->window = AL_APS_WINDOW;
    if (!c->ack_wait_ms) c->ack_wait_ms = ACK_WAIT_MS;
    if (!c->ack_wait_sleepy_ms) c->ack_wait_sleepy_ms = ACK_WAIT_SLEEPY_MS;
    if (!c->retries) c->retries = RETRIES;
    if (!c->in_flight) c->in_flight = IN_FLIGHT;
    if (c->tx_count > AL_APS_TX_MAX) c->tx_count = AL_APS_TX_MAX;
}

void al_aps_init(struct al_aps *a, const struct al_aps_config *c)
{
    memset(a, 0, sizeof *a);
    a->c = *c;
    defaults(&a->c);
    uint8_t *bytes = c->bytes;
    for (unsigned i = 0; i < a->c.tx_count; i++, bytes += c->asdu_size) {
        memset(&a->c.tx[i], 0, sizeof a->c.tx[i]);
        a->c.tx[i].bytes = bytes;
    }
    for (unsigned i = 0; i < a->c.rx_count; i++, bytes += c->asdu_size) {
        memset(&a->c.rx[i], 0, sizeof a->c.rx[i]);
        a->c.rx[i].bytes = bytes;
    }
    if (c->duplicate_count) memset(c->duplicates, 0, c->duplicate_count * sizeof *c->duplicates);
    if (c->key_count) memset(c->keys, 0, c->key_count * sizeof *c->keys);
    if (c->peer_count) memset(c->peers, 0, c->peer_count * sizeof *c->peers);
    memcpy(a->default_key, al_default_link_key, sizeof a->default_key);
    a->pump_at = AL_APS_NEVER;
    const struct al_zb_random *random = &c->nwk->c.random;
    if (random->next) a->counter = (uint8_t)random->next(random->ctx);
}

void al_aps_stop(struct al_aps *a, uint64_t now, enum al_zb_status status)
{
    for (unsigned i = 0; i < a->c.rx_count; i++) {
        if (a->c.rx[i].state == AL_APS_RX_PARTIAL) a->c.rx[i].state = AL_APS_RX_FREE;
    }
    for (unsigned i = 0; i < AL_APS_ACKS; i++) a->acks[i].state = AL_APS_ACK_FREE;
    for (unsigned i = 0; i < a->c.duplicate_count; i++) a->c.duplicates[i].expires = 0;
    memset(a->windows, 0, sizeof a->windows);
    a->pump_at = AL_APS_NEVER;
    /* What a callback sends now is of the next life. */
    uint32_t end = a->order;
    for (unsigned i = 0; i < a->c.tx_count; i++) {
        struct al_aps_tx *t = &a->c.tx[i];
        if (t->state != AL_APS_TX_FREE && (int32_t)(t->order - end) < 0)
            al_aps_tx_finish(a, now, t, status);
    }
}

/* ---- Sending ---- */

size_t al_aps_room(const struct al_aps *a, uint16_t dst, bool link_key)
{
    size_t room = al_nwk_room(a->c.nwk, dst);
    size_t used = HEADER + (link_key ? SECURITY_SIZE : 0);
    return room > used ? room - used : 0;
}

/* Room of one frame for s; 0: none. */
static size_t room_for(const struct al_aps *a, const struct al_aps_send *s)
{
    size_t room = al_aps_room(a, s->dst, s->link_key);
    size_t used = s->with_src_ext ? EXT_SIZE : 0;
    return room > used ? room - used : 0;
}

/* Cuts t into blocks of room; false: too many. */
static bool cut(struct al_aps *a, struct al_aps_tx *t, size_t room)
{
    size_t block_len = room - FRAGMENT_SIZE;
    size_t blocks = (t->len + block_len - 1) / block_len;
    if (blocks > AL_APS_BLOCKS_MAX) return false;
    t->block_len = (uint16_t)block_len;
    t->blocks = (uint8_t)blocks;
    t->window_size = (uint8_t)(blocks < a->c.window ? blocks : a->c.window);
    t->flags |= AL_APS_TX_ACK;
    return true;
}

static void fill(struct al_aps_tx *t, const struct al_aps_send *s, bool unicast)
{
    t->handle = s->handle;
    t->dst_ep = s->dst_ep;
    t->src_ep = s->src_ep;
    t->profile = s->profile;
    t->cluster = s->cluster;
    t->group = s->group;
    t->radius = s->radius;
    t->len = (uint16_t)s->len;
    if (unicast && (s->ack || s->fragment)) t->flags |= AL_APS_TX_ACK;
    if (s->with_src_ext) t->flags |= AL_APS_TX_SRC_EXT;
    if (s->sleepy) t->flags |= AL_APS_TX_SLEEPY;
    if (s->len) memcpy(t->bytes, s->asdu, s->len);
}

int al_aps_send(struct al_aps *a, uint64_t now, const struct al_aps_send *s)
{
    bool unicast = !AL_NWK_BROADCAST(s->dst);
    if (unicast ? s->group : s->link_key) return AL_ERR_INVALID_ARG;
    size_t room = room_for(a, s);
    bool fits = s->len <= room;
    if (s->len > a->c.asdu_size) return AL_ERR_INVALID_SIZE;
    if (!fits && (!s->fragment || !unicast || room <= FRAGMENT_SIZE)) return AL_ERR_INVALID_SIZE;
    uint64_t dst_ext = s->link_key ? al_nwk_ext_of(a->c.nwk, s->dst) : 0;
    if (s->link_key && !dst_ext) return AL_ERR_NOT_FOUND;
    struct al_aps_tx *t = al_aps_tx_take(a, s->dst, a->c.tx_count / KEPT_FOR_COMMANDS);
    if (!t) return AL_ERR_NO_MEM;
    fill(t, s, unicast);
    t->dst_ext = dst_ext;
    t->not_before = s->delay_us ? now + s->delay_us : 0;
    if (s->link_key) t->key_id = AL_SEC_KEY_LINK;
    if (!fits && !cut(a, t, room)) {
        t->state = AL_APS_TX_FREE;
        return AL_ERR_INVALID_SIZE;
    }
    al_aps_pump(a, now);
    return 0;
}

void al_aps_cancel(struct al_aps *a, uint64_t now, uint16_t handle)
{
    for (unsigned i = 0; handle && i < a->c.tx_count; i++) {
        struct al_aps_tx *t = &a->c.tx[i];
        if (t->state == AL_APS_TX_FREE || t->handle != handle || t->flags & AL_APS_TX_COMMAND)
            continue;
        al_aps_tx_finish(a, now, t, AL_ZB_EXPIRED);
        break;
    }
    al_aps_pump(a, now);
}

static struct al_aps_tx *take_command(struct al_aps *a, uint16_t dst, uint64_t dst_ext,
                                      uint16_t handle)
{
    struct al_aps_tx *t = al_aps_tx_take(a, dst, 0);
    if (!t) return NULL;
    t->flags |= AL_APS_TX_COMMAND;
    t->dst_ext = dst_ext;
    t->handle = handle;
    return t;
}

int al_aps_send_command(struct al_aps *a, uint64_t now, const struct al_aps_send_command *s)
{
    struct al_aps_tx *t = take_command(a, s->dst, s->dst_ext, s->handle);
    if (!t) return AL_ERR_NO_MEM;
    struct al_put p = al_put(t->bytes, a->c.asdu_size);
    int err = al_aps_command_build(s->command, &p);
    if (err) {
        t->state = AL_APS_TX_FREE;
        return err;
    }
    t->len = (uint16_t)p.len;
    t->key_id = s->key_id;
    if (s->fresh_key) t->flags |= AL_APS_TX_FRESH;
    if (s->nwk_unsecured) t->flags |= AL_APS_TX_UNSECURED;
    al_aps_pump(a, now);
    return 0;
}

int al_aps_forward(struct al_aps *a, uint64_t now, uint16_t child, uint64_t child_ext,
                   const uint8_t *frame, size_t len, uint16_t handle)
{
    if (len > a->c.asdu_size) return AL_ERR_INVALID_SIZE;
    struct al_aps_tx *t = take_command(a, child, child_ext, handle);
    if (!t) return AL_ERR_NO_MEM;
    t->flags |= AL_APS_TX_RAW | AL_APS_TX_UNSECURED;
    memcpy(t->bytes, frame, len);
    t->len = (uint16_t)len;
    al_aps_pump(a, now);
    return 0;
}

/* ---- Time ---- */

uint64_t al_aps_next(const struct al_aps *a)
{
    uint64_t next = a->pump_at;
    for (unsigned i = 0; i < a->c.tx_count; i++) {
        const struct al_aps_tx *t = &a->c.tx[i];
        if (t->state != AL_APS_TX_FREE && t->state != AL_APS_TX_READY)
            next = al_earlier(next, t->deadline);
    }
    for (unsigned i = 0; i < a->c.rx_count; i++) {
        const struct al_aps_rx *rx = &a->c.rx[i];
        if (rx->state == AL_APS_RX_PARTIAL)
            next = al_earlier(next, al_earlier(rx->deadline, rx->pause));
    }
    return next;
}

void al_aps_run(struct al_aps *a, uint64_t now)
{
    for (unsigned i = 0; i < a->c.tx_count; i++) al_aps_tx_due(a, now, &a->c.tx[i]);
    for (unsigned i = 0; i < a->c.rx_count; i++) al_aps_rx_due(a, now, &a->c.rx[i]);
    al_aps_pump(a, now);
}
