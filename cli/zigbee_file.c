/* Opening of Zigbee OTA files and keys. See zigbee_file.h. */
#include "cli/zigbee_file.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "radio/radio.h"

int zigbee_input_open(struct zigbee_input *in, const char *path)
{
    *in = (struct zigbee_input){.path = path};
    if (cli_read_file(path, ZIGBEE_FILE_MAX, &in->data, &in->bytes.len)) return CLI_FAILED;
    in->bytes.data = in->data;
    in->aes = aes_openssl_new();
    if (!in->aes) return cli_fail("out of memory");
    struct al_zfile_source source = zigbee_source(&in->bytes);
    in->err = al_zfile_open(&in->file, &source, &in->fault);
    return CLI_OK;
}

void zigbee_input_close(struct zigbee_input *in)
{
    if (in->aes) aes_openssl_free(in->aes);
    free(in->data);
}

int zigbee_load_key(const char *path, struct zigbee_key **key)
{
    int err = zigbee_key_load(path, key);
    if (err == AL_ERR_NOT_SUPPORTED)
        return cli_fail("%s: not a key on sect163k1 (suite 1) or sect283k1 (suite 2); make one "
                        "with 'openssl ecparam -name sect283k1 -genkey -noout -out key.pem'",
                        path);
    if (err == AL_ERR_INVALID_ARG)
        return cli_fail("%s: no key: PEM without a password, or hexadecimal digits (21 or 36 "
                        "bytes private, 22 or 37 public)",
                        path);
    if (err == AL_ERR_NO_MEM) return cli_fail("%s: this OpenSSL has no binary curves", path);
    return err ? cli_fail("%s: %s", path, strerror(-err)) : CLI_OK;
}

bool zigbee_number(const struct cli_args *a, const char *what, const char *text, uint64_t max,
                   uint64_t *out)
{
    if (cli_parse_number(text, max, out)) return true;
    cli_usage(a, "%s '%s': a number from 0 to 0x%llx is needed", what, text,
              (unsigned long long)max);
    return false;
}

uint64_t zigbee_eui_option(const struct cli_args *a, const char *option, bool *ok)
{
    uint64_t eui = 0;
    const char *text = cli_value(a, option);
    if (text && !zigbee_eui_parse(text, &eui)) {
        cli_usage(a, "%s '%s' is no EUI-64; like 74:4d:bd:ff:fe:60:aa:02", option, text);
        *ok = false;
    }
    return eui;
}

int zigbee_radio_option(const struct cli_args *a)
{
    const char *radio = cli_value(a, "--radio");
    if (radio && radio_is_named(radio)) return CLI_OK;
    return cli_usage(a,
                     "--radio is needed%s%s: medium:SOCKET, spinel:DEVICE or "
                     "spinel:tcp://HOST:PORT",
                     radio ? ", not " : "", radio ? radio : "");
}
