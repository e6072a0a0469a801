/* ZDP frames of any cluster and content. What parses is built again, and gives the same again.
 *
 *   input  cluster u16, ASDU */
#include "tests/fuzz/frame_again.h"
#include "zigbee/zdp_frame.h"

/* The lists of Mgmt responses, entry by entry. */
static void entries(const struct al_zdp *z)
{
    struct al_cur c = al_cur(z->mgmt_rsp.entries, z->mgmt_rsp.len);
    struct al_zdp_neighbour n;
    struct al_zdp_route r;
    struct al_zdp_binding b;
    for (uint8_t i = 0; i < z->mgmt_rsp.count; i++) {
        if (z->cluster == (AL_ZDP_MGMT_LQI | AL_ZDP_RESPONSE))
            al_zdp_neighbour_get(&n, &c);
        else if (z->cluster == (AL_ZDP_MGMT_RTG | AL_ZDP_RESPONSE))
            al_zdp_route_get(&r, &c);
        else
            must(al_zdp_binding_get(&b, &c) == 0);
    }
    must(!c.failed && c.pos == c.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t first[1024], second[1024];
    struct al_put p = al_put(first, sizeof first), q = al_put(second, sizeof second);
    struct al_zdp z;
    if (size < 2 || size > 512) return 0;
    uint16_t cluster = al_get_le16(data);
    if (al_zdp_parse(&z, cluster, data + 2, size - 2)) return 0;
    uint16_t request = cluster & (uint16_t)~AL_ZDP_RESPONSE;
    bool list = request >= AL_ZDP_MGMT_LQI && request <= AL_ZDP_MGMT_BIND;
    if (cluster & AL_ZDP_RESPONSE && list && z.status == AL_ZDP_SUCCESS) entries(&z);
    must(al_zdp_build(&z, &p) == 0);
    must(p.len <= size + 16); /* missing fields of failures are filled in */
    must(al_zdp_parse(&z, cluster, first, p.len) == 0);
    must(al_zdp_build(&z, &q) == 0);
    same(&p, &q);
    return 0;
}
