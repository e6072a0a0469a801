/* For services whose handle may be destroyed while their task runs. */
#ifndef ESP_ADF_PERIPH_SERVICE_IMPL_H
#define ESP_ADF_PERIPH_SERVICE_IMPL_H

#include "periph_service.h"

/* The callback that is set (NULL: none) and its context. */
periph_service_cb periph_service_get_callback(periph_service_handle_t handle, void **ctx);

#endif
