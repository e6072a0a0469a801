/* New contents for data partitions such that a power cut leaves the old or the new one.
 *
 *   part_update_begin ──> write* ──> commit                      one partition
 *   part_update_begin ──> write* ──> part_change_add ──> ... ──> part_change_commit   several,
 *                                                                and the app slot, together
 *
 * The bytes are staged in a spare partition (label CONFIG_AIRLIFT_STAGING_PARTITION) or in the
 * part of the passive OTA slot that no app needs: all of it, or what lies behind the image that
 * was written there and is chosen to boot. Where there is no room the update is refused, or, when
 * in_place is set, written into the partition itself, marked incomplete in NVS from before its
 * erase until commit. core/change.h holds what lies in flash; idf_change_recover() (startup.c,
 * before app_main) finishes what a power cut interrupted.
 *
 * One task at a time on one update; different updates may be open at once. */
#ifndef ESP_PART_UPDATE_H
#define ESP_PART_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_partition.h"

struct part_update;
struct part_change;

enum part_update_place {
    PART_UPDATE_STAGED,
    PART_UPDATE_IN_PLACE /* a power cut leaves an incomplete partition, marked as such */
};

struct part_update_options {
    int64_t
        size; /* bytes that will come; -1: not known: room for the whole partition is asked for */
    bool in_place;        /* allowed when there is no room for staging */
    bool strict_in_place; /* always in place: the order of the originals, no staging (compat) */
};

/* target: of the primary table or registered at run time. ESP_ERR_INVALID_SIZE: size beyond the
 * partition; ESP_ERR_NOT_FOUND: no place to stage in; ESP_ERR_OTA_ROLLBACK_INVALID_STATE: there is
 * only the passive slot, and the running app on trial may have to go back to it, or an earlier
 * change is on trial with it; ESP_ERR_NOT_ALLOWED: read-only, or the system's (core/change.h), or
 * the staging partition itself; ESP_ERR_INVALID_STATE: an update of this partition is open, an
 * earlier change has to be finished by a restart, or in place without NVS. why may be NULL; else a
 * sentence for people on an error.
 *
 * Apps come before data: esp_ota_begin erases its slot, and while data is staged there it is
 * refused (ESP_ERR_INVALID_STATE). */
esp_err_t part_update_begin(const esp_partition_t *target, const struct part_update_options *o,
                            struct part_update **out, char *why, size_t why_size);
enum part_update_place part_update_place(const struct part_update *u);
/* ESP_ERR_INVALID_SIZE: beyond the partition or the staging area. */
esp_err_t part_update_write(struct part_update *u, const void *data, size_t len);
size_t part_update_written(const struct part_update *u);

/* The staged bytes as they were programmed are read back and compared with the digest of what was
 * written; then they become the partition's content. u is gone whatever the result; on an error the
 * partition has its old content (staged) or stays marked (in place). ESP_ERR_INVALID_CRC: they
 * differ. When the flash fails after all that, the log says so, and the next start goes on. */
esp_err_t part_update_commit(struct part_update *u);
/* u is gone; staged: the partition is untouched; in place: it stays marked. */
void part_update_abort(struct part_update *u);

/* Has an update in place of this partition begun and not ended? Or has the flash failed while new
 * content was put in place, so that the next start goes on? */
bool part_update_incomplete(const esp_partition_t *target);

/* Several together. boot: app partition whose image has been written and verified. All staged,
 * never in place. add takes u over. commit and abort free the change; commit with a boot slot on
 * a boot loader with rollback keeps the old contents until that app is confirmed (they come back
 * with the old app), if the staging area has room for them. */
esp_err_t part_change_new(struct part_change **out);
esp_err_t part_change_add(struct part_change *c, struct part_update *u);
esp_err_t part_change_boot(struct part_change *c, const esp_partition_t *slot);
esp_err_t part_change_commit(struct part_change *c);
void part_change_abort(struct part_change *c);

/* While the calling task is in an overlay, its esp_partition_read, _write, _erase_range and _mmap
 * on the target of u reach the staged content from its first erase or write on (before: the
 * partition's own), and esp_ota_set_boot_partition verifies the image but only notes the slot. So
 * callbacks written for the vendor's services, which erase the partition themselves, keep the
 * promise above. Overlays do not nest. u may be NULL: only the slot is held back. */
void part_overlay_begin(struct part_update *u, bool hold_boot);
/* The slot that was noted, NULL: none. */
const esp_partition_t *part_overlay_end(void);

/* At every start, before app_main: finishes, undoes or forgets a recorded change. Restarts the
 * chip when that switched the slot. */
void idf_change_recover(void);

#endif
