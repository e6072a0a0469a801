/* Lists of attributes. */
#include <stdlib.h>

#include "esp/esp-zigbee/stack.h"

/* What a cluster can have: type and access of each attribute. */
struct known {
    uint16_t cluster, id;
    uint8_t type, access;
};

#define OTA ESP_ZB_ZCL_CLUSTER_ID_OTA_UPGRADE
#define R   ESP_ZB_ZCL_ATTR_ACCESS_READ_ONLY
#define RW  ESP_ZB_ZCL_ATTR_ACCESS_READ_WRITE
#define OWN ESP_ZB_ZCL_ATTR_ACCESS_INTERNAL
#define U8  ESP_ZB_ZCL_ATTR_TYPE_U8
#define U16 ESP_ZB_ZCL_ATTR_TYPE_U16
#define U32 ESP_ZB_ZCL_ATTR_TYPE_U32
#define STR ESP_ZB_ZCL_ATTR_TYPE_CHAR_STRING
#define E8  ESP_ZB_ZCL_ATTR_TYPE_8BIT_ENUM
#define BM8 ESP_ZB_ZCL_ATTR_TYPE_8BITMAP
#define NO  ESP_ZB_ZCL_ATTR_TYPE_INVALID

static const struct known all[] = {
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_ZCL_VERSION_ID, U8, R},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_APPLICATION_VERSION_ID, U8, R},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_STACK_VERSION_ID, U8, R},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_HW_VERSION_ID, U8, R},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_MANUFACTURER_NAME_ID, STR, R},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_MODEL_IDENTIFIER_ID, STR, R},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_DATE_CODE_ID, STR, R},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_POWER_SOURCE_ID, E8, R},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_GENERIC_DEVICE_CLASS_ID, E8, R},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_GENERIC_DEVICE_TYPE_ID, E8, R},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_PRODUCT_CODE_ID,
     ESP_ZB_ZCL_ATTR_TYPE_OCTET_STRING, R},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_PRODUCT_URL_ID, STR, R},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_MANUFACTURER_VERSION_DETAILS_ID, STR, R},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_SERIAL_NUMBER_ID, STR, R},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_PRODUCT_LABEL_ID, STR, R},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_LOCATION_DESCRIPTION_ID, STR, RW},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_PHYSICAL_ENVIRONMENT_ID, E8, RW},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_DEVICE_ENABLED_ID,
     ESP_ZB_ZCL_ATTR_TYPE_BOOL, RW},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_ALARM_MASK_ID, BM8, RW},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_DISABLE_LOCAL_CONFIG_ID, BM8, RW},
    {ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_SW_BUILD_ID, STR, R},
    {ESP_ZB_ZCL_CLUSTER_ID_IDENTIFY, ESP_ZB_ZCL_ATTR_IDENTIFY_IDENTIFY_TIME_ID, U16, RW},
    {ESP_ZB_ZCL_CLUSTER_ID_TIME, ESP_ZB_ZCL_ATTR_TIME_TIME_ID, ESP_ZB_ZCL_ATTR_TYPE_UTC_TIME, RW},
    {ESP_ZB_ZCL_CLUSTER_ID_TIME, ESP_ZB_ZCL_ATTR_TIME_TIME_STATUS_ID, BM8, RW},
    {ESP_ZB_ZCL_CLUSTER_ID_TIME, ESP_ZB_ZCL_ATTR_TIME_TIME_ZONE_ID, ESP_ZB_ZCL_ATTR_TYPE_S32, RW},
    {ESP_ZB_ZCL_CLUSTER_ID_TIME, ESP_ZB_ZCL_ATTR_TIME_STANDARD_TIME_ID, U32, R},
    {ESP_ZB_ZCL_CLUSTER_ID_TIME, ESP_ZB_ZCL_ATTR_TIME_LOCAL_TIME_ID, U32, R},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_SERVER_ID, ESP_ZB_ZCL_ATTR_TYPE_IEEE_ADDR, R},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_FILE_OFFSET_ID, U32, R},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_FILE_VERSION_ID, U32, R},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_STACK_VERSION_ID, U16, R},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_DOWNLOADED_FILE_VERSION_ID, U32, R},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_DOWNLOADED_STACK_VERSION_ID, U16, R},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_IMAGE_STATUS_ID, E8, R},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_MANUFACTURE_ID, U16, R},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_IMAGE_TYPE_ID, U16, R},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_MIN_BLOCK_REQUE_ID, U16, R},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_IMAGE_STAMP_ID, U32, R},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_UPGRADE_ACTIVATION_POLICY_ID, E8, R},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_UPGRADE_TIMEOUT_POLICY_ID, E8, R},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_SERVER_DATA_ID, NO, OWN},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_CLIENT_DATA_ID, NO, OWN},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_SERVER_ADDR_ID, U16, OWN},
    {OTA, ESP_ZB_ZCL_ATTR_OTA_UPGRADE_SERVER_ENDPOINT_ID, U8, OWN},
};

static const struct known *find_known(uint16_t cluster, uint16_t id)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].cluster == cluster && all[i].id == id) return &all[i];
    return NULL;
}

esp_zb_attribute_list_t *zb_list_find(esp_zb_attribute_list_t *list, uint16_t id)
{
    for (esp_zb_attribute_list_t *a = list ? list->next : NULL; a; a = a->next)
        if (a->attribute.id == id) return a;
    return NULL;
}

size_t zb_value_size(uint8_t type, const void *value)
{
    const uint8_t *bytes = value;
    int size = al_zcl_type_size(type);
    if (size >= 0) return (size_t)size;
    if (type == AL_ZCL_OCTETS || type == AL_ZCL_STRING)
        return 1u + (bytes[0] == 0xff ? 0u : bytes[0]);
    if (type == AL_ZCL_LONG_OCTETS || type == AL_ZCL_LONG_STRING)
        return 2u + (al_get_le16(bytes) == 0xffff ? 0u : al_get_le16(bytes));
    return 0;
}

/* Of the values that have no type on the air. */
static size_t size_of(uint16_t id, uint8_t type, const void *value)
{
    if (type != NO) return zb_value_size(type, value);
    return id == ESP_ZB_ZCL_ATTR_OTA_UPGRADE_SERVER_DATA_ID
               ? sizeof(esp_zb_zcl_ota_upgrade_server_variable_t)
               : sizeof(esp_zb_zcl_ota_upgrade_client_variable_t);
}

static esp_err_t add(esp_zb_attribute_list_t *list, uint16_t id, uint8_t type, uint8_t access,
                     const void *value)
{
    if (!list || !value || zb_list_find(list, id)) return ESP_ERR_INVALID_ARG;
    size_t size = size_of(id, type, value);
    if (!size) return ESP_ERR_INVALID_ARG;
    esp_zb_attribute_list_t *a = calloc(1, sizeof *a), **end = &list->next;
    void *copy = malloc(size);
    if (!a || !copy) {
        free(a);
        free(copy);
        return ESP_ERR_NO_MEM;
    }
    a->attribute = (esp_zb_zcl_attr_t){.id = id,
                                       .type = type,
                                       .access = access,
                                       .manuf_code = ESP_ZB_ZCL_ATTR_NON_MANUFACTURER_SPECIFIC,
                                       .data_p = memcpy(copy, value, size)};
    a->cluster_id = list->cluster_id;
    while (*end) end = &(*end)->next;
    *end = a;
    return ESP_OK;
}

static esp_err_t add_known(esp_zb_attribute_list_t *list, uint16_t cluster, uint16_t id,
                           const void *value)
{
    const struct known *k = find_known(cluster, id);
    if (!list || list->cluster_id != cluster || !k) return ESP_ERR_INVALID_ARG;
    return add(list, id, k->type, k->access, value);
}

/* ---- The vendor's names ---- */

esp_zb_attribute_list_t *esp_zb_zcl_attr_list_create(uint16_t cluster_id)
{
    esp_zb_attribute_list_t *list = calloc(1, sizeof *list);
    if (list) list->cluster_id = cluster_id;
    return list;
}

esp_err_t esp_zb_basic_cluster_add_attr(esp_zb_attribute_list_t *attr_list, uint16_t attr_id,
                                        void *value_p)
{
    return add_known(attr_list, ESP_ZB_ZCL_CLUSTER_ID_BASIC, attr_id, value_p);
}

esp_err_t esp_zb_identify_cluster_add_attr(esp_zb_attribute_list_t *attr_list, uint16_t attr_id,
                                           void *value_p)
{
    return add_known(attr_list, ESP_ZB_ZCL_CLUSTER_ID_IDENTIFY, attr_id, value_p);
}

esp_err_t esp_zb_time_cluster_add_attr(esp_zb_attribute_list_t *attr_list, uint16_t attr_id,
                                       void *value_p)
{
    return add_known(attr_list, ESP_ZB_ZCL_CLUSTER_ID_TIME, attr_id, value_p);
}

esp_err_t esp_zb_ota_cluster_add_attr(esp_zb_attribute_list_t *attr_list, uint16_t attr_id,
                                      void *value_p)
{
    return add_known(attr_list, OTA, attr_id, value_p);
}

esp_err_t esp_zb_custom_cluster_add_custom_attr(esp_zb_attribute_list_t *attr_list,
                                                uint16_t attr_id, uint8_t attr_type,
                                                uint8_t attr_access, void *value_p)
{
    return attr_type == NO ? ESP_ERR_INVALID_ARG
                           : add(attr_list, attr_id, attr_type, attr_access, value_p);
}

esp_err_t esp_zb_cluster_update_attr(esp_zb_attribute_list_t *attr_list, uint16_t attr_id,
                                     void *value_p)
{
    esp_zb_attribute_list_t *a = zb_list_find(attr_list, attr_id);
    if (!a || !value_p) return ESP_ERR_INVALID_ARG;
    size_t size = size_of(attr_id, a->attribute.type, value_p);
    if (!size) return ESP_ERR_INVALID_ARG;
    void *copy = malloc(size);
    if (!copy) return ESP_ERR_NO_MEM;
    free(a->attribute.data_p);
    a->attribute.data_p = memcpy(copy, value_p, size);
    return ESP_OK;
}

esp_zb_attribute_list_t *esp_zb_basic_cluster_create(esp_zb_basic_cluster_cfg_t *basic_cfg)
{
    const esp_zb_basic_cluster_cfg_t defaults = {ESP_ZB_ZCL_BASIC_ZCL_VERSION_DEFAULT_VALUE,
                                                 ESP_ZB_ZCL_BASIC_POWER_SOURCE_DEFAULT_VALUE};
    const esp_zb_basic_cluster_cfg_t *c = basic_cfg ? basic_cfg : &defaults;
    esp_zb_attribute_list_t *list = esp_zb_zcl_attr_list_create(ESP_ZB_ZCL_CLUSTER_ID_BASIC);
    add_known(list, ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_ZCL_VERSION_ID,
              &c->zcl_version);
    add_known(list, ESP_ZB_ZCL_CLUSTER_ID_BASIC, ESP_ZB_ZCL_ATTR_BASIC_POWER_SOURCE_ID,
              &c->power_source);
    return list;
}

esp_zb_attribute_list_t *esp_zb_identify_cluster_create(esp_zb_identify_cluster_cfg_t *identify_cfg)
{
    uint16_t time = identify_cfg ? identify_cfg->identify_time
                                 : ESP_ZB_ZCL_IDENTIFY_IDENTIFY_TIME_DEFAULT_VALUE;
    esp_zb_attribute_list_t *list = esp_zb_zcl_attr_list_create(ESP_ZB_ZCL_CLUSTER_ID_IDENTIFY);
    add_known(list, ESP_ZB_ZCL_CLUSTER_ID_IDENTIFY, ESP_ZB_ZCL_ATTR_IDENTIFY_IDENTIFY_TIME_ID,
              &time);
    return list;
}

esp_zb_attribute_list_t *esp_zb_time_cluster_create(esp_zb_time_cluster_cfg_t *time_cfg)
{
    const esp_zb_time_cluster_cfg_t defaults = {ESP_ZB_ZCL_TIME_TIME_DEFAULT_VALUE,
                                                ESP_ZB_ZCL_TIME_TIME_STATUS_DEFAULT_VALUE};
    const esp_zb_time_cluster_cfg_t *c = time_cfg ? time_cfg : &defaults;
    esp_zb_attribute_list_t *list = esp_zb_zcl_attr_list_create(ESP_ZB_ZCL_CLUSTER_ID_TIME);
    add_known(list, ESP_ZB_ZCL_CLUSTER_ID_TIME, ESP_ZB_ZCL_ATTR_TIME_TIME_ID, &c->time);
    add_known(list, ESP_ZB_ZCL_CLUSTER_ID_TIME, ESP_ZB_ZCL_ATTR_TIME_TIME_STATUS_ID,
              &c->time_status);
    return list;
}

esp_zb_attribute_list_t *esp_zb_ota_cluster_create(esp_zb_ota_cluster_cfg_t *ota_cfg)
{
    const esp_zb_ota_cluster_cfg_t defaults = {
        .ota_upgrade_file_version = ESP_ZB_ZCL_OTA_UPGRADE_FILE_VERSION_DEF_VALUE,
        .ota_upgrade_manufacturer = ESP_ZB_OTA_UPGRADE_MANUFACTURER_CODE_DEF_VALUE,
        .ota_upgrade_image_type = ESP_ZB_OTA_UPGRADE_IMAGE_TYPE_DEF_VALUE,
        .ota_min_block_reque = ESP_ZB_OTA_UPGRADE_MIN_BLOCK_PERIOD_DEF_VALUE,
        .ota_upgrade_file_offset = ESP_ZB_ZCL_OTA_UPGRADE_FILE_OFFSET_DEF_VALUE,
        .ota_upgrade_downloaded_file_ver = ESP_ZB_ZCL_OTA_UPGRADE_DOWNLOADED_FILE_VERSION_DEF_VALUE,
        .ota_upgrade_server_id = ESP_ZB_ZCL_OTA_UPGRADE_SERVER_DEF_VALUE,
    };
    const uint16_t stack = ESP_ZB_ZCL_OTA_UPGRADE_STACK_VERSION_DEF_VALUE;
    const uint32_t stamp = ESP_ZB_ZCL_OTA_UPGRADE_IMAGE_STAMP_DEF_VALUE;
    const esp_zb_ota_cluster_cfg_t *c = ota_cfg ? ota_cfg : &defaults;
    const struct {
        uint16_t id;
        const void *value;
    } begin[] = {
        {ESP_ZB_ZCL_ATTR_OTA_UPGRADE_SERVER_ID, c->ota_upgrade_server_id},
        {ESP_ZB_ZCL_ATTR_OTA_UPGRADE_FILE_OFFSET_ID, &c->ota_upgrade_file_offset},
        {ESP_ZB_ZCL_ATTR_OTA_UPGRADE_FILE_VERSION_ID, &c->ota_upgrade_file_version},
        {ESP_ZB_ZCL_ATTR_OTA_UPGRADE_STACK_VERSION_ID, &stack},
        {ESP_ZB_ZCL_ATTR_OTA_UPGRADE_DOWNLOADED_FILE_VERSION_ID,
         &c->ota_upgrade_downloaded_file_ver},
        {ESP_ZB_ZCL_ATTR_OTA_UPGRADE_DOWNLOADED_STACK_VERSION_ID, &stack},
        {ESP_ZB_ZCL_ATTR_OTA_UPGRADE_IMAGE_STATUS_ID, &c->ota_image_upgrade_status},
        {ESP_ZB_ZCL_ATTR_OTA_UPGRADE_MANUFACTURE_ID, &c->ota_upgrade_manufacturer},
        {ESP_ZB_ZCL_ATTR_OTA_UPGRADE_IMAGE_TYPE_ID, &c->ota_upgrade_image_type},
        {ESP_ZB_ZCL_ATTR_OTA_UPGRADE_MIN_BLOCK_REQUE_ID, &c->ota_min_block_reque},
        {ESP_ZB_ZCL_ATTR_OTA_UPGRADE_IMAGE_STAMP_ID, &stamp},
    };
    esp_zb_attribute_list_t *list = esp_zb_zcl_attr_list_create(OTA);
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
        add_known(list, OTA, begin[i].id, begin[i].value);
    return list;
}
