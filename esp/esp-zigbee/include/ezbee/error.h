/* Errors of the 2.x API: 0, -1, or a category and a code. */
#pragma once

#include <stdint.h>

#include <ezbee/platform/toolchain.h>

typedef int ezb_err_t;

typedef enum {
    EZB_ERR_CATEGORY_GENERIC,
    EZB_ERR_CATEGORY_MAC,
    EZB_ERR_CATEGORY_NWK,
    EZB_ERR_CATEGORY_APS,
    EZB_ERR_CATEGORY_ZDP,
    EZB_ERR_CATEGORY_ZCL,
    EZB_ERR_CATEGORY_MAX_NR
} ezb_err_category_t;

#define EZB_MAKE_ERROR(category, code) \
    ((ezb_err_t)((code) == 0 ? 0 : ((((category)&0xff) << 8) | ((code)&0xff))))

static inline ezb_err_category_t ezb_get_err_category(ezb_err_t err)
{
    return (ezb_err_category_t)((err >> 8) & 0xff);
}

static inline uint8_t ezb_get_err_value(ezb_err_t err)
{
    return (uint8_t)(err & 0xff);
}

#define EZB_ERR_NONE          0
#define EZB_ERR_FAIL          -1
#define EZB_ERR_NO_MEM        EZB_MAKE_ERROR(EZB_ERR_CATEGORY_GENERIC, 0x01)
#define EZB_ERR_INV_ARG       EZB_MAKE_ERROR(EZB_ERR_CATEGORY_GENERIC, 0x02)
#define EZB_ERR_INV_STATE     EZB_MAKE_ERROR(EZB_ERR_CATEGORY_GENERIC, 0x03)
#define EZB_ERR_INV_SIZE      EZB_MAKE_ERROR(EZB_ERR_CATEGORY_GENERIC, 0x04)
#define EZB_ERR_NOT_FOUND     EZB_MAKE_ERROR(EZB_ERR_CATEGORY_GENERIC, 0x05)
#define EZB_ERR_NOT_SUPPORTED EZB_MAKE_ERROR(EZB_ERR_CATEGORY_GENERIC, 0x06)
#define EZB_ERR_TIMEOUT       EZB_MAKE_ERROR(EZB_ERR_CATEGORY_GENERIC, 0x07)
#define EZB_ERR_ABORT         EZB_MAKE_ERROR(EZB_ERR_CATEGORY_GENERIC, 0x08)
#define EZB_ERR_BUSY          EZB_MAKE_ERROR(EZB_ERR_CATEGORY_GENERIC, 0x09)
#define EZB_ERR_NOT_FINISHED  EZB_MAKE_ERROR(EZB_ERR_CATEGORY_GENERIC, 0x0c)
#define EZB_ERR_NOT_ALLOWED   EZB_MAKE_ERROR(EZB_ERR_CATEGORY_GENERIC, 0x0d)
#define EZB_ERR_PARSE         EZB_MAKE_ERROR(EZB_ERR_CATEGORY_GENERIC, 0x10)
#define EZB_ERR_EMPTY_DATA    EZB_MAKE_ERROR(EZB_ERR_CATEGORY_GENERIC, 0x11)
#define EZB_ERR_DROP          EZB_MAKE_ERROR(EZB_ERR_CATEGORY_GENERIC, 0x12)
#define EZB_ERR_SECURITY      EZB_MAKE_ERROR(EZB_ERR_CATEGORY_GENERIC, 0x13)
