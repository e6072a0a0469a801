/* The words of a command line, held against the description of a command.
 * For cli/main.c and tests; commands use the functions of cli/cli.h. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "cli/cli.h"

struct cli_given {
    const struct cli_option *option;
    const char *value;        /* NULL: a flag, or an option that stands alone */
    const char *const *words; /* of an option that takes several */
    size_t word_count;
};

/* Texts belong to argv. */
struct cli_args {
    const struct cli_command *command;
    const char **operands;
    size_t operand_count;
    struct cli_given *given; /* in the order of the command line */
    size_t given_count;
    bool json, help;
};

/* argv: the words behind the command's name. NULL on wrong use; why then says what
 * was wrong. With --help the operands are not counted. */
struct cli_args *cli_args_parse(const struct cli_command *command, int argc,
                                const char *const *argv, char *why, size_t why_size);
void cli_args_free(struct cli_args *a);

/* How many operands "FILE [DIR] OP..." asks for; max: SIZE_MAX for no limit. */
void cli_operand_limits(const char *spec, size_t *min, size_t *max);

/* The value description is a list of words to choose from ("v1|v2"): lower case,
 * digits, '-', '_' and '.', and at least one '|'. The brackets of "[v1|v2]" do not count. */
bool cli_value_is_choice(const char *value);

/* The JSON document of a command that failed, unless it has printed one. */
void cli_print_failure(void);

#endif
