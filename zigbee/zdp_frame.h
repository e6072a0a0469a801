/* Zigbee device profile (ZDP): requests and responses of profile 0 between endpoints 0.
 * An ASDU is a sequence number and what the cluster says. Parsed lists point into it.
 * Source: Zigbee core specification, 2.4. */
#ifndef ZIGBEE_ZDP_FRAME_H
#define ZIGBEE_ZDP_FRAME_H

#include "zigbee/put.h"

/* Cluster ids of requests; a response has AL_ZDP_RESPONSE set. */
enum al_zdp_cluster {
    AL_ZDP_NWK_ADDR = 0x0000,
    AL_ZDP_IEEE_ADDR = 0x0001,
    AL_ZDP_NODE_DESC = 0x0002,
    AL_ZDP_POWER_DESC = 0x0003,
    AL_ZDP_SIMPLE_DESC = 0x0004,
    AL_ZDP_ACTIVE_EP = 0x0005,
    AL_ZDP_MATCH_DESC = 0x0006,
    AL_ZDP_DEVICE_ANNCE = 0x0013,
    AL_ZDP_PARENT_ANNCE = 0x001f,
    AL_ZDP_BIND = 0x0021,
    AL_ZDP_UNBIND = 0x0022,
    AL_ZDP_MGMT_LQI = 0x0031,
    AL_ZDP_MGMT_RTG = 0x0032,
    AL_ZDP_MGMT_BIND = 0x0033,
    AL_ZDP_MGMT_LEAVE = 0x0034,
    AL_ZDP_MGMT_PERMIT_JOINING = 0x0036,
    AL_ZDP_MGMT_NWK_UPDATE = 0x0038
};
#define AL_ZDP_RESPONSE 0x8000u

enum al_zdp_status {
    AL_ZDP_SUCCESS = 0x00,
    AL_ZDP_INVALID_REQUEST = 0x80,
    AL_ZDP_DEVICE_NOT_FOUND = 0x81,
    AL_ZDP_INVALID_ENDPOINT = 0x82,
    AL_ZDP_NOT_ACTIVE = 0x83,
    AL_ZDP_NOT_SUPPORTED = 0x84,
    AL_ZDP_NO_MATCH = 0x86,
    AL_ZDP_NO_ENTRY = 0x88,
    AL_ZDP_INSUFFICIENT_SPACE = 0x8c,
    AL_ZDP_NOT_PERMITTED = 0x8d,
    AL_ZDP_NOT_AUTHORISED = 0x8f
};

/* A list of 16 bit numbers: of the caller (own), or as received (wire); the other is NULL.
 * What lies in an ASDU is not aligned: read it by al_zdp_id. */
struct al_zdp_ids {
    const uint16_t *own;
    const uint8_t *wire;
    uint8_t count;
};
uint16_t al_zdp_id(const struct al_zdp_ids *ids, uint8_t index); /* index < count */

enum al_zdp_logical_type { AL_ZDP_COORDINATOR, AL_ZDP_ROUTER, AL_ZDP_END_DEVICE };
#define AL_ZDP_BAND_2400          0x08u
#define AL_ZDP_SERVER_TRUST       0x0001u /* primary trust centre */
#define AL_ZDP_SERVER_NETWORK     0x0040u /* network manager */
#define AL_ZDP_SERVER_REVISION(r) ((uint16_t)((r) << 9))
#define AL_ZDP_REVISION(mask)     ((mask) >> 9) /* stack revision; 0: before 21 */

struct al_zdp_node_desc {
    uint8_t logical_type; /* enum al_zdp_logical_type */
    bool complex_desc, user_desc, fragmentation;
    uint8_t band;       /* AL_ZDP_BAND_2400 */
    uint8_t capability; /* AL_CAP_* */
    uint16_t manufacturer;
    uint8_t max_buffer;
    uint16_t max_incoming, max_outgoing; /* largest transfer, octets */
    uint16_t server_mask;
    uint8_t desc_capability;
};

struct al_zdp_simple_desc {
    struct al_zdp_ids in, out; /* clusters: servers, clients */
    uint16_t profile, device_id;
    uint8_t endpoint, version;
};

/* Entries of the lists of the Mgmt responses. */
struct al_zdp_neighbour {
    uint64_t epid, ext;
    uint16_t addr;
    uint8_t type;     /* 0 coordinator, 1 router, 2 end device, 3 not known */
    uint8_t rx_on;    /* 0 no, 1 yes, 2 not known */
    uint8_t relation; /* 0 parent, 1 child, 2 sibling, 3 none, 4 previous child */
    uint8_t permit;   /* 0 no, 1 yes, 2 not known */
    uint8_t depth, lqi;
};
struct al_zdp_route {
    uint16_t dst, next_hop;
    uint8_t status; /* 0 active, 1 discovery under way, 2 failed, 3 inactive, 4 validation */
    bool memory_constrained, many_to_one, record_required;
};
struct al_zdp_binding {
    uint64_t src, dst; /* EUI-64s; dst with mode AL_ZDP_BIND_EXT */
    uint16_t cluster;
    uint16_t group; /* AL_ZDP_BIND_GROUP */
    uint8_t src_endpoint, dst_endpoint;
    uint8_t mode;
};
#define AL_ZDP_CHANGE_CHANNEL 0xfeu /* nwk_update_req.duration */

#define AL_ZDP_BIND_GROUP 1u
#define AL_ZDP_BIND_EXT   3u

struct al_zdp {
    uint16_t cluster; /* with AL_ZDP_RESPONSE: says which member counts */
    uint8_t seq;
    uint8_t status; /* responses. Not success: fields behind it may be missing (zeros) */
    union {
        /* Requests */
        struct {
            uint64_t ext;  /* NWK_addr */
            uint16_t addr; /* IEEE_addr */
            uint8_t type;  /* 0 single, 1 extended */
            uint8_t start;
        } addr_req;
        struct { /* Node_Desc, Power_Desc, Simple_Desc, Active_EP */
            uint16_t addr;
            uint8_t endpoint; /* Simple_Desc */
        } desc_req;
        struct {
            struct al_zdp_ids in, out;
            uint16_t addr, profile;
        } match_req;
        struct {
            uint64_t ext;
            uint16_t addr;
            uint8_t capability;
        } device_annce;
        struct {
            const uint8_t *exts; /* EUI-64s as on the air, 8 octets each */
            uint8_t count;
        } parent_annce;             /* also its response */
        struct al_zdp_binding bind; /* Bind, Unbind */
        struct {
            uint8_t start;
        } mgmt_req; /* Mgmt_Lqi, _Rtg, _Bind */
        struct {
            uint64_t ext; /* 0: the receiver */
            bool remove_children, rejoin;
        } leave_req;
        struct {
            uint8_t duration; /* s; 0 closes */
            uint8_t tc_significance;
        } permit_req;
        struct {
            uint32_t channels; /* bit n: channel n */
            uint8_t duration;  /* 0..5 scan, 0xfe change channel, 0xff channel mask */
            uint8_t count;     /* scans: with duration 0..5 */
            uint8_t update_id; /* with duration 0xfe, 0xff */
            uint16_t manager;  /* with duration 0xff */
        } nwk_update_req;
        /* Responses */
        struct { /* NWK_addr, IEEE_addr */
            uint64_t ext;
            uint16_t addr;
            bool has_list; /* extended: start and devices are there */
            uint8_t start;
            struct al_zdp_ids devices; /* short addresses */
        } addr_rsp;
        struct {
            struct al_zdp_node_desc desc;
            uint16_t addr;
        } node_rsp;
        struct {
            uint16_t addr;
            uint16_t desc;
        } power_rsp;
        struct {
            struct al_zdp_simple_desc desc;
            uint16_t addr;
        } simple_rsp;
        struct { /* Active_EP, Match_Desc */
            const uint8_t *endpoints;
            uint16_t addr;
            uint8_t count;
        } endpoints_rsp;
        struct {                    /* Mgmt_Lqi, _Rtg, _Bind */
            const uint8_t *entries; /* as on the air: al_zdp_neighbour_get ... */
            size_t len;             /* octets of them */
            uint8_t total, start, count;
        } mgmt_rsp;
        struct { /* Mgmt_NWK_Update: result of a scan */
            uint32_t channels;
            const uint8_t *energy; /* a level each channel */
            uint16_t transmissions, failures;
            uint8_t count;
        } nwk_update_rsp;
    };
};

/* Octets behind the known fields are ignored. Returns 0 or
 *   AL_ERR_NOT_SUPPORTED  another cluster: seq and, in responses, status are set
 *   AL_ERR_INVALID_ARG    an address mode that is none, a descriptor longer than its length
 *   AL_ERR_SHORT          ends inside a field; a response that says success ends early */
int al_zdp_parse(struct al_zdp *z, uint16_t cluster, const uint8_t *asdu, size_t len);

/* A response that does not say success: the status, then where the format has it the address
 * asked for and an empty list. To another cluster: the status only.
 * 0, AL_ERR_INVALID_SIZE: no room; AL_ERR_NOT_SUPPORTED: request of another cluster. */
int al_zdp_build(const struct al_zdp *z, struct al_put *p);

/* Descriptors, and entries one after the other; a failure stays in the cursor. */
void al_zdp_node_desc_get(struct al_zdp_node_desc *d, struct al_cur *c);
void al_zdp_node_desc_put(const struct al_zdp_node_desc *d, struct al_put *p);
void al_zdp_neighbour_get(struct al_zdp_neighbour *n, struct al_cur *c);
void al_zdp_neighbour_put(const struct al_zdp_neighbour *n, struct al_put *p);
void al_zdp_route_get(struct al_zdp_route *r, struct al_cur *c);
void al_zdp_route_put(const struct al_zdp_route *r, struct al_put *p);
/* 0, or AL_ERR_INVALID_ARG: an address mode that is none. */
int al_zdp_binding_get(struct al_zdp_binding *b, struct al_cur *c);
void al_zdp_binding_put(const struct al_zdp_binding *b, struct al_put *p);

#define AL_ZDP_NEIGHBOUR_SIZE 22u
#define AL_ZDP_ROUTE_SIZE     5u

#endif
