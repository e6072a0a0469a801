/* See wires.h. */
#include "device/wires.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"

/* From device.conf: "pty:NAME" becomes "pty:DIR/NAME". NULL: more than it may ask for. */
static const char *confine(const struct device *d, const char *asked, char *spec, size_t size)
{
    bool named = strncmp(asked, "pty:", 4) == 0;
    if (strchr(asked, '/') || (!named && strchr(asked + 3, ':') != strrchr(asked, ':')))
        return NULL;
    int n = named ? snprintf(spec, size, "pty:%s/%s", d->dir, asked + 4)
                  : snprintf(spec, size, "%s", asked);
    return (size_t)n < size ? spec : NULL;
}

/* The UART below n whose pty the link of spec leads to already. -1: none. */
static int owner_of_link(struct wires *w, unsigned n, const char *spec)
{
    char device[sizeof w->wire[0].pty.device];
    if (strncmp(spec, "pty:", 4) != 0) return -1;
    ssize_t len = readlink(spec + 4, device, sizeof device - 1);
    if (len < 0) return -1;
    device[len] = 0;
    for (unsigned m = 0; m < n; m++)
        if (wires_of(w, m) && strcmp(w->wire[m].pty.device, device) == 0) return (int)m;
    return -1;
}

static int open_one(struct wires *w, unsigned n, const struct device *d, const char *option,
                    char *why, size_t why_size)
{
    char spec[WIRE_SPEC_MAX + DEVICE_DIR_MAX], fault[700];
    const char *asked = d->conf.uart[n], *use = option;
    if (!option) {
        if (!*asked) return 0;
        use = confine(d, asked, spec, sizeof spec);
    }
    int owner = use ? owner_of_link(w, n, use) : -1;
    if (owner >= 0)
        snprintf(why, why_size, "UART %u: %s leads to UART %d already: give each its own name", n,
                 use + 4, owner);
    else if (!use)
        snprintf(why, why_size,
                 "device.conf: uart%u = '%s': a file that the firmware can write may ask for pty, "
                 "pty:NAME in the device directory, or tcp:PORT; the rest goes by --uart%u",
                 n, asked, n);
    else if (wire_open(&w->wire[n], use, fault, sizeof fault))
        snprintf(why, why_size, "UART %u: %s", n, fault);
    else
        w->wired |= 1u << n;
    return w->wired >> n & 1 ? 0 : AL_FAIL;
}

int wires_open(struct wires *w, const struct device *d, const char *const options[CONF_UARTS],
               struct uart *uart, char *why, size_t why_size)
{
    char place[640];
    for (unsigned n = 0; n < CONF_UARTS; n++) {
        if (open_one(w, n, d, options[n], why, why_size) == 0) continue;
        wires_close(w);
        return AL_FAIL;
    }
    for (unsigned n = 0; n < CONF_UARTS; n++)
        if (wires_of(w, n))
            uart_note(uart, "UART %u is %s", n, wire_place(&w->wire[n], place, sizeof place));
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
