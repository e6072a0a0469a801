/* A radio co-processor as struct al_radio: the host's side of spinel as an engine
 * without I/O. Bytes and the time come in; bytes, events and a deadline go out.
 *
 *            link up            all known          reset done
 *   DOWN ------------> PROBING -----------> RESETTING ------> RUNNING
 *     ^                 |  |  ^                 |             |  ^  |
 *     |   no answer     |  |  '--- it started --'             |  |  | it started anew
 *     +-----------------'  |       anew                       |  '--'
 *     |                    '--> REFUSED: not what is needed <-'
 *     '-- LOST (no answer); the link went down, from every state
 *
 * In RUNNING the configuration is kept as wanted (spinel_settings.h). One request for
 * that and one transmission may be under way at once. A request that is not answered is
 * sent again, and after SPINEL_TRIES the co-processor is LOST; a transmission fails, and
 * after SPINEL_TX_LOST_MAX in a row it is LOST, too. Its owner then makes a new link. */
#ifndef RADIO_SPINEL_HOST_H
#define RADIO_SPINEL_HOST_H

#include "radio/hdlc.h"
#include "radio/radio.h"
#include "radio/spinel_probe.h"
#include "radio/spinel_settings.h"

#define SPINEL_TRIES           5u
/* Transmissions in a row without an answer within answer_us each. */
#define SPINEL_TX_LOST_MAX     3u
/* Level reported by an energy scan that could not be made. */
#define SPINEL_SCAN_FAILED_DBM 127

enum spinel_host_state {
    SPINEL_DOWN,
    SPINEL_PROBING,
    SPINEL_RESETTING,
    SPINEL_RUNNING,
    SPINEL_LOST,    /* no answer: why */
    SPINEL_REFUSED, /* for good: why */
};

enum spinel_asking {
    SPINEL_ASK_NOTHING,
    SPINEL_ASK_PROBE,
    SPINEL_ASK_RESET,
    SPINEL_ASK_SETTING,
    SPINEL_ASK_SCAN,
};

enum spinel_tx_state { SPINEL_TX_NONE, SPINEL_TX_WAITING, SPINEL_TX_SENT, SPINEL_TX_FAILED };

struct spinel_host {
    /* Filled by the owner before spinel_host_init(). */
    struct radio_events events; /* callbacks may be NULL; only from input and run */
    void *ctx;                  /* of events */
    void (*send)(void *io, const uint8_t *bytes, size_t len); /* to the line */
    void *io;
    uint64_t answer_us; /* for the answer to a request; 0: a second */

    /* To be read. */
    enum spinel_host_state state;
    char why[320];      /* of LOST, REFUSED: a sentence */
    uint64_t frames;    /* good ones that came */
    uint64_t delivered; /* events so far */
    struct spinel_probe probe;

    /* Private. */
    struct spinel_settings settings;
    struct hdlc_decoder line;
    uint64_t bytes; /* that came since the link is up */
    uint8_t last_tid;
    bool restarted; /* to be told when everything is set again */
    bool ran;       /* was RUNNING before */
    struct {        /* the request under way */
        enum spinel_asking what;
        uint8_t tid;
        uint8_t tries;
        uint64_t deadline;
        uint8_t frame[64];
        size_t len;
    } ask;
    struct {
        enum spinel_tx_state state;
        uint8_t tid, lost; /* lost: so many in a row had no answer */
        uint64_t deadline;
        uint8_t mpdu[AL_RADIO_MPDU_MAX + 2];
        uint8_t len;
    } tx;
    struct {
        bool active;
        uint8_t step; /* 0..2: a request each; 3: the result is awaited */
        uint8_t channel;
        uint16_t ms;
        uint64_t deadline;
        bool failed;
    } scan;
};

void spinel_host_init(struct spinel_host *h);
void spinel_host_free(struct spinel_host *h);

/* From the line. */
void spinel_host_link_up(struct spinel_host *h, uint64_t now);
void spinel_host_link_down(struct spinel_host *h);
void spinel_host_input(struct spinel_host *h, uint64_t now, const uint8_t *bytes, size_t len);

/* As in struct al_radio. While the co-processor is not there, configure and set_pending
 * note what is wanted, transmissions fail and scans give SPINEL_SCAN_FAILED_DBM. */
int spinel_host_configure(struct spinel_host *h, uint64_t now, const struct al_radio_config *c);
int spinel_host_transmit(struct spinel_host *h, uint64_t now, const uint8_t *mpdu, uint8_t len);
int spinel_host_set_pending(struct spinel_host *h, uint64_t now, bool extended, uint64_t addr,
                            bool pending);
int spinel_host_energy_scan(struct spinel_host *h, uint64_t now, uint8_t channel, uint32_t us);

uint64_t spinel_host_next(const struct spinel_host *h); /* UINT64_MAX: nothing is due */
void spinel_host_run(struct spinel_host *h, uint64_t now);

#endif
