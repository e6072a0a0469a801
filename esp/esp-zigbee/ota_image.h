/* A file of the OTA server: the header that the layer makes, and behind it the bytes that the
 * application hands out front to back by its next_data_cb.
 *
 * The application has one cursor and no way to be told an offset. So all that it gave is kept
 * until the next download begins anew: repeats, further clients and those that resume are
 * served from there, and what lies behind is asked for in order. An application whose data
 * lie in memory one after the other is recognised by its pointers; when it has set its
 * cursor back meanwhile, it is called until it is where it was. One that asks
 * airlift_zb_ota_next_data_offset() is called for any offset, and nothing is kept. */
#ifndef ESP_ZIGBEE_OTA_IMAGE_H
#define ESP_ZIGBEE_OTA_IMAGE_H

#include "esp_zigbee_ota.h"
#include "zigbee/ota_file.h"

struct ota_image {
    bool used;
    esp_zb_ota_file_header_t header;
    esp_zb_ota_next_data_callback_t next_data;
    uint16_t index;
    uint32_t upgrade_time;
    uint8_t raw[AL_ZFILE_HEADER_MAX]; /* the file's first bytes */
    uint16_t raw_len;
    uint8_t *bytes; /* of the application, 0..have */
    uint32_t have;
    const uint8_t *base; /* where it has its first byte; linear: the others follow */
    uint32_t first_len;
    bool linear, seeks;
};

/* Puts a file in place of another. The same file again keeps what is known of it. */
esp_err_t ota_image_set(struct ota_image *m, const esp_zb_ota_upgrade_server_notify_req_t *req);
void ota_image_free(struct ota_image *m);
uint32_t ota_image_size(const struct ota_image *m); /* of the whole file */

/* len bytes of the file at offset into out. Their number, at least 1, or AL_FAIL: the
 * application failed, or has lost its place. who: told to the application. */
int ota_image_read(struct ota_image *m, const esp_zb_ota_zcl_information_t *who, uint32_t offset,
                   uint8_t *out, size_t len);

/* The application may be about to set its cursor to the beginning: asks for the rest, if it
 * has begun. */
esp_err_t ota_image_complete(struct ota_image *m, const esp_zb_ota_zcl_information_t *who);
/* A download begins, and nobody else is at it: the application is at its first byte. */
void ota_image_rewind(struct ota_image *m);

#endif
