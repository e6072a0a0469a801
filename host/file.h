/* Whole files: read into memory, write so that a reader sees the old or the
 * new content and a full disk loses nothing. */
#ifndef HOST_FILE_H
#define HOST_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* *data is malloc'ed, with a NUL behind the last byte (not counted). max: largest
 * length taken. 0 or -errno (EFBIG: longer than max). */
int file_read(const char *path, size_t max, uint8_t **data, size_t *len);
/* By a temporary file beside it, fsync and rename; behind a link: of the file it leads
 * to. 0 or -errno. */
int file_write(const char *path, const void *data, size_t len, unsigned mode);
/* A rename to path, or a file made there, reaches the disk; best effort. */
void file_sync_parent(const char *path);
/* mkdir -p. 0 or -errno. */
int file_make_dirs(const char *path, unsigned mode);

#endif
