/* Spinel frames and values. See spinel.h. */
#include "radio/spinel.h"

#include "core/err.h"

#define HEADER_MASK 0xf0
#define HEADER      0x80
#define MPDU_MAX    127u
/* Lengths of the groups in the metadata of a frame. */
#define PHY_GROUP   10u
#define MAC_GROUP   1u
#define KEY_GROUP   5u

const char *spinel_status_name(uint32_t status)
{
    static const struct {
        uint32_t status;
        const char *name;
    } names[] = {
        {SPINEL_OK, "OK"},
        {SPINEL_FAILURE, "FAILURE"},
        {SPINEL_UNIMPLEMENTED, "UNIMPLEMENTED"},
        {SPINEL_INVALID_ARGUMENT, "INVALID_ARGUMENT"},
        {SPINEL_INVALID_STATE, "INVALID_STATE"},
        {SPINEL_INVALID_COMMAND, "INVALID_COMMAND"},
        {SPINEL_INTERNAL_ERROR, "INTERNAL_ERROR"},
        {SPINEL_PARSE_ERROR, "PARSE_ERROR"},
        {SPINEL_NOMEM, "NOMEM"},
        {SPINEL_BUSY, "BUSY"},
        {SPINEL_PROP_NOT_FOUND, "PROP_NOT_FOUND"},
        {SPINEL_DROPPED, "DROPPED"},
        {SPINEL_CMD_TOO_BIG, "CMD_TOO_BIG"},
        {SPINEL_NO_ACK, "NO_ACK"},
        {SPINEL_CCA_FAILURE, "CCA_FAILURE"},
        {SPINEL_ALREADY, "ALREADY"},
        {SPINEL_ITEM_NOT_FOUND, "ITEM_NOT_FOUND"},
        {SPINEL_RESET_POWER_ON, "reset: power on"},
        {113, "reset: external"},
        {SPINEL_RESET_SOFTWARE, "reset: software"},
        {115, "reset: fault"},
        {116, "reset: crash"},
        {117, "reset: assert"},
        {118, "reset: other"},
        {119, "reset: unknown"},
        {SPINEL_RESET_LAST, "reset: watchdog"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].status == status) return names[i].name;
    return "unknown status";
}

uint32_t spinel_uint(struct al_cur *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = al_u8(c);
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80) continue;
        if (v > UINT32_MAX) break;
        return (uint32_t)v;
    }
    c->failed = true;
    return 0;
}

bool spinel_bool(struct al_cur *c)
{
    uint8_t v = al_u8(c);
    if (v > 1) c->failed = true;
    return v == 1;
}

uint64_t spinel_eui64(struct al_cur *c)
{
    const uint8_t *p = al_take(c, 8);
    uint64_t v = 0;
    for (int i = 0; p && i < 8; i++) v = v << 8 | p[i];
    return v;
}

const uint8_t *spinel_data(struct al_cur *c, size_t *len)
{
    *len = al_le16(c);
    const uint8_t *p = al_take(c, *len);
    if (!p) *len = 0;
    return p;
}

const char *spinel_text(struct al_cur *c)
{
    const uint8_t *begin = c->buf + c->pos;
    size_t left = c->failed ? 0 : c->len - c->pos;
    const uint8_t *end = left ? memchr(begin, 0, left) : NULL;
    if (!end) {
        c->failed = true;
        return "";
    }
    al_skip(c, (size_t)(end - begin) + 1);
    return (const char *)begin;
}

void spinel_put_uint(struct al_put *p, uint32_t v)
{
    while (v >= 0x80) {
        al_put8(p, (uint8_t)(v | 0x80));
        v >>= 7;
    }
    al_put8(p, (uint8_t)v);
}

void spinel_put_eui64(struct al_put *p, uint64_t v)
{
    for (int shift = 56; shift >= 0; shift -= 8) al_put8(p, (uint8_t)(v >> shift));
}

void spinel_put_data(struct al_put *p, const void *data, size_t len)
{
    if (len > UINT16_MAX) p->failed = true;
    al_put16(p, (uint16_t)len);
    al_put_bytes(p, data, len);
}

static bool has_property(uint32_t command)
{
    return command >= SPINEL_GET && command <= SPINEL_REMOVED;
}

int spinel_parse(struct spinel_frame *f, const void *data, size_t len)
{
    struct al_cur c = al_cur(data, len);
    uint8_t header = al_u8(&c);
    f->tid = header & 0x0f;
    f->command = spinel_uint(&c);
    f->property = has_property(f->command) ? spinel_uint(&c) : 0;
    f->value = al_cur(c.buf + c.pos, c.len - c.pos);
    if (len && (header & HEADER_MASK) != HEADER) return AL_ERR_INVALID_ARG;
    return c.failed ? AL_ERR_SHORT : 0;
}

void spinel_begin(struct al_put *p, uint8_t tid, uint32_t command, uint32_t property)
{
    al_put8(p, HEADER | (tid & 0x0f));
    spinel_put_uint(p, command);
    if (has_property(command)) spinel_put_uint(p, property);
}

static bool more(const struct al_cur *c)
{
    return !c->failed && c->pos < c->len;
}

static const uint8_t *read_mpdu(struct al_cur *c, uint8_t *len)
{
    size_t n;
    const uint8_t *p = spinel_data(c, &n);
    if (n > MPDU_MAX) c->failed = true;
    *len = (uint8_t)n;
    return p;
}

void spinel_tx_read(struct al_cur *c, struct spinel_tx *tx)
{
    *tx = (struct spinel_tx){.max_backoffs = 4, .max_retries = 3, .csma = true};
    tx->mpdu = read_mpdu(c, &tx->len);
    tx->channel = tx->rx_channel = al_u8(c);
    if (more(c)) tx->max_backoffs = al_u8(c);
    if (more(c)) tx->max_retries = al_u8(c);
    if (more(c)) tx->csma = spinel_bool(c);
    if (more(c)) tx->header_updated = spinel_bool(c);
    if (more(c)) tx->is_retry = spinel_bool(c);
    if (more(c)) tx->security_processed = spinel_bool(c);
    if (more(c)) tx->delay_us = al_le32(c);
    if (more(c)) tx->delay_base_us = al_le32(c);
    if (more(c)) tx->rx_channel = al_u8(c);
    tx->has_power = more(c);
    if (tx->has_power) tx->power = (int8_t)al_u8(c);
}

void spinel_tx_put(struct al_put *p, const struct spinel_tx *tx)
{
    spinel_put_data(p, tx->mpdu, tx->len);
    al_put8(p, tx->channel);
    al_put8(p, tx->max_backoffs);
    al_put8(p, tx->max_retries);
    al_put8(p, tx->csma);
    al_put8(p, tx->header_updated);
    al_put8(p, tx->is_retry);
    al_put8(p, tx->security_processed);
    al_put32(p, tx->delay_us);
    al_put32(p, tx->delay_base_us);
    al_put8(p, tx->rx_channel);
    if (tx->has_power) al_put8(p, (uint8_t)tx->power);
}

/* A group of the metadata, which may be absent or longer than known today. */
static struct al_cur read_group(struct al_cur *c)
{
    size_t len = 0;
    const uint8_t *p = more(c) ? spinel_data(c, &len) : NULL;
    return al_cur(p ? p : c->buf, len);
}

void spinel_rx_read(struct al_cur *c, struct spinel_rx *rx)
{
    *rx = (struct spinel_rx){.noise = SPINEL_NOISE_NONE};
    rx->mpdu = read_mpdu(c, &rx->len);
    if (more(c)) rx->rssi = (int8_t)al_u8(c);
    if (more(c)) rx->noise = (int8_t)al_u8(c);
    if (more(c)) rx->flags = al_le16(c);
    struct al_cur phy = read_group(c);
    if (more(&phy)) rx->channel = al_u8(&phy);
    if (more(&phy)) rx->lqi = al_u8(&phy);
    if (more(&phy)) rx->time_us = al_le64(&phy);
    struct al_cur mac = read_group(c);
    if (more(&mac)) rx->error = spinel_uint(&mac);
    read_group(c); /* key of a secured acknowledgement */
}

void spinel_rx_put(struct al_put *p, const struct spinel_rx *rx)
{
    static const uint8_t no_key[KEY_GROUP] = {0};
    spinel_put_data(p, rx->mpdu, rx->len);
    al_put8(p, (uint8_t)rx->rssi);
    al_put8(p, (uint8_t)rx->noise);
    al_put16(p, rx->flags);
    al_put16(p, PHY_GROUP);
    al_put8(p, rx->channel);
    al_put8(p, rx->lqi);
    al_put64(p, rx->time_us);
    al_put16(p, MAC_GROUP);
    al_put8(p, (uint8_t)rx->error);
    spinel_put_data(p, no_key, sizeof no_key);
}

void spinel_tx_done_read(struct al_cur *c, struct spinel_tx_done *done)
{
    *done = (struct spinel_tx_done){.ack.noise = SPINEL_NOISE_NONE};
    done->status = spinel_uint(c);
    if (more(c)) done->pending = spinel_bool(c);
    if (more(c)) done->header_updated = spinel_bool(c);
    if (more(c) && done->status == SPINEL_OK) spinel_rx_read(c, &done->ack);
}

void spinel_tx_done_put(struct al_put *p, const struct spinel_tx_done *done)
{
    spinel_put_uint(p, done->status);
    al_put8(p, done->pending);
    al_put8(p, done->header_updated);
    if (done->status == SPINEL_OK) spinel_rx_put(p, &done->ack);
}
