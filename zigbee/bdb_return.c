/* Coming back: after a restart, when the parent is lost, when told to. First the way that
 * costs least; the last one is without the network key, which may have changed meanwhile:
 * the trust centre then sends it under the link key. */
#include "zigbee/bdb_internal.h"

#define PAUSE_MAX_S        60u
#define ROUTER_PAUSE_MAX_S 600u /* a scan makes it deaf for its children */
#define WATCH_US           (30 * AL_BDB_S)
#define SILENT_US          (180 * AL_BDB_S) /* twelve link status periods without a word */

static const struct {
    bool own_channel, secured;
} ways[] = {{true, true}, {false, true}, {false, false}};
#define WAYS (sizeof ways / sizeof *ways)

static bool is_router(const struct al_bdb *b)
{
    return b->c.nwk->c.role == AL_NWK_ROLE_ROUTER;
}

static void rejoin_failed(struct al_bdb *b, uint64_t now, enum al_zb_status status);

void al_bdb_rejoin(struct al_bdb *b, uint64_t now)
{
    struct al_nwk *n = b->c.nwk;
    unsigned way = b->tries % WAYS;
    uint32_t mask = ways[way].own_channel ? 1u << n->channel : b->c.primary | b->c.secondary;
    al_bdb_set_state(b, now, AL_BDB_REJOIN);
    if (al_nwk_rejoin(n, now, mask, ways[way].secured)) rejoin_failed(b, now, AL_ZB_RADIO);
}

static uint64_t pause_length(const struct al_bdb *b)
{
    uint64_t most = is_router(b) ? ROUTER_PAUSE_MAX_S : PAUSE_MAX_S;
    uint64_t s = b->tries < 10 ? 1ull << b->tries : most;
    return (s < most ? s : most) * AL_BDB_S + b->c.random.next(b->c.random.ctx) % AL_BDB_S;
}

/* The scan of one channel is cheap, and the way without a change the best: that nobody is
 * there is believed the second time. */
static bool look_again(struct al_bdb *b, enum al_zb_status status)
{
    b->again = !b->again && status == AL_ZB_NO_NETWORK && ways[b->tries % WAYS].own_channel;
    return b->again;
}

/* What was asked for ends after a round of all ways; the node goes on by itself. */
static void rejoin_failed(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    bool again = look_again(b, status);
    if (!again && b->tries < UINT8_MAX - WAYS) b->tries++;
    /* Children and others may still need a router. */
    if (is_router(b)) al_nwk_resume(b->c.nwk, now);
    b->in_touch_at = now;
    if (b->purpose != AL_BDB_RETURN && b->tries >= WAYS)
        al_bdb_finish(b, now, status);
    else
        al_bdb_set_state_until(b, now, AL_BDB_PAUSE,
                               now + (again ? al_bdb_short_pause(b) : pause_length(b)));
}

/* A power cut or a forgetful parent came between the join and the proof of a link key: that
 * is made up for now. */
static void settle(struct al_bdb *b, uint64_t now)
{
    const struct al_aps_link_key *k = al_aps_key(b->c.aps, b->c.trust->centre);
    if (k && k->verified) {
        al_bdb_finish(b, now, AL_ZB_OK);
    } else {
        b->asked = 0;
        al_bdb_ask_descriptor(b, now);
    }
}

static void rejoined(struct al_bdb *b, uint64_t now)
{
    al_bdb_announce(b, now);
    settle(b, now);
}

void al_bdb_return_joined(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    if (status != AL_ZB_OK && status != AL_ZB_CONFLICT) {
        rejoin_failed(b, now, status);
    } else if (b->c.nwk->awaiting_key) {
        al_bdb_set_state(b, now, AL_BDB_REJOIN_KEY);
        al_trust_await_key(b->c.trust, now);
    } else {
        rejoined(b, now);
    }
}

void al_bdb_return_key(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    if (status == AL_ZB_OK)
        rejoined(b, now);
    else
        rejoin_failed(b, now, status);
}

int al_bdb_initialise(struct al_bdb *b, uint64_t now)
{
    struct al_nwk *n = b->c.nwk;
    int err = al_bdb_begin(b, AL_BDB_INITIALISE);
    if (err) return err;
    if (al_bdb_factory_new(b)) {
        al_bdb_finish(b, now, AL_ZB_NOT_THERE);
    } else if (n->c.role == AL_NWK_ROLE_END_DEVICE) {
        al_bdb_rejoin(b, now);
    } else {
        err = al_nwk_resume(n, now);
        if (!err) al_zdo_announce_children(b->c.zdo, now);
        if (!err && is_router(b))
            rejoined(b, now);
        else
            al_bdb_finish(b, now, err ? AL_ZB_RADIO : AL_ZB_OK);
    }
    return 0;
}

void al_bdb_come_back(struct al_bdb *b, uint64_t now)
{
    if (!b->c.no_rejoin && al_bdb_begin(b, AL_BDB_RETURN) == 0) al_bdb_rejoin(b, now);
}

void al_bdb_parent_lost(struct al_bdb *b, uint64_t now)
{
    al_bdb_tell(b, now, (struct al_bdb_event_args){.event = AL_BDB_PARENT_LOST});
    al_bdb_come_back(b, now);
}

/* ---- Routers ---- */

void al_bdb_watch(struct al_bdb *b, uint64_t now)
{
    uint64_t heard = b->c.nwk->router_heard;
    b->watch_at = AL_BDB_NEVER;
    if (!is_router(b) || b->purpose != AL_BDB_NOTHING || !al_bdb_is_member(b)) return;
    if (heard > b->in_touch_at) b->in_touch_at = heard;
    if (now - b->in_touch_at < SILENT_US)
        b->watch_at = now + WATCH_US;
    else
        al_bdb_parent_lost(b, now);
}

void al_bdb_return_overdue(struct al_bdb *b, uint64_t now)
{
    if (b->state == AL_BDB_REJOIN) {
        al_nwk_cancel(b->c.nwk);
        rejoin_failed(b, now, AL_ZB_RADIO);
    } else if (b->state == AL_BDB_REJOIN_KEY) {
        rejoin_failed(b, now, AL_ZB_TIMEOUT);
    } else if (is_router(b) && b->c.nwk->router_heard > b->in_touch_at) {
        al_bdb_finish(b, now, AL_ZB_OK); /* the others are back where they were */
    } else {
        al_bdb_rejoin(b, now);
    }
}
