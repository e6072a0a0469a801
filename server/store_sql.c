/* See store_sql.h. */
#include "server/store_sql.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "server/cloud_schema.h"
#include "server/log.h"

#define BUSY_TIMEOUT_MS 5000

/* Step n leads from schema n to n + 1; user_version says where a database is. What a name
 * stands for is its publication with the highest id. */
static const char *const steps[] = {
    "CREATE TABLE artifact("
    " sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, kind TEXT NOT NULL, project TEXT NOT NULL,"
    " version TEXT NOT NULL, chip TEXT NOT NULL, secure_version INTEGER NOT NULL,"
    " created INTEGER NOT NULL) STRICT;"
    "CREATE TABLE publication("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,"
    " sha256 TEXT NOT NULL REFERENCES artifact(sha256), published INTEGER NOT NULL) STRICT;"
    "CREATE INDEX publication_name ON publication(name, id);"
    "CREATE INDEX publication_sha256 ON publication(sha256);"
    "CREATE TABLE setting(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;",
    CLOUD_SCHEMA,
};
#define SCHEMA_VERSION ((int)(sizeof steps / sizeof *steps))

int store_sql_error(sqlite3 *db, int code)
{
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return 0;
    server_log("database: %s", db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
    int primary = code & 0xff;
    if (primary == SQLITE_FULL) return -ENOSPC;
    if (primary == SQLITE_BUSY) return -EAGAIN;
    return primary == SQLITE_NOMEM ? -ENOMEM : -EIO;
}

int store_sql_run(sqlite3 *db, const char *sql)
{
    return store_sql_error(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int store_sql_bind_list(sqlite3 *db, sqlite3_stmt *stmt, const char *types, va_list list)
{
    int code = SQLITE_OK;
    for (int i = 1; code == SQLITE_OK && types[i - 1]; i++) {
        if (types[i - 1] == 't')
            code = sqlite3_bind_text(stmt, i, va_arg(list, const char *), -1, SQLITE_TRANSIENT);
        else
            code = sqlite3_bind_int64(stmt, i, va_arg(list, int64_t));
    }
    return store_sql_error(db, code);
}

sqlite3_stmt *store_sql_prepare_list(sqlite3 *db, int *err, const char *sql, const char *types,
                                     va_list list)
{
    sqlite3_stmt *stmt = NULL;
    *err = store_sql_error(db, sqlite3_prepare_v2(db, sql, -1, &stmt, NULL));
    if (*err == 0) *err = store_sql_bind_list(db, stmt, types, list);
    if (*err == 0) return stmt;
    sqlite3_finalize(stmt);
    return NULL;
}

sqlite3_stmt *store_sql_prepare(sqlite3 *db, int *err, const char *sql, const char *types, ...)
{
    va_list list;
    va_start(list, types);
    sqlite3_stmt *stmt = store_sql_prepare_list(db, err, sql, types, list);
    va_end(list);
    return stmt;
}

int store_sql_finish(sqlite3 *db, sqlite3_stmt *stmt, int err)
{
    if (!stmt) return err;
    err = store_sql_error(db, sqlite3_step(stmt));
    sqlite3_finalize(stmt);
    return err;
}

static int schema_of(sqlite3 *db, int *err)
{
    sqlite3_stmt *stmt = store_sql_prepare(db, err, "PRAGMA user_version", "");
    int version = -1, code = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;
    if (code == SQLITE_ROW) version = sqlite3_column_int(stmt, 0);
    if (stmt && code != SQLITE_ROW) *err = store_sql_error(db, code);
    sqlite3_finalize(stmt);
    return version;
}

static int bring_up_to_date(sqlite3 *db, int from)
{
    int err = store_sql_run(db, "BEGIN IMMEDIATE");
    for (int i = from; err == 0 && i < SCHEMA_VERSION; i++) err = store_sql_run(db, steps[i]);
    char pragma[64];
    snprintf(pragma, sizeof pragma, "PRAGMA user_version = %d", SCHEMA_VERSION);
    if (err == 0) err = store_sql_run(db, pragma);
    if (err == 0) return store_sql_run(db, "COMMIT");
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return err;
}

sqlite3 *store_sql_open(const char *data_dir, char *why, size_t why_size)
{
    char path[PATH_MAX];
    sqlite3 *db = NULL;
    int err, version = -1;
    snprintf(path, sizeof path, "%s/airlift.db", data_dir);
    int code = sqlite3_open_v2(
        path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL);
    if (code == SQLITE_OK) {
        sqlite3_extended_result_codes(db, 1);
        sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
        code = sqlite3_exec(db,
                            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                            "PRAGMA foreign_keys = ON",
                            NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) version = schema_of(db, &err);
    if (version > SCHEMA_VERSION)
        snprintf(why, why_size,
                 "the database %s was written by a newer airliftd (schema %d, this one knows %d); "
                 "use that version",
                 path, version, SCHEMA_VERSION);
    else if (version >= 0 && (version == SCHEMA_VERSION || bring_up_to_date(db, version) == 0))
        return db;
    else
        snprintf(why, why_size, "the database %s cannot be used: %s", path,
                 db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
    sqlite3_close(db);
    return NULL;
}

static void column_text(sqlite3_stmt *row, int column, char *out, size_t size)
{
    const unsigned char *text = sqlite3_column_text(row, column);
    snprintf(out, size, "%s", text ? (const char *)text : "");
}

void store_sql_artifact(sqlite3_stmt *row, struct artifact *out)
{
    *out = (struct artifact){0};
    column_text(row, 0, out->name, sizeof out->name);
    column_text(row, 1, out->sha256, sizeof out->sha256);
    out->size = (uint64_t)sqlite3_column_int64(row, 2);
    column_text(row, 3, out->kind, sizeof out->kind);
    column_text(row, 4, out->project, sizeof out->project);
    column_text(row, 5, out->version, sizeof out->version);
    column_text(row, 6, out->chip, sizeof out->chip);
    out->secure_version = (uint32_t)sqlite3_column_int64(row, 7);
    out->published = sqlite3_column_int64(row, 8);
}
