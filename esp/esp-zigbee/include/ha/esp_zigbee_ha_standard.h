/* Ready-made devices are not part of this stack; build endpoints from clusters
 * (esp_zigbee_attribute.h, esp_zigbee_cluster.h). */
#pragma once

#include "esp_zigbee_core.h"
