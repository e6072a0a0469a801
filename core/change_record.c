/* The record of a change set: its rules, its bytes, its marks. See change.h. */
#include "core/change_internal.h"

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/err.h"

#define HEAD      8u /* magic and CRC */
#define PARTS     32u
#define PART      88u
#define MARKS     768u
#define VERSION   1u
#define SWITCHES  1u
#define KEEPS_OLD 2u
#define PAGE      256u

static struct al_window sector_from_end(const struct al_window *area, uint32_t n)
{
    struct al_window w = {.size = 0};
    (void)al_window_sub(area, area->size - n * AL_SECTOR, AL_SECTOR, &w);
    return w;
}

static struct al_window record_of(const struct al_window *area)
{
    return sector_from_end(area, 1);
}

/* --- rules --- */

struct range {
    uint32_t begin, len;
};

static bool sectors(struct range r, uint32_t flash_size)
{
    return r.begin % AL_SECTOR == 0 && r.len % AL_SECTOR == 0 && r.begin <= flash_size &&
           r.len <= flash_size - r.begin;
}

static bool overlap(struct range a, struct range b)
{
    return a.begin < b.begin + b.len && b.begin < a.begin + a.len;
}

static bool inside(struct range a, const struct al_part *p)
{
    return a.begin >= p->offset && a.begin - p->offset <= p->size &&
           a.len <= p->size - (a.begin - p->offset);
}

/* What no change set may write to: apps and boot loaders, the boot choice, keys, fuses, the
 * system's settings. Types that are the user's own are data. */
static bool sacred(const struct al_part *p)
{
    if (p->type == AL_PART_APP || p->type == AL_PART_BOOTLOADER ||
        p->type == AL_PART_PARTITION_TABLE || p->flags & AL_PART_READONLY)
        return true;
    if (p->type != AL_PART_DATA) return false;
    switch (p->subtype) {
    case AL_PART_DATA_OTA:
    case AL_PART_DATA_NVS_KEYS:
    case AL_PART_DATA_EFUSE:
        return true;
    case AL_PART_DATA_NVS:
        return p->label[0] == 'n' && p->label[1] == 'v' && p->label[2] == 's' && !p->label[3];
    default:
        return false;
    }
}

bool al_change_target_ok(const struct al_ota *o, uint32_t offset, uint32_t size)
{
    struct range r = {offset, size};
    uint32_t table = o->table_offset ? o->table_offset : AL_PART_TABLE_OFFSET;
    if (!size || !sectors(r, o->flash->size) || offset < table + AL_SECTOR) return false;
    for (uint32_t i = 0; i < o->table->count; i++) {
        const struct al_part *p = &o->table->part[i];
        if (overlap(r, (struct range){p->offset, p->size}) && (sacred(p) || !inside(r, p)))
            return false;
    }
    return true;
}

/* Contents are staged in an OTA slot or a data partition, never across. */
static bool staged_ok(const struct al_ota *o, struct range r)
{
    for (uint32_t i = 0; i < o->table->count; i++) {
        const struct al_part *p = &o->table->part[i];
        bool slot =
            p->type == AL_PART_APP && p->subtype >= AL_PART_OTA_0 && p->subtype <= AL_PART_OTA_15;
        if (inside(r, p)) return slot || !sacred(p);
    }
    return false;
}

static bool part_ok(const struct al_ota *o, const struct al_change_set *set, uint32_t n,
                    struct range reserve)
{
    const struct al_change_part *p = &set->part[n];
    struct range target = {p->target, p->target_size}, staged = {p->staged, p->room};
    if (!al_change_target_ok(o, p->target, p->target_size) || !sectors(staged, o->flash->size) ||
        !staged_ok(o, staged) || p->len > p->target_size || p->len > p->room ||
        p->swap_len > p->room || p->swap_len % AL_SECTOR || overlap(staged, reserve) ||
        overlap(target, reserve))
        return false;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct al_change_part *q = &set->part[i];
        if (overlap(target, (struct range){q->staged, q->room})) return false;
        if (i == n) continue;
        if (overlap(target, (struct range){q->target, q->target_size}) ||
            overlap(staged, (struct range){q->staged, q->room}))
            return false;
    }
    return true;
}

const struct al_part *al_change_slot(const struct al_ota *o, uint32_t offset)
{
    for (uint32_t i = 0; i < o->table->count; i++) {
        const struct al_part *p = &o->table->part[i];
        if (p->type == AL_PART_APP && p->offset == offset && p->subtype >= AL_PART_OTA_0 &&
            p->subtype <= AL_PART_OTA_15)
            return p;
    }
    return NULL;
}

int change_check(const struct al_ota *o, const struct al_window *area,
                 const struct al_change_set *set)
{
    if (area->size < AL_CHANGE_RESERVE || area->size % AL_SECTOR || area->offset % AL_SECTOR ||
        set->count > AL_CHANGE_PARTS || (!set->count && !set->switches) ||
        (set->switches && !al_change_slot(o, set->slot)))
        return AL_ERR_INVALID_ARG;
    struct range reserve = {area->offset + area->size - AL_CHANGE_RESERVE, AL_CHANGE_RESERVE};
    uint32_t steps = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        if (!part_ok(o, set, i, reserve)) return AL_ERR_INVALID_ARG;
        steps += set->part[i].swap_len / AL_SECTOR * CHANGE_STEPS;
        if (steps > CHANGE_MARKS - CHANGE_MARK_STEPS) return AL_ERR_INVALID_SIZE;
    }
    return AL_OK;
}

/* --- bytes: the record goes through one small buffer, part by part --- */

static void encode_part(const struct al_change_part *p, uint8_t raw[PART])
{
    const uint32_t words[] = {p->target, p->target_size, p->staged, p->len, p->room, p->swap_len};
    for (uint32_t i = 0; i < 6; i++) al_put_le32(raw + 4 * i, words[i]);
    memcpy(raw + 24, p->sha256, 32);
    memcpy(raw + 56, p->old_sha256, 32);
}

static void decode_part(const uint8_t raw[PART], struct al_change_part *p)
{
    struct al_cur c = al_cur(raw, PART);
    p->target = al_le32(&c);
    p->target_size = al_le32(&c);
    p->staged = al_le32(&c);
    p->len = al_le32(&c);
    p->room = al_le32(&c);
    p->swap_len = al_le32(&c);
    al_bytes(&c, p->sha256, 32);
    al_bytes(&c, p->old_sha256, 32);
}

/* All but magic and CRC, which are programmed last. */
static int write_body(const struct al_window *w, const struct al_change_set *set, uint32_t seq,
                      uint32_t before, uint32_t *crc)
{
    uint8_t raw[PART];
    const uint32_t words[] = {
        VERSION,   set->count, (set->switches ? SWITCHES : 0) | (set->keep_old ? KEEPS_OLD : 0),
        set->slot, seq,        before};
    for (uint32_t i = 0; i < 6; i++) al_put_le32(raw + 4 * i, words[i]);
    *crc = al_crc32(0, raw, PARTS - HEAD);
    int err = al_window_program(w, HEAD, raw, PARTS - HEAD);
    for (uint32_t i = 0; !err && i < AL_CHANGE_PARTS; i++) {
        memset(raw, 0, sizeof raw);
        if (i < set->count) encode_part(&set->part[i], raw);
        *crc = al_crc32(*crc, raw, PART);
        err = al_window_program(w, PARTS + i * PART, raw, PART);
    }
    return err;
}

static int read_record(const struct al_window *w, struct al_change *c)
{
    uint8_t raw[PART];
    struct al_change_set *set = &c->set;
    int err = al_window_read(w, 0, raw, PARTS);
    struct al_cur cur = al_cur(raw, PARTS);
    if (err) return err;
    if (al_le32(&cur) != AL_CHANGE_MAGIC) return AL_ERR_NOT_FOUND;
    uint32_t crc = al_le32(&cur), version = al_le32(&cur),
             is = al_crc32(0, raw + HEAD, PARTS - HEAD);
    set->count = al_le32(&cur);
    uint32_t flags = al_le32(&cur);
    set->switches = flags & SWITCHES;
    set->keep_old = flags & KEEPS_OLD;
    set->slot = al_le32(&cur);
    c->seq = al_le32(&cur);
    c->before = al_le32(&cur);
    for (uint32_t i = 0; i < AL_CHANGE_PARTS; i++) {
        err = al_window_read(w, PARTS + i * PART, raw, PART);
        if (err) return err;
        is = al_crc32(is, raw, PART);
        decode_part(raw, &set->part[i]);
    }
    return is == crc && version == VERSION ? AL_OK : AL_ERR_NOT_FOUND;
}

/* --- marks --- */

static uint8_t mark_byte(const struct al_change *c, uint32_t mark)
{
    struct al_window w = record_of(&c->area);
    uint8_t byte = 0xff;
    (void)al_window_read(&w, MARKS + mark, &byte, 1);
    return byte;
}

/* A torn mark counts: it was begun when its step was done. */
bool al_change_marked(const struct al_change *c, uint32_t mark, bool back)
{
    uint8_t byte = mark_byte(c, mark);
    return (back ? byte >> 4 : byte & 0x0f) != 0x0f;
}

int al_change_mark(const struct al_change *c, uint32_t mark, bool back)
{
    struct al_window w = record_of(&c->area);
    uint8_t byte = mark_byte(c, mark) & (back ? 0x0f : 0xf0);
    return al_window_program(&w, MARKS + mark, &byte, 1);
}

/* --- digests --- */

int al_change_digest(const struct al_ota *o, uint32_t offset, uint32_t len, uint8_t digest[32])
{
    struct al_window all = al_window_all(o->flash);
    struct al_hash h;
    uint8_t buf[PAGE];
    int err = al_hash_begin(&h, o->crypto, AL_SHA256);
    if (err) return err;
    for (uint32_t at = 0; !err && at < len; at += PAGE) {
        uint32_t n = len - at < PAGE ? len - at : PAGE;
        err = al_window_read(&all, offset + at, buf, n);
        if (!err) err = al_hash_update(&h, buf, n);
    }
    int finished = al_hash_finish(&h, err ? NULL : digest);
    return err ? err : finished;
}

int al_change_compare(const struct al_ota *o, uint32_t offset, uint32_t len,
                      const uint8_t digest[32])
{
    uint8_t found[32];
    int err = al_change_digest(o, offset, len, found);
    return err ? err : memcmp(found, digest, sizeof found) ? AL_ERR_INVALID_CRC : AL_OK;
}

int al_change_used(const struct al_ota *o, uint32_t offset, uint32_t size, uint32_t *used)
{
    struct al_window all = al_window_all(o->flash);
    uint8_t buf[PAGE];
    *used = 0;
    for (uint32_t at = size; at;) {
        uint32_t n = at % PAGE ? at % PAGE : PAGE;
        at -= n;
        int err = al_window_read(&all, offset + at, buf, n);
        if (err) return err;
        while (n && buf[n - 1] == 0xff) n--;
        if (!n) continue;
        *used = (at + n + AL_SECTOR - 1) & ~(AL_SECTOR - 1);
        return AL_OK;
    }
    return AL_OK;
}

/* --- record, read, void --- */

static int read_otadata(const struct al_ota *o, struct al_window *w, struct al_ota_entry e[2])
{
    const struct al_part *p = al_part_find(o->table, AL_PART_DATA, AL_PART_DATA_OTA, NULL);
    if (!p || al_part_window(o->flash, p, w)) return AL_ERR_NOT_FOUND;
    return al_ota_data_read(w, e);
}

int al_change_entry(const struct al_ota *o, uint32_t seq, struct al_window *w,
                    struct al_ota_entry *entry, uint32_t *index)
{
    struct al_ota_entry e[2];
    int err = read_otadata(o, w, e);
    if (err) return err;
    for (uint32_t i = 0; i < 2; i++) {
        if (!al_ota_entry_written(&e[i]) || e[i].seq != seq) continue;
        *entry = e[i];
        *index = i;
        return AL_OK;
    }
    return AL_ERR_NOT_FOUND;
}

int al_change_plan(const struct al_ota *o, uint32_t slot, uint32_t *seq, uint32_t *before)
{
    struct al_window w;
    struct al_ota_entry e[2];
    const struct al_part *p = al_change_slot(o, slot);
    uint32_t slots = al_part_ota_count(o->table);
    if (!p || !slots) return AL_ERR_NOT_FOUND;
    /* A table with a gap in its slots: the boot choice cannot name it. */
    if (p->subtype - (uint32_t)AL_PART_OTA_0 >= slots) return AL_ERR_INVALID_ARG;
    int err = read_otadata(o, &w, e);
    if (err) return err;
    int active = al_ota_active(e);
    *before = active < 0 ? AL_OTA_SEQ_EMPTY : e[active].seq;
    *seq = al_ota_switch_plan(e, p->subtype - (uint32_t)AL_PART_OTA_0, slots).seq;
    return AL_OK;
}

/* An earlier attempt that was rolled back has left the number that this one will have: it must
 * not be taken for the verdict on this one. */
static int forget_refused(const struct al_ota *o, uint32_t seq)
{
    struct al_window w;
    struct al_ota_entry e;
    uint32_t index;
    int err = al_change_entry(o, seq, &w, &e, &index);
    if (err == AL_ERR_NOT_FOUND) return AL_OK;
    return err || !al_ota_entry_unusable(&e) ? err : al_ota_data_erase(&w, index);
}

/* The slot as al_ota_set_boot will judge it; it erases an image that is too old. */
static int check_slot(struct al_ota *o, uint32_t offset)
{
    struct al_window w;
    struct al_app_desc desc;
    const struct al_part *p = al_change_slot(o, offset);
    int err = al_ota_verify_part(o, p, NULL);
    if (err || !o->anti_rollback) return err;
    if (al_part_window(o->flash, p, &w) || al_app_desc_read(&w, &desc))
        return AL_ERR_OTA_VALIDATE_FAILED;
    bool old = desc.secure_version < o->secure_version->get(o->secure_version->ctx);
    return old ? AL_ERR_OTA_SMALL_SEC_VER : AL_OK;
}

static int plan_swap(const struct al_ota *o, struct al_change_part *p)
{
    int err = al_change_used(o, p->target, p->target_size, &p->swap_len);
    uint32_t len = (p->len + AL_SECTOR - 1) & ~(AL_SECTOR - 1);
    if (p->swap_len < len) p->swap_len = len;
    if (!err && p->swap_len > p->room) err = AL_ERR_INVALID_SIZE;
    return err ? err : al_change_digest(o, p->target, p->swap_len, p->old_sha256);
}

static int prepare(struct al_ota *o, struct al_change_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        struct al_change_part *p = &set->part[i];
        p->swap_len = 0;
        memset(p->old_sha256, 0, sizeof p->old_sha256);
        int err = al_change_compare(o, p->staged, p->len, p->sha256);
        if (!err && set->keep_old) err = plan_swap(o, p);
        if (err) return err;
    }
    return set->switches ? check_slot(o, set->slot) : AL_OK;
}

static int refuse_second(struct al_ota *o, const struct al_window *area)
{
    struct al_change c;
    int err = al_change_read(o, area, &c);
    return err == AL_ERR_NOT_FOUND ? AL_OK : err ? err : AL_ERR_INVALID_STATE;
}

static int write_record(const struct al_window *area, const struct al_change_set *set, uint32_t seq,
                        uint32_t before)
{
    struct al_window w = record_of(area);
    uint8_t head[HEAD];
    uint32_t crc = 0;
    int err = al_window_erase(&w, 0, AL_SECTOR);
    if (!err) err = write_body(&w, set, seq, before, &crc);
    al_put_le32(head, AL_CHANGE_MAGIC);
    al_put_le32(head + 4, crc);
    return err ? err : al_window_program(&w, 0, head, sizeof head);
}

int al_change_record(struct al_ota *o, const struct al_window *area, struct al_change_set *set)
{
    uint32_t seq = 0, before = 0;
    for (uint32_t i = 0; i < set->count && i < AL_CHANGE_PARTS; i++) set->part[i].swap_len = 0;
    int err = change_check(o, area, set);
    if (!err) err = refuse_second(o, area);
    if (!err) err = prepare(o, set);
    if (!err) err = change_check(o, area, set); /* with the lengths of the swaps */
    if (!err && set->switches) err = al_change_plan(o, set->slot, &seq, &before);
    if (!err && set->switches) err = forget_refused(o, seq);
    return err ? err : write_record(area, set, seq, before);
}

int al_change_read(struct al_ota *o, const struct al_window *area, struct al_change *c)
{
    *c = (struct al_change){.o = o, .area = *area};
    if (area->size < AL_CHANGE_RESERVE) return AL_ERR_NOT_FOUND;
    struct al_window w = record_of(area);
    int err = read_record(&w, c);
    if (err) return err;
    if (change_check(o, area, &c->set)) return AL_ERR_NOT_FOUND;
    c->state = al_change_marked(c, CHANGE_MARK_WHOLE, true)    ? AL_CHANGE_UNDOING
               : al_change_marked(c, CHANGE_MARK_WHOLE, false) ? AL_CHANGE_TRIAL
                                                               : AL_CHANGE_PENDING;
    return AL_OK;
}

/* A later erase, torn, must not revive it: so zeros, not an erase. */
int al_change_finish(struct al_change *c)
{
    static const uint8_t zeros[HEAD];
    struct al_window w = record_of(&c->area);
    int err = al_window_program(&w, 0, zeros, sizeof zeros);
    if (!err) c->state = AL_CHANGE_NONE;
    return err;
}
