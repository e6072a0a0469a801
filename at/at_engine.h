/* Inside of the interpreter: what commands of the core see more than at.h. */
#ifndef AT_AT_ENGINE_H
#define AT_AT_ENGINE_H

#include "at/at_params.h"
#include "at/at_port.h"

#define AT_REASON_MAX 320

struct at_session; /* a port with its line and its data */

struct at_call {
    struct at_session *session;
    const struct at_command *command;
    struct at_request request;
    size_t len;
    uint32_t code;              /* error code that a getter or check noted; 0: none */
    bool guess;                 /* the code only holds when nothing else happens before the error */
    char reason[AT_REASON_MAX]; /* "": none */
    char line[AT_LINE_MAX + 1]; /* the request points into it */
    char texts[AT_LINE_MAX + 1]; /* unescaped parameters, each where it stands in line */
};

/* What ATE and AT+SYSLOG switch; of all ports, gone with a restart. */
struct at_switches {
    bool echo, error_codes;
};
extern struct at_switches at_switches;

/* A command by its name; NULL: there is none. */
const struct at_command *at_command_find(const struct at_command *const *groups,
                                         struct at_slice name);
/* Groups that at_engine_start() was given. */
const struct at_command *const *at_command_groups(void);

void at_note(struct at_call *call, enum at_sub sub, uint32_t extension);

/* Ports, for the output of at_output.c. */
void at_sessions_write(const void *data, size_t len);
void at_session_write(struct at_session *s, const void *data, size_t len);
void at_session_drain(struct at_session *s);
/* Data mode begins; the bytes up to the next line end are data. */
void at_session_raw(struct at_session *s);

#endif
