/* What ota_update.c and ota_state.c share; nothing for others. */
#ifndef CORE_OTA_INTERNAL_H
#define CORE_OTA_INTERNAL_H

#include "core/ota.h"

void al_ota_tell(const struct al_ota *o, const struct al_ota_event_args *a);
void al_ota_tell_part(const struct al_ota *o, enum al_ota_event event, const struct al_part *part,
                      const struct al_part *part2);

/* ota_0..ota_15. */
bool al_ota_is_slot(const struct al_part *p);

/* The same partition: type, subtype, place, size and label agree. */
bool al_ota_same_part(const struct al_part *a, const struct al_part *b);

/* Verifies an image in p. silent: no event. AL_ERR_OTA_VALIDATE_FAILED. */
int al_ota_verify_kind(const struct al_ota *o, const struct al_part *p, enum al_image_kind kind,
                       bool silent, struct al_image *out);

#endif
