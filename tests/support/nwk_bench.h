/* A network of MAC and NWK layers (zigbee/nwk.h) on the model of the air, in virtual time.
 * The bench is the trust centre: each parent gives the key to the children that it
 * announces, in a frame that looks like a protected Transport-Key. */
#ifndef TESTS_SUPPORT_NWK_BENCH_H
#define TESTS_SUPPORT_NWK_BENCH_H

#include "radio/medium.h"
#include "zigbee/nwk.h"

#define NWK_BENCH_NODES   24
#define NWK_BENCH_CHANNEL 15
#define NWK_BENCH_PAN     0x1a62u
#define NWK_BENCH_EPID    0x7af10000000000ffull
#define NWK_BENCH_MASK    (1u << NWK_BENCH_CHANNEL)
#define NWK_BENCH_RECORDS 96
#define MS                1000ull
#define SECOND            1000000ull

enum nwk_kind { COORDINATOR, ROUTER, END_DEVICE, SLEEPY };

struct nwk_record {
    uint16_t number;
    uint8_t len; /* 0: free */
    uint8_t bytes[AL_ZB_RECORD_MAX];
};

struct nwk_node {
    struct al_mac mac;
    struct al_nwk nwk;
    struct medium_node *air;
    struct nwk_bench *bench;
    uint64_t ext;
    enum nwk_kind kind;
    bool dead;
    bool give_no_key;    /* to a child */
    bool tell_no_result; /* that it has got it */
    uint32_t random;

    struct al_mac_slot slots[24];
    struct al_mac_seen seen[NWK_BENCH_NODES];
    struct al_nwk_neighbour neighbours[NWK_BENCH_NODES];
    struct al_nwk_address addresses[NWK_BENCH_NODES];
    struct al_nwk_route routes[24];
    struct al_nwk_source_route source_routes[NWK_BENCH_NODES];
    struct al_nwk_broadcast broadcasts[16];
    struct al_nwk_waiting waiting[24];

    struct al_zb_store store;
    struct nwk_record records[NWK_BENCH_RECORDS];
    int save_error; /* to give */

    /* What the layer said */
    struct al_nwk_candidate best;
    bool found, discovered;
    int joined; /* -1, or enum al_zb_status */
    unsigned got, left, lost, children_left, children, rejoins, readdressed, conflicts;
    bool left_to_rejoin, child_secured;
    uint64_t last_left;
    char text[32]; /* the last data */
    uint16_t from, relay;
    int sent[32]; /* by handle; -1, or enum al_zb_status */
    unsigned sents;
    uint8_t last_status;
};

struct nwk_bench {
    struct medium *medium;
    struct nwk_node node[NWK_BENCH_NODES];
    unsigned count;
    uint8_t key[16], key_seq; /* given to joiners */
    bool concentrator;        /* the coordinator is one */
    uint32_t link_status_s;   /* 0: default */
    uint64_t next_ext;        /* of the next node; 0: made up */
    /* Sees every frame on the air; may be NULL. */
    void (*frame)(struct nwk_bench *b, const struct medium_frame *f);
};

void nwk_bench_init(struct nwk_bench *b, const struct medium_config *c); /* NULL: no losses */
void nwk_bench_free(struct nwk_bench *b);

/* One more node, off; it hears all others. */
struct nwk_node *nwk_bench_add(struct nwk_bench *b, enum nwk_kind kind);
/* Neither hears the other any more; or again. */
void nwk_bench_part(struct nwk_node *a, struct nwk_node *b);
void nwk_bench_meet(struct nwk_node *a, struct nwk_node *b);
/* Nodes in a row: each hears only those next to it. */
void nwk_bench_row(struct nwk_bench *b);

void nwk_bench_run(struct nwk_bench *b, uint64_t us);
void nwk_bench_arm(struct nwk_node *n); /* after every call to its layers */
uint64_t nwk_bench_now(const struct nwk_bench *b);

/* A coordinator that is open for joiners. */
struct nwk_node *nwk_bench_form(struct nwk_bench *b);
/* Discovery, association with the best candidate, key. Fails when it is no member then. */
void nwk_bench_join(struct nwk_node *n);
/* The same, not looking at the end. */
void nwk_bench_try_join(struct nwk_node *n);
void nwk_bench_rejoin(struct nwk_node *n, bool secured);
void nwk_bench_permit(struct nwk_node *n, uint8_t seconds);

/* Data; handle below 32. The result of al_nwk_send(). */
int nwk_bench_send(struct nwk_node *n, uint16_t dst, const char *text, uint16_t handle);
/* Sends, waits, and fails unless it arrives once. */
void nwk_bench_passes(struct nwk_node *from, struct nwk_node *to, const char *text);

/* Dead at once; and back with nothing but its records. */
void nwk_bench_kill(struct nwk_node *n);
void nwk_bench_restart(struct nwk_node *n);

#endif
