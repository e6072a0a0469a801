/* Starting and ending firmware processes. See firmware.h. */
#include "device/firmware.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/err.h"
#include "device/agent.h"
#include "device/sandbox.h"
#include "radio/medium_port.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u
#endif

/* Descriptors of the child, before and behind exec. */
enum {
    FD_FLASH = 3,
    FD_EFUSE,
    FD_CONTROL,
    FD_UARTS, /* input and output of each but UART 0 */
    FD_PROGRAM = FD_UARTS + 2 * (FIRMWARE_UARTS - 1),
    FD_REPORT,
    FD_COUNT
};

/* A wired UART has a FIFO as large in each direction; what waits for a firmware in it is lost
 * when the chip resets. */
#define FIFO_LEN 4096

#if defined(__x86_64__)
#define THIS_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define THIS_MACHINE EM_AARCH64
#elif defined(__riscv)
#define THIS_MACHINE EM_RISCV
#elif defined(__arm__)
#define THIS_MACHINE EM_ARM
#else
#define THIS_MACHINE EM_386
#endif

static const char *machine_name(unsigned machine)
{
    switch (machine) {
    case EM_X86_64:
        return "x86-64";
    case EM_AARCH64:
        return "64-bit ARM";
    case EM_ARM:
        return "32-bit ARM";
    case EM_RISCV:
        return "RISC-V";
    case EM_386:
        return "32-bit x86";
    default:
        return "another machine";
    }
}

const char *firmware_program_fault(const uint8_t *program, uint32_t size)
{
    static char text[160];
    const unsigned bits = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    if (size < EI_NIDENT + 4) return "the program is shorter than an ELF header";
    unsigned machine = program[EI_NIDENT + 2] | (unsigned)program[EI_NIDENT + 3] << 8;
    if (machine == THIS_MACHINE && program[EI_CLASS] == bits) return NULL;
    snprintf(text, sizeof text,
             "the program in it was built for %s, this machine is %s; build the firmware here",
             machine == THIS_MACHINE ? "another word size" : machine_name(machine),
             machine_name(THIS_MACHINE));
    return text;
}

/* --- in the child --- */

static _Noreturn void report(const char *what, int err)
{
    if (err)
        dprintf(FD_REPORT, "%s: %s", what, strerror(err));
    else
        dprintf(FD_REPORT, "%s", what);
    _exit(127);
}

/* Puts descriptors where the firmware looks for them; first out of the way of each other. */
static void place_fds(const int from[FD_COUNT])
{
    int high[FD_COUNT];
    for (int i = 0; i < FD_COUNT; i++)
        high[i] = from[i] < 0 ? -1 : fcntl(from[i], F_DUPFD_CLOEXEC, 64);
    for (int i = 0; i < FD_COUNT; i++) {
        close(i);
        if (high[i] < 0) continue;
        dup3(high[i], i, i >= FD_PROGRAM ? O_CLOEXEC : 0);
        close(high[i]);
    }
    close_range(FD_COUNT, ~0u, 0);
}

/* The environment of the user may hold secrets; the firmware gets what libraries ask for. */
static void clean_environment(void)
{
    static const char *const kept[] = {"PATH",          "LANG",
                                       "LC_ALL",        "TZ",
                                       "TERM",          "HOME",
                                       "TMPDIR",        "LD_LIBRARY_PATH",
                                       "SSL_CERT_FILE", "SSL_CERT_DIR",
                                       "OPENSSL_CONF",  "ASAN_OPTIONS",
                                       "UBSAN_OPTIONS", "MALLOC_ARENA_MAX"};
    enum { COUNT = sizeof kept / sizeof *kept };
    char *value[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        const char *v = getenv(kept[i]);
        value[i] = v ? strdup(v) : NULL;
    }
    clearenv();
    for (size_t i = 0; i < COUNT; i++)
        if (value[i]) setenv(kept[i], value[i], 1);
}

static void set_board(const struct device *d)
{
    char text[DEVICE_DIR_MAX + 64];
    snprintf(text, sizeof text, "flash=%d,efuse=%d,control=%d,dir=%s", FD_FLASH, FD_EFUSE,
             FD_CONTROL, d->dir);
    setenv("AIRLIFT_BOARD", text, 1);
}

/* A confined process opens no Unix sockets: it gets the connection, which leads to a
 * medium and nowhere else, whatever the path in device.conf. */
static void set_radio(const struct device *d)
{
    const char *radio = d->conf.radio, *medium = "medium:";
    char why[300], where[32];
    setenv("AIRLIFT_RADIO", radio, 1);
    if (strncmp(radio, medium, strlen(medium)) != 0) return;
    if (strncmp(radio + strlen(medium), "udp:", 4) == 0) return;
    int fd = medium_port_connect(radio + strlen(medium), why, sizeof why);
    if (fd < 0) return; /* a chip starts all the same; radio_open() says what it misses */
    int kept = fcntl(fd, F_DUPFD, FD_COUNT); /* for the program, too */
    if (kept < 0) report("no descriptor is free for the radio", errno);
    close(fd);
    snprintf(where, sizeof where, "medium:fd:%d", kept);
    setenv("AIRLIFT_RADIO", where, 1);
}

/* See board_uart.h. */
static void set_uarts(uint32_t wired)
{
    char text[64] = "";
    size_t len = 0;
    for (unsigned n = 0; n < FIRMWARE_UARTS; n++) {
        int in = n ? FD_UARTS + 2 * ((int)n - 1) : STDIN_FILENO;
        if (wired >> n & 1)
            len += (size_t)snprintf(text + len, sizeof text - len, "%u=%d:%d,", n, in, in + 1);
    }
    setenv("AIRLIFT_UARTS", text, 1);
}

static _Noreturn void child(const struct firmware_start *s, const int fds[FD_COUNT], pid_t parent)
{
    static char name[] = "firmware";
    sigset_t none;
    setpgid(0, 0);
    place_fds(fds);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent) _exit(127);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_IGN); /* sockets of a chip know no signals */
    if (s->sandbox) clean_environment();
    unsetenv("AIRLIFT_RADIO");
    if (s->program && s->device->conf.radio[0]) set_radio(s->device);
    if (chdir(s->device->dir)) report(s->device->dir, errno);
    set_board(s->device);
    set_uarts(s->wired);
    if (s->sandbox) {
        const struct sandbox box = {.dir = s->device->dir, .program = s->program ? FD_PROGRAM : -1};
        const char *why = sandbox_enter(&box);
        if (why) report(why, 0);
    }
    if (!s->program) {
        close(FD_REPORT);
        agent_run(s->agent);
    }
    fexecve(FD_PROGRAM, (char *[]){name, NULL}, environ);
    report("the program cannot be executed", errno);
}

/* --- in the chip --- */

static int memory_file(const uint8_t *program, uint32_t size)
{
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create("firmware", flags | MFD_EXEC);
    if (fd < 0 && errno == EINVAL) fd = memfd_create("firmware", flags); /* before Linux 6.3 */
    if (fd < 0) return -1;
    while (size) {
        ssize_t n = write(fd, program, size);
        if (n <= 0) {
            close(fd);
            return -1;
        }
        program += n;
        size -= (uint32_t)n;
    }
    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    return fd;
}

/* What connects the chip with a firmware that is being started. */
struct pipes {
    int in[FIRMWARE_UARTS][2], out[FIRMWARE_UARTS][2], said[2];
    int program;
};

static void close_end(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static void close_ends(struct pipes *p, int end)
{
    for (unsigned n = 0; n < FIRMWARE_UARTS; n++) {
        close_end(&p->in[n][!end]);
        close_end(&p->out[n][end]);
    }
    close_end(&p->said[end]);
}

static bool open_uart(int in[2], int out[2], bool wired)
{
    if (pipe2(out, O_CLOEXEC) || pipe2(in, O_CLOEXEC)) return false;
    if (!wired) return true;
    fcntl(in[1], F_SETPIPE_SZ, FIFO_LEN);
    fcntl(out[1], F_SETPIPE_SZ, FIFO_LEN);
    return true;
}

static bool open_pipes(struct pipes *p, const struct firmware_start *s)
{
    memset(p, 0xff, sizeof *p); /* -1 */
    for (unsigned n = 0; n < FIRMWARE_UARTS; n++) {
        bool wired = s->wired >> n & 1;
        if ((wired || n == 0) && !open_uart(p->in[n], p->out[n], wired)) return false;
    }
    if (pipe2(p->said, O_CLOEXEC)) return false;
    return !s->program || (p->program = memory_file(s->program, s->size)) >= 0;
}

/* The chip's ends. */
static void keep_uarts(struct firmware *f, const struct pipes *p)
{
    for (unsigned n = 0; n < FIRMWARE_UARTS; n++) {
        f->out[n] = p->out[n][0];
        f->in[n] = p->in[n][1];
        fcntl(f->out[n], F_SETFL, O_NONBLOCK);
        fcntl(f->in[n], F_SETFL, O_NONBLOCK);
    }
}

/* Waits until the child runs its program, or says why not. */
static int await_start(struct firmware *f, int report_fd, char *why, size_t why_size)
{
    ssize_t n;
    do n = read(report_fd, why, why_size - 1);
    while (n < 0 && errno == EINTR);
    if (n <= 0) return 0;
    why[n] = 0;
    firmware_kill(f);
    firmware_close(f);
    return AL_FAIL;
}

static _Noreturn void begin_child(const struct firmware_start *s, const struct pipes *p,
                                  pid_t parent)
{
    int fds[FD_COUNT] = {[STDIN_FILENO] = p->in[0][0],     [STDOUT_FILENO] = p->out[0][1],
                         [STDERR_FILENO] = p->out[0][1],   [FD_FLASH] = s->device->nor.fd,
                         [FD_EFUSE] = s->device->efuse.fd, [FD_CONTROL] = s->device->control_fd,
                         [FD_PROGRAM] = p->program,        [FD_REPORT] = p->said[1]};
    for (unsigned n = 1; n < FIRMWARE_UARTS; n++) {
        fds[FD_UARTS + 2 * (n - 1)] = p->in[n][0];
        fds[FD_UARTS + 2 * (n - 1) + 1] = p->out[n][1];
    }
    child(s, fds, parent);
}

int firmware_start(struct firmware *f, const struct firmware_start *s, char *why, size_t why_size)
{
    struct pipes pipes;
    *f = FIRMWARE_NONE;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t parent = getpid();
    fflush(NULL); /* or the agent would print what is held here once more */
    bool ok = open_pipes(&pipes, s) && (f->pid = fork()) >= 0;
    int err = errno;
    if (ok && f->pid == 0) begin_child(s, &pipes, parent);
    close_end(&pipes.program);
    close_ends(&pipes, 1);
    if (!ok) {
        close_ends(&pipes, 0);
        f->pid = 0;
        snprintf(why, why_size, "a process cannot be made: %s", strerror(err));
        return AL_FAIL;
    }
    setpgid(f->pid, f->pid);
    keep_uarts(f, &pipes);
    err = await_start(f, pipes.said[0], why, why_size);
    close(pipes.said[0]);
    return err;
}

/* What left the process group (possible without the sandbox) is our child now, as
 * we are the reaper. */
static void kill_orphans(void)
{
    char path[64], list[4096];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    for (int round = 0; round < 100; round++) {
        FILE *file = fopen(path, "re");
        if (!file) return;
        size_t n = fread(list, 1, sizeof list - 1, file);
        fclose(file);
        list[n] = 0;
        char *at = list, *end;
        long pid = strtol(at, &end, 10);
        if (end == at) return;
        for (; end != at; at = end, pid = strtol(at, &end, 10)) {
            if (pid <= 1) continue;
            kill((pid_t)pid, SIGKILL);
            waitpid((pid_t)pid, NULL, 0);
        }
    }
}

bool firmware_ended(struct firmware *f, int *status)
{
    if (f->pid <= 0 || waitpid(f->pid, status, WNOHANG) != f->pid) return false;
    kill(-f->pid, SIGKILL); /* children that it left */
    f->pid = 0;
    kill_orphans();
    return true;
}

void firmware_kill(struct firmware *f)
{
    if (f->pid <= 0) return;
    kill(-f->pid, SIGKILL);
    kill(f->pid, SIGKILL);
    while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    f->pid = 0;
    kill_orphans();
}

void firmware_close(struct firmware *f)
{
    for (unsigned n = 0; n < FIRMWARE_UARTS; n++) {
        close_end(&f->out[n]);
        close_end(&f->in[n]);
    }
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}
