/* What messages and commands of all clusters have in common. */
#pragma once

#include <ezbee/af.h>
#include <ezbee/core_types.h>
#include <ezbee/zcl/zcl_type.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef ezb_af_user_cnf_t ezb_zcl_cmd_cnf_t;
typedef ezb_af_user_cnf_ctx_t ezb_zcl_cmd_cnf_ctx_t;

typedef struct ezb_zcl_attribute_s {
    uint16_t id;
    struct {
        uint8_t type; /* ezb_zcl_attr_type_t */
        uint16_t size;
        void *value;
    } data;
} ezb_zcl_attribute_t;

/* Where a command of a cluster goes. */
typedef struct ezb_zcl_cluster_cmd_ctrl_s {
    ezb_address_t dst_addr; /* short (broadcasts too) or extended */
    uint8_t dst_ep;
    uint8_t src_ep;
    bool dis_default_rsp;
    ezb_zcl_cmd_cnf_ctx_t cnf_ctx; /* called once when it was sent, or was lost */
} ezb_zcl_cluster_cmd_ctrl_t;

/* Header of the frame that a message comes from. Where no frame is behind it, only
 * endpoints, cluster, profile and own address are set. */
typedef struct ezb_zcl_cmd_hdr_s {
    ezb_address_t src_addr;
    ezb_address_t dst_addr;
    uint8_t src_ep;
    uint8_t dst_ep;
    uint16_t cluster_id;
    uint16_t profile_id;
    uint8_t fc;
    uint16_t manuf_code;
    uint8_t tsn;
    int8_t rssi; /* dBm; here from the link quality */
    uint8_t cmd_id;
} ezb_zcl_cmd_hdr_t;

#define EZB_ZCL_CMD_FC_GET_FRAME_TYPE(fc)      ((fc)&0x03u)
#define EZB_ZCL_CMD_FC_IS_MANUF_SPEC(fc)       (((fc)&0x04u) != 0)
#define EZB_ZCL_CMD_FC_IS_TO_CLI_DIRECTION(fc) (((fc)&0x08u) != 0)
#define EZB_ZCL_CMD_FC_IS_DIS_DEFAULT_RSP(fc)  (((fc)&0x10u) != 0)

typedef struct ezb_zcl_message_info_s {
    ezb_zcl_status_t status;
    uint8_t dst_ep;
    uint16_t cluster_id;
    uint8_t cluster_role; /* EZB_ZCL_CLUSTER_* */
} ezb_zcl_message_info_t;

typedef struct ezb_zcl_set_attr_value_message_s {
    ezb_zcl_message_info_t info;
    struct {
        ezb_zcl_attribute_t attribute;
    } in;
    struct {
        ezb_zcl_status_t result;
    } out;
} ezb_zcl_set_attr_value_message_t;

/* value: as on the air; a text may not become longer. check_access: only what may be written
 * from the air. */
ezb_zcl_status_t ezb_zcl_set_attr_value(uint8_t ep_id, uint16_t cluster_id, uint8_t cluster_role,
                                        uint16_t attr_id, uint16_t manuf_code, void *value,
                                        bool check_access);

#ifdef __cplusplus
}
#endif
