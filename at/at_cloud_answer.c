#include "at/at_cloud_answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static enum at_cloud_step bad(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum at_cloud_step bad(char *why, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, size, format, args);
    va_end(args);
    return AT_CLOUD_BAD;
}

/* ---- head ---- */

void at_cloud_head_init(struct at_cloud_head *h)
{
    memset(h, 0, sizeof *h);
    h->length = -1;
}

static bool is_digits(const char *s, size_t least, size_t most)
{
    size_t n = strspn(s, "0123456789");
    return n >= least && n <= most && !s[n];
}

static bool take_status(struct at_cloud_head *h)
{
    const char *line = h->line;
    bool http = strncmp(line, "HTTP/", 5) == 0 && line[5] >= '0' && line[5] <= '9';
    const char *blank = http ? strchr(line, ' ') : NULL;
    if (!blank || strspn(blank + 1, "0123456789") != 3) return false;
    h->status = atoi(blank + 1);
    h->has_status = true;
    return h->status >= 100;
}

/* NULL: another field; else its value without blanks around it. */
static const char *value_of(struct at_cloud_head *h, const char *name)
{
    size_t n = strlen(name);
    if (strncasecmp(h->line, name, n) != 0 || h->line[n] != ':') return NULL;
    char *end = h->line + h->line_len;
    while (end > h->line && strchr(" \t", end[-1])) *--end = 0;
    return h->line + n + 1 + strspn(h->line + n + 1, " \t");
}

static bool take_field(struct at_cloud_head *h)
{
    const char *v;
    if ((v = value_of(h, "Content-Length"))) {
        if (!is_digits(v, 1, 18)) return false;
        int64_t length = atoll(v);
        if (h->length >= 0 && h->length != length) return false;
        h->length = length;
    } else if ((v = value_of(h, "Transfer-Encoding"))) {
        h->chunked |= strcasecmp(v, "identity") != 0;
    } else if ((v = value_of(h, "Content-Encoding"))) {
        h->encoded |= v[0] && strcasecmp(v, "identity") != 0;
    }
    return true;
}

/* What a line's first bytes look like in a message. */
static const char *shown(const char *line, char out[static 33])
{
    size_t n = 0;
    for (; n < 32 && line[n]; n++) out[n] = line[n] < 0x20 || line[n] == 0x7f ? '.' : line[n];
    out[n] = 0;
    return out;
}

static enum at_cloud_step take_line(struct at_cloud_head *h, char *why, size_t why_size)
{
    char text[33];
    if (h->line_len && h->line[h->line_len - 1] == '\r') h->line_len--;
    h->line[h->line_len] = 0;
    bool empty = h->line_len == 0;
    if (!h->has_status) {
        if (empty) return bad(why, why_size, "the answer is no HTTP: it begins with an empty line");
        if (!take_status(h))
            return bad(why, why_size,
                       "the answer is no HTTP: expected \"HTTP/1.1 200\", found \"%s\"",
                       shown(h->line, text));
    } else if (empty && h->status < 200) {
        size_t total = h->total; /* 100 Continue: the answer follows */
        at_cloud_head_init(h);
        h->total = total;
    } else if (empty) {
        return AT_CLOUD_DONE;
    } else if (!take_field(h)) {
        return bad(why, why_size, "the answer's head is wrong at \"%s\": expected one number",
                   shown(h->line, text));
    }
    h->line_len = 0;
    return AT_CLOUD_MORE;
}

enum at_cloud_step at_cloud_head_feed(struct at_cloud_head *h, const void *data, size_t len,
                                      size_t *used, char *why, size_t why_size)
{
    const char *c = data;
    for (*used = 0; *used < len;) {
        char next = c[(*used)++];
        if (++h->total > AT_CLOUD_HEAD_MAX)
            return bad(why, why_size, "the answer's head is longer than %d bytes",
                       AT_CLOUD_HEAD_MAX);
        if (next != '\n') {
            if (h->line_len + 1 < sizeof h->line) h->line[h->line_len++] = next;
            continue;
        }
        enum at_cloud_step step = take_line(h, why, why_size);
        if (step != AT_CLOUD_MORE) return step;
    }
    return AT_CLOUD_MORE;
}

/* ---- chunks ---- */

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of the coding. False: not allowed here. */
static bool take_coding(struct at_cloud_chunks *c, uint8_t byte)
{
    int digit = hex_digit(byte);
    switch (c->state) {
    case CHUNK_SIZE:
        if (digit >= 0) {
            c->left = c->left << 4 | (unsigned)digit;
            return ++c->digits <= 8;
        }
        c->state = CHUNK_REST;
        if (byte != '\n') return c->digits > 0;
        /* fall through */
    case CHUNK_REST: /* extensions */
        if (byte != '\n') return true;
        c->state = c->left ? CHUNK_DATA : CHUNK_TRAILER;
        c->line_empty = true;
        return c->digits > 0;
    case CHUNK_END:
        if (byte == '\r') return true;
        c->state = CHUNK_SIZE;
        c->left = c->digits = 0;
        return byte == '\n';
    default: /* CHUNK_TRAILER */
        if (byte == '\n' && c->line_empty) c->state = CHUNK_DONE;
        c->line_empty = byte == '\n' || (byte == '\r' && c->line_empty);
        return true;
    }
}

enum at_cloud_step at_cloud_chunks_feed(struct at_cloud_chunks *c, uint8_t *data, size_t *len)
{
    size_t out = 0, all = *len;
    *len = 0;
    for (size_t i = 0; i < all && c->state != CHUNK_DONE;) {
        if (c->state != CHUNK_DATA) {
            if (!take_coding(c, data[i++])) return AT_CLOUD_BAD;
            continue;
        }
        size_t n = all - i < c->left ? all - i : (size_t)c->left;
        memmove(data + out, data + i, n);
        out += n;
        i += n;
        c->left -= n;
        if (!c->left) c->state = CHUNK_END;
    }
    *len = out;
    return c->state == CHUNK_DONE ? AT_CLOUD_DONE : AT_CLOUD_MORE;
}

/* ---- the version ---- */

/* Older clients search for the text rom_version" and take what follows; so any key that ends
 * with it will do, but the cloud's own goes first. */
static void found(void *ctx, const char *key, const char *value, bool text)
{
    static const char end[] = "rom_version";
    struct at_cloud_query_answer *a = ctx;
    size_t n = strlen(key), tail = sizeof end - 1;
    if (n >= tail && strcmp(key + n - tail, end) == 0 && text) {
        bool exact = strcmp(key, "recommended_rom_version") == 0;
        if (a->exact || (!exact && a->version[0])) return;
        a->exact = exact;
        a->unfit = !at_cloud_text_fits(value, AT_CLOUD_VERSION_MAX);
        snprintf(a->version, sizeof a->version, "%s", a->unfit ? "" : value);
    } else if (strcmp(key, "status") == 0 && !text && !a->status) {
        a->status = strtol(value, NULL, 10);
    } else if (strcmp(key, "message") == 0 && text && !a->message[0]) {
        snprintf(a->message, sizeof a->message, "%s", value);
        for (char *c = a->message; *c; c++)
            if (*c > 0 && *c < 0x20) *c = ' ';
    }
}

void at_cloud_query_init(struct at_cloud_query_answer *a)
{
    memset(a, 0, sizeof *a);
    at_cloud_head_init(&a->head);
    at_json_init(&a->json, found, a);
}

/* Nothing that is still to come matters. */
static bool is_enough(const struct at_cloud_query_answer *a)
{
    return a->exact && a->version[0] && a->status;
}

static enum at_cloud_step take_body(struct at_cloud_query_answer *a, uint8_t *data, size_t len,
                                    char *why, size_t why_size)
{
    bool last = false;
    if (a->head.chunked) {
        enum at_cloud_step step = at_cloud_chunks_feed(&a->chunks, data, &len);
        if (step == AT_CLOUD_BAD)
            return bad(why, why_size, "the chunked coding of the answer is damaged");
        last = step == AT_CLOUD_DONE;
    } else if (a->head.length >= 0) {
        uint64_t left = (uint64_t)a->head.length - a->body;
        if (len > left) len = (size_t)left;
        last = len == left;
    }
    a->body += len;
    last |= at_json_feed(&a->json, data, len);
    if (a->head.status != 200)
        return bad(why, why_size, "the server answers %d%s%s", a->head.status,
                   a->message[0] ? ": " : "", a->message);
    if (a->body > AT_CLOUD_BODY_MAX)
        return bad(why, why_size, "the answer is longer than %d bytes", AT_CLOUD_BODY_MAX);
    a->ended = last || is_enough(a);
    return a->ended ? AT_CLOUD_DONE : AT_CLOUD_MORE;
}

enum at_cloud_step at_cloud_query_feed(struct at_cloud_query_answer *a, uint8_t *data, size_t len,
                                       char *why, size_t why_size)
{
    size_t used = 0;
    if (!a->in_body) {
        enum at_cloud_step step = at_cloud_head_feed(&a->head, data, len, &used, why, why_size);
        if (step != AT_CLOUD_DONE) return step;
        a->in_body = true;
        if (a->head.encoded)
            return bad(why, why_size, "the answer is compressed, which modules cannot read");
    }
    return take_body(a, data + used, len - used, why, why_size);
}

bool at_cloud_query_end(const struct at_cloud_query_answer *a, char *why, size_t why_size)
{
    if (!a->in_body)
        bad(why, why_size, "the connection ended %s",
            a->head.total ? "inside the answer's head" : "without an answer");
    else if (!a->ended && (a->head.length >= 0 || a->head.chunked))
        bad(why, why_size, "the connection ended inside the answer, after %llu bytes of it",
            (unsigned long long)a->body);
    else if (a->status && a->status != 200)
        bad(why, why_size, "the server answers with status %ld%s%s", a->status,
            a->message[0] ? ": " : "", a->message);
    else if (a->unfit)
        bad(why, why_size,
            "the version in the answer cannot be asked for: expected 1 to %d characters without "
            "blanks",
            AT_CLOUD_VERSION_MAX);
    else if (!a->version[0])
        bad(why, why_size, "no recommended_rom_version in the answer: is a version deployed?");
    else
        return true;
    return false;
}
