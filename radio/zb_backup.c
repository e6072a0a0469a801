/* The fields are those of "zigpy/open-coordinator-backup" version 1 as zigbee-herdsman
 * writes it: numbers of bytes as hexadecimal digits, most significant byte first. */
#include "radio/zb_backup.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "host/crypto_openssl.h"
#include "host/file.h"
#include "host/version.h"
#include "radio/zb_file.h"
#include "zigbee/aps_internal.h"
#include "zigbee/nwk_internal.h"

#define FORMAT         "zigpy/open-coordinator-backup"
#define FORMAT_VERSION 1
#define FILE_MAX       (16u << 20)
/* What may have been sent since the backup was made: eleven days at ten frames a second. */
#define COUNTER_RAISE  10000000u
#define COUNTER_MAX    0xff000000u
#define KEPT_FROM      0x3000u /* records from here on are kept as they are */
#define DEVICES_MIN    200u
#define TIMEOUT_MAX    14 /* of the end device timeouts */
#define SECURITY       5  /* AES-CCM-128 with a MIC of 4 octets */

/* ---- Writing ---- */

static void add_hex(cJSON *to, const char *name, const uint8_t *bytes, size_t len)
{
    char *text = malloc(2 * len + 1);
    if (!text) return;
    crypto_hex(bytes, len, text);
    cJSON_AddStringToObject(to, name, text);
    free(text);
}

static void add_number_hex(cJSON *to, const char *name, uint64_t value, int digits)
{
    char text[17];
    snprintf(text, sizeof text, "%0*llx", digits, (unsigned long long)value);
    cJSON_AddStringToObject(to, name, text);
}

static void add_metadata(cJSON *doc)
{
    char date[32];
    struct tm tm;
    time_t now = time(NULL);
    cJSON *meta = cJSON_AddObjectToObject(doc, "metadata");
    cJSON_AddStringToObject(meta, "format", FORMAT);
    cJSON_AddNumberToObject(meta, "version", FORMAT_VERSION);
    cJSON_AddStringToObject(meta, "source", "airlift@" AIRLIFT_VERSION);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S.000Z", gmtime_r(&now, &tm));
    cJSON_AddStringToObject(cJSON_AddObjectToObject(meta, "internal"), "date", date);
}

static void add_network(cJSON *doc, const struct al_nwk *n, const struct al_nwk_key *key)
{
    cJSON *mask;
    add_number_hex(doc, "coordinator_ieee", n->ext, 16);
    add_number_hex(doc, "pan_id", n->pan_id, 4);
    add_number_hex(doc, "extended_pan_id", n->epid, 16);
    cJSON_AddNumberToObject(doc, "nwk_update_id", n->update_id);
    cJSON_AddNumberToObject(doc, "security_level", SECURITY);
    cJSON_AddNumberToObject(doc, "channel", n->channel);
    mask = cJSON_AddArrayToObject(doc, "channel_mask");
    cJSON_AddItemToArray(mask, cJSON_CreateNumber(n->channel));
    cJSON *k = cJSON_AddObjectToObject(doc, "network_key");
    add_hex(k, "key", key->key, sizeof key->key);
    cJSON_AddNumberToObject(k, "sequence_number", key->seq);
    cJSON_AddNumberToObject(k, "frame_counter", n->counter);
}

static void add_device(cJSON *list, const struct al_node *n, uint64_t ext)
{
    const struct al_nwk_neighbour *child = al_nwk_neighbour_ext(&n->nwk, ext);
    if (child && child->relation != AL_NWK_CHILD) child = NULL;
    uint16_t addr = al_nwk_addr_of(&n->nwk, ext);
    const struct al_aps_link_key *key = NULL;
    for (unsigned i = 0; i < n->aps.c.key_count; i++)
        if (n->aps.c.keys[i].partner == ext && n->aps.c.keys[i].kind == AL_APS_KEY_UNIQUE)
            key = &n->aps.c.keys[i];
    cJSON *d = cJSON_CreateObject();
    cJSON_AddItemToArray(list, d);
    if (addr == AL_NWK_NO_ADDR)
        cJSON_AddNullToObject(d, "nwk_address");
    else
        add_number_hex(d, "nwk_address", addr, 4);
    add_number_hex(d, "ieee_address", ext, 16);
    cJSON_AddBoolToObject(d, "is_child", child != NULL);
    if (child) {
        cJSON_AddNumberToObject(d, "capability", child->capability);
        cJSON_AddNumberToObject(d, "timeout_index", child->timeout_index);
    }
    if (!key) {
        cJSON_AddNullToObject(d, "link_key");
        return;
    }
    cJSON *k = cJSON_AddObjectToObject(d, "link_key");
    add_hex(k, "key", key->key, sizeof key->key);
    cJSON_AddNumberToObject(k, "rx_counter", key->rx_counter);
    cJSON_AddNumberToObject(k, "tx_counter", n->aps.tx_counter);
}

static bool listed(const cJSON *list, uint64_t ext)
{
    char text[17];
    const cJSON *d;
    snprintf(text, sizeof text, "%016llx", (unsigned long long)ext);
    cJSON_ArrayForEach(d, list)
    {
        const char *other = cJSON_GetStringValue(cJSON_GetObjectItem(d, "ieee_address"));
        if (other && strcmp(other, text) == 0) return true;
    }
    return false;
}

static void add_devices(cJSON *doc, const struct al_node *n)
{
    cJSON *list = cJSON_AddArrayToObject(doc, "devices");
    for (unsigned i = 0; i < n->nwk.c.neighbour_count; i++) {
        const struct al_nwk_neighbour *d = &n->nwk.c.neighbours[i];
        if (d->relation && d->relation != AL_NWK_JOINING && d->ext && !listed(list, d->ext))
            add_device(list, n, d->ext);
    }
    for (unsigned i = 0; i < n->nwk.c.address_count; i++) {
        uint64_t ext = n->nwk.c.addresses[i].ext;
        if (ext && !listed(list, ext)) add_device(list, n, ext);
    }
    for (unsigned i = 0; i < n->aps.c.key_count; i++) {
        const struct al_aps_link_key *k = &n->aps.c.keys[i];
        bool device = k->kind == AL_APS_KEY_UNIQUE && k->partner != n->nwk.ext;
        if (k->partner && device && !listed(list, k->partner)) add_device(list, n, k->partner);
    }
}

/* Install codes of devices that may still come, and the application's records. */
static void add_own(cJSON *doc, const struct al_node *n)
{
    uint8_t data[ZB_FILE_RECORD_MAX];
    cJSON *own = cJSON_AddObjectToObject(cJSON_AddObjectToObject(doc, "stack_specific"), "airlift");
    cJSON_AddNumberToObject(own, "aps_frame_counter", n->aps.tx_counter);
    cJSON *codes = cJSON_AddArrayToObject(own, "install_code_keys");
    for (unsigned i = 0; i < n->aps.c.key_count; i++) {
        const struct al_aps_link_key *k = &n->aps.c.keys[i];
        if (!k->partner || k->kind != AL_APS_KEY_INSTALL_CODE) continue;
        cJSON *code = cJSON_CreateObject();
        cJSON_AddItemToArray(codes, code);
        add_number_hex(code, "ieee_address", k->partner, 16);
        add_hex(code, "key", k->key, sizeof k->key);
    }
    cJSON *records = cJSON_AddObjectToObject(own, "records");
    const struct al_zb_store *s = n->c.store;
    for (uint32_t number = KEPT_FROM; s && number <= 0xffff; number++) {
        int len = s->load(s->ctx, (uint16_t)number, data, sizeof data);
        char name[8];
        snprintf(name, sizeof name, "%04x", (unsigned)number);
        if (len > 0) add_hex(records, name, data, (size_t)len);
    }
}

cJSON *zb_backup_make(const struct al_node *n)
{
    const struct al_nwk_key *key = al_nwk_active_key(&n->nwk);
    cJSON *doc = key && n->nwk.addr != AL_NWK_NO_ADDR ? cJSON_CreateObject() : NULL;
    if (!doc) return NULL;
    add_metadata(doc);
    add_own(doc, n);
    add_network(doc, &n->nwk, key);
    add_devices(doc, n);
    return doc;
}

int zb_backup_write(const struct al_node *n, const char *path, char *error, size_t error_size)
{
    cJSON *doc = zb_backup_make(n);
    char *text = doc ? cJSON_Print(doc) : NULL;
    cJSON_Delete(doc);
    if (!text) {
        snprintf(error, error_size, "there is no network to back up");
        return AL_FAIL;
    }
    int err = file_write(path, text, strlen(text), 0600);
    if (err) snprintf(error, error_size, "%s cannot be written: %s", path, strerror(-err));
    free(text);
    return err ? AL_FAIL : 0;
}

/* ---- Reading ---- */

struct reader {
    char *error;
    size_t error_size;
    bool failed;
};

static void wrong(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void wrong(struct reader *r, const char *format, ...)
{
    va_list args;
    if (r->failed) return;
    r->failed = true;
    va_start(args, format);
    vsnprintf(r->error, r->error_size, format, args);
    va_end(args);
}

static int digit(char c)
{
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

static bool parse_hex(const char *text, uint8_t *out, size_t len)
{
    if (!text || strlen(text) != 2 * len) return false;
    for (size_t i = 0; i < len; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static void get_hex(struct reader *r, const cJSON *from, const char *name, uint8_t *out, size_t len)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(from, name));
    if (!parse_hex(text, out, len))
        wrong(r, "%s: expected %zu hexadecimal digits, found %s", name, 2 * len,
              text ? text : "no text");
}

static uint64_t get_number_hex(struct reader *r, const cJSON *from, const char *name, size_t len)
{
    uint8_t bytes[8] = {0};
    uint64_t value = 0;
    get_hex(r, from, name, bytes, len);
    for (size_t i = 0; i < len; i++) value = value << 8 | bytes[i];
    return value;
}

static uint32_t get_number(struct reader *r, const cJSON *from, const char *name, uint32_t min,
                           uint32_t max)
{
    const cJSON *item = cJSON_GetObjectItem(from, name);
    double value = cJSON_GetNumberValue(item);
    if (cJSON_IsNumber(item) && value >= min && value <= max && value == (double)(uint32_t)value)
        return (uint32_t)value;
    wrong(r, "%s: expected a number from %u to %u", name, min, max);
    return 0;
}

struct network {
    uint64_t ext, epid;
    uint16_t pan_id;
    uint8_t channel, update_id, key[16], key_seq;
    uint32_t counter, aps_counter;
};

static void get_network(struct reader *r, const cJSON *doc, struct network *w)
{
    const cJSON *meta = cJSON_GetObjectItem(doc, "metadata"),
                *key = cJSON_GetObjectItem(doc, "network_key");
    const char *format = cJSON_GetStringValue(cJSON_GetObjectItem(meta, "format"));
    if (!format || strcmp(format, FORMAT) != 0)
        wrong(r, "metadata.format: expected \"" FORMAT "\", found \"%s\"", format ? format : "");
    get_number(r, meta, "version", FORMAT_VERSION, FORMAT_VERSION);
    if (get_number(r, doc, "security_level", 0, 7) != SECURITY)
        wrong(r, "security_level: only 5 is supported");
    w->ext = get_number_hex(r, doc, "coordinator_ieee", 8);
    w->epid = get_number_hex(r, doc, "extended_pan_id", 8);
    w->pan_id = (uint16_t)get_number_hex(r, doc, "pan_id", 2);
    w->channel = (uint8_t)get_number(r, doc, "channel", 11, 26);
    w->update_id = (uint8_t)get_number(r, doc, "nwk_update_id", 0, 255);
    get_hex(r, key, "key", w->key, sizeof w->key);
    w->key_seq = (uint8_t)get_number(r, key, "sequence_number", 0, 255);
    w->counter = get_number(r, key, "frame_counter", 0, UINT32_MAX);
    if (!w->ext || w->ext == UINT64_MAX) wrong(r, "coordinator_ieee: no address");
    if (w->pan_id == 0xffff) wrong(r, "pan_id: ffff is none");
    if (w->counter > COUNTER_MAX) wrong(r, "network_key.frame_counter: is used up; change the key");
}

/* Programs write 0xffff or 0xfffe where they do not know it. */
static bool device_address(uint16_t addr)
{
    return addr != AL_NWK_COORDINATOR && addr < AL_NWK_BROADCAST_MIN;
}

static void restore_child(struct reader *r, struct al_node *n, const cJSON *d, uint64_t ext,
                          uint16_t addr)
{
    if (r->failed || !device_address(addr)) return;
    bool known = cJSON_HasObjectItem(d, "capability");
    if (!cJSON_IsTrue(cJSON_GetObjectItem(d, "is_child")) || !known) {
        al_nwk_learn(&n->nwk, 0, addr, ext); /* it will find its parent itself */
        return;
    }
    uint8_t capability = (uint8_t)get_number(r, d, "capability", 0, UINT8_MAX);
    uint8_t timeout = (uint8_t)get_number(r, d, "timeout_index", 0, TIMEOUT_MAX);
    if (r->failed) return;
    for (unsigned i = 0; i < n->nwk.c.neighbour_count; i++) {
        struct al_nwk_neighbour *child = &n->nwk.c.neighbours[i];
        if (child->relation) continue;
        child->relation = AL_NWK_CHILD;
        child->ext = ext;
        child->addr = addr;
        child->capability = capability;
        child->timeout_index = timeout;
        al_nwk_save_child(&n->nwk, 0, child);
        return;
    }
}

static void restore_device(struct reader *r, struct al_node *n, const cJSON *d, uint32_t *counter)
{
    uint8_t bytes[16];
    uint64_t ext = get_number_hex(r, d, "ieee_address", 8);
    const cJSON *addr = cJSON_GetObjectItem(d, "nwk_address"),
                *key = cJSON_GetObjectItem(d, "link_key");
    if (!ext || ext == UINT64_MAX || ext == n->nwk.ext) return; /* lists may have such places */
    if (addr && !cJSON_IsNull(addr) && !r->failed)
        restore_child(r, n, d, ext, (uint16_t)get_number_hex(r, d, "nwk_address", 2));
    if (!cJSON_IsObject(key) || r->failed) return;
    get_hex(r, key, "key", bytes, sizeof bytes);
    uint32_t rx = get_number(r, key, "rx_counter", 0, UINT32_MAX);
    uint32_t tx = get_number(r, key, "tx_counter", 0, UINT32_MAX);
    if (tx > *counter) *counter = tx;
    if (r->failed) return;
    struct al_aps_link_key *k = al_aps_set_key(&n->aps, ext, bytes, AL_APS_KEY_UNIQUE);
    if (!k) {
        wrong(r, "devices: more than fit");
        return;
    }
    k->verified = true;
    k->rx_known = rx != 0;
    k->rx_counter = rx;
    if (al_aps_save_key(&n->aps, k)) wrong(r, "the state cannot be saved");
}

static void restore_own(struct reader *r, struct al_node *n, const cJSON *own, uint32_t *counter)
{
    uint8_t data[ZB_FILE_RECORD_MAX];
    const cJSON *item;
    const struct al_zb_store *s = n->c.store;
    if (!own) return;
    uint32_t aps = get_number(r, own, "aps_frame_counter", 0, UINT32_MAX);
    if (aps > *counter) *counter = aps;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(own, "install_code_keys"))
    {
        get_hex(r, item, "key", data, 16);
        uint64_t ext = get_number_hex(r, item, "ieee_address", 8);
        if (!r->failed && !al_aps_set_key(&n->aps, ext, data, AL_APS_KEY_INSTALL_CODE))
            wrong(r, "install_code_keys: more than fit");
    }
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(own, "records"))
    {
        const char *text = cJSON_GetStringValue(item), *name = item->string ? item->string : "";
        size_t len = text ? strlen(text) / 2 : 0;
        unsigned long number = strtoul(name, NULL, 16);
        if (number < KEPT_FROM || number > 0xffff || len > sizeof data ||
            !parse_hex(text, data, len))
            wrong(r, "stack_specific.airlift.records: \"%s\" is no record", name);
        if (!r->failed && s->save(s->ctx, (uint16_t)number, data, len))
            wrong(r, "the state cannot be saved");
    }
}

/* The node's own code writes the records; nothing goes on the air. */
static int no_configure(void *ctx, const struct al_radio_config *c)
{
    return 0;
}
static int no_transmit(void *ctx, const uint8_t *mpdu, uint8_t len)
{
    return 0;
}
static int no_pending(void *ctx, bool extended, uint64_t addr, bool pending)
{
    return 0;
}
static int no_scan(void *ctx, uint8_t channel, uint32_t us)
{
    return 0;
}
static const struct al_radio no_radio = {NULL, no_configure, no_transmit, no_pending, no_scan};

static void fill(struct reader *r, struct al_node *n, const cJSON *doc, const struct network *w)
{
    uint32_t aps_counter = 0;
    const cJSON *d;
    const struct al_zb_store *s = n->c.store;
    uint8_t address[8];
    al_put_le64(address, w->ext);
    if (s->save(s->ctx, AL_ZB_REC_ADDRESS, address, sizeof address) ||
        al_nwk_form(&n->nwk, 0, w->channel, w->pan_id, w->epid))
        wrong(r, "the state cannot be saved");
    al_trust_new_network(&n->trust, 0, w->key);
    n->nwk.keys[n->nwk.active_key].seq = w->key_seq;
    al_nwk_save_keys(&n->nwk, 0);
    n->nwk.update_id = w->update_id;
    al_nwk_save_network(&n->nwk, 0);
    cJSON_ArrayForEach(d, cJSON_GetObjectItem(doc, "devices"))
    {
        restore_device(r, n, d, &aps_counter);
    }
    restore_own(r, n, cJSON_GetObjectItem(cJSON_GetObjectItem(doc, "stack_specific"), "airlift"),
                &aps_counter);
    n->nwk.counter = n->nwk.counter_reserved = w->counter + COUNTER_RAISE;
    n->aps.tx_counter = n->aps.tx_reserved =
        aps_counter < COUNTER_MAX ? aps_counter + COUNTER_RAISE : COUNTER_MAX;
    if (al_nwk_save_counter(&n->nwk) || al_aps_take_counter(&n->aps, &aps_counter))
        wrong(r, "the state cannot be saved");
}

int zb_backup_restore(const cJSON *backup, const struct al_zb_store *store, char *error,
                      size_t error_size)
{
    struct reader r = {error, error_size, false};
    struct network w;
    uint8_t byte;
    if (store->load(store->ctx, AL_ZB_REC_NETWORK, &byte, 1) > 0) {
        snprintf(error, error_size,
                 "the state holds a network already: give a new file, or go on without the backup");
        return AL_ERR_INVALID_STATE;
    }
    get_network(&r, backup, &w);
    if (r.failed) return AL_ERR_INVALID_ARG;
    unsigned devices = (unsigned)cJSON_GetArraySize(cJSON_GetObjectItem(backup, "devices"));
    struct al_node_config c = {
        .radio = &no_radio,
        .store = store,
        .ext = w.ext,
        .role = AL_NWK_ROLE_COORDINATOR,
        .sizes = al_node_sizes_coordinator(
            (uint16_t)(devices > DEVICES_MIN ? devices < 1000 ? devices : 1000 : DEVICES_MIN)),
    };
    struct zb_node zb;
    if (zb_node_open(&zb, &c, 0)) {
        snprintf(error, error_size, "not enough memory");
        return AL_ERR_NO_MEM;
    }
    fill(&r, &zb.node, backup, &w);
    /* Half a network must not be taken for one. */
    if (r.failed) al_node_factory_reset(&zb.node, 0);
    zb_node_close(&zb);
    return r.failed ? AL_ERR_INVALID_ARG : 0;
}

int zb_backup_read(const char *path, const struct al_zb_store *store, char *error,
                   size_t error_size)
{
    uint8_t *text;
    size_t len;
    char why[300];
    int err = file_read(path, FILE_MAX, &text, &len);
    if (err) {
        snprintf(error, error_size, "%s cannot be read: %s", path, strerror(-err));
        return AL_ERR_INVALID_ARG;
    }
    cJSON *doc = cJSON_Parse((const char *)text);
    free(text);
    if (!doc) {
        snprintf(error, error_size, "%s is no JSON", path);
        return AL_ERR_INVALID_ARG;
    }
    err = zb_backup_restore(doc, store, why, sizeof why);
    if (err) snprintf(error, error_size, "%s: %s", path, why);
    cJSON_Delete(doc);
    return err;
}
