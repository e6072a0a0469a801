/* The generator lays items out as the vendor's tool does. That fills pages by rules
 * of its own; the entries and pages themselves are written by core/. */
#include "host/nvs_csv.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/nvs_internal.h"
#include "host/file.h"
#include "host/flash_image.h"
#include "host/nvs_csv_text.h"

#define MAX_SIZE    0x1000000u
#define MIN_WRITE   0x3000u /* smaller images have no reserve page */
#define MAX_PAGES   (MAX_SIZE / NVS_PAGE)
#define V1_DATA_MAX 1984u
#define MAX_FILE    (AL_NVS_BLOB_MAX * 3u)

struct generator {
    const struct nvs_csv_options *opts;
    struct flash_image flash;
    struct al_nvs nvs;
    struct al_nvs_page *pages;
    unsigned usable; /* pages that may hold items */
    unsigned version;
    uint8_t ns; /* current namespace; 0: none yet */
    struct nvs_csv_fault fault;
};

static int too_small(const struct generator *g)
{
    return nvs_csv_fail(&g->fault,
                        "the partition is full; %u bytes hold %u page(s) of items%s. Take a larger "
                        "--size",
                        (unsigned)g->opts->size, g->usable,
                        g->opts->size >= MIN_WRITE ? " (one stays free)" : "");
}

static int next_page(struct generator *g)
{
    if (g->nvs.used == g->usable) return too_small(g);
    int err = al_nvs_page_set_state(&g->nvs, al_nvs_current(&g->nvs), AL_NVS_PAGE_FULL);
    return err ? err : al_nvs_take_page(&g->nvs);
}

static unsigned used_entries(const struct generator *g)
{
    return al_nvs_current(&g->nvs)->next;
}

static int put(struct generator *g, const struct al_nvs_new *item)
{
    int err = al_nvs_write_item(&g->nvs, item);
    return err == AL_ERR_NVS_PAGE_FULL ? too_small(g) : err;
}

/* Numbers go to the next page when this one is full. Strings and old blobs already
 * when they would just fit: the original tool counts so. */
static int put_whole(struct generator *g, const struct al_nvs_new *item)
{
    unsigned entries = 1 + (unsigned)((item->len + AL_NVS_ENTRY - 1) / AL_NVS_ENTRY);
    bool variable = al_nvs_type_variable(item->type);
    bool full =
        variable ? used_entries(g) + entries >= AL_NVS_ENTRIES : used_entries(g) >= AL_NVS_ENTRIES;
    int err = full ? next_page(g) : 0;
    return err ? err : put(g, item);
}

/* The first chunk takes what the page has left, be it nothing. */
static int put_blob(struct generator *g, const char *key, const uint8_t *data, size_t len)
{
    struct al_nvs_new item = {.ns = g->ns, .type = AL_NVS_BLOB, .key = key};
    size_t left = len;
    int err = used_entries(g) >= AL_NVS_ENTRIES ? next_page(g) : 0;

    do {
        size_t room = (AL_NVS_ENTRIES - 1 - used_entries(g)) * AL_NVS_ENTRY;
        if (err) return err;
        if (item.chunk == AL_NVS_CHUNKS_MAX)
            return nvs_csv_fail(&g->fault, "a blob has 127 chunks at most");
        item.data = data + (len - left);
        item.len = left < room ? left : room;
        err = put(g, &item);
        if (err) return err;
        item.chunk++;
        left -= item.len;
        if (left || room - item.len < AL_NVS_ENTRY) err = next_page(g);
    } while (left);
    if (err) return err;

    uint8_t index[8] = {[4] = item.chunk, 0, 0xff, 0xff};
    al_put_le32(index, (uint32_t)len);
    item.type = AL_NVS_BLOB_IDX;
    item.chunk = NVS_CHUNK_NONE;
    item.data = index;
    item.len = sizeof index;
    return put(g, &item);
}

static int put_value(struct generator *g, const char *key, const struct nvs_csv_value *v)
{
    struct al_nvs_new item = {.ns = g->ns,
                              .type = (uint8_t)v->type,
                              .chunk = NVS_CHUNK_NONE,
                              .key = key,
                              .data = v->data,
                              .len = v->len};
    bool blob = v->type == AL_NVS_BLOB;
    size_t max = g->version == 1 ? V1_DATA_MAX : blob ? AL_NVS_BLOB_MAX : AL_NVS_STR_MAX;

    if (al_nvs_type_variable(item.type) && v->len > max)
        return nvs_csv_fail(&g->fault,
                            "the value of '%s' has %zu bytes%s; version %u of the format takes %zu",
                            key, v->len, blob ? "" : " with its final zero", g->version, max);
    if (blob && g->version == 2) return put_blob(g, key, v->data, v->len);
    if (blob) item.type = AL_NVS_BLOB_V1;
    return put_whole(g, &item);
}

static int put_namespace(struct generator *g, const char *name)
{
    uint8_t key[16], index = (uint8_t)(g->ns + 1);
    struct al_nvs_item found;
    struct al_nvs_new item = {.ns = NVS_NAMESPACES,
                              .type = AL_NVS_U8,
                              .chunk = NVS_CHUNK_NONE,
                              .key = name,
                              .data = &index,
                              .len = 1};

    al_nvs_key(name, key);
    if (al_nvs_find(&g->nvs, NVS_NAMESPACES, AL_NVS_U8, key, NVS_CHUNK_NONE, &found) == 0) {
        if (found.raw[24] != g->ns && g->opts->warn)
            g->opts->warn(g->opts->ctx, g->fault.line,
                          "this namespace was named before; as with the vendor's tool the rows "
                          "that follow belong to the namespace created last");
        return 0;
    }
    if (g->ns == 254) return nvs_csv_fail(&g->fault, "a partition has 254 namespaces at most");
    int err = put_whole(g, &item);
    if (!err) g->ns = index;
    return err;
}

/* ---- rows ---- */

enum column { KEY, TYPE, ENCODING, VALUE, COLUMNS };
static const char *const column_names[COLUMNS] = {"key", "type", "encoding", "value"};

static char *trimmed(char *text)
{
    size_t len;

    while (isspace((unsigned char)*text)) text++;
    for (len = strlen(text); len && isspace((unsigned char)text[len - 1]);) text[--len] = 0;
    return text;
}

/* Where the columns are: the first record names them. */
static int read_header(struct generator *g, struct nvs_csv_reader *r, size_t at[COLUMNS])
{
    struct nvs_csv_record head;
    int more = nvs_csv_read(r, &head, &g->fault);

    if (more <= 0)
        return more ? more
                    : nvs_csv_fail(&g->fault, "the file is empty; its first line has to be "
                                              "key,type,encoding,value");
    for (int c = 0; c < COLUMNS; c++) {
        for (at[c] = 0; at[c] < head.count; at[c]++)
            if (strcmp(trimmed(head.field[at[c]]), column_names[c]) == 0) break;
        if (at[c] == head.count)
            return nvs_csv_fail(&g->fault,
                                "no column '%s'; the first line has to be key,type,encoding,value",
                                column_names[c]);
    }
    return 0;
}

static int put_data(struct generator *g, const char *key, const char *encoding, const char *text,
                    bool file)
{
    struct nvs_csv_value value;
    uint8_t *content = NULL;
    size_t len = strlen(text);

    if (!g->ns)
        return nvs_csv_fail(&g->fault,
                            "'%s' has no namespace; a row like storage,namespace,, has "
                            "to come first",
                            key);
    if (file) {
        int err = file_read(text, MAX_FILE, &content, &len);
        if (err) return nvs_csv_fail(&g->fault, "cannot read %s: %s", text, strerror(-err));
    }
    int err = nvs_csv_decode(encoding, content ? (char *)content : text, len, &value, &g->fault);
    free(content);
    if (err) return err;
    err = put_value(g, key, &value);
    free(value.data);
    return err;
}

static int put_row(struct generator *g, const struct nvs_csv_record *row, const size_t at[COLUMNS])
{
    static char none[1];
    char *cell[COLUMNS];

    for (int c = 0; c < COLUMNS; c++)
        cell[c] = at[c] < row->count ? row->field[at[c]] : (none[0] = 0, none);
    char *key = trimmed(cell[KEY]), *type = trimmed(cell[TYPE]);
    if (strlen(key) > AL_NVS_KEY_LEN)
        return nvs_csv_fail(&g->fault, "'%s' has %zu characters; a key or namespace has 15 at most",
                            key, strlen(key));
    if (strcmp(type, "namespace") == 0) return put_namespace(g, key);
    bool file = strcmp(type, "file") == 0;
    if (!file && strcmp(type, "data") != 0)
        return nvs_csv_fail(&g->fault, "type '%s' is unknown; take namespace, data or file", type);
    return put_data(g, key, trimmed(cell[ENCODING]), cell[VALUE], file);
}

/* ---- the image ---- */

/* Version 1 differs in a byte of the page header. */
static void make_version_1(struct generator *g)
{
    for (unsigned i = 0; i < g->nvs.used; i++) {
        uint8_t *page = g->flash.bytes + g->nvs.pages[i].sector * NVS_PAGE;
        if (g->nvs.pages[i].state == AL_NVS_PAGE_UNINIT) continue;
        page[8] = 0xff;
        al_put_le32(page + 28, al_crc32(NVS_CRC_INIT, page + 4, 24));
    }
}

static int begin(struct generator *g)
{
    uint32_t size = g->opts->size, count = size / NVS_PAGE;

    if (size == 0 || size % NVS_PAGE || size > MAX_SIZE)
        return nvs_csv_fail(&g->fault,
                            "the size 0x%x is no multiple of 4096 from 0x1000 to 0x1000000",
                            (unsigned)size);
    if (g->version != 1 && g->version != 2)
        return nvs_csv_fail(&g->fault, "version %u of the format is unknown; 1 or 2", g->version);
    uint8_t *blank = malloc(size);
    g->pages = calloc(count, sizeof *g->pages);
    int err = blank && g->pages ? 0 : AL_ERR_NO_MEM;
    if (!err) {
        memset(blank, 0xff, size);
        err = flash_image_memory(&g->flash, blank, size, 0);
    }
    free(blank);
    struct al_window all = al_window_all(&g->flash.flash);
    if (!err) err = al_nvs_init(&g->nvs, &all, g->pages, count);
    g->usable = size < MIN_WRITE ? count : count - 1;
    return err ? nvs_csv_fail(&g->fault, "out of memory") : 0;
}

static int put_rows(struct generator *g, struct nvs_csv_reader *r)
{
    struct nvs_csv_record row;
    size_t at[COLUMNS] = {0};
    int more = read_header(g, r, at);

    if (more) return more;
    while ((more = nvs_csv_read(r, &row, &g->fault)) > 0) {
        int err = put_row(g, &row, at);
        if (err) return err;
    }
    return more;
}

int nvs_csv_build(const char *text, size_t len, const struct nvs_csv_options *options,
                  uint8_t **out, char *why, size_t why_size)
{
    struct generator g = {.opts = options,
                          .version = options->version ? options->version : 2,
                          .fault = {.why = why, .size = why_size}};
    int err = begin(&g);
    char *copy = err ? NULL : malloc(len + 1);

    if (copy) {
        if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) text += 3, len -= 3;
        memcpy(copy, text, len);
        copy[len] = 0;
        struct nvs_csv_reader reader = {.at = copy, .end = copy + len, .line = 1};
        err = put_rows(&g, &reader);
    } else if (!err) {
        err = nvs_csv_fail(&g.fault, "out of memory");
    }
    if (!err && g.version == 1) make_version_1(&g);
    if (!err) {
        *out = g.flash.bytes;
        g.flash.bytes = NULL;
    }
    flash_image_close(&g.flash);
    free(g.pages);
    free(copy);
    return err ? AL_FAIL : 0;
}
