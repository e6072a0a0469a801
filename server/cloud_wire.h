/* What modules speak with the cloud: ESP-AT's AT+CIUPDATE, ESP8266 NONOS, old apps.
 *
 *   GET  /v1/device/rom/?is_format_simple=true   list of versions   token <master key>
 *   GET  /v1/device/rom[/]                       the same with files
 *   GET  /v1/device/rom/?action=download_rom&version=V&filename=F
 *   POST /v1/messages/                           what an upgrade came to
 *   POST /v1/products/<id>/roms/                 deploys            token <owner key>
 *
 * HTTP/1.0 and 1.1; never chunked; the head stays under 700 bytes and leaves with the first
 * bytes of the body. Errors are {"status": N, "message": "..."} and end the connection, since
 * some clients read on until they find a version. */
#ifndef SERVER_CLOUD_WIRE_H
#define SERVER_CLOUD_WIRE_H

#include <stdatomic.h>

#include "net/http_server.h"
#include "server/cloud.h"
#include "server/cloud_limit.h"

#define CLOUD_WIRE_PREFIX "/v1/"

struct cloud_service {
    struct cloud *cloud;
    struct store *store;
    struct cloud_limit *keys, *addresses; /* requests of one key, of one address */
    atomic_llong told_ms;                 /* when the log was told of a stranger */
};

/* path: decoded, begins with the prefix. The others are for requests that begin has seen. */
void cloud_wire_begin(struct cloud_service *s, struct http_request *r, const char *path);
void cloud_wire_body(struct cloud_service *s, struct http_request *r, const void *data, size_t len);
void cloud_wire_end(struct cloud_service *s, struct http_request *r);
void cloud_wire_gone(struct cloud_service *s, struct http_request *r);

/* For a listener that serves nothing else; ctx is a struct cloud_service. */
extern const struct http_handler cloud_wire_handler;

/* The peer's address; IPv4 as such. */
const char *cloud_wire_peer(const struct http_request *r, char out[64]);

#endif
