/* Building of OTA files. See ota_build.h. */
#include "zigbee/ota_build.h"

#include "core/bytes.h"
#include "core/err.h"

static int put(struct al_zbuild *b, const void *data, size_t len)
{
    al_mmo_update(&b->hash, data, len);
    b->at += (uint32_t)len;
    return len ? b->sink.write(b->sink.ctx, data, len) : 0;
}

int al_zbuild_begin(struct al_zbuild *b, const struct al_zbuild_sink *sink,
                    const struct al_aes *aes, const struct al_zfile_header *h)
{
    uint8_t header[AL_ZFILE_HEADER_MAX];
    *b = (struct al_zbuild){.sink = *sink, .total = h->total_image_size};
    al_mmo_begin(&b->hash, aes);
    return put(b, header, al_zfile_build_header(h, header));
}

int al_zbuild_element(struct al_zbuild *b, uint16_t tag, uint32_t length)
{
    uint8_t head[AL_ZFILE_ELEMENT_HEADER];
    uint32_t left = b->total - b->at;
    if (b->left || left < sizeof head || length > left - sizeof head) return AL_ERR_INVALID_SIZE;
    al_put_le16(head, tag);
    al_put_le32(head + 2, length);
    b->left = length;
    return put(b, head, sizeof head);
}

int al_zbuild_data(struct al_zbuild *b, const void *data, size_t len)
{
    if (len > b->left) return AL_ERR_INVALID_SIZE;
    b->left -= (uint32_t)len;
    return put(b, data, len);
}

void al_zbuild_digest(const struct al_zbuild *b, uint8_t digest[16])
{
    struct al_mmo m = b->hash;
    al_mmo_finish(&m, digest);
}

int al_zbuild_integrity(struct al_zbuild *b, enum al_zfile_coverage coverage)
{
    uint8_t digest[16];
    al_zbuild_digest(b, digest);
    int err = al_zbuild_element(b, AL_ZFILE_INTEGRITY_CODE, sizeof digest);
    if (err) return err;
    if (coverage != AL_ZFILE_UP_TO_TAG) al_zbuild_digest(b, digest);
    return al_zbuild_data(b, digest, sizeof digest);
}

int al_zbuild_end(const struct al_zbuild *b)
{
    return b->left || b->at != b->total ? AL_ERR_NOT_FINISHED : 0;
}

uint32_t al_zbuild_size(uint16_t field_control, const uint32_t *lengths, size_t count)
{
    uint64_t total = al_zfile_header_size(field_control);
    for (size_t i = 0; i < count && total <= UINT32_MAX; i++)
        total += AL_ZFILE_ELEMENT_HEADER + (uint64_t)lengths[i];
    return total <= UINT32_MAX ? (uint32_t)total : 0;
}
