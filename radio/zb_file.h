/* The records of a node in one file, so that a gateway or a client goes on after a kill -9
 * or a power cut: an append-only journal, compacted by an atomic rename. Every save is on
 * disk when it returns. Keys lie in it: mode 0600.
 *
 *   "AIRLIFTZ" | version u32 | reserved u32         all little-endian
 *   then records: number u16 | length u16 | data | CRC-32 of all of that, u32
 *
 * The last of a number counts; length 0 deletes it. What a power cut leaves at the end (less
 * than a whole record) is cut off; damage anywhere else is an error. */
#ifndef RADIO_ZB_FILE_H
#define RADIO_ZB_FILE_H

#include <stddef.h>

#include "zigbee/store.h"

#define ZB_FILE_RECORD_MAX 4096u /* bytes of the longest record */

struct zb_file;

/* Makes the file when there is none (or an empty one). Locked until closed. NULL: what was
 * wrong stands in error: not readable, in use by another process, no such file of Airlift's,
 * damaged (with the offset). */
struct zb_file *zb_file_open(const char *path, char *error, size_t error_size);
void zb_file_close(struct zb_file *f); /* NULL allowed */

/* Its save() gives AL_FAIL when the disk does not take it (the record stays as it was), and
 * AL_ERR_INVALID_SIZE. */
const struct al_zb_store *zb_file_store(struct zb_file *f);
/* Why a save failed; "" when none did since the file was opened. */
const char *zb_file_error(const struct zb_file *f);

/* All records, by number. A result other than 0 ends it and comes back. */
int zb_file_each(const struct zb_file *f,
                 int (*each)(void *ctx, uint16_t record, const void *data, size_t len), void *ctx);

#endif
