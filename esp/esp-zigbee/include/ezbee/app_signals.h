/* What the stack tells the application, from the task of esp_zigbee_launch_mainloop(). */
#pragma once

#include <ezbee/core_types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ezb_app_signal_group_e {
    EZB_APP_SIGNAL_GROUP_ZDO,
    EZB_APP_SIGNAL_GROUP_BDB,
    EZB_APP_SIGNAL_GROUP_NWK,
    EZB_APP_SIGNAL_GROUP_MAX_NR
} ezb_app_signal_group_t;

#define EZB_APP_SIGNAL(group, signal) ((group) << 8 | (signal))

/* Behind each: its parameters, below; none where nothing stands. */
enum ezb_app_signal_type_e {
    EZB_ZDO_SIGNAL_DEFAULT_START = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_ZDO, 0x00),
    EZB_ZDO_SIGNAL_SKIP_STARTUP = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_ZDO, 0x01),
    EZB_ZDO_SIGNAL_ERROR = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_ZDO, 0x02),
    EZB_ZDO_SIGNAL_LEAVE = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_ZDO, 0x03),
    EZB_ZDO_SIGNAL_LEAVE_INDICATION = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_ZDO, 0x04),
    EZB_ZDO_SIGNAL_DEVICE_ANNCE = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_ZDO, 0x05),
    EZB_ZDO_SIGNAL_DEVICE_UNAVAILABLE = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_ZDO, 0x06),
    EZB_ZDO_SIGNAL_DEVICE_UPDATE = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_ZDO, 0x07),
    EZB_ZDO_SIGNAL_DEVICE_AUTHORIZED = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_ZDO, 0x08),

    EZB_BDB_SIGNAL_DEVICE_FIRST_START = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_BDB, 0x00),
    EZB_BDB_SIGNAL_DEVICE_REBOOT = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_BDB, 0x01),
    EZB_BDB_SIGNAL_STEERING = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_BDB, 0x02),
    EZB_BDB_SIGNAL_FORMATION = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_BDB, 0x03),
    EZB_BDB_SIGNAL_FINDING_AND_BINDING_INITIATOR_FINISHED =
        EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_BDB, 0x04),
    EZB_BDB_SIGNAL_FINDING_AND_BINDING_TARGET_FINISHED =
        EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_BDB, 0x05),
    EZB_BDB_SIGNAL_TOUCHLINK_INITIATOR_FINISHED = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_BDB, 0x06),
    EZB_BDB_SIGNAL_TOUCHLINK_TARGET_FINISHED = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_BDB, 0x07),

    EZB_NWK_SIGNAL_DEVICE_ASSOCIATED = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_NWK, 0x00),
    EZB_NWK_SIGNAL_NO_ACTIVE_LINKS_LEFT = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_NWK, 0x01),
    EZB_NWK_SIGNAL_PANID_CONFLICT_DETECTED = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_NWK, 0x02),
    EZB_NWK_SIGNAL_NETWORK_STATUS = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_NWK, 0x03),
    EZB_NWK_SIGNAL_PERMIT_JOIN_STATUS = EZB_APP_SIGNAL(EZB_APP_SIGNAL_GROUP_NWK, 0x04),
    EZB_APP_SIGNAL_END
};
typedef uint16_t ezb_app_signal_type_t;

enum ezb_zdo_leave_type_e { EZB_ZDO_LEAVE_TYPE_RESET = 0, EZB_ZDO_LEAVE_TYPE_REJOIN = 1 };
typedef uint8_t ezb_zdo_leave_type_t;

enum ezb_zdo_tc_action_e {
    EZB_ZDO_TC_ACTION_ACCEPT = 0,
    EZB_ZDO_TC_ACTION_DENY,
    EZB_ZDO_TC_ACTION_IGNORE
};
typedef uint8_t ezb_zdo_tc_action_t;

enum ezb_zdo_upddev_status_e {
    EZB_ZDO_UPDDEV_SECURE_REJOIN = 0,
    EZB_ZDO_UPDDEV_UNSECURE_JOIN = 1,
    EZB_ZDO_UPDDEV_DEVICE_LEFT = 2,
    EZB_ZDO_UPDDEV_TC_REJOIN = 3
};
typedef uint8_t ezb_zdo_upddev_status_t;

enum ezb_zdo_auth_type_e { EZB_ZDO_AUTH_TYPE_LEGACY = 0, EZB_ZDO_AUTH_TYPE_TCLK };
typedef uint8_t ezb_zdo_auth_type_t;

enum ezb_zdo_auth_status_e {
    EZB_ZDO_AUTH_STATUS_SUCCESS = 0,
    EZB_ZDO_AUTH_STATUS_TIMEOUT,
    EZB_ZDO_AUTH_STATUS_FAILED
};
typedef uint8_t ezb_zdo_auth_status_t;

typedef struct ezb_zdo_signal_leave_params_s {
    ezb_zdo_leave_type_t leave_type;
} ezb_zdo_signal_leave_params_t;

typedef struct ezb_zdo_signal_leave_indication_params_s {
    ezb_shortaddr_t short_addr;
    ezb_extaddr_t device_addr;
    ezb_zdo_leave_type_t leave_type;
} ezb_zdo_signal_leave_indication_params_t;

typedef struct ezb_zdo_signal_device_annce_params_s {
    ezb_shortaddr_t short_addr;
    ezb_extaddr_t device_addr;
    uint8_t capability;
} ezb_zdo_signal_device_annce_params_t;

typedef struct ezb_zdo_signal_device_update_params_s {
    ezb_extaddr_t device_addr;
    ezb_shortaddr_t short_addr;
    ezb_zdo_upddev_status_t status;
    ezb_zdo_tc_action_t tc_action;
    ezb_shortaddr_t parent_short;
} ezb_zdo_signal_device_update_params_t;

typedef struct ezb_zdo_signal_device_authorized_params_s {
    ezb_extaddr_t device_addr;
    ezb_shortaddr_t short_addr;
    ezb_zdo_auth_type_t type;
    ezb_zdo_auth_status_t status;
} ezb_zdo_signal_device_authorized_params_t;

typedef struct ezb_zdo_signal_device_unavailable_params_s {
    ezb_extaddr_t device_addr;
    ezb_shortaddr_t short_addr;
} ezb_zdo_signal_device_unavailable_params_t;

/* Of all signals of BDB. */
typedef struct ezb_bdb_signal_simple_params_s {
    uint8_t status; /* ezb_bdb_comm_status_t */
} ezb_bdb_signal_simple_params_t;

typedef struct ezb_nwk_signal_permit_join_status_params_s {
    uint8_t duration; /* s; 0: closed */
} ezb_nwk_signal_permit_join_status_params_t;

typedef struct ezb_nwk_signal_network_status_params_s {
    uint8_t status; /* ezb_nwk_network_status_t */
    ezb_shortaddr_t network_addr;
    uint8_t unknown_command_id;
} ezb_nwk_signal_network_status_params_t;

/* Opaque; handlers get a pointer to it. */
typedef void *ezb_app_signal_t;
/* true: handled, no further handler is asked. */
typedef bool (*ezb_app_signal_handler_t)(const ezb_app_signal_t *app_signal);

/* Valid until the handler returns. */
const void *ezb_app_signal_get_params(const ezb_app_signal_t *signal);
ezb_app_signal_type_t ezb_app_signal_get_type(const ezb_app_signal_t *signal);
const char *ezb_app_signal_to_string(ezb_app_signal_type_t signal); /* "ZDO Device Update" */
/* Asked in the order in which they were added. EZB_ERR_NO_MEM. */
ezb_err_t ezb_app_signal_add_handler(ezb_app_signal_handler_t handler);
void ezb_app_signal_remove_handler(ezb_app_signal_handler_t handler);

#ifdef __cplusplus
}
#endif
