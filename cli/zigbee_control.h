/* What an operator or a program says to a running `airlift zigbee serve` or `client`: JSON
 * objects, one a line, on standard input (unless that is a terminal) and on a Unix socket;
 * each is answered by one line. SIGINT and SIGTERM come in here too. One descriptor to wait
 * for; see zb_loop_wait(). */
#ifndef CLI_ZIGBEE_CONTROL_H
#define CLI_ZIGBEE_CONTROL_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct zigbee_control;

struct zigbee_control_config {
    const char *socket; /* made with mode 0600; NULL: none */
    bool input;         /* commands on standard input, answers on standard output */
    int watch;          /* another descriptor to wake up for; -1: none */
    void *ctx;
    cJSON *(*run)(void *ctx, const cJSON *command); /* the answer, which is freed here */
};

/* NULL: what went wrong stands in error. */
struct zigbee_control *zigbee_control_open(const struct zigbee_control_config *c, char *error,
                                           size_t error_size);
void zigbee_control_close(struct zigbee_control *c); /* NULL allowed; removes the socket */
int zigbee_control_fd(const struct zigbee_control *c);
/* Does what has come in. watched: c->watch is readable (may be NULL). False: told to end. */
bool zigbee_control_serve(struct zigbee_control *c, bool *watched);

/* A line of JSON on stdout. */
void zigbee_print_line(const cJSON *doc);

#endif
