#include "server/gateway_images.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/bytes.h"
#include "core/err.h"
#include "host/aes_openssl.h"
#include "host/crypto_openssl.h"
#include "host/file.h"
#include "host/zigbee_file.h"

#define FILE_MAX  (64u << 20)
#define INDEX     "index.json"
#define INDEX_MAX (16u << 20)

struct entry {
    struct entry *next;
    struct gateway_image image;
    const uint8_t *data; /* of the OTA file, from its magic */
    void (*release)(void *owner);
    void *owner;
    struct timespec modified; /* directory: of the file */
    off_t file_size;
    bool from_directory, seen;
};

struct gateway_images {
    struct entry *first;
    struct aes_openssl *aes;
    size_t count;
    struct timespec index_modified;
    /* Of files that were refused, so that each is told once. */
    struct refused {
        struct refused *next;
        struct timespec modified;
        bool seen;
        char name[];
    } * refused;
};

struct gateway_images *gateway_images_new(void)
{
    struct gateway_images *s = calloc(1, sizeof *s);
    if (s) s->aes = aes_openssl_new();
    if (s && s->aes) return s;
    free(s);
    return NULL;
}

static void forget_refused(struct gateway_images *s, bool all)
{
    for (struct refused **at = &s->refused; *at;) {
        struct refused *r = *at;
        if (!all && r->seen) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        free(r);
    }
}

void gateway_images_free(struct gateway_images *s)
{
    if (!s) return;
    while (s->first) {
        struct entry *e = s->first;
        s->first = e->next;
        e->release(e->owner);
        free(e);
    }
    forget_refused(s, true);
    aes_openssl_free(s->aes);
    free(s);
}

/* ---- One file ---- */

/* The file that follows whatever wraps it, and whether it can be forwarded. */
static int examine(struct gateway_images *s, struct entry *e, const struct zigbee_bytes *bytes,
                   char *why, size_t why_size)
{
    struct al_zfile file;
    struct al_zfile_fault fault;
    struct al_zfile_verdict verdict = {.count = 0};
    struct al_zfile_source source = zigbee_source(bytes);
    if (al_zfile_open(&file, &source, &fault)) {
        zigbee_fault_explain(&fault, why, why_size);
        return AL_ERR_IMAGE_INVALID;
    }
    al_zfile_check(&file, aes_openssl_aes(s->aes), &verdict);
    const struct al_zfile_fault *decisive = al_zfile_error(&verdict, true);
    if (decisive) {
        zigbee_fault_explain(decisive, why, why_size);
        return AL_ERR_IMAGE_INVALID;
    }
    for (unsigned i = 0; i < verdict.count; i++) e->image.warning |= 1u << verdict.fault[i].class;
    e->data = bytes->data + file.start;
    e->image.header = file.header;
    return 0;
}

/* ---- Its entry in the index ---- */

struct reader {
    const cJSON *index;
    const char *wrong; /* field that is there and cannot be read: a limit must not be none */
};

static const cJSON *field_of(struct reader *r, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(r->index, name);
    return cJSON_IsNull(item) ? NULL : item;
}

static bool number_of(struct reader *r, const char *name, double max, uint32_t *out)
{
    const cJSON *item = field_of(r, name);
    if (!item) return false;
    bool ok = cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= max;
    if (ok)
        *out = (uint32_t)item->valuedouble;
    else
        r->wrong = name;
    return ok;
}

static const char *text_of(struct reader *r, const char *name)
{
    const cJSON *item = field_of(r, name);
    if (item && !cJSON_IsString(item)) r->wrong = name;
    return cJSON_GetStringValue(item);
}

static void take_names(struct gateway_image *i, struct reader *r)
{
    const char *name = "manufacturerName";
    const cJSON *list = field_of(r, name), *item;
    size_t count = 0;
    if (cJSON_IsString(list))
        snprintf(i->manufacturers[0], sizeof i->manufacturers[0], "%s", list->valuestring);
    else if (list && !cJSON_IsArray(list))
        r->wrong = name;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item)) r->wrong = name;
        if (count == GATEWAY_IMAGE_MAKERS || r->wrong) break;
        snprintf(i->manufacturers[count++], sizeof i->manufacturers[0], "%s", item->valuestring);
    }
}

static bool same_file(const struct zigbee_bytes *file, struct reader *r, uint32_t total, char *why,
                      size_t why_size)
{
    uint32_t size;
    uint8_t digest[64];
    char hex[129];
    const char *sha512 = text_of(r, "sha512");
    if (number_of(r, "fileSize", UINT32_MAX, &size) && size != total) {
        snprintf(why, why_size, "%s says fileSize %u, the file's total image size is %u", INDEX,
                 size, total);
        return false;
    }
    if (!sha512) return true;
    zigbee_sha512(file->data, file->len, digest);
    crypto_hex(digest, sizeof digest, hex);
    if (strcasecmp(hex, sha512) == 0) return true;
    snprintf(why, why_size, "the file's SHA-512 is not that of %s; load it anew", INDEX);
    return false;
}

static bool take_index(struct gateway_image *i, struct reader *r, char *why, size_t why_size)
{
    uint32_t value;
    const char *model = text_of(r, "modelId");
    if (model) snprintf(i->model, sizeof i->model, "%s", model);
    take_names(i, r);
    i->limits.force = cJSON_IsTrue(field_of(r, "force"));
    i->limits.downgrade = i->limits.force;
    number_of(r, "minFileVersion", UINT32_MAX, &i->limits.min_running);
    number_of(r, "maxFileVersion", UINT32_MAX, &i->limits.max_running);
    if (!i->limits.has_hardware) i->limits.max_hardware = UINT16_MAX;
    if (number_of(r, "hardwareVersionMin", UINT16_MAX, &value)) {
        i->limits.min_hardware = (uint16_t)value;
        i->limits.has_hardware = true;
    }
    if (number_of(r, "hardwareVersionMax", UINT16_MAX, &value)) {
        i->limits.max_hardware = (uint16_t)value;
        i->limits.has_hardware = true;
    }
    if (r->wrong)
        snprintf(why, why_size, "\"%s\" of its entry in %s has the wrong type or range", r->wrong,
                 INDEX);
    return !r->wrong;
}

static bool describe(struct entry *e, struct reader *r, char *why, size_t why_size)
{
    struct gateway_image *i = &e->image;
    const struct al_zfile_header *h = &i->header;
    uint8_t digest[32];
    crypto_digest(AL_SHA256, e->data, h->total_image_size, digest);
    i->ref = al_get_le64(digest);
    if (!i->ref) i->ref = 1;
    i->limits = (struct al_zota_image_limits){0};
    if (h->field_control & AL_ZFILE_HAS_HARDWARE) {
        i->limits.has_hardware = true;
        i->limits.min_hardware = h->min_hardware;
        i->limits.max_hardware = h->max_hardware;
    }
    if (h->field_control & AL_ZFILE_HAS_DESTINATION) i->destination = h->destination;
    return !r->index || take_index(i, r, why, why_size);
}

static struct entry *add(struct gateway_images *s, const char *name,
                         const struct zigbee_bytes *bytes, void (*release)(void *owner),
                         void *owner, const cJSON *index, char *why, size_t why_size)
{
    struct entry *e = calloc(1, sizeof *e);
    struct reader r = {index, NULL};
    if (e) {
        e->release = release;
        e->owner = owner;
        snprintf(e->image.name, sizeof e->image.name, "%s", name);
        if (examine(s, e, bytes, why, why_size) == 0 &&
            same_file(bytes, &r, e->image.header.total_image_size, why, why_size) &&
            describe(e, &r, why, why_size)) {
            struct entry **at = &s->first;
            while (*at && strcmp((*at)->image.name, name) < 0) at = &(*at)->next;
            e->next = *at;
            *at = e;
            s->count++;
            return e;
        }
        free(e);
    } else {
        snprintf(why, why_size, "not enough memory");
    }
    release(owner);
    return NULL;
}

int gateway_images_add(struct gateway_images *s, const char *name, const uint8_t *data, size_t len,
                       void (*release)(void *owner), void *owner, const cJSON *index, char *why,
                       size_t why_size)
{
    struct zigbee_bytes bytes = {data, len};
    gateway_images_remove(s, name);
    return add(s, name, &bytes, release, owner, index, why, why_size) ? 0 : AL_ERR_IMAGE_INVALID;
}

/* ---- Going ---- */

static void drop_gone(struct gateway_images *s)
{
    for (struct entry **at = &s->first; *at;) {
        struct entry *e = *at;
        if (!e->image.gone || e->image.used) {
            at = &e->next;
            continue;
        }
        *at = e->next;
        s->count--;
        e->release(e->owner);
        free(e);
    }
}

void gateway_images_remove(struct gateway_images *s, const char *name)
{
    for (struct entry *e = s->first; e; e = e->next)
        if (strcmp(e->image.name, name) == 0) e->image.gone = true;
    drop_gone(s);
}

void gateway_images_use(struct gateway_images *s, bool (*used)(void *ctx, uint64_t ref), void *ctx)
{
    for (struct entry *e = s->first; e; e = e->next) e->image.used = used(ctx, e->image.ref);
    drop_gone(s);
}

/* ---- A directory ---- */

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static cJSON *read_index(const char *dir)
{
    char path[4096];
    uint8_t *text;
    size_t len;
    snprintf(path, sizeof path, "%s/" INDEX, dir);
    if (file_read(path, INDEX_MAX, &text, &len)) return NULL;
    cJSON *doc = cJSON_Parse((const char *)text);
    free(text);
    return doc;
}

/* The first entry that names this file. */
static const cJSON *entry_of(const cJSON *index, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, index)
    {
        const char *file = cJSON_GetStringValue(cJSON_GetObjectItem(item, "fileName"));
        const char *url = cJSON_GetStringValue(cJSON_GetObjectItem(item, "url"));
        const char *slash = url ? strrchr(url, '/') : NULL;
        if (file && strcmp(file, name) == 0) return item;
        if (!file && url && strcmp(slash ? slash + 1 : url, name) == 0) return item;
    }
    return NULL;
}

struct scan {
    struct gateway_images *s;
    const char *dir;
    const cJSON *index;
    bool index_changed;
    void (*what)(void *ctx, const char *line);
    void *ctx;
};

static void tell(const struct scan *scan, const char *name, const char *text)
{
    char line[900];
    snprintf(line, sizeof line, "%s: %s", name, text);
    if (scan->what) scan->what(scan->ctx, line);
}

static void refuse(const struct scan *scan, const char *name, struct timespec modified,
                   const char *why)
{
    char text[700];
    for (struct refused *r = scan->s->refused; r; r = r->next)
        if (strcmp(r->name, name) == 0 && same_time(r->modified, modified)) {
            r->seen = true;
            return;
        }
    size_t size = strlen(name) + 1;
    struct refused *r = calloc(1, sizeof *r + size);
    if (r) {
        *r = (struct refused){.next = scan->s->refused, .modified = modified, .seen = true};
        memcpy(r->name, name, size);
        scan->s->refused = r;
    }
    snprintf(text, sizeof text, "not taken: %s", why);
    tell(scan, name, text);
}

static void add_file(const struct scan *scan, const char *name, const char *path,
                     const struct stat *st)
{
    char why[600] = "";
    struct zigbee_bytes bytes;
    uint8_t *data;
    int err = file_read(path, FILE_MAX, &data, &bytes.len);
    if (err) {
        snprintf(why, sizeof why, "it is larger than %u MiB", FILE_MAX >> 20);
        refuse(scan, name, st->st_mtim, err == -EFBIG ? why : strerror(-err));
        return;
    }
    bytes.data = data;
    struct entry *e =
        add(scan->s, name, &bytes, free, data, entry_of(scan->index, name), why, sizeof why);
    if (!e) {
        refuse(scan, name, st->st_mtim, why);
        return;
    }
    e->from_directory = e->seen = true;
    e->modified = st->st_mtim;
    e->file_size = st->st_size;
    snprintf(why, sizeof why, "manufacturer 0x%04x, image type 0x%04x, version 0x%08x, %u bytes%s",
             e->image.header.manufacturer, e->image.header.image_type, e->image.header.file_version,
             e->image.header.total_image_size, e->image.warning ? ", with warnings" : "");
    tell(scan, name, why);
}

static void look_at(const struct scan *scan, const char *name)
{
    char path[4096];
    struct stat st;
    if (name[0] == '.' || strcmp(name, INDEX) == 0) return;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", scan->dir, name) >= sizeof path) return;
    if (stat(path, &st) || !S_ISREG(st.st_mode)) return;
    for (struct entry *e = scan->s->first; e; e = e->next) {
        if (!e->from_directory || e->image.gone || strcmp(e->image.name, name) != 0) continue;
        if (!scan->index_changed && same_time(e->modified, st.st_mtim) &&
            e->file_size == st.st_size) {
            e->seen = true;
            return;
        }
        e->image.gone = true; /* the new one takes its place */
        e->seen = true;
    }
    add_file(scan, name, path, &st);
}

/* When the index was last changed; zero: there is none. */
static struct timespec index_time(const char *dir)
{
    char path[4096];
    struct stat st = {0};
    snprintf(path, sizeof path, "%s/" INDEX, dir);
    if (stat(path, &st)) st.st_mtim.tv_sec = 0;
    return st.st_mtim;
}

int gateway_images_scan(struct gateway_images *s, const char *dir,
                        void (*what)(void *ctx, const char *line), void *ctx, char *error,
                        size_t error_size)
{
    DIR *d = opendir(dir);
    if (!d) {
        snprintf(error, error_size, "%s: %m", dir);
        return AL_FAIL;
    }
    struct timespec modified = index_time(dir);
    cJSON *index = read_index(dir);
    struct scan scan = {s, dir, index, !same_time(modified, s->index_modified), what, ctx};
    if (scan.index_changed && modified.tv_sec && !cJSON_IsArray(index))
        tell(&scan, INDEX, "is not used: expected a JSON array of entries");
    s->index_modified = modified;
    for (struct entry *e = s->first; e; e = e->next) e->seen = false;
    for (struct refused *r = s->refused; r; r = r->next) r->seen = false;
    for (struct dirent *file; (file = readdir(d));) look_at(&scan, file->d_name);
    closedir(d);
    for (struct entry *e = s->first; e; e = e->next) {
        if (!e->from_directory || e->seen || e->image.gone) continue;
        e->image.gone = true;
        tell(&scan, e->image.name, "is no longer there");
    }
    cJSON_Delete(index);
    forget_refused(s, false);
    drop_gone(s);
    return 0;
}

/* ---- Which one is for a device ---- */

static bool named(const struct gateway_image *i, const char *maker)
{
    if (!i->manufacturers[0][0]) return true;
    for (size_t k = 0; k < GATEWAY_IMAGE_MAKERS; k++)
        if (i->manufacturers[k][0] && strcmp(i->manufacturers[k], maker) == 0) return true;
    return false;
}

static uint64_t reversed(uint64_t eui)
{
    return __builtin_bswap64(eui);
}

/* NULL: it fits; else what is in the way. */
static const char *obstacle(const struct gateway_image *i, const struct al_zota_wanted *w,
                            const struct gateway_image_target *t)
{
    struct al_zota_id id = {i->header.manufacturer, i->header.image_type, i->header.file_version};
    struct al_zota_image_limits limits = i->limits;
    if (i->destination && i->destination != w->ext_addr && reversed(i->destination) != w->ext_addr)
        return "is for another device";
    if (i->model[0] && strcmp(i->model, t->model) != 0)
        return t->model[0] ? "is for another model"
                           : "is for one model; this device's is not known";
    if (!named(i, t->manufacturer_name))
        return t->manufacturer_name[0] ? "is for another manufacturer name"
                                       : "is for one manufacturer name; this device's is not known";
    if (al_zota_image_fits(&id, &limits, w)) return NULL;
    limits.force = limits.downgrade = true;
    limits.min_running = limits.max_running = 0;
    if (al_zota_image_fits(&id, &limits, w))
        return w->id.file_version == id.file_version ? "is what the device runs"
               : w->id.file_version > id.file_version
                   ? "is older than what the device runs"
                   : "is not for the version that the device runs";
    return "is not for this hardware version";
}

const struct gateway_image *gateway_images_for(const struct gateway_images *s,
                                               const struct al_zota_wanted *wanted,
                                               const struct gateway_image_target *target, char *why,
                                               size_t why_size)
{
    const struct gateway_image *best = NULL, *newest = NULL; /* newest: of those that do not fit */
    for (const struct entry *e = s->first; e; e = e->next) {
        const struct al_zfile_header *h = &e->image.header;
        bool maker = h->manufacturer == wanted->id.manufacturer ||
                     h->manufacturer == AL_ZOTA_ANY_MANUFACTURER;
        if (e->image.gone || !maker || h->image_type != wanted->id.image_type) continue;
        const char *in_the_way = obstacle(&e->image, wanted, target);
        if (in_the_way && (!newest || h->file_version > newest->header.file_version)) {
            if (why) snprintf(why, why_size, "%s %s", e->image.name, in_the_way);
            newest = &e->image;
        }
        if (!in_the_way && (!best || h->file_version > best->header.file_version)) best = &e->image;
    }
    if (why && !best && !newest)
        snprintf(why, why_size, "there is no file for manufacturer 0x%04x, image type 0x%04x",
                 wanted->id.manufacturer, wanted->id.image_type);
    return best;
}

static const struct entry *entry_by_ref(const struct gateway_images *s, uint64_t ref)
{
    const struct entry *gone = NULL;
    for (const struct entry *e = s->first; e; e = e->next) {
        if (e->image.ref != ref) continue;
        if (!e->image.gone) return e;
        gone = e;
    }
    return gone;
}

const struct gateway_image *gateway_images_of(const struct gateway_images *s, uint64_t ref)
{
    const struct entry *e = entry_by_ref(s, ref);
    return e ? &e->image : NULL;
}

int gateway_images_read(const struct gateway_images *s, uint64_t ref, uint32_t offset, void *buf,
                        size_t len)
{
    const struct entry *e = entry_by_ref(s, ref);
    if (!e || offset >= e->image.header.total_image_size) return AL_ERR_NOT_FOUND;
    size_t left = e->image.header.total_image_size - offset;
    if (len > left) len = left;
    memcpy(buf, e->data + offset, len);
    return (int)len;
}

size_t gateway_images_count(const struct gateway_images *s)
{
    return s->count;
}

const struct gateway_image *gateway_images_at(const struct gateway_images *s, size_t index)
{
    const struct entry *e = s->first;
    while (e && index--) e = e->next;
    return e ? &e->image : NULL;
}

/* ---- For people and programs ---- */

static void add_warnings(cJSON *o, uint32_t warning)
{
    if (!warning) return;
    cJSON *list = cJSON_AddArrayToObject(o, "warnings");
    for (unsigned i = 0; i < 32; i++)
        if (warning >> i & 1)
            cJSON_AddItemToArray(list, cJSON_CreateString(al_zfile_class_name(i)));
}

static cJSON *image_json(const struct gateway_image *i)
{
    char text[AL_ZFILE_STRING + 1];
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "file", i->name);
    cJSON_AddNumberToObject(o, "manufacturer_code", i->header.manufacturer);
    cJSON_AddNumberToObject(o, "image_type", i->header.image_type);
    cJSON_AddNumberToObject(o, "file_version", i->header.file_version);
    cJSON_AddNumberToObject(o, "size", i->header.total_image_size);
    memcpy(text, i->header.string, AL_ZFILE_STRING);
    text[AL_ZFILE_STRING] = '\0';
    cJSON_AddStringToObject(o, "header_string", text);
    if (i->limits.has_hardware) {
        cJSON_AddNumberToObject(o, "hardware_min", i->limits.min_hardware);
        cJSON_AddNumberToObject(o, "hardware_max", i->limits.max_hardware);
    }
    if (i->model[0]) cJSON_AddStringToObject(o, "model", i->model);
    if (i->limits.force) cJSON_AddTrueToObject(o, "force");
    if (i->gone) cJSON_AddTrueToObject(o, "gone");
    add_warnings(o, i->warning);
    return o;
}

cJSON *gateway_images_json(const struct gateway_images *s)
{
    cJSON *list = cJSON_CreateArray();
    for (const struct entry *e = s->first; e; e = e->next)
        cJSON_AddItemToArray(list, image_json(&e->image));
    return list;
}
