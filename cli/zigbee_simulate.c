/* zigbee simulate: how long the roll-out of an image takes, in virtual time. */
#include "cli/zigbee_simulate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/zigbee.h"
#include "cli/zigbee_file.h"
#include "core/err.h"
#include "radio/capture.h"

#define DEVICES_MAX 500
#define HOUR_US     3600e6

const struct cli_option zigbee_simulate_options[] = {
    {"--devices", "N", "how many, 1 to 500 (default: 10)", false},
    {"--image", "FILE", "the Zigbee OTA file that they get", false},
    {"--loss", "P", "lose each frame at each receiver with this probability, 0 to 1", false},
    {"--routers", "N", "so many of the devices are routers (default: 0)", false},
    {"--sleepy", "N", "so many of the end devices sleep (default: 0)", false},
    {"--area", "METRES", "they stand on a disc of this radius around the coordinator", false},
    {"--chain", NULL, "they stand in a line, each hears its neighbours only; all are routers",
     false},
    {"--clients", "N",
     "only the last so many fetch the image; with --chain they are end devices behind it", false},
    {"--seed", "N", "of all chance; the same seed gives the same (default: 1)", false},
    {"--max-block", "N", "data bytes of a block at most, 1 to 223 (default: 223)", false},
    {"--page-size", "N", "fetch pages of so many bytes by Image Page Request", false},
    {"--parallel", "N", "downloads at a time; the others are told to wait", false},
    {"--limit", "HOURS", "of virtual time, then it ends (default: 24)", false},
    {"--svg", "FILE", "write a picture of the progress", false},
    {"--pcap", "FILE", "write all frames for Wireshark", false},
    {0},
};

/* ---- What is asked for ---- */

/* False: wrong use, said already. */
static bool read_counts(const struct cli_args *a, struct zb_rollout_config *c)
{
    bool ok = true;
    c->devices = (unsigned)cli_number(a, "--devices", 10, DEVICES_MAX, &ok);
    c->routers = (unsigned)cli_number(a, "--routers", 0, DEVICES_MAX, &ok);
    c->sleepy = (unsigned)cli_number(a, "--sleepy", 0, DEVICES_MAX, &ok);
    c->clients = (unsigned)cli_number(a, "--clients", 0, DEVICES_MAX, &ok);
    c->parallel = (uint16_t)cli_number(a, "--parallel", 0, UINT16_MAX, &ok);
    c->max_block = (uint8_t)cli_number(a, "--max-block", 223, 223, &ok);
    c->page_size = (uint16_t)cli_number(a, "--page-size", 0, UINT16_MAX, &ok);
    c->seed = cli_number(a, "--seed", 1, UINT64_MAX, &ok);
    c->chain = cli_has(a, "--chain");
    if (!ok) return false;
    if (!c->devices || !c->max_block) {
        cli_usage(a, "%s: 0 is too few", c->devices ? "--max-block" : "--devices");
        return false;
    }
    if (c->chain && (c->area_m > 0 || c->routers || c->sleepy)) {
        cli_usage(a, "--chain is a line of routers: without --area, --routers and --sleepy");
        return false;
    }
    if (c->clients > c->devices) {
        cli_usage(a, "%u clients are more than %u devices", c->clients, c->devices);
        return false;
    }
    if (c->routers > c->devices || c->sleepy > c->devices - c->routers) {
        cli_usage(a, "%u routers and %u sleepy devices are more than %u devices", c->routers,
                  c->sleepy, c->devices);
        return false;
    }
    return true;
}

static bool read_options(const struct cli_args *a, struct zb_rollout_config *c)
{
    double hours = 24;
    if (!cli_real(a, "--loss", 0, 1, &c->loss) || !cli_real(a, "--area", 1, 1e4, &c->area_m) ||
        !cli_real(a, "--limit", 0.001, 1e5, &hours))
        return false;
    c->limit_us = (uint64_t)(hours * HOUR_US);
    return read_counts(a, c);
}

static int read_image(const struct zigbee_input *in, struct zb_rollout_config *c)
{
    char why[256];
    struct al_zfile_verdict verdict;
    const struct al_zfile_fault *fault = in->err ? &in->fault : NULL;
    /* What no server would offer. */
    if (!fault && al_zfile_check(&in->file, aes_openssl_aes(in->aes), &verdict) == 0)
        fault = al_zfile_error(&verdict, true);
    if (fault) {
        zigbee_fault_explain(fault, why, sizeof why);
        return cli_fail("%s: %s", in->path, why);
    }
    const struct al_zfile_header *h = &in->file.header;
    c->file = in->data + in->file.start;
    c->size = h->total_image_size;
    c->id = (struct al_zota_id){h->manufacturer, h->image_type, h->file_version};
    return CLI_OK;
}

/* ---- The course of it ---- */

static bool course_new(struct zigbee_course *course, unsigned devices)
{
    *course = (struct zigbee_course){.devices = devices, .step = 1};
    course->at = calloc(ZIGBEE_SAMPLES, sizeof *course->at);
    course->bytes = calloc((size_t)ZIGBEE_SAMPLES * devices, sizeof *course->bytes);
    return course->at && course->bytes;
}

static void thin_out(struct zigbee_course *c)
{
    size_t row = c->devices * sizeof *c->bytes;
    c->count /= 2;
    for (unsigned i = 0; i < c->count; i++) {
        c->at[i] = c->at[2 * i + 1];
        memcpy(c->bytes + (size_t)i * c->devices, c->bytes + (size_t)(2 * i + 1) * c->devices, row);
    }
    c->step *= 2;
}

static void progress(void *ctx, uint64_t us, const struct zb_rollout_device *devices)
{
    struct zigbee_course *c = ctx;
    uint64_t sum = 0;
    for (unsigned i = 0; i < c->devices; i++) sum += devices[i].bytes;
    cli_progress_update(&c->shown, sum);
    if (us < c->next) return;
    if (c->count == ZIGBEE_SAMPLES) thin_out(c);
    c->at[c->count] = us;
    for (unsigned i = 0; i < c->devices; i++)
        c->bytes[(size_t)c->count * c->devices + i] = devices[i].bytes;
    c->count++;
    c->next = us + c->step;
}

static int simulate(const struct cli_args *a, struct zigbee_simulation *s)
{
    char why[200];
    const char *pcap = cli_value(a, "--pcap");
    struct capture *capture = NULL;
    if (!course_new(&s->course, s->config.devices)) return cli_fail("out of memory");
    if (pcap) {
        capture = capture_open(&(struct capture_config){.pcap = pcap}, why, sizeof why);
        if (!capture) return cli_fail("%s", why);
        s->config.frame = capture_frame;
        s->config.frame_ctx = capture;
    }
    s->config.progress = progress;
    s->config.ctx = &s->course;
    /* Short downloads are seen, too. */
    s->config.interval_us = 100000;
    cli_progress_begin(&s->course.shown, "simulating", s->config.size * s->config.devices);
    int err = zb_rollout_run(&s->config, &s->result);
    cli_progress_end(&s->course.shown);
    bool written = capture_close(capture) == 0;
    if (err == AL_ERR_TIMEOUT) return cli_fail("the coordinator did not form a network");
    if (err) return cli_fail("out of memory");
    return written ? CLI_OK : cli_fail("%s: not all could be written", pcap);
}

static int draw(const struct zigbee_simulation *s, const char *path)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out) return cli_fail("out of memory");
    zigbee_simulation_svg(s, out);
    int status = fclose(out) ? cli_fail("out of memory") : cli_write_file(path, text, len);
    free(text);
    return status;
}

int zigbee_simulate_run(const struct cli_args *a)
{
    struct zigbee_simulation s = {.file = cli_value(a, "--image")};
    struct zigbee_input in;
    if (!read_options(a, &s.config)) return CLI_USAGE;
    if (!s.file) return cli_usage(a, "which image? --image FILE; 'airlift zigbee pack' makes one");
    int status = zigbee_input_open(&in, s.file);
    if (status == CLI_OK) status = read_image(&in, &s.config);
    if (status == CLI_OK) status = cli_check_writable(cli_value(a, "--svg"));
    if (status == CLI_OK) status = simulate(a, &s);
    if (status == CLI_OK && cli_value(a, "--svg")) status = draw(&s, cli_value(a, "--svg"));
    if (status == CLI_OK && cli_json_wanted(a))
        status = cli_print_json(zigbee_simulation_json(&s));
    else if (status == CLI_OK)
        zigbee_simulation_print(&s);
    if (status == CLI_OK && s.result.finished < s.result.clients) status = CLI_FAILED;
    zigbee_input_close(&in);
    free(s.result.device);
    free(s.course.at);
    free(s.course.bytes);
    return status;
}
