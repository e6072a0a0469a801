/* Which slot boots next, and whether the running one may stay. See ota.h. */
#include "core/ota_internal.h"

#include "core/err.h"

#include <string.h>

#define SLOTS_MAX 16u

void al_ota_tell(const struct al_ota *o, const struct al_ota_event_args *a)
{
    if (o->event) o->event(o->event_ctx, a);
}

void al_ota_tell_part(const struct al_ota *o, enum al_ota_event event, const struct al_part *part,
                      const struct al_part *part2)
{
    al_ota_tell(o, &(struct al_ota_event_args){.event = event, .part = part, .part2 = part2});
}

bool al_ota_is_slot(const struct al_part *p)
{
    return p->type == AL_PART_APP && p->subtype >= AL_PART_OTA_0 && p->subtype <= AL_PART_OTA_15;
}

bool al_ota_same_part(const struct al_part *a, const struct al_part *b)
{
    return a->type == b->type && a->subtype == b->subtype && a->offset == b->offset &&
           a->size == b->size && strcmp(a->label, b->label) == 0;
}

/* --- otadata --- */

/* otadata as the application reads it: the first one counts (the boot loader takes
 * the last), and slots are ota_0 up to the first that is missing. */
struct choice {
    struct al_window window;
    struct al_ota_entry entry[2];
    uint32_t slots;
    int active; /* entry in force; -1: none, or no slots */
};

static int read_choice(const struct al_ota *o, struct choice *c)
{
    const struct al_part *p = al_part_find(o->table, AL_PART_DATA, AL_PART_DATA_OTA, NULL);
    if (!p || al_part_window(o->flash, p, &c->window)) return AL_ERR_NOT_FOUND;
    int err = al_ota_data_read(&c->window, c->entry);
    if (err) return err == AL_ERR_POWER ? err : AL_ERR_NOT_FOUND;
    c->slots = al_part_ota_count(o->table);
    c->active = c->slots ? al_ota_active(c->entry) : -1;
    return AL_OK;
}

static const struct al_part *find_slot(const struct al_ota *o, uint32_t slot)
{
    if (slot >= SLOTS_MAX) return NULL;
    return al_part_find(o->table, AL_PART_APP, (uint8_t)(AL_PART_OTA_0 + slot), NULL);
}

static const struct al_part *slot_of(const struct al_ota *o, const struct choice *c, int index)
{
    return find_slot(o, al_ota_entry_slot(&c->entry[index], c->slots));
}

static int write_choice(struct choice *c, uint32_t index, uint32_t seq, uint32_t state)
{
    struct al_ota_entry *e = &c->entry[index];
    e->seq = seq;
    e->state = state;
    e->crc = al_ota_entry_crc(seq);
    return al_ota_data_write(&c->window, index, e);
}

/* --- images --- */

int al_ota_verify_kind(const struct al_ota *o, const struct al_part *p, enum al_image_kind kind,
                       bool silent, struct al_image *out)
{
    const struct al_image_rules rules = {
        .crypto = o->crypto,
        .device = o->device,
        .kind = kind,
        .skip_hash = kind == AL_IMAGE_BOOTLOADER && !o->keys,
        .keys = o->keys,
    };
    struct al_window w;
    struct al_image_fault fault;
    int err = al_part_window(o->flash, p, &w);
    if (err) return AL_ERR_OTA_VALIDATE_FAILED;
    err = al_image_verify(&w, &rules, out, &fault);
    if (!err) return AL_OK;
    if (!silent)
        al_ota_tell(o, &(struct al_ota_event_args){
                           .event = AL_OTA_EV_IMAGE_FAULT, .part = p, .image = &fault});
    return AL_ERR_OTA_VALIDATE_FAILED;
}

static enum al_image_kind kind_at(const struct al_ota *o, const struct al_part *p)
{
    return p->offset == o->bootloader_offset ? AL_IMAGE_BOOTLOADER : AL_IMAGE_APP;
}

int al_ota_verify_part(struct al_ota *o, const struct al_part *p, struct al_image *out)
{
    return al_ota_verify_kind(o, p, kind_at(o, p), false, out);
}

static bool verifies(const struct al_ota *o, const struct al_part *p)
{
    return p && !al_ota_verify_kind(o, p, kind_at(o, p), true, NULL);
}

static int read_desc(const struct al_ota *o, const struct al_part *p, struct al_app_desc *desc)
{
    struct al_window w;
    int err = al_part_window(o->flash, p, &w);
    return err ? err : al_app_desc_read(&w, desc);
}

static uint32_t least_version(const struct al_ota *o)
{
    return o->secure_version->get(o->secure_version->ctx);
}

/* --- choosing --- */

static int erase_part(const struct al_ota *o, const struct al_part *p)
{
    struct al_window w;
    int err = al_part_window(o->flash, p, &w);
    return err ? err : al_window_erase(&w, 0, w.size);
}

/* The entry in force goes last: a power cut must not revive the one before it. */
static int choose_factory(const struct al_ota *o)
{
    struct choice c;
    int err = read_choice(o, &c);
    if (err) return err;
    uint32_t last = c.active < 0 ? 1 : (uint32_t)c.active;
    err = al_ota_data_erase(&c.window, !last);
    return err ? err : al_ota_data_erase(&c.window, last);
}

static int check_version(const struct al_ota *o, const struct al_part *p)
{
    struct al_app_desc desc;
    if (!o->anti_rollback) return AL_OK;
    int err = read_desc(o, p, &desc);
    if (err || desc.secure_version >= least_version(o)) return err;
    al_ota_tell_part(o, AL_OTA_EV_SECURE_VERSION_LOW, p, NULL);
    err = erase_part(o, p);
    return err ? err : AL_ERR_OTA_SMALL_SEC_VER;
}

int al_ota_set_boot(struct al_ota *o, const struct al_part *p, bool skip_verify)
{
    if (!p) return AL_ERR_INVALID_ARG;
    int err = skip_verify ? AL_OK : al_ota_verify_part(o, p, NULL);
    if (err) return err;
    if (p->type != AL_PART_APP) return AL_ERR_INVALID_ARG;
    if (p->subtype == AL_PART_FACTORY) return choose_factory(o);
    err = check_version(o, p);
    if (err) return err;

    /* The test app counts as slot 0 here: only the low bits are looked at. */
    uint32_t slot = p->subtype & 0x0fu;
    struct choice c;
    if (slot >= al_part_ota_count(o->table)) return AL_ERR_INVALID_ARG;
    err = read_choice(o, &c);
    if (err == AL_ERR_NOT_FOUND) al_ota_tell_part(o, AL_OTA_EV_NO_OTADATA, NULL, NULL);
    if (err) return err;
    struct al_ota_switch plan = al_ota_switch_plan(c.entry, slot, c.slots);
    return write_choice(&c, plan.index, plan.seq, o->rollback ? AL_OTA_NEW : AL_OTA_UNDEFINED);
}

static const struct al_part *default_boot(const struct al_ota *o)
{
    const struct al_part *p = al_part_find(o->table, AL_PART_APP, AL_PART_FACTORY, NULL);
    for (uint32_t slot = 0; !p && slot < SLOTS_MAX; slot++) p = find_slot(o, slot);
    return p ? p : al_part_find(o->table, AL_PART_APP, AL_PART_TEST, NULL);
}

const struct al_part *al_ota_get_boot(struct al_ota *o)
{
    struct choice c;
    if (read_choice(o, &c)) return NULL;
    if (c.active >= 0) return slot_of(o, &c, c.active);
    if (c.slots && (!al_ota_entry_unusable(&c.entry[0]) || !al_ota_entry_unusable(&c.entry[1])))
        al_ota_tell_part(o, AL_OTA_EV_NO_CURRENT_APP, NULL, NULL);
    return default_boot(o);
}

const struct al_part *al_ota_next_update(struct al_ota *o, const struct al_part *start)
{
    const struct al_part *first = NULL;
    bool passed = false;
    if (!start) start = o->running;
    for (uint32_t slot = 0; slot < SLOTS_MAX; slot++) {
        const struct al_part *p = find_slot(o, slot);
        if (!p) continue;
        if (passed) return p;
        if (!first) first = p;
        passed = start && al_ota_same_part(p, start);
    }
    return first;
}

/* --- may it stay? --- */

/* The entry in force, on which marking works: AL_FAIL when there is none. */
static int read_active(const struct al_ota *o, struct choice *c)
{
    int err = read_choice(o, c);
    if (err || c->active >= 0) return err;
    al_ota_tell_part(o, AL_OTA_EV_RUNNING_FACTORY, NULL, NULL);
    return AL_FAIL;
}

int al_ota_mark_valid(struct al_ota *o)
{
    struct choice c;
    struct al_app_desc desc;
    int err = read_active(o, &c);
    if (err || c.entry[c.active].state == AL_OTA_VALID) return err;
    err = write_choice(&c, (uint32_t)c.active, c.entry[c.active].seq, AL_OTA_VALID);
    if (err || !o->anti_rollback) return err;
    err = o->running ? read_desc(o, o->running, &desc) : AL_ERR_INVALID_STATE;
    return err ? err : o->secure_version->raise(o->secure_version->ctx, desc.secure_version);
}

static bool can_roll_back(const struct al_ota *o, const struct choice *c)
{
    struct al_app_desc desc;
    int other = c->active ? 0 : 1;
    if (!al_ota_entry_good(&c->entry[other]))
        return !o->anti_rollback &&
               verifies(o, al_part_find(o->table, AL_PART_APP, AL_PART_FACTORY, NULL));
    const struct al_part *p = slot_of(o, c, other);
    if (!verifies(o, p)) return false;
    return !o->anti_rollback ||
           (!read_desc(o, p, &desc) && desc.secure_version >= least_version(o));
}

bool al_ota_rollback_possible(struct al_ota *o)
{
    struct choice c;
    return !read_choice(o, &c) && c.active >= 0 && can_roll_back(o, &c);
}

int al_ota_mark_invalid(struct al_ota *o)
{
    struct choice c;
    int err = read_active(o, &c);
    if (err) return err;
    if (!can_roll_back(o, &c)) {
        al_ota_tell_part(o, AL_OTA_EV_ROLLBACK_IMPOSSIBLE, NULL, NULL);
        return AL_ERR_OTA_ROLLBACK_FAILED;
    }
    err = write_choice(&c, (uint32_t)c.active, c.entry[c.active].seq, AL_OTA_INVALID);
    if (!err) al_ota_tell_part(o, AL_OTA_EV_ROLLBACK, NULL, NULL);
    return err;
}

const struct al_part *al_ota_last_invalid(struct al_ota *o)
{
    struct choice c;
    bool invalid[2];
    if (read_choice(o, &c) || !c.slots) return NULL;
    for (int i = 0; i < 2; i++)
        invalid[i] = al_ota_entry_written(&c.entry[i]) && al_ota_entry_unusable(&c.entry[i]);
    int index = al_ota_pick(c.entry, invalid, false);
    const struct al_part *p = index >= 0 ? slot_of(o, &c, index) : NULL;
    return verifies(o, p) ? p : NULL;
}

int al_ota_get_state(struct al_ota *o, const struct al_part *p, uint32_t *state)
{
    struct choice c;
    if (!p || !state) return AL_ERR_INVALID_ARG;
    if (!al_ota_is_slot(p)) return AL_ERR_NOT_SUPPORTED;
    int err = read_choice(o, &c);
    if (err || !c.slots) return err ? err : AL_ERR_NOT_FOUND;
    for (int i = 0; i < 2; i++) {
        if (al_ota_entry_slot(&c.entry[i], c.slots) != p->subtype - (uint32_t)AL_PART_OTA_0 ||
            !al_ota_entry_crc_ok(&c.entry[i]))
            continue;
        *state = c.entry[i].state;
        return AL_OK;
    }
    return AL_ERR_NOT_FOUND;
}

/* --- the previous choice --- */

static int forget_previous(struct al_ota *o, bool erase_app)
{
    struct choice c;
    if (read_choice(o, &c) || c.active < 0) return AL_FAIL;
    int previous = c.active ? 0 : 1;
    if (!al_ota_entry_written(&c.entry[previous])) return AL_FAIL;
    const struct al_part *p = slot_of(o, &c, previous);
    if (!p || (o->running && al_ota_same_part(p, o->running))) return AL_FAIL;
    int err = erase_app ? erase_part(o, p) : AL_OK;
    return err ? err : al_ota_data_erase(&c.window, (uint32_t)previous);
}

int al_ota_erase_last_boot(struct al_ota *o)
{
    return forget_previous(o, true);
}

int al_ota_invalidate_inactive(struct al_ota *o)
{
    return forget_previous(o, false);
}

int al_ota_check_image(struct al_ota *o, uint8_t part_type, const struct al_image_header *h,
                       const struct al_app_desc *desc, const struct al_app_desc *running)
{
    if (!h || (part_type != AL_PART_APP && part_type != AL_PART_BOOTLOADER))
        return AL_ERR_INVALID_ARG;
    struct al_image_fault fault = {0};
    if (al_image_check_chip(
            h, &o->device, part_type == AL_PART_APP ? AL_IMAGE_APP : AL_IMAGE_BOOTLOADER, &fault)) {
        al_ota_tell(o,
                    &(struct al_ota_event_args){.event = AL_OTA_EV_IMAGE_FAULT, .image = &fault});
        return AL_ERR_INVALID_VERSION;
    }
    uint8_t is = running ? running->spi_flash_mode : 0, wants = desc ? desc->spi_flash_mode : 0;
    return is && wants && is != wants ? AL_ERR_OTA_SPI_MODE_MISMATCH : AL_OK;
}
