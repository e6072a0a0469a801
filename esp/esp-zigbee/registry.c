/* The application's lists become endpoints, clusters and attributes of the node, which then
 * works on the lists' own values. */
#include <stdlib.h>

#include "core/err.h"
#include "esp/esp-zigbee/stack.h"
#include "esp_log.h"

enum { REVISION = 1 };

/* ---- Building ---- */

static uint16_t manufacturer(uint16_t vendor_code)
{
    return vendor_code == ESP_ZB_ZCL_ATTR_NON_MANUFACTURER_SPECIFIC ? 0 : vendor_code;
}

static struct al_zcl_attribute *attributes_of(const esp_zb_attribute_list_t *list, uint16_t *count)
{
    struct al_zcl_attribute *out;
    size_t n = 0;
    for (const esp_zb_attribute_list_t *a = list->next; a; a = a->next) n++;
    out = calloc(n ? n : 1, sizeof *out);
    *count = 0;
    if (!out) return NULL;
    for (const esp_zb_attribute_list_t *a = list->next; a; a = a->next) {
        const esp_zb_zcl_attr_t *from = &a->attribute;
        if (from->access & ESP_ZB_ZCL_ATTR_ACCESS_INTERNAL) continue;
        bool fixed = al_zcl_type_size(from->type) >= 0;
        out[(*count)++] = (struct al_zcl_attribute){
            .id = from->id,
            .manufacturer = manufacturer(from->manuf_code),
            .type = from->type,
            .access = from->access & (AL_ZCL_MAY_READ | AL_ZCL_MAY_WRITE | AL_ZCL_MAY_REPORT),
            .size = fixed ? 0 : (uint16_t)zb_value_size(from->type, from->data_p),
            .value = from->data_p,
        };
    }
    return out;
}

static esp_err_t add_plain(struct al_zcl_endpoint *e, const esp_zb_zcl_cluster_t *from)
{
    struct al_zcl_cluster *c = calloc(1, sizeof *c);
    if (!c) return ESP_ERR_NO_MEM;
    c->id = from->cluster_id;
    c->manufacturer = from->manuf_code;
    c->client = from->role_mask == ESP_ZB_ZCL_CLUSTER_CLIENT_ROLE;
    c->revision = c->client ? 0 : REVISION;
    struct al_zcl_attribute *attributes = attributes_of(from->attr_list, &c->attribute_count);
    c->attributes = attributes;
    if (attributes && al_zcl_add_cluster(e, c) == 0) return ESP_OK;
    free(attributes);
    free(c);
    return attributes ? ESP_ERR_INVALID_ARG : ESP_ERR_NO_MEM;
}

static esp_err_t add_cluster(struct al_zcl_endpoint *e, const esp_zb_zcl_cluster_t *from)
{
    if (from->cluster_id != ESP_ZB_ZCL_CLUSTER_ID_OTA_UPGRADE) return add_plain(e, from);
    return from->role_mask == ESP_ZB_ZCL_CLUSTER_SERVER_ROLE
               ? zb_ota_server_add(e, from->attr_list)
               : zb_ota_client_add(e, from->attr_list);
}

static esp_err_t add_endpoint(const esp_zb_endpoint_t *from)
{
    struct al_zcl_endpoint *e = calloc(1, sizeof *e);
    if (!e) return ESP_ERR_NO_MEM;
    *e = (struct al_zcl_endpoint){.id = from->ep_id,
                                  .version = (uint8_t)from->simple_desc->app_device_version,
                                  .profile = from->profile_id,
                                  .device_id = from->simple_desc->app_device_id};
    if (al_zcl_add_endpoint(&zb_stack_node()->zcl, e)) {
        free(e);
        return ESP_ERR_INVALID_ARG;
    }
    for (const esp_zb_cluster_list_t *c = from->cluster_list->next; c; c = c->next) {
        esp_err_t err = add_cluster(e, &c->cluster);
        if (!err) continue;
        ESP_LOGE(ZB_TAG, "endpoint %d, cluster 0x%04x: %s", e->id, c->cluster.cluster_id,
                 esp_err_to_name(err));
        return err;
    }
    return ESP_OK;
}

esp_err_t zb_registry_build(void)
{
    esp_err_t err = ESP_OK;
    esp_zb_ep_list_t *e = zb_stack.endpoints ? zb_stack.endpoints->next : NULL;
    for (; e && !err; e = e->next) err = add_endpoint(&e->endpoint);
    return err;
}

/* ---- Written from the air ---- */

static void written(void *ctx, uint64_t now, const struct al_zcl_rx *rx,
                    const struct al_zcl_attribute *a, const struct al_zcl_value *v)
{
    esp_zb_zcl_set_attr_value_message_t m = {
        .info = {.status = ESP_ZB_ZCL_STATUS_SUCCESS,
                 .dst_endpoint = rx->endpoint->id,
                 .cluster = rx->cluster->id},
        .attribute = {.id = a->id, .data = {.type = a->type, .size = v->len, .value = a->value}},
    };
    zb_stack_action(ESP_ZB_CORE_SET_ATTR_VALUE_CB_ID, &m);
}

const struct al_zcl_up zb_registry_up = {.written = written};

/* ---- Read and written by the application ---- */

static esp_zb_attribute_list_t *find(uint8_t endpoint, uint16_t cluster, uint8_t role, uint16_t id)
{
    esp_zb_cluster_list_t *clusters = esp_zb_ep_list_get_ep(zb_stack.endpoints, endpoint);
    esp_zb_attribute_list_t *list = esp_zb_cluster_list_get_cluster(clusters, cluster, role);
    if (list && cluster == ESP_ZB_ZCL_CLUSTER_ID_OTA_UPGRADE &&
        role == ESP_ZB_ZCL_CLUSTER_CLIENT_ROLE)
        zb_ota_client_refresh(list);
    return zb_list_find(list, id);
}

esp_zb_zcl_attr_t *esp_zb_zcl_get_attribute(uint8_t endpoint, uint16_t cluster_id,
                                            uint8_t cluster_role, uint16_t attr_id)
{
    esp_zb_attribute_list_t *a = find(endpoint, cluster_id, cluster_role, attr_id);
    return a ? &a->attribute : NULL;
}

esp_zb_zcl_status_t esp_zb_zcl_set_attribute_val(uint8_t endpoint, uint16_t cluster_id,
                                                 uint8_t cluster_role, uint16_t attr_id,
                                                 void *value_p, bool check)
{
    esp_zb_attribute_list_t *a = find(endpoint, cluster_id, cluster_role, attr_id);
    if (!a) return ESP_ZB_ZCL_STATUS_NOT_FOUND;
    if (!value_p) return ESP_ZB_ZCL_STATUS_INVALID_VALUE;
    if (check && !(a->attribute.access & ESP_ZB_ZCL_ATTR_ACCESS_WRITE_ONLY))
        return ESP_ZB_ZCL_STATUS_READ_ONLY;
    size_t size = zb_value_size(a->attribute.type, value_p);
    if (!size || size > zb_value_size(a->attribute.type, a->attribute.data_p))
        return ESP_ZB_ZCL_STATUS_INSUFF_SPACE; /* a longer text than the list's */
    memcpy(a->attribute.data_p, value_p, size);
    if (zb_stack.started)
        al_zcl_changed(&zb_stack_node()->zcl, zb_stack_now(), endpoint, cluster_id,
                       cluster_role == ESP_ZB_ZCL_CLUSTER_CLIENT_ROLE, attr_id);
    return ESP_ZB_ZCL_STATUS_SUCCESS;
}
