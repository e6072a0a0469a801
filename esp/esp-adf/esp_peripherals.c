#include "esp_peripherals.h"

#include <stdlib.h>

#include "esp/esp-adf/periph_impl.h"
#include "esp_log.h"

static const char *TAG = "ESP_PERIPH";

struct esp_periph {
    esp_periph_id_t id;
    esp_periph_state_t state;
    const struct periph_ops *ops;
    void *data;
    struct esp_periph *next;
};

struct esp_periph_sets {
    struct esp_periph *first;
};

esp_periph_handle_t periph_new(esp_periph_id_t id, const struct periph_ops *ops, void *data)
{
    esp_periph_handle_t p = calloc(1, sizeof *p);
    if (p) *p = (struct esp_periph){.id = id, .state = PERIPH_STATE_INIT, .ops = ops, .data = data};
    return p;
}

void *periph_data(esp_periph_handle_t periph, esp_periph_id_t id, const char *tag, const char *func)
{
    if (periph && periph->id == id) return periph->data;
    ESP_LOGE(tag, "%s: the handle is not of this kind of peripheral", func);
    return NULL;
}

esp_periph_set_handle_t esp_periph_set_init(esp_periph_config_t *config)
{
    return calloc(1, sizeof(struct esp_periph_sets));
}

esp_err_t esp_periph_set_stop_all(esp_periph_set_handle_t set)
{
    AUDIO_NULL_CHECK(TAG, set, return ESP_ERR_INVALID_ARG);
    for (esp_periph_handle_t p = set->first; p; p = p->next) esp_periph_stop(p);
    return ESP_OK;
}

esp_err_t esp_periph_set_destroy(esp_periph_set_handle_t set)
{
    esp_err_t err = esp_periph_set_stop_all(set);
    if (err) return err;
    while (set->first) {
        esp_periph_handle_t p = set->first;
        set->first = p->next;
        p->ops->destroy(p->data);
        free(p);
    }
    free(set);
    return ESP_OK;
}

esp_periph_handle_t esp_periph_set_get_by_id(esp_periph_set_handle_t set, int periph_id)
{
    AUDIO_NULL_CHECK(TAG, set, return NULL);
    for (esp_periph_handle_t p = set->first; p; p = p->next)
        if ((int)p->id == periph_id) return p;
    ESP_LOGD(TAG, "Peripheral %d is not in the set", periph_id);
    return NULL;
}

esp_err_t esp_periph_start(esp_periph_set_handle_t set, esp_periph_handle_t periph)
{
    AUDIO_NULL_CHECK(TAG, set, return ESP_ERR_INVALID_ARG);
    AUDIO_NULL_CHECK(TAG, periph, return ESP_ERR_INVALID_ARG);
    esp_periph_handle_t same = esp_periph_set_get_by_id(set, periph->id);
    if (same && same != periph) {
        ESP_LOGE(TAG, "The set has a peripheral with id %d already", (int)periph->id);
        return ESP_ERR_INVALID_STATE;
    }
    if (!same) {
        periph->next = set->first;
        set->first = periph;
    }
    if (periph->state == PERIPH_STATE_RUNNING) return ESP_OK;
    esp_err_t err = periph->ops->start(periph->data);
    periph->state = err ? PERIPH_STATE_ERROR : PERIPH_STATE_RUNNING;
    return err;
}

esp_err_t esp_periph_stop(esp_periph_handle_t periph)
{
    AUDIO_NULL_CHECK(TAG, periph, return ESP_ERR_INVALID_ARG);
    if (periph->state == PERIPH_STATE_RUNNING) {
        periph->ops->stop(periph->data);
        periph->state = PERIPH_STATE_PAUSE;
    }
    return ESP_OK;
}

esp_periph_state_t esp_periph_get_state(esp_periph_handle_t periph)
{
    return periph ? periph->state : PERIPH_STATE_NULL;
}

esp_periph_id_t esp_periph_get_id(esp_periph_handle_t periph)
{
    return periph ? periph->id : (esp_periph_id_t)0;
}
