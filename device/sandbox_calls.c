/* A list of what is allowed: files, memory, threads, clocks, sockets. All else
 * gives ENOSYS, which C libraries take as "older kernel" and work around; what
 * would be an attack in a firmware gives EPERM, so that the log is plain. */
#include "device/sandbox_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

/* Names, because each architecture has its own subset; unknown ones are skipped. */
static const char *const allowed[] = {
    /* files */
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "open",
    "openat", "openat2", "close", "close_range", "creat", "lseek", "stat", "fstat", "lstat",
    "newfstatat", "statx", "statfs", "fstatfs", "access", "faccessat", "faccessat2", "readlink",
    "readlinkat", "getdents64", "getdents", "getcwd", "chdir", "fchdir", "mkdir", "mkdirat",
    "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "ftruncate", "fallocate",
    "fsync", "fdatasync", "sync_file_range", "flock", "dup", "dup2", "dup3", "pipe", "pipe2",
    "umask", "fadvise64", "readahead", "sendfile", "splice", "tee", "copy_file_range",
    "memfd_create",
    /* waiting */
    "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "timerfd_create",
    "timerfd_settime", "timerfd_gettime", "signalfd4", "inotify_init1", "inotify_add_watch",
    "inotify_rm_watch", "pause",
    /* memory */
    "mmap", "munmap", "mprotect", "mremap", "madvise", "msync", "mincore", "mlock", "mlock2",
    "munlock", "brk", "membarrier",
    /* threads and signals */
    "futex", "futex_waitv", "set_robust_list", "get_robust_list", "set_tid_address", "rseq", "exit",
    "exit_group", "gettid", "getpid", "getppid", "getpgrp", "getpgid", "getsid", "sched_yield",
    "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_get_priority_max",
    "sched_get_priority_min", "getpriority", "getcpu", "rt_sigaction", "rt_sigprocmask",
    "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait", "rt_sigsuspend", "sigaltstack",
    "restart_syscall", "arch_prctl", "wait4", "waitid",
    /* time */
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
    "alarm", "setitimer", "getitimer", "timer_create", "timer_settime", "timer_gettime",
    "timer_getoverrun", "timer_delete", "times",
    /* the network */
    "connect", "bind", "listen", "accept", "accept4", "getsockname", "getpeername", "getsockopt",
    "setsockopt", "sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "shutdown",
    "socketpair",
    /* who and where am I */
    "getuid", "geteuid", "getgid", "getegid", "getgroups", "getresuid", "getresgid", "uname",
    "sysinfo", "getrandom", "getrlimit", "setrlimit", "getrusage", "capget"};

static const char *const refused[] = {"ptrace",
                                      "truncate",
                                      "chmod",
                                      "fchmod",
                                      "fchmodat",
                                      "fchmodat2",
                                      "utimensat",
                                      "utime",
                                      "utimes",
                                      "futimesat",
                                      "sched_setaffinity",
                                      "sched_setparam",
                                      "sched_setscheduler",
                                      "sched_setattr",
                                      "setpriority",
                                      "ioprio_set",
                                      "process_vm_readv",
                                      "process_vm_writev",
                                      "kcmp",
                                      "pidfd_open",
                                      "pidfd_getfd",
                                      "pidfd_send_signal",
                                      "execve",
                                      "fork",
                                      "vfork",
                                      "setsid",
                                      "setpgid",
                                      "setns",
                                      "unshare",
                                      "mount",
                                      "umount2",
                                      "pivot_root",
                                      "chroot",
                                      "fsopen",
                                      "open_tree",
                                      "move_mount",
                                      "bpf",
                                      "perf_event_open",
                                      "userfaultfd",
                                      "io_uring_setup",
                                      "keyctl",
                                      "add_key",
                                      "request_key",
                                      "init_module",
                                      "finit_module",
                                      "delete_module",
                                      "kexec_load",
                                      "reboot",
                                      "swapon",
                                      "swapoff",
                                      "settimeofday",
                                      "clock_settime",
                                      "adjtimex",
                                      "sethostname",
                                      "setdomainname",
                                      "setuid",
                                      "setgid",
                                      "setreuid",
                                      "setregid",
                                      "setresuid",
                                      "setresgid",
                                      "setgroups",
                                      "capset",
                                      "chown",
                                      "fchown",
                                      "lchown",
                                      "fchownat",
                                      "mknod",
                                      "mknodat",
                                      "symlink",
                                      "symlinkat",
                                      "link",
                                      "linkat",
                                      "iopl",
                                      "ioperm",
                                      "quotactl",
                                      "acct",
                                      "syslog",
                                      "personality",
                                      "tkill",
                                      "rt_sigqueueinfo",
                                      "rt_tgsigqueueinfo",
                                      "name_to_handle_at",
                                      "open_by_handle_at",
                                      "setxattr",
                                      "lsetxattr",
                                      "fsetxattr",
                                      "shmget",
                                      "shmat",
                                      "semget",
                                      "msgget"};

static int add_names(scmp_filter_ctx ctx, uint32_t action, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int nr = seccomp_syscall_resolve_name(names[i]);
        if (nr == __NR_SCMP_ERROR) continue;
        int err = seccomp_rule_add(ctx, action, nr, 0);
        /* Calls that this architecture has not got may be refused here. */
        if (err && err != -EDOM) return err;
    }
    return 0;
}

static struct scmp_arg_cmp equal(unsigned arg, uint64_t value)
{
    return (struct scmp_arg_cmp){.arg = arg, .op = SCMP_CMP_EQ, .datum_a = value};
}

/* The first argument, under mask. */
static struct scmp_arg_cmp masked(uint64_t mask, uint64_t value)
{
    return (struct scmp_arg_cmp){
        .arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

/* Only with one of these values as argument arg. The kernel looks at 32 bits of it;
 * whoever sets more is refused. */
static int add_values(scmp_filter_ctx ctx, int call, unsigned arg, const uint32_t *values,
                      size_t count)
{
    int err = 0;
    for (size_t i = 0; !err && i < count; i++)
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1, equal(arg, values[i]));
    return err;
}

/* Questions about terminals, pipes and network interfaces. Not TIOCSTI, by which a
 * program types on the user's terminal, and nothing that changes an interface. */
static int add_ioctl(scmp_filter_ctx ctx)
{
    static const uint32_t requests[] = {
        TCGETS,      TIOCGWINSZ,    FIONREAD,     FIONBIO,     FIOCLEX,        FIONCLEX,
        SIOCGIFNAME, SIOCGIFCONF,   SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFBRDADDR, SIOCGIFNETMASK,
        SIOCGIFMTU,  SIOCGIFHWADDR, SIOCGIFINDEX, SIOCOUTQ,    SIOCATMARK};
    return add_values(ctx, SCMP_SYS(ioctl), 1, requests, sizeof requests / sizeof *requests);
}

/* Not F_SETOWN and F_SETSIG, by which the kernel sends signals to other processes. */
static int add_fcntl(scmp_filter_ctx ctx)
{
    static const uint32_t commands[] = {F_DUPFD,      F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,
                                        F_GETFL,      F_SETFL,         F_GETLK,     F_SETLK,
                                        F_SETLKW,     F_OFD_GETLK,     F_OFD_SETLK, F_OFD_SETLKW,
                                        F_GETPIPE_SZ, F_SETPIPE_SZ,    F_ADD_SEALS, F_GET_SEALS};
    return add_values(ctx, SCMP_SYS(fcntl), 1, commands, sizeof commands / sizeof *commands);
}

static int add_threads(scmp_filter_ctx ctx, int program)
{
    /* A new thread, but no new process; the flags of clone3 lie in memory, where a
     * filter cannot look, so it does not exist. */
    int err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                               masked(CLONE_THREAD, CLONE_THREAD));
    if (!err)
        err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                               masked(CLONE_THREAD, 0));
    /* Signals only to itself. */
    uint64_t pid = (uint64_t)getpid();
    if (!err) err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, equal(0, pid));
    if (!err) err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1, equal(0, pid));
    if (!err && program >= 0)
        err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(execveat), 2,
                               equal(0, (uint64_t)program), equal(4, AT_EMPTY_PATH));
    return err;
}

/* No Unix sockets: a connection to a radio comes from the chip. */
static int add_sockets(scmp_filter_ctx ctx)
{
    static const uint32_t families[] = {AF_INET, AF_INET6, AF_NETLINK};
    return add_values(ctx, SCMP_SYS(socket), 0, families, sizeof families / sizeof *families);
}

/* Names for threads and memory, and questions; not PR_SET_PDEATHSIG, by which the
 * firmware dies with its chip. */
static int add_prctl(scmp_filter_ctx ctx)
{
    static const uint32_t options[] = {PR_SET_NAME, PR_GET_NAME,         PR_GET_DUMPABLE,
                                       PR_SET_VMA,  PR_GET_NO_NEW_PRIVS, PR_CAPBSET_READ};
    int err = add_values(ctx, SCMP_SYS(prctl), 0, options, sizeof options / sizeof *options);
    /* Reading limits is prlimit64 without new ones; of others it is not. */
    return err ? err : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, equal(0, 0));
}

int sandbox_calls(int program)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (!ctx) return -ENOMEM;
    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree: some calls are frequent */
    int err = add_names(ctx, SCMP_ACT_ALLOW, allowed, sizeof allowed / sizeof *allowed);
    if (!err)
        err = add_names(ctx, SCMP_ACT_ERRNO(EPERM), refused, sizeof refused / sizeof *refused);
    if (!err) err = add_threads(ctx, program);
    if (!err) err = add_ioctl(ctx);
    if (!err) err = add_fcntl(ctx);
    if (!err) err = add_sockets(ctx);
    if (!err) err = add_prctl(ctx);
    if (!err) err = seccomp_load(ctx);
    seccomp_release(ctx);
    return err;
}
