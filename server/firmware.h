/* GET and HEAD /firmware/<name>: what devices download. */
#ifndef SERVER_FIRMWARE_H
#define SERVER_FIRMWARE_H

#include "net/http_server.h"
#include "server/store.h"

#define FIRMWARE_PREFIX "/firmware/"

/* name: what follows the prefix, decoded. */
void firmware_answer(struct store *s, struct http_request *r, const char *name);

#endif
