/* Shared by the files behind cloud.h. */
#ifndef SERVER_CLOUD_IMPL_H
#define SERVER_CLOUD_IMPL_H

#include <pthread.h>
#include <sqlite3.h>

#include "server/cloud.h"

/* What modules ask is prepared once. */
enum cloud_kept { CLOUD_KEPT_DEVICE, CLOUD_KEPT_LIST, CLOUD_KEPT_FILE, CLOUD_KEPT_COUNT };

/* A change that waits for another program holds up a thread that serves modules. */
#define CLOUD_BUSY_MS 2000

struct cloud {
    struct store *store;
    /* Readers do not wait for the disk: they have a connection of their own. */
    sqlite3 *read, *write;
    sqlite3_stmt *kept[CLOUD_KEPT_COUNT]; /* of read */
    pthread_mutex_t reading, writing;
    struct cloud_journal *journal;
};

#define CLOUD_TIME(column) "strftime('%Y-%m-%dT%H:%M:%SZ', " column ", 'unixepoch')"

/* Rows as an array of objects with the columns' names; one that ends with '?' is true or false
 * (without the '?'). NULL: failed, why (may be NULL) and the log tell. */
cJSON *cloud_sql_rows(sqlite3 *db, struct cloud_refusal *why, const char *sql, const char *types,
                      ...);
/* The same on the reading connection, with the lock taken. */
cJSON *cloud_read_rows(struct cloud *c, struct cloud_refusal *why, const char *sql,
                       const char *types, ...);
/* A kept statement, bound; sql is always the same. With the lock of the reading connection, and
 * to be reset before that is given back. NULL: failed, *err says how. */
sqlite3_stmt *cloud_kept(struct cloud *c, enum cloud_kept which, int *err, const char *sql,
                         const char *types, ...);
/* Is there a product, or device, of that name (NULL: yes)? For readers. */
bool cloud_known(struct cloud *c, const char *product, const char *device,
                 struct cloud_refusal *why);
/* A statement without rows. */
bool cloud_sql_do(sqlite3 *db, struct cloud_refusal *why, const char *sql, const char *types, ...);
/* The first column of the first row; -1: no row. false: failed. */
bool cloud_sql_number(sqlite3 *db, struct cloud_refusal *why, int64_t *out, const char *sql,
                      const char *types, ...);

/* Runs change in a transaction on c->write; it is undone when change gives false. */
bool cloud_change(struct cloud *c,
                  bool (*change)(struct cloud *c, void *arg, struct cloud_refusal *), void *arg,
                  struct cloud_refusal *why);
/* Inside a change. */
bool cloud_audit(struct cloud *c, struct cloud_refusal *why, const char *who, const char *what,
                 const char *object, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Ids by name, inside a change; false: there is none, or it failed. */
bool cloud_product_id(struct cloud *c, const char *name, int64_t *id, struct cloud_refusal *why);
bool cloud_device_id(struct cloud *c, const char *name, int64_t *id, struct cloud_refusal *why);
bool cloud_rom_id(struct cloud *c, int64_t product, const char *version, int64_t *id,
                  struct cloud_refusal *why);

/* A new random key and its hash. */
bool cloud_key_make(char key[CLOUD_KEY_LEN + 1], char sha256[BLOB_HEX_LEN],
                    struct cloud_refusal *why);
void cloud_key_hash(const char *key, char sha256[BLOB_HEX_LEN]);
/* 8 random hex digits that table's column serial does not have. */
bool cloud_serial_make(struct cloud *c, const char *table, char serial[9],
                       struct cloud_refusal *why);
/* A key for a device or a product (the other 0), inside a change. */
bool cloud_key_add(struct cloud *c, int64_t device, int64_t product, const char *label,
                   char key[CLOUD_KEY_LEN + 1], struct cloud_refusal *why);

/* The writer of events. */
struct cloud_journal *cloud_journal_start(struct cloud *c);
void cloud_journal_stop(struct cloud_journal *j); /* writes what is left; NULL is allowed */
/* Puts newer times of memory over "last_active" in an array of devices (with "id"). */
void cloud_journal_fill_active(struct cloud_journal *j, cJSON *devices);

#endif
