/* A gateway and virtual devices in virtual time. Each device has an OTA client that counts
 * what it is sent; when the order to upgrade comes due it restarts into the new version (or
 * not, see stubborn), announces itself and answers as that. */
#ifndef TESTS_GATEWAY_BENCH_H
#define TESTS_GATEWAY_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these before it */
#include <cmocka.h>

#include "radio/zb_sim.h"
#include "server/gateway.h"
#include "zigbee/zcl_basic.h"
#include "zigbee/zcl_ota.h"

#define BENCH_DEVICES 64
#define BENCH_SECOND  1000000ull
#define BENCH_MINUTE  (60 * BENCH_SECOND)
#define BENCH_FILE    8192u /* longest file */

/* Zeros mean the default in brackets. */
struct bench_device_config {
    bool sleepy, router;
    uint16_t manufacturer, image_type; /* [0x131b, 0x1011] */
    uint32_t version;                  /* [1] */
    bool has_hardware;
    uint16_t hardware;
    const char *model; /* ["lamp"] */
    bool stubborn;     /* restarts into the version that it had */
    bool rejects;      /* INVALID_IMAGE at the end */
    bool deaf;         /* does not react to Image Notify; asks by itself only */
    double x;          /* metres on a line; 0: heard by all */
    const char *install_code;
};

struct bench_device {
    struct bench *bench;
    struct zb_sim_node *sim;
    struct bench_device_config c;
    struct al_zcl_endpoint endpoint;
    struct al_zcl_basic basic;
    struct al_zcl_ota_client ota;
    struct zb_engine engine;
    bool steered;
    enum al_zb_status status;
    uint32_t version;
    uint8_t file[BENCH_FILE];
    uint32_t size;
    uint32_t bytes;  /* had in all: more than the file's when some came twice */
    uint8_t largest; /* block */
    unsigned finished, refused, gave_up;
    uint64_t started_at, ended_at;
};

struct bench {
    struct zb_sim *sim;
    struct zb_sim_node *node; /* the gateway's */
    struct gateway *gateway;
    struct gateway_config config;
    struct gateway_images *images;
    struct bench_device devices[BENCH_DEVICES];
    unsigned count;
    unsigned minute; /* of the day */
    unsigned most_at_once;
    char *log; /* events as lines of JSON */
    size_t log_len;
};

/* c: callbacks and images are filled in. Formed and open. */
struct bench *bench_new(const struct gateway_config *c, double loss);
void bench_free(struct bench *b);
/* An OTA file of so many bytes of image, as name; index: JSON of its index entry, or NULL. */
void bench_add_image(struct bench *b, const char *name, uint16_t manufacturer, uint16_t image_type,
                     uint32_t version, size_t len, const char *index);
/* Joined. */
struct bench_device *bench_add(struct bench *b, const struct bench_device_config *c);
enum al_zb_status bench_steer(struct bench_device *d);
struct bench_device *bench_add_outside(struct bench *b, const struct bench_device_config *c);

void bench_run(struct bench *b, uint64_t us);
/* Fails the test when it does not come within an hour of virtual time. */
void bench_until(struct bench *b, bool (*until)(void *ctx), void *ctx, const char *what);
void bench_until_idle(struct bench *b);
/* The gateway is killed and started anew: all but its store is gone. */
void bench_restart_gateway(struct bench *b);
/* A command; fails the test unless ok is as said. The caller frees the answer. */
cJSON *bench_command(struct bench *b, bool ok, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void bench_order(struct bench *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the gateway says of a device: a text or number of its JSON. */
const char *bench_says(struct bench *b, const struct bench_device *d, const char *key);
double bench_number(struct bench *b, const struct bench_device *d, const char *key);
/* Events of a kind about a device (NULL: any) whose line holds text (NULL: any). */
unsigned bench_events(const struct bench *b, const char *kind, const struct bench_device *d,
                      const char *text);
/* It has the file of that image, each byte once. */
void bench_has(struct bench *b, const struct bench_device *d, const char *name);

#endif
