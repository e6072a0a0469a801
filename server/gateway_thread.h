/* The gateway (gateway.h) as a module of airliftd: a thread of its own with the radio, its
 * state under DATA/zigbee, its images from the store (artifacts of kind "zigbee").
 *
 *   HTTP threads -- gateway_thread_ask() --> queue, eventfd --> the gateway's thread       */
#ifndef SERVER_GATEWAY_THREAD_H
#define SERVER_GATEWAY_THREAD_H

#include "server/gateway.h"
#include "server/store.h"

struct gateway_thread;

struct gateway_thread_config {
    const char *radio; /* as --radio */
    const char *data;  /* the data directory */
    struct store *store;
    uint16_t parallel;
    uint16_t quiet_from, quiet_to;
    uint32_t channels;
    bool manual;
};

/* NULL: why. */
struct gateway_thread *gateway_thread_start(const struct gateway_thread_config *c, char *why,
                                            size_t why_size);
void gateway_thread_stop(struct gateway_thread *t); /* NULL allowed */

/* gateway_command() in the gateway's thread; waits for it. From any thread. The caller frees
 * the answer; NULL: the radio is lost, or it took longer than 10 s. Takes command. */
cJSON *gateway_thread_ask(struct gateway_thread *t, cJSON *command);
/* An artifact came or went. From any thread. */
void gateway_thread_images_changed(struct gateway_thread *t);

#endif
