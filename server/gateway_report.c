/* What the gateway tells: events as they happen, and JSON of devices and transfers. */
#include <stdio.h>
#include <string.h>

#include "host/zigbee_file.h"
#include "server/gateway_impl.h"

static const char *const kinds[] = {
    [GATEWAY_FORMED] = "formed",       [GATEWAY_FAILED] = "failed-to-form",
    [GATEWAY_PERMIT] = "permit",       [GATEWAY_JOINED] = "joined",
    [GATEWAY_REFUSED] = "refused",     [GATEWAY_LEFT] = "left",
    [GATEWAY_INTERVIEW] = "interview", [GATEWAY_QUERY] = "query",
    [GATEWAY_STARTED] = "started",     [GATEWAY_PROGRESS] = "progress",
    [GATEWAY_DONE] = "done",           [GATEWAY_GAVE_UP] = "failed",
    [GATEWAY_IMAGE] = "image",         [GATEWAY_WARNING] = "warning",
};

void gateway_tell(struct gateway *g, enum gateway_event_kind kind, const struct gateway_device *d,
                  const char *text, cJSON *more)
{
    char eui[ZIGBEE_EUI_TEXT];
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "event", kinds[kind]);
    cJSON_AddNumberToObject(o, "time", (double)g->now / 1e6);
    if (d) {
        zigbee_eui_text(d->ext, eui);
        cJSON_AddStringToObject(o, "device", eui);
        cJSON_AddNumberToObject(o, "addr", d->addr);
    }
    bool reason = kind == GATEWAY_GAVE_UP || kind == GATEWAY_REFUSED;
    cJSON_AddStringToObject(o, reason ? "reason" : "text", text);
    while (more && more->child) {
        cJSON *item = cJSON_DetachItemViaPointer(more, more->child);
        if (cJSON_HasObjectItem(o, item->string))
            cJSON_Delete(item);
        else
            cJSON_AddItemToObject(o, item->string, item);
    }
    cJSON_Delete(more);
    struct gateway_event e = {.kind = kind, .json = o, .ext = d ? d->ext : 0, .text = text};
    if (g->c.event) g->c.event(g->c.ctx, &e);
    cJSON_Delete(o);
}

/* ---- Transfers ---- */

static double percent(const struct al_zota_session *s)
{
    if (!s->record.image.size) return 0;
    uint64_t tenths = s->record.offset * 1000ull / s->record.image.size;
    return (double)tenths / 10;
}

cJSON *gateway_transfer_json(const struct gateway_device *d)
{
    const struct al_zota_session *s = gateway_session(d);
    char eui[ZIGBEE_EUI_TEXT];
    cJSON *o = cJSON_CreateObject();
    if (!s) return o;
    const struct gateway_image *i = gateway_images_of(d->gateway->c.images, s->record.image.ref);
    zigbee_eui_text(d->ext, eui);
    cJSON_AddStringToObject(o, "device", eui);
    cJSON_AddStringToObject(o, "file", i ? i->name : "");
    cJSON_AddStringToObject(o, "state", al_zota_session_state_name(s->record.state));
    cJSON_AddNumberToObject(o, "version", s->record.image.id.file_version);
    cJSON_AddNumberToObject(o, "offset", s->record.offset);
    cJSON_AddNumberToObject(o, "size", s->record.image.size);
    cJSON_AddNumberToObject(o, "percent", percent(s));
    cJSON_AddNumberToObject(o, "rate", s->rate);
    uint32_t remaining = al_zota_session_remaining(s);
    if (remaining != UINT32_MAX) cJSON_AddNumberToObject(o, "remaining", remaining);
    cJSON_AddNumberToObject(o, "first_offset", s->first_offset);
    cJSON_AddNumberToObject(o, "blocks", s->blocks);
    cJSON_AddNumberToObject(o, "repeats", s->repeats);
    return o;
}

void gateway_progress(struct gateway *g)
{
    char text[120];
    for (unsigned i = 0; i < g->c.devices; i++) {
        struct gateway_device *d = &g->devices[i];
        if (!d->ext || d->upgrade != GATEWAY_UPGRADE_RUNNING) continue;
        const struct al_zota_session *s = gateway_session(d);
        if (!s || s->record.offset == d->told || g->now < d->told_at + GATEWAY_S) continue;
        uint32_t remaining = al_zota_session_remaining(s);
        d->told = s->record.offset;
        d->told_at = g->now;
        if (remaining == UINT32_MAX)
            snprintf(text, sizeof text, "%.1f %%", percent(s));
        else
            snprintf(text, sizeof text, "%.1f %%, %u bytes/s, %u:%02u left", percent(s), s->rate,
                     remaining / 60, remaining % 60);
        gateway_tell(g, GATEWAY_PROGRESS, d, text, gateway_transfer_json(d));
    }
}

/* ---- Devices ---- */

static const char *power_name(uint8_t power)
{
    static const char *const names[] = {"unknown", "mains", "mains, three phases", "battery", "DC"};
    return (power & 0x7f) < sizeof names / sizeof *names ? names[power & 0x7f] : "other";
}

static void add_ids(cJSON *o, const struct gateway_device *d)
{
    if (d->ota_manufacturer != 0xffff)
        cJSON_AddNumberToObject(o, "manufacturer_code", d->ota_manufacturer);
    else if (d->interviewed)
        cJSON_AddNumberToObject(o, "manufacturer_code", d->manufacturer);
    if (d->image_type != 0xffff) cJSON_AddNumberToObject(o, "image_type", d->image_type);
    if (d->version != GATEWAY_ANY_VERSION) cJSON_AddNumberToObject(o, "file_version", d->version);
    if (d->has_hardware) cJSON_AddNumberToObject(o, "hardware_version", d->hardware);
}

cJSON *gateway_device_json(const struct gateway_device *d)
{
    char eui[ZIGBEE_EUI_TEXT];
    cJSON *o = cJSON_CreateObject();
    zigbee_eui_text(d->ext, eui);
    cJSON_AddStringToObject(o, "device", eui);
    cJSON_AddNumberToObject(o, "addr", d->addr);
    cJSON_AddStringToObject(o, "role",
                            gateway_device_router(d)   ? "router"
                            : gateway_device_sleepy(d) ? "sleepy end device"
                                                       : "end device");
    if (d->parent != GATEWAY_NO_PARENT) cJSON_AddNumberToObject(o, "parent", d->parent);
    cJSON_AddBoolToObject(o, "away", d->away);
    cJSON_AddBoolToObject(o, "interviewed", d->interviewed);
    cJSON_AddStringToObject(o, "manufacturer", d->maker);
    cJSON_AddStringToObject(o, "model", d->model);
    cJSON_AddStringToObject(o, "software_build", d->build);
    cJSON_AddStringToObject(o, "power", power_name(d->power));
    if (d->ota_endpoint) cJSON_AddNumberToObject(o, "ota_endpoint", d->ota_endpoint);
    add_ids(o, d);
    cJSON_AddStringToObject(o, "upgrade", gateway_upgrade_name(d->upgrade));
    if (d->asleep) cJSON_AddTrueToObject(o, "on_its_own_query");
    if (d->target != GATEWAY_ANY_VERSION) cJSON_AddNumberToObject(o, "target_version", d->target);
    if (d->error[0]) cJSON_AddStringToObject(o, "last_error", d->error);
    if (gateway_upgrade_active(d) && gateway_session(d))
        cJSON_AddItemToObject(o, "transfer", gateway_transfer_json(d));
    return o;
}

static void add_network(cJSON *doc, const struct gateway *g)
{
    char text[ZIGBEE_EUI_TEXT];
    const struct al_nwk *n = &g->zb->node.nwk;
    const struct al_nwk_key *key = al_nwk_active_key(n);
    cJSON *o = cJSON_AddObjectToObject(doc, "network");
    cJSON_AddBoolToObject(o, "up", g->up);
    zigbee_eui_text(n->ext, text);
    cJSON_AddStringToObject(o, "coordinator", text);
    if (!g->up) return;
    cJSON_AddNumberToObject(o, "channel", n->channel);
    snprintf(text, sizeof text, "%04x", n->pan_id);
    cJSON_AddStringToObject(o, "pan_id", text);
    snprintf(text, sizeof text, "%016llx", (unsigned long long)n->epid);
    cJSON_AddStringToObject(o, "extended_pan_id", text);
    if (key) cJSON_AddNumberToObject(o, "key_sequence", key->seq);
    uint64_t open = g->permit_until != GATEWAY_NEVER && g->permit_until > g->now
                        ? (g->permit_until - g->now + GATEWAY_S - 1) / GATEWAY_S
                        : 0;
    cJSON_AddNumberToObject(o, "permit_seconds", (double)open);
}

static void add_counts(cJSON *doc, const struct gateway *g)
{
    unsigned counts[GATEWAY_UPGRADE_ABORTED + 1] = {0};
    cJSON *o = cJSON_AddObjectToObject(doc, "upgrades");
    for (unsigned i = 0; i < g->c.devices; i++)
        if (g->devices[i].ext) counts[g->devices[i].upgrade]++;
    for (unsigned u = GATEWAY_UPGRADE_WAITING; u <= GATEWAY_UPGRADE_ABORTED; u++)
        cJSON_AddNumberToObject(o, gateway_upgrade_name(u), counts[u]);
}

cJSON *gateway_status(struct gateway *g, uint64_t now)
{
    cJSON *doc = cJSON_CreateObject();
    g->now = now;
    add_network(doc, g);
    add_counts(doc, g);
    cJSON_AddBoolToObject(doc, "quiet", gateway_quiet(g));
    cJSON_AddBoolToObject(doc, "paused", g->paused);
    cJSON_AddBoolToObject(doc, "manual", g->c.manual);
    cJSON_AddBoolToObject(doc, "dry_run", g->c.dry_run);
    cJSON_AddNumberToObject(doc, "parallel", g->c.parallel);
    cJSON_AddBoolToObject(doc, "idle", gateway_idle(g));
    cJSON *list = cJSON_AddArrayToObject(doc, "devices");
    for (unsigned i = 0; i < g->c.devices; i++)
        if (g->devices[i].ext) cJSON_AddItemToArray(list, gateway_device_json(&g->devices[i]));
    cJSON_AddItemToObject(doc, "images",
                          g->c.images ? gateway_images_json(g->c.images) : cJSON_CreateArray());
    return doc;
}
