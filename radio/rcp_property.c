/* The properties of the virtual co-processor. See rcp.h. */
#include "core/err.h"
#include "host/version.h"
#include "radio/medium.h"
#include "radio/rcp.h"

#define FIRST_CHANNEL 11
#define LAST_CHANNEL  26
#define ALL_CAPS                                                                  \
    (SPINEL_RADIO_ACK_TIMEOUT | SPINEL_RADIO_ENERGY_SCAN | SPINEL_RADIO_RETRIES | \
     SPINEL_RADIO_CSMA | SPINEL_RADIO_RX_ON_WHEN_IDLE)

/* A property that is a field of struct rcp_settings; type as in spinel.h. */
struct field {
    uint32_t property;
    char type;
    size_t offset;
};
#define FIELD(property, type, name)                         \
    {                                                       \
        property, type, offsetof(struct rcp_settings, name) \
    }
static const struct field fields[] = {
    FIELD(SPINEL_PHY_ENABLED, 'b', phy_enabled),
    FIELD(SPINEL_PHY_CHAN, 'C', channel),
    FIELD(SPINEL_PHY_TX_POWER, 'C', power),
    FIELD(SPINEL_MAC_LADDR, 'E', laddr),
    FIELD(SPINEL_MAC_SADDR, 'S', saddr),
    FIELD(SPINEL_MAC_PANID, 'S', panid),
    FIELD(SPINEL_MAC_RAW_STREAM, 'b', raw_stream),
    FIELD(SPINEL_MAC_PROMISCUOUS, 'C', promiscuous),
    FIELD(SPINEL_MAC_RX_ON_WHEN_IDLE, 'b', rx_on_when_idle),
    FIELD(SPINEL_MAC_SRC_MATCH_ENABLED, 'b', match_enabled),
    FIELD(SPINEL_MAC_SCAN_PERIOD, 'S', scan_ms),
};

static const struct field *field_of(uint32_t property)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].property == property) return &fields[i];
    return NULL;
}

/* Properties that a host only reads, in numbers. */
static bool get_number(uint32_t property, struct al_put *p)
{
    static const struct {
        uint32_t property, value;
    } numbers[] = {
        {SPINEL_INTERFACE_TYPE, 3},        {SPINEL_VENDOR_ID, 0},
        {SPINEL_RCP_API_VERSION, RCP_API}, {SPINEL_RCP_MIN_HOST_API, RCP_MIN_HOST},
        {SPINEL_RADIO_CAPS, ALL_CAPS},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i].property != property) continue;
        spinel_put_uint(p, numbers[i].value);
        return true;
    }
    return false;
}

static void get_caps(struct al_put *p)
{
    static const uint32_t caps[] = {SPINEL_CAP_2450MHZ_OQPSK, SPINEL_CAP_CONFIG_RADIO,
                                    SPINEL_CAP_RCP_API_VERSION, SPINEL_CAP_RCP_MIN_HOST_API,
                                    SPINEL_CAP_MAC_RAW};
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) spinel_put_uint(p, caps[i]);
}

static void get_match(const struct rcp *r, bool extended, struct al_put *p)
{
    for (size_t i = 0; i < r->match_count; i++) {
        if (r->match[i].extended != extended) continue;
        if (extended)
            spinel_put_eui64(p, r->match[i].addr);
        else
            al_put16(p, (uint16_t)r->match[i].addr);
    }
}

static void get_field(const struct rcp *r, const struct field *f, struct al_put *p)
{
    const void *at = (const char *)&r->set + f->offset;
    uint16_t u16;
    uint64_t u64;
    switch (f->type) {
    case 'S':
        memcpy(&u16, at, sizeof u16);
        al_put16(p, u16);
        break;
    case 'E':
        memcpy(&u64, at, sizeof u64);
        spinel_put_eui64(p, u64);
        break;
    default:
        al_put8(p, *(const uint8_t *)at);
    }
}

bool rcp_property_get(const struct rcp *r, uint32_t property, struct al_put *p)
{
    static const char version[] = "AIRLIFT/" AIRLIFT_VERSION "; VIRTUAL";
    const struct field *f = field_of(property);
    if (f) {
        get_field(r, f, p);
        return true;
    }
    switch (property) {
    case SPINEL_LAST_STATUS:
        spinel_put_uint(p, r->last_status);
        return true;
    case SPINEL_PROTOCOL_VERSION:
        al_put_bytes(p, "\x04\x03", 2);
        return true;
    case SPINEL_NCP_VERSION:
        al_put_bytes(p, version, sizeof version);
        return true;
    case SPINEL_CAPS:
        get_caps(p);
        return true;
    case SPINEL_HWADDR:
        spinel_put_eui64(p, r->eui64);
        return true;
    case SPINEL_PHY_CHAN_SUPPORTED:
        for (uint8_t c = FIRST_CHANNEL; c <= LAST_CHANNEL; c++) al_put8(p, c);
        return true;
    case SPINEL_PHY_RSSI: /* between frames */
        al_put8(p, (uint8_t)(int8_t)MEDIUM_NOISE_DBM);
        return true;
    case SPINEL_PHY_RX_SENSITIVITY:
        al_put8(p, (uint8_t)(int8_t)MEDIUM_SENSITIVITY_DBM);
        return true;
    case SPINEL_MAC_SCAN_STATE:
        al_put8(p, r->scanning && !r->scan_orphaned ? SPINEL_SCAN_ENERGY : SPINEL_SCAN_IDLE);
        return true;
    case SPINEL_MAC_SCAN_MASK:
        al_put_bytes(p, r->set.scan_mask, r->set.scan_count);
        return true;
    case SPINEL_MAC_SRC_MATCH_SHORT:
    case SPINEL_MAC_SRC_MATCH_EXTENDED:
        get_match(r, property == SPINEL_MAC_SRC_MATCH_EXTENDED, p);
        return true;
    default:
        return get_number(property, p);
    }
}

/* Does the radio listen? Raw stream off is an idle radio. */
static bool listens(const struct rcp_settings *s)
{
    return s->phy_enabled && s->raw_stream && s->rx_on_when_idle;
}

int rcp_apply(struct rcp *r, uint8_t channel, int8_t power)
{
    struct al_radio_config c = {.channel = channel,
                                .power = power,
                                .pan_id = r->set.panid,
                                .short_addr = r->set.saddr,
                                .ext_addr = r->set.laddr,
                                .rx_on = listens(&r->set),
                                .promiscuous = r->set.promiscuous != 0};
    r->pending_for_all(r->ctx, !r->set.match_enabled);
    if ((r->tx.active && r->tx.orphaned) || r->scan_orphaned) return 0;
    return r->port->configure(r->port->ctx, &c);
}

static uint32_t status_of(int err)
{
    return err == 0                      ? SPINEL_OK
           : err == AL_ERR_INVALID_ARG   ? SPINEL_INVALID_ARGUMENT
           : err == AL_ERR_INVALID_STATE ? SPINEL_INVALID_STATE
           : err == AL_ERR_NO_MEM        ? SPINEL_NOMEM
           : err == AL_ERR_NOT_SUPPORTED ? SPINEL_UNIMPLEMENTED
                                         : SPINEL_FAILURE;
}

static void set_field(struct rcp_settings *s, const struct field *f, struct al_cur *c)
{
    void *at = (char *)s + f->offset;
    if (f->type == 'S') {
        uint16_t v = al_le16(c);
        memcpy(at, &v, sizeof v);
    } else if (f->type == 'E') {
        uint64_t v = spinel_eui64(c);
        memcpy(at, &v, sizeof v);
    } else if (f->type == 'b') {
        *(bool *)at = spinel_bool(c);
    } else {
        *(uint8_t *)at = al_u8(c);
    }
}

static uint32_t set_and_apply(struct rcp *r, const struct field *f, struct al_cur *c)
{
    struct rcp_settings before = r->set;
    set_field(&r->set, f, c);
    uint32_t status = SPINEL_OK;
    if (c->failed || c->pos != c->len)
        status = SPINEL_PARSE_ERROR;
    else if (r->set.channel < FIRST_CHANNEL || r->set.channel > LAST_CHANNEL ||
             r->set.promiscuous > 2)
        status = SPINEL_INVALID_ARGUMENT;
    else
        status = status_of(rcp_apply(r, r->set.channel, r->set.power));
    if (status != SPINEL_OK) r->set = before;
    return status;
}

static uint32_t set_scan_mask(struct rcp *r, struct al_cur *c)
{
    size_t n = c->len - c->pos;
    const uint8_t *channels = al_take(c, n);
    if (n == 0 || n > sizeof r->set.scan_mask) return SPINEL_INVALID_ARGUMENT;
    for (size_t i = 0; i < n; i++)
        if (channels[i] < FIRST_CHANNEL || channels[i] > LAST_CHANNEL)
            return SPINEL_INVALID_ARGUMENT;
    memcpy(r->set.scan_mask, channels, n);
    r->set.scan_count = (uint8_t)n;
    return SPINEL_OK;
}

/* One channel at a time, as OpenThread's co-processors. */
static uint32_t set_scan_state(struct rcp *r, struct al_cur *c)
{
    uint8_t state = al_u8(c);
    if (c->failed || c->pos != c->len) return SPINEL_PARSE_ERROR;
    if (state == SPINEL_SCAN_IDLE) { /* a result that is still to come concerns nobody */
        r->scan_orphaned = r->scanning;
        return SPINEL_OK;
    }
    if (r->scanning || r->tx.active) return SPINEL_INVALID_STATE;
    if (state != SPINEL_SCAN_ENERGY || r->set.scan_count != 1) return SPINEL_INVALID_ARGUMENT;
    if (!r->set.phy_enabled) return SPINEL_INVALID_STATE;
    uint32_t us = r->set.scan_ms ? r->set.scan_ms * 1000u : 1000u;
    int err = r->port->energy_scan(r->port->ctx, r->set.scan_mask[0], us);
    r->scanning = err == 0;
    return status_of(err);
}

static uint64_t read_address(struct al_cur *c, bool extended)
{
    return extended ? spinel_eui64(c) : al_le16(c);
}

static size_t find_match(const struct rcp *r, bool extended, uint64_t addr)
{
    size_t i = 0;
    while (i < r->match_count && (r->match[i].extended != extended || r->match[i].addr != addr))
        i++;
    return i;
}

static uint32_t insert_match(struct rcp *r, bool extended, uint64_t addr)
{
    if (find_match(r, extended, addr) < r->match_count) return SPINEL_ALREADY;
    if (r->match_count == RCP_MATCH_MAX) return SPINEL_NOMEM;
    int err = r->port->set_pending(r->port->ctx, extended, addr, true);
    if (err) return status_of(err);
    r->match[r->match_count].extended = extended;
    r->match[r->match_count++].addr = addr;
    return SPINEL_OK;
}

static void remove_match(struct rcp *r, size_t i)
{
    r->port->set_pending(r->port->ctx, r->match[i].extended, r->match[i].addr, false);
    r->match[i] = r->match[--r->match_count];
}

uint32_t rcp_property_list(struct rcp *r, uint32_t property, struct al_cur *c, bool insert)
{
    bool extended = property == SPINEL_MAC_SRC_MATCH_EXTENDED;
    if (!extended && property != SPINEL_MAC_SRC_MATCH_SHORT) return SPINEL_PROP_NOT_FOUND;
    uint64_t addr = read_address(c, extended);
    if (c->failed || c->pos != c->len) return SPINEL_PARSE_ERROR;
    if (insert) return insert_match(r, extended, addr);
    size_t i = find_match(r, extended, addr);
    if (i == r->match_count) return SPINEL_ITEM_NOT_FOUND;
    remove_match(r, i);
    return SPINEL_OK;
}

static uint32_t set_match(struct rcp *r, bool extended, struct al_cur *c)
{
    size_t left = c->len - c->pos, size = extended ? 8 : 2;
    if (left % size) return SPINEL_PARSE_ERROR;
    if (left / size > RCP_MATCH_MAX) return SPINEL_NOMEM;
    for (size_t i = r->match_count; i-- > 0;)
        if (r->match[i].extended == extended) remove_match(r, i);
    uint32_t status = SPINEL_OK;
    while (c->pos < c->len && (status == SPINEL_OK || status == SPINEL_ALREADY))
        status = insert_match(r, extended, read_address(c, extended));
    return status == SPINEL_ALREADY ? SPINEL_OK : status;
}

uint32_t rcp_property_set(struct rcp *r, uint32_t property, struct al_cur *c)
{
    const struct field *f = field_of(property);
    if (f) return set_and_apply(r, f, c);
    switch (property) {
    case SPINEL_MAC_SCAN_MASK:
        return set_scan_mask(r, c);
    case SPINEL_MAC_SCAN_STATE:
        return set_scan_state(r, c);
    case SPINEL_MAC_SRC_MATCH_SHORT:
    case SPINEL_MAC_SRC_MATCH_EXTENDED:
        return set_match(r, property == SPINEL_MAC_SRC_MATCH_EXTENDED, c);
    default:
        return SPINEL_PROP_NOT_FOUND;
    }
}

void rcp_forget_settings(struct rcp *r)
{
    while (r->match_count) remove_match(r, r->match_count - 1);
    r->set = (struct rcp_settings){.channel = FIRST_CHANNEL,
                                   .rx_on_when_idle = true,
                                   .laddr = r->eui64,
                                   .saddr = 0xffff,
                                   .panid = 0xffff,
                                   .scan_ms = 100};
    rcp_apply(r, r->set.channel, r->set.power);
}
