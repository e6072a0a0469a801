/* The OTA Upgrade cluster on an endpoint: the engines of ota_client.h and ota_server.h
 * joined with ZCL (commands, default responses, the client's attributes), with APS (sending,
 * confirmations) and with ZDO (the client's search for its server).
 *
 * Use the engine's own calls (al_zota_client_start(&o->engine, ...)) and then
 * al_zcl_ota_client_next(): it says when to call al_zcl_ota_client_run(), which also does
 * what the engine wants of ZDO. */
#ifndef ZIGBEE_ZCL_OTA_H
#define ZIGBEE_ZCL_OTA_H

#include "zigbee/ota_client.h"
#include "zigbee/ota_server.h"
#include "zigbee/zdo.h"

/* Where the handle of an engine's frame is kept while APS has it. */
struct al_zcl_ota_link {
    struct al_zcl *zcl;
    struct al_zcl_handles range;
    uint32_t *handles; /* range.count; 0: free */
    uint16_t profile;
};

struct al_zcl_ota_client {
    struct al_zota_client engine;
    struct al_zcl_cluster cluster; /* client side */
    struct al_zcl_ota_link link;
    uint32_t handles[4];
    struct al_zdo *zdo;
    struct al_zota_client_app app; /* the caller's; the engine's goes through here */
    struct al_zb_random random;
    bool searching; /* FIND_SERVER has been said, Match_Desc has to go out or is under way */
    uint8_t asked;  /* Match_Desc sent so many times */
    bool asking;    /* under way */
    uint64_t search_at;
    struct al_zota_peer found; /* addr 0xffff: nobody yet */
    bool fallback_tried;       /* coordinator, endpoint 1, after nobody answered */
};

/* Joins them and adds the cluster to e. zdo NULL: AL_ZOTA_CLIENT_FIND_SERVER is the
 * application's to answer. Otherwise: Match_Desc of cluster 0x0019 to all that listen, the
 * first answer counts, its EUI-64 is asked for; after 3 silent tries the coordinator's
 * endpoint 1 is taken. app->event hears FIND_SERVER in both cases. */
int al_zcl_ota_client_init(struct al_zcl_ota_client *o, struct al_zcl *zcl, struct al_zdo *zdo,
                           struct al_zcl_endpoint *e, struct al_zb_random random,
                           const struct al_zota_client_config *config,
                           const struct al_zota_client_app *app);
uint64_t al_zcl_ota_client_next(const struct al_zcl_ota_client *o);
void al_zcl_ota_client_run(struct al_zcl_ota_client *o, uint64_t now);

struct al_zcl_ota_server {
    struct al_zota_server engine;
    struct al_zcl_cluster cluster; /* server side */
    struct al_zcl_ota_link link;
    uint32_t handles[AL_ZOTA_OUTSTANDING];
    struct al_zb_random random;
};

int al_zcl_ota_server_init(struct al_zcl_ota_server *o, struct al_zcl *zcl,
                           struct al_zcl_endpoint *e, struct al_zb_random random,
                           const struct al_zota_server_config *config,
                           const struct al_zota_server_app *app, struct al_zota_session *table,
                           uint16_t sessions);

#endif
