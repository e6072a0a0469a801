/* What commands say: messages, JSON documents, progress. See cli.h. */
#include "cli/args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH         30
#define PROGRESS_PERIOD_S 0.1

int cli_fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fputs("airlift: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    return CLI_FAILED;
}

int cli_usage(const struct cli_args *a, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "airlift %s: ", a->command->name);
    vfprintf(stderr, format, list);
    fprintf(stderr, "\nSee 'airlift %s --help'.\n", a->command->name);
    va_end(list);
    return CLI_USAGE;
}

int cli_print_json(cJSON *doc)
{
    char *text = cJSON_Print(doc);
    cJSON_Delete(doc);
    if (!text) return cli_fail("out of memory while writing JSON");
    bool written = puts(text) >= 0 && fflush(stdout) == 0;
    int err = errno;
    free(text);
    if (written) return CLI_OK;
    clearerr(stdout); /* told here: cli/main.c need not tell it again */
    return cli_fail("cannot write to standard output: %s", strerror(err));
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
