/* The application support layer: data with acknowledgements and repetitions, rejection
 * of duplicates, fragmentation, and frames protected by link keys. What the commands of
 * its security mean is in zigbee/trust.h. Source: Zigbee core specification R22, 2.2. */
#ifndef ZIGBEE_APS_H
#define ZIGBEE_APS_H

#include "zigbee/aps_command.h"
#include "zigbee/aps_frame.h"
#include "zigbee/nwk.h"

#define AL_APS_ASDU_PLAIN  82 /* unfragmented to a neighbour; else al_aps_room() */
#define AL_APS_ASDU_MAX    1500
#define AL_APS_WINDOW      8 /* default of apscMaxWindowSize */
#define AL_APS_TX_MAX      1023
#define AL_APS_BLOCKS_MAX  255        /* of a fragmented message */
#define AL_APS_ANY_PARTNER UINT64_MAX /* link key of an install code, on the joiner */
#define AL_APS_KEY_NONE    0xffu      /* key_id of a command: no APS protection */

/* A link key with a partner. A partner may have two entries: its install code, and what it
 * was given later. An outgoing counter serves all keys: it never repeats for any. */
struct al_aps_link_key {
    uint64_t partner; /* 0: free */
    uint8_t key[16];
    uint8_t kind;      /* enum al_aps_key_kind */
    bool verified;     /* the partner has proved it */
    uint8_t fresh[16]; /* given out, not yet verified */
    bool has_fresh;
    bool doubted; /* somebody joins in the partner's name and may have forgotten the key */
    bool rx_known;
    uint32_t rx_counter, rx_saved; /* last received; as in the store */
};
enum al_aps_key_kind {
    AL_APS_KEY_DEFAULT,      /* the default key: the entry is for the partner's counter */
    AL_APS_KEY_INSTALL_CODE, /* survives al_aps_forget() */
    AL_APS_KEY_UNIQUE,
    AL_APS_KEY_APPLICATION
};

/* An outgoing message until it is acknowledged. bytes: of the caller.
 *
 *   FREE -> READY -> SENDING -> WAIT_ACK -> FREE
 *             ^---------+----------'  repetition, next window
 *   READY -> REFUSED -> FREE: NWK cannot send it at all                      */
struct al_aps_tx {
    uint8_t state; /* 0: free */
    uint8_t generation, flags, counter, tries, key_id, radius;
    uint8_t quick; /* early repetitions that are left; they are no tries */
    bool repeated; /* a frame of this window was sent again */
    uint8_t dst_ep, src_ep;
    uint16_t handle, dst, cluster, profile, group;
    uint64_t dst_ext; /* commands, and with a link key */
    uint16_t len, block_len;
    uint8_t blocks, window_start, window_size; /* fragments; blocks 0: whole */
    uint8_t given;     /* to NWK in this round: a bit a block of the window (whole: bit 0) */
    uint8_t failed;    /* the same: NWK could not deliver */
    uint8_t acked;     /* the same: arrived */
    uint8_t in_flight; /* frames given to NWK, not yet confirmed */
    uint8_t nwk_status;
    uint64_t deadline, not_before, given_at;
    uint32_t order;
    uint8_t *bytes; /* asdu_size of them */
};

/* A fragmented message coming in. */
struct al_aps_rx {
    uint8_t state; /* 0: free */
    uint8_t counter, src_ep, dst_ep, lqi;
    uint8_t blocks; /* 0: not known yet */
    uint8_t window; /* of the sender, as far as known */
    uint8_t last;   /* block that came last */
    uint8_t paused; /* blocks from the start that were there when it last paused */
    uint8_t step;   /* blocks between its last two pauses */
    bool in_turn;   /* blocks of varying size, to be taken in turn (zigbee-on-host) */
    bool link_secured, sleepy;
    uint8_t short_block; /* the last one, when shorter; 0: not known */
    uint16_t src, cluster, profile;
    uint16_t block_len, short_len, len; /* len: in_turn, so far */
    uint64_t src_ext;
    uint32_t digest;
    uint32_t arrived[8]; /* a bit a block */
    uint64_t deadline, pause;
    uint8_t *bytes;
};

struct al_aps_duplicate {
    uint16_t src;
    uint8_t counter;
    uint8_t window;   /* of a fragmented message, else 0 */
    uint32_t digest;  /* tells messages apart when counters wrap */
    uint64_t expires; /* 0: free */
};

/* Acknowledgements are repeated when the neighbour did not take them. */
#define AL_APS_ACKS 8
struct al_aps_ack {
    uint8_t state; /* 0: free */
    uint8_t generation, tries;
    bool of_command, of_block;
    uint8_t dst_ep, src_ep, counter, block, bits;
    uint16_t dst, cluster, profile;
    uint64_t dst_ext; /* secured */
    uint64_t at;
};

/* How long the acknowledgements of a destination take. */
struct al_aps_peer {
    uint16_t addr;
    uint32_t mean_us, deviation_us; /* mean_us 0: free */
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
    bool broadcast;
    bool nwk_secured;
    uint8_t key_id;      /* AL_SEC_KEY_*: which kind of key protected it; AL_APS_KEY_NONE */
    uint64_t key_source; /* whose frame counter protected it */
    uint32_t key_counter;
    bool fresh_key;                    /* with a key given out, but not yet verified */
    const uint8_t *link_key;           /* that it was made of; NULL: not protected */
    const struct al_aps_link_key *key; /* its entry; NULL: not protected, or none made yet */
    const struct al_aps_command *command;
};

/* A callback may call APS, also al_aps_send(). */
struct al_aps_up {
    void (*data)(void *ctx, uint64_t now, const struct al_aps_data_ind *ind);
    void (*sent)(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status);
    /* For trust.h: al_trust_command(), al_trust_sent(). Their handles are a space of its own. */
    void (*command)(void *ctx, uint64_t now, const struct al_aps_command_ind *ind);
    void (*command_sent)(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status);
};

/* 0 anywhere means the default in brackets. */
struct al_aps_config {
    struct al_nwk *nwk;
    const struct al_aes *aes;
    const struct al_zb_store *store; /* may be NULL */
    struct al_aps_tx *tx;
    uint16_t tx_count; /* at most AL_APS_TX_MAX */
    struct al_aps_rx *rx;
    uint16_t rx_count;
    uint16_t asdu_size; /* bytes of each tx and rx buffer; their sum: bytes */
    uint8_t *bytes;     /* (tx_count + rx_count) * asdu_size */
    struct al_aps_duplicate *duplicates;
    uint16_t duplicate_count;
    struct al_aps_link_key *keys;
    uint16_t key_count;
    struct al_aps_peer *peers; /* without any, ack_wait_ms is the time for all */
    uint16_t peer_count;
    uint8_t window;                           /* 1..8 [AL_APS_WINDOW] */
    uint16_t ack_wait_ms, ack_wait_sleepy_ms; /* [3000, 10000]; the first is an upper bound */
    uint8_t retries;                          /* [3] */
    uint8_t in_flight;                        /* frames given to NWK at a time [3] */
    uint16_t interframe_ms;                   /* between fragments [0] */
    const struct al_aps_up *up;
    void *up_ctx;
};

struct al_aps {
    struct al_aps_config c;
    uint8_t counter; /* of the next message */
    uint32_t order;
    uint64_t pump_at;        /* something can be sent then; UINT64_MAX: when NWK confirms */
    uint8_t default_key[16]; /* trust centre link key that all share: ZigBeeAlliance09 */
    uint32_t tx_counter;     /* next outgoing frame counter, of all link keys */
    uint32_t tx_reserved;    /* kept: never used before it is raised */
    struct al_aps_ack acks[AL_APS_ACKS];
    struct { /* partners whose window is not this node's */
        uint16_t src;
        uint8_t window; /* 0: free */
    } windows[4];
    uint8_t next_window;
    uint16_t next_peer;
    bool pumping;
    uint32_t tx_messages, tx_failures, tx_repeats, rx_messages, rx_duplicates, dropped_security;
};

void al_aps_init(struct al_aps *a, const struct al_aps_config *c);
void al_aps_restore(struct al_aps *a); /* keys and counters from the store */
void al_aps_forget(struct al_aps *a);  /* keys too, but not install codes; see al_aps_stop */
/* Ends everything under way: sent() with status for each message. */
void al_aps_stop(struct al_aps *a, uint64_t now, enum al_zb_status status);

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
    bool sleepy;       /* dst sleeps (children of this node are known): longer wait */
    uint8_t radius;    /* 0: default */
    uint16_t group;    /* not 0: to this group instead of dst_ep; dst: AL_NWK_ALL_RX_ON */
    uint32_t delay_us; /* not before then */
    uint16_t handle;   /* 0: no sent() */
};
/* Copies. Messages to one destination are begun in the order of the calls; destinations
 * take turns. sent() comes after an acknowledgement, or (without ack) when the first hop
 * has it, never from inside this call. AL_ERR_NO_MEM: no slot free (one in 16 is kept for
 * commands); AL_ERR_INVALID_SIZE: too long (unfragmented longer than al_aps_room(), or longer than
 * asdu_size); AL_ERR_NOT_FOUND: link_key, and the EUI of dst is not known. */
int al_aps_send(struct al_aps *a, uint64_t now, const struct al_aps_send *s);
/* Longest ASDU to dst without fragmentation. */
size_t al_aps_room(const struct al_aps *a, uint16_t dst, bool link_key);
/* Gives a message up; sent() comes with AL_ZB_EXPIRED. */
void al_aps_cancel(struct al_aps *a, uint64_t now, uint16_t handle);

/* Commands (trust.h): without acknowledgement. key_id: AL_SEC_KEY_* or AL_APS_KEY_NONE. */
struct al_aps_send_command {
    uint16_t dst;
    uint64_t dst_ext; /* whose link key; in the NWK header when unsecured */
    const struct al_aps_command *command;
    uint8_t key_id;
    bool fresh_key; /* with the key given out but not yet verified */
    bool nwk_unsecured;
    uint16_t handle; /* 0: no command_sent() */
};
int al_aps_send_command(struct al_aps *a, uint64_t now, const struct al_aps_send_command *s);
/* A protected APS frame as bytes, for a Tunnel. Gives its length. */
int al_aps_build_command(struct al_aps *a, uint64_t now, const struct al_aps_send_command *s,
                         uint8_t *out, size_t size);
/* The frame of a Tunnel to a joining child. */
int al_aps_forward(struct al_aps *a, uint64_t now, uint16_t child, uint64_t child_ext,
                   const uint8_t *frame, size_t len, uint16_t handle);

/* Link keys. The entry that counts for partner: what it was given, else its install code;
 * NULL: none, so the default key. */
struct al_aps_link_key *al_aps_key(struct al_aps *a, uint64_t partner);
/* The entry of its install code (partner AL_APS_ANY_PARTNER: of this node), or NULL. */
struct al_aps_link_key *al_aps_install_key(struct al_aps *a, uint64_t partner);
/* Replaces the entry of partner (an install code: only the one of that kind) and saves it;
 * not verified. The partner's counter starts anew when the key is another. NULL: table full,
 * or it could not be saved. */
struct al_aps_link_key *al_aps_set_key(struct al_aps *a, uint64_t partner, const uint8_t key[16],
                                       enum al_aps_key_kind kind);
/* partner was heard with this counter under link_key: makes an entry if there is none (on a
 * coordinator in place of one that only has the counter of the default key), and
 * remembers the counter. NULL: table full, or it could not be saved. */
struct al_aps_link_key *al_aps_heard(struct al_aps *a, uint64_t partner, const uint8_t *link_key,
                                     uint32_t counter);
/* A key to be given to partner, or that it gave: counts as the key once it is verified. Made
 * beside the old one; the entry is made if need be. NULL as above. */
struct al_aps_link_key *al_aps_set_fresh(struct al_aps *a, uint64_t partner, const uint8_t key[16]);
/* The fresh key was verified: it takes the place of the old one. */
struct al_aps_link_key *al_aps_promote(struct al_aps *a, struct al_aps_link_key *k);
int al_aps_save_key(struct al_aps *a, struct al_aps_link_key *k);
/* partner joins as if it were new: what goes to it is protected as for a new one, and the key is
 * deleted when it shows that it uses that. Until then the key opens its frames, too, and ends
 * the doubt: nothing proves who joins. */
void al_aps_doubt_key(struct al_aps *a, uint64_t partner);
void al_aps_trust_key(struct al_aps *a, uint64_t partner); /* no doubt any more */
/* A key of its own, that not everybody knows: proved, or of an install code. */
bool al_aps_has_own_key(struct al_aps *a, uint64_t partner);
/* All but the install code. */
void al_aps_delete_key(struct al_aps *a, uint64_t partner);
void al_aps_delete_install_key(struct al_aps *a, uint64_t partner);

void al_aps_nwk_data(struct al_aps *a, uint64_t now, const struct al_nwk_data_ind *ind);
void al_aps_nwk_sent(struct al_aps *a, uint64_t now, uint16_t handle, enum al_zb_status status);

uint64_t al_aps_next(const struct al_aps *a);
void al_aps_run(struct al_aps *a, uint64_t now);

#endif
