/* Empty groups, in force until the group's own file is there. In the archive this file
 * comes behind those, so the linker takes theirs first. */
#include "cli/cli.h"

#define ABSENT(group) __attribute__((weak)) const struct cli_command group[] = {{0}}

ABSENT(image_commands);
ABSENT(partition_commands);
ABSENT(flash_commands);
ABSENT(otadata_commands);
ABSENT(boot_commands);
ABSENT(nvs_commands);
ABSENT(api_commands);
ABSENT(build_commands);
ABSENT(device_commands);
