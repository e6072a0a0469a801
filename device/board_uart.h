/* The UARTs as a running firmware reaches them: descriptors, which the chip hands over by number
 * in the environment variable AIRLIFT_UARTS ("0=0:1,1=6:7,": UART = input : output). */
#ifndef DEVICE_BOARD_UART_H
#define DEVICE_BOARD_UART_H

#include <stdbool.h>

struct board_uart {
    int in, out; /* pipes; -1: nothing is connected to it */
    bool wired;  /* UART 0: on a wire, not on the host's terminal */
};

/* UART 0 is always there, as stdin and stdout. */
struct board_uart board_uart(unsigned n);

#endif
