/* From the bytes of a CSV file to single lines: encodings, line ends, variables. */
#include "core/err.h"
#include "host/part_csv_row.h"

#include <ctype.h>
#include <iconv.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int csv_fail(struct part_csv_fault *f, const char *error_class, unsigned line, const char *format,
             ...)
{
    va_list ap;
    f->error_class = error_class;
    f->line = line;
    va_start(ap, format);
    vsnprintf(f->message, sizeof f->message, format, ap);
    va_end(ap);
    return AL_ERR_INVALID_ARG;
}

struct csv_hex csv_hex(int64_t n)
{
    struct csv_hex h;
    uint64_t magnitude = n < 0 ? -(uint64_t)n : (uint64_t)n;
    snprintf(h.text, sizeof h.text, "%s0x%llx", n < 0 ? "-" : "", (unsigned long long)magnitude);
    return h;
}

/* --- encoding --- */

/* The longer of two that begin alike comes first. */
static const struct {
    const char *name, *bytes;
    size_t len;
} marks[] = {
    {"UTF-32LE", "\xff\xfe\0\0", 4}, {"UTF-32BE", "\0\0\xfe\xff", 4}, {"UTF-8", "\xef\xbb\xbf", 3},
    {"UTF-16LE", "\xff\xfe", 2},     {"UTF-16BE", "\xfe\xff", 2},
};

int csv_decode(const void *text, size_t len, char **out, struct part_csv_fault *f)
{
    const char *encoding = "UTF-8";
    size_t skip = 0;
    for (size_t i = 0; i < sizeof marks / sizeof *marks && !skip; i++) {
        if (len < marks[i].len || memcmp(text, marks[i].bytes, marks[i].len) != 0) continue;
        encoding = marks[i].name;
        skip = marks[i].len;
    }
    char *in = (char *)(uintptr_t)text + skip; /* iconv does not write there */
    size_t in_left = len - skip, room = 2 * in_left, out_left = room;
    char *utf8 = malloc(room + 1), *p = utf8;
    if (!utf8) return AL_ERR_NO_MEM;
    iconv_t cd = iconv_open("UTF-8", encoding);
    size_t bad = cd == (iconv_t)-1 ? 1 : iconv(cd, &in, &in_left, &p, &out_left);
    if (cd != (iconv_t)-1) iconv_close(cd);
    *p = '\0';
    if (bad || in_left || strlen(utf8) != room - out_left) {
        size_t at = len - in_left;
        bool nul = !bad && !in_left;
        free(utf8);
        return csv_fail(f, "ENCODING", 0,
                        nul ? "the text holds a NUL byte; a partition table as CSV is plain text"
                            : "the text is not %s at byte %zu; save it as UTF-8",
                        encoding, at);
    }
    *out = utf8;
    return AL_OK;
}

/* --- lines --- */

/* Bytes of the line end at p (those that Python's splitlines knows), or 0. */
static size_t line_end(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    if (u[0] == '\r') return u[1] == '\n' ? 2 : 1;
    if ((u[0] >= '\n' && u[0] <= '\f') || (u[0] >= 0x1c && u[0] <= 0x1e)) return 1;
    if (u[0] == 0xc2 && u[1] == 0x85) return 2;
    if (u[0] == 0xe2 && u[1] == 0x80 && (u[2] == 0xa8 || u[2] == 0xa9)) return 3;
    return 0;
}

struct growing {
    char *text;
    size_t len, room;
};

static bool append(struct growing *g, const char *bytes, size_t n)
{
    if (n > g->room - g->len || !g->text) {
        size_t room = 2 * g->room + n + 64;
        char *bigger = realloc(g->text, room + 1);
        if (!bigger) return false;
        g->text = bigger;
        g->room = room;
    }
    memcpy(g->text + g->len, bytes, n);
    g->len += n;
    g->text[g->len] = '\0';
    return true;
}

static const char *value_of(const struct part_csv_options *o, const char *name, size_t len)
{
    char key[256];
    if (len >= sizeof key) return NULL;
    memcpy(key, name, len);
    key[len] = '\0';
    return o->variable ? o->variable(o->ctx, key) : getenv(key);
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* $NAME or ${NAME} at p: its length and value; 0: none, or not set. */
static size_t variable(const char *p, const char *end, const struct part_csv_options *o,
                       const char **value)
{
    const char *name = p + 1, *stop;
    if (name < end && *name == '{') {
        stop = memchr(name, '}', (size_t)(end - name));
        if (!stop) return 0;
        *value = value_of(o, name + 1, (size_t)(stop - name - 1));
        stop++;
    } else {
        for (stop = name; stop < end && is_word(*stop); stop++) {
        }
        if (stop == name) return 0;
        *value = value_of(o, name, (size_t)(stop - name));
    }
    return *value ? (size_t)(stop - p) : 0;
}

static bool expand(const char *p, const char *end, const struct part_csv_options *o,
                   struct growing *g)
{
    bool ok = append(g, "", 0);
    while (ok && p < end) {
        const char *value;
        size_t n = *p == '$' ? variable(p, end, o, &value) : 0;
        ok = n ? append(g, value, strlen(value)) : append(g, p, 1);
        p += n ? n : 1;
    }
    return ok;
}

char *csv_next_line(const char **pos, const struct part_csv_options *o, unsigned line, int *err,
                    struct part_csv_fault *f)
{
    const char *p = *pos, *end = p;
    struct growing g = {0};
    *err = AL_OK;
    if (!*p) return NULL;
    while (*end && !line_end(end)) end++;
    *pos = *end ? end + line_end(end) : end;

    if (!expand(p, end, o, &g)) *err = AL_ERR_NO_MEM;
    /* A variable nobody set is an error at the start of a line only. */
    if (!*err && g.text[0] == '$' && is_word(g.text[1]) && !isdigit((unsigned char)g.text[1])) {
        size_t n = 1;
        while (is_word(g.text[n])) n++;
        *err = csv_fail(f, "UNKNOWN_VARIABLE", line, "unknown variable '%.*s'", (int)n - 1,
                        g.text + 1);
    }
    if (*err) {
        free(g.text);
        return NULL;
    }
    return g.text;
}
