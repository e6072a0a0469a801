/* Finds the keys of a JSON text and their plain values while it comes in, piece by piece, in
 * fixed memory. It does not judge the text: it only looks for what is asked. */
#ifndef AT_JSON_H
#define AT_JSON_H

#include <stdbool.h>
#include <stddef.h>

#define AT_JSON_TEXT 256 /* longer keys and values are passed over */

/* value: of a string, escapes undone (text), or a number, true, false, null as it stands. */
typedef void at_json_found(void *ctx, const char *key, const char *value, bool text);

struct at_json {
    at_json_found *found;
    void *ctx;
    unsigned depth;
    enum { AT_JSON_BETWEEN, AT_JSON_STRING, AT_JSON_ESCAPE, AT_JSON_HEX, AT_JSON_BARE } state;
    unsigned hex, hex_digits;
    char token[AT_JSON_TEXT], key[AT_JSON_TEXT];
    size_t token_len; /* AT_JSON_TEXT: too long, or not representable */
    bool has_key, ended;
};

void at_json_init(struct at_json *j, at_json_found *found, void *ctx);
/* True: the outermost object or array has ended; what follows is not looked at. */
bool at_json_feed(struct at_json *j, const void *data, size_t len);

#endif
