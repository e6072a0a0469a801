/* Included by examples of older versions. */
#pragma once

#include "sdkconfig.h"
