/* ESP-AT on a port: lines in, answers out, commands in tables.
 *
 *   port task ── bytes ──> at_line.h ── one command ──> command task ── handler ──> answer
 *                  └── while a handler runs: "busy p..." (lines), or data that it asked for
 *
 * Sources: spec of ESP-AT's line protocol (answers, error codes, forms); names of esp_at_core.h. */
#ifndef AT_AT_H
#define AT_AT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a handler gives back: numbers of esp_at_rc_t. */
enum at_result {
    AT_OK = 0,    /* \r\nOK\r\n */
    AT_ERROR = 1, /* \r\nERROR\r\n, with an error code line before it after AT+SYSLOG=1 */
    AT_FAIL = 2,  /* as ERROR, other extension in the code */
    AT_SEND_OK = 3,
    AT_SEND_FAIL = 4,
    AT_IGNORE = 5,       /* no output */
    AT_PROCESS_DONE = 6, /* no output */
    /* \r\nOK\r\n\r\n> : for at_answer(), before at_read(); returned: as AT_OK */
    AT_OK_AND_PROMPT = 7
};

/* Outcome for one parameter. */
enum at_param { AT_PARAM_OK, AT_PARAM_OMITTED, AT_PARAM_MALFORMED };

struct at_call; /* one command under way */

/* Handlers run in the command task and may block. */
typedef enum at_result at_handler(struct at_call *call);

struct at_command {
    const char *name;                         /* "+CIUPDATE", "E0", "" for plain AT */
    at_handler *test, *query, *set, *execute; /* NULL: this form is an error (operation type) */
};

/* Groups of commands, each ended by a zeroed element; at_start.c lists them. */
extern const struct at_command at_basic_commands[], at_system_commands[], at_sysflash_commands[],
    at_sysmfg_commands[], at_wifi_commands[], at_user_ota_commands[], at_ciupdate_commands[],
    at_web_server_commands[], at_air_update_commands[];

/* Parameters of a set command, index from 0. Count: as given, omitted ones included. A getter
 * that fails notes the error code for AT+SYSLOG (which parameter, and why). */
size_t at_param_count(const struct at_call *call);
enum at_param at_param_int(struct at_call *call, size_t index,
                           int64_t *out); /* decimal, 0x hex, sign */
/* Text in quotes, escapes undone, NUL behind it. out lives as long as the call. */
enum at_param at_param_text(struct at_call *call, size_t index, const char **out);
/* Checks: notes the code and gives false. */
bool at_param_count_is(struct at_call *call, size_t least, size_t most);
/* Of a text that a getter gave: bytes. Notes PARA_LENGTH_MISMATCH. */
bool at_param_length_is(struct at_call *call, size_t index, const char *text, size_t least,
                        size_t most);
enum at_result at_param_invalid(struct at_call *call,
                                size_t index); /* notes PARA_INVALID; AT_ERROR */

/* A reason for the next ERROR, for people: goes to the log (tag "at"), and, with
 * CONFIG_AT_ERROR_REASON and AT+SYSLOG=1, to the port as "+ERRMSG:\"...\"" before ERROR. Gives
 * AT_ERROR. */
enum at_result at_error(struct at_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Output on the port the call came from, as it is (lines end by CR LF). May also be called with
 * call NULL, from any task: unsolicited lines, to every port. */
void at_print(struct at_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
void at_write(struct at_call *call, const void *data, size_t len);
/* Answers now, before the handler returns (then it returns AT_IGNORE). */
void at_answer(struct at_call *call, enum at_result result);
/* All output has left the port. */
void at_drain(struct at_call *call);

/* Data mode: exactly len raw bytes behind the prompt, as they come. Blocks without limit. Returns
 * as soon as any bytes are there: up to len. 0: the port is gone. */
size_t at_read(struct at_call *call, void *buf, size_t len);
/* Also 0 when nothing comes for so long. */
size_t at_read_for(struct at_call *call, void *buf, size_t len, unsigned ms);
/* After the last one: data mode ends; bytes that wait already are dropped, answered with
 * busy p...; true: there were some. */
bool at_drop_rest(struct at_call *call);
/* The same, with "Recv <received> bytes" before it: who sees that may send a line at once. */
void at_tell_received(struct at_call *call, size_t received);

/* Restarts the chip when all output is out, of every port. call may be NULL. */
_Noreturn void at_restart(struct at_call *call);

struct at_config {
    const struct at_command *const *extra; /* groups of the application, NULL-terminated, or NULL */
};

/* Opens the port (UART CONFIG_AT_UART_PORT) and the commands, confirms an app on trial (the boot
 * loader has rollback), prints "ready". Returns when commands are taken. cfg may be NULL. */
void at_start(const struct at_config *cfg);

#endif
