/* What is in an image file, damaged or not: everything that can be read is told,
 * and the checks are made without a device in mind. The verdict of a device is
 * al_image_verify's. */
#ifndef HOST_IMAGE_DESCRIBE_H
#define HOST_IMAGE_DESCRIBE_H

#include "core/app_image.h"
#include "core/secure_boot.h"

struct image_signature {
    uint32_t block;  /* 0..2 */
    uint32_t offset; /* in the file */
    struct al_sig_block b;
    uint8_t key_digest[32];
};

struct image_description {
    struct al_image_header header;
    uint32_t segment_count; /* that could be read; header.segment_count if all */
    struct al_image_segment segment[AL_IMAGE_MAX_SEGMENTS];
    bool has_app_desc, has_boot_desc;
    struct al_app_desc app_desc;
    struct al_boot_desc boot_desc;
    uint32_t checksum_offset;
    uint8_t checksum, checksum_calculated;
    uint8_t hash[AL_IMAGE_HASH_LEN], hash_calculated[AL_IMAGE_HASH_LEN]; /* if appended */
    uint32_t image_len; /* bytes; 0: the file ends before the image does */
    uint32_t signature_count;
    struct image_signature signature[AL_SIG_BLOCKS];
};

/* img: the file, kept by the caller as long as out's signatures are used. why:
 * a sentence about what is wrong. 0; AL_ERR_IMAGE_INVALID: no image, out is zeros;
 * AL_ERR_SHORT: cut short or damaged inside, out is filled as far as it goes. */
int image_describe(const uint8_t *img, size_t len, struct image_description *out, char *why,
                   size_t why_size);

/* Is the file a boot loader's image? By its description. */
bool image_is_bootloader(const uint8_t *img, size_t len);

#endif
