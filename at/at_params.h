/* What a command line says: which command, which form, which parameters. No OS, no heap.
 *
 *   AT+CIUPDATE=1,"v2",,0
 *     └─ name ─┘│└─ parameters: separated by commas outside of quotes
 *               └ form: =? test, ? query, = set, nothing execute */
#ifndef AT_AT_PARAMS_H
#define AT_AT_PARAMS_H

#include "at/at.h"
#include "at/at_line.h"

#define AT_PARAMS_MAX 16 /* that can be asked for; more are only counted */

enum at_form { AT_FORM_TEST, AT_FORM_QUERY, AT_FORM_SET, AT_FORM_EXECUTE };

struct at_slice {
    const char *at;
    size_t len;
};

struct at_request {
    struct at_slice name; /* behind AT: "+GMR", "E0", "" */
    enum at_form form;
    size_t count; /* parameters of a set command, omitted ones included */
    struct at_slice param[AT_PARAMS_MAX];
};

/* text: of a line, without terminator; the request points into it. 0, or an error code. */
uint32_t at_request_parse(const char *text, size_t len, struct at_request *out);

/* A parameter as a number: decimal or 0x hex, with sign. *sub: why it is malformed. */
enum at_param at_slice_int(struct at_slice s, int64_t *out, enum at_sub *sub);
/* A parameter in quotes; escapes undone into room, which has at least s.len bytes; NUL behind it,
 * *len without it. */
enum at_param at_slice_text(struct at_slice s, char *room, size_t *len, enum at_sub *sub);

#endif
