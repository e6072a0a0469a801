/* The inside of the medium's server: for medium_server*.c only. */
#ifndef RADIO_MEDIUM_SERVER_IMPL_H
#define RADIO_MEDIUM_SERVER_IMPL_H

#include <sys/types.h>

#include "radio/medium_message.h"
#include "radio/medium_server.h"

struct medium_client {
    struct medium_server *server;
    int fd;
    struct medium_node *node; /* NULL: has not attached yet */
    struct al_radio_config config;
    uint32_t sent;      /* messages since and with ATTACHED */
    bool waiting, gone; /* waiting: it has seen all and waits (--fast) */
    uint64_t until;     /* for that */
    uint64_t heard_us;  /* host's clock, of its last message or of ours */
};

struct medium_server {
    struct medium_server_config config;
    struct medium *medium;
    int listener;
    bool udp;
    uint16_t port;
    char path[108];
    dev_t device; /* of the socket's file, so that no other one is removed */
    ino_t inode;
    struct medium_client **clients; /* in the order in which they came */
    size_t count, room;
    const struct medium_client *turn; /* fast: who was heard last, for its silence */
    bool started;                     /* fast: config.wait nodes have been there */
    uint64_t began_us;
    uint32_t addresses; /* given to nodes that asked for any */
};

uint64_t medium_server_clock_us(void); /* of the host, monotonic */
void medium_server_log(struct medium_server *s, enum medium_log what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* medium_server_socket.c: 0, or AL_FAIL and the reason in error */
int medium_server_listen(struct medium_server *s, char *error, size_t error_size);
void medium_server_unlisten(struct medium_server *s);
/* A connection that waits at the listener; -1: none. first: the datagram that asked for
 * it (udp:), *len octets. */
int medium_server_accept(struct medium_server *s, uint8_t first[MEDIUM_MESSAGE_MAX], size_t *len);

/* medium_server_client.c */
bool medium_client_new(struct medium_server *s, int fd); /* false: fd was closed */
void medium_client_free(struct medium_client *c);
/* One message from it, if one is there. False: there is none. */
bool medium_client_read(struct medium_client *c);
void medium_client_packet(struct medium_client *c, const uint8_t *packet, size_t len);
void medium_client_time(struct medium_client *c); /* its time has come */
/* Ends the connection when the server next has a look at it; why: for it and the log. */
void medium_client_refuse(struct medium_client *c, const char *why);
const char *medium_client_name(const struct medium_client *c);

#endif
