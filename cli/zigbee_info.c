/* zigbee info and unpack: what is in a Zigbee OTA file. */
#include <stdlib.h>
#include <string.h>

#include "cli/zigbee.h"
#include "cli/zigbee_file.h"
#include "core/bytes.h"
#include "host/crypto_openssl.h"

static const char *const chains[] = {"none", "standard", "telink"};
static const char *const coverages[] = {"unknown", "up_to_value", "up_to_tag"};
static const char *const wrappings[] = {"none", "unknown bytes in front", "IKEA NGIS", "Legrand",
                                        "Third Reality"};

static void add_number(cJSON *o, const char *key, double n)
{
    cJSON_AddNumberToObject(o, key, n);
}

static void add_sha256(cJSON *o, const char *key, const uint8_t *data, size_t len)
{
    uint8_t digest[32];
    char hex[65];
    crypto_digest(AL_SHA256, data, len, digest);
    crypto_hex(digest, sizeof digest, hex);
    cJSON_AddStringToObject(o, key, hex);
}

static void header_string(const struct al_zfile_header *h, char out[AL_ZFILE_STRING + 1])
{
    memcpy(out, h->string, AL_ZFILE_STRING);
    out[AL_ZFILE_STRING] = 0;
}

static uint32_t trailing_bytes(const struct al_zfile *f)
{
    return f->source.size - f->start - f->header.total_image_size;
}

static void add_header(cJSON *doc, const struct al_zfile_header *h)
{
    cJSON *o = cJSON_AddObjectToObject(doc, "header");
    char text[AL_ZFILE_STRING + 1], hex[17];
    uint8_t destination[8];
    header_string(h, text);
    add_number(o, "file_identifier", AL_ZFILE_MAGIC);
    add_number(o, "header_version", h->header_version);
    add_number(o, "header_length", h->header_length);
    add_number(o, "field_control", h->field_control);
    add_number(o, "manufacturer_code", h->manufacturer);
    add_number(o, "image_type", h->image_type);
    add_number(o, "file_version", h->file_version);
    add_number(o, "stack_version", h->stack_version);
    cJSON_AddStringToObject(o, "header_string", text);
    add_number(o, "total_image_size", h->total_image_size);
    if (h->field_control & AL_ZFILE_HAS_CREDENTIAL)
        add_number(o, "security_credential_version", h->credential_version);
    if (h->field_control & AL_ZFILE_HAS_DESTINATION) {
        al_put_le64(destination, h->destination);
        crypto_hex(destination, sizeof destination, hex); /* as it lies in the file */
        cJSON_AddStringToObject(o, "upgrade_file_destination", hex);
    }
    if (h->field_control & AL_ZFILE_HAS_HARDWARE) {
        add_number(o, "minimum_hardware_version", h->min_hardware);
        add_number(o, "maximum_hardware_version", h->max_hardware);
    }
}

static void add_elements(cJSON *doc, const struct al_zfile *f)
{
    cJSON *list = cJSON_AddArrayToObject(doc, "elements");
    for (struct al_zfile_iter it = al_zfile_first(f); al_zfile_next(f, &it) == 1;) {
        cJSON *o = cJSON_CreateObject();
        add_number(o, "tag", it.element.tag);
        add_number(o, "length", it.element.length);
        add_number(o, "data_offset", it.element.offset);
        cJSON_AddItemToArray(list, o);
    }
}

static void add_integrity(cJSON *doc, const struct zigbee_input *in, const uint8_t *ota)
{
    enum al_zfile_coverage coverage;
    char hex[33];
    if (al_zfile_integrity(&in->file, aes_openssl_aes(in->aes), &coverage)) return;
    crypto_hex(ota + in->file.integrity.offset, 16, hex);
    cJSON_AddStringToObject(doc, "integrity_code", hex);
    cJSON_AddStringToObject(doc, "integrity_coverage", coverages[coverage]);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

cJSON *zigbee_describe(const struct zigbee_input *in)
{
    const struct al_zfile *f = &in->file;
    const uint8_t *ota = in->bytes.data + f->start;
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "file", base_name(in->path));
    add_number(doc, "size", (double)in->bytes.len);
    add_sha256(doc, "sha256", in->bytes.data, in->bytes.len);
    add_number(doc, "ota_offset", f->start);
    add_header(doc, &f->header);
    add_number(doc, "trailing_bytes", trailing_bytes(f));
    cJSON_AddStringToObject(doc, "element_chain", chains[f->chain]);
    add_elements(doc, f);
    add_integrity(doc, in, ota);
    if (f->images) {
        add_sha256(doc, "upgrade_image_sha256", ota + f->image.offset, f->image.length);
        add_number(doc, "upgrade_image_offset", f->image.offset);
    }
    return doc;
}

/* An entry of the public collection's index.json, which zigbee2mqtt and ZHA read. */
static cJSON *index_entry(const struct zigbee_input *in, const char *url)
{
    const struct al_zfile_header *h = &in->file.header;
    char text[AL_ZFILE_STRING + 1], sha[129];
    uint8_t digest[64];
    cJSON *doc = cJSON_CreateObject();
    header_string(h, text);
    zigbee_sha512(in->bytes.data, in->bytes.len, digest);
    crypto_hex(digest, sizeof digest, sha);
    cJSON_AddStringToObject(doc, "fileName", base_name(in->path));
    add_number(doc, "fileVersion", h->file_version);
    add_number(doc, "fileSize", h->total_image_size);
    cJSON_AddStringToObject(doc, "url", url ? url : base_name(in->path));
    add_number(doc, "imageType", h->image_type);
    add_number(doc, "manufacturerCode", h->manufacturer);
    cJSON_AddStringToObject(doc, "sha512", sha);
    cJSON_AddStringToObject(doc, "otaHeaderString", text);
    if (h->field_control & AL_ZFILE_HAS_HARDWARE) {
        add_number(doc, "hardwareVersionMin", h->min_hardware);
        add_number(doc, "hardwareVersionMax", h->max_hardware);
    }
    return doc;
}

static void print_optional(const struct al_zfile_header *h)
{
    char eui[ZIGBEE_EUI_TEXT];
    if (h->field_control & AL_ZFILE_HAS_CREDENTIAL)
        cli_print("credentials    %u\n", h->credential_version);
    zigbee_eui_text(h->destination, eui);
    if (h->field_control & AL_ZFILE_HAS_DESTINATION) cli_print("for device     %s only\n", eui);
    if (h->field_control & AL_ZFILE_HAS_HARDWARE)
        cli_print("hardware       0x%04x to 0x%04x\n", h->min_hardware, h->max_hardware);
}

static void print_text(const struct zigbee_input *in)
{
    const struct al_zfile *f = &in->file;
    const struct al_zfile_header *h = &f->header;
    char text[AL_ZFILE_STRING + 1];
    enum al_zfile_coverage coverage;
    header_string(h, text);
    cli_print("manufacturer   0x%04x\nimage type     0x%04x\nfile version   0x%08x\n",
              h->manufacturer, h->image_type, h->file_version);
    cli_print("stack version  %u\nheader string  %s\n", h->stack_version, text);
    print_optional(h);
    cli_print("total size     %u bytes, header %u\n", h->total_image_size, h->header_length);
    if (f->start || trailing_bytes(f))
        cli_print("wrapping       %s: begins at offset %u of the file, %u bytes behind\n",
                  wrappings[f->wrapping], f->start, trailing_bytes(f));
    for (struct al_zfile_iter it = al_zfile_first(f); al_zfile_next(f, &it) == 1;)
        cli_print("element 0x%04x %8u bytes at offset %-7u %s\n", it.element.tag, it.element.length,
                  it.element.offset, zigbee_tag_name(it.element.tag));
    if (f->chain == AL_ZFILE_CHAIN_NONE) cli_print("               the rest is no element\n");
    if (f->chain == AL_ZFILE_CHAIN_TELINK) cli_print("               in Telink's AES layout\n");
    if (al_zfile_integrity(f, aes_openssl_aes(in->aes), &coverage) == 0)
        cli_print("integrity      %s\n", coverage == AL_ZFILE_UP_TO_VALUE ? "right, up to its value"
                                         : coverage == AL_ZFILE_UP_TO_TAG
                                             ? "right, up to its tag"
                                             : "WRONG or of unknown kind");
}

static int refuse(const struct zigbee_input *in)
{
    char why[256];
    zigbee_fault_explain(&in->fault, why, sizeof why);
    return cli_fail("%s: %s", in->path, why);
}

int zigbee_info_run(const struct cli_args *a)
{
    struct zigbee_input in;
    int status = zigbee_input_open(&in, cli_operand(a, 0));
    if (status == CLI_OK && in.err) status = refuse(&in);
    if (status == CLI_OK && cli_has(a, "--index"))
        status = cli_print_json(index_entry(&in, cli_value(a, "--url")));
    else if (status == CLI_OK && cli_json_wanted(a))
        status = cli_print_json(zigbee_describe(&in));
    else if (status == CLI_OK)
        print_text(&in);
    zigbee_input_close(&in);
    return status;
}

/* The element to take out: the first of the tag, or the image. */
static int find_element(const struct cli_args *a, const struct zigbee_input *in,
                        struct al_zfile_element *e)
{
    const struct al_zfile *f = &in->file;
    uint64_t tag;
    if (!cli_has(a, "--tag")) {
        *e = f->image;
        return f->has_image ? CLI_OK
                            : cli_fail("%s: no upgrade image (tag 0x0000) in it; 'airlift zigbee "
                                       "info' lists what there is, --tag N takes another element",
                                       in->path);
    }
    if (!zigbee_number(a, "--tag", cli_value(a, "--tag"), 0xffff, &tag)) return CLI_USAGE;
    for (struct al_zfile_iter it = al_zfile_first(f); al_zfile_next(f, &it) == 1;) {
        *e = it.element;
        if (e->tag == tag) return CLI_OK;
    }
    return cli_fail("%s: no element with tag 0x%04x in it; 'airlift zigbee info' lists them",
                    in->path, (unsigned)tag);
}

/* An image of a file that does not verify is given only when asked for. */
static int check_before_unpacking(const struct zigbee_input *in, bool lenient)
{
    struct al_zfile_verdict v;
    char why[256];
    if (in->err) return refuse(in);
    if (al_zfile_check(&in->file, aes_openssl_aes(in->aes), &v))
        return cli_fail("%s: cannot be read", in->path);
    const struct al_zfile_fault *fault = al_zfile_error(&v, lenient);
    if (!fault) return CLI_OK;
    zigbee_fault_explain(fault, why, sizeof why);
    return cli_fail("%s: %s%s", in->path, why,
                    al_zfile_class_lenient(fault->class) ? "; --lenient unpacks it all the same"
                                                         : "");
}

int zigbee_unpack_run(const struct cli_args *a)
{
    const char *out = cli_value(a, "--out");
    struct zigbee_input in;
    struct al_zfile_element e = {0};
    if (!out) return cli_usage(a, "--out IMG is missing");
    int status = zigbee_input_open(&in, cli_operand(a, 0));
    if (status == CLI_OK) status = check_before_unpacking(&in, cli_has(a, "--lenient"));
    if (status == CLI_OK) status = find_element(a, &in, &e);
    if (status == CLI_OK)
        status = cli_write_file(out, in.bytes.data + in.file.start + e.offset, e.length);
    if (status == CLI_OK && cli_json_wanted(a)) {
        cJSON *doc = cJSON_CreateObject();
        cJSON_AddStringToObject(doc, "out", out);
        add_number(doc, "tag", e.tag);
        add_number(doc, "length", e.length);
        status = cli_print_json(doc);
    } else if (status == CLI_OK) {
        cli_print("%s: %u bytes of tag 0x%04x\n", out, e.length, e.tag);
    }
    zigbee_input_close(&in);
    return status;
}
