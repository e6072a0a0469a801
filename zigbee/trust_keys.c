/* The trust centre's keys: unique link keys on request, their proof, install codes, and a
 * new network key for everybody. */
#include "zigbee/trust_internal.h"

#define PACE_US   (50u * AL_TRUST_MS) /* between devices */
#define SETTLE_US (10u * AL_TRUST_S)  /* sleepy children fetch theirs */
#define SPREAD_US (2u * AL_TRUST_S)   /* Switch-Key reaches everybody under the old key */

/* ---- Link keys ---- */

static void transport_link_key(struct al_trust *t, uint64_t now, uint16_t addr, uint64_t ext,
                               const uint8_t key[16])
{
    struct al_aps_command cmd = {
        .id = AL_APS_TRANSPORT_KEY,
        .transport_key = {.type = AL_KEY_TYPE_TC_LINK, .dst = ext, .src = t->c.nwk->ext},
    };
    memcpy(cmd.transport_key.key, key, sizeof cmd.transport_key.key);
    al_trust_send(t, now, addr, ext, AL_SEC_KEY_LOAD, &cmd);
}

static void transport_app_key(struct al_trust *t, uint64_t now, uint64_t to, uint64_t partner,
                              bool initiator, const uint8_t key[16])
{
    uint16_t addr = al_nwk_addr_of(t->c.nwk, to);
    struct al_aps_command cmd = {
        .id = AL_APS_TRANSPORT_KEY,
        .transport_key = {.type = AL_KEY_TYPE_APP_LINK, .dst = partner, .initiator = initiator},
    };
    memcpy(cmd.transport_key.key, key, sizeof cmd.transport_key.key);
    if (addr != AL_NWK_NO_ADDR) al_trust_send(t, now, addr, to, AL_SEC_KEY_LOAD, &cmd);
}

void al_trust_request_key(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind)
{
    uint64_t ext = ind->key_source;
    if (ind->key_id != AL_SEC_KEY_LINK || (ind->src_ext && ind->src_ext != ext)) return;
    struct al_aps_link_key *k = al_aps_key(t->c.aps, ext);
    uint8_t key[16];
    switch (ind->command->request_key.type) {
    case AL_KEY_TYPE_TC_LINK:
        if (k && ind->fresh_key) k = al_aps_promote(t->c.aps, k); /* it uses it already */
        if (!k) return;
        if (!k->has_fresh) {
            al_trust_random_key(t, key);
            k = al_aps_set_fresh(t->c.aps, ext, key);
        }
        /* Asked again, it gets the same: the first may just have been slow. */
        if (k) transport_link_key(t, now, ind->src, ext, k->fresh);
        break;
    case AL_KEY_TYPE_REQUEST_APP: {
        uint64_t partner = ind->command->request_key.partner;
        if (ind->fresh_key || partner == ext || partner == t->c.nwk->ext ||
            al_nwk_addr_of(t->c.nwk, partner) == AL_NWK_NO_ADDR)
            return;
        /* Under the default key it would be no secret, and anybody could ask in any name. */
        if (!al_aps_has_own_key(t->c.aps, ext) || !al_aps_has_own_key(t->c.aps, partner)) return;
        al_trust_random_key(t, key);
        transport_app_key(t, now, ext, partner, true, key);
        transport_app_key(t, now, partner, ext, false, key);
        break;
    }
    default:
        break;
    }
}

static bool hash_fits(const struct al_trust *t, const uint8_t key[16], const uint8_t hash[16])
{
    uint8_t expected[16], difference = 0;
    al_key_derive(t->c.aes, key, AL_KEY_VERIFY, expected);
    for (unsigned i = 0; i < sizeof expected; i++) difference |= expected[i] ^ hash[i];
    return !difference;
}

static uint8_t verify(struct al_trust *t, uint64_t ext, const struct al_aps_command *cmd)
{
    struct al_aps_link_key *k = al_aps_key(t->c.aps, ext);
    if (cmd->verify_key.type != AL_KEY_TYPE_TC_LINK) return AL_CONFIRM_NOT_SUPPORTED;
    if (!k || (!k->has_fresh && !k->verified)) return AL_CONFIRM_ILLEGAL;
    if (k->has_fresh && hash_fits(t, k->fresh, cmd->verify_key.hash))
        return al_aps_promote(t->c.aps, k) ? AL_CONFIRM_OK : AL_CONFIRM_SECURITY_FAILURE;
    /* Once more, because the confirmation was lost. */
    if (k->verified && hash_fits(t, k->key, cmd->verify_key.hash)) return AL_CONFIRM_OK;
    return AL_CONFIRM_SECURITY_FAILURE;
}

void al_trust_verify_key(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind)
{
    uint64_t ext = ind->command->verify_key.source;
    if (!ext || (ind->src_ext && ind->src_ext != ext)) return;
    struct al_aps_command cmd = {
        .id = AL_APS_CONFIRM_KEY,
        .confirm_key = {.type = ind->command->verify_key.type, .dst = ext},
    };
    cmd.confirm_key.status = verify(t, ext, ind->command);
    al_trust_send(t, now, ind->src, ext, AL_SEC_KEY_LINK, &cmd);
    if (cmd.confirm_key.status != AL_CONFIRM_OK) return;
    al_trust_device_proved(t, now, ext);
    if (t->c.up->proved) t->c.up->proved(t->c.up_ctx, now, ext, ind->src);
}

int al_trust_add_install_key(struct al_trust *t, uint64_t ext, const uint8_t key[16])
{
    if (!ext) return AL_ERR_INVALID_ARG;
    return al_aps_set_key(t->c.aps, ext, key, AL_APS_KEY_INSTALL_CODE) ? 0 : AL_ERR_NO_MEM;
}

/* ---- Network key ---- */

void al_trust_new_network(struct al_trust *t, uint64_t now, const uint8_t *key)
{
    uint8_t random[16];
    if (!key) {
        al_trust_random_key(t, random);
        key = random;
    }
    al_nwk_set_key(t->c.nwk, now, key, 0);
    al_trust_set_centre(t, t->c.nwk->ext);
}

int al_trust_change_key(struct al_trust *t, uint64_t now)
{
    const struct al_nwk_key *active = al_nwk_active_key(t->c.nwk);
    if (!t->c.trust_centre || !active || t->change.state != AL_TRUST_NO_CHANGE)
        return AL_ERR_INVALID_STATE;
    t->change.seq = (uint8_t)(active->seq + 1u);
    al_trust_random_key(t, t->change.key);
    al_nwk_set_key(t->c.nwk, now, t->change.key, t->change.seq);
    t->change.state = AL_TRUST_CHANGE_GIVING;
    t->change.index = 0;
    t->change.at = now;
    return 0;
}

static int give_new(struct al_trust *t, uint64_t now, uint64_t ext, uint16_t addr)
{
    struct al_aps_command cmd = {
        .id = AL_APS_TRANSPORT_KEY,
        .transport_key = {.type = AL_KEY_TYPE_NETWORK,
                          .key_seq = t->change.seq,
                          .dst = ext,
                          .src = t->c.nwk->ext},
    };
    memcpy(cmd.transport_key.key, t->change.key, sizeof cmd.transport_key.key);
    return al_trust_send(t, now, addr, ext, AL_SEC_KEY_TRANSPORT, &cmd);
}

void al_trust_change_newcomer(struct al_trust *t, uint64_t now, uint64_t ext, uint16_t addr)
{
    if (t->change.state != AL_TRUST_NO_CHANGE) give_new(t, now, ext, addr);
}

/* Device index of all that are known: neighbours, then the others. ext 0: none here. */
static uint64_t device_at(const struct al_trust *t, unsigned index, uint16_t *addr)
{
    const struct al_nwk_config *c = &t->c.nwk->c;
    if (index < c->neighbour_count) {
        const struct al_nwk_neighbour *n = &c->neighbours[index];
        if (n->relation == AL_NWK_NOBODY || n->relation == AL_NWK_JOINING) return 0;
        *addr = n->addr;
        return n->ext;
    }
    const struct al_nwk_address *a = &c->addresses[index - c->neighbour_count];
    *addr = a->addr;
    return a->ext && !al_nwk_neighbour_ext(t->c.nwk, a->ext) ? a->ext : 0;
}

static void give_to_next(struct al_trust *t, uint64_t now)
{
    const struct al_nwk_config *c = &t->c.nwk->c;
    unsigned end = (unsigned)c->neighbour_count + c->address_count;
    uint16_t addr = AL_NWK_NO_ADDR;
    uint64_t ext = 0;
    t->change.at = now + PACE_US;
    for (; !ext && t->change.index < end; t->change.index++)
        ext = device_at(t, t->change.index, &addr);
    if (ext) {
        if (give_new(t, now, ext, addr) == AL_ERR_NO_MEM) t->change.index--;
        return;
    }
    t->change.state = AL_TRUST_CHANGE_SETTLE;
    t->change.at = now + SETTLE_US;
}

static void announce_switch(struct al_trust *t, uint64_t now)
{
    struct al_aps_command cmd = {.id = AL_APS_SWITCH_KEY, .switch_key.key_seq = t->change.seq};
    t->change.at = now + PACE_US;
    if (al_trust_send(t, now, AL_NWK_ALL, 0, AL_APS_KEY_NONE, &cmd) == AL_ERR_NO_MEM) return;
    t->change.state = AL_TRUST_CHANGE_SWITCH;
    t->change.at = now + SPREAD_US;
}

void al_trust_change_due(struct al_trust *t, uint64_t now)
{
    switch (t->change.state) {
    case AL_TRUST_CHANGE_GIVING:
        give_to_next(t, now);
        break;
    case AL_TRUST_CHANGE_SETTLE:
        announce_switch(t, now);
        break;
    default:
        if (t->change.state == AL_TRUST_CHANGE_SWITCH)
            al_nwk_switch_key(t->c.nwk, now, t->change.seq);
        t->change.state = AL_TRUST_NO_CHANGE;
        t->change.at = AL_TRUST_NEVER;
        memset(t->change.key, 0, sizeof t->change.key);
        break;
    }
}
