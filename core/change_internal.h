/* What the change_*.c files share; nothing for others. */
#ifndef CORE_CHANGE_INTERNAL_H
#define CORE_CHANGE_INTERNAL_H

#include "core/change.h"

/* Numbers of marks. */
enum {
    CHANGE_MARK_WHOLE = 0,  /* there: on trial; back: going back */
    CHANGE_MARK_BEGUN = 2,  /* + 2 * part */
    CHANGE_MARK_DONE = 3,   /* + 2 * part */
    CHANGE_MARK_STEPS = 32, /* first of the swaps */
    CHANGE_MARKS = AL_SECTOR - 768
};
#define CHANGE_STEPS 3u /* marks of a swapped sector */

bool al_change_marked(const struct al_change *c, uint32_t mark, bool back);
int al_change_mark(const struct al_change *c, uint32_t mark, bool back);

/* AL_ERR_INVALID_ARG: the set must not be obeyed on this device. */
int change_check(const struct al_ota *o, const struct al_window *area,
                 const struct al_change_set *set);

/* AL_ERR_INVALID_CRC: the bytes have another SHA-256. */
int al_change_compare(const struct al_ota *o, uint32_t offset, uint32_t len,
                      const uint8_t digest[32]);

/* The target gets its staged content: again and again gives the same. */
int al_change_copy(const struct al_change *c, uint32_t part);
/* Target and staging change places; back: once more. Goes on where a cut left it. */
int al_change_swap(const struct al_change *c, uint32_t part, bool back);

/* The app partition at a flash offset; NULL: none. */
const struct al_part *al_change_slot(const struct al_ota *o, uint32_t offset);
/* The otadata entry with a seq. AL_ERR_NOT_FOUND: there is none. */
int al_change_entry(const struct al_ota *o, uint32_t seq, struct al_window *otadata,
                    struct al_ota_entry *entry, uint32_t *index);
/* seq that choosing the slot writes now, and that of the entry in force. AL_ERR_NOT_FOUND: no
 * otadata. */
int al_change_plan(const struct al_ota *o, uint32_t slot, uint32_t *seq, uint32_t *before);

#endif
