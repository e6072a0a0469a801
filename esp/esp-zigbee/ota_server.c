/* The OTA server: files of the application's table, offered and sent to clients. */
#include <stdlib.h>

#include "core/err.h"
#include "esp/esp-zigbee/ota_image.h"
#include "esp/esp-zigbee/ota_peer.h"
#include "esp/esp-zigbee/stack.h"
#include "esp_log.h"
#include "zigbee/zcl_ota.h"

enum { NOTIFY_WITH_ALL = 3, JITTER_MAX = 100, ALL_ENDPOINTS = 0xff };

static struct {
    struct al_zcl_ota_server ota;
    struct zb_engine engine;
    struct al_zcl_endpoint *endpoint; /* NULL: there is no server */
    struct al_zota_session *sessions;
    esp_zb_zcl_ota_upgrade_server_variable_t variable;
    struct ota_image *table; /* variable.file_count */
} server;

/* ---- Words with the application ---- */

static esp_zb_ota_zcl_information_t asked_by(struct al_zota_peer peer)
{
    return (esp_zb_ota_zcl_information_t){
        .src_addr = {.addr_type = ESP_ZB_ZCL_ADDR_TYPE_SHORT, .u.short_addr = peer.addr},
        .dst_short_addr = zb_stack_node()->nwk.addr,
        .src_endpoint = peer.endpoint,
        .dst_endpoint = server.endpoint->id,
        .cluster_id = AL_ZOTA_CLUSTER,
        .profile_id = server.endpoint->profile,
        .command_id = AL_ZOTA_IMAGE_BLOCK_REQ,
    };
}

static esp_zb_device_cb_common_info_t info(void)
{
    return (esp_zb_device_cb_common_info_t){.status = ESP_ZB_ZCL_STATUS_SUCCESS,
                                            .dst_endpoint = server.endpoint->id,
                                            .cluster = AL_ZOTA_CLUSTER};
}

static void tell_status(const struct al_zota_session *c, esp_zb_ota_upgrade_server_status_t status,
                        uint32_t *upgrade_time)
{
    esp_zb_zcl_ota_upgrade_server_status_message_t m = {
        .info = info(),
        .zcl_addr = {.addr_type = ESP_ZB_ZCL_ADDR_TYPE_SHORT, .u.short_addr = c->record.peer.addr},
        .server_status = status,
        .image_type = c->record.image.id.image_type,
        .version = c->record.image.id.file_version,
        .upgrade_time = upgrade_time,
    };
    zb_stack_action(ESP_ZB_CORE_OTA_UPGRADE_SRV_STATUS_CB_ID, &m);
}

/* ---- The table ---- */

static struct ota_image *image_of(const struct al_zota_image *image)
{
    return &server.table[image->ref];
}

static struct al_zota_id id_of(const struct ota_image *m)
{
    return (struct al_zota_id){m->header.manufacturer_code, m->header.image_type,
                               m->header.file_version};
}

static void describe(uint8_t index, struct al_zota_image *out)
{
    *out = (struct al_zota_image){.id = id_of(&server.table[index]),
                                  .size = ota_image_size(&server.table[index]),
                                  .ref = index};
}

static bool fits(const struct ota_image *m, const struct al_zota_wanted *wanted)
{
    const esp_zb_ota_file_optional_t *o = &m->header.optional;
    const struct al_zota_image_limits limits = {
        .has_hardware = m->header.field_control & ESP_ZB_ZCL_OTA_UPGRADE_FILE_HEADER_FC_HW_VER,
        .min_hardware = o->minimum_hardware_version,
        .max_hardware = o->maximum_hardware_version,
        .has_destination =
            m->header.field_control & ESP_ZB_ZCL_OTA_UPGRADE_FILE_HEADER_FC_DEVICE_SPECIFIC,
        .destination = zb_ext(o->upgrade_file_destination),
        .downgrade = true, /* any version that is not the running one */
    };
    struct al_zota_id id = id_of(m);
    return m->used && al_zota_image_fits(&id, &limits, wanted);
}

/* ---- Who is at it ---- */

static bool is_at(const struct al_zota_session *c, uint64_t ref)
{
    return c->record.image.ref == ref && c->record.offset < c->record.image.size &&
           (c->record.state == AL_ZOTA_SESSION_DOWNLOADING ||
            c->record.state == AL_ZOTA_SESSION_HELD);
}

static bool others_at(uint64_t ref, const struct al_zota_session *but)
{
    for (uint16_t i = 0; i < server.ota.engine.sessions; i++)
        if (&server.sessions[i] != but && is_at(&server.sessions[i], ref)) return true;
    return false;
}

/* Before and after callbacks at which the vendor's examples begin at their first byte again:
 * what others are still to get is asked for before. */
static void before_reset(uint64_t ref, const struct al_zota_session *session,
                         struct al_zota_peer peer)
{
    esp_zb_ota_zcl_information_t who = asked_by(peer);
    if (others_at(ref, session)) ota_image_complete(&server.table[ref], &who);
}

static void after_reset(uint64_t ref, const struct al_zota_session *session)
{
    if (!others_at(ref, session)) ota_image_rewind(&server.table[ref]);
}

static void abort_for(const struct al_zota_session *c)
{
    before_reset(c->record.image.ref, c, c->record.peer);
    tell_status(c, ESP_ZB_ZCL_OTA_UPGRADE_SERVER_ABORTED, NULL);
    after_reset(c->record.image.ref, c);
}

/* ---- The engine's questions ---- */

static esp_err_t ask_application(const struct al_zota_wanted *w, uint8_t *index)
{
    esp_zb_zcl_ota_upgrade_server_query_image_message_t m = {
        .info = info(),
        .zcl_addr = {.addr_type = ESP_ZB_ZCL_ADDR_TYPE_SHORT, .u.short_addr = w->peer.addr},
        .image_type = w->id.image_type,
        .manufacturer_code = w->id.manufacturer,
        .version = w->id.file_version,
        .table_idx = index,
    };
    esp_err_t err = zb_stack_action(ESP_ZB_CORE_OTA_UPGRADE_SRV_QUERY_IMAGE_CB_ID, &m);
    if (err || !index) return err ? err : ESP_ERR_NOT_FOUND;
    return *index < server.variable.file_count && server.table[*index].used ? ESP_OK
                                                                            : ESP_ERR_NOT_FOUND;
}

static int find(void *ctx, const struct al_zota_wanted *wanted, struct al_zota_image *image)
{
    struct al_zota_session *c =
        al_zota_server_find(&server.ota.engine, wanted->peer.addr, wanted->peer.endpoint);
    uint8_t index = 0;
    while (index < server.variable.file_count && !fits(&server.table[index], wanted)) index++;
    bool found = index < server.variable.file_count;
    if (found && c && is_at(c, index)) abort_for(c); /* it was at it, and begins anew */
    if (found) before_reset(index, c, wanted->peer);
    if (ask_application(wanted, found ? &index : NULL)) return AL_ERR_NOT_FOUND;
    after_reset(index, c);
    describe(index, image);
    return 0;
}

static int get(void *ctx, struct al_zota_peer peer, const struct al_zota_id *id,
               struct al_zota_image *image)
{
    for (uint8_t i = 0; i < server.variable.file_count; i++) {
        struct al_zota_id own = id_of(&server.table[i]);
        if (!server.table[i].used || own.manufacturer != id->manufacturer ||
            own.image_type != id->image_type || own.file_version != id->file_version)
            continue;
        describe(i, image);
        return 0;
    }
    return AL_ERR_NOT_FOUND;
}

static int read_file(void *ctx, struct al_zota_peer peer, const struct al_zota_image *image,
                     uint32_t offset, void *buf, size_t len)
{
    esp_zb_ota_zcl_information_t who = asked_by(peer);
    return ota_image_read(image_of(image), &who, offset, buf, len);
}

static void end(void *ctx, const struct al_zota_session *session, struct al_zota_order *order)
{
    if (session->record.state == AL_ZOTA_SESSION_ENDED) { /* it asks again */
        *order = session->record.order;
        return;
    }
    *order = (struct al_zota_order){server.variable.current_time,
                                    image_of(&session->record.image)->upgrade_time};
    before_reset(session->record.image.ref, session, session->record.peer);
    tell_status(session, ESP_ZB_ZCL_OTA_UPGRADE_SERVER_END, &order->upgrade_time);
}

static void event(void *ctx, const struct al_zota_server_event *e)
{
    if (e->kind == AL_ZOTA_SERVER_STARTED)
        tell_status(e->session, ESP_ZB_ZCL_OTA_UPGRADE_SERVER_STARTED, NULL);
    if ((e->kind == AL_ZOTA_SERVER_END && e->status != AL_ZCL_SUCCESS) ||
        e->kind == AL_ZOTA_SERVER_STALLED)
        abort_for(e->session);
}

/* ---- Setting up ---- */

static uint64_t engine_next(void *ctx)
{
    return al_zcl_ota_server_next(ctx);
}

static void engine_run(void *ctx, uint64_t now)
{
    al_zcl_ota_server_run(ctx, now);
}

esp_err_t zb_ota_server_add(struct al_zcl_endpoint *e, esp_zb_attribute_list_t *list)
{
    esp_zb_attribute_list_t *data = zb_list_find(list, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_SERVER_DATA_ID);
    uint16_t sessions = zb_stack.network_size;
    if (server.endpoint) return ESP_ERR_INVALID_STATE; /* one server a device */
    if (data) memcpy(&server.variable, data->attribute.data_p, sizeof server.variable);
    server.table = calloc(server.variable.file_count + 1u, sizeof *server.table);
    server.sessions = calloc(sessions, sizeof *server.sessions);
    if (!server.table || !server.sessions) return ESP_ERR_NO_MEM;
    server.endpoint = e;
    if (al_zcl_ota_server_init(&server.ota, &zb_stack_node()->zcl, e,
                               (struct al_zb_random){&zb_stack.zb, zb_node_random},
                               &(struct al_zota_server_config){0},
                               &(struct al_zota_server_app){.find = find,
                                                            .get = get,
                                                            .read = read_file,
                                                            .end = end,
                                                            .device = ota_peer_device,
                                                            .event = event},
                               server.sessions, sessions))
        return ESP_ERR_INVALID_ARG;
    server.engine = (struct zb_engine){&server.ota, engine_next, engine_run, NULL};
    zb_node_add_engine(&zb_stack.zb, &server.engine);
    return ESP_OK;
}

/* ---- Notify ---- */

static void notify(void *ctx)
{
    const struct ota_image *m = ctx;
    struct al_zota_server *s = al_zcl_ota_server_at(&server.ota, zb_stack_now());
    struct al_zota_id id = id_of(m);
    uint8_t jitter = server.variable.query_jitter;
    struct al_zota_peer to = {AL_NWK_ALL_RX_ON, ALL_ENDPOINTS};
    if (jitter == 0 || jitter > JITTER_MAX) jitter = JITTER_MAX;
    if (m->header.field_control & ESP_ZB_ZCL_OTA_UPGRADE_FILE_HEADER_FC_DEVICE_SPECIFIC) {
        to.addr = al_nwk_addr_of(&zb_stack_node()->nwk,
                                 zb_ext(m->header.optional.upgrade_file_destination));
        if (to.addr == AL_NWK_NO_ADDR) {
            ESP_LOGW(ZB_TAG, "OTA file %u is for a device that is not in the network", m->index);
            return;
        }
        jitter = JITTER_MAX;
    }
    int err = al_zota_server_notify(s, to, NOTIFY_WITH_ALL, jitter, &id);
    if (err) ESP_LOGW(ZB_TAG, "the Image Notify could not be sent (%d)", err);
}

esp_err_t esp_zb_ota_upgrade_server_notify_req(esp_zb_ota_upgrade_server_notify_req_t *req)
{
    if (!req) return ESP_ERR_INVALID_ARG;
    if (!server.endpoint || server.endpoint->id != req->endpoint || !server.variable.file_count)
        return ESP_ERR_NOT_FOUND;
    if (req->index >= server.variable.file_count || !req->next_data_cb ||
        req->ota_file_header.image_size > UINT32_MAX - AL_ZFILE_HEADER_MAX)
        return ESP_ERR_INVALID_ARG;
    esp_err_t err = ota_image_set(&server.table[req->index], req);
    if (!err && req->notify_on) zb_scheduler_post(notify, &server.table[req->index], 0);
    return err;
}
