/* May this image run on this device? All checks of the original, in its
 * order and with its verdicts. Source: esp_image_format.c image_load(),
 * bootloader_common_loader.c. */
#ifndef CORE_IMAGE_VERIFY_H
#define CORE_IMAGE_VERIFY_H

#include "core/app_image.h"
#include "core/chip.h"
#include "core/crypto.h"
#include "core/flash.h"
#include "core/secure_boot.h"

/* The figures of the device that an image is held against. */
struct al_device_ids {
    const struct al_chip *chip;
    uint16_t revision;        /* major * 100 + minor */
    uint16_t efuse_block_rev; /* major * 100 + minor */
    bool ignore_max_revision; /* eFuse DISABLE_WAFER_VERSION_MAJOR */
};

/* The checks, in the order in which they are made. */
enum al_image_check {
    AL_IMAGE_CHECK_NONE,
    AL_IMAGE_CHECK_SLOT_SIZE,       /* slot larger than 16 MB; found: size */
    AL_IMAGE_CHECK_READ,            /* the flash could not be read */
    AL_IMAGE_CHECK_MAGIC,           /* expected 0xe9, found */
    AL_IMAGE_CHECK_CHIP_ID,         /* expected: device's, found: image's */
    AL_IMAGE_CHECK_MIN_CHIP_REV,    /* expected: image's minimum, found: device's */
    AL_IMAGE_CHECK_MAX_CHIP_REV,    /* expected: image's maximum, found: device's */
    AL_IMAGE_CHECK_SEGMENT_COUNT,   /* expected 16, found */
    AL_IMAGE_CHECK_SEGMENT_LENGTH,  /* found: length */
    AL_IMAGE_CHECK_SEGMENT0_SHORT,  /* expected 256, found: length */
    AL_IMAGE_CHECK_APP_DESC_MAGIC,  /* expected, found */
    AL_IMAGE_CHECK_SEGMENT_ADDRESS, /* expected: load address, found: absolute flash address */
    AL_IMAGE_CHECK_SEGMENT_RANGE,   /* RAM segment where the loader lies; expected/found: first, end
                                     */
    AL_IMAGE_CHECK_MIN_EFUSE_REV,   /* expected: image's, found: device's */
    AL_IMAGE_CHECK_MAX_EFUSE_REV,
    AL_IMAGE_CHECK_CHECKSUM, /* expected: calculated, found: read */
    AL_IMAGE_CHECK_LENGTH,   /* expected: slot size, found: image length */
    AL_IMAGE_CHECK_HASH,
    AL_IMAGE_CHECK_SIGNATURE,     /* see fault->signature */
    AL_IMAGE_CHECK_SECURE_VERSION /* expected: device's, found: image's */
};

struct al_image_fault {
    enum al_image_check check;
    int err;          /* what the function returned */
    uint32_t segment; /* for the segment checks */
    uint32_t offset;  /* byte of the image where the field lies */
    uint32_t address; /* absolute flash offset of the image */
    uint32_t expected, found;
    struct al_sig_fault signature;
};

/* What verification learned. Zeroed on failure, as the original does. */
struct al_image {
    struct al_image_header header;
    uint32_t segment_count;
    struct al_image_segment segment[AL_IMAGE_MAX_SEGMENTS];
    bool has_desc; /* app description magic found */
    struct al_app_desc desc;
    uint32_t checksum_offset;
    uint8_t checksum;
    uint32_t image_len;     /* bytes, appended hash included, signature sector not */
    uint8_t hash[32];       /* SHA-256 up to the checksum; zeros if not hashed */
    uint32_t mmu_page_size; /* bytes */
};

/* Called for every segment after its checks: the boot loader's log line. */
struct al_image_trace {
    void *ctx;
    void (*segment)(void *ctx, uint32_t index, const struct al_image_segment *seg,
                    uint32_t flash_address, bool mapped, bool loaded);
    void (*page_size)(void *ctx, uint32_t configured, uint32_t found); /* only if they differ */
};

/* Zeros mean the defaults. */
struct al_image_rules {
    const struct al_crypto *crypto; /* required */
    struct al_device_ids device;    /* chip required */
    enum al_image_kind kind;
    bool loading;   /* boot loader: RAM segments "load" in the trace */
    bool skip_hash; /* boot loader images without Secure Boot V2 */
    bool skip_data; /* header and segments only: no checksum, hash or signature
                       (BOOTLOADER_SKIP_VALIDATE_*) */
    const struct al_trusted_keys
        *keys;                  /* set: a signature is required, instead of the hash check */
    bool check_secure_version;  /* anti-rollback */
    uint32_t secure_version;    /* of the device's eFuse */
    uint32_t default_page_size; /* 0: 64 KiB */
    const struct al_image_trace *trace; /* may be NULL */
};

/* slot: the partition the image lies in. out and fault may be NULL.
 * 0; AL_ERR_IMAGE_INVALID; AL_FAIL (wrong chip, revision, description,
 * secure version); AL_ERR_INVALID_ARG; AL_ERR_IMAGE_FLASH_FAIL. */
int al_image_verify(const struct al_window *slot, const struct al_image_rules *rules,
                    struct al_image *out, struct al_image_fault *fault);

/* Chip id and revisions alone (esp_ota_check_image_validity):
 * 0 or AL_FAIL. */
int al_image_check_chip(const struct al_image_header *h, const struct al_device_ids *device,
                        enum al_image_kind kind, struct al_image_fault *fault);

/* Description of the app in a slot, read without verification
 * (esp_ota_get_partition_description). AL_ERR_NOT_FOUND: wrong magic. */
int al_app_desc_read(const struct al_window *slot, struct al_app_desc *out);

/* Length, or digest of what an image is (esp_partition_get_sha256): the
 * appended digest after recomputing it; without one, SHA-256 of image_len
 * bytes. AL_ERR_IMAGE_INVALID. */
int al_image_sha256(const struct al_window *slot, const struct al_image_rules *rules,
                    uint8_t digest[32]);

#endif
