/* The SD card of a virtual device: the folder sdcard/ of the device directory, seen by firmware
 * as /sdcard. No folder: no card in the slot. */
#ifndef ESP_ADF_SDCARD_H
#define ESP_ADF_SDCARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "esp_err.h"

#define ADF_SDCARD_ROOT "/sdcard"

/* Mounts the card. ESP_ERR_NOT_FOUND: there is none, logged with what to do. Mounted already:
 * ESP_OK. */
esp_err_t adf_sdcard_mount(void);
void adf_sdcard_unmount(void);
bool adf_sdcard_mounted(void);

/* The host's path of a firmware's path: "/sdcard/a.bin" gives DEVICE_DIR/sdcard/a.bin. Repeated
 * slashes count as one. false, and out is "": the path is not on a mounted card, has a ".."
 * component, or does not fit into size. The file need not exist. */
bool adf_host_path(const char *vfs_path, char *out, size_t size);

/* For reading; *size: its bytes. NULL with errno: no such file there, or no regular file. */
FILE *adf_sdcard_open(const char *vfs_path, int64_t *size);

#endif
