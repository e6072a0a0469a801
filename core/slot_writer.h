/* Writes an image into a slot, in order or at offsets, erasing as it goes, so
 * that a power cut at any byte costs at most the work since the last sector.
 * Source of the rules: esp_ota_ops.c.
 *
 * Going on after a cut. Saved progress says that the bytes before `offset` are in
 * the slot. What lies behind it is not known: erased, already written, or torn.
 *   at a sector boundary   ON_DEMAND erases before it writes: always right.
 *   inside a sector        its first bytes are needed, so it cannot be erased. Bytes
 *                          of the same data, whole or torn, are programmed over: a cut
 *                          program has cleared only bits that the data clears. Remains of
 *                          other data are found out by the first write that meets
 *                          them (AL_ERR_NOT_NOR), where the original only notices when the
 *                          whole image does not verify.
 * al_slot_resume_offset() gives an offset that is right in both cases and at most 4095
 * bytes earlier. Save progress at multiples of 4096 and nothing of this arises. */
#ifndef CORE_SLOT_WRITER_H
#define CORE_SLOT_WRITER_H

#include "core/flash.h"

enum al_slot_erase {
    AL_SLOT_ERASE_ON_DEMAND, /* each sector when it is entered (sequential writes) */
    AL_SLOT_ERASE_AHEAD,     /* caller gives erase_len; erased by begin */
    AL_SLOT_ERASE_NONE /* resume: what lies there may be programmed over with the same bytes */
};

/* What the first bytes must be. */
enum al_slot_content { AL_SLOT_IMAGE, AL_SLOT_PART_TABLE, AL_SLOT_DATA };

struct al_slot_config {
    struct al_window slot;
    enum al_slot_erase erase;
    uint32_t erase_len;           /* ERASE_AHEAD: bytes, rounded up to 4096; 0: whole slot */
    uint32_t offset;              /* where to go on; 0: from the start */
    enum al_slot_content content; /* what is checked at offset 0 */
    bool block16;                 /* flash encryption: only whole 16-byte blocks are programmed */
};

struct al_slot_writer {
    struct al_slot_config cfg;
    uint32_t written; /* bytes accepted, the start offset included */
    uint8_t held[16]; /* block16: bytes not programmed yet */
    uint32_t held_len;
    uint32_t magic_seen; /* after a refused first byte: what was there */
};

/* Erases if ERASE_AHEAD. AL_ERR_INVALID_SIZE: erase_len beyond the slot;
 * AL_ERR_INVALID_ARG: offset beyond the slot, or block16 and offset % 16. */
int al_slot_begin(struct al_slot_writer *w, const struct al_slot_config *cfg);
/* Next bytes, any length. AL_ERR_OTA_VALIDATE_FAILED: wrong first byte (0xe9) or
 * word (0x50aa), found after the erase, as in the original; AL_ERR_INVALID_SIZE:
 * beyond the slot, nothing is changed; AL_ERR_NOT_NOR: resumed inside a sector that
 * holds other data, nothing is changed: go on at an earlier sector; the flash's error. */
int al_slot_write(struct al_slot_writer *w, const void *data, uint32_t len);
/* Bytes at an offset; the range must have been erased. AL_ERR_INVALID_STATE with
 * ERASE_ON_DEMAND; AL_ERR_INVALID_ARG: block16 and len % 16. */
int al_slot_write_at(struct al_slot_writer *w, uint32_t offset, const void *data, uint32_t len);
/* Programs what block16 held back, padded with 0xff. */
int al_slot_flush(struct al_slot_writer *w);

/* Where to go on with ON_DEMAND after a power cut, when the bytes before offset
 * are known to be good: offset, if the rest of its sector is erased, else the start of
 * that sector. With block16 the result is a multiple of 16. If it is less than the
 * saved progress, save it BEFORE the first write: that erases what the old one
 * vouches for, and another cut there must not be resumed behind it. */
uint32_t al_slot_resume_offset(const struct al_window *slot, uint32_t offset, bool block16);

/* The last sector of a slot may hold a record that the next start obeys (change.h), and it
 * begins with this. Would a write of data at offset off make one there? */
#define AL_CHANGE_MAGIC 0x53434c41u
bool al_slot_forges_record(const struct al_slot_writer *w, uint32_t off, const uint8_t *data,
                           uint32_t len);

#endif
