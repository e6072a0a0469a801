/* How the cloud's parts use SQLite: rows as JSON, changes as transactions. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/rand.h>

#include "host/crypto_openssl.h"
#include "server/cloud_impl.h"
#include "server/store_sql.h"

static bool storage_failed(struct cloud_refusal *why, int err)
{
    if (!why) return false;
    if (err == -ENOSPC)
        return cloud_refuse(why, 507, "disk_full", "free space in its data directory",
                            "the server has no room for this change");
    if (err == -EAGAIN)
        return cloud_refuse(why, 503, "busy", "try again when it is done",
                            "another program holds the server's database");
    return cloud_refuse(why, 500, "storage", "the server's log tells more",
                        "the server's storage failed");
}

static void add_column(cJSON *row, sqlite3_stmt *stmt, int column)
{
    const char *name = sqlite3_column_name(stmt, column);
    size_t len = strlen(name);
    char flag[64];
    int type = sqlite3_column_type(stmt, column);
    if (type == SQLITE_NULL) {
        cJSON_AddNullToObject(row, name);
    } else if (type != SQLITE_INTEGER) {
        cJSON_AddStringToObject(row, name, (const char *)sqlite3_column_text(stmt, column));
    } else if (name[len - 1] == '?') {
        snprintf(flag, sizeof flag, "%.*s", (int)len - 1, name);
        cJSON_AddBoolToObject(row, flag, sqlite3_column_int64(stmt, column) != 0);
    } else {
        cJSON_AddNumberToObject(row, name, (double)sqlite3_column_int64(stmt, column));
    }
}

static cJSON *rows_of(sqlite3 *db, struct cloud_refusal *why, const char *sql, const char *types,
                      va_list list)
{
    int err, code = SQLITE_DONE;
    sqlite3_stmt *stmt = store_sql_prepare_list(db, &err, sql, types, list);
    cJSON *rows = cJSON_CreateArray();
    while (stmt && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        cJSON *row = cJSON_CreateObject();
        for (int i = 0; i < sqlite3_column_count(stmt); i++) add_column(row, stmt, i);
        cJSON_AddItemToArray(rows, row);
    }
    if (stmt) err = store_sql_error(db, code);
    sqlite3_finalize(stmt);
    if (err == 0) return rows;
    cJSON_Delete(rows);
    storage_failed(why, err);
    return NULL;
}

cJSON *cloud_sql_rows(sqlite3 *db, struct cloud_refusal *why, const char *sql, const char *types,
                      ...)
{
    va_list list;
    va_start(list, types);
    cJSON *rows = rows_of(db, why, sql, types, list);
    va_end(list);
    return rows;
}

cJSON *cloud_read_rows(struct cloud *c, struct cloud_refusal *why, const char *sql,
                       const char *types, ...)
{
    va_list list;
    va_start(list, types);
    pthread_mutex_lock(&c->reading);
    cJSON *rows = rows_of(c->read, why, sql, types, list);
    pthread_mutex_unlock(&c->reading);
    va_end(list);
    return rows;
}

sqlite3_stmt *cloud_kept(struct cloud *c, enum cloud_kept which, int *err, const char *sql,
                         const char *types, ...)
{
    va_list list;
    sqlite3_stmt **kept = &c->kept[which];
    *err =
        *kept ? 0
              : store_sql_error(c->read, sqlite3_prepare_v3(c->read, sql, -1,
                                                            SQLITE_PREPARE_PERSISTENT, kept, NULL));
    va_start(list, types);
    if (*err == 0) *err = store_sql_bind_list(c->read, *kept, types, list);
    va_end(list);
    return *err == 0 ? *kept : NULL;
}

bool cloud_sql_do(sqlite3 *db, struct cloud_refusal *why, const char *sql, const char *types, ...)
{
    int err;
    va_list list;
    va_start(list, types);
    sqlite3_stmt *stmt = store_sql_prepare_list(db, &err, sql, types, list);
    va_end(list);
    err = store_sql_finish(db, stmt, err);
    return err == 0 || storage_failed(why, err);
}

bool cloud_known(struct cloud *c, const char *product, const char *device,
                 struct cloud_refusal *why)
{
    cJSON *rows = cloud_read_rows(c, why,
                                  "SELECT (?1 IS NULL OR EXISTS(SELECT 1 FROM cloud_product WHERE"
                                  " name = ?1)) AS p, (?2 IS NULL OR EXISTS(SELECT 1 FROM"
                                  " cloud_device WHERE name = ?2)) AS d",
                                  "tt", product, device);
    if (!rows) return false;
    bool has_product = cJSON_GetNumberValue(cJSON_GetObjectItem(rows->child, "p")) > 0;
    bool has_device = cJSON_GetNumberValue(cJSON_GetObjectItem(rows->child, "d")) > 0;
    cJSON_Delete(rows);
    if (has_product && has_device) return true;
    return cloud_refuse(why, 404, "not_found",
                        has_product ? "'airlift cloud device list' tells"
                                    : "'airlift cloud product list' tells",
                        "there is no %s '%.64s'", has_product ? "device" : "product",
                        has_product ? device : product);
}

bool cloud_sql_number(sqlite3 *db, struct cloud_refusal *why, int64_t *out, const char *sql,
                      const char *types, ...)
{
    int err;
    va_list list;
    va_start(list, types);
    sqlite3_stmt *stmt = store_sql_prepare_list(db, &err, sql, types, list);
    va_end(list);
    int code = stmt ? sqlite3_step(stmt) : SQLITE_DONE;
    *out = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : -1;
    if (stmt) err = store_sql_error(db, code);
    sqlite3_finalize(stmt);
    return err == 0 || storage_failed(why, err);
}

bool cloud_change(struct cloud *c,
                  bool (*change)(struct cloud *c, void *arg, struct cloud_refusal *), void *arg,
                  struct cloud_refusal *why)
{
    pthread_mutex_lock(&c->writing);
    bool ok = cloud_sql_do(c->write, why, "BEGIN IMMEDIATE", "") && change(c, arg, why) &&
              cloud_sql_do(c->write, why, "COMMIT", "");
    if (!sqlite3_get_autocommit(c->write)) sqlite3_exec(c->write, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&c->writing);
    return ok;
}

bool cloud_audit(struct cloud *c, struct cloud_refusal *why, const char *who, const char *what,
                 const char *object, const char *format, ...)
{
    char detail[512];
    va_list list;
    va_start(list, format);
    vsnprintf(detail, sizeof detail, format, list);
    va_end(list);
    return cloud_sql_do(c->write, why,
                        "INSERT INTO cloud_audit(at, who, what, object, detail) "
                        "VALUES (?, ?, ?, ?, ?)",
                        "itttt", (int64_t)time(NULL), who, what, object, detail);
}

void cloud_key_hash(const char *key, char sha256[BLOB_HEX_LEN])
{
    uint8_t digest[AL_SHA256];
    crypto_digest(AL_SHA256, key, strlen(key), digest);
    crypto_hex(digest, sizeof digest, sha256);
}

static bool random_hex(char *hex, size_t bytes, struct cloud_refusal *why)
{
    uint8_t raw[CLOUD_KEY_LEN / 2];
    if (RAND_bytes(raw, (int)bytes) != 1)
        return cloud_refuse(why, 500, "random", NULL, "the system gives no random numbers");
    crypto_hex(raw, bytes, hex);
    return true;
}

bool cloud_key_make(char key[CLOUD_KEY_LEN + 1], char sha256[BLOB_HEX_LEN],
                    struct cloud_refusal *why)
{
    if (!random_hex(key, CLOUD_KEY_LEN / 2, why)) return false;
    cloud_key_hash(key, sha256);
    return true;
}

bool cloud_serial_make(struct cloud *c, const char *table, char serial[9],
                       struct cloud_refusal *why)
{
    char sql[80];
    int64_t taken;
    snprintf(sql, sizeof sql, "SELECT 1 FROM %s WHERE serial = ?", table);
    do {
        if (!random_hex(serial, 4, why) ||
            !cloud_sql_number(c->write, why, &taken, sql, "t", serial))
            return false;
    } while (taken > 0);
    return true;
}
