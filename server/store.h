/* The firmware repository: which artifact a name stands for, now and before. Contents are
 * blobs (server/blobs.h), everything else a database; what callers see here does not tell
 * which one. All functions may be called from any thread.
 *
 * Publishing is atomic: a reader gets the old artifact or the new one, and after a crash
 * at any moment one of the two is there. */
#ifndef SERVER_STORE_H
#define SERVER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/blobs.h"

#define ARTIFACT_NAME_MAX 127u

struct store;

struct artifact {
    char name[ARTIFACT_NAME_MAX + 1];
    char sha256[BLOB_HEX_LEN];
    uint64_t size;
    char kind[16];    /* "esp-app", "esp-bootloader", "zigbee", "other" */
    char project[33]; /* app description; "" when there is none */
    char version[33];
    char chip[16]; /* "esp32c3"; of zigbee: see zigbee_check.h */
    uint32_t secure_version;
    int64_t published; /* seconds since 1970; rises with every publication of a name, so
                          that as Last-Modified it tells contents apart */
};

/* Letters, digits, and "._+-" behind the first; at most ARTIFACT_NAME_MAX. */
bool artifact_name_ok(const char *name);

/* Opens or makes DATA/blobs and DATA/airlift.db, and clears up after a crash. NULL: why. */
struct store *store_open(const char *data_dir, char *why, size_t why_size);
void store_close(struct store *s);

struct blobs *store_blobs(struct store *s); /* for drafts */

/* These give 0 or -errno: -ENOENT no such name, -ENOSPC disk full, -EIO else; the reason
 * goes to the log. */

/* Makes draft (sealed; gone afterwards) what a->name stands for. The caller has set name,
 * kind and description; sha256, size and published are filled in. fresh: false when the name
 * stood for this content already (then nothing changes). */
int store_publish(struct store *s, struct blob_draft *draft, struct artifact *a, bool *fresh);
/* blob may be NULL; else the caller releases it. */
int store_find(struct store *s, const char *name, struct artifact *out, struct blob **blob);
/* What every name stands for, by name; a non-zero result of each ends it. */
int store_list(struct store *s, int (*each)(void *ctx, const struct artifact *a), void *ctx);
/* All publications of a name, newest first. */
int store_history(struct store *s, const char *name,
                  int (*each)(void *ctx, const struct artifact *a), void *ctx);
/* Forgets a name, its history, and the contents that no other name ever stood for. -EBUSY: a
 * version for modules (server/cloud.h) holds one of these contents. */
int store_withdraw(struct store *s, const char *name);

/* Small values that outlive a restart. out: -ENOENT leaves it alone. */
int store_get_setting(struct store *s, const char *key, char *out, size_t size);
int store_set_setting(struct store *s, const char *key, const char *value);

#endif
