/* Parsing of options and operands. See args.h and cli.h. */
#include "cli/args.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    struct cli_args *args;
    int argc, next;
    const char *const *argv;
    char *why;
    size_t why_size;
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct parser *p, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(p->why, p->why_size, format, list);
    va_end(list);
    return false;
}

void cli_operand_limits(const char *spec, size_t *min, size_t *max)
{
    *min = *max = 0;
    while (spec && *spec) {
        size_t len = strcspn(spec, " ");
        const char *dots = strstr(spec, "...");
        if (spec[0] != '[') *min += 1;
        if (dots && dots < spec + len)
            *max = SIZE_MAX;
        else if (*max != SIZE_MAX)
            *max += 1;
        spec += len;
        spec += strspn(spec, " ");
    }
}

static bool may_stand_alone(const struct cli_option *o)
{
    return o->value && o->value[0] == '[';
}

bool cli_value_is_choice(const char *value)
{
    bool bar = false;
    for (const char *c = value; c && *c; c++) {
        if (*c == '|')
            bar = true;
        else if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && !strchr("-_.[]", *c))
            return false;
    }
    return bar;
}

static bool is_one_of(const char *choices, const char *word)
{
    size_t len = strlen(word);
    const char *c = choices + (choices[0] == '[');
    while (*c && *c != ']') {
        size_t n = strcspn(c, "|]");
        if (n == len && strncmp(c, word, n) == 0) return true;
        c += n + (c[n] == '|');
    }
    return false;
}

static const struct cli_option *find_option(const struct cli_command *command, const char *name,
                                            size_t len)
{
    for (const struct cli_option *o = command->options; o && o->name; o++)
        if (strlen(o->name) == len && strncmp(o->name, name, len) == 0) return o;
    return NULL;
}

static bool is_an_option(const struct cli_command *command, const char *word)
{
    size_t len = strcspn(word, "=");
    return find_option(command, word, len) || strcmp(word, "--json") == 0 ||
           strcmp(word, "--help") == 0 || strcmp(word, "--") == 0;
}

/* "-7" is a number, unless the command has an option of that name. */
static bool is_operand(const struct cli_command *command, const char *word)
{
    if (word[0] != '-' || word[1] == 0) return true;
    const char *digit = word + 1 + (word[1] == '.');
    return isdigit((unsigned char)*digit) && !find_option(command, word, 2);
}

static bool takes_words(const struct cli_option *o)
{
    return o->value && strchr(o->value, ' ');
}

/* The option that o is another name of, or o. */
static const struct cli_option *main_name(const struct cli_command *command,
                                          const struct cli_option *o)
{
    static const char same[] = "same as ";
    if (strncmp(o->help, same, sizeof same - 1) != 0) return o;
    const char *name = o->help + sizeof same - 1;
    const struct cli_option *other = find_option(command, name, strlen(name));
    return other ? other : o;
}

static bool is_new(struct parser *p, const struct cli_option *o, const char *name)
{
    for (size_t i = 0; i < p->args->given_count; i++)
        if (p->args->given[i].option == o && !o->many) return wrong(p, "%s is given twice", name);
    return true;
}

/* All words up to the next option, as many as it can take. */
static bool take_words(struct parser *p, const struct cli_option *o, const char *inline_value)
{
    struct cli_args *a = p->args;
    const char *const *first = p->argv + p->next;
    size_t min, max, count = 0;
    cli_operand_limits(o->value, &min, &max);
    if (inline_value) return wrong(p, "%s takes several words: %s", o->name, o->value);
    while (count < max && p->next < p->argc && is_operand(a->command, p->argv[p->next])) {
        count++;
        p->next++;
    }
    if (count < min) return wrong(p, "%s needs %s", o->name, o->value);
    if (!is_new(p, o, o->name)) return false;
    a->given[a->given_count++] = (struct cli_given){o, first[0], first, count};
    return true;
}

/* inline_value: what follows '=' or the letter of a short option; NULL: nothing. */
static bool take_option(struct parser *p, const struct cli_option *o, const char *inline_value)
{
    struct cli_args *a = p->args;
    const char *value = inline_value;
    bool choice = cli_value_is_choice(o->value);
    if (!o->value && inline_value) return wrong(p, "%s takes no value", o->name);
    if (o->value && !value) {
        const char *word = p->next < p->argc ? p->argv[p->next] : NULL;
        bool take = word && !is_an_option(a->command, word);
        if (may_stand_alone(o)) take = take && choice && is_one_of(o->value, word);
        if (!take && !may_stand_alone(o))
            return wrong(p, "%s needs a value: %s", o->name, o->value);
        if (take) value = p->argv[p->next++];
    }
    if (choice && value && !is_one_of(o->value, value))
        return wrong(p, "%s cannot be '%s'; choose one of %s", o->name, value, o->value);
    const struct cli_option *main = main_name(a->command, o);
    if (!is_new(p, main, o->name)) return false;
    a->given[a->given_count++] = (struct cli_given){.option = main, .value = value};
    return true;
}

static bool parse_option(struct parser *p, const char *word)
{
    struct cli_args *a = p->args;
    if (strcmp(word, "--json") == 0) return a->json = true;
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return a->help = true;
    size_t len = word[1] == '-' ? strcspn(word, "=") : 2;
    const struct cli_option *o = find_option(a->command, word, len);
    if (!o) return wrong(p, "there is no option %.*s", (int)len, word);
    const char *rest = word + len;
    if (takes_words(o)) return take_words(p, o, *rest ? rest : NULL);
    if (*rest == '=') return take_option(p, o, rest + 1);
    return take_option(p, o, *rest ? rest : NULL);
}

static bool parse_words(struct parser *p)
{
    struct cli_args *a = p->args;
    bool only_operands = false;
    while (p->next < p->argc) {
        const char *word = p->argv[p->next++];
        if (!only_operands && strcmp(word, "--") == 0)
            only_operands = true;
        else if (only_operands || is_operand(a->command, word))
            a->operands[a->operand_count++] = word;
        else if (!parse_option(p, word))
            return false;
    }
    if (a->help) return true;
    size_t min, max;
    cli_operand_limits(a->command->operands, &min, &max);
    if (a->operand_count < min) return wrong(p, "it needs %s", a->command->operands);
    if (a->operand_count > max) return wrong(p, "'%s' is one word too many", a->operands[max]);
    return true;
}

struct cli_args *cli_args_parse(const struct cli_command *command, int argc,
                                const char *const *argv, char *why, size_t why_size)
{
    struct cli_args *a = calloc(1, sizeof *a);
    size_t room = (size_t)argc + 1;
    if (a) {
        a->command = command;
        a->operands = calloc(room, sizeof *a->operands);
        a->given = calloc(room, sizeof *a->given);
    }
    struct parser p = {.args = a, .argc = argc, .argv = argv, .why = why, .why_size = why_size};
    if (!a || !a->operands || !a->given)
        wrong(&p, "out of memory");
    else if (parse_words(&p))
        return a;
    cli_args_free(a);
    return NULL;
}

void cli_args_free(struct cli_args *a)
{
    if (!a) return;
    free(a->operands);
    free(a->given);
    free(a);
}

size_t cli_operand_count(const struct cli_args *a)
{
    return a->operand_count;
}

const char *cli_operand(const struct cli_args *a, size_t index)
{
    return index < a->operand_count ? a->operands[index] : NULL;
}

static const struct cli_given *given_at(const struct cli_args *a, const char *option, size_t index)
{
    for (size_t i = 0; i < a->given_count; i++)
        if (strcmp(a->given[i].option->name, option) == 0 && index-- == 0) return &a->given[i];
    return NULL;
}

bool cli_has(const struct cli_args *a, const char *option)
{
    return given_at(a, option, 0) != NULL;
}

const char *cli_value_at(const struct cli_args *a, const char *option, size_t index)
{
    const struct cli_given *g = given_at(a, option, index);
    return g ? g->value : NULL;
}

const char *cli_value(const struct cli_args *a, const char *option)
{
    return cli_value_at(a, option, 0);
}

const char *const *cli_words_at(const struct cli_args *a, const char *option, size_t index,
                                size_t *count)
{
    const struct cli_given *g = given_at(a, option, index);
    *count = g ? g->word_count : 0;
    return g ? g->words : NULL;
}

bool cli_json_wanted(const struct cli_args *a)
{
    return a->json;
}

bool cli_parse_number(const char *text, uint64_t max, uint64_t *out)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    unsigned base = hex ? 16 : 10;
    const char *c = text + (hex ? 2 : 0), *first = c;
    uint64_t value = 0, unit = 1;
    for (; hex ? isxdigit((unsigned char)*c) : isdigit((unsigned char)*c); c++) {
        unsigned digit = isdigit((unsigned char)*c)
                             ? (unsigned)(*c - '0')
                             : (unsigned)(tolower((unsigned char)*c) - 'a' + 10);
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    if (c == first) return false;
    if (*c == 'K' || *c == 'k')
        unit = 1024, c++;
    else if (*c == 'M' || *c == 'm')
        unit = 1024 * 1024, c++;
    if (unit > 1 && (*c == 'B' || *c == 'b')) c++;
    if (*c || __builtin_mul_overflow(value, unit, &value) || value > max) return false;
    *out = value;
    return true;
}

uint64_t cli_number(const struct cli_args *a, const char *option, uint64_t fallback, uint64_t max,
                    bool *ok)
{
    const char *text = cli_value(a, option);
    uint64_t value = fallback;
    if (!text || cli_parse_number(text, max, &value)) return value;
    uint64_t any;
    if (cli_parse_number(text, UINT64_MAX, &any))
        cli_usage(a, "%s %s is too large; at most %llu (0x%llx)", option, text,
                  (unsigned long long)max, (unsigned long long)max);
    else
        cli_usage(a, "%s '%s' is no number; like 4096, 0x1000, 64K or 4MB", option, text);
    *ok = false;
    return fallback;
}

bool cli_real(const struct cli_args *a, const char *option, double least, double most, double *out)
{
    const char *text = cli_value(a, option);
    char *end;
    if (!text) return true;
    double value = strtod(text, &end);
    bool ok = end != text && !*end && isfinite(value) && value >= least && value <= most;
    if (ok)
        *out = value;
    else
        cli_usage(a, "%s: '%s' is no number from %g to %g", option, text, least, most);
    return ok;
}
