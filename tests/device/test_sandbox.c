/* What a confined firmware can and cannot do; the firmware is this program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "device/board.h"
#include "device/sandbox.h"
#include "radio/medium_server.h"
#include "tests/support/test_device.h"

/* --- firmware: tries things, and says what came of it --- */

static void said(const char *what, bool done)
{
    printf("%s: %s\n", what, done ? "possible" : "impossible");
}

static bool can_open(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static void *in_thread(void *arg)
{
    *(bool *)arg = true;
    return NULL;
}

static bool can_thread(void)
{
    pthread_t thread;
    bool ran = false;
    return pthread_create(&thread, NULL, in_thread, &ran) == 0 && pthread_join(thread, NULL) == 0 &&
           ran;
}

static bool can_fork(void)
{
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    return pid > 0;
}

static bool can_tcp(void)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd >= 0 && bind(fd, (struct sockaddr *)&local, sizeof local) == 0 && listen(fd, 1) == 0;
}

/* Ways to reach files and processes outside that a sandbox may forget. What they ask
 * for changes nothing if it is granted. */
static void try_side_doors(void)
{
    struct stat up = {.st_mode = 0700}, conf = {.st_size = 0};
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = {{0}};
    cpu_set_t all;
    memset(&all, 0xff, sizeof all);
    stat("..", &up);
    stat("device.conf", &conf);
    said("mode of a file outside", chmod("..", up.st_mode & 07777) == 0);
    said("time of a file outside", utimensat(AT_FDCWD, "..", NULL, 0) == 0);
    said("truncate by name", truncate("device.conf", conf.st_size) == 0);
    said("signals by a descriptor", fcntl(0, F_SETOWN, getppid()) == 0);
    said("signal number of a descriptor", fcntl(0, F_SETSIG, SIGKILL) == 0);
    said("type on the terminal", ioctl(0, TIOCSTI, "") == 0 || errno == ENOTTY);
    said("type with a long number",
         syscall(SYS_ioctl, 0, 1ull << 32 | TIOCSTI, "") == 0 || errno == ENOTTY);
    said("chip's priority", setpriority(PRIO_PROCESS, (id_t)getppid(), 0) == 0);
    said("chip's processors", sched_setaffinity(getppid(), sizeof all, &all) == 0);
    said("capabilities", syscall(SYS_capget, &header, caps) != 0 || caps[0].effective ||
                             caps[0].permitted || caps[1].effective || caps[1].permitted);
}

static void fw_tries(void)
{
    said("write in the device directory", can_open("made-by-firmware", O_WRONLY | O_CREAT));
    said("write outside", can_open("../outside", O_WRONLY | O_CREAT));
    said("write in tmp", can_open("/tmp/airlift-sandbox-probe", O_WRONLY | O_CREAT));
    said("symlink", symlink("/etc/hosts", "link") == 0);
    said("hard link", link("device.conf", "link") == 0);
    said("read passwords", can_open("/etc/shadow", O_RDONLY));
    said("read home", can_open("/root/.profile", O_RDONLY) || can_open("/home", O_RDONLY));
    said("read libraries", can_open("/usr/lib", O_RDONLY | O_DIRECTORY));
    said("read resolver", can_open("/etc/resolv.conf", O_RDONLY) || access("/etc/resolv.conf", 0));
    said("random device", can_open("/dev/urandom", O_RDONLY));
    said("thread", can_thread());
    said("fork", can_fork());
    said("shell", system("true") == 0);
    said("exec", execl("/bin/true", "true", NULL) == 0);
    said("ptrace chip", ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0);
    said("kill chip", kill(getppid(), 0) == 0);
    said("outlive chip", prctl(PR_SET_PDEATHSIG, 0) == 0);
    said("new privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
    said("namespaces", unshare(0x10000000) == 0);
    said("tcp", can_tcp());
    said("unix socket", socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
    said("raw packets", socket(AF_PACKET, SOCK_RAW, 0) >= 0);
    said("secrets of the user", getenv("AIRLIFT_TEST_SECRET") != NULL);
    try_side_doors();
    printf("all tried\n");
}

/* The same without a sandbox: only what does no harm. */
static void fw_free(void)
{
    said("write outside", can_open("../outside", O_WRONLY | O_CREAT));
    said("fork", can_fork());
    said("secrets of the user", getenv("AIRLIFT_TEST_SECRET") != NULL);
    printf("all tried\n");
}

static void fw_fill(void)
{
    static char block[1 << 20];
    int fd = open("big", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), blocks = 0;
    signal(SIGXFSZ, SIG_IGN);
    while (blocks < 100 && write(fd, block, sizeof block) == sizeof block) blocks++;
    printf("wrote %d MiB\n", blocks);
}

static void fw_cut_flash(void)
{
    (void)!ftruncate(board()->nor.fd, 0);
}

static void fw_cut_efuse(void)
{
    (void)!ftruncate(board()->efuse.fd, 1);
}

static void fw_cut_control(void)
{
    int fd = open("run/control", O_RDWR | O_TRUNC | O_CLOEXEC);
    printf("cut: %d\n", fd >= 0);
    fflush(stdout);
    _exit(0); /* not by a reset: its reason would be written to the page */
}

static void fw_radio(void)
{
    const struct radio_events events = {0};
    char why[256];
    struct radio *r =
        radio_open(getenv("AIRLIFT_RADIO"), 9, "firmware", &events, NULL, why, sizeof why);
    printf("radio: %s\n", r ? "possible" : why);
    said("unix socket", socket(AF_UNIX, SOCK_SEQPACKET, 0) >= 0);
    printf("all tried\n");
}

static const struct test_firmware firmware[] = {
    {"tries", fw_tries},         {"free", fw_free},
    {"fill", fw_fill},           {"cut-flash", fw_cut_flash},
    {"cut-efuse", fw_cut_efuse}, {"cut-control", fw_cut_control},
    {"radio", fw_radio},         {0}};

/* --- tests --- */

static void answer_is(const struct test_device *t, const char *what, const char *answer)
{
    char line[128];
    snprintf(line, sizeof line, "\n%s: %s\n", what, answer);
    if (!strstr(t->output, line)) fail_msg("not '%s: %s' in:\n%s", what, answer, t->output);
}

static void try_everything(struct test_device *t, bool no_sandbox)
{
    setenv("AIRLIFT_TEST_SECRET", "token", 1);
    test_device_new(t, "", no_sandbox ? "free" : "tries", NULL);
    if (!test_device_run(t, (struct chip_options){.until = "all tried", .no_sandbox = no_sandbox}))
        fail_msg("%s\n%s", t->report.error, t->output);
}

static void firmware_needs_what_it_gets(void **state)
{
    static const char *const needed[] = {"write in the device directory",
                                         "read libraries",
                                         "read resolver",
                                         "random device",
                                         "thread",
                                         "tcp"};
    struct test_device t;
    try_everything(&t, false);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        answer_is(&t, needed[i], "possible");
    test_device_free(&t);
}

static void firmware_cannot_leave_its_process(void **state)
{
    static const char *const refused[] = {"fork",
                                          "shell",
                                          "exec",
                                          "ptrace chip",
                                          "kill chip",
                                          "outlive chip",
                                          "new privileges",
                                          "namespaces",
                                          "unix socket",
                                          "raw packets",
                                          "secrets of the user",
                                          "symlink",
                                          "hard link",
                                          "mode of a file outside",
                                          "time of a file outside",
                                          "truncate by name",
                                          "signals by a descriptor",
                                          "signal number of a descriptor",
                                          "type on the terminal",
                                          "type with a long number",
                                          "chip's priority",
                                          "chip's processors",
                                          "capabilities"};
    struct test_device t;
    try_everything(&t, false);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        answer_is(&t, refused[i], "impossible");
    test_device_free(&t);
}

static void firmware_writes_only_to_the_device_directory(void **state)
{
    struct test_device t;
    if (sandbox_landlock_version() == 0) skip();
    try_everything(&t, false);
    answer_is(&t, "write outside", "impossible");
    answer_is(&t, "write in tmp", "impossible");
    answer_is(&t, "read passwords", "impossible");
    answer_is(&t, "read home", "impossible");
    test_device_free(&t);
}

static void without_sandbox_nothing_is_confined(void **state)
{
    struct test_device t;
    try_everything(&t, true);
    answer_is(&t, "write outside", "possible");
    answer_is(&t, "fork", "possible");
    answer_is(&t, "secrets of the user", "possible");
    test_device_free(&t);
}

static void firmware_cannot_fill_the_disk_with_one_file(void **state)
{
    struct test_device t;
    test_device_new(&t, "", "fill", NULL);
    assert_true(test_device_run(&t, (struct chip_options){.until = "wrote 64 MiB"}));
    test_device_free(&t);
}

/* Reading behind the end of a mapped file would end the chip by SIGBUS. */
static void a_file_cut_short_ends_the_run_in_words(void **state)
{
    static const char *const cut[] = {"cut-flash", "cut-efuse", "cut-control"};
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        struct test_device t;
        test_device_new(&t, "", cut[i], NULL);
        assert_false(test_device_run(&t, (struct chip_options){.seconds = 5}));
        assert_int_equal(t.report.end, CHIP_FAILED);
        assert_non_null(strstr(t.report.error, "cut flash.bin, efuse.bin or run/control short"));
        test_device_free(&t);
    }
}

/* A link in the place of flash.bin would lead the chip to another file. */
static void links_in_the_directory_are_not_followed(void **state)
{
    struct test_device t;
    char from[96], to[96];
    test_device_new(&t, "", "tries", NULL);
    snprintf(from, sizeof from, "%s/flash.bin", t.dir);
    snprintf(to, sizeof to, "%s/../flash.bin", t.dir);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(symlink("../flash.bin", from), 0);
    assert_false(test_device_run(&t, (struct chip_options){.seconds = 1}));
    assert_non_null(strstr(t.report.error, "flash.bin: "));
    test_device_free(&t);
}

struct air {
    struct medium_server *server;
    atomic_bool over;
};

static void *serve(void *arg)
{
    struct air *a = arg;
    while (!a->over && medium_server_step(a->server, 10) == 0) {
    }
    return NULL;
}

static void radio_is_handed_to_a_firmware_that_opens_no_unix_sockets(void **state)
{
    struct test_device t;
    struct air air = {0};
    pthread_t thread;
    char socket[96], where[112], why[256];
    test_device_new(&t, "", "radio", NULL);
    snprintf(socket, sizeof socket, "%s/air", t.dir);
    snprintf(where, sizeof where, "medium:%s", socket);
    const struct medium_server_config c = {.address = socket};
    air.server = medium_server_open(&c, why, sizeof why);
    assert_non_null(air.server);
    assert_int_equal(pthread_create(&thread, NULL, serve, &air), 0);
    bool ran = test_device_run(&t, (struct chip_options){.until = "all tried", .radio = where});
    air.over = true;
    pthread_join(thread, NULL);
    medium_server_close(air.server);
    if (!ran) fail_msg("%s\n%s", t.report.error, t.output);
    answer_is(&t, "radio", "possible");
    answer_is(&t, "unix socket", "impossible");
    /* Without a medium the chip starts all the same. */
    assert_true(test_device_run(&t, (struct chip_options){.until = "all tried", .radio = where}));
    test_device_has(&t, "no medium was there when this confined process began");
    test_device_free(&t);
}

int main(void)
{
    test_device_firmware(firmware);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(firmware_needs_what_it_gets),
        cmocka_unit_test(firmware_cannot_leave_its_process),
        cmocka_unit_test(firmware_writes_only_to_the_device_directory),
        cmocka_unit_test(without_sandbox_nothing_is_confined),
        cmocka_unit_test(firmware_cannot_fill_the_disk_with_one_file),
        cmocka_unit_test(a_file_cut_short_ends_the_run_in_words),
        cmocka_unit_test(links_in_the_directory_are_not_followed),
        cmocka_unit_test(radio_is_handed_to_a_firmware_that_opens_no_unix_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
