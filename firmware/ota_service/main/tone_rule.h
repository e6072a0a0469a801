/* When a tone image replaces the one in flash. */
#pragma once

#include "ota_service.h"

/* need_upgrade of a data partition. Yes: nothing usable in flash; an image of format 0; format 1
 * over format 0; a higher version. No: NO_HIGHER_VERSION, or what is wrong with the new image. */
ota_service_err_reason_t tone_need_upgrade(void *handle, ota_node_attr_t *node);
