/* NWK frames of any content, with their commands. What parses is built again; opening it with a
 * key fails or gives what sealing makes of it. */
#include "host/aes_openssl.h"
#include "tests/fuzz/frame_again.h"
#include "zigbee/hash.h"
#include "zigbee/nwk_command.h"

#define MULTICAST 0x0100u
#define RESERVED  0xc000u

static const struct al_aes *aes(void)
{
    static struct aes_openssl *a;
    if (!a) a = aes_openssl_new();
    must(a != NULL);
    return aes_openssl_aes(a);
}

/* What is sealed opens, and is what it was. */
static void seal_and_open(struct al_nwk_frame f)
{
    uint8_t sealed[256], plain[256];
    struct al_put p = al_put(sealed, sizeof sealed);
    struct al_nwk_frame back;
    must(al_nwk_seal(&f, aes(), al_default_link_key, &p) == 0);
    must(al_nwk_parse(&back, sealed, p.len) == 0);
    must(al_nwk_open(&back, aes(), al_default_link_key, f.aux.source, plain) == 0);
    must(back.payload_len == f.payload_len);
    must(f.payload_len == 0 || memcmp(back.payload, f.payload, f.payload_len) == 0);
}

static void command(const uint8_t *payload, size_t len)
{
    uint8_t first[128], second[128];
    struct al_put p = al_put(first, sizeof first), q = al_put(second, sizeof second);
    struct al_nwk_command cmd;
    if (al_nwk_command_parse(&cmd, payload, len)) return;
    if (cmd.id == AL_NWK_REPORT || cmd.id == AL_NWK_LINK_POWER_DELTA) return;
    if (cmd.id == AL_NWK_LINK_STATUS)
        for (uint8_t i = 0; i < cmd.link_status.count; i++) (void)al_nwk_link_get(&cmd, i);
    must(al_nwk_command_build(&cmd, &p) == 0);
    must(al_nwk_command_parse(&cmd, first, p.len) == 0);
    must(al_nwk_command_build(&cmd, &q) == 0);
    same(&p, &q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t out[256], plain[128];
    struct al_put p = al_put(out, sizeof out);
    struct al_nwk_frame f;
    if (size > 127 || al_nwk_parse(&f, data, size)) return 0;
    must(f.payload + f.payload_len == data + size);
    must(al_nwk_build(&f, &p) == 0);
    must(p.len == al_nwk_header_size(&f) + f.payload_len);
    bool skipped = f.fcf & (MULTICAST | RESERVED);
    if (!skipped && !(f.secured && data[f.aux_at] & 0x80)) {
        must(p.len == size);
        begins_with(data, size, &p);
    }
    struct al_nwk_frame opened = f;
    if (f.secured && al_nwk_open(&opened, aes(), al_default_link_key, 1, plain) == 0 && !skipped) {
        p = al_put(out, sizeof out);
        must(al_nwk_seal(&opened, aes(), al_default_link_key, &p) == 0 || !f.aux.has_source);
    }
    if (f.secured) seal_and_open(f);
    if (f.type == AL_NWK_COMMAND) command(f.payload, f.payload_len);
    return 0;
}
