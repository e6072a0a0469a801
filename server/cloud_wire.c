/* See cloud_wire.h. */
#include "server/cloud_wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/cloud_body.h"
#include "server/cloud_list.h"
#include "server/firmware.h"
#include "server/log.h"

/* Hangs on a request until it is gone. */
struct visit {
    struct cloud_device device;
    int64_t product, owner_key; /* of a deployment */
    char product_name[CLOUD_NAME_MAX + 1];
    struct cloud_body body;
    bool downloads;
    uint64_t end; /* where the file ends, and what is sent of it */
    struct firmware_sent sent;
    struct cloud_event event;
};

const char *cloud_wire_peer(const struct http_request *r, char out[64])
{
    static const char mapped[] = "::ffff:";
    http_request_peer(r, out);
    if (strncmp(out, mapped, sizeof mapped - 1) == 0 && strchr(out, '.'))
        memmove(out, out + sizeof mapped - 1, strlen(out) - sizeof mapped + 2);
    return out;
}

static void answer_status(struct http_request *r, unsigned status, const char *message)
{
    char text[480];
    cloud_status_text(status, message, text, sizeof text);
    http_answer_in_one(r);
    http_answer_text(r, status, "application/json", text);
    if (status >= 400) http_answer_header(r, "Connection", "close");
}

static void answer_refusal(struct http_request *r, const struct cloud_refusal *why)
{
    char message[sizeof why->message];
    snprintf(message, sizeof message, "%s", why->message);
    for (char *p = message; *p; p++)
        if (*p == '"' || *p == '\\' || (unsigned char)*p < ' ' || *p > '~') *p = '?';
    answer_status(r, why->status, message);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* May who go on? Answers when not. */
static bool within(struct http_request *r, struct cloud_limit *l, uint64_t who)
{
    char text[16];
    unsigned wait = cloud_limit_take(l, who, now_ms());
    if (wait == 0) return true;
    answer_status(r, 429, "too many requests");
    snprintf(text, sizeof text, "%u", wait);
    http_answer_header(r, "Retry-After", text);
    return false;
}

/* A stranger gets a line in the log, as wrong tokens of publishers do; but one a second at most,
 * and nothing on the disk: there is no end of strangers. */
static bool refuse_key(struct cloud_service *s, struct http_request *r, int err)
{
    char peer[64];
    long long now = now_ms();
    if (err != -ENOENT) {
        answer_status(r, 500, "the storage of the server failed");
        return false;
    }
    answer_status(r, 403, "the token is missing or not right");
    if (now - atomic_load(&s->told_ms) >= 1000) {
        atomic_store(&s->told_ms, now);
        server_log("%s: no token of a module or product", cloud_wire_peer(r, peer));
    }
    return false;
}

/* Whose key is it? Answers when it is nobody's. */
static bool is_device(struct cloud_service *s, struct http_request *r, struct visit *v)
{
    char key[CLOUD_KEY_LEN + 1];
    if (!cloud_authorization(http_request_header(r, "Authorization"), key))
        return refuse_key(s, r, -ENOENT);
    int err = cloud_device_of_key(s->cloud, key, &v->device);
    if (err != 0) return refuse_key(s, r, err);
    if (!within(r, s->keys, cloud_limit_text(key))) return false;
    snprintf(v->event.device_name, sizeof v->event.device_name, "%s", v->device.name);
    snprintf(v->event.product, sizeof v->event.product, "%s", v->device.product_name);
    v->event.device = v->device.id;
    cloud_note_active(s->cloud, v->device.id);
    if (!v->device.activated) {
        struct cloud_event first = v->event;
        snprintf(first.action, sizeof first.action, "activate");
        snprintf(first.status, sizeof first.status, "done");
        cloud_note_event(s->cloud, &first);
    }
    return true;
}

static void list(struct cloud_service *s, struct http_request *r, const struct visit *v,
                 bool with_files)
{
    struct cloud_list text;
    int err = cloud_list_for(s->cloud, &v->device, with_files, &text);
    if (err == -ENOENT) {
        answer_status(r, 404, "no version is recommended for this product");
    } else if (err != 0) {
        answer_status(r, 500, "the storage of the server failed");
    } else {
        http_answer_in_one(r);
        http_answer_text(r, 200, "application/json", text.text);
    }
}

/* Somebody will look for the reason why the module does not upgrade. */
static void note_missing(struct cloud_service *s, struct visit *v, const char *version,
                         const char *file)
{
    struct cloud_event *e = &v->event;
    snprintf(e->version, sizeof e->version, "%s", version);
    snprintf(e->file, sizeof e->file, "%s", file);
    cloud_make_plain(e->version);
    cloud_make_plain(e->file);
    snprintf(e->status, sizeof e->status, "missing");
    cloud_note_event(s->cloud, e);
}

/* The store holds in memory what its names stand for, for all who load it; a content without a
 * name is opened for this one. */
static struct blob *open_content(struct store *s, const struct cloud_file *f, int *err)
{
    struct artifact a;
    struct blob *blob;
    if (store_find(s, f->artifact, &a, &blob) == 0) {
        if (strcmp(a.sha256, f->sha256) == 0) return blob;
        blob_release(blob);
    }
    return blob_open(store_blobs(s), f->sha256, err);
}

static void download(struct cloud_service *s, struct http_request *r, struct visit *v)
{
    char version[CLOUD_VERSION_MAX + 1], file[CLOUD_FILE_MAX + 1];
    struct cloud_file found;
    int err = -ENOENT;
    bool fits = cloud_query_value(http_request_query_raw(r, "version"), version, sizeof version) &&
                cloud_query_value(http_request_query_raw(r, "filename"), file, sizeof file);
    snprintf(v->event.action, sizeof v->event.action, "download");
    if (fits) err = cloud_file_find(s->cloud, &v->device, version, file, &found);
    if (fits && err == -ENOENT) note_missing(s, v, version, file);
    struct blob *blob = err == 0 ? open_content(s->store, &found, &err) : NULL;
    if (!blob) {
        answer_status(r, err == -ENOENT ? 404 : 500,
                      err == -ENOENT ? "no such version or file" : "the file cannot be read");
        return;
    }
    struct artifact a = {.size = blob_size(blob), .published = found.deployed};
    snprintf(a.sha256, sizeof a.sha256, "%s", found.sha256);
    http_answer_in_one(r);
    v->sent = firmware_send(r, &a, blob);
    v->downloads = http_request_is(r, "GET") && (v->sent.status == 200 || v->sent.status == 206);
    v->end = a.size;
    snprintf(v->event.version, sizeof v->event.version, "%s", found.version);
    snprintf(v->event.file, sizeof v->event.file, "%s", found.name);
}

static void rom(struct cloud_service *s, struct http_request *r, struct visit *v)
{
    char action[32], simple[8];
    if (!http_request_is(r, "GET") && !http_request_is(r, "HEAD")) {
        answer_status(r, 405, "GET is for this address");
    } else if (is_device(s, r, v)) {
        const char *raw = http_request_query_raw(r, "action");
        bool known =
            cloud_query_value(raw, action, sizeof action) && strcmp(action, "download_rom") == 0;
        bool short_form = cloud_query_value(http_request_query_raw(r, "is_format_simple"), simple,
                                            sizeof simple) &&
                          strcmp(simple, "true") == 0;
        if (!raw)
            list(s, r, v, !short_form);
        else if (known)
            download(s, r, v);
        else
            answer_status(r, 404, "no such action");
    }
}

static void begin_deploy(struct cloud_service *s, struct http_request *r, struct visit *v,
                         const char *rest)
{
    char key[CLOUD_KEY_LEN + 1], *end;
    long long id = strtoll(rest, &end, 10);
    if (end == rest || (strcmp(end, "/roms") != 0 && strcmp(end, "/roms/") != 0)) {
        answer_status(r, 404, "there is nothing at this address");
        return;
    }
    if (!http_request_is(r, "POST")) {
        answer_status(r, 405, "POST is for this address");
        return;
    }
    bool given = cloud_authorization(http_request_header(r, "Authorization"), key);
    int err = given
                  ? cloud_product_of_key(s->cloud, key, &v->product, v->product_name, &v->owner_key)
                  : -ENOENT;
    if (err != 0 || v->product != id)
        refuse_key(s, r, err != 0 ? err : -ENOENT);
    else
        within(r, s->keys, cloud_limit_text(key));
}

void cloud_wire_begin(struct cloud_service *s, struct http_request *r, const char *path)
{
    static const char products[] = "products/";
    struct visit *v = calloc(1, sizeof *v);
    http_request_set_user(r, v);
    if (!v) {
        answer_status(r, 503, "no memory");
        return;
    }
    cloud_wire_peer(r, v->event.address);
    http_request_hurry(r);
    if (!within(r, s->addresses, cloud_limit_address(v->event.address))) return;
    path += sizeof CLOUD_WIRE_PREFIX - 1;
    if (strcmp(path, "device/rom") == 0 || strcmp(path, "device/rom/") == 0)
        rom(s, r, v);
    else if (strncmp(path, products, sizeof products - 1) == 0)
        begin_deploy(s, r, v, path + sizeof products - 1);
    else if (strcmp(path, "messages") != 0 && strcmp(path, "messages/") != 0)
        answer_status(r, 404, "there is nothing at this address");
    else if (!http_request_is(r, "POST"))
        answer_status(r, 405, "POST is for this address");
    else
        is_device(s, r, v);
}

void cloud_wire_body(struct cloud_service *s, struct http_request *r, const void *data, size_t len)
{
    struct visit *v = http_request_user(r);
    if (!cloud_body_add(&v->body, data, len)) answer_status(r, 413, "the body is too long");
}

static void take_report(struct cloud_service *s, struct http_request *r, struct visit *v)
{
    struct cloud_report report;
    if (!cloud_report_parse(v->body.text ? v->body.text : "", v->body.len, &report)) {
        answer_status(r, 400, "the body is no message with get.action");
        return;
    }
    struct cloud_event *e = &v->event;
    snprintf(e->action, sizeof e->action, "%s", report.action);
    snprintf(e->version, sizeof e->version, "%s", report.version);
    snprintf(e->status, sizeof e->status, "reported");
    if (report.before[0]) snprintf(e->detail, sizeof e->detail, "from %s", report.before);
    cloud_note_event(s->cloud, e);
    answer_status(r, 200, "noted");
}

static void take_deploy(struct cloud_service *s, struct http_request *r, struct visit *v)
{
    char who[120];
    struct cloud_deploy d;
    struct cloud_refusal why;
    cJSON *doc = NULL;
    snprintf(who, sizeof who, "owner key %" PRId64 " from %s", v->owner_key, v->event.address);
    if (!cloud_deploy_parse(v->body.text ? v->body.text : "", v->body.len, &d, &why) ||
        !cloud_deploy(s->cloud, who, v->product_name, &d, &doc, &why)) {
        answer_refusal(r, &why);
        return;
    }
    server_log("deployed %s of '%s' for modules (%s)", d.version, v->product_name, who);
    cJSON_Delete(doc);
    answer_status(r, 200, "deployed");
}

void cloud_wire_end(struct cloud_service *s, struct http_request *r)
{
    struct visit *v = http_request_user(r);
    if (v->product)
        take_deploy(s, r, v);
    else
        take_report(s, r, v);
}

/* A part that is not the last of its file is no news, as long as it arrives. */
void cloud_wire_gone(struct cloud_service *s, struct http_request *r)
{
    struct visit *v = http_request_user(r);
    if (!v) return;
    bool complete = http_request_complete(r);
    if (v->downloads && (!complete || v->sent.first + v->sent.len == v->end)) {
        snprintf(v->event.status, sizeof v->event.status, complete ? "done" : "interrupted");
        v->event.bytes = v->sent.len;
        if (v->sent.status == 206)
            snprintf(v->event.detail, sizeof v->event.detail, "from byte %" PRIu64, v->sent.first);
        cloud_note_event(s->cloud, &v->event);
    }
    free(v->body.text);
    free(v);
}

static void handler_begin(void *ctx, struct http_request *r)
{
    const char *path = http_request_path(r);
    if (path && strncmp(path, CLOUD_WIRE_PREFIX, sizeof CLOUD_WIRE_PREFIX - 1) == 0)
        cloud_wire_begin(ctx, r, path);
    else
        answer_status(r, 404, "there is nothing at this address");
}

static void handler_body(void *ctx, struct http_request *r, const void *data, size_t len)
{
    cloud_wire_body(ctx, r, data, len);
}

static void handler_end(void *ctx, struct http_request *r)
{
    cloud_wire_end(ctx, r);
}

static void handler_gone(void *ctx, struct http_request *r)
{
    cloud_wire_gone(ctx, r);
}

const struct http_handler cloud_wire_handler = {
    .begin = handler_begin,
    .body = handler_body,
    .end = handler_end,
    .gone = handler_gone,
};
