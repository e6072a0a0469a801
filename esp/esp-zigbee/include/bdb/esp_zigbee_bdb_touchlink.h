/* Touchlink is not part of this stack; sources that include its header compile. */
#pragma once

#include "esp_zigbee_type.h"
