/* See wires.h. */
#include "device/wires.h"

#include <stdio.h>

#include "core/err.h"

int wires_open(struct wires *w, const struct device_conf *conf, struct uart *uart, char *why,
               size_t why_size)
{
    char fault[300];
    for (unsigned n = 0; n < CONF_UARTS; n++) {
        if (!conf->uart[n][0]) continue;
        if (wire_open(&w->wire[n], conf->uart[n], fault, sizeof fault)) {
            snprintf(why, why_size, "UART %u: %s", n, fault);
            wires_close(w);
            return AL_FAIL;
        }
        w->wired |= 1u << n;
    }
    for (unsigned n = 0; n < CONF_UARTS; n++)
        if (wires_of(w, n))
            uart_note(uart, "UART %u is %s", n, wire_place(&w->wire[n], fault, sizeof fault));
    uart->wire = wires_of(w, 0);
    return 0;
}

void wires_close(struct wires *w)
{
    for (unsigned n = 0; n < CONF_UARTS; n++)
        if (wires_of(w, n)) wire_close(&w->wire[n]);
    w->wired = 0;
}

struct wire *wires_of(struct wires *w, unsigned n)
{
    return w->wired >> n & 1 ? &w->wire[n] : NULL;
}
