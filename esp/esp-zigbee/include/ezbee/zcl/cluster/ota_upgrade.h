/* OTA Upgrade: what the application is told, and may ask for.
 *
 *   client                                        server
 *     <- Image Notify                               ezb_zcl_ota_upgrade_image_notify_cmd_req
 *     Query Next Image ->                           progress START, out.result
 *   QUERY_NEXT_IMAGE_RSP, out.result
 *   progress START, out.result
 *     Image Block ->                                progress SENDING, out.result
 *   progress RECEIVING, out.result  ...
 *   progress CHECK, out.result
 *     Upgrade End ->                                progress FINISH, out.finish
 *   progress APPLY, out.result
 *   count-down, then progress FINISH
 *
 * out.result is SUCCESS before each call; another value ends what is under way. */
#pragma once

#include <ezbee/zcl/cluster/ota_file.h>
#include <ezbee/zcl/cluster/ota_upgrade_desc.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EZB_ZCL_OTA_UPGRADE_MAX_BLOCK_SIZE             254u
#define EZB_ZCL_OTA_UPGRADE_DEFAULT_BLOCK_SIZE_DEFAULT 48u
#define EZB_ZCL_OTA_UPGRADE_MAX_QUERY_JITTER_VALUE     100u
#define EZB_ZCL_OTA_UPGRADE_MANUF_CODE_WILD_CARD       0xffffu
#define EZB_ZCL_OTA_UPGRADE_FILE_VERSION_WILD_CARD     0xffffffffu
#define EZB_ZCL_OTA_UPGRADE_DEFAULT_UPGRADE_TIME       0xffffffffu
#define EZB_ZCL_OTA_UPGRADE_DEFAULT_RETRY              3u
#define EZB_ZCL_OTA_UPGRADE_DEFAULT_TIMEOUT            5000u /* ms */

enum {
    EZB_ZCL_OTA_UPGRADE_STATUS_CODE_SUCCESS = EZB_ZCL_STATUS_SUCCESS,
    EZB_ZCL_OTA_UPGRADE_STATUS_CODE_ABORT = EZB_ZCL_STATUS_ABORT,
    EZB_ZCL_OTA_UPGRADE_STATUS_CODE_NOT_AUTHORIZED = EZB_ZCL_STATUS_NOT_AUTHORIZED,
    EZB_ZCL_OTA_UPGRADE_STATUS_CODE_INVALID_IMAGE = EZB_ZCL_STATUS_INVALID_IMAGE,
    EZB_ZCL_OTA_UPGRADE_STATUS_CODE_WAIT_FOR_DATA = EZB_ZCL_STATUS_WAIT_FOR_DATA,
    EZB_ZCL_OTA_UPGRADE_STATUS_CODE_NO_IMAGE_AVAILABLE = EZB_ZCL_STATUS_NO_IMAGE_AVAILABLE,
    EZB_ZCL_OTA_UPGRADE_STATUS_CODE_REQUIRE_MORE_IMAGE = EZB_ZCL_STATUS_REQUIRE_MORE_IMAGE,
    EZB_ZCL_OTA_UPGRADE_STATUS_CODE_MALFORMED_CMD = EZB_ZCL_STATUS_MALFORMED_CMD,
    EZB_ZCL_OTA_UPGRADE_STATUS_CODE_UNSUP_CMD = EZB_ZCL_STATUS_UNSUP_CMD
};
typedef ezb_zcl_status_t ezb_zcl_ota_upgrade_status_code_t;

/* How many fields of the payload an Image Notify has, behind the jitter. */
typedef enum {
    EZB_ZCL_OTA_UPGRADE_IMAGE_NOTIFY_PAYLOAD_TYPE_JITTER = 0,
    EZB_ZCL_OTA_UPGRADE_IMAGE_NOTIFY_PAYLOAD_TYPE_JITTER_CODE = 1,
    EZB_ZCL_OTA_UPGRADE_IMAGE_NOTIFY_PAYLOAD_TYPE_JITTER_CODE_IMAGE = 2,
    EZB_ZCL_OTA_UPGRADE_IMAGE_NOTIFY_PAYLOAD_TYPE_JITTER_CODE_IMAGE_VERSION = 3
} ezb_zcl_ota_upgrade_image_notify_payload_type_t;

typedef enum {
    EZB_ZCL_OTA_UPGRADE_PROGRESS_START,
    EZB_ZCL_OTA_UPGRADE_PROGRESS_RECEIVING,
    EZB_ZCL_OTA_UPGRADE_PROGRESS_SENDING,
    EZB_ZCL_OTA_UPGRADE_PROGRESS_CHECK,
    EZB_ZCL_OTA_UPGRADE_PROGRESS_APPLY,
    EZB_ZCL_OTA_UPGRADE_PROGRESS_FINISH,
    EZB_ZCL_OTA_UPGRADE_PROGRESS_ABORT
} ezb_zcl_ota_upgrade_progress_t;

/* ---- Client ---- */

typedef struct {
    uint16_t manuf_code;
    uint16_t image_type;
    uint32_t file_version;
    uint32_t image_size; /* of the whole file, its header included */
} ezb_zcl_ota_upgrade_client_progress_start_t;

/* Each byte of the file once, in order, from its header on. */
typedef struct {
    uint32_t file_offset;
    uint8_t block_size;
    uint8_t *block;
} ezb_zcl_ota_upgrade_client_progress_receiving_t;

typedef struct {
    uint16_t manuf_code;
    uint16_t image_type;
    uint32_t file_version;
} ezb_zcl_ota_upgrade_client_progress_check_t;

typedef struct {
    uint16_t manuf_code;
    uint16_t image_type;
    uint32_t file_version;
} ezb_zcl_ota_upgrade_client_progress_apply_t;

typedef struct {
    uint32_t count_down_delay; /* s that the server had asked for; they are over */
} ezb_zcl_ota_upgrade_client_progress_finish_t;

typedef struct ezb_zcl_ota_upgrade_client_progress_message_s {
    ezb_zcl_message_info_t info;
    struct {
        const ezb_zcl_cmd_hdr_t *header;
        ezb_zcl_ota_upgrade_progress_t progress; /* START, RECEIVING, CHECK to ABORT */
        union {
            ezb_zcl_ota_upgrade_client_progress_start_t start;
            ezb_zcl_ota_upgrade_client_progress_receiving_t receiving;
            ezb_zcl_ota_upgrade_client_progress_check_t check;
            ezb_zcl_ota_upgrade_client_progress_apply_t apply;
            ezb_zcl_ota_upgrade_client_progress_finish_t finish;
        };
    } in;
    struct {
        ezb_zcl_status_t result;
    } out;
} ezb_zcl_ota_upgrade_client_progress_message_t;

typedef struct {
    uint8_t status;               /* other than SUCCESS: nothing behind the endpoint is set */
    ezb_extaddr_t server_address; /* all ones: not known */
    uint8_t ep_id;
    uint16_t manuf_code;
    uint16_t image_type;
    uint32_t file_version;
    uint32_t size; /* of the whole file */
} ezb_zcl_ota_upgrade_new_image_t;

typedef struct ezb_zcl_ota_upgrade_query_next_image_rsp_message_s {
    ezb_zcl_message_info_t info;
    struct {
        const ezb_zcl_cmd_hdr_t *header;
        ezb_zcl_ota_upgrade_new_image_t image;
    } in;
    struct {
        ezb_zcl_status_t result; /* SUCCESS: fetch it */
    } out;
} ezb_zcl_ota_upgrade_query_next_image_rsp_message_t;

/* ---- Server ---- */

typedef struct {
    struct {
        uint16_t short_address;
        uint8_t ep_id;
        uint16_t manuf_code;
        uint16_t image_type;
        uint32_t file_version; /* that the client runs; all ones: it does not say */
        uint16_t hw_version;   /* 0: it does not say */
    } query;
    struct {
        uint32_t file_version; /* that it will be offered */
    } policy;
} ezb_zcl_ota_upgrade_server_progress_start_t;

typedef struct {
    uint16_t manuf_code;
    uint16_t image_type;
    uint32_t file_version;
    uint32_t file_offset; /* of the block that is sent now */
    uint16_t block_delay; /* ms between two blocks, at least */
} ezb_zcl_ota_upgrade_server_progress_sending_t;

typedef struct {
    uint8_t status; /* the client's */
    uint16_t manuf_code;
    uint16_t image_type;
    uint32_t file_version;
} ezb_zcl_ota_upgrade_server_progress_finish_t;

/* Seconds; on the air they have 32 bits. upgrade_time 0xffff: 0xffffffff, that is wait until
 * told. current_time 0: upgrade_time is a delay. */
typedef struct {
    uint16_t current_time;
    uint16_t upgrade_time;
} ezb_zcl_ota_upgrade_server_progress_upgrade_time_t;

typedef struct ezb_zcl_ota_upgrade_server_progress_message_s {
    ezb_zcl_message_info_t info;
    struct {
        const ezb_zcl_cmd_hdr_t *header;
        ezb_zcl_ota_upgrade_progress_t progress; /* START, SENDING, FINISH, ABORT */
        union {
            ezb_zcl_ota_upgrade_server_progress_start_t start;
            ezb_zcl_ota_upgrade_server_progress_sending_t sending;
            ezb_zcl_ota_upgrade_server_progress_finish_t finish;
        };
    } in;
    struct {
        /* START: SUCCESS offers the file, NOT_AUTHORIZED refuses the client, others say that
         * there is none. SENDING: others than SUCCESS abort. FINISH: others than SUCCESS
         * leave the client waiting. */
        ezb_zcl_status_t result;
        ezb_zcl_ota_upgrade_server_progress_upgrade_time_t finish; /* 0, 0: now */
    } out;
} ezb_zcl_ota_upgrade_server_progress_message_t;

/* ---- Commands ---- */

typedef enum {
    EZB_ZCL_OTA_UPGRADE_QUERY_NEXT_IMAGE_FC_HW_VERSION_PRESENT = 1 << 0
} ezb_zcl_ota_upgrade_query_next_image_fc_t;

typedef enum {
    EZB_ZCL_OTA_UPGRADE_IMAGE_BLOCK_FC_NODE_ADDR_PRESENT = 1 << 0,
    EZB_ZCL_OTA_UPGRADE_IMAGE_BLOCK_FC_DELAY_PRESENT = 1 << 1
} ezb_zcl_ota_upgrade_image_block_fc_t;

typedef struct ezb_zcl_ota_upgrade_image_notify_payload_s {
    uint8_t type;         /* 0..3 */
    uint8_t query_jitter; /* 1..100 */
    uint16_t manuf_code;
    uint16_t image_type;
    uint32_t file_version;
} ezb_zcl_ota_upgrade_image_notify_payload_t;

typedef struct ezb_zcl_ota_upgrade_image_notify_cmd_s {
    ezb_zcl_cluster_cmd_ctrl_t cmd_ctrl;
    ezb_zcl_ota_upgrade_image_notify_payload_t payload;
} ezb_zcl_ota_upgrade_image_notify_cmd_t;

typedef struct ezb_zcl_ota_upgrade_query_next_image_req_payload_s {
    uint8_t fc;
    uint16_t manuf_code;
    uint16_t image_type;
    uint32_t file_version; /* that runs now */
    uint16_t hw_version;
} ezb_zcl_ota_upgrade_query_next_image_req_payload_t;

typedef struct ezb_zcl_ota_upgrade_query_next_image_req_cmd_s {
    ezb_zcl_cluster_cmd_ctrl_t cmd_ctrl;
    ezb_zcl_ota_upgrade_query_next_image_req_payload_t payload;
} ezb_zcl_ota_upgrade_query_next_image_req_cmd_t;

typedef void *ezb_zcl_ota_file_handle_t;
#define EZB_ZCL_OTA_FILE_INVALID_HANDLE NULL

/* EZB_ERR_INV_STATE: not in a network; EZB_ERR_NOT_FOUND: no OTA server on src_ep, or the
 * destination is not known; EZB_ERR_INV_ARG; EZB_ERR_NOT_SUPPORTED: to a group;
 * EZB_ERR_NO_MEM: try again. */
ezb_err_t
ezb_zcl_ota_upgrade_image_notify_cmd_req(const ezb_zcl_ota_upgrade_image_notify_cmd_t *cmd_req);

/* image: a whole OTA file; it stays where it is until it is removed. Any time after
 * ezb_af_device_desc_register(). NULL: no OTA server on ep_id, its table is full, or no OTA
 * file (the log says why). */
ezb_zcl_ota_file_handle_t ezb_zcl_ota_upgrade_add_ota_file(uint8_t ep_id, const void *image,
                                                           uint32_t image_size);
/* Who is at it is told ABORT. */
void ezb_zcl_ota_upgrade_remove_ota_file(uint8_t ep_id, ezb_zcl_ota_file_handle_t ota_file);

/* Asks dst_addr, which is the server from now on. What the payload says is what this device
 * is from now on. As above, and EZB_ERR_BUSY: a download is under way. */
ezb_err_t ezb_zcl_ota_upgrade_query_next_image_cmd_req(
    const ezb_zcl_ota_upgrade_query_next_image_req_cmd_t *cmd_req);

/* Of the client on ep_id, after ezb_af_device_desc_register(). EZB_ERR_NOT_FOUND: no client
 * there; EZB_ERR_INV_ARG: a size that is not 1..254, a timeout of 0. */
ezb_err_t ezb_zcl_ota_upgrade_set_download_block_size(uint8_t ep_id, uint8_t allowed_block_size);
ezb_err_t ezb_zcl_ota_upgrade_set_hw_version(uint8_t ep_id, uint16_t hw_version); /* 0: none */
/* A block is asked for again so often, each time after so many ms without an answer. */
ezb_err_t ezb_zcl_ota_upgrade_set_download_retry(uint8_t ep_id, uint8_t retry, uint32_t timeout);

#ifdef __cplusplus
}
#endif
