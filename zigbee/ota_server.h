/* OTA Upgrade server: the device that owns the files, for many clients at once. Without
 * I/O: frames come in through al_zota_server_receive(), go out through the transport;
 * time is an argument (microseconds, any epoch).
 *
 * On the wire it keeps nothing per client: each answer takes ids, offset and TSN from its
 * request. The sessions are for pace, fairness, limits and reports; the caller places
 * them, and what they are worth over a restart goes through the save callback.
 *
 *   a session:  NEW -> QUERIED -> (HELD ->) DOWNLOADING -> VERIFYING -> ENDED -> UPDATED
 *                                   \ LOST, ABORTED, FAILED     \ REFUSED   \ NOT_APPLIED
 *
 * Callbacks run inside receive, run, sent and the calls below and must not call back into
 * the server. Sources as in ota_client.h; stall limits and block sizes from gateways. */
#ifndef ZIGBEE_OTA_SERVER_H
#define ZIGBEE_OTA_SERVER_H

#include "zigbee/ota_frame.h"
#include "zigbee/ota_ladder.h"
#include "zigbee/ota_transport.h"

enum al_zota_session_state {
    AL_ZOTA_SESSION_FREE,
    AL_ZOTA_SESSION_NEW,     /* known, has asked for nothing yet */
    AL_ZOTA_SESSION_QUERIED, /* an image was offered */
    AL_ZOTA_SESSION_HELD,    /* WAIT_FOR_DATA: others come first */
    AL_ZOTA_SESSION_DOWNLOADING,
    AL_ZOTA_SESSION_VERIFYING,   /* the last byte was sent, Upgrade End Request is awaited */
    AL_ZOTA_SESSION_ENDED,       /* Upgrade End SUCCESS; it restarts when its order says so */
    AL_ZOTA_SESSION_UPDATED,     /* it runs the new version: seen in a later query */
    AL_ZOTA_SESSION_NOT_APPLIED, /* it asks again with a version that is not the new one */
    AL_ZOTA_SESSION_LOST,        /* silent for longer than its stall limit; may come back */
    AL_ZOTA_SESSION_ABORTED,     /* by the operator or the client */
    AL_ZOTA_SESSION_FAILED,      /* the client: INVALID_IMAGE and the like; see status */
    AL_ZOTA_SESSION_MORE         /* the client: REQUIRE_MORE_IMAGE */
};

/* A file that the server has. ref: the caller's, to find it again in read. */
struct al_zota_image {
    struct al_zota_id id;
    uint32_t size; /* total image size, OTA header included */
    uint64_t ref;
};

/* What a lookup compares a file with. */
struct al_zota_image_limits {
    bool has_hardware;
    uint16_t min_hardware, max_hardware; /* inclusive */
    bool has_destination;
    uint64_t destination;
    /* Version of the device for which the file is meant; 0 and all ones: any. */
    uint32_t min_running, max_running;
    bool force;     /* also the version that runs now */
    bool downgrade; /* also a lower one */
};

/* A device asks what there is for it. */
struct al_zota_wanted {
    struct al_zota_peer peer;
    uint64_t ext_addr;    /* 0: unknown */
    bool device_specific; /* Query Device Specific File */
    struct al_zota_id id; /* version: that runs now; specific: that is wanted */
    bool has_hardware_version;
    uint16_t hardware_version;
    uint16_t stack_version; /* device_specific only */
};

/* Whether a file of these ids and limits is for that device (manufacturer and type, wild
 * cards, hardware range, destination, version policy). */
bool al_zota_image_fits(const struct al_zota_id *file, const struct al_zota_image_limits *limits,
                        const struct al_zota_wanted *wanted);

/* What is known of a device before it asks; zero: the config's. */
struct al_zota_device {
    uint64_t ext_addr;
    bool sleepy;
    bool no_fragments;      /* its node descriptor says so */
    uint8_t max_block;      /* bytes */
    uint16_t block_period;  /* ms, MinimumBlockPeriod */
    bool period_in_seconds; /* its firmware reads that field so */
    uint32_t stall_limit;   /* s */
};

/* When the device shall upgrade, as Upgrade End Response has it. */
#define AL_ZOTA_WAIT 0xffffffffu
struct al_zota_order {
    uint32_t current_time; /* s; 0: upgrade_time is a delay */
    uint32_t upgrade_time; /* s; AL_ZOTA_WAIT: until al_zota_server_release() */
};

struct al_zota_session; /* below */

enum al_zota_server_event_kind {
    AL_ZOTA_SERVER_STATE,    /* arg: the state before */
    AL_ZOTA_SERVER_QUERY,    /* wanted; session NULL and status, or an image was offered */
    AL_ZOTA_SERVER_STARTED,  /* its first block has gone out */
    AL_ZOTA_SERVER_BLOCK,    /* offset and arg: bytes just sent */
    AL_ZOTA_SERVER_REPEATED, /* the same, asked for again */
    AL_ZOTA_SERVER_HELD,     /* WAIT_FOR_DATA; arg: s */
    AL_ZOTA_SERVER_PACE,     /* arg: its block size from now on */
    AL_ZOTA_SERVER_END,      /* Upgrade End Request; status */
    AL_ZOTA_SERVER_STALLED,  /* silent for longer than its stall limit */
    AL_ZOTA_SERVER_REFUSED   /* a bad request; arg: command, status: the answer */
};

struct al_zota_server_event {
    enum al_zota_server_event_kind kind;
    struct al_zota_peer peer;
    const struct al_zota_session *session; /* NULL: none */
    const struct al_zota_wanted *wanted;   /* QUERY */
    uint32_t offset;
    uint32_t arg;
    uint8_t status;
};

/* device, end, save and event may be NULL. */
struct al_zota_server_app {
    void *ctx;
    /* The image for a device. 0; AL_ERR_NOT_FOUND: NO_IMAGE_AVAILABLE;
     * AL_ERR_NOT_ALLOWED: NOT_AUTHORIZED. Others: NO_IMAGE_AVAILABLE. */
    int (*find)(void *ctx, const struct al_zota_wanted *wanted, struct al_zota_image *image);
    /* The image with just these ids. 0 or AL_ERR_NOT_FOUND. */
    int (*get)(void *ctx, struct al_zota_peer peer, const struct al_zota_id *id,
               struct al_zota_image *image);
    /* Up to len bytes at offset (offset + len <= size): how many there are now, at least
     * 1. AL_ERR_NOT_FINISHED: not yet, the client is told to wait. Other errors: ABORT. */
    int (*read)(void *ctx, struct al_zota_peer peer, const struct al_zota_image *image,
                uint32_t offset, void *buf, size_t len);
    /* Upgrade End SUCCESS: *order is {0, 0}, now, and may be changed. With
     * session->record.released it is what al_zota_server_release() was given: bring its
     * current_time up to date if it has one. Asked at each request, also repeated ones. */
    void (*end)(void *ctx, const struct al_zota_session *session, struct al_zota_order *order);
    /* Fills *d (zeros) for a device that is heard for the first time. */
    void (*device)(void *ctx, struct al_zota_peer peer, struct al_zota_device *d);
    /* Keep session->record over restarts. Each change of state, and now and then. */
    void (*save)(void *ctx, const struct al_zota_session *session);
    void (*event)(void *ctx, const struct al_zota_server_event *e);
};

/* Zero is the default that the comment tells. */
struct al_zota_server_config {
    uint8_t endpoint;
    uint8_t max_block;      /* bytes, 223 */
    bool no_pages;          /* answer Image Page Request with UNSUP_COMMAND */
    uint16_t parallel;      /* downloads at a time, 0: as many as the air allows */
    uint16_t outstanding;   /* answers under way when clients are slow to take them, 3, at most
                               16; to clients that are quick it is one at a time */
    uint16_t block_period;  /* ms, MinimumBlockPeriod for all */
    uint32_t stall_limit;   /* s without a request: 150 */
    uint32_t sleepy_limit;  /* the same for sleepy devices: 1800 */
    uint32_t verify_limit;  /* s from the last block to Upgrade End: 3600 */
    uint32_t slot_limit;    /* s without a request after which another may start: 30;
                               sleepy devices: a quarter of their stall limit */
    uint32_t save_interval; /* s between two saves of a download's progress: 5 */
};

/* What is kept over restarts. POD. */
#define AL_ZOTA_RECORD_MAGIC 0x3153545au
struct al_zota_record {
    uint32_t magic;
    uint8_t state; /* enum al_zota_session_state */
    uint8_t abort; /* the operator's wish, until the client has heard it */
    uint8_t status;
    uint8_t released; /* order holds */
    struct al_zota_peer peer;
    uint64_t ext_addr; /* 0: unknown */
    struct al_zota_image image;
    uint32_t running; /* version before the upgrade, all ones: unknown */
    uint32_t offset;  /* all before it was sent */
    struct al_zota_order order;
};

/* One client. Placed by the caller as a table; to be read only. */
struct al_zota_session {
    struct al_zota_record record;
    struct al_zota_device device;
    uint64_t first_seen, last_seen; /* of this download; us */
    uint32_t first_offset;          /* where this download began, after a restart or so */
    uint32_t blocks, repeats;       /* answers; of these asked for again */
    uint32_t lost;                  /* answers that were not confirmed */
    uint32_t rate;                  /* bytes/s, over the last seconds */
    uint64_t rate_since;
    uint32_t rate_offset;
    uint64_t saved_at;
    struct al_zota_ladder ladder;
    uint16_t pace;       /* ms between blocks on top of what the client asked for, after loss */
    uint64_t held_since; /* UINT64_MAX: not held */

    /* The block request that waits for its answer */
    bool pending;
    uint8_t tsn;
    uint8_t max_data;
    uint32_t want;       /* file offset */
    uint64_t due;        /* not before */
    uint64_t data_since; /* read has no data yet; UINT64_MAX: it has */
    bool told_period;
    uint64_t served; /* when and in which turn it last got a block; 0: never */
    uint32_t turn;
    bool answered; /* last_tsn, last_offset hold */
    uint8_t last_tsn;
    uint32_t last_offset;
    bool last_failed;
    uint8_t in_air;              /* answers not confirmed yet */
    uint32_t confirm_us, ask_us; /* means: answer to confirmation, that to the next request */
    uint8_t ask_slow;            /* requests in a row that came late or not at all */
    uint64_t had_at;             /* confirmed, the next request is awaited; 0: none */

    /* The newest request for data, to know late copies of older ones */
    uint64_t newest_at; /* 0: none */
    uint32_t newest_offset;
    uint8_t newest_seq;

    /* The page that flows to it */
    bool paging;
    uint8_t page_tsn, page_max;
    uint16_t page_spacing; /* ms */
    uint32_t page_next, page_end;
    uint64_t page_due;
    uint8_t page_fails; /* in a row */
};

#define AL_ZOTA_OUTSTANDING 64
struct al_zota_outstanding {
    uint32_t handle; /* 0: free */
    uint16_t session;
    bool counts; /* against the limit: not to a sleepy device */
    bool page;
    uint32_t offset; /* of the block */
    uint64_t since;
    uint64_t until; /* then others need not wait for it any more */
};

struct al_zota_server {
    struct al_zota_server_config config;
    struct al_zota_server_app app;
    struct al_zota_transport transport;
    struct al_zota_session *session;
    uint16_t sessions; /* size of the table */
    uint8_t tsn;
    uint32_t handle;
    uint32_t turn;
    uint16_t in_air;      /* of those that count */
    uint32_t serve_us;    /* mean time that a block takes, until the next may follow; 0: unknown */
    uint64_t busy_until;  /* an answer is under way; 0: none */
    uint64_t pages_at;    /* the next block of any page, when the last one has been passed on */
    uint64_t quiet_until; /* the request of session quiet_for is about to come */
    uint16_t quiet_for;
    struct al_zota_outstanding outstanding[AL_ZOTA_OUTSTANDING];
    uint64_t retry_at; /* the transport's queue was full */
};

void al_zota_server_init(struct al_zota_server *s, const struct al_zota_server_config *config,
                         const struct al_zota_server_app *app,
                         const struct al_zota_transport *transport, struct al_zota_session *table,
                         uint16_t sessions);
/* A record from the last run. AL_ERR_NO_MEM: the table is full; AL_ERR_INVALID_ARG. */
int al_zota_server_restore(struct al_zota_server *s, uint64_t now,
                           const struct al_zota_record *record);

/* Image Notify, payload_type 0..3: how many fields of id are sent. to: a device (jitter
 * should be 100) or a broadcast address with endpoint 0xff. */
int al_zota_server_notify(struct al_zota_server *s, struct al_zota_peer to, uint8_t payload_type,
                          uint8_t jitter, const struct al_zota_id *id);

/* NULL: not known. */
struct al_zota_session *al_zota_server_find(const struct al_zota_server *s, uint16_t addr,
                                            uint8_t endpoint);
struct al_zota_session *al_zota_server_find_ext(const struct al_zota_server *s, uint64_t ext_addr);
/* The device has a new network address. */
void al_zota_server_moved(struct al_zota_server *s, uint64_t ext_addr, uint16_t addr);
/* Something of struct al_zota_device has become known. */
void al_zota_server_set_device(struct al_zota_server *s, struct al_zota_session *session,
                               const struct al_zota_device *d);
/* The next block response says ABORT; kept over restarts until the client has heard it. */
void al_zota_server_abort(struct al_zota_server *s, uint64_t now, struct al_zota_session *session);
/* Lets a client upgrade that was told to wait: Upgrade End Response of its own accord, and
 * the answer to its next Upgrade End Request. AL_ERR_INVALID_STATE: it is not ENDED. */
int al_zota_server_release(struct al_zota_server *s, uint64_t now, struct al_zota_session *session,
                           struct al_zota_order order);
void al_zota_server_forget(struct al_zota_server *s, struct al_zota_session *session);

/* Data that read did not have yet may be there now. */
void al_zota_server_wake(struct al_zota_server *s, uint64_t now);

/* A frame of the cluster from a client. AL_ERR_NOT_SUPPORTED: not for a server: a
 * command to a client, or a global one other than Default Response. */
int al_zota_server_receive(struct al_zota_server *s, uint64_t now,
                           const struct al_zota_received *rx);
/* What became of a frame: acknowledged (or handed to the next hop, without aps_ack). */
void al_zota_server_sent(struct al_zota_server *s, uint64_t now, uint32_t handle, bool ok);
uint64_t al_zota_server_next(const struct al_zota_server *s);
void al_zota_server_run(struct al_zota_server *s, uint64_t now);

/* Seconds until session has all bytes at its rate; UINT32_MAX: unknown. */
uint32_t al_zota_session_remaining(const struct al_zota_session *session);
const char *al_zota_session_state_name(enum al_zota_session_state s);

#endif
