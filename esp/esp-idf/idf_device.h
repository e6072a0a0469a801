/* The device as the update engine wants it: the partition table, the running
 * slot, keys and rules of the project's configuration. Loaded once a process. */
#ifndef ESP_IDF_DEVICE_H
#define ESP_IDF_DEVICE_H

#include "core/err.h"
#include "core/ota.h"
#include "esp_err.h"
#include "esp_partition.h"

/* The engine's view, locked for the caller. Its events are logged as the vendor
 * logs them. */
struct al_ota *idf_device_lock(void);
void idf_device_unlock(void);

/* Partitions registered at run time; copied. false: no memory. */
bool idf_device_set_extra(const struct al_part *parts, uint32_t count);

/* Reads the keys anew after eFuses changed. */
void idf_device_refresh_keys(void);

/* How images of this device are judged; keys included when apps are signed. */
struct al_image_rules idf_device_rules(enum al_image_kind kind);

/* Adds user partitions behind all others, for good (esp_partition.c). They lie inside another
 * partition, so nothing is asked about overlaps. out: count of them. ESP_ERR_NO_MEM. */
esp_err_t idf_partition_add_user(const struct al_part *parts, uint32_t count,
                                 const esp_partition_t **out);

/* Between the two kinds of partition. label is cut to 16 characters. */
struct al_part idf_part(const esp_partition_t *p);
void idf_partition(const struct al_part *p, esp_partition_t *out);
/* Bounds are those of the struct, which need not be in the table. ESP_ERR_INVALID_SIZE: not
 * inside the flash. */
esp_err_t idf_window(const esp_partition_t *p, struct al_window *out);

struct vendor_line;
void idf_log_vendor_line(const struct vendor_line *line);

static inline esp_err_t idf_err(int al_err)
{
    return al_err_vendor(al_err);
}

#endif
