/* Commands of `airlift radio`; a file each. */
#ifndef CLI_RADIO_H
#define CLI_RADIO_H

#include "cli/cli.h"

/* The medium */
extern const struct cli_option radio_medium_options[];
int radio_medium_run(const struct cli_args *a);

/* The virtual co-processor */
extern const struct cli_option radio_rcp_options[];
int radio_rcp_run(const struct cli_args *a);

#endif
