/* An NVS partition in a file, for the commands of `airlift nvs`: inside a flash image,
 * or a file that is the partition and nothing else. */
#ifndef CLI_NVS_FILE_H
#define CLI_NVS_FILE_H

#include "cli/cli.h"
#include "core/nvs.h"
#include "host/flash_image.h"

struct nvs_file {
    struct flash_image image; /* a copy in memory */
    struct al_window part;
    char label[17]; /* "" for a bare partition */
    struct al_nvs nvs;
    struct al_nvs_page *pages;
    uint8_t *before; /* the partition as it lay in the file, part.size bytes */
    int init;        /* result of al_nvs_init */
};

/* Opens operand 0, with --partition and --table-offset. CLI_OK, or the exit status
 * after a message; then there is nothing to close. The partition is repaired in memory
 * only; that it cannot be opened is said by init. */
int nvs_file_open(const struct cli_args *a, struct nvs_file *f);
/* Opens again as it lay in the file, now read-only. */
void nvs_file_reopen_readonly(struct nvs_file *f);
/* The sentence about init, for the user. */
int nvs_file_fail_init(const struct nvs_file *f);
int nvs_file_save(const struct nvs_file *f);
void nvs_file_close(struct nvs_file *f);

/* "u8", ... "str", "blob"; NULL: none. */
const char *nvs_type_name(uint8_t type);
/* 0: no type of that name. */
uint8_t nvs_type_by_name(const char *name);

#define NVS_FILE_OPTIONS                                                                    \
    {"--partition", "NAME", "label of the partition in a flash image; default nvs", false}, \
    {                                                                                       \
        "--table-offset", "X", "offset of the partition table; default 0x8000", false       \
    }

int nvs_show(const struct cli_args *a);

#endif
