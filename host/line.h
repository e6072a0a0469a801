/* How a serial line of something virtual is reached from outside: by a pty, or by a
 * TCP port. */
#ifndef HOST_LINE_H
#define HOST_LINE_H

#include <stddef.h>
#include <stdint.h>

struct line_pty {
    int master;      /* non-blocking */
    int slave;       /* the other end, raw; whoever closes it sets it to -1 */
    char device[64]; /* its name, /dev/pts/N */
    char link[512];  /* a symbolic link to it; empty: none */
};

/* link NULL or empty: no link. One that leads to a pty is replaced (a run that was killed left
 * it), anything else of that name is not touched. 0, or AL_FAIL with the reason in why; then
 * nothing is left behind. */
int line_pty_open(struct line_pty *p, const char *link, char *why, size_t why_size);
/* Removes the link, unless somebody else has taken the name over. */
void line_pty_close(struct line_pty *p);

/* Listens on "PORT" (loopback), "ADDR:PORT" or "[ADDR]:PORT" (IPv6); port 0: any. Numeric addresses
 * only. *port: the one that it became. Gives the descriptor, non-blocking, or AL_FAIL with why. */
int line_listen(const char *where, uint16_t *port, char *why, size_t why_size);

#endif
