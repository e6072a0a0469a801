/* One OTA server, many clients and the air between them, in virtual time. Frames take the
 * airtime of zigbee-stack's "typical" model on one shared channel; they get lost, doubled
 * and overtaken by chance. Devices and the server lose power and come back with what they
 * saved. The same seed gives the same course of events. */
#ifndef TESTS_SUPPORT_ZOTA_NET_H
#define TESTS_SUPPORT_ZOTA_NET_H

#include "zigbee/ota_client.h"
#include "zigbee/ota_server.h"

#define ZOTA_NET_CLIENTS 40
#define ZOTA_NET_EVENTS  4096

struct zota_net_config {
    uint32_t seed;
    unsigned clients;
    uint32_t size;     /* of the file, bytes */
    unsigned loss;     /* percent of frames that get lost each way */
    unsigned twice;    /* percent that come twice */
    unsigned jitter;   /* ms by which a frame may be late */
    uint32_t reach;    /* ms that APS waits before it repeats, 1600 */
    uint16_t page;     /* page size, 0: blocks */
    uint8_t block;     /* max data size, 0: 223 */
    bool writer_tells; /* after a power cut the flash writer knows where it stands */
    unsigned sleepy;   /* the first so many clients sleep: frames reach them when they poll */
    bool no_fragments; /* clients acknowledge nothing that is fragmented */
    struct al_zota_server_config server;
    struct al_zota_client_config client; /* ids, endpoint and address are filled in */
};

enum zota_net_end { ZOTA_NET_RUNNING, ZOTA_NET_FINISHED };

struct zota_net_client {
    struct al_zota_client engine;
    bool on;
    uint64_t on_at; /* off: when it comes back */
    struct al_zota_progress saved;
    uint8_t *flash;
    uint32_t written;
    uint8_t *page;
    enum zota_net_end end;
    enum al_zota_reason reason; /* the last one */
    uint64_t started, finished_at;
    uint32_t asked; /* bytes of data that came over the air for it */
    unsigned cuts, retries, gave_up;
};

struct zota_net_event {
    uint64_t at;
    int to;          /* client; -1: the server */
    int from;        /* whose frame it is */
    unsigned life;   /* of the receiver's, or of the sender's for a confirmation */
    uint32_t handle; /* of a confirmation */
    bool confirm, ok, used;
    uint16_t len;
    uint8_t zcl[280];
};

struct zota_net {
    struct zota_net_config config;
    uint64_t now, air_free;
    uint32_t rng;
    struct al_zota_server server;
    struct al_zota_session table[ZOTA_NET_CLIENTS + 4];
    bool server_on;
    uint64_t server_on_at;
    unsigned server_life, server_cuts;
    struct al_zota_record record[ZOTA_NET_CLIENTS];
    struct zota_net_client client[ZOTA_NET_CLIENTS];
    unsigned life[ZOTA_NET_CLIENTS];
    uint8_t *image;
    struct al_zota_image file;
    struct zota_net_event event[ZOTA_NET_EVENTS];
    unsigned waiting; /* frames in the server's queue */
    unsigned repeats; /* blocks that the server sent again */
};

/* Everything is on; clients query at once (start delays are cut short). */
void zota_net_init(struct zota_net *n, const struct zota_net_config *config);
void zota_net_free(struct zota_net *n);
/* Until all clients have ended or the time is over. */
void zota_net_run(struct zota_net *n, uint64_t until);
bool zota_net_done(const struct zota_net *n);
uint32_t zota_net_random(struct zota_net *n, uint32_t below);
void zota_net_cut_client(struct zota_net *n, unsigned i, uint64_t pause);
void zota_net_cut_server(struct zota_net *n, uint64_t pause);
/* A frame from nowhere, e.g. a rogue's. */
void zota_net_inject(struct zota_net *n, int to, struct al_zota_peer from, const uint8_t *zcl,
                     size_t len);

#endif
