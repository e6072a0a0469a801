/* The host's, with what lwIP's has besides: struct ifreq, Internet addresses. */
#pragma once

#include_next <sys/socket.h>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/select.h>

/* netinet/in.h includes this file before it declares anything. */
#ifndef _NETINET_IN_H
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#endif
