/* What the parts of the NWK layer know of each other. A frame's way:
 *
 *   MAC -> nwk_receive -> nwk_security -> nwk_broadcast | nwk_control | upper layer
 *                                   \-> relayed: nwk_send
 *   upper layer -> nwk_send -> nwk_route (next hop) -> nwk_security -> MAC
 *
 * nwk_neighbour: who is who. nwk_link: link status and ageing. nwk_join: the joiner's
 * side; nwk_parent: the other one. nwk_poll: an end device and its parent. */
#ifndef ZIGBEE_NWK_INTERNAL_H
#define ZIGBEE_NWK_INTERNAL_H

#include "core/err.h"
#include "zigbee/deadline.h"
#include "zigbee/nwk.h"

#define AL_NWK_NEVER UINT64_MAX
#define AL_NWK_MS    1000ull
#define AL_NWK_S     1000000ull

#define AL_NWK_NPDU_MAX 116u /* MPDU less 9 octets of MAC header */

/* nwkcMaxBroadcastJitter, nwkPassiveAckTimeout, nwkMaxBroadcastRetries, nwkBroadcastDeliveryTime */
#define AL_NWK_JITTER_US   64000u
#define AL_NWK_PASSIVE_ACK (500 * AL_NWK_MS)
#define AL_NWK_REPEATS     2u
#define AL_NWK_DELIVERY    (9 * AL_NWK_S)

/* nwkUnicastRetries. The delay (nwkUnicastRetryDelay, 50 ms) is the mean of the first one:
 * nodes that do not hear each other and met at a third would meet again after a fixed one. */
#define AL_NWK_RETRIES        3u
#define AL_NWK_RETRY_LEAST_US 4000u
#define AL_NWK_RETRY_FIRST_US 40000u /* the upper bound, doubled for each further one */

enum al_nwk_state {
    AL_NWK_IDLE,
    AL_NWK_MEASURING,
    AL_NWK_DISCOVERING,
    AL_NWK_ASSOCIATING,
    AL_NWK_REJOIN_SCAN,
    AL_NWK_REJOIN_WAIT /* for the response of a candidate */
};

enum al_nwk_waiting_state {
    AL_WAIT_FREE,
    AL_WAIT_READY, /* leaves at `at` */
    AL_WAIT_ROUTE, /* for a route, until `at` */
    AL_WAIT_MAC,   /* the MAC has it */
    AL_WAIT_ECHO,  /* a broadcast, for neighbours that pass it on, until `at` */
    AL_WAIT_DONE   /* `status` is to be told */
};

/* Flags of a waiting frame */
#define AL_W_UNSECURED 0x01u
#define AL_W_INDIRECT  0x02u
#define AL_W_FIXED     0x04u /* next_hop was given */
#define AL_W_RELAYED   0x08u /* somebody else's */
#define AL_W_DISCOVER  0x10u /* a route may be asked for */
#define AL_W_REPAIRED  0x20u /* a route was given up for it once */
#define AL_W_BLOCKED   0x40u /* the MAC had no room */
#define AL_W_BLIND     0x80u /* a broadcast that is repeated whatever is heard */

enum al_nwk_route_state { AL_ROUTE_FREE, AL_ROUTE_ACTIVE, AL_ROUTE_DISCOVERY };

/* Calls the layer above n, if it listens. */
#define AL_NWK_TELL(call, ...)                                                 \
    do {                                                                       \
        if (n->c.up && n->c.up->call) n->c.up->call(n->c.up_ctx, __VA_ARGS__); \
    } while (0)

static inline uint32_t al_nwk_random(const struct al_nwk *n, uint32_t below)
{
    return n->c.random.next(n->c.random.ctx) % below;
}
static inline bool al_nwk_is_parent_role(const struct al_nwk *n)
{
    return n->c.role != AL_NWK_ROLE_END_DEVICE;
}
/* f in clear. */
static inline bool al_nwk_is_command(const struct al_nwk_frame *f, uint8_t id)
{
    return f->type == AL_NWK_COMMAND && f->payload_len && f->payload[0] == id;
}

/* ---- nwk.c ---- */
void al_nwk_go_up(struct al_nwk *n, uint64_t now); /* a member from now on */
void al_nwk_go_down(struct al_nwk *n);             /* frames that wait fail */
void al_nwk_update_beacon(struct al_nwk *n);
int al_nwk_start_mac(struct al_nwk *n);
void al_nwk_clear(struct al_nwk *n); /* in no network; the store is left alone */
/* The own address was found to be another's. */
void al_nwk_readdress(struct al_nwk *n, uint64_t now, uint16_t addr);

/* ---- nwk_store.c ---- */
void al_nwk_save_network(struct al_nwk *n, uint64_t now);
int al_nwk_save_keys(struct al_nwk *n, uint64_t now);
int al_nwk_save_counter(struct al_nwk *n);
void al_nwk_save_child(struct al_nwk *n, uint64_t now, const struct al_nwk_neighbour *child);
void al_nwk_save_address(struct al_nwk *n, uint64_t now, const struct al_nwk_address *a);
void al_nwk_erase_records(struct al_nwk *n);

/* ---- nwk_neighbour.c ---- */
struct al_nwk_neighbour *al_nwk_neighbour_take(struct al_nwk *n, uint64_t now, uint16_t addr,
                                               uint64_t ext, uint8_t relation, uint8_t lqi);
void al_nwk_neighbour_drop(struct al_nwk *n, uint64_t now, struct al_nwk_neighbour *who);
const struct al_nwk_address *al_nwk_address(const struct al_nwk *n, uint64_t ext); /* or NULL */
bool al_nwk_is_router(const struct al_nwk_neighbour *who);
bool al_nwk_is_child(const struct al_nwk_neighbour *who);     /* JOINING ones too */
bool al_nwk_is_leaf(const struct al_nwk_neighbour *who);      /* child and end device */
uint8_t al_nwk_link_cost(const struct al_nwk_neighbour *who); /* 1..7; 0: not to be used */
void al_nwk_heard(struct al_nwk *n, uint64_t now, struct al_nwk_neighbour *who, uint8_t lqi);
unsigned al_nwk_children(const struct al_nwk *n); /* that this node keeps frames for, or may */
bool al_nwk_addr_used(const struct al_nwk *n, uint16_t addr);
uint16_t al_nwk_random_addr(const struct al_nwk *n);
void al_nwk_conflict(struct al_nwk *n, uint64_t now, uint16_t addr);
/* Network status ADDRESS_CONFLICT was heard. */
void al_nwk_conflict_in(struct al_nwk *n, uint64_t now, uint16_t addr);

/* ---- nwk_security.c ---- */
int al_nwk_protect(struct al_nwk *n, struct al_nwk_frame *f, struct al_put *p);
/* Decrypts and checks a frame that the MAC gave as ind. who:
 * NULL when it is not in the table (only for commands that do without). False: dropped. */
bool al_nwk_unprotect(struct al_nwk *n, uint64_t now, struct al_nwk_frame *f,
                      const struct al_mac_data_ind *ind, uint8_t *plain,
                      struct al_nwk_neighbour **who);

/* ---- nwk_send.c ---- */
struct al_nwk_how {
    uint8_t flags;     /* AL_W_* */
    uint8_t tries;     /* repetitions */
    uint16_t next_hop; /* with AL_W_FIXED */
    uint16_t from;     /* with AL_W_RELAYED: the neighbour that it came from */
    uint16_t handle;
    uint64_t at; /* not before */
};
/* f: header and plain payload. 0, AL_ERR_NO_MEM, AL_ERR_INVALID_SIZE. Nothing is told from
 * inside. */
int al_nwk_queue(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                 const struct al_nwk_how *how);
/* A command of this node with its EUI. dst_ext 0: not in the header. radius 0: default. */
int al_nwk_command(struct al_nwk *n, uint64_t now, const struct al_nwk_command *cmd, uint16_t dst,
                   uint64_t dst_ext, uint8_t radius, const struct al_nwk_how *how);
void al_nwk_sent(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status);
/* Frames that wait for a route to dst: there is one. */
void al_nwk_route_found(struct al_nwk *n, uint64_t now, uint16_t dst);
uint64_t al_nwk_waiting_next(const struct al_nwk *n);
void al_nwk_waiting_run(struct al_nwk *n, uint64_t now);
/* Fails all that wait, later. */
void al_nwk_waiting_fail(struct al_nwk *n);
bool al_nwk_waiting_for(const struct al_nwk *n, uint16_t next_hop, uint8_t flags);

/* ---- nwk_broadcast.c ---- */
/* Remembers a broadcast; NULL: the table is full. known: it was there already. */
struct al_nwk_broadcast *al_nwk_broadcast_note(struct al_nwk *n, uint64_t now, uint16_t src,
                                               uint8_t seq, bool *known);
/* Whether a repetition would be of use. */
bool al_nwk_broadcast_wanted(const struct al_nwk *n, uint64_t now, uint16_t src, uint8_t seq,
                             uint8_t tries);
void al_nwk_broadcast_in(struct al_nwk *n, uint64_t now, const struct al_mac_data_ind *ind,
                         const struct al_nwk_frame *f, struct al_nwk_neighbour *who);
/* Copies for sleepy children. */
void al_nwk_broadcast_to_sleepers(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f);

/* ---- nwk_receive.c ---- */
void al_nwk_mac_data(void *ctx, uint64_t now, const struct al_mac_data_ind *ind);
void al_nwk_deliver(struct al_nwk *n, uint64_t now, const struct al_mac_data_ind *ind,
                    const struct al_nwk_frame *f, struct al_nwk_neighbour *who);

/* ---- nwk_route.c, nwk_discovery.c, nwk_concentrator.c ---- */
enum al_nwk_hop { AL_HOP_OK, AL_HOP_DISCOVER, AL_HOP_NONE };
/* Where a frame goes next; may put a source route into f. */
enum al_nwk_hop al_nwk_next_hop(struct al_nwk *n, uint64_t now, struct al_nwk_frame *f,
                                uint8_t flags, uint16_t *hop);
struct al_nwk_route *al_nwk_route(const struct al_nwk *n, uint16_t dst);
struct al_nwk_route *al_nwk_route_take(struct al_nwk *n, uint64_t now);
void al_nwk_route_set(struct al_nwk *n, uint64_t now, uint16_t dst, uint16_t hop, uint8_t cost);
void al_nwk_route_forget(struct al_nwk *n, uint16_t dst);
/* A unicast of src came over hop: without a better one, that is the route to src. */
void al_nwk_route_seen(struct al_nwk *n, uint64_t now, uint16_t src,
                       const struct al_nwk_neighbour *hop);
/* All ways over this neighbour. */
void al_nwk_link_lost(struct al_nwk *n, uint16_t hop);
/* A frame could not be passed on: tells its source. */
void al_nwk_relay_failed(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                         enum al_zb_status status);
bool al_nwk_ask_route(struct al_nwk *n, uint64_t now, uint16_t dst);
void al_nwk_route_request_in(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                             const struct al_nwk_command *cmd, const struct al_nwk_neighbour *who);
void al_nwk_route_reply_in(struct al_nwk *n, uint64_t now, const struct al_nwk_command *cmd,
                           const struct al_nwk_neighbour *who);
struct al_nwk_source_route *al_nwk_source_route(const struct al_nwk *n, uint16_t dst);
void al_nwk_route_record_in(struct al_nwk *n, uint16_t src, const struct al_nwk_command *cmd);
/* The record that a concentrator wants before a frame of src, if it does. */
void al_nwk_send_record(struct al_nwk *n, uint64_t now, uint16_t src, uint16_t dst);
void al_nwk_many_to_one(struct al_nwk *n, uint64_t now);      /* asks everybody */
void al_nwk_many_to_one_soon(struct al_nwk *n, uint64_t now); /* a route has failed */

/* ---- nwk_link.c ---- */
void al_nwk_link_status_in(struct al_nwk *n, const struct al_nwk_command *cmd,
                           struct al_nwk_neighbour *who);
void al_nwk_send_link_status(struct al_nwk *n, uint64_t now);

/* ---- nwk_control.c: commands ---- */
void al_nwk_command_in(struct al_nwk *n, uint64_t now, const struct al_mac_data_ind *ind,
                       const struct al_nwk_frame *f, struct al_nwk_neighbour *who);
void al_nwk_send_status(struct al_nwk *n, uint64_t now, uint16_t dst, uint8_t code, uint16_t addr);
void al_nwk_disassociated(void *ctx, uint64_t now, const struct al_mac_addr *src, uint8_t reason);
/* The own announcement is out: gone. */
void al_nwk_gone(struct al_nwk *n, uint64_t now, bool rejoin);

/* ---- nwk_join.c ---- */
void al_nwk_beacon_in(void *ctx, uint64_t now, const struct al_mac_beacon_ind *ind);
void al_nwk_energy_in(void *ctx, uint64_t now, uint8_t channel, int8_t dbm);
void al_nwk_scan_done(void *ctx, uint64_t now);
void al_nwk_associated(void *ctx, uint64_t now, enum al_zb_status status, uint16_t addr);
void al_nwk_rejoin_response_in(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                               const struct al_nwk_command *cmd);
void al_nwk_rejoin_timeout(struct al_nwk *n, uint64_t now);
void al_nwk_go_home(struct al_nwk *n);
struct al_nwk_neighbour *al_nwk_set_parent(struct al_nwk *n, uint64_t now, uint16_t addr,
                                           uint64_t ext);

/* ---- nwk_parent.c ---- */
#define AL_NWK_ASSOC_HANDLE 0x8000u /* + index of the neighbour */
void al_nwk_association_in(void *ctx, uint64_t now, uint64_t ext, uint8_t capability);
void al_nwk_association_sent(struct al_nwk *n, uint64_t now, uint16_t index,
                             enum al_zb_status status);
void al_nwk_rejoin_request_in(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                              const struct al_nwk_command *cmd);
void al_nwk_rejoin_sent(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                        enum al_zb_status status);
void al_nwk_child_polled(void *ctx, uint64_t now, const struct al_mac_addr *child);
/* It takes this node for its parent, but is no child: told to rejoin. */
void al_nwk_disown(struct al_nwk *n, uint64_t now, uint16_t addr, bool polled);
void al_nwk_child_is_member(struct al_nwk *n, uint64_t now, struct al_nwk_neighbour *child);
void al_nwk_age_children(struct al_nwk *n, uint64_t now);
void al_nwk_child_conflict(struct al_nwk *n, uint64_t now, struct al_nwk_neighbour *child);
void al_nwk_child_left(struct al_nwk *n, uint64_t now, struct al_nwk_neighbour *child, bool rejoin);

/* ---- nwk_poll.c ---- */
void al_nwk_poll_done(void *ctx, uint64_t now, enum al_zb_status status);
void al_nwk_parent_failed(struct al_nwk *n, uint64_t now);
void al_nwk_poll_start(struct al_nwk *n, uint64_t now);
uint64_t al_nwk_poll_next(const struct al_nwk *n);
void al_nwk_poll_run(struct al_nwk *n, uint64_t now);
void al_nwk_keepalive(struct al_nwk *n, uint64_t now);

#endif
