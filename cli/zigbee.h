/* Commands of `airlift zigbee` and `airlift radio`; a file each. */
#ifndef CLI_ZIGBEE_H
#define CLI_ZIGBEE_H

#include "cli/cli.h"

/* Each group of files declares its run functions and option lists here. */

#endif
