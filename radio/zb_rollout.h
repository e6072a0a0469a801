/* The roll-out of one image to a network of virtual devices, in virtual time: how long it
 * takes, and what goes wrong on the way. The same stack, the same OTA engines and the same
 * air as everywhere else; only the time is not real. */
#ifndef RADIO_ZB_ROLLOUT_H
#define RADIO_ZB_ROLLOUT_H

#include "radio/zb_sim.h"
#include "zigbee/ota_client.h"

struct zb_rollout_device {
    uint64_t ext;
    uint16_t addr, parent;
    uint8_t hops; /* to the coordinator */
    bool router, sleepy;
    bool client; /* the image is for it */
    bool joined;
    bool correct;               /* it has the whole file, byte for byte */
    uint64_t started, finished; /* us since the notification; 0: never */
    uint32_t bytes;             /* had so far */
    enum al_zota_reason reason; /* of the last time it gave up */
    uint32_t retries;
};

/* Zeros mean the default in brackets. */
struct zb_rollout_config {
    uint64_t seed;
    double loss;         /* 0..1, of frames at a receiver */
    unsigned devices;    /* 1..500 */
    unsigned routers;    /* of them; the rest are end devices */
    unsigned sleepy;     /* of the end devices */
    double area_m;       /* devices are scattered over a disc of this radius; 0: all hear all */
    bool chain;          /* instead: a line of routers, each hearing its neighbours only */
    unsigned clients;    /* only the last so many fetch the image [all]; those of a chain are
                            end devices that stand together behind its last router */
    const uint8_t *file; /* a Zigbee OTA file */
    size_t size;
    struct al_zota_id id;                /* its ids */
    uint8_t max_block;                   /* bytes [223] */
    uint16_t page_size;                  /* bytes; 0: blocks, no pages */
    uint16_t page_spacing;               /* ms [5] */
    uint8_t aps_window;                  /* [8] */
    bool timed;                          /* measures server_cpu_s */
    uint16_t parallel;                   /* downloads at a time [no limit] */
    uint32_t long_poll_ms, fast_poll_ms; /* of sleepy devices [5000, 100] */
    uint64_t limit_us;                   /* virtual time after which it ends [24 h] */
    /* Every frame; may be NULL. */
    void (*frame)(void *frame_ctx, const struct medium_frame *f);
    void *frame_ctx;
    /* Once a virtual second (interval_us) during the roll-out, and at its end; devices: all
     * of them. May be NULL. */
    void (*progress)(void *ctx, uint64_t us, const struct zb_rollout_device *devices);
    uint64_t interval_us; /* [1 s] */
    void *ctx;
};

struct zb_rollout_result {
    unsigned joined, clients, finished; /* clients: devices that the image is for */
    uint64_t join_us;                   /* virtual time to form and join */
    uint64_t us;                        /* from the notification to the last device that ended */
    double rate;             /* bytes/s of all devices together, from the first to the last block */
    double fair;             /* rate of the slowest, divided by the mean rate */
    struct medium_stats air; /* of the roll-out */
    double real_s;           /* that the computation took */
    double server_cpu_s;     /* of it the coordinator's node in the roll-out; with config.timed */
    struct zb_rollout_device *device; /* config.devices of them; free() */
};

/* Runs it. 0; AL_ERR_NO_MEM; AL_ERR_INVALID_ARG: counts that do not fit together. */
int zb_rollout_run(const struct zb_rollout_config *c, struct zb_rollout_result *r);

#endif
