/* Callbacks that are due at a time of the node's clock. */
#include <stdlib.h>

#include "esp/esp-idf/kernel.h"
#include "esp/esp-zigbee/stack.h"

struct alarm {
    struct alarm *next; /* ordered by time; equal times by order */
    uint64_t at;
    uint64_t number;
    esp_zb_callback_t cb; /* or user_cb */
    uint8_t param;
    esp_zb_user_callback_t user_cb;
    void *user_param;
    esp_zb_user_cb_handle_t handle; /* INVALID: it has none */
};

/* Under the kernel's lock: many applications set alarms without esp_zb_lock_acquire(). */
static struct alarm *alarms;
static uint64_t numbers;

static void insert(struct alarm *a)
{
    struct alarm **at = &alarms;
    while (*at && (*at)->at <= a->at) at = &(*at)->next;
    a->next = *at;
    *at = a;
}

/* 0: all are taken. */
static esp_zb_user_cb_handle_t free_handle(void)
{
    static esp_zb_user_cb_handle_t last;
    for (unsigned tries = 0; tries < 255; tries++) {
        if (++last == ESP_ZB_USER_CB_HANDLE_INVALID) last++;
        const struct alarm *a = alarms;
        while (a && a->handle != last) a = a->next;
        if (!a) return last;
    }
    return ESP_ZB_USER_CB_HANDLE_INVALID;
}

static esp_zb_user_cb_handle_t add(struct alarm alarm, uint32_t ms, bool with_handle)
{
    struct alarm *a = malloc(sizeof *a);
    if (!a) esp_system_abort("no memory for a Zigbee alarm");
    *a = alarm;
    a->at = zb_stack_now() + ms * 1000ull;
    kernel_lock();
    a->number = ++numbers;
    if (with_handle) a->handle = free_handle();
    esp_zb_user_cb_handle_t handle = a->handle;
    bool keep = !with_handle || handle != ESP_ZB_USER_CB_HANDLE_INVALID;
    if (keep) insert(a);
    kernel_unlock();
    if (keep)
        zb_stack_wake();
    else
        free(a);
    return handle;
}

void esp_zb_scheduler_alarm(esp_zb_callback_t cb, uint8_t param, uint32_t time_ms)
{
    if (cb) add((struct alarm){.cb = cb, .param = param}, time_ms, false);
}

esp_zb_user_cb_handle_t esp_zb_scheduler_user_alarm(esp_zb_user_callback_t cb, void *param,
                                                    uint32_t time_ms)
{
    if (!cb) return ESP_ZB_USER_CB_HANDLE_INVALID;
    return add((struct alarm){.user_cb = cb, .user_param = param}, time_ms, true);
}

bool zb_scheduler_post(esp_zb_user_callback_t fn, void *ctx, uint32_t ms)
{
    add((struct alarm){.user_cb = fn, .user_param = ctx}, ms, false);
    return true;
}

/* Takes the first one out that is meant. */
static struct alarm *take(bool (*meant)(const struct alarm *a, const struct alarm *like),
                          const struct alarm *like)
{
    kernel_lock();
    struct alarm **at = &alarms;
    while (*at && !meant(*at, like)) at = &(*at)->next;
    struct alarm *a = *at;
    if (a) *at = a->next;
    kernel_unlock();
    return a;
}

static bool same_callback(const struct alarm *a, const struct alarm *like)
{
    return a->cb && a->cb == like->cb && a->param == like->param;
}

static bool same_handle(const struct alarm *a, const struct alarm *like)
{
    return a->handle == like->handle;
}

static bool is_due(const struct alarm *a, const struct alarm *like)
{
    return a->at <= like->at && a->number <= like->number;
}

void esp_zb_scheduler_alarm_cancel(esp_zb_callback_t cb, uint8_t param)
{
    free(take(same_callback, &(struct alarm){.cb = cb, .param = param}));
}

esp_err_t esp_zb_scheduler_user_alarm_cancel(esp_zb_user_cb_handle_t handle)
{
    if (handle == ESP_ZB_USER_CB_HANDLE_INVALID) return ESP_ERR_NOT_FOUND;
    struct alarm *a = take(same_handle, &(struct alarm){.handle = handle});
    free(a);
    return a ? ESP_OK : ESP_ERR_NOT_FOUND;
}

uint64_t zb_scheduler_next(void)
{
    kernel_lock();
    uint64_t at = alarms ? alarms->at : UINT64_MAX;
    kernel_unlock();
    return at;
}

/* Those that callbacks set anew wait for the next round, even when they are due at once. */
void zb_scheduler_run(void)
{
    kernel_lock();
    struct alarm now = {.at = zb_stack_now(), .number = numbers};
    kernel_unlock();
    for (struct alarm *a; (a = take(is_due, &now)); free(a)) {
        if (a->cb)
            a->cb(a->param);
        else
            a->user_cb(a->user_param);
    }
}
