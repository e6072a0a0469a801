#include "at/at_line.h"

void at_line_init(struct at_line *l, int terminator)
{
    l->terminator = terminator;
    at_line_raw(l, false);
}

void at_line_raw(struct at_line *l, bool on)
{
    l->raw = on;
    l->overflow = false;
    l->len = 0;
}

/* The line has ended; its last strip bytes are the terminator. */
static void end_line(struct at_line *l, size_t strip, bool good, struct at_line_event *ev)
{
    size_t len = l->len > strip ? l->len - strip : 0;
    l->text[len] = 0;
    ev->kind = good && !l->overflow ? AT_LINE_COMMAND : AT_LINE_BAD;
    ev->text = l->text;
    ev->len = len;
    l->len = 0;
    l->overflow = false;
}

/* Keeps the byte; of a line that is too long only the last ones, to see where it ends. */
static void keep(struct at_line *l, uint8_t byte)
{
    if (l->len == AT_LINE_MAX) {
        l->overflow = true;
        l->text[0] = l->text[AT_LINE_MAX - 1];
        l->len = 1;
    }
    l->text[l->len++] = (char)byte;
}

size_t at_line_push(struct at_line *l, const uint8_t *bytes, size_t len, struct at_line_event *ev)
{
    *ev = (struct at_line_event){.kind = AT_LINE_NONE};
    if (l->raw && len) {
        *ev = (struct at_line_event){.kind = AT_LINE_DATA, .data = bytes, .len = len};
        return len;
    }
    for (size_t i = 0; i < len; i++) {
        keep(l, bytes[i]);
        if (l->terminator >= 0 ? bytes[i] == l->terminator : bytes[i] == '\n') {
            bool crlf = l->len >= 2 && l->text[l->len - 2] == '\r';
            bool good = l->terminator >= 0 || crlf;
            end_line(l, l->terminator < 0 && crlf ? 2 : 1, good, ev);
            return i + 1;
        }
    }
    return len;
}
