/* Protection with the network key: outgoing counters that never go back, incoming ones
 * that must rise, and two keys of which one is in force. */
#include "zigbee/nwk_internal.h"

#define RESERVE        1024u
#define UNREADABLE_MAX 3u
/* The key must be changed before: 0xffffffff is never accepted. */
#define COUNTER_END    (UINT32_MAX - 128u)

/* ---- Outgoing ---- */

/* At the end of the range it must not wrap: a restart would begin at 0 again. */
static uint32_t reserve_behind(uint32_t counter)
{
    return counter < UINT32_MAX - RESERVE ? counter + RESERVE : UINT32_MAX;
}

static int take_counter(struct al_nwk *n, uint32_t *counter)
{
    if (n->counter >= COUNTER_END) return AL_ERR_NOT_ALLOWED;
    if (n->counter >= n->counter_reserved) {
        uint32_t before = n->counter_reserved;
        n->counter_reserved = reserve_behind(n->counter);
        int err = al_nwk_save_counter(n);
        if (err) {
            n->counter_reserved = before;
            return err;
        }
    }
    *counter = n->counter++;
    return 0;
}

int al_nwk_protect(struct al_nwk *n, struct al_nwk_frame *f, struct al_put *p)
{
    const struct al_nwk_key *key = al_nwk_active_key(n);
    if (!key) return AL_ERR_INVALID_STATE;
    f->secured = true;
    f->aux = (struct al_aux){
        .source = n->ext, .has_source = true, .key_id = AL_SEC_KEY_NETWORK, .key_seq = key->seq};
    int err = take_counter(n, &f->aux.counter);
    return err ? err : al_nwk_seal(f, n->c.aes, key->key, p);
}

/* ---- Incoming ---- */

static const struct al_nwk_key *key_by_seq(const struct al_nwk *n, uint8_t seq)
{
    for (unsigned i = 0; i < 2; i++) {
        if (n->keys[i].valid && n->keys[i].seq == seq) return &n->keys[i];
    }
    return NULL;
}

/* Counters of the key in force begin anew with it; one of the key before counts only as
 * long as the neighbour was not heard with the new one. */
static bool rises(const struct al_nwk *n, uint8_t key_seq, uint32_t last, const struct al_aux *aux)
{
    if (key_seq == aux->key_seq) return aux->counter > last;
    return aux->key_seq == n->keys[n->active_key].seq;
}

/* Of a child that moved away the counter is known, too: else somebody could bring it back by
 * its rejoin request of long ago. */
static bool counter_rises(const struct al_nwk *n, uint64_t source, bool rejoining,
                          const struct al_aux *aux)
{
    const struct al_nwk_neighbour *who = al_nwk_neighbour_ext(n, source);
    const struct al_nwk_address *old = rejoining && !who ? al_nwk_address(n, source) : NULL;
    if (aux->counter == UINT32_MAX) return false;
    if (who && who->counter_known) return rises(n, who->counter_key, who->counter, aux);
    if (old && old->counter_known) return rises(n, old->counter_key, old->counter, aux);
    return true;
}

/* The source that the MAC tells stands under no MIC, the one of NWK does: somebody else's
 * frame that was passed on shows nothing about addresses that would be another's. */
static bool address_doubtful(const struct al_nwk *n, const struct al_nwk_frame *f, uint16_t relay,
                             uint64_t ext)
{
    uint64_t owner = al_nwk_ext_of(n, relay);
    uint16_t addr = al_nwk_addr_of(n, ext);
    if (f->src == relay) return false;
    return (owner && owner != ext) || (addr != AL_NWK_NO_ADDR && addr != relay);
}

/* An entry for the sender, found by its EUI; its address may be a new one. */
static struct al_nwk_neighbour *sender(struct al_nwk *n, uint64_t now, uint16_t relay, uint64_t ext,
                                       bool may_add, uint8_t lqi)
{
    struct al_nwk_neighbour *who = al_nwk_neighbour_ext(n, ext);
    struct al_nwk_neighbour *at = al_nwk_neighbour(n, relay);
    if (who && who->addr == relay) return who;
    if (at && at->ext && at->ext != ext) {
        bool silent = now - at->heard > 60 * AL_NWK_S;
        bool stale = at->relation == AL_NWK_SIBLING && silent;
        if (at->relation == AL_NWK_PARENT && silent) {
            /* Somebody else answers in its place, and what it says is not heard. */
            at->heard = now;
            AL_NWK_TELL(parent_lost, now);
            return NULL;
        }
        if (!stale) {
            al_nwk_conflict(n, now, relay);
            return NULL;
        }
        al_nwk_neighbour_drop(n, now, at);
        at = NULL;
    }
    if (who) {
        if (at) al_nwk_neighbour_drop(n, now, at);
        al_nwk_learn(n, now, relay, ext);
        return who->addr == relay ? who : NULL;
    }
    if (at) {
        at->ext = ext;
        return at;
    }
    if (!may_add) return NULL;
    who = al_nwk_neighbour_take(n, now, relay, ext, AL_NWK_SIBLING, lqi);
    if (!who) n->dropped_full++;
    return who;
}

/* The network has a newer key that this end device missed: it slept, or was off. Several
 * frames in a row, as anybody can send one; routers notice that nobody speaks to them. */
static void key_missed(struct al_nwk *n, uint64_t now, const struct al_aux *aux, uint16_t relay)
{
    const struct al_nwk_key *active = al_nwk_active_key(n);
    if (al_nwk_is_parent_role(n) || !n->up || relay != n->parent || !active) return;
    if (aux->key_id != AL_SEC_KEY_NETWORK || (int8_t)(aux->key_seq - active->seq) <= 0) return;
    if (++n->unreadable < UNREADABLE_MAX) return;
    n->unreadable = 0;
    AL_NWK_TELL(parent_lost, now);
}

bool al_nwk_unprotect(struct al_nwk *n, uint64_t now, struct al_nwk_frame *f,
                      const struct al_mac_data_ind *ind, uint8_t *plain,
                      struct al_nwk_neighbour **who)
{
    uint16_t relay = ind->src.short_addr;
    const struct al_nwk_key *key =
        f->aux.key_id == AL_SEC_KEY_NETWORK ? key_by_seq(n, f->aux.key_seq) : NULL;
    uint64_t source = f->aux.has_source ? f->aux.source : al_nwk_ext_of(n, relay);
    if (source == n->ext) return false; /* an own frame, played back */
    if (!key || !source || al_nwk_open(f, n->c.aes, key->key, source, plain)) {
        n->dropped_mic++;
        if (!key) key_missed(n, now, &f->aux, relay);
        return false;
    }
    if (relay == n->parent) n->unreadable = 0;
    if ((int8_t)(key->seq - n->keys[n->active_key].seq) > 0) al_nwk_switch_key(n, now, key->seq);
    /* A device that asks to rejoin may be anybody's child. */
    bool rejoining = al_nwk_is_command(f, AL_NWK_REJOIN_REQUEST) && f->src == relay;
    if (!counter_rises(n, source, rejoining, &f->aux) || address_doubtful(n, f, relay, source)) {
        n->dropped_replay++;
        return false;
    }
    if (relay == n->addr) {
        al_nwk_conflict(n, now, relay);
        return false;
    }

    bool leaf = f->end_device && f->src == relay;
    *who = rejoining ? al_nwk_neighbour_ext(n, source)
                     : sender(n, now, relay, source, al_nwk_is_parent_role(n) && !leaf, ind->lqi);
    if (!*who) {
        bool to_parent = leaf && !rejoining && ind->dst.short_addr == n->addr;
        if (to_parent && al_nwk_is_parent_role(n) && !al_nwk_neighbour(n, relay))
            al_nwk_disown(n, now, relay, false);
        return rejoining;
    }
    (*who)->counter_known = true;
    (*who)->counter_key = f->aux.key_seq;
    (*who)->counter = f->aux.counter;
    if ((*who)->relation == AL_NWK_JOINING && !rejoining) al_nwk_child_is_member(n, now, *who);
    return true;
}

/* ---- Keys ---- */

const struct al_nwk_key *al_nwk_active_key(const struct al_nwk *n)
{
    const struct al_nwk_key *key = &n->keys[n->active_key];
    return key->valid ? key : NULL;
}

static uint8_t place_of(const struct al_nwk *n, uint8_t seq)
{
    for (uint8_t i = 0; i < 2; i++) {
        if (n->keys[i].valid && n->keys[i].seq == seq) return i;
    }
    return n->keys[n->active_key].valid ? !n->active_key : n->active_key;
}

void al_nwk_set_key(struct al_nwk *n, uint64_t now, const uint8_t key[16], uint8_t seq)
{
    uint8_t i = place_of(n, seq);
    bool first = !al_nwk_active_key(n);
    bool same = n->keys[i].valid && memcmp(n->keys[i].key, key, 16) == 0;
    memcpy(n->keys[i].key, key, 16);
    n->keys[i].seq = seq;
    n->keys[i].valid = true;
    if (first || n->awaiting_key) n->active_key = i;
    if (!same && i == n->active_key) {
        for (unsigned k = 0; k < n->c.neighbour_count; k++)
            n->c.neighbours[k].counter_known = false;
    }
    al_nwk_save_keys(n, now);
    if (!n->awaiting_key) return;
    n->awaiting_key = false;
    al_nwk_go_up(n, now);
    al_nwk_save_network(n, now);
}

void al_nwk_switch_key(struct al_nwk *n, uint64_t now, uint8_t seq)
{
    const struct al_nwk_key *old = al_nwk_active_key(n), *key = key_by_seq(n, seq);
    if (!key || key == old) return;
    /* Never back: its counters are used, and a member that was shut out still has it. */
    if (old && (int8_t)(seq - old->seq) < 0) return;
    bool same = old && memcmp(old->key, key->key, sizeof key->key) == 0;
    n->active_key = (uint8_t)(key - n->keys);
    /* Only behind the key: a cut in between leaves the larger counter. Not saved, the old key
     * would be in force again after a restart. */
    if (al_nwk_save_keys(n, now) || same) return;
    n->counter = 0;
    n->counter_reserved = 0;
}
