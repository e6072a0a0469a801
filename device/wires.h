/* The wires of a chip's UARTs, as device.conf and options have them. */
#ifndef DEVICE_WIRES_H
#define DEVICE_WIRES_H

#include "device/conf.h"
#include "device/uart.h"

struct wires {
    struct wire wire[CONF_UARTS];
    uint32_t wired; /* bit n: UART n is on one */
};

/* Opens all, or none; says on uart where each is, and puts UART 0 on its own: that takes the
 * place of the terminal. w is zeroed. 0, or AL_FAIL with why. */
int wires_open(struct wires *w, const struct device_conf *conf, struct uart *uart, char *why,
               size_t why_size);
void wires_close(struct wires *w);
/* NULL: UART n is on none. */
struct wire *wires_of(struct wires *w, unsigned n);

#endif
