/* A change set: new contents of data partitions and the choice of the next app slot take
 * effect together, whatever instant the power goes.
 *
 *   stage      the new contents are written somewhere else (the spare slot, a spare partition)
 *   record     one program operation makes the set valid: from here on it happens
 *   apply      contents go to their partitions, otadata is switched; each step may be cut
 *              and is done again (al_change_start at every start, before the app looks)
 *   [trial]    a set that keeps the old contents swaps instead of copying: until the new app
 *              is confirmed, going back to the old app brings the old contents back
 *   done       the record is voided
 *
 * The record and, for swaps, one scratch sector lie at the end of the staging area:
 *
 *   | staged contents, each from a sector on |  ...  | scratch 4096 | record 4096 |
 *
 * Record, little-endian:
 *
 *   @0    magic 0x53434c41 ("ALCS"), CRC-32 (start 0) of @8..@735: programmed last; voided to zeros
 *   @8    version 1, parts, flags (1: chooses a slot, 2: keeps the old contents),
 *         slot (flash offset), seq (of the otadata entry that the choice writes), seq of the
 *         entry in force before (0xffffffff: none)
 *   @32   8 parts of 88 bytes: target, its size, staged, len, room, swapped length,
 *         SHA-256 of the new content, SHA-256 of the old (its swapped length)
 *   @768  marks, one byte a step, set when it is done: low nibble 0 on the way there, high
 *         nibble 0 on the way back. [0] on trial, going back; [2 + 2n] part n begun,
 *         [3 + 2n] done; from @800 on three a swapped sector: the old bytes are in scratch,
 *         the new ones in the target, the old ones in staging
 *
 * The record is not proof against an attacker who can write flash. It is against one who can
 * only have images downloaded: al_ota_write refuses bytes that would make a record's magic
 * where a record would lie, since an image's end is there before its signature is checked. */
#ifndef CORE_CHANGE_H
#define CORE_CHANGE_H

#include "core/ota.h"

#define AL_CHANGE_PARTS   8u               /* partitions in one set at most */
#define AL_CHANGE_RESERVE (2u * AL_SECTOR) /* scratch and record at the end of the area */

struct al_change_part {
    uint32_t target, target_size; /* partition: flash offset, bytes */
    uint32_t staged;              /* flash offset of the new content, whole sectors */
    uint32_t len;                 /* bytes of it; the rest of the partition becomes 0xff */
    uint8_t sha256[32];           /* of the len bytes */
    uint32_t room;                /* bytes free from staged on, whole sectors: for a swap */
    uint32_t swap_len;            /* set by al_change_record: whole sectors; 0 of a copy */
    uint8_t old_sha256[32];       /* set by al_change_record: of the target's swap_len bytes */
};

struct al_change_set {
    uint32_t count; /* may be 0 when only a slot is switched */
    struct al_change_part part[AL_CHANGE_PARTS];
    bool switches; /* a slot is chosen, too */
    uint32_t slot; /* flash offset of that app partition */
    bool keep_old; /* swap; undone when the app that boots is not in slot any more */
};

enum al_change_state {
    AL_CHANGE_NONE,    /* no valid record */
    AL_CHANGE_PENDING, /* recorded, not all applied */
    AL_CHANGE_TRIAL,   /* applied; the old contents are kept until the app is confirmed */
    AL_CHANGE_UNDOING  /* going back */
};

/* A record as it was read. */
struct al_change {
    struct al_ota *o;
    struct al_window area; /* scratch and record are its last sectors */
    struct al_change_set set;
    uint32_t seq;               /* of the otadata entry that chooses the slot */
    uint32_t before;            /* of the one in force when it was recorded; 0xffffffff: none */
    enum al_change_state state; /* when it was read */
};

/* What became of a record. */
enum al_change_outcome {
    AL_CHANGE_NOTHING,   /* there was none */
    AL_CHANGE_APPLIED,   /* all of it holds now, for good */
    AL_CHANGE_ON_TRIAL,  /* all of it holds now, until the app in slot is given up */
    AL_CHANGE_CONFIRMED, /* the app was confirmed: the old contents are forgotten */
    AL_CHANGE_UNDONE,    /* the old contents are back */
    AL_CHANGE_DROPPED,   /* void: it could not be obeyed, see the error; nothing was touched, or
                            what was begun has been brought to the end, without the slot */
    AL_CHANGE_OPEN       /* the flash failed: the next start goes on */
};

/* May a partition's content be replaced by a change set? Only whole sectors; inside one
 * writable partition of the table (data, or a type of the user's own) or in no partition at all
 * (those registered at run time are not known at a start); never otadata, NVS keys, emulated eFuse
 * or the NVS named "nvs". */
bool al_change_target_ok(const struct al_ota *o, uint32_t offset, uint32_t size);

/* Bytes up to the last that is not 0xff, rounded up to whole sectors. */
int al_change_used(const struct al_ota *o, uint32_t offset, uint32_t size, uint32_t *used);

/* SHA-256 of len bytes at a flash offset. */
int al_change_digest(const struct al_ota *o, uint32_t offset, uint32_t len, uint8_t digest[32]);

/* Makes the set valid. Nothing but scratch and record is written; a cut leaves the old
 * content of all or a valid record. Staged contents and the slot's image are verified first.
 * area: its end takes the record; what is staged may lie elsewhere, inside one OTA slot or data
 * partition each.
 * AL_ERR_INVALID_ARG: the set contradicts these rules; AL_ERR_INVALID_SIZE: keep_old and too
 * little room to swap; AL_ERR_INVALID_CRC: staged bytes differ; AL_ERR_OTA_VALIDATE_FAILED,
 * AL_ERR_OTA_SMALL_SEC_VER: the slot's image; AL_ERR_NOT_FOUND: no otadata;
 * AL_ERR_INVALID_STATE: a valid record lies there already; the flash's. */
int al_change_record(struct al_ota *o, const struct al_window *area, struct al_change_set *set);

/* AL_ERR_NOT_FOUND: no valid record (state is AL_CHANGE_NONE). */
int al_change_read(struct al_ota *o, const struct al_window *area, struct al_change *c);

/* Brings a recorded set into effect. Gives what became of it; err (may be NULL): why. */
enum al_change_outcome al_change_apply(struct al_change *c, int *err);

/* Swaps back. Only of a set on trial or already on its way back. */
enum al_change_outcome al_change_undo(struct al_change *c, int *err);

/* Voids the record: what holds, holds. */
int al_change_finish(struct al_change *c);

/* At every start, before the app looks: goes on with what was cut, goes back when the app that
 * runs is not the one on trial, forgets when it is confirmed. *restart: another app has to
 * boot now. *err (may be NULL): why it was dropped or stays open. */
enum al_change_outcome al_change_start(struct al_ota *o, const struct al_window *area,
                                       bool *restart, int *err);

/* While the app runs: forgets the old contents when the app has been confirmed.
 * AL_CHANGE_NOTHING, _CONFIRMED, _ON_TRIAL, or _OPEN (to be finished by a start). */
enum al_change_outcome al_change_confirm(struct al_ota *o, const struct al_window *area);

#endif
