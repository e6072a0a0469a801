#include "tests/support/zota_frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"

static int on_send(void *ctx, const struct al_zota_send *s)
{
    struct zota_wire *w = ctx;
    if (w->refuse) return w->refuse;
    if (w->longest && s->len > w->longest && !s->may_fragment) return AL_ERR_INVALID_SIZE;
    assert_true(s->len <= sizeof w->sent[0].bytes);
    if (w->count < ZOTA_SENT) {
        struct zota_sent *e = &w->sent[w->count];
        *e = (struct zota_sent){.how = *s};
        memcpy(e->bytes, s->zcl, s->len);
        e->how.zcl = e->bytes;
        assert_int_equal(al_zcl_parse(&e->zcl, e->bytes, s->len), 0);
        if (e->zcl.cluster_specific)
            assert_int_equal(
                al_zota_parse(e->zcl.command, e->zcl.payload, e->zcl.payload_len, &e->frame), 0);
    }
    w->count++;
    return 0;
}

static uint32_t on_random(void *ctx)
{
    struct zota_wire *w = ctx;
    return w->random;
}

void zota_wire_init(struct zota_wire *w)
{
    *w = (struct zota_wire){.transport = {.ctx = w, .send = on_send, .random = on_random}};
}

void zota_wire_clear(struct zota_wire *w)
{
    w->count = 0;
}

const struct zota_sent *zota_wire_only(struct zota_wire *w, uint8_t command)
{
    assert_int_equal(w->count, 1);
    w->count = 0;
    assert_true(w->sent[0].zcl.cluster_specific);
    assert_int_equal(w->sent[0].zcl.command, command);
    return &w->sent[0];
}

void zota_wire_only_default(struct zota_wire *w, uint8_t command, uint8_t status)
{
    assert_int_equal(w->count, 1);
    w->count = 0;
    const struct al_zcl_frame *f = &w->sent[0].zcl;
    assert_false(f->cluster_specific);
    assert_int_equal(f->command, AL_ZCL_DEFAULT_RSP);
    assert_int_equal(f->payload_len, 2);
    assert_int_equal(f->payload[0], command);
    assert_int_equal(f->payload[1], status);
}

void zota_wire_silent(struct zota_wire *w)
{
    assert_int_equal(w->count, 0);
}

size_t zota_frame_bytes(uint8_t *out, size_t size, uint8_t seq, bool no_default_response,
                        const struct al_zota_frame *f)
{
    uint8_t payload[AL_ZOTA_PAYLOAD_MAX];
    int n = al_zota_build(f, payload, sizeof payload);
    assert_true(n >= 0);
    struct al_zcl_frame h = {
        .payload = payload,
        .payload_len = (size_t)n,
        .seq = seq,
        .command = f->command,
        .cluster_specific = true,
        .to_client = al_zota_from_server(f->command),
        .no_default_response = no_default_response,
    };
    struct al_put p = al_put(out, size);
    assert_int_equal(al_zcl_build(&h, &p), 0);
    return p.len;
}

size_t zota_default_bytes(uint8_t *out, size_t size, uint8_t seq, bool to_client, uint8_t command,
                          uint8_t status)
{
    uint8_t payload[] = {command, status};
    struct al_zcl_frame h = {
        .payload = payload,
        .payload_len = sizeof payload,
        .seq = seq,
        .command = AL_ZCL_DEFAULT_RSP,
        .to_client = to_client,
        .no_default_response = true,
    };
    struct al_put p = al_put(out, size);
    assert_int_equal(al_zcl_build(&h, &p), 0);
    return p.len;
}
