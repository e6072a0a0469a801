/* API 2.x: the OTA client. What the engine says becomes messages to the application. */
#include "core/err.h"
#include "esp/esp-zigbee/ezb.h"
#include "esp/esp-zigbee/ota_installed.h"
#include "esp/esp-zigbee/ota_resume.h"
#include "esp_log.h"
#include "zigbee/ota_wire.h"
#include "zigbee/zcl_ota.h"

typedef ezb_zcl_ota_upgrade_client_progress_message_t progress_message;

static struct {
    uint8_t ep_id;                      /* 0: there is no client */
    struct al_zota_client_config early; /* before the start */
    bool retries_set, started;
    struct al_zcl_ota_client ota;
    struct zb_engine engine;
    struct ezb_ota_side side;
    void (*sent)(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status);
    struct ezb_confirm confirm; /* of the query under way */
    ezb_zcl_ota_upgrade_query_next_image_req_payload_t query;
    struct al_zota_peer ask; /* whom; addr AL_NWK_NO_ADDR: to be found */
    bool query_waits;
    /* The download that the application is at; size 0: none. */
    struct al_zota_file file;
    uint32_t given; /* bytes of it that the application has had */
    uint16_t header_len;
    uint32_t delay; /* s until the restart, as the server said */
} client;

static struct al_zota_client *engine(void)
{
    return al_zcl_ota_client_at(&client.ota, zb_stack_now());
}

/* ---- Words with the application ---- */

static uint8_t tell(progress_message m)
{
    m.info = ezb_zcl_info(&client.side);
    m.in.header = &client.side.header;
    m.out.result = EZB_ZCL_STATUS_SUCCESS;
    bool heard = ezb_zcl_tell(EZB_ZCL_CORE_OTA_UPGRADE_CLIENT_PROGRESS_CB_ID, &m);
    return heard ? m.out.result : EZB_ZCL_STATUS_ABORT;
}

/* file NULL: there is none, status says why. */
static uint8_t tell_answer(uint8_t status, const struct al_zota_file *file)
{
    const struct al_zota_client *c = &client.ota.engine;
    ezb_zcl_ota_upgrade_query_next_image_rsp_message_t m = {
        .info = ezb_zcl_info(&client.side),
        .in = {.header = &client.side.header,
               .image = {.status = status, .ep_id = c->server.endpoint}},
        .out.result = EZB_ZCL_STATUS_SUCCESS,
    };
    uint64_t ext = al_nwk_ext_of(&zb_stack_node()->nwk, c->server.addr);
    m.in.image.server_address.u64 = ext ? ext : c->server_ext_addr;
    if (file) {
        m.in.image.manuf_code = file->id.manufacturer;
        m.in.image.image_type = file->id.image_type;
        m.in.image.file_version = file->id.file_version;
        m.in.image.size = file->size;
    }
    bool heard = ezb_zcl_tell(EZB_ZCL_CORE_OTA_UPGRADE_QUERY_NEXT_IMAGE_RSP_CB_ID, &m);
    return heard ? m.out.result : EZB_ZCL_STATUS_ABORT;
}

static uint8_t tell_start(const struct al_zota_file *f)
{
    return tell((progress_message){
        .in = {.progress = EZB_ZCL_OTA_UPGRADE_PROGRESS_START,
               .start = {f->id.manufacturer, f->id.image_type, f->id.file_version, f->size}}});
}

static void tell_abort(void)
{
    tell((progress_message){.in.progress = EZB_ZCL_OTA_UPGRADE_PROGRESS_ABORT});
    client.file = (struct al_zota_file){0};
    client.given = 0;
}

/* ---- The file ---- */

/* The header's length stands in it: the bytes of the slot are found by it after a restart. */
static void look_at_header(uint32_t offset, const uint8_t *bytes, size_t len)
{
    enum { LENGTH_AT = 6 };
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t at = LENGTH_AT + i;
        if (at >= offset && at - offset < len)
            client.header_len |= (uint16_t)(bytes[at - offset] << 8 * i);
    }
}

/* The engine hands over each byte once, in order. */
static int data(void *ctx, uint32_t offset, const uint8_t *bytes, size_t len)
{
    uint8_t block[UINT8_MAX];
    look_at_header(offset, bytes, len);
    ota_resume_add(bytes, len);
    client.given = offset + (uint32_t)len;
    memcpy(block, bytes, len);
    uint8_t result =
        tell((progress_message){.in = {.progress = EZB_ZCL_OTA_UPGRADE_PROGRESS_RECEIVING,
                                       .receiving = {offset, (uint8_t)len, block}}});
    if (result == EZB_ZCL_STATUS_SUCCESS) return 0;
    ESP_LOGE(ZB_TAG, "the application refused bytes %u to %u of the OTA file: status 0x%02x",
             offset, client.given - 1, result);
    return AL_FAIL;
}

/* Gives the application again what it had before the restart. */
static int replay(const uint8_t *kept, uint32_t len)
{
    enum { PIECE = 223 };
    int err = 0;
    for (uint32_t at = 0; at < len && !err; at += PIECE)
        err = data(NULL, at, kept + at, len - at < PIECE ? len - at : PIECE);
    return err;
}

static uint8_t start(const struct al_zota_file *file, uint32_t *offset)
{
    uint8_t *kept = *offset ? ota_resume_load(file, *offset) : NULL; /* before the slot is erased */
    uint32_t have = kept ? *offset : 0;
    *offset = have;
    client.header_len = 0;
    client.delay = 0;
    ota_resume_begin();
    uint8_t result = tell_start(file);
    if (result == EZB_ZCL_STATUS_SUCCESS) client.file = *file;
    if (result == EZB_ZCL_STATUS_SUCCESS && have) {
        ESP_LOGI(ZB_TAG, "the download goes on at byte %u", have);
        if (replay(kept, have)) {
            tell_abort();
            result = EZB_ZCL_STATUS_ABORT;
        }
    }
    ota_resume_free(kept);
    return result;
}

static uint8_t offer(void *ctx, const struct al_zota_file *file, bool reinstall, uint32_t *offset)
{
    uint8_t result = tell_answer(EZB_ZCL_STATUS_SUCCESS, file);
    if (result != EZB_ZCL_STATUS_SUCCESS) return result;
    bool same = client.file.size == file->size && al_zota_same_id(&client.file.id, &file->id);
    if (same && client.given) { /* it only paused */
        *offset = client.given;
        return AL_ZCL_SUCCESS;
    }
    if (client.file.size) tell_abort();
    return start(file, offset);
}

static int check(void *ctx, const struct al_zota_file *f)
{
    uint8_t result = tell((progress_message){
        .in = {.progress = EZB_ZCL_OTA_UPGRADE_PROGRESS_CHECK,
               .check = {f->id.manufacturer, f->id.image_type, f->id.file_version}}});
    if (result == EZB_ZCL_STATUS_SUCCESS || result == EZB_ZCL_STATUS_REQUIRE_MORE_IMAGE)
        return result;
    ESP_LOGW(ZB_TAG, "the application's check of the OTA file failed: status 0x%02x", result);
    return AL_ZCL_INVALID_IMAGE;
}

static void save(void *ctx, const struct al_zota_progress *p)
{
    ota_resume_save(p, client.header_len);
}

/* ---- Events ---- */

static void stop_now(void *ctx)
{
    al_zota_client_stop(engine(), zb_stack_now());
}

static void apply(const struct al_zota_file *f)
{
    uint8_t result = tell((progress_message){
        .in = {.progress = EZB_ZCL_OTA_UPGRADE_PROGRESS_APPLY,
               .apply = {f->id.manufacturer, f->id.image_type, f->id.file_version}}});
    if (result == EZB_ZCL_STATUS_SUCCESS) return;
    ESP_LOGW(ZB_TAG, "the application does not apply the OTA file: status 0x%02x", result);
    zb_scheduler_post(stop_now, NULL, 0);
}

static void finish(void)
{
    ota_installed_note(client.file.id.file_version);
    client.file = (struct al_zota_file){0};
    client.given = 0;
    tell((progress_message){.in = {.progress = EZB_ZCL_OTA_UPGRADE_PROGRESS_FINISH,
                                   .finish.count_down_delay = client.delay}});
}

static void gave_up(const struct al_zota_client_event *e)
{
    ESP_LOGW(ZB_TAG, "OTA: %s (status 0x%02x, byte %u)", al_zota_reason_name(e->reason), e->status,
             e->offset);
    if (e->reason == AL_ZOTA_REASON_NO_IMAGE || e->reason == AL_ZOTA_REASON_NOT_AUTHORIZED)
        tell_answer(e->status, NULL);
    else if (e->reason != AL_ZOTA_REASON_UNANSWERED && client.file.size)
        tell_abort(); /* unanswered: it goes on when the server is back */
}

static void event(void *ctx, const struct al_zota_client_event *e)
{
    switch (e->kind) {
    case AL_ZOTA_CLIENT_ORDER:
        client.delay = e->arg == UINT32_MAX ? 0 : e->arg;
        return;
    case AL_ZOTA_CLIENT_APPLY:
        apply(e->file);
        return;
    case AL_ZOTA_CLIENT_FINISH:
        finish();
        return;
    case AL_ZOTA_CLIENT_GAVE_UP:
        gave_up(e);
        return;
    default:
        return;
    }
}

/* ---- Setting up ---- */

ezb_err_t ezb_ota_client_register(uint8_t ep_id, const struct ezb_ota_config *c)
{
    if (client.ep_id) return EZB_ERR_INV_ARG;
    client.ep_id = ep_id;
    client.early = c->client;
    return EZB_ERR_NONE;
}

struct al_zota_client_config *ezb_ota_client_config(uint8_t ep_id)
{
    if (!client.ep_id || client.ep_id != ep_id) return NULL;
    return client.side.cluster ? &client.ota.engine.config : &client.early;
}

static uint64_t engine_next(void *ctx)
{
    return al_zcl_ota_client_next(ctx);
}

static void engine_run(void *ctx, uint64_t now)
{
    al_zcl_ota_client_run(ctx, now);
}

/* The first frame behind a query is the query. */
static void sent(void *ctx, uint64_t now, uint16_t handle, enum al_zb_status status)
{
    client.sent(ctx, now, handle, status);
    ezb_zcl_confirm(&client.confirm, (uint8_t)status);
}

esp_err_t ezb_ota_client_attach(struct al_zcl_endpoint *e)
{
    const struct al_zota_client_app app = {
        .offer = offer, .data = data, .check = check, .save = save, .event = event};
    client.early.ext_addr = zb_stack.ext;
    if (client.early.file_version == UINT32_MAX)
        client.early.file_version = ota_installed_version();
    if (al_zcl_ota_client_init(&client.ota, &zb_stack_node()->zcl, &zb_stack_node()->zdo, e,
                               (struct al_zb_random){&zb_stack.zb, zb_node_random}, &client.early,
                               &app))
        return ESP_ERR_NO_MEM;
    if (client.retries_set) client.ota.engine.config.block_retries = client.early.block_retries;
    client.sent = client.ota.link.range.sent;
    client.ota.link.range.sent = sent;
    ezb_zcl_watch(&client.side, &client.ota.cluster, e);
    client.engine = (struct zb_engine){&client.ota, engine_next, engine_run, NULL};
    zb_node_add_engine(&zb_stack.zb, &client.engine);
    return ESP_OK;
}

static void start_now(void *ctx)
{
    struct al_zota_progress progress;
    bool saved = ota_resume_progress(&progress);
    al_zota_client_start(engine(), zb_stack_now(), saved ? &progress : NULL);
}

void ezb_ota_client_start(void)
{
    if (!client.side.cluster || client.started) return;
    client.started = true;
    zb_scheduler_post(start_now, NULL, 0);
}

/* ---- Called by the application ---- */

ezb_err_t ezb_zcl_ota_upgrade_set_download_block_size(uint8_t ep_id, uint8_t allowed_block_size)
{
    struct al_zota_client_config *c = ezb_ota_client_config(ep_id);
    if (!c) return EZB_ERR_NOT_FOUND;
    if (!allowed_block_size || allowed_block_size > EZB_ZCL_OTA_UPGRADE_MAX_BLOCK_SIZE)
        return EZB_ERR_INV_ARG;
    c->max_data_size = allowed_block_size;
    return EZB_ERR_NONE;
}

ezb_err_t ezb_zcl_ota_upgrade_set_hw_version(uint8_t ep_id, uint16_t hw_version)
{
    struct al_zota_client_config *c = ezb_ota_client_config(ep_id);
    if (!c) return EZB_ERR_NOT_FOUND;
    c->hardware_version = hw_version;
    c->has_hardware_version = hw_version != 0;
    return EZB_ERR_NONE;
}

ezb_err_t ezb_zcl_ota_upgrade_set_download_retry(uint8_t ep_id, uint8_t retry, uint32_t timeout)
{
    struct al_zota_client_config *c = ezb_ota_client_config(ep_id);
    if (!c) return EZB_ERR_NOT_FOUND;
    if (!timeout) return EZB_ERR_INV_ARG;
    c->block_retries = retry;
    c->block_timeout = timeout;
    client.retries_set = true;
    return EZB_ERR_NONE;
}

static void query_now(void *ctx)
{
    const ezb_zcl_ota_upgrade_query_next_image_req_payload_t *q = &client.query;
    struct al_zota_client *c = engine();
    client.query_waits = false;
    if (c->state != AL_ZOTA_CLIENT_IDLE && c->state != AL_ZOTA_CLIENT_MORE) {
        ezb_zcl_confirm(&client.confirm, (uint8_t)AL_ZB_NOT_THERE);
        return;
    }
    c->config.manufacturer = q->manuf_code;
    c->config.image_type = q->image_type;
    c->config.file_version = q->file_version;
    c->config.has_hardware_version =
        q->fc & EZB_ZCL_OTA_UPGRADE_QUERY_NEXT_IMAGE_FC_HW_VERSION_PRESENT;
    if (c->config.has_hardware_version) c->config.hardware_version = q->hw_version;
    if (client.ask.addr != AL_NWK_NO_ADDR) {
        uint64_t ext = al_nwk_ext_of(&zb_stack_node()->nwk, client.ask.addr);
        al_zota_client_set_server(c, zb_stack_now(), client.ask, ext ? ext : UINT64_MAX);
    }
    /* Busy: a search for a server was under way, and its query has just gone out. */
    al_zota_client_query(c, zb_stack_now());
    client.confirm.tsn = c->tsn;
}

ezb_err_t ezb_zcl_ota_upgrade_query_next_image_cmd_req(
    const ezb_zcl_ota_upgrade_query_next_image_req_cmd_t *cmd_req)
{
    if (!cmd_req) return EZB_ERR_INV_ARG;
    const ezb_zcl_cluster_cmd_ctrl_t *ctrl = &cmd_req->cmd_ctrl;
    struct al_zota_peer to = {AL_NWK_NO_ADDR, ctrl->dst_ep};
    if (!client.side.cluster || client.ep_id != ctrl->src_ep) return EZB_ERR_NOT_FOUND;
    if (!esp_zb_bdb_dev_joined()) return EZB_ERR_INV_STATE;
    if (ctrl->dst_addr.addr_mode != EZB_ADDR_MODE_NONE) {
        ezb_err_t err = ezb_zcl_resolve(&ctrl->dst_addr, &to.addr);
        if (err) return err;
        if (AL_NWK_BROADCAST(to.addr)) return EZB_ERR_INV_ARG;
    }
    enum al_zota_client_state state = client.ota.engine.state;
    if (client.query_waits || (state != AL_ZOTA_CLIENT_IDLE && state != AL_ZOTA_CLIENT_MORE))
        return EZB_ERR_BUSY;
    client.confirm.ctrl = *ctrl;
    client.query = cmd_req->payload;
    client.ask = to;
    client.query_waits = true;
    zb_scheduler_post(query_now, NULL, 0); /* it may be called from a message */
    return EZB_ERR_NONE;
}
