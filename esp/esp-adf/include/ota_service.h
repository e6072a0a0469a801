/* Upgrades by a list: app and data partitions, one entry after the other, in a task of the service.
 * docs/ota-service.md tells how, and what differs from the original. */
#pragma once

#include "esp_partition.h"
#include "periph_service.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTA_SERVICE_ERR_REASON_BASE (0x90000)

typedef struct {
    int task_stack;
    int task_prio;
    int task_core;
    periph_service_cb evt_cb; /* runs in the service's task */
    void *cb_ctx;
} ota_service_config_t;

#define OTA_SERVICE_DEFAULT_CONFIG()                                                            \
    {                                                                                           \
        .task_stack = 4 * 1024, .task_prio = 5, .task_core = 1, .evt_cb = NULL, .cb_ctx = NULL, \
    }

typedef enum {
    OTA_SERV_ERR_REASON_UNKNOWN = ESP_FAIL,
    OTA_SERV_ERR_REASON_SUCCESS = ESP_OK,
    OTA_SERV_ERR_REASON_NULL_POINTER = OTA_SERVICE_ERR_REASON_BASE + 1,
    OTA_SERV_ERR_REASON_URL_PARSE_FAIL = OTA_SERVICE_ERR_REASON_BASE + 2,
    OTA_SERV_ERR_REASON_ERROR_VERSION = OTA_SERVICE_ERR_REASON_BASE + 3,
    OTA_SERV_ERR_REASON_NO_HIGHER_VERSION = OTA_SERVICE_ERR_REASON_BASE + 4,
    OTA_SERV_ERR_REASON_ERROR_MAGIC_WORD = OTA_SERVICE_ERR_REASON_BASE + 5,
    OTA_SERV_ERR_REASON_ERROR_PROJECT_NAME = OTA_SERVICE_ERR_REASON_BASE + 6,
    OTA_SERV_ERR_REASON_FILE_NOT_FOUND = OTA_SERVICE_ERR_REASON_BASE + 7,
    OTA_SERV_ERR_REASON_PARTITION_NOT_FOUND = OTA_SERVICE_ERR_REASON_BASE + 8,
    OTA_SERV_ERR_REASON_PARTITION_WT_FAIL = OTA_SERVICE_ERR_REASON_BASE + 9,
    OTA_SERV_ERR_REASON_PARTITION_RD_FAIL = OTA_SERVICE_ERR_REASON_BASE + 10,
    OTA_SERV_ERR_REASON_STREAM_INIT_FAIL = OTA_SERVICE_ERR_REASON_BASE + 11,
    OTA_SERV_ERR_REASON_STREAM_RD_FAIL = OTA_SERVICE_ERR_REASON_BASE + 12,
    OTA_SERV_ERR_REASON_GET_NEW_APP_DESC_FAIL = OTA_SERVICE_ERR_REASON_BASE + 13
} ota_service_err_reason_t;

typedef enum {
    OTA_SERV_EVENT_TYPE_RESULT, /* an entry is done; data: ota_result_t, gone after the callback */
    OTA_SERV_EVENT_TYPE_FINISH  /* the list is done and the device does not restart */
} ota_service_event_type_t;

/* The strings are the caller's and live as long as the list is used. */
typedef struct {
    esp_partition_type_t type;
    char *label;    /* of the data partition */
    char *uri;      /* file://sdcard/..., http://, https:// */
    char *cert_pem; /* what the server's certificate has to be signed by; NULL: see the page */
} ota_node_attr_t;

/* Lists are written positionally: the order matters. */
typedef struct {
    ota_node_attr_t node;
    ota_service_err_reason_t (*prepare)(void **handle, ota_node_attr_t *node);
    ota_service_err_reason_t (*need_upgrade)(void *handle, ota_node_attr_t *node);
    ota_service_err_reason_t (*execute_upgrade)(void *handle, ota_node_attr_t *node);
    ota_service_err_reason_t (*finished_check)(void *handle, ota_node_attr_t *node,
                                               ota_service_err_reason_t result);
    bool reboot_flag;      /* restart when the list is over, if this entry succeeded */
    bool break_after_fail; /* leave the list if it did not */
} ota_upgrade_ops_t;

typedef struct {
    uint8_t id; /* index in the list */
    ota_service_err_reason_t result;
} ota_result_t;

/* NULL: no memory. */
periph_service_handle_t ota_service_create(ota_service_config_t *config);

/* The list of the next run; copied, the one before is freed. ESP_ERR_INVALID_ARG: a NULL;
 * ESP_FAIL: list_len is not positive. */
esp_err_t ota_service_set_upgrade_param(periph_service_handle_t handle, ota_upgrade_ops_t *list,
                                        int list_len);

/* Compares version texts: v1.2.3 or V1.2.3, fields up to 255, as a number; -1: no such text. */
int ota_get_version_number(char *version);

#ifdef __cplusplus
}
#endif
