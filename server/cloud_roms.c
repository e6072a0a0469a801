/* The versions of a product: deployed, chosen, removed, and found for modules. See cloud.h. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server/cloud_impl.h"
#include "server/cloud_list.h"
#include "server/store_sql.h"

bool cloud_rom_id(struct cloud *c, int64_t product, const char *version, int64_t *id,
                  struct cloud_refusal *why)
{
    return cloud_sql_number(c->write, why, id,
                            "SELECT id FROM cloud_rom WHERE product = ? AND version = ?", "it",
                            product, version) &&
           (*id >= 0 || cloud_refuse(why, 404, "not_found", "'airlift cloud roms PRODUCT' tells",
                                     "the product has no version '%.64s'", version));
}

/* The content that an artifact's name stands for, or "<sha256>.bin" names. */
static int find_content(struct cloud *c, const char *name, char sha256[BLOB_HEX_LEN])
{
    struct artifact a;
    size_t hex = strspn(name, "0123456789abcdef");
    int err = store_find(c->store, name, &a, NULL);
    if (err == 0) snprintf(sha256, BLOB_HEX_LEN, "%s", a.sha256);
    if (err != -ENOENT || hex != BLOB_HEX_LEN - 1 || (name[hex] && strcmp(name + hex, ".bin") != 0))
        return err;
    snprintf(sha256, BLOB_HEX_LEN, "%s", name);
    return 0;
}

struct new_rom {
    const char *who, *product;
    const struct cloud_deploy *what;
    char sha256[CLOUD_FILES_MAX][BLOB_HEX_LEN];
};

/* Finds and looks at all files; fills in sha256. */
static bool check_files(struct cloud *c, struct new_rom *n, cJSON *warnings,
                        struct cloud_refusal *why)
{
    char warning[240];
    for (size_t i = 0; i < n->what->count; i++) {
        const char *name = n->what->files[i].name, *from = n->what->files[i].artifact;
        int err = find_content(c, from, n->sha256[i]);
        struct blob *blob = err == 0 ? blob_open(store_blobs(c->store), n->sha256[i], &err) : NULL;
        if (!blob)
            return cloud_refuse(why, err == -ENOENT ? 404 : 500, "artifact",
                                "publish it first: 'airlift push FILE'",
                                "there is no artifact '%.127s' for %s", from, name);
        const char *expected = n->what->files[i].sha256;
        if (expected[0] && strcmp(expected, n->sha256[i]) != 0) {
            blob_release(blob);
            return cloud_refuse(why, 409, "artifact", "somebody deploys the same? Try again",
                                "the artifact '%.127s' was published anew meanwhile", from);
        }
        bool ok = cloud_file_check(name, blob_data(blob), blob_size(blob), warning, why);
        blob_release(blob);
        if (!ok) return false;
        if (warning[0]) cJSON_AddItemToArray(warnings, cJSON_CreateString(warning));
    }
    return true;
}

static bool make_current(struct cloud *c, int64_t product, int64_t rom, struct cloud_refusal *why)
{
    return cloud_sql_do(c->write, why,
                        "UPDATE cloud_rom SET current = 0 WHERE product = ? AND current = 1", "i",
                        product) &&
           cloud_sql_do(c->write, why, "UPDATE cloud_rom SET current = 1 WHERE id = ?", "i", rom);
}

static bool insert_files(struct cloud *c, const struct new_rom *n, int64_t rom,
                         struct cloud_refusal *why)
{
    int64_t there;
    for (size_t i = 0; i < n->what->count; i++) {
        if (!cloud_sql_number(c->write, why, &there, "SELECT 1 FROM artifact WHERE sha256 = ?", "t",
                              n->sha256[i]))
            return false;
        if (there < 0)
            return cloud_refuse(why, 409, "artifact", "publish it again",
                                "the artifact '%.127s' was deleted meanwhile",
                                n->what->files[i].artifact);
        if (!cloud_sql_do(c->write, why,
                          "INSERT INTO cloud_rom_file(rom, name, sha256, artifact) "
                          "VALUES (?, ?, ?, ?)",
                          "ittt", rom, n->what->files[i].name, n->sha256[i],
                          n->what->files[i].artifact))
            return false;
    }
    return true;
}

static bool deploy(struct cloud *c, void *arg, struct cloud_refusal *why)
{
    const struct new_rom *n = arg;
    const struct cloud_deploy *w = n->what;
    int64_t product, rom;
    if (!cloud_product_id(c, n->product, &product, why) ||
        !cloud_sql_number(c->write, why, &rom,
                          "SELECT id FROM cloud_rom WHERE product = ? AND version = ?", "it",
                          product, w->version))
        return false;
    if (rom >= 0)
        return cloud_refuse(why, 409, "exists",
                            "modules that have it would not see a change: give a new version",
                            "'%s' has a version '%s' already", n->product, w->version);
    if (!cloud_sql_do(c->write, why,
                      "INSERT INTO cloud_rom(product, version, life_cycle, corename, current,"
                      " deployed) VALUES (?, ?, ?, ?, 0, ?)",
                      "ittti", product, w->version, w->life_cycle, w->corename,
                      (int64_t)time(NULL)))
        return false;
    rom = sqlite3_last_insert_rowid(c->write);
    return insert_files(c, n, rom, why) && (!w->current || make_current(c, product, rom, why)) &&
           cloud_audit(c, why, n->who, "deploy", n->product, "version %s, %zu files%s", w->version,
                       w->count, w->current ? ", current" : "");
}

bool cloud_deploy(struct cloud *c, const char *who, const char *product,
                  const struct cloud_deploy *d, cJSON **doc, struct cloud_refusal *why)
{
    struct new_rom n = {.who = who, .product = product, .what = d};
    cJSON *warnings = cJSON_CreateArray();
    if (!check_files(c, &n, warnings, why) || !cloud_change(c, deploy, &n, why)) {
        cJSON_Delete(warnings);
        return false;
    }
    *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(*doc, "product", product);
    cJSON_AddStringToObject(*doc, "version", d->version);
    cJSON_AddStringToObject(*doc, "life_cycle", d->life_cycle);
    cJSON_AddStringToObject(*doc, "corename", d->corename);
    cJSON_AddBoolToObject(*doc, "current", d->current);
    cJSON *files = cJSON_AddArrayToObject(*doc, "files");
    for (size_t i = 0; i < d->count; i++) {
        cJSON *f = cJSON_CreateObject();
        cJSON_AddStringToObject(f, "name", d->files[i].name);
        cJSON_AddStringToObject(f, "artifact", d->files[i].artifact);
        cJSON_AddStringToObject(f, "sha256", n.sha256[i]);
        cJSON_AddItemToArray(files, f);
    }
    cJSON_AddItemToObject(*doc, "warnings", warnings);
    return true;
}

struct rom_change {
    const char *who, *product, *version;
};

static bool choose(struct cloud *c, void *arg, struct cloud_refusal *why)
{
    const struct rom_change *r = arg;
    int64_t product, rom;
    return cloud_product_id(c, r->product, &product, why) &&
           cloud_rom_id(c, product, r->version, &rom, why) && make_current(c, product, rom, why) &&
           cloud_audit(c, why, r->who, "current", r->product, "version %s", r->version);
}

bool cloud_rom_current(struct cloud *c, const char *who, const char *product, const char *version,
                       struct cloud_refusal *why)
{
    return cloud_change(c, choose, &(struct rom_change){who, product, version}, why);
}

static bool remove_rom(struct cloud *c, void *arg, struct cloud_refusal *why)
{
    const struct rom_change *r = arg;
    int64_t product, rom, current, held;
    if (!cloud_product_id(c, r->product, &product, why) ||
        !cloud_rom_id(c, product, r->version, &rom, why) ||
        !cloud_sql_number(c->write, why, &current, "SELECT current FROM cloud_rom WHERE id = ?",
                          "i", rom) ||
        !cloud_sql_number(c->write, why, &held,
                          "SELECT count(*) FROM cloud_device WHERE override = ?", "i", rom))
        return false;
    if (current)
        return cloud_refuse(why, 409, "in_use", "make another one current first",
                            "'%s' is the current version of '%s'", r->version, r->product);
    if (held > 0)
        return cloud_refuse(why, 409, "in_use", "'airlift cloud device override' ends that",
                            "%lld devices are held on '%s'", (long long)held, r->version);
    return cloud_sql_do(c->write, why, "DELETE FROM cloud_rom WHERE id = ?", "i", rom) &&
           cloud_audit(c, why, r->who, "rom remove", r->product, "version %s", r->version);
}

bool cloud_rom_remove(struct cloud *c, const char *who, const char *product, const char *version,
                      struct cloud_refusal *why)
{
    return cloud_change(c, remove_rom, &(struct rom_change){who, product, version}, why);
}

cJSON *cloud_rom_list(struct cloud *c, const char *product, struct cloud_refusal *why)
{
    cJSON *roms = cloud_read_rows(
        c, why,
        "SELECT r.id, r.version, r.life_cycle, r.corename, r.current AS 'current?', " CLOUD_TIME(
            "r.deployed") " AS deployed,"
                          " (SELECT count(*) FROM cloud_device d WHERE d.override = r.id) AS "
                          "held_devices"
                          " FROM cloud_rom r JOIN cloud_product p ON p.id = r.product WHERE p.name "
                          "= ?"
                          " ORDER BY r.id DESC",
        "t", product);
    for (cJSON *r = roms ? roms->child : NULL; r; r = r->next) {
        int64_t id = (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItem(r, "id"));
        cJSON *files = cloud_read_rows(
            c, why,
            "SELECT f.name, f.artifact, f.sha256, a.size FROM cloud_rom_file f"
            " JOIN artifact a ON a.sha256 = f.sha256 WHERE f.rom = ? ORDER BY f.name",
            "i", id);
        if (!files) {
            cJSON_Delete(roms);
            return NULL;
        }
        cJSON_AddItemToObject(r, "files", files);
    }
    return roms;
}

static const char *text_at(sqlite3_stmt *row, int column)
{
    const unsigned char *text = sqlite3_column_text(row, column);
    return text ? (const char *)text : "";
}

/* Adds a row of the list; gives false when it is full, or failed (*err). */
static bool add_rom(struct cloud *c, sqlite3_stmt *rom, bool with_files, struct cloud_list *out,
                    int *err)
{
    struct cloud_list_file files[CLOUD_FILES_MAX];
    size_t count = 0;
    bool recommended = sqlite3_column_int(rom, 3) != 0;
    const char *version = text_at(rom, 1), *life_cycle = text_at(rom, 2);
    if (!with_files) return cloud_list_add(out, recommended, version, life_cycle, NULL, 0);
    cJSON *rows = cloud_sql_rows(
        c->read, NULL, "SELECT name, sha256 FROM cloud_rom_file WHERE rom = ? ORDER BY name", "i",
        sqlite3_column_int64(rom, 0));
    if (!rows) *err = -EIO;
    for (const cJSON *r = rows ? rows->child : NULL; r && count < CLOUD_FILES_MAX; r = r->next)
        files[count++] = (struct cloud_list_file){
            cJSON_GetStringValue(cJSON_GetObjectItem(r, "name")),
            cJSON_GetStringValue(cJSON_GetObjectItem(r, "sha256")),
        };
    bool added = rows && cloud_list_add(out, recommended, version, life_cycle, files, count);
    cJSON_Delete(rows);
    return added;
}

int cloud_list_for(struct cloud *c, const struct cloud_device *d, bool with_files,
                   struct cloud_list *out)
{
    int err, code = SQLITE_DONE;
    bool begun = false, going = true;
    pthread_mutex_lock(&c->reading);
    /* The recommended one's version stands in every row. */
    sqlite3_stmt *stmt =
        cloud_kept(c, CLOUD_KEPT_LIST, &err,
                   "SELECT r.id, r.version, r.life_cycle, r.id = w.id, w.version FROM cloud_rom r"
                   " JOIN cloud_rom w ON w.id = coalesce(nullif(?1, 0),"
                   "  (SELECT id FROM cloud_rom WHERE product = ?2 AND current = 1))"
                   " WHERE r.product = ?2 ORDER BY r.id DESC",
                   "ii", d->held, d->product);
    while (stmt && err == 0 && going && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (!begun) cloud_list_begin(out, text_at(stmt, 4));
        begun = true;
        going = add_rom(c, stmt, with_files, out, &err);
    }
    if (stmt && err == 0) err = store_sql_error(c->read, code);
    sqlite3_reset(stmt);
    pthread_mutex_unlock(&c->reading);
    if (err == 0 && !begun) err = -ENOENT;
    if (err == 0) cloud_list_end(out);
    return err;
}

int cloud_file_find(struct cloud *c, const struct cloud_device *d, const char *version,
                    const char *file, struct cloud_file *out)
{
    int err;
    pthread_mutex_lock(&c->reading);
    sqlite3_stmt *stmt =
        cloud_kept(c, CLOUD_KEPT_FILE, &err,
                   "SELECT r.version, f.name, f.sha256, r.deployed, f.artifact FROM cloud_rom r"
                   " JOIN cloud_rom_file f ON f.rom = r.id WHERE r.product = ?1"
                   " AND replace(r.version, '+', ' ') = replace(?2, '+', ' ')"
                   " AND replace(f.name, '+', ' ') = replace(?3, '+', ' ')"
                   " ORDER BY r.version = ?2 DESC, f.name = ?3 DESC LIMIT 1",
                   "itt", d->product, version, file);
    int code = stmt ? sqlite3_step(stmt) : SQLITE_DONE;
    if (code == SQLITE_ROW) {
        *out = (struct cloud_file){.deployed = sqlite3_column_int64(stmt, 3)};
        snprintf(out->version, sizeof out->version, "%s", text_at(stmt, 0));
        snprintf(out->name, sizeof out->name, "%s", text_at(stmt, 1));
        snprintf(out->sha256, sizeof out->sha256, "%s", text_at(stmt, 2));
        snprintf(out->artifact, sizeof out->artifact, "%s", text_at(stmt, 4));
    }
    if (stmt) err = code == SQLITE_DONE ? -ENOENT : store_sql_error(c->read, code);
    sqlite3_reset(stmt);
    pthread_mutex_unlock(&c->reading);
    return err;
}
