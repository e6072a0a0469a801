/* The OTA file, as its bytes lie there. */
#pragma once

#include <ezbee/core_types.h>

#define EZB_ZCL_OTA_FILE_IDENTIFIER     0x0beef11e
#define EZB_ZCL_OTA_FILE_HEADER_VERSION 0x0100

/* Which optional fields the header has. */
typedef enum {
    EZB_ZCL_OTA_FILE_HEADER_FC_SECURITY_CREDENTIAL_VERSION_PRESENT = 1u << 0,
    EZB_ZCL_OTA_FILE_HEADER_FC_DEVICE_SPECIFIC = 1u << 1,
    EZB_ZCL_OTA_FILE_HEADER_FC_HW_VERSION_PRESENT = 1u << 2
} ezb_zcl_ota_file_header_fc_t;

typedef enum {
    EZB_ZCL_OTA_FILE_IMAGE_TYPE_CLIENT_SECURITY_CREDENTIALS = 0xffc0,
    EZB_ZCL_OTA_FILE_IMAGE_TYPE_CLIENT_CONFIGURATION = 0xffc1,
    EZB_ZCL_OTA_FILE_IMAGE_TYPE_SERVER_LOG = 0xffc2,
    EZB_ZCL_OTA_FILE_IMAGE_TYPE_PICTURE = 0xffc3,
    EZB_ZCL_OTA_FILE_IMAGE_TYPE_WILD_CARD = 0xffff
} ezb_zcl_ota_file_image_type_t;

/* A file version: release and build of the application, of the stack; a byte each, the
 * highest first. SET replaces one of them. */
/* clang-format off */
#define EZB_ZCL_OTA_FILE_VERSION_GET_APP_RELEASE(v)      (((v) >> 24) & 0xff)
#define EZB_ZCL_OTA_FILE_VERSION_GET_APP_BUILD(v)        (((v) >> 16) & 0xff)
#define EZB_ZCL_OTA_FILE_VERSION_GET_STACK_RELEASE(v)    (((v) >> 8) & 0xff)
#define EZB_ZCL_OTA_FILE_VERSION_GET_STACK_BUILD(v)      ((v) & 0xff)
#define EZB_ZCL_OTA_FILE_VERSION_SET_APP_RELEASE(v, a)   (((v) & ~(0xffu << 24)) | (((a) & 0xffu) << 24))
#define EZB_ZCL_OTA_FILE_VERSION_SET_APP_BUILD(v, a)     (((v) & ~(0xffu << 16)) | (((a) & 0xffu) << 16))
#define EZB_ZCL_OTA_FILE_VERSION_SET_STACK_RELEASE(v, a) (((v) & ~(0xffu << 8)) | (((a) & 0xffu) << 8))
#define EZB_ZCL_OTA_FILE_VERSION_SET_STACK_BUILD(v, a)   (((v) & ~0xffu) | ((a) & 0xffu))
/* clang-format on */

typedef enum {
    EZB_ZCL_OTA_FILE_STACK_VERSION_2006 = 0,
    EZB_ZCL_OTA_FILE_STACK_VERSION_2007 = 1,
    EZB_ZCL_OTA_FILE_STACK_VERSION_PRO = 2,
    EZB_ZCL_OTA_FILE_STACK_VERSION_IP = 3
} ezb_zcl_ota_file_stack_version_t;

typedef enum {
    EZB_ZCL_OTA_FILE_SECURITY_CREDENTIAL_VERSION_SE1_0 = 0,
    EZB_ZCL_OTA_FILE_SECURITY_CREDENTIAL_VERSION_SE1_1 = 1,
    EZB_ZCL_OTA_FILE_SECURITY_CREDENTIAL_VERSION_SE2_0 = 2,
    EZB_ZCL_OTA_FILE_SECURITY_CREDENTIAL_VERSION_SE1_2 = 3
} ezb_zcl_ota_file_security_credential_version_t;

typedef enum {
    EZB_ZCL_OTA_FILE_TAG_ID_UPGRADE_IMAGE = 0x0000,
    EZB_ZCL_OTA_FILE_TAG_ID_ECDSA_SIGNATURE_CS1 = 0x0001,
    EZB_ZCL_OTA_FILE_TAG_ID_ECDSA_SIGNATURE_CERTIFICATE_CS1 = 0x0002,
    EZB_ZCL_OTA_FILE_TAG_ID_IMAGE_INTEGRITY_CODE = 0x0003,
    EZB_ZCL_OTA_FILE_TAG_ID_PICTURE_DATA = 0x0004,
    EZB_ZCL_OTA_FILE_TAG_ID_ECDSA_SIGNATURE_CS2 = 0x0005,
    EZB_ZCL_OTA_FILE_TAG_ID_ECDSA_SIGNATURE_CERTIFICATE_CS2 = 0x0006,
    EZB_ZCL_OTA_FILE_TAG_ID_MANUF_SPECIFIC_MIN = 0xf000,
    EZB_ZCL_OTA_FILE_TAG_ID_MANUF_HEADER = 0xf001,
    EZB_ZCL_OTA_FILE_TAG_ID_MANUF_SPECIFIC_MAX = 0xffff
} ezb_zcl_ota_file_tag_id_t;

EZB_PACKED_BEGIN
typedef struct ezb_zcl_ota_file_sub_element_header_s {
    uint16_t tag_id;
    uint32_t length; /* of what follows */
} EZB_PACKED_END ezb_zcl_ota_file_sub_element_header_t;

EZB_PACKED_BEGIN
typedef struct ezb_zcl_ota_file_header_s {
    uint32_t file_id;
    uint16_t hdr_version;
    uint16_t hdr_length;
    uint16_t hdr_fc;
    uint16_t manufacturer_code;
    uint16_t image_type;
    uint32_t file_version;
    uint16_t stack_version;
    char hdr_string[32];
    uint32_t total_image_size; /* header included */
} EZB_PACKED_END ezb_zcl_ota_file_header_t;

/* In a file only those that hdr_fc names. */
EZB_PACKED_BEGIN
typedef struct ezb_zcl_ota_file_header_optional_s {
    uint8_t security_credential_version;
    ezb_extaddr_t upgrade_file_destination;
    uint16_t minimum_hardware_version;
    uint16_t maximum_hardware_version;
} EZB_PACKED_END ezb_zcl_ota_file_header_optional_t;
