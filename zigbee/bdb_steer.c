/* Steering: a device looks for an open network, joins it, and gets a link key of its own. */
#include "zigbee/bdb_internal.h"

#define DESCRIPTOR_ATTEMPTS 3
#define GOOD_LQI            44 /* of a radio whose 255 is 35 dB above its sensitivity: 6 dB */
#define REVISION_WITH_KEYS  21 /* trust centres before it have no link keys to give */

/* ---- Candidates ---- */

static bool fits(const struct al_bdb *b, const struct al_nwk_candidate *c)
{
    bool router = b->c.nwk->c.role == AL_NWK_ROLE_ROUTER;
    return c->stack_profile == 2 && c->version == 2 && c->permit_join &&
           (router ? c->router_room : c->end_device_room) && (!b->c.epid || b->c.epid == c->epid);
}

/* Better: a link that is good rather than one that is not; then the one nearer to the
 * coordinator, as each hop costs the air once more; then the louder one. */
static bool better(const struct al_nwk_candidate *a, const struct al_nwk_candidate *than)
{
    bool good = a->lqi >= GOOD_LQI, than_good = than->lqi >= GOOD_LQI;
    if (good != than_good) return good;
    if (good && a->depth != than->depth) return a->depth < than->depth;
    return a->lqi != than->lqi ? a->lqi > than->lqi : a->depth < than->depth;
}

void al_bdb_steer_heard(struct al_bdb *b, const struct al_nwk_candidate *c)
{
    unsigned at = 0, last = b->candidate_count;
    if (!fits(b, c)) return;
    for (unsigned i = 0; i < last; i++)
        if (b->candidates[i].epid == c->epid && b->candidates[i].addr == c->addr &&
            b->candidates[i].channel == c->channel)
            return;
    while (at < last && !better(c, &b->candidates[at])) at++;
    if (at == AL_BDB_CANDIDATES) return;
    if (last == AL_BDB_CANDIDATES) last--;
    memmove(&b->candidates[at + 1], &b->candidates[at], (last - at) * sizeof *b->candidates);
    b->candidates[at] = *c;
    b->candidate_count = (uint8_t)(last + 1);
}

/* ---- One after the other ---- */

static void discover(struct al_bdb *b, uint64_t now, bool secondary)
{
    b->secondary = secondary;
    b->candidate_count = b->candidate = 0;
    al_bdb_set_state(b, now, AL_BDB_DISCOVER);
    if (al_nwk_discover(b->c.nwk, now, secondary ? b->c.secondary : b->c.primary,
                        b->c.scan_duration))
        al_bdb_finish(b, now, AL_ZB_RADIO);
}

static void begin_try(struct al_bdb *b, uint64_t now)
{
    b->found = b->again = false;
    discover(b, now, false);
}

/* The request or its answers may have met another frame, as when the network has just been
 * opened: that nobody is there is believed the second time. */
static void look_again(struct al_bdb *b, uint64_t now)
{
    b->again = true;
    al_bdb_set_state_until(b, now, AL_BDB_LOOK_AGAIN, now + al_bdb_short_pause(b));
}

static void next_candidate(struct al_bdb *b, uint64_t now)
{
    while (b->candidate < b->candidate_count) {
        const struct al_nwk_candidate *c = &b->candidates[b->candidate++];
        al_bdb_set_state(b, now, AL_BDB_JOIN);
        if (al_nwk_join(b->c.nwk, now, c) == 0) return;
    }
    if (!b->secondary && b->c.secondary)
        discover(b, now, true);
    else if (!b->found && !b->again)
        look_again(b, now);
    else
        al_bdb_finish(b, now, b->last);
}

void al_bdb_steer_scanned(struct al_bdb *b, uint64_t now)
{
    b->found |= b->candidate_count > 0;
    next_candidate(b, now);
}

int al_bdb_steer(struct al_bdb *b, uint64_t now)
{
    int err = al_bdb_begin(b, AL_BDB_STEER);
    if (err) return err;
    b->last = AL_ZB_NO_NETWORK;
    if (al_bdb_is_member(b)) {
        err = al_bdb_open(b, now, AL_BDB_OPEN_S);
        al_bdb_finish(b, now, err ? AL_ZB_NOT_THERE : AL_ZB_OK);
    } else if (!al_bdb_factory_new(b) && b->c.nwk->c.role != AL_NWK_ROLE_COORDINATOR) {
        al_bdb_rejoin(b, now); /* it has a network, and is not to lose it for another */
    } else if (b->c.nwk->c.role == AL_NWK_ROLE_COORDINATOR) {
        al_bdb_finish(b, now, AL_ZB_NOT_THERE);
    } else {
        begin_try(b, now);
    }
    return 0;
}

void al_bdb_steer_joined(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    if (status == AL_ZB_OK) {
        al_bdb_set_state(b, now, AL_BDB_WAIT_KEY);
        al_trust_await_key(b->c.trust, now);
    } else {
        b->last = status;
        next_candidate(b, now);
    }
}

void al_bdb_steer_key(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    if (status != AL_ZB_OK) { /* this network did not take the node */
        b->last = status;
        al_bdb_forget(b);
        next_candidate(b, now);
        return;
    }
    al_bdb_announce(b, now);
    b->asked = 0;
    al_bdb_ask_descriptor(b, now);
}

/* ---- The link key, once the network key is there ---- */

/* In the network, but without a proven link key: leaves it, and perhaps tries again. A member
 * of old stays. */
static void exchange_failed(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    b->last = status;
    al_zdo_cancel(b->c.zdo, b);
    if (b->purpose != AL_BDB_STEER) {
        al_bdb_finish(b, now, AL_ZB_OK);
        return;
    }
    al_bdb_set_state(b, now, AL_BDB_LEAVE);
    /* The answer may come from inside. */
    if (al_nwk_leave(b->c.nwk, now, 0, false, false)) al_bdb_steer_gone(b, now);
}

void al_bdb_steer_gone(struct al_bdb *b, uint64_t now)
{
    al_bdb_forget(b);
    if (++b->tries < b->c.attempts)
        begin_try(b, now);
    else
        al_bdb_finish(b, now, b->last);
}

static void no_descriptor(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    if (++b->asked < DESCRIPTOR_ATTEMPTS)
        al_bdb_ask_descriptor(b, now);
    else
        exchange_failed(b, now, status);
}

static void descriptor_came(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    struct al_bdb *b = ctx;
    if (b->state != AL_BDB_DESCRIPTOR) return;
    if (a->status != AL_ZB_OK || a->response->status) {
        no_descriptor(b, now, a->status ? a->status : AL_ZB_SECURITY);
        return;
    }
    uint16_t mask = a->response->node_rsp.desc.server_mask;
    al_bdb_set_state(b, now, AL_BDB_EXCHANGE);
    al_trust_exchange_key(b->c.trust, now, AL_ZDP_REVISION(mask) < REVISION_WITH_KEYS);
}

void al_bdb_ask_descriptor(struct al_bdb *b, uint64_t now)
{
    al_bdb_set_state(b, now, AL_BDB_DESCRIPTOR);
    if (al_zdo_node_desc(b->c.zdo, now, AL_NWK_COORDINATOR, descriptor_came, b) == 0) return;
    /* It counts as asked, so that this ends. */
    if (++b->asked < DESCRIPTOR_ATTEMPTS)
        al_bdb_set_state(b, now, AL_BDB_ASK_AGAIN);
    else
        exchange_failed(b, now, AL_ZB_TIMEOUT);
}

void al_bdb_exchanged(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    if (b->state != AL_BDB_EXCHANGE) return;
    if (status != AL_ZB_OK) {
        exchange_failed(b, now, status);
        return;
    }
    /* Those that come after this node shall find the network open (BDB 8.2, last step). */
    if (b->purpose == AL_BDB_STEER) al_bdb_open(b, now, AL_BDB_OPEN_S);
    al_bdb_finish(b, now, AL_ZB_OK);
}

/* ---- Nobody has answered ---- */

void al_bdb_steer_overdue(struct al_bdb *b, uint64_t now)
{
    switch (b->state) {
    case AL_BDB_DISCOVER:
        al_nwk_cancel(b->c.nwk);
        al_bdb_finish(b, now, AL_ZB_RADIO);
        break;
    case AL_BDB_LOOK_AGAIN:
        discover(b, now, false);
        break;
    case AL_BDB_JOIN:
        al_nwk_cancel(b->c.nwk);
        al_bdb_forget(b); /* it may have an address by now */
        al_bdb_steer_joined(b, now, AL_ZB_TIMEOUT);
        break;
    case AL_BDB_WAIT_KEY:
        al_bdb_steer_key(b, now, AL_ZB_TIMEOUT);
        break;
    case AL_BDB_DESCRIPTOR:
        al_zdo_cancel(b->c.zdo, b);
        no_descriptor(b, now, AL_ZB_TIMEOUT);
        break;
    case AL_BDB_EXCHANGE:
        exchange_failed(b, now, AL_ZB_TIMEOUT);
        break;
    default: /* LEAVE: the announcement is stuck */
        al_aps_stop(b->c.aps, now, AL_ZB_NOT_THERE);
        al_bdb_steer_gone(b, now);
        break;
    }
}
