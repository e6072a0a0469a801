/* Files by content: DATA/blobs/ab/cdef... named by the SHA-256 of what they hold. A file
 * appears whole or not at all, and never changes.
 *
 *   begin -> write* -> seal -> keep      DATA/tmp/XXXXXX -> fsync -> rename, fsync
 *                         └──> drop */
#ifndef SERVER_BLOBS_H
#define SERVER_BLOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOB_HEX_LEN 65u /* 64 hex digits and NUL */

struct blobs;      /* the directory */
struct blob_draft; /* a file being written */
struct blob;       /* a mapped file; shared, by reference count */

/* Makes the directories and removes what interrupted writes left. NULL and -errno in *err. */
struct blobs *blobs_open(const char *data_dir, int *err);
void blobs_close(struct blobs *b);

/* All give 0 or -errno. A failed write stays failed. */
struct blob_draft *blob_begin(struct blobs *b, int *err);
int blob_write(struct blob_draft *d, const void *data, size_t len);
/* The content is complete: digest and bytes can be looked at. */
int blob_seal(struct blob_draft *d);
const char *blob_draft_sha256(const struct blob_draft *d); /* hex */
uint64_t blob_draft_size(const struct blob_draft *d);
const uint8_t *blob_draft_data(struct blob_draft *d); /* mapped; NULL: empty, or not possible */
/* Puts the sealed draft in its place, durably. The draft is gone afterwards, also on error. */
int blob_keep(struct blob_draft *d);
void blob_drop(struct blob_draft *d); /* NULL is allowed */

/* Maps a kept file; the mapping is shared between callers. NULL and -errno. */
struct blob *blob_open(struct blobs *b, const char *sha256, int *err);
struct blob *blob_ref(struct blob *b);
void blob_release(void *blob); /* thread-safe */
const uint8_t *blob_data(const struct blob *b);
uint64_t blob_size(const struct blob *b);

/* Removes a kept file. Mappings of it stay good. */
int blob_remove(struct blobs *b, const char *sha256);
/* Removes every kept file for which known gives false. Count, or -errno. */
int blobs_sweep(struct blobs *b, bool (*known)(void *ctx, const char *sha256), void *ctx);

#endif
