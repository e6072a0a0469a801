/* Empty groups, in force until the group's own file is there. In the archive this file
 * comes behind those, so the linker takes theirs first. */
#include "cli/cli.h"

__attribute__((weak)) const struct cli_command nvs_commands[] = {{0}};
