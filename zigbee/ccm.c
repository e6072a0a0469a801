#include "zigbee/ccm.h"

#include <string.h>

#include "core/err.h"

#define FLAGS_B0  0x49u /* associated data, M = 4, L = 2 */
#define FLAGS_CTR 0x01u /* L = 2 */
#define CTR_BATCH 8u    /* blocks encrypted by one call */

struct ccm {
    const struct al_aes *aes;
    const uint8_t *key, *nonce;
    uint8_t mac[16]; /* CBC-MAC so far; at octets of its next block are mixed in */
    size_t at;
};

static void mac_add(struct ccm *c, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        c->mac[c->at++] ^= data[i];
        if (c->at == 16) {
            c->aes->encrypt(c->aes->ctx, c->key, c->mac, c->mac, 1);
            c->at = 0;
        }
    }
}

/* The rest of the block counts as zeros. */
static void mac_pad(struct ccm *c)
{
    if (c->at) c->aes->encrypt(c->aes->ctx, c->key, c->mac, c->mac, 1);
    c->at = 0;
}

static void put_be16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* The tag before its encryption, in c->mac. */
static void authenticate(struct ccm *c, const void *aad, size_t aad_len, const uint8_t *text,
                         size_t len)
{
    uint8_t block[16], size[2];
    block[0] = FLAGS_B0;
    memcpy(block + 1, c->nonce, AL_CCM_NONCE);
    put_be16(block + 14, len);
    mac_add(c, block, 16);
    put_be16(size, aad_len);
    mac_add(c, size, 2);
    mac_add(c, aad, aad_len);
    mac_pad(c);
    mac_add(c, text, len);
    mac_pad(c);
}

/* Counter blocks first..first+count-1, encrypted. */
static void key_stream(const struct ccm *c, size_t first, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t *block = out + 16 * i;
        block[0] = FLAGS_CTR;
        memcpy(block + 1, c->nonce, AL_CCM_NONCE);
        put_be16(block + 14, first + i);
    }
    c->aes->encrypt(c->aes->ctx, c->key, out, out, count);
}

/* Encrypts or decrypts text; tag_stream: what the tag is mixed with. */
static void apply_stream(const struct ccm *c, uint8_t *text, size_t len, uint8_t tag_stream[16])
{
    uint8_t stream[16 * CTR_BATCH];
    key_stream(c, 0, 1, tag_stream);
    for (size_t done = 0; done < len;) {
        size_t n = len - done < sizeof stream ? len - done : sizeof stream;
        key_stream(c, 1 + done / 16, (n + 15) / 16, stream);
        for (size_t i = 0; i < n; i++) text[done + i] ^= stream[i];
        done += n;
    }
}

void al_ccm_encrypt(const struct al_aes *aes, const uint8_t key[16],
                    const uint8_t nonce[AL_CCM_NONCE], const void *aad, size_t aad_len,
                    uint8_t *text, size_t len, uint8_t mic[AL_CCM_MIC])
{
    struct ccm c = {.aes = aes, .key = key, .nonce = nonce};
    uint8_t tag_stream[16];
    authenticate(&c, aad, aad_len, text, len);
    apply_stream(&c, text, len, tag_stream);
    for (size_t i = 0; i < AL_CCM_MIC; i++) mic[i] = c.mac[i] ^ tag_stream[i];
}

int al_ccm_decrypt(const struct al_aes *aes, const uint8_t key[16],
                   const uint8_t nonce[AL_CCM_NONCE], const void *aad, size_t aad_len,
                   uint8_t *text, size_t len, const uint8_t mic[AL_CCM_MIC])
{
    struct ccm c = {.aes = aes, .key = key, .nonce = nonce};
    uint8_t tag_stream[16], differ = 0;
    apply_stream(&c, text, len, tag_stream);
    authenticate(&c, aad, aad_len, text, len);
    for (size_t i = 0; i < AL_CCM_MIC; i++) differ |= mic[i] ^ c.mac[i] ^ tag_stream[i];
    if (!differ) return 0;
    if (len) memset(text, 0, len);
    return AL_ERR_INVALID_CRC;
}
