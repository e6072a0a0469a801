/* Deadlines: microseconds of the node's clock, UINT64_MAX: none. */
#ifndef ZIGBEE_DEADLINE_H
#define ZIGBEE_DEADLINE_H

#include <stdint.h>

static inline uint64_t al_earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

#endif
