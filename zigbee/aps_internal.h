/* Between the files of APS only. */
#ifndef ZIGBEE_APS_INTERNAL_H
#define ZIGBEE_APS_INTERNAL_H

#include "core/err.h"
#include "zigbee/aps.h"
#include "zigbee/hash.h"

#define AL_APS_NEVER UINT64_MAX
#define AL_APS_MS    1000u

enum al_aps_tx_state {
    AL_APS_TX_FREE,
    AL_APS_TX_READY,
    AL_APS_TX_SENDING,
    AL_APS_TX_WAIT_ACK,
    AL_APS_TX_REFUSED /* by NWK at once: told with the next run */
};
#define AL_APS_QUICK        2 /* repetitions as soon as an acknowledgement is overdue */
/* al_aps_tx.flags */
#define AL_APS_TX_ACK       0x01u
#define AL_APS_TX_SRC_EXT   0x02u
#define AL_APS_TX_COMMAND   0x04u
#define AL_APS_TX_RAW       0x08u /* a command whose frame is ready */
#define AL_APS_TX_UNSECURED 0x10u /* by NWK */
#define AL_APS_TX_FRESH     0x20u
#define AL_APS_TX_SLEEPY    0x40u
#define AL_APS_TX_INDIRECT  0x80u /* to a sleepy child of this node */

enum al_aps_rx_state { AL_APS_RX_FREE, AL_APS_RX_PARTIAL, AL_APS_RX_DELIVERING };
enum al_aps_ack_state { AL_APS_ACK_FREE, AL_APS_ACK_QUEUED, AL_APS_ACK_GIVEN };

/* A frame on its way up. */
struct al_aps_in {
    const struct al_nwk_data_ind *nwk;
    struct al_aps_frame f; /* payload in clear */
    uint64_t src_ext;
    uint32_t digest; /* of addressing and payload */
    /* of a protected frame */
    uint64_t key_source;
    const uint8_t *link_key;     /* NULL: not protected */
    struct al_aps_link_key *key; /* NULL: none made yet */
    bool fresh_key;
    bool repeated; /* same frame counter as the last one */
};

/* aps_security.c */
/* Builds f protected with the link key of partner; key_id and counter are filled in. */
int al_aps_protect(struct al_aps *a, struct al_aps_frame *f, uint64_t partner, uint8_t key_id,
                   bool fresh, struct al_put *p);
/* Opens in->f into plain (its payload_len octets). 0, or an error: the frame is not to be
 * believed. */
int al_aps_unprotect(struct al_aps *a, struct al_aps_in *in, uint8_t *plain);

/* aps_keys.c */
int al_aps_take_counter(struct al_aps *a, uint32_t *counter);

/* aps_ack.c */
/* Acknowledges in->f; block and bits count for a block. */
void al_aps_acknowledge(struct al_aps *a, uint64_t now, const struct al_aps_in *in, uint8_t block,
                        uint8_t bits);
/* What has to be sent yet; false: NWK has no room. */
bool al_aps_acks_pump(struct al_aps *a, uint64_t now);
void al_aps_ack_sent(struct al_aps *a, uint64_t now, uint16_t handle, enum al_zb_status status);
#define AL_APS_ACK_HANDLE 0x8000u

/* aps_tx.c */
/* A slot for a message to dst, if at least leave of them stay free. */
struct al_aps_tx *al_aps_tx_take(struct al_aps *a, uint16_t dst, unsigned leave);
void al_aps_tx_finish(struct al_aps *a, uint64_t now, struct al_aps_tx *t,
                      enum al_zb_status status);
void al_aps_tx_acked(struct al_aps *a, uint64_t now, const struct al_aps_in *in);
void al_aps_tx_due(struct al_aps *a, uint64_t now, struct al_aps_tx *t);
void al_aps_pump(struct al_aps *a, uint64_t now);

/* aps_build.c: the frame of a whole message, or of its block index. */
int al_aps_tx_frame(struct al_aps *a, const struct al_aps_tx *t, uint8_t block, struct al_put *p);

/* aps_fragment.c */
void al_aps_block_received(struct al_aps *a, uint64_t now, const struct al_aps_in *in);
void al_aps_rx_due(struct al_aps *a, uint64_t now, struct al_aps_rx *rx);

/* aps_window.c: how many blocks a partner sends before it waits. */
uint8_t al_aps_window_of(const struct al_aps *a, uint16_t src);
void al_aps_learn_window(struct al_aps *a, uint16_t src, uint8_t window);
void al_aps_forget_window(struct al_aps *a, uint16_t src);

/* aps_patience.c */
/* The first block of t, or all of it, is acknowledged. */
void al_aps_measured(struct al_aps *a, uint64_t now, const struct al_aps_tx *t);
/* How long to wait for the acknowledgement of t, us. */
uint64_t al_aps_patience(const struct al_aps *a, const struct al_aps_tx *t);

/* aps_duplicate.c */
struct al_aps_duplicate *al_aps_duplicate(struct al_aps *a, uint64_t now, uint16_t src,
                                          uint8_t counter);
/* digest: of the whole message, or of block 0. window: of the sender, 0: not fragmented. */
void al_aps_remember(struct al_aps *a, uint64_t now, const struct al_aps_in *in, uint32_t digest,
                     uint8_t window);
uint32_t al_aps_digest(const struct al_aps_frame *f);

#endif
