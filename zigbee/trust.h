/* Who may have the network key, and proof of link keys: the trust centre on a
 * coordinator, the joiner's side on a device, the parent's side on a router.
 * Source: Zigbee core specification R22 4.6, base device behaviour 10.
 *
 *   joiner                      parent router             trust centre
 *     | association               | Update-Device --------> | admit?
 *     | <----- Transport-Key ---- | <---- Tunnel ---------- |
 *     | Request-Key (own link key) -----------------------> |
 *     | <------------------ Transport-Key (new link key) -- |
 *     | Verify-Key -------------> Confirm-Key ------------> |                       */
#ifndef ZIGBEE_TRUST_H
#define ZIGBEE_TRUST_H

#include "zigbee/aps.h"

enum al_trust_exchange { /* of a joiner */
                         AL_TRUST_IDLE,
                         AL_TRUST_WAIT_NETWORK_KEY,
                         AL_TRUST_WAIT_LINK_KEY,
                         AL_TRUST_WAIT_CONFIRM,
};

struct al_trust_device { /* trust centre: a device that is being admitted */
    uint64_t ext;        /* 0: free */
    uint64_t deadline;   /* to prove its key */
    uint16_t parent;     /* AL_NWK_COORDINATOR: a direct child */
};

struct al_trust_up {
    /* Joiner: the network key has come and is active; or SECURITY, TIMEOUT. */
    void (*network_key)(void *ctx, uint64_t now, enum al_zb_status status);
    /* Joiner: end of al_trust_exchange_key(). */
    void (*exchanged)(void *ctx, uint64_t now, enum al_zb_status status);
    /* Trust centre: a device came (status of Update-Device: 0 secured rejoin, 1 join, 2 left,
     * 3 trust centre rejoin), was given the key (authorised), proved its link key, or failed. */
    void (*update)(void *ctx, uint64_t now, uint64_t ext, uint16_t addr, uint16_t parent,
                   uint8_t status);
    void (*authorised)(void *ctx, uint64_t now, uint64_t ext, uint16_t addr,
                       enum al_zb_status status);
    /* This device is to leave (Remove-Device). */
    void (*removed)(void *ctx, uint64_t now);
    /* Trust centre asks whether ext may come in at all; NULL: everybody may. */
    bool (*admit)(void *ctx, uint64_t ext);
};

struct al_trust_config {
    struct al_aps *aps;
    struct al_nwk *nwk;
    const struct al_aes *aes;
    struct al_zb_random random; /* keys are made of it: it must be unpredictable */
    bool trust_centre;
    bool install_codes_only; /* trust centre: without one nobody comes in */
    bool require_exchange;   /* trust centre: 15 s to prove a new link key, else removed */
    struct al_trust_device *devices;
    uint16_t device_count;
    const struct al_trust_up *up;
    void *up_ctx;
};

struct al_trust {
    struct al_trust_config c;
    uint64_t centre; /* EUI of the trust centre; 0: not known, ~0: none (distributed) */
    enum al_trust_exchange state;
    uint8_t tries;
    uint64_t deadline;
};

void al_trust_init(struct al_trust *t, const struct al_trust_config *c);

/* Trust centre: a new network gets a random key (key NULL), sequence 0. */
void al_trust_new_network(struct al_trust *t, uint64_t now, const uint8_t *key);
/* Trust centre: a key for every device, then Switch-Key. */
int al_trust_change_key(struct al_trust *t, uint64_t now);
/* Trust centre: code without its CRC was checked by al_install_code_key(). */
int al_trust_add_install_key(struct al_trust *t, uint64_t ext, const uint8_t key[16]);
int al_trust_remove(struct al_trust *t, uint64_t now, uint64_t ext);
/* A child of this node came (nwk.h: child()). */
void al_trust_child(struct al_trust *t, uint64_t now, const struct al_nwk_neighbour *child,
                    bool rejoin, bool secured);
/* A child of this node left: tells the trust centre. */
void al_trust_child_left(struct al_trust *t, uint64_t now, uint64_t ext, uint16_t addr);

/* Joiner: starts to wait for the network key (5 s), and for a new link key (3 tries of 5 s
 * each step). */
void al_trust_await_key(struct al_trust *t, uint64_t now);
void al_trust_exchange_key(struct al_trust *t, uint64_t now);

void al_trust_command(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind);
uint64_t al_trust_next(const struct al_trust *t);
void al_trust_run(struct al_trust *t, uint64_t now);

#endif
