/* Builds an OTA file into a sink, front to back: header, then elements in the order in
 * which they are put. The header holds the total size, so the lengths of all elements
 * have to be known at the beginning. */
#ifndef ZIGBEE_OTA_BUILD_H
#define ZIGBEE_OTA_BUILD_H

#include "zigbee/hash.h"
#include "zigbee/ota_file.h"

struct al_zbuild_sink {
    void *ctx;
    int (*write)(void *ctx, const void *data, size_t len); /* 0 or an error */
};

struct al_zbuild {
    struct al_zbuild_sink sink;
    struct al_mmo hash; /* of all bytes so far */
    uint32_t at, total;
    uint32_t left; /* of the element under way */
};

/* Every function gives 0, the sink's error, or the one that it names. */

/* h: total_image_size is that of the finished file, al_zbuild_size(); header_length is not
 * looked at. */
int al_zbuild_begin(struct al_zbuild *b, const struct al_zbuild_sink *sink,
                    const struct al_aes *aes, const struct al_zfile_header *h);
/* AL_ERR_INVALID_SIZE: the element before lacks data, or this one does not fit. */
int al_zbuild_element(struct al_zbuild *b, uint16_t tag, uint32_t length);
/* AL_ERR_INVALID_SIZE: more than the element's length. */
int al_zbuild_data(struct al_zbuild *b, const void *data, size_t len);
/* The element with the hash of what stands before. */
int al_zbuild_integrity(struct al_zbuild *b, enum al_zfile_coverage coverage);
/* What a signature signs, once its element's header and signer are written. */
void al_zbuild_digest(const struct al_zbuild *b, uint8_t digest[16]);
/* AL_ERR_NOT_FINISHED: the total size is not reached. */
int al_zbuild_end(const struct al_zbuild *b);

/* Header and elements with data of these lengths; 0: more than 2^32 - 1. */
uint32_t al_zbuild_size(uint16_t field_control, const uint32_t *lengths, size_t count);

#endif
