/* What commands say: messages, JSON documents, progress. See cli.h. */
#include "cli/args.h"
#include "cli/text.h"
#include "host/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH         30
#define PROGRESS_PERIOD_S 0.1

/* For main: a command that failed has to leave a JSON document, too. */
static struct {
    char first_message[1024];
    bool document; /* one was printed, or could not be */
} said;

__attribute__((format(printf, 2, 0))) static void write_plain(FILE *out, const char *format,
                                                              va_list list)
{
    char *text;
    if (vasprintf(&text, format, list) < 0) {
        fputs(format, out); /* out of memory: better than nothing */
        return;
    }
    text_write_plain(out, text);
    free(text);
}

void cli_print(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    write_plain(stdout, format, list);
    va_end(list);
}

void cli_warn(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fputs("airlift: ", stderr);
    write_plain(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
}

__attribute__((format(printf, 1, 0))) static void remember(const char *format, va_list list)
{
    va_list copy;
    va_copy(copy, list);
    if (!said.first_message[0])
        vsnprintf(said.first_message, sizeof said.first_message, format, copy);
    va_end(copy);
}

int cli_fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    remember(format, list);
    fputs("airlift: ", stderr);
    write_plain(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    return CLI_FAILED;
}

int cli_usage(const struct cli_args *a, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    remember(format, list);
    fprintf(stderr, "airlift %s: ", a->command->name);
    write_plain(stderr, format, list);
    fprintf(stderr, "\nSee 'airlift %s --help'.\n", a->command->name);
    va_end(list);
    return CLI_USAGE;
}

int cli_print_json(cJSON *doc)
{
    char *text = cJSON_Print(doc);
    said.document = true;
    cJSON_Delete(doc);
    if (!text) return cli_fail("out of memory while writing JSON");
    text_write_json(stdout, text);
    free(text);
    bool written = fputc('\n', stdout) != EOF && fflush(stdout) == 0 && !ferror(stdout);
    int err = errno;
    if (written) return CLI_OK;
    clearerr(stdout); /* told here: cli/main.c need not tell it again */
    return cli_fail("cannot write to standard output: %s", strerror(err));
}

void cli_print_failure(void)
{
    if (said.document) return;
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(cJSON_AddObjectToObject(doc, "error"), "message", said.first_message);
    (void)cli_print_json(doc);
}

int cli_read_file(const char *path, size_t max, uint8_t **data, size_t *len)
{
    int err = file_read(path, max, data, len);
    if (err == -EFBIG)
        return cli_fail("cannot read %s: it is larger than %zu KiB; is this the right file?", path,
                        max / 1024);
    return err ? cli_fail("cannot read %s: %s", path, strerror(-err)) : CLI_OK;
}

int cli_write_file(const char *path, const void *data, size_t len)
{
    int err = file_write(path, data, len, 0644);
    return err ? cli_fail("cannot write %s: %s", path, strerror(-err)) : CLI_OK;
}

int cli_check_writable(const char *path)
{
    struct stat st;
    char parent[4096];
    if (!path) return CLI_OK;
    const char *slash = strrchr(path, '/');
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    int err = stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? EISDIR
              : access(parent, W_OK | X_OK) != 0          ? errno
                                                          : 0;
    return err ? cli_fail("cannot write %s: %s", path, strerror(err)) : CLI_OK;
}

const char *cli_text_of(const cJSON *doc, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(doc, key));
    return text ? text : "";
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void draw(struct cli_progress *p, uint64_t done)
{
    double seconds = p->last - p->began;
    double rate = seconds > 0 ? (double)done / seconds / 1024 : 0;
    if (p->total == 0) {
        fprintf(stderr, "\r\033[K%s %.1f KiB, %.0f KiB/s", p->label, (double)done / 1024, rate);
        return;
    }
    if (done > p->total) done = p->total;
    int full = (int)((double)done / (double)p->total * BAR_WIDTH);
    char bar[BAR_WIDTH + 1];
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)full);
    bar[BAR_WIDTH] = 0;
    fprintf(stderr, "\r\033[K%s [%s] %3.0f %%  %.1f of %.1f KiB, %.0f KiB/s", p->label, bar,
            (double)done / (double)p->total * 100, (double)done / 1024, (double)p->total / 1024,
            rate);
}

void cli_progress_begin(struct cli_progress *p, const char *label, uint64_t total)
{
    *p = (struct cli_progress){.label = label, .total = total, .on = isatty(STDERR_FILENO) == 1};
    p->began = seconds_now();
}

void cli_progress_update(struct cli_progress *p, uint64_t done)
{
    p->shown = done;
    if (!p->on) return;
    double now = seconds_now();
    if (now - p->last < PROGRESS_PERIOD_S) return;
    p->last = now;
    draw(p, done);
}

void cli_progress_end(struct cli_progress *p)
{
    if (!p->on) return;
    p->last = seconds_now();
    draw(p, p->shown);
    fputc('\n', stderr);
    p->on = false;
}
