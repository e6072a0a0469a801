/* Assertions at compile time. */
#pragma once

#include <assert.h>

#ifdef __cplusplus
#define ESP_STATIC_ASSERT static_assert
#else
#define ESP_STATIC_ASSERT _Static_assert
#endif
#define TRY_STATIC_ASSERT(CONDITION, MSG) \
    ESP_STATIC_ASSERT(!__builtin_constant_p(CONDITION) || (CONDITION), #MSG)
