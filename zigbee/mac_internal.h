/* Between the files of the MAC only. */
#ifndef ZIGBEE_MAC_INTERNAL_H
#define ZIGBEE_MAC_INTERNAL_H

#include "core/err.h"
#include "zigbee/mac.h"

#define AL_MAC_NEVER UINT64_MAX

/* scan.state */
enum { AL_SCAN_NEXT, AL_SCAN_ASKING, AL_SCAN_LISTENING, AL_SCAN_MEASURING };
/* assoc.state */
enum { AL_ASSOC_IDLE, AL_ASSOC_ASKING, AL_ASSOC_WAITING, AL_ASSOC_FETCHING };
/* poll.state */
enum { AL_POLL_IDLE, AL_POLL_ASKING, AL_POLL_WAITING };

/* mac.c */
struct al_mac_slot *al_mac_slot_take(struct al_mac *m);
void al_mac_slot_free(struct al_mac *m, struct al_mac_slot *s);
/* Fills s with a frame of this node; a failure frees it. */
int al_mac_slot_fill(struct al_mac *m, struct al_mac_slot *s, const struct al_mac_frame *f);
/* Queues one of the MAC's own commands to dst; source: the short address, or the extended
 * one (with the PAN src_pan). */
void al_mac_own(struct al_mac *m, struct al_mac_addr dst, bool short_src, uint16_t src_pan,
                const struct al_mac_command *cmd);
void al_mac_kick(struct al_mac *m, uint64_t now); /* transmits what is next, if it can */
void al_mac_tune(struct al_mac *m);               /* tells the radio m->radio */
bool al_mac_has_short(const struct al_mac *m);
enum al_zb_status al_mac_radio_status(enum al_radio_status status);

/* mac_indirect.c */
/* The number of frames that wait for polls of addr. */
unsigned al_mac_waiting_for(const struct al_mac *m, const struct al_mac_addr *addr);
/* A frame for addr was added to those that wait, or taken from them. */
void al_mac_pending_changed(struct al_mac *m, const struct al_mac_addr *addr, bool added);
void al_mac_child_polled(struct al_mac *m, uint64_t now, const struct al_mac_addr *child,
                         bool pending);
void al_mac_indirect_done(struct al_mac *m, uint64_t now, struct al_mac_slot *s,
                          enum al_radio_status status);
void al_mac_indirect_run(struct al_mac *m, uint64_t now);

/* mac_scan.c */
void al_mac_beacon_request(struct al_mac *m, uint64_t now);
void al_mac_beacon_received(struct al_mac *m, uint64_t now, const struct al_mac_frame *f,
                            uint8_t lqi);
void al_mac_scan_asked(struct al_mac *m, uint64_t now); /* the beacon request has left */
void al_mac_scan_run(struct al_mac *m, uint64_t now);

/* mac_associate.c */
void al_mac_own_done(struct al_mac *m, uint64_t now, enum al_radio_status status, bool ack_pending);
void al_mac_assoc_response(struct al_mac *m, uint64_t now, const struct al_mac_frame *f,
                           const struct al_mac_command *cmd);
/* A frame from src ends a poll that waits for one. */
void al_mac_poll_answered(struct al_mac *m, uint64_t now, const struct al_mac_addr *src,
                          bool empty);
void al_mac_assoc_run(struct al_mac *m, uint64_t now);
void al_mac_poll_run(struct al_mac *m, uint64_t now);

#endif
