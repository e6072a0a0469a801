#include "server/gateway_thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "host/file.h"
#include "host/zigbee_file.h"
#include "radio/radio.h"
#include "radio/zb_file.h"
#include "radio/zb_loop.h"
#include "server/log.h"
#include "server/zigbee_check.h"

#define SECOND     1000000ull
#define PATIENCE_S 10

struct job {
    struct job *next;
    cJSON *command, *answer;
    bool taken, done;
};

/* An artifact that the gateway has. */
struct known {
    struct known *next;
    struct artifact artifact;
    bool seen;
};

struct gateway_thread {
    struct gateway_thread_config c;
    struct gateway *gateway;
    struct gateway_images *images;
    struct zb_file *state;
    struct zb_loop loop;
    struct known *known;
    pthread_t thread;
    bool running;
    int wake; /* eventfd */
    /* Under lock */
    pthread_mutex_t lock;
    pthread_cond_t answered;
    struct job *jobs;
    bool stop, dead, images_changed;
};

/* ---- Images ---- */

static int collect(void *ctx, const struct artifact *a)
{
    struct gateway_thread *t = ctx;
    if (strcmp(a->kind, ZIGBEE_KIND) != 0) return 0;
    for (struct known *k = t->known; k; k = k->next)
        if (strcmp(k->artifact.name, a->name) == 0 && strcmp(k->artifact.sha256, a->sha256) == 0) {
            k->seen = true;
            return 0;
        }
    struct known *k = calloc(1, sizeof *k);
    if (!k) return -ENOMEM;
    *k = (struct known){.next = t->known, .artifact = *a, .seen = true};
    k->artifact.published = 0; /* still to be added */
    t->known = k;
    return 0;
}

static void add(struct gateway_thread *t, struct known *k)
{
    struct artifact a;
    struct blob *blob;
    char why[400];
    k->artifact.published = 1;
    if (store_find(t->c.store, k->artifact.name, &a, &blob) != 0) return;
    if (gateway_images_add(t->images, a.name, blob_data(blob), blob_size(blob), blob_release, blob,
                           NULL, why, sizeof why))
        server_log("zigbee: '%s' is not used: %s", a.name, why);
}

static void sync_images(struct gateway_thread *t)
{
    for (struct known *k = t->known; k; k = k->next) k->seen = false;
    store_list(t->c.store, collect, t);
    for (struct known **at = &t->known; *at;) {
        struct known *k = *at;
        if (k->seen) {
            at = &k->next;
            continue;
        }
        gateway_images_remove(t->images, k->artifact.name);
        *at = k->next;
        free(k);
    }
    /* Behind the removals: a name may stand for something new. */
    for (struct known *k = t->known; k; k = k->next)
        if (!k->artifact.published) add(t, k);
    gateway_images_changed(t->gateway, zb_loop_now(&t->loop));
}

/* ---- The thread ---- */

static void on_event(void *ctx, const struct gateway_event *e)
{
    char eui[ZIGBEE_EUI_TEXT] = "";
    if (e->kind == GATEWAY_PROGRESS || e->kind == GATEWAY_QUERY) return;
    if (e->ext) zigbee_eui_text(e->ext, eui);
    server_log("zigbee: %s%s%s", eui, e->ext ? " " : "", e->text);
}

static void run_jobs(struct gateway_thread *t)
{
    pthread_mutex_lock(&t->lock);
    while (t->jobs) {
        struct job *j = t->jobs;
        t->jobs = j->next;
        j->taken = true;
        pthread_mutex_unlock(&t->lock);
        cJSON *answer = gateway_command(t->gateway, zb_loop_now(&t->loop), j->command);
        pthread_mutex_lock(&t->lock);
        j->answer = answer;
        j->done = true;
        pthread_cond_broadcast(&t->answered);
    }
    pthread_mutex_unlock(&t->lock);
}

/* True: go on. */
static bool serve_others(struct gateway_thread *t)
{
    uint64_t count;
    (void)!read(t->wake, &count, sizeof count);
    pthread_mutex_lock(&t->lock);
    bool stop = t->stop, changed = t->images_changed;
    t->images_changed = false;
    pthread_mutex_unlock(&t->lock);
    if (changed) sync_images(t);
    run_jobs(t);
    return !stop;
}

static void *live(void *ctx)
{
    struct gateway_thread *t = ctx;
    bool lost = false;
    while (!lost && serve_others(t)) {
        uint64_t until = zb_loop_now(&t->loop) + SECOND;
        lost = zb_loop_wait(&t->loop, until, t->wake) != 0;
    }
    if (lost) server_log("zigbee: the gateway has ended: %s", radio_error(t->loop.radio));
    pthread_mutex_lock(&t->lock);
    t->dead = true;
    pthread_cond_broadcast(&t->answered);
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* ---- From outside ---- */

static bool open_all(struct gateway_thread *t, char *why, size_t why_size)
{
    char dir[4096], path[4200];
    struct al_node_config node = {0};
    snprintf(dir, sizeof dir, "%s/zigbee", t->c.data);
    snprintf(path, sizeof path, "%s/network.state", dir);
    int err = file_make_dirs(dir, 0700);
    if (err) {
        snprintf(why, why_size, "%s: %s", dir, strerror(-err));
        return false;
    }
    t->state = zb_file_open(path, why, why_size);
    if (!t->state) return false;
    t->images = gateway_images_new();
    struct gateway_config config = {.store = zb_file_store(t->state),
                                    .channels = t->c.channels,
                                    .parallel = t->c.parallel,
                                    .quiet_from = t->c.quiet_from,
                                    .quiet_to = t->c.quiet_to,
                                    .manual = t->c.manual,
                                    .images = t->images,
                                    .ctx = t,
                                    .event = on_event};
    t->gateway = gateway_new(&config);
    t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!t->images || !t->gateway || t->wake < 0) {
        snprintf(why, why_size, "not enough memory for the Zigbee gateway");
        return false;
    }
    gateway_node_config(t->gateway, &node);
    if (zb_loop_open(&t->loop, t->c.radio, "airliftd", &node, why, why_size)) return false;
    if (gateway_attach(t->gateway, &t->loop.zb, zb_loop_now(&t->loop)) == 0) return true;
    snprintf(why, why_size, "the Zigbee network cannot start");
    return false;
}

struct gateway_thread *gateway_thread_start(const struct gateway_thread_config *c, char *why,
                                            size_t why_size)
{
    struct gateway_thread *t = calloc(1, sizeof *t);
    pthread_condattr_t clock;
    if (!t) {
        snprintf(why, why_size, "not enough memory for the Zigbee gateway");
        return NULL;
    }
    t->c = *c;
    t->wake = -1;
    t->images_changed = true;
    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&t->answered, &clock);
    pthread_condattr_destroy(&clock);
    if (open_all(t, why, why_size)) {
        int err = pthread_create(&t->thread, NULL, live, t);
        t->running = err == 0;
        if (err) snprintf(why, why_size, "a thread cannot be started: %s", strerror(err));
    }
    if (t->running) return t;
    gateway_thread_stop(t);
    return NULL;
}

static void wake(struct gateway_thread *t)
{
    uint64_t one = 1;
    (void)!write(t->wake, &one, sizeof one);
}

void gateway_thread_stop(struct gateway_thread *t)
{
    if (!t) return;
    if (t->running) {
        pthread_mutex_lock(&t->lock);
        t->stop = true;
        pthread_mutex_unlock(&t->lock);
        wake(t);
        pthread_join(t->thread, NULL);
    }
    if (t->loop.radio) zb_loop_close(&t->loop);
    gateway_free(t->gateway);
    gateway_images_free(t->images);
    zb_file_close(t->state);
    while (t->known) {
        struct known *k = t->known;
        t->known = k->next;
        free(k);
    }
    if (t->wake >= 0) close(t->wake);
    pthread_cond_destroy(&t->answered);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static void unlink_job(struct gateway_thread *t, struct job *job)
{
    for (struct job **at = &t->jobs; *at; at = &(*at)->next)
        if (*at == job) {
            *at = job->next;
            return;
        }
}

cJSON *gateway_thread_ask(struct gateway_thread *t, cJSON *command)
{
    struct job job = {.command = command}, **end;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&t->lock);
    for (end = &t->jobs; *end; end = &(*end)->next) {
    }
    *end = &job;
    wake(t);
    int err = 0;
    /* Once it is taken its end is near, and the job must live until then. */
    while (!job.done && (job.taken || (!t->dead && err == 0)))
        err = pthread_cond_timedwait(&t->answered, &t->lock, &until);
    if (!job.taken) unlink_job(t, &job);
    pthread_mutex_unlock(&t->lock);
    cJSON_Delete(command);
    return job.answer;
}

void gateway_thread_images_changed(struct gateway_thread *t)
{
    pthread_mutex_lock(&t->lock);
    t->images_changed = true;
    pthread_mutex_unlock(&t->lock);
    wake(t);
}
