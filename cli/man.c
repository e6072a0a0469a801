/* Man pages, as man(7) source. See help.h. */
#include <string.h>

#include "cli/groups.h"
#include "cli/help.h"
#include "host/version.h"

/* Text in which nothing is markup; '-' as itself, no dot first in a line. */
static void plain(FILE *out, const char *text)
{
    bool line_start = true;
    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\'')) fputs("\\&", out);
        line_start = *text == '\n';
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

static void page_name(const struct cli_command *c, char *out, size_t size)
{
    snprintf(out, size, "airlift%s%s", c ? "-" : "", c ? c->name : "");
    for (char *p = out; *p; p++)
        if (*p == ' ') *p = '-';
}

static void title(FILE *out, const struct cli_command *c, const char *summary)
{
    char name[96];
    page_name(c, name, sizeof name);
    fprintf(out, ".TH %s 1 \"\" \"airlift %s\" \"User Commands\"\n.SH NAME\n", name,
            AIRLIFT_VERSION);
    plain(out, name);
    fputs(" \\- ", out);
    plain(out, summary);
    fputc('\n', out);
}

static void option(FILE *out, const struct cli_option *o)
{
    fputs(".TP\n.B ", out);
    plain(out, o->name);
    if (o->value) {
        fputs(" \\fI", out);
        plain(out, o->value);
        fputs("\\fP", out);
    }
    fputc('\n', out);
    plain(out, o->help);
    fputs(o->many ? " (may be given several times)\n" : "\n", out);
}

static void details(FILE *out, const char *text)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t len = end ? (size_t)(end - text) : strlen(text);
        char paragraph[4096];
        snprintf(paragraph, sizeof paragraph, "%.*s", (int)len, text);
        bool as_it_is = *text == ' ';
        fputs(as_it_is ? ".PP\n.nf\n" : ".PP\n", out);
        plain(out, paragraph);
        fputs(as_it_is ? "\n.fi\n" : "\n", out);
        text += len;
        text += strspn(text, "\n");
    }
}

static void exit_status(FILE *out)
{
    fputs(".SH EXIT STATUS\n0: done. 1: it failed, or the check says no. 2: wrong use.\n", out);
}

static void overview(FILE *out)
{
    title(out, NULL, "over-the-air upgrades of Espressif devices, without the devices");
    fputs(".SH SYNOPSIS\n.B airlift\n\\fICOMMAND\\fP [\\fIOPTION\\fP]... [\\fIOPERAND\\fP]...\n"
          ".SH COMMANDS\n",
          out);
    for (const struct cli_group *g = cli_groups; g->title; g++) {
        if (!g->commands->name) continue;
        fprintf(out, ".SS %s\n", g->title);
        for (const struct cli_command *c = g->commands; c->name; c++) {
            fputs(".TP\n.B ", out);
            plain(out, c->name);
            fputc('\n', out);
            plain(out, c->summary);
            fputc('\n', out);
        }
    }
    exit_status(out);
}

void cli_man_page(FILE *out, const struct cli_command *c)
{
    if (!c) {
        overview(out);
        return;
    }
    title(out, c, c->summary);
    fputs(".SH SYNOPSIS\n.B airlift ", out);
    plain(out, c->name);
    fputs("\n[\\fIOPTION\\fP]... ", out);
    plain(out, c->operands);
    fputc('\n', out);
    if (c->details) {
        fputs(".SH DESCRIPTION\n", out);
        details(out, c->details);
    }
    fputs(".SH OPTIONS\n", out);
    for (const struct cli_option *o = c->options; o && o->name; o++) option(out, o);
    for (const struct cli_option *o = cli_common_options; o->name; o++) option(out, o);
    exit_status(out);
    if (c->example) {
        fputs(".SH EXAMPLE\n.nf\n", out);
        plain(out, c->example);
        fputs("\n.fi\n", out);
    }
    fputs(".SH SEE ALSO\n.BR airlift (1)\n", out);
}
