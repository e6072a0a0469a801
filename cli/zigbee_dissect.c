/* The way of a frame through the layers. See zigbee_dissect.h. */
#include "cli/zigbee_dissect_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "host/aes_openssl.h"
#include "host/crypto_openssl.h"
#include "host/zigbee_file.h"
#include "zigbee/fcs.h"
#include "zigbee/hash.h"

#define PROFILE_GREEN_POWER  0xa1e0u
#define PROFILE_LIGHT_LINK   0xc05eu
#define PROFILE_MANUFACTURER 0xc000u /* from there on: of manufacturers */

struct zigbee_dissector *zigbee_dissector_new(void)
{
    struct zigbee_dissector *d = calloc(1, sizeof *d);
    if (d) d->openssl = aes_openssl_new();
    if (!d || !d->openssl) {
        free(d);
        return NULL;
    }
    d->aes = aes_openssl_aes(d->openssl);
    zigbee_dissector_link_key(d, al_default_link_key);
    return d;
}

void zigbee_dissector_free(struct zigbee_dissector *d)
{
    if (d) aes_openssl_free(d->openssl);
    free(d);
}

bool zigbee_dissector_network_key(struct zigbee_dissector *d, const uint8_t key[16])
{
    for (unsigned i = 0; i < d->network_key_count; i++)
        if (memcmp(d->network_keys[i], key, 16) == 0) return true;
    if (d->network_key_count == DISSECT_KEYS_MAX) return false;
    memcpy(d->network_keys[d->network_key_count++], key, 16);
    return true;
}

bool zigbee_dissector_link_key(struct zigbee_dissector *d, const uint8_t key[16])
{
    for (unsigned i = 0; i < d->link_key_count; i++)
        if (memcmp(d->link_keys[i][AL_SEC_KEY_LINK], key, 16) == 0) return true;
    if (d->link_key_count == DISSECT_KEYS_MAX) return false;
    uint8_t(*forms)[16] = d->link_keys[d->link_key_count++];
    al_key_derive(d->aes, key, AL_KEY_DATA, forms[AL_SEC_KEY_LINK]);
    al_key_derive(d->aes, key, AL_KEY_TRANSPORT, forms[AL_SEC_KEY_TRANSPORT]);
    al_key_derive(d->aes, key, AL_KEY_LOAD, forms[AL_SEC_KEY_LOAD]);
    return true;
}

void zigbee_dissector_keys_of(struct zigbee_dissector *d, const struct zigbee_dissector *other)
{
    for (unsigned i = 0; i < other->network_key_count; i++)
        zigbee_dissector_network_key(d, other->network_keys[i]);
    for (unsigned i = 0; i < other->link_key_count; i++)
        zigbee_dissector_link_key(d, other->link_keys[i][AL_SEC_KEY_LINK]);
}

void dissect_learn_address(struct zigbee_dissector *d, uint16_t addr, uint64_t ext)
{
    unsigned i = 0;
    while (i < d->address_count && d->addresses[i].addr != addr) i++;
    if (i == DISSECT_ADDRESSES_MAX) return;
    if (i == d->address_count) d->address_count++;
    d->addresses[i].addr = addr;
    d->addresses[i].ext = ext;
}

/* 0: not known. */
static uint64_t ext_of(const struct zigbee_dissector *d, uint16_t addr)
{
    for (unsigned i = 0; i < d->address_count; i++)
        if (d->addresses[i].addr == addr) return d->addresses[i].ext;
    return 0;
}

/* Errors */

void dissect_error(struct dissection *x, const char *layer, const char *name, const char *format,
                   ...)
{
    char message[300];
    va_list list;
    if (cJSON_HasObjectItem(x->doc, "error")) return;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    cJSON *error = dissect_object(x->doc, "error");
    cJSON_AddStringToObject(error, "layer", layer);
    cJSON_AddStringToObject(error, "name", name);
    cJSON_AddStringToObject(error, "message", message);
}

void dissect_parse_error(struct dissection *x, const char *layer, const char *what, int err)
{
    switch (err) {
    case AL_ERR_SHORT:
        dissect_error(x, layer, "truncated", "the %s ends inside a field", what);
        return;
    case AL_ERR_INVALID_SIZE:
        dissect_error(x, layer, "bad_length", "the %s has a length that is not possible", what);
        return;
    case AL_ERR_INVALID_VERSION:
        dissect_error(x, layer, "bad_version", "the %s is of a version that Zigbee PRO has not",
                      what);
        return;
    case AL_ERR_INVALID_ARG:
        dissect_error(x, layer, "bad_field", "a field of the %s has a value that is not allowed",
                      what);
        return;
    default:
        dissect_error(x, layer, "unsupported", "the %s is of a kind that is not known here", what);
    }
}

/* JSON */

void dissect_eui(cJSON *o, const char *key, uint64_t eui)
{
    char text[ZIGBEE_EUI_TEXT];
    zigbee_eui_text(eui, text);
    cJSON_AddStringToObject(o, key, text);
}

void dissect_hex(cJSON *o, const char *key, const uint8_t *data, size_t len)
{
    char *text = malloc(2 * len + 1);
    if (!text) return;
    crypto_hex(data, len, text);
    text[2 * len] = 0;
    cJSON_AddStringToObject(o, key, text);
    free(text);
}

cJSON *dissect_object(cJSON *o, const char *key)
{
    return cJSON_AddObjectToObject(o, key);
}

static cJSON *security_object(cJSON *o, const struct al_aux *aux)
{
    static const char *const keys[] = {"link", "network", "key-transport", "key-load"};
    cJSON *s = dissect_object(o, "security");
    cJSON_AddStringToObject(s, "key", keys[aux->key_id]);
    cJSON_AddNumberToObject(s, "level", aux->level);
    cJSON_AddNumberToObject(s, "counter", aux->counter);
    if (aux->has_source) dissect_eui(s, "source", aux->source);
    if (aux->key_id == AL_SEC_KEY_NETWORK) cJSON_AddNumberToObject(s, "key_seq", aux->key_seq);
    return s;
}

/* APS */

/* With all keys that may be meant. */
static bool open_aps(struct dissection *x, struct al_aps_frame *f, uint8_t *plain)
{
    struct zigbee_dissector *d = x->d;
    uint64_t source = x->nwk.has_src_ext ? x->nwk.src_ext : ext_of(d, x->nwk.src);
    if (f->aux.key_id == AL_SEC_KEY_NETWORK) {
        for (unsigned i = 0; i < d->network_key_count; i++)
            if (al_aps_open(f, d->aes, d->network_keys[i], source, plain) == 0) return true;
        return false;
    }
    for (unsigned i = 0; i < d->link_key_count; i++)
        if (al_aps_open(f, d->aes, d->link_keys[i][f->aux.key_id], source, plain) == 0) return true;
    return false;
}

static void aps_header(cJSON *o, const struct al_aps_frame *f)
{
    static const char *const types[] = {"data", "command", "ack"};
    static const char *const deliveries[] = {"unicast", "", "broadcast", "group"};
    static const char *const fragments[] = {"whole", "first", "middle", "last"};
    cJSON_AddStringToObject(o, "type", types[f->type]);
    cJSON_AddStringToObject(o, "delivery", deliveries[f->delivery]);
    cJSON_AddBoolToObject(o, "ack_request", f->ack_request);
    cJSON_AddNumberToObject(o, "counter", f->counter);
    if (f->type == AL_APS_DATA || (f->type == AL_APS_ACK && !f->ack_format)) {
        if (f->delivery == AL_APS_GROUP)
            cJSON_AddNumberToObject(o, "group", f->group);
        else
            cJSON_AddNumberToObject(o, "dst_endpoint", f->dst_endpoint);
        cJSON_AddNumberToObject(o, "src_endpoint", f->src_endpoint);
        cJSON_AddNumberToObject(o, "cluster", f->cluster);
        cJSON_AddNumberToObject(o, "profile", f->profile);
    }
    if (!f->extended) return;
    cJSON_AddStringToObject(o, "fragment", fragments[f->fragment]);
    if (!f->fragment) return;
    bool total = f->fragment == AL_APS_FIRST && f->type == AL_APS_DATA;
    cJSON_AddNumberToObject(o, total ? "blocks" : "block", f->block);
    if (f->type == AL_APS_ACK) cJSON_AddNumberToObject(o, "ack_bits", f->ack_bits);
}

static struct dissect_message *message_of(struct dissection *x, const struct al_aps_frame *f)
{
    for (unsigned i = 0; i < DISSECT_MESSAGES; i++) {
        struct dissect_message *m = &x->d->messages[i];
        if (m->blocks && m->src == x->nwk.src && m->dst == x->nwk.dst && m->counter == f->counter)
            return m;
    }
    if (f->fragment != AL_APS_FIRST || f->block == 0 || f->block > DISSECT_BLOCKS_MAX) return NULL;
    struct dissect_message *m = &x->d->messages[x->d->next_message++ % DISSECT_MESSAGES];
    memset(m, 0, sizeof *m);
    m->src = x->nwk.src;
    m->dst = x->nwk.dst;
    m->counter = f->counter;
    m->blocks = f->block;
    return m;
}

/* The whole message, when f was its last missing block; its length in *len. malloc'ed. */
static uint8_t *reassemble(struct dissection *x, const struct al_aps_frame *f, size_t *len)
{
    struct dissect_message *m = message_of(x, f);
    unsigned index = f->fragment == AL_APS_FIRST ? 0 : f->block;
    if (!m || index >= m->blocks || m->there[index] || f->payload_len > DISSECT_BLOCK_MAX)
        return NULL;
    m->there[index] = true;
    m->len[index] = (uint8_t)f->payload_len;
    memcpy(m->data[index], f->payload, f->payload_len);
    if (++m->arrived < m->blocks) return NULL;
    uint8_t *whole = malloc(sizeof m->data);
    *len = 0;
    for (unsigned i = 0; whole && i < m->blocks; i++) {
        memcpy(whole + *len, m->data[i], m->len[i]);
        *len += m->len[i];
    }
    m->blocks = 0;
    return whole;
}

static bool profile_is_zcl(uint16_t profile)
{
    return profile == PROFILE_LIGHT_LINK || profile == AL_PROFILE_ANY ||
           (profile < PROFILE_MANUFACTURER && profile != PROFILE_GREEN_POWER);
}

static void asdu(struct dissection *x, cJSON *o, const struct al_aps_frame *f, const uint8_t *data,
                 size_t len)
{
    if (f->profile == AL_PROFILE_ZDP)
        dissect_zdp(x, f->cluster, data, len);
    else if (profile_is_zcl(f->profile))
        dissect_zcl(x, f->cluster, data, len);
    else
        dissect_hex(o, "payload", data, len);
}

static void aps_data(struct dissection *x, cJSON *o, const struct al_aps_frame *f)
{
    if (!f->extended || !f->fragment) {
        asdu(x, o, f, f->payload, f->payload_len);
        return;
    }
    size_t len;
    uint8_t *whole = reassemble(x, f, &len);
    dissect_hex(o, "payload", f->payload, f->payload_len);
    if (!whole) return;
    cJSON_AddNumberToObject(o, "reassembled", (double)len);
    asdu(x, o, f, whole, len);
    free(whole);
}

void dissect_aps(struct dissection *x, cJSON *o, const uint8_t *apdu, size_t len)
{
    struct al_aps_frame f;
    uint8_t plain[AL_MPDU_MAX + 2];
    int err = al_aps_parse(&f, apdu, len);
    if (err) {
        dissect_parse_error(x, "aps", "APS header", err);
        return;
    }
    aps_header(o, &f);
    if (f.secured) {
        cJSON *s = security_object(o, &f.aux);
        bool opened = len <= sizeof plain && open_aps(x, &f, plain);
        cJSON_AddBoolToObject(s, "decrypted", opened);
        if (!opened) {
            dissect_error(x, "aps", "no_key",
                          "none of the known keys opens it (%u link keys, %u network keys): give "
                          "the device's link key by --link-key, or the frame was changed",
                          x->d->link_key_count, x->d->network_key_count);
            dissect_hex(o, "encrypted", f.payload, f.payload_len);
            return;
        }
    }
    if (f.type == AL_APS_COMMAND)
        dissect_aps_command(x, dissect_object(o, "command"), f.payload, f.payload_len);
    else if (f.type == AL_APS_DATA)
        aps_data(x, o, &f);
}

/* NWK */

static void nwk_header(cJSON *o, const struct al_nwk_frame *f)
{
    cJSON_AddStringToObject(o, "type", f->type == AL_NWK_COMMAND ? "command" : "data");
    cJSON_AddNumberToObject(o, "dst", f->dst);
    cJSON_AddNumberToObject(o, "src", f->src);
    if (f->has_dst_ext) dissect_eui(o, "dst_ext", f->dst_ext);
    if (f->has_src_ext) dissect_eui(o, "src_ext", f->src_ext);
    cJSON_AddNumberToObject(o, "radius", f->radius);
    cJSON_AddNumberToObject(o, "seq", f->seq);
    cJSON_AddNumberToObject(o, "discover_route", f->discover_route);
    cJSON_AddBoolToObject(o, "end_device_initiator", f->end_device);
    if (!f->source_route) return;
    cJSON_AddNumberToObject(o, "relay_index", f->relay_index);
    cJSON *relays = cJSON_AddArrayToObject(o, "relays");
    for (unsigned i = 0; i < f->relay_count; i++)
        cJSON_AddItemToArray(relays, cJSON_CreateNumber(f->relays[i]));
}

static bool open_nwk(struct dissection *x, cJSON *o, struct al_nwk_frame *f, uint64_t sender,
                     uint8_t *plain)
{
    struct zigbee_dissector *d = x->d;
    cJSON *s = security_object(o, &f->aux);
    bool opened = false;
    for (unsigned i = 0; i < d->network_key_count && !opened; i++)
        opened = al_nwk_open(f, d->aes, d->network_keys[i], sender, plain) == 0;
    cJSON_AddBoolToObject(s, "decrypted", opened);
    if (opened) return true;
    dissect_error(x, "nwk", "no_key",
                  "none of the %u known network keys opens it: give it by --nwk-key, or begin the "
                  "capture before a device joins (key sequence %u); or the frame was changed",
                  d->network_key_count, f->aux.key_seq);
    dissect_hex(o, "encrypted", f->payload, f->payload_len);
    return false;
}

static void nwk_layer(struct dissection *x, const struct al_mac_frame *mac)
{
    struct al_nwk_frame f;
    uint8_t plain[AL_MPDU_MAX];
    cJSON *o = dissect_object(x->doc, "nwk");
    int err = al_nwk_parse(&f, mac->payload, mac->payload_len);
    if (err == AL_ERR_INVALID_VERSION && mac->payload_len && (mac->payload[0] >> 2 & 15) == 3) {
        dissect_error(x, "nwk", "unsupported", "a Green Power frame");
        return;
    }
    if (err) {
        dissect_parse_error(x, "nwk", "NWK header", err);
        return;
    }
    x->nwk = f;
    nwk_header(o, &f);
    uint64_t sender = ext_of(x->d, mac->src.short_addr);
    if (f.secured && !open_nwk(x, o, &f, sender, plain)) return;
    if (f.has_src_ext) dissect_learn_address(x->d, f.src, f.src_ext);
    if (f.secured && f.aux.has_source && mac->src.mode == AL_MAC_SHORT)
        dissect_learn_address(x->d, mac->src.short_addr, f.aux.source);
    if (f.type == AL_NWK_COMMAND)
        dissect_nwk_command(x, dissect_object(o, "command"), f.payload, f.payload_len);
    else
        dissect_aps(x, dissect_object(x->doc, "aps"), f.payload, f.payload_len);
}

/* MAC */

static void mac_address(cJSON *o, const struct al_mac_addr *a, const char *name, const char *pan)
{
    if (a->mode == AL_MAC_NONE) return;
    cJSON_AddNumberToObject(o, pan, a->pan);
    if (a->mode == AL_MAC_SHORT)
        cJSON_AddNumberToObject(o, name, a->short_addr);
    else
        dissect_eui(o, name, a->ext);
}

static void mac_beacon(struct dissection *x, cJSON *o, const struct al_mac_frame *f)
{
    struct al_mac_beacon b;
    int err = al_mac_beacon_parse(&b, f->payload, f->payload_len);
    cJSON_AddNumberToObject(o, "superframe", b.superframe);
    cJSON_AddBoolToObject(o, "pan_coordinator", (b.superframe & AL_SUPERFRAME_COORDINATOR) != 0);
    cJSON_AddBoolToObject(o, "permit_join", (b.superframe & AL_SUPERFRAME_PERMIT) != 0);
    if (err) {
        dissect_parse_error(x, "mac", "beacon", err);
        return;
    }
    cJSON_AddNumberToObject(o, "stack_profile", b.zigbee.profile);
    cJSON_AddNumberToObject(o, "protocol_version", b.zigbee.version);
    cJSON_AddBoolToObject(o, "router_capacity", b.zigbee.router_capacity);
    cJSON_AddNumberToObject(o, "depth", b.zigbee.depth);
    cJSON_AddBoolToObject(o, "end_device_capacity", b.zigbee.end_device_capacity);
    dissect_eui(o, "extended_pan_id", b.zigbee.epid);
    cJSON_AddNumberToObject(o, "tx_offset", b.zigbee.tx_offset);
    cJSON_AddNumberToObject(o, "update_id", b.zigbee.update_id);
}

/* false: the frame was damaged, there is no sense in reading on. */
static bool check_fcs(struct dissection *x, cJSON *o, const struct zigbee_frame *f)
{
    size_t len = f->len - 2;
    uint16_t there = al_get_le16(f->mpdu + len), right = al_fcs(0, f->mpdu, len);
    cJSON_AddNumberToObject(o, "fcs", there);
    cJSON_AddBoolToObject(o, "fcs_ok", there == right);
    if (there == right) return true;
    dissect_error(x, "mac", "bad_fcs",
                  "FCS at offset %zu is 0x%04x, the octets before give 0x%04x: the frame was "
                  "damaged, or has no FCS (--no-fcs)",
                  len, there, right);
    return false;
}

static void mac_layer(struct dissection *x, const struct zigbee_frame *frame)
{
    static const char *const types[] = {"beacon", "data", "ack", "command"};
    cJSON *o = dissect_object(x->doc, "mac");
    struct al_mac_frame f;
    size_t fcs = frame->has_fcs ? 2 : 0;
    if (frame->len < AL_MPDU_MIN + fcs || frame->len > AL_MPDU_MAX + fcs) {
        dissect_error(x, "mac", "bad_length", "%zu octets; a frame has %zu to %zu%s", frame->len,
                      AL_MPDU_MIN + fcs, AL_MPDU_MAX + fcs, fcs ? " with its FCS" : "");
        return;
    }
    if (fcs && !check_fcs(x, o, frame)) return;
    int err = al_mac_parse(&f, frame->mpdu, frame->len - fcs);
    if (err) {
        dissect_parse_error(x, "mac", "MAC header", err);
        return;
    }
    cJSON_AddStringToObject(o, "type", types[f.type]);
    cJSON_AddNumberToObject(o, "frame_control", f.fcf);
    cJSON_AddNumberToObject(o, "seq", f.seq);
    cJSON_AddBoolToObject(o, "pending", f.pending);
    cJSON_AddBoolToObject(o, "ack_request", f.ack_request);
    mac_address(o, &f.dst, "dst", "dst_pan");
    mac_address(o, &f.src, "src", "src_pan");
    if (f.type == AL_MAC_BEACON) mac_beacon(x, dissect_object(o, "beacon"), &f);
    if (f.type == AL_MAC_COMMAND) dissect_mac_command(x, dissect_object(o, "command"), &f);
    if (f.type == AL_MAC_DATA && f.payload_len) nwk_layer(x, &f);
}

cJSON *zigbee_dissect(struct zigbee_dissector *d, const struct zigbee_frame *f)
{
    struct dissection x = {.d = d, .doc = cJSON_CreateObject()};
    if (!x.doc) return NULL;
    cJSON_AddNumberToObject(x.doc, "number", (double)f->number);
    if (f->name[0]) cJSON_AddStringToObject(x.doc, "name", f->name);
    if (f->direction[0]) cJSON_AddStringToObject(x.doc, "direction", f->direction);
    if (f->time >= 0) cJSON_AddNumberToObject(x.doc, "time", f->time);
    cJSON_AddNumberToObject(x.doc, "length", (double)f->len);
    mac_layer(&x, f);
    return x.doc;
}
