/* AT+SYSMFG: the manufacturing NVS, partition mfg_nvs.
 *
 *   AT+SYSMFG?                                        namespaces
 *   AT+SYSMFG=0,"space"[,"key"]                       erase
 *   AT+SYSMFG=1,"space"[,"key"]                       keys of it, or a value
 *   AT+SYSMFG=2,"space","key",<type>,<value>          write a number
 *   AT+SYSMFG=2,"space","key",<7|8>,<length>          write text or bytes, which follow behind > */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "at/at_engine.h"
#include "nvs.h"
#include "nvs_flash.h"

#define MFG_PARTITION "mfg_nvs"

enum { ERASE, READ, WRITE };
enum { VALUE_MAX = 4000 }; /* of a string, NUL included; of bytes, too */

/* Numbers of the AT command, in order from 1. */
static const struct {
    nvs_type_t nvs;
    int64_t least, most;
} types[] = {
    {NVS_TYPE_ANY, 0, 0},
    {NVS_TYPE_U8, 0, UINT8_MAX},
    {NVS_TYPE_I8, INT8_MIN, INT8_MAX},
    {NVS_TYPE_U16, 0, UINT16_MAX},
    {NVS_TYPE_I16, INT16_MIN, INT16_MAX},
    {NVS_TYPE_U32, 0, UINT32_MAX},
    {NVS_TYPE_I32, INT32_MIN, INT32_MAX},
    {NVS_TYPE_STR, 0, 0},
    {NVS_TYPE_BLOB, 0, 0},
};
enum { TYPES = sizeof types / sizeof types[0], TYPE_STRING = 7, TYPE_BINARY = 8 };

struct entry {
    const char *space, *key; /* key NULL: none given */
};

static int type_number(nvs_type_t type)
{
    int i = 1;
    while (i < TYPES && types[i].nvs != type) i++;
    return i < TYPES ? i : 0;
}

static enum at_result failed(struct at_call *call, esp_err_t err)
{
    return at_error(call, MFG_PARTITION ": %s", esp_err_to_name(err));
}

static enum at_result open_space(struct at_call *call, const char *space, nvs_open_mode_t mode,
                                 nvs_handle_t *out)
{
    esp_err_t err = nvs_flash_init_partition(MFG_PARTITION);
    if (err == ESP_OK) err = nvs_open_from_partition(MFG_PARTITION, space, mode, out);
    return err == ESP_OK ? AT_OK : failed(call, err);
}

/* space NULL: the names of all spaces, each once; else its keys and types. */
static enum at_result list(struct at_call *call, const char *space)
{
    nvs_iterator_t it = NULL;
    char last[NVS_NS_NAME_MAX_SIZE] = "";
    esp_err_t err = nvs_flash_init_partition(MFG_PARTITION);
    if (err == ESP_OK) err = nvs_entry_find(MFG_PARTITION, space, NVS_TYPE_ANY, &it);
    for (; err == ESP_OK; err = nvs_entry_next(&it)) {
        nvs_entry_info_t info;
        if (nvs_entry_info(it, &info) != ESP_OK) break;
        if (space)
            at_print(call, "+SYSMFG:\"%s\",\"%s\",%d\r\n", space, info.key, type_number(info.type));
        else if (strcmp(last, info.namespace_name))
            at_print(call, "+SYSMFG:\"%s\"\r\n", info.namespace_name);
        memcpy(last, info.namespace_name, sizeof last);
    }
    nvs_release_iterator(it);
    return err == ESP_OK || err == ESP_ERR_NVS_NOT_FOUND ? AT_OK : failed(call, err);
}

static enum at_result spaces(struct at_call *call)
{
    return list(call, NULL);
}

static enum at_result erase(struct at_call *call, const struct entry *e)
{
    nvs_handle_t nvs = 0;
    if (!at_param_count_is(call, 2, 3)) return AT_ERROR;
    if (open_space(call, e->space, NVS_READWRITE, &nvs) != AT_OK) return AT_ERROR;
    esp_err_t err = e->key ? nvs_erase_key(nvs, e->key) : nvs_erase_all(nvs);
    if (err == ESP_OK) err = nvs_commit(nvs);
    nvs_close(nvs);
    return err == ESP_OK ? AT_OK : failed(call, err);
}

static esp_err_t get_number(nvs_handle_t nvs, const char *key, nvs_type_t type, int64_t *out)
{
    union {
        uint8_t u8;
        int8_t i8;
        uint16_t u16;
        int16_t i16;
        uint32_t u32;
        int32_t i32;
    } v = {0};
    esp_err_t err = ESP_ERR_NVS_TYPE_MISMATCH;
    switch (type) {
    case NVS_TYPE_U8:
        err = nvs_get_u8(nvs, key, &v.u8), *out = v.u8;
        break;
    case NVS_TYPE_I8:
        err = nvs_get_i8(nvs, key, &v.i8), *out = 0 + v.i8; /* an int first */
        break;
    case NVS_TYPE_U16:
        err = nvs_get_u16(nvs, key, &v.u16), *out = v.u16;
        break;
    case NVS_TYPE_I16:
        err = nvs_get_i16(nvs, key, &v.i16), *out = v.i16;
        break;
    case NVS_TYPE_U32:
        err = nvs_get_u32(nvs, key, &v.u32), *out = v.u32;
        break;
    case NVS_TYPE_I32:
        err = nvs_get_i32(nvs, key, &v.i32), *out = v.i32;
        break;
    default:
        break;
    }
    return err;
}

static esp_err_t set_number(nvs_handle_t nvs, const char *key, nvs_type_t type, int64_t value)
{
    switch (type) {
    case NVS_TYPE_U8:
        return nvs_set_u8(nvs, key, (uint8_t)value);
    case NVS_TYPE_I8:
        return nvs_set_i8(nvs, key, (int8_t)value);
    case NVS_TYPE_U16:
        return nvs_set_u16(nvs, key, (uint16_t)value);
    case NVS_TYPE_I16:
        return nvs_set_i16(nvs, key, (int16_t)value);
    case NVS_TYPE_U32:
        return nvs_set_u32(nvs, key, (uint32_t)value);
    default:
        return nvs_set_i32(nvs, key, (int32_t)value);
    }
}

/* A string's length is told without its NUL. */
static esp_err_t print_bytes(struct at_call *call, nvs_handle_t nvs, const struct entry *e,
                             nvs_type_t type)
{
    esp_err_t (*get)(nvs_handle_t, const char *, void *, size_t *) = nvs_get_blob;
    size_t len = 0;
    bool text = type == NVS_TYPE_STR;
    esp_err_t err = text ? nvs_get_str(nvs, e->key, NULL, &len) : get(nvs, e->key, NULL, &len);
    if (err != ESP_OK) return err;
    char *bytes = malloc(len ? len : 1);
    if (!bytes) return ESP_ERR_NO_MEM;
    err = text ? nvs_get_str(nvs, e->key, bytes, &len) : get(nvs, e->key, bytes, &len);
    if (err == ESP_OK) {
        if (text) len--;
        at_print(call, "+SYSMFG:\"%s\",\"%s\",%d,%zu,", e->space, e->key, type_number(type), len);
        at_write(call, bytes, len);
        at_print(call, "\r\n");
    }
    free(bytes);
    return err;
}

static enum at_result read_value(struct at_call *call, const struct entry *e)
{
    nvs_handle_t nvs = 0;
    nvs_type_t type;
    int64_t number;
    if (!at_param_count_is(call, 2, 3)) return AT_ERROR;
    if (!e->key) return list(call, e->space);
    if (open_space(call, e->space, NVS_READONLY, &nvs) != AT_OK) return AT_ERROR;
    esp_err_t err = nvs_find_key(nvs, e->key, &type);
    if (err == ESP_OK && (type == NVS_TYPE_STR || type == NVS_TYPE_BLOB)) {
        err = print_bytes(call, nvs, e, type);
    } else if (err == ESP_OK && (err = get_number(nvs, e->key, type, &number)) == ESP_OK) {
        at_print(call, "+SYSMFG:\"%s\",\"%s\",%d,%" PRId64 "\r\n", e->space, e->key,
                 type_number(type), number);
    }
    nvs_close(nvs);
    return err == ESP_OK ? AT_OK : failed(call, err);
}

static enum at_result write_number(struct at_call *call, const struct entry *e, int type,
                                   int64_t value)
{
    nvs_handle_t nvs = 0;
    if (value < types[type].least || value > types[type].most) return at_param_invalid(call, 4);
    if (open_space(call, e->space, NVS_READWRITE, &nvs) != AT_OK) return AT_ERROR;
    esp_err_t err = set_number(nvs, e->key, types[type].nvs, value);
    if (err == ESP_OK) err = nvs_commit(nvs);
    nvs_close(nvs);
    return err == ESP_OK ? AT_OK : failed(call, err);
}

static enum at_result store_bytes(struct at_call *call, const struct entry *e, int type,
                                  const char *bytes, size_t len)
{
    nvs_handle_t nvs = 0;
    bool text = type == TYPE_STRING;
    if (text && strlen(bytes) != len) return at_error(call, "the string has a zero byte in it");
    if (open_space(call, e->space, NVS_READWRITE, &nvs) != AT_OK) return AT_ERROR;
    esp_err_t err = text ? nvs_set_str(nvs, e->key, bytes) : nvs_set_blob(nvs, e->key, bytes, len);
    if (err == ESP_OK) err = nvs_commit(nvs);
    nvs_close(nvs);
    return err == ESP_OK ? AT_OK : failed(call, err);
}

/* Text or bytes, which come behind the prompt. */
static enum at_result take_bytes(struct at_call *call, const struct entry *e, int type, int64_t len)
{
    if (len < 1 || len >= VALUE_MAX) return at_param_invalid(call, 4);
    size_t have = 0, wanted = (size_t)len;
    char *bytes = calloc(1, wanted + 1);
    if (!bytes) return at_error(call, "no memory");
    at_answer(call, AT_OK_AND_PROMPT);
    for (size_t n = 1; have < wanted && n; have += n)
        n = at_read(call, bytes + have, wanted - have);
    at_drop_rest(call);
    enum at_result result =
        have == wanted ? store_bytes(call, e, type, bytes, wanted)
                       : at_error(call, "the port is gone after %zu of %zu bytes", have, wanted);
    free(bytes);
    return result;
}

static enum at_result write_value(struct at_call *call, const struct entry *e)
{
    int64_t type, value;
    if (!at_param_count_is(call, 5, 5)) return AT_ERROR;
    if (!e->key) return at_param_invalid(call, 2);
    if (at_param_int(call, 3, &type) != AT_PARAM_OK) return AT_ERROR;
    if (type < 1 || type > TYPE_BINARY) return at_param_invalid(call, 3);
    if (at_param_int(call, 4, &value) != AT_PARAM_OK) return AT_ERROR;
    return type < TYPE_STRING ? write_number(call, e, (int)type, value)
                              : take_bytes(call, e, (int)type, value);
}

static enum at_result set(struct at_call *call)
{
    struct entry e = {0};
    int64_t operation;
    if (!at_param_count_is(call, 2, 5)) return AT_ERROR;
    if (at_param_int(call, 0, &operation) != AT_PARAM_OK) return AT_ERROR;
    if (operation < ERASE || operation > WRITE) return at_param_invalid(call, 0);
    if (at_param_text(call, 1, &e.space) != AT_PARAM_OK ||
        !at_param_length_is(call, 1, e.space, 1, NVS_NS_NAME_MAX_SIZE - 1))
        return AT_ERROR;
    if (at_param_text(call, 2, &e.key) == AT_PARAM_MALFORMED ||
        (e.key && !at_param_length_is(call, 2, e.key, 1, NVS_KEY_NAME_MAX_SIZE - 1)))
        return AT_ERROR;
    if (operation == ERASE) return erase(call, &e);
    return operation == READ ? read_value(call, &e) : write_value(call, &e);
}

const struct at_command at_sysmfg_commands[] = {
    {"+SYSMFG", .query = spaces, .set = set},
    {0},
};
