/* Commands of the image group that have files of their own. */
#ifndef CLI_IMAGE_H
#define CLI_IMAGE_H

#include "cli/cli.h"

extern const struct cli_command image_make_command, image_sign_command;

#endif
