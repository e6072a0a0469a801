/* Name lookup is getaddrinfo(). */
#pragma once

#include "lwip/netdb.h"
