/* Lists of clusters and endpoints. */
#include <stdlib.h>

#include "esp/esp-zigbee/stack.h"

#define ANY_CLUSTER 0x10000u

esp_zb_cluster_list_t *esp_zb_zcl_cluster_list_create(void)
{
    return calloc(1, sizeof(esp_zb_cluster_list_t));
}

static esp_zb_cluster_list_t *find(esp_zb_cluster_list_t *list, uint16_t cluster_id, uint8_t role)
{
    for (esp_zb_cluster_list_t *c = list ? list->next : NULL; c; c = c->next)
        if (c->cluster.cluster_id == cluster_id && c->cluster.role_mask == role) return c;
    return NULL;
}

static uint16_t count(const esp_zb_attribute_list_t *attributes)
{
    uint16_t n = 0;
    while ((attributes = attributes->next)) n++;
    return n;
}

/* cluster: what the attributes must be of, or ANY_CLUSTER. */
static bool fits(const esp_zb_attribute_list_t *attributes, uint32_t cluster, uint8_t role)
{
    return attributes && (cluster == ANY_CLUSTER || attributes->cluster_id == cluster) &&
           (role == ESP_ZB_ZCL_CLUSTER_SERVER_ROLE || role == ESP_ZB_ZCL_CLUSTER_CLIENT_ROLE);
}

static esp_err_t add(esp_zb_cluster_list_t *list, esp_zb_attribute_list_t *attributes, uint8_t role,
                     uint32_t cluster)
{
    if (!list || !fits(attributes, cluster, role) || find(list, attributes->cluster_id, role))
        return ESP_ERR_INVALID_ARG;
    esp_zb_cluster_list_t *c = calloc(1, sizeof *c), **end = &list->next;
    if (!c) return ESP_ERR_NO_MEM;
    c->cluster.cluster_id = attributes->cluster_id;
    c->cluster.attr_count = count(attributes);
    c->cluster.attr_list = attributes;
    c->cluster.role_mask = role;
    while (*end) end = &(*end)->next;
    *end = c;
    return ESP_OK;
}

static esp_err_t update(esp_zb_cluster_list_t *list, esp_zb_attribute_list_t *attributes,
                        uint8_t role, uint32_t cluster)
{
    if (!list || !fits(attributes, cluster, role)) return ESP_ERR_INVALID_ARG;
    esp_zb_cluster_list_t *c = find(list, attributes->cluster_id, role);
    if (!c) return ESP_ERR_NOT_FOUND;
    c->cluster.attr_list = attributes;
    c->cluster.attr_count = count(attributes);
    return ESP_OK;
}

esp_err_t esp_zb_cluster_list_add_basic_cluster(esp_zb_cluster_list_t *cluster_list,
                                                esp_zb_attribute_list_t *attr_list,
                                                uint8_t role_mask)
{
    return add(cluster_list, attr_list, role_mask, ESP_ZB_ZCL_CLUSTER_ID_BASIC);
}

esp_err_t esp_zb_cluster_list_add_identify_cluster(esp_zb_cluster_list_t *cluster_list,
                                                   esp_zb_attribute_list_t *attr_list,
                                                   uint8_t role_mask)
{
    return add(cluster_list, attr_list, role_mask, ESP_ZB_ZCL_CLUSTER_ID_IDENTIFY);
}

esp_err_t esp_zb_cluster_list_add_time_cluster(esp_zb_cluster_list_t *cluster_list,
                                               esp_zb_attribute_list_t *attr_list,
                                               uint8_t role_mask)
{
    return add(cluster_list, attr_list, role_mask, ESP_ZB_ZCL_CLUSTER_ID_TIME);
}

esp_err_t esp_zb_cluster_list_add_ota_cluster(esp_zb_cluster_list_t *cluster_list,
                                              esp_zb_attribute_list_t *attr_list, uint8_t role_mask)
{
    return add(cluster_list, attr_list, role_mask, ESP_ZB_ZCL_CLUSTER_ID_OTA_UPGRADE);
}

esp_err_t esp_zb_cluster_list_add_custom_cluster(esp_zb_cluster_list_t *cluster_list,
                                                 esp_zb_attribute_list_t *attr_list,
                                                 uint8_t role_mask)
{
    return add(cluster_list, attr_list, role_mask, ANY_CLUSTER);
}

esp_err_t esp_zb_cluster_list_update_basic_cluster(esp_zb_cluster_list_t *cluster_list,
                                                   esp_zb_attribute_list_t *attr_list,
                                                   uint8_t role_mask)
{
    return update(cluster_list, attr_list, role_mask, ESP_ZB_ZCL_CLUSTER_ID_BASIC);
}

esp_err_t esp_zb_cluster_list_update_ota_cluster(esp_zb_cluster_list_t *cluster_list,
                                                 esp_zb_attribute_list_t *attr_list,
                                                 uint8_t role_mask)
{
    return update(cluster_list, attr_list, role_mask, ESP_ZB_ZCL_CLUSTER_ID_OTA_UPGRADE);
}

esp_zb_attribute_list_t *esp_zb_cluster_list_get_cluster(esp_zb_cluster_list_t *cluster_list,
                                                         uint16_t cluster_id, uint8_t role_mask)
{
    esp_zb_cluster_list_t *c = find(cluster_list, cluster_id, role_mask);
    return c ? c->cluster.attr_list : NULL;
}

/* ---- Endpoints ---- */

esp_zb_ep_list_t *esp_zb_ep_list_create(void)
{
    return calloc(1, sizeof(esp_zb_ep_list_t));
}

esp_zb_cluster_list_t *esp_zb_ep_list_get_ep(esp_zb_ep_list_t *ep_list, uint8_t ep_id)
{
    for (esp_zb_ep_list_t *e = ep_list ? ep_list->next : NULL; e; e = e->next)
        if (e->endpoint.ep_id == ep_id) return e->endpoint.cluster_list;
    return NULL;
}

/* Server clusters are input clusters. */
static esp_zb_af_simple_desc_1_1_t *describe(const esp_zb_cluster_list_t *clusters,
                                             const esp_zb_endpoint_config_t *config)
{
    size_t n = 0;
    for (const esp_zb_cluster_list_t *c = clusters->next; c; c = c->next) n++;
    esp_zb_af_simple_desc_1_1_t *d = calloc(1, sizeof *d + n * sizeof(uint16_t));
    if (!d) return NULL;
    d->endpoint = config->endpoint;
    d->app_profile_id = config->app_profile_id;
    d->app_device_id = config->app_device_id;
    d->app_device_version = config->app_device_version & 15u;
    uint8_t *list = (uint8_t *)d + offsetof(esp_zb_af_simple_desc_1_1_t, app_cluster_list);
    n = 0;
    for (int role = ESP_ZB_ZCL_CLUSTER_SERVER_ROLE; role <= ESP_ZB_ZCL_CLUSTER_CLIENT_ROLE; role++)
        for (const esp_zb_cluster_list_t *c = clusters->next; c; c = c->next) {
            if (c->cluster.role_mask != role) continue;
            al_put_le16(list + 2 * n++, c->cluster.cluster_id);
            if (role == ESP_ZB_ZCL_CLUSTER_SERVER_ROLE)
                d->app_input_cluster_count++;
            else
                d->app_output_cluster_count++;
        }
    return d;
}

esp_err_t esp_zb_ep_list_add_ep(esp_zb_ep_list_t *ep_list, esp_zb_cluster_list_t *cluster_list,
                                esp_zb_endpoint_config_t endpoint_config)
{
    uint8_t id = endpoint_config.endpoint;
    if (!ep_list || !cluster_list || id == 0 || id > AL_ZCL_ENDPOINT_MAX ||
        esp_zb_ep_list_get_ep(ep_list, id))
        return ESP_ERR_INVALID_ARG;
    esp_zb_ep_list_t *e = calloc(1, sizeof *e), **end = &ep_list->next;
    esp_zb_af_simple_desc_1_1_t *desc = describe(cluster_list, &endpoint_config);
    if (!e || !desc) {
        free(e);
        free(desc);
        return ESP_ERR_NO_MEM;
    }
    e->endpoint.ep_id = id;
    e->endpoint.profile_id = endpoint_config.app_profile_id;
    e->endpoint.cluster_count =
        (uint8_t)(desc->app_input_cluster_count + desc->app_output_cluster_count);
    e->endpoint.cluster_list = cluster_list;
    e->endpoint.simple_desc = desc;
    while (*end) end = &(*end)->next;
    *end = e;
    return ESP_OK;
}

esp_err_t esp_zb_device_register(esp_zb_ep_list_t *ep_list)
{
    if (!ep_list) return ESP_ERR_INVALID_ARG;
    if (!zb_stack.initialised || zb_stack.started || zb_stack.endpoints)
        return ESP_ERR_INVALID_STATE;
    zb_stack.endpoints = ep_list;
    return ESP_OK;
}
