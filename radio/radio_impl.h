/* What stands behind struct radio: each kind of radio embeds it as its first member.
 * For the files of radio/ only. */
#ifndef RADIO_RADIO_IMPL_H
#define RADIO_RADIO_IMPL_H

#include "radio/radio.h"

struct radio_kind {
    void (*close)(struct radio *r); /* frees r, too */
    uint64_t (*now)(struct radio *r);
    int (*wait)(struct radio *r, uint64_t until, int extra); /* as radio_wait() */
};

struct radio {
    const struct radio_kind *kind;
    struct al_radio port; /* port.ctx is this radio */
    uint64_t eui64;
    struct radio_events events; /* callbacks may be NULL */
    void *ctx;
    char error[256]; /* why the radio is lost; empty: it is not */
};

/* What radio_open() was given. address: behind "medium:" or "spinel:". */
struct radio_opening {
    const char *address;
    uint64_t eui64;
    const char *name;
    const struct radio_events *events;
    void *ctx;
    char *error;
    size_t error_size;
};

/* The kinds: NULL and o->error when it fails. The opener fills all of struct radio. */
struct radio *medium_port_open(const struct radio_opening *o);
struct radio *spinel_radio_open(const struct radio_opening *o);

#endif
