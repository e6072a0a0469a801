/* The table of devices. Each has a record in the store: JSON, so that a later version may
 * know more of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/zigbee_file.h"
#include "server/gateway_impl.h"

#define RECORD_MAX 4096            /* names and an error of control characters, six bytes each */
#define SETTLED_US (5 * GATEWAY_S) /* from the start until devices are asked */

struct gateway_device *gateway_device(const struct gateway *g, uint64_t ext)
{
    for (unsigned i = 0; ext && i < g->c.devices; i++)
        if (g->devices[i].ext == ext) return &g->devices[i];
    return NULL;
}

struct gateway_device *gateway_device_at(const struct gateway *g, uint16_t addr)
{
    for (unsigned i = 0; i < g->c.devices; i++)
        if (g->devices[i].ext && g->devices[i].addr == addr && !g->devices[i].away)
            return &g->devices[i];
    return gateway_device(g, al_nwk_ext_of(&g->zb->node.nwk, addr));
}

bool gateway_device_router(const struct gateway_device *d)
{
    return d->capability & AL_CAP_ROUTER;
}

bool gateway_device_sleepy(const struct gateway_device *d)
{
    return !(d->capability & (AL_CAP_RX_ON | AL_CAP_ROUTER));
}

/* A free place, or that of a device that has left. */
static struct gateway_device *place(struct gateway *g)
{
    struct gateway_device *away = NULL;
    for (unsigned i = 0; i < g->c.devices; i++) {
        if (!g->devices[i].ext) return &g->devices[i];
        if (g->devices[i].away) away = &g->devices[i];
    }
    return away;
}

static void set_unknown(struct gateway_device *d)
{
    d->parent = GATEWAY_NO_PARENT;
    d->capability = AL_CAP_RX_ON; /* until it says so itself */
    d->ota_manufacturer = d->image_type = 0xffff;
    d->version = d->target = d->before = GATEWAY_ANY_VERSION;
    d->ask_at = d->at = d->read_at = GATEWAY_NEVER;
}

/* Who had that address has another one now. */
static void move_to(struct gateway_device *d, uint16_t addr)
{
    struct gateway *g = d->gateway;
    for (unsigned i = 0; i < g->c.devices; i++)
        if (&g->devices[i] != d && g->devices[i].ext && g->devices[i].addr == addr)
            g->devices[i].away = true;
    d->addr = addr;
}

struct gateway_device *gateway_device_add(struct gateway *g, uint64_t ext, uint16_t addr)
{
    struct gateway_device *d = gateway_device(g, ext);
    if (!ext || ext == g->zb->node.nwk.ext) return NULL;
    if (!d) {
        d = place(g);
        if (!d) return NULL;
        *d = (struct gateway_device){.gateway = g, .ext = ext};
        set_unknown(d);
    }
    move_to(d, addr);
    return d;
}

void gateway_device_forget(struct gateway_device *d)
{
    struct gateway *g = d->gateway;
    struct al_zota_session *s = gateway_session(d);
    if (s) al_zota_server_forget(&g->ota.engine, s);
    al_zdo_cancel(&g->zb->node.zdo, d);
    al_zcl_cancel(&g->zb->node.zcl, d);
    d->ext = 0;
    gateway_device_save(d);
    *d = (struct gateway_device){0};
}

/* ---- The record ---- */

static cJSON *record_of(const struct gateway_device *d)
{
    char text[ZIGBEE_EUI_TEXT], ref[20];
    cJSON *o = cJSON_CreateObject();
    zigbee_eui_text(d->ext, text);
    cJSON_AddStringToObject(o, "ext", text);
    cJSON_AddNumberToObject(o, "addr", d->addr);
    cJSON_AddNumberToObject(o, "parent", d->parent);
    cJSON_AddNumberToObject(o, "capability", d->capability);
    cJSON_AddBoolToObject(o, "away", d->away);
    cJSON_AddBoolToObject(o, "interviewed", d->interviewed);
    cJSON_AddNumberToObject(o, "basic", d->basic_endpoint);
    cJSON_AddNumberToObject(o, "ota", d->ota_endpoint);
    cJSON_AddNumberToObject(o, "power", d->power);
    cJSON_AddNumberToObject(o, "manufacturer", d->manufacturer);
    cJSON_AddBoolToObject(o, "no_fragments", d->no_fragments);
    cJSON_AddStringToObject(o, "model", d->model);
    cJSON_AddStringToObject(o, "maker", d->maker);
    cJSON_AddStringToObject(o, "build", d->build);
    cJSON_AddNumberToObject(o, "ota_manufacturer", d->ota_manufacturer);
    cJSON_AddNumberToObject(o, "image_type", d->image_type);
    cJSON_AddNumberToObject(o, "version", d->version);
    if (d->has_hardware) cJSON_AddNumberToObject(o, "hardware", d->hardware);
    cJSON_AddNumberToObject(o, "upgrade", d->upgrade);
    cJSON_AddBoolToObject(o, "ordered", d->ordered);
    cJSON_AddBoolToObject(o, "force", d->force);
    snprintf(ref, sizeof ref, "%016llx", (unsigned long long)d->ref);
    cJSON_AddStringToObject(o, "ref", ref);
    cJSON_AddNumberToObject(o, "target", d->target);
    cJSON_AddNumberToObject(o, "before", d->before);
    cJSON_AddNumberToObject(o, "attempts", d->attempts);
    cJSON_AddBoolToObject(o, "restarted", d->restarted);
    cJSON_AddStringToObject(o, "error", d->error);
    return o;
}

void gateway_device_save(struct gateway_device *d)
{
    struct gateway *g = d->gateway;
    const struct al_zb_store *s = g->c.store;
    char text[RECORD_MAX];
    if (!s) return;
    uint16_t number = (uint16_t)(GATEWAY_REC_DEVICES + (d - g->devices));
    cJSON *o = d->ext ? record_of(d) : NULL;
    bool fits = o && cJSON_PrintPreallocated(o, text, sizeof text, false);
    cJSON_Delete(o);
    if (d->ext && !fits) return;
    if (s->save(s->ctx, number, text, fits ? strlen(text) : 0))
        gateway_tell(g, GATEWAY_WARNING, d, "the state cannot be saved", NULL);
}

static uint32_t number(const cJSON *o, const char *name, uint32_t max, uint32_t fallback)
{
    const cJSON *item = cJSON_GetObjectItem(o, name);
    bool fits = cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= max;
    return fits ? (uint32_t)item->valuedouble : fallback;
}

static bool yes(const cJSON *o, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItem(o, name));
}

static const char *text_of(const cJSON *o, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(o, name));
    return text ? text : "";
}

static void take_record(struct gateway_device *d, const cJSON *o)
{
    d->addr = (uint16_t)number(o, "addr", UINT16_MAX, 0xffff);
    d->parent = (uint16_t)number(o, "parent", UINT16_MAX, GATEWAY_NO_PARENT);
    d->capability = (uint8_t)number(o, "capability", UINT8_MAX, 0);
    d->away = yes(o, "away") || !d->addr || d->addr >= AL_NWK_BROADCAST_MIN;
    d->announced = !d->away;
    if (!d->away) move_to(d, d->addr);
    d->interviewed = yes(o, "interviewed");
    d->basic_endpoint = (uint8_t)number(o, "basic", UINT8_MAX, 0);
    d->ota_endpoint = (uint8_t)number(o, "ota", UINT8_MAX, 0);
    d->power = (uint8_t)number(o, "power", UINT8_MAX, 0);
    d->manufacturer = (uint16_t)number(o, "manufacturer", UINT16_MAX, 0);
    d->no_fragments = yes(o, "no_fragments");
    snprintf(d->model, sizeof d->model, "%s", text_of(o, "model"));
    snprintf(d->maker, sizeof d->maker, "%s", text_of(o, "maker"));
    snprintf(d->build, sizeof d->build, "%s", text_of(o, "build"));
    d->ota_manufacturer = (uint16_t)number(o, "ota_manufacturer", UINT16_MAX, 0xffff);
    d->image_type = (uint16_t)number(o, "image_type", UINT16_MAX, 0xffff);
    d->version = number(o, "version", UINT32_MAX, GATEWAY_ANY_VERSION);
    d->has_hardware = cJSON_HasObjectItem(o, "hardware");
    d->hardware = (uint16_t)number(o, "hardware", UINT16_MAX, 0);
    d->upgrade = (enum gateway_upgrade)number(o, "upgrade", GATEWAY_UPGRADE_ABORTED, 0);
    d->ordered = yes(o, "ordered");
    d->force = yes(o, "force");
    d->ref = strtoull(text_of(o, "ref"), NULL, 16);
    d->target = number(o, "target", UINT32_MAX, GATEWAY_ANY_VERSION);
    d->before = number(o, "before", UINT32_MAX, GATEWAY_ANY_VERSION);
    d->attempts = (uint8_t)number(o, "attempts", UINT8_MAX, 0);
    d->restarted = yes(o, "restarted");
    snprintf(d->error, sizeof d->error, "%s", text_of(o, "error"));
}

/* What was under way when the gateway ended. */
static void go_on(struct gateway_device *d)
{
    uint64_t now = d->gateway->now;
    if (d->upgrade == GATEWAY_UPGRADE_NOTIFIED) d->upgrade = GATEWAY_UPGRADE_WAITING;
    if (d->upgrade == GATEWAY_UPGRADE_RESTARTING) {
        d->at = now + GATEWAY_RESTART_US;
        d->read_at = now + SETTLED_US;
    }
    if (!d->interviewed && !d->away) gateway_interview_start(d, now + 2 * GATEWAY_S);
}

void gateway_devices_restore(struct gateway *g)
{
    const struct al_zb_store *s = g->c.store;
    char text[RECORD_MAX];
    for (unsigned i = 0; s && i < g->c.devices; i++) {
        uint64_t ext;
        int len = s->load(s->ctx, (uint16_t)(GATEWAY_REC_DEVICES + i), text, sizeof text - 1);
        if (len <= 0) continue;
        text[len] = '\0';
        cJSON *o = cJSON_Parse(text);
        bool ok = o && zigbee_eui_parse(text_of(o, "ext"), &ext);
        if (ok && ext && ext != g->zb->node.nwk.ext && !gateway_device(g, ext)) {
            struct gateway_device *d = &g->devices[i];
            *d = (struct gateway_device){.gateway = g, .ext = ext};
            set_unknown(d);
            take_record(d, o);
            go_on(d);
        }
        cJSON_Delete(o);
    }
}
