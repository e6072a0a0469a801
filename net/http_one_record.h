/* TLS answers whose head and first body bytes leave in one record, for clients that take what
 * one read gives them. libmicrohttpd sends the head as a record of its own; so the session is
 * corked (GnuTLS gathers what is sent) from the answer until its first block of body is in.
 *
 *   queue: cork ──> head, block 1 gathered ──> block 2 asked for: uncork ──> block 2, 3...
 *                                         └──> answer complete:   uncork */
#ifndef NET_HTTP_ONE_RECORD_H
#define NET_HTTP_ONE_RECORD_H

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

/* Head and first block, together below what a TLS record holds (16 KiB). */
#define HTTP_ONE_RECORD_FIRST 12288u

/* The body's owner is the response: release is called when it goes; NULL: no memory, and
 * nothing was released. The session stays that of the connection that the response is for. */
struct MHD_Response *http_one_record_response(gnutls_session_t session, const void *data,
                                              size_t len, void (*release)(void *ctx),
                                              void *release_ctx);
void http_one_record_begin(gnutls_session_t session);
/* Sends what is gathered. Never waits: false when the connection does not take it (its client
 * asked for more without reading what came before). */
bool http_one_record_flush(gnutls_session_t session);

#endif
