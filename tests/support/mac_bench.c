#include "tests/support/mac_bench.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"

static void say(struct mac_bench *b, const char *format, ...)
{
    size_t len = strlen(b->log);
    va_list args;
    va_start(args, format);
    if (len) b->log[len++] = '\n';
    vsnprintf(b->log + len, sizeof b->log - len, format, args);
    va_end(args);
}

static const char *show(const struct al_mac_addr *a, char text[24])
{
    if (a->mode == AL_MAC_EXT)
        snprintf(text, 24, "%016" PRIx64, a->ext);
    else
        snprintf(text, 24, "%04x", a->short_addr);
    return text;
}

/* ---- The radio ---- */

static int radio_configure(void *ctx, const struct al_radio_config *c)
{
    struct mac_bench *b = ctx;
    if (b->configure_error) return b->configure_error;
    b->config = *c;
    b->configured++;
    return 0;
}

static int radio_transmit(void *ctx, const uint8_t *mpdu, uint8_t len)
{
    struct mac_bench *b = ctx;
    if (b->transmit_error) return b->transmit_error;
    assert_true(b->sent < MAC_BENCH_AIR);
    memcpy(b->air[b->sent].mpdu, mpdu, len);
    b->air[b->sent++].len = len;
    return 0;
}

static int radio_set_pending(void *ctx, bool extended, uint64_t addr, bool pending)
{
    struct mac_bench *b = ctx;
    size_t len = strlen(b->pending);
    if (len) b->pending[len++] = ' ';
    snprintf(b->pending + len, sizeof b->pending - len, "%c%0*" PRIx64, pending ? '+' : '-',
             extended ? 16 : 4, addr);
    return 0;
}

static int radio_energy_scan(void *ctx, uint8_t channel, uint32_t us)
{
    struct mac_bench *b = ctx;
    if (b->energy_error) return b->energy_error;
    b->energy_channel = channel;
    b->energy_us = us;
    return 0;
}

static uint32_t next_random(void *ctx)
{
    struct mac_bench *b = ctx;
    b->random = b->random * 1664525 + 1013904223;
    return b->random;
}

/* ---- The layer above ---- */

static void up_data(void *ctx, uint64_t now, const struct al_mac_data_ind *ind)
{
    char src[24];
    say(ctx, "data %s '%.*s'%s", show(&ind->src, src), (int)ind->len, (const char *)ind->payload,
        ind->pending ? " more" : "");
}

static void up_sent(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    struct mac_bench *b = ctx;
    say(b, "sent %u %s", handle, al_zb_status_name(status));
    if (b->on_sent) b->on_sent(b, handle);
}

static void up_beacon(void *ctx, uint64_t now, const struct al_mac_beacon_ind *ind)
{
    say(ctx, "beacon %u %04x %04x%s%s depth %u", ind->channel, ind->pan_id, ind->addr,
        ind->permit_join ? " open" : "", ind->pan_coordinator ? " coordinator" : "",
        ind->zigbee.depth);
}

static void up_energy(void *ctx, uint64_t now, uint8_t channel, int8_t dbm)
{
    say(ctx, "energy %u %d", channel, dbm);
}

static void up_scan_done(void *ctx, uint64_t now)
{
    say(ctx, "scan done");
}

static void up_associated(void *ctx, uint64_t now, enum al_zb_status status, uint16_t addr)
{
    say(ctx, "associated %s %04x", al_zb_status_name(status), addr);
}

static void up_association(void *ctx, uint64_t now, uint64_t ext, uint8_t capability)
{
    say(ctx, "association %016" PRIx64 " %02x", ext, capability);
}

static void up_disassociated(void *ctx, uint64_t now, const struct al_mac_addr *src, uint8_t reason)
{
    char text[24];
    say(ctx, "disassociated %s %u", show(src, text), reason);
}

static void up_child_polled(void *ctx, uint64_t now, const struct al_mac_addr *child)
{
    char text[24];
    say(ctx, "polled by %s", show(child, text));
}

static void up_poll_done(void *ctx, uint64_t now, enum al_zb_status status)
{
    say(ctx, "poll %s", al_zb_status_name(status));
}

static const struct al_mac_up up = {
    .data = up_data,
    .sent = up_sent,
    .beacon = up_beacon,
    .energy = up_energy,
    .scan_done = up_scan_done,
    .associated = up_associated,
    .association = up_association,
    .disassociated = up_disassociated,
    .child_polled = up_child_polled,
    .poll_done = up_poll_done,
};

/* ---- The bench ---- */

void mac_bench_init(struct mac_bench *b)
{
    memset(b, 0, sizeof *b);
    b->now = 1000000;
    b->radio = (struct al_radio){
        .ctx = b,
        .configure = radio_configure,
        .transmit = radio_transmit,
        .set_pending = radio_set_pending,
        .energy_scan = radio_energy_scan,
    };
    al_mac_init(&b->mac, &(struct al_mac_config){
                             .radio = &b->radio,
                             .random = {b, next_random},
                             .ext_addr = MAC_BENCH_EXT,
                             .slots = b->slots,
                             .slot_count = MAC_BENCH_SLOTS,
                             .seen = b->seen,
                             .seen_count = 4,
                             .up = &up,
                             .up_ctx = b,
                         });
}

void mac_bench_member(struct mac_bench *b)
{
    mac_bench_init(b);
    assert_int_equal(al_mac_start(&b->mac, 15, MAC_BENCH_PAN, MAC_BENCH_ADDR, true), 0);
}

struct al_mac_frame mac_bench_take(struct mac_bench *b)
{
    struct al_mac_frame f;
    assert_true(b->taken < b->sent);
    unsigned i = b->taken++;
    assert_int_equal(al_mac_parse(&f, b->air[i].mpdu, b->air[i].len), 0);
    return f;
}

bool mac_bench_silent(const struct mac_bench *b)
{
    return b->taken == b->sent;
}

void mac_bench_done(struct mac_bench *b, enum al_radio_status status, bool ack_pending)
{
    al_mac_transmitted(&b->mac, b->now, status, ack_pending);
}

void mac_bench_sent(struct mac_bench *b)
{
    mac_bench_done(b, AL_RADIO_SENT, false);
}

void mac_bench_receive(struct mac_bench *b, const struct al_mac_frame *f, bool pending)
{
    uint8_t mpdu[AL_RADIO_MPDU_MAX];
    struct al_put p = al_put(mpdu, sizeof mpdu);
    assert_int_equal(al_mac_build(f, &p), 0);
    struct al_radio_rx rx = {
        .mpdu = mpdu, .len = (uint8_t)p.len, .rssi = -40, .lqi = 200, .pending = pending};
    al_mac_received(&b->mac, b->now, &rx);
}

void mac_bench_receive_bytes(struct mac_bench *b, const void *mpdu, size_t len)
{
    al_mac_received(&b->mac, b->now, &(struct al_radio_rx){.mpdu = mpdu, .len = (uint8_t)len});
}

void mac_bench_poll_from(struct mac_bench *b, struct al_mac_addr child, uint8_t seq, bool pending)
{
    static const uint8_t data_request[] = {AL_MAC_DATA_REQUEST};
    struct al_mac_frame f = {
        .type = AL_MAC_COMMAND,
        .dst = al_mac_short(MAC_BENCH_PAN, MAC_BENCH_ADDR),
        .src = child,
        .seq = seq,
        .ack_request = true,
        .payload = data_request,
        .payload_len = sizeof data_request,
    };
    mac_bench_receive(b, &f, pending);
}

void mac_bench_send(struct mac_bench *b, struct al_mac_addr dst, const char *text, bool indirect,
                    uint16_t handle)
{
    struct al_mac_send s = {
        .dst = dst,
        .payload = (const uint8_t *)text,
        .len = strlen(text),
        .indirect = indirect,
        .handle = handle,
    };
    assert_int_equal(al_mac_send(&b->mac, b->now, &s), 0);
}

void mac_bench_wait(struct mac_bench *b, uint64_t us)
{
    uint64_t until = b->now + us;
    for (unsigned turns = 0;; turns++) {
        uint64_t next = al_mac_next(&b->mac);
        if (next > until) break;
        assert_true(turns < 1000); /* it goes on */
        if (next > b->now) b->now = next;
        al_mac_run(&b->mac, b->now);
    }
    b->now = until;
}

void mac_bench_expect(struct mac_bench *b, const char *log)
{
    assert_string_equal(b->log, log);
    b->log[0] = 0;
}
