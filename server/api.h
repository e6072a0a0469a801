/* The JSON API under /api/v1/, and who answers what: routing of all requests.
 *
 *   GET    /api/v1/health              {"status":"ok","version"}           open to all
 *   GET    /api/v1/artifacts           {"artifacts":[...]}                 token
 *   POST   /api/v1/artifacts?name=N[&kind=K][&sha256=H]   the file as body token
 *   GET    /api/v1/artifacts/NAME      one, with "history":[...]           token
 *   DELETE /api/v1/artifacts/NAME                                          token
 *          /api/v1/zigbee/...          server/gateway_api.h                token
 *          /api/v1/cloud/...           server/cloud_api.h                  token
 *          /v1/...                     server/cloud_wire.h          keys of modules
 *   GET    /firmware/NAME              server/firmware.h                   open to all
 *   GET    /                           a short page                        open to all
 *
 * Errors are {"error":{"code","message","hint"}} with a fitting status. */
#ifndef SERVER_API_H
#define SERVER_API_H

#include "net/http_server.h"
#include "server/cloud_wire.h"
#include "server/gateway_thread.h"
#include "server/store.h"

#define API_PREFIX "/api/v1/"

struct api {
    struct store *store;
    uint64_t max_size;              /* bytes that an artifact may have */
    struct gateway_thread *gateway; /* NULL: there is none */
    struct cloud_service modules;
};

extern const struct http_handler api_handler; /* its ctx is a struct api */

#endif
