/* Where AT commands come from and answers go to. A UART is at_uart.c; tests bring their own.
 *
 * read and write are called from different tasks; each from one at a time. */
#ifndef AT_AT_PORT_H
#define AT_AT_PORT_H

#include "at/at.h"

struct at_port {
    /* Waits for bytes and gives 1..len of them; 0: the port is gone, its task ends. */
    size_t (*read)(struct at_port *p, void *buf, size_t len);
    void (*write)(struct at_port *p, const void *data, size_t len);
    void (*drain)(struct at_port *p); /* returns when all that was written has left; may be NULL */
};

struct at_engine_config {
    const struct at_command *const *groups; /* NULL-terminated; must stay */
    int terminator;                         /* of a line: a byte, or -1: CR LF */
};

/* Sets the commands and what AT+RST would: echo on, no error codes. Starts the command task. To
 * be called again only while no port is open. */
void at_engine_start(const struct at_engine_config *cfg);
/* Starts the task of a port, which must stay until it has given 0 from read and at_port_closed. */
void at_engine_add(struct at_port *p);
/* Waits until the port's task has ended, after read has given 0. */
void at_port_closed(const struct at_port *p);

/* NULL: CONFIG_AT_UART_PORT cannot be opened; the log says why. */
struct at_port *at_uart_open(int number);

#endif
