/* Commissioning: one purpose at a time, each a chain of states; see the picture in bdb.h. */
#include "zigbee/bdb.h"

#include "core/err.h"

#define S_US 1000000u

enum state {
    IDLE,
    REPORT, /* the result is known; the event comes with the next run */
    ENERGY,
    SCAN, /* formation: which PANs are there */
    DISCOVER,
    JOIN,
    WAIT_KEY,
    TC_DESCRIPTOR,
    EXCHANGE,
    REJOIN,
    REJOIN_KEY,
    PAUSE /* before the next rejoin */
};

enum purpose { NOTHING, INITIALISE, FORM, STEER, RETURN };

#define DEFAULT_SCAN_DURATION 4
#define DEFAULT_ATTEMPTS      3
#define DESCRIPTOR_ATTEMPTS   3
#define REJOIN_ATTEMPTS       3 /* secured; then one with the link key */
#define REJOIN_PAUSE_MAX_S    60u
#define LOUDEST               127

void al_bdb_tell(struct al_bdb *b, uint64_t now, struct al_bdb_event_args a)
{
    if (b->c.event) b->c.event(b->c.up_ctx, now, &a);
}

static void set_state(struct al_bdb *b, enum state state, uint64_t deadline)
{
    b->state = (uint8_t)state;
    b->deadline = deadline;
}

/* The end of a purpose is told by the next run: never from inside the call that began it. */
static void finish(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    b->last = status;
    set_state(b, REPORT, now);
}

static enum al_bdb_event event_of(enum purpose purpose)
{
    switch (purpose) {
    case INITIALISE:
        return AL_BDB_INITIALISED;
    case FORM:
        return AL_BDB_FORMED;
    case STEER:
        return AL_BDB_STEERED;
    default:
        return AL_BDB_REJOINED;
    }
}

static void report(struct al_bdb *b, uint64_t now)
{
    enum purpose purpose = (enum purpose)b->purpose;
    b->purpose = NOTHING;
    set_state(b, IDLE, UINT64_MAX);
    al_bdb_tell(b, now,
                (struct al_bdb_event_args){.event = event_of(purpose),
                                           .status = b->last,
                                           .ext = b->c.nwk->ext,
                                           .addr = b->c.nwk->addr});
}

static int begin(struct al_bdb *b, enum purpose purpose)
{
    /* A rejoin that waits for its turn gives way. */
    if (b->purpose != NOTHING && !(b->purpose == RETURN && b->state == PAUSE))
        return AL_ERR_INVALID_STATE;
    b->purpose = (uint8_t)purpose;
    b->tries = 0;
    b->secondary = false;
    return 0;
}

static void forget(struct al_bdb *b)
{
    al_nwk_forget(b->c.nwk);
    al_aps_forget(b->c.aps);
    al_trust_forget(b->c.trust);
}

/* ---- Formation ---- */

static uint32_t one_mask(const struct al_bdb *b)
{
    return b->c.primary ? b->c.primary : b->c.secondary;
}

int al_bdb_form(struct al_bdb *b, uint64_t now)
{
    if (b->c.nwk->c.role != AL_NWK_ROLE_COORDINATOR) return AL_ERR_NOT_SUPPORTED;
    if (al_bdb_is_member(b)) return AL_ERR_INVALID_STATE;
    int err = begin(b, FORM);
    if (err) return err;
    memset(b->energy, LOUDEST, sizeof b->energy);
    memset(b->networks, 0, sizeof b->networks);
    b->pan_count = 0;
    set_state(b, ENERGY, UINT64_MAX);
    if (al_nwk_energy(b->c.nwk, now, one_mask(b), b->c.scan_duration)) finish(b, now, AL_ZB_RADIO);
    return 0;
}

/* The channel with the fewest networks, then the quietest. */
static uint8_t best_channel(const struct al_bdb *b)
{
    int best = -1;
    for (int i = 0; i < 16; i++) {
        if (!(one_mask(b) >> (11 + i) & 1)) continue;
        if (best < 0 || b->networks[i] < b->networks[best] ||
            (b->networks[i] == b->networks[best] && b->energy[i] < b->energy[best]))
            best = i;
    }
    return (uint8_t)(11 + (best < 0 ? 0 : best));
}

static uint16_t free_pan(const struct al_bdb *b)
{
    for (;;) {
        uint16_t pan = b->c.pan_id;
        bool taken = false;
        if (pan) return pan;
        pan = (uint16_t)(b->c.random.next(b->c.random.ctx) % 0xfffe + 1);
        for (unsigned i = 0; i < b->pan_count; i++) taken |= b->pans[i] == pan;
        if (!taken) return pan;
    }
}

static void form_now(struct al_bdb *b, uint64_t now)
{
    if (al_nwk_form(b->c.nwk, now, best_channel(b), free_pan(b), b->c.epid)) {
        finish(b, now, AL_ZB_RADIO);
        return;
    }
    al_trust_new_network(b->c.trust, now, NULL);
    finish(b, now, AL_ZB_OK);
}

void al_bdb_energy(struct al_bdb *b, uint8_t channel, int8_t dbm)
{
    if (channel >= 11 && channel <= 26) b->energy[channel - 11] = dbm;
}

/* ---- Joining ---- */

static bool fits(const struct al_bdb *b, const struct al_nwk_candidate *c)
{
    bool router = b->c.nwk->c.role == AL_NWK_ROLE_ROUTER;
    return c->stack_profile == 2 && c->version == 2 && c->permit_join &&
           (router ? c->router_room : c->end_device_room) && (!b->c.epid || b->c.epid == c->epid);
}

/* Better: louder; among equals the one nearer to the coordinator. */
static bool better(const struct al_nwk_candidate *a, const struct al_nwk_candidate *than)
{
    return a->lqi != than->lqi ? a->lqi > than->lqi : a->depth < than->depth;
}

static void keep_candidate(struct al_bdb *b, const struct al_nwk_candidate *c)
{
    unsigned at = 0, last = b->candidate_count;
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

void al_bdb_found(struct al_bdb *b, const struct al_nwk_candidate *c)
{
    if (b->state == SCAN) {
        if (c->channel >= 11 && c->channel <= 26) b->networks[c->channel - 11]++;
        if (b->pan_count < AL_BDB_CANDIDATES) b->pans[b->pan_count++] = c->pan_id;
    } else if (b->state == DISCOVER && fits(b, c)) {
        keep_candidate(b, c);
    }
}

static void discover(struct al_bdb *b, uint64_t now)
{
    uint32_t mask = b->secondary ? b->c.secondary : b->c.primary;
    b->candidate_count = b->candidate = 0;
    set_state(b, DISCOVER, UINT64_MAX);
    if (al_nwk_discover(b->c.nwk, now, mask, b->c.scan_duration)) finish(b, now, AL_ZB_RADIO);
}

static void discover_again(struct al_bdb *b, uint64_t now)
{
    if (!b->secondary && b->c.secondary) {
        b->secondary = true;
        discover(b, now);
    } else {
        finish(b, now, b->last);
    }
}

static void next_candidate(struct al_bdb *b, uint64_t now)
{
    while (b->candidate < b->candidate_count) {
        const struct al_nwk_candidate *c = &b->candidates[b->candidate++];
        set_state(b, JOIN, UINT64_MAX);
        if (al_nwk_join(b->c.nwk, now, c) == 0) return;
    }
    discover_again(b, now);
}

int al_bdb_steer(struct al_bdb *b, uint64_t now)
{
    int err = begin(b, STEER);
    if (err) return err;
    b->last = AL_ZB_NO_NETWORK;
    if (al_bdb_is_member(b)) {
        err = al_bdb_open(b, now, AL_BDB_OPEN_S);
        finish(b, now, err ? AL_ZB_NOT_THERE : AL_ZB_OK);
    } else if (b->c.nwk->c.role == AL_NWK_ROLE_COORDINATOR) {
        finish(b, now, AL_ZB_NOT_THERE);
    } else {
        discover(b, now);
    }
    return 0;
}

void al_bdb_discovered(struct al_bdb *b, uint64_t now)
{
    if (b->state == ENERGY) {
        set_state(b, SCAN, UINT64_MAX);
        if (al_nwk_discover(b->c.nwk, now, one_mask(b), b->c.scan_duration))
            finish(b, now, AL_ZB_RADIO);
    } else if (b->state == SCAN) {
        form_now(b, now);
    } else if (b->state == DISCOVER) {
        next_candidate(b, now);
    }
}

/* This network did not take the node. */
static void try_elsewhere(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    b->last = status;
    forget(b);
    next_candidate(b, now);
}

/* ---- The link key, once the network key is there ---- */

static void descriptor_came(void *ctx, uint64_t now, const struct al_zdo_answer *a);

static void ask_descriptor(struct al_bdb *b, uint64_t now)
{
    set_state(b, TC_DESCRIPTOR, UINT64_MAX);
    if (al_zdo_node_desc(b->c.zdo, now, AL_NWK_COORDINATOR, descriptor_came, b))
        b->deadline = now + S_US; /* no room just now */
}

/* In the network, but without a proven link key: leave it, and perhaps try again. */
static void exchange_failed(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    b->last = status;
    al_nwk_leave(b->c.nwk, now, 0, false, false);
    forget(b);
    if (++b->tries < b->c.attempts) {
        b->secondary = false;
        discover(b, now);
    } else {
        finish(b, now, status);
    }
}

static void descriptor_came(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    struct al_bdb *b = ctx;
    if (b->state != TC_DESCRIPTOR) return;
    if (a->status != AL_ZB_OK || a->response->status) {
        if (++b->asked < DESCRIPTOR_ATTEMPTS)
            ask_descriptor(b, now);
        else
            exchange_failed(b, now, a->status ? a->status : AL_ZB_SECURITY);
        return;
    }
    set_state(b, EXCHANGE, UINT64_MAX);
    al_trust_exchange_key(b->c.trust, now,
                          AL_ZDP_REVISION(a->response->node_rsp.desc.server_mask) < 21);
}

void al_bdb_exchanged(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    if (b->state != EXCHANGE) return;
    if (status != AL_ZB_OK) {
        exchange_failed(b, now, status);
        return;
    }
    /* Those that come after this node shall find the network open (BDB 8.2, last step). */
    al_bdb_open(b, now, AL_BDB_OPEN_S);
    finish(b, now, AL_ZB_OK);
}

static void rejoin_failed(struct al_bdb *b, uint64_t now, enum al_zb_status status);

void al_bdb_network_key(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    if (b->state == WAIT_KEY) {
        if (status != AL_ZB_OK) {
            try_elsewhere(b, now, status);
            return;
        }
        al_zdo_announce(b->c.zdo, now);
        b->asked = 0;
        ask_descriptor(b, now);
    } else if (b->state == REJOIN_KEY) {
        if (status != AL_ZB_OK) {
            rejoin_failed(b, now, status);
            return;
        }
        al_zdo_announce(b->c.zdo, now);
        finish(b, now, AL_ZB_OK);
    }
}

/* ---- Coming back ---- */

/* The last of the attempts is without the network key, which may have changed meanwhile:
 * the trust centre then sends it under the link key. */
static void rejoin(struct al_bdb *b, uint64_t now)
{
    bool secured = b->tries % (REJOIN_ATTEMPTS + 1) < REJOIN_ATTEMPTS;
    set_state(b, REJOIN, UINT64_MAX);
    if (al_nwk_rejoin(b->c.nwk, now, b->c.primary | b->c.secondary, secured))
        rejoin_failed(b, now, AL_ZB_RADIO);
}

static uint64_t rejoin_pause(const struct al_bdb *b)
{
    unsigned shift = b->tries < 6 ? b->tries : 6;
    uint64_t s = 1u << shift;
    if (s > REJOIN_PAUSE_MAX_S) s = REJOIN_PAUSE_MAX_S;
    return s * S_US + b->c.random.next(b->c.random.ctx) % S_US;
}

static void rejoin_failed(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    b->tries++;
    if (b->purpose == INITIALISE && b->tries > REJOIN_ATTEMPTS)
        finish(b, now, status);
    else
        set_state(b, PAUSE, now + rejoin_pause(b));
}

void al_bdb_joined(struct al_bdb *b, uint64_t now, enum al_zb_status status)
{
    if (b->state == JOIN) {
        if (status == AL_ZB_OK) {
            set_state(b, WAIT_KEY, UINT64_MAX);
            al_trust_await_key(b->c.trust, now);
        } else {
            b->last = status;
            next_candidate(b, now);
        }
    } else if (b->state == REJOIN) {
        if (status != AL_ZB_OK && status != AL_ZB_CONFLICT) {
            rejoin_failed(b, now, status);
        } else if (b->c.nwk->awaiting_key) {
            set_state(b, REJOIN_KEY, UINT64_MAX);
            al_trust_await_key(b->c.trust, now);
        } else {
            al_zdo_announce(b->c.zdo, now);
            finish(b, now, AL_ZB_OK);
        }
    }
}

int al_bdb_initialise(struct al_bdb *b, uint64_t now)
{
    int err = begin(b, INITIALISE);
    if (err) return err;
    if (al_bdb_factory_new(b)) {
        finish(b, now, AL_ZB_NOT_THERE);
    } else if (b->c.nwk->c.role == AL_NWK_ROLE_END_DEVICE) {
        rejoin(b, now);
    } else {
        err = al_nwk_resume(b->c.nwk, now);
        if (!err && b->c.nwk->c.role == AL_NWK_ROLE_ROUTER) al_zdo_announce(b->c.zdo, now);
        finish(b, now, err ? AL_ZB_RADIO : AL_ZB_OK);
    }
    return 0;
}

static void come_back(struct al_bdb *b, uint64_t now)
{
    if (begin(b, RETURN) == 0) rejoin(b, now);
}

void al_bdb_parent_lost(struct al_bdb *b, uint64_t now)
{
    al_bdb_tell(b, now, (struct al_bdb_event_args){.event = AL_BDB_PARENT_LOST});
    if (!b->c.no_rejoin) come_back(b, now);
}

/* ---- Leaving, opening ---- */

int al_bdb_leave(struct al_bdb *b, uint64_t now)
{
    if (!al_bdb_is_member(b)) return AL_ERR_INVALID_STATE;
    return al_nwk_leave(b->c.nwk, now, 0, false, false);
}

void al_bdb_left(struct al_bdb *b, uint64_t now, bool rejoin_wanted)
{
    bool steering = b->purpose == STEER;
    if (b->state == DISCOVER || b->state == JOIN) return; /* its own leave of a moment ago */
    al_zdo_cancel(b->c.zdo, b);
    b->purpose = NOTHING;
    set_state(b, IDLE, UINT64_MAX);
    b->open_until = UINT64_MAX;
    if (!rejoin_wanted) forget(b);
    al_bdb_tell(b, now, (struct al_bdb_event_args){.event = AL_BDB_LEFT, .value = rejoin_wanted});
    if (rejoin_wanted) {
        come_back(b, now);
    } else if (steering && begin(b, STEER) == 0) {
        finish(b, now, AL_ZB_DENIED);
    }
}

void al_bdb_permitted(struct al_bdb *b, uint64_t now, uint8_t seconds)
{
    b->open_until = seconds ? now + (uint64_t)seconds * S_US : UINT64_MAX;
    al_bdb_tell(b, now, (struct al_bdb_event_args){.event = AL_BDB_PERMIT, .value = seconds});
}

int al_bdb_open(struct al_bdb *b, uint64_t now, uint8_t seconds)
{
    if (seconds == 255) seconds = 254;
    if (!al_bdb_is_member(b)) return AL_ERR_INVALID_STATE;
    if (b->c.nwk->c.role != AL_NWK_ROLE_END_DEVICE) {
        int err = al_nwk_permit(b->c.nwk, now, seconds);
        if (err) return err;
    }
    int err = al_zdo_permit(b->c.zdo, now, AL_NWK_ALL_ROUTERS, seconds, NULL, NULL);
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
    b->deadline = b->open_until = UINT64_MAX;
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
    return b->deadline < b->open_until ? b->deadline : b->open_until;
}

void al_bdb_run(struct al_bdb *b, uint64_t now)
{
    if (b->open_until <= now) al_bdb_permitted(b, now, 0);
    if (b->deadline > now) return;
    b->deadline = UINT64_MAX;
    switch (b->state) {
    case REPORT:
        report(b, now);
        break;
    case TC_DESCRIPTOR:
        ask_descriptor(b, now);
        break;
    case PAUSE:
        rejoin(b, now);
        break;
    default:
        break;
    }
}
