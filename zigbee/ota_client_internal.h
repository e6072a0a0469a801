/* Parts of the OTA client that call each other; see ota_client.h. */
#ifndef ZIGBEE_OTA_CLIENT_INTERNAL_H
#define ZIGBEE_OTA_CLIENT_INTERNAL_H

#include "zigbee/ota_client.h"
#include "zigbee/ota_wire.h"

#define AL_ZOTAC_NEVER   UINT64_MAX
#define AL_ZOTAC_NO_ADDR 0xffffu
#define AL_ZOTAC_TIMEOUT 0x94 /* ZCL status TIMEOUT */
#define AL_ZOTAC_MS      UINT64_C(1000)
#define AL_ZOTAC_S       UINT64_C(1000000)

/* ota_client.c */
void al_zotac_set_state(struct al_zota_client *c, enum al_zota_client_state state);
void al_zotac_emit(struct al_zota_client *c, enum al_zota_client_event_kind kind, uint32_t arg);
/* Ends a query or download with its reason; then idle. err: of the data callback. */
void al_zotac_give_up(struct al_zota_client *c, uint64_t now, enum al_zota_reason reason,
                      uint8_t status, int err);
/* Sends a request to the server. 0 also when it may be lost on the way: the timeout will
 * tell. AL_ERR_NO_MEM: not sent, deadline is when to try again. */
int al_zotac_request(struct al_zota_client *c, uint64_t now, const struct al_zota_frame *f,
                     bool aps_ack);
/* Random time in 0..limit. */
uint64_t al_zotac_random(struct al_zota_client *c, uint64_t limit);
/* The pause before try number tries + 1: 1, 2, 4, 8, 8... units. */
uint64_t al_zotac_pause(const struct al_zota_client *c);
/* Keeps progress for the next run, or forgets it. */
void al_zotac_keep(struct al_zota_client *c);
void al_zotac_forget(struct al_zota_client *c);

/* ota_client_query.c. Handlers give the status for a default response. */
uint64_t al_zotac_interval(struct al_zota_client *c);
void al_zotac_query(struct al_zota_client *c, uint64_t now);
void al_zotac_query_run(struct al_zota_client *c, uint64_t now);
/* It never answers a query, or is no server at all: it is looked for anew. */
void al_zotac_lose_server(struct al_zota_client *c, uint64_t now, enum al_zota_reason reason,
                          uint8_t status);
uint8_t al_zotac_on_notify(struct al_zota_client *c, uint64_t now,
                           const struct al_zota_received *rx, const struct al_zota_image_notify *n);
uint8_t al_zotac_on_offer(struct al_zota_client *c, uint64_t now, bool device_specific,
                          const struct al_zota_query_next_image_rsp *r);

/* ota_client_block.c */
void al_zotac_download(struct al_zota_client *c, uint64_t now);
void al_zotac_download_run(struct al_zota_client *c, uint64_t now);
uint8_t al_zotac_on_block(struct al_zota_client *c, uint64_t now,
                          const struct al_zota_image_block_rsp *r);
/* Hands over bytes that stand at c->offset. False: the download has ended. */
bool al_zotac_deliver(struct al_zota_client *c, uint64_t now, const uint8_t *data, size_t len);
/* Asks for what comes next, after the pauses that are owed. */
void al_zotac_proceed(struct al_zota_client *c, uint64_t now);

/* ota_client_page.c */
bool al_zotac_page_wanted(const struct al_zota_client *c);
void al_zotac_page_request(struct al_zota_client *c, uint64_t now);
/* A block that is not the next one, or that comes while a page flows. */
void al_zotac_page_block(struct al_zota_client *c, uint64_t now, uint32_t offset,
                         const uint8_t *data, size_t len);
/* No block for long enough. */
void al_zotac_page_silent(struct al_zota_client *c, uint64_t now);
/* Hands over what had come before its time and is the next now. */
bool al_zotac_page_drain(struct al_zota_client *c, uint64_t now);
/* Bytes missing from c->offset on, within the page. */
uint32_t al_zotac_page_hole(const struct al_zota_client *c);
/* Pages are not for this server. */
void al_zotac_page_off(struct al_zota_client *c);

/* ota_client_end.c */
void al_zotac_complete(struct al_zota_client *c, uint64_t now);
void al_zotac_verdict(struct al_zota_client *c, uint64_t now, uint8_t status);
void al_zotac_end_run(struct al_zota_client *c, uint64_t now);
uint8_t al_zotac_on_order(struct al_zota_client *c, uint64_t now,
                          const struct al_zota_upgrade_end_rsp *r);
/* Upgrade End Request that nobody waits for. */
void al_zotac_tell_end(struct al_zota_client *c, uint8_t status);

#endif
