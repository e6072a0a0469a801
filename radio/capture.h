/* What is on the air, for Wireshark and tshark: a pcap file of link type 195 (IEEE
 * 802.15.4 with FCS) or 283 (the same behind a TAP header with FCS type, level and
 * channel), or ZEP version 2 datagrams to UDP port 17754 of this machine.
 * Sources: pcap file format (draft-ietf-opsawg-pcap), IEEE 802.15.4 TAP link type
 * specification, packet-zep.c of Wireshark. */
#ifndef RADIO_CAPTURE_H
#define RADIO_CAPTURE_H

#include <stddef.h>

#include "radio/medium.h"

#define CAPTURE_LINK_FCS 195
#define CAPTURE_LINK_TAP 283
#define CAPTURE_ZEP_PORT 17754

struct capture;

struct capture_config {
    const char *pcap; /* file, or "-" for standard output; NULL: none */
    int link_type;    /* CAPTURE_LINK_*; 0: CAPTURE_LINK_FCS */
    bool zep;
    uint16_t zep_port; /* 0: CAPTURE_ZEP_PORT */
    uint64_t epoch_us; /* Unix time of the medium's 0, microseconds; 0: time stamps count
                          from 1970 */
};

/* NULL: why stands in error. */
struct capture *capture_open(const struct capture_config *c, char *error, size_t error_size);
/* Writes what is buffered. Returns 0, or AL_FAIL when something could not be written;
 * NULL allowed. */
int capture_close(struct capture *c);
/* So that a reader sees all frames so far. */
void capture_flush(struct capture *c);

/* One frame; fits medium_config.frame with the capture as frame_ctx. */
void capture_frame(void *capture, const struct medium_frame *f);

#endif
