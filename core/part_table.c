#include "core/part_table.h"

#include "core/bytes.h"
#include "core/err.h"

#define ENTRIES    (AL_PART_TABLE_LEN / AL_PART_ENTRY) /* places in the table, end marker included */
#define MD5_OFFSET 16u                                 /* of the digest in its entry */

void al_part_decode(const uint8_t raw[AL_PART_ENTRY], struct al_part *out)
{
    out->type = raw[2];
    out->subtype = raw[3];
    out->offset = al_get_le32(raw + 4);
    out->size = al_get_le32(raw + 8);
    memcpy(out->label, raw + 12, 16);
    out->label[16] = '\0';
    out->flags = al_get_le32(raw + 28);
}

void al_part_encode(const struct al_part *p, uint8_t raw[AL_PART_ENTRY])
{
    al_put_le16(raw, AL_PART_MAGIC);
    raw[2] = p->type;
    raw[3] = p->subtype;
    al_put_le32(raw + 4, p->offset);
    al_put_le32(raw + 8, p->size);
    memcpy(raw + 12, p->label, 16);
    al_put_le32(raw + 28, p->flags);
}

/* Where the entries come from: memory, or flash one entry at a time. */
struct table_walk {
    const uint8_t *raw; /* NULL: from window */
    size_t len;
    struct al_window window;
    struct al_hash md5; /* of the entries so far */
    uint8_t entry[AL_PART_ENTRY];
    uint32_t count; /* entries so far, of which out takes AL_PART_MAX */
    bool has_md5;
    struct al_part_table *out; /* NULL: only the verdict is wanted */
    struct al_part_fault *fault;
};

static int fail(struct table_walk *w, enum al_part_check check, int err)
{
    w->fault->check = check;
    return err;
}

static int next_entry(struct table_walk *w, uint32_t index)
{
    w->fault->index = index;
    w->fault->offset = index * AL_PART_ENTRY;
    if (w->raw) {
        if (w->len < w->fault->offset + AL_PART_ENTRY)
            return fail(w, AL_PART_CHECK_NO_END, AL_ERR_INVALID_STATE);
        memcpy(w->entry, w->raw + w->fault->offset, AL_PART_ENTRY);
        return AL_OK;
    }
    int err = al_window_read(&w->window, w->fault->offset, w->entry, AL_PART_ENTRY);
    return err ? fail(w, AL_PART_CHECK_READ, err) : AL_OK;
}

/* The digest so far, held against the MD5 entry. The hash is spent. */
static int check_md5(struct table_walk *w)
{
    uint8_t digest[AL_MD5];
    int err = al_hash_finish(&w->md5, digest);
    w->has_md5 = true;
    if (err) return err;
    if (memcmp(digest, w->entry + MD5_OFFSET, sizeof digest) == 0) return AL_OK;
    return fail(w, AL_PART_CHECK_MD5, AL_ERR_INVALID_STATE);
}

/* A table with an entry in the last place has no end: its verdict is known. */
static int add_entry(struct table_walk *w)
{
    if (w->out && w->count < AL_PART_MAX) al_part_decode(w->entry, &w->out->part[w->count]);
    w->count++;
    /* Behind the MD5 entry the digest is known already. */
    return w->has_md5 ? AL_OK : al_hash_update(&w->md5, w->entry, AL_PART_ENTRY);
}

/* The boot loader's view: everything up to the end marker. */
static int walk_verify(struct table_walk *w, uint32_t flash_size)
{
    int err = AL_OK;
    for (uint32_t i = 0; i < ENTRIES && !err; i++) {
        err = next_entry(w, i);
        if (err) return err;
        uint32_t magic = al_get_le16(w->entry);
        if (magic == AL_PART_MAGIC) {
            uint32_t offset = al_get_le32(w->entry + 4), size = al_get_le32(w->entry + 8);
            if (offset > flash_size || size > flash_size - offset) {
                w->fault->part_offset = offset;
                w->fault->part_size = size;
                w->fault->expected = flash_size;
                return fail(w, AL_PART_CHECK_BEYOND, AL_ERR_INVALID_SIZE);
            }
            err = add_entry(w);
        } else if (magic == AL_PART_MAGIC_MD5) {
            if (w->has_md5) return fail(w, AL_PART_CHECK_TWO_MD5, AL_ERR_INVALID_STATE);
            err = check_md5(w);
        } else if (magic == 0xffff && w->entry[2] == 0xff && w->entry[3] == 0xff && i > 0) {
            return AL_OK;
        } else {
            w->fault->expected = AL_PART_MAGIC;
            w->fault->found = magic;
            return fail(w, AL_PART_CHECK_MAGIC, AL_ERR_INVALID_STATE);
        }
    }
    return err ? err : fail(w, AL_PART_CHECK_NO_END, AL_ERR_INVALID_STATE);
}

/* Entries, then the MD5 entry, and no look behind it. */
static int walk_load_any(struct table_walk *w, bool md5)
{
    for (uint32_t i = 0; i < ENTRIES; i++) {
        int err = next_entry(w, i);
        uint32_t magic = al_get_le16(w->entry);
        if (!err && magic == AL_PART_MAGIC_MD5) return check_md5(w);
        if (!err && magic != AL_PART_MAGIC) break;
        if (!err) err = add_entry(w);
        if (err) return err;
    }
    if (md5) return fail(w, AL_PART_CHECK_NO_MD5, AL_ERR_NOT_FOUND);
    if (w->count > AL_PART_MAX) return fail(w, AL_PART_CHECK_NO_END, AL_ERR_NOT_FOUND);
    if (w->count) return AL_OK;
    w->fault->expected = AL_PART_MAGIC;
    w->fault->found = al_get_le16(w->entry);
    return fail(w, AL_PART_CHECK_MAGIC, AL_ERR_NOT_FOUND);
}

/* The application's view. */
static int walk_load(struct table_walk *w, uint32_t flash_size)
{
    (void)flash_size;
    return walk_load_any(w, true);
}

static int walk_load_plain(struct table_walk *w, uint32_t flash_size)
{
    (void)flash_size;
    return walk_load_any(w, false);
}

/* entries: a function, not a flag, so that a boot loader does without walk_load(). */
static int walk(struct table_walk *w, int (*entries)(struct table_walk *, uint32_t),
                uint32_t flash_size, const struct al_crypto *crypto, struct al_part_table *out,
                struct al_part_fault *fault)
{
    struct al_part_fault unused;
    w->out = out;
    if (!fault) fault = &unused;
    w->fault = fault;
    memset(w->fault, 0, sizeof *w->fault);
    if (out) memset(out, 0, sizeof *out);
    int err = al_hash_begin(&w->md5, crypto, AL_MD5);
    if (!err) err = entries(w, flash_size);
    if (!w->has_md5) (void)al_hash_finish(&w->md5, NULL);
    if (!err) memset(w->fault, 0, sizeof *w->fault);
    if (out) {
        out->count = err ? 0 : w->count;
        out->has_md5 = w->has_md5;
    }
    return err;
}

int al_part_table_parse(const uint8_t *raw, size_t len, uint32_t flash_size,
                        const struct al_crypto *crypto, struct al_part_table *out,
                        struct al_part_fault *fault)
{
    struct table_walk w = {.raw = raw, .len = len};
    return walk(&w, walk_verify, flash_size, crypto, out, fault);
}

static int walk_flash(const struct al_flash *f, uint32_t offset,
                      int (*entries)(struct table_walk *, uint32_t), const struct al_crypto *crypto,
                      struct al_part_table *out, struct al_part_fault *fault)
{
    struct al_window all = al_window_all(f);
    struct table_walk w = {.raw = NULL};
    /* A window that does not fit stays empty, and reading it fails. */
    w.window.flash = f;
    (void)al_window_sub(&all, offset, AL_PART_TABLE_LEN, &w.window);
    return walk(&w, entries, f->size, crypto, out, fault);
}

int al_part_table_read(const struct al_flash *f, uint32_t offset, const struct al_crypto *crypto,
                       struct al_part_table *out, struct al_part_fault *fault)
{
    return walk_flash(f, offset, walk_verify, crypto, out, fault);
}

int al_part_table_load(const struct al_flash *f, uint32_t offset, bool md5,
                       const struct al_crypto *crypto, struct al_part_table *out,
                       struct al_part_fault *fault)
{
    return walk_flash(f, offset, md5 ? walk_load : walk_load_plain, crypto, out, fault);
}

int al_part_table_build(const struct al_part_table *t, bool with_md5,
                        const struct al_crypto *crypto, uint8_t raw[AL_PART_TABLE_LEN])
{
    if (t->count + with_md5 >= ENTRIES) return AL_ERR_INVALID_SIZE;
    uint32_t len = t->count * AL_PART_ENTRY;
    memset(raw, 0xff, AL_PART_TABLE_LEN);
    for (uint32_t i = 0; i < t->count; i++) al_part_encode(&t->part[i], raw + i * AL_PART_ENTRY);
    if (!with_md5) return AL_OK;

    al_put_le16(raw + len, AL_PART_MAGIC_MD5);
    struct al_hash h;
    int err = al_hash_begin(&h, crypto, AL_MD5);
    if (!err) err = al_hash_update(&h, raw, len);
    int end = al_hash_finish(&h, raw + len + MD5_OFFSET);
    return err ? err : end;
}

const struct al_part *al_part_find(const struct al_part_table *t, uint8_t type, uint8_t subtype,
                                   const char *label)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const struct al_part *p = &t->part[i];
        if ((type == AL_PART_ANY || p->type == type) &&
            (subtype == AL_PART_ANY || p->subtype == subtype) &&
            (!label || strcmp(p->label, label) == 0))
            return p;
    }
    return NULL;
}

int al_part_window(const struct al_flash *f, const struct al_part *p, struct al_window *out)
{
    struct al_window all = al_window_all(f);
    int err = al_window_sub(&all, p->offset, p->size, out);
    out->readonly = p->flags & AL_PART_READONLY;
    return err;
}

uint32_t al_part_ota_count(const struct al_part_table *t)
{
    uint32_t n = 0;
    while (n < 16 && al_part_find(t, AL_PART_APP, (uint8_t)(AL_PART_OTA_0 + n), NULL)) n++;
    return n;
}

uint32_t al_part_ota_count_all(const struct al_part_table *t)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->count; i++)
        n += t->part[i].type == AL_PART_APP && t->part[i].subtype >= AL_PART_OTA_0 &&
             t->part[i].subtype <= AL_PART_OTA_15;
    return n;
}
