/* The chip maps files that its firmware can cut short at any moment; reading a
 * page that is gone would end the chip by SIGBUS. While the guard is on, such a page
 * of a guarded mapping becomes zeros of its own, and the chip finds out in its next
 * device_is_whole(). One chip a process. */
#ifndef DEVICE_BUS_GUARD_H
#define DEVICE_BUS_GUARD_H

#include "device/device.h"

/* Guards flash, eFuses and control page of an open device. */
void bus_guard_on(const struct device *d);
void bus_guard_off(void);

#endif
