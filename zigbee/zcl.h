/* Endpoints, clusters and attributes, and the general commands of the Zigbee cluster
 * library on them: read, write, discover, reporting, default responses. What a cluster's
 * own commands mean is its handler's. Source: Zigbee cluster library, chapter 2.
 *
 *   endpoint 1 (profile, device)         all placed by the caller, linked together
 *     +- cluster 0x0000, server side       by al_zcl_add_endpoint, al_zcl_add_cluster;
 *     |    +- attributes[]                 they must live as long as struct al_zcl
 *     +- cluster 0x0019, client side
 *
 * Handles of al_aps_send() are shared out so that one sent() finds its way:
 *   0x0001..0x0fff  application       0x1000..0x1fff  ZDO (zdo.h)
 *   0x2000..0x2fff  ZCL requests      0x4000..0xffff  ranges of al_zcl_claim() */
#ifndef ZIGBEE_ZCL_H
#define ZIGBEE_ZCL_H

#include "zigbee/aps.h"
#include "zigbee/zcl_frame.h"
#include "zigbee/zdp_frame.h"

#define AL_ZCL_ENDPOINT_MAX        240u
#define AL_ZCL_CLUSTER_REVISION    0xfffdu
#define AL_ZCL_PAYLOAD_MAX         256u  /* of what goes through here */
#define AL_ZCL_UNSUPPORTED_CLUSTER 0xc3u /* status */

/* ---- What a node offers ---- */

#define AL_ZCL_MAY_READ   0x01u
#define AL_ZCL_MAY_WRITE  0x02u
#define AL_ZCL_MAY_REPORT 0x04u

/* value is as on the air: little-endian, strings with their length in front. NULL: the
 * cluster's read and write callbacks have it. */
struct al_zcl_attribute {
    uint16_t id;
    uint16_t manufacturer; /* 0: of the standard */
    uint8_t type;          /* enum al_zcl_type */
    uint8_t access;        /* AL_ZCL_MAY_* */
    uint16_t size;         /* strings: octets at value, the length field too; else 0 */
    void *value;
};

struct al_zcl;
struct al_zcl_endpoint;
struct al_zcl_cluster;

/* A received frame; all pointers hold during the call only. */
struct al_zcl_rx {
    struct al_zcl *zcl;
    struct al_zcl_endpoint *endpoint;
    struct al_zcl_cluster *cluster; /* NULL: the endpoint does not have it */
    const struct al_aps_data_ind *aps;
    const struct al_zcl_frame *frame;
};

/* What a command handler gives instead of a status: it has answered, or will. */
#define AL_ZCL_ANSWERED (-1)

struct al_zcl_cluster {
    uint16_t id;
    uint16_t manufacturer; /* 0: commands with a manufacturer code are not supported */
    uint16_t revision;     /* ClusterRevision; 0: that attribute is not there */
    bool client;           /* the client side: in the list of output clusters */
    const struct al_zcl_attribute *attributes;
    uint16_t attribute_count;

    /* Callbacks, any may be NULL; ctx is given back. */
    void *ctx;
    /* A command of the cluster: a ZCL status for the default response, which is sent
     * where the rules ask for it, or AL_ZCL_ANSWERED. */
    int (*command)(void *ctx, uint64_t now, const struct al_zcl_rx *rx);
    /* A default response that answers no al_zcl_request(). */
    void (*default_response)(void *ctx, uint64_t now, const struct al_zcl_rx *rx,
                             const struct al_zcl_default_rsp *d);
    /* Writes the value of an attribute without value to out. ZCL status. */
    uint8_t (*read)(void *ctx, const struct al_zcl_attribute *a, struct al_put *out);
    /* Before an attribute is written (from the air): ZCL status, SUCCESS: let it be. Where
     * the attribute has no value of its own, the callback keeps v. */
    uint8_t (*write)(void *ctx, uint64_t now, const struct al_zcl_rx *rx,
                     const struct al_zcl_attribute *a, const struct al_zcl_value *v);

    struct al_zcl_cluster *next; /* of the endpoint; al_zcl_add_cluster() */
};

struct al_zcl_endpoint {
    uint8_t id; /* 1..240 */
    uint8_t version;
    uint16_t profile, device_id;
    struct al_zcl_cluster *clusters;
    struct al_zcl_endpoint *next; /* al_zcl_add_endpoint() */
};

/* ---- What waits ---- */

/* The answer to a request. */
struct al_zcl_answer {
    enum al_zb_status status; /* OK: frame is there; TIMEOUT, NO_ACK...: it is NULL */
    uint16_t src;
    uint8_t src_ep;
    uint16_t cluster;
    const struct al_zcl_frame *frame; /* the response, or a default response */
    uint8_t zcl_status;               /* of a default response; else SUCCESS */
};

struct al_zcl_request {
    uint8_t seq, command;
    bool to_client;
    uint8_t dst_ep, src_ep;
    uint16_t dst, cluster, handle;
    uint64_t deadline; /* 0: free */
    void (*done)(void *ctx, uint64_t now, const struct al_zcl_answer *a);
    void *ctx;
};

/* Reporting of one attribute to the targets of the binding table. */
struct al_zcl_report {
    uint8_t endpoint; /* 0: free */
    bool client;
    bool told;    /* last holds */
    bool started; /* due holds */
    uint16_t cluster, manufacturer, attr;
    uint16_t min_interval, max_interval; /* s; max 0: only changes */
    uint64_t change, last;               /* analog types: the number; others: a checksum */
    uint64_t last_at;                    /* us */
    uint64_t due;                        /* UINT64_MAX: not before a change */
};

/* All may be NULL. */
struct al_zcl_up {
    /* Every frame for an endpoint, before all else. True: it is done with. */
    bool (*frame)(void *ctx, uint64_t now, const struct al_zcl_rx *rx);
    /* An attribute has been written from the air. */
    void (*written)(void *ctx, uint64_t now, const struct al_zcl_rx *rx,
                    const struct al_zcl_attribute *a, const struct al_zcl_value *v);
    /* Reports and responses that no request waits for: walk by al_zcl_record_get(). */
    void (*report)(void *ctx, uint64_t now, const struct al_zcl_rx *rx);
    void (*response)(void *ctx, uint64_t now, const struct al_zcl_rx *rx);
    /* Whether an endpoint is in a group; NULL: none is. */
    bool (*in_group)(void *ctx, uint8_t endpoint, uint16_t group);
};

/* Handles first..first + count - 1 of al_aps_send() whose sent() comes here. */
struct al_zcl_handles {
    uint16_t first, count;
    void *ctx;
    void (*sent)(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status);
    struct al_zcl_handles *next;
};

/* 0 anywhere means the default in brackets. */
struct al_zcl_config {
    struct al_aps *aps;
    struct al_zcl_request *requests;
    uint16_t request_count;
    struct al_zcl_report *reports; /* none: reporting is refused, attribute by attribute */
    uint16_t report_count;
    const struct al_zdp_binding *bindings; /* those of zdo.h; mode 0: free */
    uint16_t binding_count;
    const struct al_zb_store *store; /* of the reporting configuration; may be NULL */
    uint16_t timeout_ms;             /* of requests [8000]; sleepy children of this node: + 8000 */
    const struct al_zcl_up *up;      /* may be NULL */
    void *up_ctx;
};

struct al_zcl {
    struct al_zcl_config c;
    struct al_zcl_endpoint *endpoints;
    struct al_zcl_handles *handles;
    uint8_t seq;
    uint16_t next_handle, next_claim;
    uint32_t rx_frames, rx_bad, default_responses;
};

void al_zcl_init(struct al_zcl *z, const struct al_zcl_config *c);
void al_zcl_restore(struct al_zcl *z); /* the reporting configuration, from the store */
void al_zcl_forget(struct al_zcl *z);  /* the same, also in the store */
/* This node is in its network (again): reports that were restored begin. */
void al_zcl_start_reports(struct al_zcl *z, uint64_t now);

/* AL_ERR_INVALID_ARG: its number is not 1..240, or taken. */
int al_zcl_add_endpoint(struct al_zcl *z, struct al_zcl_endpoint *e);
/* AL_ERR_INVALID_ARG: that side of the cluster is there already. */
int al_zcl_add_cluster(struct al_zcl_endpoint *e, struct al_zcl_cluster *c);
/* AL_ERR_NO_MEM: no such range left. h->count, sent, ctx are given; first is set. */
int al_zcl_claim(struct al_zcl *z, struct al_zcl_handles *h);

/* NULL: not there. */
struct al_zcl_endpoint *al_zcl_endpoint(const struct al_zcl *z, uint8_t id);
struct al_zcl_cluster *al_zcl_cluster(const struct al_zcl_endpoint *e, uint16_t id, bool client);
const struct al_zcl_attribute *al_zcl_attribute(const struct al_zcl_cluster *c, uint16_t id,
                                                uint16_t manufacturer);

/* The value as on the air into buf: its length; AL_ERR_NOT_FOUND (no such attribute, or its
 * callback refused), AL_ERR_INVALID_SIZE. */
int al_zcl_get(const struct al_zcl_cluster *c, const struct al_zcl_attribute *a, void *buf,
               size_t size);
/* Sets a number of up to 8 octets, or a string (without its length field), whatever the
 * access rights, and lets it be reported. AL_ERR_INVALID_ARG: not of that type, or without
 * value; AL_ERR_INVALID_SIZE. */
int al_zcl_set_number(struct al_zcl *z, uint64_t now, struct al_zcl_endpoint *e,
                      struct al_zcl_cluster *c, uint16_t attr, uint64_t number);
int al_zcl_set_string(struct al_zcl *z, uint64_t now, struct al_zcl_endpoint *e,
                      struct al_zcl_cluster *c, uint16_t attr, const void *data, size_t len);
/* The value behind an attribute has changed by other means: lets it be reported. */
void al_zcl_changed(struct al_zcl *z, uint64_t now, uint8_t endpoint, uint16_t cluster, bool client,
                    uint16_t attr);

/* ---- Sending ---- */

struct al_zcl_send {
    uint16_t dst; /* broadcast addresses too */
    uint8_t dst_ep, src_ep;
    uint16_t group;   /* not 0: to this group instead of dst_ep; dst: AL_NWK_ALL_RX_ON */
    uint16_t profile; /* 0: of src_ep */
    uint16_t cluster;
    uint16_t manufacturer; /* 0: standard frame */
    uint8_t command;
    bool cluster_specific; /* else a general command */
    bool to_client;        /* direction: this node is the server side */
    bool no_default_response;
    bool no_ack; /* without APS acknowledgement (broadcasts are so anyhow) */
    const uint8_t *payload;
    size_t len;      /* at most AL_ZCL_PAYLOAD_MAX; longer than a frame: fragmented */
    uint16_t handle; /* 0: no sent() */
};
/* A frame with the next sequence number, which is returned: 0..255, or AL_ERR_* of
 * al_aps_send(). Nobody waits for an answer: it goes to the cluster's handler, or up. */
int al_zcl_send(struct al_zcl *z, uint64_t now, const struct al_zcl_send *s);
/* The same, and done() is called once: with the response, or a default response, or why
 * there was none. Not from inside this call. s->handle is not looked at.
 * AL_ERR_NO_MEM: no request slot free. */
int al_zcl_request(struct al_zcl *z, uint64_t now, const struct al_zcl_send *s,
                   void (*done)(void *ctx, uint64_t now, const struct al_zcl_answer *a), void *ctx);
/* Reads attributes: s with addresses, cluster and to_client (true: of the other's client
 * side); the rest is filled in. */
int al_zcl_read(struct al_zcl *z, uint64_t now, const struct al_zcl_send *s, const uint16_t *ids,
                uint8_t count, void (*done)(void *ctx, uint64_t now, const struct al_zcl_answer *a),
                void *ctx);
/* Forgets requests with this ctx without calling done(). */
void al_zcl_cancel(struct al_zcl *z, const void *ctx);

/* Answers rx by a command of the cluster, with its sequence number. 0 or AL_ERR_*. */
int al_zcl_respond(const struct al_zcl_rx *rx, uint64_t now, uint8_t command,
                   const uint8_t *payload, size_t len);
/* Default response to rx, where the rules let it: never to broadcasts and groups, to
 * default responses, or with SUCCESS when it is disabled. */
void al_zcl_default_response(const struct al_zcl_rx *rx, uint64_t now, uint8_t status);

/* ---- From below ---- */

void al_zcl_data(struct al_zcl *z, uint64_t now, const struct al_aps_data_ind *ind);
/* True: the handle was one of ZCL's or of a claimed range. */
bool al_zcl_sent(struct al_zcl *z, uint64_t now, uint16_t handle, enum al_zb_status status);

uint64_t al_zcl_next(const struct al_zcl *z);
void al_zcl_run(struct al_zcl *z, uint64_t now);

#endif
