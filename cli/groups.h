/* All commands, in groups, and how a command is found by its words. */
#ifndef CLI_GROUPS_H
#define CLI_GROUPS_H

#include "cli/cli.h"

struct cli_group {
    const char *title; /* "Firmware images" */
    const struct cli_command *commands;
};

extern const struct cli_group cli_groups[]; /* ends with a zeroed element */

/* All commands, one behind the other; NULL behind the last. */
const struct cli_command *cli_command_at(size_t index);

/* The command whose name is the longest match of the first words. used: how many
 * words its name has. NULL: none. */
const struct cli_command *cli_find_command(int argc, const char *const *argv, int *used);

#define CLI_WORDS_LEN 64u
/* How many words argv begins with that commands begin with, too ("cloud key"); out: these. */
int cli_first_words(int argc, const char *const *argv, char *out, size_t size);

/* A name near to the words ("image verfy" -> "image verify"), or NULL. */
const char *cli_suggest(int argc, const char *const *argv);

#endif
