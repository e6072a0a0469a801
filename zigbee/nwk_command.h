/* NWK commands: the payload of an NWK command frame, its id first.
 * Source: Zigbee core specification, 3.4. */
#ifndef ZIGBEE_NWK_COMMAND_H
#define ZIGBEE_NWK_COMMAND_H

#include "zigbee/nwk_frame.h"

enum al_nwk_command_id {
    AL_NWK_ROUTE_REQUEST = 1,
    AL_NWK_ROUTE_REPLY = 2,
    AL_NWK_STATUS = 3,
    AL_NWK_LEAVE = 4,
    AL_NWK_ROUTE_RECORD = 5,
    AL_NWK_REJOIN_REQUEST = 6,
    AL_NWK_REJOIN_RESPONSE = 7,
    AL_NWK_LINK_STATUS = 8,
    AL_NWK_REPORT = 9,
    AL_NWK_UPDATE = 10,
    AL_NWK_TIMEOUT_REQUEST = 11,
    AL_NWK_TIMEOUT_RESPONSE = 12,
    AL_NWK_LINK_POWER_DELTA = 13
};

enum al_nwk_status_code {
    AL_NWK_STATUS_NO_ROUTE = 0x00,
    AL_NWK_STATUS_TREE_LINK_FAILURE = 0x01,
    AL_NWK_STATUS_LINK_FAILURE = 0x02,
    AL_NWK_STATUS_PARENT_LINK_FAILURE = 0x09,
    AL_NWK_STATUS_SOURCE_ROUTE_FAILURE = 0x0b,
    AL_NWK_STATUS_MANY_TO_ONE_FAILURE = 0x0c,
    AL_NWK_STATUS_ADDRESS_CONFLICT = 0x0d,
    AL_NWK_STATUS_PAN_ID_UPDATE = 0x0f,
    AL_NWK_STATUS_ADDRESS_UPDATE = 0x10,
    AL_NWK_STATUS_UNKNOWN_COMMAND = 0x13
};

enum al_nwk_many_to_one { AL_NWK_ONE_TO_ONE, AL_NWK_MTO_RECORD, AL_NWK_MTO_NO_RECORD };

#define AL_NWK_TIMEOUT_OK        0
#define AL_NWK_TIMEOUT_BAD_INDEX 1
#define AL_NWK_TIMEOUT_UNKNOWN   2
#define AL_NWK_PARENT_POLL       0x01u /* keep alive by data polls */
#define AL_NWK_PARENT_REQUEST    0x02u /* keep alive by timeout requests */

#define AL_NWK_LINKS_MAX 31u

struct al_nwk_link {
    uint16_t addr;
    uint8_t incoming, outgoing; /* costs 0..7 */
};

struct al_nwk_command {
    uint8_t id; /* enum al_nwk_command_id: says which member counts */
    union {
        struct {
            uint64_t dst_ext; /* with has_dst_ext */
            uint16_t dst;
            uint8_t id, cost;
            uint8_t many_to_one; /* enum al_nwk_many_to_one */
            bool has_dst_ext;
        } route_request;
        struct {
            uint64_t originator_ext, responder_ext; /* with has_... */
            uint16_t originator, responder;
            uint8_t id, cost;
            bool has_originator_ext, has_responder_ext;
        } route_reply;
        struct {
            uint16_t addr;
            uint8_t code;  /* enum al_nwk_status_code */
            bool has_addr; /* parsed; it is always sent */
        } status;
        struct {
            bool request; /* the receiver shall leave; else the sender says that it leaves */
            bool rejoin, remove_children;
        } leave;
        struct {
            uint16_t relays[AL_NWK_RELAYS_MAX]; /* [0] is nearest to the originator */
            uint8_t count;
        } route_record;
        struct {
            uint8_t capability; /* AL_CAP_* */
        } rejoin_request;
        struct {
            uint16_t addr;
            uint8_t status; /* enum al_mac_assoc_status */
        } rejoin_response;
        struct {
            const uint8_t *entries; /* as on the air: al_nwk_link_get, al_nwk_link_put */
            uint8_t count;          /* 0..31 */
            bool first, last;
        } link_status;
        struct {
            uint64_t extended_pan;
            uint16_t new_pan;
            uint8_t update_id;
        } update; /* PAN id update only */
        struct {
            uint8_t index; /* 0: 10 s; n = 1..14: 2^n minutes */
            uint8_t configuration;
        } timeout_request;
        struct {
            uint8_t status; /* AL_NWK_TIMEOUT_* */
            uint8_t parent; /* AL_NWK_PARENT_* */
        } timeout_response;
    };
};

/* Octets behind the known fields (TLVs of later revisions) are ignored. Returns 0 or
 * AL_ERR_NOT_SUPPORTED: another id (it is set), a route record of more than 12 relays, an
 * update other than of the PAN id. Network report and link power delta count as known,
 * their fields are not read. AL_ERR_SHORT. */
int al_nwk_command_parse(struct al_nwk_command *cmd, const uint8_t *payload, size_t len);

/* 0, AL_ERR_INVALID_SIZE (no room), AL_ERR_NOT_SUPPORTED (report, link power delta, unknown),
 * AL_ERR_INVALID_ARG (counts). */
int al_nwk_command_build(const struct al_nwk_command *cmd, struct al_put *p);

/* Entry index (< count) of a parsed link status. */
struct al_nwk_link al_nwk_link_get(const struct al_nwk_command *cmd, uint8_t index);
void al_nwk_link_put(struct al_put *p, const struct al_nwk_link *link);

/* Timeout of an index in seconds; 0: no such index. */
uint32_t al_nwk_timeout_seconds(uint8_t index);

#endif
