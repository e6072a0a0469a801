/* Between the files of ZCL only. */
#ifndef ZIGBEE_ZCL_INTERNAL_H
#define ZIGBEE_ZCL_INTERNAL_H

#include "core/err.h"
#include "zigbee/zcl.h"

#define AL_ZCL_NEVER     UINT64_MAX
#define AL_ZCL_SECOND_US 1000000u

#define AL_ZCL_REQUEST_HANDLES 0x2000u
#define AL_ZCL_CLAIMED_HANDLES 0x4000u

/* zcl_attribute.c */
/* Octets of an attribute's value; AL_ERR_*. */
int al_zcl_value_len(uint8_t type, const void *value, size_t size);
/* The attribute with the lowest id from *id on; NULL: no more. */
const struct al_zcl_attribute *al_zcl_attribute_from(const struct al_zcl_cluster *c, uint32_t id,
                                                     uint16_t manufacturer);

/* zcl_general.c: a general command other than a default response. True: it was one, and all
 * that there was to answer has been answered. */
bool al_zcl_general(const struct al_zcl_rx *rx, uint64_t now);

/* zcl_report_store.c */
void al_zcl_report_save(struct al_zcl *z, const struct al_zcl_report *r);
void al_zcl_report_delete(struct al_zcl *z, struct al_zcl_report *r);

/* zcl_report.c */
void al_zcl_configure_reporting(const struct al_zcl_rx *rx, uint64_t now);
void al_zcl_read_reporting(const struct al_zcl_rx *rx, uint64_t now);
void al_zcl_report_run(struct al_zcl *z, uint64_t now);

/* zcl_send.c */
/* As al_zcl_respond(), with a general command. */
void al_zcl_answer(const struct al_zcl_rx *rx, uint64_t now, uint8_t command,
                   const struct al_put *payload);
/* How much an answer to rx may carry in one frame, at most size. */
size_t al_zcl_answer_room(const struct al_zcl_rx *rx, size_t size);
/* A response: true when a request waited for it. */
bool al_zcl_answered(const struct al_zcl_rx *rx, uint64_t now);
void al_zcl_request_ended(struct al_zcl *z, uint64_t now, uint16_t handle,
                          enum al_zb_status status);
void al_zcl_requests_run(struct al_zcl *z, uint64_t now);

#endif
