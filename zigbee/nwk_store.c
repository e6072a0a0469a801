/* Records of the NWK layer. Each begins with the version of its layout. */
#include "zigbee/nwk_internal.h"

#define LAYOUT    1u
#define ADDRESSES (AL_ZB_REC_DEVICES + 0x800u) /* children lie below */

static int save(const struct al_nwk *n, uint32_t record, const struct al_put *p)
{
    const struct al_zb_store *s = n->c.store;
    return s ? s->save(s->ctx, (uint16_t)record, p ? p->buf : NULL, p ? p->len : 0) : 0;
}

/* A cursor over a record; failed when there is none, or of another layout. */
static struct al_cur load(const struct al_nwk *n, uint32_t record, uint8_t *buf)
{
    const struct al_zb_store *s = n->c.store;
    int len = s ? s->load(s->ctx, (uint16_t)record, buf, AL_ZB_RECORD_MAX) : AL_ERR_NOT_FOUND;
    struct al_cur c = al_cur(buf, len > 0 ? (size_t)len : 0);
    if (al_u8(&c) != LAYOUT) c.failed = true;
    return c;
}

static struct al_put begin(uint8_t *buf)
{
    struct al_put p = al_put(buf, AL_ZB_RECORD_MAX);
    al_put8(&p, LAYOUT);
    return p;
}

/* ---- Network ---- */

void al_nwk_save_network(struct al_nwk *n, uint64_t now)
{
    uint8_t buf[AL_ZB_RECORD_MAX];
    struct al_put p = begin(buf);
    const struct al_nwk_neighbour *parent = al_nwk_neighbour(n, n->parent);
    al_put8(&p, (uint8_t)n->c.role);
    al_put64(&p, n->ext);
    al_put64(&p, n->epid);
    al_put16(&p, n->pan_id);
    al_put16(&p, n->addr);
    al_put16(&p, n->parent);
    al_put64(&p, parent ? parent->ext : 0);
    al_put8(&p, n->channel);
    al_put8(&p, n->update_id);
    al_put8(&p, n->depth);
    al_put8(&p, n->parent_info);
    save(n, AL_ZB_REC_NETWORK, &p);
    AL_NWK_TELL(changed, now);
}

static bool restore_network(struct al_nwk *n)
{
    uint8_t buf[AL_ZB_RECORD_MAX];
    struct al_cur c = load(n, AL_ZB_REC_NETWORK, buf);
    uint8_t role = al_u8(&c);
    uint64_t ext = al_le64(&c);
    if (c.failed || role != n->c.role || ext != n->ext) return false;
    n->epid = al_le64(&c);
    n->pan_id = al_le16(&c);
    n->addr = al_le16(&c);
    n->parent = al_le16(&c);
    uint64_t parent_ext = al_le64(&c);
    n->channel = al_u8(&c);
    n->update_id = al_u8(&c);
    n->depth = al_u8(&c);
    n->parent_info = al_u8(&c);
    bool coordinator = n->c.role == AL_NWK_ROLE_COORDINATOR;
    bool addr_ok = n->addr < AL_NWK_BROADCAST_MIN && coordinator == (n->addr == AL_NWK_COORDINATOR);
    bool air_ok = n->channel >= 11 && n->channel <= 26 && n->pan_id != AL_MAC_BROADCAST;
    bool ok = !c.failed && addr_ok && air_ok;
    if (!ok)
        n->addr = AL_NWK_NO_ADDR;
    else if (n->c.role == AL_NWK_ROLE_END_DEVICE)
        al_nwk_set_parent(n, 0, n->parent, parent_ext);
    return ok;
}

/* ---- Keys and the counter ---- */

int al_nwk_save_keys(struct al_nwk *n, uint64_t now)
{
    uint8_t buf[AL_ZB_RECORD_MAX];
    struct al_put p = begin(buf);
    al_put8(&p, n->active_key);
    for (unsigned i = 0; i < 2; i++) {
        al_put8(&p, n->keys[i].valid);
        al_put8(&p, n->keys[i].seq);
        al_put_bytes(&p, n->keys[i].key, 16);
    }
    int err = save(n, AL_ZB_REC_NWK_KEYS, &p);
    AL_NWK_TELL(changed, now);
    return err;
}

static bool restore_keys(struct al_nwk *n)
{
    uint8_t buf[AL_ZB_RECORD_MAX];
    struct al_cur c = load(n, AL_ZB_REC_NWK_KEYS, buf);
    n->active_key = al_u8(&c) & 1;
    for (unsigned i = 0; i < 2; i++) {
        n->keys[i].valid = al_u8(&c);
        n->keys[i].seq = al_u8(&c);
        al_bytes(&c, n->keys[i].key, 16);
    }
    return !c.failed && al_nwk_active_key(n);
}

int al_nwk_save_counter(struct al_nwk *n)
{
    uint8_t buf[AL_ZB_RECORD_MAX];
    struct al_put p = begin(buf);
    al_put32(&p, n->counter_reserved);
    return save(n, AL_ZB_REC_COUNTERS, &p);
}

static void restore_counter(struct al_nwk *n)
{
    uint8_t buf[AL_ZB_RECORD_MAX];
    struct al_cur c = load(n, AL_ZB_REC_COUNTERS, buf);
    uint32_t reserved = al_le32(&c);
    if (!c.failed) n->counter = n->counter_reserved = reserved;
}

/* ---- Children and addresses ---- */

static uint32_t child_record(const struct al_nwk *n, const struct al_nwk_neighbour *child)
{
    return AL_ZB_REC_DEVICES + (uint32_t)(child - n->c.neighbours);
}

void al_nwk_save_child(struct al_nwk *n, uint64_t now, const struct al_nwk_neighbour *child)
{
    uint8_t buf[AL_ZB_RECORD_MAX];
    struct al_put p = begin(buf);
    al_put64(&p, child->ext);
    al_put16(&p, child->addr);
    al_put8(&p, child->capability);
    al_put8(&p, child->timeout_index);
    save(n, child_record(n, child), child->relation == AL_NWK_CHILD ? &p : NULL);
    AL_NWK_TELL(changed, now);
}

void al_nwk_save_address(struct al_nwk *n, uint64_t now, const struct al_nwk_address *a)
{
    uint8_t buf[AL_ZB_RECORD_MAX];
    struct al_put p = begin(buf);
    if (n->c.role != AL_NWK_ROLE_COORDINATOR) return; /* others learn them again */
    al_put64(&p, a->ext);
    al_put16(&p, a->addr);
    save(n, ADDRESSES + (uint32_t)(a - n->c.addresses), a->ext ? &p : NULL);
    AL_NWK_TELL(changed, now);
}

static void restore_devices(struct al_nwk *n)
{
    uint8_t buf[AL_ZB_RECORD_MAX];
    for (unsigned i = 0; i < n->c.neighbour_count; i++) {
        struct al_nwk_neighbour child = {.relation = AL_NWK_CHILD, .proven = true, .in_cost = 7};
        struct al_cur c = load(n, AL_ZB_REC_DEVICES + i, buf);
        child.ext = al_le64(&c);
        child.addr = al_le16(&c);
        child.capability = al_u8(&c);
        child.timeout_index = al_u8(&c);
        child.role = child.capability & AL_CAP_ROUTER ? AL_NWK_ROLE_ROUTER : AL_NWK_ROLE_END_DEVICE;
        child.rx_on = child.capability & AL_CAP_RX_ON;
        if (!al_nwk_timeout_seconds(child.timeout_index)) child.timeout_index = 8; /* 256 min */
        if (!c.failed && child.ext) n->c.neighbours[i] = child;
    }
    for (unsigned i = 0; i < n->c.address_count; i++) {
        struct al_cur c = load(n, ADDRESSES + i, buf);
        struct al_nwk_address a = {.ext = al_le64(&c), .addr = al_le16(&c)};
        if (!c.failed && a.ext) n->c.addresses[i] = a;
    }
}

bool al_nwk_restore(struct al_nwk *n)
{
    uint8_t buf[AL_ZB_RECORD_MAX];
    restore_counter(n);
    if (!restore_network(n) || !restore_keys(n)) {
        /* A power cut between the records of a join, or of leaving: as if it had not begun, or
         * had ended. The network of another role or radio is left alone. */
        al_nwk_clear(n);
        if (load(n, AL_ZB_REC_NETWORK, buf).failed) al_nwk_erase_records(n);
        return false;
    }
    if (al_nwk_is_parent_role(n)) restore_devices(n);
    return true;
}

void al_nwk_erase_records(struct al_nwk *n)
{
    save(n, AL_ZB_REC_NETWORK, NULL);
    save(n, AL_ZB_REC_NWK_KEYS, NULL);
    for (unsigned i = 0; i < n->c.neighbour_count; i++) save(n, AL_ZB_REC_DEVICES + i, NULL);
    for (unsigned i = 0; i < n->c.address_count; i++) save(n, ADDRESSES + i, NULL);
}
