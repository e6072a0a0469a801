/* What a co-processor should have set and what it has: configuration and the addresses
 * whose data requests are acknowledged with "pending" (source match). One difference at
 * a time becomes a request; after a reset everything differs. */
#ifndef RADIO_SPINEL_SETTINGS_H
#define RADIO_SPINEL_SETTINGS_H

#include "radio/spinel.h"
#include "zigbee/radio.h"

#define SPINEL_SETTINGS_MAX 12u

struct spinel_match {
    uint64_t addr;
    bool extended;
    bool wanted, there; /* neither: a free place */
    bool refused;       /* no room for it in the co-processor */
};

/* Zeroed: nothing is wanted. */
struct spinel_settings {
    bool configured;
    struct al_radio_config config;
    bool has_rx_on_when_idle; /* of the co-processor's radio */
    struct {
        uint8_t value[8], len; /* len 0: not known */
        bool unsupported;
    } there[SPINEL_SETTINGS_MAX];
    struct spinel_match *match; /* malloc'ed */
    size_t match_count;
    /* The request that is not answered yet. */
    uint32_t asked_command;
    size_t asked; /* index of the setting (SET) or of the match */
    uint8_t asked_value[8], asked_len;
    char error[160]; /* of a setting that the co-processor must have and refused */
};

void spinel_settings_free(struct spinel_settings *s);

/* Wanted from now on. set_pending: AL_ERR_NO_MEM. */
void spinel_settings_configure(struct spinel_settings *s, const struct al_radio_config *c);
int spinel_settings_set_pending(struct spinel_settings *s, bool extended, uint64_t addr,
                                bool pending);

/* Does the configuration still differ? Then nothing may be sent. */
bool spinel_settings_differ(const struct spinel_settings *s);

/* The next request, its value appended to p. matches_only: leaves the configuration as it
 * is. false: nothing to do. Every request is answered before the next is taken. */
bool spinel_settings_next(struct spinel_settings *s, bool matches_only, uint32_t *command,
                          uint32_t *property, struct al_put *p);

/* status: SPINEL_OK, or of LAST_STATUS. false: a setting that is needed was refused. */
bool spinel_settings_answer(struct spinel_settings *s, uint32_t status);

/* The co-processor started anew: it has nothing. */
void spinel_settings_forget(struct spinel_settings *s);

#endif
