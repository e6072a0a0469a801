/* The OTA client finds out whether there is an image: notifies, queries, offers. */
#include "core/err.h"
#include "zigbee/ota_client_internal.h"
#include "zigbee/ota_file.h"

enum { NOTIFY_GAP_S = 1 };

uint64_t al_zotac_interval(struct al_zota_client *c)
{
    uint64_t us = c->config.query_interval * AL_ZOTAC_S;
    return us - us / 10 + al_zotac_random(c, us / 5);
}

static void send_query(struct al_zota_client *c, uint64_t now)
{
    struct al_zota_frame f = {.command = AL_ZOTA_QUERY_NEXT_IMAGE_REQ};
    if (c->specific) {
        f.command = AL_ZOTA_SPECIFIC_FILE_REQ;
        f.u.specific_file_req = (struct al_zota_specific_file_req){
            .node_addr = c->config.ext_addr,
            .id = c->specific_id,
            .stack_version = c->config.stack_version,
        };
    } else {
        f.u.query_next_image_req = (struct al_zota_query_next_image_req){
            .id = {c->config.manufacturer, c->config.image_type, c->config.file_version},
            .has_hardware_version = c->config.has_hardware_version,
            .hardware_version = c->config.hardware_version,
        };
    }
    if (al_zotac_request(c, now, &f, true)) return;
    c->deadline = now + c->config.query_timeout * AL_ZOTAC_MS;
    al_zotac_emit(c, AL_ZOTA_CLIENT_QUERY, c->tries + 1u);
}

void al_zotac_query(struct al_zota_client *c, uint64_t now)
{
    c->last_query = now;
    c->query_at =
        c->config.query_interval == UINT32_MAX ? AL_ZOTAC_NEVER : now + al_zotac_interval(c);
    c->tries = 0;
    if (c->server.addr == AL_ZOTAC_NO_ADDR) {
        uint64_t again = now + c->config.search_pause * AL_ZOTAC_MS;
        if (again < c->query_at) c->query_at = again;
        c->searching = true;
        al_zotac_emit(c, AL_ZOTA_CLIENT_FIND_SERVER, 0);
        return;
    }
    c->file = (struct al_zota_file){0};
    c->offset = 0;
    al_zotac_set_state(c, AL_ZOTA_CLIENT_QUERYING);
    send_query(c, now);
}

void al_zotac_lose_server(struct al_zota_client *c, uint64_t now, enum al_zota_reason reason,
                          uint8_t status)
{
    al_zotac_give_up(c, now, reason, status, 0);
    c->server = (struct al_zota_peer){AL_ZOTAC_NO_ADDR, 0xff};
    c->server_ext_addr = UINT64_MAX;
    uint64_t again = now + c->config.search_pause * AL_ZOTAC_MS;
    if (again < c->query_at) c->query_at = again;
}

void al_zotac_query_run(struct al_zota_client *c, uint64_t now)
{
    if (c->state != AL_ZOTA_CLIENT_QUERYING) {
        al_zotac_query(c, now);
    } else if (!c->asking) {
        send_query(c, now);
    } else if (++c->tries > c->config.query_retries) {
        al_zotac_lose_server(c, now, AL_ZOTA_REASON_NO_SERVER, 0);
    } else {
        c->asking = false;
        c->deadline = now + al_zotac_pause(c);
    }
}

int al_zota_client_query(struct al_zota_client *c, uint64_t now)
{
    if (c->state != AL_ZOTA_CLIENT_IDLE && c->state != AL_ZOTA_CLIENT_MORE)
        return AL_ERR_INVALID_STATE;
    c->specific = false;
    al_zotac_query(c, now);
    return 0;
}

int al_zota_client_query_specific(struct al_zota_client *c, uint64_t now, uint16_t image_type,
                                  uint32_t file_version)
{
    if (c->state != AL_ZOTA_CLIENT_IDLE) return AL_ERR_INVALID_STATE;
    if (image_type < 0xffc0 || image_type == AL_ZOTA_ANY_IMAGE_TYPE) return AL_ERR_INVALID_ARG;
    c->specific = true;
    c->specific_id = (struct al_zota_id){c->config.manufacturer, image_type, file_version};
    al_zotac_query(c, now);
    return 0;
}

int al_zota_client_next_image(struct al_zota_client *c, uint64_t now,
                              const struct al_zota_id *running)
{
    if (c->state != AL_ZOTA_CLIENT_IDLE && c->state != AL_ZOTA_CLIENT_MORE)
        return AL_ERR_INVALID_STATE;
    c->config.manufacturer = running->manufacturer;
    c->config.image_type = running->image_type;
    c->config.file_version = running->file_version;
    return al_zota_client_query(c, now);
}

void al_zota_client_set_interval(struct al_zota_client *c, uint64_t now, uint32_t seconds)
{
    c->config.query_interval = seconds;
    c->query_at = seconds == UINT32_MAX ? AL_ZOTAC_NEVER : now + al_zotac_interval(c);
}

static bool matches16(uint16_t id, uint16_t own)
{
    return id == 0xffff || id == own;
}

/* A broadcast asks many: only those it means answer, and of these the jitter's share. */
static bool broadcast_is_for_us(struct al_zota_client *c, const struct al_zota_image_notify *n)
{
    if (!n->whole || n->query_jitter == 0 || n->query_jitter > 100) return false;
    if (!matches16(n->id.manufacturer, c->config.manufacturer)) return false;
    if (!matches16(n->id.image_type, c->config.image_type)) return false;
    if (n->payload_type == 3 && n->id.file_version == c->config.file_version) return false;
    return n->query_jitter == 100 ||
           1 + c->transport.random(c->transport.ctx) % 100 <= n->query_jitter;
}

uint8_t al_zotac_on_notify(struct al_zota_client *c, uint64_t now,
                           const struct al_zota_received *rx, const struct al_zota_image_notify *n)
{
    if (c->state != AL_ZOTA_CLIENT_IDLE && c->state != AL_ZOTA_CLIENT_MORE) return AL_ZCL_SUCCESS;
    if (rx->broadcast && !broadcast_is_for_us(c, n)) return AL_ZCL_SUCCESS;
    if (c->server.addr == AL_ZOTAC_NO_ADDR) {
        c->server = rx->from;
        c->searching = false;
    }
    /* Only the server itself can ask for the version that runs already. */
    if (!rx->broadcast && rx->from.addr == c->server.addr) c->forced = true;
    c->specific = false;
    /* Notifies in a row, of whoever, are one query a second. */
    uint64_t at = c->last_query ? c->last_query + NOTIFY_GAP_S * AL_ZOTAC_S : now;
    if (at > now)
        c->query_at = at < c->query_at ? at : c->query_at;
    else
        al_zotac_query(c, now);
    return AL_ZCL_SUCCESS;
}

/* Whether what is offered can be meant for this device at all. */
static enum al_zota_reason judge(const struct al_zota_client *c,
                                 const struct al_zota_query_next_image_rsp *r)
{
    uint16_t type = c->specific ? c->specific_id.image_type : c->config.image_type;
    if (!matches16(r->id.manufacturer, c->config.manufacturer) ||
        !matches16(r->id.image_type, type) || r->id.file_version == AL_ZOTA_ANY_FILE_VERSION ||
        r->image_size < AL_ZFILE_HEADER_MIN)
        return AL_ZOTA_REASON_WRONG_IMAGE;
    if (c->config.max_image_size && r->image_size > c->config.max_image_size)
        return AL_ZOTA_REASON_TOO_LARGE;
    if (!c->specific && !c->forced && r->id.file_version == c->config.file_version)
        return AL_ZOTA_REASON_SAME_VERSION;
    return AL_ZOTA_REASON_NONE;
}

static uint8_t refuse(struct al_zota_client *c, uint64_t now, enum al_zota_reason reason)
{
    uint8_t status = reason == AL_ZOTA_REASON_WRONG_IMAGE ? AL_ZCL_INVALID_VALUE
                     : reason == AL_ZOTA_REASON_TOO_LARGE ? AL_ZCL_INSUFFICIENT_SPACE
                                                          : AL_ZCL_SUCCESS;
    al_zotac_give_up(c, now, reason, status, 0);
    return status;
}

uint8_t al_zotac_on_offer(struct al_zota_client *c, uint64_t now, bool device_specific,
                          const struct al_zota_query_next_image_rsp *r)
{
    if (c->state != AL_ZOTA_CLIENT_QUERYING || device_specific != c->specific)
        return AL_ZCL_FAILURE;
    if (r->status != AL_ZCL_SUCCESS) {
        al_zotac_give_up(c, now,
                         r->status == AL_ZCL_NOT_AUTHORIZED ? AL_ZOTA_REASON_NOT_AUTHORIZED
                                                            : AL_ZOTA_REASON_NO_IMAGE,
                         r->status, 0);
        return AL_ZCL_SUCCESS;
    }
    c->file = (struct al_zota_file){r->id, r->image_size, device_specific};
    al_zotac_emit(c, AL_ZOTA_CLIENT_OFFER, 0);
    enum al_zota_reason reason = judge(c, r);
    if (reason != AL_ZOTA_REASON_NONE) return refuse(c, now, reason);

    bool same = c->kept.magic == AL_ZOTA_PROGRESS_MAGIC && c->kept.file.size == r->image_size &&
                c->kept.file.device_specific == device_specific &&
                al_zota_same_id(&c->kept.file.id, &r->id);
    bool reinstall = !c->specific && r->id.file_version == c->config.file_version;
    uint32_t offset = same ? c->kept.offset : 0;
    uint8_t status = c->app.offer(c->app.ctx, &c->file, reinstall, &offset);
    if (status != AL_ZCL_SUCCESS) {
        al_zotac_give_up(c, now, AL_ZOTA_REASON_REFUSED, status, 0);
        return status == AL_ZCL_INSUFFICIENT_SPACE ? status : AL_ZCL_SUCCESS;
    }
    c->offset = offset > c->file.size ? 0 : offset;
    al_zotac_download(c, now);
    return AL_ZCL_SUCCESS;
}
