/* Zigbee cluster library (ZCL): header, general commands, typed values. Parsed payloads and
 * values point into the input. Source: Zigbee cluster library, chapter 2. */
#ifndef ZIGBEE_ZCL_FRAME_H
#define ZIGBEE_ZCL_FRAME_H

#include "zigbee/put.h"

struct al_zcl_frame {
    const uint8_t *payload;
    size_t payload_len;
    uint16_t manufacturer; /* with manufacturer_specific */
    uint8_t seq;
    uint8_t command;       /* enum al_zcl_general, or of the cluster */
    bool cluster_specific; /* else a general command */
    bool manufacturer_specific;
    bool to_client; /* direction: from server to client */
    bool no_default_response;
};

enum al_zcl_general {
    AL_ZCL_READ = 0x00,
    AL_ZCL_READ_RSP = 0x01,
    AL_ZCL_WRITE = 0x02,
    AL_ZCL_WRITE_UNDIVIDED = 0x03,
    AL_ZCL_WRITE_RSP = 0x04,
    AL_ZCL_WRITE_NO_RSP = 0x05,
    AL_ZCL_CONFIGURE_REPORTING = 0x06,
    AL_ZCL_CONFIGURE_REPORTING_RSP = 0x07,
    AL_ZCL_READ_REPORTING = 0x08,
    AL_ZCL_READ_REPORTING_RSP = 0x09,
    AL_ZCL_REPORT = 0x0a,
    AL_ZCL_DEFAULT_RSP = 0x0b,
    AL_ZCL_DISCOVER = 0x0c,
    AL_ZCL_DISCOVER_RSP = 0x0d
};

enum al_zcl_status {
    AL_ZCL_SUCCESS = 0x00,
    AL_ZCL_FAILURE = 0x01,
    AL_ZCL_NOT_AUTHORIZED = 0x7e,
    AL_ZCL_MALFORMED = 0x80,
    AL_ZCL_UNSUP_CLUSTER_COMMAND = 0x81,
    AL_ZCL_UNSUP_GENERAL_COMMAND = 0x82,
    AL_ZCL_UNSUP_MANUF_COMMAND = 0x83,
    AL_ZCL_UNSUP_ATTRIBUTE = 0x86,
    AL_ZCL_INVALID_VALUE = 0x87,
    AL_ZCL_READ_ONLY = 0x88,
    AL_ZCL_INSUFFICIENT_SPACE = 0x89,
    AL_ZCL_NOT_FOUND = 0x8b,
    AL_ZCL_UNREPORTABLE = 0x8c,
    AL_ZCL_INVALID_TYPE = 0x8d,
    AL_ZCL_ABORT = 0x95,
    AL_ZCL_INVALID_IMAGE = 0x96,
    AL_ZCL_WAIT_FOR_DATA = 0x97,
    AL_ZCL_NO_IMAGE_AVAILABLE = 0x98,
    AL_ZCL_REQUIRE_MORE_IMAGE = 0x99
};

/* 0; AL_ERR_NOT_SUPPORTED: frame type 2 or 3; AL_ERR_SHORT. */
int al_zcl_parse(struct al_zcl_frame *f, const uint8_t *asdu, size_t len);
/* Header, then the payload if there is one (a caller may also write it behind). 0, or
 * AL_ERR_INVALID_SIZE: no room. */
int al_zcl_build(const struct al_zcl_frame *f, struct al_put *p);

/* Header of the answer to f: direction turned, sequence and manufacturer kept, a default
 * response not wanted. */
struct al_zcl_frame al_zcl_answer_to(const struct al_zcl_frame *f, bool cluster_specific,
                                     uint8_t command);

/* Data types that this project names; al_zcl_value_get knows all of them. */
enum al_zcl_type {
    AL_ZCL_NODATA = 0x00,
    AL_ZCL_BOOL = 0x10,
    AL_ZCL_BITMAP8 = 0x18,
    AL_ZCL_BITMAP16 = 0x19,
    AL_ZCL_BITMAP32 = 0x1b,
    AL_ZCL_UINT8 = 0x20,
    AL_ZCL_UINT16 = 0x21,
    AL_ZCL_UINT24 = 0x22,
    AL_ZCL_UINT32 = 0x23,
    AL_ZCL_UINT64 = 0x27,
    AL_ZCL_INT8 = 0x28,
    AL_ZCL_INT16 = 0x29,
    AL_ZCL_INT64 = 0x2f,
    AL_ZCL_ENUM8 = 0x30,
    AL_ZCL_ENUM16 = 0x31,
    AL_ZCL_SEMI = 0x38,
    AL_ZCL_SINGLE = 0x39,
    AL_ZCL_DOUBLE = 0x3a,
    AL_ZCL_OCTETS = 0x41,
    AL_ZCL_STRING = 0x42,
    AL_ZCL_LONG_OCTETS = 0x43,
    AL_ZCL_LONG_STRING = 0x44,
    AL_ZCL_ARRAY = 0x48,
    AL_ZCL_STRUCT = 0x4c,
    AL_ZCL_SET = 0x50,
    AL_ZCL_BAG = 0x51,
    AL_ZCL_TIME_OF_DAY = 0xe0,
    AL_ZCL_DATE = 0xe1,
    AL_ZCL_UTC = 0xe2,
    AL_ZCL_CLUSTER_ID = 0xe8,
    AL_ZCL_ATTRIBUTE_ID = 0xe9,
    AL_ZCL_BACNET_OID = 0xea,
    AL_ZCL_EUI64 = 0xf0,
    AL_ZCL_KEY128 = 0xf1,
    AL_ZCL_UNKNOWN = 0xff
};

/* Arrays, structures, sets and bags may hold each other this deep. */
#define AL_ZCL_DEPTH_MAX 4u

/* A value as on the air: strings with their length field. */
struct al_zcl_value {
    const uint8_t *data;
    uint16_t len;
    uint8_t type;
};

/* Octets of a type; -1: of variable length; AL_ERR_NOT_SUPPORTED: no such type. */
int al_zcl_type_size(uint8_t type);
/* A type whose values have an order and whose reports have a reportable change. */
bool al_zcl_type_analog(uint8_t type);

/* The value of type that the cursor stands before. 0, AL_ERR_SHORT, or AL_ERR_NOT_SUPPORTED:
 * no such type, or nested too deep; its length is then not known. */
int al_zcl_value_get(struct al_zcl_value *v, uint8_t type, struct al_cur *c);

/* Numbers of up to 8 octets: unsigned, or with the sign extended. Other types: 0. */
uint64_t al_zcl_value_unsigned(const struct al_zcl_value *v);
int64_t al_zcl_value_signed(const struct al_zcl_value *v);
/* The content of a string; NULL: not a string, or the invalid one. */
const uint8_t *al_zcl_value_string(const struct al_zcl_value *v, size_t *len);

/* Writes value as one of type (up to 8 octets; other types fail in p). */
void al_zcl_put_number(struct al_put *p, uint8_t type, uint64_t value);
/* Writes a string of type AL_ZCL_OCTETS, _STRING or the long ones. */
void al_zcl_put_string(struct al_put *p, uint8_t type, const void *data, size_t len);

/* One entry of the list that a general command carries. */
struct al_zcl_record {
    struct al_zcl_value value;  /* type: WRITE, REPORT, DISCOVER_RSP, CONFIGURE_REPORTING too */
    struct al_zcl_value change; /* reportable change; len 0: none */
    uint16_t attr;
    uint16_t min_interval, max_interval; /* reporting, s */
    uint16_t timeout;                    /* reporting, direction 1 */
    uint8_t status;                      /* responses */
    uint8_t direction;                   /* reporting: 0 sends reports, 1 receives */
};

/* The next record of the payload of command, which the cursor walks over.
 * 1: r is set; 0: the end; or AL_ERR_SHORT, AL_ERR_NOT_SUPPORTED (a type whose length is not
 * known, or a command that has no records).
 *   READ                                 attr
 *   READ_RSP                             attr, status, value when status is success
 *   WRITE, WRITE_UNDIVIDED, WRITE_NO_RSP,
 *   REPORT                               attr, value
 *   WRITE_RSP                            status, attr; all well: one record without attr
 *   CONFIGURE_REPORTING                  direction, attr, type, intervals, change | timeout
 *   CONFIGURE_REPORTING_RSP              status, direction, attr; all well: as WRITE_RSP
 *   READ_REPORTING                       direction, attr
 *   READ_REPORTING_RSP                   status, then as CONFIGURE_REPORTING
 *   DISCOVER_RSP (behind its first octet) attr, type */
int al_zcl_record_get(struct al_zcl_record *r, uint8_t command, struct al_cur *c);
/* Its counterpart; value.data, value.len as on the air. WRITE_RSP and CONFIGURE_REPORTING_RSP
 * with status success: the status only, as the single record of an answer that all is well.
 * Failure stays in p. */
void al_zcl_record_put(const struct al_zcl_record *r, uint8_t command, struct al_put *p);

/* DEFAULT_RSP. */
struct al_zcl_default_rsp {
    uint8_t command, status;
};
int al_zcl_default_rsp_parse(struct al_zcl_default_rsp *d, const uint8_t *payload, size_t len);
void al_zcl_default_rsp_put(const struct al_zcl_default_rsp *d, struct al_put *p);

/* DISCOVER: attributes from start on, at most max. DISCOVER_RSP: complete, then records. */
struct al_zcl_discover {
    uint16_t start;
    uint8_t max;
};
int al_zcl_discover_parse(struct al_zcl_discover *d, const uint8_t *payload, size_t len);
void al_zcl_discover_put(const struct al_zcl_discover *d, struct al_put *p);

#endif
