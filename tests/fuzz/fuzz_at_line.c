/* Any bytes at an AT port: the same lines however they are cut, and of each line a request whose
 * parts lie inside it. The first byte says how. */
#include <stdlib.h>
#include <string.h>

#include "at/at_params.h"

static void check(bool right)
{
    if (!right) abort();
}

static void look_at_param(struct at_slice s, const char *line, size_t len)
{
    char room[AT_LINE_MAX + 1];
    int64_t number;
    size_t n = 0;
    enum at_sub sub = AT_SUB_OK;
    check(s.at >= line && s.at + s.len <= line + len);
    if (at_slice_int(s, &number, &sub) == AT_PARAM_MALFORMED) check(sub != AT_SUB_OK);
    sub = AT_SUB_OK;
    enum at_param p = at_slice_text(s, room, &n, &sub);
    if (p == AT_PARAM_MALFORMED) check(sub != AT_SUB_OK);
    if (p == AT_PARAM_OK) check(n + 2 <= s.len && strlen(room) == n);
}

static void look_at_line(const struct at_line_event *ev)
{
    struct at_request r;
    check(ev->len < AT_LINE_MAX && !ev->text[ev->len]);
    if (at_request_parse(ev->text, ev->len, &r)) return;
    check(r.name.at >= ev->text && r.name.at + r.name.len <= ev->text + ev->len);
    check((r.count > 0) == (r.form == AT_FORM_SET));
    for (size_t i = 0; i < r.count && i < AT_PARAMS_MAX; i++)
        look_at_param(r.param[i], ev->text, ev->len);
}

/* Events, folded into a number. A line of "AT+DATA" begins data, of as many bytes as it is long. */
static uint64_t run(const uint8_t *data, size_t size, size_t step, int terminator)
{
    struct at_line l;
    uint64_t sum = 1;
    size_t raw = 0;
    at_line_init(&l, terminator);
    for (size_t at = 0; at < size;) {
        struct at_line_event ev;
        size_t n = size - at < step ? size - at : step;
        if (raw && n > raw) n = raw;
        size_t used = at_line_push(&l, data + at, n, &ev);
        check(used > 0 && used <= n);
        check(ev.kind != AT_LINE_NONE || used == n);
        check((ev.kind == AT_LINE_DATA) == (raw > 0));
        at += used;
        if (ev.kind == AT_LINE_DATA) {
            for (size_t i = 0; i < ev.len; i++) sum = sum * 31 + ev.data[i];
            raw -= ev.len;
            if (!raw) at_line_raw(&l, false);
        } else if (ev.kind != AT_LINE_NONE) {
            sum = sum * 37 + (uint64_t)ev.kind;
            if (ev.kind == AT_LINE_COMMAND) look_at_line(&ev);
            for (size_t i = 0; i < ev.len && ev.kind == AT_LINE_COMMAND; i++)
                sum = sum * 41 + (uint8_t)ev.text[i];
            if (ev.kind == AT_LINE_COMMAND && ev.len >= 7 && !memcmp(ev.text, "AT+DATA", 7)) {
                raw = ev.len;
                at_line_raw(&l, true);
            }
        }
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return 0;
    int terminator = data[0] & 1 ? -1 : data[0] >> 1 ? data[0] >> 1 : 1;
    size_t step = 1 + data[0] % 13;
    uint64_t whole = run(data + 1, size - 1, size, terminator);
    check(whole == run(data + 1, size - 1, step, terminator));
    return 0;
}
