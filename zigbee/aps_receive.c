/* Frames from NWK: opened, checked, acknowledged, passed up. */
#include "zigbee/aps_internal.h"

/* To everybody, or to a group: nothing is answered. */
static bool is_broadcast(const struct al_aps_in *in)
{
    return AL_NWK_BROADCAST(in->nwk->dst) || in->f.delivery != AL_APS_UNICAST;
}

/* true: it has been passed up before, and is only acknowledged again. */
static bool seen(struct al_aps *a, uint64_t now, const struct al_aps_in *in)
{
    struct al_aps_duplicate *d = al_aps_duplicate(a, now, in->nwk->src, in->f.counter);
    if (d && !d->window && d->digest == in->digest) {
        a->rx_duplicates++;
        return true;
    }
    if (!in->repeated) al_aps_remember(a, now, in, in->digest, 0);
    return false;
}

/* Acknowledges a whole unicast frame. true: it is to be passed up. */
static bool first_time(struct al_aps *a, uint64_t now, const struct al_aps_in *in)
{
    if (is_broadcast(in)) return !in->repeated;
    bool again = seen(a, now, in);
    if (in->repeated && !again) return false;
    if (in->f.ack_request) al_aps_acknowledge(a, now, in, 0, 0);
    return !again;
}

static void data_received(struct al_aps *a, uint64_t now, const struct al_aps_in *in)
{
    const struct al_aps_frame *f = &in->f;
    if (f->extended && f->fragment) {
        if (!is_broadcast(in)) al_aps_block_received(a, now, in);
        return;
    }
    if (!first_time(a, now, in)) return;
    a->rx_messages++;
    struct al_aps_data_ind ind = {
        .src = in->nwk->src,
        .dst = in->nwk->dst,
        .src_ext = in->src_ext,
        .src_ep = f->src_endpoint,
        .dst_ep = f->dst_endpoint,
        .lqi = in->nwk->lqi,
        .counter = f->counter,
        .profile = f->profile,
        .cluster = f->cluster,
        .group = f->group,
        .broadcast = is_broadcast(in),
        .link_secured = in->link_key,
        .asdu = f->payload,
        .len = f->payload_len,
    };
    a->c.up->data(a->c.up_ctx, now, &ind);
}

static void command_received(struct al_aps *a, uint64_t now, const struct al_aps_in *in)
{
    if (!first_time(a, now, in)) return;
    struct al_aps_command command;
    if (al_aps_command_parse(&command, in->f.payload, in->f.payload_len)) return;
    struct al_aps_command_ind ind = {
        .src = in->nwk->src,
        .src_ext = in->src_ext,
        .broadcast = is_broadcast(in),
        .nwk_secured = in->nwk->secured && !in->nwk->old_key,
        .key_id = in->link_key ? in->f.aux.key_id : AL_APS_KEY_NONE,
        .key_source = in->key_source,
        .key_counter = in->f.aux.counter,
        .fresh_key = in->fresh_key,
        .link_key = in->link_key,
        .key = in->key,
        .command = &command,
    };
    if (a->c.up->command) a->c.up->command(a->c.up_ctx, now, &ind);
}

/* false: the frame is not to be believed. */
static bool believe(struct al_aps *a, struct al_aps_in *in, uint8_t *plain)
{
    if (!in->nwk->secured) {
        /* In clear only the network key comes, to one that waits for it (zigbee/trust.h). */
        if (in->f.type != AL_APS_COMMAND || !in->f.secured ||
            in->f.aux.key_id != AL_SEC_KEY_TRANSPORT)
            return false;
    }
    if (!in->f.secured) return true;
    if (al_aps_unprotect(a, in, plain)) return false;
    if (!in->nwk->secured || in->fresh_key) return true;
    in->key = al_aps_heard(a, in->key_source, in->link_key, in->f.aux.counter);
    return in->key;
}

void al_aps_nwk_data(struct al_aps *a, uint64_t now, const struct al_nwk_data_ind *ind)
{
    uint8_t plain[AL_RADIO_MPDU_MAX];
    struct al_aps_in in = {.nwk = ind};
    if (ind->len > sizeof plain || al_aps_parse(&in.f, ind->payload, ind->len)) return;
    in.src_ext = ind->src_ext ? ind->src_ext : al_nwk_ext_of(a->c.nwk, ind->src);
    if (!believe(a, &in, plain)) {
        a->dropped_security++;
        return;
    }
    in.digest = al_aps_digest(&in.f);
    switch (in.f.type) {
    case AL_APS_DATA:
        data_received(a, now, &in);
        break;
    case AL_APS_COMMAND:
        command_received(a, now, &in);
        break;
    case AL_APS_ACK:
        al_aps_tx_acked(a, now, &in);
        break;
    default:
        break;
    }
}
