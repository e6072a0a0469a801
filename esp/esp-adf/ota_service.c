/* The service: its queue, its task, its list. What a run does: ota_list.c. */
#include "ota_service.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/version_number.h"
#include "esp/esp-adf/ota_list.h"
#include "esp/esp-adf/periph_service_impl.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/kernel.h"
#include "esp/esp-idf/part_update.h"
#include "esp_system.h"
#include "freertos/queue.h"

static const char *TAG = "OTA_SERVICE";

static char service_name[] = "ota_serv";

enum { QUEUE_LEN = 3 };
enum command { START, DESTROY };

struct message {
    enum command command;
    uint32_t number; /* of the start */
};

/* Belongs to the task, which frees it: the handle may be gone before. */
struct ota_service {
    QueueHandle_t queue;
    pthread_mutex_t lock;
    periph_service_handle_t handle;  /* NULL: destroyed */
    struct ota_list list;            /* of the next run */
    uint32_t started, stopped_up_to; /* starts counted; those that were stopped */
    uint32_t running;                /* number of the start that runs */
    int running_len;                 /* of its list */
    bool leave;                      /* destroyed while the queue was full */
};

/* A task that holds the lock is not deleted. */
static void lock(struct ota_service *s)
{
    kernel_hold();
    pthread_mutex_lock(&s->lock);
}

static void unlock(struct ota_service *s)
{
    pthread_mutex_unlock(&s->lock);
    kernel_release();
}

static void free_list(struct ota_list *list)
{
    free(list->entries);
    free(list->digests);
    list->entries = NULL;
    list->digests = NULL;
    list->len = 0;
}

/* to: its entries are copies. false: no memory. */
static bool copy_entries(struct ota_list *to, const ota_upgrade_ops_t *entries, int len)
{
    to->entries = malloc((size_t)len * sizeof *entries);
    to->digests = calloc((size_t)len, sizeof *to->digests);
    to->len = len;
    if (to->entries && to->digests) {
        memcpy(to->entries, entries, (size_t)len * sizeof *entries);
        return true;
    }
    free_list(to);
    ESP_LOGE(TAG, "Memory exhausted");
    return false;
}

/* ---- the task ---- */

/* The callback may destroy the service. */
static void tell(struct ota_service *s, periph_service_event_t *event)
{
    void *ctx = NULL;
    lock(s);
    periph_service_handle_t handle = s->handle;
    periph_service_cb cb = handle ? periph_service_get_callback(handle, &ctx) : NULL;
    unlock(s);
    if (!handle) return;
    if (event->type == OTA_SERV_EVENT_TYPE_RESULT) event->source = handle;
    if (cb)
        cb(handle, event, ctx);
    else
        AUDIO_ERROR(TAG, "Got NULL Pointer");
}

static void tell_result(void *ctx, int id, ota_service_err_reason_t result)
{
    struct ota_service *s = ctx;
    ota_result_t data = {.id = (uint8_t)id, .result = result};
    periph_service_event_t event = {
        .type = OTA_SERV_EVENT_TYPE_RESULT, .data = &data, .len = s->running_len};
    tell(s, &event);
}

static bool is_cancelled(void *ctx)
{
    struct ota_service *s = ctx;
    lock(s);
    bool cancelled = s->running <= s->stopped_up_to;
    unlock(s);
    return cancelled;
}

/* The run works on a copy: the app may set the next list meanwhile. */
static void run(struct ota_service *s, uint32_t number)
{
    struct ota_list list = {0};
    lock(s);
    s->running = number;
    bool set = s->list.len > 0, copied = false;
    if (set) copied = copy_entries(&list, s->list.entries, s->list.len);
    if (copied) {
        memcpy(list.digests, s->list.digests, (size_t)list.len * sizeof *list.digests);
        list.options = s->list.options;
    }
    unlock(s);
    if (!set) ESP_LOGE(TAG, "Please set upgrade list first");
    if (!copied) return;
    s->running_len = list.len;
    list.ctx = s;
    list.cancelled = is_cancelled;
    list.result = tell_result;
    bool restart = !is_cancelled(s) && ota_list_run(&list);
    free_list(&list);
    ESP_LOGW(TAG, "OTA_END!");
    if (restart) {
        ESP_LOGW(TAG, "restart!");
        esp_restart();
    }
    periph_service_event_t event = {.type = OTA_SERV_EVENT_TYPE_FINISH};
    tell(s, &event);
}

/* Destroyed, and nothing waits that was asked for before. */
static bool is_over(struct ota_service *s, const struct message *m)
{
    lock(s); /* destroy() is through with s */
    bool over = m->command == DESTROY || (s->leave && !uxQueueMessagesWaiting(s->queue));
    unlock(s);
    return over;
}

static void service_task(void *arg)
{
    struct ota_service *s = arg;
    struct message m;
    do {
        xQueueReceive(s->queue, &m, portMAX_DELAY);
        if (m.command == START) run(s, m.number);
    } while (!is_over(s, &m));
    vQueueDelete(s->queue);
    pthread_mutex_destroy(&s->lock);
    free_list(&s->list);
    free(s);
    vTaskDelete(NULL);
}

/* ---- hooks ---- */

/* Callbacks call these, too, in the task that would empty the queue: nothing waits for room. */
static esp_err_t start(periph_service_handle_t handle)
{
    struct ota_service *s = periph_service_get_data(handle);
    lock(s);
    struct message m = {.command = START, .number = s->started + 1};
    bool sent = xQueueSend(s->queue, &m, 0) == pdTRUE;
    s->started += sent;
    unlock(s);
    if (!sent) ESP_LOGE(TAG, "%d starts wait already", QUEUE_LEN);
    return sent ? ESP_OK : ESP_FAIL;
}

static esp_err_t stop(periph_service_handle_t handle)
{
    struct ota_service *s = periph_service_get_data(handle);
    lock(s);
    s->stopped_up_to = s->started;
    unlock(s);
    return ESP_OK;
}

static esp_err_t destroy(periph_service_handle_t handle)
{
    struct ota_service *s = periph_service_get_data(handle);
    struct message m = {.command = DESTROY};
    lock(s);
    s->handle = NULL;
    s->leave = xQueueSend(s->queue, &m, 0) != pdTRUE;
    unlock(s);
    return ESP_OK;
}

/* ---- calls ---- */

ota_service_options_t ota_service_default_options(void)
{
    return (ota_service_options_t){
        .atomic = airlift_config_bool("OTA_SERVICE_ATOMIC"),
        .in_place = airlift_config_bool("OTA_SERVICE_DATA_IN_PLACE"),
        .compat_results = airlift_config_bool("OTA_SERVICE_COMPAT_RESULTS"),
        .retries = (int)airlift_config_int("OTA_SERVICE_RETRIES", 0),
    };
}

periph_service_handle_t ota_service_create(ota_service_config_t *config)
{
    AUDIO_NULL_CHECK(TAG, config, return NULL);
    struct ota_service *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->queue = xQueueCreate(QUEUE_LEN, sizeof(struct message));
    s->list.options = ota_service_default_options();
    pthread_mutex_init(&s->lock, NULL);
    periph_service_config_t service = {
        .service_start = start,
        .service_stop = stop,
        .service_destroy = destroy,
        .service_name = service_name,
        .user_data = s,
    };
    s->handle = s->queue ? periph_service_create(&service) : NULL;
    periph_service_handle_t handle = s->handle;
    if (handle && config->evt_cb)
        periph_service_set_callback(handle, config->evt_cb, config->cb_ctx);
    /* The task has s, not the handle: that may be destroyed before it looks. */
    if (handle &&
        xTaskCreatePinnedToCore(service_task, service_name, (uint32_t)config->task_stack, s,
                                (UBaseType_t)config->task_prio, NULL, config->task_core) == pdPASS)
        return handle;
    ESP_LOGE(TAG, "Memory exhausted");
    if (handle) periph_service_destroy(handle);
    if (s->queue) vQueueDelete(s->queue);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return NULL;
}

esp_err_t ota_service_set_upgrade_param(periph_service_handle_t handle, ota_upgrade_ops_t *list,
                                        int list_len)
{
    AUDIO_NULL_CHECK(TAG, handle, return ESP_ERR_INVALID_ARG);
    AUDIO_NULL_CHECK(TAG, list, return ESP_ERR_INVALID_ARG);
    if (list_len <= 0) {
        ESP_LOGE(TAG, "An upgrade list of %d entries is none", list_len);
        return ESP_FAIL;
    }
    struct ota_service *s = periph_service_get_data(handle);
    struct ota_list next = {0};
    if (!copy_entries(&next, list, list_len)) return ESP_ERR_NO_MEM;
    lock(s);
    next.options = s->list.options;
    free_list(&s->list);
    s->list = next;
    unlock(s);
    return ESP_OK;
}

esp_err_t ota_service_set_options(periph_service_handle_t handle,
                                  const ota_service_options_t *options)
{
    AUDIO_NULL_CHECK(TAG, handle, return ESP_ERR_INVALID_ARG);
    AUDIO_NULL_CHECK(TAG, options, return ESP_ERR_INVALID_ARG);
    struct ota_service *s = periph_service_get_data(handle);
    lock(s);
    s->list.options = *options;
    unlock(s);
    return ESP_OK;
}

esp_err_t ota_service_set_sha256(periph_service_handle_t handle, int id, const uint8_t sha256[32])
{
    AUDIO_NULL_CHECK(TAG, handle, return ESP_ERR_INVALID_ARG);
    struct ota_service *s = periph_service_get_data(handle);
    lock(s);
    bool known = id >= 0 && id < s->list.len;
    if (known) s->list.digests[id].given = sha256;
    if (known && sha256) memcpy(s->list.digests[id].sha256, sha256, 32);
    unlock(s);
    return known ? ESP_OK : ESP_ERR_INVALID_ARG;
}

bool ota_service_incomplete(const char *label)
{
    const esp_partition_t *p =
        label ? esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, label)
              : NULL;
    return p && part_update_incomplete(p);
}

int ota_get_version_number(char *version)
{
    if (!version || strnlen(version, AL_VERSION_TEXT_MAX + 1) > AL_VERSION_TEXT_MAX) {
        ESP_LOGE(TAG, "Invalid version");
        return -1;
    }
    int number = al_version_number(version);
    if (number < 0)
        ESP_LOGE(TAG, "Got invalid version: %s, the version should be (V0.0.0 - V255.255.255)",
                 version);
    return number;
}
