/* APS commands: the payload of an APS command frame, its id first.
 * Source: Zigbee core specification, 4.4.10. */
#ifndef ZIGBEE_APS_COMMAND_H
#define ZIGBEE_APS_COMMAND_H

#include "zigbee/put.h"

enum al_aps_command_id {
    AL_APS_TRANSPORT_KEY = 0x05,
    AL_APS_UPDATE_DEVICE = 0x06,
    AL_APS_REMOVE_DEVICE = 0x07,
    AL_APS_REQUEST_KEY = 0x08,
    AL_APS_SWITCH_KEY = 0x09,
    AL_APS_TUNNEL = 0x0e,
    AL_APS_VERIFY_KEY = 0x0f,
    AL_APS_CONFIRM_KEY = 0x10
};

enum al_aps_key_type {
    AL_KEY_TYPE_NETWORK = 1,
    AL_KEY_TYPE_REQUEST_APP = 2, /* Request-Key: an application link key */
    AL_KEY_TYPE_APP_LINK = 3,    /* Transport-Key: an application link key */
    AL_KEY_TYPE_TC_LINK = 4
};

enum al_update_status {
    AL_UPDATE_SECURED_REJOIN,
    AL_UPDATE_UNSECURED_JOIN,
    AL_UPDATE_LEFT,
    AL_UPDATE_TC_REJOIN
};

enum al_confirm_status {
    AL_CONFIRM_OK = 0x00,
    AL_CONFIRM_ILLEGAL = 0xa3,
    AL_CONFIRM_NOT_SUPPORTED = 0xaa,
    AL_CONFIRM_SECURITY_FAILURE = 0xad
};

struct al_aps_command {
    uint8_t id; /* enum al_aps_command_id: says which member counts */
    union {
        struct {
            uint64_t dst; /* network, TC link key; application link key: the partner */
            uint64_t src; /* network, TC link key: the trust centre */
            uint8_t key[16];
            uint8_t type;    /* enum al_aps_key_type */
            uint8_t key_seq; /* network key */
            bool initiator;  /* application link key */
        } transport_key;
        struct {
            uint64_t device;
            uint16_t short_addr;
            uint8_t status; /* enum al_update_status */
        } update_device;
        struct {
            uint64_t target;
        } remove_device;
        struct {
            uint64_t partner; /* AL_KEY_TYPE_REQUEST_APP */
            uint8_t type;
        } request_key;
        struct {
            uint8_t key_seq;
        } switch_key;
        struct {
            uint64_t dst;
            const uint8_t *frame; /* a whole APS frame */
            size_t len;
        } tunnel;
        struct {
            uint64_t source;
            uint8_t hash[16];
            uint8_t type;
        } verify_key;
        struct {
            uint64_t dst;
            uint8_t status; /* enum al_confirm_status */
            uint8_t type;
        } confirm_key;
    };
};

/* Trailing octets (TLVs) are ignored. AL_ERR_NOT_SUPPORTED: another id or key type (they are
 * set); AL_ERR_SHORT. */
int al_aps_command_parse(struct al_aps_command *cmd, const uint8_t *payload, size_t len);
/* 0, AL_ERR_INVALID_SIZE (no room), AL_ERR_NOT_SUPPORTED. */
int al_aps_command_build(const struct al_aps_command *cmd, struct al_put *p);

#endif
