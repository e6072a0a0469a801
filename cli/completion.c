/* Shell completion for bash: one case a command, made from the descriptions. See help.h. */
#include <string.h>

#include "cli/args.h"
#include "cli/groups.h"
#include "cli/help.h"

/* The parts that are the same for all commands. _airlift_words completes one of $1. */
static const char head[] =
    "# bash completion for airlift; made by 'airlift completion bash'\n"
    "_airlift_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
    "_airlift_files() { compopt -o filenames 2>/dev/null\n"
    "    mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); }\n"
    "_airlift() {\n"
    "    local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
    "    local one=\"${COMP_WORDS[1]}\" two=\"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" words=\n"
    "    COMPREPLY=()\n";

static size_t first_word_len(const char *name)
{
    return strcspn(name, " ");
}

/* Is this the first command that begins with its first word? */
static bool is_new_first_word(size_t index)
{
    const char *name = cli_command_at(index)->name;
    size_t len = first_word_len(name);
    for (size_t i = 0; i < index; i++) {
        const char *other = cli_command_at(i)->name;
        if (first_word_len(other) == len && strncmp(other, name, len) == 0) return false;
    }
    return true;
}

/* The second words behind the first word of name, each with a blank. false: none. */
static bool second_words(FILE *out, const char *name)
{
    size_t len = first_word_len(name);
    const struct cli_command *c;
    bool any = false;
    for (size_t i = 0; (c = cli_command_at(i)); i++) {
        if (strncmp(c->name, name, len) != 0 || c->name[len] != ' ') continue;
        if (out) fprintf(out, "%s ", c->name + len + 1);
        any = true;
    }
    return any;
}

/* Completes words 1 and 2: the name of the command. */
static void names(FILE *out)
{
    const struct cli_command *c;
    fputs("    if [ \"$COMP_CWORD\" = 1 ]; then\n        _airlift_words \"--help --version", out);
    for (size_t i = 0; (c = cli_command_at(i)); i++)
        if (is_new_first_word(i)) fprintf(out, " %.*s", (int)first_word_len(c->name), c->name);
    fputs("\"\n        return\n    fi\n    if [ \"$COMP_CWORD\" = 2 ]; then\n"
          "        case \"$one/$cur\" in\n",
          out);
    for (size_t i = 0; (c = cli_command_at(i)); i++) {
        size_t len = first_word_len(c->name);
        if (!is_new_first_word(i) || !second_words(NULL, c->name)) continue;
        if (c->name[len] == 0) /* a command itself: its options are offered below */
            fprintf(out, "        %s/-*) ;;\n", c->name);
        fprintf(out, "        %.*s/*) _airlift_words \"", (int)len, c->name);
        second_words(out, c->name);
        fputs("--help\"; return ;;\n", out);
    }
    fputs("        esac\n    fi\n", out);
}

static void option_values(FILE *out, const struct cli_option *o)
{
    if (!o->value || o->value[0] == '[') return;
    fprintf(out, "        %s) ", o->name);
    if (cli_value_is_choice(o->value)) {
        fputs("_airlift_words \"", out);
        for (const char *v = o->value; *v; v++) fputc(*v == '|' ? ' ' : *v, out);
        fputs("\"; return ;;\n", out);
    } else {
        fputs("_airlift_files; return ;;\n", out);
    }
}

static void command(FILE *out, const struct cli_command *c)
{
    bool values = false;
    fprintf(out, "    \"%s\")\n", c->name);
    for (const struct cli_option *o = c->options; o && o->name; o++)
        values = values || (o->value && o->value[0] != '[');
    if (values) {
        fputs("        case \"$prev\" in\n", out);
        for (const struct cli_option *o = c->options; o->name; o++) option_values(out, o);
        fputs("        esac\n", out);
    }
    fputs("        words=\"", out);
    for (const struct cli_option *o = c->options; o && o->name; o++) fprintf(out, "%s ", o->name);
    fputs("--json --help\" ;;\n", out);
}

/* Sets words to the options of the command whose name is in variable. */
static void options_of(FILE *out, const char *variable, bool two_words)
{
    const struct cli_command *c;
    fprintf(out, "    case \"$%s\" in\n", variable);
    for (size_t i = 0; (c = cli_command_at(i)); i++)
        if ((strchr(c->name, ' ') != NULL) == two_words) command(out, c);
    fputs("    esac\n", out);
}

void cli_bash_completion(FILE *out)
{
    fputs(head, out);
    names(out);
    options_of(out, "one", false);
    options_of(out, "two", true);
    fputs("    case \"$cur\" in\n    -*) _airlift_words \"$words\" ;;\n    *) _airlift_files ;;\n"
          "    esac\n}\ncomplete -F _airlift airlift\n",
          out);
}
