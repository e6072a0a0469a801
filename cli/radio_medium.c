/* `airlift radio medium`: the medium as a process. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/radio.h"
#include "radio/capture.h"
#include "radio/medium_layout.h"
#include "radio/medium_server.h"

#define STEP_MS       200
#define FLUSH_S       0.2
#define LAYOUT_MAX    (1u << 20)
#define FIRST_CHANNEL 11

const struct cli_option radio_medium_options[] = {
    {"--loss", "P", "lose each frame at each receiver with this probability, 0 to 1", false},
    {"--seed", "N", "of all chance; the same seed gives the same (default: 1)", false},
    {"--pcap", "FILE", "write all frames for Wireshark; -: to standard output", false},
    {"--link-type", "195|283",
     "of the pcap: frames with FCS, or behind a TAP header with channel "
     "and level",
     false},
    {"--zep", NULL, "send all frames to UDP port 17754 of this machine, for Wireshark", false},
    {"--fast", NULL, "as fast as possible instead of in real time", false},
    {"--speed", "F", "this many times as fast as real time", false},
    {"--wait", "N", "with --fast: begin when so many nodes are attached", false},
    {"--patience", "SECONDS",
     "with --fast: cut off a node that keeps the others waiting for so "
     "long (default: 10)",
     false},
    {"--once", NULL, "end when the last node has left", false},
    {"--layout", "FILE", "places and links of nodes", false},
    {"--range", "METRES", "at which a node of a layout is just not heard (default: 30)", false},
    {"--shadowing", "DB", "standard deviation of the links' levels, by the seed", false},
    {"--capture-effect", "DB",
     "the stronger of two frames survives if it is stronger by this; "
     "else both are lost",
     false},
    {0},
};

struct run {
    struct capture *capture;
    struct medium_layout *layout;
    unsigned attached; /* in all */
};

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
    stopped = signal_number;
}

/* --- what is asked for --- */

/* False: wrong use, said already. */
static bool read_options(const struct cli_args *a, struct medium_server_config *c)
{
    bool ok = true;
    struct medium_config *m = &c->medium;
    if (!cli_real(a, "--loss", 0, 1, &m->loss) || !cli_real(a, "--speed", 0.001, 1000, &c->speed) ||
        !cli_real(a, "--patience", 0.01, 86400, &c->patience) ||
        !cli_real(a, "--range", 0.1, 1e5, &m->range_m) ||
        !cli_real(a, "--shadowing", 0, 40, &m->shadowing_db) ||
        !cli_real(a, "--capture-effect", 0.1, 60, &m->capture_db))
        return false;
    m->seed = cli_number(a, "--seed", 1, UINT64_MAX, &ok);
    c->wait = (unsigned)cli_number(a, "--wait", 1, 10000, &ok);
    c->fast = cli_has(a, "--fast");
    c->address = cli_operand(a, 0);
    if (!ok) return false;
    if (c->fast && cli_has(a, "--speed")) {
        cli_usage(a, "--fast and --speed exclude each other");
        return false;
    }
    if (!c->fast && (cli_has(a, "--wait") || cli_has(a, "--patience"))) {
        cli_usage(a, "--wait and --patience belong to --fast");
        return false;
    }
    return true;
}

static int read_layout(const struct cli_args *a, struct run *r)
{
    const char *file = cli_value(a, "--layout");
    uint8_t *text;
    size_t len;
    char why[200];
    if (!file) return CLI_OK;
    int status = cli_read_file(file, LAYOUT_MAX, &text, &len);
    if (status != CLI_OK) return status;
    r->layout = medium_layout_parse((const char *)text, why, sizeof why);
    free(text);
    return r->layout ? CLI_OK : cli_fail("%s: %s", file, why);
}

static int open_capture(const struct cli_args *a, bool fast, struct run *r)
{
    const char *type = cli_value(a, "--link-type");
    struct timespec now;
    char why[200];
    clock_gettime(CLOCK_REALTIME, &now);
    struct capture_config c = {.pcap = cli_value(a, "--pcap"),
                               .link_type = type ? atoi(type) : 0,
                               .zep = cli_has(a, "--zep")};
    /* Fast: the same run gives the same file. */
    if (!fast) c.epoch_us = (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
    if (type && !c.pcap) return cli_usage(a, "--link-type belongs to --pcap FILE");
    if (c.pcap && strcmp(c.pcap, "-") == 0 && cli_json_wanted(a))
        return cli_usage(a, "--json and --pcap - both want standard output");
    if (!c.pcap && !c.zep) return CLI_OK;
    r->capture = capture_open(&c, why, sizeof why);
    return r->capture ? CLI_OK : cli_fail("%s", why);
}

/* --- the run --- */

static void node_attached(void *ctx, struct medium_node *n)
{
    struct run *r = ctx;
    r->attached++;
    if (r->layout) medium_layout_apply(r->layout, n);
}

static void log_line(void *ctx, enum medium_log what, const char *text)
{
    cli_warn("%s", text);
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int serve(struct medium_server *s, const struct run *r, bool once)
{
    const struct sigaction action = {.sa_handler = stop};
    double flushed = seconds_now();
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    while (!stopped) {
        if (medium_server_step(s, STEP_MS)) return cli_fail("poll: %s", strerror(errno));
        if (once && r->attached && medium_server_nodes(s) == 0) break;
        if (!r->capture || seconds_now() - flushed < FLUSH_S) continue;
        capture_flush(r->capture);
        flushed = seconds_now();
    }
    return CLI_OK;
}

/* --- what was on the air --- */

static void add_number(cJSON *doc, const char *key, uint64_t value)
{
    cJSON_AddNumberToObject(doc, key, (double)value);
}

static int print_json(const struct medium_stats *s, uint64_t us, unsigned attached)
{
    cJSON *doc = cJSON_CreateObject();
    add_number(doc, "nodes", attached);
    add_number(doc, "time_us", us);
    add_number(doc, "frames", s->frames);
    add_number(doc, "acks", s->acks);
    add_number(doc, "repetitions", s->repetitions);
    add_number(doc, "delivered", s->delivered);
    add_number(doc, "collisions", s->collisions);
    add_number(doc, "losses", s->losses);
    add_number(doc, "no_ack", s->no_ack);
    add_number(doc, "channel_busy", s->channel_busy);
    add_number(doc, "airtime_us", s->airtime_us);
    cJSON *channels = cJSON_AddArrayToObject(doc, "channels");
    for (unsigned i = 0; i < sizeof s->air_us / sizeof *s->air_us; i++) {
        if (s->air_us[i] == 0) continue;
        cJSON *c = cJSON_CreateObject();
        add_number(c, "channel", FIRST_CHANNEL + i);
        add_number(c, "air_us", s->air_us[i]);
        cJSON_AddItemToArray(channels, c);
    }
    return cli_print_json(doc);
}

static void print_text(const struct medium_stats *s, uint64_t us, unsigned attached)
{
    cli_print("%u nodes in %.3f s: %llu frames (%llu acknowledgements, %llu repetitions), %llu "
              "collisions, %llu losses, %llu without acknowledgement, %llu times no free channel",
              attached, (double)us / 1e6, (unsigned long long)s->frames,
              (unsigned long long)s->acks, (unsigned long long)s->repetitions,
              (unsigned long long)s->collisions, (unsigned long long)s->losses,
              (unsigned long long)s->no_ack, (unsigned long long)s->channel_busy);
    for (unsigned i = 0; us && i < sizeof s->air_us / sizeof *s->air_us; i++)
        if (s->air_us[i])
            cli_print("; channel %u in use %.1f %%", FIRST_CHANNEL + i,
                      100.0 * (double)s->air_us[i] / (double)us);
    cli_print("\n");
}

static int report(const struct cli_args *a, struct medium_server *server, const struct run *r)
{
    struct medium_stats s;
    const char *pcap = cli_value(a, "--pcap");
    uint64_t us = medium_now(medium_server_medium(server));
    medium_stats(medium_server_medium(server), &s);
    if (cli_json_wanted(a)) return print_json(&s, us, r->attached);
    if (!pcap || strcmp(pcap, "-") != 0) print_text(&s, us, r->attached);
    return CLI_OK;
}

static int run_server(const struct cli_args *a, struct medium_server_config *c, struct run *r)
{
    char why[256];
    c->attached = node_attached;
    c->log = log_line;
    c->ctx = r;
    if (r->capture) {
        c->medium.frame = capture_frame;
        c->medium.frame_ctx = r->capture;
    }
    struct medium_server *s = medium_server_open(c, why, sizeof why);
    if (!s) return cli_fail("%s", why);
    if (medium_server_port(s))
        cli_warn("listening on UDP port %u of this machine", medium_server_port(s));
    else
        cli_warn("listening at %s", c->address);
    int status = serve(s, r, cli_has(a, "--once"));
    if (status == CLI_OK) status = report(a, s, r);
    medium_server_close(s);
    return status;
}

int radio_medium_run(const struct cli_args *a)
{
    struct medium_server_config c = {0};
    struct run r = {0};
    if (!read_options(a, &c)) return CLI_USAGE;
    int status = read_layout(a, &r);
    if (status == CLI_OK) status = open_capture(a, c.fast, &r);
    if (status == CLI_OK) status = run_server(a, &c, &r);
    if (capture_close(r.capture) && status == CLI_OK)
        status = cli_fail("%s: not all could be written", cli_value(a, "--pcap"));
    medium_layout_free(r.layout);
    return status;
}
