#include "zigbee/trust_internal.h"

#define RECORD_VERSION 1u
#define COUNTER_LATE   0xf0000000u /* of NWK: months before its end. A new key begins at 0 */

void al_trust_init(struct al_trust *t, const struct al_trust_config *c)
{
    memset(t, 0, sizeof *t);
    t->c = *c;
    t->deadline = AL_TRUST_NEVER;
    t->change.at = AL_TRUST_NEVER;
    if (c->device_count) memset(c->devices, 0, c->device_count * sizeof *c->devices);
}

void al_trust_restore(struct al_trust *t)
{
    uint8_t record[16];
    const struct al_zb_store *store = t->c.store;
    int n = store ? store->load(store->ctx, AL_ZB_REC_TRUST, record, sizeof record) : 0;
    if (n <= 0) return;
    struct al_cur c = al_cur(record, (size_t)n);
    uint8_t version = al_u8(&c);
    uint64_t centre = al_le64(&c);
    if (!c.failed && version == RECORD_VERSION) t->centre = centre;
}

void al_trust_set_centre(struct al_trust *t, uint64_t centre)
{
    uint8_t record[16];
    const struct al_zb_store *store = t->c.store;
    if (t->centre == centre) return;
    t->centre = centre;
    if (!store) return;
    struct al_put p = al_put(record, sizeof record);
    al_put8(&p, RECORD_VERSION);
    al_put64(&p, centre);
    store->save(store->ctx, AL_ZB_REC_TRUST, centre ? record : NULL, centre ? p.len : 0);
}

void al_trust_forget(struct al_trust *t)
{
    al_trust_set_centre(t, 0);
    t->state = AL_TRUST_IDLE;
    t->deadline = AL_TRUST_NEVER;
    t->change.state = AL_TRUST_NO_CHANGE;
    t->change.at = AL_TRUST_NEVER;
    for (unsigned i = 0; i < t->c.device_count; i++) t->c.devices[i].ext = 0;
}

void al_trust_random_key(const struct al_trust *t, uint8_t key[16])
{
    for (unsigned i = 0; i < 16; i += 4) al_put_le32(key + i, t->c.random.next(t->c.random.ctx));
}

int al_trust_send(struct al_trust *t, uint64_t now, uint16_t dst, uint64_t dst_ext, uint8_t key_id,
                  const struct al_aps_command *cmd)
{
    struct al_aps_send_command s = {
        .dst = dst, .dst_ext = dst_ext, .command = cmd, .key_id = key_id};
    return al_aps_send_command(t->c.aps, now, &s);
}

bool al_trust_from_centre(const struct al_trust *t, const struct al_aps_command_ind *ind)
{
    if (!ind->nwk_secured || !t->centre) return false;
    return ind->src_ext ? ind->src_ext == t->centre : ind->src == AL_NWK_COORDINATOR;
}

static void switch_key(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind)
{
    if (!t->c.trust_centre && al_trust_from_centre(t, ind))
        al_nwk_switch_key(t->c.nwk, now, ind->command->switch_key.key_seq);
}

static void centre_command(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind)
{
    if (!ind->nwk_secured) return;
    switch (ind->command->id) {
    case AL_APS_UPDATE_DEVICE:
        al_trust_update_device(t, now, ind);
        break;
    case AL_APS_REQUEST_KEY:
        al_trust_request_key(t, now, ind);
        break;
    case AL_APS_VERIFY_KEY:
        al_trust_verify_key(t, now, ind);
        break;
    default:
        break;
    }
}

void al_trust_command(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind)
{
    if (t->c.trust_centre) {
        centre_command(t, now, ind);
        return;
    }
    switch (ind->command->id) {
    case AL_APS_TRANSPORT_KEY:
        al_trust_transport_key(t, now, ind);
        break;
    case AL_APS_CONFIRM_KEY:
        al_trust_confirm_key(t, now, ind);
        break;
    case AL_APS_SWITCH_KEY:
        switch_key(t, now, ind);
        break;
    case AL_APS_TUNNEL:
        al_trust_tunnel(t, now, ind);
        break;
    case AL_APS_REMOVE_DEVICE:
        al_trust_remove_device(t, now, ind);
        break;
    default:
        break;
    }
}

void al_trust_sent(struct al_trust *t, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    if (handle >= AL_TRUST_HANDLE_CHILD)
        al_trust_child_sent(t, now, handle - AL_TRUST_HANDLE_CHILD, status);
    else if (handle && handle <= t->c.device_count)
        al_trust_device_sent(t, now, &t->c.devices[handle - 1], status);
}

uint64_t al_trust_next(const struct al_trust *t)
{
    uint64_t next = t->deadline < t->change.at ? t->deadline : t->change.at;
    for (unsigned i = 0; i < t->c.device_count; i++) {
        const struct al_trust_device *d = &t->c.devices[i];
        if (d->ext && d->deadline < next) next = d->deadline;
    }
    return next;
}

void al_trust_run(struct al_trust *t, uint64_t now)
{
    for (unsigned i = 0; i < t->c.device_count; i++) {
        struct al_trust_device *d = &t->c.devices[i];
        if (d->ext && d->deadline <= now) al_trust_device_due(t, now, d);
    }
    if (t->c.trust_centre && t->c.nwk->up && t->c.nwk->counter > COUNTER_LATE)
        al_trust_change_key(t, now); /* unless that is under way */
    if (t->change.at <= now) al_trust_change_due(t, now);
    if (t->deadline <= now) al_trust_joiner_due(t, now);
}
