/* Commands of `airlift zigbee`; a file each. */
#ifndef CLI_ZIGBEE_H
#define CLI_ZIGBEE_H

#include "cli/cli.h"

/* Each group of files declares its run functions and option lists here. */

/* OTA files */
extern const struct cli_option zigbee_pack_options[], zigbee_certificate_options[],
    zigbee_verify_options[];
int zigbee_pack_run(const struct cli_args *a);
int zigbee_certificate_run(const struct cli_args *a);
int zigbee_info_run(const struct cli_args *a);
int zigbee_unpack_run(const struct cli_args *a);
int zigbee_verify_run(const struct cli_args *a);

/* Frames */
int zigbee_decode_ota(const struct cli_args *a);
int zigbee_decode_mac(const struct cli_args *a);
int zigbee_decode_run(const struct cli_args *a); /* one of them, by --layer */
extern const struct cli_option zigbee_decode_options[];
int zigbee_encode_ota(const struct cli_args *a);

/* Networks */
extern const struct cli_option zigbee_simulate_options[];
int zigbee_simulate_run(const struct cli_args *a);

/* Gateway and client */
extern const struct cli_option zigbee_serve_options[], zigbee_client_options[],
    zigbee_control_options[];
int zigbee_serve_run(const struct cli_args *a);
int zigbee_client_run(const struct cli_args *a);
int zigbee_control_run(const struct cli_args *a);

/* ZCL frames as JSON. The fields of a command of the OTA cluster: NULL when it is none, or
 * too short. */
struct al_zcl_frame;
cJSON *zigbee_zcl_header_json(const struct al_zcl_frame *z, uint8_t frame_control);
cJSON *zigbee_zcl_ota_json(const struct al_zcl_frame *z);

#endif
