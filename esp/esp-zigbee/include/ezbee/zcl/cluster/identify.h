/* Identify: commands. There are none to send. */
#pragma once

#include <ezbee/zcl/cluster/identify_desc.h>
