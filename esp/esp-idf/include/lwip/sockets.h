/* Sockets are the host's. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lwip/inet.h"

#define lwip_socket     socket
#define lwip_bind       bind
#define lwip_listen     listen
#define lwip_accept     accept
#define lwip_connect    connect
#define lwip_send       send
#define lwip_sendto     sendto
#define lwip_recv       recv
#define lwip_recvfrom   recvfrom
#define lwip_close      close
#define lwip_shutdown   shutdown
#define lwip_setsockopt setsockopt
#define lwip_getsockopt getsockopt
#define closesocket     close
