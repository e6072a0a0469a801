/* The gateway's part of the API. Arguments stand in the query; tokens were checked before.
 *
 *   GET  /api/v1/zigbee/status, devices, images, backup
 *   POST /api/v1/zigbee/permit?seconds=N
 *        upgrades[?device=EUI[&file=NAME]][&force=1]     abort[?device=EUI]
 *        notify[?device=EUI]      interview?device=EUI   read-version?device=EUI
 *        remove?device=EUI        install-code?device=EUI&code=CODE
 *        parallel?value=N         pause, resume, change-key
 *
 * 200 with the answer of gateway_command(); 409: it refuses; 404: there is no gateway; 503:
 * its radio is lost. */
#ifndef SERVER_GATEWAY_API_H
#define SERVER_GATEWAY_API_H

#include "net/http_server.h"
#include "server/gateway_thread.h"

/* rest: what follows /api/v1/zigbee/. t NULL: there is no gateway. */
void gateway_api_answer(struct gateway_thread *t, struct http_request *r, const char *rest);

#endif
