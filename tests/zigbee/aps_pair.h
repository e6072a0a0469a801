/* Two members of a network, c and d, and a message between them: what the tests of APS begin
 * with. Included once by a program. */
#ifndef TESTS_ZIGBEE_APS_PAIR_H
#define TESTS_ZIGBEE_APS_PAIR_H

#include "tests/zigbee/fake_nwk.h"

#define OTA 0x0019

static struct fake_node *c, *d;

static inline int two_nodes(void **state)
{
    fake_start(1);
    c = fake_node(ZIGBEE_COORDINATOR, 0, NULL, 16, 4);
    d = fake_node(ZIGBEE_DEVICE, ZIGBEE_DEVICE_ADDR, NULL, 16, 4);
    fake_members();
    return 0;
}

static inline int end(void **state)
{
    fake_end();
    return 0;
}

static inline struct al_aps_send message(uint16_t dst, const char *text, uint16_t handle)
{
    return (struct al_aps_send){
        .dst = dst,
        .dst_ep = 10,
        .src_ep = 1,
        .profile = AL_PROFILE_HA,
        .cluster = OTA,
        .asdu = (const uint8_t *)text,
        .len = strlen(text),
        .ack = true,
        .handle = handle,
    };
}

static inline void assert_heard(const struct fake_node *node, unsigned n, const char *text)
{
    assert_true(n < node->heard_count);
    assert_int_equal(node->heard[n].ind.len, strlen(text));
    assert_memory_equal(node->heard[n].asdu, text, strlen(text));
}

static inline bool lose_all(const struct fake_node *from, const struct fake_frame *f)
{
    return false;
}

static inline bool lose_acks(const struct fake_node *from, const struct fake_frame *f)
{
    return (f->bytes[0] & 3) != AL_APS_ACK;
}

#endif
