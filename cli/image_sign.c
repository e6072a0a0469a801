/* image sign: Secure Boot signatures, as espsecure appends them. */
#include <stdlib.h>
#include <string.h>

#include "cli/image.h"
#include "core/err.h"
#include "host/image_sign.h"

#define MAX_IMAGE (64u << 20)

struct keys {
    struct image_key *key[AL_SIG_BLOCKS];
    size_t count;
};

static int load_keys(const struct cli_args *a, struct keys *keys)
{
    const char *path;
    for (size_t i = 0; (path = cli_value_at(a, "--key", i)); i++) {
        if (i == AL_SIG_BLOCKS) return cli_fail("an image takes at most three signatures");
        int err = image_key_load(path, &keys->key[i]);
        if (err == AL_ERR_NOT_SUPPORTED)
            return cli_fail("%s: this kind of key cannot sign an image; use RSA with 3072 bits, or "
                            "ECDSA on P-256, P-384 or P-192",
                            path);
        if (err == AL_ERR_INVALID_ARG)
            return cli_fail("%s: no private key in PEM form without a password; make one with "
                            "'openssl genrsa -out key.pem 3072'",
                            path);
        if (err) return cli_fail("%s: %s", path, strerror(-err));
        keys->count++;
    }
    return CLI_OK;
}

static int sign(const struct cli_args *a, const struct keys *keys, const char *path,
                const uint8_t *img, size_t len, uint8_t **out, size_t *out_len)
{
    const char *version = cli_value(a, "--scheme");
    int err;
    if (version && strcmp(version, "v1") == 0) {
        if (keys->count != 1) return cli_fail("--scheme v1 takes one key");
        err = image_sign_v1(img, len, keys->key[0], out, out_len);
        if (err == AL_ERR_INVALID_ARG)
            return cli_fail("--scheme v1 needs a private ECDSA key on P-256, not %s",
                            image_key_kind(keys->key[0]));
    } else {
        err = image_sign_v2(img, len, keys->key, keys->count, cli_has(a, "--append"), out, out_len);
    }
    switch (err) {
    case 0:
        return CLI_OK;
    case AL_ERR_INVALID_ARG:
        return cli_fail("the keys do not fit together: all must be private, and all RSA or all "
                        "ECDSA with the same digest, as the signatures that are there");
    case AL_ERR_INVALID_SIZE:
        return cli_fail("%s: an image takes at most three signatures", path);
    case AL_ERR_NOT_FOUND:
        return cli_fail("%s: no signature at its end that another could follow; sign without "
                        "--append",
                        path);
    case AL_ERR_IMAGE_INVALID:
        return cli_fail("%s: the signatures in its last sector are damaged or belong to other "
                        "bytes; sign the unsigned image instead",
                        path);
    default:
        return cli_fail("%s: signing failed (-0x%x)", path, -err);
    }
}

int image_sign_run(const struct cli_args *a)
{
    const char *path = cli_operand(a, 0), *out_path = cli_value(a, "--out");
    if (!cli_has(a, "--key")) return cli_usage(a, "--key KEY.pem is missing");
    if (!out_path) return cli_usage(a, "--out FILE is missing");
    struct keys keys = {.count = 0};
    uint8_t *img = NULL, *out = NULL;
    size_t len = 0, out_len = 0;
    int status = load_keys(a, &keys);
    if (status == CLI_OK) status = cli_read_file(path, MAX_IMAGE, &img, &len);
    if (status == CLI_OK) status = sign(a, &keys, path, img, len, &out, &out_len);
    if (status == CLI_OK) status = cli_write_file(out_path, out, out_len);
    if (status == CLI_OK && cli_json_wanted(a)) {
        cJSON *doc = cJSON_CreateObject();
        cJSON_AddStringToObject(doc, "file", out_path);
        cJSON_AddNumberToObject(doc, "image_len", (double)out_len);
        cJSON_AddStringToObject(doc, "key", image_key_kind(keys.key[0]));
        status = cli_print_json(doc);
    }
    for (size_t i = 0; i < keys.count; i++) image_key_free(keys.key[i]);
    free(out);
    free(img);
    return status;
}

const struct cli_option image_sign_options[] = {
    {"--key", "KEY.pem", "private key; up to three", true},
    {"--scheme", "v1|v2", "v2: signature sector (default); v1: 68 bytes appended", false},
    {"--append", NULL, "keep the signatures that are there", false},
    {"--out", "FILE", "the signed image", false},
    {0},
};
