/* NVS partitions in use and open handles. Everything here is under one lock, as
 * the vendor's calls are. */
#ifndef ESP_NVS_STORAGE_H
#define ESP_NVS_STORAGE_H

#include "core/nvs.h"
#include "nvs.h"

struct nvs_storage {
    struct nvs_storage *next;
    char label[NVS_PART_NAME_MAX_SIZE + 1];
    bool readonly;
    struct al_nvs nvs;
    struct al_nvs_page pages[];
};

void nvs_lock(void);
void nvs_unlock(void);
/* NULL: not initialized. */
struct nvs_storage *nvs_storage_find(const char *label);
bool nvs_storage_any(void); /* is any partition initialized */
bool nvs_storage_alive(const struct nvs_storage *s);
/* Handles of a storage that goes away. nvs_handle.c */
void nvs_handles_drop(const struct nvs_storage *s);

/* An open handle; NULL: unknown. */
struct nvs_open_handle {
    struct nvs_open_handle *next;
    nvs_handle_t number;
    struct nvs_storage *storage;
    uint8_t ns;
    nvs_open_mode_t mode;
};
struct nvs_open_handle *nvs_handle_find(nvs_handle_t handle);

#endif
