/* See blobs.h. */
#include "server/blobs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crypto.h"
#include "host/crypto_openssl.h"
#include "host/file.h"

struct blobs {
    char dir[PATH_MAX / 2]; /* DATA/blobs */
    char tmp[PATH_MAX / 2]; /* DATA/tmp */
};

struct blob_draft {
    struct blobs *blobs;
    int fd, err;
    bool hashing;
    char path[PATH_MAX];
    uint64_t size;
    struct al_hash hash;
    char sha256[BLOB_HEX_LEN];
    void *map;
};

struct blob {
    atomic_uint refs;
    uint8_t *data;
    uint64_t size;
};

static void blob_path(const struct blobs *b, const char *sha256, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%.2s/%s", b->dir, sha256, sha256 + 2);
}

static int sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int err = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return err;
}

static void remove_files_in(const char *dir)
{
    DIR *d = opendir(dir);
    if (!d) return;
    for (const struct dirent *e; (e = readdir(d));)
        if (e->d_type != DT_DIR) unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
}

struct blobs *blobs_open(const char *data_dir, int *err)
{
    struct blobs *b = calloc(1, sizeof *b);
    *err = b ? 0 : -ENOMEM;
    if (!b) return NULL;
    int n = snprintf(b->dir, sizeof b->dir, "%s/blobs", data_dir);
    snprintf(b->tmp, sizeof b->tmp, "%s/tmp", data_dir);
    if (n < 0 || (size_t)n >= sizeof b->dir) *err = -ENAMETOOLONG;
    if (*err == 0) *err = file_make_dirs(b->dir, 0755);
    if (*err == 0) *err = file_make_dirs(b->tmp, 0700);
    if (*err != 0) {
        free(b);
        return NULL;
    }
    remove_files_in(b->tmp);
    return b;
}

void blobs_close(struct blobs *b)
{
    free(b);
}

struct blob_draft *blob_begin(struct blobs *b, int *err)
{
    struct blob_draft *d = calloc(1, sizeof *d);
    *err = -ENOMEM;
    if (!d) return NULL;
    d->blobs = b;
    snprintf(d->path, sizeof d->path, "%s/XXXXXX", b->tmp);
    d->fd = mkostemp(d->path, O_CLOEXEC);
    *err = d->fd < 0 ? -errno : 0;
    if (*err == 0 && al_hash_begin(&d->hash, &crypto_openssl, AL_SHA256) != 0) *err = -ENOMEM;
    d->hashing = *err == 0;
    if (*err == 0) return d;
    blob_drop(d);
    return NULL;
}

int blob_write(struct blob_draft *d, const void *data, size_t len)
{
    const uint8_t *p = data;
    if (d->err == 0 && al_hash_update(&d->hash, data, len) != 0) d->err = -EIO;
    while (d->err == 0 && len > 0) {
        ssize_t n = write(d->fd, p, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            d->err = -errno;
            break;
        }
        p += n;
        len -= (size_t)n;
        d->size += (uint64_t)n;
    }
    return d->err;
}

int blob_seal(struct blob_draft *d)
{
    uint8_t digest[AL_SHA256];
    if (!d->hashing) return d->err;
    d->hashing = false;
    if (al_hash_finish(&d->hash, digest) != 0 && d->err == 0) d->err = -EIO;
    if (d->err == 0 && (fchmod(d->fd, 0644) != 0 || fsync(d->fd) != 0)) d->err = -errno;
    if (d->err == 0) crypto_hex(digest, sizeof digest, d->sha256);
    return d->err;
}

const char *blob_draft_sha256(const struct blob_draft *d)
{
    return d->sha256;
}

uint64_t blob_draft_size(const struct blob_draft *d)
{
    return d->size;
}

const uint8_t *blob_draft_data(struct blob_draft *d)
{
    if (!d->map && d->size > 0) {
        void *map = mmap(NULL, d->size, PROT_READ, MAP_SHARED, d->fd, 0);
        if (map != MAP_FAILED) d->map = map;
    }
    return d->map;
}

/* Closes and forgets the draft; the file is left as it is. */
static void draft_free(struct blob_draft *d)
{
    if (d->hashing) al_hash_finish(&d->hash, NULL);
    if (d->map) munmap(d->map, d->size);
    if (d->fd >= 0) close(d->fd);
    free(d);
}

int blob_keep(struct blob_draft *d)
{
    char path[PATH_MAX], dir[PATH_MAX];
    if (d->err != 0 || !d->sha256[0]) {
        int err = d->err ? d->err : -EINVAL;
        blob_drop(d);
        return err;
    }
    blob_path(d->blobs, d->sha256, path);
    snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
    int err = mkdir(dir, 0755) == 0 ? sync_dir(d->blobs->dir) : errno == EEXIST ? 0 : -errno;
    if (err == 0 && rename(d->path, path) != 0) err = -errno;
    if (err == 0) err = sync_dir(dir);
    if (err == 0)
        draft_free(d);
    else
        blob_drop(d);
    return err;
}

void blob_drop(struct blob_draft *d)
{
    if (!d) return;
    if (d->fd >= 0) unlink(d->path);
    draft_free(d);
}

struct blob *blob_open(struct blobs *b, const char *sha256, int *err)
{
    char path[PATH_MAX];
    struct stat st = {0};
    void *map = NULL;
    struct blob *blob = NULL;
    blob_path(b, sha256, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *err = fd < 0 || fstat(fd, &st) != 0 ? -errno : 0;
    if (*err == 0 && st.st_size > 0) {
        map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED) *err = -errno;
    }
    if (*err == 0 && !(blob = calloc(1, sizeof *blob))) *err = -ENOMEM;
    if (*err == 0) {
        blob->refs = 1;
        blob->data = map;
        blob->size = (uint64_t)st.st_size;
    } else if (map && map != MAP_FAILED) {
        munmap(map, (size_t)st.st_size);
    }
    if (fd >= 0) close(fd);
    return blob;
}

struct blob *blob_ref(struct blob *b)
{
    atomic_fetch_add(&b->refs, 1);
    return b;
}

void blob_release(void *blob)
{
    struct blob *b = blob;
    if (!b || atomic_fetch_sub(&b->refs, 1) != 1) return;
    if (b->data) munmap(b->data, b->size);
    free(b);
}

const uint8_t *blob_data(const struct blob *b)
{
    return b->data;
}

uint64_t blob_size(const struct blob *b)
{
    return b->size;
}

int blob_remove(struct blobs *b, const char *sha256)
{
    char path[PATH_MAX];
    blob_path(b, sha256, path);
    return unlink(path) == 0 ? 0 : -errno;
}

/* Files in one of the 256 directories. */
static int sweep_dir(const struct blobs *b, const char *prefix,
                     bool (*known)(void *ctx, const char *sha256), void *ctx)
{
    char path[PATH_MAX], sha256[2 + NAME_MAX + 1];
    int removed = 0;
    snprintf(path, sizeof path, "%s/%s", b->dir, prefix);
    DIR *d = opendir(path);
    if (!d) return -errno;
    for (const struct dirent *e; (e = readdir(d));) {
        if (e->d_type == DT_DIR) continue;
        snprintf(sha256, sizeof sha256, "%.2s%s", prefix, e->d_name);
        if (!known(ctx, sha256) && unlinkat(dirfd(d), e->d_name, 0) == 0) removed++;
    }
    closedir(d);
    return removed;
}

int blobs_sweep(struct blobs *b, bool (*known)(void *ctx, const char *sha256), void *ctx)
{
    DIR *d = opendir(b->dir);
    int removed = 0;
    if (!d) return -errno;
    for (const struct dirent *e; (e = readdir(d));) {
        if (strlen(e->d_name) != 2 || strcmp(e->d_name, "..") == 0) continue;
        int n = sweep_dir(b, e->d_name, known, ctx);
        if (n > 0) removed += n;
    }
    closedir(d);
    return removed;
}
