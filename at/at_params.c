#include "at/at_params.h"

#include <string.h>

static bool is_letter(char c, char upper)
{
    return c == upper || c == upper + ('a' - 'A');
}

/* One parameter from at on: up to a comma outside of quotes. Gives where it ends. */
static size_t param_end(const char *text, size_t at, size_t len)
{
    bool quoted = false;
    for (; at < len; at++) {
        if (text[at] == '\\' && quoted && at + 1 < len)
            at++;
        else if (text[at] == '"')
            quoted = !quoted;
        else if (text[at] == ',' && !quoted)
            break;
    }
    return at;
}

static void split(const char *text, size_t len, struct at_request *out)
{
    for (size_t at = 0;; at++) {
        size_t end = param_end(text, at, len);
        if (out->count < AT_PARAMS_MAX)
            out->param[out->count] = (struct at_slice){text + at, end - at};
        out->count++;
        at = end;
        if (at >= len) return;
    }
}

uint32_t at_request_parse(const char *text, size_t len, struct at_request *out)
{
    *out = (struct at_request){.form = AT_FORM_EXECUTE};
    if (len < 2 || !is_letter(text[0], 'A') || !is_letter(text[1], 'T'))
        return AT_ERROR_CODE(AT_SUB_NO_AT, 0);
    text += 2;
    len -= 2;
    const char *equals = memchr(text, '=', len);
    out->name = (struct at_slice){text, equals ? (size_t)(equals - text) : len};
    if (equals) {
        size_t rest = len - out->name.len - 1;
        out->form = rest == 1 && equals[1] == '?' ? AT_FORM_TEST : AT_FORM_SET;
        if (out->form == AT_FORM_SET) split(equals + 1, rest, out);
    } else if (len && text[len - 1] == '?') {
        out->form = AT_FORM_QUERY;
        out->name.len--;
    }
    return 0;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return 16;
}

enum at_param at_slice_int(struct at_slice s, int64_t *out, enum at_sub *sub)
{
    if (!s.len) return AT_PARAM_OMITTED;
    *sub = s.at[0] == '"' ? AT_SUB_PARA_TYPE_MISMATCH : AT_SUB_PARA_PARSE_FAIL;
    bool negative = s.at[0] == '-';
    size_t i = negative || s.at[0] == '+' ? 1 : 0;
    int base = 10;
    if (s.len - i > 2 && s.at[i] == '0' && is_letter(s.at[i + 1], 'X')) {
        base = 16;
        i += 2;
    }
    if (i == s.len) return AT_PARAM_MALFORMED;
    int64_t value = 0;
    for (; i < s.len; i++) {
        int d = digit(s.at[i]);
        if (d >= base || value > (INT64_MAX - d) / base) return AT_PARAM_MALFORMED;
        value = value * base + d;
    }
    *out = negative ? -value : value;
    return AT_PARAM_OK;
}

enum at_param at_slice_text(struct at_slice s, char *room, size_t *len, enum at_sub *sub)
{
    if (!s.len) return AT_PARAM_OMITTED;
    *sub = AT_SUB_PARA_TYPE_MISMATCH;
    if (s.at[0] != '"') return AT_PARAM_MALFORMED;
    *sub = AT_SUB_PARA_PARSE_FAIL;
    size_t n = 0, i = 1;
    for (; i < s.len && s.at[i] != '"'; i++) {
        if (s.at[i] == '\\' && ++i == s.len) return AT_PARAM_MALFORMED;
        if (!s.at[i]) return AT_PARAM_MALFORMED;
        room[n++] = s.at[i];
    }
    if (i + 1 != s.len) return AT_PARAM_MALFORMED; /* no closing quote, or something behind it */
    room[n] = 0;
    *len = n;
    return AT_PARAM_OK;
}
