/* Base device behaviour: how a node comes into a network and back into it. Formation on a
 * coordinator, steering (join, then exchange of the link key), initialisation after a
 * restart, return to the network when the parent is lost, leaving.
 * Source: BDB 13-0402-13; spec flows of joining.
 *
 *   form    ENERGY -> SCAN -> member
 *
 *   steer   DISCOVER -> JOIN -> WAIT_KEY -> DESCRIPTOR -> EXCHANGE -> member
 *            ^  ^        | ^       |           |             |
 *            |  |        '-+-------'           '------+------'
 *            |  |   next candidate, then the          | no proven link key
 *            |  '-- secondary channels,            LEAVE
 *            |      all once more when empty          |
 *            '----------------------------------------'   up to `attempts` times
 *
 *   return  REJOIN -> [REJOIN_KEY] -> member      own channel, all channels, without key;
 *            ^ '------- PAUSE                     a router goes on routing in the PAUSE
 *            '------------'                       no proven key yet: DESCRIPTOR, EXCHANGE
 *
 * A scan of the own channel that hears nobody is repeated after a short PAUSE.
 *
 * Every result is told from REPORT, and every wait has its own end (table in bdb.c). */
#ifndef ZIGBEE_BDB_H
#define ZIGBEE_BDB_H

#include "zigbee/trust.h"
#include "zigbee/zdo.h"

#define AL_BDB_PRIMARY_CHANNELS   0x02108800u
#define AL_BDB_SECONDARY_CHANNELS 0x05ef7000u
#define AL_BDB_ALL_CHANNELS       0x07fff800u
#define AL_BDB_OPEN_S             180
#define AL_BDB_ORPHAN_PAUSE_S     5 /* a node that was not taken back asks again */

enum al_bdb_event {
    AL_BDB_INITIALISED, /* status OK: a member again; NOT_THERE: factory new */
    AL_BDB_FORMED,
    AL_BDB_STEERED,     /* joined, or (on a member) opened the network */
    AL_BDB_LEFT,        /* value: 1 when it will rejoin */
    AL_BDB_PERMIT,      /* value: seconds that the network is open; 0: closed */
    AL_BDB_PARENT_LOST, /* a rejoin begins */
    AL_BDB_REJOINED,
    AL_BDB_ASSOCIATED,  /* parent: ext, addr got an address */
    AL_BDB_DEVICE,      /* trust centre: ext, addr, value: status of Update-Device */
    AL_BDB_AUTHORISED,  /* trust centre: ext, addr; status */
    AL_BDB_PROVED,      /* trust centre: ext, addr has proved its own link key */
    AL_BDB_ANNOUNCED,   /* ext, addr, value: capability (Device_annce) */
    AL_BDB_DEVICE_LEFT, /* ext, addr, value: 1 when it will rejoin */
    AL_BDB_UNAVAILABLE, /* addr: does not answer, or has no route */
    AL_BDB_NWK_STATUS   /* value: code, addr */
};

struct al_bdb_event_args {
    enum al_bdb_event event;
    enum al_zb_status status;
    uint64_t ext;
    uint16_t addr, parent;
    uint32_t value;
};

/* 0 anywhere means the default in brackets. */
struct al_bdb_config {
    struct al_nwk *nwk;
    struct al_aps *aps;
    struct al_trust *trust;
    struct al_zdo *zdo;
    struct al_zb_random random;
    uint32_t primary, secondary; /* channel masks [the two above]; secondary 0: none */
    uint64_t epid;               /* the only network to join; 0: any */
    uint16_t pan_id;             /* to form; 0: random, not seen by the scan */
    uint8_t scan_duration;       /* [4] */
    uint8_t attempts;            /* joins tried before giving up [3] */
    bool no_rejoin;              /* stay silent after the parent was lost */
    void *up_ctx;
    void (*event)(void *ctx, uint64_t now, const struct al_bdb_event_args *a);
    /* Every change of the state, by name; may be NULL. */
    void (*trace)(void *ctx, uint64_t now, const char *from, const char *to);
};

#define AL_BDB_CANDIDATES 8
#define AL_BDB_PANS       32

struct al_bdb {
    struct al_bdb_config c;
    uint8_t state, purpose; /* bdb_internal.h */
    uint8_t tries;          /* of this purpose */
    uint8_t asked;          /* for the node descriptor of the trust centre */
    bool secondary;         /* the secondary channels are being looked at, or were */
    bool found, again;      /* of this try: some candidate; a scan is the second one */
    uint64_t deadline, open_until, announce_at, watch_at;  /* UINT64_MAX: none */
    uint64_t in_touch_at;                                  /* router: others were heard */
    struct al_nwk_candidate candidates[AL_BDB_CANDIDATES]; /* best first */
    uint8_t candidate_count, candidate;
    int8_t energy[16];    /* of channels 11..26 */
    uint8_t networks[16]; /* heard there */
    uint16_t pans[AL_BDB_PANS];
    uint8_t pan_count;
    enum al_zb_status last; /* why the last try failed */
};

void al_bdb_init(struct al_bdb *b, const struct al_bdb_config *c);
/* One at a time, each ends with its event; AL_ERR_INVALID_STATE: one is under way. */

/* After a restart: routers and the coordinator go on where they were, an end device rejoins.
 * When that fails it goes on trying by itself, unless no_rejoin: REJOINED. */
int al_bdb_initialise(struct al_bdb *b, uint64_t now);
/* Coordinator without a network; AL_ERR_NOT_SUPPORTED on others. */
int al_bdb_form(struct al_bdb *b, uint64_t now);
/* Joins an open network; on a member: opens it for AL_BDB_OPEN_S. A device that has lost its
 * network rejoins it. */
int al_bdb_steer(struct al_bdb *b, uint64_t now);

/* Opens the whole network (0: closes): itself and, by broadcast, all routers.
 * AL_ERR_INVALID_STATE: not a member; AL_ERR_NO_MEM: try again, nothing has changed. */
int al_bdb_open(struct al_bdb *b, uint64_t now, uint8_t seconds);
/* Leaves and forgets the network: LEFT. AL_ERR_INVALID_STATE: has none. */
int al_bdb_leave(struct al_bdb *b, uint64_t now);
/* Forgets the network without a word or an event, whatever is under way. */
void al_bdb_reset(struct al_bdb *b, uint64_t now);
/* Something was begun whose event is still to come. */
bool al_bdb_busy(const struct al_bdb *b);
bool al_bdb_is_member(const struct al_bdb *b);
bool al_bdb_factory_new(const struct al_bdb *b);
const char *al_bdb_event_name(enum al_bdb_event event);

/* ---- From the layers below (node.c) ---- */

void al_bdb_found(struct al_bdb *b, const struct al_nwk_candidate *c);
void al_bdb_energy(struct al_bdb *b, uint8_t channel, int8_t dbm);
void al_bdb_discovered(struct al_bdb *b, uint64_t now);
void al_bdb_joined(struct al_bdb *b, uint64_t now, enum al_zb_status status);
void al_bdb_network_key(struct al_bdb *b, uint64_t now, enum al_zb_status status);
void al_bdb_exchanged(struct al_bdb *b, uint64_t now, enum al_zb_status status);
void al_bdb_parent_lost(struct al_bdb *b, uint64_t now);
void al_bdb_left(struct al_bdb *b, uint64_t now, bool rejoin);
void al_bdb_permitted(struct al_bdb *b, uint64_t now, uint8_t seconds);
void al_bdb_tell(struct al_bdb *b, uint64_t now, struct al_bdb_event_args a);

uint64_t al_bdb_next(const struct al_bdb *b);
void al_bdb_run(struct al_bdb *b, uint64_t now);

#endif
