/* See artifacts.h. */
#include "server/artifacts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "server/answers.h"
#include "server/firmware.h"
#include "server/image_check.h"
#include "server/log.h"
#include "server/zigbee_check.h"

/* What a POST is about; hangs on the request until it is gone. */
struct upload {
    struct artifact artifact;
    char expected_sha256[BLOB_HEX_LEN]; /* "": not told */
    struct blob_draft *draft;
};

static cJSON *artifact_json(const struct artifact *a)
{
    char text[sizeof FIRMWARE_PREFIX + ARTIFACT_NAME_MAX];
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "name", a->name);
    cJSON_AddStringToObject(doc, "sha256", a->sha256);
    cJSON_AddNumberToObject(doc, "size", (double)a->size);
    cJSON_AddStringToObject(doc, "kind", a->kind);
    snprintf(text, sizeof text, FIRMWARE_PREFIX "%s", a->name);
    cJSON_AddStringToObject(doc, "url", text);
    struct al_zota_id id;
    if (zigbee_ids(a, &id)) {
        cJSON_AddNumberToObject(doc, "manufacturer_code", id.manufacturer);
        cJSON_AddNumberToObject(doc, "image_type", id.image_type);
        cJSON_AddNumberToObject(doc, "file_version", id.file_version);
        cJSON_AddStringToObject(doc, "header_string", a->project);
        cJSON_AddStringToObject(doc, "version", a->version);
    } else if (a->chip[0]) {
        cJSON_AddStringToObject(doc, "chip", a->chip);
        cJSON_AddStringToObject(doc, "project_name", a->project);
        cJSON_AddStringToObject(doc, "version", a->version);
        cJSON_AddNumberToObject(doc, "secure_version", a->secure_version);
    }
    time_t t = (time_t)a->published;
    struct tm tm;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
    cJSON_AddStringToObject(doc, "published", text);
    return doc;
}

static int add_to_array(void *array, const struct artifact *a)
{
    return cJSON_AddItemToArray(array, artifact_json(a)) ? 0 : -ENOMEM;
}

void artifacts_list(struct api *api, struct http_request *r)
{
    cJSON *doc = cJSON_CreateObject();
    store_list(api->store, add_to_array, cJSON_AddArrayToObject(doc, "artifacts"));
    answer_json(r, 200, doc);
}

void artifacts_show(struct api *api, struct http_request *r, const char *name)
{
    struct artifact a;
    int err = store_find(api->store, name, &a, NULL);
    if (err != 0) {
        answer_store_error(r, err, name);
        return;
    }
    cJSON *doc = artifact_json(&a);
    err = store_history(api->store, name, add_to_array, cJSON_AddArrayToObject(doc, "history"));
    if (err == 0) {
        answer_json(r, 200, doc);
        return;
    }
    cJSON_Delete(doc);
    answer_store_error(r, err, name);
}

void artifacts_delete(struct api *api, struct http_request *r, const char *name)
{
    int err = store_withdraw(api->store, name);
    if (err != 0) {
        answer_store_error(r, err, name);
        return;
    }
    if (api->gateway) gateway_thread_images_changed(api->gateway);
    server_log("deleted '%s'", name);
    http_answer_text(r, 204, "text/plain", "");
}

static void answer_too_large(const struct api *api, struct http_request *r)
{
    char text[160];
    snprintf(text, sizeof text, "the file is larger than this server takes: %" PRIu64 " bytes",
             api->max_size);
    answer_error(r, 413, "too_large", text, "start airliftd with a larger --max-size");
}

/* The arguments of the request into u; answers when something is wrong with them. */
static bool take_arguments(struct http_request *r, struct upload *u)
{
    struct artifact *a = &u->artifact;
    if (!http_request_query(r, "name", a->name, sizeof a->name) || !artifact_name_ok(a->name)) {
        answer_error(r, 400, "name", "'name' is missing, or no name for an artifact",
                     "up to 127 letters, digits and . _ + - beginning with a letter or digit: "
                     "?name=app.bin");
        return false;
    }
    bool told = http_request_query(r, "kind", a->kind, sizeof a->kind);
    if (told && !image_kind_ok(a->kind)) {
        answer_error(r, 400, "kind", "'kind' is not known",
                     "esp-app, esp-bootloader, zigbee or other; without it, it is found out");
        return false;
    }
    http_request_query(r, "sha256", u->expected_sha256, sizeof u->expected_sha256);
    return true;
}

void artifacts_upload_begin(struct api *api, struct http_request *r)
{
    struct upload *u = calloc(1, sizeof *u);
    int err = u ? 0 : -ENOMEM;
    http_request_set_user(r, u);
    int64_t len = http_request_body_len(r);
    if (u && !take_arguments(r, u)) return;
    if (len > 0 && (uint64_t)len > api->max_size) {
        answer_too_large(api, r);
        return;
    }
    if (u) u->draft = blob_begin(store_blobs(api->store), &err);
    if (err != 0) {
        server_log("cannot take a file: %s", strerror(-err));
        answer_store_error(r, err, "");
    }
}

void artifacts_upload_body(void *ctx, struct http_request *r, const void *data, size_t len)
{
    const struct api *api = ctx;
    struct upload *u = http_request_user(r);
    if (!u || !u->draft) return;
    if (blob_draft_size(u->draft) + len > api->max_size) {
        answer_too_large(api, r);
        return;
    }
    int err = blob_write(u->draft, data, len);
    if (err != 0) {
        server_log("'%s' cannot be written: %s", u->artifact.name, strerror(-err));
        answer_store_error(r, err, u->artifact.name);
    }
}

/* The whole file is there: is it what it should be? Answers when not. */
static bool content_ok(struct http_request *r, struct upload *u)
{
    struct image_refusal why;
    char code[48];
    const char *sha256 = blob_draft_sha256(u->draft);
    if (blob_draft_size(u->draft) == 0) {
        answer_error(r, 400, "empty", "the file is empty", "send it as the body of the request");
        return false;
    }
    if (u->expected_sha256[0] && strcasecmp(u->expected_sha256, sha256) != 0) {
        answer_error(r, 400, "sha256", "the file arrived with another SHA-256 than announced",
                     "send it again");
        return false;
    }
    const uint8_t *data = blob_draft_data(u->draft);
    if (!data) {
        answer_store_error(r, -EIO, u->artifact.name);
        return false;
    }
    if (image_check(data, blob_draft_size(u->draft), &u->artifact, &why)) return true;
    server_log("'%s' refused: %s", u->artifact.name, why.message);
    snprintf(code, sizeof code, "image_%s", why.check);
    answer_error(r, 422, code, why.message,
                 strcmp(u->artifact.kind, ZIGBEE_KIND) == 0
                     ? "'airlift zigbee verify --lenient FILE' makes the same checks"
                     : "'airlift image verify FILE' makes the same checks; files that are no "
                       "images are published with kind=other");
    return false;
}

void artifacts_upload_end(void *ctx, struct http_request *r)
{
    struct api *api = ctx;
    struct upload *u = http_request_user(r);
    bool fresh = false;
    if (!u || !u->draft) return;
    int err = blob_seal(u->draft);
    if (err == 0 && !content_ok(r, u)) return;
    if (err == 0) {
        err = store_publish(api->store, u->draft, &u->artifact, &fresh);
        u->draft = NULL;
    }
    if (err != 0) {
        server_log("'%s' cannot be stored: %s", u->artifact.name, strerror(-err));
        answer_store_error(r, err, u->artifact.name);
        return;
    }
    const struct artifact *a = &u->artifact;
    if (fresh)
        server_log("published '%s': %s%s%s%s%s, %" PRIu64 " bytes, sha256 %.12s...", a->name,
                   a->kind, a->project[0] ? " " : "", a->project, a->version[0] ? " " : "",
                   a->version, a->size, a->sha256);
    if (fresh && api->gateway) gateway_thread_images_changed(api->gateway);
    answer_json(r, fresh ? 201 : 200, artifact_json(&u->artifact));
}

void artifacts_upload_gone(void *ctx, struct http_request *r)
{
    struct upload *u = http_request_user(r);
    if (!u) return;
    blob_drop(u->draft);
    free(u);
}
