/* The writer of events, and who was there when. See cloud.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/cloud_impl.h"
#include "server/log.h"

#define MAX_WAITING 20000u
#define MAX_EVENTS  "100000" /* kept in the database */
#define BUSY_TRIES  5u       /* CLOUD_BUSY_MS each */
#define MAX_DEVICES (1u << 20)

struct waiting {
    struct waiting *next;
    struct cloud_event event;
};

struct cloud_journal {
    struct cloud *cloud;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct waiting *first, **last;
    size_t count, dropped;
    uint64_t noted, done; /* events since the start */
    bool stopping;
    int64_t *active; /* by device id: when it was there; 0: not since the start */
    size_t active_count;
};

static bool write_event(struct cloud *c, const struct cloud_event *e)
{
    sqlite3 *db = c->write;
    bool activation = strcmp(e->action, "activate") == 0;
    if (activation &&
        !cloud_sql_do(db, NULL,
                      "UPDATE cloud_device SET activated = ? WHERE id = ? AND activated IS NULL",
                      "ii", e->at, e->device))
        return false;
    if (activation && sqlite3_changes(db) == 0)
        return true; /* asked twice before this was written */
    return cloud_sql_do(db, NULL,
                        "UPDATE cloud_device SET last_active = max(?1, ifnull(last_active, 0))"
                        " WHERE id = ?2",
                        "ii", e->at, e->device) &&
           cloud_sql_do(db, NULL,
                        "INSERT INTO cloud_event(at, device, device_name, product, action, version,"
                        " file, bytes, address, status, detail)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        "iitttttittt", e->at, e->device, e->device_name, e->product, e->action,
                        e->version, e->file, (int64_t)e->bytes, e->address, e->status, e->detail);
}

static bool write_all(struct cloud *c, void *arg, struct cloud_refusal *why)
{
    for (const struct waiting *w = arg; w; w = w->next)
        if (!write_event(c, &w->event)) return false;
    return cloud_sql_do(c->write, why,
                        "DELETE FROM cloud_event WHERE id <="
                        " (SELECT max(id) FROM cloud_event) - " MAX_EVENTS,
                        "");
}

static bool is_stopping(struct cloud_journal *j)
{
    pthread_mutex_lock(&j->lock);
    bool stopping = j->stopping;
    pthread_mutex_unlock(&j->lock);
    return stopping;
}

/* Another program that holds the database for a while costs no events. */
static bool write_patiently(struct cloud_journal *j, struct waiting *all)
{
    for (unsigned tries = 0; tries < BUSY_TRIES; tries++) {
        struct cloud_refusal why = {0};
        if (cloud_change(j->cloud, write_all, all, &why)) return true;
        if (why.status != 503 || is_stopping(j)) break;
    }
    return false;
}

static void *run(void *arg)
{
    struct cloud_journal *j = arg;
    pthread_mutex_lock(&j->lock);
    for (;;) {
        while (!j->first && !j->stopping) pthread_cond_wait(&j->changed, &j->lock);
        if (!j->first) break;
        struct waiting *all = j->first;
        size_t dropped = j->dropped;
        uint64_t noted = j->noted;
        j->first = NULL;
        j->last = &j->first;
        j->count = j->dropped = 0;
        pthread_mutex_unlock(&j->lock);
        if (dropped) server_log("%zu events of modules were not kept: too many at a time", dropped);
        if (!write_patiently(j, all)) server_log("events of modules could not be written");
        for (struct waiting *next; all; all = next) {
            next = all->next;
            free(all);
        }
        pthread_mutex_lock(&j->lock);
        j->done = noted;
        pthread_cond_broadcast(&j->changed);
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

struct cloud_journal *cloud_journal_start(struct cloud *c)
{
    struct cloud_journal *j = calloc(1, sizeof *j);
    if (!j) return NULL;
    j->cloud = c;
    j->last = &j->first;
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->changed, NULL);
    if (pthread_create(&j->thread, NULL, run, j) == 0) return j;
    free(j);
    return NULL;
}

static bool write_active(struct cloud *c, void *arg, struct cloud_refusal *why)
{
    const struct cloud_journal *j = arg;
    bool ok = true;
    for (size_t id = 0; ok && id < j->active_count; id++)
        if (j->active[id])
            ok = cloud_sql_do(c->write, why,
                              "UPDATE cloud_device SET last_active = ?1 WHERE id = ?2 AND"
                              " ifnull(last_active, 0) < ?1",
                              "ii", j->active[id], (int64_t)id);
    return ok;
}

void cloud_journal_stop(struct cloud_journal *j)
{
    struct cloud_refusal why;
    if (!j) return;
    pthread_mutex_lock(&j->lock);
    j->stopping = true;
    pthread_cond_broadcast(&j->changed);
    pthread_mutex_unlock(&j->lock);
    pthread_join(j->thread, NULL);
    if (j->active_count) cloud_change(j->cloud, write_active, j, &why);
    pthread_mutex_destroy(&j->lock);
    pthread_cond_destroy(&j->changed);
    free(j->active);
    free(j);
}

void cloud_note_event(struct cloud *c, const struct cloud_event *e)
{
    struct cloud_journal *j = c->journal;
    struct waiting *w = malloc(sizeof *w);
    if (w) *w = (struct waiting){NULL, *e};
    if (w && !w->event.at) w->event.at = (int64_t)time(NULL);
    pthread_mutex_lock(&j->lock);
    if (w && j->count < MAX_WAITING) {
        *j->last = w;
        j->last = &w->next;
        j->count++;
        j->noted++;
        w = NULL;
        pthread_cond_broadcast(&j->changed);
    } else {
        j->dropped++;
    }
    pthread_mutex_unlock(&j->lock);
    free(w);
}

void cloud_note_active(struct cloud *c, int64_t device)
{
    struct cloud_journal *j = c->journal;
    size_t id = (size_t)device;
    if (device < 0 || id >= MAX_DEVICES) return;
    pthread_mutex_lock(&j->lock);
    if (id >= j->active_count) {
        size_t room = (id | 255) + 1;
        int64_t *more = realloc(j->active, room * sizeof *more);
        if (more) {
            memset(more + j->active_count, 0, (room - j->active_count) * sizeof *more);
            j->active = more;
            j->active_count = room;
        }
    }
    if (id < j->active_count) j->active[id] = (int64_t)time(NULL);
    pthread_mutex_unlock(&j->lock);
}

void cloud_journal_fill_active(struct cloud_journal *j, cJSON *devices)
{
    char text[32];
    struct tm tm;
    pthread_mutex_lock(&j->lock);
    for (cJSON *d = devices->child; d; d = d->next) {
        size_t id = (size_t)cJSON_GetNumberValue(cJSON_GetObjectItem(d, "id"));
        if (id >= j->active_count || !j->active[id]) continue;
        time_t t = (time_t)j->active[id];
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
        cJSON_ReplaceItemInObject(d, "last_active", cJSON_CreateString(text));
    }
    pthread_mutex_unlock(&j->lock);
}

void cloud_flush(struct cloud *c)
{
    struct cloud_journal *j = c->journal;
    pthread_mutex_lock(&j->lock);
    uint64_t noted = j->noted; /* not those that come meanwhile: there may be no end of them */
    while (j->done < noted) pthread_cond_wait(&j->changed, &j->lock);
    pthread_mutex_unlock(&j->lock);
}

cJSON *cloud_event_list(struct cloud *c, const char *device, int64_t before, unsigned limit,
                        struct cloud_refusal *why)
{
    cloud_flush(c);
    return cloud_read_rows(
        c, why,
        "SELECT id, " CLOUD_TIME(
            "at") " AS at, device_name AS device, product, action, version,"
                  " file, bytes, address, status, detail FROM cloud_event"
                  " WHERE (?1 IS NULL OR device_name = ?1) AND (?2 = 0 OR id < ?2)"
                  " ORDER BY id DESC LIMIT ?3",
        "tii", device, before, (int64_t)limit);
}

cJSON *cloud_audit_list(struct cloud *c, int64_t before, unsigned limit, struct cloud_refusal *why)
{
    return cloud_read_rows(
        c, why,
        "SELECT id, " CLOUD_TIME(
            "at") " AS at, who, what, object, detail"
                  " FROM cloud_audit WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2",
        "ii", before, (int64_t)limit);
}
