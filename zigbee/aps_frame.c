#include "zigbee/aps_frame.h"

#include "core/err.h"

/* Frame control */
#define TYPE_MASK      0x03u
#define DELIVERY_SHIFT 2
#define ACK_FORMAT     0x10u
#define SECURITY       0x20u
#define ACK_REQUEST    0x40u
#define EXTENDED       0x80u

#define TYPE_INTER_PAN    3u
#define DELIVERY_INDIRECT 1u
#define FRAGMENT_MASK     0x03u

/* Data, and acknowledgements of data; the others have a counter only. */
static bool has_addresses(const struct al_aps_frame *f)
{
    return f->type == AL_APS_DATA || (f->type == AL_APS_ACK && !f->ack_format);
}

static void read_fcf(struct al_aps_frame *f, uint8_t fcf)
{
    f->fcf = fcf;
    f->type = fcf & TYPE_MASK;
    f->delivery = fcf >> DELIVERY_SHIFT & 3;
    f->ack_format = fcf & ACK_FORMAT;
    f->secured = fcf & SECURITY;
    f->ack_request = fcf & ACK_REQUEST;
    f->extended = fcf & EXTENDED;
}

static void read_addresses(struct al_aps_frame *f, struct al_cur *c)
{
    if (f->delivery == AL_APS_GROUP)
        f->group = al_le16(c);
    else
        f->dst_endpoint = al_u8(c);
    f->cluster = al_le16(c);
    f->profile = al_le16(c);
    f->src_endpoint = al_u8(c);
}

static void read_extended(struct al_aps_frame *f, struct al_cur *c)
{
    f->fragment = al_u8(c) & FRAGMENT_MASK;
    if (f->fragment) f->block = al_u8(c);
    if (f->fragment && f->type == AL_APS_ACK) f->ack_bits = al_u8(c);
}

int al_aps_parse(struct al_aps_frame *f, const uint8_t *apdu, size_t len)
{
    struct al_cur c = al_cur(apdu, len);
    *f = (struct al_aps_frame){.frame = apdu};
    read_fcf(f, al_u8(&c));
    if (c.failed) return AL_ERR_SHORT;
    if (f->type == TYPE_INTER_PAN) return AL_ERR_NOT_SUPPORTED;
    if (f->delivery == DELIVERY_INDIRECT) return AL_ERR_INVALID_ARG;
    if (has_addresses(f)) read_addresses(f, &c);
    f->counter = al_u8(&c);
    if (f->extended) read_extended(f, &c);
    f->aux_at = (uint8_t)c.pos;
    if (f->secured) al_aux_parse(&f->aux, &c);
    if (c.failed || (f->secured && len - c.pos < AL_CCM_MIC)) return AL_ERR_SHORT;
    f->payload = apdu + c.pos;
    f->payload_len = len - c.pos;
    return 0;
}

static size_t plain_header_size(const struct al_aps_frame *f)
{
    size_t size = 2; /* frame control, counter */
    if (has_addresses(f)) size += f->delivery == AL_APS_GROUP ? 7u : 6u;
    if (f->extended) size += 1u;
    if (f->extended && f->fragment) size += f->type == AL_APS_ACK ? 2u : 1u;
    return size;
}

size_t al_aps_header_size(const struct al_aps_frame *f)
{
    return plain_header_size(f) + (f->secured ? al_aux_size(&f->aux) : 0);
}

static uint8_t fcf_of(const struct al_aps_frame *f)
{
    uint32_t fcf = (f->type & TYPE_MASK) | (f->delivery & 3u) << DELIVERY_SHIFT;
    if (f->ack_format) fcf |= ACK_FORMAT;
    if (f->secured) fcf |= SECURITY;
    if (f->ack_request) fcf |= ACK_REQUEST;
    if (f->extended) fcf |= EXTENDED;
    return (uint8_t)fcf;
}

static void write_addresses(const struct al_aps_frame *f, struct al_put *p)
{
    if (f->delivery == AL_APS_GROUP)
        al_put16(p, f->group);
    else
        al_put8(p, f->dst_endpoint);
    al_put16(p, f->cluster);
    al_put16(p, f->profile);
    al_put8(p, f->src_endpoint);
}

int al_aps_build(const struct al_aps_frame *f, struct al_put *p)
{
    al_put8(p, fcf_of(f));
    if (has_addresses(f)) write_addresses(f, p);
    al_put8(p, f->counter);
    if (f->extended) {
        al_put8(p, f->fragment & FRAGMENT_MASK);
        if (f->fragment) al_put8(p, f->block);
        if (f->fragment && f->type == AL_APS_ACK) al_put8(p, f->ack_bits);
    }
    if (f->secured) al_aux_build(&f->aux, p);
    al_put_bytes(p, f->payload, f->payload_len);
    return p->failed ? AL_ERR_INVALID_SIZE : 0;
}

int al_aps_seal(const struct al_aps_frame *f, const struct al_aes *aes, const uint8_t key[16],
                struct al_put *p)
{
    if (!f->secured) return AL_ERR_INVALID_ARG;
    size_t frame_at = p->len;
    int err = al_aps_build(f, p);
    if (err) return err;
    return al_security_seal(aes, key, f->aux.source, p, frame_at, frame_at + plain_header_size(f));
}

int al_aps_open(struct al_aps_frame *f, const struct al_aes *aes, const uint8_t key[16],
                uint64_t source, uint8_t *plain)
{
    if (!f->secured) return AL_ERR_INVALID_ARG;
    return al_security_open_payload(aes, key, source, f->frame, f->aux_at, &f->payload,
                                    &f->payload_len, plain);
}

struct al_aps_frame al_aps_ack_of(const struct al_aps_frame *f)
{
    return (struct al_aps_frame){
        .type = AL_APS_ACK,
        .ack_format = f->type == AL_APS_COMMAND,
        .dst_endpoint = f->src_endpoint,
        .src_endpoint = f->dst_endpoint,
        .cluster = f->cluster,
        .profile = f->profile,
        .counter = f->counter,
        .extended = f->extended && f->fragment,
        .fragment = f->fragment ? AL_APS_FIRST : AL_APS_WHOLE,
    };
}
