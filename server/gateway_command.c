/* Commands of operators: JSON in, JSON out. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "host/zigbee_file.h"
#include "radio/zb_backup.h"
#include "server/gateway_impl.h"

#define PERMIT_MAX_S 3600u

struct command {
    struct gateway *g;
    uint64_t now;
    const cJSON *in;
    cJSON *out;
    char error[300];
};

static void wrong(struct command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void wrong(struct command *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->error, sizeof c->error, format, args);
    va_end(args);
}

static const char *text_of(const struct command *c, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(c->in, name));
}

static bool number_of(struct command *c, const char *name, unsigned least, unsigned most,
                      unsigned *out)
{
    const cJSON *item = cJSON_GetObjectItem(c->in, name);
    if (cJSON_IsNumber(item) && item->valuedouble >= least && item->valuedouble <= most &&
        item->valuedouble == (unsigned)item->valuedouble) {
        *out = (unsigned)item->valuedouble;
        return true;
    }
    wrong(c, "\"%s\": a number from %u to %u is needed", name, least, most);
    return false;
}

/* "device", which must be known. NULL: wrong() was called. */
static struct gateway_device *device_of(struct command *c)
{
    uint64_t ext;
    const char *text = text_of(c, "device");
    if (!text || !zigbee_eui_parse(text, &ext)) {
        wrong(c, "\"device\": an EUI-64 is needed, like \"74:4d:bd:ff:fe:60:aa:02\"");
        return NULL;
    }
    struct gateway_device *d = gateway_device(c->g, ext);
    if (!d) wrong(c, "no device %s is known", text);
    return d;
}

/* ---- The commands ---- */

static void run_status(struct command *c)
{
    cJSON *status = gateway_status(c->g, c->now);
    while (status->child) {
        cJSON *item = cJSON_DetachItemViaPointer(status, status->child);
        cJSON_AddItemToObject(c->out, item->string, item);
    }
    cJSON_Delete(status);
}

static void run_devices(struct command *c)
{
    cJSON *list = cJSON_AddArrayToObject(c->out, "devices");
    for (unsigned i = 0; i < c->g->c.devices; i++)
        if (c->g->devices[i].ext)
            cJSON_AddItemToArray(list, gateway_device_json(&c->g->devices[i]));
}

static void run_images(struct command *c)
{
    cJSON_AddItemToObject(c->out, "images",
                          c->g->c.images ? gateway_images_json(c->g->c.images)
                                         : cJSON_CreateArray());
}

static void run_permit(struct command *c)
{
    unsigned seconds;
    if (!number_of(c, "seconds", 0, PERMIT_MAX_S, &seconds)) return;
    if (gateway_permit(c->g, c->now, seconds)) wrong(c, "the network is not up");
}

static void run_install_code(struct command *c)
{
    uint64_t ext;
    const char *text = text_of(c, "device"), *code = text_of(c, "code");
    if (!text || !zigbee_eui_parse(text, &ext))
        wrong(c, "\"device\": an EUI-64 is needed, like \"74:4d:bd:ff:fe:60:aa:02\"");
    else if (!code)
        wrong(c, "\"code\": the install code with its CRC is needed, in hexadecimal digits");
    else
        gateway_install_code(c->g, ext, code, c->error, sizeof c->error);
}

static void run_notify(struct command *c)
{
    struct al_zota_peer to = {AL_NWK_ALL, 0xff};
    uint8_t jitter = 100;
    if (cJSON_HasObjectItem(c->in, "device")) {
        const struct gateway_device *d = device_of(c);
        if (!d) return;
        to = (struct al_zota_peer){d->addr, d->ota_endpoint ? d->ota_endpoint : 0xff};
    }
    if (al_zota_server_notify(al_zcl_ota_server_at(&c->g->ota, c->now), to, 0, jitter, NULL))
        wrong(c, "the queue is full; try again");
}

static void order(struct gateway_device *d, uint64_t ref, bool force)
{
    d->ordered = true;
    d->force = force;
    d->ref = ref;
    d->attempts = 0;
    d->asleep = false;
    d->error[0] = '\0';
    gateway_upgrade_set(d, GATEWAY_UPGRADE_WAITING, d->gateway->now);
    gateway_device_save(d);
}

static const struct gateway_image *image_named(const struct gateway *g, const char *name)
{
    const struct gateway_image *i;
    for (size_t k = 0; g->c.images && (i = gateway_images_at(g->c.images, k)); k++)
        if (!i->gone && strcmp(i->name, name) == 0) return i;
    return NULL;
}

static bool under_way(const struct gateway_device *d)
{
    return gateway_upgrade_active(d) || d->upgrade == GATEWAY_UPGRADE_RESTARTING;
}

static unsigned order_all(struct command *c, bool force)
{
    unsigned count = 0;
    for (unsigned i = 0; i < c->g->c.devices; i++) {
        struct gateway_device *d = &c->g->devices[i];
        char why[200];
        if (!d->ext || d->away || !d->ota_endpoint || under_way(d)) continue;
        struct gateway_device before = *d;
        struct al_zota_wanted w = gateway_wanted(d);
        d->ordered = true;
        d->force = force;
        d->ref = 0;
        bool known = d->image_type != 0xffff;
        if (known && !gateway_choose(d, &w, why, sizeof why)) {
            *d = before;
            continue;
        }
        order(d, 0, force);
        count++;
    }
    return count;
}

static void run_upgrade(struct command *c)
{
    const cJSON *forced = cJSON_GetObjectItem(c->in, "force");
    bool force = cJSON_IsTrue(forced);
    const char *file = text_of(c, "file");
    if (forced && !cJSON_IsBool(forced)) {
        wrong(c, "\"force\": true or false is needed");
        return;
    }
    const struct gateway_image *i = file ? image_named(c->g, file) : NULL;
    if (file && !i) {
        wrong(c, "there is no file \"%s\"", file);
        return;
    }
    if (!cJSON_HasObjectItem(c->in, "device")) {
        if (file)
            wrong(c, "\"file\" is for one device: \"device\" is missing");
        else
            cJSON_AddNumberToObject(c->out, "ordered", order_all(c, force));
        return;
    }
    struct gateway_device *d = device_of(c);
    if (!d) return;
    char why[200] = "";
    struct gateway_device before = *d;
    struct al_zota_wanted w = gateway_wanted(d);
    if (under_way(d)) {
        wrong(c, "an upgrade of it is under way");
        return;
    }
    d->ordered = true;
    d->force = force;
    d->ref = i ? i->ref : 0;
    if (d->image_type != 0xffff && !gateway_choose(d, &w, why, sizeof why)) {
        *d = before;
        wrong(c, "%s", why);
        return;
    }
    order(d, i ? i->ref : 0, force);
}

static bool abort_one(struct gateway_device *d, uint64_t now)
{
    struct gateway *g = d->gateway;
    struct al_zota_session *s = gateway_session(d);
    if (d->upgrade < GATEWAY_UPGRADE_WAITING || d->upgrade > GATEWAY_UPGRADE_VERIFYING)
        return false;
    gateway_upgrade_fail(d, GATEWAY_UPGRADE_ABORTED, "aborted by the operator");
    if (s) al_zota_server_abort(al_zcl_ota_server_at(&g->ota, now), now, s);
    return true;
}

static void run_abort(struct command *c)
{
    unsigned count = 0;
    if (cJSON_HasObjectItem(c->in, "device")) {
        struct gateway_device *d = device_of(c);
        if (d && !abort_one(d, c->now)) wrong(c, "no upgrade of it waits or is under way");
        return;
    }
    for (unsigned i = 0; i < c->g->c.devices; i++)
        if (c->g->devices[i].ext) count += abort_one(&c->g->devices[i], c->now);
    cJSON_AddNumberToObject(c->out, "aborted", count);
}

static void run_interview(struct command *c)
{
    struct gateway_device *d = device_of(c);
    if (d) gateway_interview_start(d, c->now);
}

static void run_read_version(struct command *c)
{
    struct gateway_device *d = device_of(c);
    if (!d) return;
    if (!d->ota_endpoint)
        wrong(c, "it has no OTA client, as far as is known");
    else
        gateway_read_version(d, c->now);
}

static void run_remove(struct command *c)
{
    struct gateway_device *d = device_of(c);
    if (!d) return;
    int err = d->away ? 0 : al_trust_remove(&c->g->zb->node.trust, c->now, d->ext);
    if (err && err != AL_ERR_NOT_FOUND) {
        wrong(c, "it could not be told to leave; try again");
        return;
    }
    gateway_tell(c->g, GATEWAY_LEFT, d, "was removed", NULL);
    gateway_device_forget(d);
}

static void run_change_key(struct command *c)
{
    if (al_trust_change_key(&c->g->zb->node.trust, c->now))
        wrong(c, "a change of the key is under way, or the network is not up");
}

static void run_pause(struct command *c)
{
    c->g->paused = true;
}

static void run_resume(struct command *c)
{
    c->g->paused = false;
}

static void run_parallel(struct command *c)
{
    unsigned value;
    if (!number_of(c, "value", 1, 1000, &value)) return;
    c->g->c.parallel = (uint16_t)value;
    c->g->ota.engine.config.parallel = (uint16_t)value;
}

static void run_backup(struct command *c)
{
    cJSON *backup = zb_backup_make(&c->g->zb->node);
    if (backup)
        cJSON_AddItemToObject(c->out, "backup", backup);
    else
        wrong(c, "there is no network to back up");
}

static const struct {
    const char *name;
    void (*run)(struct command *c);
    const char *arguments[3];
} commands[] = {
    {"status", run_status, {NULL}},
    {"devices", run_devices, {NULL}},
    {"images", run_images, {NULL}},
    {"permit", run_permit, {"seconds"}},
    {"install-code", run_install_code, {"device", "code"}},
    {"notify", run_notify, {"device"}},
    {"upgrade", run_upgrade, {"device", "file", "force"}},
    {"abort", run_abort, {"device"}},
    {"interview", run_interview, {"device"}},
    {"read-version", run_read_version, {"device"}},
    {"remove", run_remove, {"device"}},
    {"change-key", run_change_key, {NULL}},
    {"pause", run_pause, {NULL}},
    {"resume", run_resume, {NULL}},
    {"parallel", run_parallel, {"value"}},
    {"backup", run_backup, {NULL}},
};

/* A mistyped "device" must not make a command for one device one for all. */
static bool arguments_known(struct command *c, const char *const arguments[3])
{
    const cJSON *item;
    cJSON_ArrayForEach(item, c->in)
    {
        bool known = strcmp(item->string, "command") == 0;
        for (size_t i = 0; i < 3 && arguments[i]; i++)
            known |= strcmp(item->string, arguments[i]) == 0;
        if (known) continue;
        wrong(c, "\"%s\": this command has no such argument", item->string);
        return false;
    }
    return true;
}

static void run_named(struct command *c, const char *name)
{
    for (size_t i = 0; name && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, name) != 0) continue;
        if (arguments_known(c, commands[i].arguments)) commands[i].run(c);
        return;
    }
    wrong(c, "\"command\": there is none called \"%s\"; 'airlift zigbee control --help' lists them",
          name ? name : "");
}

cJSON *gateway_command(struct gateway *g, uint64_t now, const cJSON *in)
{
    struct command c = {.g = g, .now = now, .in = in, .out = cJSON_CreateObject()};
    g->now = now;
    cJSON *ok = cJSON_AddTrueToObject(c.out, "ok");
    run_named(&c, text_of(&c, "command"));
    if (c.error[0]) {
        ok->type = cJSON_False;
        cJSON_AddStringToObject(c.out, "error", c.error);
    }
    gateway_touch(g);
    return c.out;
}
