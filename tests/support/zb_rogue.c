#include "tests/support/zb_rogue.h"

#include <string.h>

#define WORTH_KEEPING 18 /* octets: no acknowledgements and polls */
#define ROGUE_EUI     0xbadull

uint32_t zb_rogue_random(struct zb_rogue *r, uint32_t below)
{
    return zb_upgrade_random(&r->random, below);
}

bool zb_rogue_pick(struct zb_rogue *r, struct al_put *p)
{
    if (!r->heard) return false;
    unsigned i = zb_rogue_random(r, r->heard < ZB_ROGUE_KEPT ? r->heard : ZB_ROGUE_KEPT);
    al_put_bytes(p, r->mpdu[i], r->len[i]);
    return true;
}

static void overhear(void *ctx, uint64_t now, const struct al_radio_rx *rx)
{
    struct zb_rogue *r = ctx;
    if (rx->len < WORTH_KEEPING) return;
    unsigned i = r->heard++ % ZB_ROGUE_KEPT;
    memcpy(r->mpdu[i], rx->mpdu, rx->len);
    r->len[i] = rx->len;
}

static void wait_a_while(struct zb_rogue *r)
{
    uint32_t gap = r->gap_us ? r->gap_us : 10000;
    medium_node_wake(r->air, zb_upgrade_now(r->u) + gap + zb_rogue_random(r, gap));
}

static void transmitted(void *ctx, uint64_t now, enum al_radio_status status, bool pending)
{
    struct zb_rogue *r = ctx;
    r->busy = false;
    wait_a_while(r);
}

static void speak(void *ctx, uint64_t now)
{
    struct zb_rogue *r = ctx;
    const struct al_radio *radio = medium_node_port(r->air);
    uint8_t mpdu[AL_RADIO_MPDU_MAX];
    struct al_put p = al_put(mpdu, sizeof mpdu);
    if (!r->busy && !r->stop && r->make(r, &p) && !p.failed && p.len >= 3) {
        r->busy = radio->transmit(radio->ctx, mpdu, (uint8_t)p.len) == 0;
        r->sent += r->busy;
    }
    if (!r->busy) wait_a_while(r);
}

void zb_rogue_start(struct zb_rogue *r)
{
    const struct medium_node_config c = {
        .eui64 = ROGUE_EUI,
        .events = {.received = overhear, .transmitted = transmitted},
        .wake = speak,
        .ctx = r,
    };
    r->air = medium_add_node(zb_sim_medium(r->u->world->sim), &c);
    assert_non_null(r->air);
    const struct al_radio *radio = medium_node_port(r->air);
    radio->configure(radio->ctx,
                     &(struct al_radio_config){.channel = r->u->servers[0].sim->zb.node.nwk.channel,
                                               .pan_id = 0xffff,
                                               .short_addr = 0xffff,
                                               .ext_addr = ROGUE_EUI,
                                               .rx_on = true,
                                               .promiscuous = true});
    wait_a_while(r);
}
