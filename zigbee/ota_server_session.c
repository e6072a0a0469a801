/* The OTA server's table of clients: who is there, how far, how fast, whose turn it is. */
#include "core/err.h"
#include "zigbee/ota_server_internal.h"

enum {
    TURN_MS = 2500, /* in which each has got a block; clients begin to ask again after 1 to 5 s */
    SHORTEST_HOLD_S = 5,
    LONGEST_HOLD_S = 240,
    UNKNOWN_S = 120,   /* left, of a download that has just begun */
    HOLD_GRACE_S = 30, /* a held client that is so late has lost its place */
    RATE_WINDOW_S = 2,
    SLEEPY_SLOT = 4, /* part of the stall limit */
    PER_ADDRESS = 8  /* endpoints of one device */
};

struct al_zota_session *al_zota_server_find(const struct al_zota_server *s, uint16_t addr,
                                            uint8_t endpoint)
{
    for (uint16_t i = 0; i < s->sessions; i++) {
        struct al_zota_session *c = &s->session[i];
        if (c->record.state != AL_ZOTA_SESSION_FREE && c->record.peer.addr == addr &&
            c->record.peer.endpoint == endpoint)
            return c;
    }
    return NULL;
}

struct al_zota_session *al_zota_server_find_ext(const struct al_zota_server *s, uint64_t ext_addr)
{
    for (uint16_t i = 0; ext_addr && i < s->sessions; i++) {
        struct al_zota_session *c = &s->session[i];
        if (c->record.state != AL_ZOTA_SESSION_FREE && c->record.ext_addr == ext_addr) return c;
    }
    return NULL;
}

void al_zotas_save(struct al_zota_server *s, struct al_zota_session *c, uint64_t now)
{
    c->saved_at = now;
    if (s->app.save) s->app.save(s->app.ctx, c);
}

void al_zotas_emit(struct al_zota_server *s, const struct al_zota_session *c,
                   enum al_zota_server_event_kind kind, uint32_t offset, uint32_t arg,
                   uint8_t status)
{
    if (!s->app.event) return;
    struct al_zota_server_event e = {
        .kind = kind,
        .peer = c->record.peer,
        .session = c,
        .offset = offset,
        .arg = arg,
        .status = status,
    };
    s->app.event(s->app.ctx, &e);
}

void al_zotas_set_state(struct al_zota_server *s, struct al_zota_session *c, uint64_t now,
                        enum al_zota_session_state state)
{
    uint8_t before = c->record.state;
    if (before == state) return;
    c->record.state = (uint8_t)state;
    if (state != AL_ZOTA_SESSION_HELD) c->held_since = AL_ZOTAS_NEVER;
    al_zotas_emit(s, c, AL_ZOTA_SERVER_STATE, c->record.offset, before, c->record.status);
    al_zotas_save(s, c, now);
}

void al_zota_server_forget(struct al_zota_server *s, struct al_zota_session *c)
{
    al_zotas_release_air(s, c);
    c->record.state = AL_ZOTA_SESSION_FREE;
    if (s->app.save) s->app.save(s->app.ctx, c);
    *c = (struct al_zota_session){0};
}

static struct al_zota_session *older(struct al_zota_session *a, struct al_zota_session *b)
{
    return a && a->last_seen <= b->last_seen ? a : b;
}

/* One whose memory is worth least: nothing is going on, and it was seen long ago. Then one that
 * ended, and was not heard of for longer than any client waits to ask for its order again. */
static struct al_zota_session *least_wanted(const struct al_zota_server *s, uint64_t now)
{
    struct al_zota_session *oldest = NULL, *ended = NULL;
    for (uint16_t i = 0; i < s->sessions; i++) {
        struct al_zota_session *c = &s->session[i];
        switch ((enum al_zota_session_state)c->record.state) {
        case AL_ZOTA_SESSION_FREE:
            return c;
        case AL_ZOTA_SESSION_HELD:
        case AL_ZOTA_SESSION_DOWNLOADING:
        case AL_ZOTA_SESSION_VERIFYING:
            continue;
        case AL_ZOTA_SESSION_ENDED:
            if (now - c->last_seen > s->config.verify_limit * AL_ZOTAS_S) ended = older(ended, c);
            continue;
        default:
            oldest = older(oldest, c);
        }
    }
    return oldest ? oldest : ended;
}

/* One address with ever more endpoints gets no more than its share: the oldest of its own goes. */
static struct al_zota_session *beyond_share(const struct al_zota_server *s, uint16_t addr)
{
    struct al_zota_session *oldest = NULL;
    unsigned count = 0;
    for (uint16_t i = 0; i < s->sessions; i++) {
        struct al_zota_session *c = &s->session[i];
        if (c->record.state == AL_ZOTA_SESSION_FREE || c->record.peer.addr != addr) continue;
        count++;
        oldest = older(oldest, c);
    }
    return count < PER_ADDRESS ? NULL : oldest;
}

/* What the stack knows of a device; whoever only claimed to have its EUI loses it. */
static void adopt_limits(struct al_zota_server *s, struct al_zota_session *c)
{
    if (!c->device.ext_addr) return;
    struct al_zota_session *other = al_zota_server_find_ext(s, c->device.ext_addr);
    if (other && !other->device.ext_addr) other->record.ext_addr = 0;
    c->record.ext_addr = c->device.ext_addr;
}

void al_zotas_claim(struct al_zota_server *s, struct al_zota_session *c, uint64_t ext_addr)
{
    if (c->record.ext_addr == 0 && !al_zota_server_find_ext(s, ext_addr))
        c->record.ext_addr = ext_addr;
}

static void reset(struct al_zota_session *c, uint64_t now)
{
    c->first_seen = c->last_seen = now;
    c->held_since = c->data_since = AL_ZOTAS_NEVER;
}

struct al_zota_session *al_zotas_open(struct al_zota_server *s, uint64_t now,
                                      struct al_zota_peer peer)
{
    struct al_zota_session *c = al_zota_server_find(s, peer.addr, peer.endpoint);
    if (c) return c;
    struct al_zota_device device = {0};
    if (s->app.device) s->app.device(s->app.ctx, peer, &device);
    c = al_zota_server_find_ext(s, device.ext_addr);
    if (c && c->record.peer.endpoint == peer.endpoint) {
        c->record.peer = peer; /* it has joined anew */
        return c;
    }
    c = beyond_share(s, peer.addr);
    if (!c) c = least_wanted(s, now);
    if (!c) return NULL;
    if (c->record.state != AL_ZOTA_SESSION_FREE) al_zota_server_forget(s, c);
    *c = (struct al_zota_session){
        .record = {.magic = AL_ZOTA_RECORD_MAGIC,
                   .state = AL_ZOTA_SESSION_NEW,
                   .peer = peer,
                   .running = UINT32_MAX},
        .device = device,
    };
    reset(c, now);
    adopt_limits(s, c);
    return c;
}

int al_zota_server_restore(struct al_zota_server *s, uint64_t now,
                           const struct al_zota_record *record)
{
    if (record->magic != AL_ZOTA_RECORD_MAGIC || record->state == AL_ZOTA_SESSION_FREE ||
        record->state > AL_ZOTA_SESSION_MORE || record->offset > record->image.size)
        return AL_ERR_INVALID_ARG;
    struct al_zota_session *c = least_wanted(s, now);
    if (!c || c->record.state != AL_ZOTA_SESSION_FREE) return AL_ERR_NO_MEM;
    *c = (struct al_zota_session){.record = *record};
    if (s->app.device) s->app.device(s->app.ctx, record->peer, &c->device);
    reset(c, now);
    adopt_limits(s, c);
    c->first_offset = c->rate_offset = record->offset;
    c->rate_since = now;
    if (record->state == AL_ZOTA_SESSION_HELD) c->held_since = now;
    return 0;
}

void al_zota_server_moved(struct al_zota_server *s, uint64_t ext_addr, uint16_t addr)
{
    struct al_zota_session *c = al_zota_server_find_ext(s, ext_addr);
    if (!c || c->record.peer.addr == addr) return;
    struct al_zota_session *other = al_zota_server_find(s, addr, c->record.peer.endpoint);
    if (other) al_zota_server_forget(s, other);
    al_zotas_release_air(s, c);
    c->pending = c->paging = false;
    c->record.peer.addr = addr;
    if (s->app.save) s->app.save(s->app.ctx, c);
}

void al_zota_server_set_device(struct al_zota_server *s, struct al_zota_session *c,
                               const struct al_zota_device *d)
{
    c->device = *d;
    c->told_period = false;
    adopt_limits(s, c);
}

void al_zotas_begin(struct al_zota_server *s, struct al_zota_session *c, uint64_t now,
                    uint32_t offset)
{
    c->first_seen = c->rate_since = now;
    c->first_offset = c->rate_offset = c->record.offset = offset;
    c->blocks = c->repeats = c->lost = c->rate = 0;
    c->served = c->pace = 0;
    c->turn = s->turn;
    c->told_period = false;
    al_zotas_set_state(s, c, now, AL_ZOTA_SESSION_DOWNLOADING);
}

static void measure(struct al_zota_session *c, uint64_t now)
{
    uint64_t span = now - c->rate_since;
    if (span < RATE_WINDOW_S * AL_ZOTAS_S) return;
    uint64_t bytes = c->record.offset - c->rate_offset;
    uint32_t rate = (uint32_t)(bytes * AL_ZOTAS_S / span);
    c->rate = c->rate ? (uint32_t)(((uint64_t)c->rate * 3 + rate) / 4) : rate;
    c->rate_since = now;
    c->rate_offset = c->record.offset;
}

void al_zotas_progress(struct al_zota_server *s, struct al_zota_session *c, uint64_t now,
                       uint32_t offset, uint32_t n)
{
    bool repeated = offset < c->record.offset;
    c->blocks++;
    c->served = now ? now : 1;
    c->turn = ++s->turn;
    if (repeated) c->repeats++;
    if (offset + n > c->record.offset) c->record.offset = offset + n;
    al_zotas_emit(s, c, repeated ? AL_ZOTA_SERVER_REPEATED : AL_ZOTA_SERVER_BLOCK, offset, n, 0);
    if (c->blocks == 1) al_zotas_emit(s, c, AL_ZOTA_SERVER_STARTED, offset, n, 0);
    measure(c, now);
    if (c->record.offset == c->record.image.size && !c->paging)
        al_zotas_set_state(s, c, now, AL_ZOTA_SESSION_VERIFYING);
    else if (now - c->saved_at >= s->config.save_interval * AL_ZOTAS_S)
        al_zotas_save(s, c, now);
}

static uint64_t stall_limit(const struct al_zota_server *s, const struct al_zota_session *c)
{
    if (c->device.stall_limit) return c->device.stall_limit * AL_ZOTAS_S;
    return (c->device.sleepy ? s->config.sleepy_limit : s->config.stall_limit) * AL_ZOTAS_S;
}

uint64_t al_zotas_stall_at(const struct al_zota_server *s, const struct al_zota_session *c)
{
    switch ((enum al_zota_session_state)c->record.state) {
    case AL_ZOTA_SESSION_QUERIED:
    case AL_ZOTA_SESSION_DOWNLOADING:
        return c->last_seen + stall_limit(s, c);
    case AL_ZOTA_SESSION_HELD:
        return c->last_seen + stall_limit(s, c) + LONGEST_HOLD_S * AL_ZOTAS_S;
    case AL_ZOTA_SESSION_VERIFYING:
        return c->last_seen + s->config.verify_limit * AL_ZOTAS_S;
    default:
        return AL_ZOTAS_NEVER;
    }
}

/* It has one of the places for downloads at a time. */
static bool has_place(const struct al_zota_server *s, const struct al_zota_session *c, uint64_t now)
{
    uint64_t limit =
        c->device.sleepy ? stall_limit(s, c) / SLEEPY_SLOT : s->config.slot_limit * AL_ZOTAS_S;
    return c->record.state == AL_ZOTA_SESSION_DOWNLOADING && now - c->last_seen < limit;
}

/* Places become free one after the other; waiting is how many come before. Asked too early
 * costs air, too late leaves a place empty. */
static uint32_t hold_time(struct al_zota_server *s, uint64_t now, uint32_t waiting)
{
    uint32_t soonest = LONGEST_HOLD_S, inside = 0;
    uint64_t sum = 0;
    for (uint16_t i = 0; i < s->sessions; i++) {
        if (!has_place(s, &s->session[i], now)) continue;
        uint32_t left = al_zota_session_remaining(&s->session[i]);
        if (left == UINT32_MAX) left = UNKNOWN_S;
        if (left / 2 < soonest) soonest = left / 2;
        sum += left;
        inside++;
    }
    uint64_t hold = soonest;
    if (inside) hold += waiting * (sum / inside) / inside / 2;
    if (hold < SHORTEST_HOLD_S) hold = SHORTEST_HOLD_S;
    if (hold > LONGEST_HOLD_S) hold = LONGEST_HOLD_S;
    return (uint32_t)hold + s->transport.random(s->transport.ctx) % ((uint32_t)hold / 4 + 1);
}

/* As many clients at a time as get a block each before any of them loses patience; 0: any
 * number. */
static uint32_t places(const struct al_zota_server *s)
{
    uint32_t n = s->serve_us ? TURN_MS * 1000u / s->serve_us : 0;
    if (s->serve_us && n == 0) n = 1;
    if (s->config.parallel && (n == 0 || n > s->config.parallel)) n = s->config.parallel;
    return n;
}

/* o keeps its place rather than c: it is further, so its place is free again sooner. */
static bool goes_before(const struct al_zota_session *o, const struct al_zota_session *c)
{
    if (o->record.offset != c->record.offset) return o->record.offset > c->record.offset;
    return o < c;
}

/* Those who have a place, or who come before c for one that is free. */
static uint32_t taken_before(const struct al_zota_server *s, const struct al_zota_session *c,
                             uint64_t now)
{
    bool inside = has_place(s, c, now);
    uint32_t taken = 0;
    for (uint16_t i = 0; i < s->sessions; i++) {
        const struct al_zota_session *o = &s->session[i];
        if (o == c || (o->device.sleepy && !s->config.parallel)) continue;
        bool waits_longer = o->record.state == AL_ZOTA_SESSION_HELD &&
                            o->held_since < c->held_since &&
                            now - o->last_seen < (LONGEST_HOLD_S + HOLD_GRACE_S) * AL_ZOTAS_S;
        if (has_place(s, o, now) && (!inside || goes_before(o, c)))
            taken++;
        else if (!inside && waits_longer)
            taken++;
    }
    return taken;
}

uint32_t al_zotas_hold(struct al_zota_server *s, struct al_zota_session *c, uint64_t now)
{
    uint32_t limit = places(s);
    /* A sleepy client takes its time anyway. */
    if (limit == 0 || (c->device.sleepy && !s->config.parallel)) return 0;
    if (c->record.state == AL_ZOTA_SESSION_VERIFYING) return 0; /* the last holes */
    if (has_place(s, c, now)) limit += limit / 4 + 1;           /* not for every fluctuation */
    uint32_t taken = taken_before(s, c, now);
    if (taken < limit) return 0;
    if (c->held_since == AL_ZOTAS_NEVER) c->held_since = now;
    return hold_time(s, now, taken - limit);
}

uint32_t al_zotas_period(const struct al_zota_server *s, const struct al_zota_session *c)
{
    return c->device.block_period ? c->device.block_period : s->config.block_period;
}

uint32_t al_zota_session_remaining(const struct al_zota_session *c)
{
    if (c->rate == 0) return UINT32_MAX;
    return (c->record.image.size - c->record.offset) / c->rate;
}

const char *al_zota_session_state_name(enum al_zota_session_state s)
{
    static const char *const names[] = {
        "free",    "new",         "queried", "held",    "downloading", "verifying",    "ended",
        "updated", "not applied", "lost",    "aborted", "failed",      "wait for more"};
    return (size_t)s < sizeof names / sizeof *names ? names[s] : "unknown";
}
