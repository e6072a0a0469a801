/* Spinel frames and values: what a host and a radio co-processor (RCP) say to each other.
 *
 *   header: bits 6-7 are 2, bits 4-5 interface 0, bits 0-3 transaction id (tid)
 *   command: packed uint    [property: packed uint | value]
 *
 * Little-endian, but an EUI-64 is in the order in which it is printed. A packed uint has
 * 7 bits a byte, least significant first, bit 7 set on all but the last. Values that are
 * wrong make the cursor fail, so that a caller looks once, at the end. Source: OpenThread
 * spinel.h. */
#ifndef RADIO_SPINEL_H
#define RADIO_SPINEL_H

#include "zigbee/put.h"

enum spinel_command {
    SPINEL_NOOP = 0,
    SPINEL_RESET = 1, /* a byte: enum spinel_reset */
    SPINEL_GET = 2,
    SPINEL_SET = 3,
    SPINEL_INSERT = 4,
    SPINEL_REMOVE = 5,
    SPINEL_IS = 6, /* answer to GET and SET; with tid 0: news */
    SPINEL_INSERTED = 7,
    SPINEL_REMOVED = 8,
};

enum spinel_reset { SPINEL_RESET_PLATFORM = 1, SPINEL_RESET_STACK, SPINEL_RESET_BOOTLOADER };

/* With the type of the value: i packed uint, b bool, C u8, c s8, S u16, U text, E EUI-64,
 * A() array up to the end, d u16 length and data. */
enum spinel_property {
    SPINEL_LAST_STATUS = 0,                 /* i */
    SPINEL_PROTOCOL_VERSION = 1,            /* ii */
    SPINEL_NCP_VERSION = 2,                 /* U */
    SPINEL_INTERFACE_TYPE = 3,              /* i */
    SPINEL_VENDOR_ID = 4,                   /* i */
    SPINEL_CAPS = 5,                        /* A(i) */
    SPINEL_HWADDR = 8,                      /* E, factory address */
    SPINEL_PHY_ENABLED = 0x20,              /* b */
    SPINEL_PHY_CHAN = 0x21,                 /* C, 11..26 */
    SPINEL_PHY_CHAN_SUPPORTED = 0x22,       /* A(C) */
    SPINEL_PHY_TX_POWER = 0x25,             /* c, dBm */
    SPINEL_PHY_RSSI = 0x26,                 /* c, dBm */
    SPINEL_PHY_RX_SENSITIVITY = 0x27,       /* c, dBm */
    SPINEL_MAC_SCAN_STATE = 0x30,           /* C: 0 idle, 1 beacon, 2 energy */
    SPINEL_MAC_SCAN_MASK = 0x31,            /* A(C) */
    SPINEL_MAC_SCAN_PERIOD = 0x32,          /* S, ms a channel */
    SPINEL_MAC_LADDR = 0x34,                /* E */
    SPINEL_MAC_SADDR = 0x35,                /* S */
    SPINEL_MAC_PANID = 0x36,                /* S */
    SPINEL_MAC_RAW_STREAM = 0x37,           /* b */
    SPINEL_MAC_PROMISCUOUS = 0x38,          /* C: 0 off, 1 network, 2 full */
    SPINEL_MAC_ENERGY_RESULT = 0x39,        /* Cc: channel, dBm */
    SPINEL_MAC_RX_ON_WHEN_IDLE = 0x3b,      /* b */
    SPINEL_STREAM_RAW = 0x71,               /* struct spinel_tx, struct spinel_rx */
    SPINEL_RCP_API_VERSION = 0xb0,          /* i */
    SPINEL_RCP_MIN_HOST_API = 0xb1,         /* i */
    SPINEL_RADIO_CAPS = 0x120b,             /* i: SPINEL_RADIO_* */
    SPINEL_MAC_SRC_MATCH_ENABLED = 0x1303,  /* b; off: acks of data requests say "pending" */
    SPINEL_MAC_SRC_MATCH_SHORT = 0x1304,    /* A(S) */
    SPINEL_MAC_SRC_MATCH_EXTENDED = 0x1305, /* A(E) */
};

#define SPINEL_SCAN_IDLE   0
#define SPINEL_SCAN_ENERGY 2

/* In CAPS. */
enum spinel_cap {
    SPINEL_CAP_2450MHZ_OQPSK = 24,
    SPINEL_CAP_CONFIG_RADIO = 34,
    SPINEL_CAP_RCP_API_VERSION = 64,
    SPINEL_CAP_RCP_MIN_HOST_API = 65,
    SPINEL_CAP_MAC_RAW = 513,
};

/* Bits of RADIO_CAPS. */
#define SPINEL_RADIO_ACK_TIMEOUT     (1u << 0)
#define SPINEL_RADIO_ENERGY_SCAN     (1u << 1)
#define SPINEL_RADIO_RETRIES         (1u << 2)
#define SPINEL_RADIO_CSMA            (1u << 3)
#define SPINEL_RADIO_RX_ON_WHEN_IDLE (1u << 8)

enum spinel_status {
    SPINEL_OK = 0,
    SPINEL_FAILURE = 1,
    SPINEL_UNIMPLEMENTED = 2,
    SPINEL_INVALID_ARGUMENT = 3,
    SPINEL_INVALID_STATE = 4,
    SPINEL_INVALID_COMMAND = 5,
    SPINEL_INTERNAL_ERROR = 7,
    SPINEL_PARSE_ERROR = 9,
    SPINEL_NOMEM = 11,
    SPINEL_BUSY = 12,
    SPINEL_PROP_NOT_FOUND = 13,
    SPINEL_DROPPED = 14,
    SPINEL_CMD_TOO_BIG = 16,
    SPINEL_NO_ACK = 17,
    SPINEL_CCA_FAILURE = 18,
    SPINEL_ALREADY = 19,
    SPINEL_ITEM_NOT_FOUND = 20,
    /* Why the co-processor started anew. */
    SPINEL_RESET_FIRST = 112,
    SPINEL_RESET_POWER_ON = 112,
    SPINEL_RESET_SOFTWARE = 114,
    SPINEL_RESET_LAST = 120,
};

/* "NO_ACK", "reset: power on"; "status 99" has no name: "unknown status". */
const char *spinel_status_name(uint32_t status);

/* Values: reading. */
uint32_t spinel_uint(struct al_cur *c); /* over 32 bits: fails */
bool spinel_bool(struct al_cur *c);     /* only 0 and 1 */
uint64_t spinel_eui64(struct al_cur *c);
const uint8_t *spinel_data(struct al_cur *c, size_t *len); /* d; NULL on failure */
const char *spinel_text(struct al_cur *c);                 /* U; "" on failure */

/* Values: writing. */
void spinel_put_uint(struct al_put *p, uint32_t v);
void spinel_put_eui64(struct al_put *p, uint64_t v);
void spinel_put_data(struct al_put *p, const void *data, size_t len); /* d */

/* A frame taken apart. */
struct spinel_frame {
    uint8_t tid;
    uint32_t command;
    uint32_t property;   /* of GET .. REMOVED; else 0 */
    struct al_cur value; /* what follows */
};
/* 0; AL_ERR_SHORT; AL_ERR_INVALID_ARG: not a spinel header of interface 0. */
int spinel_parse(struct spinel_frame *f, const void *data, size_t len);
/* Writes header and command; property too for GET .. REMOVED. */
void spinel_begin(struct al_put *p, uint8_t tid, uint32_t command, uint32_t property);

/* STREAM_RAW to the radio. Only the channel must be there; what is missing has the
 * values of the second column. */
struct spinel_tx {
    const uint8_t *mpdu; /* with two octets at the end that the radio replaces by the FCS */
    uint8_t len;         /* 0..127 */
    uint8_t channel;
    uint8_t max_backoffs;    /* 4, of CSMA-CA */
    uint8_t max_retries;     /* 3, without acknowledgement */
    bool csma;               /* true */
    bool header_updated;     /* false; with is_retry, security_processed: for 802.15.4 security */
    bool is_retry;           /* false */
    bool security_processed; /* false */
    uint32_t delay_us;       /* 0; transmission at delay_base_us + delay_us */
    uint32_t delay_base_us;  /* 0 */
    uint8_t rx_channel;      /* channel; where to receive afterwards */
    bool has_power;          /* false */
    int8_t power;            /* dBm */
};
void spinel_tx_read(struct al_cur *c, struct spinel_tx *tx);
void spinel_tx_put(struct al_put *p, const struct spinel_tx *tx);

#define SPINEL_RX_BAD_FCS       0x0004u
#define SPINEL_RX_ACKED_PENDING 0x0010u
#define SPINEL_NOISE_NONE       (-128)

/* A frame heard, with its metadata: STREAM_RAW from the radio, and the acknowledgement
 * in the answer to a transmission. Absent parts are zeros (noise: SPINEL_NOISE_NONE). */
struct spinel_rx {
    const uint8_t *mpdu; /* with FCS */
    uint8_t len;         /* 0..127; 0: none */
    int8_t rssi, noise;  /* dBm */
    uint16_t flags;      /* SPINEL_RX_* */
    uint8_t channel, lqi;
    uint64_t time_us; /* of the co-processor's clock */
    uint32_t error;   /* enum spinel_status */
};
void spinel_rx_read(struct al_cur *c, struct spinel_rx *rx);
void spinel_rx_put(struct al_put *p, const struct spinel_rx *rx);

/* Answer to a transmission: LAST_STATUS. */
struct spinel_tx_done {
    uint32_t status; /* SPINEL_OK, _NO_ACK, _CCA_FAILURE, ... */
    bool pending;    /* of the acknowledgement */
    bool header_updated;
    struct spinel_rx ack; /* only with SPINEL_OK; len 0: none was asked for */
};
void spinel_tx_done_read(struct al_cur *c, struct spinel_tx_done *done);
void spinel_tx_done_put(struct al_put *p, const struct spinel_tx_done *done);

#endif
