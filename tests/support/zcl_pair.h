/* A coordinator and a router in virtual time, to ask the router's ZCL and ZDO things and
 * to compare the answers byte by byte. */
#ifndef TESTS_SUPPORT_ZCL_PAIR_H
#define TESTS_SUPPORT_ZCL_PAIR_H

#include "tests/support/zb_world.h"

struct zcl_pair {
    struct zb_world *world;
    struct zb_sim_node *c, *d; /* coordinator; the device that is asked */
    uint8_t endpoint;          /* of d */
    uint16_t cluster;
};

/* Of one question. Text like "OK 01 86 0500 00 42..."; see zcl_pair_ask(). */
#define ZCL_PAIR_TEXT 512

void zcl_pair_new(struct zcl_pair *p);
void zcl_pair_free(struct zcl_pair *p);
/* Another device that has joined the coordinator's network. */
struct zb_sim_node *zcl_pair_add(struct zcl_pair *p, enum al_nwk_role role, bool sleepy);

uint64_t zcl_pair_now(const struct zcl_pair *p);
void zcl_pair_wait(struct zcl_pair *p, uint64_t us);
struct al_zcl *zcl_pair_zcl(struct zb_sim_node *n);
struct al_zdo *zcl_pair_zdo(struct zb_sim_node *n);

/* Sends a ZCL frame from the coordinator's endpoint 1 to p->endpoint and p->cluster: s has
 * the rest; payload in hex. The answer is "ff cc payload" in hex: the frame control field,
 * the command; or the status why there was none, "TIMEOUT". */
void zcl_pair_ask(struct zcl_pair *p, struct al_zcl_send s, const char *payload,
                  char text[ZCL_PAIR_TEXT]);
/* The same for a general command to the server side; fails unless the answer is this. */
void zcl_pair_expect(struct zcl_pair *p, uint8_t command, const char *payload, const char *answer);
/* For a command of the cluster. */
void zcl_pair_expect_command(struct zcl_pair *p, uint8_t command, const char *payload,
                             const char *answer);

/* Asks d's ZDO; what it says is in *response, which is valid until the next question.
 * AL_ZB_OK, or why there was none. */
enum al_zb_status zcl_pair_zdp(struct zcl_pair *p, uint16_t dst, const struct al_zdp *q,
                               struct al_zdp *response);

#endif
