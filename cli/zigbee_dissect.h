/* Zigbee frames taken apart into JSON, layer by layer, with what an observer may know: keys
 * that were given or heard, addresses that were seen, fragments that came before. */
#ifndef CLI_ZIGBEE_DISSECT_H
#define CLI_ZIGBEE_DISSECT_H

#include <cjson/cJSON.h>

#include "cli/zigbee_frames.h"

struct zigbee_dissector;

/* NULL: out of memory. Knows the default trust centre link key. */
struct zigbee_dissector *zigbee_dissector_new(void);
void zigbee_dissector_free(struct zigbee_dissector *d);
/* false: too many. */
bool zigbee_dissector_network_key(struct zigbee_dissector *d, const uint8_t key[16]);
bool zigbee_dissector_link_key(struct zigbee_dissector *d, const uint8_t key[16]);
/* All keys that the other was given or has heard, as far as there is room. */
void zigbee_dissector_keys_of(struct zigbee_dissector *d, const struct zigbee_dissector *other);

/* {number, name, direction, time, length, mac, nwk, aps, zdp | zcl, error{layer, name,
 * message}}, each as far as it is there. error.name: bad_fcs, bad_length, bad_version, bad_field,
 * truncated, unsupported, no_key. The caller deletes it; NULL: out of memory. */
cJSON *zigbee_dissect(struct zigbee_dissector *d, const struct zigbee_frame *f);

#endif
