/* The Zigbee device object, endpoint 0: answers what others ask about this node, and asks
 * others. Source: Zigbee core specification, 2.4 and 2.5. */
#ifndef ZIGBEE_ZDO_H
#define ZIGBEE_ZDO_H

#include "zigbee/zcl.h"

#define AL_ZDO_REVISION 22 /* of the stack, in the node descriptor */

/* An answer to a request. Requests to a broadcast address that may have many answers
 * (Match_Desc) give each, and in the end TIMEOUT. */
struct al_zdo_answer {
    enum al_zb_status status;      /* OK: response is there. TIMEOUT, NO_ACK...: it is NULL */
    uint16_t src;                  /* who answered */
    const struct al_zdp *response; /* response->status: what the other says */
};

struct al_zdo_request {
    uint8_t seq;
    bool many;
    uint16_t cluster, dst, handle;
    uint64_t deadline; /* 0: free */
    void (*done)(void *ctx, uint64_t now, const struct al_zdo_answer *a);
    void *ctx;
};

/* All may be NULL. */
struct al_zdo_up {
    /* Device_annce of another node; NWK knows already. */
    void (*announced)(void *ctx, uint64_t now, uint16_t addr, uint64_t ext, uint8_t capability);
    /* Mgmt_Permit_Joining: NWK did it already (on parents). seconds 0: closed. */
    void (*permit)(void *ctx, uint64_t now, uint16_t src, uint8_t seconds);
    /* Mgmt_Leave for this node: it leaves right after its answer has left. */
    void (*leaving)(void *ctx, uint64_t now, uint16_t src, bool rejoin);
    /* Mgmt_NWK_Update of the coordinator: NWK goes to that channel soon. */
    void (*channel)(void *ctx, uint64_t now, uint8_t channel, uint8_t update_id);
    /* Bind or Unbind has changed the table. */
    void (*bindings)(void *ctx, uint64_t now);
};

/* 0 anywhere means the default in brackets. */
struct al_zdo_config {
    struct al_aps *aps;
    struct al_nwk *nwk;
    struct al_zcl *zcl;              /* endpoints */
    const struct al_zb_store *store; /* of bindings; may be NULL */
    uint16_t manufacturer;
    uint16_t server_mask; /* without revision [coordinator: trust centre, manager] */
    uint16_t power_desc;  /* [mains or battery, full] */
    uint16_t timeout_ms;  /* of requests [5000]; sleepy children of this node: + 8000 */
    struct al_zdo_request *requests;
    uint16_t request_count;
    struct al_zdp_binding *bindings; /* none: Bind is answered NOT_SUPPORTED; mode 0: free */
    uint16_t binding_count;
    const struct al_zdo_up *up; /* may be NULL */
    void *up_ctx;
};

struct al_zdo {
    struct al_zdo_config c;
    uint8_t seq;
    uint16_t next_handle;
    struct { /* ordered by Mgmt_Leave; at: 0: not */
        uint64_t at;
        bool remove_children, rejoin;
    } leave;
    struct { /* Parent_annce to come; at: 0: none */
        uint64_t at;
        uint16_t index; /* of the neighbour that comes next */
    } parents;
    struct {           /* of bindings whose address is not known; at: next walk, 0: none */
        uint64_t at;   /* us */
        uint16_t next; /* the binding that is looked at next */
        bool walking, missing;
        uint32_t pause_s; /* before the next walk */
    } targets;
    uint32_t requests_answered, requests_refused;
};

/* Clears requests and bindings. */
void al_zdo_init(struct al_zdo *z, const struct al_zdo_config *c);
void al_zdo_restore(struct al_zdo *z); /* bindings, from the store */
/* Bindings, also in the store, and orders that wait. */
void al_zdo_forget(struct al_zdo *z);

/* Sends the request q (cluster and its members; seq is filled in) to dst, which may be a
 * broadcast address. done() is called once, not from inside this call; NULL: nobody waits.
 * Returns 0, AL_ERR_NO_MEM (no request slot, or APS is full), or the error of
 * al_zdp_build() or al_aps_send(). */
int al_zdo_request(struct al_zdo *z, uint64_t now, uint16_t dst, const struct al_zdp *q,
                   void (*done)(void *ctx, uint64_t now, const struct al_zdo_answer *a), void *ctx);
/* Forgets requests with this ctx without calling done(). */
void al_zdo_cancel(struct al_zdo *z, const void *ctx);

/* The same for what is often asked. */
#define AL_ZDO_DONE void (*done)(void *ctx, uint64_t now, const struct al_zdo_answer *a), void *ctx
/* dst: usually AL_NWK_ALL_RX_ON. The first answer counts. */
int al_zdo_nwk_addr(struct al_zdo *z, uint64_t now, uint16_t dst, uint64_t ext, AL_ZDO_DONE);
int al_zdo_ieee_addr(struct al_zdo *z, uint64_t now, uint16_t addr, AL_ZDO_DONE);
int al_zdo_node_desc(struct al_zdo *z, uint64_t now, uint16_t addr, AL_ZDO_DONE);
int al_zdo_active_ep(struct al_zdo *z, uint64_t now, uint16_t addr, AL_ZDO_DONE);
int al_zdo_simple_desc(struct al_zdo *z, uint64_t now, uint16_t addr, uint8_t endpoint,
                       AL_ZDO_DONE);
/* Who has these clusters: servers (in), clients (out). dst: one node or a broadcast. */
int al_zdo_match_desc(struct al_zdo *z, uint64_t now, uint16_t dst, uint16_t profile,
                      const uint16_t *in, uint8_t in_count, const uint16_t *out, uint8_t out_count,
                      AL_ZDO_DONE);
/* ext 0: dst itself. */
int al_zdo_leave(struct al_zdo *z, uint64_t now, uint16_t dst, uint64_t ext, bool remove_children,
                 bool rejoin, AL_ZDO_DONE);
/* dst AL_NWK_ALL_ROUTERS: no answer comes, done must be NULL. */
int al_zdo_permit(struct al_zdo *z, uint64_t now, uint16_t dst, uint8_t seconds, AL_ZDO_DONE);
/* Device_annce of this node, to all that listen. */
int al_zdo_announce(struct al_zdo *z, uint64_t now);
/* After a restart of a parent: Parent_annce of its children, in 10 to 20 s. */
void al_zdo_announce_children(struct al_zdo *z, uint64_t now);
/* Asks for the addresses of the targets of bindings that are not known, and again later. */
void al_zdo_find_targets(struct al_zdo *z, uint64_t now);
/* Coordinator: announces another channel to all that listen, and moves. AL_ERR_INVALID_STATE:
 * not a coordinator in its network; AL_ERR_INVALID_ARG; or as al_zdo_request(). */
int al_zdo_change_channel(struct al_zdo *z, uint64_t now, uint8_t channel);

/* What this node says of itself. */
struct al_zdp_node_desc al_zdo_own_node_desc(const struct al_zdo *z);

/* Frames of profile 0 to endpoint 0. */
void al_zdo_data(struct al_zdo *z, uint64_t now, const struct al_aps_data_ind *ind);
/* True: the handle was one of ZDO's. */
bool al_zdo_sent(struct al_zdo *z, uint64_t now, uint16_t handle, enum al_zb_status status);

uint64_t al_zdo_next(const struct al_zdo *z);
void al_zdo_run(struct al_zdo *z, uint64_t now);

#endif
