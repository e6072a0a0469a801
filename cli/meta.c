/* Commands about airlift itself: help, version, completion, man. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/groups.h"
#include "cli/help.h"
#include "host/file.h"
#include "host/version.h"

static int run_help(const struct cli_args *a)
{
    if (cli_json_wanted(a)) return cli_print_json(cli_help_json());
    if (cli_operand_count(a) == 0) {
        cli_help_all(stdout);
        return CLI_OK;
    }
    int used;
    const struct cli_command *c = cli_find_command((int)a->operand_count, a->operands, &used);
    if (c && (size_t)used == a->operand_count) {
        cli_help_command(stdout, c);
        return CLI_OK;
    }
    char words[CLI_WORDS_LEN];
    int count = (int)a->operand_count;
    if (cli_first_words(count, a->operands, words, sizeof words) == count) {
        cli_help_word(stdout, words);
        return CLI_OK;
    }
    const char *near = cli_suggest((int)a->operand_count, a->operands);
    return cli_usage(a, "there is no command '%s'%s%s%s", a->operands[0],
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int run_version(const struct cli_args *a)
{
    if (!cli_json_wanted(a)) {
        puts("airlift " AIRLIFT_VERSION);
        return CLI_OK;
    }
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "version", AIRLIFT_VERSION);
    return cli_print_json(doc);
}

static int run_completion(const struct cli_args *a)
{
    if (strcmp(cli_operand(a, 0), "bash") != 0)
        return cli_usage(a, "completion is made for bash, not for '%s'", cli_operand(a, 0));
    cli_bash_completion(stdout);
    return CLI_OK;
}

/* Writes DIR/airlift-NAME.1; c NULL: DIR/airlift.1. */
static int write_page(const char *dir, const struct cli_command *c)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/airlift%s%s.1", dir, c ? "-" : "", c ? c->name : "");
    if (n < 0 || (size_t)n >= sizeof path) return cli_fail("%s: the path is too long", dir);
    for (char *p = strrchr(path, '/'); *p; p++)
        if (*p == ' ') *p = '-';
    FILE *out = fopen(path, "we");
    if (!out) return cli_fail("%s: cannot be written: %s", path, strerror(errno));
    cli_man_page(out, c);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed)
        return cli_fail("%s: cannot be written: %s", path, strerror(errno));
    return CLI_OK;
}

static int run_man(const struct cli_args *a)
{
    const char *dir = cli_operand(a, 0);
    if (!dir) {
        cli_man_page(stdout, NULL);
        return CLI_OK;
    }
    int err = file_make_dirs(dir, 0755);
    if (err != 0) return cli_fail("%s: cannot be made: %s", dir, strerror(-err));
    if (write_page(dir, NULL) != CLI_OK) return CLI_FAILED;
    const struct cli_command *c;
    for (size_t i = 0; (c = cli_command_at(i)); i++)
        if (write_page(dir, c) != CLI_OK) return CLI_FAILED;
    return CLI_OK;
}

const struct cli_command meta_commands[] = {
    {"help", "[COMMAND...]", "tell about all commands, or about one",
     "With --json: the descriptions of all commands as data.", "airlift help image verify", NULL,
     run_help},
    {"version", "", "print the version", NULL, "airlift version", NULL, run_version},
    {"completion", "SHELL", "print the completion script for a shell (bash)",
     "To have it in every new shell, write it where bash-completion looks:\n\n"
     "  airlift completion bash > ~/.local/share/bash-completion/completions/airlift",
     "source <(airlift completion bash)", NULL, run_completion},
    {"man", "[DIR]", "write the man pages into a directory",
     "Without DIR the page of airlift itself is printed.", "airlift man build/man", NULL, run_man},
    {0},
};
