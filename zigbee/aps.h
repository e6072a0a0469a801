/* The application support layer: data with acknowledgements and repetitions, rejection
 * of duplicates, fragmentation, and frames protected by link keys. What the commands of
 * its security mean is in zigbee/trust.h. Source: Zigbee core specification R22, 2.2. */
#ifndef ZIGBEE_APS_H
#define ZIGBEE_APS_H

#include "zigbee/aps_command.h"
#include "zigbee/aps_frame.h"
#include "zigbee/nwk.h"

#define AL_APS_ASDU_PLAIN 82 /* unfragmented to a neighbour; else al_aps_room() */
#define AL_APS_ASDU_MAX   1500
#define AL_APS_WINDOW     8 /* default of apscMaxWindowSize */

/* A link key with a partner, and its counters. */
struct al_aps_link_key {
    uint64_t partner; /* 0: free */
    uint8_t key[16];
    uint8_t kind;      /* enum al_aps_key_kind */
    bool verified;     /* the partner has proved it */
    uint8_t fresh[16]; /* given out, not yet verified */
    bool has_fresh;
    uint32_t tx_counter, tx_reserved; /* next; kept in the store */
    uint32_t rx_counter;
    bool rx_known;
};
enum al_aps_key_kind {
    AL_APS_KEY_DEFAULT,
    AL_APS_KEY_INSTALL_CODE,
    AL_APS_KEY_UNIQUE,
    AL_APS_KEY_APPLICATION
};

/* An outgoing message until it is acknowledged. bytes: of the caller. */
struct al_aps_tx {
    uint8_t state; /* 0: free */
    uint16_t handle, dst, cluster, profile;
    uint8_t dst_ep, src_ep, counter, tries, flags;
    uint8_t block, blocks, window_start, window_size; /* fragments */
    uint8_t acked;                                    /* bit field of the window */
    uint8_t block_tries;
    uint16_t len, block_len;
    uint8_t in_flight; /* frames given to NWK, not yet confirmed */
    uint64_t deadline, not_before;
    uint32_t order;
    uint8_t *bytes; /* asdu_size of them */
};

/* A fragmented message coming in, or a finished one that is remembered. */
struct al_aps_rx {
    uint8_t state; /* 0: free */
    uint16_t src;
    uint8_t counter, blocks, window_start, src_ep, dst_ep;
    uint16_t cluster, profile, block_len, last_len;
    uint32_t arrived[8]; /* a bit a block */
    uint64_t deadline;
    uint8_t *bytes;
};

struct al_aps_duplicate {
    uint16_t src;
    uint8_t counter;
    uint64_t expires; /* 0: free */
};

struct al_aps_data_ind {
    uint16_t src, dst;
    uint64_t src_ext; /* 0: not known */
    uint8_t src_ep, dst_ep, lqi, counter;
    uint16_t profile, cluster, group;
    bool broadcast; /* or group: nothing is to be answered */
    bool link_secured;
    const uint8_t *asdu;
    size_t len;
};

struct al_aps_command_ind {
    uint16_t src;
    uint64_t src_ext; /* 0: not known */
    bool nwk_secured;
    uint8_t key_id; /* AL_SEC_KEY_*: which kind of key protected it; 0xff: none */
    const struct al_aps_link_key *key; /* the entry, NULL: the default key, or none */
    const struct al_aps_command *command;
};

struct al_aps_up {
    void (*data)(void *ctx, uint64_t now, const struct al_aps_data_ind *ind);
    void (*sent)(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status);
    void (*command)(void *ctx, uint64_t now, const struct al_aps_command_ind *ind); /* trust.h */
};

/* 0 anywhere means the default in brackets. */
struct al_aps_config {
    struct al_nwk *nwk;
    const struct al_aes *aes;
    const struct al_zb_store *store; /* may be NULL */
    struct al_aps_tx *tx;
    uint16_t tx_count;
    struct al_aps_rx *rx;
    uint16_t rx_count;
    uint16_t asdu_size; /* bytes of each tx and rx buffer; their sum: bytes */
    uint8_t *bytes;     /* (tx_count + rx_count) * asdu_size */
    struct al_aps_duplicate *duplicates;
    uint16_t duplicate_count;
    struct al_aps_link_key *keys;
    uint16_t key_count;
    uint8_t window;                           /* 1..8 [AL_APS_WINDOW] */
    uint16_t ack_wait_ms, ack_wait_sleepy_ms; /* [3000, 10000] */
    uint8_t retries;                          /* [3] */
    uint16_t interframe_ms;                   /* between fragments [0] */
    const struct al_aps_up *up;
    void *up_ctx;
};

struct al_aps {
    struct al_aps_config c;
    uint8_t counter;
    uint16_t next_handle;
    uint32_t order;
    uint8_t default_key[16]; /* trust centre link key that all share: ZigBeeAlliance09 */
    uint32_t default_tx_counter, default_tx_reserved;
    uint32_t tx_messages, tx_failures, tx_repeats, rx_messages, rx_duplicates, dropped_security;
};

void al_aps_init(struct al_aps *a, const struct al_aps_config *c);
void al_aps_restore(struct al_aps *a); /* keys and counters from the store */
void al_aps_forget(struct al_aps *a);  /* keys too, but not install codes */

struct al_aps_send {
    uint16_t dst; /* a broadcast address too */
    uint8_t dst_ep, src_ep;
    uint16_t profile, cluster;
    const uint8_t *asdu;
    size_t len;
    bool ack;      /* unicast: acknowledged and repeated */
    bool fragment; /* may be fragmented when too long for one frame; implies ack */
    bool link_key; /* protect with the partner's link key */
    bool with_src_ext;
    uint8_t radius;  /* 0: default */
    uint16_t handle; /* 0: no sent() */
};
/* Copies. AL_ERR_NO_MEM: no slot free; AL_ERR_INVALID_SIZE: too long (unfragmented longer
 * than al_aps_room(), or longer than asdu_size). */
int al_aps_send(struct al_aps *a, uint64_t now, const struct al_aps_send *s);
/* Longest ASDU to dst without fragmentation. */
size_t al_aps_room(const struct al_aps *a, uint16_t dst, bool link_key);
/* Gives a message up; sent() comes with AL_ZB_EXPIRED. */
void al_aps_cancel(struct al_aps *a, uint64_t now, uint16_t handle);

/* Commands (trust.h): key_id AL_SEC_KEY_* or 0xff for no APS protection. */
struct al_aps_send_command {
    uint16_t dst;
    uint64_t dst_ext; /* whose link key; in the NWK header when unsecured */
    const struct al_aps_command *command;
    uint8_t key_id;
    bool fresh_key; /* with the key given out but not yet verified */
    bool nwk_unsecured;
    uint16_t handle;
};
int al_aps_send_command(struct al_aps *a, uint64_t now, const struct al_aps_send_command *s);
/* A protected APS frame as bytes, for a Tunnel. Gives its length. */
int al_aps_build_command(struct al_aps *a, uint64_t now, const struct al_aps_send_command *s,
                         uint8_t *out, size_t size);
/* The frame of a Tunnel to a joining child. */
int al_aps_forward(struct al_aps *a, uint64_t now, uint16_t child, uint64_t child_ext,
                   const uint8_t *frame, size_t len);

/* Link keys. find: NULL when there is none of its own (the default key counts then). */
struct al_aps_link_key *al_aps_key(struct al_aps *a, uint64_t partner);
struct al_aps_link_key *al_aps_set_key(struct al_aps *a, uint64_t partner, const uint8_t key[16],
                                       enum al_aps_key_kind kind); /* NULL: table full */
void al_aps_save_key(struct al_aps *a, const struct al_aps_link_key *k);
void al_aps_delete_key(struct al_aps *a, uint64_t partner);

void al_aps_nwk_data(struct al_aps *a, uint64_t now, const struct al_nwk_data_ind *ind);
void al_aps_nwk_sent(struct al_aps *a, uint64_t now, uint16_t handle, enum al_zb_status status);

uint64_t al_aps_next(const struct al_aps *a);
void al_aps_run(struct al_aps *a, uint64_t now);

#endif
