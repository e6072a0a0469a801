/* Upgrades on a small Zigbee network in virtual time (zb_world.h): a server on the
 * coordinator, and devices that write what comes through core/slot_writer.h into a
 * simulated flash chip, keep their progress in NVS on the same chip, and install only what
 * verified. Power may go at every operation of a device's flash, and the server may die at any
 * instant; both come back with what they had saved.
 *
 *   flash of a device:  slot from 0, as long as the image; behind it nvs, 4 sectors
 *
 * A device that installs something else than the image fails the test at once. */
#ifndef TESTS_ZB_UPGRADE_H
#define TESTS_ZB_UPGRADE_H

#include "core/nvs.h"
#include "core/slot_writer.h"
#include "device/nor_flash.h"
#include "tests/support/zb_world.h"
#include "zigbee/ota_stream.h"
#include "zigbee/zcl_ota.h"

#define ZB_UPGRADE_CLIENTS  4
#define ZB_UPGRADE_SERVERS  2
#define ZB_UPGRADE_SECOND   1000000ull
#define ZB_UPGRADE_NVS      0x4000u /* bytes */
#define ZB_UPGRADE_ENDPOINT 10      /* of a client */
#define ZB_UPGRADE_SERVER   42      /* endpoint of a server */

#define ZB_UPGRADE_MANUFACTURER 0x131bu
#define ZB_UPGRADE_IMAGE_TYPE   0x1011u
#define ZB_UPGRADE_NEW_VERSION  2u

/* Payloads, below tests/vectors/esp-flash/. */
#define ZB_UPGRADE_SMALL "otadata/images/app_1.2.0.bin" /* 8272 bytes */
#define ZB_UPGRADE_LARGE "image/app_h2_v1.bin"          /* 65616 bytes */

struct zb_upgrade;

/* A Zigbee OTA file with image and integrity code. */
struct zb_upgrade_file {
    struct al_zota_id id;
    uint8_t *bytes;
    uint32_t size;
    uint32_t image_at, image_len;
};

struct zb_upgrade_server {
    struct zb_upgrade *u;
    struct zb_sim_node *sim;
    struct zb_upgrade_file file;
    uint32_t claimed; /* size that it tells; 0: the true one */
    struct al_zota_server_config config;
    struct al_zcl_endpoint endpoint;
    struct al_zcl_ota_server ota;
    struct al_zota_session sessions[ZB_UPGRADE_CLIENTS];
    struct al_zota_record records[ZB_UPGRADE_CLIENTS]; /* saved */
    struct zb_engine engine;
    uint64_t on_at; /* while it is off */
    unsigned lives, queries, refused;
};

/* What NVS keeps of a download. */
struct zb_upgrade_progress {
    struct al_zota_progress ota;
    struct al_zstream stream;
    uint32_t written;
};

struct zb_upgrade_client {
    struct zb_upgrade *u;
    struct zb_sim_node *sim;
    uint64_t cut_at; /* the next power on lasts until this operation of the flash; 0: longer */
    struct al_zota_client_config config;
    struct al_zcl_endpoint endpoint;
    struct al_zcl_ota_client ota;
    struct zb_engine engine;
    bool started, restart;
    uint64_t on_at; /* while it is off */

    struct nor_flash nor;
    struct al_window slot;
    struct al_nvs nvs;
    struct al_nvs_page pages[ZB_UPGRADE_NVS / AL_SECTOR];
    uint8_t ns;
    struct zb_upgrade_progress now, saved; /* saved.ota.magic 0: none */
    struct al_slot_writer writer;

    /* What became of it */
    unsigned installed, cuts, starts, queries, blocks, retries, ends, gave_up, invalid;
    uint32_t resumed_at; /* offset of the last start */
    uint64_t bytes;      /* of all lives */
    enum al_zota_reason reason;
};

struct zb_upgrade {
    struct zb_world *world;
    struct zb_upgrade_server servers[ZB_UPGRADE_SERVERS];
    struct zb_upgrade_client clients[ZB_UPGRADE_CLIENTS];
    unsigned server_count, client_count;
    const uint8_t *code_key; /* of the install code of devices that join; NULL: they have none */
    bool hold;               /* the devices do not begin yet, so that more can join undisturbed */
    uint8_t *image;          /* what may be installed */
    uint32_t image_len;
};

/* payload: ZB_UPGRADE_SMALL or _LARGE. The coordinator has formed and is open, and serves
 * it as version 2; at: its place in metres, < 0: all hear all. */
struct zb_upgrade *zb_upgrade_new(const struct medium_config *c, const char *payload, double at);
void zb_upgrade_free(struct zb_upgrade *u); /* NULL allowed */

/* One that hands out the same image, on any node. */
struct zb_upgrade_server *zb_upgrade_add_server(struct zb_upgrade *u, struct zb_sim_node *sim);
/* After power on: with the records that it had saved. */
void zb_upgrade_start_server(struct zb_upgrade_server *s);
/* Joined, running version 1, its engine at work as soon as time passes. c: ids and address
 * are filled in, waiting times shortened where they are zero. at as above. */
struct zb_upgrade_client *zb_upgrade_add_client(struct zb_upgrade *u, enum al_nwk_role role,
                                                bool sleepy, double at,
                                                const struct al_zota_client_config *c);

/* The power goes; it comes back by itself after `pause` us. */
void zb_upgrade_cut(struct zb_upgrade_client *c, uint64_t pause);
void zb_upgrade_kill(struct zb_upgrade_server *s, uint64_t pause);
/* As from the factory, but still in the network: version 1, erased flash. Restarts it. */
void zb_upgrade_renew(struct zb_upgrade_client *c);

/* Lets time pass, with restarts, until() or `us`; true: until() said so. */
bool zb_upgrade_run(struct zb_upgrade *u, uint64_t us, bool (*until)(void *ctx), void *ctx);
/* Until all clients have installed the image; fails the test when they have not in `us`. */
void zb_upgrade_finish(struct zb_upgrade *u, uint64_t us);
bool zb_upgrade_all_installed(void *u);
/* Chance of a test's own, 0..below - 1; *state: its seed at first. */
uint32_t zb_upgrade_random(uint32_t *state, uint32_t below);
uint64_t zb_upgrade_now(const struct zb_upgrade *u);
/* One line about each client, when a test fails or ZB_WORLD_TRACE is set. */
void zb_upgrade_print(const struct zb_upgrade *u);

#endif
