/* The first questions to a co-processor. See spinel_probe.h. */
#include "radio/spinel_probe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define PROTOCOL_MAJOR 4u

/* One question: how its answer is taken, and whether a co-processor may do without. */
struct question {
    uint32_t property;
    const char *name;
    bool (*take)(struct spinel_probe *p, struct al_cur *c);
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct spinel_probe *p, const char *format,
                                                         ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(p->error, sizeof p->error, format, args);
    va_end(args);
    return false;
}

static bool take_protocol(struct spinel_probe *p, struct al_cur *c)
{
    uint32_t major = spinel_uint(c), minor = spinel_uint(c);
    if (c->failed || major == PROTOCOL_MAJOR) return true;
    return refuse(p, "it speaks spinel protocol %" PRIu32 ".%" PRIu32 ", expected %u.x", major,
                  minor, PROTOCOL_MAJOR);
}

static bool take_version(struct spinel_probe *p, struct al_cur *c)
{
    snprintf(p->version, sizeof p->version, "%s", spinel_text(c));
    for (char *s = p->version; *s; s++)
        if ((unsigned char)*s < ' ' || (unsigned char)*s > '~') *s = '?';
    return true;
}

static bool take_caps(struct spinel_probe *p, struct al_cur *c)
{
    while (!c->failed && c->pos < c->len) {
        uint32_t cap = spinel_uint(c);
        p->config_radio |= cap == SPINEL_CAP_CONFIG_RADIO;
        p->mac_raw |= cap == SPINEL_CAP_MAC_RAW;
    }
    if (c->failed || (p->config_radio && p->mac_raw)) return true;
    return refuse(p,
                  "its firmware '%s' is not that of a radio co-processor: the capability%s%s "
                  "missing. Flash RCP firmware (OpenThread's ot-rcp, ESP-IDF's ot_rcp example)",
                  p->version, p->config_radio ? "" : " CONFIG_RADIO (34)",
                  p->mac_raw        ? " is"
                  : p->config_radio ? " MAC_RAW (513) is"
                                    : ", MAC_RAW (513) are");
}

static bool take_api(struct spinel_probe *p, struct al_cur *c)
{
    uint32_t api = spinel_uint(c);
    if (c->failed || api >= SPINEL_API_OLDEST) return true;
    return refuse(p,
                  "its firmware '%s' is too old: RCP API version %" PRIu32
                  ", expected at least %u. "
                  "Flash newer RCP firmware",
                  p->version, api, SPINEL_API_OLDEST);
}

static bool take_min_host_api(struct spinel_probe *p, struct al_cur *c)
{
    uint32_t wanted = spinel_uint(c);
    if (c->failed || wanted <= SPINEL_API_OURS) return true;
    return refuse(p,
                  "its firmware '%s' is too new: it wants a host of RCP API version %" PRIu32
                  ", this one has %u. Flash older RCP firmware or take a newer airlift",
                  p->version, wanted, SPINEL_API_OURS);
}

static bool take_radio_caps(struct spinel_probe *p, struct al_cur *c)
{
    uint32_t needed = SPINEL_RADIO_ACK_TIMEOUT | SPINEL_RADIO_RETRIES | SPINEL_RADIO_CSMA;
    p->radio_caps = spinel_uint(c);
    uint32_t missing = needed & ~p->radio_caps;
    if (c->failed || !missing) return true;
    return refuse(p,
                  "its radio lacks%s%s%s (RADIO_CAPS 0x%" PRIx32 "): such firmware is not usable",
                  missing & SPINEL_RADIO_ACK_TIMEOUT ? " acknowledgement time-outs" : "",
                  missing & SPINEL_RADIO_RETRIES ? " retransmissions" : "",
                  missing & SPINEL_RADIO_CSMA ? " CSMA-CA" : "", p->radio_caps);
}

static bool take_hwaddr(struct spinel_probe *p, struct al_cur *c)
{
    p->eui64 = spinel_eui64(c);
    return true;
}

static const struct question questions[] = {
    {SPINEL_PROTOCOL_VERSION, "PROTOCOL_VERSION", take_protocol},
    {SPINEL_NCP_VERSION, "NCP_VERSION", take_version},
    {SPINEL_CAPS, "CAPS", take_caps},
    {SPINEL_RCP_API_VERSION, "RCP_API_VERSION", take_api},
    {SPINEL_RCP_MIN_HOST_API, "RCP_MIN_HOST_API_VERSION", take_min_host_api},
    {SPINEL_RADIO_CAPS, "RADIO_CAPS", take_radio_caps},
    {SPINEL_HWADDR, "HWADDR", take_hwaddr},
};
#define QUESTION_COUNT (sizeof questions / sizeof *questions)

bool spinel_probe_next(const struct spinel_probe *p, uint32_t *property)
{
    if (p->step >= QUESTION_COUNT) return false;
    *property = questions[p->step].property;
    return true;
}

bool spinel_probe_answer(struct spinel_probe *p, const struct spinel_frame *answer)
{
    const struct question *q = &questions[p->step++];
    struct al_cur c = answer->value;
    if (answer->property == SPINEL_LAST_STATUS) {
        uint32_t status = spinel_uint(&c);
        if (q->property == SPINEL_RCP_API_VERSION)
            return refuse(p,
                          "its firmware '%s' is too old: it knows no RCP API version (%s). "
                          "Flash newer RCP firmware",
                          p->version, spinel_status_name(status));
        if (q->property == SPINEL_RCP_MIN_HOST_API) return true; /* came with API version 9 */
        return refuse(p, "it refuses to tell %s: %s (%" PRIu32 ")", q->name,
                      spinel_status_name(status), status);
    }
    if (!q->take(p, &c)) return false;
    if (c.failed) return refuse(p, "its %s cannot be read: %zu bytes", q->name, c.len);
    return true;
}
