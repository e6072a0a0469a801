/* zigbee pack: Zigbee OTA files, with the option names of both of Espressif's image tools.
 * Elements lie in the order of the options: --tag, then the image, the integrity code, the
 * certificate, and the signature at the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/zigbee.h"
#include "cli/zigbee_file.h"
#include "core/bytes.h"
#include "core/err.h"
#include "zigbee/ota_build.h"

#define MAX_ELEMENTS 32

const struct cli_option zigbee_pack_options[] = {
    {"--manufacturer", "ID", "manufacturer code; needed", false},
    {"--manuf-id", "ID", "same as --manufacturer", false},
    {"-m", "ID", "same as --manufacturer", false},
    {"--image-type", "ID", "image type, below 0xffc0 for firmware; needed", false},
    {"-i", "ID", "same as --image-type", false},
    {"--file-version", "N", "version of the file; needed", false},
    {"--version", "N", "same as --file-version", false},
    {"-v", "N", "same as --file-version", false},
    {"--out", "FILE", "where to; default: MMMM-TTTT-VVVVVVVV-ota-file.zigbee by the ids", false},
    {"--create", "FILE", "same as --out", false},
    {"-c", "FILE", "same as --out", false},
    {"--stack-version", "N", "Zigbee stack version; default 2, Zigbee PRO", false},
    {"-s", "N", "same as --stack-version", false},
    {"--header-string", "TEXT", "up to 32 bytes for people", false},
    {"--header_string", "TEXT", "same as --header-string", false},
    {"-g", "TEXT", "same as --header-string", false},
    {"--header-version", "N", "default 0x0100", false},
    {"-r", "N", "same as --header-version", false},
    {"--file-id", "N", "magic number of the format: 0x0BEEF11E", false},
    {"-d", "N", "same as --file-id", false},
    {"--security-credentials", "N", "credential version; 0 to 3 have a meaning", false},
    {"--upgrade-dest", "EUI", "EUI-64 of the only device that the file is for", false},
    {"--min-hw-ver", "N", "least hardware version; with --max-hw-ver", false},
    {"--max-hw-ver", "N", "highest hardware version", false},
    {"--tag", "TAG [LENGTH] FILE", "an element: tag, how many bytes of the file (default: all)",
     true},
    {"--tag-file", "FILE", "the image, instead of the operand", false},
    {"-f", "FILE", "same as --tag-file", false},
    {"--tag-id", "TAG", "tag of the image; default 0", false},
    {"-t", "TAG", "same as --tag-id", false},
    {"--tag-length", "N", "how many bytes of the image; default: all", false},
    {"-l", "N", "same as --tag-length", false},
    {"--integrity", "[value|tag]",
     "add the integrity code: of all up to its value (default), or "
     "up to its tag",
     false},
    {"--sign-key", "KEY", "add an ECDSA signature by this private key", false},
    {"--certificate", "CERT", "with --sign-key: the signer's certificate, added too", false},
    {"--signer", "EUI", "with --sign-key: EUI-64 of the signer; default: the certificate's", false},
    {"--ca-key", "PUB", "with --certificate: check that key and certificate belong together",
     false},
    {0},
};

struct element {
    uint16_t tag;
    uint32_t length;
    uint8_t *data; /* malloc'ed */
};

struct pack {
    const struct cli_args *a;
    struct al_zfile_header header;
    struct element element[MAX_ELEMENTS];
    size_t count;
    bool integrity;
    enum al_zfile_coverage coverage;
    struct zigbee_key *key;
    const struct zigbee_suite *suite; /* with key */
    uint8_t *certificate;             /* NULL: none */
    uint64_t signer;
    struct aes_openssl *aes;
    uint8_t *out;
    size_t len;
};

static uint32_t number(struct pack *p, const char *option, uint32_t fallback, uint32_t max,
                       bool *ok)
{
    return (uint32_t)cli_number(p->a, option, fallback, max, ok);
}

/* What may not be missing. */
static int check_needed(const struct cli_args *a)
{
    static const char *const needed[] = {"--manufacturer", "--image-type", "--file-version"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!cli_has(a, needed[i])) return cli_usage(a, "%s is missing", needed[i]);
    if (cli_has(a, "--min-hw-ver") != cli_has(a, "--max-hw-ver"))
        return cli_usage(a, "--min-hw-ver and --max-hw-ver: both or none; a file has a range");
    return CLI_OK;
}

static int read_header_string(struct pack *p)
{
    const char *text = cli_value(p->a, "--header-string");
    size_t len = text ? strlen(text) : 0;
    if (len > AL_ZFILE_STRING)
        return cli_usage(p->a, "--header-string has %zu bytes, the header has room for 32", len);
    if (len) memcpy(p->header.string, text, len);
    return CLI_OK;
}

static int read_optional_fields(struct pack *p)
{
    struct al_zfile_header *h = &p->header;
    bool ok = true;
    h->credential_version = (uint8_t)number(p, "--security-credentials", 0, 0xff, &ok);
    h->destination = zigbee_eui_option(p->a, "--upgrade-dest", &ok);
    h->min_hardware = (uint16_t)number(p, "--min-hw-ver", 0, 0xffff, &ok);
    h->max_hardware = (uint16_t)number(p, "--max-hw-ver", 0, 0xffff, &ok);
    if (cli_has(p->a, "--security-credentials")) h->field_control |= AL_ZFILE_HAS_CREDENTIAL;
    if (cli_has(p->a, "--upgrade-dest")) h->field_control |= AL_ZFILE_HAS_DESTINATION;
    if (cli_has(p->a, "--min-hw-ver")) h->field_control |= AL_ZFILE_HAS_HARDWARE;
    if (ok && h->min_hardware > h->max_hardware)
        return cli_usage(p->a, "--min-hw-ver 0x%04x is above --max-hw-ver 0x%04x", h->min_hardware,
                         h->max_hardware);
    return ok ? CLI_OK : CLI_USAGE;
}

static int read_header(struct pack *p)
{
    struct al_zfile_header *h = &p->header;
    bool ok = true;
    int status = check_needed(p->a);
    if (status != CLI_OK) return status;
    h->manufacturer = (uint16_t)number(p, "--manufacturer", 0, 0xffff, &ok);
    h->image_type = (uint16_t)number(p, "--image-type", 0, 0xffff, &ok);
    h->file_version = number(p, "--file-version", 0, UINT32_MAX, &ok);
    h->stack_version = (uint16_t)number(p, "--stack-version", 2, 0xffff, &ok);
    h->header_version =
        (uint16_t)number(p, "--header-version", AL_ZFILE_HEADER_VERSION, 0xffff, &ok);
    uint32_t magic = number(p, "--file-id", AL_ZFILE_MAGIC, UINT32_MAX, &ok);
    if (!ok) return CLI_USAGE;
    if (h->image_type == 0xffff || h->file_version == UINT32_MAX)
        return cli_usage(p->a, "image type 0xffff and file version 0xffffffff are wild cards, "
                               "which no file may have");
    if (magic != AL_ZFILE_MAGIC || h->header_version >> 8 != 1)
        return cli_usage(p->a, "a device reads only files with --file-id 0x0BEEF11E and "
                               "--header-version 0x01xx; leave both out");
    status = read_header_string(p);
    return status == CLI_OK ? read_optional_fields(p) : status;
}

/* length_text: how many bytes of the file; NULL: all. */
static int add_element(struct pack *p, const char *tag_text, const char *length_text,
                       const char *path)
{
    uint64_t tag = 0, length;
    size_t len;
    struct element *e = &p->element[p->count];
    if (p->count == MAX_ELEMENTS) return cli_usage(p->a, "more than %d elements", MAX_ELEMENTS);
    if (tag_text && !zigbee_number(p->a, "tag", tag_text, 0xffff, &tag)) return CLI_USAGE;
    if (length_text && !zigbee_number(p->a, "tag length", length_text, UINT32_MAX, &length))
        return CLI_USAGE;
    if (cli_read_file(path, ZIGBEE_FILE_MAX, &e->data, &len)) return CLI_FAILED;
    p->count++;
    if (!length_text) length = len;
    if (length > len)
        return cli_fail("%s: has %zu bytes, fewer than the tag length %llu", path, len,
                        (unsigned long long)length);
    if (tag == AL_ZFILE_UPGRADE_IMAGE && length == 0) return cli_fail("%s: is empty", path);
    e->tag = (uint16_t)tag;
    e->length = (uint32_t)length;
    return CLI_OK;
}

static int check_images(struct pack *p)
{
    size_t images = 0;
    for (size_t i = 0; i < p->count; i++) images += p->element[i].tag == AL_ZFILE_UPGRADE_IMAGE;
    if (p->count == 0) return cli_usage(p->a, "no image: FILE, --tag-file FILE or --tag 0 FILE");
    if (images > 1) return cli_usage(p->a, "more than one upgrade image (tag 0)");
    if (images == 0 && !cli_has(p->a, "--tag-id"))
        return cli_usage(p->a, "none of the elements is the upgrade image (tag 0)");
    return CLI_OK;
}

static int read_elements(struct pack *p)
{
    const struct cli_args *a = p->a;
    const char *image = cli_operand(a, 0), *const * words;
    size_t n;
    if (image && cli_has(a, "--tag-file"))
        return cli_usage(a, "the image twice: %s and --tag-file", image);
    if (!image) image = cli_value(a, "--tag-file");
    if (!image && (cli_has(a, "--tag-id") || cli_has(a, "--tag-length")))
        return cli_usage(a, "--tag-id and --tag-length belong to --tag-file");
    for (size_t i = 0; (words = cli_words_at(a, "--tag", i, &n)); i++) {
        int status = add_element(p, words[0], n == 3 ? words[1] : NULL, words[n - 1]);
        if (status != CLI_OK) return status;
    }
    int status = CLI_OK;
    if (image)
        status = add_element(p, cli_value(a, "--tag-id"), cli_value(a, "--tag-length"), image);
    return status == CLI_OK ? check_images(p) : status;
}

/* Raw, or hexadecimal digits. */
static int read_certificate(struct pack *p, const char *path)
{
    size_t len;
    if (cli_read_file(path, 4096, &p->certificate, &len)) return CLI_FAILED;
    len = zigbee_certificate_from_text(p->certificate, len);
    if (len != p->suite->certificate_len)
        return cli_fail("%s: no certificate for this key: %u bytes are needed (suite %d), raw or "
                        "as hexadecimal digits",
                        path, p->suite->certificate_len, p->suite->number);
    return CLI_OK;
}

static int check_certificate(struct pack *p, const char *ca_path)
{
    struct zigbee_key *ca, *own = NULL;
    int status = zigbee_load_key(ca_path, &ca);
    if (status != CLI_OK) return status;
    if (zigbee_key_of_certificate(p->suite, p->certificate, ca, aes_openssl_aes(p->aes), &own) ||
        !zigbee_key_same(own, p->key))
        status = cli_fail("the certificate of this authority is not for the key of --sign-key");
    zigbee_key_free(own);
    zigbee_key_free(ca);
    return status;
}

static int read_signer(struct pack *p)
{
    const struct cli_args *a = p->a;
    const char *certificate = cli_value(a, "--certificate"), *ca = cli_value(a, "--ca-key");
    bool ok = true;
    if (!cli_has(a, "--sign-key")) {
        if (certificate || ca || cli_has(a, "--signer"))
            return cli_usage(a, "--certificate, --signer and --ca-key need --sign-key");
        return CLI_OK;
    }
    if (!certificate && (ca || !cli_has(a, "--signer")))
        return cli_usage(a, ca ? "--ca-key needs --certificate"
                               : "who signs? --certificate CERT or --signer EUI");
    int status = zigbee_load_key(cli_value(a, "--sign-key"), &p->key);
    if (status != CLI_OK) return status;
    if (!zigbee_key_is_private(p->key))
        return cli_fail("%s: a public key cannot sign", cli_value(a, "--sign-key"));
    p->suite = zigbee_key_suite(p->key);
    if (certificate) status = read_certificate(p, certificate);
    if (status == CLI_OK && ca) status = check_certificate(p, ca);
    if (status != CLI_OK) return status;
    if (certificate) p->signer = zigbee_certificate_subject(p->suite, p->certificate);
    if (cli_has(a, "--signer")) p->signer = zigbee_eui_option(a, "--signer", &ok);
    if (!ok) return CLI_USAGE;
    if (certificate && p->signer != zigbee_certificate_subject(p->suite, p->certificate))
        return cli_fail("--signer is not the subject of the certificate; leave it out");
    return CLI_OK;
}

static int read_options(struct pack *p)
{
    const char *coverage = cli_value(p->a, "--integrity");
    p->integrity = cli_has(p->a, "--integrity");
    p->coverage =
        coverage && strcmp(coverage, "tag") == 0 ? AL_ZFILE_UP_TO_TAG : AL_ZFILE_UP_TO_VALUE;
    p->aes = aes_openssl_new();
    if (!p->aes) return cli_fail("out of memory");
    int status = read_header(p);
    if (status == CLI_OK) status = read_elements(p);
    return status == CLI_OK ? read_signer(p) : status;
}

static uint32_t total_size(const struct pack *p)
{
    uint32_t lengths[MAX_ELEMENTS + 3];
    size_t n = 0;
    for (; n < p->count; n++) lengths[n] = p->element[n].length;
    if (p->integrity) lengths[n++] = 16;
    if (p->certificate) lengths[n++] = p->suite->certificate_len;
    if (p->key) lengths[n++] = ZIGBEE_SIGNER_LEN + (uint32_t)p->suite->signature_len;
    return al_zbuild_size(p->header.field_control, lengths, n);
}

static int append(void *ctx, const void *data, size_t len)
{
    struct pack *p = ctx;
    memcpy(p->out + p->len, data, len);
    p->len += len;
    return 0;
}

static int put_element(struct al_zbuild *b, uint16_t tag, const uint8_t *data, uint32_t length)
{
    int err = al_zbuild_element(b, tag, length);
    return err ? err : al_zbuild_data(b, data, length);
}

static int put_signature(struct pack *p, struct al_zbuild *b)
{
    uint8_t signer[ZIGBEE_SIGNER_LEN], digest[16], signature[ZIGBEE_SIGNATURE_MAX];
    al_put_le64(signer, p->signer);
    int err = al_zbuild_element(b, p->suite->signature_tag,
                                ZIGBEE_SIGNER_LEN + (uint32_t)p->suite->signature_len);
    if (!err) err = al_zbuild_data(b, signer, sizeof signer);
    al_zbuild_digest(b, digest);
    if (!err) err = zigbee_sign(p->key, digest, signature);
    return err ? err : al_zbuild_data(b, signature, p->suite->signature_len);
}

static int build(struct pack *p)
{
    struct al_zbuild b;
    struct al_zbuild_sink sink = {p, append};
    int err = al_zbuild_begin(&b, &sink, aes_openssl_aes(p->aes), &p->header);
    for (size_t i = 0; !err && i < p->count; i++)
        err = put_element(&b, p->element[i].tag, p->element[i].data, p->element[i].length);
    if (!err && p->integrity) err = al_zbuild_integrity(&b, p->coverage);
    if (!err && p->certificate)
        err = put_element(&b, p->suite->certificate_tag, p->certificate, p->suite->certificate_len);
    if (!err && p->key) err = put_signature(p, &b);
    return err ? err : al_zbuild_end(&b);
}

static int write_out(struct pack *p)
{
    char name[64];
    const char *path = cli_value(p->a, "--out");
    const struct al_zfile_header *h = &p->header;
    if (!path) {
        snprintf(name, sizeof name, "%04X-%04X-%08X-ota-file.zigbee", h->manufacturer,
                 h->image_type, h->file_version);
        path = name;
    }
    if (cli_write_file(path, p->out, p->len)) return CLI_FAILED;
    if (!cli_json_wanted(p->a)) {
        cli_print("%s: %zu bytes\n", path, p->len);
        return CLI_OK;
    }
    struct zigbee_input in;
    int status = zigbee_input_open(&in, path);
    if (status == CLI_OK) {
        cJSON *doc = zigbee_describe(&in);
        cJSON_AddStringToObject(doc, "out", path);
        status = cli_print_json(doc);
    }
    zigbee_input_close(&in);
    return status;
}

int zigbee_pack_run(const struct cli_args *a)
{
    struct pack p = {.a = a};
    int status = read_options(&p);
    if (status == CLI_OK) {
        p.header.total_image_size = total_size(&p);
        p.out = p.header.total_image_size ? malloc(p.header.total_image_size) : NULL;
        if (!p.out) status = cli_fail("the file would be too large");
    }
    if (status == CLI_OK) {
        int err = build(&p);
        status = err ? cli_fail("the file cannot be built (-0x%x)", -err) : write_out(&p);
    }
    for (size_t i = 0; i < p.count; i++) free(p.element[i].data);
    zigbee_key_free(p.key);
    free(p.certificate);
    if (p.aes) aes_openssl_free(p.aes);
    free(p.out);
    return status;
}
