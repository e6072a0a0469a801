/* The tables of a node and how large they are. See node.h. */
#ifndef ZIGBEE_NODE_TABLES_H
#define ZIGBEE_NODE_TABLES_H

#include "zigbee/trust.h"
#include "zigbee/zdo.h"

/* Entries of each table; asdu: bytes of each APS buffer (aps_tx + aps_rx of them). */
struct al_node_sizes {
    uint16_t mac_slots, neighbours, addresses, routes, source_routes, broadcasts, waiting;
    uint16_t aps_tx, aps_rx, asdu, duplicates, link_keys, admissions;
    uint16_t zdo_requests, bindings, zcl_requests, reports;
};

extern const struct al_node_sizes al_node_sizes_end_device; /* the smallest that does OTA */
extern const struct al_node_sizes al_node_sizes_router;
/* For a coordinator with so many devices. */
struct al_node_sizes al_node_sizes_coordinator(uint16_t devices);

struct al_node_tables {
    struct al_mac_slot *mac_slots;
    struct al_mac_seen *seen; /* neighbours of them */
    struct al_nwk_neighbour *neighbours;
    struct al_nwk_address *addresses;
    struct al_nwk_route *routes;
    struct al_nwk_source_route *source_routes;
    struct al_nwk_broadcast *broadcasts;
    struct al_nwk_waiting *waiting;
    struct al_aps_tx *tx;
    struct al_aps_rx *rx;
    uint8_t *asdus;
    struct al_aps_duplicate *duplicates;
    struct al_aps_peer *peers;
    struct al_aps_link_key *keys;
    struct al_trust_device *admissions;
    struct al_zdo_request *zdo_requests;
    struct al_zdp_binding *bindings;
    struct al_zcl_request *zcl_requests;
    struct al_zcl_report *reports;
};

#define AL_NODE_ALIGN 8u /* of the memory */

/* Bytes that the tables of these sizes take. */
size_t al_node_memory(const struct al_node_sizes *s);
/* Lays them out in memory, which al_node_init() has zeroed. */
void al_node_place(const struct al_node_sizes *s, void *memory, struct al_node_tables *t);

#endif
