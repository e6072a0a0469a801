/* lwIP's addresses: IPv4 only. */
#pragma once

#include "lwip/ip4_addr.h"

typedef ip4_addr_t ip_addr_t;
