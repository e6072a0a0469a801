/* A change set: new contents of data partitions and the choice of the next app slot take
 * effect together, whatever instant the power goes.
 *
 *   stage      the new contents are written somewhere else (the spare slot, a spare partition)
 *   record     one program operation makes the set valid: from here on it happens
 *   apply      contents go to their partitions, otadata is switched; each step may be cut
 *              and is done again (al_change_recover at every start, before the app looks)
 *   [trial]    a set that keeps the old contents swaps instead of copying: until the new app
 *              is confirmed, going back to the old app brings the old contents back
 *   done       the record is voided
 *
 * The record and, for swaps, one scratch sector lie at the end of the staging area:
 *
 *   | staged contents, each from a sector on |  ...  | scratch 4096 | record 4096 |
 *
 * A record holds a head with its CRC-32, one entry a partition with the SHA-256 of what was
 * staged, and behind them one byte a step of a swap, programmed to 0 when the step is done. */
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

#endif
