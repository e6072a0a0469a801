/* The cloud's devices. See cloud.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server/cloud_impl.h"
#include "server/store_sql.h"

#define DEVICES                                                                                   \
    "SELECT d.id, d.name, d.serial, p.name AS product,"                                           \
    " CASE d.public WHEN 1 THEN 'public' ELSE 'private' END AS privacy,"                          \
    " CASE WHEN d.activated IS NULL THEN 'developing' ELSE 'activated' END AS "                   \
    "status, " CLOUD_TIME("d.created") " AS created, " CLOUD_TIME(                                \
        "d.activated") " AS activated, " CLOUD_TIME("d.last_active") " AS last_active,"           \
                                                                     " (SELECT version FROM "     \
                                                                     "cloud_rom r WHERE r.id = "  \
                                                                     "d.override) AS override"    \
                                                                     " FROM cloud_device d JOIN " \
                                                                     "cloud_product p ON p.id = " \
                                                                     "d.product "

bool cloud_device_id(struct cloud *c, const char *name, int64_t *id, struct cloud_refusal *why)
{
    return cloud_sql_number(c->write, why, id, "SELECT id FROM cloud_device WHERE name = ?", "t",
                            name) &&
           (*id >= 0 || cloud_refuse(why, 404, "not_found", "'airlift cloud device list' tells",
                                     "there is no device '%.64s'", name));
}

struct new_devices {
    const char *who;
    const struct cloud_new_devices *what;
    cJSON *list;
};

static bool create_one(struct cloud *c, struct new_devices *n, const char *name, int64_t product,
                       struct cloud_refusal *why)
{
    char serial[9], key[CLOUD_KEY_LEN + 1];
    int64_t id;
    if (!cloud_name_ok(name, why) ||
        !cloud_sql_number(c->write, why, &id, "SELECT id FROM cloud_device WHERE name = ?", "t",
                          name))
        return false;
    if (id >= 0)
        return cloud_refuse(why, 409, "exists", NULL, "there is a device '%s' already", name);
    if (!cloud_serial_make(c, "cloud_device", serial, why) ||
        !cloud_sql_do(c->write, why,
                      "INSERT INTO cloud_device(name, serial, product, public, created) "
                      "VALUES (?, ?, ?, ?, ?)",
                      "ttiii", name, serial, product, (int64_t)n->what->open, (int64_t)time(NULL)))
        return false;
    id = sqlite3_last_insert_rowid(c->write);
    if (!cloud_key_add(c, id, 0, "made with the device", key, why) ||
        !cloud_audit(c, why, n->who, "device create", name, "serial %s, product %s", serial,
                     n->what->product))
        return false;
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddNumberToObject(doc, "id", (double)id);
    cJSON_AddStringToObject(doc, "name", name);
    cJSON_AddStringToObject(doc, "serial", serial);
    cJSON_AddStringToObject(doc, "product", n->what->product);
    cJSON_AddStringToObject(doc, "privacy", n->what->open ? "public" : "private");
    cJSON_AddStringToObject(doc, "key", key);
    cJSON_AddItemToArray(n->list, doc);
    return true;
}

static bool create(struct cloud *c, void *arg, struct cloud_refusal *why)
{
    struct new_devices *n = arg;
    char name[CLOUD_NAME_MAX + 16];
    int64_t product;
    if (!cloud_product_id(c, n->what->product, &product, why)) return false;
    if (n->what->count == 1) return create_one(c, n, n->what->name, product, why);
    for (unsigned i = 1; i <= n->what->count; i++) {
        snprintf(name, sizeof name, "%.40s%u", n->what->name, i);
        if (!create_one(c, n, name, product, why)) return false;
    }
    return true;
}

bool cloud_device_create(struct cloud *c, const char *who, const struct cloud_new_devices *what,
                         cJSON **list, struct cloud_refusal *why)
{
    struct new_devices n = {who, what, NULL};
    if (what->count == 0 || what->count > CLOUD_BATCH_MAX)
        return cloud_refuse(why, 400, "count", NULL, "1 to %u devices at a time", CLOUD_BATCH_MAX);
    n.list = cJSON_CreateArray();
    if (cloud_change(c, create, &n, why)) {
        *list = n.list;
        return true;
    }
    cJSON_Delete(n.list);
    return false;
}

/* A change of one device. */
struct device_change {
    const char *who, *name, *to;
};

static bool remove_device(struct cloud *c, void *arg, struct cloud_refusal *why)
{
    const struct device_change *d = arg;
    int64_t id;
    return cloud_device_id(c, d->name, &id, why) &&
           cloud_sql_do(c->write, why, "DELETE FROM cloud_key WHERE device = ?", "i", id) &&
           cloud_sql_do(c->write, why, "DELETE FROM cloud_device WHERE id = ?", "i", id) &&
           cloud_audit(c, why, d->who, "device remove", d->name, "with its keys");
}

bool cloud_device_remove(struct cloud *c, const char *who, const char *name,
                         struct cloud_refusal *why)
{
    return cloud_change(c, remove_device, &(struct device_change){who, name, NULL}, why);
}

static bool move_device(struct cloud *c, void *arg, struct cloud_refusal *why)
{
    const struct device_change *d = arg;
    int64_t id, product;
    return cloud_device_id(c, d->name, &id, why) && cloud_product_id(c, d->to, &product, why) &&
           cloud_sql_do(c->write, why,
                        "UPDATE cloud_device SET product = ?, override = NULL WHERE id = ?", "ii",
                        product, id) &&
           cloud_audit(c, why, d->who, "device move", d->name, "to product %s", d->to);
}

bool cloud_device_move(struct cloud *c, const char *who, const char *name, const char *product,
                       struct cloud_refusal *why)
{
    return cloud_change(c, move_device, &(struct device_change){who, name, product}, why);
}

static bool hold_device(struct cloud *c, void *arg, struct cloud_refusal *why)
{
    const struct device_change *d = arg;
    int64_t id, product, rom;
    if (!cloud_device_id(c, d->name, &id, why)) return false;
    if (!d->to)
        return cloud_sql_do(c->write, why, "UPDATE cloud_device SET override = NULL WHERE id = ?",
                            "i", id) &&
               cloud_audit(c, why, d->who, "device override", d->name, "none");
    return cloud_sql_number(c->write, why, &product,
                            "SELECT product FROM cloud_device WHERE id = ?", "i", id) &&
           cloud_rom_id(c, product, d->to, &rom, why) &&
           cloud_sql_do(c->write, why, "UPDATE cloud_device SET override = ? WHERE id = ?", "ii",
                        rom, id) &&
           cloud_audit(c, why, d->who, "device override", d->name, "version %s", d->to);
}

bool cloud_device_override(struct cloud *c, const char *who, const char *name, const char *version,
                           struct cloud_refusal *why)
{
    return cloud_change(c, hold_device, &(struct device_change){who, name, version}, why);
}

cJSON *cloud_device_list(struct cloud *c, const char *product, struct cloud_refusal *why)
{
    if (!cloud_known(c, product, NULL, why)) return NULL;
    cJSON *rows = cloud_read_rows(c, why,
                                  DEVICES "WHERE ?1 IS NULL OR p.name = ?1 "
                                          "ORDER BY d.id",
                                  "t", product);
    if (rows) cloud_journal_fill_active(c->journal, rows);
    return rows;
}

cJSON *cloud_device_show(struct cloud *c, const char *name, struct cloud_refusal *why)
{
    cJSON *rows = cloud_read_rows(c, why, DEVICES "WHERE d.name = ?", "t", name);
    if (rows) cloud_journal_fill_active(c->journal, rows);
    cJSON *doc = cJSON_DetachItemFromArray(rows, 0);
    if (rows && !doc)
        cloud_refuse(why, 404, "not_found", "'airlift cloud device list' tells",
                     "there is no device '%.64s'", name);
    cJSON_Delete(rows);
    return doc;
}

int cloud_device_of_key(struct cloud *c, const char *key, struct cloud_device *out)
{
    int err;
    char sha256[BLOB_HEX_LEN];
    cloud_key_hash(key, sha256);
    pthread_mutex_lock(&c->reading);
    sqlite3_stmt *stmt =
        cloud_kept(c, CLOUD_KEPT_DEVICE, &err,
                   "SELECT d.id, d.product, d.override, d.activated IS NOT NULL, d.name, p.name"
                   " FROM cloud_key k JOIN cloud_device d ON d.id = k.device"
                   " JOIN cloud_product p ON p.id = d.product"
                   " WHERE k.sha256 = ? AND k.role = 'master' AND k.revoked IS NULL",
                   "t", sha256);
    int code = stmt ? sqlite3_step(stmt) : SQLITE_DONE;
    if (code == SQLITE_ROW) {
        *out = (struct cloud_device){.id = sqlite3_column_int64(stmt, 0),
                                     .product = sqlite3_column_int64(stmt, 1),
                                     .held = sqlite3_column_int64(stmt, 2),
                                     .activated = sqlite3_column_int(stmt, 3) != 0};
        snprintf(out->name, sizeof out->name, "%s", (const char *)sqlite3_column_text(stmt, 4));
        snprintf(out->product_name, sizeof out->product_name, "%s",
                 (const char *)sqlite3_column_text(stmt, 5));
    }
    if (stmt) err = code == SQLITE_DONE ? -ENOENT : store_sql_error(c->read, code);
    sqlite3_reset(stmt);
    pthread_mutex_unlock(&c->reading);
    return err;
}
