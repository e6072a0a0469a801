/* General commands: what is told of them. */
#pragma once

#include <ezbee/zcl/zcl_common.h>

typedef struct ezb_zcl_cmd_default_rsp_message_s {
    ezb_zcl_message_info_t info;
    struct {
        const ezb_zcl_cmd_hdr_t *header;
        uint8_t rsp_to_cmd;
        uint8_t status_code; /* ezb_zcl_status_t */
    } in;
    struct {
        ezb_zcl_status_t result;
    } out;
} ezb_zcl_cmd_default_rsp_message_t;
