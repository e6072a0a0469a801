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
#include "zigbee/zcl.h"

/* How large the tables are. */
struct al_node_sizes {
    uint16_t mac_slots, neighbours, addresses, routes, source_routes, broadcasts, waiting;
    uint16_t aps_tx, aps_rx, asdu, duplicates, link_keys, admissions, zdo_requests, bindings;
};
extern const struct al_node_sizes al_node_sizes_end_device; /* the smallest that does OTA */
extern const struct al_node_sizes al_node_sizes_router;
/* For a coordinator with so many devices. */
struct al_node_sizes al_node_sizes_coordinator(uint16_t devices);
/* Bytes that al_node_init() takes for the tables of these sizes. */
size_t al_node_memory(const struct al_node_sizes *s);

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
    struct al_node_sizes sizes;
    void *memory; /* al_node_memory() bytes, aligned as for malloc */
    /* Each application hears of these; ctx is given back. */
    void *ctx;
    void (*event)(void *ctx, uint64_t now, const struct al_bdb_event_args *a);
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

/* Endpoints and clusters are then registered with node->zcl, before al_bdb_initialise(). */
int al_node_init(struct al_node *n, const struct al_node_config *c);
/* Forgets network, keys and records. */
void al_node_factory_reset(struct al_node *n);

/* From the radio (radio/radio.h's events). */
void al_node_received(struct al_node *n, uint64_t now, const struct al_radio_rx *rx);
void al_node_transmitted(struct al_node *n, uint64_t now, enum al_radio_status status,
                         bool pending);
void al_node_scanned(struct al_node *n, uint64_t now, uint8_t channel, int8_t dbm);

uint64_t al_node_next(const struct al_node *n);
void al_node_run(struct al_node *n, uint64_t now);

#endif
