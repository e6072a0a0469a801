/* The command table of `airlift radio`. */
#include "cli/zigbee.h"

const struct cli_command radio_commands[] = {
    {0},
};
