/* Event loops: a queue of copied events, a list of handlers, a task. */
#include "esp_event.h"

#include <stdlib.h>
#include <string.h>

#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/kernel.h"
#include "esp_task.h"

struct handler {
    struct handler *next;
    esp_event_base_t base;
    int32_t id;
    esp_event_handler_t function;
    void *arg;
    bool removed; /* unlinked when no event is being handled */
};

struct event {
    esp_event_base_t base;
    int32_t id;
    void *data; /* copy; NULL: none */
};

struct loop {
    QueueHandle_t queue;
    SemaphoreHandle_t lock; /* of the handlers, recursive: a handler may register more */
    TaskHandle_t task;      /* NULL: esp_event_loop_run() */
    struct handler *handlers;
    unsigned dispatching;
};

static struct loop *default_loop;

/* --- life of a loop --- */

static void sweep(struct loop *l)
{
    for (struct handler **p = &l->handlers; *p;) {
        struct handler *h = *p;
        if (!h->removed) {
            p = &h->next;
            continue;
        }
        *p = h->next;
        free(h);
    }
}

static void dispatch(struct loop *l, const struct event *e)
{
    xSemaphoreTakeRecursive(l->lock, portMAX_DELAY);
    l->dispatching++;
    for (struct handler *h = l->handlers; h; h = h->next) {
        bool fits = (h->base == ESP_EVENT_ANY_BASE || h->base == e->base) &&
                    (h->id == ESP_EVENT_ANY_ID || h->id == e->id);
        if (fits && !h->removed) h->function(h->arg, e->base, e->id, e->data);
    }
    if (!--l->dispatching) sweep(l);
    xSemaphoreGiveRecursive(l->lock);
    free(e->data);
}

static void loop_task(void *arg)
{
    struct loop *l = arg;
    for (;;) {
        struct event e;
        if (xQueueReceive(l->queue, &e, portMAX_DELAY)) dispatch(l, &e);
    }
}

static void free_loop(struct loop *l)
{
    struct event e;
    if (l->queue) {
        while (xQueueReceive(l->queue, &e, 0)) free(e.data);
        vQueueDelete(l->queue);
    }
    while (l->handlers) {
        struct handler *next = l->handlers->next;
        free(l->handlers);
        l->handlers = next;
    }
    if (l->lock) vSemaphoreDelete(l->lock);
    free(l);
}

esp_err_t esp_event_loop_create(const esp_event_loop_args_t *args, esp_event_loop_handle_t *out)
{
    if (!args || !out) return ESP_ERR_INVALID_ARG;
    struct loop *l = calloc(1, sizeof *l);
    if (!l) return ESP_ERR_NO_MEM;
    l->queue = xQueueCreate(args->queue_size > 0 ? (UBaseType_t)args->queue_size : 1,
                            sizeof(struct event));
    l->lock = xSemaphoreCreateRecursiveMutex();
    if (!l->queue || !l->lock) {
        free_loop(l);
        return ESP_ERR_NO_MEM;
    }
    if (args->task_name &&
        xTaskCreatePinnedToCore(loop_task, args->task_name, args->task_stack_size, l,
                                args->task_priority, &l->task, args->task_core_id) != pdPASS) {
        free_loop(l);
        return ESP_FAIL;
    }
    *out = l;
    return ESP_OK;
}

esp_err_t esp_event_loop_delete(esp_event_loop_handle_t loop)
{
    struct loop *l = loop;
    if (!l) return ESP_ERR_INVALID_ARG;
    bool inside = l->task == xTaskGetCurrentTaskHandle();
    if (l->task && !inside) {
        xSemaphoreTakeRecursive(l->lock, portMAX_DELAY); /* no handler runs */
        vTaskDelete(l->task);
        while (!kernel_task_ended(l->task)) vTaskDelay(1); /* it still waits for the queue */
    }
    free_loop(l);
    if (inside) vTaskDelete(NULL);
    return ESP_OK;
}

esp_err_t esp_event_loop_create_default(void)
{
    if (default_loop) return ESP_ERR_INVALID_STATE;
    esp_event_loop_args_t args = {
        .queue_size = (int32_t)airlift_config_int("ESP_SYSTEM_EVENT_QUEUE_SIZE", 32),
        .task_name = "sys_evt",
        .task_priority = ESP_TASKD_EVENT_PRIO,
        .task_stack_size = ESP_TASKD_EVENT_STACK,
    };
    esp_event_loop_handle_t l;
    esp_err_t err = esp_event_loop_create(&args, &l);
    if (!err) default_loop = l;
    return err;
}

esp_err_t esp_event_loop_delete_default(void)
{
    if (!default_loop) return ESP_ERR_INVALID_STATE;
    struct loop *l = default_loop;
    default_loop = NULL;
    return esp_event_loop_delete(l);
}

esp_err_t esp_event_loop_run(esp_event_loop_handle_t loop, TickType_t ticks)
{
    struct loop *l = loop;
    if (!l) return ESP_ERR_INVALID_ARG;
    TickType_t begin = xTaskGetTickCount();
    for (;;) {
        TickType_t gone = xTaskGetTickCount() - begin;
        struct event e;
        if (ticks != portMAX_DELAY && gone > ticks) return ESP_OK;
        if (!xQueueReceive(l->queue, &e, ticks == portMAX_DELAY ? ticks : ticks - gone))
            return ESP_OK;
        dispatch(l, &e);
    }
}

/* --- handlers --- */

static esp_err_t add_handler(struct loop *l, esp_event_base_t base, int32_t id,
                             esp_event_handler_t function, void *arg, struct handler **out)
{
    if (!function || (base == ESP_EVENT_ANY_BASE && id != ESP_EVENT_ANY_ID))
        return ESP_ERR_INVALID_ARG;
    struct handler *h = calloc(1, sizeof *h);
    if (!h) return ESP_ERR_NO_MEM;
    *h = (struct handler){.base = base, .id = id, .function = function, .arg = arg};
    xSemaphoreTakeRecursive(l->lock, portMAX_DELAY);
    struct handler **p = &l->handlers;
    while (*p) p = &(*p)->next;
    *p = h;
    xSemaphoreGiveRecursive(l->lock);
    if (out) *out = h;
    return ESP_OK;
}

/* By function, or by instance when that is given. */
static esp_err_t remove_handler(struct loop *l, esp_event_base_t base, int32_t id,
                                esp_event_handler_t function, const struct handler *instance)
{
    if (base == ESP_EVENT_ANY_BASE && id != ESP_EVENT_ANY_ID) return ESP_ERR_INVALID_ARG;
    xSemaphoreTakeRecursive(l->lock, portMAX_DELAY);
    struct handler *h = l->handlers;
    while (h && (h->removed || (instance ? h != instance : h->function != function) ||
                 h->base != base || h->id != id))
        h = h->next;
    if (h) h->removed = true;
    if (!l->dispatching) sweep(l);
    xSemaphoreGiveRecursive(l->lock);
    return h || !instance ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_event_handler_register_with(esp_event_loop_handle_t loop, esp_event_base_t base,
                                          int32_t id, esp_event_handler_t function, void *arg)
{
    struct loop *l = loop;
    if (!l) return ESP_ERR_INVALID_ARG;
    /* The same function again only takes the new argument. */
    xSemaphoreTakeRecursive(l->lock, portMAX_DELAY);
    struct handler *h = l->handlers;
    while (h && (h->removed || h->function != function || h->base != base || h->id != id))
        h = h->next;
    if (h) h->arg = arg;
    xSemaphoreGiveRecursive(l->lock);
    return h ? ESP_OK : add_handler(l, base, id, function, arg, NULL);
}

esp_err_t esp_event_handler_register(esp_event_base_t base, int32_t id,
                                     esp_event_handler_t function, void *arg)
{
    if (!default_loop) return ESP_ERR_INVALID_STATE;
    return esp_event_handler_register_with(default_loop, base, id, function, arg);
}

esp_err_t esp_event_handler_instance_register_with(esp_event_loop_handle_t loop,
                                                   esp_event_base_t base, int32_t id,
                                                   esp_event_handler_t function, void *arg,
                                                   esp_event_handler_instance_t *instance)
{
    if (!loop) return ESP_ERR_INVALID_ARG;
    struct handler *h = NULL;
    esp_err_t err = add_handler(loop, base, id, function, arg, &h);
    if (!err && instance) *instance = h;
    return err;
}

esp_err_t esp_event_handler_instance_register(esp_event_base_t base, int32_t id,
                                              esp_event_handler_t function, void *arg,
                                              esp_event_handler_instance_t *instance)
{
    if (!default_loop) return ESP_ERR_INVALID_STATE;
    return esp_event_handler_instance_register_with(default_loop, base, id, function, arg,
                                                    instance);
}

esp_err_t esp_event_handler_unregister_with(esp_event_loop_handle_t loop, esp_event_base_t base,
                                            int32_t id, esp_event_handler_t function)
{
    if (!loop || !function) return ESP_ERR_INVALID_ARG;
    return remove_handler(loop, base, id, function, NULL);
}

esp_err_t esp_event_handler_unregister(esp_event_base_t base, int32_t id,
                                       esp_event_handler_t function)
{
    if (!default_loop) return ESP_ERR_INVALID_STATE;
    return esp_event_handler_unregister_with(default_loop, base, id, function);
}

esp_err_t esp_event_handler_instance_unregister_with(esp_event_loop_handle_t loop,
                                                     esp_event_base_t base, int32_t id,
                                                     esp_event_handler_instance_t instance)
{
    if (!loop || !instance) return ESP_ERR_INVALID_ARG;
    return remove_handler(loop, base, id, NULL, instance);
}

esp_err_t esp_event_handler_instance_unregister(esp_event_base_t base, int32_t id,
                                                esp_event_handler_instance_t instance)
{
    if (!default_loop) return ESP_ERR_INVALID_STATE;
    return esp_event_handler_instance_unregister_with(default_loop, base, id, instance);
}

/* --- posting --- */

esp_err_t esp_event_post_to(esp_event_loop_handle_t loop, esp_event_base_t base, int32_t id,
                            const void *data, size_t size, TickType_t ticks)
{
    struct loop *l = loop;
    if (!l || base == ESP_EVENT_ANY_BASE || id == ESP_EVENT_ANY_ID) return ESP_ERR_INVALID_ARG;
    struct event e = {.base = base, .id = id};
    if (data && size) {
        if (!(e.data = malloc(size))) return ESP_ERR_NO_MEM;
        memcpy(e.data, data, size);
    }
    /* The loop's own task would wait for itself. */
    if (l->task == xTaskGetCurrentTaskHandle()) ticks = 0;
    if (xQueueSend(l->queue, &e, ticks)) return ESP_OK;
    free(e.data);
    return ESP_ERR_TIMEOUT;
}

esp_err_t esp_event_post(esp_event_base_t base, int32_t id, const void *data, size_t size,
                         TickType_t ticks)
{
    if (!default_loop) return ESP_ERR_INVALID_STATE;
    return esp_event_post_to(default_loop, base, id, data, size, ticks);
}

esp_err_t esp_event_isr_post_to(esp_event_loop_handle_t loop, esp_event_base_t base, int32_t id,
                                const void *data, size_t size, BaseType_t *unblocked)
{
    enum { ISR_DATA_MAX = 4 };
    if (size > ISR_DATA_MAX) return ESP_ERR_INVALID_ARG;
    if (unblocked) *unblocked = pdFALSE;
    return esp_event_post_to(loop, base, id, data, size, 0) == ESP_ERR_TIMEOUT ? ESP_FAIL : ESP_OK;
}

esp_err_t esp_event_isr_post(esp_event_base_t base, int32_t id, const void *data, size_t size,
                             BaseType_t *unblocked)
{
    if (!default_loop) return ESP_ERR_INVALID_STATE;
    return esp_event_isr_post_to(default_loop, base, id, data, size, unblocked);
}
