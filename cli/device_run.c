/* device run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/device.h"
#include "device/chip.h"

const struct cli_option device_run_options[] = {
    {"--until", "REGEX", "end when a line of UART 0 matches", false},
    {"--for", "SECONDS", "end after this time", false},
    {"--resets", "N", "end after so many resets", false},
    {"--log", "FILE", "append UART 0 to a file, without colours", false},
    {"--colour", "auto|always|never", "colours of the log; default: on a terminal", false},
    {"--timing", "fast|real", "real: flash takes the time of a chip", false},
    {"--net-rate", "BYTES", "limit downloads to so many bytes a second", false},
    {"--strict", "on|off", "off: a program that would set flash bits is ANDed silently", false},
    {"--power-cut", "N[:SEED]", "cut the power inside the Nth flash operation, once", false},
    {"--brownout", "SECONDS", "brownout reset after this time, once", false},
    {"--agent", "confirm|fail|ignore", "self-test of an image that cannot run here", false},
    {"--boot-loop-limit", "N", "end after N resets within a second each; default 10, 0: none",
     false},
    {"--radio", "R", "medium:SOCKET or spinel:DEVICE", false},
    {"--uart0", "WIRE", "not stdin and stdout: pty[:LINK] or tcp:[ADDRESS:]PORT", false},
    {"--uart1", "WIRE", "the same for UART 1", false},
    {"--uart2", "WIRE", "and UART 2", false},
    {"--no-sandbox", NULL, "do not confine the firmware's process", false},
    {0},
};

/* text NULL: 0. False: message given. */
static bool parse_seconds(const char *name, const char *text, double *out)
{
    char *end;
    *out = 0;
    if (!text) return true;
    *out = strtod(text, &end);
    if (end != text && !*end && *out > 0 && *out < 1e9) return true;
    cli_fail("%s '%s': expected seconds, for example 10 or 0.5", name, text);
    return false;
}

static bool parse_cut(const char *text, struct chip_options *o)
{
    char copy[64];
    if (!text) return true;
    size_t n = strcspn(text, ":");
    if (n < sizeof copy) {
        memcpy(copy, text, n);
        copy[n] = 0;
        if (cli_parse_number(copy, UINT64_MAX, &o->power_cut) && o->power_cut &&
            (!text[n] || cli_parse_number(text + n + 1, UINT64_MAX, &o->power_cut_seed)))
            return true;
    }
    cli_fail("--power-cut '%s': expected the number of a flash operation, from 1, and maybe a "
             "seed: 12 or 12:7",
             text);
    return false;
}

static bool colour_wanted(const struct cli_args *a, int output)
{
    const char *choice = cli_value(a, "--colour");
    if (!choice || strcmp(choice, "auto") == 0) return isatty(output) && !getenv("NO_COLOR");
    return strcmp(choice, "always") == 0;
}

static int print_report(const struct chip_report *r)
{
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "end", chip_end_name(r->end));
    cJSON_AddNumberToObject(doc, "boots", r->boots);
    cJSON_AddNumberToObject(doc, "resets", r->resets);
    cJSON_AddStringToObject(doc, "last_reason", reset_reason_name(r->last_reason));
    if (r->running[0])
        cJSON_AddStringToObject(doc, "running", r->running);
    else
        cJSON_AddNullToObject(doc, "running");
    cJSON_AddBoolToObject(doc, "power_was_cut", r->power_was_cut);
    cJSON_AddNumberToObject(doc, "flash_ops", (double)r->flash_ops);
    if (r->error[0])
        cJSON_AddStringToObject(cJSON_AddObjectToObject(doc, "error"), "message", r->error);
    return cli_print_json(doc);
}

int device_run_main(const struct cli_args *a)
{
    bool ok = true;
    int output = cli_json_wanted(a) ? STDERR_FILENO : STDOUT_FILENO;
    if (cli_operand_count(a) != 1) return cli_usage(a, "expected one DIR");
    struct chip_options o = {
        .dir = cli_operand(a, 0),
        .until = cli_value(a, "--until"),
        .resets = (unsigned)cli_number(a, "--resets", 0, UINT32_MAX, &ok),
        .input = STDIN_FILENO,
        .output = output,
        .colour = colour_wanted(a, output),
        .log = cli_value(a, "--log"),
        .strict = cli_value(a, "--strict"),
        .timing = cli_value(a, "--timing"),
        .net_rate = cli_value(a, "--net-rate"),
        .radio = cli_value(a, "--radio"),
        .agent = cli_value(a, "--agent"),
        .boot_loop_limit = cli_value(a, "--boot-loop-limit"),
        .uarts = {cli_value(a, "--uart0"), cli_value(a, "--uart1"), cli_value(a, "--uart2")},
        .no_sandbox = cli_has(a, "--no-sandbox"),
    };
    if (!ok || !parse_seconds("--for", cli_value(a, "--for"), &o.seconds) ||
        !parse_seconds("--brownout", cli_value(a, "--brownout"), &o.brownout) ||
        !parse_cut(cli_value(a, "--power-cut"), &o))
        return CLI_USAGE;
    struct chip_report report;
    bool reached = chip_run(&o, &report);
    if (cli_json_wanted(a) && print_report(&report)) return CLI_FAILED;
    if (reached) return CLI_OK;
    return report.error[0] ? cli_fail("%s", report.error) : CLI_FAILED;
}
