#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads to the end, so that pipes and /proc work too. */
static int read_all(int fd, size_t max, uint8_t **data, size_t *len)
{
    struct stat st;
    if (fstat(fd, &st) < 0) return -errno;
    if (S_ISDIR(st.st_mode)) return -EISDIR;
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > max) return -EFBIG;

    size_t room = S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size + 1 : 4096, used = 0;
    uint8_t *buf = malloc(room + 1);
    if (!buf) return -ENOMEM;
    for (;;) {
        if (used == room) {
            uint8_t *bigger = realloc(buf, room * 2 + 1);
            if (!bigger) {
                free(buf);
                return -ENOMEM;
            }
            buf = bigger;
            room *= 2;
        }
        ssize_t n = read(fd, buf + used, room - used);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) break;
        int err = n < 0 ? -errno : (used += (size_t)n) > max ? -EFBIG : 0;
        if (err) {
            free(buf);
            return err;
        }
    }
    buf[used] = '\0';
    *data = buf;
    *len = used;
    return 0;
}

int file_read(const char *path, size_t max, uint8_t **data, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int err = read_all(fd, max, data, len);
    close(fd);
    return err;
}

static int write_all(int fd, const uint8_t *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

void file_sync_parent(const char *path)
{
    char dir[PATH_MAX];
    snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    if (slash)
        slash[slash == dir] = '\0';
    else
        strcpy(dir, ".");
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    fsync(fd);
    close(fd);
}

/* path, or what a link there leads to: the link stays. A link to nowhere is replaced. */
static const char *behind_link(const char *path, char target[PATH_MAX])
{
    struct stat st;
    if (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode)) return path;
    return realpath(path, target) ? target : path;
}

int file_write(const char *path, const void *data, size_t len, unsigned mode)
{
    struct stat st;
    char target[PATH_MAX];
    path = behind_link(path, target);
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        /* /dev/stdout and the like cannot be replaced. */
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0) return -errno;
        int err = write_all(fd, data, len);
        close(fd);
        return err;
    }

    char temp[PATH_MAX];
    if ((size_t)snprintf(temp, sizeof temp, "%s.XXXXXX", path) >= sizeof temp) return -ENAMETOOLONG;
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0) return -errno;
    int err = write_all(fd, data, len);
    if (!err && (fchmod(fd, mode) < 0 || fsync(fd) < 0)) err = -errno;
    if (close(fd) < 0 && !err) err = -errno;
    if (!err && rename(temp, path) < 0) err = -errno;
    if (err)
        unlink(temp);
    else
        file_sync_parent(path);
    return err;
}

int file_make_dirs(const char *path, unsigned mode)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    if (len == 0) return -ENOENT;
    if (len >= sizeof part) return -ENAMETOOLONG;
    memcpy(part, path, len + 1);
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p != '\0') continue;
        char end = *p;
        *p = '\0';
        if (mkdir(part, mode) < 0 && errno != EEXIST) return -errno;
        if (end == '\0') break;
        *p = end;
    }
    struct stat st;
    if (stat(path, &st) < 0) return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}
