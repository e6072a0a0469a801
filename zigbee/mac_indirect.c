/* The parent's side of polling: frames wait for their child, oldest first, one a poll. */
#include "zigbee/mac_internal.h"

/* From the poll on; macMaxFrameTotalWaitTime less a CSMA-CA that takes long. */
#define RELEASE_US (AL_RADIO_FRAME_WAIT_US - 3520u)

static bool same(const struct al_mac_addr *a, const struct al_mac_addr *b)
{
    if (a->mode != b->mode) return false;
    return a->mode == AL_MAC_EXT ? a->ext == b->ext : a->short_addr == b->short_addr;
}

static bool waits_for(const struct al_mac_slot *s, const struct al_mac_addr *addr)
{
    return s->len && s->indirect && same(&s->dst, addr);
}

unsigned al_mac_waiting_for(const struct al_mac *m, const struct al_mac_addr *addr)
{
    unsigned n = 0;
    for (unsigned i = 0; i < m->top; i++) n += waits_for(&m->c.slots[i], addr);
    return n;
}

void al_mac_pending_changed(struct al_mac *m, const struct al_mac_addr *addr, bool added)
{
    bool extended = addr->mode == AL_MAC_EXT;
    if (al_mac_waiting_for(m, addr) != added) return; /* neither the first nor the last */
    m->c.radio->set_pending(m->c.radio->ctx, extended, extended ? addr->ext : addr->short_addr,
                            added);
}

void al_mac_child_polled(struct al_mac *m, uint64_t now, const struct al_mac_addr *child,
                         bool pending)
{
    struct al_mac_slot *first = NULL;
    /* Told "nothing", the child does not listen. */
    for (unsigned i = 0; pending && i < m->top; i++) {
        struct al_mac_slot *s = &m->c.slots[i];
        if (!waits_for(s, child) || s->failed) continue;
        if (!first || (int32_t)(s->order - first->order) < 0) first = s;
    }
    if (first) {
        first->released = true;
        first->release_by = now + RELEASE_US;
        al_mac_kick(m, now);
    }
    if (m->c.up->child_polled) m->c.up->child_polled(m->c.up_ctx, now, child);
}

static void end(struct al_mac *m, uint64_t now, struct al_mac_slot *s, enum al_zb_status status)
{
    uint16_t handle = s->handle;
    al_mac_slot_free(m, s);
    if (handle && m->c.up->sent) m->c.up->sent(m->c.up_ctx, now, handle, status);
}

void al_mac_indirect_done(struct al_mac *m, uint64_t now, struct al_mac_slot *s,
                          enum al_radio_status status)
{
    s->released = false;
    if (status == AL_RADIO_SENT)
        end(m, now, s, AL_ZB_OK);
    else if (status == AL_RADIO_FAILED)
        end(m, now, s, AL_ZB_RADIO);
    else if (now >= s->expires)
        end(m, now, s, AL_ZB_EXPIRED);
    /* Else the child's next poll brings another try. */
}

void al_mac_indirect_run(struct al_mac *m, uint64_t now)
{
    for (unsigned i = 0; i < m->top; i++) {
        struct al_mac_slot *s = &m->c.slots[i];
        if (s->len && s->indirect && s != m->sending && now >= s->expires)
            end(m, now, s, AL_ZB_EXPIRED);
    }
}
