#include "zigbee/hash.h"

#include <string.h>

#include "core/bytes.h"
#include "core/err.h"
#include "zigbee/fcs.h"

const uint8_t al_default_link_key[AL_KEY_SIZE] = {'Z', 'i', 'g', 'B', 'e', 'e', 'A', 'l',
                                                  'l', 'i', 'a', 'n', 'c', 'e', '0', '9'};

/* H(i) = E(key H(i-1), block) xor block */
static void compress(struct al_mmo *m, const uint8_t block[16])
{
    uint8_t out[16];
    m->aes->encrypt(m->aes->ctx, m->hash, block, out, 1);
    for (int i = 0; i < 16; i++) m->hash[i] = out[i] ^ block[i];
}

void al_mmo_begin(struct al_mmo *m, const struct al_aes *aes)
{
    *m = (struct al_mmo){.aes = aes};
}

void al_mmo_update(struct al_mmo *m, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len) {
        size_t at = m->len % 16;
        size_t n = len < 16 - at ? len : 16 - at;
        memcpy(m->block + at, p, n);
        m->len += (uint32_t)n;
        if (at + n == 16) compress(m, m->block);
        p += n;
        len -= n;
    }
}

static void put_be16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

void al_mmo_finish(struct al_mmo *m, uint8_t hash[16])
{
    uint32_t bits = m->len * 8;
    bool is_long = m->len >= 0x2000; /* the length in bits needs more than 16 bits */
    size_t at = m->len % 16;
    m->block[at++] = 0x80;
    memset(m->block + at, 0, 16 - at);
    if (at > (is_long ? 10u : 14u)) {
        compress(m, m->block);
        memset(m->block, 0, 16);
    }
    if (is_long) {
        put_be16(m->block + 10, bits >> 16);
        put_be16(m->block + 12, bits);
    } else {
        put_be16(m->block + 14, bits);
    }
    compress(m, m->block);
    memcpy(hash, m->hash, 16);
}

void al_mmo(const struct al_aes *aes, const void *data, size_t len, uint8_t hash[16])
{
    struct al_mmo m;
    al_mmo_begin(&m, aes);
    al_mmo_update(&m, data, len);
    al_mmo_finish(&m, hash);
}

static void begin_padded(struct al_mmo *m, const struct al_aes *aes, const uint8_t key[16],
                         uint8_t pad)
{
    uint8_t block[16];
    for (int i = 0; i < 16; i++) block[i] = key[i] ^ pad;
    al_mmo_begin(m, aes);
    al_mmo_update(m, block, sizeof block);
}

void al_keyed_hash(const struct al_aes *aes, const uint8_t key[16], const void *text, size_t len,
                   uint8_t hash[16])
{
    struct al_mmo m;
    uint8_t inner[16];
    begin_padded(&m, aes, key, 0x36);
    al_mmo_update(&m, text, len);
    al_mmo_finish(&m, inner);
    begin_padded(&m, aes, key, 0x5c);
    al_mmo_update(&m, inner, sizeof inner);
    al_mmo_finish(&m, hash);
}

void al_key_derive(const struct al_aes *aes, const uint8_t link_key[16], enum al_key_use use,
                   uint8_t key[16])
{
    static const uint8_t texts[] = {
        [AL_KEY_TRANSPORT] = 0x00, [AL_KEY_LOAD] = 0x02, [AL_KEY_VERIFY] = 0x03};
    if (use == AL_KEY_DATA)
        memmove(key, link_key, AL_KEY_SIZE);
    else
        al_keyed_hash(aes, link_key, &texts[use], 1, key);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static int check_install_code(const uint8_t *code, size_t len)
{
    if (len != 8 && len != 10 && len != 14 && len != 18) return AL_ERR_INVALID_SIZE;
    return al_crc_x25(0, code, len) == AL_CRC_X25_GOOD ? 0 : AL_ERR_INVALID_CRC;
}

int al_install_code_parse(const char *text, uint8_t code[AL_INSTALL_CODE_MAX])
{
    size_t len = 0;
    while (*text) {
        if (*text == ' ' || *text == ':' || *text == '-') {
            text++;
            continue;
        }
        int high = digit(text[0]);
        int low = high < 0 ? -1 : digit(text[1]);
        if (low < 0) return high < 0 || text[1] ? AL_ERR_INVALID_ARG : AL_ERR_INVALID_SIZE;
        if (len == AL_INSTALL_CODE_MAX) return AL_ERR_INVALID_SIZE;
        code[len++] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    int err = check_install_code(code, len);
    return err ? err : (int)len;
}

int al_install_code_key(const struct al_aes *aes, const uint8_t *code, size_t len, uint8_t key[16])
{
    int err = check_install_code(code, len);
    if (!err) al_mmo(aes, code, len, key);
    return err;
}
