/* The state file of a node: what is saved is there after the power went, at any byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/err.h"
#include "host/file.h"
#include "radio/zb_file.h"

struct place {
    char dir[64], path[80];
};

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    snprintf(p->dir, sizeof p->dir, "/tmp/airlift-zb-file-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/state", p->dir);
    *state = p;
    return 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", p->dir);
    assert_int_equal(system(command), 0);
    free(p);
    return 0;
}

static struct zb_file *open_ok(const struct place *p)
{
    char error[300] = "";
    struct zb_file *f = zb_file_open(p->path, error, sizeof error);
    if (!f) fail_msg("%s", error);
    return f;
}

static void refuses(const struct place *p, const char *why)
{
    char error[300] = "";
    assert_null(zb_file_open(p->path, error, sizeof error));
    if (!strstr(error, why)) fail_msg("'%s' does not say '%s'", error, why);
}

static int save(struct zb_file *f, uint16_t number, const void *data, size_t len)
{
    const struct al_zb_store *s = zb_file_store(f);
    return s->save(s->ctx, number, data, len);
}

/* Content that tells number and generation apart. */
static size_t content(uint8_t *out, unsigned number, unsigned generation)
{
    size_t len = 1 + (number * 37 + generation * 11) % AL_ZB_RECORD_MAX;
    for (size_t i = 0; i < len; i++) out[i] = (uint8_t)(number * 5 + generation * 3 + i);
    return len;
}

static void save_content(struct zb_file *f, unsigned number, unsigned generation)
{
    uint8_t data[AL_ZB_RECORD_MAX];
    assert_int_equal(save(f, (uint16_t)number, data, content(data, number, generation)), 0);
}

static bool has_content(struct zb_file *f, unsigned number, unsigned generation)
{
    uint8_t want[AL_ZB_RECORD_MAX], got[AL_ZB_RECORD_MAX];
    const struct al_zb_store *s = zb_file_store(f);
    size_t len = content(want, number, generation);
    return s->load(s->ctx, (uint16_t)number, got, sizeof got) == (int)len &&
           memcmp(got, want, len) == 0;
}

static void put_file(const struct place *p, const uint8_t *data, size_t len)
{
    assert_int_equal(file_write(p->path, data, len, 0600), 0);
}

static void records_are_there_after_a_restart(void **state)
{
    struct zb_file *f = open_ok(*state);
    uint8_t byte;
    for (unsigned i = 1; i <= 20; i++) save_content(f, i, 1);
    for (unsigned i = 1; i <= 10; i++) save_content(f, i, 2);
    assert_int_equal(save(f, 20, NULL, 0), 0);
    zb_file_close(f);
    f = open_ok(*state);
    for (unsigned i = 1; i < 20; i++) assert_true(has_content(f, i, i <= 10 ? 2 : 1));
    const struct al_zb_store *s = zb_file_store(f);
    assert_int_equal(s->load(s->ctx, 20, &byte, 1), AL_ERR_NOT_FOUND);
    zb_file_close(f);
}

static int in_order(void *ctx, uint16_t record, const void *data, size_t len)
{
    uint16_t *last = ctx;
    if (record <= *last) return -1;
    *last = record;
    return 0;
}

static void records_are_listed_by_number(void **state)
{
    struct zb_file *f = open_ok(*state);
    const unsigned numbers[] = {0x3000, 1, 0x2001, 7, 0x2000};
    uint16_t last = 0;
    for (size_t i = 0; i < 5; i++) save_content(f, numbers[i], 1);
    assert_int_equal(zb_file_each(f, in_order, &last), 0);
    assert_int_equal(last, 0x3000);
    zb_file_close(f);
}

/* Twelve saves; the file ends inside the last one, at every byte, with and without rubbish
 * behind: all before it is there, and the next save works. */
static void cut_at_every_byte_keeps_all_whole_saves(void **state)
{
    const struct place *p = *state;
    uint8_t *whole;
    size_t len, before;
    struct stat st;
    struct zb_file *f = open_ok(p);
    for (unsigned i = 1; i <= 11; i++) save_content(f, i, 1);
    assert_int_equal(stat(p->path, &st), 0);
    before = (size_t)st.st_size;
    save_content(f, 3, 2);
    zb_file_close(f);
    assert_int_equal(file_read(p->path, 1u << 20, &whole, &len), 0);
    assert_true(len > before + 8);
    for (size_t cut = before; cut < len; cut++) {
        for (int rubbish = 0; rubbish < 3; rubbish++) {
            size_t end = cut;
            uint8_t *torn = malloc(len);
            memcpy(torn, whole, len);
            /* Zeros, or what was on the disk before, where the data did not get to. */
            if (rubbish) memset(torn + cut, rubbish == 1 ? 0 : 0xa5, len - cut), end = len;
            put_file(p, torn, end);
            free(torn);
            f = open_ok(p);
            for (unsigned i = 1; i <= 11; i++) assert_true(has_content(f, i, 1));
            save_content(f, 3, 9);
            zb_file_close(f);
            f = open_ok(p);
            assert_true(has_content(f, 3, 9) && has_content(f, 11, 1));
            zb_file_close(f);
        }
    }
    put_file(p, whole, len);
    f = open_ok(p);
    assert_true(has_content(f, 3, 2));
    zb_file_close(f);
    free(whole);
}

/* The pages of one save may reach the disk in any order. */
static void a_hole_in_the_last_save_is_no_damage(void **state)
{
    const struct place *p = *state;
    uint8_t *data, big[3000];
    size_t len;
    struct zb_file *f = open_ok(p);
    save_content(f, 1, 1);
    memset(big, 0x5a, sizeof big);
    assert_int_equal(save(f, 2, big, sizeof big), 0);
    zb_file_close(f);
    assert_int_equal(file_read(p->path, 1u << 20, &data, &len), 0);
    memset(data + len - 2800, 0, 512);
    put_file(p, data, len);
    free(data);
    f = open_ok(p);
    assert_true(has_content(f, 1, 1));
    zb_file_close(f);
}

static void damage_in_the_middle_is_named_with_its_offset(void **state)
{
    const struct place *p = *state;
    uint8_t *data;
    size_t len;
    struct zb_file *f = open_ok(p);
    for (unsigned i = 1; i <= 5; i++) save_content(f, i, 1);
    zb_file_close(f);
    assert_int_equal(file_read(p->path, 1u << 20, &data, &len), 0);
    for (size_t at = 16; at < 40; at++) { /* in the first record */
        data[at] ^= 0x40;
        put_file(p, data, len);
        refuses(p, "offset 16: the record is damaged");
        data[at] ^= 0x40;
    }
    data[8] = 9;
    put_file(p, data, len);
    refuses(p, "offset 8: version 9");
    free(data);
}

static void a_foreign_file_is_refused_and_left_alone(void **state)
{
    static const char text[] = "{\"network_key\": \"something else\"}\n";
    const struct place *p = *state;
    uint8_t *data;
    size_t len;
    put_file(p, (const uint8_t *)text, sizeof text);
    refuses(p, "no state file of Airlift");
    assert_int_equal(file_read(p->path, 1u << 20, &data, &len), 0);
    assert_int_equal(len, sizeof text);
    assert_memory_equal(data, text, len);
    free(data);
    put_file(p, (const uint8_t *)"AIRL", 4);
    refuses(p, "no state file of Airlift");
    put_file(p, NULL, 0); /* as mktemp makes it */
    zb_file_close(open_ok(p));
}

static void another_process_cannot_open_it(void **state)
{
    const struct place *p = *state;
    struct zb_file *f = open_ok(p);
    refuses(p, "in use by another process");
    /* Also after the file was replaced. */
    for (unsigned i = 0; i < 1500; i++) save_content(f, 1 + i % 5, i);
    refuses(p, "in use by another process");
    zb_file_close(f);
    zb_file_close(open_ok(p));
}

static void only_the_owner_may_read_it(void **state)
{
    const struct place *p = *state;
    struct stat st;
    zb_file_close(open_ok(p));
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(chmod(p->path, 0644), 0);
    zb_file_close(open_ok(p));
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void the_journal_does_not_grow_for_ever(void **state)
{
    const struct place *p = *state;
    struct stat st;
    struct zb_file *f = open_ok(p);
    for (unsigned i = 0; i < 2000; i++) save_content(f, 1 + i % 10, i / 10);
    assert_int_equal(stat(p->path, &st), 0);
    assert_in_range(st.st_size, 100, 70000);
    for (unsigned i = 1; i <= 10; i++) assert_true(has_content(f, i, 199));
    zb_file_close(f);
    f = open_ok(p);
    for (unsigned i = 1; i <= 10; i++) assert_true(has_content(f, i, 199));
    zb_file_close(f);
}

static void the_same_again_is_not_written(void **state)
{
    const struct place *p = *state;
    struct stat a, b;
    struct zb_file *f = open_ok(p);
    save_content(f, 5, 1);
    assert_int_equal(stat(p->path, &a), 0);
    for (int i = 0; i < 100; i++) save_content(f, 5, 1);
    assert_int_equal(save(f, 6, NULL, 0), 0);
    assert_int_equal(stat(p->path, &b), 0);
    assert_int_equal(a.st_size, b.st_size);
    zb_file_close(f);
}

static void a_full_disk_keeps_the_old_record(void **state)
{
    const struct place *p = *state;
    struct stat st;
    struct rlimit old, limit;
    struct zb_file *f = open_ok(p);
    uint8_t big[2000] = {1};
    save_content(f, 5, 1);
    assert_int_equal(stat(p->path, &st), 0);
    getrlimit(RLIMIT_FSIZE, &old);
    limit = (struct rlimit){(rlim_t)st.st_size + 10, old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(save(f, 5, big, sizeof big), AL_FAIL);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_non_null(strstr(zb_file_error(f), "cannot be written: File too large"));
    assert_true(has_content(f, 5, 1));
    save_content(f, 6, 1);
    zb_file_close(f);
    f = open_ok(p);
    assert_true(has_content(f, 5, 1) && has_content(f, 6, 1));
    zb_file_close(f);
}

/* A process that counts up and is killed: what it had saved before it said so is there. */
static void killed_at_any_moment_nothing_is_lost(void **state)
{
    const struct place *p = *state;
    for (int round = 0; round < 20; round++) {
        int pipes[2];
        uint32_t told = 0, kept = 0, value;
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0) {
            char error[300];
            struct zb_file *f = zb_file_open(p->path, error, sizeof error);
            uint8_t data[AL_ZB_RECORD_MAX] = {0};
            for (uint32_t i = 1; f; i++) {
                memcpy(data, &i, sizeof i);
                if (save(f, 7, data, sizeof data)) break;
                if (write(pipes[1], &i, sizeof i) != sizeof i) break;
            }
            _exit(1);
        }
        close(pipes[1]);
        usleep((useconds_t)(2000 + round * 1371));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(pipes[0], &value, sizeof value) == sizeof value) told = value;
        close(pipes[0]);
        struct zb_file *f = open_ok(p);
        const struct al_zb_store *s = zb_file_store(f);
        s->load(s->ctx, 7, &kept, sizeof kept);
        assert_in_range(kept, told, told + 1);
        assert_int_equal(save(f, 7, NULL, 0), 0);
        zb_file_close(f);
    }
}

static void wrong_calls_are_refused(void **state)
{
    struct zb_file *f = open_ok(*state);
    static const uint8_t data[ZB_FILE_RECORD_MAX + 1];
    assert_int_equal(save(f, 1, data, sizeof data), AL_ERR_INVALID_SIZE);
    assert_int_equal(save(f, 0, data, 1), AL_ERR_INVALID_ARG);
    assert_int_equal(save(f, 1, data, ZB_FILE_RECORD_MAX), 0);
    zb_file_close(f);
}

#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(records_are_there_after_a_restart),
        PLACE_TEST(records_are_listed_by_number),
        PLACE_TEST(cut_at_every_byte_keeps_all_whole_saves),
        PLACE_TEST(a_hole_in_the_last_save_is_no_damage),
        PLACE_TEST(damage_in_the_middle_is_named_with_its_offset),
        PLACE_TEST(a_foreign_file_is_refused_and_left_alone),
        PLACE_TEST(another_process_cannot_open_it),
        PLACE_TEST(only_the_owner_may_read_it),
        PLACE_TEST(the_journal_does_not_grow_for_ever),
        PLACE_TEST(the_same_again_is_not_written),
        PLACE_TEST(a_full_disk_keeps_the_old_record),
        PLACE_TEST(killed_at_any_moment_nothing_is_lost),
        PLACE_TEST(wrong_calls_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
