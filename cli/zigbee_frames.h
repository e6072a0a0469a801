/* Captured 802.15.4 frames from files: lines of hexadecimal digits, or pcap. */
#ifndef CLI_ZIGBEE_FRAMES_H
#define CLI_ZIGBEE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zigbee_frame {
    uint64_t number; /* of the packet or the line, or as the line says */
    char name[64];   /* "" when there is none */
    char direction[8];
    double time; /* s; below 0: not known */
    const uint8_t *mpdu;
    size_t len;
    bool has_fcs; /* the last two octets are the FCS */
};

struct zigbee_frames;

/* data, len: of a file; they must live as long. no_fcs: lines are without FCS (a pcap says
 * it itself). NULL: why stands in error. */
struct zigbee_frames *zigbee_frames_open(const uint8_t *data, size_t len, bool no_fcs, char *error,
                                         size_t error_size);
void zigbee_frames_close(struct zigbee_frames *f);

/* The next frame, valid until the next call: 1; 0: the end; -1: the file is damaged, why
 * stands in error. Packets of a pcap that carry no 802.15.4 frame are left out. */
int zigbee_frames_next(struct zigbee_frames *f, struct zigbee_frame *frame, char *error,
                       size_t error_size);

#endif
