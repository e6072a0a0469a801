/* APS frames of any content, with their commands and acknowledgements. What parses is built
 * again to the same octets. */
#include "tests/fuzz/frame_again.h"
#include "zigbee/aps_command.h"
#include "zigbee/aps_frame.h"

static void command(const uint8_t *payload, size_t len)
{
    uint8_t first[512], second[512];
    struct al_put p = al_put(first, sizeof first), q = al_put(second, sizeof second);
    struct al_aps_command cmd;
    if (al_aps_command_parse(&cmd, payload, len)) return;
    must(al_aps_command_build(&cmd, &p) == 0);
    /* The initiator flag is a whole octet of which one bit counts. */
    if (cmd.id != AL_APS_TRANSPORT_KEY || cmd.transport_key.type != AL_KEY_TYPE_APP_LINK)
        begins_with(payload, len, &p);
    must(al_aps_command_parse(&cmd, first, p.len) == 0);
    must(al_aps_command_build(&cmd, &q) == 0);
    same(&p, &q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t out[512];
    struct al_put p = al_put(out, sizeof out);
    struct al_aps_frame f;
    if (size > 400 || al_aps_parse(&f, data, size)) return 0;
    must(f.payload + f.payload_len == data + size);
    must(al_aps_build(&f, &p) == 0);
    must(p.len == size && p.len == al_aps_header_size(&f) + f.payload_len);
    if (!f.extended && !f.secured) begins_with(data, size, &p); /* those have reserved bits */
    struct al_aps_frame back, ack = al_aps_ack_of(&f);
    p = al_put(out, sizeof out);
    must(al_aps_build(&ack, &p) == 0);
    must(al_aps_parse(&back, out, p.len) == 0);
    must(back.type == AL_APS_ACK && back.counter == f.counter && back.payload_len == 0);
    if (f.type == AL_APS_COMMAND) command(f.payload, f.payload_len);
    return 0;
}
