/* The cloud's opening, and its products. See cloud.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/cloud_impl.h"
#include "server/store_sql.h"

#define PRODUCTS                                                                                   \
    "SELECT p.id, p.name, p.serial, p.description, " CLOUD_TIME(                                   \
        "p.created") " AS created,"                                                                \
                     " (SELECT count(*) FROM cloud_device d WHERE d.product = p.id) AS devices,"   \
                     " (SELECT count(*) FROM cloud_device d WHERE d.product = p.id AND "           \
                     "d.activated)"                                                                \
                     "   AS activated,"                                                            \
                     " (SELECT version FROM cloud_rom r WHERE r.product = p.id AND r.current = 1)" \
                     "   AS current_version FROM cloud_product p "

struct cloud *cloud_open(struct store *s, const char *data_dir, char *why, size_t why_size)
{
    struct cloud *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    pthread_mutex_init(&c->reading, NULL);
    pthread_mutex_init(&c->writing, NULL);
    c->store = s;
    c->read = store_sql_open(data_dir, why, why_size);
    c->write = c->read ? store_sql_open(data_dir, why, why_size) : NULL;
    if (c->write) sqlite3_busy_timeout(c->write, CLOUD_BUSY_MS);
    if (c->write && (c->journal = cloud_journal_start(c))) return c;
    if (c->write) snprintf(why, why_size, "no memory or no threads");
    cloud_close(c);
    return NULL;
}

void cloud_close(struct cloud *c)
{
    if (!c) return;
    cloud_journal_stop(c->journal);
    for (size_t i = 0; i < CLOUD_KEPT_COUNT; i++) sqlite3_finalize(c->kept[i]);
    sqlite3_close(c->read);
    sqlite3_close(c->write);
    pthread_mutex_destroy(&c->reading);
    pthread_mutex_destroy(&c->writing);
    free(c);
}

bool cloud_product_id(struct cloud *c, const char *name, int64_t *id, struct cloud_refusal *why)
{
    return cloud_sql_number(c->write, why, id, "SELECT id FROM cloud_product WHERE name = ?", "t",
                            name) &&
           (*id >= 0 || cloud_refuse(why, 404, "not_found", "'airlift cloud product list' tells",
                                     "there is no product '%.64s'", name));
}

struct new_product {
    const char *who, *name, *description;
    char serial[9], secret[CLOUD_KEY_LEN + 1], owner[CLOUD_KEY_LEN + 1];
    int64_t id;
};

static bool create(struct cloud *c, void *arg, struct cloud_refusal *why)
{
    struct new_product *n = arg;
    char sha256[BLOB_HEX_LEN];
    if (!cloud_sql_number(c->write, why, &n->id, "SELECT id FROM cloud_product WHERE name = ?", "t",
                          n->name))
        return false;
    if (n->id >= 0)
        return cloud_refuse(why, 409, "exists", NULL, "there is a product '%s' already", n->name);
    if (!cloud_serial_make(c, "cloud_product", n->serial, why) ||
        !cloud_key_make(n->secret, sha256, why) ||
        !cloud_sql_do(c->write, why,
                      "INSERT INTO cloud_product(name, serial, secret_sha256, description, created)"
                      " VALUES (?, ?, ?, ?, ?)",
                      "tttti", n->name, n->serial, sha256, n->description, (int64_t)time(NULL)))
        return false;
    n->id = sqlite3_last_insert_rowid(c->write);
    return cloud_key_add(c, 0, n->id, "made with the product", n->owner, why) &&
           cloud_audit(c, why, n->who, "product create", n->name, "serial %s", n->serial);
}

bool cloud_product_create(struct cloud *c, const char *who, const char *name,
                          const char *description, cJSON **doc, struct cloud_refusal *why)
{
    struct new_product n = {.who = who, .name = name, .description = description};
    if (!cloud_name_ok(name, why) || !cloud_description_ok(description, why) ||
        !cloud_change(c, create, &n, why))
        return false;
    *doc = cJSON_CreateObject();
    cJSON_AddNumberToObject(*doc, "id", (double)n.id);
    cJSON_AddStringToObject(*doc, "name", name);
    cJSON_AddStringToObject(*doc, "serial", n.serial);
    cJSON_AddStringToObject(*doc, "secret", n.secret);
    cJSON_AddStringToObject(*doc, "owner_key", n.owner);
    return true;
}

struct named_change {
    const char *who, *name;
};

static bool remove_product(struct cloud *c, void *arg, struct cloud_refusal *why)
{
    const struct named_change *n = arg;
    int64_t id, devices;
    if (!cloud_product_id(c, n->name, &id, why) ||
        !cloud_sql_number(c->write, why, &devices,
                          "SELECT count(*) FROM cloud_device WHERE product = ?", "i", id))
        return false;
    if (devices > 0)
        return cloud_refuse(why, 409, "in_use", "move or remove them first",
                            "%lld devices belong to '%s'", (long long)devices, n->name);
    return cloud_sql_do(c->write, why, "DELETE FROM cloud_key WHERE product = ?", "i", id) &&
           cloud_sql_do(c->write, why, "DELETE FROM cloud_rom WHERE product = ?", "i", id) &&
           cloud_sql_do(c->write, why, "DELETE FROM cloud_product WHERE id = ?", "i", id) &&
           cloud_audit(c, why, n->who, "product remove", n->name, "with its versions and keys");
}

bool cloud_product_remove(struct cloud *c, const char *who, const char *name,
                          struct cloud_refusal *why)
{
    return cloud_change(c, remove_product, &(struct named_change){who, name}, why);
}

cJSON *cloud_product_list(struct cloud *c, struct cloud_refusal *why)
{
    return cloud_read_rows(c, why, PRODUCTS "ORDER BY p.name", "");
}

cJSON *cloud_product_show(struct cloud *c, const char *name, struct cloud_refusal *why)
{
    cJSON *rows = cloud_read_rows(c, why, PRODUCTS "WHERE p.name = ?", "t", name);
    cJSON *doc = cJSON_DetachItemFromArray(rows, 0);
    if (rows && !doc)
        cloud_refuse(why, 404, "not_found", "'airlift cloud product list' tells",
                     "there is no product '%.64s'", name);
    cJSON_Delete(rows);
    cJSON *roms = doc ? cloud_rom_list(c, name, why) : NULL;
    if (roms) {
        cJSON_AddItemToObject(doc, "roms", roms);
        return doc;
    }
    cJSON_Delete(doc);
    return NULL;
}
