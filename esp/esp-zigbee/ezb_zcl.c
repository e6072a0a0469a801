/* API 2.x: the application's handler, headers of frames, attributes, confirmations. */
#include "esp/esp-zigbee/ezb.h"

static ezb_zcl_core_action_callback_t handler;

void ezb_zcl_core_action_handler_register(ezb_zcl_core_action_callback_t cb)
{
    handler = cb;
}

bool ezb_zcl_tell(ezb_zcl_core_action_callback_id_t id, void *message)
{
    if (handler) handler(id, message);
    return handler;
}

/* ---- Attributes ---- */

/* From 1.x, which has heard of it. */
static esp_err_t action(esp_zb_core_action_callback_id_t id, const void *message)
{
    const esp_zb_zcl_set_attr_value_message_t *from = message;
    if (id != ESP_ZB_CORE_SET_ATTR_VALUE_CB_ID) return ESP_ERR_NOT_SUPPORTED;
    ezb_zcl_set_attr_value_message_t m = {
        .info = {.status = (ezb_zcl_status_t)from->info.status,
                 .dst_ep = from->info.dst_endpoint,
                 .cluster_id = from->info.cluster,
                 .cluster_role = EZB_ZCL_CLUSTER_SERVER},
        .in.attribute = {.id = from->attribute.id,
                         .data = {.type = (uint8_t)from->attribute.data.type,
                                  .size = from->attribute.data.size,
                                  .value = from->attribute.data.value}},
    };
    ezb_zcl_tell(EZB_ZCL_CORE_SET_ATTR_VALUE_CB_ID, &m);
    return ESP_OK;
}

void ezb_zcl_init(void)
{
    esp_zb_core_action_handler_register(action);
}

ezb_zcl_status_t ezb_zcl_set_attr_value(uint8_t ep_id, uint16_t cluster_id, uint8_t cluster_role,
                                        uint16_t attr_id, uint16_t manuf_code, void *value,
                                        bool check_access)
{
    if (!value) return EZB_ZCL_STATUS_INVALID_VALUE;
    if (manuf_code != EZB_ZCL_STD_MANUF_CODE) return EZB_ZCL_STATUS_NOT_FOUND;
    if (cluster_id == EZB_ZCL_CLUSTER_ID_OTA_UPGRADE && cluster_role == EZB_ZCL_CLUSTER_CLIENT) {
        struct al_zota_client_config *c = ezb_ota_client_config(ep_id);
        if (!c) return EZB_ZCL_STATUS_NOT_FOUND;
        return check_access ? EZB_ZCL_STATUS_READ_ONLY : ezb_ota_config_set(c, attr_id, value);
    }
    return (ezb_zcl_status_t)esp_zb_zcl_set_attribute_val(ep_id, cluster_id, cluster_role, attr_id,
                                                          value, check_access);
}

/* ---- Frames ---- */

static void put_plain_header(struct ezb_ota_side *side)
{
    side->header = (ezb_zcl_cmd_hdr_t){
        .dst_addr = EZB_ADDRESS_SHORT(zb_stack_node()->nwk.addr),
        .dst_ep = side->endpoint->id,
        .cluster_id = side->cluster->id,
        .profile_id = side->endpoint->profile,
    };
}

static void put_header(struct ezb_ota_side *side, const struct al_zcl_rx *rx)
{
    const struct al_zcl_frame *f = rx->frame;
    side->header = (ezb_zcl_cmd_hdr_t){
        .src_addr = EZB_ADDRESS_SHORT(rx->aps->src),
        .dst_addr = EZB_ADDRESS_SHORT(rx->aps->dst),
        .src_ep = rx->aps->src_ep,
        .dst_ep = rx->endpoint->id,
        .cluster_id = rx->aps->cluster,
        .profile_id = rx->aps->profile,
        .fc = (uint8_t)((f->cluster_specific ? EZB_ZCL_FRAME_TYPE_CLUSTER_SPECIFIC : 0u) |
                        (unsigned)f->manufacturer_specific << 2 | (unsigned)f->to_client << 3 |
                        (unsigned)f->no_default_response << 4),
        .manuf_code = f->manufacturer_specific ? f->manufacturer : EZB_ZCL_STD_MANUF_CODE,
        .tsn = f->seq,
        .cmd_id = f->command,
    };
}

/* The two sides of this device. */
static struct ezb_ota_side *sides[2];

static int command(void *ctx, uint64_t now, const struct al_zcl_rx *rx)
{
    struct ezb_ota_side *side = sides[rx->cluster->client];
    put_header(side, rx);
    int status = side->command(ctx, now, rx);
    put_plain_header(side);
    return status;
}

static void default_response(void *ctx, uint64_t now, const struct al_zcl_rx *rx,
                             const struct al_zcl_default_rsp *d)
{
    struct ezb_ota_side *side = sides[rx->cluster->client];
    put_header(side, rx);
    ezb_zcl_cmd_default_rsp_message_t m = {
        .info = ezb_zcl_info(side),
        .in = {.header = &side->header, .rsp_to_cmd = d->command, .status_code = d->status},
    };
    ezb_zcl_tell(EZB_ZCL_CORE_DEFAULT_RSP_CB_ID, &m);
    side->default_response(ctx, now, rx, d);
    put_plain_header(side);
}

void ezb_zcl_watch(struct ezb_ota_side *side, struct al_zcl_cluster *cluster,
                   const struct al_zcl_endpoint *endpoint)
{
    side->cluster = cluster;
    side->endpoint = endpoint;
    side->command = cluster->command;
    side->default_response = cluster->default_response;
    cluster->command = command;
    cluster->default_response = default_response;
    sides[cluster->client] = side;
    put_plain_header(side);
}

ezb_zcl_message_info_t ezb_zcl_info(const struct ezb_ota_side *side)
{
    return (ezb_zcl_message_info_t){.status = EZB_ZCL_STATUS_SUCCESS,
                                    .dst_ep = side->endpoint->id,
                                    .cluster_id = side->cluster->id,
                                    .cluster_role = side->cluster->client ? EZB_ZCL_CLUSTER_CLIENT
                                                                          : EZB_ZCL_CLUSTER_SERVER};
}

ezb_err_t ezb_zcl_resolve(const ezb_address_t *dst, uint16_t *addr)
{
    if (dst->addr_mode == EZB_ADDR_MODE_EXT)
        return ezb_address_short_by_extended(&dst->u.extended_addr, addr);
    if (dst->addr_mode != EZB_ADDR_MODE_SHORT) return EZB_ERR_NOT_SUPPORTED;
    *addr = dst->u.short_addr;
    return EZB_ERR_NONE;
}

void ezb_zcl_confirm(struct ezb_confirm *c, uint8_t status)
{
    ezb_zcl_cluster_cmd_ctrl_t ctrl = c->ctrl;
    c->ctrl.cnf_ctx.cb = NULL; /* once */
    if (!ctrl.cnf_ctx.cb) return;
    ezb_zcl_cmd_cnf_t cnf = {.status = status,
                             .tsn = c->tsn,
                             .dst_addr = ctrl.dst_addr,
                             .src_ep = ctrl.src_ep,
                             .dst_ep = ctrl.dst_ep,
                             .cluster_id = EZB_ZCL_CLUSTER_ID_OTA_UPGRADE,
                             .profile_id =
                                 ezb_af_ep_desc_get_profile_id(ezb_af_get_ep_desc(ctrl.src_ep))};
    ctrl.cnf_ctx.cb(&cnf, ctrl.cnf_ctx.user_ctx);
}
