/* A flash in memory for tests of readers: erased, with a file somewhere. It
 * takes programs and erases by the NOR rules too; for power cuts see
 * device/nor_flash.h. */
#ifndef TESTS_SUPPORT_MEM_FLASH_H
#define TESTS_SUPPORT_MEM_FLASH_H

#include "core/flash.h"

struct mem_flash {
    struct al_flash flash;
    uint8_t *bytes;
    uint64_t reads;        /* bytes that went through read() */
    uint32_t fail_read_at; /* reads that touch this address fail; 0: none */
};

/* mapped: with memory-mapped reading. */
void mem_flash_init(struct mem_flash *m, uint32_t size, bool mapped);
void mem_flash_put(struct mem_flash *m, uint32_t offset, const void *data, size_t len);
void mem_flash_free(struct mem_flash *m);

#endif
