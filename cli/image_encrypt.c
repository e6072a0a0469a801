/* image encrypt, image decrypt: pre-encrypted images of esp_encrypted_img. */
#include <stdlib.h>
#include <string.h>

#include "cli/image.h"
#include "core/err.h"
#include "host/image_encrypt.h"

static int explain(int err, const char *path, const char *key)
{
    switch (err) {
    case 0:
        return CLI_OK;
    case AL_ERR_SHORT:
    case AL_ERR_NOT_FOUND:
        return cli_fail("%s: not a pre-encrypted image: it does not begin with cf b6 88 07 and a "
                        "header of 512 bytes",
                        path);
    case AL_ERR_INVALID_SIZE:
        return cli_fail("%s: its length is not the one that its header says; is it complete?",
                        path);
    case AL_ERR_INVALID_ARG:
        return cli_fail("%s: a private key is needed to decrypt", key);
    case AL_ERR_NOT_SUPPORTED:
        return cli_fail("%s: use an RSA key with 3072 bits, or an EC key on P-256", key);
    case AL_ERR_NOT_ALLOWED:
        return cli_fail("%s: not encrypted for the key %s, or its header is damaged", path, key);
    case AL_ERR_INVALID_CRC:
        return cli_fail("%s: the authentication tag does not fit: the data or the header is "
                        "damaged, or the key %s is another one",
                        path, key);
    default:
        return cli_fail("%s: error -0x%x", path, -err);
    }
}

static int load_key(const char *path, struct image_key **key)
{
    int err = image_key_load(path, key);
    if (err == AL_ERR_NOT_SUPPORTED) return explain(err, NULL, path);
    if (err == AL_ERR_INVALID_ARG)
        return cli_fail("%s: no key in PEM form without a password", path);
    return err ? cli_fail("%s: %s", path, strerror(-err)) : CLI_OK;
}

typedef int transform(const uint8_t *in, size_t len, const struct image_key *key, uint8_t **out,
                      size_t *out_len);

static int run(const struct cli_args *a, transform *work)
{
    const char *path = cli_operand(a, 0), *out_path = cli_value(a, "--out");
    const char *key_path = cli_value(a, "--key");
    if (!key_path) return cli_usage(a, "--key KEY.pem is missing");
    if (!out_path) return cli_usage(a, "--out FILE is missing");
    struct image_key *key = NULL;
    uint8_t *in = NULL, *out = NULL;
    size_t len = 0, out_len = 0;
    int status = load_key(key_path, &key);
    if (status == CLI_OK) status = image_read(path, &in, &len);
    if (status == CLI_OK) status = explain(work(in, len, key, &out, &out_len), path, key_path);
    if (status == CLI_OK) status = cli_write_file(out_path, out, out_len);
    if (status == CLI_OK && cli_json_wanted(a)) {
        cJSON *doc = cJSON_CreateObject();
        cJSON_AddStringToObject(doc, "file", out_path);
        cJSON_AddNumberToObject(doc, "length", (double)out_len);
        status = cli_print_json(doc);
    }
    image_key_free(key);
    free(out);
    free(in);
    return status;
}

int image_encrypt_run(const struct cli_args *a)
{
    return run(a, image_encrypt);
}

int image_decrypt_run(const struct cli_args *a)
{
    return run(a, image_decrypt);
}

const struct cli_option image_encrypt_options[] = {
    {"--key", "PUB.pem", "the device's key: RSA with 3072 bits, or EC on P-256", false},
    {"--out", "FILE", "the encrypted image", false},
    {0},
};

const struct cli_option image_decrypt_options[] = {
    {"--key", "PRIV.pem", "the device's private key", false},
    {"--out", "FILE", "the image", false},
    {0},
};
