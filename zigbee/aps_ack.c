/* Acknowledgements that this node owes. They go before everything else; one that the next
 * hop did not take is repeated, because the other side would wait for seconds. */
#include "zigbee/aps_internal.h"

#define RETRY_US  (20u * AL_APS_MS)
#define GUARD_US  (10000u * AL_APS_MS) /* NWK never confirmed */
#define TRIES_MAX 3

#define INDEX_BITS 3 /* AL_APS_ACKS */

static uint16_t handle_of(const struct al_aps *a, const struct al_aps_ack *k)
{
    unsigned generation = (unsigned)k->generation << INDEX_BITS;
    return (uint16_t)(AL_APS_ACK_HANDLE | generation | (unsigned)(k - a->acks));
}

static struct al_aps_ack *take(struct al_aps *a)
{
    struct al_aps_ack *best = NULL;
    for (unsigned i = 0; i < AL_APS_ACKS; i++) {
        struct al_aps_ack *k = &a->acks[i];
        if (k->state == AL_APS_ACK_FREE) return k;
        /* One that has been given to NWK can be let go. */
        if (k->state == AL_APS_ACK_GIVEN && (!best || k->at < best->at)) best = k;
    }
    return best ? best : &a->acks[0];
}

static int build(struct al_aps *a, const struct al_aps_ack *k, struct al_put *p)
{
    struct al_aps_frame f = {
        .type = AL_APS_ACK,
        .ack_format = k->of_command,
        .dst_endpoint = k->dst_ep,
        .src_endpoint = k->src_ep,
        .cluster = k->cluster,
        .profile = k->profile,
        .counter = k->counter,
        .extended = k->of_block,
        .fragment = k->of_block ? AL_APS_FIRST : AL_APS_WHOLE,
        .block = k->block,
        .ack_bits = k->bits,
    };
    if (k->dst_ext) return al_aps_protect(a, &f, k->dst_ext, AL_SEC_KEY_LINK, false, p);
    return al_aps_build(&f, p);
}

/* false: NWK has no room. */
static bool give(struct al_aps *a, uint64_t now, struct al_aps_ack *k)
{
    uint8_t frame[AL_RADIO_MPDU_MAX];
    struct al_put p = al_put(frame, sizeof frame);
    if (build(a, k, &p)) {
        k->state = AL_APS_ACK_FREE;
        return true;
    }
    k->state = AL_APS_ACK_GIVEN;
    k->at = now + GUARD_US;
    k->generation++;
    struct al_nwk_send s = {
        .dst = k->dst, .payload = frame, .len = p.len, .handle = handle_of(a, k)};
    int err = al_nwk_send(a->c.nwk, now, &s);
    if (!err) return true;
    k->state = err == AL_ERR_NO_MEM ? AL_APS_ACK_QUEUED : AL_APS_ACK_FREE;
    k->at = now;
    return err != AL_ERR_NO_MEM;
}

void al_aps_acknowledge(struct al_aps *a, uint64_t now, const struct al_aps_in *in, uint8_t block,
                        uint8_t bits)
{
    struct al_aps_frame f = al_aps_ack_of(&in->f);
    struct al_aps_ack *k = take(a);
    *k = (struct al_aps_ack){
        .state = AL_APS_ACK_QUEUED,
        .generation = k->generation,
        .of_command = f.ack_format,
        .of_block = f.extended,
        .dst_ep = f.dst_endpoint,
        .src_ep = f.src_endpoint,
        .counter = f.counter,
        .block = block,
        .bits = bits,
        .dst = in->nwk->src,
        .cluster = f.cluster,
        .profile = f.profile,
        .dst_ext = in->link_key ? in->key_source : 0,
        .at = now,
    };
    if (!give(a, now, k)) al_aps_pump(a, now); /* sets the time of the next attempt */
}

bool al_aps_acks_pump(struct al_aps *a, uint64_t now)
{
    for (unsigned i = 0; i < AL_APS_ACKS; i++) {
        struct al_aps_ack *k = &a->acks[i];
        if (k->state == AL_APS_ACK_FREE) continue;
        if (k->at > now) {
            if (k->state == AL_APS_ACK_QUEUED && k->at < a->pump_at) a->pump_at = k->at;
            continue;
        }
        if (k->state == AL_APS_ACK_GIVEN)
            k->state = AL_APS_ACK_FREE;
        else if (!give(a, now, k))
            return false;
    }
    return true;
}

void al_aps_ack_sent(struct al_aps *a, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    struct al_aps_ack *k = &a->acks[handle & ((1u << INDEX_BITS) - 1)];
    if (k->state != AL_APS_ACK_GIVEN || handle_of(a, k) != handle) return;
    bool again = status == AL_ZB_NO_ACK || status == AL_ZB_CHANNEL_BUSY;
    k->state = AL_APS_ACK_FREE;
    if (!again || ++k->tries >= TRIES_MAX) return;
    k->state = AL_APS_ACK_QUEUED;
    k->at = now + RETRY_US;
}
