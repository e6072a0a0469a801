/* Attributes of the compiler under the vendor's names. */
#pragma once

#define EZB_PACKED_BEGIN
#define EZB_PACKED_FIELD        __attribute__((packed))
#define EZB_PACKED_END          __attribute__((packed))
#define EZB_WEAK                __attribute__((weak))
#define EZB_DEPRECATED          __attribute__((deprecated))
#define EZB_DEPRECATED_MSG(msg) __attribute__((deprecated(msg)))
#define EZB_CRITICAL_RESULT     __attribute__((warn_unused_result))
#define EZB_MAYBE_UNUSED        __attribute__((unused))
#define EZB_FALLTHROUGH         __attribute__((fallthrough))
