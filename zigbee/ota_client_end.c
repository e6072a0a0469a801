/* The OTA client has all bytes: check, Upgrade End, the order to upgrade, count-down. */
#include "core/err.h"
#include "zigbee/ota_client_internal.h"

enum {
    QUICK_TRIES = 4, /* of Upgrade End Request, before the long interval */
    BAD_ORDER_S = 3600
};

void al_zotac_tell_end(struct al_zota_client *c, uint8_t status)
{
    struct al_zota_frame f = {
        .command = AL_ZOTA_UPGRADE_END_REQ,
        .u.upgrade_end_req = {.status = status, .has_id = true, .id = c->file.id},
    };
    struct al_zota_send how = {
        .to = c->server, .src_endpoint = c->config.endpoint, .aps_ack = true};
    al_zota_wire_send(&c->transport, &how, ++c->tsn, &f);
    c->end_status = status;
    al_zotac_emit(c, AL_ZOTA_CLIENT_END_SENT, 1);
}

void al_zotac_complete(struct al_zota_client *c, uint64_t now)
{
    c->asking = c->in_page = false;
    c->deadline = AL_ZOTAC_NEVER;
    al_zotac_keep(c);
    al_zotac_set_state(c, AL_ZOTA_CLIENT_VERIFYING);
    al_zotac_emit(c, AL_ZOTA_CLIENT_COMPLETE, 0);
    int verdict = c->app.check(c->app.ctx, &c->file);
    if (verdict != AL_ZOTA_LATER) al_zotac_verdict(c, now, (uint8_t)verdict);
}

static void ask_for_order(struct al_zota_client *c, uint64_t now)
{
    struct al_zota_frame f = {
        .command = AL_ZOTA_UPGRADE_END_REQ,
        .u.upgrade_end_req = {.status = AL_ZCL_SUCCESS, .has_id = true, .id = c->file.id},
    };
    if (al_zotac_request(c, now, &f, true)) return;
    c->deadline =
        now +
        (c->tries < QUICK_TRIES ? c->config.query_timeout : c->config.end_interval) * AL_ZOTAC_MS;
    c->end_status = AL_ZCL_SUCCESS;
    al_zotac_emit(c, AL_ZOTA_CLIENT_END_SENT, c->tries + 1u);
}

void al_zotac_verdict(struct al_zota_client *c, uint64_t now, uint8_t status)
{
    c->tries = 0;
    if (status == AL_ZCL_SUCCESS) {
        al_zotac_set_state(c, AL_ZOTA_CLIENT_WAITING);
        ask_for_order(c, now);
        return;
    }
    al_zotac_tell_end(c, status);
    if (status != AL_ZCL_REQUIRE_MORE_IMAGE) {
        al_zotac_give_up(c, now,
                         status == AL_ZCL_ABORT ? AL_ZOTA_REASON_STOPPED : AL_ZOTA_REASON_INVALID,
                         status, 0);
        return;
    }
    c->more = true;
    c->specific = false;
    al_zotac_forget(c);
    al_zotac_set_state(c, AL_ZOTA_CLIENT_MORE);
}

int al_zota_client_checked(struct al_zota_client *c, uint64_t now, uint8_t status)
{
    if (c->state != AL_ZOTA_CLIENT_VERIFYING) return AL_ERR_INVALID_STATE;
    al_zotac_verdict(c, now, status);
    return 0;
}

static void count_down(struct al_zota_client *c, uint64_t now, uint32_t seconds)
{
    if (c->config.max_count_down && seconds > c->config.max_count_down)
        seconds = c->config.max_count_down;
    uint64_t us = seconds * AL_ZOTAC_S, least = c->config.min_count_down * AL_ZOTAC_MS;
    if (us < least) us = least;
    uint64_t ms = us / AL_ZOTAC_MS;
    c->asking = false;
    c->deadline = now + us;
    al_zotac_set_state(c, AL_ZOTA_CLIENT_COUNT_DOWN);
    al_zotac_emit(c, AL_ZOTA_CLIENT_APPLY, ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms);
}

static void wait_for_external(struct al_zota_client *c)
{
    c->asking = false;
    c->deadline = AL_ZOTAC_NEVER;
    al_zotac_set_state(c, AL_ZOTA_CLIENT_EXTERNAL);
}

/* Waits s seconds before it asks for the order again. */
static void ask_again_in(struct al_zota_client *c, uint64_t now, uint64_t us)
{
    c->asking = false;
    c->tries = 0;
    c->deadline = now + us;
}

uint8_t al_zotac_on_order(struct al_zota_client *c, uint64_t now,
                          const struct al_zota_upgrade_end_rsp *r)
{
    if (c->state != AL_ZOTA_CLIENT_WAITING && c->state != AL_ZOTA_CLIENT_EXTERNAL)
        return AL_ZCL_FAILURE;
    const struct al_zota_id *own = &c->file.id;
    if ((r->id.manufacturer != AL_ZOTA_ANY_MANUFACTURER &&
         r->id.manufacturer != own->manufacturer) ||
        (r->id.image_type != AL_ZOTA_ANY_IMAGE_TYPE && r->id.image_type != own->image_type) ||
        (r->id.file_version != AL_ZOTA_ANY_FILE_VERSION && r->id.file_version != own->file_version))
        return AL_ZCL_INVALID_VALUE;
    if (r->upgrade_time == UINT32_MAX) {
        al_zotac_emit(c, AL_ZOTA_CLIENT_ORDER, UINT32_MAX);
        if (c->state == AL_ZOTA_CLIENT_WAITING)
            ask_again_in(c, now, c->config.end_interval * AL_ZOTAC_MS);
        return AL_ZCL_SUCCESS;
    }
    if (r->upgrade_time < r->current_time) {
        al_zotac_emit(c, AL_ZOTA_CLIENT_BAD_ORDER, r->upgrade_time);
        if (c->state == AL_ZOTA_CLIENT_WAITING) ask_again_in(c, now, BAD_ORDER_S * AL_ZOTAC_S);
        return AL_ZCL_SUCCESS;
    }
    uint32_t delay = r->upgrade_time - r->current_time;
    al_zotac_emit(c, AL_ZOTA_CLIENT_ORDER, delay);
    if (c->config.activation_policy == 1) {
        wait_for_external(c);
        return AL_ZCL_NOT_AUTHORIZED;
    }
    count_down(c, now, delay);
    return AL_ZCL_SUCCESS;
}

int al_zota_client_activate(struct al_zota_client *c, uint64_t now)
{
    if (c->state != AL_ZOTA_CLIENT_WAITING && c->state != AL_ZOTA_CLIENT_EXTERNAL &&
        c->state != AL_ZOTA_CLIENT_COUNT_DOWN)
        return AL_ERR_INVALID_STATE;
    count_down(c, now, 0);
    return 0;
}

static void miss_order(struct al_zota_client *c, uint64_t now)
{
    c->asking = false;
    if (c->tries < UINT8_MAX) c->tries++;
    if (c->tries < c->config.end_tries || c->config.timeout_policy == 1) {
        c->deadline = now + (c->tries < QUICK_TRIES ? al_zotac_pause(c) : 0);
    } else if (c->config.activation_policy == 1) {
        wait_for_external(c);
    } else {
        count_down(c, now, 0);
    }
}

static void finish(struct al_zota_client *c)
{
    /* Before the event, which may not return: a new program that fails and is rolled back
     * must not find itself complete and be installed again. */
    al_zotac_forget(c);
    c->deadline = AL_ZOTAC_NEVER;
    c->forced = c->specific = c->more = false;
    c->tries = 0;
    al_zotac_emit(c, AL_ZOTA_CLIENT_FINISH, 0);
    al_zotac_set_state(c, AL_ZOTA_CLIENT_IDLE);
}

void al_zotac_end_run(struct al_zota_client *c, uint64_t now)
{
    if (c->state == AL_ZOTA_CLIENT_COUNT_DOWN)
        finish(c);
    else if (c->state != AL_ZOTA_CLIENT_WAITING)
        c->deadline = AL_ZOTAC_NEVER;
    else if (c->asking)
        miss_order(c, now);
    else
        ask_for_order(c, now);
}
