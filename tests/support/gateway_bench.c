#include "tests/support/gateway_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "host/zigbee_file.h"
#include "zigbee/hash.h"
#include "zigbee/ota_file.h"

#define HA_PROFILE 0x0104u
#define TRIES      12

/* ---- The gateway ---- */

static void on_event(void *ctx, const struct gateway_event *e)
{
    struct bench *b = ctx;
    char *line = cJSON_PrintUnformatted(e->json);
    size_t len = strlen(line);
    if (getenv("BENCH_TRACE")) printf("%s\n", line);
    b->log = realloc(b->log, b->log_len + len + 2);
    memcpy(b->log + b->log_len, line, len);
    memcpy(b->log + b->log_len + len, "\n", 2);
    b->log_len += len + 1;
    free(line);
}

static unsigned minute(void *ctx)
{
    return ((struct bench *)ctx)->minute;
}

static void start_gateway(struct bench *b)
{
    struct al_node_config c = {0};
    b->gateway = gateway_new(&b->config);
    assert_non_null(b->gateway);
    gateway_node_config(b->gateway, &c);
    if (!b->node) {
        b->node = zb_sim_add(b->sim, &c, NULL);
        assert_non_null(b->node);
    } else {
        b->node->config.ctx = c.ctx;
        assert_int_equal(zb_sim_power_on(b->node), 0);
    }
    assert_int_equal(gateway_attach(b->gateway, &b->node->zb, zb_sim_now(b->sim)), 0);
    zb_sim_touch(b->node);
}

static bool is_formed(void *ctx)
{
    return bench_events(ctx, "formed", NULL, NULL) > 0;
}

struct bench *bench_new(const struct gateway_config *c, double loss)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->sim = zb_sim_new(&(struct medium_config){.seed = 7, .loss = loss});
    b->images = gateway_images_new();
    assert_true(b->sim && b->images);
    b->config = *c;
    b->config.devices = BENCH_DEVICES;
    b->config.images = b->images;
    b->config.ctx = b;
    b->config.event = on_event;
    b->config.minute = minute;
    start_gateway(b);
    bench_until(b, is_formed, b, "a network");
    bench_order(b, "{\"command\":\"permit\",\"seconds\":3600}");
    return b;
}

void bench_free(struct bench *b)
{
    if (!b) return;
    zb_sim_free(b->sim);
    gateway_free(b->gateway);
    gateway_images_free(b->images);
    free(b->log);
    free(b);
}

void bench_restart_gateway(struct bench *b)
{
    zb_sim_power_off(b->node);
    gateway_free(b->gateway);
    b->gateway = NULL;
    bench_run(b, 3 * BENCH_SECOND);
    start_gateway(b);
}

void bench_add_image(struct bench *b, const char *name, uint16_t manufacturer, uint16_t image_type,
                     uint32_t version, size_t len, const char *index)
{
    char why[400];
    struct al_zfile_header h = {.header_version = AL_ZFILE_HEADER_VERSION,
                                .manufacturer = manufacturer,
                                .image_type = image_type,
                                .file_version = version};
    uint16_t header = al_zfile_header_size(0);
    size_t total = header + AL_ZFILE_ELEMENT_HEADER + len;
    uint8_t *file = calloc(1, total);
    assert_true(file && total <= BENCH_FILE);
    h.total_image_size = (uint32_t)total;
    al_zfile_build_header(&h, file);
    al_put_le32(file + header + 2, (uint32_t)len);
    for (size_t i = 0; i < len; i++)
        file[header + AL_ZFILE_ELEMENT_HEADER + i] = (uint8_t)(i * 7 + i / 251 + version);
    cJSON *entry = index ? cJSON_Parse(index) : NULL;
    if (gateway_images_add(b->images, name, file, total, free, file, entry, why, sizeof why))
        fail_msg("%s: %s", name, why);
    cJSON_Delete(entry);
    gateway_images_changed(b->gateway, zb_sim_now(b->sim));
    zb_sim_touch(b->node);
}

/* ---- Devices ---- */

static uint8_t offer(void *ctx, const struct al_zota_file *file, bool reinstall, uint32_t *offset)
{
    struct bench_device *d = ctx;
    assert_true(file->size <= BENCH_FILE);
    if (!*offset) d->bytes = 0;
    d->size = file->size;
    d->started_at = zb_sim_now(d->bench->sim);
    return AL_ZCL_SUCCESS;
}

static int data(void *ctx, uint32_t offset, const uint8_t *bytes, size_t len)
{
    struct bench_device *d = ctx;
    unsigned downloading = 0;
    assert_true(offset + len <= d->size);
    memcpy(d->file + offset, bytes, len);
    d->bytes += (uint32_t)len;
    if (len > d->largest) d->largest = (uint8_t)len;
    for (unsigned i = 0; i < d->bench->count; i++)
        downloading += d->bench->devices[i].ota.engine.state == AL_ZOTA_CLIENT_DOWNLOADING &&
                       d->bench->devices[i].ota.engine.offset > 0;
    if (downloading > d->bench->most_at_once) d->bench->most_at_once = downloading;
    return 0;
}

static int check(void *ctx, const struct al_zota_file *file)
{
    return ((struct bench_device *)ctx)->c.rejects ? AL_ZCL_INVALID_IMAGE : AL_ZCL_SUCCESS;
}

static void ota_event(void *ctx, const struct al_zota_client_event *e)
{
    struct bench_device *d = ctx;
    uint64_t now = zb_sim_now(d->bench->sim);
    if (e->kind == AL_ZOTA_CLIENT_GAVE_UP) d->gave_up++;
    if (e->kind != AL_ZOTA_CLIENT_FINISH) return;
    d->finished++;
    d->ended_at = now;
    if (!d->c.stubborn) d->version = e->file->id.file_version;
    d->ota.engine.config.file_version = d->version;
    al_zdo_announce(&d->sim->zb.node.zdo, now);
}

static uint64_t ota_next(void *ctx)
{
    return al_zcl_ota_client_next(ctx);
}

static void ota_run(void *ctx, uint64_t now)
{
    al_zcl_ota_client_run(ctx, now);
}

static void node_event(void *ctx, uint64_t now, const struct al_bdb_event_args *a)
{
    struct bench_device *d = ctx;
    if (a->event != AL_BDB_STEERED) return;
    d->steered = true;
    d->status = a->status;
}

static bool ignore_notify(void *ctx, uint64_t now, const struct al_zcl_rx *rx)
{
    const struct bench_device *d = ctx;
    return d->c.deaf && rx->frame->cluster_specific && rx->aps->cluster == AL_ZOTA_CLUSTER &&
           rx->frame->command == AL_ZOTA_IMAGE_NOTIFY;
}

static const struct al_zcl_up zcl_up = {.frame = ignore_notify};

static void add_endpoint(struct bench_device *d)
{
    struct zb_node *zb = &d->sim->zb;
    d->endpoint = (struct al_zcl_endpoint){.id = 10, .profile = HA_PROFILE, .device_id = 0x100};
    al_zcl_basic_init(&d->basic,
                      &(struct al_zcl_basic_config){
                          .manufacturer = "Bench",
                          .model = d->c.model ? d->c.model : "lamp",
                          .software_build = "1.0",
                          .power_source = d->c.sleepy ? AL_ZCL_POWER_BATTERY : AL_ZCL_POWER_MAINS});
    assert_int_equal(al_zcl_add_cluster(&d->endpoint, &d->basic.cluster), 0);
    assert_int_equal(
        al_zcl_ota_client_init(
            &d->ota, &zb->node.zcl, &zb->node.zdo, &d->endpoint,
            (struct al_zb_random){zb, zb_node_random},
            &(struct al_zota_client_config){.ext_addr = zb->node.c.ext,
                                            .manufacturer = d->c.manufacturer,
                                            .image_type = d->c.image_type,
                                            .file_version = d->version,
                                            .has_hardware_version = d->c.has_hardware,
                                            .hardware_version = d->c.hardware,
                                            .query_interval = 1800,
                                            .start_delay = 3600000},
            &(struct al_zota_client_app){
                .ctx = d, .offer = offer, .data = data, .check = check, .event = ota_event}),
        0);
    assert_int_equal(al_zcl_add_endpoint(&zb->node.zcl, &d->endpoint), 0);
    d->engine = (struct zb_engine){&d->ota, ota_next, ota_run, NULL};
    zb_node_add_engine(zb, &d->engine);
}

struct bench_device *bench_add_outside(struct bench *b, const struct bench_device_config *c)
{
    assert_true(b->count < BENCH_DEVICES);
    struct bench_device *d = &b->devices[b->count++];
    *d = (struct bench_device){.bench = b, .c = *c};
    if (!d->c.manufacturer) d->c.manufacturer = 0x131b;
    if (!d->c.image_type) d->c.image_type = 0x1011;
    d->version = c->version ? c->version : 1;
    struct al_node_config node = {
        .role = c->router ? AL_NWK_ROLE_ROUTER : AL_NWK_ROLE_END_DEVICE,
        .rx_off = c->sleepy,
        .mains = !c->sleepy,
        .timeout_index = 8,
        .long_poll_ms = 2000,
        .manufacturer = d->c.manufacturer,
        .sizes = c->router ? al_node_sizes_router : al_node_sizes_end_device,
        .ctx = d,
        .event = node_event,
        .zcl_up = &zcl_up,
    };
    struct medium_node_config place = {.placed = c->x != 0, .x = c->x};
    d->sim = zb_sim_add(b->sim, &node, &place);
    assert_non_null(d->sim);
    add_endpoint(d);
    if (c->install_code) {
        uint8_t code[AL_INSTALL_CODE_MAX], key[AL_KEY_SIZE];
        int len = al_install_code_parse(c->install_code, code);
        assert_true(len > 0);
        al_install_code_key(d->sim->zb.node.c.aes, code, (size_t)len, key);
        al_trust_add_install_key(&d->sim->zb.node.trust, AL_APS_ANY_PARTNER, key);
    }
    return d;
}

static bool has_steered(void *ctx)
{
    return ((struct bench_device *)ctx)->steered;
}

enum al_zb_status bench_steer(struct bench_device *d)
{
    d->steered = false;
    assert_int_equal(al_bdb_steer(&d->sim->zb.node.bdb, zb_sim_now(d->bench->sim)), 0);
    zb_sim_touch(d->sim);
    bench_until(d->bench, has_steered, d, "the end of steering");
    return d->status;
}

struct bench_device *bench_add(struct bench *b, const struct bench_device_config *c)
{
    struct bench_device *d = bench_add_outside(b, c);
    int tries = 0;
    while (bench_steer(d) != AL_ZB_OK)
        if (++tries == TRIES) fail_msg("not joined: %s", al_zb_status_name(d->status));
    uint64_t now = zb_sim_now(b->sim);
    al_zota_client_start(al_zcl_ota_client_at(&d->ota, now), now, NULL);
    zb_sim_touch(d->sim);
    return d;
}

/* ---- Time ---- */

void bench_run(struct bench *b, uint64_t us)
{
    zb_sim_run(b->sim, us, NULL, NULL);
}

void bench_until(struct bench *b, bool (*until)(void *ctx), void *ctx, const char *what)
{
    if (!zb_sim_run(b->sim, 60 * BENCH_MINUTE, until, ctx))
        fail_msg("%s did not come within an hour; events:\n%s", what, b->log ? b->log : "");
}

static bool is_idle(void *ctx)
{
    return gateway_idle(((struct bench *)ctx)->gateway);
}

void bench_until_idle(struct bench *b)
{
    bench_run(b, 5 * BENCH_SECOND);
    bench_until(b, is_idle, b, "the end of all upgrades");
}

/* ---- Asking ---- */

static cJSON *command(struct bench *b, bool ok, const char *text)
{
    cJSON *in = cJSON_Parse(text);
    assert_non_null(in);
    cJSON *out = gateway_command(b->gateway, zb_sim_now(b->sim), in);
    cJSON_Delete(in);
    zb_sim_touch(b->node);
    if (cJSON_IsTrue(cJSON_GetObjectItem(out, "ok")) != ok)
        fail_msg("%s: %s", text, cJSON_PrintUnformatted(out));
    return out;
}

cJSON *bench_command(struct bench *b, bool ok, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return command(b, ok, text);
}

void bench_order(struct bench *b, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cJSON_Delete(command(b, true, text));
}

static void eui_of(const struct bench_device *d, char text[ZIGBEE_EUI_TEXT])
{
    zigbee_eui_text(d->sim->config.ext, text);
}

static const cJSON *device_of(struct bench *b, const struct bench_device *d, cJSON **answer)
{
    char eui[ZIGBEE_EUI_TEXT];
    const cJSON *item;
    eui_of(d, eui);
    *answer = bench_command(b, true, "{\"command\":\"devices\"}");
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(*answer, "devices"))
    {
        if (strcmp(cJSON_GetObjectItem(item, "device")->valuestring, eui) == 0) return item;
    }
    fail_msg("the gateway does not know %s", eui);
    return NULL;
}

const char *bench_says(struct bench *b, const struct bench_device *d, const char *key)
{
    static char text[300];
    cJSON *answer;
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItem(device_of(b, d, &answer), key));
    snprintf(text, sizeof text, "%s", value ? value : "");
    cJSON_Delete(answer);
    return text;
}

double bench_number(struct bench *b, const struct bench_device *d, const char *key)
{
    cJSON *answer;
    double value = cJSON_GetNumberValue(cJSON_GetObjectItem(device_of(b, d, &answer), key));
    cJSON_Delete(answer);
    return value;
}

unsigned bench_events(const struct bench *b, const char *kind, const struct bench_device *d,
                      const char *text)
{
    char eui[ZIGBEE_EUI_TEXT] = "", begin[60];
    unsigned count = 0;
    if (d) eui_of(d, eui);
    snprintf(begin, sizeof begin, "{\"event\":\"%s\",", kind);
    for (const char *line = b->log; line && *line;) {
        const char *end = strchr(line, '\n');
        size_t len = (size_t)(end - line);
        bool fits = strncmp(line, begin, strlen(begin)) == 0 &&
                    memmem(line, len, eui, strlen(eui)) &&
                    (!text || memmem(line, len, text, strlen(text)));
        count += fits;
        line = end + 1;
    }
    return count;
}

void bench_has(struct bench *b, const struct bench_device *d, const char *name)
{
    const struct gateway_image *image = NULL;
    uint8_t file[BENCH_FILE];
    for (size_t i = 0; i < gateway_images_count(b->images) && !image; i++)
        if (strcmp(gateway_images_at(b->images, i)->name, name) == 0)
            image = gateway_images_at(b->images, i);
    assert_non_null(image);
    uint32_t size = image->header.total_image_size;
    assert_int_equal(d->size, size);
    assert_int_equal(gateway_images_read(b->images, image->ref, 0, file, size), size);
    assert_memory_equal(d->file, file, size);
    assert_int_equal(d->bytes, size);
}
