/* Parts of the OTA server that call each other; see ota_server.h. */
#ifndef ZIGBEE_OTA_SERVER_INTERNAL_H
#define ZIGBEE_OTA_SERVER_INTERNAL_H

#include "zigbee/ota_server.h"
#include "zigbee/ota_wire.h"

#define AL_ZOTAS_NEVER UINT64_MAX
#define AL_ZOTAS_MS    UINT64_C(1000)
#define AL_ZOTAS_S     UINT64_C(1000000)

/* What a request's handler works on. */
struct al_zotas_request {
    uint64_t now;
    const struct al_zota_received *rx;
    uint8_t seq;
};

/* How to answer it; the frame is still missing. */
static inline struct al_zota_send al_zotas_reply(const struct al_zotas_request *q)
{
    return (struct al_zota_send){
        .to = q->rx->from, .src_endpoint = q->rx->dst_endpoint, .aps_ack = true};
}

/* The same for what is sent to a client in its turn. */
static inline struct al_zota_send al_zotas_to(const struct al_zota_server *s,
                                              const struct al_zota_session *c)
{
    return (struct al_zota_send){
        .to = c->record.peer, .src_endpoint = s->config.endpoint, .aps_ack = true};
}

/* ota_server_session.c */
struct al_zota_session *al_zotas_open(struct al_zota_server *s, uint64_t now,
                                      struct al_zota_peer peer);
/* The client says that it has this EUI (0: nothing): taken if the stack does not know better,
 * and it is nobody else's. */
void al_zotas_claim(struct al_zota_server *s, struct al_zota_session *c, uint64_t ext_addr);
void al_zotas_set_state(struct al_zota_server *s, struct al_zota_session *c, uint64_t now,
                        enum al_zota_session_state state);
void al_zotas_save(struct al_zota_server *s, struct al_zota_session *c, uint64_t now);
void al_zotas_emit(struct al_zota_server *s, const struct al_zota_session *c,
                   enum al_zota_server_event_kind kind, uint32_t offset, uint32_t arg,
                   uint8_t status);
/* A new download of image by c begins at offset. */
void al_zotas_begin(struct al_zota_server *s, struct al_zota_session *c, uint64_t now,
                    uint32_t offset);
/* n bytes at offset have gone out. */
void al_zotas_progress(struct al_zota_server *s, struct al_zota_session *c, uint64_t now,
                       uint32_t offset, uint32_t n);
/* When c counts as lost. */
uint64_t al_zotas_stall_at(const struct al_zota_server *s, const struct al_zota_session *c);
/* 0: it may download now; else after how many seconds to ask again. */
uint32_t al_zotas_hold(struct al_zota_server *s, struct al_zota_session *c, uint64_t now);
/* MinimumBlockPeriod for c in ms. */
uint32_t al_zotas_period(const struct al_zota_server *s, const struct al_zota_session *c);

/* ota_server_query.c. Handlers give the status for a default response. */
uint8_t al_zotas_on_query(struct al_zota_server *s, const struct al_zotas_request *q,
                          const struct al_zota_query_next_image_req *r);
uint8_t al_zotas_on_specific(struct al_zota_server *s, const struct al_zotas_request *q,
                             const struct al_zota_specific_file_req *r);
uint8_t al_zotas_on_end(struct al_zota_server *s, const struct al_zotas_request *q,
                        const struct al_zota_upgrade_end_req *r);

/* ota_server_block.c */
uint8_t al_zotas_on_block(struct al_zota_server *s, const struct al_zotas_request *q,
                          const struct al_zota_image_block_req *r);
uint8_t al_zotas_on_page(struct al_zota_server *s, const struct al_zotas_request *q,
                         const struct al_zota_image_page_req *r);
/* Image Block Response without data: ABORT. */
int al_zotas_send_abort(struct al_zota_server *s, struct al_zota_session *c, uint8_t seq);

/* ota_server_pump.c */
/* Loss slows a client's blocks down, success lets them go faster again. */
void al_zotas_pace(struct al_zota_session *c, bool ok);
/* Sends what is due, those first who have waited longest. */
void al_zotas_pump(struct al_zota_server *s, uint64_t now);
/* When there is something to send to c without anybody's confirmation; NEVER: nothing. */
uint64_t al_zotas_due(const struct al_zota_server *s, const struct al_zota_session *c);
int al_zotas_send_wait(struct al_zota_server *s, struct al_zota_session *c, uint8_t seq,
                       uint32_t seconds);
void al_zotas_confirmed(struct al_zota_server *s, uint64_t now, struct al_zota_outstanding *o,
                        bool ok);

/* ota_server_air.c */
void al_zotas_take_air(struct al_zota_server *s, struct al_zota_session *c, uint64_t now,
                       uint32_t handle, uint32_t offset, bool page);
void al_zotas_free_air(struct al_zota_server *s, struct al_zota_outstanding *o);
/* Answers to c that nobody will confirm any more. */
void al_zotas_release_air(struct al_zota_server *s, const struct al_zota_session *c);
/* From when on something may go to c; NEVER: after a confirmation. */
uint64_t al_zotas_room_at(const struct al_zota_server *s, const struct al_zota_session *c);
/* o, to c, is confirmed or (not ok) lost; c has asked for data. */
void al_zotas_had(struct al_zota_server *s, struct al_zota_session *c, uint64_t now,
                  const struct al_zota_outstanding *o, bool ok);
void al_zotas_asked(struct al_zota_server *s, struct al_zota_session *c, uint64_t now);

#endif
