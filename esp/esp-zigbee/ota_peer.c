#include "esp/esp-zigbee/ota_peer.h"

#include "esp/esp-zigbee/stack.h"

void ota_peer_device(void *ctx, struct al_zota_peer peer, struct al_zota_device *d)
{
    const struct al_nwk *nwk = &zb_stack_node()->nwk;
    d->ext_addr = al_nwk_ext_of(nwk, peer.addr);
    for (uint16_t i = 0; i < nwk->c.neighbour_count; i++) {
        const struct al_nwk_neighbour *n = &nwk->c.neighbours[i];
        if (n->relation == AL_NWK_CHILD && n->addr == peer.addr && !n->rx_on) d->sleepy = true;
    }
}
