/* What the OTA server has under way. One answer at a time, and it stays its turn until the
 * client, who asks for the next block as soon as it has this one, has done so: whatever else
 * went out meanwhile would only meet the acknowledgement and the request on the air, and where
 * relays lie between, there is nobody who could hear that coming.
 *
 * Who takes longer than it used to is not waited for any more: others go on beside it, up to
 * config.outstanding answers. */
#include "zigbee/ota_server_internal.h"

#define US(ms) ((ms)*1000u)

enum {
    CONFIRM_FIRST_MS = 100, /* nothing measured yet */
    CONFIRM_SPARE_MS = 10,
    CONFIRM_MOST_MS = 1000,
    ASK_FIRST_MS = 10,
    ASK_SPARE_MS = 3,
    ASK_MOST_MS = 50,  /* later: it takes its time between blocks, or a request was lost */
    ASK_SLOW = 4,      /* so many of these in a row: it takes its time */
    CONFIRM_TIMES = 4, /* of the mean */
    ASK_TIMES = 2
};

static uint32_t mean(uint32_t mean_us, uint64_t us)
{
    uint32_t most = US(10u * CONFIRM_MOST_MS), now = us < most ? (uint32_t)us : most;
    if (mean_us == 0) return now + 1;
    return mean_us - mean_us / 8 + now / 8;
}

static uint32_t patience(const struct al_zota_session *c)
{
    if (c->confirm_us == 0) return US(CONFIRM_FIRST_MS);
    uint32_t us = CONFIRM_TIMES * c->confirm_us + US(CONFIRM_SPARE_MS);
    return us < US(CONFIRM_MOST_MS) ? us : US(CONFIRM_MOST_MS);
}

static uint32_t grace(const struct al_zota_session *c)
{
    if (c->ask_slow >= ASK_SLOW) return 0;
    return c->ask_us ? ASK_TIMES * c->ask_us + US(ASK_SPARE_MS) : US(ASK_FIRST_MS);
}

/* ---- Under way ---- */

static void find_busy(struct al_zota_server *s)
{
    s->busy_until = 0;
    for (size_t i = 0; i < AL_ZOTA_OUTSTANDING; i++) {
        const struct al_zota_outstanding *o = &s->outstanding[i];
        if (o->handle && o->counts && o->until > s->busy_until) s->busy_until = o->until;
    }
}

void al_zotas_free_air(struct al_zota_server *s, struct al_zota_outstanding *o)
{
    if (o->counts && s->in_air > 0) s->in_air--;
    o->handle = 0;
    if (o->until) find_busy(s);
}

void al_zotas_release_air(struct al_zota_server *s, const struct al_zota_session *c)
{
    uint16_t index = (uint16_t)(c - s->session);
    for (size_t i = 0; i < AL_ZOTA_OUTSTANDING; i++)
        if (s->outstanding[i].handle && s->outstanding[i].session == index)
            al_zotas_free_air(s, &s->outstanding[i]);
    s->session[index].in_air = 0;
}

void al_zotas_take_air(struct al_zota_server *s, struct al_zota_session *c, uint64_t now,
                       uint32_t handle, uint32_t offset, bool page)
{
    for (size_t i = 0; i < AL_ZOTA_OUTSTANDING; i++) {
        struct al_zota_outstanding *o = &s->outstanding[i];
        if (o->handle) continue;
        /* A sleepy device's frame waits for its poll and holds up nobody else. */
        *o = (struct al_zota_outstanding){
            .handle = handle,
            .session = (uint16_t)(c - s->session),
            .counts = !c->device.sleepy,
            .page = page,
            .offset = offset,
            .since = now,
            .until = page ? 0 : now + patience(c),
        };
        if (o->counts) {
            s->in_air++;
            if (o->until > s->busy_until) s->busy_until = o->until;
        }
        c->in_air++;
        return;
    }
}

uint64_t al_zotas_room_at(const struct al_zota_server *s, const struct al_zota_session *c)
{
    if (c->device.sleepy) return 0;
    if (s->in_air >= s->config.outstanding) return AL_ZOTAS_NEVER;
    if (s->quiet_for == (uint16_t)(c - s->session) || s->quiet_until < s->busy_until)
        return s->busy_until;
    return s->quiet_until;
}

/* ---- The turn of a client ---- */

void al_zotas_had(struct al_zota_server *s, struct al_zota_session *c, uint64_t now,
                  const struct al_zota_outstanding *o, bool ok)
{
    uint32_t us = patience(c);
    if (now - o->since < us) us = (uint32_t)(now - o->since);
    if (o->counts && !o->page) s->serve_us = mean(s->serve_us, us + c->ask_us);
    if (!ok) return;
    c->confirm_us = mean(c->confirm_us, now - o->since);
    if (o->page || c->pending || c->record.state != AL_ZOTA_SESSION_DOWNLOADING) return;
    c->had_at = now;
    if (!o->counts || al_zotas_period(s, c) > 0) return;
    s->quiet_for = (uint16_t)(c - s->session);
    s->quiet_until = now + grace(c);
}

void al_zotas_asked(struct al_zota_server *s, struct al_zota_session *c, uint64_t now)
{
    uint64_t us = now - c->had_at;
    if (c->had_at && us > US(ASK_MOST_MS)) {
        if (c->ask_slow < ASK_SLOW) c->ask_slow++;
    } else if (c->had_at) {
        c->ask_slow = 0;
        c->ask_us = mean(c->ask_us, us);
    }
    c->had_at = 0;
    if (s->quiet_for == (uint16_t)(c - s->session)) s->quiet_until = 0;
}
