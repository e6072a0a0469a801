/* What the files of the dissector share. */
#ifndef CLI_ZIGBEE_DISSECT_IMPL_H
#define CLI_ZIGBEE_DISSECT_IMPL_H

#include "cli/zigbee_dissect.h"
#include "zigbee/aps_command.h"
#include "zigbee/aps_frame.h"
#include "zigbee/mac_frame.h"
#include "zigbee/nwk_command.h"
#include "zigbee/zcl_frame.h"
#include "zigbee/zdp_frame.h"

#define DISSECT_KEYS_MAX      64u
#define DISSECT_ADDRESSES_MAX 1024u
#define DISSECT_MESSAGES      8u
#define DISSECT_BLOCKS_MAX    32u
#define DISSECT_BLOCK_MAX     127u

/* A fragmented message until it is whole. */
struct dissect_message {
    uint16_t src, dst;
    uint8_t counter;
    unsigned blocks, arrived; /* blocks 0: free */
    uint8_t len[DISSECT_BLOCKS_MAX];
    bool there[DISSECT_BLOCKS_MAX];
    uint8_t data[DISSECT_BLOCKS_MAX][DISSECT_BLOCK_MAX];
};

struct zigbee_dissector {
    struct aes_openssl *openssl;
    const struct al_aes *aes;
    uint8_t network_keys[DISSECT_KEYS_MAX][16];
    unsigned network_key_count;
    uint8_t link_keys[DISSECT_KEYS_MAX][4][16]; /* by key id; the network key's place is unused */
    unsigned link_key_count;
    struct {
        uint64_t ext;
        uint16_t addr;
    } addresses[DISSECT_ADDRESSES_MAX];
    unsigned address_count;
    struct dissect_message messages[DISSECT_MESSAGES];
    unsigned next_message;
};

/* One frame under way. */
struct dissection {
    struct zigbee_dissector *d;
    cJSON *doc;
    struct al_nwk_frame nwk; /* zeros until it was parsed */
    unsigned tunnels;        /* entered */
};

/* Sets doc.error, unless a layer below has. */
void dissect_error(struct dissection *x, const char *layer, const char *name, const char *format,
                   ...) __attribute__((format(printf, 4, 5)));
/* The same for the code of a parser; what: "header", "Leave command". */
void dissect_parse_error(struct dissection *x, const char *layer, const char *what, int err);

void dissect_learn_address(struct zigbee_dissector *d, uint16_t addr, uint64_t ext);

/* Members of JSON objects. */
void dissect_eui(cJSON *o, const char *key, uint64_t eui);
void dissect_hex(cJSON *o, const char *key, const uint8_t *data, size_t len);
cJSON *dissect_object(cJSON *o, const char *key);

/* An APS frame: of a NWK frame, or in a Tunnel, into o. */
void dissect_aps(struct dissection *x, cJSON *o, const uint8_t *apdu, size_t len);
/* A ZDP or ZCL ASDU, into doc. */
void dissect_zdp(struct dissection *x, uint16_t cluster, const uint8_t *asdu, size_t len);
void dissect_zcl(struct dissection *x, uint16_t cluster, const uint8_t *asdu, size_t len);
/* Commands, into o. */
void dissect_mac_command(struct dissection *x, cJSON *o, const struct al_mac_frame *f);
void dissect_nwk_command(struct dissection *x, cJSON *o, const uint8_t *payload, size_t len);
void dissect_aps_command(struct dissection *x, cJSON *o, const uint8_t *payload, size_t len);

#endif
