/* The file that `airlift zigbee client` fetches: gathered in OUT.part, checked, then renamed
 * to OUT. What is there of it outlives a kill -9, with the record in the node's store. */
#ifndef CLI_ZIGBEE_CLIENT_IMAGE_H
#define CLI_ZIGBEE_CLIENT_IMAGE_H

#include "host/aes_openssl.h"
#include "zigbee/ota_client.h"
#include "zigbee/store.h"

struct client_image {
    const char *out;
    const struct al_zb_store *store; /* NULL: nothing is kept */
    bool lenient;
    int fd;           /* of OUT.part; -1: closed */
    uint32_t resumed; /* where this run began */
    uint32_t bytes;   /* got in this run */
    bool complete;    /* OUT is there */
    char error[400];  /* why a write or the check failed */
};

/* From the last run, into *p; p->magic 0: none. */
void client_image_load(const struct client_image *i, struct al_zota_progress *p);

/* For struct al_zota_client_app; ctx is the image. */
uint8_t client_image_offer(void *ctx, const struct al_zota_file *file, bool reinstall,
                           uint32_t *offset);
int client_image_data(void *ctx, uint32_t offset, const uint8_t *data, size_t len);
int client_image_check(void *ctx, const struct al_zota_file *file);
void client_image_save(void *ctx, const struct al_zota_progress *p);
void client_image_close(struct client_image *i);

#endif
