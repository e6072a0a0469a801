/* How a kind of peripheral plugs into a set. */
#ifndef ESP_ADF_PERIPH_IMPL_H
#define ESP_ADF_PERIPH_IMPL_H

#include "esp_peripherals.h"

struct periph_ops {
    esp_err_t (*start)(void *data);
    void (*stop)(void *data);
    void (*destroy)(void *data); /* stopped before */
};

/* data: the kind's own, freed by destroy. NULL: no memory; data stays the caller's. */
esp_periph_handle_t periph_new(esp_periph_id_t id, const struct periph_ops *ops, void *data);
/* NULL, and logged under tag: periph is of another kind. */
void *periph_data(esp_periph_handle_t periph, esp_periph_id_t id, const char *tag,
                  const char *func);

#endif
