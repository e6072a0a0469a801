#include "tests/support/zota_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint8_t on_offer(void *ctx, const struct al_zota_file *file, bool reinstall,
                        uint32_t *offset)
{
    struct client_bench *b = ctx;
    assert_int_equal(file->size, b->client.file.size);
    b->reinstall = reinstall;
    if (b->offer_put != UINT32_MAX) *offset = b->offer_put;
    b->got = *offset;
    return b->offer_answer;
}

static int on_data(void *ctx, uint32_t offset, const uint8_t *data, size_t len)
{
    struct client_bench *b = ctx;
    assert_int_equal(offset, b->got);
    assert_memory_equal(data, b->image + offset, len);
    if (b->data_answer < 0) return b->data_answer;
    b->got += (uint32_t)len;
    return 0;
}

static int on_check(void *ctx, const struct al_zota_file *file)
{
    struct client_bench *b = ctx;
    assert_int_equal(b->got, file->size);
    b->checks++;
    return b->check_answer;
}

static void on_save(void *ctx, const struct al_zota_progress *p)
{
    struct client_bench *b = ctx;
    b->saved = *p;
    b->saves++;
}

static void on_event(void *ctx, const struct al_zota_client_event *e)
{
    struct client_bench *b = ctx;
    b->events[e->kind]++;
    b->last[e->kind] = *e;
}

struct al_zota_client_config client_bench_config(void)
{
    return (struct al_zota_client_config){
        .endpoint = 10,
        .ext_addr = 0x744dbdfffe60aa02,
        .manufacturer = 0x131b,
        .image_type = 0x0001,
        .file_version = 1,
        .stack_version = 2,
        .query_interval = UINT32_MAX,
    };
}

void client_bench_init(struct client_bench *b, const struct al_zota_client_config *config)
{
    *b = (struct client_bench){
        .now = S(1000),
        .server = {0x0000, 5},
        .file = {{0x131b, 0x0001, 2}, 1000, false},
        .offer_put = UINT32_MAX,
    };
    for (size_t i = 0; i < sizeof b->image; i++) b->image[i] = (uint8_t)(i * 7 + i / 251);
    zota_wire_init(&b->wire);
    struct al_zota_client_app app = {b, on_offer, on_data, on_check, on_save, on_event};
    al_zota_client_init(&b->client, config, &app, &b->wire.transport);
    al_zota_client_set_server(&b->client, b->now, b->server, 0x1122334455667788);
}

void client_bench_receive_from(struct client_bench *b, struct al_zota_peer from, bool broadcast,
                               const struct al_zota_frame *f)
{
    uint8_t zcl[300];
    size_t n = zota_frame_bytes(zcl, sizeof zcl, ++b->seq, true, f);
    struct al_zota_received rx = {from, 10, broadcast, zcl, n};
    assert_int_equal(al_zota_client_receive(&b->client, b->now, &rx), 0);
}

void client_bench_receive(struct client_bench *b, const struct al_zota_frame *f)
{
    client_bench_receive_from(b, b->server, false, f);
}

void client_bench_default(struct client_bench *b, uint8_t command, uint8_t status)
{
    uint8_t zcl[8];
    size_t n = zota_default_bytes(zcl, sizeof zcl, ++b->seq, true, command, status);
    struct al_zota_received rx = {b->server, 10, false, zcl, n};
    assert_int_equal(al_zota_client_receive(&b->client, b->now, &rx), 0);
}

uint64_t client_bench_wait(struct client_bench *b)
{
    uint64_t next = al_zota_client_next(&b->client);
    assert_int_not_equal(next, UINT64_MAX);
    assert_true(next >= b->now);
    uint64_t span = next - b->now;
    b->now = next;
    al_zota_client_run(&b->client, b->now);
    return span;
}

void client_bench_offer(struct client_bench *b)
{
    struct al_zota_frame f = {
        .command =
            b->file.device_specific ? AL_ZOTA_SPECIFIC_FILE_RSP : AL_ZOTA_QUERY_NEXT_IMAGE_RSP,
        .u.query_next_image_rsp = {AL_ZOTA_SUCCESS, b->file.id, b->file.size},
    };
    client_bench_receive(b, &f);
}

struct al_zota_frame client_bench_block(const struct client_bench *b, uint32_t offset, uint8_t n)
{
    return (struct al_zota_frame){
        .command = AL_ZOTA_IMAGE_BLOCK_RSP,
        .u.image_block_rsp = {.status = AL_ZOTA_SUCCESS,
                              .id = b->file.id,
                              .file_offset = offset,
                              .data_size = n,
                              .data = b->image + offset},
    };
}

void client_bench_send_block(struct client_bench *b, uint32_t offset, uint8_t n)
{
    struct al_zota_frame f = client_bench_block(b, offset, n);
    client_bench_receive(b, &f);
}

struct al_zota_frame client_bench_hold(uint32_t current, uint32_t request, int period)
{
    return (struct al_zota_frame){
        .command = AL_ZOTA_IMAGE_BLOCK_RSP,
        .u.image_block_rsp = {.status = AL_ZOTA_WAIT_FOR_DATA,
                              .current_time = current,
                              .request_time = request,
                              .has_min_block_period = period >= 0,
                              .min_block_period = (uint16_t)(period < 0 ? 0 : period)},
    };
}

void client_bench_start(struct client_bench *b)
{
    assert_int_equal(al_zota_client_query(&b->client, b->now), 0);
    zota_wire_only(&b->wire, AL_ZOTA_QUERY_NEXT_IMAGE_REQ);
    client_bench_offer(b);
}

void client_bench_download(struct client_bench *b)
{
    while (b->client.state == AL_ZOTA_CLIENT_DOWNLOADING) {
        const struct zota_sent *s = zota_wire_only(&b->wire, AL_ZOTA_IMAGE_BLOCK_REQ);
        const struct al_zota_image_block_req *r = &s->frame.u.image_block_req;
        uint32_t left = b->file.size - r->file_offset;
        uint8_t n = left < r->max_data_size ? (uint8_t)left : r->max_data_size;
        client_bench_send_block(b, r->file_offset, n);
    }
}

struct al_zota_frame client_bench_order(const struct client_bench *b, uint32_t current,
                                        uint32_t upgrade)
{
    return (struct al_zota_frame){
        .command = AL_ZOTA_UPGRADE_END_RSP,
        .u.upgrade_end_rsp = {b->file.id, current, upgrade},
    };
}
