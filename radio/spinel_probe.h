/* What a host asks a co-processor first, and what it must be for this project: spinel 4,
 * an RCP (CONFIG_RADIO, MAC_RAW) with an API that both sides know, and a radio that
 * acknowledges, retries and senses by itself. */
#ifndef RADIO_SPINEL_PROBE_H
#define RADIO_SPINEL_PROBE_H

#include "radio/spinel.h"

/* The RCP API versions that this host speaks. */
#define SPINEL_API_OLDEST 4u
#define SPINEL_API_OURS   11u

/* Zeroed: nothing is known. */
struct spinel_probe {
    unsigned step;
    char version[96];           /* "OPENTHREAD/...; ESP32H2; ..." */
    uint32_t radio_caps;        /* SPINEL_RADIO_* */
    uint64_t eui64;             /* factory address */
    bool config_radio, mac_raw; /* in CAPS */
    char error[256];            /* what is missing; empty: nothing so far */
};

/* The property to ask for next; false: everything is known. */
bool spinel_probe_next(const struct spinel_probe *p, uint32_t *property);

/* The answer to that: the property, or LAST_STATUS. false: not the co-processor that is
 * needed; error says why. */
bool spinel_probe_answer(struct spinel_probe *p, const struct spinel_frame *answer);

#endif
