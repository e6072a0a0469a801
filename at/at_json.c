#include "at/at_json.h"

#include <string.h>

void at_json_init(struct at_json *j, at_json_found *found, void *ctx)
{
    memset(j, 0, sizeof *j);
    j->found = found;
    j->ctx = ctx;
}

static void add(struct at_json *j, char c)
{
    if (j->token_len + 1 < AT_JSON_TEXT && c)
        j->token[j->token_len++] = c;
    else
        j->token_len = AT_JSON_TEXT;
}

/* A string or a bare word has ended: the value of the key before it, or a key itself. */
static void end_token(struct at_json *j, bool text)
{
    bool whole = j->token_len < AT_JSON_TEXT;
    if (whole) j->token[j->token_len] = 0;
    if (j->has_key && whole) j->found(j->ctx, j->key, j->token, text);
    j->has_key = false;
    j->state = AT_JSON_BETWEEN;
}

static void between(struct at_json *j, char c)
{
    switch (c) {
    case '{':
    case '[':
        j->depth++;
        j->has_key = false;
        j->token_len = AT_JSON_TEXT;
        break;
    case '}':
    case ']':
        if (j->depth && --j->depth == 0) j->ended = true;
        j->has_key = false;
        break;
    case ':': /* what was read last is a key */
        j->has_key = j->token_len < AT_JSON_TEXT;
        if (j->has_key) memcpy(j->key, j->token, j->token_len + 1);
        break;
    case ',':
        j->has_key = false;
        j->token_len = AT_JSON_TEXT;
        break;
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        break;
    default:
        if (!j->depth) break;
        j->token_len = 0;
        j->state = c == '"' ? AT_JSON_STRING : AT_JSON_BARE;
        if (c != '"') add(j, c);
    }
}

static void escape(struct at_json *j, char c)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *at = strchr(from, c);
    j->state = AT_JSON_STRING;
    if (c == 'u') {
        j->hex = j->hex_digits = 0;
        j->state = AT_JSON_HEX;
    } else {
        add(j, at && c ? to[at - from] : c);
    }
}

static void hex(struct at_json *j, char c)
{
    unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                            : 0x10000;
    j->hex = j->hex << 4 | digit;
    if (++j->hex_digits < 4) return;
    add(j, j->hex < 0x80 ? (char)j->hex : 0); /* no more is needed for versions */
    j->state = AT_JSON_STRING;
}

static void step(struct at_json *j, char c)
{
    switch (j->state) {
    case AT_JSON_BETWEEN:
        between(j, c);
        break;
    case AT_JSON_STRING:
        if (c == '"')
            end_token(j, true);
        else if (c == '\\')
            j->state = AT_JSON_ESCAPE;
        else
            add(j, c);
        break;
    case AT_JSON_ESCAPE:
        escape(j, c);
        break;
    case AT_JSON_HEX:
        hex(j, c);
        break;
    case AT_JSON_BARE:
        if (strchr(" \t\r\n,:{}[]\"", c)) {
            end_token(j, false);
            between(j, c);
        } else {
            add(j, c);
        }
        break;
    }
}

bool at_json_feed(struct at_json *j, const void *data, size_t len)
{
    const char *c = data;
    for (size_t i = 0; i < len && !j->ended; i++) step(j, c[i]);
    return j->ended;
}
