/* Records of a node in memory: for simulations and tests. A restart of the node keeps
 * them, the end of the process does not. */
#ifndef RADIO_ZB_MEMORY_H
#define RADIO_ZB_MEMORY_H

#include "zigbee/store.h"

struct zb_memory;

struct zb_memory *zb_memory_new(void); /* NULL: no memory */
void zb_memory_free(struct zb_memory *m);
const struct al_zb_store *zb_memory_store(struct zb_memory *m);
/* All records, by number. A result other than 0 ends it and comes back. */
int zb_memory_each(const struct zb_memory *m,
                   int (*each)(void *ctx, uint16_t record, const void *data, size_t len),
                   void *ctx);

#endif
