/* The shape of a command of `airlift`. A command is described once, in a
 * struct; parsing, --help, man pages and shell completion all come from it.
 *
 * Exit status: 0 done; 1 it failed, or the check says no; 2 wrong use.
 * stdout carries the result (with --json one document), stderr everything else. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_OK     0
#define CLI_FAILED 1
#define CLI_USAGE  2

struct cli_option {
    const char *name;  /* "--key" */
    const char *value; /* what it takes, "PUB.pem"; NULL: a flag; "v1|v2": a choice.
                          "[v1|v2]": may stand alone. "TAG [LENGTH] FILE": several words */
    const char *help;  /* one line, lower case, no full stop. "same as --other": another
                          name of that option, which stands above */
    bool many;         /* may be given several times */
};

struct cli_args;

struct cli_command {
    const char *name;                     /* "image verify" */
    const char *operands;                 /* "FILE", "OLD NEW", "FLASH OP...", "" */
    const char *summary;                  /* one line, lower case */
    const char *details;                  /* paragraphs for --help and the man page; may be NULL */
    const char *example;                  /* a line that works, "airlift image info app.bin" */
    const struct cli_option *options;     /* ends with a zeroed one; may be NULL. --json and --help
                                             are always there */
    int (*run)(const struct cli_args *a); /* gives the exit status */
};

/* Each group of commands is an array that ends with a zeroed element; cli/main.c
 * lists the groups. */
extern const struct cli_command image_commands[], partition_commands[], flash_commands[],
    data_image_commands[], otadata_commands[], boot_commands[], nvs_commands[], api_commands[],
    build_commands[], device_commands[], zigbee_commands[], radio_commands[], server_commands[],
    cloud_commands[], meta_commands[];

/* What was given. Option values: as text, NULL when absent; index: which one of many. */
size_t cli_operand_count(const struct cli_args *a);
const char *cli_operand(const struct cli_args *a, size_t index);
bool cli_has(const struct cli_args *a, const char *option);
const char *cli_value(const struct cli_args *a, const char *option);
const char *cli_value_at(const struct cli_args *a, const char *option, size_t index);
/* The words of an option that takes several; count: how many. NULL when absent. */
const char *const *cli_words_at(const struct cli_args *a, const char *option, size_t index,
                                size_t *count);
bool cli_json_wanted(const struct cli_args *a);

/* Numbers: decimal, 0x..., and with suffix K, M ("4MB" too). Without the option:
 * fallback. On a bad or too large number: message, and *ok = false. */
uint64_t cli_number(const struct cli_args *a, const char *option, uint64_t fallback, uint64_t max,
                    bool *ok);
/* *out stays without the option. false: no number from least to most; message. */
bool cli_real(const struct cli_args *a, const char *option, double least, double most, double *out);
bool cli_parse_number(const char *text, uint64_t max, uint64_t *out);

/* What is said may hold text of files and images: control characters in it are shown,
 * not obeyed (cli/text.h). */

/* For people, on stdout. */
void cli_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "airlift: text" on stderr. */
void cli_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same; gives CLI_FAILED (or CLI_USAGE, with a hint to --help). With --json the
 * first such message is the document {"error": {"message"}} of a command that fails
 * without one of its own. */
int cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
int cli_usage(const struct cli_args *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints doc on stdout and frees it; gives CLI_FAILED when stdout cannot take it. */
int cli_print_json(cJSON *doc);

/* Whole files (host/file.h), with a message when it fails. data: malloc'ed, NUL behind
 * it; max: largest length taken. */
int cli_read_file(const char *path, size_t max, uint8_t **data, size_t *len);
int cli_write_file(const char *path, const void *data, size_t len);
/* Before long work: CLI_FAILED after a message when path could not be written later. NULL:
 * nothing will be written. */
int cli_check_writable(const char *path);

/* A string of doc; "" when there is none. */
const char *cli_text_of(const cJSON *doc, const char *key);

/* Progress on stderr, only on a terminal. total 0: unknown. */
struct cli_progress {
    const char *label;
    uint64_t total, shown;
    double began, last;
    bool on;
};
void cli_progress_begin(struct cli_progress *p, const char *label, uint64_t total);
void cli_progress_update(struct cli_progress *p, uint64_t done);
void cli_progress_end(struct cli_progress *p);

#endif
