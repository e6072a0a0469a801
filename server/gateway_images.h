/* The Zigbee images that a gateway can hand out, and which one is for a device. They come
 * from files of a directory, or from whoever adds their bytes (airliftd's store).
 *
 * A file is taken if it can be forwarded (zigbee/ota_file.h, lenient); what it says of
 * manufacturer, type, hardware and destination decides. An index.json beside the files, as
 * the public collection zigbee-OTA has it, adds to that: force, minFileVersion,
 * maxFileVersion, hardwareVersionMin, hardwareVersionMax, modelId, manufacturerName[]; an
 * entry belongs to the file of its fileName; fileSize and sha512 have to be right.
 *
 * Not thread-safe: it belongs to the gateway's thread. */
#ifndef SERVER_GATEWAY_IMAGES_H
#define SERVER_GATEWAY_IMAGES_H

#include <cjson/cJSON.h>

#include "zigbee/ota_file.h"
#include "zigbee/ota_server.h"

#define GATEWAY_IMAGE_MAKERS 4u

struct gateway_image {
    char name[128];
    uint64_t ref;     /* of its bytes: the first 8 of their SHA-256. Never 0 */
    uint32_t warning; /* bit n: class n of al_zfile_class is a warning */
    struct al_zfile_header header;
    struct al_zota_image_limits limits;
    char model[33]; /* only for devices of this modelId; "": any */
    char manufacturers[GATEWAY_IMAGE_MAKERS]
                      [33]; /* only for these manufacturerNames; [0] "": any */
    uint64_t destination;
    bool used; /* by a session: its bytes stay though the file is gone */
    bool gone; /* the file is no longer there: not offered */
};

/* What is known of the device that asks; "": not known. */
struct gateway_image_target {
    const char *model, *manufacturer_name;
};

struct gateway_images;

struct gateway_images *gateway_images_new(void); /* NULL: no memory */
void gateway_images_free(struct gateway_images *s);

/* Reads a directory (again): new and changed files come in, others go. what(): a line for
 * each file that came, went, or was refused with the reason. 0, or AL_FAIL with error. */
int gateway_images_scan(struct gateway_images *s, const char *dir,
                        void (*what)(void *ctx, const char *line), void *ctx, char *error,
                        size_t error_size);
/* Adds the bytes of a file (wrapping included), which stay valid until release(owner).
 * index: its entry of an index.json, or NULL. 0, or AL_ERR_IMAGE_INVALID with why; in both
 * cases owner is released in time. */
int gateway_images_add(struct gateway_images *s, const char *name, const uint8_t *data, size_t len,
                       void (*release)(void *owner), void *owner, const cJSON *index, char *why,
                       size_t why_size);
/* Removes all of that name (those in use: when they are no longer). */
void gateway_images_remove(struct gateway_images *s, const char *name);

/* The image with the highest version that fits; NULL: none. why: NULL or what was in the
 * way, for people. */
const struct gateway_image *gateway_images_for(const struct gateway_images *s,
                                               const struct al_zota_wanted *wanted,
                                               const struct gateway_image_target *target, char *why,
                                               size_t why_size);
/* By ref, gone ones too; NULL. */
const struct gateway_image *gateway_images_of(const struct gateway_images *s, uint64_t ref);
/* Bytes of the OTA file (from its magic). The number read, or AL_ERR_NOT_FOUND. */
int gateway_images_read(const struct gateway_images *s, uint64_t ref, uint32_t offset, void *buf,
                        size_t len);
/* Marks which are in use; those that are gone and not in use are dropped. */
void gateway_images_use(struct gateway_images *s, bool (*used)(void *ctx, uint64_t ref), void *ctx);

size_t gateway_images_count(const struct gateway_images *s);
const struct gateway_image *gateway_images_at(const struct gateway_images *s, size_t index);
cJSON *gateway_images_json(const struct gateway_images *s); /* an array */

#endif
