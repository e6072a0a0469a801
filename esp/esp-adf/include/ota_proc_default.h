/* The steps that most entries of an upgrade list use, and what an own need_upgrade of a data
 * partition needs. `handle` is what the default prepare gave. */
#pragma once

#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "ota_service.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fills in the four steps, nothing else. */
void ota_app_get_default_proc(ota_upgrade_ops_t *ops);
/* need_upgrade is NULL: the app has to set it. */
void ota_data_get_default_proc(ota_upgrade_ops_t *ops);

/* Exactly wanted_size bytes, or OTA_SERV_ERR_REASON_STREAM_RD_FAIL. */
esp_err_t ota_data_image_stream_read(void *handle, char *buf, int wanted_size);
/* Appends to the new content. What stream_read took has to be written so if it belongs to the
 * content: execute_upgrade goes on behind it. */
esp_err_t ota_data_partition_write(void *handle, char *buf, int size);
/* The app has erased the partition: execute_upgrade does not do it again. */
esp_err_t ota_data_partition_erase_mark(void *handle);

#ifdef __cplusplus
}
#endif
