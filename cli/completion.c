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
    "    local three=\"$two ${COMP_WORDS[3]}\"\n"
    "    COMPREPLY=()\n";

/* Length of the first count words of name; 0: it has fewer. */
static size_t words_len(const char *name, unsigned count)
{
    size_t len = 0;
    for (unsigned i = 0; i < count; i++) {
        if (i > 0 && !name[len]) return 0;
        len += i > 0;
        len += strcspn(name + len, " ");
    }
    return len;
}

static unsigned word_count(const char *name)
{
    unsigned count = 1;
    for (; *name; name++) count += *name == ' ';
    return count;
}

/* Is this the first command that begins with its first count words? */
static bool is_new(size_t index, unsigned count)
{
    const char *name = cli_command_at(index)->name;
    size_t len = words_len(name, count);
    if (len == 0) return false;
    for (size_t i = 0; i < index; i++) {
        const char *other = cli_command_at(i)->name;
        if (words_len(other, count) == len && strncmp(other, name, len) == 0) return false;
    }
    return true;
}

/* What may follow the first count words of name, each word with a blank. false: nothing. */
static bool next_words(FILE *out, const char *name, unsigned count)
{
    size_t len = words_len(name, count);
    const struct cli_command *c;
    bool any = false;
    for (size_t i = 0; (c = cli_command_at(i)); i++) {
        if (strncmp(c->name, name, len) != 0 || c->name[len] != ' ') continue;
        const char *next = c->name + len + 1;
        if (out && is_new(i, count + 1)) fprintf(out, "%.*s ", (int)words_len(next, 1), next);
        any = true;
    }
    return any;
}

/* Completes the word behind the first count words, which are in variable. */
static void names_behind(FILE *out, unsigned count, const char *variable)
{
    const struct cli_command *c;
    fprintf(out, "    if [ \"$COMP_CWORD\" = %u ]; then\n        case \"$%s/$cur\" in\n", count + 1,
            variable);
    for (size_t i = 0; (c = cli_command_at(i)); i++) {
        size_t len = words_len(c->name, count);
        if (!is_new(i, count) || !next_words(NULL, c->name, count)) continue;
        if (c->name[len] == 0) /* a command itself: its options are offered below */
            fprintf(out, "        \"%s\"/-*) ;;\n", c->name);
        fprintf(out, "        \"%.*s\"/*) _airlift_words \"", (int)len, c->name);
        next_words(out, c->name, count);
        fputs("--help\"; return ;;\n", out);
    }
    fputs("        esac\n    fi\n", out);
}

/* Completes the name of the command. */
static void names(FILE *out)
{
    const struct cli_command *c;
    fputs("    if [ \"$COMP_CWORD\" = 1 ]; then\n        _airlift_words \"--help --version", out);
    for (size_t i = 0; (c = cli_command_at(i)); i++)
        if (is_new(i, 1)) fprintf(out, " %.*s", (int)words_len(c->name, 1), c->name);
    fputs("\"\n        return\n    fi\n", out);
    names_behind(out, 1, "one");
    names_behind(out, 2, "two");
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
static void options_of(FILE *out, const char *variable, unsigned words)
{
    const struct cli_command *c;
    fprintf(out, "    case \"$%s\" in\n", variable);
    for (size_t i = 0; (c = cli_command_at(i)); i++)
        if (word_count(c->name) == words) command(out, c);
    fputs("    esac\n", out);
}

void cli_bash_completion(FILE *out)
{
    fputs(head, out);
    names(out);
    options_of(out, "one", 1);
    options_of(out, "two", 2);
    options_of(out, "three", 3);
    fputs("    case \"$cur\" in\n    -*) _airlift_words \"$words\" ;;\n    *) _airlift_files ;;\n"
          "    esac\n}\ncomplete -F _airlift airlift\n",
          out);
}
