/* How many command lines a second the AT parser takes, bytes to parameters, beside sscanf of the C
 * library with a format a command.  Usage: at_parser SECONDS; prints JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "at/at_line.h"
#include "at/at_params.h"

static const char *const lines[] = {
    "AT\r\n",
    "AT+GMR\r\n",
    "AT+CIUPDATE?\r\n",
    "AT+CWJAP=\"a network\",\"a password\"\r\n",
    "AT+CIUPDATE=1,\"v4.3.0.0\",\"mqtt_ca\",1\r\n",
    "AT+SYSFLASH=2,\"mqtt_ca\",0x1000,512\r\n",
};
#define LINES (sizeof lines / sizeof *lines)

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Every parameter is fetched, by its kind. Gives how many there were. */
static size_t values(const struct at_request *r)
{
    char text[AT_LINE_MAX + 1];
    size_t good = 0, len;
    int64_t number;
    enum at_sub sub;
    for (size_t i = 0; i < r->count; i++) {
        bool quoted = r->param[i].len > 0 && r->param[i].at[0] == '"';
        enum at_param got = quoted ? at_slice_text(r->param[i], text, &len, &sub)
                                   : at_slice_int(r->param[i], &number, &sub);
        good += got == AT_PARAM_OK;
    }
    return good;
}

static size_t ours(struct at_line *l)
{
    size_t good = 0;
    for (size_t i = 0; i < LINES; i++) {
        const uint8_t *at = (const uint8_t *)lines[i];
        size_t left = strlen(lines[i]);
        while (left > 0) {
            struct at_line_event ev;
            struct at_request r;
            size_t used = at_line_push(l, at, left, &ev);
            at += used;
            left -= used;
            if (ev.kind == AT_LINE_COMMAND && at_request_parse(ev.text, ev.len, &r) == 0)
                good += 1 + values(&r);
        }
    }
    return good;
}

static size_t theirs(void)
{
    char a[65], b[65];
    int n, m;
    unsigned x;
    size_t good = 0;
    good += strcmp(lines[0], "AT\r\n") == 0;
    good += sscanf(lines[1], "AT%64[^=?\r]", a) == 1;
    good += sscanf(lines[2], "AT%64[^=?\r]?", a) == 1;
    good += 1 + (sscanf(lines[3], "AT+CWJAP=\"%64[^\"]\",\"%64[^\"]\"", a, b) == 2) * 2;
    good +=
        1 +
        (sscanf(lines[4], "AT+CIUPDATE=%d,\"%64[^\"]\",\"%64[^\"]\",%d", &n, a, b, &m) == 4) * 4;
    good += 1 + (sscanf(lines[5], "AT+SYSFLASH=%d,\"%64[^\"]\",0x%x,%d", &n, a, &x, &m) == 4) * 4;
    return good;
}

/* Lines a second. */
static double rate(double seconds, bool own)
{
    static struct at_line l;
    size_t rounds = 0, good = 0;
    double began = now(), passed;
    at_line_init(&l, -1);
    do {
        for (int i = 0; i < 1000; i++, rounds++) good += own ? ours(&l) : theirs();
        passed = now() - began;
    } while (passed < seconds);
    if (good != rounds * (LINES + 10)) {
        fprintf(stderr, "at_parser: %zu of %zu values\n", good, rounds * (LINES + 10));
        exit(1);
    }
    return (double)(rounds * LINES) / passed;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 1, own = 0, peer = 0;
    for (int i = 0; i < 3; i++) { /* in turns; the best of each */
        double o = rate(seconds, true), p = rate(seconds, false);
        own = o > own ? o : own;
        peer = p > peer ? p : peer;
    }
    printf("{\"airlift_per_s\": %.0f, \"peer_per_s\": %.0f}\n", own, peer);
    return 0;
}
