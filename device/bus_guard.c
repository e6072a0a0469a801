#include "device/bus_guard.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

struct region {
    uintptr_t begin, len;
};

/* Flash twice (writable and read-only), eFuses, control page. */
static struct region regions[4];
static struct sigaction before;

static bool guarded(uintptr_t at)
{
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++)
        if (at - regions[i].begin < regions[i].len) return true;
    return false;
}

static bool put_zeros(uintptr_t at)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    void *start = (void *)(at - at % page);
    void *got =
        mmap(start, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    return got != MAP_FAILED;
}

/* Only mmap and sigaction: both may be called in a handler. */
static void on_bus_error(int signal_number, siginfo_t *info, void *context)
{
    int saved = errno;
    uintptr_t at = (uintptr_t)info->si_addr;
    if (!guarded(at) || !put_zeros(at))
        (void)sigaction(SIGBUS, &before, NULL); /* not ours: it comes again, and counts */
    errno = saved;
}

void bus_guard_on(const struct device *d)
{
    regions[0] = (struct region){(uintptr_t)d->nor.bytes, d->nor.flash.size};
    regions[1] = (struct region){(uintptr_t)d->nor.readable, d->nor.flash.size};
    regions[2] = (struct region){(uintptr_t)d->efuse.bytes, EFUSE_LEN};
    regions[3] = (struct region){(uintptr_t)d->control, sizeof *d->control};
    struct sigaction act = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    (void)sigaction(SIGBUS, &act, &before);
}

void bus_guard_off(void)
{
    (void)sigaction(SIGBUS, &before, NULL);
}
