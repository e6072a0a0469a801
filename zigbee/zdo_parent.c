/* Parent_annce: a parent that was away names the children that it remembers. Who has one of
 * them by now says so, and it is struck off here. Source: core specification R22, 2.4.3.1.12
 * and 2.4.4.2.22. */
#include "zigbee/zdo_internal.h"

#define FIRST_US    10000000u /* apsParentAnnounceBaseTimer */
#define JITTER_US   10000000u /* apsParentAnnounceJitterMax */
#define PAUSE_US    1000000u  /* between the parts of a long list */
#define PER_FRAME   9u        /* of a broadcast, which is not fragmented */
#define ANSWERS_MAX 10u

static bool is_leaf(const struct al_nwk_neighbour *who)
{
    return who->relation == AL_NWK_CHILD && who->role == AL_NWK_ROLE_END_DEVICE && who->ext;
}

static bool has_children(const struct al_nwk *n)
{
    for (unsigned i = 0; i < n->c.neighbour_count; i++) {
        if (is_leaf(&n->c.neighbours[i])) return true;
    }
    return false;
}

void al_zdo_announce_children(struct al_zdo *z, uint64_t now)
{
    const struct al_nwk *n = z->c.nwk;
    z->parents.at = 0;
    z->parents.index = 0;
    if (!has_children(n)) return;
    z->parents.at = now + FIRST_US + n->c.random.next(n->c.random.ctx) % JITTER_US;
}

/* Those from index on, as many as fit; moves the index behind them. */
static uint8_t put_children(const struct al_nwk *n, uint16_t *index, struct al_put *p)
{
    uint8_t count = 0;
    for (; *index < n->c.neighbour_count && count < PER_FRAME; ++*index) {
        const struct al_nwk_neighbour *who = &n->c.neighbours[*index];
        if (!is_leaf(who)) continue;
        al_put64(p, who->ext);
        count++;
    }
    return count;
}

void al_zdo_parents_due(struct al_zdo *z, uint64_t now)
{
    uint8_t exts[8 * PER_FRAME];
    struct al_put p = al_put(exts, sizeof exts);
    uint16_t index = z->parents.index;
    uint8_t count = put_children(z->c.nwk, &index, &p);
    struct al_zdp q = {.cluster = AL_ZDP_PARENT_ANNCE,
                       .parent_annce = {.exts = exts, .count = count}};
    z->parents.at = 0;
    if (!count) return;
    z->parents.at = now + PAUSE_US;
    if (al_zdo_request(z, now, AL_NWK_ALL_ROUTERS, &q, NULL, NULL) == 0) z->parents.index = index;
}

/* The children here that were heard of late are named back. One that was not heard since the
 * own start may well be the other's. */
void al_zdo_parents(const struct al_zdo_asked *a)
{
    uint8_t exts[8 * ANSWERS_MAX];
    struct al_put p = al_put(exts, sizeof exts);
    uint8_t count = 0;
    if (a->zdo->c.nwk->c.role == AL_NWK_ROLE_END_DEVICE || a->ind->src == a->zdo->c.nwk->addr)
        return;
    for (uint8_t i = 0; i < a->q->parent_annce.count && count < ANSWERS_MAX; i++) {
        uint64_t ext = al_get_le64(a->q->parent_annce.exts + 8u * i);
        const struct al_nwk_neighbour *who = al_nwk_neighbour_ext(a->zdo->c.nwk, ext);
        if (!who || !is_leaf(who) || !who->present) continue;
        al_put64(&p, ext);
        count++;
    }
    if (!count) return;
    struct al_zdp r = {.parent_annce = {.exts = exts, .count = count}};
    al_zdo_answer(a, &r);
}

void al_zdo_children_moved(struct al_zdo *z, uint64_t now, const struct al_zdp *response)
{
    struct al_nwk *n = z->c.nwk;
    if (response->status || n->c.role == AL_NWK_ROLE_END_DEVICE) return;
    for (uint8_t i = 0; i < response->parent_annce.count; i++) {
        uint64_t ext = al_get_le64(response->parent_annce.exts + 8u * i);
        struct al_nwk_neighbour *who = al_nwk_neighbour_ext(n, ext);
        if (who && is_leaf(who)) al_nwk_child_moved(n, now, ext);
    }
}
