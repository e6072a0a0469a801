#include "esp/esp-adf/ota_list.h"

#include <stdlib.h>

#include "audio_error.h"
#include "esp/esp-adf/ota_run.h"

static const char *TAG = "OTA_SERVICE";

/* One entry under way. */
struct entry {
    ota_upgrade_ops_t *ops;
    struct ota_run run;
    bool executed;               /* execute_upgrade succeeded */
    bool covered;                /* by an overlay */
    const esp_partition_t *slot; /* atomic: what the app chose to boot */
};

/* Steps of the app may erase and write the partition by themselves and choose the boot slot: what
 * they do reaches the staged content, and, atomic, the slot is only noted. */
static void cover(struct entry *e)
{
    e->covered = e->run.update || e->run.options.atomic;
    if (e->covered) part_overlay_begin(e->run.update, e->run.options.atomic);
}

static void uncover(struct entry *e)
{
    const esp_partition_t *slot = e->covered ? part_overlay_end() : NULL;
    if (slot) e->slot = slot;
    e->covered = false;
}

static ota_service_err_reason_t prepare(struct entry *e, void **handle)
{
    cover(e);
    ota_service_err_reason_t result = e->ops->prepare(handle, &e->ops->node);
    uncover(e);
    bool data = e->ops->node.type != ESP_PARTITION_TYPE_APP;
    if (result != OTA_SERV_ERR_REASON_SUCCESS) {
        ESP_LOGE(TAG, "OTA prepared fail");
    } else if (e->run.options.atomic && data && !e->run.update) {
        ESP_LOGE(TAG,
                 "upgrade_list[%d] has its own prepare and writes where it likes: it cannot "
                 "be part of an atomic list",
                 e->run.id);
        result = OTA_SERV_ERR_REASON_PARTITION_WT_FAIL;
    }
    return result;
}

/* "No" by the app: what is there is good enough. */
static bool says_no(ota_service_err_reason_t result)
{
    return result == OTA_SERV_ERR_REASON_NO_HIGHER_VERSION || result == OTA_SERV_ERR_REASON_UNKNOWN;
}

/* A partition whose upgrade was cut is not good enough, whatever its header says. */
static ota_service_err_reason_t ask_need(struct entry *e, void *handle)
{
    ota_service_err_reason_t result = e->ops->need_upgrade(handle, &e->ops->node);
    if (result == OTA_SERV_ERR_REASON_SUCCESS) return result;
    if (!says_no(result) || !e->run.incomplete || !e->run.data) {
        ESP_LOGE(TAG, "No need to upgrade");
        return result;
    }
    ESP_LOGW(TAG, "partition [%s] is incomplete since its last upgrade was cut: upgraded anyway",
             e->ops->node.label);
    uncover(e);
    result = ota_data_again(e->run.data);
    cover(e);
    return result;
}

static ota_service_err_reason_t run_steps(struct entry *e)
{
    void *handle = NULL;
    ota_upgrade_ops_t *ops = e->ops;
    AUDIO_NULL_CHECK(TAG, ops->prepare, return OTA_SERV_ERR_REASON_NULL_POINTER);
    AUDIO_NULL_CHECK(TAG, ops->need_upgrade, return OTA_SERV_ERR_REASON_NULL_POINTER);
    AUDIO_NULL_CHECK(TAG, ops->execute_upgrade, return OTA_SERV_ERR_REASON_NULL_POINTER);
    ota_service_err_reason_t result = prepare(e, &handle);
    cover(e);
    if (result == OTA_SERV_ERR_REASON_SUCCESS) {
        result = ask_need(e, handle);
        if (result == OTA_SERV_ERR_REASON_SUCCESS) {
            result = ops->execute_upgrade(handle, &ops->node);
            e->executed = result == OTA_SERV_ERR_REASON_SUCCESS;
            if (!e->executed) ESP_LOGE(TAG, "Fail to execute upgrade");
        }
    }
    AUDIO_NULL_CHECK(TAG, ops->finished_check, result = OTA_SERV_ERR_REASON_NULL_POINTER);
    if (ops->finished_check) result = ops->finished_check(handle, &ops->node, result);
    uncover(e);
    return result;
}

static ota_service_err_reason_t run_entry(struct ota_list *list, int id, struct entry *e)
{
    *e = (struct entry){.ops = &list->entries[id],
                        .run = {.id = id,
                                .options = list->options,
                                .sha256 = list->digests[id].given ? list->digests[id].sha256 : NULL,
                                .cancelled = list->cancelled,
                                .cancelled_ctx = list->ctx}};
    if (list->cancelled(list->ctx)) return OTA_SERV_ERR_REASON_CANCELLED;
    ota_run_set(&e->run);
    ota_service_err_reason_t result = run_steps(e);
    ota_run_set(NULL);
    return result;
}

/* ---- one after the other ---- */

static ota_service_err_reason_t settle(struct entry *e, ota_service_err_reason_t result)
{
    struct part_update *u = e->run.update;
    if (!u) return result;
    if (result != OTA_SERV_ERR_REASON_SUCCESS || !e->executed) {
        part_update_abort(u);
        return result;
    }
    esp_err_t err = part_update_commit(u);
    if (err == ESP_OK) return result;
    ESP_LOGE(TAG, "partition [%s] could not take its new content (%s)", e->ops->node.label,
             esp_err_to_name(err));
    return OTA_SERV_ERR_REASON_PARTITION_WT_FAIL;
}

static bool run_in_order(struct ota_list *list)
{
    bool restart = false;
    for (int i = 0; i < list->len; i++) {
        struct entry e;
        ota_service_err_reason_t result = run_entry(list, i, &e);
        result = settle(&e, result);
        bool good = result == OTA_SERV_ERR_REASON_SUCCESS;
        restart |= good && e.ops->reboot_flag;
        bool stop = list->cancelled(list->ctx), leave = !good && e.ops->break_after_fail;
        list->result(list->ctx, i, result);
        if (leave)
            ESP_LOGE(TAG, "upgrade_list[%d] OTA failed, break the update list", i);
        else if (stop)
            ESP_LOGW(TAG, "upgrade_list[%d] was the last: the service was stopped", i);
        if (leave || stop) break;
    }
    return restart;
}

/* ---- all or nothing ---- */

/* What the entry wants changed joins the change. */
static ota_service_err_reason_t join(struct entry *e, struct part_change *change,
                                     ota_service_err_reason_t result)
{
    struct part_update *u = e->run.update;
    bool good = result == OTA_SERV_ERR_REASON_SUCCESS && (e->executed || !u);
    esp_err_t err = ESP_OK;
    if (u && good)
        err = part_change_add(change, u);
    else if (u)
        part_update_abort(u);
    if (!err && good && e->slot) err = part_change_boot(change, e->slot);
    if (!err) return result;
    ESP_LOGE(TAG, "upgrade_list[%d] cannot join the others (%s)", e->run.id, esp_err_to_name(err));
    return OTA_SERV_ERR_REASON_PARTITION_WT_FAIL;
}

static bool is_content(ota_service_err_reason_t result)
{
    return result == OTA_SERV_ERR_REASON_SUCCESS || result == OTA_SERV_ERR_REASON_NO_HIGHER_VERSION;
}

/* Entries that are apps, or those that are not. false: one failed, or the service was stopped. */
static bool stage(struct ota_list *list, bool apps, struct part_change *change,
                  ota_service_err_reason_t *results)
{
    for (int i = 0; i < list->len; i++) {
        struct entry e;
        if ((list->entries[i].node.type == ESP_PARTITION_TYPE_APP) != apps) continue;
        results[i] = run_entry(list, i, &e);
        results[i] = join(&e, change, results[i]);
        if (is_content(results[i])) continue;
        ESP_LOGE(TAG, "upgrade_list[%d] OTA failed: none of the list takes effect", i);
        return false;
    }
    return true;
}

static bool commit(struct part_change *change, bool staged)
{
    if (!staged) {
        part_change_abort(change);
        return false;
    }
    esp_err_t err = part_change_commit(change);
    if (err)
        ESP_LOGE(TAG, "the list could not be committed (%s): none of it takes effect",
                 esp_err_to_name(err));
    return err == ESP_OK;
}

static bool run_together(struct ota_list *list)
{
    ota_service_err_reason_t *results = calloc((size_t)list->len, sizeof *results);
    struct part_change *change = NULL;
    esp_err_t err = results ? part_change_new(&change) : ESP_ERR_NO_MEM;
    bool restart = false, done = false;
    if (err) ESP_LOGE(TAG, "an atomic list cannot begin (%s)", esp_err_to_name(err));
    for (int i = 0; results && i < list->len; i++) results[i] = OTA_SERV_ERR_REASON_NOT_APPLIED;
    if (!err) {
        bool staged = stage(list, true, change, results) && stage(list, false, change, results);
        done = commit(change, staged);
    }
    for (int i = 0; i < list->len; i++) {
        ota_service_err_reason_t r = results ? results[i] : OTA_SERV_ERR_REASON_UNKNOWN;
        if (!done && r == OTA_SERV_ERR_REASON_SUCCESS) r = OTA_SERV_ERR_REASON_NOT_APPLIED;
        restart |= r == OTA_SERV_ERR_REASON_SUCCESS && list->entries[i].reboot_flag;
        list->result(list->ctx, i, r);
    }
    free(results);
    return restart;
}

bool ota_list_run(struct ota_list *list)
{
    return list->options.atomic ? run_together(list) : run_in_order(list);
}
