/* The Zigbee network layer (PRO, stack profile 2): formation, discovery, joining,
 * rejoining, leaving, neighbours and children, routing, broadcasts, link status, the end
 * device time-out, and security with the network key. Source: Zigbee core specification
 * R22/R23.
 *
 * One context serves every role; what a role does not need costs its tables only. */
#ifndef ZIGBEE_NWK_H
#define ZIGBEE_NWK_H

#include "zigbee/aes.h"
#include "zigbee/mac.h"
#include "zigbee/nwk_command.h"
#include "zigbee/nwk_frame.h"
#include "zigbee/store.h"

/* Addresses. From AL_NWK_BROADCAST_MIN on they are broadcasts. */
#define AL_NWK_COORDINATOR   0x0000u
#define AL_NWK_NO_ADDR       0xffffu /* as an own address: none */
#define AL_NWK_BROADCAST_MIN 0xfff8u
#define AL_NWK_ALL_ROUTERS   0xfffcu /* and the coordinator */
#define AL_NWK_ALL_RX_ON     0xfffdu
#define AL_NWK_ALL           0xffffu /* sleepy ones too */
#define AL_NWK_BROADCAST(a)  ((a) >= AL_NWK_BROADCAST_MIN)

#define AL_NWK_RADIUS      30u /* 2 x nwkMaxDepth */
#define AL_NWK_PAYLOAD_MAX 90u /* secured, no EUIs, no source route; less: al_nwk_room() */

enum al_nwk_role { AL_NWK_ROLE_COORDINATOR, AL_NWK_ROLE_ROUTER, AL_NWK_ROLE_END_DEVICE };

enum al_nwk_relation {
    AL_NWK_NOBODY, /* entry free */
    AL_NWK_PARENT,
    AL_NWK_CHILD,   /* an end device, or a router that joined here */
    AL_NWK_SIBLING, /* another router, or the coordinator */
    AL_NWK_JOINING  /* a child that has its address, but not yet its key */
};

struct al_nwk_neighbour {
    uint64_t ext; /* 0: not known */
    uint16_t addr;
    uint8_t relation; /* enum al_nwk_relation */
    uint8_t role;     /* enum al_nwk_role */
    uint8_t capability;
    bool rx_on;
    uint8_t lqi, in_cost, out_cost; /* costs 1..7; out_cost 0: not known */
    bool one_way;                   /* its link status does not name this node */
    bool proven;                    /* child: it has shown that it has the key */
    bool anew; /* somebody associates in the name of this one: it may be another */
    struct {   /* with anew: what it was before */
        uint8_t relation, role, capability;
        bool rx_on;
    } before;
    bool present;          /* heard since this node has started */
    bool record;           /* end device: its next frame wants a route record */
    uint8_t age;           /* link status periods without a word of it */
    uint8_t failures;      /* frames in a row that it did not take, all tries used */
    uint8_t timeout_index; /* end device: 0..14 */
    uint64_t heard;        /* last frame or poll */
    bool counter_known;
    uint8_t counter_key; /* key sequence of counter */
    uint32_t counter;    /* last frame counter received */
};

/* EUI to short address of devices that are no neighbours. */
struct al_nwk_address {
    uint64_t ext; /* 0: free */
    uint16_t addr;
    bool counter_known; /* a child of before: as in its entry; not over a restart */
    uint8_t counter_key;
    uint32_t counter;
};

/* A route, or a discovery that this node takes part in. */
struct al_nwk_route {
    uint16_t dst, next_hop; /* discovery: next_hop leads back to asked_by */
    uint8_t state;          /* 0: free */
    bool many_to_one;       /* dst is a concentrator */
    bool record;            /* it wants a route record before the next frame */
    uint8_t cost, reply_cost;
    uint8_t request_id; /* of a discovery under way */
    uint16_t asked_by;
    uint64_t expires; /* discovery */
};

struct al_nwk_source_route {
    bool used;
    uint8_t count;
    uint16_t dst;
    uint16_t relays[AL_NWK_RELAYS_MAX]; /* the first is nearest to dst */
};

struct al_nwk_broadcast { /* a broadcast transaction */
    uint16_t src;
    uint8_t seq;
    uint64_t heard;   /* passive acknowledgements: a bit a neighbour (its index modulo 64) */
    uint64_t expires; /* 0: free */
};

/* A frame that waits: for a route, a repetition, or its turn to be relayed. */
struct al_nwk_waiting {
    uint8_t frame[AL_RADIO_MPDU_MAX]; /* NWK frame in clear, without auxiliary header */
    uint8_t len;
    uint8_t state; /* 0: free */
    uint8_t tries, flags, status;
    uint8_t rounds; /* of tries, over this hop */
    uint16_t handle, dst, next_hop, mac_handle;
    uint16_t from;  /* relayed: the neighbour that it came from */
    uint32_t order; /* first in, first out */
    uint64_t at;
};

struct al_nwk_key {
    uint8_t key[16], seq;
    bool valid;
};

/* A network that can be joined, of a discovery. */
struct al_nwk_candidate {
    uint64_t epid;
    uint16_t pan_id, addr; /* addr: the router or coordinator that was heard */
    uint8_t channel, lqi, depth, update_id, stack_profile, version;
    bool permit_join, router_room, end_device_room;
};

struct al_nwk_data_ind {
    uint16_t dst, src, relay; /* relay: the neighbour that it came from */
    uint64_t src_ext;         /* 0: not known */
    bool secured;             /* with a network key */
    bool old_key;             /* but no longer the one in force */
    uint8_t seq, lqi;
    const uint8_t *payload;
    size_t len;
};

struct al_nwk_up {
    void (*data)(void *ctx, uint64_t now, const struct al_nwk_data_ind *ind);
    void (*sent)(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status);
    /* Each network heard in a discovery, then the end. */
    void (*found)(void *ctx, uint64_t now, const struct al_nwk_candidate *c);
    void (*energy)(void *ctx, uint64_t now, uint8_t channel, int8_t dbm);
    void (*discovered)(void *ctx, uint64_t now);
    /* End of al_nwk_join() and al_nwk_rejoin(). After an association and an unsecured
     * rejoin the network key is still to come. CONFLICT: rejoined under a new address. */
    void (*joined)(void *ctx, uint64_t now, enum al_zb_status status);
    /* A child has been answered: it is reachable for the key. rejoin: secured: with the
     * network key, so nothing is to be sent. */
    void (*child)(void *ctx, uint64_t now, const struct al_nwk_neighbour *child, bool rejoin,
                  bool secured);
    /* Another device left, or aged out (rejoin false). */
    void (*device_left)(void *ctx, uint64_t now, uint16_t addr, uint64_t ext, bool rejoin);
    /* This node has left, told to or of its own will; its data are still there. */
    void (*left)(void *ctx, uint64_t now, bool rejoin);
    void (*parent_lost)(void *ctx, uint64_t now);
    /* A network status command, or a fault found here: code is AL_NWK_STATUS_*.
     * ADDRESS_UPDATE with the own address: it has changed after a conflict; announce it. */
    void (*status)(void *ctx, uint64_t now, uint8_t code, uint16_t addr);
    /* Something of the records changed that must be kept. */
    void (*changed)(void *ctx, uint64_t now);
};

/* 0 anywhere means the default in brackets. */
struct al_nwk_config {
    struct al_mac *mac;
    const struct al_aes *aes;
    struct al_zb_random random;
    const struct al_zb_store *store; /* may be NULL: nothing is kept */
    enum al_nwk_role role;
    bool rx_off;                         /* end device: receiver off while idle, fetches by polls */
    bool mains;                          /* power source bit of the capability */
    uint8_t timeout_index;               /* end device time-out to ask for; 0..14 (0 is 10 s) */
    uint8_t max_children;                /* end devices [neighbour_count] */
    uint32_t long_poll_ms, fast_poll_ms; /* [5000, 100] */
    uint32_t link_status_s;              /* [15] */
    bool concentrator;                   /* sends many-to-one route requests */
    struct al_nwk_neighbour *neighbours; /* end device: 1 is enough */
    uint16_t neighbour_count;
    struct al_nwk_address *addresses;
    uint16_t address_count;
    struct al_nwk_route *routes;
    uint16_t route_count;
    struct al_nwk_source_route *source_routes;
    uint16_t source_route_count;
    struct al_nwk_broadcast *broadcasts;
    uint16_t broadcast_count;
    struct al_nwk_waiting *waiting; /* a broadcast to all takes one for each sleepy child */
    uint16_t waiting_count;
    const struct al_nwk_up *up;
    void *up_ctx;
};

#define AL_NWK_CANDIDATES 3
#define AL_NWK_RECENT     32

/* A unicast that was taken. */
struct al_nwk_recent {
    uint16_t src, from; /* from: the neighbour */
    uint8_t seq;
    bool used;
    uint32_t at_ms;
};

struct al_nwk {
    struct al_nwk_config c;
    /* What is kept over a restart */
    uint64_t ext, epid;
    uint16_t pan_id, addr, parent; /* addr AL_NWK_NO_ADDR: in no network */
    uint8_t channel, update_id, depth;
    uint32_t channel_mask; /* of the discovery or formation */
    struct al_nwk_key keys[2];
    uint8_t active_key;        /* index */
    uint32_t counter;          /* next outgoing frame counter */
    uint32_t counter_reserved; /* kept: never used before it is raised */
    /* Run time */
    uint8_t state, seq, route_request_id;
    bool up;                    /* on air as a member */
    bool awaiting_key;          /* has an address, the network key is still to come */
    uint8_t parent_info;        /* AL_NWK_PARENT_* of the end device time-out response */
    uint8_t failed_polls, asks; /* in a row, without an answer */
    bool polling, poll_again;
    /* Deadlines; UINT64_MAX: none */
    uint64_t permit_until, fast_until, next_poll, next_link_status, next_many_to_one,
        next_keepalive, next_ageing, wait_until;
    uint64_t last_many_to_one;
    uint64_t next_route_request; /* not sooner */
    uint64_t router_heard;       /* a frame of another router or the coordinator, rightly secured */
    uint8_t unreadable;          /* frames of the parent in a row, under a newer key */
    uint16_t next_handle;        /* of the MAC */
    uint32_t order;
    struct al_nwk_candidate candidates[AL_NWK_CANDIDATES]; /* of a join or rejoin */
    uint8_t candidate_count, candidate;
    bool rejoin_secured;
    struct { /* where this node was before it began to rejoin */
        bool valid;
        uint8_t channel;
        uint16_t pan_id, addr;
    } home;
    struct al_nwk_recent recent[AL_NWK_RECENT];
    uint8_t next_recent;
    struct { /* a change of channel or PAN */
        uint64_t at;
        uint16_t pan_id;
        uint8_t channel, update_id;
    } move;
    uint32_t tx_frames, rx_frames, relayed, dropped_replay, dropped_mic, dropped_unsecured,
        dropped_full;
};

void al_nwk_init(struct al_nwk *n, const struct al_nwk_config *c);
/* From the store: true when this node was part of a network. */
bool al_nwk_restore(struct al_nwk *n);
/* Forgets the network, also in the store, and goes off air. The outgoing frame counter stays:
 * should this node come back, it must not repeat one under the same key. */
void al_nwk_forget(struct al_nwk *n);

/* Forms: on air as coordinator at once. epid 0: the own EUI. */
int al_nwk_form(struct al_nwk *n, uint64_t now, uint8_t channel, uint16_t pan_id, uint64_t epid);
/* Resumes after al_nwk_restore() without a word on the air. */
int al_nwk_resume(struct al_nwk *n, uint64_t now);

/* Energy scan (duration as MAC) and discovery. End: discovered(). */
int al_nwk_energy(struct al_nwk *n, uint64_t now, uint32_t mask, uint8_t duration);
int al_nwk_discover(struct al_nwk *n, uint64_t now, uint32_t mask, uint8_t duration);
int al_nwk_join(struct al_nwk *n, uint64_t now, const struct al_nwk_candidate *c);
/* Finds its network by EPID (a scan of mask), then asks; up to AL_NWK_CANDIDATES parents,
 * the best first. secured: with the network key. */
int al_nwk_rejoin(struct al_nwk *n, uint64_t now, uint32_t mask, bool secured);
/* Gives up the scan, join or rejoin under way, without a word; nothing on a member. */
void al_nwk_cancel(struct al_nwk *n);

/* seconds 0: closes; 255: 254. Parents only. */
int al_nwk_permit(struct al_nwk *n, uint64_t now, uint8_t seconds);
bool al_nwk_permitted(const struct al_nwk *n, uint64_t now);
/* Tells child ext (0: leaves itself) to leave. AL_ERR_NOT_FOUND: no neighbour. */
int al_nwk_leave(struct al_nwk *n, uint64_t now, uint64_t ext, bool remove_children, bool rejoin);
/* A joining child got its key (the trust centre's or parent's knowledge), or is refused. */
void al_nwk_child_authenticated(struct al_nwk *n, uint64_t now, uint64_t ext, bool accepted);

/* Child ext is another's by now: no child here any more, its address stays known. */
void al_nwk_child_moved(struct al_nwk *n, uint64_t now, uint64_t ext);

/* A change of channel, PAN id and update id that was announced to the network: it comes
 * into force here when broadcasts have reached everybody. */
void al_nwk_move(struct al_nwk *n, uint64_t now, uint8_t channel, uint16_t pan_id,
                 uint8_t update_id);
/* Coordinator: announces another PAN id to the whole network, and moves. 0 or as
 * al_nwk_send(). */
int al_nwk_change_pan(struct al_nwk *n, uint64_t now, uint16_t pan_id);

/* Keys. set: into the place of that sequence number, or the older one; the first, and one
 * that was waited for, also becomes active. switch: the counter begins at 0;
 * never back to an older sequence number. */
void al_nwk_set_key(struct al_nwk *n, uint64_t now, const uint8_t key[16], uint8_t seq);
void al_nwk_switch_key(struct al_nwk *n, uint64_t now, uint8_t seq);
const struct al_nwk_key *al_nwk_active_key(const struct al_nwk *n); /* NULL: none */

struct al_nwk_send {
    uint16_t dst;
    uint64_t dst_ext; /* not 0: stands in the header */
    const uint8_t *payload;
    size_t len;
    uint8_t radius;    /* 0: AL_NWK_RADIUS */
    bool unsecured;    /* Transport-Key to a joining child */
    bool no_discovery; /* fail when there is no route */
    bool with_src_ext; /* own EUI in the header (Device_annce) */
    uint16_t handle;   /* 0: no sent() */
};
/* AL_ERR_NO_MEM: queues full, try again after a sent(); AL_ERR_INVALID_SIZE. */
int al_nwk_send(struct al_nwk *n, uint64_t now, const struct al_nwk_send *s);
/* Longest payload to dst now: less when the frame is source routed. */
size_t al_nwk_room(const struct al_nwk *n, uint16_t dst);
/* As far as it is known: of a device behind others at least 2. */
uint8_t al_nwk_hops(const struct al_nwk *n, uint16_t dst);

/* Polls fast until then (expecting an answer, during an upgrade). */
void al_nwk_fast_poll(struct al_nwk *n, uint64_t now, uint64_t until);
/* Asks a parent for everything it has. */
int al_nwk_poll(struct al_nwk *n, uint64_t now);

/* 0: not known. */
uint64_t al_nwk_ext_of(const struct al_nwk *n, uint16_t addr);
uint16_t al_nwk_addr_of(const struct al_nwk *n, uint64_t ext); /* AL_NWK_NO_ADDR */
/* Learns or changes an address (Device_annce, Update-Device); two of one address are a
 * conflict: status() 0x0d. */
void al_nwk_learn(struct al_nwk *n, uint64_t now, uint16_t addr, uint64_t ext);
void al_nwk_unlearn(struct al_nwk *n, uint64_t now, uint64_t ext);
struct al_nwk_neighbour *al_nwk_neighbour(const struct al_nwk *n, uint16_t addr);
struct al_nwk_neighbour *al_nwk_neighbour_ext(const struct al_nwk *n, uint64_t ext);
/* A sleepy child hangs on this node under addr. */
bool al_nwk_sleepy_child(const struct al_nwk *n, uint16_t addr);
uint8_t al_nwk_capability(const struct al_nwk *n);

extern const struct al_mac_up al_nwk_mac_up; /* ctx: struct al_nwk */

uint64_t al_nwk_next(const struct al_nwk *n);
void al_nwk_run(struct al_nwk *n, uint64_t now);

#endif
