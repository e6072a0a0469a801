/* A transport that keeps what an OTA engine sends, and frames made by hand to give to it. */
#ifndef TESTS_SUPPORT_ZOTA_FRAMES_H
#define TESTS_SUPPORT_ZOTA_FRAMES_H

#include "zigbee/ota_frame.h"
#include "zigbee/ota_transport.h"
#include "zigbee/zcl_frame.h"

#define ZOTA_SENT 64

struct zota_sent {
    struct al_zota_send how; /* zcl points into bytes */
    uint8_t bytes[3 + AL_ZOTA_PAYLOAD_MAX];
    struct al_zcl_frame zcl;
    struct al_zota_frame frame; /* of a command of the cluster */
};

struct zota_wire {
    struct al_zota_transport transport;
    struct zota_sent sent[ZOTA_SENT];
    unsigned count; /* of all; sent[] keeps the first ZOTA_SENT since zota_wire_clear() */
    int refuse;     /* != 0: what send answers from now on */
    size_t longest; /* > 0: longer frames get AL_ERR_INVALID_SIZE unless they may fragment */
    uint32_t random;
};

void zota_wire_init(struct zota_wire *w);
void zota_wire_clear(struct zota_wire *w);
/* The only frame since the last clear, a command of the cluster; clears. Fails the test
 * when there is none or more. */
const struct zota_sent *zota_wire_only(struct zota_wire *w, uint8_t command);
/* The same for a default response: its command and status. */
void zota_wire_only_default(struct zota_wire *w, uint8_t command, uint8_t status);
void zota_wire_silent(struct zota_wire *w);

/* Bytes of a frame: in out, their number comes back. flags: frame control bits to set. */
size_t zota_frame_bytes(uint8_t *out, size_t size, uint8_t seq, bool no_default_response,
                        const struct al_zota_frame *f);
size_t zota_default_bytes(uint8_t *out, size_t size, uint8_t seq, bool to_client, uint8_t command,
                          uint8_t status);

#endif
