/* See rcp_bench.h. */
#include "tests/support/rcp_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/spinel_examples.h"

static void keep(void *ctx, const uint8_t *bytes, size_t len)
{
    struct rcp_bench *b = ctx;
    if (b->to_host) b->to_host(b->to_host_ctx, bytes, len);
    while (len) {
        size_t used, n = hdlc_take(&b->line, bytes, len, &used);
        bytes += used;
        len -= used;
        if (!n || b->to_host) continue;
        assert_true(b->said_count < RCP_BENCH_FRAMES && n <= sizeof b->said->bytes);
        struct rcp_bench_said *s = &b->said[b->said_count++];
        memcpy(s->bytes, b->line.payload, n);
        s->len = n;
    }
}

static void pending_for_all(void *ctx, bool on)
{
    struct rcp_bench *b = ctx;
    b->pending_for_all = on;
    medium_node_pending_for_all(b->node, on);
}

static void other_received(void *ctx, uint64_t now, const struct al_radio_rx *rx)
{
    struct rcp_bench *b = ctx;
    b->heard_count++;
    memcpy(b->heard, rx->mpdu, rx->len);
    b->heard_len = rx->len;
}

static void other_transmitted(void *ctx, uint64_t now, enum al_radio_status status, bool pending)
{
    struct rcp_bench *b = ctx;
    b->sent_count++;
    b->sent = status;
    b->sent_pending = pending;
}

struct rcp_bench *rcp_bench_new(void)
{
    struct rcp_bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->medium = medium_new(&(struct medium_config){.seed = 1});
    struct medium_node_config rcp = {
        .eui64 = RCP_BENCH_EUI,
        .name = "rcp",
        .events = {rcp_received, rcp_transmitted, rcp_scanned, rcp_restarted},
        .ctx = &b->rcp};
    struct medium_node_config other = {
        .eui64 = RCP_BENCH_OTHER,
        .name = "other",
        .events = {.received = other_received, .transmitted = other_transmitted},
        .ctx = b};
    b->node = medium_add_node(b->medium, &rcp);
    b->other = medium_add_node(b->medium, &other);
    struct al_radio_config c = {.channel = RCP_BENCH_CHAN,
                                .pan_id = RCP_BENCH_PAN,
                                .short_addr = 0x1234,
                                .ext_addr = RCP_BENCH_OTHER,
                                .rx_on = true};
    const struct al_radio *port = medium_node_port(b->other);
    assert_int_equal(port->configure(port->ctx, &c), 0);
    b->rcp.port = medium_node_port(b->node);
    b->rcp.eui64 = RCP_BENCH_EUI;
    b->rcp.pending_for_all = pending_for_all;
    b->rcp.send = keep;
    b->rcp.ctx = b;
    rcp_init(&b->rcp);
    return b;
}

void rcp_bench_free(struct rcp_bench *b)
{
    medium_free(b->medium);
    free(b);
}

void rcp_bench_host(struct rcp_bench *b, const char *hex)
{
    uint8_t payload[512], line[HDLC_LINE_MAX(sizeof payload)];
    struct al_put p = al_put(line, sizeof line);
    hdlc_put(&p, payload, hex_bytes(hex, payload, sizeof payload));
    rcp_input(&b->rcp, line, p.len);
}

void rcp_bench_expect(struct rcp_bench *b, const char *hex)
{
    char text[2 * sizeof b->said->bytes + 1] = "";
    if (b->said_count == 0) fail_msg("nothing was said; expected %s", hex);
    for (size_t i = 0; i < b->said[0].len; i++)
        snprintf(text + 2 * i, sizeof text - 2 * i, "%02x", b->said[0].bytes[i]);
    b->said_count--;
    memmove(b->said, b->said + 1, b->said_count * sizeof *b->said);
    size_t fixed = strcspn(hex, ".");
    if (strncmp(text, hex, fixed) != 0 || (!hex[fixed] && text[fixed]))
        fail_msg("%s was said; expected %s", text, hex);
}

void rcp_bench_expect_silence(struct rcp_bench *b)
{
    if (b->said_count) rcp_bench_expect(b, "silence");
}

void rcp_bench_run(struct rcp_bench *b, uint32_t us)
{
    medium_run_until(b->medium, medium_now(b->medium) + us);
}

void rcp_bench_start(struct rcp_bench *b)
{
    static const char *const settings[] = {
        "2001", "210f", "350000", "36621a", "3b01", "3701", "34f412fafffe000001"};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        char set[64], is[64];
        snprintf(set, sizeof set, "8103%s", settings[i]);
        snprintf(is, sizeof is, "8106%s", settings[i]);
        rcp_bench_host(b, set);
        rcp_bench_expect(b, is);
    }
}

void rcp_bench_other_sends(struct rcp_bench *b, const char *hex)
{
    uint8_t mpdu[AL_RADIO_MPDU_MAX];
    const struct al_radio *port = medium_node_port(b->other);
    size_t n = hex_bytes(hex, mpdu, sizeof mpdu);
    assert_int_equal(port->transmit(port->ctx, mpdu, (uint8_t)n), 0);
}
