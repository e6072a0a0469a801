/* The control page. See control.h. */
#include "device/control.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FLOATING 2

uint64_t control_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int map_page(int fd, struct control **out)
{
    void *map = mmap(NULL, sizeof **out, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) return -errno;
    *out = map;
    return 0;
}

int control_create(const char *dir, struct control **out, int *fd)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/" CONTROL_PATH, dir) >= (int)sizeof path)
        return -ENAMETOOLONG;
    /* A new file: a page still mapped by somebody from before is not disturbed. */
    if (unlink(path) < 0 && errno != ENOENT) return -errno;
    *fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (*fd < 0) return -errno;
    int err = posix_fallocate(*fd, 0, sizeof **out);
    err = err ? -err : map_page(*fd, out);
    if (err) {
        close(*fd);
        return err;
    }
    struct control *c = *out;
    memset(c, 0, sizeof *c);
    c->magic = CONTROL_MAGIC;
    c->version = CONTROL_VERSION;
    memset(c->gpio_outside, FLOATING, sizeof c->gpio_outside);
    control_clear(c, true);
    return 0;
}

int control_map(int fd, struct control **out)
{
    struct stat st;
    if (fstat(fd, &st) < 0) return -errno;
    if (st.st_size != sizeof **out) return -EPROTO;
    int err = map_page(fd, out);
    if (err) return err;
    if ((*out)->magic == CONTROL_MAGIC && (*out)->version == CONTROL_VERSION) return 0;
    control_unmap(*out);
    return -EPROTO;
}

int control_open(const char *dir, struct control **out)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/" CONTROL_PATH, dir) >= (int)sizeof path)
        return -ENAMETOOLONG;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return -errno;
    int err = control_map(fd, out);
    close(fd);
    return err;
}

void control_unmap(struct control *c)
{
    munmap(c, sizeof *c);
}

void control_clear(struct control *c, bool power_on)
{
    c->next_reason = RESET_UNKNOWN;
    c->sleep_us = 0;
    c->running_offset = 0;
    c->app_started = 0;
    memset(c->gpio_pull, 0, sizeof c->gpio_pull);
    memset(c->gpio_output, FLOATING, sizeof c->gpio_output);
    if (power_on) memset(c->rtc_memory, 0, sizeof c->rtc_memory);
}

void control_gpio_drive(struct control *c, unsigned pin, uint8_t level)
{
    if (pin >= CONTROL_GPIOS) return;
    c->gpio_outside[pin] = level;
    __atomic_add_fetch(&c->gpio_changes, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &c->gpio_changes, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

int control_gpio_level(const struct control *c, unsigned pin)
{
    if (pin >= CONTROL_GPIOS) return 0;
    if (c->gpio_output[pin] < FLOATING) return c->gpio_output[pin];
    if (c->gpio_outside[pin] < FLOATING) return c->gpio_outside[pin];
    return c->gpio_pull[pin] == 1;
}

bool control_gpio_wait(struct control *c, uint32_t *seen, int timeout_ms)
{
    uint64_t end = control_now_ns() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) * 1000000u;
    for (;;) {
        uint32_t now = __atomic_load_n(&c->gpio_changes, __ATOMIC_SEQ_CST);
        if (now != *seen) {
            *seen = now;
            return true;
        }
        struct timespec left, *wait = NULL;
        if (timeout_ms >= 0) {
            uint64_t t = control_now_ns();
            if (t >= end) return false;
            left = (struct timespec){.tv_sec = (time_t)((end - t) / 1000000000u),
                                     .tv_nsec = (long)((end - t) % 1000000000u)};
            wait = &left;
        }
        syscall(SYS_futex, &c->gpio_changes, FUTEX_WAIT, now, wait, NULL, 0);
    }
}
