/* SQLite as server/store.c uses it: schema, statements, errors. */
#ifndef SERVER_STORE_SQL_H
#define SERVER_STORE_SQL_H

#include <sqlite3.h>
#include <stdarg.h>

#include "server/store.h"

/* Opens DATA/airlift.db and brings its schema up to date. NULL: why. */
sqlite3 *store_sql_open(const char *data_dir, char *why, size_t why_size);

/* A result code of SQLite as -errno; logs it. 0 for SQLITE_OK, _ROW and _DONE; -ENOSPC: the disk
 * is full; -EAGAIN: another program holds the database. */
int store_sql_error(sqlite3 *db, int code);

int store_sql_run(sqlite3 *db, const char *sql);

/* Prepares sql and binds: types has a letter an argument, 't' const char * (NULL too), 'i' int64_t.
 * NULL: failed and logged, *err says how. */
sqlite3_stmt *store_sql_prepare(sqlite3 *db, int *err, const char *sql, const char *types, ...);
sqlite3_stmt *store_sql_prepare_list(sqlite3 *db, int *err, const char *sql, const char *types,
                                     va_list list);
/* Binds alone. 0 or -errno. */
int store_sql_bind_list(sqlite3 *db, sqlite3_stmt *stmt, const char *types, va_list list);

/* Steps once and finalizes, for statements without rows. stmt NULL gives err. */
int store_sql_finish(sqlite3 *db, sqlite3_stmt *stmt, int err);

/* A row of the columns STORE_SQL_COLUMNS. */
#define STORE_SQL_COLUMNS                                                                \
    "p.name, a.sha256, a.size, a.kind, a.project, a.version, a.chip, a.secure_version, " \
    "p.published"
void store_sql_artifact(sqlite3_stmt *row, struct artifact *out);

#endif
