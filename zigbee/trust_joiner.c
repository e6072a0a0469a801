/* The joiner's side: it waits for the network key, then gets a link key of its own and
 * proves it. */
#include "zigbee/trust_internal.h"

#define WAIT_US   (5u * AL_TRUST_S)
#define BUSY_US   (50u * AL_TRUST_MS)
#define TRIES_MAX 3

static void wait_until(struct al_trust *t, uint64_t now, uint64_t deadline)
{
    t->deadline = deadline;
    if (t->c.nwk->c.rx_off) al_nwk_fast_poll(t->c.nwk, now, deadline);
}

static void set_state(struct al_trust *t, enum al_trust_exchange state)
{
    t->state = state;
    t->tries = 0;
    t->deadline = AL_TRUST_NEVER;
}

/* Not to be believed: counts as a frame that APS could not open. */
static void reject(struct al_trust *t)
{
    t->c.aps->dropped_security++;
}

/* ---- Network key ---- */

static void end_wait(struct al_trust *t, uint64_t now, enum al_zb_status status)
{
    set_state(t, AL_TRUST_IDLE);
    if (t->c.up->network_key) t->c.up->network_key(t->c.up_ctx, now, status);
}

void al_trust_await_key(struct al_trust *t, uint64_t now)
{
    set_state(t, AL_TRUST_WAIT_NETWORK_KEY);
    t->security_drops = t->c.aps->dropped_security;
    wait_until(t, now, now + WAIT_US);
}

/* The key of a joiner: in clear for NWK, under a link key, for this device, by the one that
 * sealed it. */
static void first_key(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind)
{
    const struct al_aps_command *cmd = ind->command;
    uint64_t centre = cmd->transport_key.src;
    if (ind->key_id != AL_SEC_KEY_TRANSPORT || cmd->transport_key.dst != t->c.nwk->ext ||
        centre != ind->key_source || (t->centre && centre != t->centre)) {
        reject(t);
        return;
    }
    if (!al_aps_heard(t->c.aps, centre, ind->link_key, ind->key_counter)) {
        end_wait(t, now, AL_ZB_SECURITY); /* no room for the key of the trust centre */
        return;
    }
    al_trust_set_centre(t, centre);
    al_nwk_set_key(t->c.nwk, now, cmd->transport_key.key, cmd->transport_key.key_seq);
    al_nwk_learn(t->c.nwk, now, AL_NWK_COORDINATOR, centre);
    end_wait(t, now, AL_ZB_OK);
}

/* A new key for a member; it counts from Switch-Key on. */
static void next_key(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind)
{
    const struct al_aps_command *cmd = ind->command;
    const struct al_nwk_key *active = al_nwk_active_key(t->c.nwk);
    bool own = cmd->transport_key.dst == t->c.nwk->ext && ind->key_id == AL_SEC_KEY_TRANSPORT &&
               ind->key_source == t->centre;
    bool all = cmd->transport_key.dst == 0 && ind->broadcast && al_trust_from_centre(t, ind);
    if (!ind->nwk_secured || !t->centre || cmd->transport_key.src != t->centre || (!own && !all) ||
        !active) {
        reject(t);
        return;
    }
    if (active->seq != cmd->transport_key.key_seq)
        al_nwk_set_key(t->c.nwk, now, cmd->transport_key.key, cmd->transport_key.key_seq);
}

/* ---- Link key ---- */

static void try_step(struct al_trust *t, uint64_t now);

static void end_exchange(struct al_trust *t, uint64_t now, enum al_zb_status status)
{
    struct al_aps_link_key *k = al_aps_key(t->c.aps, t->centre);
    set_state(t, AL_TRUST_IDLE);
    if (status != AL_ZB_OK && k && k->has_fresh) {
        k->has_fresh = false;
        al_aps_save_key(t->c.aps, k);
    }
    if (status != AL_ZB_OK && t->resumed) { /* then all of it */
        t->resumed = false;
        set_state(t, AL_TRUST_WAIT_LINK_KEY);
        try_step(t, now);
        return;
    }
    if (t->c.up->exchanged) t->c.up->exchanged(t->c.up_ctx, now, status);
}

static int send_request(struct al_trust *t, uint64_t now)
{
    struct al_aps_command cmd = {.id = AL_APS_REQUEST_KEY, .request_key.type = AL_KEY_TYPE_TC_LINK};
    return al_trust_send(t, now, AL_NWK_COORDINATOR, t->centre, AL_SEC_KEY_LINK, &cmd);
}

static int send_verify(struct al_trust *t, uint64_t now)
{
    const struct al_aps_link_key *k = al_aps_key(t->c.aps, t->centre);
    if (!k || !k->has_fresh) return AL_ERR_INVALID_STATE;
    struct al_aps_command cmd = {
        .id = AL_APS_VERIFY_KEY,
        .verify_key = {.type = AL_KEY_TYPE_TC_LINK, .source = t->c.nwk->ext},
    };
    al_key_derive(t->c.aes, k->fresh, AL_KEY_VERIFY, cmd.verify_key.hash);
    return al_trust_send(t, now, AL_NWK_COORDINATOR, t->centre, AL_APS_KEY_NONE, &cmd);
}

static void try_step(struct al_trust *t, uint64_t now)
{
    if (t->tries >= TRIES_MAX) {
        end_exchange(t, now, AL_ZB_TIMEOUT);
        return;
    }
    int err = t->state == AL_TRUST_WAIT_LINK_KEY ? send_request(t, now) : send_verify(t, now);
    if (err == AL_ERR_NO_MEM) {
        wait_until(t, now, now + BUSY_US);
    } else if (err) {
        end_exchange(t, now, AL_ZB_SECURITY);
    } else {
        t->tries++;
        wait_until(t, now, now + WAIT_US);
    }
}

void al_trust_exchange_key(struct al_trust *t, uint64_t now, bool legacy)
{
    t->resumed = false;
    if (legacy || !t->centre) {
        end_exchange(t, now, legacy ? AL_ZB_OK : AL_ZB_NOT_THERE);
        return;
    }
    /* A power cut has ended the last exchange: the trust centre may have the new key in force
     * already, and not know the old one any more. */
    const struct al_aps_link_key *k = al_aps_key(t->c.aps, t->centre);
    t->resumed = k && k->has_fresh;
    set_state(t, t->resumed ? AL_TRUST_WAIT_CONFIRM : AL_TRUST_WAIT_LINK_KEY);
    try_step(t, now);
}

static void link_key(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind)
{
    const struct al_aps_command *cmd = ind->command;
    if (!ind->nwk_secured || ind->key_id != AL_SEC_KEY_LOAD || ind->key_source != t->centre ||
        cmd->transport_key.dst != t->c.nwk->ext || cmd->transport_key.src != t->centre) {
        reject(t);
        return;
    }
    if (t->state != AL_TRUST_WAIT_LINK_KEY) return; /* not asked for, or once more */
    if (!al_aps_set_fresh(t->c.aps, t->centre, cmd->transport_key.key)) {
        end_exchange(t, now, AL_ZB_SECURITY);
        return;
    }
    set_state(t, AL_TRUST_WAIT_CONFIRM);
    try_step(t, now);
}

static void app_link_key(struct al_trust *t, const struct al_aps_command_ind *ind)
{
    const struct al_aps_command *cmd = ind->command;
    uint64_t partner = cmd->transport_key.dst;
    if (!ind->nwk_secured || ind->key_id != AL_SEC_KEY_LOAD || ind->key_source != t->centre ||
        !partner || partner == t->centre || partner == AL_APS_ANY_PARTNER) {
        reject(t);
        return;
    }
    struct al_aps_link_key *k =
        al_aps_set_key(t->c.aps, partner, cmd->transport_key.key, AL_APS_KEY_APPLICATION);
    if (!k) return;
    k->verified = true;
    al_aps_save_key(t->c.aps, k);
}

void al_trust_transport_key(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind)
{
    switch (ind->command->transport_key.type) {
    case AL_KEY_TYPE_NETWORK:
        if (t->state == AL_TRUST_WAIT_NETWORK_KEY)
            first_key(t, now, ind);
        else
            next_key(t, now, ind);
        break;
    case AL_KEY_TYPE_TC_LINK:
        link_key(t, now, ind);
        break;
    case AL_KEY_TYPE_APP_LINK:
        app_link_key(t, ind);
        break;
    default:
        break;
    }
}

void al_trust_confirm_key(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind)
{
    const struct al_aps_command *cmd = ind->command;
    if (t->state != AL_TRUST_WAIT_CONFIRM) return;
    if (!ind->nwk_secured || ind->key_id != AL_SEC_KEY_LINK || ind->key_source != t->centre ||
        cmd->confirm_key.dst != t->c.nwk->ext || cmd->confirm_key.type != AL_KEY_TYPE_TC_LINK) {
        reject(t);
        return;
    }
    if (cmd->confirm_key.status != AL_CONFIRM_OK) {
        end_exchange(t, now, AL_ZB_SECURITY);
    } else if (ind->fresh_key) {
        struct al_aps_link_key *k = al_aps_key(t->c.aps, t->centre);
        bool kept = k && al_aps_promote(t->c.aps, k);
        end_exchange(t, now, kept ? AL_ZB_OK : AL_ZB_SECURITY);
    }
}

void al_trust_joiner_due(struct al_trust *t, uint64_t now)
{
    switch (t->state) {
    case AL_TRUST_WAIT_NETWORK_KEY:
        end_wait(t, now,
                 t->c.aps->dropped_security != t->security_drops ? AL_ZB_SECURITY : AL_ZB_TIMEOUT);
        break;
    case AL_TRUST_WAIT_LINK_KEY:
    case AL_TRUST_WAIT_CONFIRM:
        try_step(t, now);
        break;
    default:
        t->deadline = AL_TRUST_NEVER;
        break;
    }
}
