#include "radio/medium_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "radio/medium_message.h"
#include "radio/radio_impl.h"

#define NEVER     UINT64_MAX
#define ANSWER_MS 10000 /* in which a medium has to answer */
#define ASK_MS    250   /* between two datagrams that ask to attach */
#define CHANNEL   11    /* until configured */

struct medium_port {
    struct radio radio;
    int fd;
    bool udp;
    bool fast;
    double speed;
    uint64_t time, time_host; /* the medium's time when this host's clock was time_host */
    uint32_t seen;            /* messages since and with ATTACHED */
    bool transmitting, scanning, pending_all;
    struct al_radio_config config;
};

static struct medium_port *port_of(struct radio *r)
{
    return (struct medium_port *)r;
}

static uint64_t host_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* --- connecting --- */

static int fail(char *error, size_t size, const char *address, const char *why)
{
    snprintf(error, size, "medium:%s: %s", address, why);
    return AL_FAIL;
}

static int connect_to(const char *address, const struct sockaddr *a, socklen_t len, int type,
                      char *error, size_t error_size)
{
    int fd = socket(a->sa_family, type | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, a, len) == 0) return fd;
    const char *why = strerror(errno);
    if (errno == ENOENT || errno == ECONNREFUSED)
        why = "no medium is there; start one with 'airlift radio medium SOCKET'";
    else if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        why = "no medium was there when this confined process began; it can open no socket itself";
    else if (errno == EPROTOTYPE)
        why = "what listens there is no medium";
    if (fd >= 0) close(fd);
    return fail(error, error_size, address, why);
}

static int connect_udp(const char *address, char *error, size_t error_size)
{
    char *end;
    const char *number = address + strlen("udp:");
    unsigned long port = strtoul(number, &end, 10);
    if (end == number || *end || port == 0 || port > 65535)
        return fail(error, error_size, address, "a port is a number from 1 to 65535");
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return connect_to(address, (struct sockaddr *)&a, sizeof a, SOCK_DGRAM, error, error_size);
}

static int connect_unix(const char *address, char *error, size_t error_size)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (!*address || strlen(address) >= sizeof a.sun_path)
        return fail(error, error_size, address, "that is no name of a socket");
    memcpy(a.sun_path, address, strlen(address));
    return connect_to(address, (struct sockaddr *)&a, sizeof a, SOCK_SEQPACKET, error, error_size);
}

static bool is_udp(const char *address)
{
    return strncmp(address, "udp:", 4) == 0;
}

/* A message from the medium within ms; flags: of recv(). 0: none came. AL_FAIL: why. */
static int await_message(int fd, struct medium_message *m, int flags, int ms, char *why,
                         size_t why_size)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    uint8_t packet[MEDIUM_MESSAGE_MAX + 1];
    int ready = poll(&p, 1, ms);
    if (ready == 0 || (ready < 0 && errno == EINTR)) return 0;
    ssize_t n = ready < 0 ? -1 : recv(fd, packet, sizeof packet, flags);
    if (n < 0 && errno == ECONNREFUSED)
        snprintf(why, why_size, "no medium listens at that port");
    else if (n < 0)
        snprintf(why, why_size, "%s", strerror(errno));
    else if (n == 0)
        snprintf(why, why_size, "the medium hung up");
    else if (medium_message_parse(m, packet, (size_t)n, why, why_size))
        return 1;
    return AL_FAIL;
}

/* Whether what listens greets as a medium does; the greeting stays unread. */
static int make_sure(int fd, const char *address, char *error, size_t error_size)
{
    struct medium_message m;
    char why[160] = "it does not greet as a medium does";
    if (await_message(fd, &m, MSG_PEEK, ANSWER_MS, why, sizeof why) == 1 && m.type == MEDIUM_HELLO)
        return 0;
    return fail(error, error_size, address, why);
}

int medium_port_connect(const char *address, char *error, size_t error_size)
{
    if (is_udp(address)) return connect_udp(address, error, error_size);
    int fd = connect_unix(address, error, error_size);
    if (fd < 0 || make_sure(fd, address, error, error_size) == 0) return fd;
    close(fd);
    return AL_FAIL;
}

static int adopt(const char *address, char *error, size_t error_size)
{
    char *end;
    int type, fd = (int)strtol(address + strlen("fd:"), &end, 10);
    socklen_t len = sizeof type;
    if (*end || end == address + strlen("fd:") ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) || type != SOCK_SEQPACKET)
        return fail(error, error_size, address, "that descriptor is no connection to a medium");
    return fd;
}

/* --- attaching --- */

static void lose(struct medium_port *p, const char *why)
{
    if (!*p->radio.error) snprintf(p->radio.error, sizeof p->radio.error, "medium: %s", why);
}

static int say(struct medium_port *p, const struct medium_message *m)
{
    uint8_t packet[MEDIUM_MESSAGE_MAX];
    size_t len = medium_message_build(m, packet);
    if (*p->radio.error) return AL_FAIL;
    ssize_t n;
    do n = send(p->fd, packet, len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    /* A medium that hung up may have said why: that is still to be read. */
    if (n == (ssize_t)len || errno == EPIPE) return 0;
    lose(p, strerror(errno));
    return AL_FAIL;
}

static int say_attach(struct medium_port *p, const struct radio_opening *o)
{
    struct medium_message m = {.type = MEDIUM_ATTACH, .version = MEDIUM_VERSION, .eui64 = o->eui64};
    int len = snprintf((char *)m.data, MEDIUM_NAME_MAX + 1, "%s", o->name ? o->name : "");
    m.len = (uint8_t)(len < MEDIUM_NAME_MAX ? len : MEDIUM_NAME_MAX);
    for (unsigned i = 0; i < m.len; i++)
        if (m.data[i] < 0x20 || m.data[i] > 0x7e) m.data[i] = '?';
    return say(p, &m);
}

static void attached(struct medium_port *p, const struct medium_message *m)
{
    p->radio.eui64 = m->eui64;
    p->fast = m->fast;
    p->speed = m->number / 1000.0;
    p->time = m->time;
    p->time_host = host_us();
    p->seen = 1;
}

static int attach(struct medium_port *p, const struct radio_opening *o)
{
    struct medium_message m;
    char why[256] = "it does not answer";
    bool asked = false;
    for (uint64_t began = host_us(); host_us() - began < ANSWER_MS * 1000u;) {
        if (!asked && p->udp) say_attach(p, o);
        int got = await_message(p->fd, &m, 0, ASK_MS, why, sizeof why);
        if (got < 0) break;
        if (got == 0) continue; /* a datagram may have been lost: ask again */
        if (m.type == MEDIUM_HELLO && m.version != MEDIUM_VERSION) {
            snprintf(why, sizeof why, "it speaks version %u of the messages, this program %u",
                     m.version, MEDIUM_VERSION);
            break;
        }
        if (m.type == MEDIUM_HELLO && !asked) {
            asked = true;
            if (!p->udp && say_attach(p, o)) break;
        } else if (m.type == MEDIUM_ATTACHED_AS) {
            attached(p, &m);
            return 0;
        } else if (m.type == MEDIUM_ERROR) {
            snprintf(why, sizeof why, "%s", (const char *)m.data);
            break;
        }
    }
    return fail(o->error, o->error_size, o->address, why);
}

/* --- struct al_radio --- */

static bool is_busy(const struct medium_port *p)
{
    return p->transmitting || p->scanning;
}

static int say_configure(struct medium_port *p)
{
    return say(p, &(struct medium_message){
                      .type = MEDIUM_CONFIGURE, .config = p->config, .pending = p->pending_all});
}

static int port_configure(void *ctx, const struct al_radio_config *c)
{
    struct medium_port *p = ctx;
    if (c->channel < 11 || c->channel > 26) return AL_ERR_INVALID_ARG;
    if (c->channel != p->config.channel && is_busy(p)) return AL_ERR_INVALID_STATE;
    p->config = *c;
    return say_configure(p);
}

static int port_transmit(void *ctx, const uint8_t *mpdu, uint8_t len)
{
    struct medium_port *p = ctx;
    struct medium_message m = {.type = MEDIUM_TRANSMIT, .len = len};
    if (len < 3 || len > AL_RADIO_MPDU_MAX) return AL_ERR_INVALID_ARG;
    if (is_busy(p)) return AL_ERR_INVALID_STATE;
    memcpy(m.data, mpdu, len);
    int err = say(p, &m);
    p->transmitting = err == 0;
    return err;
}

static int port_set_pending(void *ctx, bool extended, uint64_t addr, bool pending)
{
    return say(ctx, &(struct medium_message){.type = MEDIUM_SET_PENDING,
                                             .eui64 = addr,
                                             .extended = extended,
                                             .pending = pending});
}

static int port_energy_scan(void *ctx, uint8_t channel, uint32_t us)
{
    struct medium_port *p = ctx;
    if (channel < 11 || channel > 26 || us == 0) return AL_ERR_INVALID_ARG;
    if (is_busy(p)) return AL_ERR_INVALID_STATE;
    int err =
        say(p, &(struct medium_message){.type = MEDIUM_SCAN, .channel = channel, .number = us});
    p->scanning = err == 0;
    return err;
}

void medium_port_pending_for_all(struct radio *r, bool on)
{
    struct medium_port *p = port_of(r);
    p->pending_all = on;
    say_configure(p);
}

/* --- what comes --- */

static uint64_t port_now(struct radio *r)
{
    struct medium_port *p = port_of(r);
    if (p->fast) return p->time;
    return p->time + (uint64_t)((double)(host_us() - p->time_host) * p->speed);
}

/* True: it was an event for the user. */
static bool handle(struct medium_port *p, const struct medium_message *m)
{
    const struct radio_events *events = &p->radio.events;
    struct al_radio_rx rx = {m->data, m->len, m->dbm, m->lqi, m->pending};
    if (p->fast && m->time > p->time) p->time = m->time;
    uint64_t now = port_now(&p->radio);
    switch (m->type) {
    case MEDIUM_RECEIVED:
        if (events->received) events->received(p->radio.ctx, now, &rx);
        return true;
    case MEDIUM_TRANSMITTED:
        p->transmitting = false;
        if (events->transmitted)
            events->transmitted(p->radio.ctx, now, (enum al_radio_status)m->status, m->pending);
        return true;
    case MEDIUM_SCANNED:
        p->scanning = false;
        if (events->scanned) events->scanned(p->radio.ctx, now, m->channel, m->dbm);
        return true;
    case MEDIUM_TIME:
    case MEDIUM_ATTACHED_AS:
        return false;
    case MEDIUM_ERROR:
        lose(p, (const char *)m->data);
        return false;
    default:
        lose(p, "it said something that only a node says");
        return false;
    }
}

/* All that has come. Gives the number of events. */
static unsigned drain(struct medium_port *p)
{
    uint8_t packet[MEDIUM_MESSAGE_MAX + 1];
    struct medium_message m;
    char why[160];
    unsigned events = 0;
    while (!*p->radio.error) {
        ssize_t n = recv(p->fd, packet, sizeof packet, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) break;
        p->seen++;
        if (n <= 0)
            lose(p, "it has ended");
        else if (!medium_message_parse(&m, packet, (size_t)n, why, sizeof why))
            lose(p, why);
        else
            events += handle(p, &m);
    }
    return events;
}

/* Sleeps until something comes, at most until `until`. True: extra is readable,
 * or a signal came. */
static bool sleep_until(struct medium_port *p, uint64_t until, int extra)
{
    struct pollfd fds[2] = {{.fd = p->fd, .events = POLLIN}, {.fd = extra, .events = POLLIN}};
    struct timespec t = {.tv_sec = 3600};
    uint64_t now = port_now(&p->radio);
    if (until <= now) {
        t = (struct timespec){0, 0};
    } else if (!p->fast && until != NEVER) {
        double us = (double)(until - now) / p->speed;
        if (us < 3600e6)
            t = (struct timespec){(time_t)(us / 1e6), (long)((uint64_t)us % 1000000u * 1000u)};
    }
    int ready = ppoll(fds, extra >= 0 ? 2 : 1, &t, NULL);
    return ready < 0 || (ready > 0 && extra >= 0 && fds[1].revents);
}

static int port_wait(struct radio *r, uint64_t until, int extra)
{
    struct medium_port *p = port_of(r);
    for (;;) {
        if (drain(p) > 0) return 0;
        if (*p->radio.error) return AL_FAIL;
        bool due = port_now(r) >= until;
        const struct medium_message waiting = {
            .type = MEDIUM_WAITING, .time = until, .number = p->seen};
        if (p->fast && !due) say(p, &waiting);
        bool other = sleep_until(p, until, extra);
        if (drain(p) > 0) return 0;
        if (*p->radio.error) return AL_FAIL;
        if (due || other) return 0;
    }
}

static void port_close(struct radio *r)
{
    struct medium_port *p = port_of(r);
    if (p->udp) send(p->fd, "", 0, MSG_NOSIGNAL); /* an empty datagram: this node leaves */
    close(p->fd);
    free(p);
}

static const struct radio_kind kind = {port_close, port_now, port_wait};

struct radio *medium_port_open(const struct radio_opening *o)
{
    bool given = strncmp(o->address, "fd:", 3) == 0;
    int fd = given ? adopt(o->address, o->error, o->error_size)
                   : medium_port_connect(o->address, o->error, o->error_size);
    if (fd < 0) return NULL;
    struct medium_port *p = calloc(1, sizeof *p);
    if (!p) {
        fail(o->error, o->error_size, o->address, "no memory");
        close(fd);
        return NULL;
    }
    p->fd = fd;
    p->udp = is_udp(o->address);
    p->config.channel = CHANNEL;
    p->radio.kind = &kind;
    p->radio.port =
        (struct al_radio){p, port_configure, port_transmit, port_set_pending, port_energy_scan};
    if (o->events) p->radio.events = *o->events;
    p->radio.ctx = o->ctx;
    if (attach(p, o)) {
        port_close(&p->radio);
        return NULL;
    }
    if (!p->fast) prctl(PR_SET_TIMERSLACK, 1); /* timers to the microsecond */
    return &p->radio;
}
