/* lwIP's IPv4 address: network byte order. */
#pragma once

#include <stdint.h>

typedef struct ip4_addr {
    uint32_t addr;
} ip4_addr_t;
