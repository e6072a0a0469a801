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
int zigbee_encode_ota(const struct cli_args *a);

#endif
