/* The host of a radio co-processor. See spinel_host.h. */
#include "radio/spinel_host.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/err.h"

#define ANSWER_US     1000000u
#define RESET_ANSWERS 3u /* a chip may take so many times answer_us to start */
#define RESET_TRIES   2u
#define SCAN_SLACK_US 2000000u
#define LAST_TID      14u
#define PAYLOAD_MAX   192u
#define MAX_BACKOFFS  4u
#define MAX_RETRIES   3u
#define FCS_LEN       2u

static uint64_t answer_us(const struct spinel_host *h)
{
    return h->answer_us ? h->answer_us : ANSWER_US;
}

/* Transmissions and scans that were under way fail in the next run. */
static void fail_pending(struct spinel_host *h)
{
    h->ask.what = SPINEL_ASK_NOTHING;
    if (h->tx.state != SPINEL_TX_NONE) h->tx.state = SPINEL_TX_FAILED;
    if (h->scan.active) h->scan.failed = true;
}

__attribute__((format(printf, 3, 4))) static void
give_up(struct spinel_host *h, enum spinel_host_state state, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(h->why, sizeof h->why, format, args);
    va_end(args);
    h->state = state;
    fail_pending(h);
}

static void send_frame(struct spinel_host *h, const uint8_t *payload, size_t len)
{
    uint8_t line[HDLC_LINE_MAX(PAYLOAD_MAX)];
    struct al_put p = al_put(line, sizeof line);
    hdlc_put(&p, payload, len);
    h->send(h->io, line, p.len);
}

static uint8_t next_tid(struct spinel_host *h)
{
    do {
        h->last_tid = (uint8_t)(h->last_tid % LAST_TID + 1);
    } while ((h->ask.what && h->ask.tid == h->last_tid) ||
             (h->tx.state == SPINEL_TX_SENT && h->tx.tid == h->last_tid));
    return h->last_tid;
}

static void send_request(struct spinel_host *h, uint64_t now)
{
    h->ask.deadline = now + answer_us(h) * (h->ask.what == SPINEL_ASK_RESET ? RESET_ANSWERS : 1);
    h->ask.tries++;
    send_frame(h, h->ask.frame, h->ask.len);
}

/* value: what follows the property, or a RESET's byte. */
static void ask(struct spinel_host *h, uint64_t now, enum spinel_asking what, uint32_t command,
                uint32_t property, const struct al_put *value)
{
    uint8_t tid = next_tid(h);
    struct al_put p = al_put(h->ask.frame, sizeof h->ask.frame);
    spinel_begin(&p, tid, command, property);
    if (value) al_put_bytes(&p, value->buf, value->len);
    h->ask.what = what;
    h->ask.tid = tid;
    h->ask.len = p.len;
    h->ask.tries = 0;
    send_request(h, now);
}

static void ask_probe(struct spinel_host *h, uint64_t now)
{
    uint32_t property;
    if (spinel_probe_next(&h->probe, &property)) {
        ask(h, now, SPINEL_ASK_PROBE, SPINEL_GET, property, NULL);
        return;
    }
    uint8_t kind = SPINEL_RESET_STACK;
    struct al_put value = {.buf = &kind, .size = 1, .len = 1};
    h->state = SPINEL_RESETTING;
    ask(h, now, SPINEL_ASK_RESET, SPINEL_RESET, 0, &value);
}

static void ask_scan(struct spinel_host *h, uint64_t now)
{
    static const uint32_t properties[] = {SPINEL_MAC_SCAN_MASK, SPINEL_MAC_SCAN_PERIOD,
                                          SPINEL_MAC_SCAN_STATE};
    uint8_t bytes[2];
    struct al_put value = al_put(bytes, sizeof bytes);
    if (h->scan.step == 0)
        al_put8(&value, h->scan.channel);
    else if (h->scan.step == 1)
        al_put16(&value, h->scan.ms);
    else
        al_put8(&value, SPINEL_SCAN_ENERGY);
    ask(h, now, SPINEL_ASK_SCAN, SPINEL_SET, properties[h->scan.step], &value);
}

static void ask_running(struct spinel_host *h, uint64_t now)
{
    uint8_t bytes[8];
    struct al_put value = al_put(bytes, sizeof bytes);
    uint32_t command, property;
    bool on_air = h->tx.state == SPINEL_TX_SENT || (h->scan.active && h->scan.step > 0);
    if (spinel_settings_next(&h->settings, on_air, &command, &property, &value))
        ask(h, now, SPINEL_ASK_SETTING, command, property, &value);
    else if (h->scan.active && h->scan.step < 3 && h->tx.state == SPINEL_TX_NONE)
        ask_scan(h, now);
}

static void send_mpdu(struct spinel_host *h, uint64_t now)
{
    uint8_t payload[PAYLOAD_MAX];
    struct al_put p = al_put(payload, sizeof payload);
    uint8_t channel = h->settings.config.channel;
    struct spinel_tx tx = {.mpdu = h->tx.mpdu,
                           .len = h->tx.len,
                           .channel = channel,
                           .max_backoffs = MAX_BACKOFFS,
                           .max_retries = MAX_RETRIES,
                           .csma = true,
                           .header_updated = true,
                           .security_processed = true,
                           .rx_channel = channel};
    h->tx.tid = next_tid(h);
    h->tx.state = SPINEL_TX_SENT;
    h->tx.deadline = now + answer_us(h);
    spinel_begin(&p, h->tx.tid, SPINEL_SET, SPINEL_STREAM_RAW);
    spinel_tx_put(&p, &tx);
    send_frame(h, payload, p.len);
}

/* Sends what can be sent now. */
static void pump(struct spinel_host *h, uint64_t now)
{
    if (h->ask.what == SPINEL_ASK_NOTHING) {
        if (h->state == SPINEL_PROBING) ask_probe(h, now);
        if (h->state == SPINEL_RUNNING) ask_running(h, now);
    }
    if (h->state == SPINEL_RUNNING && h->tx.state == SPINEL_TX_WAITING &&
        !spinel_settings_differ(&h->settings))
        send_mpdu(h, now);
}

static void finish_transmission(struct spinel_host *h, uint64_t now, enum al_radio_status status,
                                bool pending)
{
    h->tx.state = SPINEL_TX_NONE;
    h->delivered++;
    if (h->events.transmitted) h->events.transmitted(h->ctx, now, status, pending);
}

static void finish_scan(struct spinel_host *h, uint64_t now, int8_t dbm)
{
    h->scan.active = false;
    h->delivered++;
    if (h->events.scanned) h->events.scanned(h->ctx, now, h->scan.channel, dbm);
}

/* Events that are due outside of what the line brings. */
static void tell(struct spinel_host *h, uint64_t now)
{
    if (h->tx.state == SPINEL_TX_FAILED) finish_transmission(h, now, AL_RADIO_FAILED, false);
    if (h->scan.active && h->scan.failed) finish_scan(h, now, SPINEL_SCAN_FAILED_DBM);
    if (h->restarted && h->state == SPINEL_RUNNING && h->ask.what == SPINEL_ASK_NOTHING &&
        !spinel_settings_differ(&h->settings)) {
        h->restarted = false;
        h->delivered++;
        if (h->events.restarted) h->events.restarted(h->ctx, now);
    }
}

static void started_anew(struct spinel_host *h)
{
    if (h->state == SPINEL_PROBING) { /* it was still starting: ask again */
        memset(&h->probe, 0, sizeof h->probe);
        h->ask.what = SPINEL_ASK_NOTHING;
    }
    if (h->state != SPINEL_RESETTING && h->state != SPINEL_RUNNING) return;
    fail_pending(h);
    spinel_settings_forget(&h->settings);
    h->settings.has_rx_on_when_idle = h->probe.radio_caps & SPINEL_RADIO_RX_ON_WHEN_IDLE;
    h->restarted = h->ran;
    h->ran = true;
    h->state = SPINEL_RUNNING;
}

/* Is it of no use to ask again? */
static bool is_final(uint32_t status)
{
    return status == SPINEL_PROP_NOT_FOUND || status == SPINEL_UNIMPLEMENTED ||
           status == SPINEL_INVALID_ARGUMENT || status == SPINEL_INVALID_COMMAND ||
           status == SPINEL_PARSE_ERROR;
}

static void take_answer(struct spinel_host *h, const struct spinel_frame *f)
{
    enum spinel_asking what = h->ask.what;
    struct al_cur c = f->value;
    uint32_t status = f->property == SPINEL_LAST_STATUS ? spinel_uint(&c) : SPINEL_OK;
    if (what == SPINEL_ASK_RESET) return; /* only a reset answers that */
    h->ask.what = SPINEL_ASK_NOTHING;
    if (what == SPINEL_ASK_PROBE && !spinel_probe_answer(&h->probe, f))
        give_up(h, SPINEL_REFUSED, "%s", h->probe.error);
    else if (what == SPINEL_ASK_SETTING && !spinel_settings_answer(&h->settings, status))
        give_up(h, is_final(status) ? SPINEL_REFUSED : SPINEL_LOST, "%s", h->settings.error);
    else if (what == SPINEL_ASK_SCAN && status != SPINEL_OK)
        h->scan.failed = true;
    else if (what == SPINEL_ASK_SCAN)
        h->scan.step++;
}

static void take_transmitted(struct spinel_host *h, uint64_t now, const struct spinel_frame *f)
{
    struct spinel_tx_done done;
    struct al_cur c = f->value;
    if (f->property != SPINEL_LAST_STATUS) return;
    h->tx.lost = 0;
    spinel_tx_done_read(&c, &done);
    enum al_radio_status status = done.status == SPINEL_OK            ? AL_RADIO_SENT
                                  : done.status == SPINEL_NO_ACK      ? AL_RADIO_NO_ACK
                                  : done.status == SPINEL_CCA_FAILURE ? AL_RADIO_CHANNEL_BUSY
                                                                      : AL_RADIO_FAILED;
    finish_transmission(h, now, status, status == AL_RADIO_SENT && done.pending);
}

static void take_received(struct spinel_host *h, uint64_t now, struct al_cur c)
{
    struct spinel_rx rx;
    spinel_rx_read(&c, &rx);
    bool good = !c.failed && !(rx.flags & SPINEL_RX_BAD_FCS) && rx.error == SPINEL_OK;
    if (!good || rx.len < 3 + FCS_LEN || h->state != SPINEL_RUNNING) return;
    struct al_radio_rx out = {.mpdu = rx.mpdu,
                              .len = (uint8_t)(rx.len - FCS_LEN),
                              .rssi = rx.rssi,
                              .lqi = rx.lqi,
                              .pending = rx.flags & SPINEL_RX_ACKED_PENDING};
    h->delivered++;
    if (h->events.received) h->events.received(h->ctx, now, &out);
}

static void take_news(struct spinel_host *h, uint64_t now, const struct spinel_frame *f)
{
    struct al_cur c = f->value;
    if (f->property == SPINEL_STREAM_RAW) {
        take_received(h, now, c);
    } else if (f->property == SPINEL_MAC_ENERGY_RESULT && h->scan.active && h->scan.step >= 2) {
        uint8_t channel = al_u8(&c);
        int8_t dbm = (int8_t)al_u8(&c);
        if (!c.failed && channel == h->scan.channel) finish_scan(h, now, dbm);
    }
}

static bool is_reset(const struct spinel_frame *f)
{
    struct al_cur c = f->value;
    if (f->command != SPINEL_IS || f->property != SPINEL_LAST_STATUS) return false;
    uint32_t status = spinel_uint(&c);
    return status >= SPINEL_RESET_FIRST && status <= SPINEL_RESET_LAST;
}

static void take_frame(struct spinel_host *h, uint64_t now, const uint8_t *payload, size_t len)
{
    struct spinel_frame f;
    if (spinel_parse(&f, payload, len)) return;
    h->frames++;
    if (f.command < SPINEL_IS || f.command > SPINEL_REMOVED) return;
    if (is_reset(&f))
        started_anew(h);
    else if (f.tid == 0)
        take_news(h, now, &f);
    else if (h->tx.state == SPINEL_TX_SENT && f.tid == h->tx.tid)
        take_transmitted(h, now, &f);
    else if (h->ask.what && f.tid == h->ask.tid)
        take_answer(h, &f);
}

void spinel_host_init(struct spinel_host *h)
{
    h->state = SPINEL_DOWN;
}

void spinel_host_free(struct spinel_host *h)
{
    spinel_settings_free(&h->settings);
}

void spinel_host_link_up(struct spinel_host *h, uint64_t now)
{
    static const uint8_t flush = HDLC_FLAG; /* ends what an earlier host left half-sent */
    memset(&h->probe, 0, sizeof h->probe);
    memset(&h->line, 0, sizeof h->line);
    h->bytes = h->frames = h->tx.lost = 0;
    h->why[0] = 0;
    fail_pending(h);
    h->state = SPINEL_PROBING;
    h->send(h->io, &flush, 1);
    pump(h, now);
}

void spinel_host_link_down(struct spinel_host *h)
{
    h->state = SPINEL_DOWN;
    fail_pending(h);
}

void spinel_host_input(struct spinel_host *h, uint64_t now, const uint8_t *bytes, size_t len)
{
    h->bytes += len;
    while (len && h->state != SPINEL_DOWN) {
        size_t used, n = hdlc_take(&h->line, bytes, len, &used);
        if (n) take_frame(h, now, h->line.payload, n);
        bytes += used;
        len -= used;
        pump(h, now);
    }
    tell(h, now);
}

int spinel_host_configure(struct spinel_host *h, uint64_t now, const struct al_radio_config *c)
{
    if (c->channel < 11 || c->channel > 26) return AL_ERR_INVALID_ARG;
    bool moves = !h->settings.configured || c->channel != h->settings.config.channel;
    if (moves && (h->tx.state != SPINEL_TX_NONE || h->scan.active)) return AL_ERR_INVALID_STATE;
    spinel_settings_configure(&h->settings, c);
    pump(h, now);
    return 0;
}

int spinel_host_transmit(struct spinel_host *h, uint64_t now, const uint8_t *mpdu, uint8_t len)
{
    if (len < 3 || len > AL_RADIO_MPDU_MAX) return AL_ERR_INVALID_ARG;
    if (h->tx.state != SPINEL_TX_NONE || h->scan.active || !h->settings.configured)
        return AL_ERR_INVALID_STATE;
    memset(h->tx.mpdu, 0, sizeof h->tx.mpdu); /* the radio makes the FCS */
    memcpy(h->tx.mpdu, mpdu, len);
    h->tx.len = (uint8_t)(len + FCS_LEN);
    h->tx.state = h->state == SPINEL_RUNNING ? SPINEL_TX_WAITING : SPINEL_TX_FAILED;
    pump(h, now);
    return 0;
}

int spinel_host_set_pending(struct spinel_host *h, uint64_t now, bool extended, uint64_t addr,
                            bool pending)
{
    int err = spinel_settings_set_pending(&h->settings, extended, addr, pending);
    pump(h, now);
    return err;
}

int spinel_host_energy_scan(struct spinel_host *h, uint64_t now, uint8_t channel, uint32_t us)
{
    if (channel < 11 || channel > 26) return AL_ERR_INVALID_ARG;
    if (h->tx.state != SPINEL_TX_NONE || h->scan.active || !h->settings.configured)
        return AL_ERR_INVALID_STATE;
    if (h->ran && !(h->probe.radio_caps & SPINEL_RADIO_ENERGY_SCAN)) return AL_ERR_NOT_SUPPORTED;
    uint32_t ms = us / 1000 ? us / 1000 : 1;
    h->scan.active = true;
    h->scan.failed = h->state != SPINEL_RUNNING;
    h->scan.step = 0;
    h->scan.channel = channel;
    h->scan.ms = (uint16_t)(ms < UINT16_MAX ? ms : UINT16_MAX);
    h->scan.deadline = now + (uint64_t)h->scan.ms * 1000 + SCAN_SLACK_US;
    pump(h, now);
    return 0;
}

uint64_t spinel_host_next(const struct spinel_host *h)
{
    if (h->tx.state == SPINEL_TX_FAILED || (h->scan.active && h->scan.failed)) return 0;
    uint64_t next = h->ask.what ? h->ask.deadline : UINT64_MAX;
    if (h->tx.state == SPINEL_TX_SENT && h->tx.deadline < next) next = h->tx.deadline;
    if (h->scan.active && h->scan.deadline < next) next = h->scan.deadline;
    return next;
}

static void no_answer(struct spinel_host *h)
{
    if (h->frames)
        give_up(h, SPINEL_LOST, "the co-processor no longer answers");
    else if (h->bytes)
        give_up(h, SPINEL_LOST,
                "%" PRIu64 " bytes come, but none of them make a spinel frame: is the speed right "
                "(?baud=115200, 460800, 921600), and is this an RCP?",
                h->bytes);
    else
        give_up(h, SPINEL_LOST,
                "no answer: is this an RCP (OpenThread's ot-rcp, ESP-IDF's ot_rcp example), is "
                "the speed right (?baud=115200, 460800, 921600), does another program use it?");
}

/* The frame may have been damaged on the line, then the next one is answered. */
static void transmission_lost(struct spinel_host *h)
{
    h->tx.state = SPINEL_TX_FAILED;
    if (++h->tx.lost >= SPINEL_TX_LOST_MAX) no_answer(h);
}

void spinel_host_run(struct spinel_host *h, uint64_t now)
{
    if (h->ask.what && now >= h->ask.deadline) {
        if (h->ask.tries < (h->ask.what == SPINEL_ASK_RESET ? RESET_TRIES : SPINEL_TRIES))
            send_request(h, now);
        else
            no_answer(h);
    }
    if (h->tx.state == SPINEL_TX_SENT && now >= h->tx.deadline) transmission_lost(h);
    if (h->scan.active && now >= h->scan.deadline) h->scan.failed = true;
    pump(h, now);
    tell(h, now);
}
