#include "radio/zb_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/err.h"
#include "host/file.h"
#include "radio/zb_memory.h"

#define MAGIC         "AIRLIFTZ"
#define VERSION       1u
#define HEADER_LEN    16u
#define RECORD_HEADER 4u
#define RECORD_EXTRA  (RECORD_HEADER + 4u) /* and the CRC */
#define RECORD_SIZE   (ZB_FILE_RECORD_MAX + RECORD_EXTRA)
#define FILE_MAX      (64u << 20)
#define COMPACT_MIN   (64u << 10) /* below that the journal may be anything */
#define COMPACT_RATIO 4u

struct zb_file {
    struct al_zb_store store;
    struct zb_memory *records;
    int fd;
    bool broken;    /* the end of the file is not known */
    size_t end;     /* of the last whole record */
    size_t compact; /* length at which it is worth to try */
    char path[PATH_MAX];
    char error[PATH_MAX + 200];
};

static int fail(struct zb_file *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fail(struct zb_file *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(f->error, sizeof f->error, format, args);
    va_end(args);
    return AL_FAIL;
}

static int write_at(int fd, const uint8_t *data, size_t len, size_t at)
{
    while (len) {
        ssize_t n = pwrite(fd, data, len, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        data += n;
        at += (size_t)n;
        len -= (size_t)n;
    }
    return 0;
}

/* ---- The format ---- */

static void put_header(uint8_t out[HEADER_LEN])
{
    memset(out, 0, HEADER_LEN);
    memcpy(out, MAGIC, 8);
    al_put_le32(out + 8, VERSION);
}

static size_t put_record(uint8_t *out, uint16_t number, const void *data, size_t len)
{
    al_put_le16(out, number);
    al_put_le16(out + 2, (uint16_t)len);
    if (len) memcpy(out + RECORD_HEADER, data, len);
    al_put_le32(out + RECORD_HEADER + len, al_crc32(0, out, RECORD_HEADER + len));
    return len + RECORD_EXTRA;
}

/* Bytes of the record at p, 0: there is no whole one. Number 0 is never used, so that
 * zeros, which a file system may leave behind, are none. */
static size_t whole_record(const uint8_t *p, size_t left)
{
    if (left < RECORD_EXTRA || al_get_le16(p) == 0) return 0;
    size_t len = al_get_le16(p + 2);
    if (len > ZB_FILE_RECORD_MAX || len + RECORD_EXTRA > left) return 0;
    bool ok = al_get_le32(p + RECORD_HEADER + len) == al_crc32(0, p, RECORD_HEADER + len);
    return ok ? len + RECORD_EXTRA : 0;
}

/* Only the save that was under way can be torn: so much at the end, with nothing whole
 * behind it. */
static bool torn(const uint8_t *p, size_t left)
{
    if (left > RECORD_SIZE) return false;
    for (size_t i = 1; i < left; i++)
        if (whole_record(p + i, left - i)) return false;
    return true;
}

static int parse(struct zb_file *f, const uint8_t *data, size_t len)
{
    const struct al_zb_store *m = zb_memory_store(f->records);
    if (len < HEADER_LEN || memcmp(data, MAGIC, 8) != 0)
        return fail(f, "%s: this is no state file of Airlift: the first 8 bytes are not \"%s\"",
                    f->path, MAGIC);
    if (al_get_le32(data + 8) != VERSION)
        return fail(f, "%s: offset 8: version %u of the format; this program knows version %u",
                    f->path, al_get_le32(data + 8), VERSION);
    f->end = HEADER_LEN;
    while (f->end < len) {
        const uint8_t *p = data + f->end;
        size_t size = whole_record(p, len - f->end);
        if (!size && torn(p, len - f->end)) break;
        if (!size)
            return fail(f,
                        "%s: offset %zu: the record is damaged, others follow; restore the state "
                        "from a backup, or remove the file to begin anew",
                        f->path, f->end);
        if (m->save(m->ctx, al_get_le16(p), p + RECORD_HEADER, size - RECORD_EXTRA))
            return fail(f, "%s: not enough memory", f->path);
        f->end += size;
    }
    return 0;
}

/* ---- Compaction; also how a new file is made ---- */

struct image {
    uint8_t *data;
    size_t len, room;
};

static int add_record(void *ctx, uint16_t number, const void *data, size_t len)
{
    struct image *i = ctx;
    if (i->room - i->len < len + RECORD_EXTRA) {
        size_t room = i->room * 2 + RECORD_SIZE;
        uint8_t *bigger = realloc(i->data, room);
        if (!bigger) return AL_ERR_NO_MEM;
        i->data = bigger;
        i->room = room;
    }
    i->len += put_record(i->data + i->len, number, data, len);
    return 0;
}

/* The new file is locked before it gets the name, so that nobody comes between. */
static int replace(struct zb_file *f, const struct image *i)
{
    char temp[PATH_MAX + 8];
    snprintf(temp, sizeof temp, "%s.new", f->path);
    unlink(temp);
    int fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int err = fd < 0 ? -errno : write_at(fd, i->data, i->len, 0);
    if (!err && (fsync(fd) || flock(fd, LOCK_EX | LOCK_NB) || rename(temp, f->path))) err = -errno;
    if (err) {
        if (fd >= 0) close(fd);
        unlink(temp);
        return fail(f, "%s cannot be written: %s", f->path, strerror(-err));
    }
    file_sync_parent(f->path);
    if (f->fd >= 0) close(f->fd);
    f->fd = fd;
    f->end = i->len;
    f->broken = false;
    return 0;
}

static int compact(struct zb_file *f)
{
    struct image i = {.room = HEADER_LEN + RECORD_SIZE};
    i.data = malloc(i.room);
    if (!i.data) return fail(f, "%s: not enough memory", f->path);
    put_header(i.data);
    i.len = HEADER_LEN;
    int err = zb_memory_each(f->records, add_record, &i);
    if (err)
        fail(f, "%s: not enough memory", f->path);
    else
        err = replace(f, &i);
    free(i.data);
    f->compact = f->end * COMPACT_RATIO > COMPACT_MIN ? f->end * COMPACT_RATIO : COMPACT_MIN;
    return err;
}

/* ---- The store ---- */

static int append(struct zb_file *f, uint16_t number, const void *data, size_t len)
{
    uint8_t record[RECORD_SIZE];
    size_t size = put_record(record, number, data, len);
    int err = write_at(f->fd, record, size, f->end);
    if (!err && fdatasync(f->fd)) err = -errno;
    if (err) { /* what is there of it must not stand between records */
        f->broken = ftruncate(f->fd, (off_t)f->end) != 0;
        return fail(f, "%s cannot be written: %s", f->path, strerror(-err));
    }
    f->end += size;
    return 0;
}

static bool unchanged(const struct al_zb_store *m, uint16_t number, const void *data, size_t len)
{
    uint8_t old[ZB_FILE_RECORD_MAX];
    int had = m->load(m->ctx, number, old, sizeof old);
    return had < 0 ? len == 0 : (size_t)had == len && memcmp(old, data, len) == 0;
}

static int file_save(void *ctx, uint16_t number, const void *data, size_t len)
{
    struct zb_file *f = ctx;
    const struct al_zb_store *m = zb_memory_store(f->records);
    if (!number) return AL_ERR_INVALID_ARG;
    if (len > ZB_FILE_RECORD_MAX) return AL_ERR_INVALID_SIZE;
    if (unchanged(m, number, data, len)) return 0;
    if (f->broken && compact(f)) return AL_FAIL;
    if (append(f, number, data, len)) return AL_FAIL;
    int err = m->save(m->ctx, number, data, len);
    /* A compaction that fails leaves the journal as it is, only longer. */
    if (!err && f->end > f->compact) compact(f);
    return err;
}

static int file_load(void *ctx, uint16_t number, void *data, size_t size)
{
    const struct al_zb_store *m = zb_memory_store(((struct zb_file *)ctx)->records);
    return m->load(m->ctx, number, data, size);
}

/* ---- Opening ---- */

/* Opens and locks. A file that was replaced meanwhile is no longer the one of that name. */
static int open_locked(struct zb_file *f)
{
    for (int i = 0; i < 10; i++) {
        struct stat at_fd, at_path;
        f->fd = open(f->path, O_RDWR | O_CLOEXEC);
        if (f->fd < 0) return errno == ENOENT ? 0 : fail(f, "%s: %s", f->path, strerror(errno));
        if (flock(f->fd, LOCK_EX | LOCK_NB))
            return errno == EWOULDBLOCK
                       ? fail(f, "%s is in use by another process", f->path)
                       : fail(f, "%s cannot be locked: %s", f->path, strerror(errno));
        if (fstat(f->fd, &at_fd) == 0 && stat(f->path, &at_path) == 0 &&
            at_fd.st_ino == at_path.st_ino && at_fd.st_dev == at_path.st_dev)
            return S_ISREG(at_fd.st_mode) ? 0 : fail(f, "%s is no ordinary file", f->path);
        close(f->fd);
        f->fd = -1;
    }
    return fail(f, "%s is in use by another process", f->path);
}

static int load_file(struct zb_file *f)
{
    uint8_t *data = NULL;
    size_t len = 0;
    int err = f->fd < 0 ? 0 : file_read(f->path, FILE_MAX, &data, &len);
    if (err) return fail(f, "%s cannot be read: %s", f->path, strerror(-err));
    if (len) {
        err = parse(f, data, len);
        free(data);
        /* Torn bytes go, or the next record would stand behind them. */
        if (!err && f->end < len) err = compact(f);
        f->compact = COMPACT_MIN;
        return err;
    }
    free(data);
    return compact(f);
}

struct zb_file *zb_file_open(const char *path, char *error, size_t error_size)
{
    struct zb_file *f = calloc(1, sizeof *f);
    if (f) f->records = zb_memory_new();
    if (!f || !f->records) {
        free(f);
        snprintf(error, error_size, "not enough memory");
        return NULL;
    }
    f->fd = -1;
    f->store = (struct al_zb_store){f, file_save, file_load};
    /* Behind a link: the file it leads to, so that the link stays. */
    if (!realpath(path, f->path)) snprintf(f->path, sizeof f->path, "%s", path);
    if (open_locked(f) || load_file(f)) {
        snprintf(error, error_size, "%s", f->error);
        zb_file_close(f);
        return NULL;
    }
    f->error[0] = '\0';
    fchmod(f->fd, 0600);
    return f;
}

void zb_file_close(struct zb_file *f)
{
    if (!f) return;
    if (f->fd >= 0) close(f->fd);
    zb_memory_free(f->records);
    free(f);
}

const struct al_zb_store *zb_file_store(struct zb_file *f)
{
    return &f->store;
}

const char *zb_file_error(const struct zb_file *f)
{
    return f->error;
}

int zb_file_each(const struct zb_file *f,
                 int (*each)(void *ctx, uint16_t record, const void *data, size_t len), void *ctx)
{
    return zb_memory_each(f->records, each, ctx);
}
