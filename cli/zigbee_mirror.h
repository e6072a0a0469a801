/* The Zigbee files of an airliftd in a directory of this machine, kept up to date by a
 * process of its own: a slow or silent server must not hold the radio up. */
#ifndef CLI_ZIGBEE_MIRROR_H
#define CLI_ZIGBEE_MIRROR_H

#include <sys/types.h>

#include "cli/cli.h"

/* Options that `airlift zigbee serve` has for it. */
#define ZIGBEE_MIRROR_OPTIONS                                                             \
    {"--ca", "FILE", "with an URL: CA to trust, in PEM form; else the system's", false},  \
        {"--token-file", "FILE", "with an URL: file with the server's token", false},     \
    {                                                                                     \
        "--token", "TOKEN", "the token itself (others see it in the process list)", false \
    }

bool zigbee_is_url(const char *images);
/* Fetches into dir (made if missing) what url has and drops what it has no longer; then goes
 * on with that in a child process, which ends with this one. Not reaching the server is only
 * told. CLI_OK and the child in *child; or CLI_FAILED after a message. */
int zigbee_mirror_start(const struct cli_args *a, const char *url, const char *dir, pid_t *child);
void zigbee_mirror_stop(pid_t child); /* 0: none */

#endif
