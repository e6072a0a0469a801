/* zigbee client: a device that joins any Zigbee 3.0 network and lets itself be upgraded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/zigbee.h"
#include "cli/zigbee_client_image.h"
#include "cli/zigbee_control.h"
#include "cli/zigbee_file.h"
#include "core/err.h"
#include "host/crypto_openssl.h"
#include "host/version.h"
#include "radio/radio.h"
#include "radio/zb_file.h"
#include "radio/zb_loop.h"
#include "zigbee/hash.h"
#include "zigbee/zcl_basic.h"
#include "zigbee/zcl_ota.h"

#define SECOND       1000000ull
#define HA_PROFILE   0x0104u
#define ON_OFF_LIGHT 0x0100u
#define STEER_PAUSE  (2 * SECOND)
#define LEAVING_US   (SECOND / 2) /* acknowledgements have to get out */

const struct cli_option zigbee_client_options[] = {
    {"--radio", "R", "medium:SOCKET, spinel:DEVICE or spinel:tcp://HOST:PORT", false},
    {"--out", "IMG", "where the Zigbee OTA file goes", false},
    {"--role", "router|end-device|sleepy", "what kind of device (end-device)", false},
    {"--manufacturer", "N", "manufacturer code (0x131b)", false},
    {"--image-type", "N", "image type (0x1011)", false},
    {"--version", "N", "file version that runs now (1)", false},
    {"--hw-version", "N", "hardware version to tell; default: none", false},
    {"--model", "TEXT", "ModelIdentifier of the Basic cluster", false},
    {"--maker", "TEXT", "ManufacturerName of the Basic cluster", false},
    {"--build", "TEXT", "SWBuildID of the Basic cluster", false},
    {"--max-block", "N", "bytes of image asked for at a time (223)", false},
    {"--page-size", "N", "fetch pages of so many bytes by Image Page Request", false},
    {"--install-code", "CODE", "install code, with its CRC, to join with", false},
    {"--state", "FILE", "where network and progress are kept over restarts", false},
    {"--eui64", "EUI", "address; default: of the radio, or a random one kept in --state", false},
    {"--long-poll", "MS", "how often a sleepy device asks its parent (5000)", false},
    {"--query-interval", "SECONDS", "how often to ask for an image (300)", false},
    {"--join-tries", "N", "then it gives up joining (10)", false},
    {"--exit-after", "join|download|finish|never",
     "when its work is done (finish: when the order to upgrade has come due)", false},
    {"--linger", "SECONDS", "stay so long after that, as the new version (0)", false},
    {"--for", "SECONDS", "end after so long in any case", false},
    {"--lenient", NULL, "take files with odd elements, hash or hardware range", false},
    {"--control", "SOCKET", "take commands on this Unix socket: status, query, leave", false},
    {0},
};

struct client {
    const struct cli_args *a;
    struct zb_loop loop;
    struct zb_file *state;
    struct zigbee_control *control;
    struct client_image image;
    struct al_zcl_endpoint endpoint;
    struct al_zcl_basic basic;
    struct al_zcl_ota_client ota;
    struct zb_engine engine;
    uint8_t *page;
    uint8_t install_key[AL_KEY_SIZE];
    struct al_zota_client_config config;
    unsigned tries_left;
    uint64_t steer_at, end_at, began, first_block, complete_at, shown_at;
    bool joined, started, finished, ended, has_install_key;
    uint16_t addr;
    uint32_t retries, version;
    char reason[300];
};

/* ---- Reasons ---- */

static void give_up(struct client *c, const char *reason)
{
    snprintf(c->reason, sizeof c->reason, "%s", reason);
    c->ended = true;
}

static const char *status_name(uint8_t status)
{
    switch (status) {
    case AL_ZOTA_NOT_AUTHORIZED:
        return "NOT_AUTHORIZED";
    case AL_ZOTA_ABORT:
        return "ABORT";
    case AL_ZOTA_INVALID_IMAGE:
        return "INVALID_IMAGE";
    case AL_ZOTA_NO_IMAGE_AVAILABLE:
        return "NO_IMAGE_AVAILABLE";
    case AL_ZCL_MALFORMED:
        return "MALFORMED_COMMAND";
    case AL_ZCL_INSUFFICIENT_SPACE:
        return "INSUFFICIENT_SPACE";
    default:
        return "";
    }
}

static void gave_up(struct client *c, const struct al_zota_client_event *e)
{
    snprintf(c->reason, sizeof c->reason, "%s%s%s%s%s, at byte %u", al_zota_reason_name(e->reason),
             e->status ? ": status " : "", e->status ? status_name(e->status) : "",
             c->image.error[0] ? ": " : "", c->image.error, e->offset);
    cli_warn("no upgrade: %s", c->reason);
    switch (e->reason) {
    case AL_ZOTA_REASON_NO_IMAGE: /* it may come */
    case AL_ZOTA_REASON_NO_SERVER:
    case AL_ZOTA_REASON_SAME_VERSION:
    case AL_ZOTA_REASON_UNANSWERED:
    case AL_ZOTA_REASON_STOPPED:
        break;
    default:
        c->ended = !cli_value(c->a, "--exit-after") ||
                   strcmp(cli_value(c->a, "--exit-after"), "never") != 0;
        break;
    }
}

static bool ends_after(const struct client *c, const char *what)
{
    const char *wanted = cli_value(c->a, "--exit-after");
    return strcmp(wanted ? wanted : "finish", what) == 0;
}

/* ---- The OTA client ---- */

static void finish(struct client *c, uint64_t now)
{
    struct al_zota_progress none = {0};
    uint64_t linger = 0;
    bool ok = true;
    c->version = c->ota.engine.file.id.file_version;
    c->ota.engine.config.file_version = c->version; /* the new program runs */
    client_image_save(&c->image, &none);
    c->finished = true;
    al_zdo_announce(&c->loop.zb.node.zdo, now);
    linger = cli_number(c->a, "--linger", 0, 1u << 30, &ok);
    if (ends_after(c, "finish") && now + LEAVING_US + linger * SECOND < c->end_at)
        c->end_at = now + LEAVING_US + linger * SECOND;
}

static void progress(struct client *c, uint32_t offset, uint64_t now)
{
    uint32_t size = c->ota.engine.file.size;
    double seconds = (double)(now - c->first_block) / 1e6;
    if (now < c->shown_at + SECOND || !size) return;
    c->shown_at = now;
    cli_warn("%.1f %%, %u of %u bytes, %.0f bytes/s", 100.0 * offset / size, offset, size,
             seconds > 0 ? c->image.bytes / seconds : 0);
}

static void ota_event(void *ctx, const struct al_zota_client_event *e)
{
    struct client *c = ctx;
    uint64_t now = zb_loop_now(&c->loop);
    switch (e->kind) {
    case AL_ZOTA_CLIENT_OFFER:
        cli_warn("offered: version 0x%08x, %u bytes", e->file->id.file_version, e->file->size);
        break;
    case AL_ZOTA_CLIENT_START:
        c->first_block = now;
        if (e->offset) cli_warn("goes on at byte %u", e->offset);
        break;
    case AL_ZOTA_CLIENT_BLOCK:
        progress(c, e->offset, now);
        break;
    case AL_ZOTA_CLIENT_RETRY:
        c->retries++;
        break;
    case AL_ZOTA_CLIENT_COMPLETE:
        c->complete_at = now;
        break;
    case AL_ZOTA_CLIENT_END_SENT:
        if (c->image.complete && ends_after(c, "download") && now + LEAVING_US < c->end_at)
            c->end_at = now + LEAVING_US;
        break;
    case AL_ZOTA_CLIENT_FINISH:
        finish(c, now);
        break;
    case AL_ZOTA_CLIENT_GAVE_UP:
        gave_up(c, e);
        break;
    default:
        break;
    }
}

static uint8_t offer(void *ctx, const struct al_zota_file *file, bool reinstall, uint32_t *offset)
{
    return client_image_offer(&((struct client *)ctx)->image, file, reinstall, offset);
}

static int data(void *ctx, uint32_t offset, const uint8_t *bytes, size_t len)
{
    return client_image_data(&((struct client *)ctx)->image, offset, bytes, len);
}

static int check(void *ctx, const struct al_zota_file *file)
{
    struct client *c = ctx;
    int status = client_image_check(&c->image, file);
    if (status) cli_warn("the file is not taken: %s", c->image.error);
    return status;
}

static void save(void *ctx, const struct al_zota_progress *p)
{
    client_image_save(&((struct client *)ctx)->image, p);
}

static uint64_t ota_next(void *ctx)
{
    return al_zcl_ota_client_next(ctx);
}

static void ota_run(void *ctx, uint64_t now)
{
    al_zcl_ota_client_run(ctx, now);
}

/* ---- The network ---- */

static void member(struct client *c, uint64_t now)
{
    struct al_zota_progress saved;
    c->joined = true;
    c->addr = c->loop.zb.node.nwk.addr;
    cli_warn("member of the network as 0x%04x", c->addr);
    if (!c->started) {
        client_image_load(&c->image, &saved);
        al_zota_client_start(al_zcl_ota_client_at(&c->ota, now), now, saved.magic ? &saved : NULL);
    }
    c->started = true;
    if (ends_after(c, "join")) {
        c->finished = true;
        c->end_at = now + LEAVING_US;
    }
}

static void not_joined(struct client *c, uint64_t now, enum al_zb_status status)
{
    snprintf(c->reason, sizeof c->reason, "not joined: %s%s", al_zb_status_name(status),
             status == AL_ZB_NO_NETWORK ? ", no network lets devices join"
             : status == AL_ZB_SECURITY ? ", the network key could not be read: another install "
                                          "code, or none"
             : status == AL_ZB_DENIED   ? ", this network refuses it"
                                        : "");
    cli_warn("%s", c->reason);
    if (--c->tries_left == 0)
        c->ended = true;
    else
        c->steer_at = now + STEER_PAUSE;
}

static void node_event(void *ctx, uint64_t now, const struct al_bdb_event_args *a)
{
    struct client *c = ctx;
    if (a->event == AL_BDB_INITIALISED || a->event == AL_BDB_STEERED) {
        if (a->status == AL_ZB_OK)
            member(c, now);
        else if (a->event == AL_BDB_INITIALISED)
            c->steer_at = now;
        else
            not_joined(c, now, a->status);
    } else if (a->event == AL_BDB_REJOINED) {
        c->addr = c->loop.zb.node.nwk.addr;
    } else if (a->event == AL_BDB_LEFT && !a->value && c->joined) {
        give_up(c, "the network has removed this device");
    }
}

static void steer_when_due(struct client *c, uint64_t now)
{
    if (now < c->steer_at) return;
    c->steer_at = UINT64_MAX;
    if (c->has_install_key)
        al_trust_add_install_key(&c->loop.zb.node.trust, AL_APS_ANY_PARTNER, c->install_key);
    al_bdb_steer(&c->loop.zb.node.bdb, now);
}

/* ---- Options ---- */

static int read_install_code(struct client *c)
{
    const char *text = cli_value(c->a, "--install-code");
    uint8_t code[AL_INSTALL_CODE_MAX];
    if (!text) return CLI_OK;
    int len = al_install_code_parse(text, code);
    if (len < 0)
        return cli_usage(c->a, "--install-code: %s",
                         len == AL_ERR_INVALID_CRC
                             ? "its CRC is wrong: a digit is mistyped"
                             : "6, 8, 12 or 16 octets and 2 of CRC are needed, "
                               "in hexadecimal digits");
    struct aes_openssl *aes = aes_openssl_new();
    if (!aes) return cli_fail("not enough memory");
    al_install_code_key(aes_openssl_aes(aes), code, (size_t)len, c->install_key);
    aes_openssl_free(aes);
    c->has_install_key = true;
    return CLI_OK;
}

static int read_options(struct client *c)
{
    const struct cli_args *a = c->a;
    struct al_zota_client_config *o = &c->config;
    bool ok = true;
    if (zigbee_radio_option(a)) return CLI_USAGE;
    if (!cli_value(a, "--out")) return cli_usage(a, "--out is needed: where the file goes");
    c->image = (struct client_image){
        .out = cli_value(a, "--out"), .fd = -1, .lenient = cli_has(a, "--lenient")};
    o->manufacturer = (uint16_t)cli_number(a, "--manufacturer", 0x131b, 0xffff, &ok);
    o->image_type = (uint16_t)cli_number(a, "--image-type", 0x1011, 0xfffe, &ok);
    o->file_version = (uint32_t)cli_number(a, "--version", 1, UINT32_MAX - 1, &ok);
    o->has_hardware_version = cli_value(a, "--hw-version") != NULL;
    o->hardware_version = (uint16_t)cli_number(a, "--hw-version", 0, 0xffff, &ok);
    o->max_data_size = (uint8_t)cli_number(a, "--max-block", 0, 223, &ok);
    o->page_size = (uint16_t)cli_number(a, "--page-size", 0, 0xffff, &ok);
    o->query_interval = (uint32_t)cli_number(a, "--query-interval", 300, 1u << 30, &ok);
    o->start_delay = o->resume_delay = 1000;
    c->version = o->file_version;
    c->tries_left = (unsigned)cli_number(a, "--join-tries", 10, 1u << 20, &ok);
    if (!c->tries_left) c->tries_left = 1;
    uint64_t seconds = cli_number(a, "--for", 0, 1u << 30, &ok);
    c->end_at = seconds ? seconds * SECOND : UINT64_MAX;
    c->steer_at = UINT64_MAX;
    if (!ok) return CLI_USAGE;
    int status = cli_check_writable(c->image.out);
    return status ? status : read_install_code(c);
}

/* ---- Commands ---- */

static cJSON *on_command(void *ctx, const cJSON *command)
{
    struct client *c = ctx;
    const struct al_zota_client *o = &c->ota.engine;
    uint64_t now = zb_loop_now(&c->loop);
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(command, "command"));
    const char *error = NULL;
    cJSON *out = cJSON_CreateObject();
    if (name && strcmp(name, "query") == 0) {
        if (al_zota_client_query(al_zcl_ota_client_at(&c->ota, now), now))
            error = "busy, or not a member of a network";
    } else if (name && strcmp(name, "leave") == 0) {
        if (al_bdb_leave(&c->loop.zb.node.bdb, now)) error = "not a member of a network";
    } else if (!name || strcmp(name, "status") != 0) {
        error = "commands: status, query, leave";
    }
    cJSON_AddBoolToObject(out, "ok", !error);
    if (error) cJSON_AddStringToObject(out, "error", error);
    cJSON_AddBoolToObject(out, "joined", c->joined);
    cJSON_AddNumberToObject(out, "addr", c->loop.zb.node.nwk.addr);
    cJSON_AddStringToObject(out, "state", al_zota_client_state_name(o->state));
    cJSON_AddNumberToObject(out, "offset", o->offset);
    cJSON_AddNumberToObject(out, "version", c->version);
    return out;
}

/* ---- Running ---- */

static int add_endpoint(struct client *c)
{
    const struct cli_args *a = c->a;
    struct zb_node *zb = &c->loop.zb;
    bool sleepy = zb->node.c.rx_off;
    struct al_zota_client_app app = {c, offer, data, check, save, ota_event};
    c->endpoint =
        (struct al_zcl_endpoint){.id = 1, .profile = HA_PROFILE, .device_id = ON_OFF_LIGHT};
    al_zcl_basic_init(
        &c->basic,
        &(struct al_zcl_basic_config){
            .manufacturer = cli_value(a, "--maker") ? cli_value(a, "--maker") : "Airlift",
            .model = cli_value(a, "--model") ? cli_value(a, "--model") : "virtual device",
            .software_build = cli_value(a, "--build") ? cli_value(a, "--build") : AIRLIFT_VERSION,
            .power_source = sleepy ? AL_ZCL_POWER_BATTERY : AL_ZCL_POWER_MAINS});
    int err = al_zcl_add_cluster(&c->endpoint, &c->basic.cluster);
    if (c->config.page_size) {
        c->page = malloc(AL_ZOTA_PAGE_BUFFER(c->config.page_size));
        if (!c->page) return AL_ERR_NO_MEM;
        c->config.page_buffer = c->page;
    }
    c->config.ext_addr = zb->node.c.ext;
    if (!err)
        err = al_zcl_ota_client_init(&c->ota, &zb->node.zcl, &zb->node.zdo, &c->endpoint,
                                     (struct al_zb_random){zb, zb_node_random}, &c->config, &app);
    if (!err) err = al_zcl_add_endpoint(&zb->node.zcl, &c->endpoint);
    c->engine = (struct zb_engine){&c->ota, ota_next, ota_run, NULL};
    zb_node_add_engine(zb, &c->engine);
    return err;
}

static int open_all(struct client *c)
{
    const struct cli_args *a = c->a;
    char error[400];
    const char *role = cli_value(a, "--role"), *state = cli_value(a, "--state");
    bool ok = true, router = role && strcmp(role, "router") == 0,
         sleepy = role && strcmp(role, "sleepy") == 0;
    struct al_node_config node = {
        .ext = zigbee_eui_option(a, "--eui64", &ok),
        .role = router ? AL_NWK_ROLE_ROUTER : AL_NWK_ROLE_END_DEVICE,
        .rx_off = sleepy,
        .mains = !sleepy,
        .timeout_index = 8,
        .manufacturer = c->config.manufacturer,
        .long_poll_ms = (uint32_t)cli_number(a, "--long-poll", 0, 3600000, &ok),
        .primary_channels = AL_BDB_ALL_CHANNELS,
        .sizes = router ? al_node_sizes_router : al_node_sizes_end_device,
        .ctx = c,
        .event = node_event,
    };
    if (!ok) return CLI_USAGE;
    if (state && !(c->state = zb_file_open(state, error, sizeof error)))
        return cli_fail("%s", error);
    if (c->state) node.store = c->image.store = zb_file_store(c->state);
    struct zigbee_control_config control = {cli_value(a, "--control"), false, -1, c, on_command};
    c->control = zigbee_control_open(&control, error, sizeof error);
    if (!c->control || zb_loop_open(&c->loop, cli_value(a, "--radio"), role ? role : "end-device",
                                    &node, error, sizeof error))
        return cli_fail("%s", error);
    if (add_endpoint(c)) return cli_fail("not enough memory");
    return CLI_OK;
}

static int run(struct client *c)
{
    uint64_t now = zb_loop_now(&c->loop);
    c->began = now;
    if (c->end_at != UINT64_MAX) c->end_at += now;
    al_bdb_initialise(&c->loop.zb.node.bdb, now);
    while (zigbee_control_serve(c->control, NULL)) {
        now = zb_loop_now(&c->loop);
        steer_when_due(c, now);
        if (c->ended || now >= c->end_at) break;
        uint64_t until = c->steer_at < c->end_at ? c->steer_at : c->end_at;
        if (zb_loop_wait(&c->loop, until, zigbee_control_fd(c->control)))
            give_up(c, radio_error(c->loop.radio));
    }
    if (c->finished || (c->image.complete && ends_after(c, "download"))) return CLI_OK;
    if (!c->reason[0]) give_up(c, "ended before an upgrade was complete");
    return cli_fail("%s", c->reason);
}

/* ---- The result ---- */

static void add_sha256(cJSON *doc, const char *path)
{
    uint8_t *bytes, digest[32];
    char hex[65];
    size_t len;
    if (cli_read_file(path, SIZE_MAX / 2, &bytes, &len)) return;
    crypto_digest(AL_SHA256, bytes, len, digest);
    crypto_hex(digest, sizeof digest, hex);
    cJSON_AddStringToObject(doc, "sha256", hex);
    free(bytes);
}

static void report(struct client *c, int status)
{
    cJSON *doc = cJSON_CreateObject();
    double seconds = c->complete_at ? (double)(c->complete_at - c->first_block) / 1e6 : 0;
    char eui[ZIGBEE_EUI_TEXT];
    zigbee_eui_text(c->loop.zb.node.c.ext, eui);
    cJSON_AddBoolToObject(doc, "ok", status == CLI_OK);
    cJSON_AddStringToObject(doc, "device", eui);
    cJSON_AddBoolToObject(doc, "joined", c->joined);
    if (c->joined) cJSON_AddNumberToObject(doc, "addr", c->addr);
    cJSON_AddBoolToObject(doc, "complete", c->image.complete);
    cJSON_AddNumberToObject(doc, "version", c->version);
    cJSON_AddNumberToObject(doc, "resumed_at", c->image.resumed);
    cJSON_AddNumberToObject(doc, "bytes", c->image.bytes);
    cJSON_AddNumberToObject(doc, "seconds", seconds);
    cJSON_AddNumberToObject(doc, "rate", seconds > 0 ? (int)(c->image.bytes / seconds) : 0);
    cJSON_AddNumberToObject(doc, "retries", c->retries);
    if (status != CLI_OK) cJSON_AddStringToObject(doc, "reason", c->reason);
    if (c->image.complete) add_sha256(doc, c->image.out);
    if (cli_json_wanted(c->a))
        cli_print_json(doc);
    else
        cJSON_Delete(doc);
    if (status == CLI_OK && c->image.complete && !cli_json_wanted(c->a))
        cli_print("%s: %u bytes, version 0x%08x\n", c->image.out, c->ota.engine.file.size,
                  c->version);
}

int zigbee_client_run(const struct cli_args *a)
{
    struct client c = {.a = a};
    int status = read_options(&c);
    if (status == CLI_OK) status = open_all(&c);
    if (status == CLI_OK) {
        status = run(&c);
        report(&c, status);
    }
    if (c.loop.open) zb_loop_close(&c.loop);
    client_image_close(&c.image);
    zb_file_close(c.state);
    zigbee_control_close(c.control);
    free(c.page);
    return status;
}
