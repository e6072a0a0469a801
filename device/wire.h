/* What a UART is wired to outside the chip: a pty or a TCP port, with a buffer for what the chip
 * sends. It lives as long as the chip is switched on: resets do not disturb who is connected.
 *
 * Nobody connected: the newest WIRE_KEPT bytes are kept for whoever comes. Somebody connected who
 * does not read: the chip is held up for WIRE_PATIENCE_NS, then he counts as nobody until he
 * reads on. Input is never lost: what the chip does not take stays with the sender. */
#ifndef DEVICE_WIRE_H
#define DEVICE_WIRE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/line.h"

#define WIRE_KEPT        65536u
#define WIRE_RESERVE     8192u /* of it, for what the chip says when it cannot wait */
#define WIRE_PATIENCE_NS 2000000000ull
#define WIRE_SPEC_MAX    220u
#define WIRE_SPEC_WORDS  "pty, pty:LINK, tcp:PORT or tcp:ADDRESS:PORT"

enum { WIRE_FDS = 2 };

struct wire {
    bool is_pty;
    struct line_pty pty;
    int door; /* tells of someone who connects: listening socket, or watch of the pty */
    int peer; /* connection, or the pty's master */
    bool readable, writable; /* the peer may still send; still takes */
    bool leaving;            /* readable, but there is only the rest left to read */
    uint16_t port;           /* TCP */
    uint64_t refused_since;  /* when the peer last had no room; 0: it has */
    uint32_t start, len;     /* of what waits in kept, a ring */
    char kept[WIRE_KEPT];
};

/* Is it one of WIRE_SPEC_WORDS? */
bool wire_spec_valid(const char *spec);
/* 0, or AL_FAIL with why; then nothing is left behind. */
int wire_open(struct wire *w, const char *spec, char *why, size_t why_size);
/* Gives the peer a moment to take the rest. */
void wire_close(struct wire *w);
/* Where it is reached, for people: "/dev/pts/3 (LINK)", "tcp port 7000". */
const char *wire_place(const struct wire *w, char *text, size_t size);

/* What to wait for; input: bytes are wanted. */
void wire_poll(const struct wire *w, bool input, struct pollfd fds[WIRE_FDS]);
/* Who came, who left; sends what waits. */
void wire_turn(struct wire *w, const struct pollfd fds[WIRE_FDS]);
/* When to turn although nothing happened, CLOCK_MONOTONIC; 0: never. */
uint64_t wire_deadline(const struct wire *w);

/* Bytes from the peer; 0: none now. */
size_t wire_read(struct wire *w, char *buf, size_t size);
/* How many bytes the chip may send now; beyond that the oldest are lost. */
size_t wire_room(const struct wire *w);
void wire_write(struct wire *w, const char *data, size_t len);

#endif
