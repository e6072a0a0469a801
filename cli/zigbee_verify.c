/* zigbee verify: the reader's checks, the device's, and the signature's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/zigbee.h"
#include "cli/zigbee_file.h"
#include "core/bytes.h"

const struct cli_option zigbee_verify_options[] = {
    {"--lenient", NULL,
     "as a server that only forwards the file: odd elements, hashes and "
     "hardware ranges are warnings",
     false},
    {"--ext-addr", "EUI", "EUI-64 of a device: is the file for it?", false},
    {"--hw-ver", "N", "hardware version of the device", false},
    {"--space", "N", "bytes the device has for the image", false},
    {"--ca-key", "PUB",
     "public key of a certificate authority: a signature by one of its "
     "certificates is required",
     false},
    {"--key", "PUB", "public key of the signer: a signature by it is required", false},
    {"--signer", "EUI", "with --key or --ca-key: only this signer", true},
    {0},
};

/* What is found out, on the way to the document. */
struct verdict {
    const struct cli_args *a;
    const struct zigbee_input *in;
    bool lenient;
    struct al_zfile_verdict file;
    const char *class;
    int number; /* of the class; 0: valid or a signature's */
    uint32_t offset;
    bool valid, has_offset;
    char message[256];
    cJSON *warnings;
    cJSON *signature; /* NULL: none was looked at */
};

static void warn(struct verdict *v, const char *text)
{
    cJSON_AddItemToArray(v->warnings, cJSON_CreateString(text));
}

static void decide(struct verdict *v, const struct al_zfile_fault *f)
{
    v->valid = false;
    v->class = al_zfile_class_name(f->class);
    v->number = f->class;
    v->offset = f->offset;
    v->has_offset = true;
    zigbee_fault_explain(f, v->message, sizeof v->message);
}

static void check_file(struct verdict *v)
{
    char text[256 + 32];
    const struct al_zfile_fault *bad = al_zfile_error(&v->file, v->lenient);
    for (uint8_t i = 0; i < v->file.count; i++) {
        const struct al_zfile_fault *f = &v->file.fault[i];
        char why[256];
        if (f == bad) continue;
        zigbee_fault_explain(f, why, sizeof why);
        snprintf(text, sizeof text, "%s: %s", al_zfile_class_name(f->class), why);
        warn(v, text);
    }
    if (bad) decide(v, bad);
}

/* CLI_OK, or CLI_USAGE after a message. */
static int check_device(struct verdict *v)
{
    const struct cli_args *a = v->a;
    const struct al_zfile *f = &v->in->file;
    struct al_zfile_header h = f->header;
    struct al_zfile_fault fault;
    bool ok = true;
    struct al_zfile_device d = {
        .ext_addr = zigbee_eui_option(a, "--ext-addr", &ok),
        .has_hardware = cli_has(a, "--hw-ver"),
        .hardware = (uint16_t)cli_number(a, "--hw-ver", 0, 0xffff, &ok),
        .space = (uint32_t)cli_number(a, "--space", UINT32_MAX, UINT32_MAX, &ok),
    };
    if (!ok) return CLI_USAGE;
    if (!cli_has(a, "--ext-addr")) h.field_control &= (uint16_t)~AL_ZFILE_HAS_DESTINATION;
    int fit = al_zfile_check_device(&h, f->has_image ? f->image.length : 0, &d, &fault);
    if (fit < 0 && v->valid) decide(v, &fault);
    if (fit == AL_ZFILE_FITS_REVERSED)
        warn(v, "the destination's bytes are in reverse order, as a vendor's tool writes them");
    return CLI_OK;
}

static void bad_signature(struct verdict *v, const char *why)
{
    cJSON_AddBoolToObject(v->signature, "ok", false);
    cJSON_AddStringToObject(v->signature, "message", why);
    if (!v->valid) return;
    v->valid = false;
    v->class = "bad_signature";
    snprintf(v->message, sizeof v->message, "%s", why);
}

/* The signature's element, and its certificate's (length 0: none). NULL or what is wrong. */
static const char *find_signature(const struct al_zfile *f, struct al_zfile_element *signature,
                                  struct al_zfile_element *certificate)
{
    const struct zigbee_suite *s = NULL;
    signature->length = certificate->length = 0;
    for (struct al_zfile_iter it = al_zfile_first(f); al_zfile_next(f, &it) == 1;) {
        const struct zigbee_suite *of = zigbee_suite_of_tag(it.element.tag);
        if (!of) continue;
        if (s && of != s) return "elements of both crypto suites in one file";
        s = of;
        *(it.element.tag == s->signature_tag ? signature : certificate) = it.element;
    }
    if (!signature->length) return "the file has no signature element (tag 0x0001 or 0x0005)";
    if (signature->length != ZIGBEE_SIGNER_LEN + (uint32_t)s->signature_len)
        return "the signature element has a wrong length";
    if (certificate->length && certificate->length != s->certificate_len)
        return "the certificate element has a wrong length";
    return NULL;
}

static bool signer_allowed(const struct cli_args *a, uint64_t signer, bool *ok)
{
    const char *text;
    uint64_t eui;
    bool any = false;
    for (size_t i = 0; (text = cli_value_at(a, "--signer", i)); i++) {
        if (!zigbee_eui_parse(text, &eui)) {
            cli_usage(a, "--signer '%s' is no EUI-64; like 74:4d:bd:ff:fe:60:aa:02", text);
            *ok = false;
        }
        if (eui == signer) return true;
        any = true;
    }
    return !any;
}

/* The key that must have signed; NULL with what is wrong. given: of --key or --ca-key. */
static const char *signing_key(struct verdict *v, const struct zigbee_suite *s, uint64_t signer,
                               const struct al_zfile_element *certificate, struct zigbee_key *given,
                               struct zigbee_key **key)
{
    const uint8_t *ota = v->in->bytes.data + v->in->file.start;
    if (zigbee_key_suite(given) != s) return "the key is of the other crypto suite";
    if (cli_has(v->a, "--key")) {
        *key = given;
        return NULL;
    }
    if (!certificate->length) return "the file has no certificate element (tag 0x0002 or 0x0006)";
    if (zigbee_certificate_subject(s, ota + certificate->offset) != signer)
        return "the signer in the signature is not the subject of the certificate";
    if (zigbee_key_of_certificate(s, ota + certificate->offset, given, aes_openssl_aes(v->in->aes),
                                  key))
        return "the certificate holds no point of its curve";
    return NULL;
}

static const char *judge_signature(struct verdict *v, struct zigbee_key *given, bool *ok)
{
    const struct al_zfile *f = &v->in->file;
    struct al_zfile_element signature, certificate;
    uint8_t digest[16];
    char text[ZIGBEE_EUI_TEXT];
    struct zigbee_key *key = NULL;
    const char *why = find_signature(f, &signature, &certificate);
    if (why) return why;
    const uint8_t *data = v->in->bytes.data + f->start + signature.offset;
    const struct zigbee_suite *s = zigbee_suite_of_tag(signature.tag);
    uint64_t signer = al_get_le64(data);
    zigbee_eui_text(signer, text);
    cJSON_AddNumberToObject(v->signature, "suite", s->number);
    cJSON_AddStringToObject(v->signature, "signer", text);
    if (!signer_allowed(v->a, signer, ok)) return "the signer is none of those of --signer";
    why = signing_key(v, s, signer, &certificate, given, &key);
    if (!why && al_zfile_digest(f, aes_openssl_aes(v->in->aes), f->header.total_image_size,
                                signature.offset + ZIGBEE_SIGNER_LEN, s->signature_len, digest))
        why = "the file cannot be read";
    if (!why && !zigbee_signature_ok(key, digest, data + ZIGBEE_SIGNER_LEN))
        why = "the signature is not by this key over these bytes";
    if (key != given) zigbee_key_free(key);
    return why;
}

static int check_signature(struct verdict *v)
{
    const char *path = cli_value(v->a, "--key");
    struct zigbee_key *given;
    bool ok = true;
    if (!path) path = cli_value(v->a, "--ca-key");
    if (!path) return CLI_OK;
    int status = zigbee_load_key(path, &given);
    if (status != CLI_OK) return status;
    v->signature = cJSON_CreateObject();
    const char *why = judge_signature(v, given, &ok);
    zigbee_key_free(given);
    if (why)
        bad_signature(v, why);
    else
        cJSON_AddBoolToObject(v->signature, "ok", true);
    return ok ? CLI_OK : CLI_USAGE;
}

static int check_all(struct verdict *v)
{
    if (v->in->err) {
        decide(v, &v->in->fault);
        return CLI_OK;
    }
    if (al_zfile_check(&v->in->file, aes_openssl_aes(v->in->aes), &v->file))
        return cli_fail("%s: cannot be read", v->in->path);
    check_file(v);
    int status = check_device(v);
    return status == CLI_OK ? check_signature(v) : status;
}

static cJSON *to_json(struct verdict *v)
{
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddBoolToObject(doc, "valid", v->valid);
    cJSON_AddStringToObject(doc, "class", v->class);
    cJSON_AddNumberToObject(doc, "number", v->number);
    if (v->has_offset)
        cJSON_AddNumberToObject(doc, "offset", v->offset);
    else
        cJSON_AddNullToObject(doc, "offset");
    cJSON_AddStringToObject(doc, "message", v->message);
    cJSON_AddItemToObject(doc, "warnings", v->warnings);
    if (v->signature) cJSON_AddItemToObject(doc, "signature", v->signature);
    return doc;
}

static int tell(struct verdict *v)
{
    if (cli_json_wanted(v->a)) {
        int status = cli_print_json(to_json(v));
        return v->valid ? status : CLI_FAILED;
    }
    const cJSON *w;
    cJSON_ArrayForEach(w, v->warnings)
    {
        cli_warn("warning: %s: %s", v->in->path, w->valuestring);
    }
    if (v->valid)
        cli_print("%s: valid%s\n", v->in->path, v->signature ? ", signature right" : "");
    else
        cli_fail("%s: %s (class %s)", v->in->path, v->message, v->class);
    cJSON_Delete(v->warnings);
    cJSON_Delete(v->signature);
    return v->valid ? CLI_OK : CLI_FAILED;
}

int zigbee_verify_run(const struct cli_args *a)
{
    struct zigbee_input in;
    if (cli_has(a, "--key") && cli_has(a, "--ca-key"))
        return cli_usage(a, "--key and --ca-key: one of them");
    if (cli_has(a, "--signer") && !cli_has(a, "--ca-key") && !cli_has(a, "--key"))
        return cli_usage(a, "--signer needs --key or --ca-key");
    struct verdict v = {
        .a = a, .in = &in, .lenient = cli_has(a, "--lenient"), .class = "ok", .valid = true};
    int status = zigbee_input_open(&in, cli_operand(a, 0));
    v.warnings = cJSON_CreateArray();
    if (status == CLI_OK) status = check_all(&v);
    if (status == CLI_OK) {
        status = tell(&v);
    } else {
        cJSON_Delete(v.warnings);
        cJSON_Delete(v.signature);
    }
    zigbee_input_close(&in);
    return status;
}
