/* Which block size works: 223 (fragmented), 63, 49, 40 bytes. Two failures in a row are a
 * step down; a run of successes is a step up again, a longer run after each time that the
 * step up did not last. A size that has worked often is not given up for a few failures, and
 * soon tried again: then it is the air that is bad, and small blocks are no better there. */
#ifndef ZIGBEE_OTA_LADDER_H
#define ZIGBEE_OTA_LADDER_H

#include <stdbool.h>
#include <stdint.h>

struct al_zota_ladder {
    uint8_t step;   /* 0: 223 ... 3: 40 */
    uint8_t best;   /* not above this one: single frames only, or the size was refused */
    uint8_t fails;  /* in a row */
    uint8_t wins;   /* of this step, up to where it counts as proven */
    uint8_t proven; /* a bit a step */
    uint16_t good;  /* in a row; in all when the step above is proven */
    uint16_t need;  /* successes for a step up; 0: the first value, 16 */
};

uint8_t al_zota_ladder_size(const struct al_zota_ladder *l);
/* True: the size has changed. */
bool al_zota_ladder_good(struct al_zota_ladder *l);
bool al_zota_ladder_bad(struct al_zota_ladder *l);
/* The transport cannot carry size bytes: never try them again. */
void al_zota_ladder_refused(struct al_zota_ladder *l, uint8_t size);

#endif
