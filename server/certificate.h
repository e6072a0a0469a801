/* The certificate that airliftd serves with: its own, or the one of --cert and --key. */
#ifndef SERVER_CERTIFICATE_H
#define SERVER_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/http_server.h"
#include "net/tls_material.h"
#include "server/options.h"

/* Loads it, or makes what is missing or outdated of the own one; warns in the log about one
 * that is not valid now. With --http *out stays empty. false and why: there is none. */
bool certificate_load(const struct options *o, struct tls_material *out, char *why,
                      size_t why_size);

/* Loads it again, and gives it to new connections when it is another than *in_force. When
 * it cannot be loaded, *in_force stays; the log says why. */
void certificate_renew(const struct options *o, struct http_server *http,
                       struct tls_material *in_force);

#endif
