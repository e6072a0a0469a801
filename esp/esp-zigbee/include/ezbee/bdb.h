/* Ways into a network; how they end is told by signals (app_signals.h). */
#pragma once

#include <ezbee/core.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ezb_bdb_comm_mode_e {
    EZB_BDB_MODE_INITIALIZATION = 0x01,
    EZB_BDB_MODE_TOUCHLINK_INITIATOR = 0x02,
    EZB_BDB_MODE_NETWORK_STEERING = 0x04,
    EZB_BDB_MODE_NETWORK_FORMATION = 0x08,
    EZB_BDB_MODE_FINDING_N_BINDING = 0x10,
    EZB_BDB_MODE_TOUCHLINK_TARGET = 0x20
} ezb_bdb_comm_mode_t;
typedef uint8_t ezb_bdb_comm_mode_mask_t;

enum ezb_bdb_comm_status_e {
    EZB_BDB_STATUS_SUCCESS = 0,
    EZB_BDB_STATUS_IN_PROGRESS,
    EZB_BDB_STATUS_NOT_AA_CAPABLE,
    EZB_BDB_STATUS_NO_NETWORK,
    EZB_BDB_STATUS_TARGET_FAILURE,
    EZB_BDB_STATUS_FORMATION_FAILURE,
    EZB_BDB_STATUS_NO_IDENTIFY_QUERY_RESPONSE,
    EZB_BDB_STATUS_BINDING_TABLE_FULL,
    EZB_BDB_STATUS_NO_SCAN_RESPONSE,
    EZB_BDB_STATUS_NOT_PERMITTED,
    EZB_BDB_STATUS_TCLK_EX_FAILURE,
    EZB_BDB_STATUS_NOT_ON_A_NETWORK,
    EZB_BDB_STATUS_ON_A_NETWORK,
    EZB_BDB_STATUS_CANCELLED,
    EZB_BDB_STATUS_DEV_ANNCE_SEND_FAILURE
};
typedef uint8_t ezb_bdb_comm_status_t;

/* Channels 11..26, bit by number. EZB_ERR_INV_ARG: none, or others. */
ezb_err_t ezb_bdb_set_primary_channel_set(uint32_t channel_mask);
uint32_t ezb_bdb_get_primary_channel_set(void);
/* Looked at when the primary ones have no network. */
ezb_err_t ezb_bdb_set_secondary_channel_set(uint32_t channel_mask);
uint32_t ezb_bdb_get_secondary_channel_set(void);
/* A channel is listened to for (2^duration + 1) * 15.36 ms. */
void ezb_bdb_set_scan_duration(uint8_t duration);
uint8_t ezb_bdb_get_scan_duration(void);

bool ezb_bdb_dev_joined(void);
bool ezb_bdb_is_factory_new(void);
/* EZB_ERR_INV_STATE: not started, or one is under way; EZB_ERR_NOT_SUPPORTED: touchlink,
 * finding and binding; EZB_ERR_INV_ARG. */
ezb_err_t ezb_bdb_start_top_level_commissioning(ezb_bdb_comm_mode_mask_t mode_mask);
/* Of the last one that ended. */
ezb_bdb_comm_status_t ezb_bdb_get_commissioning_status(void);
ezb_err_t ezb_bdb_open_network(uint8_t permit_duration); /* s */
ezb_err_t ezb_bdb_close_network(void);
/* Leaves and forgets the network; then EZB_ZDO_SIGNAL_LEAVE. */
void ezb_bdb_reset_via_local_action(void);

#ifdef __cplusplus
}
#endif
