/* The module cloud for people and programs, under /api/v1/cloud/ with the publishing token.
 * Bodies and answers are JSON; docs/cloud.md has the fields.
 *
 *   GET POST        products            GET POST   devices[?product=P]
 *   GET DELETE      products/P          GET DELETE devices/D
 *   GET POST DELETE products/P/roms     POST       devices/D/move, devices/D/override
 *                   (?version=V)        GET POST   keys[?device=D][?product=P]
 *   POST            products/P/current  DELETE     keys/ID
 *   GET             events, audit [?device=D][&before=ID][&limit=N] */
#ifndef SERVER_CLOUD_API_H
#define SERVER_CLOUD_API_H

#include "net/http_server.h"
#include "server/cloud.h"

/* rest: of the path, decoded. The caller has checked the token. The others are for requests
 * that begin has seen. */
void cloud_api_begin(struct cloud *c, struct http_request *r, const char *rest);
void cloud_api_body(struct http_request *r, const void *data, size_t len);
void cloud_api_end(struct http_request *r);
void cloud_api_gone(struct http_request *r);

#endif
