/* What a node must not forget: records by number, each written as a whole. On a device
 * they lie in NVS, on a gateway in a file, in a simulation in memory. */
#ifndef ZIGBEE_STORE_H
#define ZIGBEE_STORE_H

#include <stddef.h>
#include <stdint.h>

#define AL_ZB_RECORD_MAX 128u /* bytes of the longest record */

/* Tables take one record an entry: number + index. */
enum al_zb_record {
    AL_ZB_REC_NETWORK = 0x0001,  /* role, channel, PAN, EPID, address, parent, update id */
    AL_ZB_REC_NWK_KEYS = 0x0002, /* both network keys, the active one, trust centre */
    AL_ZB_REC_COUNTERS = 0x0003, /* reserved outgoing counters */
    AL_ZB_REC_OTA_CLIENT = 0x0004,
    AL_ZB_REC_APS = 0x0005,        /* outgoing counter of link keys */
    AL_ZB_REC_TRUST = 0x0006,      /* the trust centre */
    AL_ZB_REC_ADDRESS = 0x0007,    /* the own EUI-64, where it was made up */
    AL_ZB_REC_LINK_KEYS = 0x1000,  /* + index */
    AL_ZB_REC_DEVICES = 0x2000,    /* children and known addresses, + index */
    AL_ZB_REC_OTA_SERVER = 0x3000, /* + index */
    AL_ZB_REC_BINDINGS = 0x4000,   /* + index */
    AL_ZB_REC_REPORTS = 0x4800     /* reporting configuration, + index */
};

struct al_zb_store {
    void *ctx;
    /* len 0 deletes; what is not there is deleted without a write. A save is whole or not at
     * all, also when the power goes. */
    int (*save)(void *ctx, uint16_t record, const void *data, size_t len);
    /* Length, at most size; AL_ERR_NOT_FOUND. */
    int (*load)(void *ctx, uint16_t record, void *data, size_t size);
};

#endif
