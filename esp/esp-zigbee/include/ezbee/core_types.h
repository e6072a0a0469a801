/* Addresses. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <ezbee/error.h>
#include <ezbee/platform/toolchain.h>

enum ezb_addr_mode_e {
    EZB_ADDR_MODE_NONE = 0,
    EZB_ADDR_MODE_GROUP = 1,
    EZB_ADDR_MODE_SHORT = 2,
    EZB_ADDR_MODE_EXT = 3
};
typedef uint8_t ezb_addr_mode_t;

typedef uint16_t ezb_panid_t;
typedef uint16_t ezb_shortaddr_t;

/* Little-endian in memory, as on the air. */
EZB_PACKED_BEGIN
struct ezb_eui64_s {
    union {
        uint8_t u8[8];
        uint64_t u64;
    } EZB_PACKED_FIELD;
} EZB_PACKED_END;

typedef struct ezb_eui64_s ezb_extaddr_t;
typedef struct ezb_eui64_s ezb_extpanid_t;

typedef struct ezb_grpaddr_s {
    ezb_shortaddr_t group;
    ezb_shortaddr_t bcast; /* to whom the frame goes */
} ezb_grpaddr_t;

typedef union ezb_addr_u {
    ezb_shortaddr_t short_addr;
    ezb_grpaddr_t group_addr;
    ezb_extaddr_t extended_addr;
} ezb_addr_t;

typedef struct ezb_address_s {
    ezb_addr_mode_t addr_mode;
    ezb_addr_t u;
} ezb_address_t;

static inline bool ezb_eui64_compare(const struct ezb_eui64_s *eui64_1,
                                     const struct ezb_eui64_s *eui64_2)
{
    return eui64_1->u64 == eui64_2->u64;
}

static inline void ezb_eui64_copy(struct ezb_eui64_s *dst, const struct ezb_eui64_s *src)
{
    dst->u64 = src->u64;
}

static inline bool ezb_eui64_is_all_zero(const struct ezb_eui64_s *eui64)
{
    return eui64->u64 == 0;
}

static inline void ezb_eui64_set_all_zero(struct ezb_eui64_s *eui64)
{
    eui64->u64 = 0;
}

static inline bool ezb_eui64_is_all_ones(const struct ezb_eui64_s *eui64)
{
    return eui64->u64 == UINT64_MAX;
}

static inline void ezb_eui64_set_all_ones(struct ezb_eui64_s *eui64)
{
    eui64->u64 = UINT64_MAX;
}

/* All zeros or all ones. */
static inline bool ezb_eui64_is_invalid(const struct ezb_eui64_s *eui64)
{
    return ezb_eui64_is_all_zero(eui64) || ezb_eui64_is_all_ones(eui64);
}

#define EZB_ADDRESS_SHORT(addr)                                \
    (ezb_address_t)                                            \
    {                                                          \
        .addr_mode = EZB_ADDR_MODE_SHORT, .u.short_addr = addr \
    }
#define EZB_ADDRESS_EXTENDED(addr)                              \
    (ezb_address_t)                                             \
    {                                                           \
        .addr_mode = EZB_ADDR_MODE_EXT, .u.extended_addr = addr \
    }
#define EZB_ADDRESS_NONE()              \
    (ezb_address_t)                     \
    {                                   \
        .addr_mode = EZB_ADDR_MODE_NONE \
    }
#define EZB_ADDRESS_GROUP(g, b)                                       \
    (ezb_address_t)                                                   \
    {                                                                 \
        .addr_mode = EZB_ADDR_MODE_GROUP, .u.group_addr = {(g), (b) } \
    }

static inline void ezb_address_set_short(ezb_address_t *address, ezb_shortaddr_t short_addr)
{
    address->addr_mode = EZB_ADDR_MODE_SHORT;
    address->u.short_addr = short_addr;
}

static inline void ezb_address_set_extended(ezb_address_t *address, ezb_extaddr_t extended_addr)
{
    address->addr_mode = EZB_ADDR_MODE_EXT;
    address->u.extended_addr = extended_addr;
}

static inline void ezb_address_set_none(ezb_address_t *address)
{
    address->addr_mode = EZB_ADDR_MODE_NONE;
    ezb_eui64_set_all_zero(&address->u.extended_addr);
}

static inline bool ezb_address_is_short(const ezb_address_t *addr, ezb_shortaddr_t short_addr)
{
    return addr->addr_mode == EZB_ADDR_MODE_SHORT && addr->u.short_addr == short_addr;
}

static inline bool ezb_address_is_extended(const ezb_address_t *addr, ezb_extaddr_t extended_addr)
{
    return addr->addr_mode == EZB_ADDR_MODE_EXT &&
           ezb_eui64_compare(&addr->u.extended_addr, &extended_addr);
}

#define EZB_AES_KEY_SIZE 16
#define EZB_CCM_KEY_SIZE EZB_AES_KEY_SIZE
