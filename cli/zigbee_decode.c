/* zigbee decode: one frame of the OTA cluster, or all layers of captured frames. */
#include "cli/zigbee.h"
#include "cli/zigbee_dissect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPTURE_MAX ((size_t)1 << 30)

const struct cli_option zigbee_decode_options[] = {
    {"--layer", "zcl-ota|mac", "zcl-ota: a ZCL frame of the OTA cluster; mac: 802.15.4 frames",
     false},
    {"--nwk-key", "HEX", "mac: a network key, 32 digits", true},
    {"--link-key", "HEX", "mac: a link key, 32 digits; ZigBeeAlliance09 is known", true},
    {"--no-fcs", NULL, "mac: frames of text lines are without FCS", false},
    {0},
};

static bool key_from(const char *text, uint8_t key[16])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (; *text; text++) {
        if (*text == ':' || *text == ' ') continue;
        const char *at = strchr(digits, *text | 0x20);
        if (!at || !*at || n == 32) return false;
        unsigned value = (unsigned)(at - digits);
        key[n / 2] = (uint8_t)(n % 2 ? key[n / 2] | value : value << 4);
        n++;
    }
    return n == 32;
}

static int add_keys(const struct cli_args *a, struct zigbee_dissector *d, const char *option,
                    bool (*add)(struct zigbee_dissector *d, const uint8_t key[16]))
{
    const char *text;
    uint8_t key[16];
    for (size_t i = 0; (text = cli_value_at(a, option, i)); i++) {
        if (!key_from(text, key))
            return cli_usage(a, "%s '%s': a key is 32 hexadecimal digits", option, text);
        if (!add(d, key)) return cli_usage(a, "%s: too many keys", option);
    }
    return CLI_OK;
}

/* What people read as hexadecimal: addresses, ids, bit fields. */
static bool is_hex_key(const char *key)
{
    static const char *const keys[] = {
        "addr",
        "short_addr",
        "dst",
        "src",
        "dst_pan",
        "src_pan",
        "group",
        "cluster",
        "profile",
        "superframe",
        "manufacturer",
        "frame_control",
        "fcs",
        "server_mask",
        "new_pan",
        "capability",
        "manufacturerCode",
        "imageType",
        "fileVersion",
        "attr",
        "device_id",
        "cluster_id",
        "next_hop",
        "manager",
        "channels",
        "responder",
        "originator",
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i], key) == 0) return true;
    return false;
}

static void print_value(const cJSON *item)
{
    if (cJSON_IsString(item)) {
        cli_print("%s", item->valuestring);
    } else if (cJSON_IsNumber(item) && item->string && is_hex_key(item->string)) {
        cli_print("0x%04llx", (unsigned long long)item->valuedouble);
    } else {
        char *text = cJSON_PrintUnformatted(item);
        cli_print("%s", text ? text : "");
        free(text);
    }
}

/* "key=value key=value ..." of an object; members of objects as "outer.inner". */
static void print_members(const cJSON *o, const char *prefix)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, o)
    {
        if (cJSON_IsObject(item) && item->string) {
            char inner[128];
            snprintf(inner, sizeof inner, "%s%s.", prefix, item->string);
            print_members(item, inner);
            continue;
        }
        if (cJSON_IsFalse(item)) continue; /* what is not said is not so */
        cli_print(" %s%s", prefix, item->string ? item->string : "");
        if (cJSON_IsTrue(item)) continue;
        cli_print("=");
        print_value(item);
    }
}

/* A line for each layer. */
static void print_frame(const cJSON *doc)
{
    static const char *const layers[] = {"mac", "nwk", "aps", "zdp", "zcl"};
    const cJSON *time = cJSON_GetObjectItem(doc, "time");
    cli_print("%.0f", cJSON_GetNumberValue(cJSON_GetObjectItem(doc, "number")));
    if (time) cli_print("  %.6f s", cJSON_GetNumberValue(time));
    if (cJSON_HasObjectItem(doc, "name")) cli_print("  %s", cli_text_of(doc, "name"));
    cli_print("  %.0f octets\n", cJSON_GetNumberValue(cJSON_GetObjectItem(doc, "length")));
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const cJSON *layer = cJSON_GetObjectItem(doc, layers[i]);
        if (!layer) continue;
        cli_print("  %s ", layers[i]);
        print_members(layer, "");
        cli_print("\n");
    }
    const cJSON *error = cJSON_GetObjectItem(doc, "error");
    if (error)
        cli_print("  error  %s: %s: %s\n", cli_text_of(error, "layer"), cli_text_of(error, "name"),
                  cli_text_of(error, "message"));
}

struct counts {
    size_t frames, faults;
};

/* Into list, or as text when it is NULL. */
static int decode_all(struct zigbee_dissector *d, struct zigbee_frames *in, const char *path,
                      cJSON *list, struct counts *n)
{
    struct zigbee_frame frame;
    char error[200];
    int got;
    while ((got = zigbee_frames_next(in, &frame, error, sizeof error)) == 1) {
        cJSON *doc = zigbee_dissect(d, &frame);
        if (!doc) return cli_fail("out of memory");
        n->frames++;
        if (cJSON_HasObjectItem(doc, "error")) n->faults++;
        if (list) {
            cJSON_AddItemToArray(list, doc);
            continue;
        }
        print_frame(doc);
        cJSON_Delete(doc);
    }
    return got < 0 ? cli_fail("%s: %s", path, error) : CLI_OK;
}

/* A key is often told after the first frames that it protects: those of the coordinator before
 * a device joins. What is wrong with the file, decode_all() says. */
static void learn_keys(struct zigbee_dissector *d, const uint8_t *data, size_t len, bool no_fcs)
{
    char error[200];
    struct zigbee_frame frame;
    struct zigbee_dissector *ahead = zigbee_dissector_new();
    struct zigbee_frames *in = zigbee_frames_open(data, len, no_fcs, error, sizeof error);
    if (ahead && in) {
        zigbee_dissector_keys_of(ahead, d);
        while (zigbee_frames_next(in, &frame, error, sizeof error) == 1)
            cJSON_Delete(zigbee_dissect(ahead, &frame));
        zigbee_dissector_keys_of(d, ahead);
    }
    zigbee_frames_close(in);
    zigbee_dissector_free(ahead);
}

static int decode_data(const struct cli_args *a, struct zigbee_dissector *d, const uint8_t *data,
                       size_t len)
{
    char error[200];
    const char *path = cli_operand(a, 0);
    struct counts n = {0};
    struct zigbee_frames *in =
        zigbee_frames_open(data, len, cli_has(a, "--no-fcs"), error, sizeof error);
    if (!in) return cli_fail("%s: %s", path, error);
    cJSON *list = cli_json_wanted(a) ? cJSON_CreateArray() : NULL;
    learn_keys(d, data, len, cli_has(a, "--no-fcs"));
    int status = decode_all(d, in, path, list, &n);
    zigbee_frames_close(in);
    if (status == CLI_OK && n.frames == 0)
        status = cli_fail("%s: no 802.15.4 frame in it", path);
    else if (list && n.frames) {
        if (cli_print_json(list) != CLI_OK) status = CLI_FAILED;
        list = NULL;
    }
    cJSON_Delete(list);
    if (n.faults) {
        cli_warn("%zu of %zu frames could not be decoded to the end", n.faults, n.frames);
        status = CLI_FAILED;
    }
    return status;
}

int zigbee_decode_mac(const struct cli_args *a)
{
    uint8_t *data;
    size_t len;
    struct zigbee_dissector *d = zigbee_dissector_new();
    if (!d) return cli_fail("out of memory");
    int status = add_keys(a, d, "--nwk-key", zigbee_dissector_network_key);
    if (status == CLI_OK) status = add_keys(a, d, "--link-key", zigbee_dissector_link_key);
    if (status == CLI_OK) status = cli_read_file(cli_operand(a, 0), CAPTURE_MAX, &data, &len);
    if (status == CLI_OK) {
        status = decode_data(a, d, data, len);
        free(data);
    }
    zigbee_dissector_free(d);
    return status;
}

int zigbee_decode_run(const struct cli_args *a)
{
    const char *layer = cli_value(a, "--layer");
    return layer && strcmp(layer, "mac") == 0 ? zigbee_decode_mac(a) : zigbee_decode_ota(a);
}
