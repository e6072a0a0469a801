/* The trust centre lets devices in: a direct child gets the network key in a frame that NWK
 * does not secure, the child of a router gets the same frame through a Tunnel. */
#include "zigbee/trust_internal.h"

#define GUARD_US  (20u * AL_TRUST_S) /* APS has not said how the key fared */
#define AGAIN_US  (20u * AL_TRUST_MS)
#define GIVEN_US  (2u * AL_TRUST_S) /* parents may tell of a child twice */
#define PROVE_US  (15u * AL_TRUST_S)
#define TRIES_MAX 3

static struct al_trust_device *find(struct al_trust *t, uint64_t ext)
{
    for (unsigned i = 0; i < t->c.device_count; i++) {
        if (t->c.devices[i].ext == ext) return &t->c.devices[i];
    }
    return NULL;
}

static void tell(struct al_trust *t, uint64_t now, uint64_t ext, uint16_t addr,
                 enum al_zb_status status)
{
    if (t->c.up->authorised) t->c.up->authorised(t->c.up_ctx, now, ext, addr, status);
}

static void remove_by_parent(struct al_trust *t, uint64_t now, uint16_t parent, uint64_t ext)
{
    struct al_aps_command cmd = {.id = AL_APS_REMOVE_DEVICE, .remove_device.target = ext};
    al_trust_send(t, now, parent, 0, AL_APS_KEY_NONE, &cmd);
}

static void refuse(struct al_trust *t, uint64_t now, uint64_t ext, uint16_t addr, uint16_t parent,
                   enum al_zb_status status)
{
    if (parent == AL_NWK_COORDINATOR)
        al_nwk_child_authenticated(t->c.nwk, now, ext, false);
    else
        remove_by_parent(t, now, parent, ext);
    tell(t, now, ext, addr, status);
}

/* ---- The key on its way ---- */

static int give_direct(struct al_trust *t, uint64_t now, const struct al_trust_device *d,
                       const struct al_aps_command *key, uint16_t handle)
{
    struct al_aps_send_command s = {
        .dst = d->addr,
        .dst_ext = d->ext,
        .command = key,
        .key_id = AL_SEC_KEY_TRANSPORT,
        .nwk_unsecured = true,
        .handle = handle,
    };
    return al_aps_send_command(t->c.aps, now, &s);
}

static int give_by_parent(struct al_trust *t, uint64_t now, const struct al_trust_device *d,
                          const struct al_aps_command *key, uint16_t handle)
{
    uint8_t frame[AL_RADIO_MPDU_MAX];
    struct al_aps_send_command inner = {
        .dst = d->addr, .dst_ext = d->ext, .command = key, .key_id = AL_SEC_KEY_TRANSPORT};
    int n = al_aps_build_command(t->c.aps, now, &inner, frame, sizeof frame);
    if (n < 0) return n;
    struct al_aps_command tunnel = {
        .id = AL_APS_TUNNEL,
        .tunnel = {.dst = d->ext, .frame = frame, .len = (size_t)n},
    };
    struct al_aps_send_command outer = {
        .dst = d->parent, .command = &tunnel, .key_id = AL_APS_KEY_NONE, .handle = handle};
    return al_aps_send_command(t->c.aps, now, &outer);
}

static int give_key(struct al_trust *t, uint64_t now, const struct al_trust_device *d,
                    uint16_t handle)
{
    const struct al_nwk_key *active = al_nwk_active_key(t->c.nwk);
    if (!active) return AL_ERR_INVALID_STATE;
    struct al_aps_command key = {
        .id = AL_APS_TRANSPORT_KEY,
        .transport_key = {.type = AL_KEY_TYPE_NETWORK,
                          .key_seq = active->seq,
                          .dst = d->ext,
                          .src = t->c.nwk->ext},
    };
    memcpy(key.transport_key.key, active->key, sizeof key.transport_key.key);
    if (d->parent == AL_NWK_COORDINATOR) return give_direct(t, now, d, &key, handle);
    return give_by_parent(t, now, d, &key, handle);
}

static void try_to_give(struct al_trust *t, uint64_t now, struct al_trust_device *d)
{
    d->state = AL_TRUST_GIVING;
    d->deadline = now + GUARD_US;
    int err = give_key(t, now, d, (uint16_t)(d - t->c.devices + 1));
    if (!err) return;
    d->state = AL_TRUST_AGAIN;
    d->deadline = now + AGAIN_US;
}

void al_trust_device_sent(struct al_trust *t, uint64_t now, struct al_trust_device *d,
                          enum al_zb_status status)
{
    if (!d->ext || d->state != AL_TRUST_GIVING) return;
    struct al_trust_device was = *d;
    if (status != AL_ZB_OK) {
        if (++d->tries < TRIES_MAX) {
            try_to_give(t, now, d);
            return;
        }
        d->ext = 0;
        refuse(t, now, was.ext, was.addr, was.parent, status);
        return;
    }
    d->state = t->c.require_exchange ? AL_TRUST_PROVING : AL_TRUST_GIVEN;
    d->deadline = now + (t->c.require_exchange ? PROVE_US : GIVEN_US);
    if (was.parent == AL_NWK_COORDINATOR) al_nwk_child_authenticated(t->c.nwk, now, was.ext, true);
    al_trust_change_newcomer(t, now, was.ext, was.addr);
    tell(t, now, was.ext, was.addr, AL_ZB_OK);
}

void al_trust_device_due(struct al_trust *t, uint64_t now, struct al_trust_device *d)
{
    uint64_t ext = d->ext;
    switch (d->state) {
    case AL_TRUST_GIVING:
        al_trust_device_sent(t, now, d, AL_ZB_TIMEOUT);
        break;
    case AL_TRUST_AGAIN:
        try_to_give(t, now, d);
        break;
    case AL_TRUST_PROVING:
        al_trust_remove(t, now, ext);
        tell(t, now, ext, d->addr, AL_ZB_TIMEOUT);
        break;
    default:
        d->ext = 0;
        break;
    }
}

void al_trust_device_proved(struct al_trust *t, uint64_t now, uint64_t ext)
{
    struct al_trust_device *d = find(t, ext);
    if (!d) return;
    d->state = AL_TRUST_GIVEN;
    d->deadline = now + GIVEN_US;
}

void al_trust_device_done(struct al_trust *t, uint64_t ext)
{
    struct al_trust_device *d = find(t, ext);
    if (d) d->ext = 0;
}

/* ---- Decisions ---- */

static bool may_join(const struct al_trust *t, uint64_t ext)
{
    if (t->c.up->admit && !t->c.up->admit(t->c.up_ctx, ext)) return false;
    return !t->c.install_codes_only || al_aps_install_key(t->c.aps, ext);
}

/* Without the network key, back to its network: it must have a key that not everybody knows,
 * unless the network is open anyway. */
static bool may_rejoin(const struct al_trust *t, uint64_t now, uint64_t ext)
{
    if (al_aps_has_own_key(t->c.aps, ext)) return true;
    return al_nwk_permitted(t->c.nwk, now) && may_join(t, ext);
}

static void start(struct al_trust *t, uint64_t now, uint64_t ext, uint16_t addr, uint16_t parent)
{
    struct al_trust_device *d = find(t, ext);
    if (!d) d = find(t, 0);
    if (d) {
        *d = (struct al_trust_device){.ext = ext, .addr = addr, .parent = parent};
        try_to_give(t, now, d);
        return;
    }
    /* The table is full: nobody will hear how it went. */
    struct al_trust_device untracked = {.ext = ext, .addr = addr, .parent = parent};
    if (give_key(t, now, &untracked, 0)) {
        refuse(t, now, ext, addr, parent, AL_ZB_DENIED);
        return;
    }
    if (parent == AL_NWK_COORDINATOR) al_nwk_child_authenticated(t->c.nwk, now, ext, true);
    tell(t, now, ext, addr, AL_ZB_OK);
}

void al_trust_admit(struct al_trust *t, uint64_t now, uint64_t ext, uint16_t addr, uint16_t parent,
                    uint8_t status)
{
    if (t->c.up->update) t->c.up->update(t->c.up_ctx, now, ext, addr, parent, status);
    switch (status) {
    case AL_UPDATE_SECURED_REJOIN:
        if (parent == AL_NWK_COORDINATOR) al_nwk_child_authenticated(t->c.nwk, now, ext, true);
        tell(t, now, ext, addr, AL_ZB_OK);
        return;
    case AL_UPDATE_UNSECURED_JOIN:
        if (!may_join(t, ext)) break;
        al_aps_doubt_key(t->c.aps, ext); /* it may have forgotten what it was given */
        start(t, now, ext, addr, parent);
        return;
    case AL_UPDATE_TC_REJOIN:
        if (!may_rejoin(t, now, ext)) {
            /* Nothing proves who asked. Its parent gives up by itself; told to remove it, it would
             * send a member away that is where it was. */
            if (parent == AL_NWK_COORDINATOR) al_nwk_child_authenticated(t->c.nwk, now, ext, false);
            tell(t, now, ext, addr, AL_ZB_DENIED);
            return;
        }
        al_aps_trust_key(t->c.aps, ext);
        start(t, now, ext, addr, parent);
        return;
    default:
        return;
    }
    refuse(t, now, ext, addr, parent, AL_ZB_DENIED);
}

static void device_left(struct al_trust *t, uint64_t now, uint64_t ext, uint16_t addr,
                        uint16_t parent)
{
    const struct al_nwk_neighbour *own = al_nwk_neighbour_ext(t->c.nwk, ext);
    /* A late word of an old parent does not count: the device has kept its address. */
    if (own && own->relation == AL_NWK_CHILD) return;
    al_trust_device_done(t, ext);
    if (al_nwk_addr_of(t->c.nwk, ext) == addr) al_nwk_unlearn(t->c.nwk, now, ext);
    if (t->c.up->update) t->c.up->update(t->c.up_ctx, now, ext, addr, parent, AL_UPDATE_LEFT);
}

/* It was let in just now: its parent tells of it twice. */
static bool is_recent(const struct al_trust_device *d, uint64_t now)
{
    return d->state != AL_TRUST_PROVING || now + PROVE_US < d->deadline + GIVEN_US;
}

void al_trust_update_device(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind)
{
    uint64_t ext = ind->command->update_device.device;
    uint16_t addr = ind->command->update_device.short_addr;
    uint8_t status = ind->command->update_device.status;
    if (!ext || ext == t->c.nwk->ext || ext == AL_APS_ANY_PARTNER) return;
    if (addr == AL_NWK_COORDINATOR || AL_NWK_BROADCAST(addr)) return;
    if (status == AL_UPDATE_LEFT) {
        device_left(t, now, ext, addr, ind->src);
        return;
    }
    if (status > AL_UPDATE_TC_REJOIN) return;
    const struct al_trust_device *d = find(t, ext);
    if (d && d->parent == ind->src && d->addr == addr && is_recent(d, now)) return;
    al_nwk_learn(t->c.nwk, now, addr, ext);
    al_trust_admit(t, now, ext, addr, ind->src, status);
}

int al_trust_remove(struct al_trust *t, uint64_t now, uint64_t ext)
{
    const struct al_trust_device *d = find(t, ext);
    const struct al_nwk_neighbour *n = al_nwk_neighbour_ext(t->c.nwk, ext);
    uint16_t addr = al_nwk_addr_of(t->c.nwk, ext);
    if (addr == AL_NWK_NO_ADDR && d) addr = d->addr;
    if (addr == AL_NWK_NO_ADDR) return AL_ERR_NOT_FOUND;
    uint16_t parent = d ? d->parent : AL_NWK_COORDINATOR;
    al_trust_device_done(t, ext);
    if (n && (n->relation == AL_NWK_CHILD || n->relation == AL_NWK_JOINING)) {
        al_nwk_leave(t->c.nwk, now, ext, false, false);
    } else {
        if (parent != AL_NWK_COORDINATOR) remove_by_parent(t, now, parent, ext);
        remove_by_parent(t, now, addr, ext); /* its parent is not known for sure */
    }
    al_aps_delete_key(t->c.aps, ext);
    return 0;
}
