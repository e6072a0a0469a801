/* Any spinel frames: to a host in the middle of its start or at work, and to the virtual
 * co-processor. The input is a list of frames, a length byte each; the first byte chooses
 * the side and whether the host's questions are answered first. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "radio/rcp.h"
#include "radio/spinel_host.h"

#define FUZZ_RCP  0x01
#define FUZZ_WORK 0x02
#define FRAME_MAX 255u

static struct spinel_host host;
static struct rcp rcp;
static uint64_t now;
static bool busy, scanning;

/* --- a radio that is done when it is asked --- */

static int port_configure(void *ctx, const struct al_radio_config *c)
{
    if (c->channel < 11 || c->channel > 26) abort();
    return 0;
}

static int port_transmit(void *ctx, const uint8_t *mpdu, uint8_t len)
{
    if (busy || len < 3 || len > AL_RADIO_MPDU_MAX) abort();
    busy = true;
    return 0;
}

static int port_set_pending(void *ctx, bool extended, uint64_t addr, bool pending)
{
    return addr == 0xbeef ? AL_ERR_NO_MEM : 0;
}

static int port_energy_scan(void *ctx, uint8_t channel, uint32_t us)
{
    if (scanning || channel < 11 || channel > 26) abort();
    scanning = true;
    return 0;
}

static const struct al_radio port = {NULL, port_configure, port_transmit, port_set_pending,
                                     port_energy_scan};

static void pending_for_all(void *ctx, bool on)
{
}

/* What a side says must be well formed, and reads to its end. */
static void check_line(void *ctx, const uint8_t *bytes, size_t len)
{
    static struct hdlc_decoder d;
    while (len) {
        struct spinel_frame f;
        size_t used, n = hdlc_take(&d, bytes, len, &used);
        if (n && spinel_parse(&f, d.payload, n)) abort();
        bytes += used;
        len -= used;
    }
    if (d.bad) abort();
}

static void rcp_frames(const uint8_t *line, size_t len)
{
    static const uint8_t mpdu[] = {0x41, 0x88, 1, 0xff, 0xff, 0xff, 0xff, 0, 0, 1};
    struct al_radio_rx rx = {.mpdu = mpdu, .len = sizeof mpdu};
    rcp_input(&rcp, line, len);
    rcp_received(&rcp, now, &rx);
    if (busy && now % 3 == 0) {
        busy = false;
        rcp_transmitted(&rcp, now, now % 2 ? AL_RADIO_SENT : AL_RADIO_NO_ACK, now % 5 == 0);
    }
    if (scanning && now % 3 == 1) {
        scanning = false;
        rcp_scanned(&rcp, now, 11, -90);
    }
}

/* --- the host --- */

static void on_received(void *ctx, uint64_t at, const struct al_radio_rx *rx)
{
    if (rx->len < 3 || rx->len > AL_RADIO_MPDU_MAX) abort();
}

static void answer(const char *payload, size_t len)
{
    uint8_t bytes[16], line[HDLC_LINE_MAX(16)];
    struct al_put p = al_put(line, sizeof line);
    memcpy(bytes, payload, len);
    if (bytes[0] != 0x80) bytes[0] = (uint8_t)(0x80 | host.ask.tid);
    hdlc_put(&p, bytes, len);
    spinel_host_input(&host, now, line, p.len);
}

static void let_it_run(void)
{
    static const struct al_radio_config c = {.channel = 15, .rx_on = true};
    answer("\x81\x06\x01\x04\x03", 5);
    answer("\x81\x06\x02X\0", 5);
    answer("\x81\x06\x05\x22\x81\x04", 6);
    answer("\x81\x06\xb0\x01\x0b", 5);
    answer("\x81\x06\xb1\x01\x04", 5);
    answer("\x81\x06\x8b\x24\x8f\x02", 6);
    answer("\x81\x06\x08\1\2\3\4\5\6\7\x08", 11);
    answer("\x80\x06\x00\x72", 4);
    if (host.state != SPINEL_RUNNING) abort();
    spinel_host_configure(&host, now, &c);
}

static void host_frame(const uint8_t *line, size_t len)
{
    static const uint8_t mpdu[] = {0x41, 0x88, 1, 0xff, 0xff, 0xff, 0xff, 0, 0, 1};
    spinel_host_input(&host, now, line, len);
    spinel_host_run(&host, now);
    if (now % 4 == 0) spinel_host_transmit(&host, now, mpdu, sizeof mpdu);
    if (now % 4 == 1) spinel_host_set_pending(&host, now, now % 8 == 1, now % 5, now % 3 == 0);
    if (now % 4 == 2) spinel_host_energy_scan(&host, now, 11 + now % 16, 10);
}

static void begin(uint8_t how)
{
    spinel_host_free(&host);
    memset(&host, 0, sizeof host);
    memset(&rcp, 0, sizeof rcp);
    busy = scanning = false;
    now = 0;
    host.send = check_line;
    host.events.received = on_received;
    spinel_host_init(&host);
    spinel_host_link_up(&host, now);
    if (how & FUZZ_WORK) let_it_run();
    rcp.port = &port;
    rcp.pending_for_all = pending_for_all;
    rcp.send = check_line;
    rcp_init(&rcp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    uint8_t how = data[0];
    struct al_cur c = al_cur(data + 1, size - 1);
    begin(how);
    while (c.pos < c.len) {
        uint8_t frame[FRAME_MAX], line[HDLC_LINE_MAX(FRAME_MAX)];
        size_t len = al_u8(&c);
        if (len > c.len - c.pos) len = c.len - c.pos;
        al_bytes(&c, frame, len);
        struct al_put p = al_put(line, sizeof line);
        /* Half of all answers meet the question that was asked. */
        bool meets = !(how & FUZZ_RCP) && len && (frame[0] & 0x0f) > 7;
        if (meets) frame[0] = (uint8_t)(0x80 | (frame[0] & 1 ? host.tx.tid : host.ask.tid));
        hdlc_put(&p, frame, len);
        now += 1 + len;
        if (how & FUZZ_RCP)
            rcp_frames(line, p.len);
        else
            host_frame(line, p.len);
    }
    return 0;
}
