/* Which user partition of ESP-AT begins with which bytes. Source: at_ota_cmd.c of ESP-AT; contents:
 * AtPKI.py, BLEService.py, factory_param_generate.py. */
#ifndef HOST_PARTITION_MAGIC_H
#define HOST_PARTITION_MAGIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARTITION_MAGIC_REACH 4u /* so many first bytes decide */

enum partition_magic {
    PARTITION_MAGIC_FITS,
    PARTITION_MAGIC_WRONG,
    PARTITION_MAGIC_UNKNOWN /* a name of which nothing is known: the original refuses it */
};

struct partition_magic_fault {
    size_t at; /* the first byte that differs */
    uint8_t expected;
    int found; /* -1: the content is shorter */
};

/* head: the first bytes of the content, len of them. fault: set when it is WRONG; may be NULL. */
enum partition_magic partition_magic_check(const char *name, const uint8_t *head, size_t len,
                                           struct partition_magic_fault *fault);

#endif
