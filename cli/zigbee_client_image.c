#include "cli/zigbee_client_image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/err.h"
#include "host/file.h"
#include "host/zigbee_file.h"
#include "zigbee/zcl_frame.h"

#define BOOT_ID      "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_LEN  36u
#define FILE_MAX_LEN (256u << 20)

/* What is written to a file is there for the next process as long as the machine runs: until
 * then its length counts, afterwards what was synced. */
struct record {
    struct al_zota_progress progress;
    char boot[BOOT_ID_LEN];
};
_Static_assert(sizeof(struct record) <= AL_ZB_RECORD_MAX, "a record takes it");

static void part_path(const struct client_image *i, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s.part", i->out);
}

static void boot_id(char id[BOOT_ID_LEN])
{
    uint8_t *text = NULL;
    size_t len = 0;
    memset(id, 0, BOOT_ID_LEN);
    if (file_read(BOOT_ID, 4096, &text, &len) == 0 && len >= BOOT_ID_LEN)
        memcpy(id, text, BOOT_ID_LEN);
    free(text);
}

static bool load(const struct client_image *i, struct record *r)
{
    const struct al_zb_store *s = i->store;
    return s && s->load(s->ctx, AL_ZB_REC_OTA_CLIENT, r, sizeof *r) == sizeof *r &&
           r->progress.magic == AL_ZOTA_PROGRESS_MAGIC;
}

void client_image_load(const struct client_image *i, struct al_zota_progress *p)
{
    struct record r;
    *p = (struct al_zota_progress){0};
    if (load(i, &r)) *p = r.progress;
}

static void store_progress(const struct client_image *i, const struct al_zota_progress *p)
{
    struct record r = {.progress = *p};
    const struct al_zb_store *s = i->store;
    if (!s) return;
    boot_id(r.boot);
    s->save(s->ctx, AL_ZB_REC_OTA_CLIENT, &r, p->magic ? sizeof r : 0);
}

/* Bytes that OUT.part has of this very file. */
static uint32_t had(const struct client_image *i, const struct al_zota_file *file)
{
    char path[PATH_MAX], boot[BOOT_ID_LEN];
    struct record r;
    struct stat st;
    part_path(i, path);
    if (!load(i, &r) || stat(path, &st) != 0) return 0;
    const struct al_zota_file *kept = &r.progress.file;
    if (memcmp(&kept->id, &file->id, sizeof file->id) != 0 || kept->size != file->size) return 0;
    uint64_t len = (uint64_t)st.st_size;
    boot_id(boot);
    if (memcmp(boot, r.boot, sizeof boot) != 0 && len > r.progress.offset) len = r.progress.offset;
    return (uint32_t)(len < file->size ? len : file->size);
}

uint8_t client_image_offer(void *ctx, const struct al_zota_file *file, bool reinstall,
                           uint32_t *offset)
{
    struct client_image *i = ctx;
    char path[PATH_MAX];
    part_path(i, path);
    *offset = had(i, file);
    client_image_close(i);
    i->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (i->fd < 0 || ftruncate(i->fd, (off_t)*offset) != 0) {
        snprintf(i->error, sizeof i->error, "%s: %s", path, strerror(errno));
        return AL_ZCL_INSUFFICIENT_SPACE;
    }
    i->resumed = *offset;
    struct al_zota_progress p = {AL_ZOTA_PROGRESS_MAGIC, *file, *offset};
    store_progress(i, &p);
    return AL_ZCL_SUCCESS;
}

int client_image_data(void *ctx, uint32_t offset, const uint8_t *data, size_t len)
{
    struct client_image *i = ctx;
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(i->fd, data + done, len - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            snprintf(i->error, sizeof i->error, "%s.part cannot be written: %s", i->out,
                     strerror(errno));
            return AL_FAIL;
        }
        done += (size_t)n;
    }
    i->bytes += (uint32_t)len;
    return 0;
}

void client_image_save(void *ctx, const struct al_zota_progress *p)
{
    struct client_image *i = ctx;
    if (i->fd >= 0) fdatasync(i->fd);
    store_progress(i, p);
}

/* False: error says why. */
static bool verified(struct client_image *i, const struct zigbee_bytes *bytes,
                     const struct al_zota_file *file)
{
    struct al_zfile zfile;
    struct al_zfile_fault fault;
    struct al_zfile_verdict verdict = {.count = 0};
    struct al_zfile_source source = zigbee_source(bytes);
    if (al_zfile_open(&zfile, &source, &fault)) {
        zigbee_fault_explain(&fault, i->error, sizeof i->error);
        return false;
    }
    struct aes_openssl *aes = aes_openssl_new();
    al_zfile_check(&zfile, aes ? aes_openssl_aes(aes) : NULL, &verdict);
    aes_openssl_free(aes);
    const struct al_zfile_fault *decisive = al_zfile_error(&verdict, i->lenient);
    if (decisive) {
        zigbee_fault_explain(decisive, i->error, sizeof i->error);
        return false;
    }
    const struct al_zfile_header *h = &zfile.header;
    if (zfile.start == 0 && h->total_image_size == file->size &&
        h->manufacturer == file->id.manufacturer && h->image_type == file->id.image_type &&
        h->file_version == file->id.file_version)
        return true;
    snprintf(i->error, sizeof i->error,
             "the file is not what was offered: 0x%04x 0x%04x version 0x%08x, %u bytes",
             h->manufacturer, h->image_type, h->file_version, h->total_image_size);
    return false;
}

int client_image_check(void *ctx, const struct al_zota_file *file)
{
    struct client_image *i = ctx;
    char path[PATH_MAX];
    uint8_t *data;
    struct zigbee_bytes bytes;
    part_path(i, path);
    client_image_close(i);
    int err = file_read(path, FILE_MAX_LEN, &data, &bytes.len);
    if (err) {
        snprintf(i->error, sizeof i->error, "%s: %s", path, strerror(-err));
        return AL_ZCL_ABORT;
    }
    bytes.data = data;
    bool good = verified(i, &bytes, file);
    if (good && (err = file_write(i->out, data, bytes.len, 0644)))
        snprintf(i->error, sizeof i->error, "%s: %s", i->out, strerror(-err));
    free(data);
    unlink(path); /* whole or bad, it is of no more use */
    if (!good) return AL_ZCL_INVALID_IMAGE;
    i->complete = err == 0;
    return err ? AL_ZCL_ABORT : AL_ZCL_SUCCESS;
}

void client_image_close(struct client_image *i)
{
    if (i->fd >= 0) close(i->fd);
    i->fd = -1;
}
