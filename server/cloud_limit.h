/* How many requests a key, or an address, may make: a bucket for each, which holds a minute's
 * worth and fills evenly. Fixed memory: of many callers the least recent are forgotten. Time is
 * an argument. May be called from any thread. */
#ifndef SERVER_CLOUD_LIMIT_H
#define SERVER_CLOUD_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct cloud_limit;

/* per_minute: 0 takes any number. NULL: no memory. */
struct cloud_limit *cloud_limit_new(uint32_t per_minute);
void cloud_limit_free(struct cloud_limit *l);

/* Takes one request of who. 0: go on; else the seconds to wait, at least 1. */
unsigned cloud_limit_take(struct cloud_limit *l, uint64_t who, int64_t now_ms);

/* Callers as numbers. An IPv6 address stands for its network of 64 bits: a client has all the
 * rest to choose from. */
uint64_t cloud_limit_address(const char *address);
uint64_t cloud_limit_text(const char *text);

#endif
