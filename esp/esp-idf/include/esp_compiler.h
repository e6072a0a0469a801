/* Hints to the compiler. */
#pragma once

#ifndef likely
#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif
#define ESP_COMPILER_DIAGNOSTIC_PUSH_IGNORE(w)
#define ESP_COMPILER_DIAGNOSTIC_POP(w)
