/* A radio on a medium that is another process (radio/medium_server.h), reached as
 * medium:SOCKET, medium:udp:PORT (loopback), or medium:fd:N (a connection that the
 * parent process made: see medium_port_connect). Opened by radio_open(). */
#ifndef RADIO_MEDIUM_PORT_H
#define RADIO_MEDIUM_PORT_H

#include "radio/radio.h"

/* Every data request is answered with "pending", as a co-processor does whose host has
 * switched source match off. r: a radio of the kind medium:. */
void medium_port_pending_for_all(struct radio *r, bool on);

/* Connects to address (SOCKET or udp:PORT) and makes sure that a medium is there. For
 * a process that becomes one that may open no sockets: it then uses medium:fd:N.
 * Returns the descriptor, or AL_FAIL and the reason in error. */
int medium_port_connect(const char *address, char *error, size_t error_size);

#endif
