/* Partition tables from files, for the commands that need one. */
#ifndef CLI_PARTITION_H
#define CLI_PARTITION_H

#include "cli/cli.h"
#include "host/part_csv.h"

/* The options that say how a CSV becomes a table. */
#define PARTITION_CSV_OPTIONS                                                            \
    {"--offset", "X", "where the table lies in flash (0x8000)", false},                  \
        {"--disable-md5sum", NULL, "no MD5 entry", false},                               \
        {"--no-verify", NULL, "no checks but those of the placement", false},            \
        {"--secure", "[v1|v2]", "app sizes have to suit Secure Boot; alone: v1", false}, \
        {"--primary-bootloader-offset", "X", "for rows of type bootloader", false},      \
    {                                                                                    \
        "--recovery-bootloader-offset", "X", "for the row bootloader, recovery", false   \
    }

/* The option that makes it a table of user partitions. */
#define PARTITION_AT_OPTION                                                           \
    {                                                                                 \
        "--at-customize", "WHERE",                                                    \
            "user partitions of ESP-AT, inside at_customize of a primary table (CSV " \
            "or binary), or inside OFFSET:SIZE",                                      \
            false                                                                     \
    }

/* Compiles (or takes, when it is binary) the table in a file. flash_size: bytes, 0:
 * not checked. --at-customize: judged as one of user partitions. error: the JSON object {class,
 * line, message} of a refusal, or NULL; the caller's. CLI_OK, or the exit status after a message.
 */
int partition_file(const struct cli_args *a, const char *path, uint32_t flash_size,
                   uint8_t raw[AL_PART_TABLE_LEN], uint32_t *table_offset, cJSON **error);

/* What --at-customize WHERE names. CLI_OK, or the exit status after a message. */
int partition_area(const struct cli_args *a, const char *where, struct al_part *area);

/* {name, type, subtype, offset, size, flags} of one partition. */
cJSON *partition_json(const struct al_part *p);

#endif
