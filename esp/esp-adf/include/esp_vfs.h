/* File systems: paths below /sdcard are the only ones that this layer has. */
#pragma once

#include "esp_err.h"
