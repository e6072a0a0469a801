#include "core/boot.h"

#include "core/err.h"

#include <string.h>

#define SLOTS_MAX 16

/* The table as the boot loader sees it: of several rows for one thing the last
 * counts. */
struct boot {
    const struct al_flash *flash;
    const struct al_boot_config *cfg;
    struct al_boot_result *r;
    const struct al_part *factory, *test, *slot[SLOTS_MAX], *otadata;
    uint32_t slots;          /* rows of OTA apps, not places: see part() */
    struct al_window window; /* of otadata */
    struct al_ota_entry entry[2];
    struct al_image_fault fault;
    bool power_lost;
};

/* --- telling --- */

static void tell_all(const struct boot *b, const struct al_boot_event_args *a)
{
    if (b->cfg->event) b->cfg->event(b->cfg->event_ctx, a);
}

static void tell(const struct boot *b, enum al_boot_event event, const struct al_part *part,
                 uint32_t value, uint32_t value2)
{
    tell_all(b, &(struct al_boot_event_args){
                    .event = event, .part = part, .value = value, .value2 = value2});
}

static void tell_index(const struct boot *b, enum al_boot_event event, int index,
                       const struct al_part *part, uint32_t value, uint32_t value2)
{
    tell_all(b, &(struct al_boot_event_args){.event = event,
                                             .index = index,
                                             .part = part,
                                             .value = value,
                                             .value2 = value2,
                                             .image = &b->fault});
}

/* --- the table --- */

static void sort_row(struct boot *b, const struct al_part *p)
{
    if (p->type == AL_PART_DATA && p->subtype == AL_PART_DATA_OTA) b->otadata = p;
    if (p->type != AL_PART_APP) return;
    if (p->subtype == AL_PART_FACTORY) b->factory = p;
    if (p->subtype == AL_PART_TEST) b->test = p;
    if (p->subtype >= AL_PART_OTA_0 && p->subtype <= AL_PART_OTA_15) {
        b->slot[p->subtype - AL_PART_OTA_0] = p;
        b->slots++;
    }
}

static int read_table(struct boot *b)
{
    struct al_part_table *t = &b->r->table;
    struct al_part_fault fault;
    uint32_t offset = b->cfg->table_offset ? b->cfg->table_offset : AL_PART_TABLE_OFFSET;
    int err = al_part_table_read(b->flash, offset, b->cfg->crypto, t, &fault);
    if (err) {
        tell_all(b, &(struct al_boot_event_args){.event = AL_BOOT_EV_TABLE_FAULT, .table = &fault});
        return err == AL_ERR_POWER ? err : AL_ERR_INVALID_STATE;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        sort_row(b, &t->part[i]);
        tell(b, AL_BOOT_EV_PARTITION, &t->part[i], i, t->count);
    }
    return AL_OK;
}

/* NULL: that index names no partition. Slots are found by their subtype, indices are
 * made by counting rows: with a hole, an index may name none, and a slot have no index. */
static const struct al_part *part(const struct boot *b, int index)
{
    const struct al_part *p = NULL;
    if (index == AL_BOOT_FACTORY) p = b->factory;
    if (index == AL_BOOT_TEST) p = b->test;
    if (index >= 0 && index < SLOTS_MAX) p = b->slot[index];
    return p && p->size ? p : NULL;
}

/* --- otadata and eFuse --- */

static void write_entry(struct boot *b, uint32_t i)
{
    int err = al_ota_data_write(&b->window, i, &b->entry[i]);
    if (err == AL_ERR_POWER) b->power_lost = true;
    if (err) tell(b, AL_BOOT_EV_WRITE_FAILED, NULL, (uint32_t)al_err_vendor(err), 0);
}

static void set_state(struct boot *b, uint32_t i, enum al_ota_state state)
{
    tell_index(b, AL_BOOT_EV_STATE, (int)i, NULL, b->entry[i].state, state);
    b->entry[i].state = state;
    write_entry(b, i);
}

static uint32_t efuse_version(const struct boot *b)
{
    const struct al_secure_version *s = b->cfg->secure_version;
    return s ? s->get(s->ctx) : 0;
}

/* Secure version of the app in p; false: it has no description. */
static bool app_version(const struct boot *b, const struct al_part *p, uint32_t *version)
{
    struct al_window w;
    struct al_app_desc desc;
    int err = AL_ERR_INVALID_ARG; /* the original's verdict on a partition at 0, too */
    if (p && p->offset) err = al_part_window(b->flash, p, &w);
    if (!err) err = al_app_desc_read(&w, &desc);
    if (err)
        tell(b, AL_BOOT_EV_DESC_FAILED, p, (uint32_t)al_err_vendor(err), 0);
    else
        *version = desc.secure_version;
    return !err;
}

/* Anti-rollback. Called for a partition that does not exist, too: the original's
 * log then has a line about it. */
static bool version_allowed(const struct boot *b, const struct al_part *p)
{
    uint32_t version, least;
    if (!b->cfg->anti_rollback) return true;
    if (!app_version(b, p, &version)) return false;
    least = efuse_version(b);
    if (version < least) tell(b, AL_BOOT_EV_TOO_OLD, p, version, least);
    return version >= least;
}

static void raise_efuse(const struct boot *b, const struct al_part *p)
{
    const struct al_secure_version *s = b->cfg->secure_version;
    uint32_t version;
    if (b->cfg->anti_rollback && s && app_version(b, p, &version)) (void)s->raise(s->ctx, version);
}

/* --- which one --- */

static bool entry_allowed(const struct boot *b, uint32_t i)
{
    const struct al_ota_entry *e = &b->entry[i];
    if (!b->cfg->anti_rollback) return true;
    if (!al_ota_entry_good(e) || !b->slots) return false;
    return version_allowed(b, part(b, (int)al_ota_entry_slot(e, b->slots)));
}

/* The entry in force is about to be started: once only, until it is confirmed. */
static int follow_entry(struct boot *b, uint32_t i)
{
    uint32_t slot = al_ota_entry_slot(&b->entry[i], b->slots);
    b->r->active_entry = (int)i;
    tell_index(b, AL_BOOT_EV_SLOT, (int)i, NULL, slot, 0);
    if (b->cfg->rollback && b->entry[i].state == AL_OTA_NEW) set_state(b, i, AL_OTA_PENDING_VERIFY);
    if (b->entry[i].state == AL_OTA_VALID) raise_efuse(b, part(b, (int)slot));
    return (int)slot;
}

static int open_otadata(struct boot *b)
{
    if (b->otadata->size < AL_OTADATA_LEN) {
        tell(b, AL_BOOT_EV_OTADATA_SMALL, b->otadata, b->otadata->size, 0);
        return AL_ERR_INVALID_SIZE;
    }
    int err = al_part_window(b->flash, b->otadata, &b->window);
    b->window.readonly = false; /* that flag binds applications only */
    return err ? err : al_ota_data_read(&b->window, b->entry);
}

static int select_index(struct boot *b)
{
    const struct al_ota_entry *e = b->entry;
    b->r->initial = false;
    b->r->active_entry = -1;
    if (!b->otadata || !b->otadata->offset) return AL_BOOT_FACTORY;
    if (open_otadata(b)) return AL_BOOT_NONE;

    for (uint32_t i = 0; i < 2 && b->cfg->rollback; i++)
        if (e[i].state == AL_OTA_PENDING_VERIFY) set_state(b, i, AL_OTA_ABORTED);

    bool fresh = !al_ota_entry_written(&e[0]) && !al_ota_entry_written(&e[1]);
    if (b->cfg->anti_rollback) {
        tell(b, AL_BOOT_EV_CHECK_SECURE_VERSION, NULL, efuse_version(b), 0);
        if (fresh) {
            tell(b, AL_BOOT_EV_INITIAL, NULL, 0, 0);
            b->r->initial = true;
            return AL_BOOT_FACTORY;
        }
    } else if ((al_ota_entry_unusable(&e[0]) && al_ota_entry_unusable(&e[1])) || !b->slots) {
        tell(b, b->factory ? AL_BOOT_EV_DEFAULT_FACTORY : AL_BOOT_EV_NO_FACTORY, NULL, 0, 0);
        b->r->initial = fresh && !b->factory;
        return b->factory ? AL_BOOT_FACTORY : 0;
    }
    bool allowed[2] = {entry_allowed(b, 0), entry_allowed(b, 1)};
    int active = al_ota_active_allowed(e, allowed);
    if (active >= 0) return follow_entry(b, (uint32_t)active);
    tell(b, b->factory ? AL_BOOT_EV_INVALID_FACTORY : AL_BOOT_EV_INVALID_ALL, NULL, 0, 0);
    return AL_BOOT_FACTORY;
}

/* --- pins --- */

/* Is label one of the words of list ("nvs, phy")? */
static bool listed(const char *list, const char *label)
{
    size_t len = strlen(label);
    while (*list) {
        size_t word = strcspn(list, ", ");
        if (word && word == len && memcmp(list, label, len) == 0) return true;
        list += word;
        list += strspn(list, ", ");
    }
    return false;
}

static void erase_data(struct boot *b)
{
    const char *list = b->cfg->factory_reset_labels ? b->cfg->factory_reset_labels : "nvs";
    tell_all(b, &(struct al_boot_event_args){.event = AL_BOOT_EV_FACTORY_RESET, .text = list});
    for (uint32_t i = 0; i < b->r->table.count && !b->power_lost; i++) {
        const struct al_part *p = &b->r->table.part[i];
        struct al_window w;
        int err = AL_OK;
        if (p->type != AL_PART_DATA) continue;
        bool erase = listed(list, p->label) ||
                     (b->cfg->factory_reset_otadata && p->subtype == AL_PART_DATA_OTA);
        if (erase) err = al_part_window(b->flash, p, &w);
        w.readonly = false;
        if (erase && !err) err = al_window_erase(&w, 0, w.size);
        if (err == AL_ERR_POWER) b->power_lost = true;
        tell_index(b, AL_BOOT_EV_ERASED, (int)i, p, (uint32_t)al_err_vendor(err), erase);
    }
}

static int obey_pins(struct boot *b, int index)
{
    if (index == AL_BOOT_NONE || b->cfg->deep_sleep_wake) return index;
    if (b->cfg->factory_reset_pin) {
        erase_data(b);
        return b->power_lost ? AL_BOOT_NONE : select_index(b);
    }
    if (!b->cfg->test_pin) return index;
    tell(b, AL_BOOT_EV_TEST_PIN, NULL, 0, 0);
    if (b->test && b->test->offset) return AL_BOOT_TEST;
    tell(b, AL_BOOT_EV_TEST_MISSING, NULL, 0, 0);
    return AL_BOOT_NONE;
}

/* --- loading, with fallback --- */

static bool verify(struct boot *b, const struct al_part *p)
{
    const struct al_image_rules rules = {
        .crypto = b->cfg->crypto,
        .device = b->cfg->device,
        .loading = true,
        .skip_data = b->cfg->skip_validate,
        .keys = b->cfg->keys,
        .trace = b->cfg->image_trace,
    };
    struct al_window w;
    if (al_part_window(b->flash, p, &w)) return false;
    if (al_image_verify(&w, &rules, &b->r->image, &b->fault)) {
        tell_index(b, AL_BOOT_EV_IMAGE_FAULT, 0, p, 0, 0);
        return false;
    }
    tell(b, AL_BOOT_EV_LOADED, p, p->offset, 0);
    return true;
}

/* On the first start of a device without factory app: what was found by trying
 * becomes the choice. */
static void settle(struct boot *b, int index)
{
    if (index < 0 || !b->r->initial) return;
    struct al_ota_entry *e = &b->entry[0];
    memset(e, 0xff, sizeof *e);
    e->seq = (uint32_t)index + 1;
    e->state = AL_OTA_VALID;
    e->crc = al_ota_entry_crc(e->seq);
    write_entry(b, 0);
    tell(b, AL_BOOT_EV_SET_SEQ, NULL, e->seq, 0);
    raise_efuse(b, b->r->part);
}

static bool try_index(struct boot *b, int index)
{
    const struct al_part *p = part(b, index);
    if (!p) return false;
    if (version_allowed(b, p) && verify(b, p)) {
        b->r->part = p;
        settle(b, index);
        return true;
    }
    tell_index(b, AL_BOOT_EV_NOT_BOOTABLE, index, p, 0, 0);
    return false;
}

static bool try_test(struct boot *b)
{
    const struct al_part *p = part(b, AL_BOOT_TEST);
    if (!version_allowed(b, p) || !p || !verify(b, p)) return false;
    b->r->part = p;
    return true;
}

static int load(struct boot *b, int index)
{
    if (index == AL_BOOT_TEST) {
        if (try_test(b)) return AL_OK;
        tell(b, AL_BOOT_EV_NO_TEST, NULL, 0, 0);
        return AL_ERR_NOT_FOUND;
    }
    for (int i = index; i >= AL_BOOT_FACTORY; i--)
        if (try_index(b, i)) return AL_OK;
    for (int i = index + 1; i < (int)b->slots; i++)
        if (try_index(b, i)) return AL_OK;
    if (try_test(b)) {
        tell(b, AL_BOOT_EV_TEST_FALLBACK, b->r->part, 0, 0);
        return AL_OK;
    }
    tell(b, AL_BOOT_EV_NOTHING, NULL, 0, 0);
    return AL_ERR_NOT_FOUND;
}

int al_boot(const struct al_flash *f, const struct al_boot_config *cfg, struct al_boot_result *r)
{
    struct boot b = {.flash = f, .cfg = cfg, .r = r};
    memset(r, 0, sizeof *r);
    r->active_entry = -1;
    r->selected_index = AL_BOOT_NONE;
    int err = read_table(&b);
    if (err) return err;
    r->selected_index = obey_pins(&b, select_index(&b));
    if (!b.power_lost)
        err = r->selected_index == AL_BOOT_NONE ? AL_ERR_NOT_FOUND : load(&b, r->selected_index);
    return b.power_lost ? AL_ERR_POWER : err;
}
