#include "radio/radio.h"

#include <stdio.h>
#include <string.h>

#include "radio/radio_impl.h"

static const struct {
    const char *prefix;
    struct radio *(*open)(const struct radio_opening *o);
} kinds[] = {
    {"medium:", medium_port_open},
    {"spinel:", spinel_radio_open},
};

bool radio_is_named(const char *where)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(where, kinds[i].prefix, strlen(kinds[i].prefix)) == 0) return true;
    return false;
}

struct radio *radio_open(const char *where, uint64_t eui64, const char *name,
                         const struct radio_events *events, void *ctx, char *error,
                         size_t error_size)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t len = strlen(kinds[i].prefix);
        if (strncmp(where, kinds[i].prefix, len) != 0) continue;
        const struct radio_opening o = {where + len, eui64, name, events, ctx, error, error_size};
        /* cppcheck-suppress returnDanglingLifetime ; what it returns does not keep o */
        return kinds[i].open(&o);
    }
    snprintf(error, error_size,
             "'%s' is no radio; it is medium:SOCKET, spinel:DEVICE or spinel:tcp://HOST:PORT",
             where);
    return NULL;
}

void radio_close(struct radio *r)
{
    if (r) r->kind->close(r);
}

const struct al_radio *radio_port(struct radio *r)
{
    return &r->port;
}

uint64_t radio_eui64(const struct radio *r)
{
    return r->eui64;
}

uint64_t radio_now(struct radio *r)
{
    return r->kind->now(r);
}

int radio_wait(struct radio *r, uint64_t until, int extra)
{
    return r->kind->wait(r, until, extra);
}

const char *radio_error(const struct radio *r)
{
    return r->error;
}
