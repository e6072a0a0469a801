/* Cuts the power at every point of an action on flash: before and behind every byte
 * of every program, and at several places of every erase, with torn bytes old, new and
 * between; then switches it on again and asks whether the device is alive. */
#ifndef TESTS_SUPPORT_POWER_POINTS_H
#define TESTS_SUPPORT_POWER_POINTS_H

#include "device/nor_flash.h"

struct power_points {
    const char *name;
    struct nor_flash *nor; /* its content is where each run begins */
    void *ctx;
    /* Does the work, from the same state in memory each time. */
    int (*action)(void *ctx);
    /* The power is on again (cut: it was away; else the action came to its end). NULL:
     * all is well; else what is wrong. */
    const char *(*check)(void *ctx, bool cut);
    uint32_t step;  /* take every step-th byte of a program only; 0: every byte */
    uint32_t seeds; /* random tears tried at each place; 0: 1 of a program, 16 of an erase */
};

/* Runs all points, prints "power: NAME: N points, 0 bricked" and fails the test when
 * something was wrong, with the point to repeat. Gives N. */
uint64_t power_points_run(const struct power_points *p);

#endif
