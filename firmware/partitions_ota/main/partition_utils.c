#include "partition_utils.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "esp_flash.h"

static int by_address(const void *a, const void *b)
{
    const esp_partition_t *x = *(const esp_partition_t *const *)a;
    const esp_partition_t *y = *(const esp_partition_t *const *)b;
    return (x->address > y->address) - (x->address < y->address);
}

/* Partitions of the chip, sorted by address; the array is the caller's. */
static size_t sorted_partitions(esp_flash_t *chip, const esp_partition_t ***out)
{
    size_t count = 0, room = 0;
    const esp_partition_t **list = NULL;
    esp_partition_iterator_t it =
        esp_partition_find(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);
    for (; it; it = esp_partition_next(it)) {
        const esp_partition_t *p = esp_partition_get(it);
        if (p->flash_chip != chip) continue;
        if (count == room) {
            room += 16;
            const esp_partition_t **larger = realloc(list, room * sizeof *list);
            assert(larger);
            list = larger;
        }
        list[count++] = p;
    }
    esp_partition_iterator_release(it);
    if (count) qsort(list, count, sizeof *list, by_address);
    *out = list;
    return count;
}

esp_err_t partition_utils_find_unallocated(esp_flash_t *flash_chip, size_t required_size,
                                           uint32_t start_offset, uint32_t *found_offset,
                                           size_t *found_size)
{
    if (found_offset == NULL || found_size == NULL) return ESP_ERR_INVALID_ARG;
    if (flash_chip == NULL) flash_chip = esp_flash_default_chip;
    uint32_t flash_size;
    esp_err_t err = esp_flash_get_size(flash_chip, &flash_size);
    if (err != ESP_OK) return err;

    const esp_partition_t **list;
    size_t count = sorted_partitions(flash_chip, &list);
    uint32_t end = start_offset; /* of what was looked at */
    err = ESP_ERR_NOT_FOUND;
    for (size_t i = 0; i <= count && err != ESP_OK; i++) {
        uint32_t next = i < count ? list[i]->address : flash_size;
        if (next > end && next - end >= required_size) {
            *found_offset = end;
            *found_size = next - end;
            err = ESP_OK;
        }
        if (i < count) end = MAX(end, list[i]->address + list[i]->size);
    }
    free(list);
    return err;
}
