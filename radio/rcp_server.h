/* The virtual co-processor as a process: rcp.h between a host on TCP or a pty and any
 * radio, as a rule medium:SOCKET. One host at a time: while one is connected, others are
 * turned away; one that connects finds the co-processor as after power on. */
#ifndef RADIO_RCP_SERVER_H
#define RADIO_RCP_SERVER_H

#include "radio/rcp.h"

struct rcp_server_config {
    const char *radio;  /* as radio_open() takes it */
    const char *listen; /* "tcp:PORT" on loopback, 0: any; "pty:LINK": a symbolic link to it */
    const char *name;   /* shown in the medium's messages; NULL: "rcp" */
    uint64_t eui64;     /* 0: the radio's */
    int stop;           /* descriptor that ends rcp_server_run() when readable; -1: none */
    void (*log)(void *ctx, const char *text); /* a host came or went; may be NULL */
    void *ctx;
};

struct rcp_server;

/* NULL: why stands in error. */
struct rcp_server *rcp_server_open(const struct rcp_server_config *c, char *error,
                                   size_t error_size);
void rcp_server_close(struct rcp_server *s); /* removes the link; NULL allowed */

/* Serves until stop is readable: 0. AL_FAIL: the radio is lost, see rcp_server_error(). */
int rcp_server_run(struct rcp_server *s);
const char *rcp_server_error(const struct rcp_server *s);

uint16_t rcp_server_port(const struct rcp_server *s);      /* 0: a pty */
const char *rcp_server_device(const struct rcp_server *s); /* "/dev/pts/3"; NULL: TCP */
uint64_t rcp_server_eui64(const struct rcp_server *s);

#endif
