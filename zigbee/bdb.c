/* One purpose at a time, each a chain of states; see the picture in bdb.h. The chains are in
 * bdb_form.c, bdb_steer.c and bdb_return.c. */
#include "zigbee/bdb_internal.h"

#define DEFAULT_SCAN_DURATION 4
#define DEFAULT_ATTEMPTS      3
#define ANNOUNCE_AGAIN        (AL_BDB_S / 5)
#define SHORT_PAUSE           (AL_BDB_S / 4)

void al_bdb_tell(struct al_bdb *b, uint64_t now, struct al_bdb_event_args a)
{
    if (b->c.event) b->c.event(b->c.up_ctx, now, &a);
}

/* ---- States ---- */

static void report(struct al_bdb *b, uint64_t now);

/* The layers below have their own time-outs, which are shorter: limit is how long one of
 * them may stay silent before the state ends without it. */
static const struct {
    const char *name;
    uint32_t limit_s; /* 0: at once; scans: behind the longest one */
    void (*due)(struct al_bdb *b, uint64_t now);
} states[] = {
    [AL_BDB_IDLE] = {"idle", 0, NULL},
    [AL_BDB_REPORT] = {"report", 0, report},
    [AL_BDB_ENERGY] = {"energy", 10, al_bdb_form_overdue},
    [AL_BDB_SCAN] = {"scan", 10, al_bdb_form_overdue},
    [AL_BDB_DISCOVER] = {"discover", 10, al_bdb_steer_overdue},
    [AL_BDB_LOOK_AGAIN] = {"look-again", 1, al_bdb_steer_overdue},
    [AL_BDB_JOIN] = {"join", 30, al_bdb_steer_overdue},
    [AL_BDB_WAIT_KEY] = {"wait-key", 15, al_bdb_steer_overdue},
    [AL_BDB_DESCRIPTOR] = {"descriptor", 20, al_bdb_steer_overdue},
    [AL_BDB_ASK_AGAIN] = {"ask-again", 1, al_bdb_ask_descriptor},
    [AL_BDB_EXCHANGE] = {"exchange", 60, al_bdb_steer_overdue},
    [AL_BDB_LEAVE] = {"leave", 3, al_bdb_steer_overdue},
    [AL_BDB_REJOIN] = {"rejoin", 30, al_bdb_return_overdue},
    [AL_BDB_REJOIN_KEY] = {"rejoin-key", 15, al_bdb_return_overdue},
    [AL_BDB_PAUSE] = {"pause", 0, al_bdb_return_overdue},
};

static uint64_t limit_of(const struct al_bdb *b, enum al_bdb_state state)
{
    /* aBaseSuperframeDuration x (2^n + 1) a channel, and as much again for a busy radio. */
    uint64_t scan = 2 * 16 * 15360ull * ((1ull << b->c.scan_duration) + 1);
    bool scans = state == AL_BDB_ENERGY || state == AL_BDB_SCAN || state == AL_BDB_DISCOVER ||
                 state == AL_BDB_REJOIN;
    return states[state].limit_s * AL_BDB_S + (scans ? scan : 0);
}

void al_bdb_set_state_until(struct al_bdb *b, uint64_t now, enum al_bdb_state state, uint64_t at)
{
    if (b->c.trace && state != b->state)
        b->c.trace(b->c.up_ctx, now, states[b->state].name, states[state].name);
    b->state = (uint8_t)state;
    b->deadline = at;
}

void al_bdb_set_state(struct al_bdb *b, uint64_t now, enum al_bdb_state state)
{
    uint64_t at = state == AL_BDB_IDLE ? AL_BDB_NEVER : now + limit_of(b, state);
    al_bdb_set_state_until(b, now, state, at);
}

uint64_t al_bdb_short_pause(const struct al_bdb *b)
{
    return SHORT_PAUSE + b->c.random.next(b->c.random.ctx) % SHORT_PAUSE;
}

/* ---- Purposes ---- */

int al_bdb_begin(struct al_bdb *b, enum al_bdb_purpose purpose)
{
    /* A rejoin that waits for its turn gives way. */
    if (b->purpose != AL_BDB_NOTHING && !(b->purpose == AL_BDB_RETURN && b->state == AL_BDB_PAUSE))
        return AL_ERR_INVALID_STATE;
    b->purpose = (uint8_t)purpose;
    b->tries = 0;
    b->found = b->again = false;
    return 0;
}

void al_bdb_finish(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    b->last = status;
    al_bdb_set_state(b, now, AL_BDB_REPORT);
}

static enum al_bdb_event event_of(enum al_bdb_purpose purpose)
{
    switch (purpose) {
    case AL_BDB_INITIALISE:
        return AL_BDB_INITIALISED;
    case AL_BDB_FORM:
        return AL_BDB_FORMED;
    case AL_BDB_STEER:
        return AL_BDB_STEERED;
    default:
        return AL_BDB_REJOINED;
    }
}

/* An orphan that was asked to find its network, and did not: it goes on trying. */
static void go_on(struct al_bdb *b, uint64_t now)
{
    bool orphan = !al_bdb_factory_new(b) && !al_bdb_is_member(b);
    if (!orphan || b->c.no_rejoin || b->c.nwk->c.role == AL_NWK_ROLE_COORDINATOR) return;
    b->purpose = AL_BDB_RETURN;
    al_bdb_set_state_until(b, now, AL_BDB_PAUSE, now + AL_BDB_ORPHAN_PAUSE_S * AL_BDB_S);
}

static void report(struct al_bdb *b, uint64_t now)
{
    struct al_bdb_event_args a = {.event = event_of((enum al_bdb_purpose)b->purpose),
                                  .status = b->last,
                                  .ext = b->c.nwk->ext,
                                  .addr = b->c.nwk->addr};
    b->purpose = AL_BDB_NOTHING;
    al_bdb_set_state(b, now, AL_BDB_IDLE);
    b->in_touch_at = now;
    b->watch_at = now;
    if (al_bdb_is_member(b)) {
        al_zcl_start_reports(b->c.zdo->c.zcl, now);
        al_zdo_find_targets(b->c.zdo, now);
    }
    go_on(b, now);
    al_bdb_tell(b, now, a);
}

void al_bdb_forget(struct al_bdb *b)
{
    al_nwk_forget(b->c.nwk);
    al_aps_forget(b->c.aps);
    al_trust_forget(b->c.trust);
    al_zdo_forget(b->c.zdo);
    al_zcl_forget(b->c.zdo->c.zcl);
}

void al_bdb_announce(struct al_bdb *b, uint64_t now)
{
    b->announce_at = al_zdo_announce(b->c.zdo, now) ? now + ANNOUNCE_AGAIN : AL_BDB_NEVER;
}

/* ---- From the layers below ---- */

void al_bdb_found(struct al_bdb *b, const struct al_nwk_candidate *c)
{
    if (b->state == AL_BDB_SCAN) al_bdb_form_heard(b, c);
    if (b->state == AL_BDB_DISCOVER) al_bdb_steer_heard(b, c);
}

void al_bdb_discovered(struct al_bdb *b, uint64_t now)
{
    if (b->state == AL_BDB_ENERGY || b->state == AL_BDB_SCAN) al_bdb_form_scanned(b, now);
    if (b->state == AL_BDB_DISCOVER) al_bdb_steer_scanned(b, now);
}

void al_bdb_joined(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    if (b->state == AL_BDB_JOIN)
        al_bdb_steer_joined(b, now, status);
    else if (b->state == AL_BDB_REJOIN)
        al_bdb_return_joined(b, now, status);
}

void al_bdb_network_key(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    if (b->state == AL_BDB_WAIT_KEY)
        al_bdb_steer_key(b, now, status);
    else if (b->state == AL_BDB_REJOIN_KEY)
        al_bdb_return_key(b, now, status);
}

/* ---- Leaving, opening ---- */

static void stop(struct al_bdb *b, uint64_t now)
{
    al_zdo_cancel(b->c.zdo, b);
    b->purpose = AL_BDB_NOTHING;
    al_bdb_set_state(b, now, AL_BDB_IDLE);
    b->open_until = b->announce_at = b->watch_at = AL_BDB_NEVER;
}

void al_bdb_reset(struct al_bdb *b, uint64_t now)
{
    stop(b, now);
    al_bdb_forget(b);
}

/* Off the network, and perhaps back at once. */
static void away(struct al_bdb *b, uint64_t now, bool rejoin)
{
    bool steering = b->purpose == AL_BDB_STEER;
    stop(b, now);
    if (!rejoin) al_bdb_forget(b);
    al_bdb_tell(b, now, (struct al_bdb_event_args){.event = AL_BDB_LEFT, .value = rejoin});
    if (rejoin && steering && al_bdb_begin(b, AL_BDB_STEER) == 0)
        al_bdb_rejoin(b, now); /* its parent has forgotten it: steering goes on behind that */
    else if (rejoin)
        al_bdb_come_back(b, now);
    else if (steering && al_bdb_begin(b, AL_BDB_STEER) == 0)
        al_bdb_finish(b, now, AL_ZB_DENIED);
}

int al_bdb_leave(struct al_bdb *b, uint64_t now)
{
    if (al_bdb_factory_new(b)) return AL_ERR_INVALID_STATE;
    if (al_bdb_is_member(b)) return al_nwk_leave(b->c.nwk, now, 0, false, false);
    al_nwk_cancel(b->c.nwk); /* nobody hears it go */
    away(b, now, false);
    return 0;
}

void al_bdb_left(struct al_bdb *b, uint64_t now, bool rejoin)
{
    if (b->state == AL_BDB_LEAVE)
        al_bdb_steer_gone(b, now);
    else
        away(b, now, rejoin);
}

void al_bdb_permitted(struct al_bdb *b, uint64_t now, uint8_t seconds)
{
    b->open_until = seconds ? now + seconds * AL_BDB_S : AL_BDB_NEVER;
    al_bdb_tell(b, now, (struct al_bdb_event_args){.event = AL_BDB_PERMIT, .value = seconds});
}

int al_bdb_open(struct al_bdb *b, uint64_t now, uint8_t seconds)
{
    if (seconds == 255) seconds = 254;
    if (!al_bdb_is_member(b)) return AL_ERR_INVALID_STATE;
    int err = al_zdo_permit(b->c.zdo, now, AL_NWK_ALL_ROUTERS, seconds, NULL, NULL);
    if (!err && b->c.nwk->c.role != AL_NWK_ROLE_END_DEVICE)
        err = al_nwk_permit(b->c.nwk, now, seconds);
    if (!err) al_bdb_permitted(b, now, seconds);
    return err;
}

/* ---- */

void al_bdb_init(struct al_bdb *b, const struct al_bdb_config *c)
{
    memset(b, 0, sizeof *b);
    b->c = *c;
    if (!b->c.primary) b->c.primary = AL_BDB_PRIMARY_CHANNELS;
    if (!b->c.scan_duration) b->c.scan_duration = DEFAULT_SCAN_DURATION;
    if (!b->c.attempts) b->c.attempts = DEFAULT_ATTEMPTS;
    b->deadline = b->open_until = b->announce_at = b->watch_at = AL_BDB_NEVER;
}

bool al_bdb_busy(const struct al_bdb *b)
{
    return b->purpose != AL_BDB_NOTHING;
}

bool al_bdb_is_member(const struct al_bdb *b)
{
    return b->c.nwk->up && !b->c.nwk->awaiting_key;
}

bool al_bdb_factory_new(const struct al_bdb *b)
{
    return b->c.nwk->addr == AL_NWK_NO_ADDR;
}

const char *al_bdb_event_name(enum al_bdb_event event)
{
    static const char *const names[] = {
        [AL_BDB_INITIALISED] = "initialised", [AL_BDB_FORMED] = "formed",
        [AL_BDB_STEERED] = "steered",         [AL_BDB_LEFT] = "left",
        [AL_BDB_PERMIT] = "permit",           [AL_BDB_PARENT_LOST] = "parent-lost",
        [AL_BDB_REJOINED] = "rejoined",       [AL_BDB_ASSOCIATED] = "associated",
        [AL_BDB_DEVICE] = "device",           [AL_BDB_AUTHORISED] = "authorised",
        [AL_BDB_PROVED] = "proved",           [AL_BDB_ANNOUNCED] = "announced",
        [AL_BDB_DEVICE_LEFT] = "device-left", [AL_BDB_UNAVAILABLE] = "unavailable",
        [AL_BDB_NWK_STATUS] = "nwk-status",
    };
    return (size_t)event < sizeof names / sizeof *names ? names[event] : "unknown";
}

uint64_t al_bdb_next(const struct al_bdb *b)
{
    uint64_t next = b->deadline < b->open_until ? b->deadline : b->open_until;
    if (b->announce_at < next) next = b->announce_at;
    return b->watch_at < next ? b->watch_at : next;
}

void al_bdb_run(struct al_bdb *b, uint64_t now)
{
    if (b->open_until <= now) al_bdb_permitted(b, now, 0);
    if (b->announce_at <= now) al_bdb_announce(b, now);
    if (b->watch_at <= now) al_bdb_watch(b, now);
    if (b->deadline > now) return;
    b->deadline = AL_BDB_NEVER;
    if (states[b->state].due) states[b->state].due(b, now);
}
