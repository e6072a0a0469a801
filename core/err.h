/* Error codes. Every function returns 0 or a count, or one of these.
 *
 * A code is the negated number that ESP-IDF uses for the same condition
 * (esp_err.h, esp_ota_ops.h, nvs.h, ...), so the vendor API layer and the
 * tools translate by al_err_vendor() alone. Conditions that the vendor has no
 * number for lie below AL_ERR_OWN. */
#ifndef CORE_ERR_H
#define CORE_ERR_H

#define AL_OK                  0
#define AL_FAIL                (-1) /* ESP_FAIL keeps its sign */
#define AL_ERR_NO_MEM          (-0x101)
#define AL_ERR_INVALID_ARG     (-0x102)
#define AL_ERR_INVALID_STATE   (-0x103)
#define AL_ERR_INVALID_SIZE    (-0x104)
#define AL_ERR_NOT_FOUND       (-0x105)
#define AL_ERR_NOT_SUPPORTED   (-0x106)
#define AL_ERR_TIMEOUT         (-0x107)
#define AL_ERR_INVALID_CRC     (-0x109)
#define AL_ERR_INVALID_VERSION (-0x10a)
#define AL_ERR_NOT_FINISHED    (-0x10c)
#define AL_ERR_NOT_ALLOWED     (-0x10d)

#define AL_ERR_NVS_NOT_INITIALIZED   (-0x1101)
#define AL_ERR_NVS_NOT_FOUND         (-0x1102)
#define AL_ERR_NVS_TYPE_MISMATCH     (-0x1103)
#define AL_ERR_NVS_READ_ONLY         (-0x1104)
#define AL_ERR_NVS_NOT_ENOUGH_SPACE  (-0x1105)
#define AL_ERR_NVS_INVALID_NAME      (-0x1106)
#define AL_ERR_NVS_INVALID_HANDLE    (-0x1107)
#define AL_ERR_NVS_REMOVE_FAILED     (-0x1108)
#define AL_ERR_NVS_KEY_TOO_LONG      (-0x1109)
#define AL_ERR_NVS_PAGE_FULL         (-0x110a)
#define AL_ERR_NVS_INVALID_STATE     (-0x110b)
#define AL_ERR_NVS_INVALID_LENGTH    (-0x110c)
#define AL_ERR_NVS_NO_FREE_PAGES     (-0x110d)
#define AL_ERR_NVS_VALUE_TOO_LONG    (-0x110e)
#define AL_ERR_NVS_PART_NOT_FOUND    (-0x110f)
#define AL_ERR_NVS_NEW_VERSION_FOUND (-0x1110)

#define AL_ERR_OTA_PARTITION_CONFLICT     (-0x1501)
#define AL_ERR_OTA_VALIDATE_FAILED        (-0x1503)
#define AL_ERR_OTA_SMALL_SEC_VER          (-0x1504)
#define AL_ERR_OTA_ROLLBACK_FAILED        (-0x1505)
#define AL_ERR_OTA_ROLLBACK_INVALID_STATE (-0x1506)
#define AL_ERR_OTA_ALREADY_IN_PROGRESS    (-0x1507)
#define AL_ERR_OTA_SPI_MODE_MISMATCH      (-0x1508)

#define AL_ERR_IMAGE_FLASH_FAIL (-0x2001)
#define AL_ERR_IMAGE_INVALID    (-0x2002)

#define AL_ERR_FLASH_OP_FAIL (-0x6001)

#define AL_ERR_OWN     (-0x100000)
#define AL_ERR_SHORT   (AL_ERR_OWN - 1) /* the data ends inside a field */
#define AL_ERR_NOT_NOR (AL_ERR_OWN - 2) /* a program would set a bit back to 1 */
#define AL_ERR_POWER   (AL_ERR_OWN - 3) /* the power went away in a flash operation */

/* The vendor's number for err: 0, -1, or positive. Own codes give ESP_FAIL,
 * flash faults ESP_ERR_FLASH_OP_FAIL. */
static inline int al_err_vendor(int err)
{
    if (err == AL_ERR_NOT_NOR || err == AL_ERR_POWER) return 0x6001;
    return err >= 0 ? 0 : (err == AL_FAIL || err < AL_ERR_OWN) ? -1 : -err;
}

#endif
