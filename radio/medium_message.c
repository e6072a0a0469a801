#include "radio/medium_message.h"

#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "zigbee/put.h"

#define MAGIC     "airlift medium"
#define MAGIC_LEN (sizeof MAGIC - 1)
#define TEXT_MAX  200 /* octets of an ERROR */

#define FLAG_RX_ON       1u /* CONFIGURE */
#define FLAG_PROMISCUOUS 2u
#define FLAG_PENDING_ALL 4u
#define FLAG_EXTENDED    1u /* SET_PENDING */
#define FLAG_PENDING     2u
#define FLAG_FAST        1u /* ATTACHED */
#define FLAG_ACK_PENDING 1u /* RECEIVED, TRANSMITTED */

const char *medium_message_name(unsigned type)
{
    switch (type) {
    case MEDIUM_ATTACH:
        return "ATTACH";
    case MEDIUM_CONFIGURE:
        return "CONFIGURE";
    case MEDIUM_TRANSMIT:
        return "TRANSMIT";
    case MEDIUM_SET_PENDING:
        return "SET_PENDING";
    case MEDIUM_SCAN:
        return "SCAN";
    case MEDIUM_WAITING:
        return "WAITING";
    case MEDIUM_HELLO:
        return "HELLO";
    case MEDIUM_ATTACHED_AS:
        return "ATTACHED";
    case MEDIUM_RECEIVED:
        return "RECEIVED";
    case MEDIUM_TRANSMITTED:
        return "TRANSMITTED";
    case MEDIUM_SCANNED:
        return "SCANNED";
    case MEDIUM_TIME:
        return "TIME";
    case MEDIUM_ERROR:
        return "ERROR";
    default:
        return "unknown";
    }
}

/* --- parsing: each gives NULL, or what is wrong with a value --- */

/* All that is left, as text behind which a NUL stands. */
static const char *rest_text(struct al_cur *c, struct medium_message *m, size_t max)
{
    size_t len = c->len - c->pos;
    if (c->failed) return NULL;
    if (len > max) return "the text is too long";
    memcpy(m->data, al_take(c, len), len);
    for (size_t i = 0; i < len; i++)
        if (m->data[i] < 0x20 || m->data[i] > 0x7e) return "the text is not printable ASCII";
    m->len = (uint8_t)len;
    return NULL;
}

static const char *rest_mpdu(struct al_cur *c, struct medium_message *m)
{
    size_t len = c->len - c->pos;
    if (c->failed) return NULL;
    if (len < 3 || len > AL_RADIO_MPDU_MAX)
        return "the MPDU has not 3 to 125 octets (it comes without FCS)";
    memcpy(m->data, al_take(c, len), len);
    m->len = (uint8_t)len;
    return NULL;
}

static const char *flags(uint8_t given, unsigned known)
{
    return given & ~known ? "unknown flags" : NULL;
}

static const char *channel(uint8_t number)
{
    return number < 11 || number > 26 ? "the channel is not 11 to 26" : NULL;
}

static const char *parse_configure(struct al_cur *c, struct medium_message *m)
{
    m->config.channel = al_u8(c);
    m->config.power = (int8_t)al_u8(c);
    m->config.pan_id = al_le16(c);
    m->config.short_addr = al_le16(c);
    m->config.ext_addr = al_le64(c);
    uint8_t f = al_u8(c);
    m->config.rx_on = f & FLAG_RX_ON;
    m->config.promiscuous = f & FLAG_PROMISCUOUS;
    m->pending = f & FLAG_PENDING_ALL;
    const char *why = channel(m->config.channel);
    return why ? why : flags(f, FLAG_RX_ON | FLAG_PROMISCUOUS | FLAG_PENDING_ALL);
}

static const char *parse_set_pending(struct al_cur *c, struct medium_message *m)
{
    uint8_t f = al_u8(c);
    m->eui64 = al_le64(c);
    m->extended = f & FLAG_EXTENDED;
    m->pending = f & FLAG_PENDING;
    return flags(f, FLAG_EXTENDED | FLAG_PENDING);
}

static const char *parse_scan(struct al_cur *c, struct medium_message *m)
{
    m->channel = al_u8(c);
    m->number = al_le32(c);
    return m->number == 0 ? "a scan takes time" : channel(m->channel);
}

static const char *parse_hello(struct al_cur *c, struct medium_message *m)
{
    const uint8_t *magic = al_take(c, MAGIC_LEN);
    if (magic && memcmp(magic, MAGIC, MAGIC_LEN) != 0) return "it does not say \"" MAGIC "\"";
    m->version = al_u8(c);
    return NULL;
}

static const char *parse_attached(struct al_cur *c, struct medium_message *m)
{
    m->eui64 = al_le64(c);
    uint8_t f = al_u8(c);
    m->fast = f & FLAG_FAST;
    m->number = al_le32(c);
    m->time = al_le64(c);
    return m->number == 0 ? "time stands still" : flags(f, FLAG_FAST);
}

static const char *parse_received(struct al_cur *c, struct medium_message *m)
{
    m->time = al_le64(c);
    m->dbm = (int8_t)al_u8(c);
    m->lqi = al_u8(c);
    uint8_t f = al_u8(c);
    m->pending = f & FLAG_ACK_PENDING;
    const char *why = flags(f, FLAG_ACK_PENDING);
    return why ? why : rest_mpdu(c, m);
}

static const char *parse_transmitted(struct al_cur *c, struct medium_message *m)
{
    m->time = al_le64(c);
    m->status = al_u8(c);
    uint8_t f = al_u8(c);
    m->pending = f & FLAG_ACK_PENDING;
    return m->status > AL_RADIO_FAILED ? "unknown status" : flags(f, FLAG_ACK_PENDING);
}

static const char *parse_fields(struct al_cur *c, struct medium_message *m)
{
    switch (m->type) {
    case MEDIUM_ATTACH:
        m->version = al_u8(c);
        m->eui64 = al_le64(c);
        return rest_text(c, m, MEDIUM_NAME_MAX);
    case MEDIUM_CONFIGURE:
        return parse_configure(c, m);
    case MEDIUM_TRANSMIT:
        return rest_mpdu(c, m);
    case MEDIUM_SET_PENDING:
        return parse_set_pending(c, m);
    case MEDIUM_SCAN:
        return parse_scan(c, m);
    case MEDIUM_WAITING:
        m->time = al_le64(c);
        m->number = al_le32(c);
        return NULL;
    case MEDIUM_HELLO:
        return parse_hello(c, m);
    case MEDIUM_ATTACHED_AS:
        return parse_attached(c, m);
    case MEDIUM_RECEIVED:
        return parse_received(c, m);
    case MEDIUM_TRANSMITTED:
        return parse_transmitted(c, m);
    case MEDIUM_SCANNED:
        m->time = al_le64(c);
        m->channel = al_u8(c);
        m->dbm = (int8_t)al_u8(c);
        return channel(m->channel);
    case MEDIUM_TIME:
        m->time = al_le64(c);
        return NULL;
    case MEDIUM_ERROR:
        return rest_text(c, m, TEXT_MAX);
    }
    return "there is no such message";
}

bool medium_message_parse(struct medium_message *m, const void *packet, size_t len, char *why,
                          size_t why_size)
{
    struct al_cur c = al_cur(packet, len);
    memset(m, 0, sizeof *m);
    uint8_t type = al_u8(&c);
    m->type = type;
    const char *wrong = parse_fields(&c, m);
    if (c.failed)
        snprintf(why, why_size, "%s (0x%02x): %zu octets are too few", medium_message_name(type),
                 type, len);
    else if (wrong)
        snprintf(why, why_size, "%s (0x%02x): %s", medium_message_name(type), type, wrong);
    else if (c.pos != len)
        snprintf(why, why_size, "%s (0x%02x): %zu octets too many", medium_message_name(type), type,
                 len - c.pos);
    else
        return true;
    return false;
}

/* --- building --- */

static void build_configure(const struct medium_message *m, struct al_put *p)
{
    al_put8(p, m->config.channel);
    al_put8(p, (uint8_t)m->config.power);
    al_put16(p, m->config.pan_id);
    al_put16(p, m->config.short_addr);
    al_put64(p, m->config.ext_addr);
    al_put8(p, (uint8_t)((m->config.rx_on ? FLAG_RX_ON : 0) |
                         (m->config.promiscuous ? FLAG_PROMISCUOUS : 0) |
                         (m->pending ? FLAG_PENDING_ALL : 0)));
}

static void build_from_medium(const struct medium_message *m, struct al_put *p)
{
    switch (m->type) {
    case MEDIUM_HELLO:
        al_put_bytes(p, MAGIC, MAGIC_LEN);
        al_put8(p, m->version);
        break;
    case MEDIUM_ATTACHED_AS:
        al_put64(p, m->eui64);
        al_put8(p, m->fast ? FLAG_FAST : 0);
        al_put32(p, m->number);
        al_put64(p, m->time);
        break;
    case MEDIUM_RECEIVED:
        al_put64(p, m->time);
        al_put8(p, (uint8_t)m->dbm);
        al_put8(p, m->lqi);
        al_put8(p, m->pending ? FLAG_ACK_PENDING : 0);
        al_put_bytes(p, m->data, m->len);
        break;
    case MEDIUM_TRANSMITTED:
        al_put64(p, m->time);
        al_put8(p, m->status);
        al_put8(p, m->pending ? FLAG_ACK_PENDING : 0);
        break;
    case MEDIUM_SCANNED:
        al_put64(p, m->time);
        al_put8(p, m->channel);
        al_put8(p, (uint8_t)m->dbm);
        break;
    case MEDIUM_TIME:
        al_put64(p, m->time);
        break;
    default:
        al_put_bytes(p, m->data, m->len);
        break;
    }
}

size_t medium_message_build(const struct medium_message *m, uint8_t packet[MEDIUM_MESSAGE_MAX])
{
    struct al_put p = al_put(packet, MEDIUM_MESSAGE_MAX);
    al_put8(&p, (uint8_t)m->type);
    switch (m->type) {
    case MEDIUM_ATTACH:
        al_put8(&p, m->version);
        al_put64(&p, m->eui64);
        al_put_bytes(&p, m->data, m->len);
        break;
    case MEDIUM_CONFIGURE:
        build_configure(m, &p);
        break;
    case MEDIUM_TRANSMIT:
        al_put_bytes(&p, m->data, m->len);
        break;
    case MEDIUM_SET_PENDING:
        al_put8(&p, (uint8_t)((m->extended ? FLAG_EXTENDED : 0) | (m->pending ? FLAG_PENDING : 0)));
        al_put64(&p, m->eui64);
        break;
    case MEDIUM_SCAN:
        al_put8(&p, m->channel);
        al_put32(&p, m->number);
        break;
    case MEDIUM_WAITING:
        al_put64(&p, m->time);
        al_put32(&p, m->number);
        break;
    default:
        build_from_medium(m, &p);
        break;
    }
    return p.len;
}
