/* The table of link keys, the outgoing counter, and both in the store. */
#include "zigbee/aps_internal.h"

#define RECORD_VERSION   1u
#define COUNTER_RESERVE  1024u
#define COUNTER_END      (UINT32_MAX - COUNTER_RESERVE)
#define RX_SAVE_INTERVAL 64u /* so many old frames could be replayed after a restart */

#define FLAG_VERIFIED 0x01u
#define FLAG_FRESH    0x02u
#define FLAG_RX_KNOWN 0x04u

/* ---- Store ---- */

static uint16_t record_of(const struct al_aps *a, const struct al_aps_link_key *k)
{
    return (uint16_t)(AL_ZB_REC_LINK_KEYS + (k - a->c.keys));
}

int al_aps_save_key(struct al_aps *a, struct al_aps_link_key *k)
{
    k->rx_saved = k->rx_counter;
    if (!a->c.store) return 0;
    uint8_t record[AL_ZB_RECORD_MAX];
    struct al_put p = al_put(record, sizeof record);
    al_put8(&p, RECORD_VERSION);
    al_put64(&p, k->partner);
    al_put8(&p, k->kind);
    al_put8(&p, (uint8_t)((k->verified ? FLAG_VERIFIED : 0u) | (k->has_fresh ? FLAG_FRESH : 0u) |
                          (k->rx_known ? FLAG_RX_KNOWN : 0u)));
    al_put_bytes(&p, k->key, sizeof k->key);
    al_put_bytes(&p, k->fresh, sizeof k->fresh);
    al_put32(&p, k->rx_counter);
    return a->c.store->save(a->c.store->ctx, record_of(a, k), record, p.len);
}

static void load_key(struct al_aps *a, struct al_aps_link_key *k)
{
    uint8_t record[AL_ZB_RECORD_MAX];
    int n = a->c.store->load(a->c.store->ctx, record_of(a, k), record, sizeof record);
    memset(k, 0, sizeof *k);
    if (n <= 0) return;
    struct al_cur c = al_cur(record, (size_t)n);
    if (al_u8(&c) != RECORD_VERSION) return;
    struct al_aps_link_key read = {.partner = al_le64(&c), .kind = al_u8(&c)};
    uint8_t flags = al_u8(&c);
    al_bytes(&c, read.key, sizeof read.key);
    al_bytes(&c, read.fresh, sizeof read.fresh);
    read.rx_counter = read.rx_saved = al_le32(&c);
    read.verified = flags & FLAG_VERIFIED;
    read.has_fresh = flags & FLAG_FRESH;
    read.rx_known = flags & FLAG_RX_KNOWN;
    if (!c.failed && read.kind <= AL_APS_KEY_APPLICATION) *k = read;
}

static int save_reserve(struct al_aps *a, uint32_t reserve)
{
    if (a->c.store) {
        uint8_t record[8];
        struct al_put p = al_put(record, sizeof record);
        al_put8(&p, RECORD_VERSION);
        al_put32(&p, reserve);
        int err = a->c.store->save(a->c.store->ctx, AL_ZB_REC_APS, record, p.len);
        if (err) return err;
    }
    a->tx_reserved = reserve;
    return 0;
}

void al_aps_restore(struct al_aps *a)
{
    if (!a->c.store) return;
    for (unsigned i = 0; i < a->c.key_count; i++) load_key(a, &a->c.keys[i]);
    uint8_t record[8];
    int n = a->c.store->load(a->c.store->ctx, AL_ZB_REC_APS, record, sizeof record);
    if (n <= 0) return;
    struct al_cur c = al_cur(record, (size_t)n);
    uint8_t version = al_u8(&c);
    uint32_t reserve = al_le32(&c);
    if (c.failed || version != RECORD_VERSION) return;
    /* What was reserved may have been used: go on behind it. */
    a->tx_counter = a->tx_reserved = reserve;
}

int al_aps_take_counter(struct al_aps *a, uint32_t *counter)
{
    if (a->tx_counter >= COUNTER_END) return AL_ERR_INVALID_STATE;
    if (a->tx_counter >= a->tx_reserved) {
        int err = save_reserve(a, a->tx_counter + COUNTER_RESERVE);
        if (err) return err;
    }
    *counter = a->tx_counter++;
    return 0;
}

/* ---- Table ---- */

static void free_key(struct al_aps *a, struct al_aps_link_key *k)
{
    memset(k, 0, sizeof *k);
    if (a->c.store) a->c.store->save(a->c.store->ctx, record_of(a, k), NULL, 0);
}

static struct al_aps_link_key *find(struct al_aps *a, uint64_t partner, bool install_code)
{
    for (unsigned i = 0; partner && i < a->c.key_count; i++) {
        struct al_aps_link_key *k = &a->c.keys[i];
        if (k->partner == partner && (k->kind == AL_APS_KEY_INSTALL_CODE) == install_code) return k;
    }
    return NULL;
}

struct al_aps_link_key *al_aps_install_key(struct al_aps *a, uint64_t partner)
{
    return find(a, partner, true);
}

struct al_aps_link_key *al_aps_key(struct al_aps *a, uint64_t partner)
{
    struct al_aps_link_key *k = find(a, partner, false);
    return k ? k : find(a, partner, true);
}

/* No key of its own: any member can have one made for any EUI that it thinks of. */
static bool expendable(const struct al_aps *a, const struct al_aps_link_key *k)
{
    return a->c.nwk->c.role == AL_NWK_ROLE_COORDINATOR && k->kind == AL_APS_KEY_DEFAULT &&
           !k->verified && !k->has_fresh;
}

static struct al_aps_link_key *take(struct al_aps *a, uint64_t partner)
{
    struct al_aps_link_key *place = NULL;
    for (unsigned i = 0; partner && i < a->c.key_count; i++) {
        struct al_aps_link_key *k = &a->c.keys[i];
        if (!k->partner || (!place && expendable(a, k))) place = k;
        if (!k->partner) break;
    }
    if (!place) return NULL;
    memset(place, 0, sizeof *place);
    place->partner = partner;
    return place;
}

struct al_aps_link_key *al_aps_set_key(struct al_aps *a, uint64_t partner, const uint8_t key[16],
                                       enum al_aps_key_kind kind)
{
    struct al_aps_link_key *k = find(a, partner, kind == AL_APS_KEY_INSTALL_CODE);
    bool same = k && memcmp(k->key, key, sizeof k->key) == 0;
    struct al_aps_link_key before = {.partner = 0};
    if (k)
        before = *k;
    else
        k = take(a, partner);
    if (!k) return NULL;
    memmove(k->key, key, sizeof k->key);
    k->kind = (uint8_t)kind;
    k->verified = k->has_fresh = k->doubted = false;
    memset(k->fresh, 0, sizeof k->fresh);
    if (!same) {
        k->rx_known = false;
        k->rx_counter = 0;
    }
    if (al_aps_save_key(a, k) == 0) return k;
    *k = before;
    return NULL;
}

struct al_aps_link_key *al_aps_heard(struct al_aps *a, uint64_t partner, const uint8_t *link_key,
                                     uint32_t counter)
{
    struct al_aps_link_key *k = al_aps_key(a, partner);
    bool is_default = memcmp(link_key, a->default_key, sizeof a->default_key) == 0;
    bool made = !k;
    if (made)
        k = al_aps_set_key(a, partner, link_key,
                           is_default ? AL_APS_KEY_DEFAULT : AL_APS_KEY_UNIQUE);
    if (!k) return NULL;
    k->rx_counter = counter;
    k->rx_known = true;
    if (made || counter - k->rx_saved >= RX_SAVE_INTERVAL) al_aps_save_key(a, k);
    return k;
}

struct al_aps_link_key *al_aps_set_fresh(struct al_aps *a, uint64_t partner, const uint8_t key[16])
{
    struct al_aps_link_key *k = al_aps_key(a, partner);
    if (!k) k = al_aps_set_key(a, partner, a->default_key, AL_APS_KEY_DEFAULT);
    if (!k) return NULL;
    memmove(k->fresh, key, sizeof k->fresh);
    k->has_fresh = true;
    return al_aps_save_key(a, k) ? NULL : k;
}

struct al_aps_link_key *al_aps_promote(struct al_aps *a, struct al_aps_link_key *k)
{
    uint8_t key[16];
    memcpy(key, k->fresh, sizeof key);
    struct al_aps_link_key *own = al_aps_set_key(a, k->partner, key, AL_APS_KEY_UNIQUE);
    if (!own) return NULL;
    if (own != k) { /* k keeps the install code */
        k->has_fresh = false;
        memset(k->fresh, 0, sizeof k->fresh);
        al_aps_save_key(a, k);
    }
    own->verified = true;
    return al_aps_save_key(a, own) ? NULL : own;
}

void al_aps_doubt_key(struct al_aps *a, uint64_t partner)
{
    struct al_aps_link_key *k = find(a, partner, false);
    if (k && k->verified)
        k->doubted = true;
    else if (k)
        free_key(a, k);
}

void al_aps_trust_key(struct al_aps *a, uint64_t partner)
{
    struct al_aps_link_key *k = find(a, partner, false);
    if (k) k->doubted = false;
}

bool al_aps_has_own_key(struct al_aps *a, uint64_t partner)
{
    const struct al_aps_link_key *k = al_aps_key(a, partner);
    return k && (k->verified || k->kind == AL_APS_KEY_INSTALL_CODE);
}

void al_aps_delete_key(struct al_aps *a, uint64_t partner)
{
    struct al_aps_link_key *k = find(a, partner, false);
    if (k) free_key(a, k);
}

void al_aps_delete_install_key(struct al_aps *a, uint64_t partner)
{
    struct al_aps_link_key *k = find(a, partner, true);
    if (k) free_key(a, k);
}

void al_aps_forget(struct al_aps *a)
{
    for (unsigned i = 0; i < a->c.key_count; i++) {
        struct al_aps_link_key *k = &a->c.keys[i];
        if (!k->partner) continue;
        if (k->kind != AL_APS_KEY_INSTALL_CODE) {
            free_key(a, k);
            continue;
        }
        k->has_fresh = k->rx_known = false;
        k->rx_counter = 0;
        al_aps_save_key(a, k);
    }
}
