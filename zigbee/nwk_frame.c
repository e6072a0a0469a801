#include "zigbee/nwk_frame.h"

#include "core/err.h"

/* Frame control */
#define TYPE_MASK      0x0003u
#define VERSION_SHIFT  2
#define DISCOVER_SHIFT 6
#define MULTICAST      0x0100u
#define SECURITY       0x0200u
#define SOURCE_ROUTE   0x0400u
#define DST_EXT        0x0800u
#define SRC_EXT        0x1000u
#define END_DEVICE     0x2000u

static void read_fcf(struct al_nwk_frame *f, uint16_t fcf)
{
    f->fcf = fcf;
    f->type = fcf & TYPE_MASK;
    f->discover_route = fcf >> DISCOVER_SHIFT & 3;
    f->secured = fcf & SECURITY;
    f->source_route = fcf & SOURCE_ROUTE;
    f->has_dst_ext = fcf & DST_EXT;
    f->has_src_ext = fcf & SRC_EXT;
    f->end_device = fcf & END_DEVICE;
}

static int read_source_route(struct al_nwk_frame *f, struct al_cur *c)
{
    f->relay_count = al_u8(c);
    f->relay_index = al_u8(c);
    if (f->relay_count > AL_NWK_RELAYS_MAX) return AL_ERR_NOT_SUPPORTED;
    for (int i = 0; i < f->relay_count; i++) f->relays[i] = al_le16(c);
    return 0;
}

int al_nwk_parse(struct al_nwk_frame *f, const uint8_t *npdu, size_t len)
{
    struct al_cur c = al_cur(npdu, len);
    *f = (struct al_nwk_frame){.frame = npdu};
    read_fcf(f, al_le16(&c));
    if (c.failed) return AL_ERR_SHORT;
    if ((f->fcf >> VERSION_SHIFT & 0x0f) != AL_NWK_VERSION) return AL_ERR_INVALID_VERSION;
    if (f->type > AL_NWK_COMMAND) return AL_ERR_NOT_SUPPORTED;
    f->dst = al_le16(&c);
    f->src = al_le16(&c);
    f->radius = al_u8(&c);
    f->seq = al_u8(&c);
    if (f->has_dst_ext) f->dst_ext = al_le64(&c);
    if (f->has_src_ext) f->src_ext = al_le64(&c);
    if (f->fcf & MULTICAST) al_skip(&c, 1);
    int err = f->source_route ? read_source_route(f, &c) : 0;
    if (err) return err;
    f->aux_at = (uint8_t)c.pos;
    if (f->secured) al_aux_parse(&f->aux, &c);
    if (c.failed || (f->secured && len - c.pos < AL_CCM_MIC)) return AL_ERR_SHORT;
    f->payload = npdu + c.pos;
    f->payload_len = len - c.pos;
    return 0;
}

static size_t plain_header_size(const struct al_nwk_frame *f)
{
    return 8u + (f->has_dst_ext ? 8u : 0u) + (f->has_src_ext ? 8u : 0u) +
           (f->source_route ? 2u + 2u * f->relay_count : 0u);
}

size_t al_nwk_header_size(const struct al_nwk_frame *f)
{
    return plain_header_size(f) + (f->secured ? al_aux_size(&f->aux) : 0);
}

static uint16_t fcf_of(const struct al_nwk_frame *f)
{
    uint32_t fcf =
        f->type | AL_NWK_VERSION << VERSION_SHIFT | (f->discover_route & 3u) << DISCOVER_SHIFT;
    if (f->secured) fcf |= SECURITY;
    if (f->source_route) fcf |= SOURCE_ROUTE;
    if (f->has_dst_ext) fcf |= DST_EXT;
    if (f->has_src_ext) fcf |= SRC_EXT;
    if (f->end_device) fcf |= END_DEVICE;
    return (uint16_t)fcf;
}

int al_nwk_build(const struct al_nwk_frame *f, struct al_put *p)
{
    if (f->source_route && f->relay_count > AL_NWK_RELAYS_MAX) return AL_ERR_INVALID_ARG;
    al_put16(p, fcf_of(f));
    al_put16(p, f->dst);
    al_put16(p, f->src);
    al_put8(p, f->radius);
    al_put8(p, f->seq);
    if (f->has_dst_ext) al_put64(p, f->dst_ext);
    if (f->has_src_ext) al_put64(p, f->src_ext);
    if (f->source_route) {
        al_put8(p, f->relay_count);
        al_put8(p, f->relay_index);
        for (int i = 0; i < f->relay_count; i++) al_put16(p, f->relays[i]);
    }
    if (f->secured) al_aux_build(&f->aux, p);
    al_put_bytes(p, f->payload, f->payload_len);
    return p->failed ? AL_ERR_INVALID_SIZE : 0;
}

int al_nwk_seal(const struct al_nwk_frame *f, const struct al_aes *aes, const uint8_t key[16],
                struct al_put *p)
{
    if (!f->secured) return AL_ERR_INVALID_ARG;
    size_t frame_at = p->len;
    int err = al_nwk_build(f, p);
    if (err) return err;
    return al_security_seal(aes, key, f->aux.source, p, frame_at, frame_at + plain_header_size(f));
}

int al_nwk_open(struct al_nwk_frame *f, const struct al_aes *aes, const uint8_t key[16],
                uint64_t source, uint8_t *plain)
{
    if (!f->secured) return AL_ERR_INVALID_ARG;
    return al_security_open_payload(aes, key, source, f->frame, f->aux_at, &f->payload,
                                    &f->payload_len, plain);
}
