/* See auth.h. */
#include "server/auth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "host/crypto_openssl.h"
#include "host/file.h"

#define TOKEN_BYTES 32
#define SETTING     "token_sha256"
#define HEX_LEN     (2 * AL_SHA256 + 1)

static void hash_token(const char *token, size_t len, char hex[HEX_LEN])
{
    uint8_t digest[AL_SHA256];
    crypto_digest(AL_SHA256, token, len, digest);
    crypto_hex(digest, sizeof digest, hex);
}

int auth_ready(struct store *s, const char *data_dir, bool renew, bool *made)
{
    char hash[HEX_LEN], path[4096], token[2 * TOKEN_BYTES + 1];
    uint8_t raw[TOKEN_BYTES];
    int err = store_get_setting(s, SETTING, hash, sizeof hash);
    *made = renew || err == -ENOENT;
    if (!*made) return err;
    if (RAND_bytes(raw, sizeof raw) != 1) return -EIO;
    crypto_hex(raw, sizeof raw, token);
    hash_token(token, 2 * TOKEN_BYTES, hash);
    token[2 * TOKEN_BYTES] = '\n';
    snprintf(path, sizeof path, "%s/" AUTH_TOKEN_FILE, data_dir);
    err = file_write(path, token, 2 * TOKEN_BYTES + 1, 0600);
    OPENSSL_cleanse(token, sizeof token);
    OPENSSL_cleanse(raw, sizeof raw);
    return err != 0 ? err : store_set_setting(s, SETTING, hash);
}

bool auth_allows(struct store *s, const char *header)
{
    char known[HEX_LEN] = "", given[HEX_LEN];
    static const char scheme[] = "Bearer ";
    if (!header || strncasecmp(header, scheme, sizeof scheme - 1) != 0) return false;
    const char *token = header + sizeof scheme - 1;
    token += strspn(token, " ");
    hash_token(token, strlen(token), given);
    if (store_get_setting(s, SETTING, known, sizeof known) != 0) return false;
    return CRYPTO_memcmp(known, given, HEX_LEN) == 0;
}
