/* API 2.x: what the device consists of. Clusters go into 1.x' lists at registration, but for
 * OTA Upgrade, which is joined with the node at the start. */
#include <stdlib.h>

#include "esp/esp-zigbee/ezb.h"
#include "esp_log.h"

struct device {
    struct ezb_endpoint *endpoints;
};
static struct device *registered;

/* ---- Clusters; client sides have no attributes of 1.x' ---- */

static void free_attributes(esp_zb_attribute_list_t *a)
{
    for (esp_zb_attribute_list_t *next; a; a = next) {
        next = a->next;
        free(a->attribute.data_p);
        free(a);
    }
}

/* Takes the list over. */
static ezb_zcl_cluster_desc_t make(uint16_t id, uint8_t role, esp_zb_attribute_list_t *attributes)
{
    bool known = role == EZB_ZCL_CLUSTER_SERVER || role == EZB_ZCL_CLUSTER_CLIENT;
    struct ezb_cluster *c = known && attributes ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        free_attributes(attributes);
        return NULL;
    }
    c->id = id;
    c->role = role;
    c->attributes = attributes;
    return c;
}

ezb_zcl_cluster_desc_t ezb_zcl_basic_create_cluster_desc(const void *cluster_cfg, uint8_t role_mask)
{
    const ezb_zcl_basic_cluster_server_config_t *given = cluster_cfg;
    esp_zb_basic_cluster_cfg_t cfg = {EZB_ZCL_BASIC_ZCL_VERSION_DEFAULT_VALUE,
                                      EZB_ZCL_BASIC_POWER_SOURCE_DEFAULT_VALUE};
    if (given) cfg = (esp_zb_basic_cluster_cfg_t){given->zcl_version, given->power_source};
    return make(EZB_ZCL_CLUSTER_ID_BASIC, role_mask,
                role_mask == EZB_ZCL_CLUSTER_SERVER
                    ? esp_zb_basic_cluster_create(&cfg)
                    : esp_zb_zcl_attr_list_create(EZB_ZCL_CLUSTER_ID_BASIC));
}

ezb_zcl_cluster_desc_t ezb_zcl_identify_create_cluster_desc(const void *cluster_cfg,
                                                            uint8_t role_mask)
{
    const ezb_zcl_identify_cluster_server_config_t *given = cluster_cfg;
    esp_zb_identify_cluster_cfg_t cfg = {given ? given->identify_time
                                               : EZB_ZCL_IDENTIFY_IDENTIFY_TIME_DEFAULT_VALUE};
    return make(EZB_ZCL_CLUSTER_ID_IDENTIFY, role_mask,
                role_mask == EZB_ZCL_CLUSTER_SERVER
                    ? esp_zb_identify_cluster_create(&cfg)
                    : esp_zb_zcl_attr_list_create(EZB_ZCL_CLUSTER_ID_IDENTIFY));
}

ezb_zcl_cluster_desc_t ezb_zcl_ota_upgrade_create_cluster_desc(const void *cluster_cfg,
                                                               uint8_t role_mask)
{
    const ezb_zcl_ota_upgrade_cluster_server_config_t *server = cluster_cfg;
    const ezb_zcl_ota_upgrade_cluster_client_config_t *client = cluster_cfg;
    struct ezb_cluster *c = make(EZB_ZCL_CLUSTER_ID_OTA_UPGRADE, role_mask,
                                 esp_zb_zcl_attr_list_create(EZB_ZCL_CLUSTER_ID_OTA_UPGRADE));
    if (!c) return NULL;
    c->ota.client = (struct al_zota_client_config){
        .file_version = EZB_ZCL_OTA_UPGRADE_CURRENT_FILE_VERSION_DEFAULT_VALUE,
        .stack_version = EZB_ZCL_OTA_UPGRADE_CURRENT_ZIGBEE_STACK_VERSION_DEFAULT_VALUE,
        .max_data_size = EZB_ZCL_OTA_UPGRADE_DEFAULT_BLOCK_SIZE_DEFAULT,
        .query_interval = UINT32_MAX, /* only when told */
    };
    if (role_mask == EZB_ZCL_CLUSTER_SERVER) {
        c->ota.files = server ? server->ota_upgrade_file_table_size
                              : EZB_ZCL_OTA_UPGRADE_OTA_UPGRADE_FILE_TABLE_SIZE_DEFAULT_VALUE;
    } else {
        c->ota.client.manufacturer = client ? client->manufacturer_id : EZB_ZCL_ESP_MANUF_CODE;
        c->ota.client.image_type = client ? client->image_type_id : 0;
    }
    return c;
}

uint8_t ezb_ota_config_set(struct al_zota_client_config *c, uint16_t attr, const void *value)
{
    switch (attr) {
    case EZB_ZCL_ATTR_OTA_UPGRADE_CURRENT_FILE_VERSION_ID:
        memcpy(&c->file_version, value, sizeof c->file_version);
        return AL_ZCL_SUCCESS;
    case EZB_ZCL_ATTR_OTA_UPGRADE_CURRENT_ZIGBEE_STACK_VERSION_ID:
        memcpy(&c->stack_version, value, sizeof c->stack_version);
        return AL_ZCL_SUCCESS;
    case EZB_ZCL_ATTR_OTA_UPGRADE_IMAGE_STAMP_ID:
        memcpy(&c->image_stamp, value, sizeof c->image_stamp);
        return AL_ZCL_SUCCESS;
    case EZB_ZCL_ATTR_OTA_UPGRADE_UPGRADE_ACTIVATION_POLICY_ID:
        memcpy(&c->activation_policy, value, sizeof c->activation_policy);
        return AL_ZCL_SUCCESS;
    case EZB_ZCL_ATTR_OTA_UPGRADE_UPGRADE_TIMEOUT_POLICY_ID:
        memcpy(&c->timeout_policy, value, sizeof c->timeout_policy);
        return AL_ZCL_SUCCESS;
    default:
        return AL_ZCL_UNSUP_ATTRIBUTE;
    }
}

/* 1.x takes the values of its functions as not constant, and copies them. */
static void *copied(const void *value)
{
    return (void *)(uintptr_t)value;
}

static struct ezb_cluster *server_of(ezb_zcl_cluster_desc_t desc, uint16_t id)
{
    struct ezb_cluster *c = desc;
    return c && c->id == id && c->role == EZB_ZCL_CLUSTER_SERVER ? c : NULL;
}

ezb_err_t ezb_zcl_basic_cluster_desc_add_attr(ezb_zcl_cluster_desc_t cluster_desc, uint16_t attr_id,
                                              const void *value)
{
    struct ezb_cluster *c = server_of(cluster_desc, EZB_ZCL_CLUSTER_ID_BASIC);
    if (!c) return EZB_ERR_INV_ARG;
    return ezb_err_of(esp_zb_basic_cluster_add_attr(c->attributes, attr_id, copied(value)));
}

ezb_err_t ezb_zcl_identify_cluster_desc_add_attr(ezb_zcl_cluster_desc_t cluster_desc,
                                                 uint16_t attr_id, const void *value)
{
    struct ezb_cluster *c = server_of(cluster_desc, EZB_ZCL_CLUSTER_ID_IDENTIFY);
    if (!c) return EZB_ERR_INV_ARG;
    return ezb_err_of(esp_zb_identify_cluster_add_attr(c->attributes, attr_id, copied(value)));
}

ezb_err_t ezb_zcl_ota_upgrade_cluster_desc_add_attr(ezb_zcl_cluster_desc_t cluster_desc,
                                                    uint16_t attr_id, const void *value)
{
    struct ezb_cluster *c = cluster_desc;
    if (!c || !value || c->id != EZB_ZCL_CLUSTER_ID_OTA_UPGRADE ||
        c->role != EZB_ZCL_CLUSTER_CLIENT ||
        attr_id > EZB_ZCL_ATTR_OTA_UPGRADE_UPGRADE_TIMEOUT_POLICY_ID)
        return EZB_ERR_INV_ARG;
    ezb_ota_config_set(&c->ota.client, attr_id, value); /* the stack knows the others better */
    return EZB_ERR_NONE;
}

void ezb_zcl_free_cluster_desc(ezb_zcl_cluster_desc_t cluster_desc)
{
    struct ezb_cluster *c = cluster_desc;
    if (!c) return;
    free_attributes(c->attributes);
    free(c);
}

uint16_t ezb_zcl_cluster_desc_get_id(ezb_zcl_cluster_desc_t cluster_desc)
{
    const struct ezb_cluster *c = cluster_desc;
    return c ? c->id : 0xffff;
}

uint8_t ezb_zcl_cluster_desc_get_role(ezb_zcl_cluster_desc_t cluster_desc)
{
    const struct ezb_cluster *c = cluster_desc;
    return c ? c->role : 0xff;
}

/* ---- Endpoints ---- */

ezb_af_ep_desc_t ezb_af_create_endpoint_desc(const ezb_af_ep_config_t *ep_config)
{
    struct ezb_endpoint *e = ep_config ? calloc(1, sizeof *e) : NULL;
    if (e) e->config = *ep_config;
    return e;
}

void ezb_af_free_endpoint_desc(ezb_af_ep_desc_t ep_desc)
{
    struct ezb_endpoint *e = ep_desc;
    for (struct ezb_cluster *c = e ? e->clusters : NULL, *next; c; c = next) {
        next = c->next;
        ezb_zcl_free_cluster_desc(c);
    }
    free(e);
}

ezb_zcl_cluster_desc_t ezb_af_endpoint_get_cluster_desc(const ezb_af_ep_desc_t ep_desc,
                                                        uint16_t cluster_id, uint8_t role)
{
    const struct ezb_endpoint *e = ep_desc;
    for (struct ezb_cluster *c = e ? e->clusters : NULL; c; c = c->next)
        if (c->id == cluster_id && c->role == role) return c;
    return NULL;
}

ezb_err_t ezb_af_endpoint_add_cluster_desc(ezb_af_ep_desc_t ep_desc,
                                           ezb_zcl_cluster_desc_t cluster_desc)
{
    struct ezb_endpoint *e = ep_desc;
    struct ezb_cluster *c = cluster_desc, **end;
    if (!e || !c || c->owned || ezb_af_endpoint_get_cluster_desc(e, c->id, c->role))
        return EZB_ERR_INV_ARG;
    for (end = &e->clusters; *end; end = &(*end)->next)
        ;
    *end = c;
    c->owned = true;
    return EZB_ERR_NONE;
}

uint8_t ezb_af_ep_desc_get_ep_id(const ezb_af_ep_desc_t ep_desc)
{
    const struct ezb_endpoint *e = ep_desc;
    return e ? e->config.ep_id : 0;
}

uint16_t ezb_af_ep_desc_get_profile_id(const ezb_af_ep_desc_t ep_desc)
{
    const struct ezb_endpoint *e = ep_desc;
    return e ? e->config.app_profile_id : 0;
}

/* ---- The device ---- */

ezb_af_device_desc_t ezb_af_create_device_desc(void)
{
    return calloc(1, sizeof(struct device));
}

void ezb_af_free_device_desc(ezb_af_device_desc_t dev_desc)
{
    struct device *d = dev_desc;
    for (struct ezb_endpoint *e = d ? d->endpoints : NULL, *next; e; e = next) {
        next = e->next;
        ezb_af_free_endpoint_desc(e);
    }
    free(d);
}

ezb_af_ep_desc_t ezb_af_device_get_endpoint_desc(ezb_af_device_desc_t dev_desc, uint8_t ep_id)
{
    const struct device *d = dev_desc;
    for (struct ezb_endpoint *e = d ? d->endpoints : NULL; e; e = e->next)
        if (e->config.ep_id == ep_id) return e;
    return NULL;
}

ezb_err_t ezb_af_device_add_endpoint_desc(ezb_af_device_desc_t dev_desc, ezb_af_ep_desc_t ep_desc)
{
    struct device *d = dev_desc;
    struct ezb_endpoint *e = ep_desc, **end;
    if (!d || !e || e->owned || e->config.ep_id == 0 || e->config.ep_id > AL_ZCL_ENDPOINT_MAX ||
        ezb_af_device_get_endpoint_desc(d, e->config.ep_id))
        return EZB_ERR_INV_ARG;
    for (end = &d->endpoints; *end; end = &(*end)->next)
        ;
    *end = e;
    e->owned = true;
    return EZB_ERR_NONE;
}

ezb_af_ep_desc_t ezb_af_get_ep_desc(uint8_t ep_id)
{
    return ezb_af_device_get_endpoint_desc(registered, ep_id);
}

ezb_zcl_cluster_desc_t ezb_zcl_get_cluster_desc(uint8_t ep_id, uint16_t cluster_id, uint8_t role)
{
    return ezb_af_endpoint_get_cluster_desc(ezb_af_get_ep_desc(ep_id), cluster_id, role);
}

void ezb_af_node_desc_set_manuf_code(uint16_t manuf_code)
{
    esp_zb_set_node_descriptor_manufacturer_code(manuf_code);
}

/* ---- Registration ---- */

static bool is_ota(const struct ezb_cluster *c)
{
    return c->id == EZB_ZCL_CLUSTER_ID_OTA_UPGRADE;
}

static ezb_err_t register_cluster(esp_zb_cluster_list_t *list_of, uint8_t ep_id,
                                  const struct ezb_cluster *c)
{
    if (!is_ota(c))
        return ezb_err_of(esp_zb_cluster_list_add_custom_cluster(list_of, c->attributes, c->role));
    return c->role == EZB_ZCL_CLUSTER_SERVER ? ezb_ota_server_register(ep_id, &c->ota)
                                             : ezb_ota_client_register(ep_id, &c->ota);
}

static ezb_err_t register_endpoint(esp_zb_ep_list_t *endpoints, const struct ezb_endpoint *e)
{
    esp_zb_cluster_list_t *clusters = esp_zb_zcl_cluster_list_create();
    const esp_zb_endpoint_config_t config = {.endpoint = e->config.ep_id,
                                             .app_profile_id = e->config.app_profile_id,
                                             .app_device_id = e->config.app_device_id,
                                             .app_device_version = e->config.app_device_version};
    if (!clusters) return EZB_ERR_NO_MEM;
    for (const struct ezb_cluster *c = e->clusters; c; c = c->next) {
        ezb_err_t err = register_cluster(clusters, config.endpoint, c);
        if (!err) continue;
        ESP_LOGE(ZB_TAG, "endpoint %d, cluster 0x%04x: %s", config.endpoint, c->id,
                 is_ota(c) ? "one OTA server and one client a device" : "no memory");
        return err;
    }
    return ezb_err_of(esp_zb_ep_list_add_ep(endpoints, clusters, config));
}

ezb_err_t ezb_af_device_desc_register(ezb_af_device_desc_t dev_desc)
{
    struct device *d = dev_desc;
    if (!d) return EZB_ERR_INV_ARG;
    if (!zb_stack.initialised || zb_stack.started || registered) return EZB_ERR_INV_STATE;
    esp_zb_ep_list_t *endpoints = esp_zb_ep_list_create();
    if (!endpoints) return EZB_ERR_NO_MEM;
    for (const struct ezb_endpoint *e = d->endpoints; e; e = e->next) {
        ezb_err_t err = register_endpoint(endpoints, e);
        if (err) return err;
    }
    registered = d;
    return ezb_err_of(esp_zb_device_register(endpoints));
}

static esp_err_t attach(const struct ezb_endpoint *e, const struct ezb_cluster *c)
{
    struct al_zcl_endpoint *to = al_zcl_endpoint(&zb_stack_node()->zcl, e->config.ep_id);
    esp_err_t err =
        c->role == EZB_ZCL_CLUSTER_SERVER ? ezb_ota_server_attach(to) : ezb_ota_client_attach(to);
    if (err)
        ESP_LOGE(ZB_TAG, "endpoint %d: the OTA cluster cannot be set up: %s", e->config.ep_id,
                 esp_err_to_name(err));
    return err;
}

esp_err_t ezb_desc_attach(void)
{
    for (const struct ezb_endpoint *e = registered ? registered->endpoints : NULL; e; e = e->next)
        for (const struct ezb_cluster *c = e->clusters; c; c = c->next) {
            esp_err_t err = is_ota(c) ? attach(e, c) : ESP_OK;
            if (err) return err;
        }
    return ESP_OK;
}
