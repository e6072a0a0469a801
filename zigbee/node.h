/* A whole Zigbee node: all layers and their tables, joined together. Nothing here does
 * I/O: frames, results and the time come in by the calls at the end, bytes go out by
 * struct al_radio, and al_node_next() says when to come back.
 *
 *        application, OTA cluster
 *   +------+-------+-----------------+
 *   | BDB  |  ZDO  |  ZCL            |
 *   +------+-------+-----------------+
 *   | trust|  APS                    |
 *   +------+-------------------------+
 *   |         NWK                    |
 *   +--------------------------------+
 *   |         MAC                    |
 *   +--------------------------------+
 *            struct al_radio                                                        */
#ifndef ZIGBEE_NODE_H
#define ZIGBEE_NODE_H

#include "zigbee/bdb.h"
#include "zigbee/node_tables.h"

struct al_node_config {
    const struct al_radio *radio;
    const struct al_aes *aes;
    struct al_zb_random random;      /* unpredictable: keys are made of it */
    const struct al_zb_store *store; /* NULL: a restart forgets everything */
    uint64_t ext;
    enum al_nwk_role role;
    bool rx_off; /* a sleepy end device */
    bool mains;
    uint8_t timeout_index;
    uint32_t long_poll_ms, fast_poll_ms;           /* 0: defaults of nwk.h */
    uint16_t manufacturer;                         /* of the node descriptor */
    uint32_t primary_channels, secondary_channels; /* 0: defaults of bdb.h */
    uint64_t epid;
    uint16_t pan_id;
    bool install_codes_only, require_exchange;
    uint8_t aps_window;
    uint8_t max_children; /* 0: as many as neighbours */
    struct al_node_sizes sizes;
    void *memory; /* al_node_memory() bytes, aligned as for malloc */
    /* The application; ctx is given back. Any may be NULL. */
    void *ctx;
    void (*event)(void *ctx, uint64_t now, const struct al_bdb_event_args *a);
    void (*trace)(void *ctx, uint64_t now, const char *from, const char *to); /* bdb.h */
    /* Its own al_aps_send() has ended (handles 1..0xfff, see zcl.h). */
    void (*sent)(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status);
    /* Trust centre: whether ext may come in. */
    bool (*admit)(void *ctx, uint64_t ext);
    const struct al_zcl_up *zcl_up;
};

struct al_node {
    struct al_mac mac;
    struct al_nwk nwk;
    struct al_aps aps;
    struct al_trust trust;
    struct al_zdo zdo;
    struct al_zcl zcl;
    struct al_bdb bdb;
    struct al_node_config c;
};

/* Restores what the store has. AL_ERR_INVALID_ARG: something needed is missing, or memory is
 * not aligned. Endpoints and clusters are then registered with node->zcl, before
 * al_bdb_initialise(). */
int al_node_init(struct al_node *n, const struct al_node_config *c);
/* Forgets network, keys and records. */
void al_node_factory_reset(struct al_node *n, uint64_t now);

/* From the radio (radio/radio.h's events). */
void al_node_received(struct al_node *n, uint64_t now, const struct al_radio_rx *rx);
void al_node_transmitted(struct al_node *n, uint64_t now, enum al_radio_status status,
                         bool pending);
void al_node_scanned(struct al_node *n, uint64_t now, uint8_t channel, int8_t dbm);

uint64_t al_node_next(const struct al_node *n);
void al_node_run(struct al_node *n, uint64_t now);

#endif
