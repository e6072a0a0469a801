/* Requests to the device's web server. See web_server.h. */
#include "at/web_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "at/web_guard.h"
#include "at/web_page.h"
#include "at/web_slots.h"
#include "at/web_text.h"
#include "at/web_upload.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "net/http_server.h"

static const char *TAG = "at-web";

#define DONE          "{\"state\": 0}"
#define FAILED        "{\"state\": 1}"
#define CONNECTIONS   128u
#define PER_ADDRESS   32u /* one address that takes all it can get leaves room for others */
#define STOP_GRACE_S  1u
#define DRAIN_LIMIT   (64u << 20) /* longer than any flash: the browser gets to read the answer */
#define RESTART_AFTER 500         /* ms: the answer leaves first */
#define HTTP_PORT     80u
#define RESTART_STACK 4096
#define SECURITY_POLICY                                                        \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';" \
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

struct web_server {
    struct web_server_config cfg;
    char *password, *hosts;
    struct http_server *http;
    struct web_failures failures;
};

/* A request whose body is awaited. */
struct exchange {
    const struct route *route;
    struct web_upload *upload;
    size_t len; /* of body; more than WEB_BODY_MAX - 1 are only counted */
    char body[WEB_BODY_MAX];
};

struct route {
    const char *path;
    bool post, form; /* form: a form's content type is how it is spoken to */
    /* GET: answers. POST: at the end of the body. */
    void (*answer)(struct web_server *s, struct http_request *r, struct exchange *x);
    /* POST: when the head is there, may answer. */
    void (*begin)(struct web_server *s, struct http_request *r, struct exchange *x);
};

static void (*restart_chip)(void); /* outlives the server that was asked */

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- answers --- */

/* Of every answer. */
static void add_headers(struct http_request *r)
{
    http_answer_header(r, "Cache-Control", "no-store");
    http_answer_header(r, "Content-Security-Policy", SECURITY_POLICY);
    http_answer_header(r, "X-Content-Type-Options", "nosniff");
    http_answer_header(r, "X-Frame-Options", "DENY");
    http_answer_header(r, "Referrer-Policy", "same-origin");
    http_answer_header(r, "Cross-Origin-Resource-Policy", "same-origin");
}

static void answer_json(struct http_request *r, unsigned status, const char *text)
{
    http_answer_text(r, status, "application/json", text);
    add_headers(r);
}

static void answer_plain(struct http_request *r, unsigned status, const char *text)
{
    http_answer_text(r, status, "text/plain; charset=utf-8", text);
    add_headers(r);
}

static void refuse(struct http_request *r, unsigned status, const char *why)
{
    char line[WEB_WHY];
    snprintf(line, sizeof line, "%s", why);
    for (char *c = line; *c; c++)
        if (*c < ' ' || *c > '~') *c = '?';
    answer_json(r, status, FAILED);
    http_answer_header(r, "Reason", line);
}

/* What write gives, as JSON; false from it: 500. */
static void answer_written(struct http_request *r, bool (*write)(FILE *out, void *ctx), void *ctx)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    bool ok = out && write(out, ctx);
    if (out) fclose(out);
    if (ok)
        answer_json(r, 200, text);
    else
        answer_json(r, 500, FAILED);
    free(text);
}

/* --- GET --- */

static void get_version(struct web_server *s, struct http_request *r, struct exchange *x)
{
    answer_json(r, 200, "{\"version\":\"1.0\"}");
}

static bool write_station(FILE *out, void *ctx)
{
    const struct web_server *s = ctx;
    web_provision_write(out, s->cfg.compat);
    return true;
}

static void get_station(struct web_server *s, struct http_request *r, struct exchange *x)
{
    answer_written(r, write_station, s);
}

static bool write_scan(FILE *out, void *ctx)
{
    return web_provision_write_scan(out);
}

static void get_access_points(struct web_server *s, struct http_request *r, struct exchange *x)
{
    answer_written(r, write_scan, NULL);
}

static bool write_info(FILE *out, void *ctx)
{
    web_slots_write_info(out);
    return true;
}

static void get_ota_info(struct web_server *s, struct http_request *r, struct exchange *x)
{
    answer_written(r, write_info, NULL);
}

static bool write_slots(FILE *out, void *ctx)
{
    web_slots_write(out);
    return true;
}

static void get_slots(struct web_server *s, struct http_request *r, struct exchange *x)
{
    answer_written(r, write_slots, NULL);
}

static void keep(void *ctx)
{
}

static void answer_file(struct http_request *r, const struct web_file *f)
{
    const char *accepts = http_request_header(r, "Accept-Encoding");
    bool gzip = accepts && strstr(accepts, "gzip");
    http_answer_bytes(r, 200, gzip ? f->gzip : f->plain, gzip ? f->gzip_len : f->plain_len, keep,
                      NULL);
    http_answer_header(r, "Content-Type", f->type);
    http_answer_header(r, "Vary", "Accept-Encoding");
    if (gzip) http_answer_header(r, "Content-Encoding", "gzip");
    add_headers(r);
}

/* --- POST --- */

static void set_station(struct web_server *s, struct http_request *r, struct exchange *x)
{
    struct web_station station;
    bool ok = web_station_parse(x->body, x->len, &station) ||
              (s->cfg.compat && web_station_parse_form(x->body, x->len, &station));
    if (!ok)
        refuse(r, 400, "expected JSON with ssid (1..32 bytes) and password (at most 64 bytes)");
    else if (!web_provision_begin(&station))
        refuse(r, 400, "not now: an attempt is under way, or AT+CWMODE is not 3");
    else
        answer_json(r, 200, DONE);
    memset(&station, 0, sizeof station);
}

static void get_result(struct web_server *s, struct http_request *r, struct exchange *x)
{
    if (!web_form_has(x->body, x->len, "received", "1")) {
        refuse(r, 400, "expected received=1");
        return;
    }
    web_provision_result();
    answer_json(r, 200, DONE);
}

static void begin_upload(struct web_server *s, struct http_request *r, struct exchange *x)
{
    char why[WEB_WHY];
    const char *object = http_request_header(r, "Object");
    if (!object && s->cfg.compat) return; /* the original ends the connection without an answer */
    if (!object || !web_object_valid(object)) {
        refuse(r, 400, "the header Object must name a partition, like ota");
        return;
    }
    if (http_request_body_len(r) < 0) {
        refuse(r, 411, "an upload needs Content-Length");
        return;
    }
    switch (web_upload_begin(object, http_request_body_len(r), now_ms(), s->cfg.tell, &x->upload,
                             why)) {
    case WEB_UPLOAD_OK:
        ESP_LOGI(TAG, "upload of %lld bytes for %s", (long long)http_request_body_len(r), object);
        break;
    case WEB_UPLOAD_BUSY:
        refuse(r, 409, why);
        break;
    case WEB_UPLOAD_FAILED:
        refuse(r, 500, why);
        break;
    }
}

static void end_upload(struct web_server *s, struct http_request *r, struct exchange *x)
{
    if (!x->upload) return; /* without Object: no answer */
    if (!web_upload_end(x->upload)) {
        refuse(r, 500, web_upload_why(x->upload));
        return;
    }
    answer_json(r, 200, DONE);
    s->cfg.tell(4);
}

static void roll_back(struct web_server *s, struct http_request *r, struct exchange *x)
{
    char why[WEB_WHY];
    if (web_upload_busy())
        refuse(r, 409, "an upload is under way");
    else if (!web_slots_roll_back(why))
        refuse(r, 500, why);
    else
        answer_json(r, 200, DONE);
}

static void restart_task(void *arg)
{
    vTaskDelay(pdMS_TO_TICKS(RESTART_AFTER));
    restart_chip();
    vTaskDelete(NULL);
}

static void restart(struct web_server *s, struct http_request *r, struct exchange *x)
{
    if (web_upload_busy()) {
        refuse(r, 409, "an upload is under way");
    } else if (xTaskCreate(restart_task, "web-restart", RESTART_STACK, NULL, 5, NULL) != pdPASS) {
        refuse(r, 500, "out of memory");
    } else {
        ESP_LOGI(TAG, "restart asked for by the page");
        answer_json(r, 200, DONE);
    }
}

static const struct route routes[] = {
    {"/getversion", .answer = get_version},
    {"/getstainfo", .answer = get_station},
    {"/getaprecord", .answer = get_access_points},
    {"/getotainfo", .answer = get_ota_info},
    {"/getslots", .answer = get_slots},
    {"/setstainfo", .post = true, .answer = set_station},
    {"/getresult", .post = true, .form = true, .answer = get_result},
    {"/setotadata", .post = true, .answer = end_upload, .begin = begin_upload},
    {"/rollback", .post = true, .answer = roll_back},
    {"/restart", .post = true, .answer = restart},
};

/* --- who may, and what --- */

static struct web_head head_of(struct http_request *r)
{
    return (struct web_head){.host = http_request_header(r, "Host"),
                             .origin = http_request_header(r, "Origin"),
                             .referer = http_request_header(r, "Referer"),
                             .fetch_site = http_request_header(r, "Sec-Fetch-Site"),
                             .content_type = http_request_header(r, "Content-Type"),
                             .object = http_request_header(r, "Object"),
                             .requested_with = http_request_header(r, "X-Requested-With")};
}

/* false: answered. */
static bool has_password(struct web_server *s, struct http_request *r)
{
    char peer[64], seconds[16];
    const char *given = http_request_header(r, "Authorization");
    int64_t now_s = now_ms() / 1000;
    http_request_peer(r, peer);
    if (!s->password) return true;
    int wait = web_failures_wait(&s->failures, peer, now_s);
    if (wait) {
        snprintf(seconds, sizeof seconds, "%d", wait);
        answer_plain(r, 429, "Too many wrong passwords: wait a little.\n");
        http_answer_header(r, "Retry-After", seconds);
        return false;
    }
    bool right = web_password_fits(given, s->password);
    if (given) web_failures_note(&s->failures, peer, now_s, right);
    if (right) return true;
    if (given) ESP_LOGW(TAG, "wrong password from %s", peer);
    answer_plain(r, 401, "This device asks for a password.\n");
    http_answer_header(r, "WWW-Authenticate", "Basic realm=\"device\", charset=\"UTF-8\"");
    return false;
}

/* What is not here: an error, or the way to the page. */
static void not_here(struct web_server *s, struct http_request *r, unsigned status)
{
    char address[16], location[40];
    if (!s->cfg.captive) {
        answer_plain(r, status, status == 404 ? "Nothing here.\n" : "Wrong method.\n");
        return;
    }
    s->cfg.wifi->address(address);
    if (s->cfg.port == HTTP_PORT)
        snprintf(location, sizeof location, "http://%s/", address);
    else
        snprintf(location, sizeof location, "http://%s:%u/", address, s->cfg.port);
    http_answer_text(r, 302, "text/html", "Redirect to captive portal");
    http_answer_header(r, "Location", location);
    add_headers(r);
}

static const struct web_file *find_file(const char *path)
{
    const struct web_file *f = web_files;
    while (f->path && strcmp(f->path, path) != 0) f++;
    return f->path ? f : NULL;
}

static const struct route *find_route(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(routes[i].path, path) == 0) return &routes[i];
    return NULL;
}

static void begin_post(struct web_server *s, struct http_request *r, const struct route *route)
{
    struct web_head head = head_of(r);
    bool form = route->form || s->cfg.compat;
    enum web_verdict v = web_check_change(&head, s->cfg.hosts, form);
    if (v) {
        ESP_LOGW(TAG, "%s refused: %s", route->path, web_verdict_text(v));
        refuse(r, v == WEB_PLAIN_FORM ? 415 : 403, web_verdict_text(v));
        return;
    }
    struct exchange *x = calloc(1, sizeof *x);
    if (!x) {
        refuse(r, 500, "out of memory");
        return;
    }
    x->route = route;
    http_request_set_user(r, x);
    if (route->begin)
        route->begin(s, r, x);
    else if (http_request_body_len(r) >= (int64_t)WEB_BODY_MAX)
        refuse(r, 500, "the body must be shorter than 320 bytes");
    else
        http_request_hurry(r);
}

static void on_begin(void *ctx, struct http_request *r)
{
    struct web_server *s = ctx;
    const char *path = http_request_path(r);
    struct web_head head = head_of(r);
    bool get = http_request_is(r, "GET") || http_request_is(r, "HEAD");
    const struct route *route = path ? find_route(path) : NULL;
    const struct web_file *file = path ? find_file(path) : NULL;
    if (web_check_any(&head, s->cfg.hosts)) {
        if (s->cfg.captive)
            not_here(s, r, 404);
        else
            refuse(r, 421, web_verdict_text(WEB_FOREIGN_HOST));
    } else if (!has_password(s, r)) {
        return;
    } else if (!route && !file) {
        not_here(s, r, 404);
    } else if (get != (file || !route->post) || (!get && !http_request_is(r, "POST"))) {
        not_here(s, r, 405);
        http_answer_header(r, "Allow", route && route->post ? "POST" : "GET, HEAD");
    } else if (file) {
        answer_file(r, file);
    } else if (!route->post) {
        route->answer(s, r, NULL);
    } else {
        begin_post(s, r, route);
    }
}

static void on_body(void *ctx, struct http_request *r, const void *data, size_t len)
{
    struct exchange *x = http_request_user(r);
    if (!x) return;
    if (x->upload) {
        if (web_upload_write(x->upload, data, len, now_ms())) return;
        refuse(r, 500, web_upload_why(x->upload));
        http_request_hurry(r); /* to the end of what nobody wants any more */
    } else if (!x->route->begin) {
        size_t room = sizeof x->body - 1 > x->len ? sizeof x->body - 1 - x->len : 0;
        memcpy(x->body + (x->len < sizeof x->body ? x->len : 0), data, len < room ? len : room);
        x->len += len;
        if (x->len >= WEB_BODY_MAX) refuse(r, 500, "the body must be shorter than 320 bytes");
    }
}

static void on_end(void *ctx, struct http_request *r)
{
    struct exchange *x = http_request_user(r);
    if (x) x->route->answer(ctx, r, x);
}

static void on_gone(void *ctx, struct http_request *r)
{
    struct exchange *x = http_request_user(r);
    if (x && x->upload) web_upload_free(x->upload);
    free(x);
}

/* --- start and stop --- */

static void server_free(struct web_server *s)
{
    free(s->password);
    free(s->hosts);
    free(s);
}

/* NULL: out of memory. */
static struct web_server *server_new(const struct web_server_config *cfg)
{
    bool guarded = cfg->password && *cfg->password;
    struct web_server *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->cfg = *cfg;
    s->password = guarded ? strdup(cfg->password) : NULL;
    s->cfg.hosts = s->hosts = strdup(cfg->hosts ? cfg->hosts : "");
    if (s->hosts && (s->password || !guarded)) return s;
    server_free(s);
    return NULL;
}

struct web_server *web_server_start(const struct web_server_config *cfg, unsigned *port, char *why,
                                    size_t why_size)
{
    static const struct http_handler handler = {on_begin, on_body, on_end, on_gone};
    char address[80];
    struct web_server *s = server_new(cfg);
    snprintf(why, why_size, "out of memory");
    if (!s) return NULL;
    restart_chip = cfg->restart;
    web_provision_open(cfg->wifi, cfg->tell);
    web_provision_timeout(cfg->timeout_s);
    snprintf(address, sizeof address, "%s:%u", cfg->address ? cfg->address : "", cfg->port);
    int fd = http_listen(address, port, why, why_size);
    /* One thread: uploads and slots are seen by one request at a time. */
    const struct http_server_config http = {.threads = 1,
                                            .connection_limit = CONNECTIONS,
                                            .address_limit = PER_ADDRESS,
                                            .idle_timeout_s = cfg->idle_s,
                                            .drain_limit = DRAIN_LIMIT,
                                            .handler = &handler,
                                            .ctx = s};
    if (fd >= 0) {
        s->cfg.port = *port;
        s->http = http_server_start(&http, fd, why, why_size);
    }
    if (s->http) return s;
    server_free(s);
    return NULL;
}

void web_server_stop(struct web_server *s)
{
    if (!s) return;
    http_server_stop(s->http, STOP_GRACE_S);
    server_free(s);
}
