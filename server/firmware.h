/* GET and HEAD /firmware/<name>: what devices download. */
#ifndef SERVER_FIRMWARE_H
#define SERVER_FIRMWARE_H

#include "net/http_server.h"
#include "server/store.h"

#define FIRMWARE_PREFIX "/firmware/"

/* name: what follows the prefix, decoded. */
void firmware_answer(struct store *s, struct http_request *r, const char *name);

/* What a GET was answered with. */
struct firmware_sent {
    unsigned status;     /* 200, 206, or another one without content */
    uint64_t first, len; /* of the content, for 200 and 206 */
};

/* Answers GET or HEAD with a content, as ranges and preconditions ask for; a gives sha256, size
 * and published. Takes the caller's reference to blob. */
struct firmware_sent firmware_send(struct http_request *r, const struct artifact *a,
                                   struct blob *blob);

#endif
