/* The line to a co-processor: a serial port or pty, or a TCP connection. Nothing here
 * blocks but the look-up of a host's name when it is opened.
 *
 *   /dev/ttyACM0            460800 baud, 8N1, flow control by XON/XOFF
 *   /dev/ttyUSB0?baud=115200&rtscts=1
 *   tcp://HOST:PORT */
#ifndef RADIO_SPINEL_LINK_H
#define RADIO_SPINEL_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define SPINEL_LINK_BAUD 460800u

struct spinel_link {
    int fd;          /* -1: closed */
    bool connecting; /* TCP: not there yet */
    char error[200]; /* of the last call that failed */

    /* Where it leads. */
    bool tcp, rtscts;
    char path[200]; /* of the device */
    uint32_t baud;
    struct sockaddr_storage addr;
    socklen_t addr_len;

    uint8_t out[8192]; /* what the line has not taken yet */
    size_t out_len;
};

/* Reads an address and looks up its host. 0, or AL_FAIL and error. */
int spinel_link_init(struct spinel_link *l, const char *address);

/* Opens, or begins to connect. 0, or AL_FAIL and error. */
int spinel_link_open(struct spinel_link *l);
void spinel_link_close(struct spinel_link *l);

/* What to wait for: POLLIN, POLLOUT. */
short spinel_link_wants(const struct spinel_link *l);

/* After a wait: ends connecting, writes what is left. 0, or AL_FAIL and error. */
int spinel_link_service(struct spinel_link *l);

/* Bytes read, 0: none now, or AL_FAIL and error: the link is gone. */
int spinel_link_read(struct spinel_link *l, uint8_t *buf, size_t size);

/* Sends or keeps; AL_FAIL and error when the link is gone or takes nothing any more. */
int spinel_link_write(struct spinel_link *l, const uint8_t *bytes, size_t len);

#endif
