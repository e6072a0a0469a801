/* From bytes to command lines and data: the part of the AT protocol that has no port.
 *
 *        ┌──────── LINE ends at CR LF (or the one configured byte) ────────┐
 *   bytes┤                                                                 ├─> events
 *        └──────── DATA between at_line_raw(true) and at_line_raw(false) ──┘
 *
 * No OS, no heap. Source: ESP-AT's user guide (framing, length of a command). */
#ifndef AT_AT_LINE_H
#define AT_AT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AT_LINE_MAX 256 /* bytes of a command with its terminator */

/* Error codes of AT+SYSLOG=1: module 1, sub-category, extension (esp_at_core.h). */
enum at_sub {
    AT_SUB_OK = 0x00,
    AT_SUB_NO_TERMINATOR = 0x02,
    AT_SUB_NO_AT = 0x03,
    AT_SUB_PARA_LENGTH_MISMATCH = 0x04, /* extension: index of the parameter, also in the next */
    AT_SUB_PARA_TYPE_MISMATCH = 0x05,
    AT_SUB_PARA_NUM_MISMATCH = 0x06, /* extension: needed << 8 | given */
    AT_SUB_PARA_INVALID = 0x07,
    AT_SUB_PARA_PARSE_FAIL = 0x08,
    AT_SUB_UNSUPPORT_CMD = 0x09,
    AT_SUB_CMD_EXEC_FAIL = 0x0a, /* extension: the handler's result */
    AT_SUB_CMD_PROCESSING = 0x0b,
    AT_SUB_CMD_OP_ERROR = 0x0c
};
#define AT_ERROR_CODE(sub, extension) (0x01000000u | (uint32_t)(sub) << 16 | (extension))

enum at_line_kind {
    AT_LINE_NONE, /* all bytes are taken, nothing is whole yet */
    AT_LINE_COMMAND,
    AT_LINE_BAD, /* a line that is no command: too long, or LF without CR */
    AT_LINE_DATA
};

struct at_line_event {
    enum at_line_kind kind;
    const char *text; /* COMMAND: without terminator, NUL behind it; until the next push */
    const uint8_t *data;
    size_t len; /* of text or data */
};

struct at_line {
    int terminator; /* a byte, or -1: CR LF */
    bool raw;
    bool overflow;
    size_t len;
    char text[AT_LINE_MAX + 1];
};

/* terminator: -1 is CR LF, else a byte 1..255. */
void at_line_init(struct at_line *l, int terminator);
/* Data mode: bytes are no lines any more. What has been seen of a line is forgotten. */
void at_line_raw(struct at_line *l, bool on);
/* Takes bytes up to the end of the next event and says how many: echo that many of them, unless
 * they were DATA. */
size_t at_line_push(struct at_line *l, const uint8_t *bytes, size_t len, struct at_line_event *ev);

#endif
