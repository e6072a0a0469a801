/* Files of any content as captures: pcap with all its link types and lines of text, and every
 * frame in them through all layers, also in their clear text. */
#include "cli/zigbee_dissect.h"
#include "tests/fuzz/frame_again.h"

static const uint8_t network_key[16] = {0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x07, 0x18,
                                        0x29, 0x3a, 0x4b, 0x5c, 0x6d, 0x7e, 0x8f, 0x90};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[200];
    struct zigbee_frame frame;
    if (size > 8192) return 0;
    struct zigbee_frames *in = zigbee_frames_open(data, size, size & 1, error, sizeof error);
    if (!in) return 0;
    struct zigbee_dissector *d = zigbee_dissector_new();
    must(d && zigbee_dissector_network_key(d, network_key));
    while (zigbee_frames_next(in, &frame, error, sizeof error) == 1) {
        cJSON *doc = zigbee_dissect(d, &frame);
        must(doc != NULL);
        cJSON_Delete(doc);
    }
    zigbee_dissector_free(d);
    zigbee_frames_close(in);
    return 0;
}
