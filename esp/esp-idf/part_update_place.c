/* Where new contents are staged, and what keeps others away from there. See part_update.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/part_update_impl.h"
#include "esp_log.h"
#include "esp_ota_ops.h"

static const char *TAG = "part_update";

/* Under the device's lock. */
static struct part_update *open_updates;
static uint32_t claimed; /* flash offset of a slot; 0: none */

static uint32_t round_up(uint32_t n)
{
    return (n + AL_SECTOR - 1) & ~(AL_SECTOR - 1);
}

static bool overlaps(uint32_t a, uint32_t a_len, uint32_t b, uint32_t b_len)
{
    return a < b + b_len && b < a + a_len;
}

struct al_window part_place_window(const struct al_ota *o, const struct al_part *area)
{
    struct al_window all = al_window_all(o->flash), w = {.flash = o->flash};
    (void)al_window_sub(&all, area->offset, area->size, &w);
    return w;
}

/* --- areas --- */

static const struct al_part *spare(const struct al_ota *o)
{
    const char *label = airlift_config_str("AIRLIFT_STAGING_PARTITION", "staging");
    const struct al_part *p =
        label[0] ? al_part_find(o->table, AL_PART_DATA, AL_PART_ANY, label) : NULL;
    return p && al_change_target_ok(o, p->offset, p->size) ? p : NULL;
}

static bool is_slot(const struct al_part *p)
{
    return p->type == AL_PART_APP && p->subtype >= AL_PART_OTA_0 && p->subtype <= AL_PART_OTA_15;
}

bool part_place_is_spare(const struct al_ota *o, const esp_partition_t *target)
{
    const struct al_part *p = spare(o);
    return p && overlaps(p->offset, p->size, target->address, target->size);
}

bool part_place_holds_records(const struct al_ota *o, const struct al_part *p)
{
    return is_slot(p) || p == spare(o);
}

static bool on_trial(struct al_ota *o)
{
    uint32_t state;
    return o->rollback && o->running && !al_ota_get_state(o, o->running, &state) &&
           state == AL_OTA_PENDING_VERIFY;
}

static bool being_written(const struct al_ota *o, const struct al_part *p)
{
    for (const struct al_ota_update *u = o->open; u; u = u->next)
        if (u->staging.offset == p->offset) return true;
    return false;
}

/* Bytes of an image that verifies, its signature included; 0: there is none. */
static uint32_t image_end(const struct al_ota *o, const struct al_part *p)
{
    struct al_image image;
    struct al_image_rules rules = idf_device_rules(AL_IMAGE_APP);
    struct al_window w = part_place_window(o, p);
    if (al_image_verify(&w, &rules, &image, NULL)) return 0;
    return round_up(image.image_len) + AL_SECTOR;
}

/* --- room --- */

static bool is_free(uint32_t at, uint32_t len)
{
    for (const struct part_update *u = open_updates; u; u = u->next)
        if (overlaps(at, len, u->base, u->room)) return false;
    return true;
}

/* The first place of len bytes in p from offset from on, the reserve left alone. */
static bool fits(struct part_update *u, const struct al_part *p, uint32_t from, uint32_t len)
{
    if (p->size < AL_CHANGE_RESERVE) return false;
    uint32_t end = p->offset + p->size - AL_CHANGE_RESERVE;
    for (uint32_t at = p->offset + from; at <= end && len <= end - at; at += AL_SECTOR) {
        if (!is_free(at, len)) continue;
        u->area = *p;
        u->base = at;
        u->room = len;
        u->place = PART_UPDATE_STAGED;
        return true;
    }
    return false;
}

/* Room for the old content, too, if there is: then a change can be taken back. */
static bool find_in(struct part_update *u, const struct al_part *p, uint32_t from, uint32_t need,
                    uint32_t wish)
{
    return (wish > need && fits(u, p, from, wish)) || fits(u, p, from, need);
}

/* An image in the passive slot is spared if possible; one that is going to boot always is. */
static bool find_in_slot(struct al_ota *o, struct part_update *u, uint32_t need, uint32_t wish)
{
    const struct al_part *slot = al_ota_next_update(o, NULL);
    if (!slot || slot == o->running || being_written(o, slot)) return false;
    uint32_t end = image_end(o, slot);
    if (end && find_in(u, slot, end, need, wish)) return true;
    if (claimed == slot->offset || al_ota_get_boot(o) == slot) return false;
    if (!find_in(u, slot, 0, need, wish)) return false;
    if (o->rollback) (void)al_ota_invalidate_inactive(o); /* as esp_ota_begin does */
    return true;
}

static void enlist(struct part_update *u)
{
    u->next = open_updates;
    open_updates = u;
}

esp_err_t part_place_find(struct al_ota *o, struct part_update *u, uint32_t need, char *why,
                          size_t n)
{
    uint32_t wish = 0;
    (void)al_change_used(o, u->target.address, u->target.size, &wish);
    const struct al_part *p = spare(o);
    bool trial = on_trial(o);
    if ((p && find_in(u, p, 0, need, wish)) || (!trial && find_in_slot(o, u, need, wish))) {
        enlist(u); /* at once: no other task may find the same room */
        return ESP_OK;
    }
    if (why && n)
        snprintf(why, n,
                 trial ? "%" PRIu32 " bytes for partition %s could only be staged in the passive "
                         "slot, and the running app may have to go back to it: confirm it first"
                       : "no place to stage %" PRIu32 " bytes for partition %s: neither a data "
                         "partition of that name nor the passive slot has the room",
                 need, u->target.label);
    return trial ? ESP_ERR_OTA_ROLLBACK_INVALID_STATE : ESP_ERR_NOT_FOUND;
}

/* --- open updates --- */

bool part_place_add(struct part_update *u)
{
    (void)idf_device_lock();
    bool free = !part_place_is_open(&u->target);
    if (free) enlist(u);
    idf_device_unlock();
    return free;
}

void part_place_remove(struct part_update *u)
{
    (void)idf_device_lock();
    struct part_update **link = &open_updates;
    while (*link && *link != u) link = &(*link)->next;
    if (*link) *link = u->next;
    idf_device_unlock();
}

bool part_place_is_open(const esp_partition_t *target)
{
    for (const struct part_update *u = open_updates; u; u = u->next)
        if (overlaps(u->target.address, u->target.size, target->address, target->size)) return true;
    return false;
}

void part_place_claim(const struct al_part *slot)
{
    claimed = slot ? slot->offset : 0;
}

/* --- records --- */

static enum al_change_state record_in(struct al_ota *o, const struct al_part *p)
{
    struct al_change c;
    struct al_window w = part_place_window(o, p);
    if (al_change_confirm(o, &w) == AL_CHANGE_CONFIRMED)
        ESP_LOGI(TAG, "The old contents of data partitions kept in %s are forgotten", p->label);
    return al_change_read(o, &w, &c) ? AL_CHANGE_NONE : c.state;
}

enum al_change_state part_place_record(struct al_ota *o)
{
    for (uint32_t i = 0; i < o->table->count; i++) {
        const struct al_part *p = &o->table->part[i];
        enum al_change_state state =
            part_place_holds_records(o, p) ? record_in(o, p) : AL_CHANGE_NONE;
        if (state != AL_CHANGE_NONE) return state;
    }
    return AL_CHANGE_NONE;
}

static bool moves(struct al_ota *o, const struct al_part *area, const esp_partition_t *target)
{
    struct al_change c;
    struct al_window w = part_place_window(o, area);
    if (al_change_read(o, &w, &c) || c.state == AL_CHANGE_TRIAL) return false;
    for (uint32_t i = 0; i < c.set.count; i++) {
        const struct al_change_part *p = &c.set.part[i];
        if (overlaps(p->target, p->target_size, target->address, target->size)) return true;
    }
    return false;
}

bool part_place_is_moving(struct al_ota *o, const esp_partition_t *target)
{
    for (uint32_t i = 0; i < o->table->count; i++) {
        const struct al_part *p = &o->table->part[i];
        if (part_place_holds_records(o, p) && moves(o, p, target)) return true;
    }
    return false;
}

void part_place_confirmed(void)
{
    (void)part_place_record(idf_device_lock());
    idf_device_unlock();
}

int part_place_may_write(struct al_ota *o, const struct al_part *p)
{
    for (const struct part_update *u = open_updates; u; u = u->next) {
        if (!overlaps(u->base, u->room, p->offset, p->size)) continue;
        ESP_LOGE(TAG,
                 "%s holds new data for partition %s that is not committed yet: update the app "
                 "before the data",
                 p->label, u->target.label);
        return AL_ERR_INVALID_STATE;
    }
    /* Wherever the record is: a slot may hold the app that it names, or what it brings back. */
    if (part_place_holds_records(o, p) && part_place_record(o) != AL_CHANGE_NONE) {
        ESP_LOGE(TAG, "%s may be needed by an update that is not finished: %s", p->label,
                 on_trial(o) ? "confirm the running app first" : "restart the device first");
        return AL_ERR_INVALID_STATE;
    }
    if (claimed == p->offset) claimed = 0;
    return AL_OK;
}
