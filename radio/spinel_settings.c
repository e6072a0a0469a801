/* Configuration of a co-processor by its differences. See spinel_settings.h. */
#include "radio/spinel_settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/err.h"

struct setting {
    uint32_t property;
    const char *name;
    bool needed; /* a co-processor that refuses it cannot be used */
};

/* In the order in which a co-processor that has just started is given them. */
static const struct setting settings[] = {
    {SPINEL_PHY_ENABLED, "PHY_ENABLED", true},
    {SPINEL_PHY_CHAN, "PHY_CHAN", true},
    {SPINEL_PHY_TX_POWER, "PHY_TX_POWER", false},
    {SPINEL_MAC_LADDR, "MAC_15_4_LADDR", true},
    {SPINEL_MAC_SADDR, "MAC_15_4_SADDR", true},
    {SPINEL_MAC_PANID, "MAC_15_4_PANID", true},
    {SPINEL_MAC_PROMISCUOUS, "MAC_PROMISCUOUS_MODE", false},
    {SPINEL_MAC_RX_ON_WHEN_IDLE, "MAC_RX_ON_WHEN_IDLE_MODE", false},
    {SPINEL_MAC_RAW_STREAM, "MAC_RAW_STREAM_ENABLED", true},
    {SPINEL_MAC_SRC_MATCH_ENABLED, "MAC_SRC_MATCH_ENABLED", false},
};
#define SETTING_COUNT (sizeof settings / sizeof *settings)
#define SRC_MATCH     (SETTING_COUNT - 1) /* MAC_SRC_MATCH_ENABLED */
_Static_assert(SETTING_COUNT <= SPINEL_SETTINGS_MAX, "there[] of struct spinel_settings");

void spinel_settings_free(struct spinel_settings *s)
{
    free(s->match);
    s->match = NULL;
    s->match_count = 0;
}

void spinel_settings_configure(struct spinel_settings *s, const struct al_radio_config *c)
{
    s->config = *c;
    s->configured = true;
}

int spinel_settings_set_pending(struct spinel_settings *s, bool extended, uint64_t addr,
                                bool pending)
{
    struct spinel_match *place = NULL;
    for (size_t i = 0; i < s->match_count; i++) {
        struct spinel_match *m = &s->match[i];
        bool used = m->wanted || m->there;
        if (used && m->extended == extended && m->addr == addr) {
            m->wanted = pending;
            m->refused = false;
            return 0;
        }
        if (!used) place = m;
    }
    if (!pending) return 0;
    if (!place) {
        struct spinel_match *more = realloc(s->match, (s->match_count + 1) * sizeof *more);
        if (!more) return AL_ERR_NO_MEM;
        s->match = more;
        place = &more[s->match_count++];
    }
    *place = (struct spinel_match){.addr = addr, .extended = extended, .wanted = true};
    return 0;
}

/* While an address does not fit, every acknowledgement has to say "pending". */
static bool match_fits(const struct spinel_settings *s)
{
    for (size_t i = 0; i < s->match_count; i++)
        if (s->match[i].wanted && s->match[i].refused) return false;
    return true;
}

static void put_wanted(const struct spinel_settings *s, uint32_t property, struct al_put *p)
{
    const struct al_radio_config *c = &s->config;
    switch (property) {
    case SPINEL_PHY_CHAN:
        al_put8(p, c->channel);
        break;
    case SPINEL_PHY_TX_POWER:
        al_put8(p, (uint8_t)c->power);
        break;
    case SPINEL_MAC_LADDR:
        spinel_put_eui64(p, c->ext_addr);
        break;
    case SPINEL_MAC_SADDR:
        al_put16(p, c->short_addr);
        break;
    case SPINEL_MAC_PANID:
        al_put16(p, c->pan_id);
        break;
    case SPINEL_MAC_PROMISCUOUS:
        al_put8(p, c->promiscuous ? 2 : 0);
        break;
    case SPINEL_MAC_RX_ON_WHEN_IDLE:
        al_put8(p, c->rx_on);
        break;
    case SPINEL_MAC_SRC_MATCH_ENABLED:
        al_put8(p, match_fits(s));
        break;
    default: /* PHY_ENABLED, MAC_RAW_STREAM */
        al_put8(p, 1);
    }
}

/* The first setting that differs, its wanted value in value; SETTING_COUNT: none. */
static size_t first_difference(const struct spinel_settings *s, uint8_t value[8], uint8_t *len)
{
    for (size_t i = 0; s->configured && i < SETTING_COUNT; i++) {
        struct al_put p = al_put(value, 8);
        uint32_t property = settings[i].property;
        if (s->there[i].unsupported) continue;
        if (property == SPINEL_MAC_RX_ON_WHEN_IDLE && !s->has_rx_on_when_idle) continue;
        put_wanted(s, property, &p);
        *len = (uint8_t)p.len;
        if (s->there[i].len != p.len || memcmp(s->there[i].value, value, p.len) != 0) return i;
    }
    return SETTING_COUNT;
}

bool spinel_settings_differ(const struct spinel_settings *s)
{
    uint8_t value[8], len;
    return first_difference(s, value, &len) < SETTING_COUNT;
}

static bool next_match(struct spinel_settings *s, uint32_t *command, uint32_t *property,
                       struct al_put *p)
{
    if (!s->configured || s->there[SRC_MATCH].unsupported) return false;
    for (size_t i = 0; i < s->match_count; i++) {
        struct spinel_match *m = &s->match[i];
        if (m->wanted == m->there || (m->wanted && m->refused)) continue;
        *command = s->asked_command = m->wanted ? SPINEL_INSERT : SPINEL_REMOVE;
        *property = m->extended ? SPINEL_MAC_SRC_MATCH_EXTENDED : SPINEL_MAC_SRC_MATCH_SHORT;
        s->asked = i;
        m->there = true; /* the place is in use until the answer */
        if (m->extended)
            spinel_put_eui64(p, m->addr);
        else
            al_put16(p, (uint16_t)m->addr);
        return true;
    }
    return false;
}

bool spinel_settings_next(struct spinel_settings *s, bool matches_only, uint32_t *command,
                          uint32_t *property, struct al_put *p)
{
    size_t i = SETTING_COUNT;
    if (!matches_only) i = first_difference(s, s->asked_value, &s->asked_len);
    if (i == SETTING_COUNT) return next_match(s, command, property, p);
    s->asked = i;
    *command = s->asked_command = SPINEL_SET;
    *property = settings[i].property;
    al_put_bytes(p, s->asked_value, s->asked_len);
    return true;
}

static bool answer_setting(struct spinel_settings *s, uint32_t status)
{
    const struct setting *what = &settings[s->asked];
    if (status == SPINEL_OK || status == SPINEL_ALREADY) {
        memcpy(s->there[s->asked].value, s->asked_value, s->asked_len);
        s->there[s->asked].len = s->asked_len;
        return true;
    }
    if (what->needed) {
        snprintf(s->error, sizeof s->error, "it refuses the setting %s: %s (%u)", what->name,
                 spinel_status_name(status), (unsigned)status);
        return false;
    }
    s->there[s->asked].unsupported = true;
    return true;
}

bool spinel_settings_answer(struct spinel_settings *s, uint32_t status)
{
    if (s->asked_command == SPINEL_SET) return answer_setting(s, status);
    struct spinel_match *m = &s->match[s->asked];
    if (s->asked_command == SPINEL_INSERT) {
        m->there = status == SPINEL_OK || status == SPINEL_ALREADY;
        m->refused = !m->there;
        return true;
    }
    m->there = false;
    for (size_t i = 0; i < s->match_count; i++) s->match[i].refused = false; /* room again */
    return true;
}

void spinel_settings_forget(struct spinel_settings *s)
{
    memset(s->there, 0, sizeof s->there);
    for (size_t i = 0; i < s->match_count; i++) s->match[i].there = s->match[i].refused = false;
}
