/* Help, man pages and shell completion, all made from the descriptions. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/cli.h"

#include <stdio.h>

/* Every command has these two besides its own; ends with a zeroed element. */
extern const struct cli_option cli_common_options[];

void cli_help_all(FILE *out);
void cli_help_word(FILE *out, const char *first_words); /* "image": its commands */
void cli_help_command(FILE *out, const struct cli_command *c);
/* All descriptions as data: [{group, commands[]{name, ...}}]. NULL: no memory. */
cJSON *cli_help_json(void);

/* Man page of a command, or of airlift itself (NULL). */
void cli_man_page(FILE *out, const struct cli_command *c);
void cli_bash_completion(FILE *out);

#endif
