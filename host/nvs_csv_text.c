#include "host/nvs_csv_text.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"

int nvs_csv_fail(const struct nvs_csv_fault *f, const char *format, ...)
{
    int used = f->line ? snprintf(f->why, f->size, "line %u: ", f->line) : 0;
    va_list list;

    va_start(list, format);
    if ((size_t)used < f->size) vsnprintf(f->why + used, f->size - (size_t)used, format, list);
    va_end(list);
    return AL_FAIL;
}

/* ---- records ---- */

static bool at_line_end(const struct nvs_csv_reader *r)
{
    return r->at == r->end || *r->at == '\n' || *r->at == '\r';
}

static void skip_line_end(struct nvs_csv_reader *r)
{
    if (r->at < r->end && *r->at == '\r') r->at++;
    if (r->at < r->end && *r->at == '\n') r->at++;
    r->line++;
}

static void skip_line(struct nvs_csv_reader *r)
{
    while (!at_line_end(r)) r->at++;
    skip_line_end(r);
}

/* One cell, decoded in place: the result is never longer. The separator behind it
 * is overwritten by the final NUL only after it was looked at. */
static int read_field(struct nvs_csv_reader *r, char **out, bool *more, struct nvs_csv_fault *f)
{
    char *to = *out = r->at;
    bool quoted = r->at < r->end && *r->at == '"';

    if (quoted) {
        for (r->at++;; *to++ = *r->at++) {
            if (r->at == r->end) return nvs_csv_fail(f, "a quote (\") is opened and never closed");
            if (*r->at == '\n') r->line++;
            if (*r->at != '"') continue;
            if (r->at + 1 == r->end || r->at[1] != '"') break;
            r->at++;
        }
        r->at++;
    }
    while (!at_line_end(r) && *r->at != ',') *to++ = *r->at++;
    *more = r->at < r->end && *r->at == ',';
    if (*more)
        r->at++;
    else
        skip_line_end(r);
    *to = 0;
    return 0;
}

int nvs_csv_read(struct nvs_csv_reader *r, struct nvs_csv_record *out, struct nvs_csv_fault *f)
{
    while (r->at < r->end && (*r->at == '#' || at_line_end(r))) skip_line(r);
    if (r->at == r->end) return 0;

    memset(out, 0, sizeof *out);
    f->line = out->line = r->line;
    for (bool more = true; more;) {
        char *field;
        int err = read_field(r, &field, &more, f);
        if (err) return err;
        if (out->count < NVS_CSV_FIELDS) out->field[out->count++] = field;
    }
    return 1;
}

/* ---- values ---- */

static const struct {
    const char *name;
    enum al_nvs_type type;
} encodings[] = {{"u8", AL_NVS_U8},        {"i8", AL_NVS_I8},       {"u16", AL_NVS_U16},
                 {"i16", AL_NVS_I16},      {"u32", AL_NVS_U32},     {"i32", AL_NVS_I32},
                 {"u64", AL_NVS_U64},      {"i64", AL_NVS_I64},     {"string", AL_NVS_STR},
                 {"hex2bin", AL_NVS_BLOB}, {"base64", AL_NVS_BLOB}, {"binary", AL_NVS_BLOB}};

/* Digits in any of the bases that a number may be written in. */
static bool parse_magnitude(const char *text, uint64_t *out)
{
    int base = 10;

    if (text[0] == '0' && text[1]) {
        char c = (char)tolower((unsigned char)text[1]);
        base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 10;
        if (base != 10) text += 2;
    }
    if (!isalnum((unsigned char)text[0])) return false;
    char *end;
    errno = 0;
    *out = strtoull(text, &end, base);
    while (isspace((unsigned char)*end)) end++;
    return errno == 0 && *end == 0;
}

static int decode_number(enum al_nvs_type type, const char *text, struct nvs_csv_value *out,
                         const struct nvs_csv_fault *f)
{
    unsigned bits = (type & 15u) * 8;
    bool is_signed = type & 0x10, minus;
    uint64_t n;
    const char *from = text;

    while (isspace((unsigned char)*from)) from++;
    minus = *from == '-';
    if (minus || *from == '+') from++;
    if (!parse_magnitude(from, &n))
        return nvs_csv_fail(f, "'%s' is no number; like 42, -7 or 0x2a", text);
    uint64_t max = is_signed ? ((uint64_t)1 << (bits - 1)) - !minus : (uint64_t)-1 >> (64 - bits);
    if (n > max || (minus && !is_signed && n))
        return nvs_csv_fail(f, "%s does not fit %c%u (%s%llu at most)", text, is_signed ? 'i' : 'u',
                            bits, minus && is_signed ? "-" : "",
                            (unsigned long long)(minus && !is_signed ? 0 : max));
    if (minus) n = -n;
    memcpy(out->data, &n, out->len);
    return 0;
}

static int decode_hex(const char *text, size_t len, struct nvs_csv_value *out,
                      const struct nvs_csv_fault *f)
{
    while (len && isspace((unsigned char)*text)) text++, len--;
    while (len && isspace((unsigned char)text[len - 1])) len--;
    if (len % 2) return nvs_csv_fail(f, "hex2bin takes two digits a byte, not %zu digits", len);
    for (size_t i = 0; i < len; i += 2) {
        unsigned byte;
        int used;
        char pair[3] = {text[i], text[i + 1], 0};
        if (!isxdigit((unsigned char)pair[0]) || sscanf(pair, "%x%n", &byte, &used) != 1 ||
            used != 2)
            return nvs_csv_fail(f, "'%s' at digit %zu of hex2bin is no hex byte", pair, i + 1);
        out->data[i / 2] = (uint8_t)byte;
    }
    out->len = len / 2;
    return 0;
}

static int decode_base64(const char *text, size_t len, struct nvs_csv_value *out,
                         const struct nvs_csv_fault *f)
{
    char *packed = malloc(len + 1);
    size_t n = 0;
    if (!packed) return nvs_csv_fail(f, "out of memory");
    for (size_t i = 0; i < len; i++)
        if (!isspace((unsigned char)text[i])) packed[n++] = text[i];
    int got = n % 4 ? -1 : n ? EVP_DecodeBlock(out->data, (const uint8_t *)packed, (int)n) : 0;
    for (size_t i = n; got > 0 && i > 0 && packed[i - 1] == '='; i--) got--;
    free(packed);
    if (got < 0) return nvs_csv_fail(f, "the value is no base64");
    out->len = (size_t)got;
    return 0;
}

int nvs_csv_decode(const char *encoding, const char *text, size_t len, struct nvs_csv_value *out,
                   const struct nvs_csv_fault *f)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++)
        if (strcmp(encodings[i].name, encoding) == 0) out->type = encodings[i].type;
    if (!out->type)
        return nvs_csv_fail(f,
                            "encoding '%s' is unknown; take u8 i8 u16 i16 u32 i32 u64 i64, string, "
                            "hex2bin, base64 or binary",
                            encoding);
    out->data = calloc(1, len + 9);
    if (!out->data) return nvs_csv_fail(f, "out of memory");

    int err = 0;
    if (out->type == AL_NVS_STR || strcmp(encoding, "binary") == 0) {
        memcpy(out->data, text, len);
        out->len = len + (out->type == AL_NVS_STR);
    } else if (strcmp(encoding, "hex2bin") == 0) {
        err = decode_hex(text, len, out, f);
    } else if (strcmp(encoding, "base64") == 0) {
        err = decode_base64(text, len, out, f);
    } else {
        out->len = out->type & 15u;
        err = decode_number(out->type, text, out, f);
    }
    if (err) free(out->data);
    if (err) out->data = NULL;
    return err;
}
