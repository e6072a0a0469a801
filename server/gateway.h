/* A Zigbee gateway for upgrades: coordinator, trust centre and OTA server. It forms or
 * resumes its network, lets devices in, asks them who they are, and upgrades them by a
 * schedule. Without I/O of its own: it lives on a struct zb_node, on a radio
 * (radio/zb_loop.h) or in virtual time (radio/zb_sim.h), and in that one thread.
 *
 *   gateway_new -> gateway_node_config -> zb_loop_open / zb_sim_add -> gateway_attach
 *
 * Devices, wishes and transfers are kept in the node's store: after a kill -9 everything goes
 * on where it was.
 *
 *   an upgrade:  NONE -> WAITING -> NOTIFIED -> RUNNING -> VERIFYING -> RESTARTING -> DONE
 *                           ^  \ no turn, quiet, asleep        |            \ NOT_APPLIED
 *                           '----- silent, tries left ---------+-> FAILED, ABORTED       */
#ifndef SERVER_GATEWAY_H
#define SERVER_GATEWAY_H

#include <cjson/cJSON.h>

#include "radio/zb_node.h"
#include "server/gateway_images.h"

struct gateway;

enum gateway_event_kind {
    GATEWAY_FORMED, /* or resumed */
    GATEWAY_FAILED, /* the network could not be formed; text */
    GATEWAY_PERMIT, /* seconds that the network is open; 0: closed */
    GATEWAY_JOINED,
    GATEWAY_REFUSED, /* a device may not come in; text: why */
    GATEWAY_LEFT,
    GATEWAY_INTERVIEW, /* what the device is has become known */
    GATEWAY_QUERY,     /* it asked for an image; text: what it was told */
    GATEWAY_STARTED,
    GATEWAY_PROGRESS, /* once a second for each transfer */
    GATEWAY_DONE,     /* it runs the new version */
    GATEWAY_GAVE_UP,  /* text: reason */
    GATEWAY_IMAGE,    /* a file came, went or was refused; text */
    GATEWAY_WARNING   /* text */
};

/* As a line of JSON: {"event":"joined", "device":"74:4d:...", ...}. Valid during the call. */
struct gateway_event {
    enum gateway_event_kind kind;
    const cJSON *json;
    uint64_t ext; /* the device's; 0: none */
    const char *text;
};

/* Zeros mean the default in brackets. */
struct gateway_config {
    const struct al_zb_store *store; /* as the node's; NULL: everything is forgotten */
    uint16_t devices;                /* most of them [200] */
    uint32_t channels;               /* to form on, bit n: channel n [bdb.h] */
    uint16_t pan_id;                 /* [random] */
    uint64_t epid;                   /* [own EUI-64] */
    uint16_t manufacturer;           /* of the node descriptor */
    bool install_codes_only;
    uint16_t parallel;             /* transfers at a time [4] */
    uint8_t max_block;             /* bytes [223] */
    uint8_t tries;                 /* of an upgrade that fails [3] */
    uint32_t rescan_s;             /* of the interview of a silent device [600] */
    uint16_t quiet_from, quiet_to; /* minutes of the day; equal: no quiet hours */
    bool manual;                   /* upgrades only what was asked for by command */
    bool dry_run;                  /* tells what it would do, offers nothing */
    struct gateway_images *images; /* the caller's */
    void *ctx;
    void (*event)(void *ctx, const struct gateway_event *e);
    /* Minute of the local day, 0..1439 [localtime()]. */
    unsigned (*minute)(void *ctx);
};

struct gateway *gateway_new(const struct gateway_config *c); /* NULL: no memory */
void gateway_free(struct gateway *g);                        /* after its node is closed */
/* Fills what the node needs: role, tables, callbacks. radio and ext are the caller's. */
void gateway_node_config(struct gateway *g, struct al_node_config *c);
/* The node is open: forms or resumes. 0 or AL_ERR_*. */
int gateway_attach(struct gateway *g, struct zb_node *zb, uint64_t now);

/* Hears a command and gives its answer: {"ok":true, ...} or {"ok":false,"error":"..."}. The
 * caller frees it. Commands are objects with "command" and
 *   status                                devices                      images
 *   permit {"seconds":N}                  install-code {"device":EUI,"code":HEX}
 *   notify {"device":EUI}                 broadcast an Image Notify without it
 *   upgrade {"device":EUI[,"file":NAME][,"force":true]}    without device: all that can be
 *   abort {"device":EUI}                  without device: all
 *   interview {"device":EUI}              remove {"device":EUI}
 *   read-version {"device":EUI}           change-key
 *   pause, resume                         parallel {"value":N}
 *   backup                                the answer has it under "backup"          */
cJSON *gateway_command(struct gateway *g, uint64_t now, const cJSON *command);
/* The same as the commands of that name. */
cJSON *gateway_status(struct gateway *g, uint64_t now);
/* Before the network is up: it opens once it is. */
int gateway_permit(struct gateway *g, uint64_t now, unsigned seconds);
/* code: install code with its CRC, in hex. 0, or AL_ERR_* with why. */
int gateway_install_code(struct gateway *g, uint64_t ext, const char *code, char *why,
                         size_t why_size);
/* Images have changed: looks who can be upgraded now. */
void gateway_images_changed(struct gateway *g, uint64_t now);
/* "22:00-06:00" as minutes of the day. False: it is not like that. */
bool gateway_quiet_parse(const char *text, uint16_t *from, uint16_t *to);
/* Nothing is under way or waiting that could go on by itself. */
bool gateway_idle(const struct gateway *g);

#endif
