/* The parent of a joining device: it tells the trust centre, and passes on what that has for
 * the child. On the coordinator both are one. */
#include "zigbee/trust_internal.h"

static uint16_t centre_addr(const struct al_trust *t)
{
    uint16_t addr = t->centre ? al_nwk_addr_of(t->c.nwk, t->centre) : AL_NWK_NO_ADDR;
    return addr == AL_NWK_NO_ADDR ? AL_NWK_COORDINATOR : addr;
}

/* With the link key only once it is proved: every trust centre takes it without. */
static void update(struct al_trust *t, uint64_t now, uint64_t ext, uint16_t addr, uint8_t status)
{
    const struct al_aps_link_key *k = al_aps_key(t->c.aps, t->centre);
    uint8_t key_id = k && k->verified ? AL_SEC_KEY_LINK : AL_APS_KEY_NONE;
    struct al_aps_command cmd = {
        .id = AL_APS_UPDATE_DEVICE,
        .update_device = {.device = ext, .short_addr = addr, .status = status},
    };
    al_trust_send(t, now, centre_addr(t), t->centre, key_id, &cmd);
}

void al_trust_child(struct al_trust *t, uint64_t now, const struct al_nwk_neighbour *child,
                    bool rejoin, bool secured)
{
    uint8_t status = !rejoin   ? AL_UPDATE_UNSECURED_JOIN
                     : secured ? AL_UPDATE_SECURED_REJOIN
                               : AL_UPDATE_TC_REJOIN;
    if (t->c.trust_centre)
        al_trust_admit(t, now, child->ext, child->addr, AL_NWK_COORDINATOR, status);
    else
        update(t, now, child->ext, child->addr, status);
}

void al_trust_child_left(struct al_trust *t, uint64_t now, uint64_t ext, uint16_t addr)
{
    if (!t->c.trust_centre) {
        update(t, now, ext, addr, AL_UPDATE_LEFT);
        return;
    }
    al_trust_device_done(t, ext);
    if (t->c.up->update)
        t->c.up->update(t->c.up_ctx, now, ext, addr, AL_NWK_COORDINATOR, AL_UPDATE_LEFT);
}

void al_trust_tunnel(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind)
{
    const struct al_aps_command *cmd = ind->command;
    if (!al_trust_from_centre(t, ind)) return;
    const struct al_nwk_neighbour *child = al_nwk_neighbour_ext(t->c.nwk, cmd->tunnel.dst);
    if (!child || (child->relation != AL_NWK_JOINING && child->relation != AL_NWK_CHILD)) return;
    unsigned index = (unsigned)(child - t->c.nwk->c.neighbours);
    al_aps_forward(t->c.aps, now, child->addr, child->ext, cmd->tunnel.frame, cmd->tunnel.len,
                   (uint16_t)(AL_TRUST_HANDLE_CHILD + index));
}

void al_trust_child_sent(struct al_trust *t, uint64_t now, unsigned neighbour,
                         enum al_zb_status status)
{
    const struct al_nwk_config *c = &t->c.nwk->c;
    if (status != AL_ZB_OK || neighbour >= c->neighbour_count) return;
    const struct al_nwk_neighbour *child = &c->neighbours[neighbour];
    if (child->relation == AL_NWK_JOINING)
        al_nwk_child_authenticated(t->c.nwk, now, child->ext, true);
}

void al_trust_remove_device(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind)
{
    uint64_t target = ind->command->remove_device.target;
    if (!al_trust_from_centre(t, ind)) return;
    if (target == t->c.nwk->ext) {
        if (t->c.up->removed) t->c.up->removed(t->c.up_ctx, now);
        return;
    }
    const struct al_nwk_neighbour *child = al_nwk_neighbour_ext(t->c.nwk, target);
    if (!child) return;
    if (child->relation == AL_NWK_JOINING)
        al_nwk_child_authenticated(t->c.nwk, now, target, false);
    else if (child->relation == AL_NWK_CHILD)
        al_nwk_leave(t->c.nwk, now, target, false, false);
}
