/* Basic: commands. There are none to send. */
#pragma once

#include <ezbee/zcl/cluster/basic_desc.h>
