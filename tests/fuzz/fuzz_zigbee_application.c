/* Any messages and times into ZDO, ZCL and the OTA cluster of a node: what is written
 * stays within its place, and nothing runs for ever. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "zigbee/zcl_basic.h"
#include "zigbee/zcl_ota.h"

#define PLACE 12u /* of the string that may be written */

/* The node: layers below are there, but in no network, so that nothing leaves. */
static struct al_nwk nwk;
static struct al_aps aps;
static struct al_zcl zcl;
static struct al_zdo zdo;
static struct al_mac mac;

static struct al_zcl_endpoint endpoint;
static struct al_zcl_basic basic;
static struct al_zcl_ota_client client;
static struct al_zcl_ota_server server;
static struct al_zota_session sessions[2];

/* In one block with a guard behind it. */
static struct {
    uint8_t text[PLACE], guard[4], number[2], guard2[4];
} values;
static const struct al_zcl_attribute attributes[] = {
    {.id = 1,
     .type = AL_ZCL_STRING,
     .access = AL_ZCL_MAY_READ | AL_ZCL_MAY_WRITE,
     .size = PLACE,
     .value = values.text},
    {.id = 2,
     .type = AL_ZCL_UINT16,
     .access = AL_ZCL_MAY_READ | AL_ZCL_MAY_WRITE | AL_ZCL_MAY_REPORT,
     .value = values.number},
};
static struct al_zcl_cluster plain;

static uint32_t next_random(void *ctx)
{
    static uint32_t r;
    return r = r * 1664525 + 1013904223;
}

static uint8_t offer(void *ctx, const struct al_zota_file *file, bool reinstall, uint32_t *offset)
{
    return AL_ZOTA_SUCCESS;
}

static int data(void *ctx, uint32_t offset, const uint8_t *bytes, size_t len)
{
    if (offset > UINT32_MAX - len) abort();
    return 0;
}

static int check(void *ctx, const struct al_zota_file *file)
{
    return AL_ZOTA_SUCCESS;
}

static int find(void *ctx, const struct al_zota_wanted *wanted, struct al_zota_image *image)
{
    *image = (struct al_zota_image){.id = wanted->id, .size = 1000};
    return 0;
}

static int get(void *ctx, struct al_zota_peer peer, const struct al_zota_id *id,
               struct al_zota_image *image)
{
    *image = (struct al_zota_image){.id = *id, .size = 1000};
    return 0;
}

static int read_image(void *ctx, struct al_zota_peer peer, const struct al_zota_image *image,
                      uint32_t offset, void *buf, size_t len)
{
    if (offset >= 1000 || len > 1000 - offset) abort();
    memset(buf, 0, len);
    return (int)len;
}

static int answered(void *ctx, uint64_t now, const struct al_zcl_rx *rx)
{
    return al_zcl_respond(rx, now, 0x80, rx->frame->payload, rx->frame->payload_len)
               ? AL_ZCL_FAILURE
               : AL_ZCL_ANSWERED;
}

static void sent(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    if (!al_zdo_sent(&zdo, now, handle, status) && !al_zcl_sent(&zcl, now, handle, status)) abort();
}

static void build_layers(void)
{
    static const struct al_aps_up up = {.sent = sent};
    static struct al_nwk_neighbour neighbours[4];
    static struct al_nwk_address addresses[4];
    static struct al_aps_tx tx[4];
    static uint8_t bytes[4 * 256];
    static struct al_zcl_request requests[2];
    static struct al_zcl_report reports[2];
    static struct al_zdo_request questions[2];
    static struct al_zdp_binding bindings[2];
    memset(&nwk, 0, sizeof nwk);
    nwk.c = (struct al_nwk_config){.mac = &mac,
                                   .random = {NULL, next_random},
                                   .role = AL_NWK_ROLE_ROUTER,
                                   .neighbours = neighbours,
                                   .neighbour_count = 4,
                                   .addresses = addresses,
                                   .address_count = 4};
    nwk.ext = 1;
    nwk.addr = 0x1234;
    neighbours[0] = (struct al_nwk_neighbour){
        .ext = 5, .addr = 0x0005, .relation = AL_NWK_CHILD, .role = AL_NWK_ROLE_END_DEVICE};
    al_aps_init(
        &aps,
        &(struct al_aps_config){
            .nwk = &nwk, .up = &up, .tx = tx, .tx_count = 4, .asdu_size = 256, .bytes = bytes});
    al_zcl_init(&zcl, &(struct al_zcl_config){.aps = &aps,
                                              .requests = requests,
                                              .request_count = 2,
                                              .reports = reports,
                                              .report_count = 2,
                                              .bindings = bindings,
                                              .binding_count = 2});
    al_zdo_init(&zdo, &(struct al_zdo_config){.aps = &aps,
                                              .nwk = &nwk,
                                              .zcl = &zcl,
                                              .requests = questions,
                                              .request_count = 2,
                                              .bindings = bindings,
                                              .binding_count = 2});
}

static void build(void)
{
    const struct al_zb_random random = {NULL, next_random};
    build_layers();
    memset(&values, 0, sizeof values);
    endpoint = (struct al_zcl_endpoint){.id = 1, .profile = AL_PROFILE_HA};
    plain = (struct al_zcl_cluster){.id = 6,
                                    .revision = 1,
                                    .attributes = attributes,
                                    .attribute_count = 2,
                                    .command = answered};
    al_zcl_basic_init(&basic, &(struct al_zcl_basic_config){.model = "model"});
    al_zcl_add_cluster(&endpoint, &basic.cluster);
    al_zcl_add_cluster(&endpoint, &plain);
    al_zcl_ota_client_init(
        &client, &zcl, &zdo, &endpoint, random,
        &(struct al_zota_client_config){.manufacturer = 1, .image_type = 2, .file_version = 3},
        &(struct al_zota_client_app){.offer = offer, .data = data, .check = check});
    al_zcl_ota_server_init(
        &server, &zcl, &endpoint, random, &(struct al_zota_server_config){0},
        &(struct al_zota_server_app){.find = find, .get = get, .read = read_image}, sessions, 2);
    al_zcl_add_endpoint(&zcl, &endpoint);
    al_zota_client_start(al_zcl_ota_client_at(&client, 0), 0, NULL);
}

static uint64_t next(void)
{
    uint64_t at[] = {al_zcl_next(&zcl), al_zdo_next(&zdo), al_zcl_ota_client_next(&client),
                     al_zcl_ota_server_next(&server), al_aps_next(&aps)};
    uint64_t first = UINT64_MAX;
    for (unsigned i = 0; i < sizeof at / sizeof *at; i++) first = at[i] < first ? at[i] : first;
    return first;
}

static void run(uint64_t now)
{
    for (unsigned turns = 0; next() <= now; turns++) {
        if (turns > 1000) abort();
        al_zcl_run(&zcl, now);
        al_zdo_run(&zdo, now);
        al_zcl_ota_client_run(&client, now);
        al_zcl_ota_server_run(&server, now);
        al_aps_run(&aps, now);
    }
}

static void message(struct al_cur *c, uint64_t now, uint8_t what, uint8_t len)
{
    static const uint16_t clusters[] = {0x0000, 0x0006, AL_ZOTA_CLUSTER, 0x0500};
    struct al_aps_data_ind ind = {.src = (what & 16) ? 0x0000 : 0x2222,
                                  .dst = 0x1234,
                                  .src_ep = 1,
                                  .dst_ep = 1,
                                  .profile = AL_PROFILE_HA,
                                  .cluster = clusters[what >> 1 & 3],
                                  .broadcast = what & 8};
    size_t left = c->len - c->pos;
    size_t n = len < left ? len : left;
    uint8_t *asdu = malloc(n + 1); /* a sanitizer sees a read behind its end */
    al_bytes(c, asdu, n);
    ind.asdu = asdu;
    ind.len = n;
    if (what & 1) {
        ind.profile = AL_PROFILE_ZDP;
        ind.src_ep = ind.dst_ep = 0;
        ind.cluster = (uint16_t)((what >> 1 & 0x3f) | (what & 128 ? AL_ZDP_RESPONSE : 0));
        al_zdo_data(&zdo, now, &ind);
    } else {
        al_zcl_data(&zcl, now, &ind);
    }
    free(asdu);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    struct al_cur c = al_cur(input, len);
    uint64_t now = 1000;
    build();
    for (;;) {
        uint8_t what = al_u8(&c), size = al_u8(&c);
        if (c.failed) break;
        if (what & 64 && !(what & 1))
            now += (uint64_t)size << (what >> 1 & 31) % 24;
        else
            message(&c, now, what, size);
        run(now);
    }
    for (unsigned i = 0; i < 4; i++)
        if (values.guard[i] || values.guard2[i]) abort();
    return 0;
}
