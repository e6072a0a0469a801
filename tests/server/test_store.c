/* The repository over restarts, crashes between its steps, and readers meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/file.h"
#include "server/auth.h"
#include "server/store.h"

static char dir[128], why[1024];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int make_dir(void **state)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%s/store-XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct store *open_store(void)
{
    struct store *s = store_open(dir, why, sizeof why);
    if (!s) fail_msg("%s", why);
    return s;
}

static struct blob_draft *draft_of(struct store *s, const char *content)
{
    int err;
    struct blob_draft *d = blob_begin(store_blobs(s), &err);
    assert_non_null(d);
    assert_int_equal(blob_write(d, content, strlen(content)), 0);
    assert_int_equal(blob_seal(d), 0);
    return d;
}

static int publish(struct store *s, const char *name, const char *content, struct artifact *a)
{
    bool fresh;
    *a = (struct artifact){.kind = "other"};
    snprintf(a->name, sizeof a->name, "%s", name);
    return store_publish(s, draft_of(s, content), a, &fresh);
}

static void put(struct store *s, const char *name, const char *content)
{
    struct artifact a;
    assert_int_equal(publish(s, name, content, &a), 0);
}

static void expect(struct store *s, const char *name, const char *content)
{
    struct artifact a;
    struct blob *b;
    assert_int_equal(store_find(s, name, &a, &b), 0);
    assert_int_equal(a.size, strlen(content));
    assert_memory_equal(blob_data(b), content, a.size);
    blob_release(b);
}

static void expect_none(struct store *s, const char *name)
{
    struct artifact a;
    assert_int_equal(store_find(s, name, &a, NULL), -ENOENT);
}

static unsigned file_count;
static int count_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    if (type == FTW_F) file_count++;
    return 0;
}

/* Files below DATA/<part>. */
static unsigned files_in(const char *part)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, part);
    file_count = 0;
    nftw(path, count_file, 8, FTW_PHYS);
    return file_count;
}

static void a_restart_keeps_everything(void **state)
{
    struct store *s = open_store();
    struct artifact a = {.name = "app",
                         .kind = "esp-app",
                         .project = "demo",
                         .version = "1.0",
                         .chip = "esp32c3",
                         .secure_version = 4000000000u},
                    b;
    bool fresh;
    assert_int_equal(store_publish(s, draft_of(s, "one"), &a, &fresh), 0);
    assert_true(fresh);
    assert_string_equal(a.sha256,
                        "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
    store_close(s);
    s = open_store();
    expect(s, "app", "one");
    assert_int_equal(store_find(s, "app", &b, NULL), 0);
    assert_memory_equal(&a, &b, sizeof a);
    store_close(s);
}

static void the_same_content_again_changes_nothing(void **state)
{
    struct store *s = open_store();
    struct artifact a = {.name = "app", .kind = "other"}, b = a;
    bool fresh;
    assert_int_equal(store_publish(s, draft_of(s, "one"), &a, &fresh), 0);
    assert_int_equal(store_publish(s, draft_of(s, "one"), &b, &fresh), 0);
    assert_false(fresh);
    assert_int_equal(a.published, b.published);
    assert_int_equal(files_in("blobs"), 1);
    assert_int_equal(files_in("tmp"), 0);
    store_close(s);
}

struct history {
    unsigned count;
    char sha256[4][BLOB_HEX_LEN];
};

static int note(void *ctx, const struct artifact *a)
{
    struct history *h = ctx;
    if (h->count < 4) strcpy(h->sha256[h->count], a->sha256);
    h->count++;
    return 0;
}

static void a_new_content_keeps_the_old_in_the_history(void **state)
{
    struct store *s = open_store();
    struct artifact first, second, third;
    struct history h = {0};
    assert_int_equal(publish(s, "app", "one", &first), 0);
    assert_int_equal(publish(s, "app", "two", &second), 0);
    assert_int_equal(publish(s, "app", "one", &third), 0);
    expect(s, "app", "one");
    assert_int_equal(store_history(s, "app", note, &h), 0);
    assert_int_equal(h.count, 3);
    assert_string_equal(h.sha256[0], first.sha256);
    assert_string_equal(h.sha256[1], second.sha256);
    assert_true(second.published > first.published && third.published > second.published);
    store_close(s);
}

static void a_reader_keeps_its_bytes_when_the_name_moves_on(void **state)
{
    struct store *s = open_store();
    struct artifact a;
    struct blob *old;
    put(s, "app", "one");
    assert_int_equal(store_find(s, "app", &a, &old), 0);
    put(s, "app", "two");
    assert_memory_equal(blob_data(old), "one", 3);
    assert_int_equal(store_withdraw(s, "app"), 0);
    assert_memory_equal(blob_data(old), "one", 3);
    blob_release(old);
    store_close(s);
}

static void withdrawing_removes_what_no_other_name_needs(void **state)
{
    struct store *s = open_store();
    put(s, "a", "shared");
    put(s, "b", "shared");
    put(s, "a", "own");
    assert_int_equal(files_in("blobs"), 2);
    assert_int_equal(store_withdraw(s, "a"), 0);
    assert_int_equal(store_withdraw(s, "a"), -ENOENT);
    expect_none(s, "a");
    expect(s, "b", "shared");
    assert_int_equal(files_in("blobs"), 1);
    store_close(s);
}

static void a_crash_while_writing_leaves_no_file(void **state)
{
    struct store *s = open_store();
    put(s, "app", "old");
    pid_t child = fork();
    if (child == 0) {
        draft_of(s, "half");
        _exit(0);
    }
    waitpid(child, NULL, 0);
    assert_int_equal(files_in("tmp"), 1);
    store_close(s);
    s = open_store();
    assert_int_equal(files_in("tmp"), 0);
    expect(s, "app", "old");
    store_close(s);
}

static void a_crash_before_the_database_leaves_the_old_content(void **state)
{
    struct store *s = open_store();
    put(s, "app", "old");
    assert_int_equal(blob_keep(draft_of(s, "new")), 0); /* file in place, database not told */
    assert_int_equal(files_in("blobs"), 2);
    store_close(s);
    s = open_store();
    expect(s, "app", "old");
    assert_int_equal(files_in("blobs"), 1);
    store_close(s);
}

/* Publishes contents 0, 1, 2, ... and is killed; tells each finished one through the pipe. */
static void publish_until_killed(int tell)
{
    struct store *s = open_store();
    for (unsigned i = 0;; i++) {
        char content[32];
        struct artifact a;
        snprintf(content, sizeof content, "content %u", i);
        if (publish(s, "app", content, &a) != 0) _exit(1);
        if (write(tell, &i, sizeof i) != sizeof i) _exit(1);
    }
}

static void kill_at_any_moment_leaves_the_last_publication_or_the_next(void **state)
{
    for (unsigned round = 0; round < 25; round++) {
        int tell[2];
        unsigned i, last = UINT32_MAX;
        assert_int_equal(pipe(tell), 0);
        pid_t child = fork();
        if (child == 0) publish_until_killed(tell[1]);
        close(tell[1]);
        if (read(tell[0], &last, sizeof last) != sizeof last) fail_msg("nothing was published");
        nanosleep(&(struct timespec){.tv_nsec = (long)(round * 397 % 40) * 100000}, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(tell[0], &i, sizeof i) == sizeof i) last = i;
        close(tell[0]);
        struct store *s = open_store();
        struct artifact a;
        struct blob *b;
        char told[32], next[32];
        assert_int_equal(store_find(s, "app", &a, &b), 0);
        snprintf(told, sizeof told, "content %u", last);
        snprintf(next, sizeof next, "content %u", last + 1);
        bool is_told = a.size == strlen(told) && memcmp(blob_data(b), told, a.size) == 0;
        bool is_next = a.size == strlen(next) && memcmp(blob_data(b), next, a.size) == 0;
        assert_true(is_told || is_next);
        blob_release(b);
        assert_int_equal(files_in("tmp"), 0);
        store_close(s);
    }
}

static atomic_bool reading;

static void *read_all_the_time(void *arg)
{
    uintptr_t wrong = 0;
    while (reading) {
        struct artifact a;
        struct blob *b;
        if (store_find(arg, "app", &a, &b) != 0) return (void *)1;
        wrong += a.size != 4 ||
                 (memcmp(blob_data(b), "aaaa", 4) != 0 && memcmp(blob_data(b), "bbbb", 4) != 0);
        blob_release(b);
    }
    return (void *)wrong;
}

static void readers_see_the_old_or_the_new_while_it_is_published(void **state)
{
    struct store *s = open_store();
    pthread_t reader[2];
    void *wrong;
    put(s, "app", "aaaa");
    reading = true;
    for (int i = 0; i < 2; i++) pthread_create(&reader[i], NULL, read_all_the_time, s);
    for (int i = 0; i < 50; i++) put(s, "app", i % 2 ? "aaaa" : "bbbb");
    reading = false;
    for (int i = 0; i < 2; i++) {
        pthread_join(reader[i], &wrong);
        assert_null(wrong);
    }
    store_close(s);
}

static void a_full_disk_is_told_and_leaves_the_old_content(void **state)
{
    static char block[65536];
    struct store *s = open_store();
    struct rlimit before, small = {.rlim_cur = 1u << 20};
    int err;
    put(s, "app", "old");
    struct blob_draft *d = blob_begin(store_blobs(s), &err);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    for (int i = 0; i < 64 && err == 0; i++) err = blob_write(d, block, sizeof block);
    assert_int_equal(err, -EFBIG);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(blob_write(d, "x", 1), -EFBIG); /* stays failed */
    assert_int_equal(blob_seal(d), -EFBIG);
    assert_int_equal(blob_keep(d), -EFBIG);
    assert_int_equal(files_in("tmp"), 0);
    expect(s, "app", "old");
    store_close(s);
}

static void a_damaged_file_is_not_served(void **state)
{
    struct store *s = open_store();
    struct artifact a;
    struct blob *b;
    char path[512];
    assert_int_equal(publish(s, "app", "content", &a), 0);
    store_close(s);
    snprintf(path, sizeof path, "%s/blobs/%.2s/%s", dir, a.sha256, a.sha256 + 2);
    assert_int_equal(truncate(path, 3), 0);
    s = open_store();
    assert_int_equal(store_find(s, "app", &a, &b), -EIO);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(store_find(s, "app", &a, &b), -EIO);
    store_close(s);
}

static void a_newer_database_is_left_alone(void **state)
{
    char command[256];
    store_close(open_store());
    snprintf(command, sizeof command,
             "/usr/bin/python3 -c \"import sqlite3; c = sqlite3.connect('%s/airlift.db'); "
             "c.execute('PRAGMA user_version = 99'); c.commit()\"",
             dir);
    assert_int_equal(system(command), 0);
    assert_null(store_open(dir, why, sizeof why));
    assert_non_null(strstr(why, "newer airliftd"));
}

static void names_that_could_lead_elsewhere_are_none(void **state)
{
    static const char *const good[] = {"a", "app.bin", "1.0.0+rc-1_x", "A"};
    static const char *const bad[] = {"",    ".",  "..",  ".hidden", "a/b",
                                      "a b", "-x", "a\n", "é",       "a%2f"};
    char name[ARTIFACT_NAME_MAX + 2];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_true(artifact_name_ok(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(artifact_name_ok(bad[i]));
    memset(name, 'a', sizeof name);
    name[ARTIFACT_NAME_MAX + 1] = 0;
    assert_false(artifact_name_ok(name));
    name[ARTIFACT_NAME_MAX] = 0;
    assert_true(artifact_name_ok(name));
}

static void the_token_opens_and_nothing_else_does(void **state)
{
    struct store *s = open_store();
    struct stat st;
    char path[256], header[256], old[256];
    uint8_t *token;
    size_t len;
    bool made;
    assert_int_equal(auth_ready(s, dir, false, &made), 0);
    assert_true(made);
    snprintf(path, sizeof path, "%s/" AUTH_TOKEN_FILE, dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(file_read(path, 200, &token, &len), 0);
    assert_int_equal(len, 65);
    snprintf(old, sizeof old, "Bearer %.64s", (char *)token);
    assert_true(auth_allows(s, old));
    snprintf(header, sizeof header, "bearer %.64s", (char *)token);
    assert_true(auth_allows(s, header));
    snprintf(header, sizeof header, "Bearer %.63s", (char *)token);
    assert_false(auth_allows(s, header));
    snprintf(header, sizeof header, "Basic %.64s", (char *)token);
    assert_false(auth_allows(s, header));
    assert_false(auth_allows(s, NULL));
    assert_false(auth_allows(s, ""));
    assert_false(auth_allows(s, "Bearer "));
    free(token);
    assert_int_equal(auth_ready(s, dir, false, &made), 0);
    assert_false(made);
    assert_true(auth_allows(s, old));
    assert_int_equal(auth_ready(s, dir, true, &made), 0);
    assert_true(made);
    assert_false(auth_allows(s, old));
    store_close(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_restart_keeps_everything),
        TEST(the_same_content_again_changes_nothing),
        TEST(a_new_content_keeps_the_old_in_the_history),
        TEST(a_reader_keeps_its_bytes_when_the_name_moves_on),
        TEST(withdrawing_removes_what_no_other_name_needs),
        TEST(a_crash_while_writing_leaves_no_file),
        TEST(a_crash_before_the_database_leaves_the_old_content),
        TEST(kill_at_any_moment_leaves_the_last_publication_or_the_next),
        TEST(readers_see_the_old_or_the_new_while_it_is_published),
        TEST(a_full_disk_is_told_and_leaves_the_old_content),
        TEST(a_damaged_file_is_not_served),
        TEST(a_newer_database_is_left_alone),
        cmocka_unit_test(names_that_could_lead_elsewhere_are_none),
        TEST(the_token_opens_and_nothing_else_does),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
