#include "tests/support/zota_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"

enum { ENDPOINT = 10, SERVER_ENDPOINT = 5 };

static int on_find(void *ctx, const struct al_zota_wanted *wanted, struct al_zota_image *image)
{
    struct server_bench *b = ctx;
    b->wanted = *wanted;
    *image = b->file;
    return b->find_answer;
}

static int on_get(void *ctx, struct al_zota_peer peer, const struct al_zota_id *id,
                  struct al_zota_image *image)
{
    struct server_bench *b = ctx;
    if (memcmp(id, &b->file.id, sizeof *id) != 0) return AL_ERR_NOT_FOUND;
    *image = b->file;
    return 0;
}

static int on_read(void *ctx, struct al_zota_peer peer, const struct al_zota_image *image,
                   uint32_t offset, void *buf, size_t len)
{
    struct server_bench *b = ctx;
    assert_true(image->ref == 77);
    assert_true(len > 0 && offset + len <= b->file.size);
    if (b->read_answer < 0) return b->read_answer;
    if (b->read_most && len > b->read_most) len = b->read_most;
    memcpy(buf, b->image + offset, len);
    return (int)len;
}

static void on_end(void *ctx, const struct al_zota_session *session, struct al_zota_order *order)
{
    struct server_bench *b = ctx;
    if (session->record.released) return;
    assert_int_equal(order->current_time | order->upgrade_time, 0);
    *order = b->order;
}

static void on_device(void *ctx, struct al_zota_peer peer, struct al_zota_device *d)
{
    struct server_bench *b = ctx;
    *d = b->device;
}

static void on_save(void *ctx, const struct al_zota_session *session)
{
    struct server_bench *b = ctx;
    b->saved = session->record;
    b->saves++;
}

static void on_event(void *ctx, const struct al_zota_server_event *e)
{
    struct server_bench *b = ctx;
    b->events[e->kind]++;
    b->last[e->kind] = *e;
}

void server_bench_init(struct server_bench *b, const struct al_zota_server_config *config)
{
    *b = (struct server_bench){
        .now = S(1000),
        .file = {{0x131b, 0x0001, 2}, 5000, 77},
    };
    for (size_t i = 0; i < sizeof b->image; i++) b->image[i] = (uint8_t)(i * 7 + i / 251);
    zota_wire_init(&b->wire);
    struct al_zota_server_config c = config ? *config : (struct al_zota_server_config){0};
    c.endpoint = SERVER_ENDPOINT;
    struct al_zota_server_app app = {b,      on_find,   on_get,  on_read,
                                     on_end, on_device, on_save, on_event};
    al_zota_server_init(&b->server, &c, &app, &b->wire.transport, b->table, SERVER_BENCH_SESSIONS);
}

void server_bench_receive(struct server_bench *b, uint16_t addr, const struct al_zota_frame *f)
{
    uint8_t zcl[64];
    size_t n = zota_frame_bytes(zcl, sizeof zcl, ++b->seq, f->command == AL_ZOTA_IMAGE_PAGE_REQ, f);
    struct al_zota_received rx = {{addr, ENDPOINT}, SERVER_ENDPOINT, false, zcl, n};
    assert_int_equal(al_zota_server_receive(&b->server, b->now, &rx), 0);
}

void server_bench_query(struct server_bench *b, uint16_t addr, uint32_t version)
{
    struct al_zota_frame f = {.command = AL_ZOTA_QUERY_NEXT_IMAGE_REQ,
                              .u.query_next_image_req = {{0x131b, 0x0001, version}, true, 0x0203}};
    server_bench_receive(b, addr, &f);
}

struct al_zota_frame server_bench_block_req(const struct server_bench *b, uint32_t offset,
                                            uint8_t max)
{
    return (struct al_zota_frame){
        .command = AL_ZOTA_IMAGE_BLOCK_REQ,
        .u.image_block_req = {.id = b->file.id, .file_offset = offset, .max_data_size = max}};
}

void server_bench_ask(struct server_bench *b, uint16_t addr, uint32_t offset, uint8_t max)
{
    struct al_zota_frame f = server_bench_block_req(b, offset, max);
    server_bench_receive(b, addr, &f);
}

void server_bench_ask_page(struct server_bench *b, uint16_t addr, uint32_t offset, uint16_t size,
                           uint16_t spacing)
{
    struct al_zota_frame f = {.command = AL_ZOTA_IMAGE_PAGE_REQ,
                              .u.image_page_req = {.id = b->file.id,
                                                   .file_offset = offset,
                                                   .max_data_size = 64,
                                                   .page_size = size,
                                                   .response_spacing = spacing}};
    server_bench_receive(b, addr, &f);
}

void server_bench_end(struct server_bench *b, uint16_t addr, uint8_t status)
{
    struct al_zota_frame f = {.command = AL_ZOTA_UPGRADE_END_REQ,
                              .u.upgrade_end_req = {status, true, b->file.id}};
    server_bench_receive(b, addr, &f);
}

uint8_t server_bench_expect_block(struct server_bench *b, uint16_t addr, uint32_t offset)
{
    const struct zota_sent *s = zota_wire_only(&b->wire, AL_ZOTA_IMAGE_BLOCK_RSP);
    const struct al_zota_image_block_rsp *r = &s->frame.u.image_block_rsp;
    assert_int_equal(r->status, 0);
    assert_int_equal(s->how.to.addr, addr);
    assert_int_equal(s->how.to.endpoint, ENDPOINT);
    assert_int_equal(r->file_offset, offset);
    assert_int_equal(r->id.file_version, b->file.id.file_version);
    assert_memory_equal(r->data, b->image + offset, r->data_size);
    return r->data_size;
}

const struct al_zota_image_block_rsp *server_bench_expect_status(struct server_bench *b,
                                                                 uint8_t status)
{
    const struct zota_sent *s = zota_wire_only(&b->wire, AL_ZOTA_IMAGE_BLOCK_RSP);
    assert_int_equal(s->frame.u.image_block_rsp.status, status);
    return &s->frame.u.image_block_rsp;
}

struct al_zota_session *server_bench_session(struct server_bench *b, uint16_t addr)
{
    return al_zota_server_find(&b->server, addr, ENDPOINT);
}

uint64_t server_bench_wait(struct server_bench *b)
{
    uint64_t next = al_zota_server_next(&b->server);
    assert_int_not_equal(next, UINT64_MAX);
    uint64_t span = next > b->now ? next - b->now : 0;
    b->now += span;
    al_zota_server_run(&b->server, b->now);
    return span;
}
