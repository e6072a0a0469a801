/* The cluster library: the clusters of an OTA device. */
#pragma once

#include <ezbee/zcl/cluster/basic.h>
#include <ezbee/zcl/cluster/identify.h>
#include <ezbee/zcl/cluster/ota_upgrade.h>
#include <ezbee/zcl/zcl_common.h>
#include <ezbee/zcl/zcl_core.h>
#include <ezbee/zcl/zcl_desc.h>
#include <ezbee/zcl/zcl_general_cmd.h>
