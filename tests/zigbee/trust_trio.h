/* The trust centre, a router and a joiner over a network of the test's own: what the tests
 * of trust begin with. Included once by a program. */
#ifndef TESTS_ZIGBEE_TRUST_TRIO_H
#define TESTS_ZIGBEE_TRUST_TRIO_H

#include "tests/zigbee/fake_nwk.h"

#define ROUTER      0x1111222233334444ull
#define ROUTER_ADDR 0x1234
#define JOINER      ZIGBEE_DEVICE
#define JOINER_ADDR ZIGBEE_DEVICE_ADDR

static struct fake_node *c, *r, *j;

static inline int setup(void **state)
{
    fake_start(3);
    c = fake_node(ZIGBEE_COORDINATOR, 0, NULL, 16, 2);
    r = fake_node(ROUTER, ROUTER_ADDR, NULL, 16, 2);
    fake_members();
    al_trust_new_network(&c->trust, air.now, zigbee_network_key);
    r->trust.centre = ZIGBEE_COORDINATOR;
    j = fake_node(JOINER, JOINER_ADDR, NULL, 16, 2);
    return 0;
}

static inline int end(void **state)
{
    fake_end();
    return 0;
}

static inline struct al_nwk_neighbour *make_child(struct fake_node *parent)
{
    struct al_nwk_neighbour *child = &parent->nwk.c.neighbours[0];
    *child =
        (struct al_nwk_neighbour){.ext = JOINER, .addr = JOINER_ADDR, .relation = AL_NWK_JOINING};
    return child;
}

/* The association is answered: the parent says so, the joiner waits. */
static inline void come(struct fake_node *parent, bool rejoin, bool secured)
{
    if (!secured) al_trust_await_key(&j->trust, air.now);
    al_trust_child(&parent->trust, air.now, make_child(parent), rejoin, secured);
}

static inline void join(struct fake_node *parent)
{
    come(parent, false, false);
    fake_run(SECOND);
    assert_int_equal(j->network_key, AL_ZB_OK);
}

static inline void exchange_keys(void)
{
    al_trust_exchange_key(&j->trust, air.now, false);
    fake_run(SECOND);
    assert_int_equal(j->exchanged, AL_ZB_OK);
}

static inline bool has_network_key(const struct fake_node *node)
{
    const struct al_nwk_key *key = al_nwk_active_key(&node->nwk);
    return key && memcmp(key->key, zigbee_network_key, 16) == 0;
}

static inline void hear(struct fake_node *node, const struct fake_frame *f, uint16_t src,
                        bool secured)
{
    struct al_nwk_data_ind ind = {.dst = node->nwk.addr,
                                  .src = src,
                                  .secured = secured,
                                  .payload = f->bytes,
                                  .len = f->s.len};
    al_aps_nwk_data(&node->aps, air.now, &ind);
}

#endif
