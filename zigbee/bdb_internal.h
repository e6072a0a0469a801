/* Between the files of base device behaviour only. */
#ifndef ZIGBEE_BDB_INTERNAL_H
#define ZIGBEE_BDB_INTERNAL_H

#include "core/err.h"
#include "zigbee/bdb.h"

#define AL_BDB_NEVER UINT64_MAX
#define AL_BDB_S     1000000ull

/* Every state but IDLE has a deadline: what becomes of it when nothing else happens stands
 * in the table of bdb.c. */
enum al_bdb_state {
    AL_BDB_IDLE,
    AL_BDB_REPORT,     /* the result is known; the event comes with the next run */
    AL_BDB_ENERGY,     /* form: how loud the channels are */
    AL_BDB_SCAN,       /* form: which networks are there */
    AL_BDB_DISCOVER,   /* steer */
    AL_BDB_LOOK_AGAIN, /* nothing was found: before the second scan */
    AL_BDB_JOIN,       /* association with a candidate */
    AL_BDB_WAIT_KEY,   /* the network key */
    AL_BDB_DESCRIPTOR, /* of the trust centre */
    AL_BDB_ASK_AGAIN,  /* there was no room to ask for it */
    AL_BDB_EXCHANGE,   /* of the link key */
    AL_BDB_LEAVE,      /* it failed: the leave is on its way out */
    AL_BDB_REJOIN,
    AL_BDB_REJOIN_KEY, /* after a rejoin without the network key */
    AL_BDB_PAUSE       /* before the next rejoin */
};

enum al_bdb_purpose { AL_BDB_NOTHING, AL_BDB_INITIALISE, AL_BDB_FORM, AL_BDB_STEER, AL_BDB_RETURN };

/* bdb.c. The deadline is that of the table, or at. */
void al_bdb_set_state(struct al_bdb *b, uint64_t now, enum al_bdb_state state);
void al_bdb_set_state_until(struct al_bdb *b, uint64_t now, enum al_bdb_state state, uint64_t at);
/* Microseconds before a scan that found nobody is made once more: 0.25 to 0.5 s, so that it
 * does not meet the same frames again. */
uint64_t al_bdb_short_pause(const struct al_bdb *b);
/* AL_ERR_INVALID_STATE: another purpose is under way. */
int al_bdb_begin(struct al_bdb *b, enum al_bdb_purpose purpose);
/* The end of a purpose is told by the next run: never from inside the call that began it. */
void al_bdb_finish(struct al_bdb *b, uint64_t now, enum al_zb_status status);
void al_bdb_announce(struct al_bdb *b, uint64_t now); /* Device_annce, again while it fails */
/* Network, keys, bindings, reports: as new. Install codes and counters stay. */
void al_bdb_forget(struct al_bdb *b);

/* bdb_form.c */
void al_bdb_form_scanned(struct al_bdb *b, uint64_t now);
void al_bdb_form_heard(struct al_bdb *b, const struct al_nwk_candidate *c);
void al_bdb_form_overdue(struct al_bdb *b, uint64_t now);

/* bdb_steer.c */
void al_bdb_steer_scanned(struct al_bdb *b, uint64_t now);
void al_bdb_steer_heard(struct al_bdb *b, const struct al_nwk_candidate *c);
void al_bdb_steer_joined(struct al_bdb *b, uint64_t now, enum al_zb_status status);
void al_bdb_steer_key(struct al_bdb *b, uint64_t now, enum al_zb_status status);
void al_bdb_steer_gone(struct al_bdb *b, uint64_t now); /* from LEAVE */
void al_bdb_ask_descriptor(struct al_bdb *b, uint64_t now);
/* A wait of steering that the layers below did not end. */
void al_bdb_steer_overdue(struct al_bdb *b, uint64_t now);

/* bdb_return.c */
/* begin() was called: rejoins by one way after the other. */
void al_bdb_rejoin(struct al_bdb *b, uint64_t now);
void al_bdb_come_back(struct al_bdb *b, uint64_t now);
void al_bdb_return_joined(struct al_bdb *b, uint64_t now, enum al_zb_status status);
void al_bdb_return_key(struct al_bdb *b, uint64_t now, enum al_zb_status status);
void al_bdb_return_overdue(struct al_bdb *b, uint64_t now);
/* A router looks now and then whether it still hears its network. */
void al_bdb_watch(struct al_bdb *b, uint64_t now);

#endif
