/* AT+AIRUPDATE: a firmware over the AT port itself, for a host without network. Airlift's own.
 *
 *   AT+AIRUPDATE=<length>[,"<SHA-256, 64 hex digits>"][,"<partition>"]
 *
 * OK and prompt; exactly length bytes follow. "+AIRUPDATE:<taken>,<length>" comes at every tenth
 * part. Then "Recv <n> bytes", and OK when all is verified: an app boots at the next AT+RST, a user
 * partition has its new content. Silence of 60 s ends it. After an error the rest is still taken,
 * so that no byte of a firmware is read as a command. */
#include <string.h>
#include <strings.h>

#include "at/at.h"
#include "at/at_ota_target.h"
#include "host/crypto_openssl.h"

enum { LENGTH, DIGEST, NAME, PARAMS };
enum { CHUNK = 4096, STEPS = 10, SILENT_MS = 60000, HEX_LEN = 64 };

struct upload {
    struct at_ota_target target;
    uint32_t len, done;
    const char *digest; /* "": not given */
    bool good;          /* so far; target.why otherwise */
};

static bool is_hex(const char *text)
{
    return strspn(text, "0123456789abcdefABCDEF") == strlen(text);
}

static bool get_params(struct at_call *call, struct upload *u, const char **name)
{
    int64_t len;
    if (!at_param_count_is(call, 1, PARAMS)) return false;
    if (at_param_int(call, LENGTH, &len) != AT_PARAM_OK) return false;
    if (len < 1 || len > UINT32_MAX) return at_param_invalid(call, LENGTH) == AT_OK;
    u->len = (uint32_t)len;
    u->digest = "";
    if (at_param_text(call, DIGEST, &u->digest) == AT_PARAM_MALFORMED) return false;
    if (*u->digest && !at_param_length_is(call, DIGEST, u->digest, HEX_LEN, HEX_LEN)) return false;
    if (!is_hex(u->digest)) return at_param_invalid(call, DIGEST) == AT_OK;
    if (at_param_text(call, NAME, name) == AT_PARAM_MALFORMED) return false;
    if (!**name) *name = "ota"; /* as in AT+CIUPDATE */
    return true;
}

/* All len bytes; false: they ceased to come. */
static bool take(struct at_call *call, struct upload *u, struct al_hash *hash)
{
    uint8_t bytes[CHUNK];
    for (uint32_t step = 1; u->done < u->len;) {
        uint32_t left = u->len - u->done;
        size_t n = at_read_for(call, bytes, left < CHUNK ? left : CHUNK, SILENT_MS);
        if (!n) return false;
        u->done += (uint32_t)n;
        (void)al_hash_update(hash, bytes, n);
        if (u->good) u->good = at_ota_target_write(&u->target, bytes, n);
        uint32_t before = step;
        while (step < STEPS && u->done >= (uint64_t)u->len * step / STEPS) step++;
        if (step > before)
            at_print(call, "+AIRUPDATE:%u,%u\r\n", (unsigned)u->done, (unsigned)u->len);
    }
    return true;
}

static enum at_result upload(struct at_call *call, struct upload *u)
{
    struct al_hash hash;
    uint8_t digest[AL_SHA256] = {0};
    char hex[HEX_LEN + 1];
    if (al_hash_begin(&hash, &crypto_openssl, AL_SHA256)) return at_error(call, "no memory");
    at_answer(call, AT_OK_AND_PROMPT);
    bool all = take(call, u, &hash);
    (void)al_hash_finish(&hash, digest);
    crypto_hex(digest, sizeof digest, hex);
    if (!all)
        return at_error(call, "%u of %u bytes came, then nothing for %d s", (unsigned)u->done,
                        (unsigned)u->len, SILENT_MS / 1000);
    at_tell_received(call, u->done);
    if (u->good && *u->digest && strcasecmp(hex, u->digest) != 0)
        return at_error(call, "the bytes that came have SHA-256 %s", hex);
    if (u->good) u->good = at_ota_target_finish(&u->target);
    return u->good ? AT_OK : at_error(call, "%s", u->target.why);
}

static enum at_result set(struct at_call *call)
{
    struct upload u = {.good = true};
    const char *name = "ota";
    if (!get_params(call, &u, &name)) return AT_ERROR;
    if (!at_ota_target_find(&u.target, name) || !at_ota_target_length(&u.target, u.len))
        return at_error(call, "%s", u.target.why);
    enum at_result result = upload(call, &u);
    at_ota_target_abort(&u.target);
    return result;
}

const struct at_command at_air_update_commands[] = {
    {"+AIRUPDATE", .set = set},
    {0},
};
