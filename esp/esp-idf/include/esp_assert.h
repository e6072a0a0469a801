/* Assertions at compile time. */
#pragma once

#include <assert.h>

#define ESP_STATIC_ASSERT _Static_assert
#define TRY_STATIC_ASSERT(CONDITION, MSG) \
    _Static_assert(!__builtin_constant_p(CONDITION) || (CONDITION), #MSG)
