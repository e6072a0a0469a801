/* flash_args of a build directory, as the vendor's build writes it for its flash
 * tool: a line of options, then one "OFFSET FILE" a line, files relative to the
 * directory.
 *
 *   --flash_mode dio --flash_freq 80m --flash_size 4MB
 *   0x0 bootloader/bootloader.bin
 *   0x8000 partition_table/partition-table.bin */
#ifndef DEVICE_FLASH_ARGS_H
#define DEVICE_FLASH_ARGS_H

#include <stddef.h>
#include <stdint.h>

#define FLASH_ARGS_MAX 32u

struct flash_args {
    uint32_t flash_size; /* bytes; 0: not given, or "detect" */
    uint32_t count;
    struct flash_args_part {
        uint32_t offset;
        char path[512]; /* as written */
    } part[FLASH_ARGS_MAX];
};

/* name: of the file, for messages. 0, or AL_ERR_INVALID_ARG with
 * "name:line: what is wrong" in why. */
int flash_args_parse(const char *text, size_t len, const char *name, struct flash_args *out,
                     char *why, size_t why_size);

#endif
