/* The medium as a process: nodes are other processes, attached through a Unix socket
 * (SOCK_SEQPACKET) or UDP on loopback, with the messages of radio/medium_message.h. */
#ifndef RADIO_MEDIUM_SERVER_H
#define RADIO_MEDIUM_SERVER_H

#include "radio/medium.h"

enum medium_log { MEDIUM_ATTACHED, MEDIUM_DETACHED, MEDIUM_TROUBLE };

/* Zeros mean the defaults. */
struct medium_server_config {
    const char *address; /* path of a socket, or "udp:PORT"; port 0: any */
    struct medium_config medium;
    double speed;    /* virtual seconds in a second; 0: 1 */
    bool fast;       /* as fast as possible: time goes on when every node waits for it */
    unsigned wait;   /* fast: time begins when so many nodes are attached */
    double patience; /* fast: seconds after which a silent node is cut off; 0: 10 */
    /* Place and links of a node that attaches; may be NULL. Called after the node is in
     * the medium, before anything else happens to it. */
    void (*attached)(void *ctx, struct medium_node *n);
    void (*log)(void *ctx, enum medium_log what, const char *text); /* one line; may be NULL */
    void *ctx;
};

struct medium_server;

/* NULL: why stands in error. A socket in use is refused, a left-over one taken over. */
struct medium_server *medium_server_open(const struct medium_server_config *c, char *error,
                                         size_t error_size);
void medium_server_close(struct medium_server *s); /* removes the socket; NULL allowed */

/* Serves until something was done, timeout_ms went by (-1: no limit), or a signal came.
 * Returns 0, or AL_FAIL when it cannot go on. */
int medium_server_step(struct medium_server *s, int timeout_ms);

struct medium *medium_server_medium(struct medium_server *s);
unsigned medium_server_nodes(const struct medium_server *s);
uint16_t medium_server_port(const struct medium_server *s); /* of udp: */

#endif
