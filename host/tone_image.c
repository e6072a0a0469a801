#include "host/tone_image.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32.h"
#include "core/err.h"
#include "host/file.h"

static const struct {
    const char *ending;
    uint8_t type;
} kinds[] = {{".mp3", AL_TONE_MP3}, {".wav", AL_TONE_WAV}};
#define KINDS (sizeof kinds / sizeof *kinds)

/* Index into kinds; KINDS: no tone. */
static size_t kind_of(const char *name)
{
    size_t i, len = strlen(name);
    for (i = 0; i < KINDS; i++) {
        size_t tail = strlen(kinds[i].ending);
        if (len >= tail && strcmp(name + len - tail, kinds[i].ending) == 0) break;
    }
    return i;
}

const char *tone_image_type_name(uint8_t type)
{
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].type == type) return kinds[i].ending + 1;
    return "other";
}

/* ---- the folder ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int collect(struct tone_folder *f, DIR *dir, char *why, size_t why_size)
{
    struct dirent *entry;
    errno = 0;
    while ((entry = readdir(dir))) {
        if (kind_of(entry->d_name) == KINDS) continue;
        if (f->count == AL_TONE_FILES) {
            snprintf(why, why_size,
                     "%s: more than %u .mp3 and .wav files; an image has room for no more", f->dir,
                     AL_TONE_FILES);
            return AL_FAIL;
        }
        f->name[f->count] = strdup(entry->d_name);
        if (!f->name[f->count++]) errno = ENOMEM;
        if (errno) break;
    }
    if (errno) {
        snprintf(why, why_size, "%s: %s", f->dir, strerror(errno));
        return AL_FAIL;
    }
    if (f->count) return 0;
    snprintf(why, why_size, "%s: no file ends with .mp3 or .wav (lower case); nothing to pack",
             f->dir);
    return AL_FAIL;
}

int tone_folder_read(struct tone_folder *f, const char *dir, char *why, size_t why_size)
{
    *f = (struct tone_folder){.dir = strdup(dir)};
    DIR *d = f->dir ? opendir(dir) : NULL;
    int err = AL_FAIL;
    if (d) {
        err = collect(f, d, why, why_size);
        closedir(d);
    } else {
        snprintf(why, why_size, "%s: %s", dir, strerror(errno));
    }
    if (err)
        tone_folder_free(f);
    else
        qsort(f->name, f->count, sizeof f->name[0], by_name);
    return err;
}

void tone_folder_free(struct tone_folder *f)
{
    for (uint32_t i = 0; i < f->count; i++) free(f->name[i]);
    free(f->dir);
    *f = (struct tone_folder){0};
}

/* ---- making ---- */

struct building {
    const struct tone_folder *folder;
    const struct tone_image_options *options;
    uint8_t *out;
    uint32_t len;
    char *why;
    size_t why_size;
};

/* Room for n more bytes, zeroed; NULL after a sentence. */
static uint8_t *grow(struct building *b, size_t n)
{
    uint8_t *bigger = n <= TONE_IMAGE_MAX - b->len ? realloc(b->out, b->len + (n ? n : 1)) : NULL;
    if (!bigger) {
        snprintf(b->why, b->why_size, "%s: the image would be longer than %u MiB", b->folder->dir,
                 TONE_IMAGE_MAX >> 20);
        return NULL;
    }
    b->out = bigger;
    b->len += (uint32_t)n;
    return memset(bigger + b->len - n, 0, n);
}

static int copy_text(struct building *b, const char *what, const char *text, char *dst, size_t room)
{
    size_t len = strlen(text);
    if (len < room) {
        memcpy(dst, text, len);
        return 0;
    }
    snprintf(b->why, b->why_size, "%s '%s' has %zu characters; there is room for %zu", what, text,
             len, room - 1);
    return AL_FAIL;
}

static int put_desc(struct building *b)
{
    const struct tone_image_options *o = b->options;
    struct al_tone_desc desc = {.magic = AL_TONE_MAGIC, .project = AL_TONE_PROJECT};
    /* Readers take them as C strings, so one character less than the fields. */
    if (copy_text(b, "version", o->version, desc.version, 32) ||
        copy_text(b, "time", o->time, desc.time, 16) ||
        copy_text(b, "date", o->date, desc.date, 16))
        return AL_FAIL;
    uint8_t *at = grow(b, AL_TONE_DESC_LEN);
    if (!at) return AL_FAIL;
    al_tone_put_desc(at, &desc);
    return 0;
}

/* Appends file i, and fills its entry in the table. */
static int put_file(struct building *b, uint32_t table, uint32_t i)
{
    const struct tone_folder *folder = b->folder;
    char path[PATH_MAX];
    uint8_t *data = NULL;
    size_t len = 0;
    snprintf(path, sizeof path, "%s/%s", folder->dir, folder->name[i]);
    int err = file_read(path, TONE_IMAGE_MAX, &data, &len);
    if (err) {
        snprintf(b->why, b->why_size, "%s: %s", path, strerror(-err));
        return AL_FAIL;
    }
    struct al_tone_file file = {
        .index = (uint8_t)i,
        .type = kinds[kind_of(folder->name[i])].type,
        .address = b->len,
        .length = (uint32_t)len,
    };
    size_t padded = al_tone_padded(file.length);
    uint8_t *at = grow(b, padded);
    if (at) {
        memcpy(at, data, len);
        memset(at + len, 0xff, padded - len);
        al_tone_put_file(b->out + table + i * AL_TONE_ENTRY_LEN, &file);
    }
    free(data);
    return at ? 0 : AL_FAIL;
}

static int put_all(struct building *b)
{
    const struct tone_folder *folder = b->folder;
    uint8_t *at = grow(b, AL_TONE_HEADER_LEN);
    if (!at) return AL_FAIL;
    al_tone_put_header(at, folder->count, b->options->format);
    if (b->options->format == 1 && put_desc(b)) return AL_FAIL;
    uint32_t table = b->len;
    if (!grow(b, folder->count * AL_TONE_ENTRY_LEN)) return AL_FAIL;
    for (uint32_t i = 0; i < folder->count; i++)
        if (put_file(b, table, i)) return AL_FAIL;
    if (b->options->format == 0) return 0;
    uint32_t crc = al_crc32(0, b->out, b->len);
    at = grow(b, AL_TONE_TRAILER);
    if (!at) return AL_FAIL;
    al_tone_put_trailer(at, crc);
    return 0;
}

int tone_image_build(const struct tone_folder *f, const struct tone_image_options *o, uint8_t **out,
                     size_t *len, char *why, size_t why_size)
{
    struct building b = {.folder = f, .options = o, .why = why, .why_size = why_size};
    if (put_all(&b)) {
        free(b.out);
        return AL_FAIL;
    }
    *out = b.out;
    *len = b.len;
    return 0;
}

/* ---- reading ---- */

static int read_bytes(void *ctx, uint32_t offset, void *dst, uint32_t len)
{
    const struct tone_bytes *bytes = ctx;
    memcpy(dst, bytes->data + offset, len);
    return 0;
}

struct al_tone_source tone_image_source(const struct tone_bytes *bytes)
{
    return (struct al_tone_source){
        .ctx = (void *)(uintptr_t)bytes, .read = read_bytes, .size = (uint32_t)bytes->len};
}

void tone_image_explain(const struct al_tone_fault *f, char *out, size_t size)
{
    switch (f->check) {
    case AL_TONE_SHORT:
        snprintf(out, size,
                 "the image ends after %u bytes, %u are needed at least: it was cut short; get it "
                 "again",
                 f->found, f->expected);
        break;
    case AL_TONE_BAD_TAG:
        snprintf(out, size,
                 "the image begins with 0x%04x instead of 0x%04x: this is no data image of "
                 "'airlift data-image make' or mk_audio_tone.py",
                 f->found, f->expected);
        break;
    case AL_TONE_BAD_FORMAT:
        snprintf(out, size, "format %u is unknown; 0 and 1 are known", f->found);
        break;
    case AL_TONE_BAD_COUNT:
        snprintf(out, size, "the header counts %u files; 1 to %u are possible", f->found,
                 f->expected);
        break;
    case AL_TONE_BAD_MAGIC:
        snprintf(out, size, "the description's magic is 0x%08x instead of 0x%08x", f->found,
                 f->expected);
        break;
    case AL_TONE_BAD_PROJECT:
        snprintf(out, size, "the description's project is not " AL_TONE_PROJECT);
        break;
    case AL_TONE_BAD_ENTRY_TAG:
        snprintf(out, size, "the entry of file %u begins with 0x%02x instead of 0x%02x", f->file,
                 f->found, f->expected);
        break;
    case AL_TONE_BAD_INDEX:
        snprintf(out, size, "the entry of file %u says that it is file %u", f->file, f->found);
        break;
    case AL_TONE_BAD_ADDRESS:
        snprintf(out, size, "file %u begins at 0x%x, inside of what comes before it (0x%x is free)",
                 f->file, f->found, f->expected);
        break;
    case AL_TONE_BAD_LENGTH:
        snprintf(out, size,
                 "file %u has %u bytes, %u are left in the image: it was cut short, or the entry "
                 "is wrong",
                 f->file, f->found, f->expected);
        break;
    case AL_TONE_BAD_TAIL:
        snprintf(out, size,
                 "the tail is 0x%04x instead of 0x%04x: the image was not written to its end",
                 f->found, f->expected);
        break;
    case AL_TONE_BAD_CRC:
        snprintf(out, size, "the CRC is 0x%08x, the content gives 0x%08x: the content changed",
                 f->found, f->expected);
        break;
    case AL_TONE_OK:
        snprintf(out, size, "nothing is wrong");
        break;
    }
}
