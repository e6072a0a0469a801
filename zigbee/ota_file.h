/* Zigbee OTA files: a header, then elements of tag, length and data, back to back.
 * Little-endian, nothing is aligned. Source: ZCL chapter 11 as Espressif's tools, zigpy
 * and zigbee-herdsman write and read it, and what 1358 public images look like.
 *
 *   [wrapping] | header, 56..69 bytes or more | elements to total image size | [trailing]
 *
 * A file is read through a callback, so it need not be in memory. Offsets are from the
 * header's first byte (the magic) unless said otherwise. */
#ifndef ZIGBEE_OTA_FILE_H
#define ZIGBEE_OTA_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zigbee/aes.h"

#define AL_ZFILE_MAGIC          0x0beef11eu
#define AL_ZFILE_HEADER_VERSION 0x0100u
#define AL_ZFILE_HEADER_MIN     56u
#define AL_ZFILE_HEADER_MAX     69u /* with every optional field known today */
#define AL_ZFILE_STRING         32u
#define AL_ZFILE_ELEMENT_HEADER 6u

/* Header field control */
#define AL_ZFILE_HAS_CREDENTIAL  1u
#define AL_ZFILE_HAS_DESTINATION 2u
#define AL_ZFILE_HAS_HARDWARE    4u

enum al_zfile_tag {
    AL_ZFILE_UPGRADE_IMAGE = 0x0000,
    AL_ZFILE_SIGNATURE = 0x0001, /* signer EUI-64, r, s (21 bytes each): sect163k1 */
    AL_ZFILE_CERTIFICATE = 0x0002,
    AL_ZFILE_INTEGRITY_CODE = 0x0003, /* AES-MMO, 16 bytes */
    AL_ZFILE_PICTURE = 0x0004,
    AL_ZFILE_SIGNATURE_2 = 0x0005, /* signer EUI-64, r, s (36 bytes each): sect283k1 */
    AL_ZFILE_CERTIFICATE_2 = 0x0006,
    AL_ZFILE_TELINK_AES = 0xf000 /* in the Telink reading only */
};

/* What can be wrong; the numbers are stable. Strict: each is an error. Lenient, for a
 * server that only forwards a file: 7, 8, 9, 10, 11 and 13 are warnings. */
enum al_zfile_class {
    AL_ZFILE_OK = 0,
    AL_ZFILE_NO_MAGIC = 1,
    AL_ZFILE_TRUNCATED_HEADER = 2,
    AL_ZFILE_BAD_HEADER_VERSION = 3,
    AL_ZFILE_BAD_HEADER_LENGTH = 4,
    AL_ZFILE_BAD_TOTAL_SIZE = 5,
    AL_ZFILE_TRUNCATED_FILE = 6,
    AL_ZFILE_ELEMENT_OVERRUN = 7,
    AL_ZFILE_PARTIAL_ELEMENT = 8,
    AL_ZFILE_NO_IMAGE = 9,
    AL_ZFILE_BAD_INTEGRITY = 10,
    AL_ZFILE_BAD_HW_RANGE = 11,
    AL_ZFILE_WILDCARD_ID = 12,
    AL_ZFILE_DUPLICATE_IMAGE = 13,
    AL_ZFILE_WRONG_DEVICE = 14,
    AL_ZFILE_TOO_LARGE = 15
};

/* "no_magic"; "ok" for 0, "unknown" beyond. */
const char *al_zfile_class_name(enum al_zfile_class c);
bool al_zfile_class_lenient(enum al_zfile_class c); /* only a warning when lenient */

struct al_zfile_fault {
    enum al_zfile_class class;
    uint32_t offset;   /* of the field in question */
    uint64_t expected; /* what the field's class asks for: a limit, a size, an id */
    uint64_t found;
};

struct al_zfile_header {
    uint16_t header_version;
    uint16_t header_length;
    uint16_t field_control;
    uint16_t manufacturer;
    uint16_t image_type;
    uint32_t file_version;
    uint16_t stack_version;
    uint8_t string[AL_ZFILE_STRING]; /* not always zero-terminated */
    uint32_t total_image_size;       /* header included */
    uint8_t credential_version;      /* optional fields: zero when absent */
    uint64_t destination;
    uint16_t min_hardware, max_hardware; /* inclusive */
};

/* Reads a header that begins at p; len: bytes there, up to AL_ZFILE_HEADER_MAX are
 * looked at. 0, or AL_ERR_SHORT, AL_ERR_INVALID_VERSION, AL_ERR_INVALID_SIZE,
 * AL_ERR_NOT_FOUND (no magic), and the fault: classes 1 to 5. */
int al_zfile_parse_header(const uint8_t *p, size_t len, struct al_zfile_header *h,
                          struct al_zfile_fault *fault);
/* Bytes that the fields of h take: 56..69; header_length of a header without more. */
uint16_t al_zfile_header_size(uint16_t field_control);
/* The header's bytes; h->header_length is not looked at. Gives their number. */
uint16_t al_zfile_build_header(const struct al_zfile_header *h, uint8_t out[AL_ZFILE_HEADER_MAX]);

struct al_zfile_source {
    void *ctx;
    /* Reads len bytes at off from the start of the file, wrapping included. 0 or an
     * error, which comes back from whoever asked. */
    int (*read)(void *ctx, uint32_t off, void *buf, size_t len);
    uint32_t size;
};

enum al_zfile_chain {
    AL_ZFILE_CHAIN_NONE, /* no valid chain in either reading */
    AL_ZFILE_CHAIN_STANDARD,
    AL_ZFILE_CHAIN_TELINK /* 2 uncounted bytes behind each 0xf000's element header */
};

enum al_zfile_wrapping {
    AL_ZFILE_PLAIN,
    AL_ZFILE_JUNK, /* something unknown before the magic */
    AL_ZFILE_NGIS, /* IKEA */
    AL_ZFILE_LEGRAND,
    AL_ZFILE_THIRD_REALITY
};

struct al_zfile_element {
    uint16_t tag;
    uint32_t length; /* of the data */
    uint32_t offset; /* of the data */
};

/* Faults in the order of their numbers, each class once. */
struct al_zfile_verdict {
    struct al_zfile_fault fault[9];
    uint8_t count;
};

/* The fault that decides: the first, or the first that is no mere warning. NULL: none. */
const struct al_zfile_fault *al_zfile_error(const struct al_zfile_verdict *v, bool lenient);

struct al_zfile {
    struct al_zfile_source source;
    uint32_t start; /* of the magic, in the source */
    enum al_zfile_wrapping wrapping;
    struct al_zfile_header header;
    enum al_zfile_chain chain;
    struct al_zfile_fault chain_fault; /* AL_ZFILE_CHAIN_NONE: where the standard walk ended */
    uint32_t elements;                 /* whole ones of the chain; NONE: of the standard walk */
    uint32_t images;                   /* of tag 0 */
    bool has_image; /* the first of tag 0, or else of 0xf000 in the Telink reading */
    struct al_zfile_element image;
    uint32_t second_image; /* images > 1: offset of its data */
    bool has_integrity;    /* the first integrity code */
    struct al_zfile_element integrity;
};

/* Finds the header (the first magic behind which it passes classes 2 to 6) and walks the
 * elements. A broken chain is no failure here: see chain. AL_ERR_IMAGE_INVALID: classes 1
 * to 6, in fault, of the first magic, which is then at f->start; else the source's error. */
int al_zfile_open(struct al_zfile *f, const struct al_zfile_source *source,
                  struct al_zfile_fault *fault);

/* One element after the other: it.position begins at f->header.header_length. 1: *e is
 * filled; 0: no more; or the source's error. Of a file without a chain it gives the whole
 * elements of the standard walk. */
struct al_zfile_iter {
    uint32_t position;
    struct al_zfile_element element;
};
struct al_zfile_iter al_zfile_first(const struct al_zfile *f);
int al_zfile_next(const struct al_zfile *f, struct al_zfile_iter *it);

/* Reads len bytes at off (from the magic). AL_ERR_INVALID_SIZE: beyond the total image
 * size; or the source's error. */
int al_zfile_read(const struct al_zfile *f, uint32_t off, void *buf, size_t len);

/* Which bytes the integrity code covers. */
enum al_zfile_coverage {
    AL_ZFILE_COVERS_NOTHING_KNOWN,
    AL_ZFILE_UP_TO_VALUE, /* convention A: all before the 16 bytes of the code */
    AL_ZFILE_UP_TO_TAG    /* convention B: all before its element */
};
/* Compares the first integrity code (of 16 bytes) with the file's bytes.
 * AL_ERR_NOT_FOUND: there is none of that length; or the source's error. */
int al_zfile_integrity(const struct al_zfile *f, const struct al_aes *aes,
                       enum al_zfile_coverage *coverage);

/* AES-MMO of the bytes [0, end) without the skip_len ones at skip: what signatures sign. */
int al_zfile_digest(const struct al_zfile *f, const struct al_aes *aes, uint32_t end, uint32_t skip,
                    uint32_t skip_len, uint8_t digest[16]);

/* Classes 7 to 13; what depends on the elements is judged only of a file with a chain.
 * aes NULL: without comparing the integrity code. 0 or the source's error. */
int al_zfile_check(const struct al_zfile *f, const struct al_aes *aes, struct al_zfile_verdict *v);

/* Classes 11 and 12, behind what v holds. */
void al_zfile_check_header(const struct al_zfile_header *h, struct al_zfile_verdict *v);

/* The device that a file is meant for. */
struct al_zfile_device {
    uint64_t ext_addr;
    bool has_hardware;
    uint16_t hardware;
    uint32_t space; /* bytes for the image; UINT32_MAX: do not compare */
};

enum al_zfile_fit {
    AL_ZFILE_FITS,
    AL_ZFILE_FITS_REVERSED /* only when the destination's bytes are read backwards, as
                              Espressif's 2.0 tool writes them: worth a warning */
};
/* Classes 14 and 15. payload: bytes of the image, 0: unknown, the total image size
 * counts. Gives enum al_zfile_fit, or AL_ERR_NOT_ALLOWED with the fault. */
int al_zfile_check_device(const struct al_zfile_header *h, uint32_t payload,
                          const struct al_zfile_device *d, struct al_zfile_fault *fault);

#endif
