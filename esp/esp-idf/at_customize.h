/* User partitions of ESP-AT: the secondary partition table at the start of partition
 * at_customize (type 0x40, subtype 0). Entries as in the primary table, with their MD5 entry;
 * addresses are of the flash and lie inside at_customize, behind its first 4 KiB, which belong
 * to the table. See core/part_customize.h. */
#ifndef ESP_AT_CUSTOMIZE_H
#define ESP_AT_CUSTOMIZE_H

#include <stddef.h>

#include "esp_partition.h"

/* Reads the table and adds its partitions behind the primary ones, so that esp_partition_find()
 * and its like find them too. All or none: a table with one wrong entry adds nothing. Once it has
 * succeeded, further calls do nothing and give ESP_OK.
 * ESP_ERR_NOT_FOUND: no partition at_customize, or no table in it; ESP_ERR_INVALID_STATE: the
 * table is corrupt, ESP_ERR_INVALID_SIZE: an entry reaches out of the partition, into the table
 * or over another one; ESP_ERR_NO_MEM. Logged (tag "at-customize") with the reason. */
esp_err_t idf_at_customize_load(void);

/* The user partitions, in the table's order; NULL: none of that name, or index behind the last.
 * Before a load that succeeded there are none. They stay valid until the reset. */
const esp_partition_t *idf_at_customize_find(const char *label);
const esp_partition_t *idf_at_customize_at(size_t index);

#endif
