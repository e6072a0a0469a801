/* Addresses are the host's. */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>

#define inet_ntoa_r(addr, buf, len)  inet_ntop(AF_INET, &(addr), (buf), (socklen_t)(len))
#define inet6_ntoa_r(addr, buf, len) inet_ntop(AF_INET6, &(addr), (buf), (socklen_t)(len))
