/* Several partitions and the app slot together; what a start does. See part_update.h. */
#include <stdlib.h>
#include <string.h>

#include "esp/esp-idf/part_update_impl.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"

static const char *TAG = "part_update";

struct part_change {
    struct part_update *update[AL_CHANGE_PARTS];
    struct al_change_part part[AL_CHANGE_PARTS];
    uint32_t count;
    bool has_slot;
    struct al_part slot;
};

/* --- a set is run --- */

static int record(struct al_ota *o, const struct al_window *area, struct al_change_set *set)
{
    int err = al_change_record(o, area, set);
    if (err != AL_ERR_INVALID_SIZE || !set->keep_old) return err;
    ESP_LOGW(TAG, "No room to keep the old contents of the data partitions: should the new app be "
                  "rolled back, the new contents stay");
    set->keep_old = false;
    return al_change_record(o, area, set);
}

esp_err_t part_change_run(struct al_change_set *set, const struct al_part *area)
{
    struct al_change c;
    struct al_ota *o = idf_device_lock();
    struct al_window w = part_place_window(o, area);
    enum al_change_outcome outcome = AL_CHANGE_DROPPED;
    int err = record(o, &w, set);
    if (!err) err = al_change_read(o, &w, &c);
    if (!err) outcome = al_change_apply(&c, &err);
    idf_device_unlock();
    if (outcome == AL_CHANGE_APPLIED || outcome == AL_CHANGE_ON_TRIAL) return ESP_OK;
    ESP_LOGE(TAG, "The new contents could not be put in place: %s%s", esp_err_to_name(idf_err(err)),
             outcome == AL_CHANGE_OPEN ? "; the next start goes on" : "");
    return err ? idf_err(err) : ESP_FAIL;
}

/* --- several together --- */

esp_err_t part_change_new(struct part_change **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? ESP_OK : ESP_ERR_NO_MEM;
}

esp_err_t part_change_add(struct part_change *c, struct part_update *u)
{
    esp_err_t err = c->count == AL_CHANGE_PARTS                  ? ESP_ERR_NO_MEM
                    : part_update_place(u) != PART_UPDATE_STAGED ? ESP_ERR_INVALID_ARG
                                                                 : ESP_OK;
    if (!err) err = part_update_seal(u, &c->part[c->count]);
    if (err)
        part_update_free(u);
    else
        c->update[c->count++] = u;
    return err;
}

esp_err_t part_change_boot(struct part_change *c, const esp_partition_t *slot)
{
    struct al_part p = idf_part(slot);
    struct al_ota *o = idf_device_lock();
    int err = al_ota_verify_part(o, &p, NULL);
    if (!err) part_place_claim(&p);
    idf_device_unlock();
    if (err) return idf_err(err);
    c->slot = p;
    c->has_slot = true;
    return ESP_OK;
}

static void change_free(struct part_change *c)
{
    for (uint32_t i = 0; i < c->count; i++) part_update_free(c->update[i]);
    (void)idf_device_lock();
    part_place_claim(NULL);
    idf_device_unlock();
    free(c);
}

static esp_err_t switch_only(const struct al_part *slot)
{
    struct al_ota *o = idf_device_lock();
    int err = al_ota_set_boot(o, slot, false);
    idf_device_unlock();
    return idf_err(err);
}

/* Half a content is not worth coming back. */
static bool any_incomplete(const struct part_change *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (part_update_incomplete(&c->update[i]->target)) return true;
    return false;
}

esp_err_t part_change_commit(struct part_change *c)
{
    esp_err_t err = ESP_OK;
    struct al_change_set set = {.count = c->count};
    bool old_is_whole = !any_incomplete(c);
    memcpy(set.part, c->part, sizeof set.part);
    if (c->has_slot) {
        struct al_ota *o = idf_device_lock();
        set.switches = true;
        set.slot = c->slot.offset;
        set.keep_old = o->rollback && old_is_whole;
        idf_device_unlock();
    }
    if (c->count)
        err = part_change_run(&set, &c->update[0]->area);
    else if (c->has_slot)
        err = switch_only(&c->slot);
    for (uint32_t i = 0; !err && i < c->count; i++) part_update_is_whole(c->update[i]);
    change_free(c);
    return err;
}

void part_change_abort(struct part_change *c)
{
    change_free(c);
}

/* --- at a start --- */

static void log_outcome(const struct al_part *p, enum al_change_outcome outcome, int err)
{
    switch (outcome) {
    case AL_CHANGE_APPLIED:
        ESP_LOGI(TAG, "Finished the update staged in %s that was interrupted", p->label);
        break;
    case AL_CHANGE_ON_TRIAL:
        ESP_LOGI(TAG, "The new contents of data partitions are on trial with the new app");
        break;
    case AL_CHANGE_CONFIRMED:
        ESP_LOGI(TAG, "The old contents of data partitions kept in %s are forgotten", p->label);
        break;
    case AL_CHANGE_UNDONE:
        ESP_LOGW(TAG, "The app was rolled back: the old contents of data partitions are back");
        break;
    case AL_CHANGE_DROPPED:
        ESP_LOGE(TAG, "The update staged in %s is given up: %s; run it again", p->label,
                 esp_err_to_name(idf_err(err)));
        break;
    case AL_CHANGE_OPEN:
        ESP_LOGE(TAG, "The update staged in %s could not be finished: %s; the next start goes on",
                 p->label, esp_err_to_name(idf_err(err)));
        break;
    case AL_CHANGE_NOTHING:
        break;
    }
}

void idf_change_recover(void)
{
    bool restart = false;
    struct al_ota *o = idf_device_lock();
    for (uint32_t i = 0; i < o->table->count && !restart; i++) {
        const struct al_part *p = &o->table->part[i];
        int err;
        if (!part_place_holds_records(o, p)) continue;
        struct al_window w = part_place_window(o, p);
        log_outcome(p, al_change_start(o, &w, &restart, &err), err);
    }
    idf_device_unlock();
    if (!restart) return;
    ESP_LOGI(TAG, "Restarting into the app that goes with the data");
    esp_restart();
}
