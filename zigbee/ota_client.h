/* OTA Upgrade client: the device that is upgraded. Without I/O: frames come in through
 * al_zota_client_receive(), go out through the transport; time is an argument
 * (microseconds, any epoch); al_zota_client_next() says when al_zota_client_run() is due.
 * Source: ZCL chapter 11; numbers that it leaves open are those of the config's comments.
 *
 *            query timer, notify          offered            all bytes
 *   IDLE ---------------------> QUERYING -------> DOWNLOADING ------> VERIFYING
 *    ^  <------ no image, refused ---'    gave up |    ^ notify, timer   |   |
 *    |<-------------------------------------------'   MORE <-------------'   | checked
 *    |                                             more files            WAITING
 *    |<-- finish: the device restarts -- COUNT_DOWN <-- Upgrade End Rsp ----'  |
 *                                             ^------ activate ---- EXTERNAL <-'
 *
 * The application's callbacks run inside receive, run and the calls below. They must not
 * call back into the client, except al_zota_client_attribute(). */
#ifndef ZIGBEE_OTA_CLIENT_H
#define ZIGBEE_OTA_CLIENT_H

#include "zigbee/ota_frame.h"
#include "zigbee/ota_ladder.h"
#include "zigbee/ota_transport.h"

enum al_zota_client_state {
    AL_ZOTA_CLIENT_IDLE,
    AL_ZOTA_CLIENT_QUERYING,
    AL_ZOTA_CLIENT_DOWNLOADING,
    AL_ZOTA_CLIENT_VERIFYING,
    AL_ZOTA_CLIENT_WAITING,    /* for an Upgrade End Response */
    AL_ZOTA_CLIENT_COUNT_DOWN, /* to the restart */
    AL_ZOTA_CLIENT_MORE,       /* this file is complete, a further one is needed */
    AL_ZOTA_CLIENT_EXTERNAL    /* for al_zota_client_activate() */
};

/* Why a query or a download ended without an image. */
enum al_zota_reason {
    AL_ZOTA_REASON_NONE,
    AL_ZOTA_REASON_NO_SERVER,      /* discovery found none, or it never answers queries */
    AL_ZOTA_REASON_NO_IMAGE,       /* the server has none; status */
    AL_ZOTA_REASON_NOT_AUTHORIZED, /* the server refuses this device */
    AL_ZOTA_REASON_WRONG_IMAGE,    /* offered for another manufacturer or type, or unusable */
    AL_ZOTA_REASON_SAME_VERSION,
    AL_ZOTA_REASON_TOO_LARGE,  /* size > config.max_image_size */
    AL_ZOTA_REASON_REFUSED,    /* by the offer callback; status is its answer */
    AL_ZOTA_REASON_UNANSWERED, /* a block was asked for again and again */
    AL_ZOTA_REASON_ABORTED,    /* by the server */
    AL_ZOTA_REASON_WITHDRAWN,  /* the server no longer has the file */
    AL_ZOTA_REASON_REJECTED,   /* default response; status */
    AL_ZOTA_REASON_WRITE,      /* the data callback failed; err */
    AL_ZOTA_REASON_INVALID,    /* the check callback said so; status */
    AL_ZOTA_REASON_STOPPED     /* al_zota_client_stop() */
};

/* A file that is offered, downloaded or complete. */
struct al_zota_file {
    struct al_zota_id id;
    uint32_t size;           /* bytes, OTA header included */
    uint8_t device_specific; /* 1: by Query Device Specific File; no bool, as it is stored */
};

/* What the client has to know again after a restart. POD: may be stored as it is. */
#define AL_ZOTA_PROGRESS_MAGIC 0x3150545au
struct al_zota_progress {
    uint32_t magic; /* AL_ZOTA_PROGRESS_MAGIC; otherwise there is none */
    struct al_zota_file file;
    uint32_t offset; /* bytes that the data callback has had */
};

enum al_zota_client_event_kind {
    AL_ZOTA_CLIENT_STATE,       /* arg: the state before; state: now */
    AL_ZOTA_CLIENT_FIND_SERVER, /* find one, then al_zota_client_set_server() or _no_server() */
    AL_ZOTA_CLIENT_QUERY,       /* Query Next Image Request has gone out; arg: which try, from 1 */
    AL_ZOTA_CLIENT_OFFER,       /* file; before the offer callback */
    AL_ZOTA_CLIENT_START,       /* file, offset: > 0: a download goes on */
    AL_ZOTA_CLIENT_BLOCK,       /* offset: bytes had; arg: bytes just had */
    AL_ZOTA_CLIENT_RETRY,       /* offset; arg: which retry, from 1 */
    AL_ZOTA_CLIENT_HELD,        /* WAIT_FOR_DATA; arg: ms */
    AL_ZOTA_CLIENT_BLOCK_SIZE,  /* arg: bytes asked for from now on */
    AL_ZOTA_CLIENT_NO_PAGES,    /* the server has no Image Page: by blocks from now on */
    AL_ZOTA_CLIENT_COMPLETE,    /* all bytes are there, the check follows */
    AL_ZOTA_CLIENT_END_SENT,    /* Upgrade End Request; status; arg: which try, from 1 */
    AL_ZOTA_CLIENT_ORDER,     /* Upgrade End Response; arg: s until the restart, UINT32_MAX: wait */
    AL_ZOTA_CLIENT_BAD_ORDER, /* its upgrade time lies before its current time */
    AL_ZOTA_CLIENT_APPLY,     /* the count-down has begun; arg: ms */
    AL_ZOTA_CLIENT_FINISH,    /* install and restart now */
    AL_ZOTA_CLIENT_GAVE_UP,   /* reason, status, err, offset; file if one was chosen */
    AL_ZOTA_CLIENT_IGNORED    /* a frame was dropped; arg: its command id */
};

struct al_zota_client_event {
    enum al_zota_client_event_kind kind;
    enum al_zota_client_state state;
    struct al_zota_peer server;
    const struct al_zota_file *file;
    uint32_t offset; /* bytes had so far */
    uint32_t arg;
    enum al_zota_reason reason;
    uint8_t status; /* ZCL status */
    int err;        /* AL_ERR_* */
};

/* A check that goes on: al_zota_client_checked() brings its end. Not a ZCL status. */
#define AL_ZOTA_LATER (-1)

/* save and event may be NULL. */
struct al_zota_client_app {
    void *ctx;
    /* An image is offered, its ids and size are right. SUCCESS: download; another ZCL
     * status: refuse. *offset is 0, or where the saved progress of this same file
     * stands; the application may put what its own writer really has (up to size):
     * that byte is asked for next. reinstall: the version is the running one, allowed
     * because the server had sent a unicast Image Notify. */
    uint8_t (*offer)(void *ctx, const struct al_zota_file *file, bool reinstall, uint32_t *offset);
    /* The file's bytes, header included: each exactly once, in order. Less than 0 ends
     * the download. */
    int (*data)(void *ctx, uint32_t offset, const uint8_t *data, size_t len);
    /* All bytes were handed over: SUCCESS, INVALID_IMAGE, REQUIRE_MORE_IMAGE, ABORT, or
     * AL_ZOTA_LATER. */
    int (*check)(void *ctx, const struct al_zota_file *file);
    /* Keep this over restarts, together with what the writer needs to go on from
     * p->offset. A p->magic of 0: forget it. Called every save_bytes, and at each end of
     * a download. */
    void (*save)(void *ctx, const struct al_zota_progress *p);
    void (*event)(void *ctx, const struct al_zota_client_event *e);
};

/* Zero is the default that the comment tells (at init). Times in ms where not said. The
 * client's copy may be changed at any time: it holds from the next request on. */
struct al_zota_client_config {
    uint8_t endpoint;
    uint64_t ext_addr;
    uint16_t manufacturer, image_type;
    uint32_t file_version; /* that runs now */
    uint16_t stack_version;
    bool has_hardware_version;
    uint16_t hardware_version;
    uint32_t image_stamp;    /* attribute; 0: all ones, unknown */
    uint32_t max_image_size; /* 0: any */

    uint8_t max_data_size; /* 223 */
    /* Pages: where blocks that come before their time wait, AL_ZOTA_PAGE_BUFFER(page size)
     * bytes. NULL: blocks only. */
    uint8_t *page_buffer;
    uint16_t page_size;    /* bytes */
    uint16_t page_spacing; /* response spacing, 5; doubled while pages lose blocks */
    uint8_t hops;          /* to the coordinator, 0: not known; relays need their time, too */
    bool send_ext_addr;    /* in block and page requests */

    uint32_t query_interval;   /* s, 86400, +- 10 %; UINT32_MAX: only when told */
    uint32_t start_delay;      /* random up to this before the first query, 300000 */
    uint32_t resume_delay;     /* the same after a restart inside a download, 10000 */
    uint32_t query_timeout;    /* 5000 */
    uint8_t query_retries;     /* 10, then the server is looked for anew */
    uint32_t search_pause;     /* no server: again after 600000 */
    uint32_t block_timeout;    /* 5000; a first try is given up sooner where answers come fast */
    uint8_t block_retries;     /* 10, with pauses of 1, 2, 4, 8, 8... s */
    uint32_t retry_unit;       /* the first of these pauses, 1000 */
    uint32_t again_pause;      /* after it gave up within a file: query again after 600000 */
    uint32_t block_delay;      /* at least this between an answer and the next request, 0 */
    uint32_t page_timeout;     /* silence that ends a page, 5000, less when blocks came fast */
    uint32_t end_interval;     /* Upgrade End Request again after 600000 */
    uint8_t end_tries;         /* 10, then see timeout_policy */
    uint32_t min_count_down;   /* 3000: acknowledgements have to get out */
    uint32_t max_count_down;   /* s, never longer than this; 0: as long as the server says */
    uint8_t activation_policy; /* attribute 0x000b: 1: only al_zota_client_activate() */
    uint8_t timeout_policy;    /* attribute 0x000c: 1: do not apply without an order */
    bool period_in_seconds;    /* MinimumBlockPeriod, as cluster revision 2 has it */
    uint32_t save_bytes;       /* 4096 */
    uint16_t cluster_revision; /* 4 */
};

/* page_size bytes and a bit for each. */
#define AL_ZOTA_PAGE_BUFFER(page_size) ((page_size) + ((page_size) + 7u) / 8u)

/* Everything below is the client's own. Readable at will: state, file, offset, server. */
struct al_zota_client {
    struct al_zota_client_config config;
    struct al_zota_client_app app;
    struct al_zota_transport transport;

    enum al_zota_client_state state;
    bool started;
    bool searching;             /* FIND_SERVER is under way */
    bool forced;                /* this query comes from a unicast notify */
    struct al_zota_peer server; /* addr 0xffff: none */
    uint64_t server_ext_addr;

    struct al_zota_file file;
    uint32_t offset;
    uint32_t downloaded_version;
    uint16_t downloaded_stack;
    uint32_t saved_offset;
    struct al_zota_progress kept; /* from the last run, or of a download given up */
    enum al_zota_reason reason;   /* of the last end */

    uint8_t tsn;
    uint8_t tries; /* of what is being asked now */
    bool asking;   /* a request is out; deadline: its timeout. Else deadline: ask (again) */
    uint64_t deadline;
    uint64_t query_at; /* UINT64_MAX: never */
    uint64_t last_query;
    uint32_t handle; /* of the request under way */

    uint16_t min_block_period;
    uint8_t asked_max; /* largest size asked for at this offset */
    uint64_t asked_at;
    uint64_t slowest; /* answer to a first try of late, us */
    uint8_t answers;  /* measured so far, up to 8 */
    struct al_zota_ladder ladder;

    /* Page mode */
    bool no_pages;
    bool in_page;                  /* a page request is out, blocks flow */
    uint8_t page_block;            /* data size asked for in it */
    uint8_t silent_pages;          /* in a row, without a single block */
    uint32_t page_start, page_end; /* file offsets; page_end > offset: holes are left */
    uint16_t spacing;
    uint16_t page_got;            /* bytes that came with the page */
    uint64_t page_last, page_gap; /* when its last block came, longest gap between two */

    /* Query Device Specific File */
    bool specific;
    struct al_zota_id specific_id;

    uint8_t end_status;
    bool more; /* files of this upgrade are complete, others not yet */
};

void al_zota_client_init(struct al_zota_client *c, const struct al_zota_client_config *config,
                         const struct al_zota_client_app *app,
                         const struct al_zota_transport *transport);
/* The network is there: queries begin. saved: from the last run, or NULL. */
void al_zota_client_start(struct al_zota_client *c, uint64_t now,
                          const struct al_zota_progress *saved);
/* The server to ask: configured, or found. ext_addr: all ones when unknown. */
void al_zota_client_set_server(struct al_zota_client *c, uint64_t now, struct al_zota_peer server,
                               uint64_t ext_addr);
void al_zota_client_no_server(struct al_zota_client *c, uint64_t now);
/* Ask for an image now, whatever the timer says. AL_ERR_INVALID_STATE: busy. */
int al_zota_client_query(struct al_zota_client *c, uint64_t now);
/* The same for a device specific file: image_type 0xffc0..0xfffe. */
int al_zota_client_query_specific(struct al_zota_client *c, uint64_t now, uint16_t image_type,
                                  uint32_t file_version);
/* Ends what is under way (a download: with Upgrade End Request ABORT; its bytes are kept)
 * and the periodic query. al_zota_client_start() or _query() begin anew. */
void al_zota_client_stop(struct al_zota_client *c, uint64_t now);
/* Query interval in s from now on; UINT32_MAX: none. */
void al_zota_client_set_interval(struct al_zota_client *c, uint64_t now, uint32_t seconds);
/* What to ask for next: of a device with several images, in state MORE; asks at once. */
int al_zota_client_next_image(struct al_zota_client *c, uint64_t now,
                              const struct al_zota_id *running);
/* The end of a check that was AL_ZOTA_LATER. */
int al_zota_client_checked(struct al_zota_client *c, uint64_t now, uint8_t status);
/* The out-of-band order to upgrade, in states WAITING and EXTERNAL; COUNT_DOWN: no longer than
 * it has to be, whatever the server said. */
int al_zota_client_activate(struct al_zota_client *c, uint64_t now);

/* A frame of the cluster from a server. AL_ERR_NOT_SUPPORTED: not for a client: a
 * command to a server, or a global one other than Default Response, which belongs to
 * whoever answers reads of attributes. */
int al_zota_client_receive(struct al_zota_client *c, uint64_t now,
                           const struct al_zota_received *rx);
/* What became of a frame: acknowledged (or handed to the next hop, without aps_ack). */
void al_zota_client_sent(struct al_zota_client *c, uint64_t now, uint32_t handle, bool ok);
uint64_t al_zota_client_next(const struct al_zota_client *c);
void al_zota_client_run(struct al_zota_client *c, uint64_t now);
/* An answer is awaited: a sleepy device polls fast. */
bool al_zota_client_awaits(const struct al_zota_client *c);

/* The cluster's attributes on the client's side. AL_ERR_NOT_FOUND: no such one. */
struct al_zota_attribute {
    uint16_t id;
    uint8_t type; /* ZCL data type: 0x21 u16, 0x23 u32, 0x30 enum8, 0xf0 EUI-64 */
    uint8_t size; /* bytes */
    uint64_t value;
};
#define AL_ZOTA_ATTRIBUTES 14
extern const uint16_t al_zota_attribute_ids[AL_ZOTA_ATTRIBUTES];
int al_zota_client_attribute(const struct al_zota_client *c, uint16_t id,
                             struct al_zota_attribute *a);
/* ImageUpgradeStatus, 0..6 */
uint8_t al_zota_client_status(const struct al_zota_client *c);
/* "unanswered" */
const char *al_zota_reason_name(enum al_zota_reason r);
const char *al_zota_client_state_name(enum al_zota_client_state s);

#endif
