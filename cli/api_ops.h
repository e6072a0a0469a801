/* The notation of `airlift api`: one word is a reset or one call of the vendor's
 * OTA API, with the result lines that the test vectors have (tests/vectors/esp-flash). */
#ifndef CLI_API_OPS_H
#define CLI_API_OPS_H

#include "cli/flash_device.h"

/* Is op an operation, with the argument that it takes? false: why says what is wrong. */
bool api_op_check(const char *op, char *why, size_t why_size);

/* Runs op on the device. Gives {op, result[], otadata["seq/state/crc", ...], log[]} and
 * efuse_secure_version_after when it has changed; NULL with a sentence in why when op is none, or
 * names a partition or file that is not there. Uses d->ctx and d->line meanwhile. */
cJSON *api_op_run(struct flash_device *d, const char *op, char *why, size_t why_size);

/* One line an operation, "  boot            reset the device, ...", for --help. */
#define API_OPS_HELP                                                                       \
    "  boot               reset the device, run the boot loader\n"                         \
    "  boottest           the same with the test-app pin held\n"                           \
    "  next, next=X       esp_ota_get_next_update_partition(NULL or X)\n"                  \
    "  valid              esp_ota_mark_app_valid_cancel_rollback()\n"                      \
    "  invalid            esp_ota_mark_app_invalid_rollback()\n"                           \
    "  rbpossible         esp_ota_check_rollback_is_possible()\n"                          \
    "  getboot, running   esp_ota_get_boot_partition(), esp_ota_get_running_partition()\n" \
    "  lastinvalid        esp_ota_get_last_invalid_partition()\n"                          \
    "  eraselast          esp_ota_erase_last_boot_app_partition()\n"                       \
    "  invalslot          esp_ota_invalidate_inactive_ota_data_slot()\n"                   \
    "  state=X            esp_ota_get_state_partition(X)\n"                                \
    "  setboot=X          esp_ota_set_boot_partition(X)\n"                                 \
    "  setbootnv=X        esp_ota_set_boot_partition_skip_validate(X)\n"                   \
    "  ota=X,FILE         esp_ota_begin(X, OTA_WITH_SEQUENTIAL_WRITES), esp_ota_write, "   \
    "esp_ota_end"

#endif
