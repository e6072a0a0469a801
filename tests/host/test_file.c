#include "host/file.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[256];

static int setup(void **state)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%s/airlift-file-XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

static const char *in_dir(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void what_was_written_is_read_back_with_a_nul_behind(void **state)
{
    uint8_t *data;
    size_t len;
    assert_int_equal(file_write(in_dir("a"), "one\0two", 7, 0640), 0);
    assert_int_equal(file_read(in_dir("a"), 7, &data, &len), 0);
    assert_int_equal(len, 7);
    assert_memory_equal(data, "one\0two", 8);
    free(data);
    struct stat st;
    assert_int_equal(stat(in_dir("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(file_write(in_dir("a"), "", 0, 0600), 0);
    assert_int_equal(file_read(in_dir("a"), 0, &data, &len), 0);
    assert_int_equal(len, 0);
    free(data);
}

static void a_file_longer_than_allowed_is_refused(void **state)
{
    uint8_t *data = NULL;
    size_t len;
    assert_int_equal(file_write(in_dir("b"), "12345678", 8, 0600), 0);
    assert_int_equal(file_read(in_dir("b"), 7, &data, &len), -EFBIG);
    assert_int_equal(file_read("/dev/zero", 100000, &data, &len), -EFBIG);
    assert_null(data);
}

static void a_file_of_unknown_size_is_read_to_its_end(void **state)
{
    uint8_t *data;
    size_t len;
    assert_int_equal(file_read("/proc/self/maps", 1 << 20, &data, &len), 0);
    assert_true(len > 100);
    assert_int_equal(strlen((char *)data), len);
    free(data);
}

static void faults_come_as_errno(void **state)
{
    uint8_t *data;
    size_t len;
    assert_int_equal(file_read(in_dir("none"), 10, &data, &len), -ENOENT);
    assert_int_equal(file_read(dir, 10, &data, &len), -EISDIR);
    assert_int_equal(file_write(in_dir("no/such/dir"), "x", 1, 0600), -ENOENT);
    assert_int_equal(file_write("/dev/full", "x", 1, 0600), -ENOSPC);
}

/* As on a full disk: the write ends in the middle. */
static void a_failed_write_leaves_everything_as_it_was(void **state)
{
    static const char big[100000];
    uint8_t *data;
    size_t len;
    struct rlimit before, small = {.rlim_cur = 50000, .rlim_max = RLIM_INFINITY};
    assert_int_equal(file_write(in_dir("kept/old"), "old", 3, 0600), -ENOENT);
    assert_int_equal(file_make_dirs(in_dir("kept"), 0700), 0);
    assert_int_equal(file_write(in_dir("kept/old"), "old", 3, 0600), 0);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    int err = file_write(in_dir("kept/old"), big, sizeof big, 0600);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(err, -EFBIG);

    assert_int_equal(file_read(in_dir("kept/old"), 10, &data, &len), 0);
    assert_int_equal(len, 3);
    free(data);
    assert_int_equal(unlink(in_dir("kept/old")), 0);
    assert_int_equal(rmdir(in_dir("kept")), 0); /* no temporary file is left in it */
}

static void a_link_stays_and_its_file_gets_the_content(void **state)
{
    char file[300], link[300], to[64];
    size_t len;
    uint8_t *data;
    (void)state;
    snprintf(file, sizeof file, "%s/behind", dir);
    snprintf(link, sizeof link, "%s/link", dir);
    assert_int_equal(symlink("behind", link), 0);
    assert_int_equal(file_write(file, "old", 3, 0644), 0);
    assert_int_equal(file_write(link, "new", 3, 0644), 0);
    assert_int_equal(readlink(link, to, sizeof to), 6);
    assert_int_equal(file_read(file, 100, &data, &len), 0);
    assert_int_equal(len, 3);
    assert_memory_equal(data, "new", 3);
    free(data);
    unlink(link);
    unlink(file);
}

static void directories_are_made_with_their_parents(void **state)
{
    struct stat st;
    assert_int_equal(file_make_dirs(in_dir("x/y/z"), 0755), 0);
    assert_int_equal(stat(in_dir("x/y/z"), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(file_make_dirs(in_dir("x/y/z/"), 0755), 0);
    assert_int_equal(file_write(in_dir("x/plain"), "", 0, 0600), 0);
    assert_int_equal(file_make_dirs(in_dir("x/plain"), 0755), -ENOTDIR);
    assert_int_equal(file_make_dirs(in_dir("x/plain/more"), 0755), -ENOTDIR);
    assert_int_equal(file_make_dirs("", 0755), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read_back_with_a_nul_behind),
        cmocka_unit_test(a_file_longer_than_allowed_is_refused),
        cmocka_unit_test(a_file_of_unknown_size_is_read_to_its_end),
        cmocka_unit_test(faults_come_as_errno),
        cmocka_unit_test(a_failed_write_leaves_everything_as_it_was),
        cmocka_unit_test(a_link_stays_and_its_file_gets_the_content),
        cmocka_unit_test(directories_are_made_with_their_parents),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
