/* See wires.h. */
#include "device/wires.h"

#include <stdio.h>
#include <string.h>

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

static int open_one(struct wires *w, unsigned n, const struct device *d, const char *option,
                    char *why, size_t why_size)
{
    char spec[WIRE_SPEC_MAX + DEVICE_DIR_MAX], fault[700];
    const char *asked = d->conf.uart[n], *use = option;
    if (!option) {
        if (!*asked) return 0;
        use = confine(d, asked, spec, sizeof spec);
    }
    if (!use)
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
