/* The chip process waits here: the UARTs between firmware, terminal or wire, and pattern,
 * the firmware's end, Ctrl-C, and one deadline. */
#ifndef DEVICE_PUMP_H
#define DEVICE_PUMP_H

#include <signal.h>

#include "device/firmware.h"
#include "device/uart.h"

enum pump_end {
    PUMP_ENDED, /* the firmware; *status is set */
    PUMP_DEADLINE,
    PUMP_MATCHED,     /* the line that was waited for is here */
    PUMP_INTERRUPTED, /* SIGINT, SIGTERM, SIGHUP */
    PUMP_NO_OUTPUT    /* nobody reads UART 0 any more */
};

struct pump_port {
    struct wire *wire; /* NULL: none, or UART 0 on a terminal */
    int in;            /* input of UART 0 on a terminal; -1: none */
    char held[256];    /* input that the firmware has not taken yet */
    size_t held_len;
};

struct pump {
    struct uart *uart;         /* UART 0's output */
    struct firmware *firmware; /* pid 0: none, only wait */
    struct pump_port port[FIRMWARE_UARTS];
    int signals; /* signalfd */
    sigset_t old_mask;
};

/* wires: of each UART, or NULL; in: input of UART 0 when it has no wire. Signals come through the
 * pump from here on. 0 or -errno. */
int pump_open(struct pump *p, struct uart *uart, struct firmware *firmware, int in,
              struct wire *const wires[FIRMWARE_UARTS]);
void pump_close(struct pump *p);

/* deadline_ns: CLOCK_MONOTONIC, 0: none. */
enum pump_end pump_run(struct pump *p, uint64_t deadline_ns, int *status);

#endif
