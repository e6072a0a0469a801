/* Commands of MAC, NWK and APS as JSON. */
#include "cli/zigbee_dissect_impl.h"

#include "core/err.h"

struct name {
    unsigned id;
    const char *text;
};

/* names ends with a NULL text. */
static void command_name(cJSON *o, unsigned id, const struct name *names)
{
    cJSON_AddNumberToObject(o, "id", id);
    for (; names->text; names++)
        if (names->id == id) cJSON_AddStringToObject(o, "name", names->text);
}

/* MAC */

static const struct name mac_names[] = {
    {AL_MAC_ASSOC_REQUEST, "association_request"}, {AL_MAC_ASSOC_RESPONSE, "association_response"},
    {AL_MAC_DISASSOC, "disassociation"},           {AL_MAC_DATA_REQUEST, "data_request"},
    {AL_MAC_BEACON_REQUEST, "beacon_request"},     {0},
};

void dissect_mac_command(struct dissection *x, cJSON *o, const struct al_mac_frame *f)
{
    struct al_mac_command cmd;
    int err = al_mac_command_parse(&cmd, f->payload, f->payload_len);
    if (f->payload_len) command_name(o, cmd.id, mac_names);
    if (err) {
        dissect_parse_error(x, "mac", "MAC command", err);
        return;
    }
    switch (cmd.id) {
    case AL_MAC_ASSOC_REQUEST:
        cJSON_AddNumberToObject(o, "capability", cmd.capability);
        break;
    case AL_MAC_ASSOC_RESPONSE:
        cJSON_AddNumberToObject(o, "short_addr", cmd.short_addr);
        cJSON_AddNumberToObject(o, "status", cmd.status);
        if (cmd.status == AL_MAC_ASSOC_OK && f->dst.mode == AL_MAC_EXT)
            dissect_learn_address(x->d, cmd.short_addr, f->dst.ext);
        break;
    case AL_MAC_DISASSOC:
        cJSON_AddNumberToObject(o, "reason", cmd.status);
        break;
    default:
        break;
    }
}

/* NWK */

static const struct name nwk_names[] = {
    {AL_NWK_ROUTE_REQUEST, "route_request"},
    {AL_NWK_ROUTE_REPLY, "route_reply"},
    {AL_NWK_STATUS, "network_status"},
    {AL_NWK_LEAVE, "leave"},
    {AL_NWK_ROUTE_RECORD, "route_record"},
    {AL_NWK_REJOIN_REQUEST, "rejoin_request"},
    {AL_NWK_REJOIN_RESPONSE, "rejoin_response"},
    {AL_NWK_LINK_STATUS, "link_status"},
    {AL_NWK_REPORT, "network_report"},
    {AL_NWK_UPDATE, "network_update"},
    {AL_NWK_TIMEOUT_REQUEST, "end_device_timeout_request"},
    {AL_NWK_TIMEOUT_RESPONSE, "end_device_timeout_response"},
    {AL_NWK_LINK_POWER_DELTA, "link_power_delta"},
    {0},
};

static void routing_fields(cJSON *o, const struct al_nwk_command *cmd)
{
    if (cmd->id == AL_NWK_ROUTE_REQUEST) {
        cJSON_AddNumberToObject(o, "many_to_one", cmd->route_request.many_to_one);
        cJSON_AddNumberToObject(o, "request_id", cmd->route_request.id);
        cJSON_AddNumberToObject(o, "dst", cmd->route_request.dst);
        cJSON_AddNumberToObject(o, "cost", cmd->route_request.cost);
        if (cmd->route_request.has_dst_ext) dissect_eui(o, "dst_ext", cmd->route_request.dst_ext);
        return;
    }
    cJSON_AddNumberToObject(o, "request_id", cmd->route_reply.id);
    cJSON_AddNumberToObject(o, "originator", cmd->route_reply.originator);
    cJSON_AddNumberToObject(o, "responder", cmd->route_reply.responder);
    cJSON_AddNumberToObject(o, "cost", cmd->route_reply.cost);
    if (cmd->route_reply.has_originator_ext)
        dissect_eui(o, "originator_ext", cmd->route_reply.originator_ext);
    if (cmd->route_reply.has_responder_ext)
        dissect_eui(o, "responder_ext", cmd->route_reply.responder_ext);
}

static void link_status_fields(cJSON *o, const struct al_nwk_command *cmd)
{
    cJSON_AddBoolToObject(o, "first", cmd->link_status.first);
    cJSON_AddBoolToObject(o, "last", cmd->link_status.last);
    cJSON *links = cJSON_AddArrayToObject(o, "links");
    for (uint8_t i = 0; i < cmd->link_status.count; i++) {
        struct al_nwk_link link = al_nwk_link_get(cmd, i);
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "addr", link.addr);
        cJSON_AddNumberToObject(item, "incoming", link.incoming);
        cJSON_AddNumberToObject(item, "outgoing", link.outgoing);
        cJSON_AddItemToArray(links, item);
    }
}

static void membership_fields(cJSON *o, const struct al_nwk_command *cmd)
{
    switch (cmd->id) {
    case AL_NWK_LEAVE:
        cJSON_AddBoolToObject(o, "request", cmd->leave.request);
        cJSON_AddBoolToObject(o, "rejoin", cmd->leave.rejoin);
        cJSON_AddBoolToObject(o, "remove_children", cmd->leave.remove_children);
        break;
    case AL_NWK_REJOIN_REQUEST:
        cJSON_AddNumberToObject(o, "capability", cmd->rejoin_request.capability);
        break;
    case AL_NWK_REJOIN_RESPONSE:
        cJSON_AddNumberToObject(o, "short_addr", cmd->rejoin_response.addr);
        cJSON_AddNumberToObject(o, "status", cmd->rejoin_response.status);
        break;
    case AL_NWK_TIMEOUT_REQUEST:
        cJSON_AddNumberToObject(o, "index", cmd->timeout_request.index);
        cJSON_AddNumberToObject(o, "seconds", al_nwk_timeout_seconds(cmd->timeout_request.index));
        cJSON_AddNumberToObject(o, "configuration", cmd->timeout_request.configuration);
        break;
    case AL_NWK_TIMEOUT_RESPONSE:
        cJSON_AddNumberToObject(o, "status", cmd->timeout_response.status);
        cJSON_AddNumberToObject(o, "parent_info", cmd->timeout_response.parent);
        break;
    case AL_NWK_UPDATE:
        dissect_eui(o, "extended_pan_id", cmd->update.extended_pan);
        cJSON_AddNumberToObject(o, "update_id", cmd->update.update_id);
        cJSON_AddNumberToObject(o, "new_pan", cmd->update.new_pan);
        break;
    default:
        break;
    }
}

void dissect_nwk_command(struct dissection *x, cJSON *o, const uint8_t *payload, size_t len)
{
    struct al_nwk_command cmd;
    int err = al_nwk_command_parse(&cmd, payload, len);
    if (len) command_name(o, cmd.id, nwk_names);
    if (err) {
        dissect_parse_error(x, "nwk", "NWK command", err);
        return;
    }
    switch (cmd.id) {
    case AL_NWK_ROUTE_REQUEST:
    case AL_NWK_ROUTE_REPLY:
        routing_fields(o, &cmd);
        break;
    case AL_NWK_STATUS:
        cJSON_AddNumberToObject(o, "code", cmd.status.code);
        if (cmd.status.has_addr) cJSON_AddNumberToObject(o, "addr", cmd.status.addr);
        break;
    case AL_NWK_ROUTE_RECORD: {
        cJSON *relays = cJSON_AddArrayToObject(o, "relays");
        for (unsigned i = 0; i < cmd.route_record.count; i++)
            cJSON_AddItemToArray(relays, cJSON_CreateNumber(cmd.route_record.relays[i]));
        break;
    }
    case AL_NWK_LINK_STATUS:
        link_status_fields(o, &cmd);
        break;
    case AL_NWK_REPORT:
    case AL_NWK_LINK_POWER_DELTA:
        dissect_hex(o, "payload", payload + 1, len - 1);
        break;
    default:
        membership_fields(o, &cmd);
    }
}

/* APS */

static const struct name aps_names[] = {
    {AL_APS_TRANSPORT_KEY, "transport_key"},
    {AL_APS_UPDATE_DEVICE, "update_device"},
    {AL_APS_REMOVE_DEVICE, "remove_device"},
    {AL_APS_REQUEST_KEY, "request_key"},
    {AL_APS_SWITCH_KEY, "switch_key"},
    {AL_APS_TUNNEL, "tunnel"},
    {AL_APS_VERIFY_KEY, "verify_key"},
    {AL_APS_CONFIRM_KEY, "confirm_key"},
    {0},
};

/* What is heard is known from then on. */
static void transport_key(struct dissection *x, cJSON *o, const struct al_aps_command *cmd)
{
    uint8_t type = cmd->transport_key.type;
    cJSON_AddNumberToObject(o, "key_type", type);
    dissect_hex(o, "key", cmd->transport_key.key, sizeof cmd->transport_key.key);
    if (type == AL_KEY_TYPE_APP_LINK) {
        dissect_eui(o, "partner", cmd->transport_key.dst);
        cJSON_AddBoolToObject(o, "initiator", cmd->transport_key.initiator);
    } else {
        if (type == AL_KEY_TYPE_NETWORK)
            cJSON_AddNumberToObject(o, "key_seq", cmd->transport_key.key_seq);
        dissect_eui(o, "dst", cmd->transport_key.dst);
        dissect_eui(o, "src", cmd->transport_key.src);
    }
    if (type == AL_KEY_TYPE_NETWORK)
        zigbee_dissector_network_key(x->d, cmd->transport_key.key);
    else
        zigbee_dissector_link_key(x->d, cmd->transport_key.key);
}

static void key_fields(cJSON *o, const struct al_aps_command *cmd)
{
    switch (cmd->id) {
    case AL_APS_REQUEST_KEY:
        cJSON_AddNumberToObject(o, "key_type", cmd->request_key.type);
        if (cmd->request_key.type == AL_KEY_TYPE_REQUEST_APP)
            dissect_eui(o, "partner", cmd->request_key.partner);
        break;
    case AL_APS_SWITCH_KEY:
        cJSON_AddNumberToObject(o, "key_seq", cmd->switch_key.key_seq);
        break;
    case AL_APS_VERIFY_KEY:
        cJSON_AddNumberToObject(o, "key_type", cmd->verify_key.type);
        dissect_eui(o, "source", cmd->verify_key.source);
        dissect_hex(o, "hash", cmd->verify_key.hash, sizeof cmd->verify_key.hash);
        break;
    default:
        cJSON_AddNumberToObject(o, "status", cmd->confirm_key.status);
        cJSON_AddNumberToObject(o, "key_type", cmd->confirm_key.type);
        dissect_eui(o, "dst", cmd->confirm_key.dst);
    }
}

void dissect_aps_command(struct dissection *x, cJSON *o, const uint8_t *payload, size_t len)
{
    struct al_aps_command cmd;
    int err = al_aps_command_parse(&cmd, payload, len);
    if (len) command_name(o, cmd.id, aps_names);
    if (err) {
        dissect_parse_error(x, "aps", "APS command", err);
        return;
    }
    switch (cmd.id) {
    case AL_APS_TRANSPORT_KEY:
        transport_key(x, o, &cmd);
        break;
    case AL_APS_UPDATE_DEVICE:
        dissect_eui(o, "device", cmd.update_device.device);
        cJSON_AddNumberToObject(o, "short_addr", cmd.update_device.short_addr);
        cJSON_AddNumberToObject(o, "status", cmd.update_device.status);
        break;
    case AL_APS_REMOVE_DEVICE:
        dissect_eui(o, "target", cmd.remove_device.target);
        break;
    case AL_APS_TUNNEL:
        dissect_eui(o, "dst", cmd.tunnel.dst);
        /* A tunnel in a tunnel is shown, not followed. */
        if (x->tunnels++)
            dissect_hex(o, "frame", cmd.tunnel.frame, cmd.tunnel.len);
        else
            dissect_aps(x, dissect_object(o, "frame"), cmd.tunnel.frame, cmd.tunnel.len);
        break;
    default:
        key_fields(o, &cmd);
    }
}
