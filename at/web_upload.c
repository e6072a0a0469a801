/* Uploads over HTTP. See web_upload.h. */
#include "at/web_upload.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/at_ota_target.h"
#include "at/web_text.h"
#include "esp/esp-idf/idf_device.h"
#include "esp_log.h"

static const char *TAG = "at-web";

#define APP_HEAD (AL_IMAGE_HEADER_LEN + AL_IMAGE_SEGMENT_HEADER_LEN + AL_APP_DESC_LEN)

enum upload_state { UPLOAD_HEAD, UPLOAD_BODY, UPLOAD_FAILED, UPLOAD_DONE };

struct web_upload {
    enum upload_state state;
    char object[WEB_LABEL_MAX + 1];
    struct at_ota_target target;
    uint64_t len, taken;
    uint8_t head[APP_HEAD]; /* of an app */
    size_t head_len;
    int64_t last_ms, window_ms;
    uint64_t window_bytes;
    void (*tell)(int n);
    char why[WEB_WHY];
};

static struct web_upload *current; /* the one that is in HEAD or BODY */

static void set_state(struct web_upload *u, enum upload_state state)
{
    static const char *const name[] = {"head", "body", "failed", "done"};
    ESP_LOGD(TAG, "upload: %s -> %s", name[u->state], name[state]);
    u->state = state;
    if (state >= UPLOAD_FAILED && current == u) current = NULL;
}

__attribute__((format(printf, 2, 3))) static bool fail(struct web_upload *u, const char *format,
                                                       ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(u->why, sizeof u->why, format, list);
    va_end(list);
    at_ota_target_abort(&u->target);
    set_state(u, UPLOAD_FAILED);
    ESP_LOGE(TAG, "upload: %s", u->why);
    u->tell(5);
    return false;
}

/* What al_ota_check_image asks, with words for the one fault that people meet. */
static bool check_app_head(struct web_upload *u)
{
    struct al_image_header h;
    esp_app_desc_t desc;
    al_image_header_parse(u->head, &h);
    if (h.magic != AL_IMAGE_MAGIC) return true; /* the target says which byte is wrong */
    struct al_ota *o = idf_device_lock();
    const struct al_chip *here = o->device.chip, *there = al_chip_by_id(h.chip_id);
    idf_device_unlock();
    if (there != here)
        return fail(u, "this image is for %s; this device is an %s",
                    there ? there->title : "an unknown chip", here->title);
    memcpy(&desc, u->head + AL_IMAGE_DESC_OFFSET, sizeof desc);
    bool described = desc.magic_word == ESP_APP_DESC_MAGIC_WORD;
    esp_err_t err = esp_ota_check_image_validity(
        ESP_PARTITION_TYPE_APP, (const esp_image_header_t *)u->head, described ? &desc : NULL);
    if (err) return fail(u, "this image does not fit this device: %s", esp_err_to_name(err));
    return true;
}

static bool fast_enough(struct web_upload *u, size_t len, int64_t now_ms)
{
    u->last_ms = now_ms;
    u->window_bytes += len;
    if (now_ms - u->window_ms < WEB_UPLOAD_WINDOW_MS) return true;
    uint64_t least = WEB_UPLOAD_LEAST_RATE * (uint64_t)(now_ms - u->window_ms) / 1000;
    bool enough = u->window_bytes >= least;
    u->window_ms = now_ms;
    u->window_bytes = 0;
    return enough;
}

static bool put(struct web_upload *u, const void *data, size_t len)
{
    return at_ota_target_write(&u->target, data, len) ? true : fail(u, "%s", u->target.why);
}

/* Bytes from data that belong to the head of an app. false: it was wrong. */
static bool fill_head(struct web_upload *u, const uint8_t **data, size_t *len)
{
    size_t n = sizeof u->head - u->head_len;
    if (n > *len) n = *len;
    memcpy(u->head + u->head_len, *data, n);
    u->head_len += n;
    *data += n;
    *len -= n;
    if (u->head_len < sizeof u->head) return true;
    if (!check_app_head(u)) return false;
    set_state(u, UPLOAD_BODY);
    return put(u, u->head, u->head_len);
}

bool web_upload_write(struct web_upload *u, const void *data, size_t len, int64_t now_ms)
{
    const uint8_t *bytes = data;
    if (u->state > UPLOAD_BODY) return false;
    if (!fast_enough(u, len, now_ms)) return fail(u, "the upload came too slowly and was given up");
    u->taken += len;
    if (u->state == UPLOAD_HEAD && !fill_head(u, &bytes, &len)) return false;
    return len == 0 || put(u, bytes, len);
}

bool web_upload_end(struct web_upload *u)
{
    if (u->state > UPLOAD_BODY) return u->state == UPLOAD_DONE;
    if (u->taken != u->len)
        return fail(u, "the upload ended after %llu of %llu bytes", (unsigned long long)u->taken,
                    (unsigned long long)u->len);
    if (!at_ota_target_finish(&u->target)) return fail(u, "%s", u->target.why);
    set_state(u, UPLOAD_DONE);
    return true;
}

const char *web_upload_why(const struct web_upload *u)
{
    return u->why;
}

void web_upload_free(struct web_upload *u)
{
    if (u->state <= UPLOAD_BODY)
        fail(u, "the connection ended after %llu of %llu bytes", (unsigned long long)u->taken,
             (unsigned long long)u->len);
    free(u);
}

bool web_upload_busy(void)
{
    return current;
}

bool web_upload_writes(uint32_t address)
{
    return current && current->target.partition->address == address;
}

/* Is there a target, and room in it? */
static bool open_target(struct web_upload *u, int64_t len)
{
    struct at_ota_target *t = &u->target;
    if (!at_ota_target_find(t, u->object)) return fail(u, "%s", t->why);
    if (len <= (t->app ? (int64_t)APP_HEAD : 0))
        return fail(u, "the file is too short: %lld bytes", (long long)len);
    if (len > t->partition->size)
        return fail(u, "the file has %lld bytes, %s has room for %u", (long long)len,
                    t->partition->label, (unsigned)t->partition->size);
    if (!at_ota_target_length(t, len)) return fail(u, "%s", t->why);
    if (!t->app) set_state(u, UPLOAD_BODY);
    return true;
}

enum web_upload_result web_upload_begin(const char *object, int64_t len, int64_t now_ms,
                                        void (*tell)(int n), struct web_upload **out,
                                        char why[WEB_WHY])
{
    if (current && now_ms - current->last_ms < WEB_UPLOAD_SILENT_MS) {
        snprintf(why, WEB_WHY, "another upload is under way");
        return WEB_UPLOAD_BUSY;
    }
    if (current) fail(current, "the upload fell silent and gave way to another one");
    tell(3);
    struct web_upload *u = calloc(1, sizeof *u);
    if (!u) {
        snprintf(why, WEB_WHY, "out of memory");
        tell(5);
        return WEB_UPLOAD_FAILED;
    }
    snprintf(u->object, sizeof u->object, "%s", object);
    u->len = (uint64_t)len;
    u->last_ms = u->window_ms = now_ms;
    u->tell = tell;
    if (!open_target(u, len)) {
        snprintf(why, WEB_WHY, "%s", u->why);
        free(u);
        return WEB_UPLOAD_FAILED;
    }
    *out = current = u;
    return WEB_UPLOAD_OK;
}
