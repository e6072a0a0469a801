/* An OTA file that comes piece by piece, as a client gets it: takes the header and the
 * element headers off and hands on the data. The whole state is one plain struct without
 * pointers that matter between calls: it may be stored as it is and go on later, at
 * s->position.
 *
 *   HEADER -> MORE_HEADER -> ELEMENT -> DATA -+-> DONE
 *                               ^-------------'
 *
 * A file whose image follows the header without an element header is taken too, see raw.
 * Only the standard reading of elements: a Telink file is no image for this device. */
#ifndef ZIGBEE_OTA_STREAM_H
#define ZIGBEE_OTA_STREAM_H

#include "zigbee/hash.h"
#include "zigbee/ota_file.h"

enum al_zstream_state {
    AL_ZSTREAM_HEADER,
    AL_ZSTREAM_MORE_HEADER, /* fields that nobody knows yet */
    AL_ZSTREAM_ELEMENT,
    AL_ZSTREAM_DATA,
    AL_ZSTREAM_DONE, /* total image size is reached; what follows is ignored */
    AL_ZSTREAM_FAILED
};

struct al_zstream {
    enum al_zstream_state state;
    uint32_t position;               /* bytes had: what to feed next, from the magic */
    struct al_zfile_header header;   /* from MORE_HEADER on */
    struct al_zfile_element element; /* in DATA */
    bool raw;                        /* no element header: all behind the header is the image */
    bool has_image;
    struct al_zfile_element image;
    bool has_integrity;    /* an integrity code has begun */
    uint32_t integrity_at; /* offset of its data */
    bool integrity_ok;
    int err; /* FAILED */
    struct al_zfile_fault fault;
    /* own */
    uint8_t gather[AL_ZFILE_HEADER_MAX];
    uint8_t fill;
    bool up_to_value, up_to_tag; /* still equal to the code */
    uint8_t expect[2][16];       /* the code by either convention */
    struct al_mmo mmo;
};

/* Callbacks may be NULL. Less than 0 ends the stream and comes back from feed. */
struct al_zstream_app {
    void *ctx;
    /* Whether to go on: the place for al_zfile_check_device(). */
    int (*header)(void *ctx, const struct al_zfile_header *h);
    /* The next len > 0 bytes of e's data, at offset from its first byte. */
    int (*data)(void *ctx, const struct al_zfile_element *e, uint32_t offset, const uint8_t *data,
                size_t len);
};

void al_zstream_begin(struct al_zstream *s);

/* The bytes at s->position. aes: for the integrity code; NULL: it is not compared. 0, a
 * callback's error, or AL_ERR_IMAGE_INVALID with s->fault: classes 1 to 5, 7, 8 and 13.
 * After an error every call gives that again. */
int al_zstream_feed(struct al_zstream *s, const struct al_aes *aes,
                    const struct al_zstream_app *app, const uint8_t *data, size_t len);

/* At the end. 0; AL_ERR_NOT_FINISHED: bytes are missing; the error of feed; or
 * AL_ERR_IMAGE_INVALID with s->fault: classes 9 to 12. */
int al_zstream_end(struct al_zstream *s);

#endif
