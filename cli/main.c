/* airlift: finds the command, parses its words, runs it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/groups.h"
#include "cli/help.h"
#include "host/std_fds.h"

/* Exit status, once all output is out. */
static int finish(int status, bool json)
{
    if (status != CLI_OK && json) cli_print_failure();
    bool failed = ferror(stdout) != 0;
    if (fflush(stdout) != 0 || failed)
        return cli_fail("cannot write to standard output: %s", strerror(errno));
    return status;
}

static int unknown(int argc, const char *const *argv)
{
    char words[CLI_WORDS_LEN];
    int known = cli_first_words(argc, argv, words, sizeof words);
    const char *blank = known ? " " : "";
    bool more = known && (known == argc || argv[known][0] == '-');
    const char *near = more ? NULL : cli_suggest(argc, argv);
    if (more)
        (void)cli_fail("'%s' needs one more word", words);
    else
        (void)cli_fail("there is no command '%s%s%s'", words, blank, argv[known]);
    if (near) fprintf(stderr, "Did you mean 'airlift %s'?\n", near);
    fprintf(stderr, "See 'airlift %s%s--help'.\n", words, blank);
    return CLI_USAGE;
}

static bool asks_for_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* Also of words that cannot be parsed. */
static bool asks_for_json(int argc, const char *const *argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0) return true;
    return false;
}

static int run(int argc, const char *const *argv)
{
    static const char *const version[] = {"version"};
    if (argc == 0) {
        cli_help_all(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[0], "--version") == 0) argv = version, argc = 1;
    if (asks_for_help(argv[0])) {
        cli_help_all(stdout);
        return CLI_OK;
    }
    int used;
    const struct cli_command *command = cli_find_command(argc, argv, &used);
    if (!command) {
        char words[CLI_WORDS_LEN];
        int known = cli_first_words(argc, argv, words, sizeof words);
        if (known && known < argc && asks_for_help(argv[known])) {
            cli_help_word(stdout, words);
            return CLI_OK;
        }
        return unknown(argc, argv);
    }
    char why[512];
    struct cli_args *a = cli_args_parse(command, argc - used, argv + used, why, sizeof why);
    if (!a) return cli_usage(&(struct cli_args){.command = command}, "%s", why);
    int status = CLI_OK;
    if (a->help)
        cli_help_command(stdout, command);
    else
        status = command->run(a);
    cli_args_free(a);
    return status;
}

int main(int argc, char **argv)
{
    std_fds_guard();
    signal(SIGPIPE, SIG_IGN); /* a reader that left is a write error, told by finish() */
    const char *const *words = (const char *const *)argv + 1;
    return finish(run(argc - 1, words), asks_for_json(argc - 1, words));
}
