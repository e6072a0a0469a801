/* Which user partition begins with which bytes. Source: at_ota_cmd.c of ESP-AT; contents:
 * AtPKI.py, BLEService.py, factory_param_generate.py. */
#ifndef AT_PARTITION_MAGIC_H
#define AT_PARTITION_MAGIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AT_PARTITION_MAGIC_REACH 4u /* so many first bytes decide */

enum at_partition_magic {
    AT_PARTITION_MAGIC_FITS,
    AT_PARTITION_MAGIC_WRONG,
    AT_PARTITION_MAGIC_UNKNOWN /* a name of which nothing is known: the original refuses it */
};

struct at_partition_magic_fault {
    size_t at; /* the first byte that differs */
    uint8_t expected;
    int found; /* -1: the content is shorter */
};

/* head: the first bytes of the content, len of them. fault: set when it is WRONG; may be NULL. */
enum at_partition_magic at_partition_magic_check(const char *name, const uint8_t *head, size_t len,
                                                 struct at_partition_magic_fault *fault);

#endif
