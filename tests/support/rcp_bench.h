/* A virtual co-processor on a medium in virtual time, with a plain node as neighbour:
 * frames go to the co-processor as a host's, and what it says is kept. */
#ifndef TESTS_SUPPORT_RCP_BENCH_H
#define TESTS_SUPPORT_RCP_BENCH_H

#include "radio/medium.h"
#include "radio/rcp.h"

#define RCP_BENCH_EUI    0xf412fafffe000001
#define RCP_BENCH_OTHER  0xf412fafffe000002
#define RCP_BENCH_PAN    0x1a62
#define RCP_BENCH_CHAN   15
#define RCP_BENCH_FRAMES 64

struct rcp_bench_said {
    uint8_t bytes[200];
    size_t len;
};

struct rcp_bench {
    struct medium *medium;
    struct medium_node *node; /* the co-processor's */
    struct rcp rcp;
    bool pending_for_all;
    struct hdlc_decoder line;
    struct rcp_bench_said said[RCP_BENCH_FRAMES]; /* not taken yet */
    size_t said_count;
    /* Also given what the co-processor says, in bytes of the line; may be NULL. */
    void (*to_host)(void *ctx, const uint8_t *bytes, size_t len);
    void *to_host_ctx;

    struct medium_node *other; /* short address 0x1234 in the same PAN, always listening */
    unsigned heard_count;      /* frames it received */
    uint8_t heard[AL_RADIO_MPDU_MAX];
    uint8_t heard_len;
    unsigned sent_count;       /* of its transmissions */
    enum al_radio_status sent; /* the last one's result */
    bool sent_pending;
};

struct rcp_bench *rcp_bench_new(void);
void rcp_bench_free(struct rcp_bench *b);

/* A frame from the host, in hex. */
void rcp_bench_host(struct rcp_bench *b, const char *hex);
/* The next frame that was said must be this; "..": any bytes up to the end. */
void rcp_bench_expect(struct rcp_bench *b, const char *hex);
void rcp_bench_expect_silence(struct rcp_bench *b);
/* Lets time go on. */
void rcp_bench_run(struct rcp_bench *b, uint32_t us);
/* Sets what a coordinator sets, short address 0; answers are checked. */
void rcp_bench_start(struct rcp_bench *b);
/* The neighbour sends. */
void rcp_bench_other_sends(struct rcp_bench *b, const char *hex);

#endif
