/* Frames protected by link keys. */
#include "zigbee/aps_internal.h"

static enum al_key_use use_of(uint8_t key_id)
{
    switch (key_id) {
    case AL_SEC_KEY_TRANSPORT:
        return AL_KEY_TRANSPORT;
    case AL_SEC_KEY_LOAD:
        return AL_KEY_LOAD;
    default:
        return AL_KEY_DATA;
    }
}

int al_aps_protect(struct al_aps *a, struct al_aps_frame *f, uint64_t partner, uint8_t key_id,
                   bool fresh, struct al_put *p)
{
    const struct al_aps_link_key *k = al_aps_key(a, partner);
    if (k && k->doubted) k = al_aps_install_key(a, partner);
    if (fresh && (!k || !k->has_fresh)) return AL_ERR_NOT_FOUND;
    f->secured = true;
    f->aux = (struct al_aux){.key_id = key_id, .has_source = true, .source = a->c.nwk->ext};
    int err = al_aps_take_counter(a, &f->aux.counter);
    if (err) return err;
    uint8_t key[16];
    al_key_derive(a->c.aes, !k ? a->default_key : fresh ? k->fresh : k->key, use_of(key_id), key);
    return al_aps_seal(f, a->c.aes, key, p);
}

static int open_with(const struct al_aps *a, struct al_aps_in *in, const uint8_t *link_key,
                     uint8_t *plain)
{
    uint8_t key[16];
    al_key_derive(a->c.aes, link_key, use_of(in->f.aux.key_id), key);
    int err = al_aps_open(&in->f, a->c.aes, key, in->key_source, plain);
    if (!err) in->link_key = link_key;
    return err;
}

static int open_with_entry(const struct al_aps *a, struct al_aps_in *in, uint8_t *plain)
{
    const struct al_aps_link_key *k = in->key;
    if (k->has_fresh && open_with(a, in, k->fresh, plain) == 0) {
        in->fresh_key = true;
        return 0;
    }
    return open_with(a, in, k->key, plain);
}

/* A partner that has forgotten its key shows that by the one that it began with. */
static int open_in_doubt(struct al_aps *a, struct al_aps_in *in, uint8_t *plain)
{
    if (open_with_entry(a, in, plain) == 0) return 0;
    struct al_aps_link_key *install = al_aps_install_key(a, in->key_source);
    int err = open_with(a, in, install ? install->key : a->default_key, plain);
    if (err) return err;
    al_aps_delete_key(a, in->key_source);
    in->key = install;
    return 0;
}

/* The keys that the sender may have used, the likeliest first. */
static int open_by_candidates(struct al_aps *a, struct al_aps_in *in, uint8_t *plain)
{
    if (in->key)
        return in->key->doubted ? open_in_doubt(a, in, plain) : open_with_entry(a, in, plain);
    struct al_aps_link_key *own = al_aps_install_key(a, AL_APS_ANY_PARTNER);
    if (own && open_with(a, in, own->key, plain) == 0) return 0;
    return open_with(a, in, a->default_key, plain);
}

int al_aps_unprotect(struct al_aps *a, struct al_aps_in *in, uint8_t *plain)
{
    const struct al_aux *aux = &in->f.aux;
    if (aux->key_id == AL_SEC_KEY_NETWORK) return AL_ERR_NOT_SUPPORTED;
    in->key_source = aux->has_source ? aux->source : in->src_ext;
    if (!in->key_source || in->key_source == AL_APS_ANY_PARTNER) return AL_ERR_NOT_FOUND;
    if (aux->counter == UINT32_MAX) return AL_ERR_NOT_ALLOWED;
    in->key = al_aps_key(a, in->key_source);
    int err = open_by_candidates(a, in, plain);
    if (err) return err;
    /* A fresh key has no counter yet: only what answers for itself may use it. */
    if (in->fresh_key) return in->f.type == AL_APS_COMMAND ? 0 : AL_ERR_NOT_ALLOWED;
    if (in->key && in->key->rx_known) {
        if (aux->counter < in->key->rx_counter) return AL_ERR_NOT_ALLOWED;
        in->repeated = aux->counter == in->key->rx_counter;
    }
    if (in->key && !in->repeated) in->key->doubted = false;
    return 0;
}
