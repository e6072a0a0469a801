/* How the OTA client and the OTA server (ota_client.h, ota_server.h) meet the stack: ZCL
 * frames of cluster 0x0019 go out through a callback and come in through
 * al_zota_client_receive() and al_zota_server_receive(). All frames are of profile 0x0104
 * or the one that the endpoint was registered with: that is the caller's to fill in. */
#ifndef ZIGBEE_OTA_TRANSPORT_H
#define ZIGBEE_OTA_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From here on addresses are broadcasts: 0xfffd rx-on-when-idle, 0xffff all. */
#define AL_ZOTA_BROADCAST 0xfff8u

struct al_zota_peer {
    uint16_t addr;    /* network address */
    uint8_t endpoint; /* 0xff: all, in broadcasts */
};

struct al_zota_send {
    struct al_zota_peer to;
    uint8_t src_endpoint;
    const uint8_t *zcl; /* ZCL header and payload; only during the call */
    size_t len;
    bool aps_ack;
    bool may_fragment; /* else it has to fit into one frame */
    uint32_t handle;   /* comes back in al_zota_*_sent(); 0: nobody waits for it */
};

struct al_zota_transport {
    void *ctx;
    /* 0: under way, al_zota_*_sent() will follow unless handle is 0, but never from
     * inside this call. AL_ERR_NO_MEM: the queue is full, it will be tried again soon.
     * AL_ERR_INVALID_SIZE: too long for one frame (or for a message). Any other error
     * counts as a frame that was lost. */
    int (*send)(void *ctx, const struct al_zota_send *s);
    uint32_t (*random)(void *ctx);
    /* Longest ZCL frame to a device that needs no fragmentation now; 0: not known. May be
     * NULL. Fragments hold two bytes less. */
    size_t (*room)(void *ctx, struct al_zota_peer to);
    /* How many hops it is away, at least 1. May be NULL. */
    uint8_t (*hops)(void *ctx, struct al_zota_peer to);
};

struct al_zota_received {
    struct al_zota_peer from;
    uint8_t dst_endpoint;
    bool broadcast; /* sent to a broadcast or group address: never answered */
    const uint8_t *zcl;
    size_t len;
};

/* Data sizes of Image Block to fall back to, in this order: fragmented; then what fits
 * into one frame with ever more headers (Silicon Labs, Exegin, with APS encryption). */
#define AL_ZOTA_BLOCK_MAX    223
#define AL_ZOTA_BLOCK_SINGLE 64 /* the most that fits into one frame in a plain network */

#endif
