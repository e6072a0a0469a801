/* The virtual radio co-processor. See rcp.h. */
#include "radio/rcp.h"

#include "core/err.h"
#include "radio/medium.h"
#include "zigbee/fcs.h"

#define ANSWER_MAX  2048u
#define FCS_LEN     2u
#define ACK_REQUEST 0x20
#define ACK_FCF     0x02
#define ACK_PENDING 0x10

static void send_frame(struct rcp *r, const struct al_put *payload)
{
    uint8_t line[HDLC_LINE_MAX(ANSWER_MAX)];
    struct al_put p = al_put(line, sizeof line);
    if (payload->failed) return;
    hdlc_put(&p, payload->buf, payload->len);
    r->send(r->ctx, line, p.len);
}

static void send_status(struct rcp *r, uint8_t tid, uint32_t status)
{
    uint8_t payload[16];
    struct al_put p = al_put(payload, sizeof payload);
    r->last_status = status;
    spinel_begin(&p, tid, SPINEL_IS, SPINEL_LAST_STATUS);
    spinel_put_uint(&p, status);
    send_frame(r, &p);
}

static void send_property(struct rcp *r, uint8_t tid, uint32_t property)
{
    uint8_t payload[ANSWER_MAX];
    struct al_put p = al_put(payload, sizeof payload);
    spinel_begin(&p, tid, SPINEL_IS, property);
    if (rcp_property_get(r, property, &p))
        send_frame(r, &p);
    else
        send_status(r, tid, SPINEL_PROP_NOT_FOUND);
}

/* As after power on. What the radio is doing goes on; its end concerns nobody. */
static void start_anew(struct rcp *r, uint32_t why)
{
    r->last_status = why;
    r->held_count = r->queue_count = 0;
    r->tx.orphaned = r->tx.active;
    r->scan_orphaned = r->scanning;
    rcp_forget_settings(r);
}

void rcp_init(struct rcp *r)
{
    r->heard_rssi = MEDIUM_LEVEL_DBM;
    r->heard_lqi = UINT8_MAX;
    start_anew(r, SPINEL_RESET_POWER_ON);
}

void rcp_new_host(struct rcp *r)
{
    memset(&r->line, 0, sizeof r->line);
    start_anew(r, SPINEL_RESET_POWER_ON);
}

static void reset(struct rcp *r, const struct spinel_frame *f)
{
    struct al_cur c = f->value;
    uint8_t kind = c.len ? al_u8(&c) : SPINEL_RESET_PLATFORM;
    if (kind != SPINEL_RESET_PLATFORM && kind != SPINEL_RESET_STACK) {
        send_status(r, f->tid, SPINEL_UNIMPLEMENTED); /* there is no boot loader */
        return;
    }
    start_anew(r, SPINEL_RESET_SOFTWARE);
    send_status(r, 0, SPINEL_RESET_SOFTWARE);
}

static void forward(struct rcp *r, uint64_t now, const struct al_radio_rx *rx)
{
    uint8_t payload[256], mpdu[AL_RADIO_MPDU_MAX + FCS_LEN];
    struct al_put p = al_put(payload, sizeof payload);
    memcpy(mpdu, rx->mpdu, rx->len);
    al_put_le16(mpdu + rx->len, al_fcs(0, rx->mpdu, rx->len));
    struct spinel_rx out = {.mpdu = mpdu,
                            .len = (uint8_t)(rx->len + FCS_LEN),
                            .rssi = rx->rssi,
                            .noise = SPINEL_NOISE_NONE,
                            .flags = rx->pending ? SPINEL_RX_ACKED_PENDING : 0,
                            .channel = r->set.channel,
                            .lqi = rx->lqi,
                            .time_us = now};
    spinel_begin(&p, 0, SPINEL_IS, SPINEL_STREAM_RAW);
    spinel_rx_put(&p, &out);
    send_frame(r, &p);
}

void rcp_received(void *rcp, uint64_t now, const struct al_radio_rx *rx)
{
    struct rcp *r = rcp;
    if (!r->set.phy_enabled || !r->set.raw_stream || rx->len > AL_RADIO_MPDU_MAX) return;
    r->heard_rssi = rx->rssi;
    r->heard_lqi = rx->lqi;
    if (!r->tx.active) {
        forward(r, now, rx);
    } else if (r->held_count < RCP_HELD_MAX) {
        struct rcp_held *h = &r->held[r->held_count++];
        h->now = now;
        h->rx = *rx;
        memcpy(h->bytes, rx->mpdu, rx->len);
        h->rx.mpdu = h->bytes;
    }
}

static uint32_t transmit(struct rcp *r, uint8_t tid, struct al_cur c)
{
    struct spinel_tx tx;
    spinel_tx_read(&c, &tx);
    if (c.failed || c.pos != c.len) return SPINEL_PARSE_ERROR;
    if (tx.len < 3 + FCS_LEN || tx.channel < 11 || tx.channel > 26) return SPINEL_INVALID_ARGUMENT;
    if (!r->set.phy_enabled || !r->set.raw_stream || r->scanning) return SPINEL_INVALID_STATE;
    int8_t power = tx.has_power ? tx.power : r->set.power;
    if ((tx.channel != r->set.channel || power != r->set.power) && rcp_apply(r, tx.channel, power))
        return SPINEL_INVALID_STATE;
    if (r->port->transmit(r->port->ctx, tx.mpdu, (uint8_t)(tx.len - FCS_LEN)))
        return SPINEL_FAILURE;
    r->tx.active = true;
    r->tx.orphaned = false;
    r->tx.tid = tid;
    r->tx.seq = tx.mpdu[2];
    r->tx.wants_ack = tx.mpdu[0] & ACK_REQUEST;
    r->tx.rx_channel = tx.rx_channel >= 11 && tx.rx_channel <= 26 ? tx.rx_channel : tx.channel;
    return SPINEL_OK;
}

/* A host that does not wait for an answer before it sends again is not made to try again. */
static uint32_t transmit_in_turn(struct rcp *r, const struct spinel_frame *f)
{
    if (!r->tx.active) return transmit(r, f->tid, f->value);
    struct rcp_queued *q = &r->queue[r->queue_count];
    if (r->queue_count == RCP_QUEUE_MAX) return SPINEL_INVALID_STATE;
    if (f->value.len > sizeof q->value) return SPINEL_INVALID_ARGUMENT;
    q->tid = f->tid;
    q->len = (uint8_t)f->value.len;
    memcpy(q->value, f->value.buf, f->value.len);
    r->queue_count++;
    return SPINEL_OK;
}

static void transmit_queued(struct rcp *r)
{
    while (r->queue_count && !r->tx.active) {
        struct rcp_queued q = r->queue[0];
        memmove(r->queue, r->queue + 1, --r->queue_count * sizeof *r->queue);
        uint32_t status = transmit(r, q.tid, al_cur(q.value, q.len));
        if (status != SPINEL_OK) send_status(r, q.tid, status);
    }
}

static void answer_transmission(struct rcp *r, uint64_t now, enum al_radio_status status,
                                bool pending)
{
    static const uint32_t statuses[] = {[AL_RADIO_SENT] = SPINEL_OK,
                                        [AL_RADIO_NO_ACK] = SPINEL_NO_ACK,
                                        [AL_RADIO_CHANNEL_BUSY] = SPINEL_CCA_FAILURE,
                                        [AL_RADIO_FAILED] = SPINEL_FAILURE};
    uint8_t payload[128], ack[3 + FCS_LEN] = {ACK_FCF, 0, r->tx.seq};
    struct al_put p = al_put(payload, sizeof payload);
    if (pending) ack[0] |= ACK_PENDING;
    al_put_le16(ack + 3, al_fcs(0, ack, 3));
    struct spinel_tx_done done = {.status = statuses[status],
                                  .pending = pending,
                                  .header_updated = true,
                                  .ack = {.mpdu = ack,
                                          .len = r->tx.wants_ack ? sizeof ack : 0,
                                          .rssi = r->heard_rssi,
                                          .noise = SPINEL_NOISE_NONE,
                                          .channel = r->set.channel,
                                          .lqi = r->heard_lqi,
                                          .time_us = now}};
    r->last_status = done.status;
    spinel_begin(&p, r->tx.tid, SPINEL_IS, SPINEL_LAST_STATUS);
    spinel_tx_done_put(&p, &done);
    send_frame(r, &p);
}

void rcp_transmitted(void *rcp, uint64_t now, enum al_radio_status status, bool pending)
{
    struct rcp *r = rcp;
    if (!r->tx.active) return;
    r->tx.active = false;
    if (!r->tx.orphaned) {
        answer_transmission(r, now, status, pending);
        r->set.channel = r->tx.rx_channel;
    }
    rcp_apply(r, r->set.channel, r->set.power); /* back from a frame's own channel and power */
    for (size_t i = 0; i < r->held_count; i++) forward(r, r->held[i].now, &r->held[i].rx);
    r->held_count = 0;
    transmit_queued(r);
}

void rcp_scanned(void *rcp, uint64_t now, uint8_t channel, int8_t dbm)
{
    struct rcp *r = rcp;
    uint8_t payload[16];
    struct al_put p = al_put(payload, sizeof payload);
    bool orphaned = r->scan_orphaned;
    r->scanning = r->scan_orphaned = false;
    rcp_apply(r, r->set.channel, r->set.power);
    if (orphaned) return;
    spinel_begin(&p, 0, SPINEL_IS, SPINEL_MAC_ENERGY_RESULT);
    al_put8(&p, channel);
    al_put8(&p, (uint8_t)dbm);
    send_frame(r, &p);
    send_property(r, 0, SPINEL_MAC_SCAN_STATE);
}

void rcp_restarted(void *rcp, uint64_t now)
{
    struct rcp *r = rcp;
    r->tx.active = r->scanning = false;
    start_anew(r, SPINEL_RESET_POWER_ON);
    send_status(r, 0, SPINEL_RESET_POWER_ON);
}

static void set(struct rcp *r, const struct spinel_frame *f)
{
    struct al_cur c = f->value;
    bool raw = f->property == SPINEL_STREAM_RAW;
    uint32_t status = raw ? transmit_in_turn(r, f) : rcp_property_set(r, f->property, &c);
    if (status != SPINEL_OK)
        send_status(r, f->tid, status);
    else if (!raw) /* a transmission is answered at its end */
        send_property(r, f->tid, f->property);
}

static void change_list(struct rcp *r, const struct spinel_frame *f)
{
    uint8_t payload[32];
    struct al_put p = al_put(payload, sizeof payload);
    struct al_cur c = f->value;
    bool insert = f->command == SPINEL_INSERT;
    uint32_t status = rcp_property_list(r, f->property, &c, insert);
    if (status != SPINEL_OK) {
        send_status(r, f->tid, status);
        return;
    }
    spinel_begin(&p, f->tid, insert ? SPINEL_INSERTED : SPINEL_REMOVED, f->property);
    al_put_bytes(&p, f->value.buf, f->value.len);
    send_frame(r, &p);
}

static void take_frame(struct rcp *r, const uint8_t *payload, size_t len)
{
    struct spinel_frame f;
    int err = spinel_parse(&f, payload, len);
    if (err == AL_ERR_INVALID_ARG) return; /* another interface, or no spinel */
    if (err) {
        send_status(r, f.tid, SPINEL_PARSE_ERROR);
        return;
    }
    switch (f.command) {
    case SPINEL_NOOP:
        send_status(r, f.tid, SPINEL_OK);
        break;
    case SPINEL_RESET:
        reset(r, &f);
        break;
    case SPINEL_GET:
        send_property(r, f.tid, f.property);
        break;
    case SPINEL_SET:
        set(r, &f);
        break;
    case SPINEL_INSERT:
    case SPINEL_REMOVE:
        change_list(r, &f);
        break;
    default:
        send_status(r, f.tid, SPINEL_INVALID_COMMAND);
    }
}

void rcp_input(struct rcp *r, const uint8_t *bytes, size_t len)
{
    while (len) {
        size_t used, n = hdlc_take(&r->line, bytes, len, &used);
        if (n) take_frame(r, r->line.payload, n);
        bytes += used;
        len -= used;
    }
}
