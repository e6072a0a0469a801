/* The OTA client: what the engine says becomes the vendor's callbacks, in his order. */
#include "core/err.h"
#include "esp/esp-zigbee/ota_resume.h"
#include "esp/esp-zigbee/stack.h"
#include "esp_log.h"
#include "zigbee/ota_file.h"
#include "zigbee/zcl_ota.h"

#define NEVER UINT32_MAX

enum { MINUTE_S = 60, FIRST_QUERY_MS = 60000, STACK_PRO = 2 };

static struct {
    struct al_zcl_ota_client ota;
    struct zb_engine engine;
    struct al_zcl_endpoint *endpoint; /* NULL: there is no client */
    struct al_zota_peer server;       /* configured; addr AL_NWK_NO_ADDR: to be found */
    bool started, query_waits;
    /* The download that the application is at; size 0: none. */
    struct al_zota_file file;
    uint32_t given; /* bytes of it that the application has had */
    uint8_t header[AL_ZFILE_HEADER_MAX];
    uint16_t header_have, header_len; /* header_len 0: not known yet */
    esp_zb_ota_file_header_t told;    /* as the callbacks have it */
} client;

/* ---- Words with the application ---- */

static esp_zb_device_cb_common_info_t info(void)
{
    return (esp_zb_device_cb_common_info_t){.status = ESP_ZB_ZCL_STATUS_SUCCESS,
                                            .dst_endpoint = client.endpoint->id,
                                            .cluster = AL_ZOTA_CLUSTER};
}

static esp_err_t tell(esp_zb_zcl_ota_upgrade_status_t status, uint8_t *payload, size_t len)
{
    esp_zb_zcl_ota_upgrade_value_message_t m = {.info = info(),
                                                .upgrade_status = status,
                                                .ota_header = client.told,
                                                .payload_size = (uint16_t)len,
                                                .payload = payload};
    return zb_stack_action(ESP_ZB_CORE_OTA_UPGRADE_VALUE_CB_ID, &m);
}

/* file NULL: there is none, status says why. */
static esp_err_t tell_answer(uint8_t status, const struct al_zota_file *file)
{
    struct al_zota_peer from = client.ota.engine.server;
    esp_zb_zcl_ota_upgrade_query_image_resp_message_t m = {
        .info = info(),
        .server_addr = {.addr_type = ESP_ZB_ZCL_ADDR_TYPE_SHORT, .u.short_addr = from.addr},
        .server_endpoint = from.endpoint,
        .query_status = status,
    };
    if (file) {
        m.manufacturer_code = file->id.manufacturer;
        m.image_type = file->id.image_type;
        m.file_version = file->id.file_version;
        m.image_size = file->size;
    }
    /* Examples older than this callback answer it like any that they do not know: with ESP_OK. */
    return zb_stack_action(ESP_ZB_CORE_OTA_UPGRADE_QUERY_IMAGE_RESP_CB_ID, &m);
}

/* ---- The file ---- */

static int bad_file(const char *what)
{
    ESP_LOGE(ZB_TAG, "the OTA file is refused: %s", what);
    return AL_ERR_IMAGE_INVALID;
}

static int header_complete(void)
{
    struct al_zfile_header h;
    struct al_zfile_fault fault;
    if (al_zfile_parse_header(client.header, client.header_have, &h, &fault))
        return bad_file(al_zfile_class_name(fault.class));
    if (h.manufacturer != client.file.id.manufacturer ||
        h.image_type != client.file.id.image_type || h.file_version != client.file.id.file_version)
        return bad_file("its header is not that of the file that was offered");
    if (h.total_image_size != client.file.size)
        return bad_file("its header has another size than was offered");
    client.told = (esp_zb_ota_file_header_t){
        .manufacturer_code = h.manufacturer,
        .image_type = h.image_type,
        .file_version = h.file_version,
        .image_size = h.total_image_size - h.header_length,
        .field_control = h.field_control,
        .optional = {.security_credential_version = h.credential_version,
                     .minimum_hardware_version = h.min_hardware,
                     .maximum_hardware_version = h.max_hardware},
    };
    al_put_le64(client.told.optional.upgrade_file_destination, h.destination);
    return 0;
}

/* Takes header bytes off; fields that nobody knows yet are skipped. Their number. */
static int take_header(const uint8_t *data, size_t len)
{
    enum { LENGTH_AT = 6, LENGTH_KNOWN = 8 };
    size_t taken = 0;
    while (taken < len && (!client.header_len || client.given + taken < client.header_len)) {
        if (client.header_have < sizeof client.header)
            client.header[client.header_have++] = data[taken];
        taken++;
        if (client.given + taken == LENGTH_KNOWN) {
            client.header_len = al_get_le16(client.header + LENGTH_AT);
            if (client.header_len < AL_ZFILE_HEADER_MIN || client.header_len > client.file.size)
                return bad_file("its header length is impossible");
        }
        if (client.header_len && client.given + taken == client.header_len) {
            int err = header_complete();
            if (err) return err;
        }
    }
    return (int)taken;
}

/* The engine hands over each byte once, in order. */
static int data(void *ctx, uint32_t offset, const uint8_t *bytes, size_t len)
{
    int head = take_header(bytes, len);
    if (head < 0) return head;
    ota_resume_add(bytes, len);
    client.given = offset + (uint32_t)len;
    size_t body = len - (size_t)head;
    if (!body) return 0; /* nothing for the application in it */
    uint8_t payload[UINT8_MAX];
    memcpy(payload, bytes + head, body);
    esp_err_t err = tell(ESP_ZB_ZCL_OTA_UPGRADE_STATUS_RECEIVE, payload, body);
    if (!err) return 0;
    ESP_LOGE(ZB_TAG, "the application refused bytes %u to %u of the OTA file: %s", offset,
             offset + (uint32_t)len - 1, esp_err_to_name(err));
    return AL_FAIL;
}

static void forget_download(void)
{
    client.file = (struct al_zota_file){0};
    client.given = 0;
}

static void begin_download(const struct al_zota_file *file)
{
    client.file = *file;
    client.given = 0;
    client.header_have = client.header_len = 0;
    client.told = (esp_zb_ota_file_header_t){.manufacturer_code = file->id.manufacturer,
                                             .image_type = file->id.image_type,
                                             .file_version = file->id.file_version,
                                             .image_size = file->size};
    ota_resume_begin();
}

/* ---- The offer ---- */

static bool same_file(const struct al_zota_file *a, const struct al_zota_file *b)
{
    return a->size == b->size && a->id.manufacturer == b->id.manufacturer &&
           a->id.image_type == b->id.image_type && a->id.file_version == b->id.file_version;
}

/* Gives the application again what it had before the restart. */
static int replay(uint8_t *kept, uint32_t len)
{
    enum { PIECE = 223 };
    int err = 0;
    for (uint32_t at = 0; at < len && !err; at += PIECE) {
        uint32_t n = len - at < PIECE ? len - at : PIECE;
        err = data(NULL, at, kept + at, n);
    }
    return err;
}

static uint8_t start(const struct al_zota_file *file, uint32_t *offset)
{
    uint8_t *kept = *offset ? ota_resume_load(file, *offset) : NULL; /* before the slot is erased */
    if (!kept) *offset = 0;
    begin_download(file);
    esp_err_t err = tell(ESP_ZB_ZCL_OTA_UPGRADE_STATUS_START, NULL, 0);
    if (err) {
        ESP_LOGW(ZB_TAG, "the application does not start the download: %s", esp_err_to_name(err));
        forget_download();
        ota_resume_free(kept);
        return AL_ZCL_ABORT;
    }
    if (kept) ESP_LOGI(ZB_TAG, "the download goes on at byte %u", *offset);
    int failed = kept ? replay(kept, *offset) : 0;
    ota_resume_free(kept);
    if (!failed) return AL_ZCL_SUCCESS;
    tell(ESP_ZB_ZCL_OTA_UPGRADE_STATUS_ABORT, NULL, 0);
    forget_download();
    return AL_ZCL_ABORT;
}

static uint8_t offer(void *ctx, const struct al_zota_file *file, bool reinstall, uint32_t *offset)
{
    if (tell_answer(AL_ZCL_SUCCESS, file)) return AL_ZCL_ABORT;
    if (client.file.size && same_file(&client.file, file) && client.given) {
        *offset = client.given; /* it only paused */
        return AL_ZCL_SUCCESS;
    }
    if (client.file.size) {
        tell(ESP_ZB_ZCL_OTA_UPGRADE_STATUS_ABORT, NULL, 0);
        forget_download();
    }
    return start(file, offset);
}

static int check(void *ctx, const struct al_zota_file *file)
{
    esp_err_t err = tell(ESP_ZB_ZCL_OTA_UPGRADE_STATUS_CHECK, NULL, 0);
    if (!err) return AL_ZCL_SUCCESS;
    ESP_LOGW(ZB_TAG, "the application's check of the OTA file failed: %s", esp_err_to_name(err));
    return AL_ZCL_INVALID_IMAGE;
}

static void save(void *ctx, const struct al_zota_progress *p)
{
    ota_resume_save(p, client.header_len);
}

/* ---- Events ---- */

static void gave_up(const struct al_zota_client_event *e)
{
    ESP_LOGW(ZB_TAG, "OTA: %s (status 0x%02x, byte %u)", al_zota_reason_name(e->reason), e->status,
             e->offset);
    switch (e->reason) {
    case AL_ZOTA_REASON_NO_SERVER:
        tell(ESP_ZB_ZCL_OTA_UPGRADE_STATUS_SERVER_NOT_FOUND, NULL, 0);
        return;
    case AL_ZOTA_REASON_NO_IMAGE:
    case AL_ZOTA_REASON_NOT_AUTHORIZED:
        tell_answer(e->status, NULL);
        return;
    case AL_ZOTA_REASON_UNANSWERED: /* goes on where it is when the server is back */
        tell(ESP_ZB_ZCL_OTA_UPGRADE_STATUS_BUSY, NULL, 0);
        return;
    default:
        break;
    }
    if (!client.file.size) return; /* nothing had begun */
    tell(e->reason == AL_ZOTA_REASON_INVALID ? ESP_ZB_ZCL_OTA_UPGRADE_STATUS_ERROR
                                             : ESP_ZB_ZCL_OTA_UPGRADE_STATUS_ABORT,
         NULL, 0);
    forget_download();
}

static void finish(void)
{
    esp_err_t err = tell(ESP_ZB_ZCL_OTA_UPGRADE_STATUS_FINISH, NULL, 0);
    if (err)
        ESP_LOGE(ZB_TAG, "the application did not install the OTA file: %s", esp_err_to_name(err));
    forget_download();
}

static void event(void *ctx, const struct al_zota_client_event *e)
{
    switch (e->kind) {
    case AL_ZOTA_CLIENT_APPLY:
        tell(ESP_ZB_ZCL_OTA_UPGRADE_STATUS_APPLY, NULL, 0);
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

static uint64_t engine_next(void *ctx)
{
    return al_zcl_ota_client_next(ctx);
}

static void engine_run(void *ctx, uint64_t now)
{
    al_zcl_ota_client_run(ctx, now);
}

static uint64_t value_of(esp_zb_attribute_list_t *list, uint16_t id, uint64_t otherwise)
{
    const esp_zb_attribute_list_t *a = zb_list_find(list, id);
    struct al_zcl_value v = {0};
    if (!a) return otherwise;
    v.type = a->attribute.type;
    v.data = a->attribute.data_p;
    v.len = (uint16_t)zb_value_size(v.type, v.data);
    return al_zcl_value_unsigned(&v);
}

static uint32_t interval_s(uint16_t minutes)
{
    return minutes ? minutes * (uint32_t)MINUTE_S : NEVER;
}

static struct al_zota_client_config config_of(esp_zb_attribute_list_t *list)
{
    esp_zb_zcl_ota_upgrade_client_variable_t v = {.timer_query =
                                                      ESP_ZB_ZCL_OTA_UPGRADE_QUERY_TIMER_COUNT_DEF};
    const esp_zb_attribute_list_t *data =
        zb_list_find(list, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_CLIENT_DATA_ID);
    if (data) memcpy(&v, data->attribute.data_p, sizeof v);
    return (struct al_zota_client_config){
        .ext_addr = zb_stack.ext,
        .manufacturer = (uint16_t)value_of(list, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_MANUFACTURE_ID, 0),
        .image_type = (uint16_t)value_of(list, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_IMAGE_TYPE_ID, 0),
        .file_version =
            (uint32_t)value_of(list, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_FILE_VERSION_ID, UINT32_MAX),
        .stack_version = STACK_PRO,
        .has_hardware_version = data != NULL,
        .hardware_version = v.hw_version,
        .max_data_size = v.max_data_size,
        .query_interval = interval_s(v.timer_query),
        .activation_policy =
            (uint8_t)value_of(list, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_UPGRADE_ACTIVATION_POLICY_ID, 0),
        .timeout_policy =
            (uint8_t)value_of(list, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_UPGRADE_TIMEOUT_POLICY_ID, 0),
    };
}

esp_err_t zb_ota_client_add(struct al_zcl_endpoint *e, esp_zb_attribute_list_t *list)
{
    const struct al_zota_client_app app = {
        .offer = offer, .data = data, .check = check, .save = save, .event = event};
    struct al_zota_client_config c = config_of(list);
    if (client.endpoint) return ESP_ERR_INVALID_STATE; /* one client a device */
    client.endpoint = e;
    client.server.addr =
        (uint16_t)value_of(list, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_SERVER_ADDR_ID, AL_NWK_NO_ADDR);
    client.server.endpoint =
        (uint8_t)value_of(list, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_SERVER_ENDPOINT_ID, 0xff);
    if (al_zcl_ota_client_init(&client.ota, &zb_stack_node()->zcl, &zb_stack_node()->zdo, e,
                               (struct al_zb_random){&zb_stack.zb, zb_node_random}, &c, &app))
        return ESP_ERR_INVALID_ARG;
    client.engine = (struct zb_engine){&client.ota, engine_next, engine_run, NULL};
    zb_node_add_engine(&zb_stack.zb, &client.engine);
    return ESP_OK;
}

static struct al_zota_client *engine(void)
{
    return al_zcl_ota_client_at(&client.ota, zb_stack_now());
}

static void set_server(void)
{
    uint64_t ext = al_nwk_ext_of(&zb_stack_node()->nwk, client.server.addr);
    al_zota_client_set_server(engine(), zb_stack_now(), client.server, ext ? ext : UINT64_MAX);
}

static void start_now(void *ctx)
{
    struct al_zota_progress progress;
    bool saved = ota_resume_progress(&progress);
    if (client.started) return;
    client.started = true;
    if (client.server.addr != AL_NWK_NO_ADDR && client.server.endpoint != 0xff) set_server();
    al_zota_client_start(engine(), zb_stack_now(), saved ? &progress : NULL);
}

void zb_ota_client_start(void)
{
    if (client.endpoint && !client.started) zb_scheduler_post(start_now, NULL, 0);
}

void zb_ota_client_refresh(esp_zb_attribute_list_t *list)
{
    for (esp_zb_attribute_list_t *a = list->next; a; a = a->next) {
        struct al_zota_attribute now;
        if (!client.endpoint || al_zota_client_attribute(&client.ota.engine, a->attribute.id, &now))
            continue;
        for (unsigned i = 0; i < now.size; i++)
            ((uint8_t *)a->attribute.data_p)[i] = (uint8_t)(now.value >> 8 * i);
    }
}

/* ---- Called by the application ---- */

static void query_now(void *ctx)
{
    client.query_waits = false;
    al_zota_client_query(engine(), zb_stack_now()); /* busy: it is at it already */
}

static void take_server(void *ctx)
{
    set_server();
}

esp_err_t esp_zb_ota_upgrade_client_query_image_req(uint16_t server_addr, uint8_t server_ep)
{
    if (!client.endpoint || !esp_zb_bdb_dev_joined()) return ESP_FAIL;
    client.server = (struct al_zota_peer){server_addr, server_ep};
    zb_scheduler_post(start_now, NULL, 0);
    zb_scheduler_post(take_server, NULL, 0);
    if (!client.query_waits)
        zb_scheduler_post(query_now, NULL, zb_node_random(&zb_stack.zb) % FIRST_QUERY_MS);
    client.query_waits = true;
    return ESP_OK;
}

static void apply_interval(void *seconds)
{
    al_zota_client_set_interval(engine(), zb_stack_now(), (uint32_t)(uintptr_t)seconds);
}

esp_err_t esp_zb_ota_upgrade_client_query_interval_set(uint8_t endpoint, uint16_t interval)
{
    if (!client.endpoint || client.endpoint->id != endpoint) return ESP_FAIL;
    uint32_t seconds = interval_s(interval);
    client.ota.engine.config.query_interval = seconds;
    if (client.started) zb_scheduler_post(apply_interval, (void *)(uintptr_t)seconds, 0);
    return ESP_OK;
}

static void stop_now(void *ctx)
{
    if (client.started) al_zota_client_stop(engine(), zb_stack_now());
}

esp_err_t esp_zb_ota_upgrade_client_query_image_stop(void)
{
    if (!client.endpoint) return ESP_FAIL;
    zb_scheduler_post(stop_now, NULL, 0);
    return ESP_OK;
}
