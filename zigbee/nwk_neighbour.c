/* Who is who: neighbours, addresses of devices further away, and conflicts. */
#include "zigbee/nwk_internal.h"

/* ---- Finding ---- */

struct al_nwk_neighbour *al_nwk_neighbour(const struct al_nwk *n, uint16_t addr)
{
    for (unsigned i = 0; i < n->c.neighbour_count; i++) {
        struct al_nwk_neighbour *who = &n->c.neighbours[i];
        if (who->relation != AL_NWK_NOBODY && who->addr == addr) return who;
    }
    return NULL;
}

struct al_nwk_neighbour *al_nwk_neighbour_ext(const struct al_nwk *n, uint64_t ext)
{
    for (unsigned i = 0; ext && i < n->c.neighbour_count; i++) {
        struct al_nwk_neighbour *who = &n->c.neighbours[i];
        if (who->relation != AL_NWK_NOBODY && who->ext == ext) return who;
    }
    return NULL;
}

static struct al_nwk_address *address(const struct al_nwk *n, uint64_t ext)
{
    for (unsigned i = 0; i < n->c.address_count; i++) {
        if (n->c.addresses[i].ext == ext) return &n->c.addresses[i];
    }
    return NULL;
}

const struct al_nwk_address *al_nwk_address(const struct al_nwk *n, uint64_t ext)
{
    return ext ? address(n, ext) : NULL;
}

uint64_t al_nwk_ext_of(const struct al_nwk *n, uint16_t addr)
{
    const struct al_nwk_neighbour *who = al_nwk_neighbour(n, addr);
    if (addr == n->addr && addr != AL_NWK_NO_ADDR) return n->ext;
    if (who && who->ext) return who->ext;
    for (unsigned i = 0; i < n->c.address_count; i++) {
        const struct al_nwk_address *a = &n->c.addresses[i];
        if (a->ext && a->addr == addr) return a->ext;
    }
    return 0;
}

uint16_t al_nwk_addr_of(const struct al_nwk *n, uint64_t ext)
{
    const struct al_nwk_neighbour *who = al_nwk_neighbour_ext(n, ext);
    if (ext == n->ext) return n->addr;
    if (who && (who->relation != AL_NWK_JOINING || who->proven)) return who->addr;
    /* What a stranger calls itself does not count against what is known. */
    const struct al_nwk_address *a = ext ? address(n, ext) : NULL;
    if (a) return a->addr;
    return who ? who->addr : AL_NWK_NO_ADDR;
}

bool al_nwk_is_router(const struct al_nwk_neighbour *who)
{
    return who->relation != AL_NWK_NOBODY && who->relation != AL_NWK_JOINING &&
           who->role != AL_NWK_ROLE_END_DEVICE;
}

bool al_nwk_is_child(const struct al_nwk_neighbour *who)
{
    return who->relation == AL_NWK_CHILD || who->relation == AL_NWK_JOINING;
}

bool al_nwk_is_leaf(const struct al_nwk_neighbour *who)
{
    return al_nwk_is_child(who) && who->role == AL_NWK_ROLE_END_DEVICE;
}

bool al_nwk_sleepy_child(const struct al_nwk *n, uint16_t addr)
{
    const struct al_nwk_neighbour *who = al_nwk_neighbour(n, addr);
    return who && al_nwk_is_child(who) && !who->rx_on;
}

unsigned al_nwk_children(const struct al_nwk *n)
{
    unsigned count = 0;
    for (unsigned i = 0; i < n->c.neighbour_count; i++) {
        const struct al_nwk_neighbour *who = &n->c.neighbours[i];
        count += al_nwk_is_leaf(who) || who->relation == AL_NWK_JOINING;
    }
    return count;
}

/* ---- Entries ---- */

/* A place for somebody heard with lqi: free, or of a sibling that is worth less. */
static struct al_nwk_neighbour *place(const struct al_nwk *n, uint64_t now, bool needed,
                                      uint8_t lqi)
{
    struct al_nwk_neighbour *worst = NULL;
    for (unsigned i = 0; i < n->c.neighbour_count; i++) {
        struct al_nwk_neighbour *who = &n->c.neighbours[i];
        if (who->relation == AL_NWK_NOBODY) return who;
        if (who->relation != AL_NWK_SIBLING) continue;
        if (!worst || who->lqi < worst->lqi) worst = who;
    }
    if (!worst || needed) return worst;
    bool silent = now - worst->heard > 2ull * n->c.link_status_s * AL_NWK_S;
    return silent || worst->lqi + 32 < lqi ? worst : NULL;
}

struct al_nwk_neighbour *al_nwk_neighbour_take(struct al_nwk *n, uint64_t now, uint16_t addr,
                                               uint64_t ext, uint8_t relation, uint8_t lqi)
{
    struct al_nwk_neighbour *who = place(n, now, relation != AL_NWK_SIBLING, lqi);
    if (!who) return NULL;
    if (who->relation != AL_NWK_NOBODY) al_nwk_neighbour_drop(n, now, who);
    *who = (struct al_nwk_neighbour){
        .ext = ext,
        .addr = addr,
        .relation = relation,
        .role = addr == AL_NWK_COORDINATOR ? AL_NWK_ROLE_COORDINATOR : AL_NWK_ROLE_ROUTER,
        .rx_on = true,
        .in_cost = 7,
        .heard = now,
        .timeout_index = 8,
    };
    if (ext && relation != AL_NWK_JOINING) al_nwk_learn(n, now, addr, ext);
    return who;
}

void al_nwk_neighbour_drop(struct al_nwk *n, uint64_t now, struct al_nwk_neighbour *who)
{
    bool kept = al_nwk_is_child(who) && who->proven; /* a stranger leaves no trace */
    bool leaf = kept && al_nwk_is_leaf(who);
    uint16_t addr = who->addr;
    uint64_t ext = who->ext;
    who->relation = AL_NWK_NOBODY;
    if (kept) al_nwk_save_child(n, now, who);
    al_nwk_link_lost(n, addr);
    if (kept && ext) al_nwk_learn(n, now, addr, ext);
    struct al_nwk_address *a = leaf && ext ? address(n, ext) : NULL;
    if (!a) return;
    a->counter_known = who->counter_known;
    a->counter_key = who->counter_key;
    a->counter = who->counter;
}

static uint8_t cost_of(uint8_t lqi)
{
    static const uint8_t at_least[] = {128, 96, 64, 44}, cost[] = {1, 2, 3, 5};
    for (unsigned i = 0; i < sizeof cost; i++) {
        if (lqi >= at_least[i]) return cost[i];
    }
    return 7;
}

uint8_t al_nwk_link_cost(const struct al_nwk_neighbour *who)
{
    if (who->one_way) return 0;
    if (who->out_cost) return who->out_cost > who->in_cost ? who->out_cost : who->in_cost;
    /* No link status yet: only of a parent or child it is known that it hears this node. */
    return who->relation == AL_NWK_SIBLING ? 7 : who->in_cost;
}

void al_nwk_heard(struct al_nwk *n, uint64_t now, struct al_nwk_neighbour *who, uint8_t lqi)
{
    who->lqi = who->lqi ? (uint8_t)((3u * who->lqi + lqi + 2) / 4) : lqi;
    who->in_cost = cost_of(who->lqi);
    who->heard = now;
    who->present = true;
    if (al_nwk_is_parent_role(n)) who->age = 0;
}

/* ---- Addresses ---- */

bool al_nwk_addr_used(const struct al_nwk *n, uint16_t addr)
{
    return addr == n->addr || al_nwk_neighbour(n, addr) || al_nwk_ext_of(n, addr) ||
           al_nwk_route(n, addr);
}

uint16_t al_nwk_random_addr(const struct al_nwk *n)
{
    const uint32_t addresses = AL_NWK_BROADCAST_MIN - 1u; /* from 1 on */
    uint32_t addr = al_nwk_random(n, addresses) + 1;
    while (al_nwk_addr_used(n, (uint16_t)addr)) addr = addr % addresses + 1;
    return (uint16_t)addr;
}

static void note_address(struct al_nwk *n, uint64_t now, uint16_t addr, uint64_t ext, bool add)
{
    struct al_nwk_address *a = address(n, ext);
    if (!n->c.address_count || (a ? a->addr == addr : !add)) return;
    bool known = a;
    if (!a) a = address(n, 0);
    if (!a) a = &n->c.addresses[al_nwk_random(n, n->c.address_count)];
    if (!known) *a = (struct al_nwk_address){.ext = ext};
    a->addr = addr;
    al_nwk_save_address(n, now, a);
}

void al_nwk_learn(struct al_nwk *n, uint64_t now, uint16_t addr, uint64_t ext)
{
    uint64_t other = al_nwk_ext_of(n, addr);
    struct al_nwk_neighbour *who = al_nwk_neighbour_ext(n, ext);
    if (!ext || ext == n->ext || addr >= AL_NWK_BROADCAST_MIN) return;
    if (other && other != ext) {
        al_nwk_conflict(n, now, addr);
        return;
    }
    if (who && who->addr != addr) {
        al_nwk_link_lost(n, who->addr);
        who->addr = addr;
        who->one_way = false;
        if (who->relation == AL_NWK_CHILD) al_nwk_save_child(n, now, who);
    }
    /* Children have their own records. */
    note_address(n, now, addr, ext, !who || !al_nwk_is_child(who));
}

void al_nwk_unlearn(struct al_nwk *n, uint64_t now, uint64_t ext)
{
    struct al_nwk_address *a = ext ? address(n, ext) : NULL;
    struct al_nwk_neighbour *who = al_nwk_neighbour_ext(n, ext);
    uint16_t addr = al_nwk_addr_of(n, ext);
    if (ext == n->ext || addr == AL_NWK_NO_ADDR) return;
    if (who && who->relation != AL_NWK_PARENT) al_nwk_neighbour_drop(n, now, who);
    if (who && !a) a = address(n, ext); /* the drop has put it there */
    if (a) {
        a->ext = 0;
        al_nwk_save_address(n, now, a);
    }
    al_nwk_route_forget(n, addr);
}

/* ---- Conflicts ---- */

/* Two devices have one address: everybody is told, and both take another one. */
void al_nwk_conflict(struct al_nwk *n, uint64_t now, uint16_t addr)
{
    if (addr == AL_NWK_COORDINATOR || !n->up || !al_nwk_is_parent_role(n)) return;
    al_nwk_send_status(n, now, AL_NWK_ALL_RX_ON, AL_NWK_STATUS_ADDRESS_CONFLICT, addr);
    AL_NWK_TELL(status, now, AL_NWK_STATUS_ADDRESS_CONFLICT, addr);
    al_nwk_conflict_in(n, now, addr);
}

void al_nwk_conflict_in(struct al_nwk *n, uint64_t now, uint16_t addr)
{
    struct al_nwk_neighbour *who = al_nwk_neighbour(n, addr);
    if (addr == AL_NWK_COORDINATOR) return;
    if (addr == n->addr) {
        /* An end device waits for its parent to give it a new one. */
        if (al_nwk_is_parent_role(n)) al_nwk_readdress(n, now, al_nwk_random_addr(n));
    } else if (who && al_nwk_is_leaf(who)) {
        al_nwk_child_conflict(n, now, who);
    } else if (al_nwk_is_parent_role(n)) {
        /* Whoever keeps it will be heard with it again. */
        al_nwk_unlearn(n, now, al_nwk_ext_of(n, addr));
    }
}
