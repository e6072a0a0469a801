/* --help in its three sizes. See help.h. */
#include "cli/help.h"

#include <ctype.h>
#include <string.h>

#include "cli/groups.h"

#define LINE_WIDTH    80u
#define OPTION_COLUMN 26u

const struct cli_option cli_common_options[] = {
    {"--json", NULL, "print one JSON document on standard output", false},
    {"--help", NULL, "print this text", false},
    {0},
};

/* Words of text, wrapped, from column on; further lines begin at column too. */
static void wrapped(FILE *out, const char *text, unsigned column)
{
    unsigned at = column;
    while (*text) {
        unsigned len = (unsigned)strcspn(text, " \n");
        if (at > column && at + 1 + len > LINE_WIDTH) {
            fprintf(out, "\n%*s", (int)column, "");
            at = column;
        }
        at += (unsigned)fprintf(out, "%s%.*s", at > column ? " " : "", (int)len, text);
        text += len;
        text += strspn(text, " \n");
    }
    fputc('\n', out);
}

static void entry(FILE *out, const char *name, const char *text)
{
    int used = fprintf(out, "  %s", name);
    if (used + 2 > (int)OPTION_COLUMN)
        fprintf(out, "\n%*s", (int)OPTION_COLUMN, "");
    else
        fprintf(out, "%*s", (int)OPTION_COLUMN - used, "");
    wrapped(out, text, OPTION_COLUMN);
}

/* Paragraphs are wrapped; a line that begins with a space stays as it is. */
static void details(FILE *out, const char *text)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t len = end ? (size_t)(end - text) : strlen(text);
        fputc('\n', out);
        if (*text == ' ') {
            fprintf(out, "%.*s\n", (int)len, text);
        } else {
            char paragraph[4096];
            snprintf(paragraph, sizeof paragraph, "%.*s", (int)len, text);
            wrapped(out, paragraph, 0);
        }
        text += len;
        text += strspn(text, "\n");
    }
}

void cli_help_all(FILE *out)
{
    fputs("Usage: airlift COMMAND [OPTION]... [OPERAND]...\n", out);
    for (const struct cli_group *g = cli_groups; g->title; g++) {
        if (!g->commands->name) continue;
        fprintf(out, "\n%s\n", g->title);
        for (const struct cli_command *c = g->commands; c->name; c++)
            entry(out, c->name, c->summary);
    }
    fputs("\n'airlift COMMAND --help' tells more about one. With --json every command prints one\n"
          "JSON document. Exit status: 0 done; 1 it failed, or the check says no; 2 wrong use.\n",
          out);
}

void cli_help_word(FILE *out, const char *first_words)
{
    size_t len = strlen(first_words);
    fprintf(out, "Usage: airlift %s COMMAND [OPTION]... [OPERAND]...\n\n", first_words);
    const struct cli_command *c;
    for (size_t i = 0; (c = cli_command_at(i)); i++)
        if (strncmp(c->name, first_words, len) == 0 && c->name[len] == ' ')
            entry(out, c->name, c->summary);
}

static void option_entry(FILE *out, const struct cli_option *o)
{
    char name[128], text[512];
    const char *separator = o->value && o->value[0] != '[' ? " " : "";
    if (o->value && o->value[0] == '[')
        snprintf(name, sizeof name, "%s[=%s", o->name, o->value + 1);
    else
        snprintf(name, sizeof name, "%s%s%s", o->name, separator, o->value ? o->value : "");
    snprintf(text, sizeof text, "%s%s", o->help, o->many ? " (may be given several times)" : "");
    entry(out, name, text);
}

void cli_help_command(FILE *out, const struct cli_command *c)
{
    fprintf(out, "Usage: airlift %s [OPTION]...%s%s\n\n", c->name, *c->operands ? " " : "",
            c->operands);
    fputc(toupper((unsigned char)c->summary[0]), out);
    fprintf(out, "%s.\n", c->summary + 1);
    if (c->details) details(out, c->details);
    fputs("\nOptions:\n", out);
    for (const struct cli_option *o = c->options; o && o->name; o++) option_entry(out, o);
    for (const struct cli_option *o = cli_common_options; o->name; o++) option_entry(out, o);
    if (c->example) fprintf(out, "\nExample:\n  %s\n", c->example);
}

static cJSON *option_json(const struct cli_option *o)
{
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "name", o->name);
    if (o->value) cJSON_AddStringToObject(doc, "value", o->value);
    cJSON_AddStringToObject(doc, "help", o->help);
    cJSON_AddBoolToObject(doc, "many", o->many);
    return doc;
}

static cJSON *command_json(const struct cli_command *c)
{
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "name", c->name);
    cJSON_AddStringToObject(doc, "operands", c->operands);
    cJSON_AddStringToObject(doc, "summary", c->summary);
    if (c->details) cJSON_AddStringToObject(doc, "details", c->details);
    if (c->example) cJSON_AddStringToObject(doc, "example", c->example);
    cJSON *options = cJSON_AddArrayToObject(doc, "options");
    for (const struct cli_option *o = c->options; o && o->name; o++)
        cJSON_AddItemToArray(options, option_json(o));
    return doc;
}

cJSON *cli_help_json(void)
{
    cJSON *all = cJSON_CreateArray();
    for (const struct cli_group *g = cli_groups; g->title; g++) {
        if (!g->commands->name) continue;
        cJSON *group = cJSON_CreateObject();
        cJSON_AddStringToObject(group, "group", g->title);
        cJSON *commands = cJSON_AddArrayToObject(group, "commands");
        for (const struct cli_command *c = g->commands; c->name; c++)
            cJSON_AddItemToArray(commands, command_json(c));
        cJSON_AddItemToArray(all, group);
    }
    return all;
}
