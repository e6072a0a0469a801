/* API 2.x: the OTA server. Files lie whole in the application's memory. */
#include <stdlib.h>

#include "core/err.h"
#include "esp/esp-zigbee/ezb.h"
#include "esp/esp-zigbee/ota_peer.h"
#include "esp_log.h"
#include "zigbee/ota_file.h"
#include "zigbee/ota_wire.h"
#include "zigbee/zcl_ota.h"

typedef ezb_zcl_ota_upgrade_server_progress_message_t progress_message;

enum { WAIT_16 = 0xffff, NOTIFIES = 4, NOTIFY_MAX = 10 };

struct file {
    uint64_t ref; /* 0: free; numbers are not used again */
    const uint8_t *bytes;
    struct al_zfile_header header;
};

static struct {
    uint8_t ep_id; /* 0: there is no server */
    struct file *files;
    uint8_t places;
    uint64_t refs;
    struct al_zcl_ota_server ota;
    struct zb_engine engine;
    struct ezb_ota_side side;
    struct al_zota_session *sessions;
    struct { /* the block that the application has been told of, until it is sent */
        struct al_zota_peer peer;
        uint32_t offset;
        bool holds;
    } told;
    struct al_zcl_handles handles;
    struct ezb_confirm notifies[NOTIFIES]; /* one a handle */
    bool in_air[NOTIFIES];
} server;

/* ---- Files ---- */

static struct file *file_of(uint64_t ref)
{
    for (uint8_t i = 0; ref && i < server.places; i++)
        if (server.files[i].ref == ref) return &server.files[i];
    return NULL;
}

static struct al_zota_id id_of(const struct file *f)
{
    return (struct al_zota_id){f->header.manufacturer, f->header.image_type,
                               f->header.file_version};
}

static struct al_zota_image image_of(const struct file *f)
{
    return (struct al_zota_image){
        .id = id_of(f), .size = f->header.total_image_size, .ref = f->ref};
}

static int read_memory(void *ctx, uint32_t off, void *buf, size_t len)
{
    memcpy(buf, (const uint8_t *)ctx + off, len);
    return 0;
}

ezb_zcl_ota_file_handle_t ezb_zcl_ota_upgrade_add_ota_file(uint8_t ep_id, const void *image,
                                                           uint32_t image_size)
{
    struct al_zfile f;
    struct al_zfile_fault fault = {0};
    struct al_zfile_source source = {(void *)(uintptr_t)image, read_memory, image_size};
    if (!server.ep_id || server.ep_id != ep_id || !image) return NULL;
    struct file *place = server.files;
    while (place < server.files + server.places && place->ref) place++;
    if (place == server.files + server.places) {
        ESP_LOGE(ZB_TAG, "the table of OTA files is full (%u)", server.places);
        return NULL;
    }
    if (al_zfile_open(&f, &source, &fault)) {
        ESP_LOGE(ZB_TAG, "no OTA file: %s at byte %u: expected 0x%llx, found 0x%llx",
                 al_zfile_class_name(fault.class), fault.offset, (unsigned long long)fault.expected,
                 (unsigned long long)fault.found);
        return NULL;
    }
    *place = (struct file){++server.refs, (const uint8_t *)image + f.start, f.header};
    return place;
}

static void abort_sessions(void *ctx)
{
    struct al_zota_server *s = al_zcl_ota_server_at(&server.ota, zb_stack_now());
    for (uint16_t i = 0; i < s->sessions; i++) {
        struct al_zota_session *c = &s->session[i];
        bool at_it = c->record.state == AL_ZOTA_SESSION_DOWNLOADING ||
                     c->record.state == AL_ZOTA_SESSION_HELD;
        if (at_it && !file_of(c->record.image.ref)) al_zota_server_abort(s, zb_stack_now(), c);
    }
}

void ezb_zcl_ota_upgrade_remove_ota_file(uint8_t ep_id, ezb_zcl_ota_file_handle_t ota_file)
{
    struct file *f = ota_file;
    if (server.ep_id != ep_id || f < server.files || f >= server.files + server.places) return;
    *f = (struct file){0};
    if (server.side.cluster) zb_scheduler_post(abort_sessions, NULL, 0);
}

/* ---- Words with the application ---- */

/* Fills m->out; without a handler it stays as it is. */
static void tell(progress_message *m, ezb_zcl_ota_upgrade_progress_t progress)
{
    m->info = ezb_zcl_info(&server.side);
    m->in.header = &server.side.header;
    m->in.progress = progress;
    m->out.result = EZB_ZCL_STATUS_SUCCESS;
    ezb_zcl_tell(EZB_ZCL_CORE_OTA_UPGRADE_SERVER_PROGRESS_CB_ID, m);
}

static void tell_finish(progress_message *m, const struct al_zota_session *c, uint8_t status)
{
    const struct al_zota_id *id = &c->record.image.id;
    m->in.finish = (ezb_zcl_ota_upgrade_server_progress_finish_t){status, id->manufacturer,
                                                                  id->image_type, id->file_version};
    tell(m, EZB_ZCL_OTA_UPGRADE_PROGRESS_FINISH);
}

/* ---- The engine's questions ---- */

static bool fits(const struct file *f, const struct al_zota_wanted *wanted)
{
    const struct al_zfile_header *h = &f->header;
    const struct al_zota_image_limits limits = {
        .has_hardware = h->field_control & AL_ZFILE_HAS_HARDWARE,
        .min_hardware = h->min_hardware,
        .max_hardware = h->max_hardware,
        .has_destination = h->field_control & AL_ZFILE_HAS_DESTINATION,
        .destination = h->destination,
        .downgrade = true, /* any version that is not the running one */
    };
    struct al_zota_id id = id_of(f);
    return f->ref && al_zota_image_fits(&id, &limits, wanted);
}

static int find(void *ctx, const struct al_zota_wanted *w, struct al_zota_image *image)
{
    const struct file *f = server.files;
    while (f < server.files + server.places && !fits(f, w)) f++;
    if (f == server.files + server.places) return AL_ERR_NOT_FOUND;
    progress_message m = {
        .in.start = {.query = {w->peer.addr, w->peer.endpoint, w->id.manufacturer, w->id.image_type,
                               w->id.file_version,
                               w->has_hardware_version ? w->hardware_version : 0},
                     .policy = {f->header.file_version}},
    };
    tell(&m, EZB_ZCL_OTA_UPGRADE_PROGRESS_START);
    if (m.out.result != EZB_ZCL_STATUS_SUCCESS)
        return m.out.result == EZB_ZCL_STATUS_NOT_AUTHORIZED ? AL_ERR_NOT_ALLOWED
                                                             : AL_ERR_NOT_FOUND;
    *image = image_of(f);
    return 0;
}

static int get(void *ctx, struct al_zota_peer peer, const struct al_zota_id *id,
               struct al_zota_image *image)
{
    for (uint8_t i = 0; i < server.places; i++) {
        struct al_zota_id own = id_of(&server.files[i]);
        if (!server.files[i].ref || !al_zota_same_id(&own, id)) continue;
        *image = image_of(&server.files[i]);
        return 0;
    }
    return AL_ERR_NOT_FOUND;
}

/* Whether the application lets the block go; it is asked once, however often the engine
 * has to try until there is room for it in the queue. */
static bool may_send(struct al_zota_peer peer, const struct al_zota_image *image, uint32_t offset)
{
    bool known = server.told.holds && server.told.offset == offset &&
                 server.told.peer.addr == peer.addr && server.told.peer.endpoint == peer.endpoint;
    if (known) return true;
    const struct al_zota_session *c =
        al_zota_server_find(&server.ota.engine, peer.addr, peer.endpoint);
    progress_message m = {
        .in.sending = {image->id.manufacturer, image->id.image_type, image->id.file_version, offset,
                       c ? c->device.block_period : 0},
    };
    tell(&m, EZB_ZCL_OTA_UPGRADE_PROGRESS_SENDING);
    server.told.peer = peer;
    server.told.offset = offset;
    server.told.holds = m.out.result == EZB_ZCL_STATUS_SUCCESS;
    return server.told.holds;
}

static int read_block(void *ctx, struct al_zota_peer peer, const struct al_zota_image *image,
                      uint32_t offset, void *buf, size_t len)
{
    const struct file *f = file_of(image->ref);
    if (!f || !may_send(peer, image, offset)) return AL_ERR_NOT_FOUND;
    memcpy(buf, f->bytes + offset, len);
    return (int)len;
}

static void end(void *ctx, const struct al_zota_session *session, struct al_zota_order *order)
{
    if (session->record.state == AL_ZOTA_SESSION_ENDED) { /* it asks again */
        *order = session->record.order;
        return;
    }
    progress_message m = {0};
    tell_finish(&m, session, EZB_ZCL_STATUS_SUCCESS);
    bool wait = m.out.result != EZB_ZCL_STATUS_SUCCESS || m.out.finish.upgrade_time == WAIT_16;
    *order = (struct al_zota_order){m.out.finish.current_time,
                                    wait ? AL_ZOTA_WAIT : m.out.finish.upgrade_time};
}

static void event(void *ctx, const struct al_zota_server_event *e)
{
    progress_message m = {0};
    switch (e->kind) {
    case AL_ZOTA_SERVER_BLOCK:
    case AL_ZOTA_SERVER_REPEATED:
        server.told.holds = false;
        return;
    case AL_ZOTA_SERVER_END:
        if (e->status != AL_ZCL_SUCCESS) tell_finish(&m, e->session, e->status);
        return;
    case AL_ZOTA_SERVER_STALLED:
        tell(&m, EZB_ZCL_OTA_UPGRADE_PROGRESS_ABORT);
        return;
    default:
        return;
    }
}

/* ---- Setting up ---- */

ezb_err_t ezb_ota_server_register(uint8_t ep_id, const struct ezb_ota_config *c)
{
    if (server.ep_id) return EZB_ERR_INV_ARG;
    server.files = calloc(c->files + 1u, sizeof *server.files);
    if (!server.files) return EZB_ERR_NO_MEM;
    server.places = c->files;
    server.ep_id = ep_id;
    return EZB_ERR_NONE;
}

static uint64_t engine_next(void *ctx)
{
    return al_zcl_ota_server_next(ctx);
}

static void engine_run(void *ctx, uint64_t now)
{
    al_zcl_ota_server_run(ctx, now);
}

static void notified(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    unsigned i = handle - server.handles.first;
    server.in_air[i] = false;
    ezb_zcl_confirm(&server.notifies[i], (uint8_t)status);
}

esp_err_t ezb_ota_server_attach(struct al_zcl_endpoint *e)
{
    struct al_zcl *zcl = &zb_stack_node()->zcl;
    uint16_t sessions = zb_stack.network_size;
    server.sessions = calloc(sessions, sizeof *server.sessions);
    if (!server.sessions) return ESP_ERR_NO_MEM;
    const struct al_zota_server_app app = {.find = find,
                                           .get = get,
                                           .read = read_block,
                                           .end = end,
                                           .device = ota_peer_device,
                                           .event = event};
    server.handles = (struct al_zcl_handles){.count = NOTIFIES, .sent = notified};
    if (al_zcl_ota_server_init(
            &server.ota, zcl, e, (struct al_zb_random){&zb_stack.zb, zb_node_random},
            &(struct al_zota_server_config){0}, &app, server.sessions, sessions) ||
        al_zcl_claim(zcl, &server.handles))
        return ESP_ERR_NO_MEM;
    ezb_zcl_watch(&server.side, &server.ota.cluster, e);
    server.engine = (struct zb_engine){&server.ota, engine_next, engine_run, NULL};
    zb_node_add_engine(&zb_stack.zb, &server.engine);
    return ESP_OK;
}

/* ---- Notify ---- */

ezb_err_t
ezb_zcl_ota_upgrade_image_notify_cmd_req(const ezb_zcl_ota_upgrade_image_notify_cmd_t *cmd_req)
{
    if (!cmd_req) return EZB_ERR_INV_ARG;
    const ezb_zcl_cluster_cmd_ctrl_t *ctrl = &cmd_req->cmd_ctrl;
    const ezb_zcl_ota_upgrade_image_notify_payload_t *p = &cmd_req->payload;
    struct al_zota_frame f = {
        .command = AL_ZOTA_IMAGE_NOTIFY,
        .u.image_notify = {.payload_type = p->type,
                           .query_jitter = p->query_jitter,
                           .id = {p->manuf_code, p->image_type, p->file_version}},
    };
    uint8_t payload[NOTIFY_MAX];
    uint16_t addr;
    if (!server.side.cluster || server.ep_id != ctrl->src_ep) return EZB_ERR_NOT_FOUND;
    if (p->type > EZB_ZCL_OTA_UPGRADE_IMAGE_NOTIFY_PAYLOAD_TYPE_JITTER_CODE_IMAGE_VERSION ||
        !p->query_jitter || p->query_jitter > EZB_ZCL_OTA_UPGRADE_MAX_QUERY_JITTER_VALUE)
        return EZB_ERR_INV_ARG;
    if (!esp_zb_bdb_dev_joined()) return EZB_ERR_INV_STATE;
    ezb_err_t err = ezb_zcl_resolve(&ctrl->dst_addr, &addr);
    if (err) return err;
    unsigned slot = 0;
    while (slot < NOTIFIES && server.in_air[slot]) slot++;
    int len = al_zota_build(&f, payload, sizeof payload);
    if (slot == NOTIFIES || len < 0) return EZB_ERR_NO_MEM;
    int tsn = al_zcl_send(&zb_stack_node()->zcl, zb_stack_now(),
                          &(struct al_zcl_send){.dst = addr,
                                                .dst_ep = ctrl->dst_ep,
                                                .src_ep = ctrl->src_ep,
                                                .cluster = AL_ZOTA_CLUSTER,
                                                .command = AL_ZOTA_IMAGE_NOTIFY,
                                                .cluster_specific = true,
                                                .to_client = true,
                                                .no_default_response = ctrl->dis_default_rsp,
                                                .payload = payload,
                                                .len = (size_t)len,
                                                .handle = (uint16_t)(server.handles.first + slot)});
    if (tsn < 0) return EZB_ERR_NO_MEM;
    server.in_air[slot] = true;
    server.notifies[slot] = (struct ezb_confirm){.ctrl = *ctrl, .tsn = (uint8_t)tsn};
    return EZB_ERR_NONE;
}
