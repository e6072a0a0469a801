/* The flash chip. See nor_flash.h. Times are the typical figures of the
 * 32-Mbit SPI NOR class that most modules carry (W25Q32JV data sheet). */
#include "device/nor_flash.h"

#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"

#define PAGE         256u
#define BLOCK_32     0x8000u
#define BLOCK_64     0x10000u
#define SIZE_MIN     0x10000u
#define SIZE_MAX_NOR 0x1000000u

#define PAGE_PROGRAM_US 400u
#define ERASE_4K_US     45000u
#define ERASE_32K_US    120000u
#define ERASE_64K_US    150000u

/* splitmix64: good bits from any seed, also 0. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* --- time --- */

struct busy {
    struct timespec until;
    bool on;
};

static struct busy busy_begin(const struct nor_flash *n)
{
    struct busy b = {.on = n->real_timing};
    if (b.on) clock_gettime(CLOCK_MONOTONIC, &b.until);
    return b;
}

/* Deadlines are absolute, so that the slack of one sleep does not add up. */
static void busy_for(struct busy *b, uint32_t us)
{
    if (!b->on) return;
    b->until.tv_nsec += (long)us * 1000;
    b->until.tv_sec += b->until.tv_nsec / 1000000000;
    b->until.tv_nsec %= 1000000000;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &b->until, NULL) == EINTR) {
    }
}

/* --- defects of the caller --- */

/* Finds the first byte of src that needs a bit which is 0 in old. */
static uint32_t first_violation(const uint8_t *old, const uint8_t *src, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (src[i] & ~old[i]) return i;
    return len;
}

static bool violates(const uint8_t *old, const uint8_t *src, uint32_t len)
{
    uint64_t bad = 0, o, s;
    for (; len >= sizeof o; len -= sizeof o, old += sizeof o, src += sizeof o) {
        memcpy(&o, old, sizeof o);
        memcpy(&s, src, sizeof s);
        bad |= s & ~o;
    }
    return bad || first_violation(old, src, len) < len;
}

static void report_defect(uint32_t addr, uint8_t old, uint8_t wanted, const void *caller)
{
    void *frame[16];
    int count = backtrace(frame, 16);
    fflush(stdout);
    fprintf(stderr,
            "flash defect: program at 0x%06x would set bits: it holds 0x%02x, wanted 0x%02x.\n"
            "A NOR flash only clears bits; erase the 4096-byte sector 0x%06x first.\n"
            "Called from %p; the calls that led here:\n",
            addr, old, wanted, addr & ~(AL_SECTOR - 1), caller);
    fflush(stderr);
    /* The two youngest frames are this file. */
    if (count > 2) backtrace_symbols_fd(frame + 2, count - 2, STDERR_FILENO);
}

static int defect(struct nor_flash *n, uint32_t addr, const uint8_t *src, uint32_t len,
                  const void *caller)
{
    uint32_t at = first_violation(n->bytes + addr, src, len);
    uint8_t old = n->bytes[addr + at];
    if (!n->on_defect) {
        report_defect(addr + at, old, src[at], caller);
        abort();
    }
    n->on_defect(n->defect_ctx, addr + at, old, src[at], caller);
    return AL_ERR_NOT_NOR;
}

/* --- power --- */

/* An operation that is cut: what it wanted, and how it is torn. */
struct torn {
    uint8_t *at;
    uint32_t len;
    const uint8_t *src; /* NULL: erase */
    uint64_t random;
};

static void tear_byte(struct torn *t, uint32_t i)
{
    uint64_t r = next_random(&t->random);
    uint8_t bits = (uint8_t)(r >> 8);
    /* a third each: old, done, between */
    if (r % 3 == 0) return;
    if (r % 3 == 1) bits = t->src ? 0x00 : 0xff;
    t->at[i] = t->src ? t->at[i] & (t->src[i] | bits) : t->at[i] | bits;
}

static void tear(struct torn *t, uint32_t how, uint32_t cut_byte)
{
    if (how == NOR_TEAR_SEEDED) {
        how = NOR_TEAR_NONE + (uint32_t)(next_random(&t->random) % 3);
        cut_byte = (uint32_t)(next_random(&t->random) % (t->len + 1));
    }
    if (how == NOR_TEAR_NONE) return;
    uint32_t done = cut_byte < t->len ? cut_byte : t->len;
    for (uint32_t i = 0; i < done; i++) t->at[i] = t->src ? t->at[i] & t->src[i] : 0xff;
    if (how == NOR_TEAR_MIXED)
        for (uint32_t i = done; i < t->len; i++) tear_byte(t, i);
}

/* Counts an operation; true: the power went away in it. */
static bool power_cut(struct nor_flash *n, uint32_t addr, uint32_t len, const uint8_t *src)
{
    struct nor_power *p = n->power;
    if (++p->ops != p->cut_at) return false;
    struct torn t = {
        .at = n->bytes + addr, .len = len, .src = src, .random = p->seed ^ p->ops << 32};
    tear(&t, p->tear, p->cut_byte);
    p->cut_addr = addr;
    p->cut_len = len;
    p->cut_erase = src == NULL;
    p->off = 1;
    if (n->on_power_cut) n->on_power_cut();
    return true;
}

/* --- operations --- */

static int check_write(const struct nor_flash *n, uint32_t addr, uint32_t len)
{
    if (n->power->off) return AL_ERR_POWER;
    if (n->writes_off) return AL_ERR_NOT_ALLOWED;
    if (addr > n->flash.size || len > n->flash.size - addr) return AL_ERR_INVALID_SIZE;
    return 0;
}

static int nor_read(void *ctx, uint32_t addr, void *dst, uint32_t len)
{
    const struct nor_flash *n = ctx;
    if (n->power->off) return AL_ERR_POWER;
    if (addr > n->flash.size || len > n->flash.size - addr) return AL_ERR_INVALID_SIZE;
    memcpy(dst, n->readable + addr, len);
    return 0;
}

static const uint8_t *nor_map(void *ctx, uint32_t addr, uint32_t len)
{
    const struct nor_flash *n = ctx;
    if (n->power->off || addr > n->flash.size || len > n->flash.size - addr) return NULL;
    return n->readable + addr;
}

static int program_page(struct nor_flash *n, uint32_t addr, const uint8_t *src, uint32_t len,
                        const void *caller)
{
    uint8_t *dst = n->bytes + addr;
    bool bad = violates(dst, src, len);
    if (bad && n->strict) return defect(n, addr, src, len, caller);
    if (power_cut(n, addr, len, src)) return AL_ERR_POWER;
    if (!bad)
        memcpy(dst, src, len); /* src has no bit that dst lacks: the same as AND */
    else
        for (uint32_t i = 0; i < len; i++) dst[i] &= src[i];
    n->power->bytes_programmed += len;
    return 0;
}

static int nor_program(void *ctx, uint32_t addr, const void *src, uint32_t len)
{
    struct nor_flash *n = ctx;
    const void *caller = __builtin_return_address(0);
    const uint8_t *from = src;
    pthread_mutex_lock(n->mutex);
    int err = check_write(n, addr, len);
    struct busy busy = busy_begin(n);
    while (!err && len) {
        uint32_t part = PAGE - addr % PAGE;
        if (part > len) part = len;
        err = program_page(n, addr, from, part, caller);
        busy_for(&busy, PAGE_PROGRAM_US);
        addr += part;
        from += part;
        len -= part;
    }
    pthread_mutex_unlock(n->mutex);
    return err;
}

static bool covers(uint32_t addr, uint32_t len, uint32_t block)
{
    return addr % block == 0 && len >= block;
}

static int nor_erase(void *ctx, uint32_t addr, uint32_t len)
{
    struct nor_flash *n = ctx;
    pthread_mutex_lock(n->mutex);
    int err = check_write(n, addr, len);
    if (!err && (addr % AL_SECTOR || len % AL_SECTOR)) err = AL_ERR_INVALID_ARG;
    struct busy busy = busy_begin(n);
    while (!err && len) {
        uint32_t part = AL_SECTOR, us = ERASE_4K_US;
        if (covers(addr, len, BLOCK_64)) {
            part = BLOCK_64;
            us = ERASE_64K_US;
        } else if (covers(addr, len, BLOCK_32)) {
            part = BLOCK_32;
            us = ERASE_32K_US;
        }
        if (power_cut(n, addr, part, NULL)) {
            err = AL_ERR_POWER;
            break;
        }
        memset(n->bytes + addr, 0xff, part);
        n->power->sectors_erased += part / AL_SECTOR;
        busy_for(&busy, us);
        addr += part;
        len -= part;
    }
    pthread_mutex_unlock(n->mutex);
    return err;
}

/* --- opening --- */

static int nor_map_fd(struct nor_flash *n, uint32_t size, bool writable)
{
    void *ro = mmap(NULL, size, PROT_READ, MAP_SHARED, n->fd, 0);
    if (ro == MAP_FAILED) return -errno;
    void *rw = ro;
    if (writable) {
        rw = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, n->fd, 0);
        if (rw == MAP_FAILED) {
            int err = -errno;
            munmap(ro, size);
            return err;
        }
    }
    n->readable = ro;
    n->bytes = rw;
    return 0;
}

static int nor_open(struct nor_flash *n, int fd, uint32_t size, bool writable,
                    struct nor_power *power)
{
    memset(n, 0, sizeof *n);
    pthread_mutex_t *mutex = malloc(sizeof(pthread_mutex_t));
    if (!mutex) return -ENOMEM;
    n->fd = fd;
    int err = nor_map_fd(n, size, writable);
    if (err) {
        free(mutex);
        return err;
    }
    pthread_mutex_init(mutex, NULL);
    n->mutex = mutex;
    n->strict = true;
    n->writes_off = !writable;
    n->power = power ? power : &n->own_power;
    n->flash = (struct al_flash){.ctx = n,
                                 .size = size,
                                 .read = nor_read,
                                 .program = nor_program,
                                 .erase = nor_erase,
                                 .map = nor_map};
    return 0;
}

int nor_flash_memory(struct nor_flash *n, uint32_t size)
{
    int fd = memfd_create("nor_flash", MFD_CLOEXEC);
    if (fd < 0) return AL_ERR_NO_MEM;
    if (ftruncate(fd, size) < 0 || nor_open(n, fd, size, true, NULL) < 0) {
        close(fd);
        return AL_ERR_NO_MEM;
    }
    memset(n->bytes, 0xff, size);
    return 0;
}

int nor_flash_file(struct nor_flash *n, int fd, bool writable, struct nor_power *power)
{
    struct stat st;
    if (fstat(fd, &st) < 0) return -errno;
    if (st.st_size < SIZE_MIN || st.st_size > SIZE_MAX_NOR || st.st_size % AL_SECTOR)
        return -EINVAL;
    return nor_open(n, fd, (uint32_t)st.st_size, writable, power);
}

void nor_flash_close(struct nor_flash *n)
{
    if (!n->mutex) return;
    uint8_t *readable = (uint8_t *)(uintptr_t)n->readable;
    if (n->bytes != n->readable) munmap(n->bytes, n->flash.size);
    munmap(readable, n->flash.size);
    close(n->fd);
    pthread_mutex_destroy(n->mutex);
    free(n->mutex);
    n->mutex = NULL;
}

void nor_flash_fill(struct nor_flash *n, uint32_t addr, const void *data, uint32_t len)
{
    memcpy(n->bytes + addr, data, len);
}

void nor_flash_cut_at(struct nor_flash *n, uint64_t nth)
{
    n->power->cut_at = n->power->ops + nth;
}

void nor_flash_power_on(struct nor_flash *n)
{
    n->power->off = 0;
    n->power->ops = 0;
    n->power->cut_at = 0;
}
