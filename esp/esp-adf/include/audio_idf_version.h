/* Which ESP-IDF this is. */
#pragma once

#include "esp_idf_version.h"
