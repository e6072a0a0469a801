/* One upgrade from the cloud: asks for the version, downloads, writes, verifies. Blocks.
 *
 *   (1 server found) ── (2 connected) ── (3 got version) ── (4 done)
 *                    └────────── a version was given ──────────┘ */
#ifndef AT_UPGRADE_H
#define AT_UPGRADE_H

#include "at/at_cloud_request.h"

#include <stdbool.h>
#include <stddef.h>

#define AT_UPGRADE_WHY 400

enum at_upgrade_state {
    AT_UPGRADE_FAILED = -1,
    AT_UPGRADE_IDLE = 0,
    AT_UPGRADE_SERVER_FOUND = 1,
    AT_UPGRADE_CONNECTED = 2,
    AT_UPGRADE_GOT_VERSION = 3,
    AT_UPGRADE_DONE = 4
};

struct at_upgrade {
    bool tls;
    bool ask; /* for the version; else version is asked for, empty or not */
    char version[AT_CLOUD_VERSION_MAX + 1], name[AT_CLOUD_VERSION_MAX + 1];
    void *ctx;
    void (*reached)(void *ctx, enum at_upgrade_state state); /* 1..4; 4: nothing is open any more */
    char why[AT_UPGRADE_WHY];                                /* it failed: a sentence for people */
};

bool at_upgrade_run(struct at_upgrade *u);

#endif
