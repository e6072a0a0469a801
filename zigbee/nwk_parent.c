/* The parent's side: who may come in, under which address, and who has gone. */
#include "zigbee/nwk_internal.h"

#define KEY_WITHIN      (20 * AL_NWK_S) /* a child that has its address only is dropped then */
#define STRANGERS_SHARE 4u /* of the places: one in so many for unsecured rejoins of strangers */
#define SILENT          (60 * AL_NWK_S) /* a router that has lost its key */
#define DISOWNED_MAX    2u              /* orders to rejoin for strangers that poll, at a time */

static void describe(struct al_nwk_neighbour *child, uint64_t now, uint8_t capability,
                     uint8_t relation)
{
    child->capability = capability;
    child->role = capability & AL_CAP_ROUTER ? AL_NWK_ROLE_ROUTER : AL_NWK_ROLE_END_DEVICE;
    child->rx_on = capability & AL_CAP_RX_ON;
    child->relation = relation;
    child->proven = relation == AL_NWK_CHILD;
    child->one_way = false;
    child->out_cost = 0;
    child->age = 0;
    child->heard = now;
    child->present = true;
}

static bool has_free_entry(const struct al_nwk *n)
{
    for (unsigned i = 0; i < n->c.neighbour_count; i++) {
        if (n->c.neighbours[i].relation == AL_NWK_NOBODY) return true;
    }
    return false;
}

/* The entry of a device, old or new; NULL: no room. evict: a sibling may have to go for it. */
static struct al_nwk_neighbour *entry(struct al_nwk *n, uint64_t now, uint64_t ext, uint16_t addr,
                                      bool evict)
{
    struct al_nwk_neighbour *who = al_nwk_neighbour_ext(n, ext);
    if (who && (al_nwk_is_leaf(who) || who->relation == AL_NWK_JOINING)) return who;
    if (al_nwk_children(n) >= n->c.max_children) return NULL;
    if (who) return who;
    return evict || has_free_entry(n) ? al_nwk_neighbour_take(n, now, addr, ext, AL_NWK_JOINING, 0)
                                      : NULL;
}

/* Nothing proves who associates: an entry that is known is kept until the key has gone out. */
static void doubt(struct al_nwk_neighbour *who)
{
    bool known =
        who->relation == AL_NWK_JOINING ? who->proven : who->proven || !al_nwk_is_child(who);
    if (known && !who->anew) {
        who->before.relation = who->relation;
        who->before.role = who->role;
        who->before.capability = who->capability;
        who->before.rx_on = who->rx_on;
    }
    who->anew = known;
}

/* It was the one from before, or nobody. */
static void undo(struct al_nwk_neighbour *who)
{
    who->relation = who->before.relation == AL_NWK_JOINING ? AL_NWK_CHILD : who->before.relation;
    who->role = who->before.role;
    who->capability = who->before.capability;
    who->rx_on = who->before.rx_on;
    who->anew = false;
    who->proven = al_nwk_is_child(who);
}

/* It did not get through with joining: one from before is what it was. */
static void give_up(struct al_nwk *n, uint64_t now, struct al_nwk_neighbour *child)
{
    if (child->anew)
        undo(child);
    else if (child->proven)
        child->relation = AL_NWK_CHILD;
    else
        al_nwk_neighbour_drop(n, now, child);
    al_nwk_update_beacon(n);
}

/* ---- Strangers: what they say is not protected by anything ---- */

static bool is_stranger(const struct al_nwk_neighbour *who)
{
    return who->relation == AL_NWK_JOINING && !who->proven;
}

static bool too_many_strangers(const struct al_nwk *n)
{
    unsigned count = 0;
    for (unsigned i = 0; i < n->c.neighbour_count; i++) count += is_stranger(&n->c.neighbours[i]);
    return count > 0 && count >= n->c.max_children / STRANGERS_SHARE;
}

/* A device with the network key needs a place more than those that only asked for one. */
static void turn_one_away(struct al_nwk *n, uint64_t now)
{
    struct al_nwk_neighbour *oldest = NULL;
    if (al_nwk_children(n) < n->c.max_children && has_free_entry(n)) return;
    for (unsigned i = 0; i < n->c.neighbour_count; i++) {
        struct al_nwk_neighbour *who = &n->c.neighbours[i];
        if (is_stranger(who) && (!oldest || who->heard < oldest->heard)) oldest = who;
    }
    if (oldest) al_nwk_neighbour_drop(n, now, oldest);
}

/* ---- Association ---- */

void al_nwk_association_in(void *ctx, uint64_t now, uint64_t ext, uint8_t capability)
{
    struct al_nwk *n = ctx;
    if (!n->up || !al_nwk_is_parent_role(n) || !ext || ext == n->ext) return;
    if (!al_nwk_permitted(n, now)) {
        al_mac_association_answer(n->c.mac, now, ext, AL_NWK_NO_ADDR, AL_ZB_DENIED, 0);
        return;
    }
    uint16_t addr = al_nwk_addr_of(n, ext);
    if (addr == AL_NWK_NO_ADDR || addr == AL_NWK_COORDINATOR) addr = al_nwk_random_addr(n);
    struct al_nwk_neighbour *child = entry(n, now, ext, addr, true);
    if (!child) {
        al_mac_association_answer(n->c.mac, now, ext, AL_NWK_NO_ADDR, AL_ZB_PAN_FULL, 0);
        return;
    }
    doubt(child);
    describe(child, now, capability, AL_NWK_JOINING);
    child->proven = child->anew;
    if (!child->anew) child->timeout_index = 8;
    uint16_t index = (uint16_t)(child - n->c.neighbours);
    if (al_mac_association_answer(n->c.mac, now, ext, addr, AL_ZB_OK, AL_NWK_ASSOC_HANDLE | index))
        give_up(n, now, child);
    al_nwk_update_beacon(n);
}

void al_nwk_association_sent(struct al_nwk *n, uint64_t now, uint16_t index,
                             enum al_zb_status status)
{
    struct al_nwk_neighbour *child = index < n->c.neighbour_count ? &n->c.neighbours[index] : NULL;
    if (!child || child->relation != AL_NWK_JOINING) return;
    if (status == AL_ZB_OK)
        AL_NWK_TELL(child, now, child, false, false);
    else
        give_up(n, now, child);
}

/* ---- Rejoin ---- */

static void answer(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f, uint64_t ext,
                   uint16_t addr, uint8_t status, uint8_t capability)
{
    const struct al_nwk_command cmd = {.id = AL_NWK_REJOIN_RESPONSE,
                                       .rejoin_response = {.addr = addr, .status = status}};
    uint32_t flags = AL_W_FIXED;
    if (!(capability & AL_CAP_RX_ON)) flags |= AL_W_INDIRECT;
    if (!f->secured) flags |= AL_W_UNSECURED;
    const struct al_nwk_how how = {
        .flags = (uint8_t)flags, .next_hop = f->src, .tries = AL_NWK_RETRIES};
    al_nwk_command(n, now, &cmd, f->src, ext, 1, &how);
}

/* The address that a rejoining device may keep, or a new one. */
static uint16_t address_for(const struct al_nwk *n, uint64_t ext, uint16_t wish)
{
    const struct al_nwk_neighbour *at = al_nwk_neighbour(n, wish);
    uint64_t owner = al_nwk_ext_of(n, wish);
    bool taken = wish == n->addr || (at && at->ext != ext) || (owner && owner != ext);
    bool valid = wish != AL_NWK_COORDINATOR && wish < AL_NWK_BROADCAST_MIN;
    return valid && !taken ? wish : al_nwk_random_addr(n);
}

void al_nwk_rejoin_request_in(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                              const struct al_nwk_command *cmd)
{
    uint8_t capability = cmd->rejoin_request.capability;
    uint64_t ext = f->secured && f->aux.has_source ? f->aux.source : f->src_ext;
    if (!n->up || !al_nwk_is_parent_role(n) || !ext || ext == n->ext || f->dst != n->addr) return;
    if (f->has_src_ext && f->src_ext != ext) return;
    /* Nothing proves who sent an unsecured request: it changes nothing about a child. */
    struct al_nwk_neighbour *child = f->secured ? NULL : al_nwk_neighbour_ext(n, ext);
    bool known = child && al_nwk_is_child(child);
    /* A router that was heard with the key of late has no need of it. */
    if (child && !known && now - child->heard < SILENT) return;
    if (!f->secured && !known && too_many_strangers(n)) return; /* answers would fill the air */
    uint16_t addr = known ? child->addr : address_for(n, ext, f->src);
    if (f->secured && !al_nwk_neighbour_ext(n, ext)) turn_one_away(n, now);
    child = entry(n, now, ext, addr, f->secured);
    if (!child) {
        answer(n, now, f, ext, AL_NWK_NO_ADDR, AL_MAC_ASSOC_FULL, capability);
        return;
    }
    if (known) {
        child->relation = AL_NWK_JOINING;
        child->heard = now;
    } else {
        describe(child, now, capability, f->secured ? AL_NWK_CHILD : AL_NWK_JOINING);
    }
    if (f->secured && !child->counter_known) {
        child->counter_known = true;
        child->counter_key = f->aux.key_seq;
        child->counter = f->aux.counter;
    }
    if (f->secured) al_nwk_learn(n, now, addr, ext);
    if (f->secured) al_nwk_save_child(n, now, child);
    answer(n, now, f, ext, addr, addr == f->src ? AL_MAC_ASSOC_OK : AL_MAC_ASSOC_CONFLICT,
           capability);
    al_nwk_update_beacon(n);
}

void al_nwk_rejoin_sent(struct al_nwk *n, uint64_t now, const struct al_nwk_frame *f,
                        enum al_zb_status status)
{
    struct al_nwk_neighbour *child = al_nwk_neighbour_ext(n, f->dst_ext);
    if (!child || !al_nwk_is_child(child)) return;
    if (status == AL_ZB_OK)
        AL_NWK_TELL(child, now, child, true, child->relation == AL_NWK_CHILD);
    else if (child->relation == AL_NWK_JOINING)
        give_up(n, now, child);
}

/* Two devices had this child's address: it gets another one. */
void al_nwk_child_conflict(struct al_nwk *n, uint64_t now, struct al_nwk_neighbour *child)
{
    const struct al_nwk_frame was = {.src = child->addr, .secured = true};
    uint16_t addr = al_nwk_random_addr(n);
    answer(n, now, &was, child->ext, addr, AL_MAC_ASSOC_OK, child->capability);
    al_nwk_learn(n, now, addr, child->ext);
}

/* ---- Becoming a member ---- */

void al_nwk_child_is_member(struct al_nwk *n, uint64_t now, struct al_nwk_neighbour *child)
{
    if (child->anew) {
        undo(child);
        if (!al_nwk_is_child(child)) return;
    }
    child->relation = AL_NWK_CHILD;
    child->proven = true;
    al_nwk_save_child(n, now, child);
    al_nwk_learn(n, now, child->addr, child->ext);
}

void al_nwk_child_authenticated(struct al_nwk *n, uint64_t now, uint64_t ext, bool accepted)
{
    struct al_nwk_neighbour *child = al_nwk_neighbour_ext(n, ext);
    if (!child || child->relation != AL_NWK_JOINING) return;
    if (!accepted) {
        give_up(n, now, child);
        return;
    }
    /* With the key it may begin anew, but not one whose rejoin nothing proves: its old frames
     * would come in again. */
    if (child->anew || !child->proven) child->counter_known = false;
    child->anew = false;
    al_nwk_child_is_member(n, now, child);
}

/* ---- Polls, ageing, leaving ---- */

/* Frames that wait for polls of strangers. */
static unsigned disowned(const struct al_nwk *n)
{
    const uint8_t flags = AL_W_FIXED | AL_W_INDIRECT;
    unsigned count = 0;
    for (unsigned i = 0; i < n->c.waiting_count; i++) {
        const struct al_nwk_waiting *w = &n->c.waiting[i];
        count += w->state != AL_WAIT_FREE && (w->flags & flags) == flags &&
                 !al_nwk_neighbour(n, w->next_hop);
    }
    return count;
}

void al_nwk_disown(struct al_nwk *n, uint64_t now, uint16_t addr, bool polled)
{
    const struct al_nwk_command cmd = {.id = AL_NWK_LEAVE,
                                       .leave = {.request = true, .rejoin = true}};
    const struct al_nwk_how how = {.flags = (uint8_t)(AL_W_FIXED | (polled ? AL_W_INDIRECT : 0)),
                                   .next_hop = addr};
    if (!n->up || !al_nwk_active_key(n) || al_nwk_waiting_for(n, addr, AL_W_FIXED)) return;
    if (disowned(n) >= DISOWNED_MAX) return;
    al_nwk_command(n, now, &cmd, addr, al_nwk_ext_of(n, addr), 1, &how);
}

void al_nwk_child_polled(void *ctx, uint64_t now, const struct al_mac_addr *child)
{
    struct al_nwk *n = ctx;
    if (!n->up || !al_nwk_is_parent_role(n)) return;
    struct al_nwk_neighbour *who = child->mode == AL_MAC_EXT
                                       ? al_nwk_neighbour_ext(n, child->ext)
                                       : al_nwk_neighbour(n, child->short_addr);
    if (who && who->relation == AL_NWK_CHILD) {
        who->heard = now;
        who->present = true;
    } else if (!who && child->mode == AL_MAC_SHORT) {
        al_nwk_disown(n, now, child->short_addr, true);
    }
}

void al_nwk_child_left(struct al_nwk *n, uint64_t now, struct al_nwk_neighbour *who, bool rejoin)
{
    uint64_t ext = who->ext;
    uint16_t addr = who->addr;
    if (!al_nwk_is_parent_role(n)) {
        AL_NWK_TELL(parent_lost, now);
        return;
    }
    al_nwk_neighbour_drop(n, now, who);
    if (!rejoin) al_nwk_unlearn(n, now, ext);
    al_nwk_update_beacon(n);
    AL_NWK_TELL(device_left, now, addr, ext, rejoin);
}

void al_nwk_child_moved(struct al_nwk *n, uint64_t now, uint64_t ext)
{
    struct al_nwk_neighbour *who = al_nwk_neighbour_ext(n, ext);
    if (!who || !al_nwk_is_leaf(who)) return;
    al_nwk_neighbour_drop(n, now, who);
    al_nwk_update_beacon(n);
}

void al_nwk_age_children(struct al_nwk *n, uint64_t now)
{
    for (unsigned i = 0; i < n->c.neighbour_count; i++) {
        struct al_nwk_neighbour *who = &n->c.neighbours[i];
        uint64_t silent = now - who->heard;
        if (who->relation == AL_NWK_JOINING) {
            if (silent > KEY_WITHIN) give_up(n, now, who);
        } else if (al_nwk_is_leaf(who)) {
            uint64_t limit = al_nwk_timeout_seconds(who->timeout_index) * AL_NWK_S;
            if (silent > limit) {
                uint64_t ext = who->ext;
                uint16_t addr = who->addr;
                al_nwk_neighbour_drop(n, now, who);
                al_nwk_update_beacon(n);
                AL_NWK_TELL(device_left, now, addr, ext, false);
            }
        }
    }
}
