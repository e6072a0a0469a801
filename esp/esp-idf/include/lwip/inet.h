/* Addresses are the host's. */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
