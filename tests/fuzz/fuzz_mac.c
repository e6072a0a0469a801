/* MPDUs of any content, with their commands and beacons. What parses is built again: to the
 * same octets where the format leaves no freedom, else to octets that give the same again. */
#include "tests/fuzz/frame_again.h"
#include "zigbee/mac_frame.h"

#define RESERVED 0x3380u /* reserved bits and the version */

static void command(const struct al_mac_frame *f)
{
    uint8_t out[16];
    struct al_mac_command cmd;
    struct al_put p = al_put(out, sizeof out);
    if (al_mac_command_parse(&cmd, f->payload, f->payload_len)) return;
    must(al_mac_command_build(&cmd, &p) == 0);
    begins_with(f->payload, f->payload_len, &p);
}

static void beacon(const struct al_mac_frame *f)
{
    uint8_t first[32], second[32];
    struct al_mac_beacon b;
    struct al_put p = al_put(first, sizeof first), q = al_put(second, sizeof second);
    if (al_mac_beacon_parse(&b, f->payload, f->payload_len)) return;
    must(al_mac_beacon_build(&b, &p) == 0);
    must(al_mac_beacon_parse(&b, first, p.len) == 0);
    must(al_mac_beacon_build(&b, &q) == 0);
    same(&p, &q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t first[AL_MPDU_MAX], second[AL_MPDU_MAX];
    struct al_put p = al_put(first, sizeof first), q = al_put(second, sizeof second);
    struct al_mac_frame f;
    if (al_mac_parse(&f, data, size)) return 0;
    must(f.payload + f.payload_len == data + size);
    must(al_mac_build(&f, &p) == 0);
    bool longer = f.dst.mode && f.src.mode && f.dst.pan == f.src.pan && !(f.fcf & 0x40);
    if (!longer && !(f.fcf & RESERVED)) {
        must(p.len == size);
        begins_with(data, size, &p);
    }
    struct al_mac_frame again;
    must(al_mac_parse(&again, first, p.len) == 0);
    must(al_mac_build(&again, &q) == 0);
    same(&p, &q);
    if (f.type == AL_MAC_COMMAND) command(&f);
    if (f.type == AL_MAC_BEACON) beacon(&f);
    return 0;
}
