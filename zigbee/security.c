#include "zigbee/security.h"

#include "core/err.h"

#define LEVEL        5u /* computed with: encryption and a MIC of 4 octets */
#define LEVEL_MASK   0x07u
#define KEY_ID_SHIFT 3
#define HAS_SOURCE   0x20u
#define VERIFY_BIT   0x40u

size_t al_aux_size(const struct al_aux *aux)
{
    return 5u + (aux->has_source ? 8u : 0u) + (aux->key_id == AL_SEC_KEY_NETWORK ? 1u : 0u);
}

void al_aux_parse(struct al_aux *aux, struct al_cur *c)
{
    uint8_t control = al_u8(c);
    *aux = (struct al_aux){
        .level = control & LEVEL_MASK,
        .key_id = control >> KEY_ID_SHIFT & 3,
        .has_source = control & HAS_SOURCE,
        .verify_counter = control & VERIFY_BIT,
    };
    aux->counter = al_le32(c);
    if (aux->has_source) aux->source = al_le64(c);
    if (aux->key_id == AL_SEC_KEY_NETWORK) aux->key_seq = al_u8(c);
}

void al_aux_build(const struct al_aux *aux, struct al_put *p)
{
    uint32_t control = (aux->level & LEVEL_MASK) | (aux->key_id & 3u) << KEY_ID_SHIFT;
    if (aux->has_source) control |= HAS_SOURCE;
    if (aux->verify_counter) control |= VERIFY_BIT;
    al_put8(p, (uint8_t)control);
    al_put32(p, aux->counter);
    if (aux->has_source) al_put64(p, aux->source);
    if (aux->key_id == AL_SEC_KEY_NETWORK) al_put8(p, aux->key_seq);
}

/* What both directions compute with. */
struct protection {
    uint8_t nonce[AL_CCM_NONCE];
    uint8_t aad[AL_SECURED_HEADER_MAX]; /* the header with the level in its control octet */
    size_t aad_len;
};

static int prepare(struct protection *s, uint64_t source, const uint8_t *frame, size_t len,
                   size_t aux_at)
{
    struct al_cur c = al_cur(frame, len);
    struct al_aux aux;
    al_skip(&c, aux_at);
    al_aux_parse(&aux, &c);
    if (c.failed) return AL_ERR_SHORT;
    if (c.pos > sizeof s->aad) return AL_ERR_INVALID_SIZE;
    s->aad_len = c.pos;
    memcpy(s->aad, frame, s->aad_len);
    s->aad[aux_at] = (uint8_t)((s->aad[aux_at] & ~LEVEL_MASK) | LEVEL);
    al_put_le64(s->nonce, aux.has_source ? aux.source : source);
    al_put_le32(s->nonce + 8, aux.counter);
    s->nonce[12] = s->aad[aux_at];
    return 0;
}

int al_security_seal(const struct al_aes *aes, const uint8_t key[16], uint64_t source,
                     struct al_put *p, size_t frame_at, size_t aux_at)
{
    uint8_t *mic = al_put_room(p, AL_CCM_MIC);
    if (!mic) return AL_ERR_INVALID_SIZE;
    if (p->len < AL_CCM_MIC + aux_at || aux_at < frame_at) return AL_ERR_SHORT;
    uint8_t *frame = p->buf + frame_at;
    size_t len = p->len - AL_CCM_MIC - frame_at;
    struct protection s;
    int err = prepare(&s, source, frame, len, aux_at - frame_at);
    if (err) return err;
    al_ccm_encrypt(aes, key, s.nonce, s.aad, s.aad_len, frame + s.aad_len, len - s.aad_len, mic);
    return 0;
}

int al_security_open(const struct al_aes *aes, const uint8_t key[16], uint64_t source,
                     const uint8_t *frame, size_t len, size_t aux_at, uint8_t *plain)
{
    struct protection s;
    int err = prepare(&s, source, frame, len, aux_at);
    if (err) return err;
    if (len - s.aad_len < AL_CCM_MIC) return AL_ERR_SHORT;
    size_t n = len - s.aad_len - AL_CCM_MIC;
    uint8_t mic[AL_CCM_MIC];
    memcpy(mic, frame + len - AL_CCM_MIC, AL_CCM_MIC);
    memmove(plain, frame + s.aad_len, n);
    err = al_ccm_decrypt(aes, key, s.nonce, s.aad, s.aad_len, plain, n, mic);
    return err ? err : (int)n;
}

int al_security_open_payload(const struct al_aes *aes, const uint8_t key[16], uint64_t source,
                             const uint8_t *frame, size_t aux_at, const uint8_t **payload,
                             size_t *payload_len, uint8_t *plain)
{
    size_t len = (size_t)(*payload - frame) + *payload_len;
    int n = al_security_open(aes, key, source, frame, len, aux_at, plain);
    if (n < 0) return n;
    *payload = plain;
    *payload_len = (size_t)n;
    return 0;
}
