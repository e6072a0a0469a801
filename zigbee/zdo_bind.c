/* The binding table: Bind and Unbind, its records, and where its targets are. */
#include "zigbee/zdo_internal.h"

#define RECORD_VERSION 1u
#define RECORD_MAX     32u
#define SECOND_US      1000000u
#define AGAIN_S        30u
#define AGAIN_MAX_S    3600u

/* ---- Store ---- */

static void save(const struct al_zdo *z, const struct al_zdp_binding *b)
{
    uint8_t record[RECORD_MAX];
    struct al_put p = al_put(record, sizeof record);
    const struct al_zb_store *s = z->c.store;
    if (!s) return;
    al_put8(&p, RECORD_VERSION);
    al_zdp_binding_put(b, &p);
    s->save(s->ctx, (uint16_t)(AL_ZB_REC_BINDINGS + (b - z->c.bindings)), b->mode ? record : NULL,
            b->mode ? p.len : 0);
}

void al_zdo_restore(struct al_zdo *z)
{
    const struct al_zb_store *s = z->c.store;
    for (unsigned i = 0; s && i < z->c.binding_count; i++) {
        uint8_t record[RECORD_MAX];
        struct al_zdp_binding b;
        int n = s->load(s->ctx, (uint16_t)(AL_ZB_REC_BINDINGS + i), record, sizeof record);
        struct al_cur c = al_cur(record, n > 0 ? (size_t)n : 0);
        if (al_u8(&c) != RECORD_VERSION || al_zdp_binding_get(&b, &c) || c.failed) continue;
        if (b.src == z->c.nwk->ext) z->c.bindings[i] = b;
    }
}

void al_zdo_forget(struct al_zdo *z)
{
    z->leave.at = 0;
    z->parents.at = z->targets.at = 0;
    for (unsigned i = 0; i < z->c.binding_count; i++) {
        if (!z->c.bindings[i].mode) continue;
        z->c.bindings[i].mode = 0;
        save(z, &z->c.bindings[i]);
    }
}

/* ---- Where they are ---- */

static void ask_next(struct al_zdo *z, uint64_t now);

static void addr_came(void *ctx, uint64_t now, const struct al_zdo_answer *a)
{
    struct al_zdo *z = ctx;
    if (a->status == AL_ZB_OK && a->response->status == AL_ZDP_SUCCESS)
        al_nwk_learn(z->c.nwk, now, a->response->addr_rsp.addr, a->response->addr_rsp.ext);
    else
        z->targets.missing = true;
    ask_next(z, now);
}

/* At the end of the walk: who was not found is asked for again, ever more seldom. */
static void ask_next(struct al_zdo *z, uint64_t now)
{
    z->targets.walking = true;
    while (z->targets.next < z->c.binding_count) {
        const struct al_zdp_binding *b = &z->c.bindings[z->targets.next++];
        if (b->mode != AL_ZDP_BIND_EXT || al_nwk_addr_of(z->c.nwk, b->dst) != AL_NWK_NO_ADDR)
            continue;
        if (al_zdo_nwk_addr(z, now, AL_NWK_ALL_RX_ON, b->dst, addr_came, z) == 0) return;
        z->targets.missing = true;
    }
    z->targets.walking = false;
    z->targets.at = 0;
    if (!z->targets.missing) return;
    z->targets.at = now + z->targets.pause_s * (uint64_t)SECOND_US;
    if (z->targets.pause_s < AGAIN_MAX_S) z->targets.pause_s *= 2;
}

void al_zdo_targets_due(struct al_zdo *z, uint64_t now)
{
    z->targets.at = 0;
    z->targets.next = 0;
    z->targets.missing = false;
    if (z->c.nwk->up) ask_next(z, now);
}

void al_zdo_find_targets(struct al_zdo *z, uint64_t now)
{
    z->targets.pause_s = AGAIN_S;
    if (!z->targets.walking) al_zdo_targets_due(z, now);
}

/* ---- Requests ---- */

static bool same_binding(const struct al_zdp_binding *x, const struct al_zdp_binding *y)
{
    if (x->mode != y->mode || x->cluster != y->cluster || x->src_endpoint != y->src_endpoint)
        return false;
    if (x->mode == AL_ZDP_BIND_GROUP) return x->group == y->group;
    return x->dst == y->dst && x->dst_endpoint == y->dst_endpoint;
}

static uint8_t change_binding(struct al_zdo *z, const struct al_zdp_binding *b, bool bind)
{
    struct al_zdp_binding *place = NULL;
    if (!z->c.binding_count) return AL_ZDP_NOT_SUPPORTED;
    if (b->src != z->c.nwk->ext) return AL_ZDP_NOT_SUPPORTED;
    if (!al_zcl_endpoint(z->c.zcl, b->src_endpoint)) return AL_ZDP_INVALID_ENDPOINT;
    for (unsigned i = 0; i < z->c.binding_count; i++) {
        struct al_zdp_binding *old = &z->c.bindings[i];
        if (old->mode && same_binding(old, b)) {
            if (bind) return AL_ZDP_SUCCESS;
            old->mode = 0;
            save(z, old);
            return AL_ZDP_SUCCESS;
        }
        if (!old->mode && !place) place = old;
    }
    if (!bind) return AL_ZDP_NO_ENTRY;
    if (!place) return AL_ZDP_INSUFFICIENT_SPACE;
    *place = *b;
    save(z, place);
    return AL_ZDP_SUCCESS;
}

void al_zdo_bind(const struct al_zdo_asked *a)
{
    struct al_zdo *z = a->zdo;
    if (a->ind->broadcast) return;
    uint8_t status = change_binding(z, &a->q->bind, a->q->cluster == AL_ZDP_BIND);
    if (status == AL_ZDP_SUCCESS && z->c.up && z->c.up->bindings)
        z->c.up->bindings(z->c.up_ctx, a->now);
    al_zdo_answer_status(a, status);
}
