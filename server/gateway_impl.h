/* What the parts of the gateway know of each other.
 *
 *   gateway.c            network, who comes and goes, the clock
 *   gateway_device.c     the table of devices and its records
 *   gateway_interview.c  asks devices who they are
 *   gateway_upgrade.c    whose turn it is, and what came of it
 *   gateway_ota.c        what the OTA engine asks and tells
 *   gateway_report.c     events and JSON
 *   gateway_command.c    commands                                                       */
#ifndef SERVER_GATEWAY_IMPL_H
#define SERVER_GATEWAY_IMPL_H

#include "server/gateway.h"
#include "zigbee/zcl_basic.h"
#include "zigbee/zcl_ota.h"

#define GATEWAY_REC_DEVICES 0x5000u /* + index */

#define GATEWAY_ENDPOINT    1
#define GATEWAY_S           1000000ull
#define GATEWAY_NEVER       UINT64_MAX
#define GATEWAY_TEXT        33
#define GATEWAY_ENDPOINTS   8 /* of a device that are looked at */
#define GATEWAY_ANY_VERSION AL_ZOTA_ANY_FILE_VERSION
#define GATEWAY_NO_PARENT   0xffffu
#define GATEWAY_ASK_AT_ONCE 4 /* interviews under way */
#define GATEWAY_NOTIFY_US   (60 * GATEWAY_S)
#define GATEWAY_ASLEEP_US   (3600 * GATEWAY_S)
#define GATEWAY_RESTART_US  (3600 * GATEWAY_S) /* after its end the new version must show */
#define GATEWAY_RETRY_US    (30 * GATEWAY_S)

enum gateway_upgrade {
    GATEWAY_UPGRADE_NONE,
    GATEWAY_UPGRADE_WAITING,  /* for its turn, or for its own next query */
    GATEWAY_UPGRADE_NOTIFIED, /* its query is awaited */
    GATEWAY_UPGRADE_RUNNING,
    GATEWAY_UPGRADE_VERIFYING, /* has all bytes */
    GATEWAY_UPGRADE_RESTARTING,
    GATEWAY_UPGRADE_DONE,
    GATEWAY_UPGRADE_NOT_APPLIED,
    GATEWAY_UPGRADE_FAILED,
    GATEWAY_UPGRADE_ABORTED
};

enum gateway_ask { /* what an interview asks next */
                   GATEWAY_ASK_NODE,
                   GATEWAY_ASK_ENDPOINTS,
                   GATEWAY_ASK_SIMPLE, /* each endpoint */
                   GATEWAY_ASK_BASIC,
                   GATEWAY_ASK_BUILD,
                   GATEWAY_ASK_OTA,
                   GATEWAY_ASKED /* all is known */
};

struct gateway_device {
    struct gateway *gateway;
    uint64_t ext; /* 0: free */
    uint16_t addr, parent;
    uint8_t capability;
    bool away;      /* left; may come back */
    bool announced; /* told of by an event since it came */

    /* Interview */
    bool interviewed, asking;
    uint8_t ask, asked_endpoint, tries;
    uint64_t ask_at;
    uint8_t endpoints[GATEWAY_ENDPOINTS], endpoint_count;
    uint8_t basic_endpoint, ota_endpoint; /* 0: none */
    uint8_t power;
    uint16_t manufacturer; /* node descriptor */
    bool no_fragments;
    char model[GATEWAY_TEXT], maker[GATEWAY_TEXT], build[GATEWAY_TEXT];

    /* Of its OTA client; attributes or its own query */
    uint16_t ota_manufacturer, image_type; /* 0xffff: not known */
    uint32_t version;                      /* that runs; GATEWAY_ANY_VERSION: not known */
    bool has_hardware;
    uint16_t hardware;

    /* Upgrade */
    enum gateway_upgrade upgrade;
    bool ordered; /* by an operator: also without a better version, and in manual mode */
    bool force;   /* the ordered file whatever the versions */
    uint64_t ref; /* image ordered, or under way; 0: whatever fits */
    uint32_t target, before;
    uint8_t attempts;
    bool asleep;    /* did not answer notifications: waits for its own query */
    uint64_t at;    /* deadline of the state */
    bool restarted; /* announced itself since its end */
    bool reading;   /* CurrentFileVersion has been asked for */
    uint64_t read_at;
    uint32_t told; /* progress: offset */
    uint64_t told_at;
    char error[160];
};

struct gateway {
    struct gateway_config c;
    struct zb_node *zb;
    struct zb_engine ota_engine, engine;
    struct al_zcl_endpoint endpoint;
    struct al_zcl_basic basic;
    struct al_zcl_ota_server ota;
    struct al_zota_session *sessions;
    struct gateway_device *devices;
    uint64_t now;     /* of the last call: OTA callbacks have no time */
    uint64_t tick_at; /* GATEWAY_NEVER: nothing is due */
    uint64_t permit_until;
    unsigned permit_wanted;           /* s, before the network was up */
    bool up, paused, was_quiet, look; /* look: who could be upgraded has changed */
    bool dirty_images;
};

/* gateway.c */
void gateway_touch(struct gateway *g); /* something is due at once */
bool gateway_quiet(const struct gateway *g);

/* gateway_device.c */
struct gateway_device *gateway_device(const struct gateway *g, uint64_t ext);
struct gateway_device *gateway_device_at(const struct gateway *g, uint16_t addr);
/* Makes the entry if there is none; NULL: the table is full. */
struct gateway_device *gateway_device_add(struct gateway *g, uint64_t ext, uint16_t addr);
void gateway_device_save(struct gateway_device *d);
void gateway_device_forget(struct gateway_device *d);
void gateway_devices_restore(struct gateway *g);
bool gateway_device_sleepy(const struct gateway_device *d);
bool gateway_device_router(const struct gateway_device *d);

/* gateway_quirks.c */
void gateway_quirks(uint16_t manufacturer, struct al_zota_device *d);

/* gateway_interview.c */
void gateway_interview_start(struct gateway_device *d, uint64_t at);
void gateway_interview_tick(struct gateway *g, uint64_t now);
/* Reads CurrentFileVersion again. */
void gateway_read_version(struct gateway_device *d, uint64_t now);

/* gateway_upgrade.c */
void gateway_upgrade_tick(struct gateway *g, uint64_t now);
void gateway_upgrade_set(struct gateway_device *d, enum gateway_upgrade state, uint64_t deadline);
/* Ends it: state, and the reason for people. */
void gateway_upgrade_fail(struct gateway_device *d, enum gateway_upgrade state, const char *reason);
/* It runs version. */
void gateway_version_seen(struct gateway_device *d, uint32_t version);
void gateway_announced(struct gateway_device *d, uint64_t now);
/* The image for a device and a query; NULL: why. */
const struct gateway_image *gateway_choose(struct gateway_device *d, const struct al_zota_wanted *w,
                                           char *why, size_t why_size);
struct al_zota_wanted gateway_wanted(const struct gateway_device *d);
bool gateway_may_start(const struct gateway_device *d, char *why, size_t why_size);
bool gateway_upgrade_active(const struct gateway_device *d);
const char *gateway_upgrade_name(enum gateway_upgrade u);

/* gateway_ota.c */
extern const struct al_zota_server_app gateway_ota_app; /* its ctx is the gateway's */
void gateway_sessions_restore(struct gateway *g, uint64_t now);
struct al_zota_session *gateway_session(const struct gateway_device *d);

/* gateway_report.c */
/* Tells an event; more, which may be NULL, is merged into it and freed. */
void gateway_tell(struct gateway *g, enum gateway_event_kind kind, const struct gateway_device *d,
                  const char *text, cJSON *more);
void gateway_progress(struct gateway *g);
cJSON *gateway_device_json(const struct gateway_device *d);
cJSON *gateway_transfer_json(const struct gateway_device *d);

#endif
