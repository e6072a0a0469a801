/* zigbee certificate: an implicit certificate of one's own authority, for signing. */
#include <time.h>

#include "cli/zigbee.h"
#include "cli/zigbee_file.h"
#include "core/err.h"

const struct cli_option zigbee_certificate_options[] = {
    {"--ca-key", "KEY", "private key of the authority; its curve is the crypto suite", false},
    {"--subject", "EUI", "EUI-64 of the signer", false},
    {"--issuer", "EUI", "EUI-64 that names the authority", false},
    {"--key-out", "FILE", "where the signer's new private key goes, PEM", false},
    {"--out", "CERT", "where the certificate goes, 48 or 74 raw bytes", false},
    {0},
};

int zigbee_certificate_run(const struct cli_args *a)
{
    uint8_t certificate[ZIGBEE_CERTIFICATE_MAX];
    struct zigbee_key *ca, *key;
    bool ok = true;
    for (const struct cli_option *o = zigbee_certificate_options; o->name; o++)
        if (!cli_has(a, o->name)) return cli_usage(a, "%s %s is missing", o->name, o->value);
    uint64_t subject = zigbee_eui_option(a, "--subject", &ok);
    uint64_t issuer = zigbee_eui_option(a, "--issuer", &ok);
    if (!ok) return CLI_USAGE;
    int status = zigbee_load_key(cli_value(a, "--ca-key"), &ca);
    if (status != CLI_OK) return status;
    struct aes_openssl *aes = aes_openssl_new();
    const struct zigbee_suite *s = zigbee_key_suite(ca);
    int err = aes ? zigbee_certify(ca, subject, issuer, (uint64_t)time(NULL), aes_openssl_aes(aes),
                                   certificate, &key)
                  : AL_ERR_NO_MEM;
    if (err == AL_ERR_INVALID_ARG)
        status = cli_fail("%s: a public key; the authority's private key is needed",
                          cli_value(a, "--ca-key"));
    else if (err)
        status = cli_fail("OpenSSL cannot make the certificate");
    if (!err) {
        err = zigbee_key_write(key, cli_value(a, "--key-out"));
        if (err) status = cli_fail("%s: cannot be written", cli_value(a, "--key-out"));
        if (!err) status = cli_write_file(cli_value(a, "--out"), certificate, s->certificate_len);
        if (status == CLI_OK && !cli_json_wanted(a))
            cli_print("%s: certificate of suite %d\n%s: its private key\n", cli_value(a, "--out"),
                      s->number, cli_value(a, "--key-out"));
        zigbee_key_free(key);
    }
    if (status == CLI_OK && cli_json_wanted(a)) {
        cJSON *doc = cJSON_CreateObject();
        cJSON_AddNumberToObject(doc, "suite", s->number);
        cJSON_AddNumberToObject(doc, "length", s->certificate_len);
        status = cli_print_json(doc);
    }
    if (aes) aes_openssl_free(aes);
    zigbee_key_free(ca);
    return status;
}
