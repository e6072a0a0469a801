/* Link status: routers tell each other every now and then how well they hear whom. Who is
 * silent for three periods is no neighbour any more. */
#include "zigbee/nwk_internal.h"

#define AGE_LIMIT   3u
#define PER_COMMAND 26u /* entries in one frame with the source EUI */

static bool listed(const struct al_nwk_neighbour *who)
{
    return al_nwk_is_router(who) && who->age < AGE_LIMIT;
}

/* The router with the lowest address from `from` on. */
static const struct al_nwk_neighbour *next_router(const struct al_nwk *n, uint32_t from)
{
    const struct al_nwk_neighbour *best = NULL;
    for (unsigned i = 0; i < n->c.neighbour_count; i++) {
        const struct al_nwk_neighbour *who = &n->c.neighbours[i];
        if (listed(who) && who->addr >= from && (!best || who->addr < best->addr)) best = who;
    }
    return best;
}

static void age(struct al_nwk *n, uint64_t now)
{
    for (unsigned i = 0; i < n->c.neighbour_count; i++) {
        struct al_nwk_neighbour *who = &n->c.neighbours[i];
        if (!al_nwk_is_router(who)) continue;
        if (who->age < AGE_LIMIT)
            who->age++;
        else
            al_nwk_neighbour_drop(n, now, who);
    }
}

static void send_part(struct al_nwk *n, uint64_t now, const uint8_t *entries, uint8_t count,
                      bool first, bool last)
{
    const struct al_nwk_command cmd = {
        .id = AL_NWK_LINK_STATUS,
        .link_status = {.entries = entries, .count = count, .first = first, .last = last},
    };
    const struct al_nwk_how how = {.flags = 0};
    al_nwk_command(n, now, &cmd, AL_NWK_ALL_ROUTERS, 0, 1, &how);
}

void al_nwk_send_link_status(struct al_nwk *n, uint64_t now)
{
    uint8_t entries[3 * PER_COMMAND];
    uint32_t from = 0;
    bool first = true;
    uint32_t period = n->c.link_status_s;
    n->next_link_status =
        now + (period * AL_NWK_S) - AL_NWK_S / 2 + al_nwk_random(n, (uint32_t)AL_NWK_S);
    if (!al_nwk_active_key(n)) return;
    age(n, now);
    for (;;) {
        struct al_put p = al_put(entries, sizeof entries);
        uint8_t count = 0;
        const struct al_nwk_neighbour *who = next_router(n, from);
        for (; who && count < PER_COMMAND; count++) {
            const struct al_nwk_link link = {
                .addr = who->addr, .incoming = who->in_cost, .outgoing = who->out_cost};
            al_nwk_link_put(&p, &link);
            from = who->addr + 1u;
            who = next_router(n, from);
        }
        send_part(n, now, entries, count, first, !who);
        if (!who) return;
        first = false;
    }
}

/* Whether a list in which this node would stand has come. */
static bool covers(const struct al_nwk *n, const struct al_nwk_command *cmd)
{
    uint8_t count = cmd->link_status.count;
    bool from = cmd->link_status.first || (count && al_nwk_link_get(cmd, 0).addr <= n->addr);
    bool to = cmd->link_status.last ||
              (count && al_nwk_link_get(cmd, (uint8_t)(count - 1)).addr >= n->addr);
    return from && to;
}

void al_nwk_link_status_in(struct al_nwk *n, const struct al_nwk_command *cmd,
                           struct al_nwk_neighbour *who)
{
    uint8_t cost = 0;
    if (!al_nwk_is_parent_role(n)) return;
    for (uint8_t i = 0; i < cmd->link_status.count; i++) {
        struct al_nwk_link link = al_nwk_link_get(cmd, i);
        if (link.addr == n->addr) cost = link.incoming;
    }
    if (cost) {
        who->out_cost = cost;
        who->one_way = false;
    } else if (covers(n, cmd)) {
        who->out_cost = 0;
        who->one_way = who->relation == AL_NWK_SIBLING;
    }
}
