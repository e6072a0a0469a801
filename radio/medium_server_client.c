/* One attached process: its messages, and what its node has to tell it. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/err.h"
#include "radio/medium_server_impl.h"

#define LOCAL_EUI64 UINT64_C(0x02a1000000000000) /* locally administered */
#define PENDING_MAX 4096

const char *medium_client_name(const struct medium_client *c)
{
    if (!c->node) return "a process that has not attached";
    return *medium_node_name(c->node) ? medium_node_name(c->node) : "a node without a name";
}

/* --- to the process --- */

static void leave(struct medium_client *c, const char *why)
{
    if (c->gone) return;
    c->gone = true;
    if (c->node) medium_server_log(c->server, MEDIUM_DETACHED, "%s %s", medium_client_name(c), why);
}

static void tell(struct medium_client *c, const struct medium_message *m)
{
    uint8_t packet[MEDIUM_MESSAGE_MAX];
    size_t len = medium_message_build(m, packet);
    if (c->gone) return;
    c->waiting = false;
    c->heard_us = medium_server_clock_us();
    c->sent++;
    if (send(c->fd, packet, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len) return;
    if (errno == EAGAIN || errno == ENOBUFS)
        leave(c, "does not read what it is told: cut off");
    else
        leave(c, "is gone");
}

void medium_client_refuse(struct medium_client *c, const char *why)
{
    struct medium_message m = {.type = MEDIUM_ERROR};
    if (c->gone) return;
    medium_server_log(c->server, MEDIUM_TROUBLE, "%s: %s", medium_client_name(c), why);
    m.len = (uint8_t)snprintf((char *)m.data, 200, "%.190s", why);
    tell(c, &m);
    leave(c, "was cut off");
}

void medium_client_time(struct medium_client *c)
{
    tell(c, &(struct medium_message){.type = MEDIUM_TIME, .time = medium_now(c->server->medium)});
}

/* --- from the node --- */

static void node_received(void *ctx, uint64_t now, const struct al_radio_rx *rx)
{
    struct medium_message m = {.type = MEDIUM_RECEIVED,
                               .time = now,
                               .dbm = rx->rssi,
                               .lqi = rx->lqi,
                               .pending = rx->pending,
                               .len = rx->len};
    memcpy(m.data, rx->mpdu, rx->len);
    tell(ctx, &m);
}

static void node_transmitted(void *ctx, uint64_t now, enum al_radio_status status, bool pending)
{
    tell(ctx, &(struct medium_message){.type = MEDIUM_TRANSMITTED,
                                       .time = now,
                                       .status = (uint8_t)status,
                                       .pending = pending});
}

static void node_scanned(void *ctx, uint64_t now, uint8_t channel, int8_t dbm)
{
    tell(ctx, &(struct medium_message){
                  .type = MEDIUM_SCANNED, .time = now, .channel = channel, .dbm = dbm});
}

/* --- from the process --- */

static bool eui64_taken(const struct medium_server *s, uint64_t eui64)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->clients[i]->node && !s->clients[i]->gone &&
            medium_node_eui64(s->clients[i]->node) == eui64)
            return true;
    return false;
}

static uint64_t some_eui64(struct medium_server *s)
{
    do s->addresses++;
    while (eui64_taken(s, LOCAL_EUI64 | s->addresses));
    return LOCAL_EUI64 | s->addresses;
}

static void tell_attached(struct medium_client *c)
{
    const struct medium_server_config *config = &c->server->config;
    tell(c, &(struct medium_message){.type = MEDIUM_ATTACHED_AS,
                                     .eui64 = medium_node_eui64(c->node),
                                     .fast = config->fast,
                                     .number = (uint32_t)lround(config->speed * 1000),
                                     .time = medium_now(c->server->medium)});
}

static void attach(struct medium_client *c, const struct medium_message *m)
{
    struct medium_server *s = c->server;
    char why[120];
    if (m->version != MEDIUM_VERSION) {
        snprintf(why, sizeof why, "ATTACH: version %u of the messages; this medium speaks %u",
                 m->version, MEDIUM_VERSION);
        medium_client_refuse(c, why);
    } else if (c->node && s->udp) { /* it asked again before the answer came */
        tell_attached(c);
    } else if (c->node) {
        medium_client_refuse(c, "ATTACH: it is attached already");
    } else if (m->eui64 && eui64_taken(s, m->eui64)) {
        snprintf(why, sizeof why,
                 "ATTACH: a node with the address %016llx is attached already; give each its own",
                 (unsigned long long)m->eui64);
        medium_client_refuse(c, why);
    } else {
        const struct medium_node_config config = {
            .eui64 = m->eui64 ? m->eui64 : some_eui64(s),
            .name = (const char *)m->data,
            .pending_max = PENDING_MAX,
            .events = {node_received, node_transmitted, node_scanned, NULL},
            .ctx = c};
        c->node = medium_add_node(s->medium, &config);
        if (!c->node) {
            medium_client_refuse(c, "ATTACH: the medium has no memory for one more node");
            return;
        }
        if (s->config.attached) s->config.attached(s->config.ctx, c->node);
        c->sent = 0;
        tell_attached(c);
        medium_server_log(s, MEDIUM_ATTACHED, "%s is attached as %016llx", medium_client_name(c),
                          (unsigned long long)medium_node_eui64(c->node));
    }
}

/* What the node's port answered. */
static void answer(struct medium_client *c, unsigned type, int err)
{
    char why[120];
    if (err == 0) return;
    snprintf(why, sizeof why, "%s: %s", medium_message_name(type),
             err == AL_ERR_INVALID_STATE ? "a transmission or scan is under way"
             : err == AL_ERR_NO_MEM      ? "there is no room for more addresses"
                                         : "a value is out of range");
    medium_client_refuse(c, why);
}

static void obey(struct medium_client *c, const struct medium_message *m)
{
    const struct al_radio *port = medium_node_port(c->node);
    int err = 0;
    switch (m->type) {
    case MEDIUM_CONFIGURE:
        medium_node_pending_for_all(c->node, m->pending);
        err = port->configure(port->ctx, &m->config);
        break;
    case MEDIUM_TRANSMIT:
        err = port->transmit(port->ctx, m->data, m->len);
        break;
    case MEDIUM_SET_PENDING:
        err = port->set_pending(port->ctx, m->extended, m->eui64, m->pending);
        break;
    case MEDIUM_SCAN:
        err = port->energy_scan(port->ctx, m->channel, m->number);
        break;
    case MEDIUM_WAITING:
        /* With a message still on its way to it, it does not wait. */
        c->waiting = m->number == c->sent;
        c->until = m->time;
        break;
    default: {
        char why[80];
        snprintf(why, sizeof why, "%s: only the medium says that", medium_message_name(m->type));
        medium_client_refuse(c, why);
        return;
    }
    }
    answer(c, m->type, err);
}

void medium_client_packet(struct medium_client *c, const uint8_t *packet, size_t len)
{
    struct medium_message m;
    char why[160];
    c->heard_us = medium_server_clock_us();
    if (!medium_message_parse(&m, packet, len, why, sizeof why)) {
        medium_client_refuse(c, why);
    } else if (m.type == MEDIUM_ATTACH) {
        attach(c, &m);
    } else if (!c->node) {
        snprintf(why, sizeof why, "%s: before it has attached", medium_message_name(m.type));
        medium_client_refuse(c, why);
    } else {
        obey(c, &m);
    }
}

bool medium_client_read(struct medium_client *c)
{
    uint8_t packet[MEDIUM_MESSAGE_MAX + 1]; /* one more shows what is too long */
    if (c->gone) return false;
    ssize_t n = recv(c->fd, packet, sizeof packet, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (n <= 0) { /* an empty datagram says so, too */
        leave(c, "is gone");
        return false;
    }
    if (n > MEDIUM_MESSAGE_MAX)
        medium_client_refuse(c, "a message of more than 256 octets");
    else
        medium_client_packet(c, packet, (size_t)n);
    return true;
}

/* --- coming and going --- */

bool medium_client_new(struct medium_server *s, int fd)
{
    if (s->count == s->room) {
        size_t room = s->room ? 2 * s->room : 16;
        struct medium_client **more = realloc(s->clients, room * sizeof(struct medium_client *));
        if (more) {
            s->clients = more;
            s->room = room;
        }
    }
    struct medium_client *c = s->count < s->room ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        close(fd);
        return false;
    }
    c->server = s;
    c->fd = fd;
    s->clients[s->count++] = c;
    tell(c, &(struct medium_message){.type = MEDIUM_HELLO, .version = MEDIUM_VERSION});
    return true;
}

void medium_client_free(struct medium_client *c)
{
    if (c->node) medium_remove_node(c->node);
    close(c->fd);
    free(c);
}
