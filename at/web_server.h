/* The device's web server: Wi-Fi provisioning and upgrades from a browser. Endpoints and answers
 * as ESP-AT's; in addition:
 *
 *   GET  /getslots   what lies in the slots (web_slots.h)
 *   POST /rollback   the other slot starts next, if its image verifies
 *   POST /restart    restarts the chip, when the answer is out
 *
 * Answers of upgrades that failed carry a header Reason, a sentence for people. Who may ask:
 * web_guard.h. The answers to all are JSON, {"state": 0} or {"state": 1}. */
#ifndef AT_WEB_SERVER_H
#define AT_WEB_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "at/web_provision.h"

#define WEB_BODY_MAX 320u /* bodies of the small handlers are shorter */

struct web_server;

/* Texts are copied; zeros mean what stands in brackets. */
struct web_server_config {
    const char *address;  /* to listen on [all of them] */
    unsigned port;        /* 0: any free one */
    unsigned timeout_s;   /* of an attempt to connect */
    const char *password; /* [none is asked for] */
    const char *hosts;    /* further names of this device, separated by blanks */
    bool captive;         /* what is not here is sent to the page */
    bool compat;          /* as the original: password in clear, plain forms */
    unsigned idle_s;      /* a connection on which nothing moves ends [30] */
    const struct web_wifi *wifi;
    void (*tell)(int n);   /* +WEBSERVERRSP:n; from any task */
    void (*restart)(void); /* called in a task of its own */
};

/* NULL: why. port: where it listens. */
struct web_server *web_server_start(const struct web_server_config *cfg, unsigned *port, char *why,
                                    size_t why_size);
/* Ends uploads under way. */
void web_server_stop(struct web_server *s);

#endif
