/* Between the files of trust only. */
#ifndef ZIGBEE_TRUST_INTERNAL_H
#define ZIGBEE_TRUST_INTERNAL_H

#include "core/err.h"
#include "zigbee/hash.h"
#include "zigbee/trust.h"

#define AL_TRUST_NEVER UINT64_MAX
#define AL_TRUST_MS    1000u
#define AL_TRUST_S     1000000u

/* Handles of command_sent(): a device being admitted (index + 1), or a child that gets the
 * frame of a Tunnel (index of the neighbour). */
#define AL_TRUST_HANDLE_CHILD 0x4000u

/* al_trust_device.state */
enum { AL_TRUST_GIVING, AL_TRUST_AGAIN, AL_TRUST_GIVEN, AL_TRUST_PROVING };
/* al_trust.change.state */
enum { AL_TRUST_NO_CHANGE, AL_TRUST_CHANGE_GIVING, AL_TRUST_CHANGE_SETTLE, AL_TRUST_CHANGE_SWITCH };

/* trust.c */
/* Unicast, secured by NWK. */
int al_trust_send(struct al_trust *t, uint64_t now, uint16_t dst, uint64_t dst_ext, uint8_t key_id,
                  const struct al_aps_command *cmd);
void al_trust_random_key(const struct al_trust *t, uint8_t key[16]);
void al_trust_set_centre(struct al_trust *t, uint64_t centre);
/* Said by the trust centre, as far as NWK can tell. */
bool al_trust_from_centre(const struct al_trust *t, const struct al_aps_command_ind *ind);

/* trust_admit.c: who comes in */
void al_trust_admit(struct al_trust *t, uint64_t now, uint64_t ext, uint16_t addr, uint16_t parent,
                    uint8_t status);
void al_trust_update_device(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind);
void al_trust_device_sent(struct al_trust *t, uint64_t now, struct al_trust_device *d,
                          enum al_zb_status status);
void al_trust_device_due(struct al_trust *t, uint64_t now, struct al_trust_device *d);
void al_trust_device_proved(struct al_trust *t, uint64_t now, uint64_t ext);
/* ext is gone: nothing is expected of it. */
void al_trust_device_done(struct al_trust *t, uint64_t ext);

/* trust_keys.c: link keys given out, and the change of the network key */
void al_trust_request_key(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind);
void al_trust_verify_key(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind);
void al_trust_change_due(struct al_trust *t, uint64_t now);
/* ext came in while the key changes. */
void al_trust_change_newcomer(struct al_trust *t, uint64_t now, uint64_t ext, uint16_t addr);

/* trust_joiner.c */
void al_trust_transport_key(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind);
void al_trust_confirm_key(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind);
void al_trust_joiner_due(struct al_trust *t, uint64_t now);

/* trust_parent.c */
void al_trust_tunnel(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind);
void al_trust_remove_device(struct al_trust *t, uint64_t now, const struct al_aps_command_ind *ind);
void al_trust_child_sent(struct al_trust *t, uint64_t now, unsigned neighbour,
                         enum al_zb_status status);

#endif
