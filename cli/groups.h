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

/* True when commands begin with this word ("image"). */
bool cli_is_first_word(const char *word);

/* A name near to the words ("image verfy" -> "image verify"), or NULL. */
const char *cli_suggest(int argc, const char *const *argv);

#endif
