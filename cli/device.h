/* Commands of the device group that have files of their own. */
#ifndef CLI_DEVICE_H
#define CLI_DEVICE_H

#include "cli/cli.h"

extern const struct cli_option device_create_options[], device_run_options[];
int device_create_main(const struct cli_args *a);
int device_run_main(const struct cli_args *a);
int device_info_main(const struct cli_args *a);

#endif
