/* Between the files of ZDO only. */
#ifndef ZIGBEE_ZDO_INTERNAL_H
#define ZIGBEE_ZDO_INTERNAL_H

#include "core/err.h"
#include "zigbee/zdo.h"

#define AL_ZDO_NEVER UINT64_MAX

#define AL_ZDO_HANDLES      0x1000u /* requests: + 0..0xffe */
#define AL_ZDO_LEAVE_HANDLE 0x1fffu /* the answer to a Mgmt_Leave */

/* A request that came in, and where its answer goes. */
struct al_zdo_asked {
    struct al_zdo *zdo;
    uint64_t now;
    const struct al_aps_data_ind *ind;
    const struct al_zdp *q;
};

/* Sends r: cluster and sequence are filled in. */
void al_zdo_answer(const struct al_zdo_asked *a, struct al_zdp *r);
/* A status alone; nothing to a broadcast. */
void al_zdo_answer_status(const struct al_zdo_asked *a, uint8_t status);
/* A failure, as answers to that request look; nothing to a broadcast. */
void al_zdo_refuse(const struct al_zdo_asked *a, uint8_t status);
/* Octets of list entries that fit into an answer behind what stands before them, at most
 * size. */
size_t al_zdo_room(const struct al_zdo_asked *a, size_t before, size_t size);

/* zdo_describe.c */
void al_zdo_tell_addr(const struct al_zdo_asked *a);
void al_zdo_tell_node(const struct al_zdo_asked *a);
void al_zdo_tell_power(const struct al_zdo_asked *a);
void al_zdo_tell_simple(const struct al_zdo_asked *a);
void al_zdo_tell_endpoints(const struct al_zdo_asked *a);
void al_zdo_tell_match(const struct al_zdo_asked *a);

/* zdo_manage.c */
void al_zdo_announced(const struct al_zdo_asked *a);
void al_zdo_tell_list(const struct al_zdo_asked *a); /* Mgmt_Lqi, _Rtg, _Bind */
void al_zdo_ordered_to_leave(const struct al_zdo_asked *a);
void al_zdo_ordered_to_permit(const struct al_zdo_asked *a);
void al_zdo_ordered_to_update(const struct al_zdo_asked *a);

/* zdo_bind.c */
void al_zdo_bind(const struct al_zdo_asked *a);

void al_zdo_targets_due(struct al_zdo *z, uint64_t now);

/* zdo_parent.c */
void al_zdo_parents(const struct al_zdo_asked *a);
void al_zdo_children_moved(struct al_zdo *z, uint64_t now, const struct al_zdp *response);
void al_zdo_parents_due(struct al_zdo *z, uint64_t now);

/* zdo_request.c */
void al_zdo_answered(struct al_zdo *z, uint64_t now, const struct al_aps_data_ind *ind,
                     const struct al_zdp *response);
void al_zdo_request_ended(struct al_zdo *z, uint64_t now, uint16_t handle,
                          enum al_zb_status status);
void al_zdo_requests_run(struct al_zdo *z, uint64_t now);

#endif
