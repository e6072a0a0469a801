/* The wires of a chip's UARTs, as device.conf and options have them. */
#ifndef DEVICE_WIRES_H
#define DEVICE_WIRES_H

#include "device/device.h"
#include "device/uart.h"

struct wires {
    struct wire wire[CONF_UARTS];
    uint32_t wired; /* bit n: UART n is on one */
};

/* options: what the user asks for now, over device.conf; NULL: nothing. A firmware can write to
 * its device.conf, so what stands there makes links inside the device directory and listens on
 * loopback, no more.
 * Opens all, or none; says on uart where each is, and puts UART 0 on its own: that takes the
 * place of the terminal. w is zeroed. 0, or AL_FAIL with why. */
int wires_open(struct wires *w, const struct device *d, const char *const options[CONF_UARTS],
               struct uart *uart, char *why, size_t why_size);
void wires_close(struct wires *w);
/* NULL: UART n is on none. */
struct wire *wires_of(struct wires *w, unsigned n);

#endif
