/* The command table of `airlift zigbee`. */
#include "cli/zigbee.h"

const struct cli_command zigbee_commands[] = {
    {0},
};
