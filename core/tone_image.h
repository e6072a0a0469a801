/* Data images with tones, as ESP-ADF's mk_audio_tone.py 1.2 makes them and tone_partition reads
 * them. Little-endian, packed.
 *
 *   format 0   | header 8 |          | entry 64 per file | files, each padded with ff to 4 bytes |
 *   format 1   | header 8 | desc 256 | entry 64 per file | files ... | crc 4 | tail 2 |
 *
 * Read through a callback, so that an image may lie in a file or in a partition, which is
 * larger than it. Offsets are from the image's first byte. */
#ifndef CORE_TONE_IMAGE_H
#define CORE_TONE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AL_TONE_HEADER_LEN 8u
#define AL_TONE_DESC_LEN   256u
#define AL_TONE_ENTRY_LEN  64u
#define AL_TONE_CRC_LEN    4u /* zlib's CRC-32 of all before it */
#define AL_TONE_TRAILER    6u /* CRC and tail */

#define AL_TONE_TAG       0x2053u
#define AL_TONE_ENTRY_TAG 0x28u
#define AL_TONE_MAGIC     0xf55f9876u /* of the description */
#define AL_TONE_TAIL      0xdfacu
#define AL_TONE_PROJECT   "ESP_TONE_BIN"
#define AL_TONE_FILES     256u /* an entry's index has one byte */

enum al_tone_type { AL_TONE_MP3 = 0, AL_TONE_WAV = 1 };

enum al_tone_check {
    AL_TONE_OK,
    AL_TONE_SHORT,         /* found: bytes there are; expected: at least */
    AL_TONE_BAD_TAG,       /* of the header */
    AL_TONE_BAD_FORMAT,    /* neither 0 nor 1 */
    AL_TONE_BAD_COUNT,     /* no file, or more than 256 */
    AL_TONE_BAD_MAGIC,     /* of the description */
    AL_TONE_BAD_PROJECT,   /* of the description */
    AL_TONE_BAD_ENTRY_TAG, /* of a file */
    AL_TONE_BAD_INDEX,     /* an entry is not the one that its place says */
    AL_TONE_BAD_ADDRESS,   /* inside the table or the file before; expected: at least */
    AL_TONE_BAD_LENGTH,    /* a file ends behind the image; expected: at most */
    AL_TONE_BAD_TAIL,
    AL_TONE_BAD_CRC
};
/* "bad_tag" */
const char *al_tone_check_name(enum al_tone_check check);

struct al_tone_fault {
    enum al_tone_check check;
    uint32_t offset; /* of the field */
    uint32_t expected, found;
    uint32_t file; /* of the entry's checks: 0, 1, ... */
};

struct al_tone_source {
    void *ctx;
    /* len > 0 bytes at offset; offset + len <= size. 0 or AL_ERR_*. */
    int (*read)(void *ctx, uint32_t offset, void *dst, uint32_t len);
    uint32_t size; /* bytes; more than the image needs: what lies behind it is not looked at */
};

struct al_tone {
    struct al_tone_source source;
    uint32_t count, format;
};

struct al_tone_desc { /* texts end with a zero */
    uint32_t magic, secure_version;
    char version[33], project[33], time[17], date[17];
};

struct al_tone_file {
    uint8_t index, type, version;
    uint32_t address, length;
};

/* All return 0, AL_ERR_IMAGE_INVALID with *fault, or the source's error (then fault->check is
 * AL_TONE_OK). fault may not be NULL. */

/* Reads the header; the table is there as a whole. */
int al_tone_open(struct al_tone *t, const struct al_tone_source *source,
                 struct al_tone_fault *fault);
/* Of format 1 only. Magic and project are the caller's to judge. */
int al_tone_read_desc(const struct al_tone *t, struct al_tone_desc *desc,
                      struct al_tone_fault *fault);
/* index: below t->count. The entry's tag and index are right, the file lies behind the table and
 * inside the source. */
int al_tone_read_file(const struct al_tone *t, uint32_t index, struct al_tone_file *file,
                      struct al_tone_fault *fault);
/* *len: bytes of the whole image, by the entry of its last file. Format 1: its tail is there
 * and right. All that tone_partition_init looks at; the CRC is not. */
int al_tone_find_end(const struct al_tone *t, uint32_t *len, struct al_tone_fault *fault);
/* The CRC of an image of len bytes, format 1. */
int al_tone_check_crc(const struct al_tone *t, uint32_t len, struct al_tone_fault *fault);
/* Everything above, and that files do not overlap. */
int al_tone_verify(const struct al_tone *t, uint32_t *len, struct al_tone_fault *fault);

/* For who makes images. */
void al_tone_put_header(uint8_t out[AL_TONE_HEADER_LEN], uint32_t count, uint32_t format);
void al_tone_put_desc(uint8_t out[AL_TONE_DESC_LEN], const struct al_tone_desc *desc);
void al_tone_put_file(uint8_t out[AL_TONE_ENTRY_LEN], const struct al_tone_file *file);
void al_tone_put_trailer(uint8_t out[AL_TONE_TRAILER], uint32_t crc);
uint32_t al_tone_padded(uint32_t length); /* to a multiple of 4; length <= 0xfffffffc */

#endif
