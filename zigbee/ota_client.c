#include "zigbee/ota_client.h"

#include "core/err.h"
#include "zigbee/ota_client_internal.h"

enum { QUEUE_FULL_MS = 20, LONGEST_PAUSE = 3 };

static void default32(uint32_t *field, uint32_t value)
{
    if (*field == 0) *field = value;
}

static void default8(uint8_t *field, uint8_t value)
{
    if (*field == 0) *field = value;
}

static void set_defaults(struct al_zota_client_config *f)
{
    default8(&f->max_data_size, AL_ZOTA_BLOCK_MAX);
    default32(&f->query_interval, 24 * 3600);
    default32(&f->start_delay, 300000);
    default32(&f->resume_delay, 10000);
    default32(&f->query_timeout, 5000);
    default8(&f->query_retries, 10);
    default32(&f->search_pause, 600000);
    default32(&f->block_timeout, 5000);
    default8(&f->block_retries, 10);
    default32(&f->retry_unit, 1000);
    default32(&f->again_pause, 600000);
    default32(&f->page_timeout, 5000);
    default32(&f->end_interval, 600000);
    default8(&f->end_tries, 10);
    default32(&f->min_count_down, 3000);
    default32(&f->save_bytes, 4096);
    default32(&f->image_stamp, UINT32_MAX);
    if (f->page_spacing == 0) f->page_spacing = 5;
    if (f->cluster_revision == 0) f->cluster_revision = 4;
}

void al_zota_client_init(struct al_zota_client *c, const struct al_zota_client_config *config,
                         const struct al_zota_client_app *app,
                         const struct al_zota_transport *transport)
{
    *c = (struct al_zota_client){
        .config = *config,
        .app = *app,
        .transport = *transport,
        .server = {AL_ZOTAC_NO_ADDR, 0xff},
        .server_ext_addr = UINT64_MAX,
        .downloaded_version = UINT32_MAX,
        .downloaded_stack = UINT16_MAX,
        .deadline = AL_ZOTAC_NEVER,
        .query_at = AL_ZOTAC_NEVER,
    };
    set_defaults(&c->config);
    c->spacing = c->config.page_spacing;
}

void al_zotac_emit(struct al_zota_client *c, enum al_zota_client_event_kind kind, uint32_t arg)
{
    if (!c->app.event) return;
    struct al_zota_client_event e = {
        .kind = kind,
        .state = c->state,
        .server = c->server,
        .file = c->file.size ? &c->file : NULL,
        .offset = c->offset,
        .arg = arg,
        .reason = c->reason,
    };
    if (kind == AL_ZOTA_CLIENT_END_SENT) e.status = c->end_status;
    c->app.event(c->app.ctx, &e);
}

void al_zotac_set_state(struct al_zota_client *c, enum al_zota_client_state state)
{
    enum al_zota_client_state before = c->state;
    if (before == state) return;
    c->state = state;
    al_zotac_emit(c, AL_ZOTA_CLIENT_STATE, before);
}

uint64_t al_zotac_random(struct al_zota_client *c, uint64_t limit)
{
    uint64_t r = c->transport.random(c->transport.ctx);
    return limit == 0 ? 0 : (r << 16 | r >> 16) % (limit + 1);
}

uint64_t al_zotac_pause(const struct al_zota_client *c)
{
    unsigned doublings = c->tries > 0 ? c->tries - 1u : 0;
    if (doublings > LONGEST_PAUSE) doublings = LONGEST_PAUSE;
    return ((uint64_t)c->config.retry_unit << doublings) * AL_ZOTAC_MS;
}

int al_zotac_request(struct al_zota_client *c, uint64_t now, const struct al_zota_frame *f,
                     bool aps_ack)
{
    if (++c->handle == 0) c->handle = 1;
    struct al_zota_send how = {
        .to = c->server,
        .src_endpoint = c->config.endpoint,
        .aps_ack = aps_ack,
        .handle = c->handle,
    };
    int err = al_zota_wire_send(&c->transport, &how, ++c->tsn, f);
    if (err != AL_ERR_NO_MEM) {
        c->asking = true;
        return 0;
    }
    c->asking = false;
    c->deadline = now + QUEUE_FULL_MS * AL_ZOTAC_MS;
    return err;
}

static void save(struct al_zota_client *c)
{
    c->saved_offset = c->kept.offset;
    if (c->app.save) c->app.save(c->app.ctx, &c->kept);
}

void al_zotac_keep(struct al_zota_client *c)
{
    c->kept = (struct al_zota_progress){
        .magic = AL_ZOTA_PROGRESS_MAGIC,
        .file = c->file,
        .offset = c->offset,
    };
    save(c);
}

void al_zotac_forget(struct al_zota_client *c)
{
    c->kept = (struct al_zota_progress){0};
    save(c);
}

void al_zotac_give_up(struct al_zota_client *c, uint64_t now, enum al_zota_reason reason,
                      uint8_t status, int err)
{
    bool in_file = c->state != AL_ZOTA_CLIENT_QUERYING && c->state != AL_ZOTA_CLIENT_IDLE;
    c->reason = reason;
    if (in_file && (reason == AL_ZOTA_REASON_WRITE || reason == AL_ZOTA_REASON_INVALID))
        al_zotac_forget(c);
    else if (in_file)
        al_zotac_keep(c);
    if (c->app.event) {
        struct al_zota_client_event e = {
            .kind = AL_ZOTA_CLIENT_GAVE_UP,
            .state = c->state,
            .server = c->server,
            .file = in_file ? &c->file : NULL,
            .offset = in_file ? c->offset : 0,
            .reason = reason,
            .status = status,
            .err = err,
        };
        c->app.event(c->app.ctx, &e);
    }
    c->asking = c->in_page = c->forced = c->specific = false;
    c->tries = 0;
    c->deadline = AL_ZOTAC_NEVER;
    uint64_t again = now + c->config.again_pause * AL_ZOTAC_MS;
    if (reason == AL_ZOTA_REASON_UNANSWERED && again < c->query_at) c->query_at = again;
    al_zotac_set_state(c, c->more ? AL_ZOTA_CLIENT_MORE : AL_ZOTA_CLIENT_IDLE);
}

void al_zota_client_start(struct al_zota_client *c, uint64_t now,
                          const struct al_zota_progress *saved)
{
    if (saved && saved->magic == AL_ZOTA_PROGRESS_MAGIC && saved->offset <= saved->file.size) {
        c->kept = *saved;
        c->kept.file.device_specific = saved->file.device_specific != 0;
        /* Of the image that runs by now there is nothing to go on with. */
        if (!saved->file.device_specific && saved->file.id.file_version == c->config.file_version)
            al_zotac_forget(c);
    }
    bool resume = c->kept.magic == AL_ZOTA_PROGRESS_MAGIC;
    c->started = true;
    uint32_t delay = resume ? c->config.resume_delay : c->config.start_delay;
    if (resume || c->config.query_interval != UINT32_MAX)
        c->query_at = now + al_zotac_random(c, delay * AL_ZOTAC_MS);
}

void al_zota_client_set_server(struct al_zota_client *c, uint64_t now, struct al_zota_peer server,
                               uint64_t ext_addr)
{
    bool asked_for = c->searching;
    c->server = server;
    c->server_ext_addr = ext_addr;
    c->searching = false;
    if (asked_for && c->state == AL_ZOTA_CLIENT_IDLE) al_zotac_query(c, now);
}

void al_zota_client_no_server(struct al_zota_client *c, uint64_t now)
{
    if (!c->searching) return;
    c->searching = false;
    al_zotac_give_up(c, now, AL_ZOTA_REASON_NO_SERVER, 0, 0);
}

void al_zota_client_stop(struct al_zota_client *c, uint64_t now)
{
    enum al_zota_client_state state = c->state;
    if (state == AL_ZOTA_CLIENT_DOWNLOADING || state == AL_ZOTA_CLIENT_VERIFYING)
        al_zotac_tell_end(c, AL_ZCL_ABORT);
    if (state != AL_ZOTA_CLIENT_IDLE) al_zotac_give_up(c, now, AL_ZOTA_REASON_STOPPED, 0, 0);
    c->searching = false;
    c->query_at = AL_ZOTAC_NEVER;
}

/* A default response to what is being asked now. */
static void on_default(struct al_zota_client *c, uint64_t now, uint8_t command, uint8_t status)
{
    if (status == AL_ZCL_SUCCESS) return;
    switch (c->state) {
    case AL_ZOTA_CLIENT_QUERYING:
        if (command != AL_ZOTA_QUERY_NEXT_IMAGE_REQ && command != AL_ZOTA_SPECIFIC_FILE_REQ) return;
        if (status == AL_ZCL_NOT_AUTHORIZED)
            al_zotac_give_up(c, now, AL_ZOTA_REASON_NOT_AUTHORIZED, status, 0);
        else
            al_zotac_lose_server(c, now, AL_ZOTA_REASON_REJECTED, status);
        return;
    case AL_ZOTA_CLIENT_DOWNLOADING:
        if (command == AL_ZOTA_IMAGE_PAGE_REQ && c->in_page) {
            al_zotac_page_off(c);
            al_zotac_proceed(c, now);
        } else if (command == AL_ZOTA_IMAGE_BLOCK_REQ && c->asking) {
            /* MALFORMED and the like may come from a damaged request: that is a retry. */
            if (status == AL_ZCL_NO_IMAGE_AVAILABLE)
                al_zotac_give_up(c, now, AL_ZOTA_REASON_WITHDRAWN, status, 0);
            else if (status == AL_ZCL_ABORT)
                al_zotac_give_up(c, now, AL_ZOTA_REASON_ABORTED, status, 0);
            else if (status == AL_ZCL_UNSUP_CLUSTER_COMMAND || status == AL_ZCL_NOT_AUTHORIZED)
                al_zotac_give_up(c, now, AL_ZOTA_REASON_REJECTED, status, 0);
        }
        return;
    default:
        return;
    }
}

static uint8_t dispatch(struct al_zota_client *c, uint64_t now, const struct al_zota_received *rx,
                        const struct al_zota_frame *f)
{
    switch (f->command) {
    case AL_ZOTA_IMAGE_NOTIFY:
        return al_zotac_on_notify(c, now, rx, &f->u.image_notify);
    case AL_ZOTA_QUERY_NEXT_IMAGE_RSP:
        return al_zotac_on_offer(c, now, false, &f->u.query_next_image_rsp);
    case AL_ZOTA_SPECIFIC_FILE_RSP:
        return al_zotac_on_offer(c, now, true, &f->u.query_next_image_rsp);
    case AL_ZOTA_IMAGE_BLOCK_RSP:
        return al_zotac_on_block(c, now, &f->u.image_block_rsp);
    case AL_ZOTA_UPGRADE_END_RSP:
        return al_zotac_on_order(c, now, &f->u.upgrade_end_rsp);
    default:
        return AL_ZCL_UNSUP_CLUSTER_COMMAND;
    }
}

int al_zota_client_receive(struct al_zota_client *c, uint64_t now,
                           const struct al_zota_received *rx)
{
    struct al_zcl_frame h;
    struct al_zota_frame f;
    int err = al_zcl_parse(&h, rx->zcl, rx->len);
    if (err) return err == AL_ERR_NOT_SUPPORTED ? 0 : err;
    if (!h.to_client || (!h.cluster_specific && h.command != AL_ZCL_DEFAULT_RSP))
        return AL_ERR_NOT_SUPPORTED;
    if (h.manufacturer_specific) {
        al_zota_wire_default(&c->transport, rx, &h, AL_ZCL_UNSUP_MANUF_COMMAND);
        return 0;
    }
    bool from_server = rx->from.addr == c->server.addr; /* whichever endpoint it answers from */
    bool notify = h.cluster_specific && h.command == AL_ZOTA_IMAGE_NOTIFY;
    if (!h.cluster_specific) {
        if (from_server && h.payload_len >= 2) on_default(c, now, h.payload[0], h.payload[1]);
        return 0;
    }
    uint8_t status;
    err = al_zota_parse(h.command, h.payload, h.payload_len, &f);
    if (!notify && (!from_server || rx->broadcast))
        status = AL_ZCL_NOT_AUTHORIZED;
    else
        status = err ? al_zota_wire_status(err) : dispatch(c, now, rx, &f);
    if (status != AL_ZCL_SUCCESS) al_zotac_emit(c, AL_ZOTA_CLIENT_IGNORED, h.command);
    al_zota_wire_default(&c->transport, rx, &h, status);
    return 0;
}

void al_zota_client_sent(struct al_zota_client *c, uint64_t now, uint32_t handle, bool ok)
{
    if (ok || !c->asking || handle != c->handle) return;
    /* It did not get through: no use in waiting for an answer. */
    c->deadline = now;
}

uint64_t al_zota_client_next(const struct al_zota_client *c)
{
    bool may_query = c->state == AL_ZOTA_CLIENT_IDLE || c->state == AL_ZOTA_CLIENT_MORE;
    return may_query && c->query_at < c->deadline ? c->query_at : c->deadline;
}

void al_zota_client_run(struct al_zota_client *c, uint64_t now)
{
    if (al_zota_client_next(c) > now) return;
    switch (c->state) {
    case AL_ZOTA_CLIENT_IDLE:
    case AL_ZOTA_CLIENT_MORE:
    case AL_ZOTA_CLIENT_QUERYING:
        al_zotac_query_run(c, now);
        return;
    case AL_ZOTA_CLIENT_DOWNLOADING:
        al_zotac_download_run(c, now);
        return;
    case AL_ZOTA_CLIENT_VERIFYING:
    case AL_ZOTA_CLIENT_WAITING:
    case AL_ZOTA_CLIENT_COUNT_DOWN:
    case AL_ZOTA_CLIENT_EXTERNAL:
        al_zotac_end_run(c, now);
        return;
    }
}

bool al_zota_client_awaits(const struct al_zota_client *c)
{
    return c->asking || c->in_page;
}
