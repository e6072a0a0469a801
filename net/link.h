/* A TCP or TLS connection for protocols that write their own bytes: connect, send, receive,
 * with one deadline over all of it, and an end from another thread. Trust is that of
 * http_client. No HTTP in it.
 *
 * One thread uses a link; link_cancel may come from any. */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "net/http_client.h"

struct link;

/* Results are 0, a count, an http_error, or this one; link_error_text has the words. */
enum { LINK_CANCELLED = -32 };

struct link_peer {
    const char *host; /* name or address; the name that a certificate is checked for */
    int port;
    bool tls;
    const char *connect_to; /* "ADDRESS:PORT" that is connected to in place of it; NULL: none */
    void *ctx;
    void (*on_resolved)(void *ctx); /* the name has an address; before the connection */
};

/* Of cfg count: trust, TLS version, keep-alive, address_family and rate_limit.
 * NULL: no memory. */
struct link *link_new(const struct http_config *cfg);
void link_free(struct link *l);

/* For all that follows: HTTP_ERR_TIMEOUT when it is not done at that time (pace_now_ms);
 * 0: without limit. */
void link_set_deadline(struct link *l, int64_t at_ms);
/* The call under way and all later ones end with LINK_CANCELLED. */
void link_cancel(struct link *l);

/* Once on a link. */
int link_connect(struct link *l, const struct link_peer *peer);
/* All of it. 0 or an error. */
int link_send(struct link *l, const void *data, size_t len);
/* Waits until bytes are there: up to len. 0: the peer has ended the connection. */
int link_receive(struct link *l, void *buf, size_t len);

const char *link_error_text(const struct link *l);

#endif
