/* Names are looked up by the host. */
#pragma once

#include <netdb.h>

#include "lwip/sockets.h"
