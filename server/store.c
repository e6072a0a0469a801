/* See store.h. Readers are served from a table in memory; it is read anew from the database
 * after each change. */
#include "server/store.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/log.h"
#include "server/store_sql.h"

/* Mapped files kept between requests; beyond, all are let go and mapped when asked for. */
#define MAX_MAPPED 1024u

#define NEWEST "p.id = (SELECT max(id) FROM publication WHERE name = p.name)"
#define SELECT_ARTIFACT \
    "SELECT " STORE_SQL_COLUMNS " FROM publication p JOIN artifact a ON a.sha256 = p.sha256 "

struct entry {
    struct artifact artifact;
    struct blob *blob; /* NULL: not mapped yet */
};

struct store {
    struct blobs *blobs;
    sqlite3 *db;
    pthread_mutex_t writing; /* one change at a time, files and database together */
    pthread_mutex_t reading; /* of the table below */
    struct entry *entries;   /* by name */
    size_t count, mapped;
};

bool artifact_name_ok(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > ARTIFACT_NAME_MAX || !isalnum((unsigned char)name[0])) return false;
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("._+-", *p)) return false;
    return true;
}

struct artifact_list {
    struct entry *entries;
    size_t count, room;
};

static int collect(void *ctx, const struct artifact *a)
{
    struct artifact_list *list = ctx;
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        struct entry *more = realloc(list->entries, room * sizeof *more);
        if (!more) return -ENOMEM;
        list->entries = more;
        list->room = room;
    }
    list->entries[list->count++] = (struct entry){.artifact = *a};
    return 0;
}

/* Gives the rows of stmt to each, and finalizes it. */
static int for_rows(struct store *s, sqlite3_stmt *stmt, int err,
                    int (*each)(void *ctx, const struct artifact *a), void *ctx)
{
    struct artifact a;
    int code = SQLITE_DONE;
    while (stmt && err == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        store_sql_artifact(stmt, &a);
        err = each(ctx, &a);
    }
    if (err == 0) err = store_sql_error(s->db, code);
    sqlite3_finalize(stmt);
    return err;
}

static void free_entries(struct entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) blob_release(entries[i].blob);
    free(entries);
}

/* Reads the table from the database. What is served stays as it was when that fails. */
static int reload(struct store *s)
{
    struct artifact_list list = {0};
    int err;
    sqlite3_stmt *stmt =
        store_sql_prepare(s->db, &err, SELECT_ARTIFACT "WHERE " NEWEST " ORDER BY p.name", "");
    err = for_rows(s, stmt, err, collect, &list);
    if (err != 0) {
        free_entries(list.entries, list.count);
        return err;
    }
    pthread_mutex_lock(&s->reading);
    struct entry *old = s->entries;
    size_t old_count = s->count;
    s->entries = list.entries;
    s->count = list.count;
    s->mapped = 0;
    pthread_mutex_unlock(&s->reading);
    free_entries(old, old_count);
    return 0;
}

static bool is_known(void *ctx, const char *sha256)
{
    struct store *s = ctx;
    int err;
    sqlite3_stmt *stmt =
        store_sql_prepare(s->db, &err, "SELECT 1 FROM artifact WHERE sha256 = ?", "t", sha256);
    bool known = !stmt || sqlite3_step(stmt) != SQLITE_DONE; /* in doubt it stays */
    sqlite3_finalize(stmt);
    return known;
}

struct store *store_open(const char *data_dir, char *why, size_t why_size)
{
    int err = 0;
    struct store *s = calloc(1, sizeof *s);
    if (!s || !(s->blobs = blobs_open(data_dir, &err))) {
        snprintf(why, why_size, "the data directory %s cannot be used: %s", data_dir,
                 strerror(s ? -err : ENOMEM));
        free(s);
        return NULL;
    }
    pthread_mutex_init(&s->writing, NULL);
    pthread_mutex_init(&s->reading, NULL);
    if ((s->db = store_sql_open(data_dir, why, why_size))) {
        int swept = blobs_sweep(s->blobs, is_known, s);
        if (swept > 0) server_log("removed %d files of publications that were cut short", swept);
        if ((err = reload(s)) == 0) return s;
        snprintf(why, why_size, "the database in %s cannot be read: %s", data_dir, strerror(-err));
    }
    store_close(s);
    return NULL;
}

void store_close(struct store *s)
{
    if (!s) return;
    free_entries(s->entries, s->count);
    sqlite3_close(s->db);
    blobs_close(s->blobs);
    pthread_mutex_destroy(&s->writing);
    pthread_mutex_destroy(&s->reading);
    free(s);
}

struct blobs *store_blobs(struct store *s)
{
    return s->blobs;
}

static int by_name(const void *name, const void *entry)
{
    return strcmp(name, ((const struct entry *)entry)->artifact.name);
}

static struct entry *find_entry(struct store *s, const char *name)
{
    return s->count ? bsearch(name, s->entries, s->count, sizeof *s->entries, by_name) : NULL;
}

static void unmap_all(struct store *s)
{
    for (size_t i = 0; i < s->count; i++) {
        blob_release(s->entries[i].blob);
        s->entries[i].blob = NULL;
    }
    s->mapped = 0;
}

/* The entry's file, mapped; called with reading held. */
static int map_entry(struct store *s, struct entry *e)
{
    int err = 0;
    if (e->blob) return 0;
    if (s->mapped >= MAX_MAPPED) unmap_all(s);
    struct blob *b = blob_open(s->blobs, e->artifact.sha256, &err);
    if (b && blob_size(b) != e->artifact.size) {
        blob_release(b);
        b = NULL;
        err = -EIO;
    }
    if (!b) {
        server_log("the content of '%s' (blobs/%.2s/%s) is damaged or missing: %s",
                   e->artifact.name, e->artifact.sha256, e->artifact.sha256 + 2, strerror(-err));
        return -EIO;
    }
    e->blob = b;
    s->mapped++;
    return 0;
}

int store_find(struct store *s, const char *name, struct artifact *out, struct blob **blob)
{
    pthread_mutex_lock(&s->reading);
    struct entry *e = find_entry(s, name);
    int err = e ? 0 : -ENOENT;
    if (e && blob) err = map_entry(s, e);
    if (err == 0) {
        *out = e->artifact;
        if (blob) *blob = blob_ref(e->blob);
    }
    pthread_mutex_unlock(&s->reading);
    return err;
}

int store_list(struct store *s, int (*each)(void *ctx, const struct artifact *a), void *ctx)
{
    int err = 0;
    pthread_mutex_lock(&s->reading);
    for (size_t i = 0; err == 0 && i < s->count; i++) err = each(ctx, &s->entries[i].artifact);
    pthread_mutex_unlock(&s->reading);
    return err;
}

int store_history(struct store *s, const char *name,
                  int (*each)(void *ctx, const struct artifact *a), void *ctx)
{
    int err;
    pthread_mutex_lock(&s->writing);
    sqlite3_stmt *stmt = store_sql_prepare(
        s->db, &err, SELECT_ARTIFACT "WHERE p.name = ? ORDER BY p.id DESC", "t", name);
    err = for_rows(s, stmt, err, each, ctx);
    pthread_mutex_unlock(&s->writing);
    return err;
}

/* Runs change in a transaction; then the table in memory follows. */
static int in_transaction(struct store *s, int (*change)(struct store *s, void *arg), void *arg)
{
    int err = store_sql_run(s->db, "BEGIN IMMEDIATE");
    if (err != 0) return err;
    err = change(s, arg);
    if (err == 0) err = store_sql_run(s->db, "COMMIT");
    if (err != 0) {
        if (!sqlite3_get_autocommit(s->db)) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
        return err;
    }
    return reload(s);
}

static int insert_publication(struct store *s, void *arg)
{
    const struct artifact *a = arg;
    int err;
    sqlite3_stmt *stmt = store_sql_prepare(
        s->db, &err,
        "INSERT INTO artifact VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(sha256) DO UPDATE SET"
        " kind = excluded.kind, project = excluded.project, version = excluded.version,"
        " chip = excluded.chip, secure_version = excluded.secure_version",
        "tittttii", a->sha256, (int64_t)a->size, a->kind, a->project, a->version, a->chip,
        (int64_t)a->secure_version, a->published);
    err = store_sql_finish(s->db, stmt, err);
    if (err != 0) return err;
    stmt = store_sql_prepare(s->db, &err,
                             "INSERT INTO publication(name, sha256, published) VALUES (?, ?, ?)",
                             "tti", a->name, a->sha256, a->published);
    return store_sql_finish(s->db, stmt, err);
}

int store_publish(struct store *s, struct blob_draft *draft, struct artifact *a, bool *fresh)
{
    struct artifact before;
    snprintf(a->sha256, sizeof a->sha256, "%s", blob_draft_sha256(draft));
    a->size = blob_draft_size(draft);
    pthread_mutex_lock(&s->writing);
    bool again = store_find(s, a->name, &before, NULL) == 0;
    *fresh = !again || strcmp(before.sha256, a->sha256) != 0 || strcmp(before.kind, a->kind) != 0;
    int err = 0;
    if (*fresh) {
        a->published = (int64_t)time(NULL);
        if (again && a->published <= before.published) a->published = before.published + 1;
        err = blob_keep(draft);
        if (err == 0) err = in_transaction(s, insert_publication, a);
        if (err != 0 && !is_known(s, a->sha256)) blob_remove(s->blobs, a->sha256);
    } else {
        *a = before;
        blob_drop(draft);
    }
    pthread_mutex_unlock(&s->writing);
    return err;
}

/* Does a version of the module cloud hold something that this name stands or stood for? */
static int used_by_modules(struct store *s, const char *name)
{
    int err;
    sqlite3_stmt *stmt = store_sql_prepare(
        s->db, &err,
        "SELECT 1 FROM cloud_rom_file f JOIN publication p ON p.sha256 = f.sha256 WHERE p.name = ?",
        "t", name);
    int code = stmt ? sqlite3_step(stmt) : SQLITE_DONE;
    if (stmt) err = code == SQLITE_ROW ? -EBUSY : store_sql_error(s->db, code);
    sqlite3_finalize(stmt);
    return err;
}

static int forget_name(struct store *s, void *arg)
{
    int err = used_by_modules(s, arg);
    if (err != 0) return err;
    sqlite3_stmt *stmt =
        store_sql_prepare(s->db, &err, "DELETE FROM publication WHERE name = ?", "t", arg);
    err = store_sql_finish(s->db, stmt, err);
    if (err != 0) return err;
    return store_sql_run(s->db, "DELETE FROM artifact WHERE sha256 NOT IN"
                                " (SELECT sha256 FROM publication)");
}

int store_withdraw(struct store *s, const char *name)
{
    struct artifact a;
    char copy[ARTIFACT_NAME_MAX + 1];
    snprintf(copy, sizeof copy, "%s", name);
    pthread_mutex_lock(&s->writing);
    int err = store_find(s, name, &a, NULL);
    if (err == 0) err = in_transaction(s, forget_name, copy);
    if (err == 0) blobs_sweep(s->blobs, is_known, s);
    pthread_mutex_unlock(&s->writing);
    return err;
}

int store_get_setting(struct store *s, const char *key, char *out, size_t size)
{
    int err;
    pthread_mutex_lock(&s->writing);
    sqlite3_stmt *stmt =
        store_sql_prepare(s->db, &err, "SELECT value FROM setting WHERE key = ?", "t", key);
    int code = stmt ? sqlite3_step(stmt) : SQLITE_DONE;
    if (stmt) err = code == SQLITE_DONE ? -ENOENT : store_sql_error(s->db, code);
    if (stmt && err == 0) snprintf(out, size, "%s", (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    pthread_mutex_unlock(&s->writing);
    return err;
}

int store_set_setting(struct store *s, const char *key, const char *value)
{
    int err;
    pthread_mutex_lock(&s->writing);
    sqlite3_stmt *stmt = store_sql_prepare(
        s->db, &err,
        "INSERT INTO setting VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
        "tt", key, value);
    err = store_sql_finish(s->db, stmt, err);
    pthread_mutex_unlock(&s->writing);
    return err;
}
