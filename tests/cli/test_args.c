/* The words of a command line against a description; finding commands; numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/args.h"
#include "cli/groups.h"
#include "cli/help.h"

static const struct cli_option options[] = {
    {"--out", "FILE", "where to", false},
    {"-B", "DIR", "build directory", false},
    {"--quick", NULL, "a flag", false},
    {"--key", "PUB.pem", "keys", true},
    {"--scheme", "v1|v2", "a choice", false},
    {"--secure", "[v1|v2]", "may stand alone", false},
    {"--log", "[FILE]", "may stand alone", false},
    {"--size", "N", "a number", false},
    {"--bytes", "N", "same as --size", false},
    {"-s", "N", "same as --size", false},
    {"--tag", "TAG [LENGTH] FILE", "several words", true},
    {"--pair", "A B", "two words", false},
    {0},
};

static const struct cli_command command = {"test it", "OLD [NEW]", "a command", NULL,
                                           NULL,      options,     NULL};

static char why[512];

/* Parses up to eight words; NULL ends them. */
static struct cli_args *parse_as(const struct cli_command *c, const char *const *words)
{
    int count = 0;
    while (words[count]) count++;
    why[0] = 0;
    return cli_args_parse(c, count, words, why, sizeof why);
}

#define PARSE(...) parse_as(&command, (const char *const[]){__VA_ARGS__, NULL})

static struct cli_args *good(struct cli_args *a)
{
    if (!a) fail_msg("refused: %s", why);
    return a;
}

static void values_come_behind_or_with_equals(void **state)
{
    struct cli_args *a = good(PARSE("a", "--out", "x", "-B", "dir", "--size=4K"));
    assert_string_equal(cli_value(a, "--out"), "x");
    assert_string_equal(cli_value(a, "-B"), "dir");
    assert_string_equal(cli_value(a, "--size"), "4K");
    assert_int_equal(cli_operand_count(a), 1);
    assert_null(cli_value(a, "--key"));
    assert_false(cli_has(a, "--quick"));
    cli_args_free(a);
    a = good(PARSE("a", "-Bdir", "--out="));
    assert_string_equal(cli_value(a, "-B"), "dir");
    assert_string_equal(cli_value(a, "--out"), "");
    cli_args_free(a);
}

static void options_and_operands_mix(void **state)
{
    struct cli_args *a = good(PARSE("old", "--quick", "new", "--json"));
    assert_string_equal(cli_operand(a, 0), "old");
    assert_string_equal(cli_operand(a, 1), "new");
    assert_null(cli_operand(a, 2));
    assert_true(cli_has(a, "--quick") && cli_json_wanted(a));
    cli_args_free(a);
}

static void behind_two_dashes_all_are_operands(void **state)
{
    struct cli_args *a = good(PARSE("--", "--quick", "-x"));
    assert_string_equal(cli_operand(a, 0), "--quick");
    assert_string_equal(cli_operand(a, 1), "-x");
    assert_false(cli_has(a, "--quick"));
    cli_args_free(a);
    a = good(PARSE("-")); /* standard input */
    assert_string_equal(cli_operand(a, 0), "-");
    cli_args_free(a);
}

static void a_dash_and_a_digit_is_a_number(void **state)
{
    static const struct cli_option fast[] = {{"-9", NULL, "best", false}, {0}};
    static const struct cli_command packer = {"pack", "FILE [LEVEL]", "", NULL, NULL, fast, NULL};
    struct cli_args *a = good(PARSE("a", "-7", "--quick"));
    assert_string_equal(cli_operand(a, 1), "-7");
    assert_true(cli_has(a, "--quick"));
    cli_args_free(a);
    a = good(PARSE("a", "-.5"));
    assert_string_equal(cli_operand(a, 1), "-.5");
    cli_args_free(a);
    assert_null(PARSE("a", "-."));
    a = good(parse_as(&packer, (const char *const[]){"a", "-8", "-9", NULL}));
    assert_string_equal(cli_operand(a, 1), "-8");
    assert_true(cli_has(a, "-9"));
    cli_args_free(a);
}

static void some_options_are_given_often(void **state)
{
    struct cli_args *a = good(PARSE("a", "--key", "1", "--key=2"));
    assert_string_equal(cli_value_at(a, "--key", 0), "1");
    assert_string_equal(cli_value_at(a, "--key", 1), "2");
    assert_null(cli_value_at(a, "--key", 2));
    cli_args_free(a);
    assert_null(PARSE("a", "--out", "1", "--out", "2"));
    assert_string_equal(why, "--out is given twice");
}

static void choices_are_held_to_their_words(void **state)
{
    struct cli_args *a = good(PARSE("a", "--scheme", "v2"));
    assert_string_equal(cli_value(a, "--scheme"), "v2");
    cli_args_free(a);
    assert_null(PARSE("a", "--scheme", "v3"));
    assert_non_null(strstr(why, "v1|v2"));
    assert_null(PARSE("a", "--scheme", "v"));
    assert_null(PARSE("a", "--scheme=v1|v2"));
}

static void a_value_in_brackets_may_be_left_out(void **state)
{
    struct cli_args *a = good(PARSE("--secure", "a"));
    assert_true(cli_has(a, "--secure"));
    assert_null(cli_value(a, "--secure"));
    assert_string_equal(cli_operand(a, 0), "a");
    cli_args_free(a);
    a = good(PARSE("--secure", "v2", "a"));
    assert_string_equal(cli_value(a, "--secure"), "v2");
    cli_args_free(a);
    a = good(PARSE("--log", "a"));
    assert_null(cli_value(a, "--log"));
    cli_args_free(a);
    a = good(PARSE("--log=f", "a"));
    assert_string_equal(cli_value(a, "--log"), "f");
    cli_args_free(a);
    assert_null(PARSE("a", "--secure=v3"));
}

static void wrong_use_is_told(void **state)
{
    assert_null(PARSE("a", "--nope"));
    assert_string_equal(why, "there is no option --nope");
    assert_null(PARSE("a", "--nope=3"));
    assert_string_equal(why, "there is no option --nope");
    assert_null(PARSE("a", "-x"));
    assert_null(PARSE("a", "--out"));
    assert_string_equal(why, "--out needs a value: FILE");
    assert_null(PARSE("a", "--out", "--quick"));
    assert_string_equal(why, "--out needs a value: FILE");
    assert_null(PARSE("a", "--quick=1"));
    assert_string_equal(why, "--quick takes no value");
    assert_null(PARSE("--quick"));
    assert_string_equal(why, "it needs OLD [NEW]");
    assert_null(PARSE("a", "b", "c"));
    assert_string_equal(why, "'c' is one word too many");
}

static void help_needs_no_operands(void **state)
{
    struct cli_args *a = good(PARSE("--help"));
    assert_true(a->help);
    cli_args_free(a);
}

static void operand_texts_give_limits(void **state)
{
    static const struct {
        const char *spec;
        size_t min, max;
    } cases[] = {{"", 0, 0},
                 {"FILE", 1, 1},
                 {"OLD NEW", 2, 2},
                 {"FILE [DIR]", 1, 2},
                 {"FLASH OP...", 2, SIZE_MAX},
                 {"[WORD...]", 0, SIZE_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t min, max;
        cli_operand_limits(cases[i].spec, &min, &max);
        assert_int_equal(min, cases[i].min);
        assert_int_equal(max, cases[i].max);
    }
}

static void placeholders_are_no_choices(void **state)
{
    assert_true(cli_value_is_choice("v1|v2"));
    assert_true(cli_value_is_choice("[esp32|esp32c3]"));
    assert_false(cli_value_is_choice("FILE"));
    assert_false(cli_value_is_choice("tcp:PORT|pty:LINK"));
    assert_false(cli_value_is_choice("seconds"));
    assert_false(cli_value_is_choice(NULL));
}

static void numbers_have_bases_and_units(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } cases[] = {{"0", 0},
                 {"4096", 4096},
                 {"0x1000", 4096},
                 {"0XfF", 255},
                 {"64K", 65536},
                 {"4MB", 4u << 20},
                 {"4M", 4u << 20},
                 {"1kb", 1024},
                 {"0x10K", 16384},
                 {"010", 10},
                 {"18446744073709551615", UINT64_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t v = 1;
        assert_true(cli_parse_number(cases[i].text, UINT64_MAX, &v));
        assert_true(v == cases[i].value);
    }
    static const char *const bad[] = {"",
                                      "x",
                                      "-1",
                                      "+1",
                                      "0x",
                                      "1 ",
                                      " 1",
                                      "1G",
                                      "4MBs",
                                      "1.5",
                                      "B",
                                      "0x1g",
                                      "1B",
                                      "18446744073709551616",
                                      "18446744073709551615K"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t v;
        if (cli_parse_number(bad[i], UINT64_MAX, &v)) fail_msg("'%s' was taken", bad[i]);
    }
    uint64_t v;
    assert_true(cli_parse_number("255", 255, &v));
    assert_false(cli_parse_number("256", 255, &v));
}

/* Runs with stderr in a file; gives what was written. */
static void number_message(const char *text, uint64_t max, bool *ok, char *said, size_t size)
{
    FILE *to = tmpfile();
    int keep = dup(STDERR_FILENO);
    char option[64];
    snprintf(option, sizeof option, "--size=%s", text);
    struct cli_args *a = good(PARSE("a", option));
    dup2(fileno(to), STDERR_FILENO);
    *ok = true;
    uint64_t value = cli_number(a, "--size", 7, max, ok);
    fflush(stderr);
    dup2(keep, STDERR_FILENO);
    close(keep);
    assert_int_equal(value, *ok ? strtoull(text, NULL, 0) : 7);
    cli_args_free(a);
    rewind(to);
    said[fread(said, 1, size - 1, to)] = 0;
    fclose(to);
}

static void a_bad_number_is_explained(void **state)
{
    char said[512];
    bool ok;
    number_message("12", 100, &ok, said, sizeof said);
    assert_true(ok);
    assert_string_equal(said, "");
    number_message("101", 100, &ok, said, sizeof said);
    assert_false(ok);
    assert_non_null(strstr(said, "too large; at most 100"));
    number_message("abc", 100, &ok, said, sizeof said);
    assert_false(ok);
    assert_non_null(strstr(said, "airlift test it: --size 'abc' is no number"));
}

static void commands_are_found_by_their_longest_name(void **state)
{
    int used;
    const char *const two[] = {"artifacts", "delete", "x"}, *const one[] = {"artifacts", "--json"};
    assert_string_equal(cli_find_command(3, two, &used)->name, "artifacts delete");
    assert_int_equal(used, 2);
    assert_string_equal(cli_find_command(2, one, &used)->name, "artifacts");
    assert_int_equal(used, 1);
    const char *const none[] = {"artifact"};
    assert_null(cli_find_command(1, none, &used));
    char words[CLI_WORDS_LEN];
    const char *const three[] = {"cloud", "key", "x"};
    assert_int_equal(cli_first_words(1, none, words, sizeof words), 0);
    assert_int_equal(cli_first_words(2, one, words, sizeof words), 1);
    assert_int_equal(cli_first_words(3, three, words, sizeof words), 2);
    assert_string_equal(words, "cloud key");
}

static void typos_suggest_the_nearest_command(void **state)
{
    const char *const swapped[] = {"pusk"}, *const two[] = {"artifacts", "delte"};
    const char *const turned[] = {"vesrion"}, *const far[] = {"xyzzy"};
    assert_string_equal(cli_suggest(1, swapped), "push");
    assert_string_equal(cli_suggest(1, turned), "version");
    assert_string_equal(cli_suggest(2, two), "artifacts delete");
    assert_null(cli_suggest(1, far));
}

static void an_option_may_have_other_names(void **state)
{
    static const char *const spellings[][3] = {
        {"x", "--bytes", "5"}, {"x", "--bytes=5"}, {"x", "-s", "5"}, {"x", "-s5"}};
    for (size_t i = 0; i < 4; i++) {
        struct cli_args *a =
            good(parse_as(&command, (const char *const[]){spellings[i][0], spellings[i][1],
                                                          spellings[i][2], NULL}));
        assert_string_equal(cli_value(a, "--size"), "5");
        assert_false(cli_has(a, "--bytes"));
        cli_args_free(a);
    }
    assert_null(PARSE("x", "--size", "1", "-s", "2"));
    assert_string_equal(why, "-s is given twice");
}

static void an_option_may_take_several_words(void **state)
{
    size_t n;
    struct cli_args *a = good(PARSE("--tag", "1", "a", "--tag", "2", "16", "b", "x"));
    const char *const *words = cli_words_at(a, "--tag", 0, &n);
    assert_int_equal(n, 2);
    assert_string_equal(words[0], "1");
    assert_string_equal(words[1], "a");
    words = cli_words_at(a, "--tag", 1, &n);
    assert_int_equal(n, 3);
    assert_string_equal(words[2], "b");
    assert_string_equal(cli_operand(a, 0), "x"); /* it takes no more than it can */
    assert_null(cli_words_at(a, "--tag", 2, &n));
    assert_int_equal(n, 0);
    cli_args_free(a);
    assert_null(PARSE("x", "--tag", "1", "--quick"));
    assert_string_equal(why, "--tag needs TAG [LENGTH] FILE");
    assert_null(PARSE("x", "--tag=1", "a"));
    assert_null(PARSE("x", "--pair", "1"));
    assert_null(PARSE("x", "--pair", "1", "2", "--pair", "3", "4"));
    assert_string_equal(why, "--pair is given twice");
}

/* An option that another one is another name of. */
static const struct cli_option *option_named(const struct cli_command *c, const char *name)
{
    for (const struct cli_option *o = c->options; o && o->name; o++)
        if (strcmp(o->name, name) == 0) return o;
    return NULL;
}

static void every_description_is_complete(void **state)
{
    for (const struct cli_group *g = cli_groups; g->title; g++) {
        for (const struct cli_command *c = g->commands; c->name; c++) {
            size_t min, max;
            if (!c->operands || !c->summary || !c->example || !c->run)
                fail_msg("'%s' lacks operands, summary, example or run", c->name);
            cli_operand_limits(c->operands, &min, &max);
            for (const struct cli_option *o = c->options; o && o->name; o++) {
                if (o->name[0] != '-' || !o->help || !*o->help)
                    fail_msg("'%s' has an option without help", c->name);
                if (strcmp(o->name, "--json") == 0 || strcmp(o->name, "--help") == 0)
                    fail_msg("'%s' has %s of its own", c->name, o->name);
                if (strncmp(o->help, "same as ", 8) != 0) continue;
                const struct cli_option *other = option_named(c, o->help + 8);
                if (!other || strcmp(other->value, o->value) != 0 || other->many != o->many)
                    fail_msg("'%s': %s is not the same as an option", c->name, o->name);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_behind_or_with_equals),
        cmocka_unit_test(options_and_operands_mix),
        cmocka_unit_test(behind_two_dashes_all_are_operands),
        cmocka_unit_test(a_dash_and_a_digit_is_a_number),
        cmocka_unit_test(some_options_are_given_often),
        cmocka_unit_test(choices_are_held_to_their_words),
        cmocka_unit_test(a_value_in_brackets_may_be_left_out),
        cmocka_unit_test(wrong_use_is_told),
        cmocka_unit_test(help_needs_no_operands),
        cmocka_unit_test(operand_texts_give_limits),
        cmocka_unit_test(placeholders_are_no_choices),
        cmocka_unit_test(numbers_have_bases_and_units),
        cmocka_unit_test(a_bad_number_is_explained),
        cmocka_unit_test(commands_are_found_by_their_longest_name),
        cmocka_unit_test(typos_suggest_the_nearest_command),
        cmocka_unit_test(an_option_may_have_other_names),
        cmocka_unit_test(an_option_may_take_several_words),
        cmocka_unit_test(every_description_is_complete),
    };
    return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
