/* See server_link.h. */
#include "cli/server_link.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/crypto_openssl.h"
#include "host/file.h"
#include "host/version.h"
#include "server/api.h"
#include "server/data_dir.h"

#define TIMEOUT_MS       30000
#define MAX_ANSWER       (16u << 20)
#define TOKEN_FILE_LIMIT 4096u
#define PIECE_LEN        65536u

/* The first word of a file, into token. */
static int read_token(const char *path, char *token, size_t size)
{
    uint8_t *data;
    size_t len;
    int err = file_read(path, TOKEN_FILE_LIMIT, &data, &len);
    if (err != 0) return cli_fail("the token file %s cannot be read: %s", path, strerror(-err));
    size_t word = strcspn((char *)data, " \t\r\n");
    bool fits = word > 0 && word < size;
    if (fits) snprintf(token, size, "%.*s", (int)word, (char *)data);
    free(data);
    return fits ? CLI_OK : cli_fail("the token file %s holds no token", path);
}

/* What the options say, over what the data directory says, over the environment. */
static int find_server(const struct cli_args *a, const char *url, struct data_dir_server *s)
{
    char why[5000];
    const char *data = cli_value(a, "--data"), *server = url ? url : cli_value(a, "--server");
    const char *token = cli_value(a, "--token"), *file = cli_value(a, "--token-file");
    const char *ca = cli_value(a, "--ca");
    if (token && file) return cli_usage(a, "give one of --token and --token-file");
    if (data && !data_dir_find(data, s, why, sizeof why)) return cli_fail("%s", why);
    if (!data && !server) server = getenv("AIRLIFT_SERVER");
    if (!data && !token && !file) token = getenv("AIRLIFT_TOKEN");
    if (!data && !server) return cli_usage(a, "which server? Give --data DIR or --server URL");
    if (server) snprintf(s->url, sizeof s->url, "%s", server);
    if (token) snprintf(s->token, sizeof s->token, "%s", token);
    if (ca) snprintf(s->ca_file, sizeof s->ca_file, "%s", ca);
    if (file) return read_token(file, s->token, sizeof s->token);
    return CLI_OK;
}

int server_link_open_at(const struct cli_args *a, const char *url, struct server_link *l)
{
    struct data_dir_server s = {0};
    char header[160];
    *l = (struct server_link){0};
    int status = find_server(a, url, &s);
    if (status != CLI_OK) return status;
    snprintf(l->url, sizeof l->url, "%s", s.url);
    for (size_t n = strlen(l->url); n > 0 && l->url[n - 1] == '/';) l->url[--n] = 0;
    struct http_config cfg = {
        .user_agent = "airlift/" AIRLIFT_VERSION,
        .timeout_ms = TIMEOUT_MS,
        .ca_file = s.ca_file[0] ? s.ca_file : NULL,
        .ca_bundle = !s.ca_file[0],
    };
    if (!(l->http = http_client_new(&cfg))) return cli_fail("out of memory");
    snprintf(header, sizeof header, "Bearer %s", s.token);
    if (s.token[0]) http_client_set_header(l->http, "Authorization", header);
    return CLI_OK;
}

int server_link_open(const struct cli_args *a, struct server_link *l)
{
    return server_link_open_at(a, NULL, l);
}

void server_link_close(struct server_link *l)
{
    if (l->http) http_client_free(l->http);
    l->http = NULL;
}

static int tell_http_error(const struct server_link *l)
{
    return cli_fail("%s: %s", l->url, http_client_error_text(l->http));
}

int server_link_begin(struct server_link *l, const char *method, const char *path, int64_t body_len)
{
    char url[2048];
    int n = snprintf(url, sizeof url, "%s%s", l->url, path);
    if (n < 0 || (size_t)n >= sizeof url) return cli_fail("%s: the address is too long", l->url);
    if (http_client_set_url(l->http, url) != 0 || http_client_set_method(l->http, method) != 0 ||
        http_client_open(l->http, body_len) != 0)
        return tell_http_error(l);
    return CLI_OK;
}

/* The whole body, NUL-terminated; NULL after a message. */
static char *read_body(struct server_link *l, size_t *len)
{
    size_t room = 65536;
    char *text = malloc(room + 1);
    *len = 0;
    for (int n = 1; text && n > 0; *len += (size_t)n) {
        if (*len == room) {
            char *more = room < MAX_ANSWER ? realloc(text, room * 2 + 1) : NULL;
            if (!more) break;
            text = more;
            room *= 2;
        }
        n = http_client_read(l->http, text + *len, room - *len);
        if (n < 0) {
            free(text);
            tell_http_error(l);
            return NULL;
        }
    }
    if (!text || *len == room) {
        free(text);
        cli_fail("%s: the answer is too long", l->url);
        return NULL;
    }
    text[*len] = 0;
    return text;
}

static int tell_refusal(const struct server_link *l, int status, const cJSON *doc)
{
    const cJSON *error = cJSON_GetObjectItem(doc, "error");
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItem(error, "message"));
    const char *hint = cJSON_GetStringValue(cJSON_GetObjectItem(error, "hint"));
    if (!message) return cli_fail("%s: the server answers with status %d", l->url, status);
    return cli_fail("%s: %s (status %d)%s%s", l->url, message, status, hint ? "\n  " : "",
                    hint ? hint : "");
}

int server_link_finish(struct server_link *l, cJSON **doc)
{
    size_t len;
    *doc = NULL;
    if (http_client_headers(l->http) != 0) return tell_http_error(l);
    char *text = read_body(l, &len);
    if (!text) return CLI_FAILED;
    int status = http_client_status(l->http);
    http_client_close(l->http);
    *doc = cJSON_ParseWithLength(text, len);
    free(text);
    if (status < 300 && (*doc || len == 0)) return CLI_OK;
    int result =
        status < 300
            ? cli_fail("%s does not answer as airliftd does; is the address right?", l->url)
            : tell_refusal(l, status, *doc);
    cJSON_Delete(*doc);
    *doc = NULL;
    return result;
}

int server_link_ask(const struct cli_args *a, const char *method, const char *path, cJSON *body,
                    cJSON **doc)
{
    struct server_link l;
    char *text = body ? cJSON_PrintUnformatted(body) : NULL;
    size_t len = text ? strlen(text) : 0;
    cJSON_Delete(body);
    *doc = NULL;
    int status = server_link_open(a, &l);
    if (status == CLI_OK) status = server_link_begin(&l, method, path, (int64_t)len);
    if (status == CLI_OK) {
        if (len > 0) http_client_write(l.http, text, len); /* what fails, finish tells */
        status = server_link_finish(&l, doc);
    }
    server_link_close(&l);
    free(text);
    return status;
}

/* Sends the file as body. A server that refuses early closes; its answer says why, so a
 * failing write is left to server_link_finish. */
static void send_file(struct server_link *l, const uint8_t *data, size_t len)
{
    struct cli_progress progress;
    size_t sent = 0;
    cli_progress_begin(&progress, "uploading", len);
    while (sent < len) {
        size_t piece = len - sent < PIECE_LEN ? len - sent : PIECE_LEN;
        int n = http_client_write(l->http, data + sent, piece);
        if (n <= 0) break;
        sent += (size_t)n;
        cli_progress_update(&progress, sent);
    }
    cli_progress_end(&progress);
}

int server_link_push(struct server_link *l, const char *name, const char *kind, const uint8_t *data,
                     size_t len, cJSON **doc)
{
    uint8_t digest[AL_SHA256];
    char hex[2 * AL_SHA256 + 1], escaped[3 * ARTIFACT_NAME_MAX + 1], path[1024];
    if (!artifact_name_ok(name) || !server_link_escape(name, escaped, sizeof escaped))
        return cli_fail("'%s' is no name for an artifact: up to %u letters, digits and . _ + -, "
                        "beginning with a letter or digit; give --name NAME",
                        name, ARTIFACT_NAME_MAX);
    crypto_digest(AL_SHA256, data, len, digest);
    crypto_hex(digest, sizeof digest, hex);
    snprintf(path, sizeof path, API_PREFIX "artifacts?name=%s%s%s&sha256=%s", escaped,
             kind ? "&kind=" : "", kind ? kind : "", hex);
    int status = server_link_begin(l, "POST", path, (int64_t)len);
    if (status != CLI_OK) return status;
    send_file(l, data, len);
    return server_link_finish(l, doc);
}

bool server_link_escape(const char *text, char *out, size_t size)
{
    size_t used = 0;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = isalnum(c) || strchr("-._~", c);
        if (used + (plain ? 1 : 3) >= size) return false;
        used += (size_t)snprintf(out + used, size - used, plain ? "%c" : "%%%02X", c);
    }
    out[used] = 0;
    return true;
}
