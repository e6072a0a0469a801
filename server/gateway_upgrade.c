/* The schedule: who is upgraded when, and what came of it. */
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "server/gateway_impl.h"

#define DEPTH_MAX     16u
#define QUERIED_US    (120 * GATEWAY_S) /* from the offer to the first block */
#define ANNOUNCED_US  (5 * GATEWAY_S)   /* then its endpoints answer */
#define FIRST_READ_US (20 * GATEWAY_S)
#define READ_US       (60 * GATEWAY_S)
#define DOZE_US       (20 * GATEWAY_S) /* a parent keeps a notification for 7.68 s */

const char *gateway_upgrade_name(enum gateway_upgrade u)
{
    static const char *const names[] = {"none",      "waiting",    "notified", "running",
                                        "verifying", "restarting", "done",     "not-applied",
                                        "failed",    "aborted"};
    return u <= GATEWAY_UPGRADE_ABORTED ? names[u] : "unknown";
}

bool gateway_upgrade_active(const struct gateway_device *d)
{
    return d->upgrade >= GATEWAY_UPGRADE_NOTIFIED && d->upgrade <= GATEWAY_UPGRADE_VERIFYING;
}

void gateway_upgrade_set(struct gateway_device *d, enum gateway_upgrade state, uint64_t deadline)
{
    bool changed = d->upgrade != state;
    d->upgrade = state;
    d->at = deadline;
    if (changed) gateway_device_save(d);
    gateway_touch(d->gateway);
}

/* ---- What came of it ---- */

void gateway_upgrade_fail(struct gateway_device *d, enum gateway_upgrade state, const char *reason)
{
    snprintf(d->error, sizeof d->error, "%s", reason);
    d->ordered = d->force = false;
    d->upgrade = state;
    d->at = d->read_at = GATEWAY_NEVER;
    gateway_device_save(d);
    gateway_tell(d->gateway, GATEWAY_GAVE_UP, d, reason, NULL);
    gateway_touch(d->gateway);
}

static void done(struct gateway_device *d, bool confirmed)
{
    cJSON *more = cJSON_CreateObject();
    cJSON_AddNumberToObject(more, "version", d->target);
    if (d->before != GATEWAY_ANY_VERSION) cJSON_AddNumberToObject(more, "before", d->before);
    cJSON_AddBoolToObject(more, "confirmed", confirmed);
    d->ordered = d->force = d->asleep = false;
    d->attempts = 0;
    d->error[0] = '\0';
    d->at = d->read_at = GATEWAY_NEVER;
    d->upgrade = GATEWAY_UPGRADE_DONE;
    if (!confirmed) d->version = d->target;
    gateway_device_save(d);
    gateway_tell(d->gateway, GATEWAY_DONE, d, "runs the new version", more);
    gateway_interview_start(d, d->gateway->now + ANNOUNCED_US); /* model and build may differ */
    d->gateway->look = true;
}

void gateway_version_seen(struct gateway_device *d, uint32_t version)
{
    char text[120];
    bool ended = d->upgrade == GATEWAY_UPGRADE_RESTARTING;
    bool new = d->version != version;
    d->version = version;
    if (ended && version == d->target) {
        done(d, true);
    } else if (ended && d->restarted) {
        snprintf(text, sizeof text, "not applied: it took 0x%08x, restarted, and still runs 0x%08x",
                 d->target, version);
        gateway_upgrade_fail(d, GATEWAY_UPGRADE_NOT_APPLIED, text);
    } else if (new) {
        gateway_device_save(d);
        d->gateway->look = true;
    }
}

void gateway_announced(struct gateway_device *d, uint64_t now)
{
    if (d->upgrade != GATEWAY_UPGRADE_RESTARTING) return;
    d->restarted = true;
    d->read_at = now + ANNOUNCED_US;
    gateway_device_save(d);
    gateway_touch(d->gateway);
}

/* ---- What there is for a device ---- */

struct al_zota_wanted gateway_wanted(const struct gateway_device *d)
{
    return (struct al_zota_wanted){
        .peer = {d->addr, d->ota_endpoint},
        .ext_addr = d->ext,
        .id = {d->ota_manufacturer, d->image_type, d->version},
        .has_hardware_version = d->has_hardware,
        .hardware_version = d->hardware,
    };
}

/* The file that the operator named. */
static const struct gateway_image *ordered_image(const struct gateway_device *d,
                                                 const struct al_zota_wanted *w, char *why,
                                                 size_t why_size)
{
    const struct gateway_image *i = gateway_images_of(d->gateway->c.images, d->ref);
    struct al_zota_wanted any_version = *w;
    if (!i || i->gone) {
        snprintf(why, why_size, "the file that was ordered is no longer there");
        return NULL;
    }
    struct al_zota_id id = {i->header.manufacturer, i->header.image_type, i->header.file_version};
    any_version.id.file_version = GATEWAY_ANY_VERSION;
    if (al_zota_image_fits(&id, &i->limits, d->force ? &any_version : w)) return i;
    if (al_zota_image_fits(&id, &i->limits, &any_version))
        snprintf(why, why_size, "%s is not newer than what it runs; order it with \"force\"",
                 i->name);
    else
        snprintf(why, why_size, "%s is for other devices: manufacturer, type or hardware differ",
                 i->name);
    return NULL;
}

/* Once is enough: another try is the operator's decision. */
static const char *had_it(const struct gateway_device *d, const struct gateway_image *i)
{
    if (d->ordered || d->target != i->header.file_version) return NULL;
    switch (d->upgrade) {
    case GATEWAY_UPGRADE_DONE:
        return "it has this version already";
    case GATEWAY_UPGRADE_NOT_APPLIED:
        return "it took this version once and did not apply it";
    case GATEWAY_UPGRADE_FAILED:
        return "this version failed too often";
    case GATEWAY_UPGRADE_ABORTED:
        return "this version was aborted";
    default:
        return NULL;
    }
}

const struct gateway_image *gateway_choose(struct gateway_device *d, const struct al_zota_wanted *w,
                                           char *why, size_t why_size)
{
    const struct gateway_image_target target = {d->model, d->maker};
    struct al_zota_wanted wanted = *w;
    if (!d->gateway->c.images) return NULL;
    if (d->ordered && d->ref) return ordered_image(d, w, why, why_size);
    if (d->ordered && d->force) wanted.id.file_version = GATEWAY_ANY_VERSION;
    const struct gateway_image *i =
        gateway_images_for(d->gateway->c.images, &wanted, &target, why, why_size);
    const char *had = i ? had_it(d, i) : NULL;
    if (had) snprintf(why, why_size, "%s", had);
    return had ? NULL : i;
}

/* ---- Whose turn it is ---- */

static const struct gateway_device *parent_of(const struct gateway_device *d)
{
    if (d->parent == AL_NWK_COORDINATOR || d->parent >= AL_NWK_BROADCAST_MIN) return NULL;
    const struct gateway_device *up = gateway_device_at(d->gateway, d->parent);
    return up == d ? NULL : up;
}

static bool will_go_on(const struct gateway_device *d)
{
    if (d->away || d->asleep) return false;
    return d->upgrade >= GATEWAY_UPGRADE_WAITING && d->upgrade <= GATEWAY_UPGRADE_RESTARTING;
}

static const struct gateway_device *parent_first(const struct gateway_device *d)
{
    const struct gateway_device *up = parent_of(d);
    for (unsigned i = 0; up && i < DEPTH_MAX; i++, up = parent_of(up))
        if (will_go_on(up)) return up;
    return NULL;
}

static unsigned depth_of(const struct gateway_device *d)
{
    unsigned depth = 0;
    for (const struct gateway_device *up = parent_of(d); up && depth < DEPTH_MAX; depth++)
        up = parent_of(up);
    return depth;
}

static unsigned active_count(const struct gateway *g)
{
    unsigned count = 0;
    for (unsigned i = 0; i < g->c.devices; i++)
        if (g->devices[i].ext && !g->devices[i].away && gateway_upgrade_active(&g->devices[i]) &&
            !gateway_device_sleepy(&g->devices[i]))
            count++;
    return count;
}

bool gateway_may_start(const struct gateway_device *d, char *why, size_t why_size)
{
    const struct gateway *g = d->gateway;
    const struct gateway_device *up = parent_first(d);
    const char *reason = NULL;
    if (g->c.manual && !d->ordered)
        reason = "nobody has ordered it";
    else if (g->paused)
        reason = "upgrades are paused";
    else if (gateway_quiet(g))
        reason = "these are quiet hours";
    else if (up)
        reason = "its parent comes first";
    else if (!gateway_device_sleepy(d) && active_count(g) >= g->c.parallel)
        reason = "others come first";
    if (reason) snprintf(why, why_size, "%s", reason);
    return !reason;
}

/* Routers before all others, those near to the coordinator first. */
static bool comes_before(const struct gateway_device *a, const struct gateway_device *b)
{
    if (gateway_device_router(a) != gateway_device_router(b)) return gateway_device_router(a);
    return gateway_device_router(a) && depth_of(a) < depth_of(b);
}

static struct gateway_device *next_in_turn(struct gateway *g, uint64_t now)
{
    struct gateway_device *first = NULL;
    char why[80];
    for (unsigned i = 0; i < g->c.devices; i++) {
        struct gateway_device *d = &g->devices[i];
        if (!d->ext || d->away || d->upgrade != GATEWAY_UPGRADE_WAITING || d->at > now) continue;
        if (!d->ota_endpoint || !gateway_may_start(d, why, sizeof why)) continue;
        if (!first || comes_before(d, first)) first = d;
    }
    return first;
}

static void notify(struct gateway_device *d, uint64_t now)
{
    struct gateway *g = d->gateway;
    struct al_zota_peer to = {d->addr, d->ota_endpoint};
    int err = al_zota_server_notify(al_zcl_ota_server_at(&g->ota, now), to, 0, 100, NULL);
    bool sleepy = gateway_device_sleepy(d);
    if (err)
        d->at = now + GATEWAY_S;
    else
        gateway_upgrade_set(d, GATEWAY_UPGRADE_NOTIFIED,
                            now + (sleepy ? DOZE_US : GATEWAY_NOTIFY_US));
}

static void silent(struct gateway_device *d, uint64_t now)
{
    if (gateway_device_sleepy(d)) { /* nothing strange: its own query will do as well */
        d->asleep = true;
        gateway_upgrade_set(d, GATEWAY_UPGRADE_WAITING, now + GATEWAY_ASLEEP_US);
        return;
    }
    bool again = ++d->attempts < d->gateway->c.tries;
    snprintf(d->error, sizeof d->error, "no answer to Image Notify");
    d->asleep = !again;
    if (!again) {
        d->attempts = 0;
        gateway_tell(d->gateway, GATEWAY_WARNING, d,
                     "does not answer to Image Notify; it is served when it asks by itself", NULL);
    }
    gateway_upgrade_set(d, GATEWAY_UPGRADE_WAITING,
                        now + (again ? GATEWAY_RETRY_US : GATEWAY_ASLEEP_US));
}

/* ---- The clock ---- */

static void restarting(struct gateway_device *d, uint64_t now)
{
    if (d->read_at <= now) {
        gateway_read_version(d, now);
        d->read_at = now + (d->restarted ? FIRST_READ_US : READ_US);
    }
    if (d->at > now) return;
    if (d->restarted && d->version == GATEWAY_ANY_VERSION)
        done(d, false); /* it does not tell its version */
    else
        gateway_upgrade_fail(d, GATEWAY_UPGRADE_NOT_APPLIED,
                             d->restarted
                                 ? "not applied: it restarted, but its version was not read within "
                                   "an hour"
                                 : "not applied: it has the file, but did not restart within an "
                                   "hour");
}

static void device_due(struct gateway_device *d, uint64_t now)
{
    if (d->upgrade == GATEWAY_UPGRADE_RESTARTING) {
        restarting(d, now);
    } else if (d->upgrade == GATEWAY_UPGRADE_NOTIFIED && d->at <= now) {
        silent(d, now);
    } else if (d->upgrade == GATEWAY_UPGRADE_RUNNING && d->at <= now) {
        snprintf(d->error, sizeof d->error, "it asked for the image and fetched nothing");
        gateway_upgrade_set(d, GATEWAY_UPGRADE_WAITING, now + GATEWAY_RETRY_US);
    }
}

/* Whether something would be better than what it runs. Without its image type only a query
 * can tell: one is provoked when there is anything of its maker. */
static bool could_be_upgraded(struct gateway_device *d)
{
    char why[200];
    struct al_zota_wanted w = gateway_wanted(d);
    if (d->image_type != 0xffff && d->ota_manufacturer != 0xffff)
        return gateway_choose(d, &w, why, sizeof why);
    for (size_t i = 0; d->version == GATEWAY_ANY_VERSION && d->gateway->c.images; i++) {
        const struct gateway_image *image = gateway_images_at(d->gateway->c.images, i);
        if (!image) break;
        if (image->header.manufacturer == d->manufacturer) return true;
    }
    return false;
}

static void look_around(struct gateway *g, uint64_t now)
{
    g->look = false;
    if (g->c.manual) return;
    for (unsigned i = 0; i < g->c.devices; i++) {
        struct gateway_device *d = &g->devices[i];
        if (!d->ext || !d->ota_endpoint || !d->interviewed) continue;
        bool waiting = d->upgrade == GATEWAY_UPGRADE_WAITING;
        if (waiting || gateway_upgrade_active(d) || d->upgrade == GATEWAY_UPGRADE_RESTARTING)
            continue;
        if (!could_be_upgraded(d)) continue;
        if (g->c.dry_run) {
            char why[200];
            struct al_zota_wanted w = gateway_wanted(d);
            const struct gateway_image *image = gateway_choose(d, &w, why, sizeof why);
            snprintf(why, sizeof why, "would get %s", image ? image->name : "what fits its query");
            gateway_tell(g, GATEWAY_QUERY, d, why, NULL);
            continue;
        }
        d->attempts = 0;
        d->asleep = false;
        gateway_upgrade_set(d, GATEWAY_UPGRADE_WAITING, now);
    }
}

void gateway_upgrade_tick(struct gateway *g, uint64_t now)
{
    bool held = gateway_quiet(g) || g->paused;
    if (g->was_quiet && !held) al_zota_server_wake(al_zcl_ota_server_at(&g->ota, now), now);
    g->was_quiet = held;
    for (unsigned i = 0; i < g->c.devices; i++)
        if (g->devices[i].ext) device_due(&g->devices[i], now);
    if (g->look) look_around(g, now);
    if (g->c.dry_run) return;
    for (struct gateway_device *d; (d = next_in_turn(g, now));) notify(d, now);
}
