/* The cloud's keys. See cloud.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server/cloud_impl.h"
#include "server/store_sql.h"

bool cloud_key_add(struct cloud *c, int64_t device, int64_t product, const char *label,
                   char key[CLOUD_KEY_LEN + 1], struct cloud_refusal *why)
{
    char sha256[BLOB_HEX_LEN];
    return cloud_key_make(key, sha256, why) &&
           cloud_sql_do(c->write, why,
                        "INSERT INTO cloud_key(sha256, role, device, product, label, created) "
                        "VALUES (?, ?, nullif(?, 0), nullif(?, 0), ?, ?)",
                        "ttiiti", sha256, device ? "master" : "owner", device, product, label,
                        (int64_t)time(NULL));
}

struct new_key {
    const char *who, *device, *product, *label;
    char key[CLOUD_KEY_LEN + 1];
    int64_t id;
};

static bool create(struct cloud *c, void *arg, struct cloud_refusal *why)
{
    struct new_key *n = arg;
    int64_t device = 0, product = 0;
    if (n->device ? !cloud_device_id(c, n->device, &device, why)
                  : !cloud_product_id(c, n->product, &product, why))
        return false;
    if (!cloud_key_add(c, device, product, n->label, n->key, why)) return false;
    n->id = sqlite3_last_insert_rowid(c->write);
    return cloud_audit(c, why, n->who, "key create", n->device ? n->device : n->product,
                       "%s key %lld", n->device ? "master" : "owner", (long long)n->id);
}

bool cloud_key_create(struct cloud *c, const char *who, const char *device, const char *product,
                      const char *label, cJSON **doc, struct cloud_refusal *why)
{
    struct new_key n = {who, device, product, label, "", 0};
    if (!device == !product)
        return cloud_refuse(why, 400, "key", NULL, "a key is for a device or for a product");
    if (!cloud_label_ok("label", label, why) || !cloud_change(c, create, &n, why)) return false;
    *doc = cJSON_CreateObject();
    cJSON_AddNumberToObject(*doc, "id", (double)n.id);
    cJSON_AddStringToObject(*doc, "role", device ? "master" : "owner");
    cJSON_AddStringToObject(*doc, device ? "device" : "product", device ? device : product);
    cJSON_AddStringToObject(*doc, "key", n.key);
    return true;
}

struct key_change {
    const char *who;
    int64_t id;
};

static bool revoke(struct cloud *c, void *arg, struct cloud_refusal *why)
{
    const struct key_change *k = arg;
    char object[24];
    snprintf(object, sizeof object, "%lld", (long long)k->id);
    if (!cloud_sql_do(c->write, why,
                      "UPDATE cloud_key SET revoked = ? WHERE id = ? AND revoked IS NULL", "ii",
                      (int64_t)time(NULL), k->id))
        return false;
    if (sqlite3_changes(c->write) == 0)
        return cloud_refuse(why, 404, "not_found", "'airlift cloud key list' tells",
                            "there is no key %s in force", object);
    return cloud_audit(c, why, k->who, "key revoke", object, "%s", "");
}

bool cloud_key_revoke(struct cloud *c, const char *who, int64_t id, struct cloud_refusal *why)
{
    return cloud_change(c, revoke, &(struct key_change){who, id}, why);
}

cJSON *cloud_key_list(struct cloud *c, const char *device, const char *product,
                      struct cloud_refusal *why)
{
    if (!cloud_known(c, product, device, why)) return NULL;
    return cloud_read_rows(c, why,
                           "SELECT k.id, k.role, d.name AS device, p.name AS product, "
                           "k.label, " CLOUD_TIME("k.created") " AS created, " CLOUD_TIME(
                               "k.revoked") " AS revoked"
                                            " FROM cloud_key k LEFT JOIN cloud_device d ON d.id = "
                                            "k.device"
                                            " LEFT JOIN cloud_product p ON p.id = k.product"
                                            " WHERE (?1 IS NULL OR d.name = ?1) AND (?2 IS NULL OR "
                                            "p.name = ?2) ORDER BY k.id",
                           "tt", device, product);
}

int cloud_product_of_key(struct cloud *c, const char *key, int64_t *id,
                         char name[CLOUD_NAME_MAX + 1], int64_t *key_id)
{
    int err;
    char sha256[BLOB_HEX_LEN];
    cloud_key_hash(key, sha256);
    pthread_mutex_lock(&c->reading);
    sqlite3_stmt *stmt = store_sql_prepare(
        c->read, &err,
        "SELECT p.id, p.name, k.id FROM cloud_key k JOIN cloud_product p ON p.id = k.product"
        " WHERE k.sha256 = ? AND k.role = 'owner' AND k.revoked IS NULL",
        "t", sha256);
    int code = stmt ? sqlite3_step(stmt) : SQLITE_DONE;
    if (code == SQLITE_ROW) {
        *id = sqlite3_column_int64(stmt, 0);
        snprintf(name, CLOUD_NAME_MAX + 1, "%s", (const char *)sqlite3_column_text(stmt, 1));
        *key_id = sqlite3_column_int64(stmt, 2);
    }
    if (stmt) err = code == SQLITE_DONE ? -ENOENT : store_sql_error(c->read, code);
    sqlite3_finalize(stmt);
    pthread_mutex_unlock(&c->reading);
    return err;
}
