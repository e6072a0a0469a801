/* Formation: measure the channels, look who is there, begin on the best one. */
#include "zigbee/bdb_internal.h"

#define LOUDEST 127

static uint32_t channels(const struct al_bdb *b)
{
    return b->c.primary ? b->c.primary : b->c.secondary;
}

int al_bdb_form(struct al_bdb *b, uint64_t now)
{
    if (b->c.nwk->c.role != AL_NWK_ROLE_COORDINATOR) return AL_ERR_NOT_SUPPORTED;
    if (!al_bdb_factory_new(b)) return AL_ERR_INVALID_STATE;
    int err = al_bdb_begin(b, AL_BDB_FORM);
    if (err) return err;
    memset(b->energy, LOUDEST, sizeof b->energy);
    memset(b->networks, 0, sizeof b->networks);
    b->pan_count = 0;
    al_bdb_set_state(b, now, AL_BDB_ENERGY);
    if (al_nwk_energy(b->c.nwk, now, channels(b), b->c.scan_duration))
        al_bdb_finish(b, now, AL_ZB_RADIO);
    return 0;
}

/* The channel with the fewest networks, then the quietest. */
static uint8_t best_channel(const struct al_bdb *b)
{
    int best = -1;
    for (int i = 0; i < 16; i++) {
        if (!(channels(b) >> (11 + i) & 1)) continue;
        if (best < 0 || b->networks[i] < b->networks[best] ||
            (b->networks[i] == b->networks[best] && b->energy[i] < b->energy[best]))
            best = i;
    }
    return (uint8_t)(11 + (best < 0 ? 0 : best));
}

static bool taken(const struct al_bdb *b, uint16_t pan)
{
    for (unsigned i = 0; i < b->pan_count; i++) {
        if (b->pans[i] == pan) return true;
    }
    return false;
}

/* Few of all PAN ids are taken: the walk is short whatever the random number was. */
static uint16_t free_pan(const struct al_bdb *b)
{
    if (b->c.pan_id) return b->c.pan_id;
    uint32_t pan = b->c.random.next(b->c.random.ctx) % 0xfffe;
    while (taken(b, (uint16_t)(pan + 1))) pan = (pan + 1) % 0xfffe;
    return (uint16_t)(pan + 1);
}

static void form_now(struct al_bdb *b, uint64_t now)
{
    if (al_nwk_form(b->c.nwk, now, best_channel(b), free_pan(b), b->c.epid)) {
        al_bdb_finish(b, now, AL_ZB_RADIO);
        return;
    }
    al_trust_new_network(b->c.trust, now, NULL);
    al_bdb_finish(b, now, AL_ZB_OK);
}

void al_bdb_energy(struct al_bdb *b, uint8_t channel, int8_t dbm)
{
    if (channel >= 11 && channel <= 26) b->energy[channel - 11] = dbm;
}

void al_bdb_form_heard(struct al_bdb *b, const struct al_nwk_candidate *c)
{
    if (taken(b, c->pan_id)) return; /* another router of it */
    if (c->channel >= 11 && c->channel <= 26) b->networks[c->channel - 11]++;
    if (b->pan_count < AL_BDB_PANS) b->pans[b->pan_count++] = c->pan_id;
}

void al_bdb_form_scanned(struct al_bdb *b, uint64_t now)
{
    if (b->state == AL_BDB_SCAN) {
        form_now(b, now);
        return;
    }
    al_bdb_set_state(b, now, AL_BDB_SCAN);
    if (al_nwk_discover(b->c.nwk, now, channels(b), b->c.scan_duration))
        al_bdb_finish(b, now, AL_ZB_RADIO);
}

void al_bdb_form_overdue(struct al_bdb *b, uint64_t now)
{
    al_nwk_cancel(b->c.nwk);
    al_bdb_finish(b, now, AL_ZB_RADIO);
}
