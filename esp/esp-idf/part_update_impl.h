/* What the part_update*.c files share with each other and with the OTA and partition calls. */
#ifndef ESP_PART_UPDATE_IMPL_H
#define ESP_PART_UPDATE_IMPL_H

#include "core/change.h"
#include "esp/esp-idf/idf_device.h"
#include "esp/esp-idf/part_update.h"

struct part_update {
    struct part_update *next; /* of those open */
    esp_partition_t target;
    enum part_update_place place;
    struct al_part area;   /* staged: its end takes scratch and record */
    uint32_t base;         /* flash offset of the bytes: staging, or the target itself */
    uint32_t room;         /* bytes from base on; at most the target's size counts */
    uint32_t written;      /* end of what was written */
    uint8_t *fresh;        /* a bit a sector of the target: erased since begin */
    bool touched;          /* erased or written at all */
    bool overlaid;         /* through esp_partition_*: sectors not fresh keep their content */
    bool in_order, hashed; /* hash covers the bytes 0..written-1; it is open */
    struct al_hash hash;
    bool block16;     /* flash encryption: only whole blocks are programmed */
    uint8_t held[16]; /* block16: bytes behind the last whole block */
    uint32_t held_len;
};

/* --- part_update_place.c; o: the device, locked by the caller --- */

/* May p be written to by an OTA update? Forgets a record that is done with. 0, or
 * AL_ERR_INVALID_STATE, with a log line why. */
int part_place_may_write(struct al_ota *o, const struct al_part *p);
/* A slot that is to be chosen by a change: nothing is staged over its image. NULL: none. */
void part_place_claim(const struct al_part *slot);
/* A valid record anywhere: no other change can begin. AL_CHANGE_NONE: none. */
enum al_change_state part_place_record(struct al_ota *o);
/* Is the target named by a change that is recorded and not all applied? */
bool part_place_is_moving(struct al_ota *o, const esp_partition_t *target);
/* Finds room for u and fills in area, base and room; u is in the list of open ones then. */
esp_err_t part_place_find(struct al_ota *o, struct part_update *u, uint32_t need, char *why,
                          size_t why_size);
/* Into the list of open ones; false: one of (a part of) its partition is there. */
bool part_place_add(struct part_update *u);
void part_place_remove(struct part_update *u);
/* Is an update of (a part of) this partition open? */
bool part_place_is_open(const esp_partition_t *target);
/* Is (a part of) the partition for staging the target? A record in its content would be obeyed. */
bool part_place_is_spare(const struct al_ota *o, const esp_partition_t *target);
/* May its end hold a record? */
bool part_place_holds_records(const struct al_ota *o, const struct al_part *p);
struct al_window part_place_window(const struct al_ota *o, const struct al_part *area);
/* The running app has been confirmed. */
void part_place_confirmed(void);

/* --- part_update.c --- */

/* Completes what was staged, reads it back, and says what a change set needs to know. */
esp_err_t part_update_seal(struct part_update *u, struct al_change_part *out);
/* The target has its new content: a mark of an earlier update in place goes. */
void part_update_is_whole(const struct part_update *u);
/* Closes without a word. */
void part_update_free(struct part_update *u);
/* Erases sectors [first, end) of the target that are not fresh. */
esp_err_t part_update_freshen(struct part_update *u, uint32_t first, uint32_t end);
esp_err_t part_update_program(struct part_update *u, uint32_t off, const void *data, uint32_t len);
bool part_update_is_fresh(const struct part_update *u, uint32_t sector);
/* Before the first erase: marks a partition that is written in place. */
esp_err_t part_update_touch(struct part_update *u);
void part_update_out_of_order(struct part_update *u);

/* --- part_update_change.c --- */

esp_err_t part_change_run(struct al_change_set *set, const struct al_part *area);

/* --- part_update_overlay.c: NULL: the calling task has no overlay over p --- */

struct part_update *part_overlay_of(const esp_partition_t *p);
esp_err_t part_overlay_read(struct part_update *u, size_t off, void *dst, size_t len);
esp_err_t part_overlay_write(struct part_update *u, size_t off, const void *src, size_t len);
esp_err_t part_overlay_erase(struct part_update *u, size_t off, size_t len);
esp_err_t part_overlay_map(struct part_update *u, size_t off, size_t len, const void **out);
/* Notes the slot instead of choosing it. false: the choice is not held back. */
bool part_overlay_hold(const esp_partition_t *slot);
bool part_overlay_holds(void);

#endif
