/* The OTA file inside this program, and the one cursor with which it is handed out. */
#pragma once

#include "esp_zigbee_core.h"

/* Fills the fields of the table from the file's header. ESP_ERR_INVALID_ARG: no OTA file. */
esp_err_t ota_file_describe(esp_zb_ota_file_header_t *header);

bool ota_file_is(uint16_t manufacturer, uint16_t image_type);
/* Some of it is handed out, and not all. */
bool ota_file_in_use(void);
void ota_file_rewind(void);
/* The next size bytes behind the OTA header. */
const uint8_t *ota_file_next(uint8_t size);
uint32_t ota_file_position(void);
uint32_t ota_file_size(void);
