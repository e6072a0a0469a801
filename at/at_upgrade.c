#include "at/at_upgrade.h"

#include "at/at_cloud_answer.h"
#include "at/at_ota_settings.h"
#include "at/at_ota_target.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/idf_netif.h"
#include "esp_log.h"
#include "net/link.h"
#include "net/pace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_MAX 1024

static const char *TAG = AT_OTA_TAG;

/* What one run carries. */
struct run {
    struct at_upgrade *u;
    struct at_ota_settings settings;
    struct at_ota_target target;
    struct link *link;
    int64_t deadline_ms;
    bool found; /* the server, state 1 */
    uint8_t buf[READ_MAX];
};

__attribute__((format(printf, 2, 3))) static bool fail(struct run *r, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(r->u->why, sizeof r->u->why, format, list);
    va_end(list);
    return false;
}

/* An error of the link: the original's line, which people search for, and the reason. */
static bool link_failed(struct run *r, int err, const char *line)
{
    ESP_LOGE(TAG, "%s", err == HTTP_ERR_TIMEOUT ? "ota timeout" : line);
    return fail(r, "%s", link_error_text(r->link));
}

static bool target_failed(struct run *r)
{
    return fail(r, "%s", r->target.why);
}

/* ---- the connection ---- */

static void on_resolved(void *ctx)
{
    struct run *r = ctx;
    if (!r->found) r->u->reached(r->u->ctx, AT_UPGRADE_SERVER_FOUND);
    r->found = true;
}

static void hang_up(struct run *r)
{
    link_free(r->link);
    r->link = NULL;
}

static bool dial(struct run *r)
{
    char *roots;
    struct http_config cfg = {.rate_limit = idf_netif_rate(), .keep_alive = true};
    struct link_peer peer = {
        .host = r->settings.server,
        .port = r->settings.port,
        .tls = r->settings.tls,
        .connect_to = r->settings.connect_to[0] ? r->settings.connect_to : NULL,
        .ctx = r,
        .on_resolved = on_resolved,
    };
    hang_up(r);
    at_ota_settings_trust(&cfg, &roots);
    r->link = link_new(&cfg);
    free(roots);
    if (!r->link) return fail(r, "no memory for the connection");
    link_set_deadline(r->link, r->deadline_ms);
    int err = link_connect(r->link, &peer);
    if (!err) return true;
    return link_failed(
        r, err, err == HTTP_ERR_RESOLVE ? "gethostbyname failed" : "connect to ota server failed");
}

static bool send_request(struct run *r, const char *request, size_t len)
{
    if (!len)
        return fail(r, "the request cannot be made: server, token, version or name are too long, "
                       "or have blanks in them");
    int err = link_send(r->link, request, len);
    return err ? link_failed(r, err, "send http request failed") : true;
}

/* Bytes in buf; 0: the end; negative: r->u->why is set. */
static int receive(struct run *r)
{
    int n = link_receive(r->link, r->buf, sizeof r->buf);
    if (n < 0) link_failed(r, n, "recv data failed");
    return n;
}

/* ---- the version ---- */

static bool read_version(struct run *r)
{
    struct at_cloud_query_answer a;
    enum at_cloud_step step = AT_CLOUD_MORE;
    char *why = r->u->why;
    at_cloud_query_init(&a);
    while (step == AT_CLOUD_MORE) {
        int n = receive(r);
        if (n < 0) return false;
        if (n == 0) break;
        step = at_cloud_query_feed(&a, r->buf, (size_t)n, why, AT_UPGRADE_WHY);
    }
    if (step == AT_CLOUD_BAD || !at_cloud_query_end(&a, why, AT_UPGRADE_WHY)) {
        ESP_LOGE(TAG, "%s", a.unfit ? "rom_version tail error" : "rom_version error");
        return false;
    }
    snprintf(r->u->version, sizeof r->u->version, "%s", a.version);
    return true;
}

static bool ask_version(struct run *r)
{
    char request[AT_CLOUD_REQUEST_MAX];
    struct at_cloud_peer peer = at_ota_settings_peer(&r->settings);
    if (!dial(r)) return false;
    r->u->reached(r->u->ctx, AT_UPGRADE_CONNECTED);
    if (!send_request(r, request, at_cloud_query(&peer, request))) return false;
    if (!read_version(r)) return false;
    hang_up(r);
    ESP_LOGI(TAG, "version: %s", r->u->version);
    r->u->reached(r->u->ctx, AT_UPGRADE_GOT_VERSION);
    return true;
}

/* ---- the file ---- */

static bool judge_head(struct run *r, const struct at_cloud_head *h)
{
    if (h->status != 200)
        return fail(r, "the server answers %d to version \"%s\" of %s.bin%s", h->status,
                    r->u->version, r->u->name,
                    h->status == 404   ? ": is it deployed?"
                    : h->status == 403 ? ": check the token"
                                       : "");
    if (h->chunked || h->length < 0)
        return fail(r,
                    "the server does not tell how long the file is (%s): expected "
                    "Content-Length",
                    h->chunked ? "chunked coding" : "no Content-Length");
    if (h->encoded) return fail(r, "the server sends the file compressed, which nobody asked for");
    ESP_LOGI(TAG, "total_len=%d!", (int)h->length);
    return at_ota_target_length(&r->target, h->length) || target_failed(r);
}

/* Reads the head. *at, *len: what of buf is the file's first bytes. */
static bool read_head(struct run *r, size_t *at, size_t *len)
{
    struct at_cloud_head head;
    enum at_cloud_step step = AT_CLOUD_MORE;
    at_cloud_head_init(&head);
    while (step == AT_CLOUD_MORE) {
        int n = receive(r);
        if (n < 0) return false;
        if (n == 0)
            return fail(r, "the connection ended %s",
                        head.total ? "inside the answer's head" : "without an answer");
        step = at_cloud_head_feed(&head, r->buf, (size_t)n, at, r->u->why, AT_UPGRADE_WHY);
        *len = (size_t)n - *at;
    }
    return step == AT_CLOUD_DONE && judge_head(r, &head);
}

static bool take(struct run *r, const uint8_t *data, size_t len)
{
    struct at_ota_target *t = &r->target;
    if (!at_ota_target_write(t, data, len)) return target_failed(r);
    ESP_LOGI(TAG, "total_len=%d(%d), %0.1f%%!", (int)t->length, (int)t->taken,
             (double)t->taken * 100 / (double)t->length);
    return true;
}

static bool read_file(struct run *r)
{
    size_t at = 0, len = 0;
    if (!read_head(r, &at, &len)) return false;
    if (len && !take(r, r->buf + at, len)) return false;
    while (r->target.taken < r->target.length) {
        int n = receive(r);
        if (n < 0) return false;
        if (n == 0)
            return fail(r, "the connection ended after %llu of %llu bytes",
                        (unsigned long long)r->target.taken, (unsigned long long)r->target.length);
        if (!take(r, r->buf, (size_t)n)) return false;
    }
    ESP_LOGI(TAG, "receive all packet over");
    return true;
}

static bool download(struct run *r)
{
    char request[AT_CLOUD_REQUEST_MAX];
    struct at_cloud_peer peer = at_ota_settings_peer(&r->settings);
    if (!dial(r)) return false;
    if (!send_request(r, request, at_cloud_download(&peer, r->u->version, r->u->name, request)))
        return false;
    if (!read_file(r)) return false;
    hang_up(r);
    return at_ota_target_finish(&r->target) || target_failed(r);
}

/* ---- all of it ---- */

static bool check_settings(struct run *r)
{
    const struct at_ota_settings *s = &r->settings;
    if (s->tls && !airlift_config_bool("AT_OTA_SSL_SUPPORT"))
        return fail(r, "this firmware has no TLS for upgrades (CONFIG_AT_OTA_SSL_SUPPORT)");
    if (!s->token[0])
        return fail(r,
                    "this module has no token: set CONFIG_AT_OTA_%sTOKEN_KEY, or key token of "
                    "airlift_ota in the manufacturing NVS",
                    s->tls ? "SSL_" : "");
    if (s->port < 1 || s->port > 65535) return fail(r, "there is no port %d", s->port);
    return true;
}

bool at_upgrade_run(struct at_upgrade *u)
{
    struct run *r = calloc(1, sizeof *r);
    if (!r) {
        snprintf(u->why, sizeof u->why, "out of memory");
        return false;
    }
    r->u = u;
    ESP_LOGI(TAG, "ota_mode: %d", u->tls);
    if (!u->ask) ESP_LOGI(TAG, "version: %s", u->version);
    at_ota_settings_load(&r->settings, u->tls);
    r->deadline_ms = pace_now_ms() + r->settings.limit_ms;
    bool good = check_settings(r);
    if (good && !at_ota_target_find(&r->target, u->name)) good = target_failed(r);
    good = good && (!u->ask || ask_version(r)) && download(r);
    at_ota_target_abort(&r->target);
    hang_up(r);
    free(r);
    if (good)
        u->reached(u->ctx, AT_UPGRADE_DONE);
    else
        ESP_LOGE(TAG, "%s", u->why);
    return good;
}
