/* zigbee serve: the gateway (server/gateway.h) on a radio. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "cli/zigbee.h"
#include "cli/zigbee_control.h"
#include "cli/zigbee_file.h"
#include "cli/zigbee_mirror.h"
#include "host/file.h"
#include "radio/radio.h"
#include "radio/zb_backup.h"
#include "radio/zb_file.h"
#include "radio/zb_loop.h"
#include "server/gateway.h"

#define SECOND    1000000ull
#define RESCAN_US (60 * SECOND) /* where inotify cannot see, as on network file systems */
#define SETTLE_US (SECOND / 2)  /* files are written piece by piece */

const struct cli_option zigbee_serve_options[] = {
    {"--radio", "R", "medium:SOCKET, spinel:DEVICE or spinel:tcp://HOST:PORT", false},
    {"--images", "DIR|URL",
     "Zigbee OTA files to hand out, and their index.json if there is one; or an airliftd's address",
     false},
    ZIGBEE_MIRROR_OPTIONS,
    {"--state", "FILE", "where the network is kept; without it, it ends with the program", false},
    {"--restore", "FILE", "begin an empty --state with the network of this backup", false},
    {"--backup", "FILE", "keep a backup of the network in this file", false},
    {"--permit", "SECONDS", "let devices join for so long", false},
    {"--install-code", "EUI=CODE", "install code (with CRC) of a device that may join", true},
    {"--install-codes-only", NULL, "devices without an install code may not join", false},
    {"--channel", "N", "form on this channel, 11 to 26; several: 11,15,20", false},
    {"--pan-id", "N", "PAN id to form with; default: random", false},
    {"--parallel", "N", "upgrades at a time (4)", false},
    {"--tries", "N", "of an upgrade that fails (3)", false},
    {"--max-block", "N", "bytes of image in a frame at most (223)", false},
    {"--quiet", "A-B", "no upgrades between these times of the day, like 22:00-06:00", false},
    {"--manual", NULL, "upgrade only what a command orders", false},
    {"--dry-run", NULL, "say what would be upgraded, offer nothing", false},
    {"--devices", "N", "most devices of the network (200)", false},
    {"--status", "FILE", "keep the status as JSON in this file", false},
    {"--control", "SOCKET", "take commands on this Unix socket; see 'airlift zigbee control'",
     false},
    {"--for", "SECONDS", "end after so long", false},
    {0},
};

struct serve {
    const struct cli_args *a;
    struct gateway_config config;
    struct gateway *gateway;
    struct gateway_images *images;
    struct zb_file *state;
    struct zb_loop loop;
    struct zigbee_control *control;
    int inotify;
    pid_t mirror;          /* 0: none */
    char images_dir[4096]; /* "": none */
    unsigned permit;
    uint64_t rescan_at, status_at, end_at;
    int status_error;   /* of the last write: it is told once */
    uint8_t backup_key; /* number of the network key in the last backup */
    bool json, backup_due, failed;
};

/* ---- Options ---- */

static bool channels_option(const char *text, uint32_t *mask)
{
    *mask = 0;
    for (const char *at = text;; at++) {
        char *end;
        unsigned long channel = strtoul(at, &end, 10);
        if (end == at || channel < 11 || channel > 26) return false;
        *mask |= 1u << channel;
        at = end;
        if (!*at) return true;
        if (*at != ',') return false;
    }
}

/* 0 without the option: the gateway's default. */
static uint64_t counted(const struct cli_args *a, const char *option, uint64_t most, bool *ok)
{
    uint64_t number = cli_number(a, option, 0, most, ok);
    if (number || !cli_has(a, option) || !*ok) return number;
    cli_usage(a, "%s: 0 is too few", option);
    *ok = false;
    return 0;
}

static int read_options(struct serve *s)
{
    const struct cli_args *a = s->a;
    struct gateway_config *c = &s->config;
    const char *quiet = cli_value(a, "--quiet"), *channels = cli_value(a, "--channel");
    bool ok = true;
    if (zigbee_radio_option(a)) return CLI_USAGE;
    if (cli_value(a, "--restore") && !cli_value(a, "--state"))
        return cli_usage(a, "--restore fills a --state");
    if (quiet && !gateway_quiet_parse(quiet, &c->quiet_from, &c->quiet_to))
        return cli_usage(a, "--quiet '%s': two times are needed, like 22:00-06:00", quiet);
    if (channels && !channels_option(channels, &c->channels))
        return cli_usage(a, "--channel '%s': numbers from 11 to 26 are needed, like 11,15,20",
                         channels);
    c->pan_id = (uint16_t)cli_number(a, "--pan-id", 0, 0xfffe, &ok);
    c->parallel = (uint16_t)counted(a, "--parallel", 1000, &ok);
    c->tries = (uint8_t)counted(a, "--tries", 100, &ok);
    c->max_block = (uint8_t)counted(a, "--max-block", 223, &ok);
    c->devices = (uint16_t)counted(a, "--devices", 1000, &ok);
    s->permit = (unsigned)cli_number(a, "--permit", 0, 3600, &ok);
    uint64_t seconds = cli_number(a, "--for", 0, 1u << 30, &ok);
    s->end_at = seconds ? seconds * SECOND : UINT64_MAX;
    c->install_codes_only = cli_has(a, "--install-codes-only");
    c->manual = cli_has(a, "--manual");
    c->dry_run = cli_has(a, "--dry-run");
    s->json = cli_json_wanted(a);
    if (!ok) return CLI_USAGE;
    int status = cli_check_writable(cli_value(a, "--status"));
    return status ? status : cli_check_writable(cli_value(a, "--backup"));
}

/* ---- What the gateway tells ---- */

static void show(const struct gateway_event *e)
{
    char eui[ZIGBEE_EUI_TEXT] = "", clock[16];
    struct tm tm;
    time_t now = time(NULL);
    const cJSON *refused = cJSON_GetObjectItem(e->json, "answer");
    strftime(clock, sizeof clock, "%H:%M:%S", localtime_r(&now, &tm));
    if (e->ext) zigbee_eui_text(e->ext, eui);
    cli_warn("%s %s%s%s%s", clock, eui, e->ext ? " " : "",
             refused && strcmp(refused->valuestring, "no image") == 0 ? "asked for an image: " : "",
             e->text);
}

static void on_event(void *ctx, const struct gateway_event *e)
{
    struct serve *s = ctx;
    if (s->json) zigbee_print_line(e->json);
    show(e);
    if (e->kind == GATEWAY_FAILED) s->failed = true;
    s->backup_due |= e->kind == GATEWAY_FORMED || e->kind == GATEWAY_JOINED ||
                     e->kind == GATEWAY_INTERVIEW || e->kind == GATEWAY_LEFT;
}

static void on_image(void *ctx, const char *line)
{
    struct serve *s = ctx;
    struct gateway_event e = {.kind = GATEWAY_IMAGE, .text = line};
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "event", "image");
    cJSON_AddStringToObject(doc, "text", line);
    e.json = doc;
    on_event(s, &e);
    cJSON_Delete(doc);
}

/* ---- Files ---- */

static int scan(struct serve *s)
{
    char error[300];
    if (!s->images_dir[0]) return CLI_OK;
    if (gateway_images_scan(s->images, s->images_dir, on_image, s, error, sizeof error))
        return cli_fail("--images %s", error);
    return CLI_OK;
}

static void rescan_when_due(struct serve *s, uint64_t now, bool changed)
{
    char events[4096];
    if (changed && s->inotify >= 0) {
        while (read(s->inotify, events, sizeof events) > 0) {
        }
        s->rescan_at = now + SETTLE_US;
    }
    if (now < s->rescan_at) return;
    s->rescan_at = now + RESCAN_US;
    scan(s);
    gateway_images_changed(s->gateway, now);
}

static void write_status(struct serve *s, uint64_t now)
{
    const char *path = cli_value(s->a, "--status");
    if (!path || now < s->status_at) return;
    s->status_at = now + SECOND;
    cJSON *doc = gateway_status(s->gateway, now);
    char *text = cJSON_Print(doc);
    int err = text ? file_write(path, text, strlen(text), 0644) : 0;
    if (err && err != s->status_error) cli_warn("%s cannot be written: %s", path, strerror(-err));
    s->status_error = err;
    free(text);
    cJSON_Delete(doc);
}

static void write_backup(struct serve *s)
{
    char error[300];
    const char *path = cli_value(s->a, "--backup");
    const struct al_nwk_key *key = al_nwk_active_key(&s->loop.zb.node.nwk);
    if (!path || (!s->backup_due && (!key || key->seq == s->backup_key))) return;
    s->backup_due = false;
    if (key) s->backup_key = key->seq;
    if (zb_backup_write(&s->loop.zb.node, path, error, sizeof error)) cli_warn("%s", error);
}

static int open_state(struct serve *s)
{
    char error[400];
    const char *state = cli_value(s->a, "--state"), *backup = cli_value(s->a, "--restore");
    if (!state) {
        cli_warn("without --state the network ends with this program");
        return CLI_OK;
    }
    s->state = zb_file_open(state, error, sizeof error);
    if (!s->state) return cli_fail("%s", error);
    s->config.store = zb_file_store(s->state);
    if (backup && zb_backup_read(backup, s->config.store, error, sizeof error))
        return cli_fail("%s: %s", state, error);
    return CLI_OK;
}

/* ---- Running ---- */

static cJSON *on_command(void *ctx, const cJSON *command)
{
    struct serve *s = ctx;
    return gateway_command(s->gateway, zb_loop_now(&s->loop), command);
}

static int add_install_codes(struct serve *s)
{
    const char *text;
    for (size_t i = 0; (text = cli_value_at(s->a, "--install-code", i)); i++) {
        char eui[40], why[100] = "";
        uint64_t ext;
        const char *equals = strchr(text, '=');
        if (equals) snprintf(eui, sizeof eui, "%.*s", (int)(equals - text), text);
        if (!equals || !zigbee_eui_parse(eui, &ext))
            return cli_usage(s->a, "--install-code '%s': EUI=CODE is needed", text);
        if (gateway_install_code(s->gateway, ext, equals + 1, why, sizeof why))
            return cli_fail("--install-code %s: %s", text, why);
    }
    return CLI_OK;
}

/* Those of an airliftd are mirrored beside the state. */
static int open_images(struct serve *s)
{
    const char *images = cli_value(s->a, "--images"), *state = cli_value(s->a, "--state");
    if (!zigbee_is_url(images)) {
        snprintf(s->images_dir, sizeof s->images_dir, "%s", images ? images : "");
        return CLI_OK;
    }
    if (!state) return cli_usage(s->a, "--images URL needs --state, beside which files are kept");
    snprintf(s->images_dir, sizeof s->images_dir, "%s.images", state);
    return zigbee_mirror_start(s->a, images, s->images_dir, &s->mirror);
}

static int open_all(struct serve *s)
{
    char error[400];
    struct al_node_config node = {0};
    /* First, so that its process does not hold the state's lock. */
    int status = open_images(s);
    if (status == CLI_OK) status = open_state(s);
    if (status) return status;
    s->images = s->config.images = gateway_images_new();
    s->config.ctx = s;
    s->config.event = on_event;
    s->gateway = gateway_new(&s->config);
    if (!s->images || !s->gateway) return cli_fail("not enough memory");
    status = scan(s);
    if (status) return status;
    if (s->images_dir[0]) {
        s->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        inotify_add_watch(s->inotify, s->images_dir,
                          IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE);
    }
    struct zigbee_control_config control = {cli_value(s->a, "--control"), true, s->inotify, s,
                                            on_command};
    s->control = zigbee_control_open(&control, error, sizeof error);
    if (!s->control) return cli_fail("%s", error);
    gateway_node_config(s->gateway, &node);
    if (zb_loop_open(&s->loop, cli_value(s->a, "--radio"), "gateway", &node, error, sizeof error))
        return cli_fail("%s", error);
    return CLI_OK;
}

static int run(struct serve *s)
{
    uint64_t now = zb_loop_now(&s->loop);
    bool changed = false;
    if (gateway_attach(s->gateway, &s->loop.zb, now)) return cli_fail("the network cannot start");
    int status = add_install_codes(s);
    if (status) return status;
    if (s->permit) gateway_permit(s->gateway, now, s->permit);
    s->rescan_at = now + RESCAN_US;
    if (s->end_at != UINT64_MAX) s->end_at += now;
    while (zigbee_control_serve(s->control, &changed)) {
        now = zb_loop_now(&s->loop);
        rescan_when_due(s, now, changed);
        write_status(s, now);
        write_backup(s);
        if (s->failed) return CLI_FAILED;
        if (now >= s->end_at) break;
        uint64_t until = now + SECOND < s->rescan_at ? now + SECOND : s->rescan_at;
        if (until > s->end_at) until = s->end_at;
        if (zb_loop_wait(&s->loop, until, zigbee_control_fd(s->control)))
            return cli_fail("%s", radio_error(s->loop.radio));
    }
    s->status_at = 0;
    s->backup_due = true;
    write_status(s, zb_loop_now(&s->loop));
    write_backup(s);
    return CLI_OK;
}

static void close_all(struct serve *s)
{
    if (s->loop.open) zb_loop_close(&s->loop);
    gateway_free(s->gateway);
    gateway_images_free(s->images);
    zb_file_close(s->state);
    zigbee_control_close(s->control);
    if (s->inotify >= 0) close(s->inotify);
    zigbee_mirror_stop(s->mirror);
}

int zigbee_serve_run(const struct cli_args *a)
{
    struct serve s = {.a = a, .inotify = -1};
    int status = read_options(&s);
    if (status == CLI_OK) status = open_all(&s);
    if (status == CLI_OK) status = run(&s);
    close_all(&s);
    return status;
}
