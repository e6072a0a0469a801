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
    uint64_t deadline;   /* of the key's delivery, then to prove the own link key */
    uint16_t addr;
    uint16_t parent; /* AL_NWK_COORDINATOR: a direct child */
    uint8_t state, tries;
};

struct al_trust_up {
    /* Joiner: the network key has come and is active. Else SECURITY: a key came that could
     * not be read or believed; TIMEOUT: none came. */
    void (*network_key)(void *ctx, uint64_t now, enum al_zb_status status);
    /* Joiner: end of al_trust_exchange_key(). SECURITY: the trust centre refused it. */
    void (*exchanged)(void *ctx, uint64_t now, enum al_zb_status status);
    /* Trust centre: a device came or left (status: enum al_update_status). */
    void (*update)(void *ctx, uint64_t now, uint64_t ext, uint16_t addr, uint16_t parent,
                   uint8_t status);
    /* Trust centre: it was given the network key (a router's child: it is on its way), or
     * had it. DENIED: may not come in; TIMEOUT: did not prove its link key and was removed;
     * else the key could not be delivered. */
    void (*authorised)(void *ctx, uint64_t now, uint64_t ext, uint16_t addr,
                       enum al_zb_status status);
    /* Trust centre: it has proved its own link key. */
    void (*proved)(void *ctx, uint64_t now, uint64_t ext, uint16_t addr);
    /* This device is to leave (Remove-Device). */
    void (*removed)(void *ctx, uint64_t now);
    /* Trust centre asks whether ext may come in at all; NULL: everybody may. */
    bool (*admit)(void *ctx, uint64_t ext);
};

struct al_trust_config {
    struct al_aps *aps;
    struct al_nwk *nwk;
    const struct al_aes *aes;
    struct al_zb_random random;      /* keys are made of it: it must be unpredictable */
    const struct al_zb_store *store; /* may be NULL */
    bool trust_centre;
    bool install_codes_only; /* trust centre: without one nobody comes in */
    bool require_exchange;   /* trust centre: 15 s to prove a new link key, else removed */
    struct al_trust_device *devices;
    uint16_t device_count;
    const struct al_trust_up *up; /* each member may be NULL */
    void *up_ctx;
};

struct al_trust {
    struct al_trust_config c;
    uint64_t centre; /* EUI of the trust centre; 0: not known */
    enum al_trust_exchange state;
    uint8_t tries;
    bool resumed; /* the exchange began with the key of one that was cut short */
    uint64_t deadline;
    uint32_t security_drops; /* of APS, when the wait began */
    struct {                 /* trust centre: change of the network key */
        uint8_t state;
        uint8_t seq, key[16];
        uint16_t index; /* of the next device */
        uint64_t at;
    } change;
};

/* Zeroes t. */
void al_trust_init(struct al_trust *t, const struct al_trust_config *c);
void al_trust_restore(struct al_trust *t); /* the trust centre's EUI, from the store */
/* Forgets the trust centre, and what is under way. Link keys: al_aps_forget(). */
void al_trust_forget(struct al_trust *t);

/* Trust centre: a new network gets a random key (key NULL), sequence 0. */
void al_trust_new_network(struct al_trust *t, uint64_t now, const uint8_t *key);
/* Trust centre: a new key for every device that is known, one after the other, then
 * Switch-Key. AL_ERR_INVALID_STATE: a change is under way, or no network. */
int al_trust_change_key(struct al_trust *t, uint64_t now);
/* key: al_install_code_key() of the code. Trust centre: of device ext; joiner: its own, ext
 * AL_APS_ANY_PARTNER. AL_ERR_NO_MEM: table of link keys full, or not saved. */
int al_trust_add_install_key(struct al_trust *t, uint64_t ext, const uint8_t key[16]);
/* Trust centre: tells ext to leave and forgets its keys. AL_ERR_NOT_FOUND: no address. */
int al_trust_remove(struct al_trust *t, uint64_t now, uint64_t ext);
/* A child of this node came (nwk.h: child()). */
void al_trust_child(struct al_trust *t, uint64_t now, const struct al_nwk_neighbour *child,
                    bool rejoin, bool secured);
/* A child of this node left: tells the trust centre. */
void al_trust_child_left(struct al_trust *t, uint64_t now, uint64_t ext, uint16_t addr);

/* Joiner: starts to wait for the network key (5 s). */
void al_trust_await_key(struct al_trust *t, uint64_t now);
/* Joiner: gets and proves a new link key (3 tries of 5 s each step). legacy: the trust
 * centre is older than revision 21 and has none to give: ends at once, well. */
void al_trust_exchange_key(struct al_trust *t, uint64_t now, bool legacy);

/* From APS: aps.h command(), command_sent(). */
void al_trust_command(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind);
void al_trust_sent(struct al_trust *t, uint64_t now, uint16_t handle, enum al_zb_status status);

uint64_t al_trust_next(const struct al_trust *t);
void al_trust_run(struct al_trust *t, uint64_t now);

#endif
