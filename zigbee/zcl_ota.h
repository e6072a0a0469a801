/* The OTA Upgrade cluster on an endpoint: the engines of ota_client.h and ota_server.h
 * joined with ZCL (commands, default responses, the client's attributes), with APS (sending,
 * confirmations) and with ZDO (the client's search for its server).
 *
 * The engine's own calls are made through al_zcl_ota_client_at() and
 * al_zcl_ota_server_at(), which tell the time to what sends for it:
 *
 *   al_zota_client_start(al_zcl_ota_client_at(o, now), now, saved);
 *
 * but next and run are those of this file. */
#ifndef ZIGBEE_ZCL_OTA_H
#define ZIGBEE_ZCL_OTA_H

#include "zigbee/ota_client.h"
#include "zigbee/ota_server.h"
#include "zigbee/zdo.h"

/* Between an engine and APS. */
struct al_zcl_ota_link {
    struct al_zcl *zcl;
    const struct al_zcl_endpoint *endpoint;
    struct al_zb_random random;
    struct al_zcl_handles range;
    uint32_t *handles; /* the engine's, of frames under way: range.count; 0: free */
    uint64_t now;
};

struct al_zcl_ota_client {
    struct al_zota_client engine;
    struct al_zcl_cluster cluster; /* client side */
    struct al_zcl_attribute attributes[AL_ZOTA_ATTRIBUTES];
    struct al_zcl_ota_link link;
    uint32_t handles[8];
    struct al_zota_client_app app; /* the caller's; the engine's goes through here */
    struct al_zdo *zdo;
    struct { /* for a server */
        bool wanted, asking;
        uint8_t tries;
        bool guessed;              /* coordinator, endpoint 1, was taken for it the last time */
        uint64_t at;               /* when to ask (again) */
        struct al_zota_peer found; /* addr 0xffff: nobody yet */
    } search;
};

/* Joins them and adds the cluster to e. config->endpoint is filled in. zdo NULL:
 * AL_ZOTA_CLIENT_FIND_SERVER is the application's to answer. Otherwise: Match_Desc of
 * cluster 0x0019 to all that listen, the first answer counts, its EUI-64 is asked for;
 * after 3 silent tries the coordinator's endpoint 1 is taken, and if that is no server
 * either, the search has failed. app->event hears FIND_SERVER in both cases.
 * o->engine.config may be changed before al_zota_client_start(). */
int al_zcl_ota_client_init(struct al_zcl_ota_client *o, struct al_zcl *zcl, struct al_zdo *zdo,
                           struct al_zcl_endpoint *e, struct al_zb_random random,
                           const struct al_zota_client_config *config,
                           const struct al_zota_client_app *app);
struct al_zota_client *al_zcl_ota_client_at(struct al_zcl_ota_client *o, uint64_t now);
uint64_t al_zcl_ota_client_next(const struct al_zcl_ota_client *o);
void al_zcl_ota_client_run(struct al_zcl_ota_client *o, uint64_t now);

struct al_zcl_ota_server {
    struct al_zota_server engine;
    struct al_zcl_cluster cluster; /* server side */
    struct al_zcl_ota_link link;
    uint32_t handles[AL_ZOTA_OUTSTANDING];
};

int al_zcl_ota_server_init(struct al_zcl_ota_server *o, struct al_zcl *zcl,
                           struct al_zcl_endpoint *e, struct al_zb_random random,
                           const struct al_zota_server_config *config,
                           const struct al_zota_server_app *app, struct al_zota_session *table,
                           uint16_t sessions);
struct al_zota_server *al_zcl_ota_server_at(struct al_zcl_ota_server *o, uint64_t now);
uint64_t al_zcl_ota_server_next(const struct al_zcl_ota_server *o);
void al_zcl_ota_server_run(struct al_zcl_ota_server *o, uint64_t now);

#endif
