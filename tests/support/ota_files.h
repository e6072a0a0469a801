/* A directory of firmware files behind http_peer.py: one app image of the test
 * board's chip, and what can be wrong with it. */
#ifndef TESTS_SUPPORT_OTA_FILES_H
#define TESTS_SUPPORT_OTA_FILES_H

#include <stddef.h>
#include <stdint.h>

#define OTA_IMAGE_LEN 65616
#define OTA_IMAGE     "/file/app.bin" /* path at the server */

struct ota_files {
    char *root;
    uint8_t *image; /* [OTA_IMAGE_LEN], what app.bin holds */
};

/* Makes the board (test_board_new) and a directory with app.bin. */
void ota_files_make(struct ota_files *f);
/* The image, cut to len bytes, with the byte at `at` changed, as root/name. */
void ota_files_add(struct ota_files *f, const char *name, size_t len, size_t at, uint8_t byte);
void ota_files_remove(struct ota_files *f);
/* Fails unless the slot at that flash address holds the image. */
void ota_files_assert_slot(const struct ota_files *f, uint32_t slot, size_t len);

#endif
