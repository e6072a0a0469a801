/* Opening device directories. See device.h. */
#include "device/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"

#define LOCK_PATH     "run/lock"
#define LOCK_TRIES    20
#define LOCK_PAUSE_NS 10000000

struct opening {
    struct device *d;
    char *why;
    size_t why_size;
};

static int refuse(const struct opening *o, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int refuse(const struct opening *o, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(o->why, o->why_size, format, args);
    va_end(args);
    return AL_FAIL;
}

/* No links: a firmware may have written into the directory. */
static int open_in(const struct device *d, const char *name, int flags)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", d->dir, name);
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return -errno;
    return fd;
}

static int find_dir(const struct opening *o, const char *dir)
{
    char path[PATH_MAX];
    if (!realpath(dir, path)) return refuse(o, "%s: %s", dir, strerror(errno));
    size_t len = strlen(path);
    if (len >= sizeof o->d->dir)
        return refuse(o, "%s: the path is longer than %u bytes; move the device", path,
                      DEVICE_DIR_MAX - 1);
    memcpy(o->d->dir, path, len + 1);
    return 0;
}

/* device_is_running() holds the lock for an instant: that is no other run. */
static bool lock_soon(int fd)
{
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
        nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE_NS}, NULL);
    }
    return false;
}

static int take_lock(const struct opening *o)
{
    struct device *d = o->d;
    char run[PATH_MAX];
    snprintf(run, sizeof run, "%s/run", d->dir);
    if (mkdir(run, 0700) < 0 && errno != EEXIST) return refuse(o, "%s: %s", run, strerror(errno));
    d->lock_fd = open_in(d, LOCK_PATH, O_RDWR | O_CREAT);
    if (d->lock_fd < 0) return refuse(o, "%s/" LOCK_PATH ": %s", d->dir, strerror(-d->lock_fd));
    if (lock_soon(d->lock_fd)) return 0;
    return refuse(o,
                  "%s: this device is running already. Stop that run (Ctrl-C there) or make "
                  "another device with 'airlift device create'",
                  d->dir);
}

static int open_parts(const struct opening *o, enum device_use use)
{
    struct device *d = o->d;
    int flags = use == DEVICE_RUN ? O_RDWR : O_RDONLY, fd = open_in(d, "flash.bin", flags), err;
    if (fd < 0)
        return refuse(o, "%s/flash.bin: %s; 'airlift device create' makes a device directory",
                      d->dir, strerror(-fd));
    err = nor_flash_file(&d->nor, fd, use == DEVICE_RUN, d->control ? &d->control->power : NULL);
    if (err) {
        close(fd);
        if (err == -EINVAL)
            return refuse(o, "%s/flash.bin: expected 64 KiB to 16 MiB, in whole sectors of 4096",
                          d->dir);
        return refuse(o, "%s/flash.bin: %s", d->dir, strerror(-err));
    }
    fd = open_in(d, "efuse.bin", flags);
    if (fd < 0) return refuse(o, "%s/efuse.bin: %s", d->dir, strerror(-fd));
    err = efuse_file(&d->efuse, fd, use == DEVICE_RUN);
    if (!err) return 0;
    close(fd);
    return refuse(o, "%s/efuse.bin: not an eFuse file of 256 bytes for a known chip", d->dir);
}

/* device.conf repeats what the chip is, for the reader; it cannot change it. */
static int check_conf(const struct opening *o)
{
    struct device *d = o->d;
    const struct device_conf *c = &d->conf;
    uint8_t mac[6], ieee[8];
    efuse_device_ids(&d->efuse, &d->ids);
    efuse_mac(&d->efuse, mac);
    efuse_ieee(&d->efuse, ieee);
    const char *key = NULL;
    if (c->flash_size && c->flash_size != d->nor.flash.size)
        return refuse(o, "%s/" DEVICE_CONF_NAME ": flash_size is %u, but flash.bin has %u bytes",
                      d->dir, c->flash_size, d->nor.flash.size);
    if (c->chip && c->chip != d->ids.chip) key = "chip";
    if (c->has_revision && c->revision != d->ids.revision) key = "revision";
    if (c->has_mac && memcmp(c->mac, mac, sizeof mac) != 0) key = "mac";
    if (c->has_ieee && memcmp(c->ieee, ieee, sizeof ieee) != 0) key = "ieee";
    if (!key) return 0;
    return refuse(o,
                  "%s/" DEVICE_CONF_NAME ": '%s' differs from efuse.bin, which is burnt once; "
                  "make another device with 'airlift device create'",
                  d->dir, key);
}

int device_open(struct device *d, const char *dir, enum device_use use, char *why, size_t why_size)
{
    struct opening o = {.d = d, .why = why, .why_size = why_size};
    memset(d, 0, sizeof *d);
    d->control_fd = d->lock_fd = -1;
    int err = find_dir(&o, dir);
    if (!err) err = device_conf_read(d->dir, &d->conf, why, why_size);
    if (!err && use == DEVICE_RUN) err = take_lock(&o);
    if (!err && use == DEVICE_RUN) {
        err = control_create(d->dir, &d->control, &d->control_fd);
        if (err) err = refuse(&o, "%s/" CONTROL_PATH ": %s", d->dir, strerror(-err));
    }
    if (!err) err = open_parts(&o, use);
    if (!err) err = check_conf(&o);
    if (err) device_close(d);
    return err ? AL_FAIL : 0;
}

void device_close(struct device *d)
{
    nor_flash_close(&d->nor);
    efuse_close(&d->efuse);
    if (d->control) control_unmap(d->control);
    if (d->control_fd >= 0) close(d->control_fd);
    if (d->lock_fd >= 0) close(d->lock_fd);
    d->control = NULL;
    d->control_fd = d->lock_fd = -1;
}

static bool has_length(int fd, off_t len)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_size >= len;
}

bool device_is_whole(const struct device *d)
{
    return has_length(d->nor.fd, d->nor.flash.size) && has_length(d->efuse.fd, EFUSE_LEN) &&
           has_length(d->control_fd, sizeof *d->control);
}

bool device_is_running(const char *dir)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/" LOCK_PATH, dir);
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    bool taken = flock(fd, LOCK_EX | LOCK_NB) < 0;
    close(fd);
    return taken;
}
