/* Names of the vendor's error numbers. Source: esp_err.h and the headers of the
 * components (nvs.h, esp_ota_ops.h, esp_http_client.h, ...). */
#include "host/vendor_log.h"

static const char *const common[] = {
    "ESP_ERR_NO_MEM",          "ESP_ERR_INVALID_ARG",      "ESP_ERR_INVALID_STATE",
    "ESP_ERR_INVALID_SIZE",    "ESP_ERR_NOT_FOUND",        "ESP_ERR_NOT_SUPPORTED",
    "ESP_ERR_TIMEOUT",         "ESP_ERR_INVALID_RESPONSE", "ESP_ERR_INVALID_CRC",
    "ESP_ERR_INVALID_VERSION", "ESP_ERR_INVALID_MAC",      "ESP_ERR_NOT_FINISHED",
    "ESP_ERR_NOT_ALLOWED",
};
static const char *const nvs[] = {
    "ESP_ERR_NVS_BASE",
    "ESP_ERR_NVS_NOT_INITIALIZED",
    "ESP_ERR_NVS_NOT_FOUND",
    "ESP_ERR_NVS_TYPE_MISMATCH",
    "ESP_ERR_NVS_READ_ONLY",
    "ESP_ERR_NVS_NOT_ENOUGH_SPACE",
    "ESP_ERR_NVS_INVALID_NAME",
    "ESP_ERR_NVS_INVALID_HANDLE",
    "ESP_ERR_NVS_REMOVE_FAILED",
    "ESP_ERR_NVS_KEY_TOO_LONG",
    "ESP_ERR_NVS_PAGE_FULL",
    "ESP_ERR_NVS_INVALID_STATE",
    "ESP_ERR_NVS_INVALID_LENGTH",
    "ESP_ERR_NVS_NO_FREE_PAGES",
    "ESP_ERR_NVS_VALUE_TOO_LONG",
    "ESP_ERR_NVS_PART_NOT_FOUND",
    "ESP_ERR_NVS_NEW_VERSION_FOUND",
    "ESP_ERR_NVS_XTS_ENCR_FAILED",
    "ESP_ERR_NVS_XTS_DECR_FAILED",
    "ESP_ERR_NVS_XTS_CFG_FAILED",
    "ESP_ERR_NVS_XTS_CFG_NOT_FOUND",
    "ESP_ERR_NVS_ENCR_NOT_SUPPORTED",
    "ESP_ERR_NVS_KEYS_NOT_INITIALIZED",
    "ESP_ERR_NVS_CORRUPT_KEY_PART",
    "ESP_ERR_NVS_CONTENT_DIFFERS",
    "ESP_ERR_NVS_WRONG_ENCRYPTION",
};
static const char *const ota[] = {
    "ESP_ERR_OTA_BASE",
    "ESP_ERR_OTA_PARTITION_CONFLICT",
    "ESP_ERR_OTA_SELECT_INFO_INVALID",
    "ESP_ERR_OTA_VALIDATE_FAILED",
    "ESP_ERR_OTA_SMALL_SEC_VER",
    "ESP_ERR_OTA_ROLLBACK_FAILED",
    "ESP_ERR_OTA_ROLLBACK_INVALID_STATE",
    "ESP_ERR_OTA_ALREADY_IN_PROGRESS",
    "ESP_ERR_OTA_SPI_MODE_MISMATCH",
};
static const char *const efuse[] = {"ESP_ERR_EFUSE"};
static const char *const image[] = {
    "ESP_ERR_IMAGE_BASE",
    "ESP_ERR_IMAGE_FLASH_FAIL",
    "ESP_ERR_IMAGE_INVALID",
};
static const char *const flash[] = {
    "ESP_ERR_FLASH_BASE",
    "ESP_ERR_FLASH_OP_FAIL",
    "ESP_ERR_FLASH_OP_TIMEOUT",
    "ESP_ERR_FLASH_NOT_INITIALISED",
    "ESP_ERR_FLASH_UNSUPPORTED_HOST",
    "ESP_ERR_FLASH_UNSUPPORTED_CHIP",
    "ESP_ERR_FLASH_PROTECTED",
};
static const char *const http[] = {
    "ESP_ERR_HTTP_BASE",
    "ESP_ERR_HTTP_MAX_REDIRECT",
    "ESP_ERR_HTTP_CONNECT",
    "ESP_ERR_HTTP_WRITE_DATA",
    "ESP_ERR_HTTP_FETCH_HEADER",
    "ESP_ERR_HTTP_INVALID_TRANSPORT",
    "ESP_ERR_HTTP_CONNECTING",
    "ESP_ERR_HTTP_EAGAIN",
    "ESP_ERR_HTTP_CONNECTION_CLOSED",
    "ESP_ERR_HTTP_NOT_MODIFIED",
    "ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE",
    "ESP_ERR_HTTP_READ_TIMEOUT",
    "ESP_ERR_HTTP_INCOMPLETE_DATA",
    "ESP_ERR_HTTP_REDIRECT_DOWNGRADE",
    "ESP_ERR_HTTP_HEADER_TOO_LONG",
};
static const char *const https_ota[] = {
    "ESP_ERR_HTTPS_OTA_BASE",
    "ESP_ERR_HTTPS_OTA_IN_PROGRESS",
};

/* clang-format off */
#define GROUP(first, names) {(first), sizeof(names) / sizeof *(names), (names)}
/* clang-format on */
static const struct {
    int first, count;
    const char *const *names;
} groups[] = {
    GROUP(0x101, common), GROUP(0x1100, nvs),   GROUP(0x1500, ota),  GROUP(0x1600, efuse),
    GROUP(0x2000, image), GROUP(0x6000, flash), GROUP(0x7000, http), GROUP(0x9000, https_ota),
};

const char *vendor_err_name(int vendor_code)
{
    if (vendor_code == 0) return "ESP_OK";
    if (vendor_code == -1) return "ESP_FAIL";
    for (unsigned i = 0; i < sizeof groups / sizeof *groups; i++)
        if (vendor_code >= groups[i].first && vendor_code - groups[i].first < groups[i].count)
            return groups[i].names[vendor_code - groups[i].first];
    return "UNKNOWN ERROR";
}
