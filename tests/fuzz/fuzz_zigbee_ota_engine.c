/* Any course of frames, confirmations, calls and times: the OTA client hands out each byte
 * once, in order and inside the file; the server reads inside its file; neither engine's
 * timer stands still. An input is a program: one byte says what happens, its operands
 * follow. */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "zigbee/ota_client.h"
#include "zigbee/ota_server.h"
#include "zigbee/ota_wire.h"

enum { SESSIONS = 3, PAGE = 256, FILE_SIZE = 3000, SENT_MOST = 200000 };

struct run {
    struct al_cur in;
    uint64_t now;
    struct al_zota_client client;
    struct al_zota_server server;
    struct al_zota_session table[SESSIONS];
    uint8_t page[AL_ZOTA_PAGE_BUFFER(PAGE)];
    uint32_t got;
    struct al_zota_progress saved;
    struct al_zota_record record;
    uint32_t handle; /* of the last frame that wants a confirmation */
    unsigned sent;
    int send_answer;
    uint32_t random;
};

static void must(bool ok)
{
    if (!ok) abort();
}

static int on_send(void *ctx, const struct al_zota_send *s)
{
    struct run *r = ctx;
    must(s->len >= 3 && s->len <= 3 + AL_ZOTA_PAYLOAD_MAX);
    must(++r->sent < SENT_MOST);
    if (r->send_answer) return r->send_answer;
    if (s->handle) r->handle = s->handle;
    return 0;
}

static uint32_t on_random(void *ctx)
{
    struct run *r = ctx;
    return r->random = r->random * 1664525u + 1013904223u;
}

static uint8_t on_offer(void *ctx, const struct al_zota_file *file, bool reinstall,
                        uint32_t *offset)
{
    struct run *r = ctx;
    must(*offset <= file->size);
    r->got = *offset;
    return file->size % 7 == 6 ? 0x01 : 0;
}

static int on_data(void *ctx, uint32_t offset, const uint8_t *data, size_t len)
{
    struct run *r = ctx;
    uint8_t sum = 0;
    must(offset == r->got && len > 0);
    must(offset <= r->client.file.size && len <= r->client.file.size - offset);
    for (size_t i = 0; i < len; i++) sum ^= data[i]; /* all of it can be read */
    r->got += (uint32_t)len;
    return sum == 0xa5 ? AL_FAIL : 0;
}

static int on_check(void *ctx, const struct al_zota_file *file)
{
    static const int verdict[] = {0, 0x96, 0x99, 0x95, AL_ZOTA_LATER};
    struct run *r = ctx;
    must(r->got == file->size);
    return verdict[file->size % 5];
}

static void on_save(void *ctx, const struct al_zota_progress *p)
{
    struct run *r = ctx;
    must(p->magic == 0 || p->offset <= p->file.size);
    r->saved = *p;
}

static void on_event(void *ctx, const struct al_zota_client_event *e)
{
    must(e->kind != AL_ZOTA_CLIENT_GAVE_UP || e->reason != AL_ZOTA_REASON_NONE);
}

static const struct al_zota_image file = {{0x131b, 1, 2}, FILE_SIZE, 0};

static int on_find(void *ctx, const struct al_zota_wanted *wanted, struct al_zota_image *image)
{
    *image = file;
    return wanted->id.image_type & 8 ? AL_ERR_NOT_FOUND : 0;
}

static int on_get(void *ctx, struct al_zota_peer peer, const struct al_zota_id *id,
                  struct al_zota_image *image)
{
    *image = file;
    return al_zota_same_id(id, &file.id) ? 0 : AL_ERR_NOT_FOUND;
}

static int on_read(void *ctx, struct al_zota_peer peer, const struct al_zota_image *image,
                   uint32_t offset, void *buf, size_t len)
{
    must(len > 0 && offset < image->size && len <= image->size - offset);
    if (offset % 97 == 3) return AL_ERR_NOT_FINISHED;
    if (offset % 97 == 5) return AL_FAIL;
    memset(buf, (int)offset, len);
    return (int)len;
}

static void on_server_save(void *ctx, const struct al_zota_session *s)
{
    struct run *r = ctx;
    must(s->record.offset <= s->record.image.size);
    r->record = s->record;
}

static void start_client(struct run *r)
{
    uint8_t flags = al_u8(&r->in);
    struct al_zota_client_config config = {
        .endpoint = 10,
        .manufacturer = 0x131b,
        .image_type = 1,
        .file_version = 1,
        .page_buffer = flags & 1 ? r->page : NULL,
        .page_size = PAGE,
        .activation_policy = flags >> 1 & 1,
        .timeout_policy = flags >> 2 & 1,
        .period_in_seconds = flags >> 3 & 1,
    };
    struct al_zota_client_app app = {r, on_offer, on_data, on_check, on_save, on_event};
    struct al_zota_transport t = {.ctx = r, .send = on_send, .random = on_random};
    al_zota_client_init(&r->client, &config, &app, &t);
    if (flags & 16) al_zota_client_set_server(&r->client, r->now, (struct al_zota_peer){0, 5}, 1);
    struct al_zota_progress saved = r->saved;
    al_zota_client_start(&r->client, r->now, &saved);
}

static void start_server(struct run *r)
{
    uint8_t flags = al_u8(&r->in);
    struct al_zota_server_config config = {
        .endpoint = 5,
        .parallel = flags & 3,
        .block_period = flags & 4 ? 100 : 0,
    };
    struct al_zota_server_app app = {
        .ctx = r, .find = on_find, .get = on_get, .read = on_read, .save = on_server_save};
    struct al_zota_transport t = {.ctx = r, .send = on_send, .random = on_random};
    al_zota_server_init(&r->server, &config, &app, &t, r->table, SESSIONS);
    al_zota_server_restore(&r->server, r->now, &r->record);
}

/* A frame of the input's bytes; its header is made valid unless raw. */
static void receive(struct run *r, bool to_client, bool raw)
{
    uint8_t from = al_u8(&r->in), zcl[128], len = al_u8(&r->in) & 127;
    al_bytes(&r->in, zcl, len);
    if (!raw && len > 0) zcl[0] = (uint8_t)(to_client ? 0x09 | (zcl[0] & 0x10) : 0x01);
    struct al_zota_received rx = {
        .from = {to_client ? from & 1 : 0x1000 + (from & 3), to_client ? 5 : 10},
        .dst_endpoint = 5,
        .broadcast = from & 0x80,
        .zcl = zcl,
        .len = len,
    };
    if (to_client)
        al_zota_client_receive(&r->client, r->now, &rx);
    else
        al_zota_server_receive(&r->server, r->now, &rx);
}

static void receive_frame(struct run *r, bool to_client, const struct al_zota_frame *f)
{
    uint8_t zcl[300] = {to_client ? 0x19 : 0x01, al_u8(&r->in), f->command};
    int n = al_zota_build(f, zcl + 3, sizeof zcl - 3);
    if (n < 0) return;
    struct al_zota_received rx = {
        {to_client ? 0 : 0x1000, to_client ? 5 : 10}, 5, false, zcl, 3 + (size_t)n};
    if (to_client)
        al_zota_client_receive(&r->client, r->now, &rx);
    else
        al_zota_server_receive(&r->server, r->now, &rx);
}

/* Frames that lead deep: offers and blocks that fit. */
static void good_offer(struct run *r)
{
    struct al_zota_frame f = {
        .command = AL_ZOTA_QUERY_NEXT_IMAGE_RSP,
        .u.query_next_image_rsp = {0, {0x131b, 1, 2 + (al_u8(&r->in) & 1)}, 56u + al_le16(&r->in)}};
    receive_frame(r, true, &f);
}

static void good_block(struct run *r)
{
    uint8_t data[255], size = al_u8(&r->in);
    int16_t shift = (int8_t)al_u8(&r->in);
    memset(data, size, sizeof data);
    struct al_zota_frame f = {
        .command = AL_ZOTA_IMAGE_BLOCK_RSP,
        .u.image_block_rsp = {.id = r->client.file.id,
                              .file_offset = r->client.offset + (uint32_t)shift,
                              .data_size = size,
                              .data = data}};
    receive_frame(r, true, &f);
}

static void good_request(struct run *r, bool page)
{
    struct al_zota_frame f = {.command = AL_ZOTA_IMAGE_BLOCK_REQ,
                              .u.image_block_req = {.id = file.id,
                                                    .file_offset = al_le16(&r->in) % 3100u,
                                                    .max_data_size = al_u8(&r->in)}};
    if (page)
        f = (struct al_zota_frame){.command = AL_ZOTA_IMAGE_PAGE_REQ,
                                   .u.image_page_req = {.id = file.id,
                                                        .file_offset = al_le16(&r->in) % 3100u,
                                                        .max_data_size = al_u8(&r->in),
                                                        .page_size = al_le16(&r->in),
                                                        .response_spacing = al_u8(&r->in)}};
    receive_frame(r, false, &f);
}

/* What is due happens, and then it lies in the past. */
static void run_timers(struct run *r)
{
    for (int i = 0; i < 64 && al_zota_client_next(&r->client) <= r->now; i++)
        al_zota_client_run(&r->client, r->now);
    must(al_zota_client_next(&r->client) > r->now);
    for (int i = 0; i < 64 && al_zota_server_next(&r->server) <= r->now; i++)
        al_zota_server_run(&r->server, r->now);
    must(al_zota_server_next(&r->server) > r->now);
}

static void advance(struct run *r, uint64_t next)
{
    uint8_t how = al_u8(&r->in);
    uint64_t to = how & 1 ? next : r->now + ((uint64_t)how << (how >> 3));
    if (to != UINT64_MAX && to > r->now && to < UINT64_MAX / 4) r->now = to;
    run_timers(r);
}

static void call_client(struct run *r)
{
    uint8_t op = al_u8(&r->in);
    static const struct al_zota_id other = {0x131b, 2, 1};
    switch (op % 9) {
    case 0:
        al_zota_client_query(&r->client, r->now);
        break;
    case 1:
        al_zota_client_query_specific(&r->client, r->now, 0xffc1, op);
        break;
    case 2:
        al_zota_client_stop(&r->client, r->now);
        break;
    case 3:
        al_zota_client_next_image(&r->client, r->now, &other);
        break;
    case 4:
        al_zota_client_checked(&r->client, r->now, op & 16 ? 0 : 0x96);
        break;
    case 5:
        al_zota_client_activate(&r->client, r->now);
        break;
    case 6:
        al_zota_client_no_server(&r->client, r->now);
        break;
    case 7:
        al_zota_client_set_interval(&r->client, r->now, op);
        break;
    case 8:
        al_zota_client_set_server(&r->client, r->now, (struct al_zota_peer){op & 16, 5}, 1);
        break;
    }
}

static void call_server(struct run *r)
{
    uint8_t op = al_u8(&r->in);
    struct al_zota_session *s = al_zota_server_find(&r->server, 0x1000 + (op >> 6), 10);
    struct al_zota_device d = {
        .ext_addr = op, .sleepy = op & 1, .max_block = op, .block_period = op};
    switch (op % 6) {
    case 0:
        if (s) al_zota_server_abort(&r->server, r->now, s);
        break;
    case 1:
        if (s) al_zota_server_release(&r->server, r->now, s, (struct al_zota_order){op, op});
        break;
    case 2:
        if (s) al_zota_server_forget(&r->server, s);
        break;
    case 3:
        if (s) al_zota_server_set_device(&r->server, s, &d);
        break;
    case 4:
        al_zota_server_moved(&r->server, op, 0x1001);
        break;
    case 5:
        al_zota_server_wake(&r->server, r->now);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int answers[] = {0, 0, 0, AL_ERR_NO_MEM, AL_ERR_INVALID_SIZE, AL_FAIL};
    static struct run run;
    memset(&run, 0, sizeof run);
    run.in = al_cur(data, size);
    run.now = 1000000;
    start_client(&run);
    start_server(&run);
    while (!run.in.failed && run.in.pos < size) {
        uint8_t op = al_u8(&run.in);
        switch (op & 15) {
        case 0:
            receive(&run, true, op & 16);
            break;
        case 1:
            receive(&run, false, op & 16);
            break;
        case 2:
            advance(&run, al_zota_client_next(&run.client));
            break;
        case 3:
            advance(&run, al_zota_server_next(&run.server));
            break;
        case 4:
            al_zota_client_sent(&run.client, run.now, run.client.handle, op & 16);
            break;
        case 5:
            al_zota_server_sent(&run.server, run.now, run.handle - (op >> 5), op & 16);
            break;
        case 6:
            call_client(&run);
            break;
        case 7:
            call_server(&run);
            break;
        case 8:
            start_client(&run);
            break;
        case 9:
            start_server(&run);
            break;
        case 10:
            good_offer(&run);
            break;
        case 11:
            good_block(&run);
            break;
        case 12:
            good_request(&run, op & 16);
            break;
        case 13:
            run.send_answer = answers[(op >> 4) % 6];
            break;
        case 14:
            al_bytes(&run.in, &run.record, sizeof run.record);
            break;
        case 15:
            al_bytes(&run.in, &run.saved, sizeof run.saved);
            break;
        }
    }
    run.send_answer = 0;
    run.now += 100;
    run_timers(&run);
    return 0;
}
