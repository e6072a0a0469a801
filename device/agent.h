/* Stands in for firmware that cannot run here: an image of a real chip. */
#ifndef DEVICE_AGENT_H
#define DEVICE_AGENT_H

#include "device/conf.h"

/* Runs as the firmware process: prints the app description as an app does at its
 * start and says what it is; then, if the app is on trial (PENDING_VERIFY), confirms
 * it, fails it and restarts, or leaves it. Then waits for ever. */
_Noreturn void agent_run(enum agent_conduct conduct);

#endif
