/* The ten commands of the OTA Upgrade cluster: what stands behind the ZCL header.
 * Little-endian. Source: ZCL chapter 11 as Espressif, Silicon Labs, zigpy and
 * zigbee-herdsman send it.
 *
 * Reading is lenient where devices on the market are sloppy: bytes behind the last field
 * are ignored; an announced minimum block period may be missing; WAIT_FOR_DATA may end
 * before it; Upgrade End Request with a failure may be its status alone. */
#ifndef ZIGBEE_OTA_FRAME_H
#define ZIGBEE_OTA_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AL_ZOTA_CLUSTER 0x0019

enum al_zota_command {                                   /* sent by */
                       AL_ZOTA_IMAGE_NOTIFY = 0,         /* server */
                       AL_ZOTA_QUERY_NEXT_IMAGE_REQ = 1, /* client */
                       AL_ZOTA_QUERY_NEXT_IMAGE_RSP = 2, /* server */
                       AL_ZOTA_IMAGE_BLOCK_REQ = 3,      /* client */
                       AL_ZOTA_IMAGE_PAGE_REQ = 4,       /* client */
                       AL_ZOTA_IMAGE_BLOCK_RSP = 5,      /* server */
                       AL_ZOTA_UPGRADE_END_REQ = 6,      /* client */
                       AL_ZOTA_UPGRADE_END_RSP = 7,      /* server */
                       AL_ZOTA_SPECIFIC_FILE_REQ = 8,    /* client */
                       AL_ZOTA_SPECIFIC_FILE_RSP = 9     /* server */
};
#define AL_ZOTA_COMMANDS 10

/* Status codes that these frames carry; the same numbers as in any ZCL frame. */
enum al_zota_status {
    AL_ZOTA_SUCCESS = 0x00,
    AL_ZOTA_NOT_AUTHORIZED = 0x7e,
    AL_ZOTA_ABORT = 0x95,
    AL_ZOTA_INVALID_IMAGE = 0x96,
    AL_ZOTA_WAIT_FOR_DATA = 0x97,
    AL_ZOTA_NO_IMAGE_AVAILABLE = 0x98,
    AL_ZOTA_REQUIRE_MORE_IMAGE = 0x99
};

/* Wild cards of struct al_zota_id. */
#define AL_ZOTA_ANY_MANUFACTURER 0xffffu
#define AL_ZOTA_ANY_IMAGE_TYPE   0xffffu
#define AL_ZOTA_ANY_FILE_VERSION 0xffffffffu

/* What names a file: three fields, always in this order. */
struct al_zota_id {
    uint16_t manufacturer;
    uint16_t image_type;
    uint32_t file_version;
};

struct al_zota_image_notify {
    uint8_t payload_type; /* how many fields of id follow: 0..3; above: invalid */
    uint8_t query_jitter; /* 1..100 */
    struct al_zota_id id; /* fields that do not follow are wild cards */
    bool whole;           /* read: the type is 0..3 and all its fields are there */
};

struct al_zota_query_next_image_req {
    struct al_zota_id id; /* the version that runs now */
    bool has_hardware_version;
    uint16_t hardware_version;
};

/* Also Query Device Specific File Response. With another status than SUCCESS the rest
 * is neither sent nor read. */
struct al_zota_query_next_image_rsp {
    uint8_t status;
    struct al_zota_id id;
    uint32_t image_size; /* total image size, header included */
};

struct al_zota_image_block_req {
    struct al_zota_id id;
    uint32_t file_offset; /* from the first byte of the OTA header */
    uint8_t max_data_size;
    bool has_node_addr;
    bool has_min_block_period; /* read: the bytes are there */
    uint64_t node_addr;
    uint16_t min_block_period; /* ms */
};

struct al_zota_image_page_req {
    struct al_zota_id id;
    uint32_t file_offset;
    uint8_t max_data_size;
    uint16_t page_size;        /* bytes */
    uint16_t response_spacing; /* ms */
    bool has_node_addr;
    uint64_t node_addr;
};

struct al_zota_image_block_rsp {
    uint8_t status; /* SUCCESS: id to data; WAIT_FOR_DATA: times; else nothing more */
    struct al_zota_id id;
    uint32_t file_offset;
    uint8_t data_size;
    const uint8_t *data;   /* read: points into the payload */
    uint32_t current_time; /* s; 0: request_time is a duration */
    uint32_t request_time; /* s */
    bool has_min_block_period;
    uint16_t min_block_period; /* ms */
};

struct al_zota_upgrade_end_req {
    uint8_t status;
    bool has_id; /* read: false for a failure without it */
    struct al_zota_id id;
};

struct al_zota_upgrade_end_rsp {
    struct al_zota_id id;  /* each field may be a wild card */
    uint32_t current_time; /* s */
    uint32_t upgrade_time; /* s; 0xffffffff: wait */
};

struct al_zota_specific_file_req {
    uint64_t node_addr;
    struct al_zota_id id;
    uint16_t stack_version;
};

struct al_zota_frame {
    uint8_t command; /* enum al_zota_command: which member holds */
    union {
        struct al_zota_image_notify image_notify;
        struct al_zota_query_next_image_req query_next_image_req;
        struct al_zota_query_next_image_rsp query_next_image_rsp; /* and SPECIFIC_FILE_RSP */
        struct al_zota_image_block_req image_block_req;
        struct al_zota_image_page_req image_page_req;
        struct al_zota_image_block_rsp image_block_rsp;
        struct al_zota_upgrade_end_req upgrade_end_req;
        struct al_zota_upgrade_end_rsp upgrade_end_rsp;
        struct al_zota_specific_file_req specific_file_req;
    } u;
};

/* The longest payload: Image Block Response with 255 bytes of data. */
#define AL_ZOTA_PAYLOAD_MAX (14 + 255)

/* AL_ERR_SHORT: fewer bytes than the command needs; answer MALFORMED_COMMAND.
 * AL_ERR_NOT_SUPPORTED: no such command; answer UNSUP_COMMAND. */
int al_zota_parse(uint8_t command, const uint8_t *payload, size_t len, struct al_zota_frame *f);

/* The payload's length, or AL_ERR_NO_MEM: it does not fit in size bytes.
 * AL_ERR_NOT_SUPPORTED: no such command. */
int al_zota_build(const struct al_zota_frame *f, uint8_t *payload, size_t size);

/* True for the commands that a server sends. */
bool al_zota_from_server(uint8_t command);
/* "Image Block Request"; NULL: no such command. */
const char *al_zota_command_name(uint8_t command);

#endif
