/* The network: formed or resumed, who comes and goes, and the clock that runs the rest. */
#include "server/gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "host/version.h"
#include "server/gateway_impl.h"
#include "zigbee/hash.h"

#define HA_PROFILE         0x0104u
#define CONFIGURATION_TOOL 0x0005u
#define DEFAULT_DEVICES    200u
#define DEVICES_MAX        1000u
#define DEFAULT_PARALLEL   4u
#define DEFAULT_TRIES      3u
#define DEFAULT_RESCAN_S   600u
#define PERMIT_STEP_S      240u /* a network opens for 254 s at most */
#define SAVE_S             30u  /* clients know where they are: the record is for the status */
#define ADOPT_US           (5 * GATEWAY_S)
#define SETTLE_US          (1 * GATEWAY_S) /* from an announcement to the first question */

static unsigned local_minute(void *ctx)
{
    time_t now = time(NULL);
    struct tm tm;
    localtime_r(&now, &tm);
    return (unsigned)(tm.tm_hour * 60 + tm.tm_min);
}

struct gateway *gateway_new(const struct gateway_config *c)
{
    struct gateway *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->c = *c;
    if (!g->c.devices) g->c.devices = DEFAULT_DEVICES;
    if (g->c.devices > DEVICES_MAX) g->c.devices = DEVICES_MAX;
    if (!g->c.parallel) g->c.parallel = DEFAULT_PARALLEL;
    if (!g->c.tries) g->c.tries = DEFAULT_TRIES;
    if (!g->c.rescan_s) g->c.rescan_s = DEFAULT_RESCAN_S;
    if (!g->c.minute) g->c.minute = local_minute;
    g->devices = calloc(g->c.devices, sizeof *g->devices);
    g->sessions = calloc(g->c.devices, sizeof *g->sessions);
    g->tick_at = g->permit_until = GATEWAY_NEVER;
    if (g->devices && g->sessions) return g;
    gateway_free(g);
    return NULL;
}

void gateway_free(struct gateway *g)
{
    if (!g) return;
    free(g->devices);
    free(g->sessions);
    free(g);
}

void gateway_touch(struct gateway *g)
{
    g->tick_at = g->now;
}

bool gateway_quiet(const struct gateway *g)
{
    unsigned from = g->c.quiet_from, to = g->c.quiet_to;
    if (from == to) return false;
    unsigned minute = g->c.minute(g->c.ctx);
    return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

static bool parse_time(const char *text, size_t len, uint16_t *minute)
{
    unsigned hour, min;
    char copy[8], rest;
    if (len >= sizeof copy) return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (sscanf(copy, "%2u:%2u%c", &hour, &min, &rest) != 2 || hour > 24 || min > 59) return false;
    *minute = (uint16_t)(hour * 60 + min);
    return *minute <= 24 * 60;
}

bool gateway_quiet_parse(const char *text, uint16_t *from, uint16_t *to)
{
    const char *dash = strchr(text, '-');
    return dash && parse_time(text, (size_t)(dash - text), from) &&
           parse_time(dash + 1, strlen(dash + 1), to);
}

/* ---- Who comes and goes ---- */

static void joined(struct gateway *g, const struct al_bdb_event_args *a, bool capability_known)
{
    struct gateway_device *d = gateway_device_add(g, a->ext, a->addr);
    if (!d) return;
    bool back = d->away;
    d->away = d->asleep = false;
    if (capability_known) d->capability = (uint8_t)a->value;
    al_zota_server_moved(&g->ota.engine, d->ext, d->addr);
    if (!capability_known) return; /* it has the key; now it will announce itself */
    if (!d->announced || back) {
        cJSON *more = cJSON_CreateObject();
        cJSON_AddBoolToObject(more, "again", back || d->interviewed);
        gateway_tell(g, GATEWAY_JOINED, d, "has joined", more);
    }
    d->announced = true;
    gateway_device_save(d);
    gateway_announced(d, g->now);
    if (!d->interviewed) gateway_interview_start(d, g->now + SETTLE_US);
}

static void authorised(struct gateway *g, const struct al_bdb_event_args *a)
{
    char text[120];
    if (a->status == AL_ZB_OK) {
        joined(g, a, false);
        return;
    }
    snprintf(text, sizeof text, "%s",
             a->status == AL_ZB_DENIED     ? "may not come in: the network is closed to it"
             : a->status == AL_ZB_TIMEOUT  ? "was removed: it did not prove its own link key"
             : a->status == AL_ZB_SECURITY ? "was refused: it does not know its link key"
                                           : "could not be given the network key");
    cJSON *more = cJSON_CreateObject();
    cJSON_AddStringToObject(more, "status", al_zb_status_name(a->status));
    struct gateway_device stranger = {.gateway = g, .ext = a->ext, .addr = a->addr};
    gateway_tell(g, GATEWAY_REFUSED, &stranger, text, more);
}

static void left(struct gateway *g, const struct al_bdb_event_args *a)
{
    struct gateway_device *d = gateway_device(g, a->ext);
    if (!d) d = gateway_device_at(g, a->addr);
    if (!d || d->away || a->value) return;
    d->away = true;
    d->announced = false;
    d->asking = d->reading = false;
    al_zdo_cancel(&g->zb->node.zdo, d);
    al_zcl_cancel(&g->zb->node.zcl, d);
    gateway_device_save(d);
    gateway_tell(g, GATEWAY_LEFT, d, "has left", NULL);
}

static void moved_under(struct gateway *g, const struct al_bdb_event_args *a)
{
    struct gateway_device *d = gateway_device_add(g, a->ext, a->addr);
    if (!d) return;
    d->parent = a->parent;
    gateway_device_save(d);
}

static void tell_permit(struct gateway *g, unsigned seconds)
{
    cJSON *more = cJSON_CreateObject();
    cJSON_AddNumberToObject(more, "seconds", seconds);
    gateway_tell(g, GATEWAY_PERMIT, NULL, seconds ? "the network is open" : "the network is closed",
                 more);
}

int gateway_permit(struct gateway *g, uint64_t now, unsigned seconds)
{
    g->now = now;
    g->permit_wanted = seconds;
    if (!g->up) return 0; /* as soon as it is */
    int err = al_bdb_open(&g->zb->node.bdb, now,
                          (uint8_t)(seconds < PERMIT_STEP_S ? seconds : PERMIT_STEP_S));
    if (err) return err;
    g->permit_until = seconds ? now + seconds * GATEWAY_S : GATEWAY_NEVER;
    tell_permit(g, seconds);
    gateway_touch(g);
    return 0;
}

static void formed(struct gateway *g, bool resumed)
{
    char text[20];
    const struct al_nwk *n = &g->zb->node.nwk;
    cJSON *more = cJSON_CreateObject();
    cJSON_AddBoolToObject(more, "resumed", resumed);
    cJSON_AddNumberToObject(more, "channel", n->channel);
    snprintf(text, sizeof text, "%04x", n->pan_id);
    cJSON_AddStringToObject(more, "pan_id", text);
    snprintf(text, sizeof text, "%016llx", (unsigned long long)n->epid);
    cJSON_AddStringToObject(more, "extended_pan_id", text);
    g->up = true;
    g->look = true;
    gateway_tell(g, GATEWAY_FORMED, NULL, resumed ? "the network is up again" : "network formed",
                 more);
    if (g->permit_wanted) gateway_permit(g, g->now, g->permit_wanted);
}

static void adopt(struct gateway *g, uint64_t ext, uint16_t addr, uint8_t capability)
{
    if (!ext || gateway_device(g, ext)) return;
    struct gateway_device *d = gateway_device_add(g, ext, addr);
    if (!d) return;
    d->announced = true;
    d->capability = capability;
    gateway_device_save(d);
    gateway_interview_start(d, g->now + ADOPT_US);
}

/* The network may be that of another program's backup: its devices are not known here. */
static void adopt_members(struct gateway *g)
{
    const struct al_nwk_config *c = &g->zb->node.nwk.c;
    for (unsigned i = 0; i < c->neighbour_count; i++)
        if (c->neighbours[i].relation == AL_NWK_CHILD)
            adopt(g, c->neighbours[i].ext, c->neighbours[i].addr, c->neighbours[i].capability);
    for (unsigned i = 0; i < c->address_count; i++)
        adopt(g, c->addresses[i].ext, c->addresses[i].addr, AL_CAP_RX_ON);
}

static void initialised(struct gateway *g, const struct al_bdb_event_args *a)
{
    if (a->status == AL_ZB_OK) {
        formed(g, true);
        adopt_members(g);
    } else if (al_bdb_factory_new(&g->zb->node.bdb)) {
        al_bdb_form(&g->zb->node.bdb, g->now);
    } else {
        gateway_tell(g, GATEWAY_FAILED, NULL, "the radio refused to resume the network", NULL);
    }
}

static void node_event(void *ctx, uint64_t now, const struct al_bdb_event_args *a)
{
    struct gateway *g = ctx;
    g->now = now;
    switch (a->event) {
    case AL_BDB_INITIALISED:
        initialised(g, a);
        break;
    case AL_BDB_FORMED:
        if (a->status == AL_ZB_OK)
            formed(g, false);
        else
            gateway_tell(g, GATEWAY_FAILED, NULL, "no network could be formed: the radio failed",
                         NULL);
        break;
    case AL_BDB_PERMIT: /* opened anew for the next minutes: nobody's news */
        if (a->value || g->permit_until == GATEWAY_NEVER || g->permit_until > now) break;
        g->permit_until = GATEWAY_NEVER;
        tell_permit(g, 0);
        break;
    case AL_BDB_DEVICE:
        moved_under(g, a);
        break;
    case AL_BDB_AUTHORISED:
        authorised(g, a);
        break;
    case AL_BDB_ANNOUNCED:
        joined(g, a, true);
        break;
    case AL_BDB_DEVICE_LEFT:
        left(g, a);
        break;
    default:
        break;
    }
    gateway_touch(g);
}

/* A child of this node has no Update-Device. */
static void learn_children(struct gateway *g)
{
    for (unsigned i = 0; i < g->c.devices; i++) {
        struct gateway_device *d = &g->devices[i];
        if (!d->ext) continue;
        const struct al_nwk_neighbour *child = al_nwk_neighbour_ext(&g->zb->node.nwk, d->ext);
        if (child && child->relation == AL_NWK_CHILD) d->parent = AL_NWK_COORDINATOR;
    }
}

/* ---- The clock ---- */

static bool busy(const struct gateway *g)
{
    for (unsigned i = 0; i < g->c.devices; i++) {
        const struct gateway_device *d = &g->devices[i];
        if (!d->ext || d->away) continue;
        if (d->asking || d->ask_at != GATEWAY_NEVER) return true;
        if (d->upgrade >= GATEWAY_UPGRADE_WAITING && d->upgrade <= GATEWAY_UPGRADE_RESTARTING)
            return true;
    }
    return false;
}

static bool image_in_use(void *ctx, uint64_t ref)
{
    const struct gateway *g = ctx;
    for (unsigned i = 0; i < g->c.devices; i++)
        if (g->devices[i].ext && g->devices[i].ref == ref &&
            (gateway_upgrade_active(&g->devices[i]) || g->devices[i].ordered))
            return true;
    return false;
}

static void permit_again(struct gateway *g, uint64_t now)
{
    if (g->permit_until == GATEWAY_NEVER) return;
    if (g->permit_until <= now) {
        g->permit_until = GATEWAY_NEVER;
        tell_permit(g, 0);
        return;
    }
    uint64_t left_s = (g->permit_until - now + GATEWAY_S - 1) / GATEWAY_S;
    uint64_t open_until = g->zb->node.bdb.open_until;
    if (open_until == GATEWAY_NEVER || open_until < now + 15 * GATEWAY_S) {
        if (open_until == GATEWAY_NEVER || g->permit_until > open_until + GATEWAY_S)
            al_bdb_open(&g->zb->node.bdb, now,
                        (uint8_t)(left_s < PERMIT_STEP_S ? left_s : PERMIT_STEP_S));
    }
}

static void run(void *ctx, uint64_t now)
{
    struct gateway *g = ctx;
    g->now = now;
    g->tick_at = GATEWAY_NEVER;
    if (!g->up) return;
    learn_children(g);
    permit_again(g, now);
    gateway_interview_tick(g, now);
    gateway_upgrade_tick(g, now);
    gateway_progress(g);
    if (g->c.images) gateway_images_use(g->c.images, image_in_use, g);
    /* What happened in between has asked for the next one at once. */
    if (g->tick_at == GATEWAY_NEVER && (busy(g) || g->permit_until != GATEWAY_NEVER))
        g->tick_at = now + GATEWAY_S;
}

static uint64_t next(void *ctx)
{
    const struct gateway *g = ctx;
    return g->tick_at;
}

static uint64_t ota_next(void *ctx)
{
    return al_zcl_ota_server_next(&((struct gateway *)ctx)->ota);
}

static void ota_run(void *ctx, uint64_t now)
{
    struct gateway *g = ctx;
    g->now = now;
    al_zcl_ota_server_run(&g->ota, now);
}

/* ---- Setting up ---- */

void gateway_node_config(struct gateway *g, struct al_node_config *c)
{
    c->role = AL_NWK_ROLE_COORDINATOR;
    c->mains = true;
    c->store = g->c.store;
    c->manufacturer = g->c.manufacturer;
    c->primary_channels = g->c.channels;
    c->pan_id = g->c.pan_id;
    c->epid = g->c.epid;
    c->install_codes_only = g->c.install_codes_only;
    c->sizes = al_node_sizes_coordinator(g->c.devices);
    c->ctx = g;
    c->event = node_event;
}

static int add_endpoint(struct gateway *g)
{
    struct al_zcl *zcl = &g->zb->node.zcl;
    struct al_zb_random random = {g->zb, zb_node_random};
    struct al_zota_server_app app = gateway_ota_app;
    app.ctx = g;
    g->endpoint = (struct al_zcl_endpoint){
        .id = GATEWAY_ENDPOINT, .profile = HA_PROFILE, .device_id = CONFIGURATION_TOOL};
    al_zcl_basic_init(&g->basic, &(struct al_zcl_basic_config){.manufacturer = "Airlift",
                                                               .model = "gateway",
                                                               .software_build = AIRLIFT_VERSION,
                                                               .power_source = AL_ZCL_POWER_MAINS});
    int err = al_zcl_add_cluster(&g->endpoint, &g->basic.cluster);
    if (!err)
        err = al_zcl_ota_server_init(
            &g->ota, zcl, &g->endpoint, random,
            &(struct al_zota_server_config){.max_block = g->c.max_block, .parallel = g->c.parallel},
            &app, g->sessions, g->c.devices);
    return err ? err : al_zcl_add_endpoint(zcl, &g->endpoint);
}

int gateway_attach(struct gateway *g, struct zb_node *zb, uint64_t now)
{
    g->zb = zb;
    g->c.store = zb->node.c.store;
    g->now = now;
    int err = add_endpoint(g);
    if (err) return err;
    gateway_devices_restore(g);
    gateway_sessions_restore(g, now);
    g->ota_engine = (struct zb_engine){g, ota_next, ota_run, NULL};
    g->engine = (struct zb_engine){g, next, run, NULL};
    zb_node_add_engine(zb, &g->engine);
    zb_node_add_engine(zb, &g->ota_engine);
    return al_bdb_initialise(&zb->node.bdb, now);
}

void gateway_images_changed(struct gateway *g, uint64_t now)
{
    g->now = now;
    g->look = true;
    gateway_touch(g);
}

int gateway_install_code(struct gateway *g, uint64_t ext, const char *code, char *why,
                         size_t why_size)
{
    uint8_t bytes[AL_INSTALL_CODE_MAX], key[AL_KEY_SIZE];
    int len = al_install_code_parse(code, bytes);
    int err = len < 0 ? len : al_install_code_key(g->zb->node.c.aes, bytes, (size_t)len, key);
    if (!err) err = al_trust_add_install_key(&g->zb->node.trust, ext, key);
    snprintf(why, why_size, "%s",
             err == AL_ERR_INVALID_CRC    ? "the install code's CRC is wrong: a digit is mistyped"
             : err == AL_ERR_INVALID_SIZE ? "an install code has 6, 8, 12 or 16 octets and 2 of CRC"
             : err == AL_ERR_INVALID_ARG  ? "the install code has a character that is no digit"
             : err                        ? "no room for another key"
                                          : "");
    return err;
}

bool gateway_idle(const struct gateway *g)
{
    for (unsigned i = 0; i < g->c.devices; i++) {
        const struct gateway_device *d = &g->devices[i];
        if (!d->ext || d->away) continue;
        if (d->asking || d->ask_at <= g->now + 30 * GATEWAY_S) return false;
        bool waits = d->upgrade == GATEWAY_UPGRADE_WAITING && !d->asleep;
        if (waits || gateway_upgrade_active(d) || d->upgrade == GATEWAY_UPGRADE_RESTARTING)
            return false;
    }
    return !g->look;
}
