/* struct radio over spinel. See spinel_radio.h. */
#include "radio/spinel_radio.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "radio/spinel_host.h"
#include "radio/spinel_link.h"

#define CONNECT_US 5000000u

struct spinel_radio {
    struct radio base;
    struct spinel_host host;
    struct spinel_link link;
    uint64_t reopen_at, reopen_us; /* the line is down: when it is tried again, after how long */
    uint64_t connect_by;
    bool cut; /* the line failed inside a call */
    char trouble[400];
};

static uint64_t clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t spinel_now(struct radio *r)
{
    (void)r;
    return clock_us();
}

static void line_send(void *io, const uint8_t *bytes, size_t len)
{
    struct spinel_radio *s = io;
    if (spinel_link_write(&s->link, bytes, len)) s->cut = true;
}

/* The line is down; it will be tried again. */
static void line_down(struct spinel_radio *s, const char *why)
{
    snprintf(s->trouble, sizeof s->trouble, "%s", why);
    spinel_link_close(&s->link);
    spinel_host_link_down(&s->host);
    s->cut = false;
    s->reopen_at = clock_us() + s->reopen_us;
    s->reopen_us =
        s->reopen_us * 2 < SPINEL_REOPEN_LAST_US ? s->reopen_us * 2 : SPINEL_REOPEN_LAST_US;
}

static void line_open(struct spinel_radio *s)
{
    s->connect_by = clock_us() + CONNECT_US;
    if (spinel_link_open(&s->link))
        line_down(s, s->link.error);
    else if (!s->link.connecting)
        spinel_host_link_up(&s->host, clock_us());
}

static void line_read(struct spinel_radio *s)
{
    uint8_t buf[4096];
    int n = spinel_link_read(&s->link, buf, sizeof buf);
    if (n > 0) spinel_host_input(&s->host, clock_us(), buf, (size_t)n);
    if (n < 0) s->cut = true;
}

static void line_service(struct spinel_radio *s)
{
    bool was_connecting = s->link.connecting;
    if (spinel_link_service(&s->link)) {
        s->cut = true;
    } else if (s->link.connecting) {
        if (clock_us() >= s->connect_by) line_down(s, "connect: no answer");
    } else {
        if (was_connecting) spinel_host_link_up(&s->host, clock_us());
        line_read(s);
    }
}

/* What is due on the line and in the host; never waits. */
static void service(struct spinel_radio *s)
{
    if (s->link.fd < 0 && clock_us() >= s->reopen_at) line_open(s);
    if (s->link.fd >= 0) line_service(s);
    spinel_host_run(&s->host, clock_us());
    if (s->cut) line_down(s, s->link.error);
    if (s->host.state == SPINEL_LOST) line_down(s, s->host.why);
    if (s->host.state == SPINEL_RUNNING) {
        s->reopen_us = SPINEL_REOPEN_FIRST_US;
        s->trouble[0] = 0;
    }
}

/* Waits until something can be done, `until`, or extra is readable. True: it is. */
static bool wait_for_line(struct spinel_radio *s, uint64_t until, int extra)
{
    uint64_t due = spinel_host_next(&s->host), now = clock_us();
    if (s->link.fd < 0 && s->reopen_at < due) due = s->reopen_at;
    if (s->link.connecting && s->connect_by < due) due = s->connect_by;
    if (until < due) due = until;
    uint64_t us = due > now ? due - now : 0;
    struct timespec t = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
    struct pollfd fds[2] = {{.fd = s->link.fd, .events = spinel_link_wants(&s->link)},
                            {.fd = extra, .events = POLLIN}};
    int n = ppoll(fds, 2, due == UINT64_MAX ? NULL : &t, NULL);
    return n > 0 && fds[1].revents;
}

static int spinel_wait(struct radio *r, uint64_t until, int extra)
{
    struct spinel_radio *s = (struct spinel_radio *)r;
    uint64_t before = s->host.delivered;
    for (;;) {
        if (s->host.state == SPINEL_REFUSED) {
            snprintf(r->error, sizeof r->error, "%s", s->host.why);
            return AL_FAIL;
        }
        bool readable = wait_for_line(s, until, extra);
        service(s);
        if (readable || s->host.delivered != before || clock_us() >= until) return 0;
    }
}

static void spinel_close(struct radio *r)
{
    struct spinel_radio *s = (struct spinel_radio *)r;
    spinel_link_close(&s->link);
    spinel_host_free(&s->host);
    free(s);
}

static int port_configure(void *ctx, const struct al_radio_config *c)
{
    return spinel_host_configure(&((struct spinel_radio *)ctx)->host, clock_us(), c);
}

static int port_transmit(void *ctx, const uint8_t *mpdu, uint8_t len)
{
    return spinel_host_transmit(&((struct spinel_radio *)ctx)->host, clock_us(), mpdu, len);
}

static int port_set_pending(void *ctx, bool extended, uint64_t addr, bool pending)
{
    return spinel_host_set_pending(&((struct spinel_radio *)ctx)->host, clock_us(), extended, addr,
                                   pending);
}

static int port_energy_scan(void *ctx, uint8_t channel, uint32_t us)
{
    return spinel_host_energy_scan(&((struct spinel_radio *)ctx)->host, clock_us(), channel, us);
}

/* Until the co-processor runs. false: trouble, or refused. */
static bool start(struct spinel_radio *s)
{
    s->reopen_us = SPINEL_REOPEN_FIRST_US;
    line_open(s);
    while (s->host.state != SPINEL_RUNNING && s->host.state != SPINEL_REFUSED) {
        if (s->link.fd < 0) return false; /* once here is enough: a person waits */
        wait_for_line(s, UINT64_MAX, -1);
        service(s);
    }
    return s->host.state == SPINEL_RUNNING;
}

static const struct radio_kind kind = {spinel_close, spinel_now, spinel_wait};

struct radio *spinel_radio_open(const struct radio_opening *o)
{
    struct spinel_radio *s = calloc(1, sizeof *s);
    if (!s) {
        snprintf(o->error, o->error_size, "out of memory");
        return NULL;
    }
    s->base = (struct radio){
        .kind = &kind,
        .port = {s, port_configure, port_transmit, port_set_pending, port_energy_scan},
        .events = *o->events,
        .ctx = o->ctx};
    s->host.events = *o->events;
    s->host.ctx = o->ctx;
    s->host.send = line_send;
    s->host.io = s;
    spinel_host_init(&s->host);
    if (spinel_link_init(&s->link, o->address)) {
        snprintf(o->error, o->error_size, "spinel:%s: %s", o->address, s->link.error);
    } else if (!start(s)) {
        bool refused = s->host.state == SPINEL_REFUSED;
        snprintf(o->error, o->error_size, "spinel:%s: %s", o->address,
                 refused ? s->host.why : s->trouble);
    } else {
        s->base.eui64 = o->eui64 ? o->eui64 : s->host.probe.eui64;
        return &s->base;
    }
    spinel_close(&s->base);
    return NULL;
}

const char *spinel_radio_version(const struct radio *r)
{
    return ((const struct spinel_radio *)r)->host.probe.version;
}

const char *spinel_radio_trouble(const struct radio *r)
{
    const struct spinel_radio *s = (const struct spinel_radio *)r;
    return s->trouble[0] ? s->trouble : NULL;
}
