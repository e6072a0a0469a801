/* Landlock for files and signals; see sandbox_calls.c for system calls. The
 * structures are spelled out here, so that an older <linux/landlock.h> does. */
#include "device/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device/sandbox_calls.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

#define RULESET_VERSION   1u
#define RULE_PATH_BENEATH 1

#define FS_EXECUTE    (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE  (1ull << 2)
#define FS_READ_DIR   (1ull << 3)
#define FS_REMOVE_DIR (1ull << 4)
#define FS_REMOVE     (1ull << 5)
#define FS_MAKE_DIR   (1ull << 7)
#define FS_MAKE_REG   (1ull << 8)
#define FS_MAKE_SOCK  (1ull << 9)
#define FS_TRUNCATE   (1ull << 14) /* version 3 */

#define FS_READ (FS_READ_FILE | FS_READ_DIR)
/* No links: a name in the device directory never leads out of it. */
#define FS_WRITE                                                                       \
    (FS_READ | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE | FS_MAKE_DIR | FS_MAKE_REG | \
     FS_MAKE_SOCK | FS_TRUNCATE)

#define SCOPE_ABSTRACT_UNIX (1ull << 0) /* version 6 */
#define SCOPE_SIGNAL        (1ull << 1)

#define FILE_LIMIT (64u << 20) /* largest file a firmware can write, bytes */

struct ruleset_attr {
    uint64_t handled_access_fs, handled_access_net, scoped;
};
struct path_beneath {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

/* What a dynamically linked program with TLS and name lookup reads. */
static const struct {
    const char *path;
    uint64_t access;
} readable[] = {
    {"/usr", FS_READ | FS_EXECUTE},
    {"/lib", FS_READ | FS_EXECUTE},
    {"/lib64", FS_READ | FS_EXECUTE},
    {"/lib32", FS_READ | FS_EXECUTE},
    {"/opt", FS_READ | FS_EXECUTE},
    {"/nix/store", FS_READ | FS_EXECUTE},
    {"/etc/ld.so.cache", FS_READ_FILE},
    {"/etc/ld.so.conf", FS_READ_FILE},
    {"/etc/ld.so.preload", FS_READ_FILE},
    {"/etc/ssl/openssl.cnf", FS_READ_FILE},
    {"/etc/ssl/certs", FS_READ},
    {"/etc/ca-certificates.conf", FS_READ_FILE},
    {"/etc/pki/tls/certs", FS_READ},
    {"/etc/resolv.conf", FS_READ_FILE},
    {"/etc/hosts", FS_READ_FILE},
    {"/etc/host.conf", FS_READ_FILE},
    {"/etc/nsswitch.conf", FS_READ_FILE},
    {"/etc/gai.conf", FS_READ_FILE},
    {"/etc/services", FS_READ_FILE},
    {"/etc/protocols", FS_READ_FILE},
    {"/etc/localtime", FS_READ_FILE},
    {"/etc/timezone", FS_READ_FILE},
    {"/proc/self", FS_READ},
    {"/proc/sys/vm", FS_READ},
    {"/proc/meminfo", FS_READ_FILE},
    {"/proc/cpuinfo", FS_READ_FILE},
    {"/sys/devices/system/cpu", FS_READ},
    {"/dev/null", FS_READ_FILE | FS_WRITE_FILE},
    {"/dev/zero", FS_READ_FILE},
    {"/dev/random", FS_READ_FILE},
    {"/dev/urandom", FS_READ_FILE},
};

/* The user may point the TLS library elsewhere. */
static const char *const readable_by_env[] = {"SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF"};

int sandbox_landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION);
    return version < 0 ? 0 : (int)version;
}

/* A path that does not exist needs no rule. */
static int allow(int ruleset, const char *path, uint64_t access, uint64_t handled)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return 0;
    struct path_beneath rule = {.allowed_access = access & handled, .parent_fd = fd};
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rule.allowed_access &= FS_READ_FILE | FS_WRITE_FILE | FS_EXECUTE | FS_TRUNCATE;
    int err = (int)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
    close(fd);
    return err;
}

static int allow_paths(int ruleset, const char *dir, uint64_t handled)
{
    int err = allow(ruleset, dir, FS_WRITE, handled);
    for (size_t i = 0; !err && i < sizeof readable / sizeof *readable; i++)
        err = allow(ruleset, readable[i].path, readable[i].access, handled);
    for (size_t i = 0; !err && i < sizeof readable_by_env / sizeof *readable_by_env; i++) {
        const char *path = getenv(readable_by_env[i]);
        if (path) err = allow(ruleset, path, FS_READ, handled);
    }
    return err;
}

static const char *confine_files(const char *dir)
{
    /* Rights known to each version: 13, then REFER, TRUNCATE, (network), IOCTL_DEV. */
    static const unsigned rights[] = {0, 13, 14, 15, 15, 16};
    int version = sandbox_landlock_version();
    if (version == 0) return NULL;
    struct ruleset_attr attr = {
        .handled_access_fs = (1ull << rights[version < 5 ? version : 5]) - 1,
        .scoped = version >= 6 ? SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL : 0,
    };
    size_t size = version >= 6   ? sizeof attr
                  : version >= 4 ? offsetof(struct ruleset_attr, scoped)
                                 : offsetof(struct ruleset_attr, handled_access_net);
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (ruleset < 0) return "Landlock takes no rules; --no-sandbox starts the firmware unconfined";
    const char *why = NULL;
    if (allow_paths(ruleset, dir, attr.handled_access_fs))
        why = "a Landlock rule was refused";
    else if (syscall(SYS_landlock_restrict_self, ruleset, 0))
        why = "Landlock could not be switched on";
    close(ruleset);
    return why;
}

/* Root's rights over the network, other users' files and limits. no_new_privs keeps
 * the program that is started from getting them back. */
static int drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return (int)syscall(SYS_capset, &header, none);
}

const char *sandbox_enter(const struct sandbox *s)
{
    const struct rlimit no_core = {0, 0}, file = {FILE_LIMIT, FILE_LIMIT};
    setrlimit(RLIMIT_CORE, &no_core);
    setrlimit(RLIMIT_FSIZE, &file);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return "no_new_privs was refused";
    if (drop_capabilities()) return "capabilities could not be dropped";
    const char *why = confine_files(s->dir);
    if (why) return why;
    if (sandbox_calls(s->program) == 0) return NULL;
    return "this kernel takes no list of system calls (seccomp); --no-sandbox starts the firmware "
           "unconfined";
}
