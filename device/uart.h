/* UART 0 as the chip process handles it: bytes go to a terminal, file or wire as they
 * come, to a log without colours, and line by line to a pattern that is waited for. */
#ifndef DEVICE_UART_H
#define DEVICE_UART_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "device/wire.h"

struct uart {
    int out;           /* -1: nowhere */
    struct wire *wire; /* instead of out; NULL: none */
    int log;           /* -1: none */
    bool colour;       /* lines of the ROM and the boot loader carry colours */
    bool broken;       /* out cannot be written any more */
    regex_t until;
    bool waiting, matched;
    char line[2048]; /* of the current line, escape sequences removed */
    size_t len;
    int escape; /* state inside an escape sequence */
};

void uart_init(struct uart *u, int out);
/* Extended regular expression, looked for in every line. 0, or -EINVAL with why. */
int uart_wait_for(struct uart *u, const char *pattern, char *why, size_t why_size);
/* Appends to the file. 0 or -errno. */
int uart_log_to(struct uart *u, const char *path);
void uart_close(struct uart *u);

void uart_write(struct uart *u, const char *data, size_t len);
/* The chip's own text. On a wire its lines end as a chip's do, by CR LF. */
void uart_print(struct uart *u, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A word from the simulation itself, not from the chip: on stderr and in the log. */
void uart_note(struct uart *u, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
