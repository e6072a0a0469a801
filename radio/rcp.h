/* The virtual radio co-processor: spinel's other side, as an engine. A host's bytes come
 * in and go out; the radio is any struct al_radio, as a rule a port on the medium.
 *
 * As OpenThread's co-processors: one transmission at a time, answered when it is
 * finished, but a few that come meanwhile wait where those refuse them; source match off means that
 * every data request is acknowledged with "pending"; what a host must see in order comes in order:
 * frames that are heard while a transmission is under way may be a reaction to it (its
 * acknowledgement can get lost), so they are handed over behind its end. */
#ifndef RADIO_RCP_H
#define RADIO_RCP_H

#include "radio/hdlc.h"
#include "radio/radio.h"
#include "radio/spinel.h"

#define RCP_MATCH_MAX 200u
#define RCP_HELD_MAX  32u
#define RCP_QUEUE_MAX 4u
#define RCP_API       11u /* RCP_API_VERSION */
#define RCP_MIN_HOST  4u  /* RCP_MIN_HOST_API_VERSION */

/* What the host sets; a reset makes it new. */
struct rcp_settings {
    bool phy_enabled, raw_stream, rx_on_when_idle, match_enabled;
    uint8_t channel, promiscuous;
    int8_t power;
    uint64_t laddr;
    uint16_t saddr, panid;
    uint8_t scan_mask[16], scan_count;
    uint16_t scan_ms;
};

struct rcp_held {
    uint64_t now;
    struct al_radio_rx rx; /* its mpdu is bytes */
    uint8_t bytes[AL_RADIO_MPDU_MAX];
};

struct rcp_queued {
    uint8_t tid, len;
    uint8_t value[AL_RADIO_MPDU_MAX + 64]; /* of STREAM_RAW */
};

struct rcp {
    /* Filled by the owner before rcp_init(). */
    const struct al_radio *port;
    uint64_t eui64; /* factory address */
    void (*pending_for_all)(void *ctx, bool on);
    void (*send)(void *ctx, const uint8_t *bytes, size_t len); /* to the host */
    void *ctx;

    /* Private. */
    struct rcp_settings set;
    struct hdlc_decoder line;
    uint32_t last_status;
    struct {
        bool extended;
        uint64_t addr;
    } match[RCP_MATCH_MAX];
    size_t match_count;
    struct {
        bool active, orphaned; /* orphaned: a reset came in between, nobody waits */
        uint8_t tid, seq, rx_channel;
        bool wants_ack;
    } tx;
    struct rcp_queued queue[RCP_QUEUE_MAX]; /* transmissions that wait for the one under way */
    size_t queue_count;
    bool scanning, scan_orphaned;
    int8_t heard_rssi; /* of the last frame; stand in for those of acknowledgements */
    uint8_t heard_lqi;
    struct rcp_held held[RCP_HELD_MAX];
    size_t held_count;
};

void rcp_init(struct rcp *r);

/* Another host: everything as after power on, nothing said. */
void rcp_new_host(struct rcp *r);
void rcp_input(struct rcp *r, const uint8_t *bytes, size_t len);

/* The callbacks of struct radio_events; rcp: a struct rcp. */
void rcp_received(void *rcp, uint64_t now, const struct al_radio_rx *rx);
void rcp_transmitted(void *rcp, uint64_t now, enum al_radio_status status, bool pending);
void rcp_scanned(void *rcp, uint64_t now, uint8_t channel, int8_t dbm);
/* The radio underneath started anew: so does this. */
void rcp_restarted(void *rcp, uint64_t now);

/* For rcp_property.c and rcp.c. Writes the value; false: there is no such property. */
bool rcp_property_get(const struct rcp *r, uint32_t property, struct al_put *p);
/* enum spinel_status. What the host set is then in force at the port, or nothing changed
 * (of a list that does not fit: the first ones are there). */
uint32_t rcp_property_set(struct rcp *r, uint32_t property, struct al_cur *c);
/* INSERT and REMOVE. */
uint32_t rcp_property_list(struct rcp *r, uint32_t property, struct al_cur *c, bool insert);
/* Gives the port what is set, but this channel and power; behind the end of an orphan. */
int rcp_apply(struct rcp *r, uint8_t channel, int8_t power);
void rcp_forget_settings(struct rcp *r);

#endif
