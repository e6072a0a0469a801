/* Places in flash for partitions that the table does not name. */
#pragma once

#include "esp_err.h"
#include "esp_partition.h"

/* The first gap of at least required_size bytes behind start_offset, or the
 * space behind the last partition. *found_offset: a multiple of 4096.
 * ESP_ERR_NOT_FOUND: there is none. */
esp_err_t partition_utils_find_unallocated(esp_flash_t *flash_chip, size_t required_size,
                                           uint32_t start_offset, uint32_t *found_offset,
                                           size_t *found_size);
