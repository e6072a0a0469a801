#include "host/aes_openssl.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Network key, two link keys, and the hash's ever new keys. */
#define SCHEDULES 4

struct schedule {
    uint8_t key[16];
    EVP_CIPHER_CTX *evp;
    bool set;
    unsigned long used; /* when: the least recently used one makes room */
};

struct aes_openssl {
    struct al_aes aes;
    struct schedule schedules[SCHEDULES];
    unsigned long clock;
};

static struct schedule *schedule_of(struct aes_openssl *a, const uint8_t key[16])
{
    struct schedule *oldest = &a->schedules[0];
    for (int i = 0; i < SCHEDULES; i++) {
        struct schedule *s = &a->schedules[i];
        if (s->set && memcmp(s->key, key, sizeof s->key) == 0) return s;
        if (s->used < oldest->used) oldest = s;
    }
    /* Only memory can be lacking here, and it was there when a was made. */
    if (EVP_EncryptInit_ex(oldest->evp, NULL, NULL, key, NULL) != 1) abort();
    memcpy(oldest->key, key, sizeof oldest->key);
    oldest->set = true;
    return oldest;
}

static void encrypt_blocks(void *ctx, const uint8_t key[16], const uint8_t *in, uint8_t *out,
                           size_t count)
{
    struct aes_openssl *a = ctx;
    struct schedule *s = schedule_of(a, key);
    int written;
    s->used = ++a->clock;
    if (EVP_EncryptUpdate(s->evp, out, &written, in, (int)(16 * count)) != 1) abort();
}

struct aes_openssl *aes_openssl_new(void)
{
    struct aes_openssl *a = calloc(1, sizeof *a);
    if (!a) return NULL;
    a->aes = (struct al_aes){.ctx = a, .encrypt = encrypt_blocks};
    for (int i = 0; i < SCHEDULES; i++) {
        EVP_CIPHER_CTX *evp = a->schedules[i].evp = EVP_CIPHER_CTX_new();
        static const uint8_t zeros[16];
        if (!evp || EVP_EncryptInit_ex(evp, EVP_aes_128_ecb(), NULL, zeros, NULL) != 1) {
            aes_openssl_free(a);
            return NULL;
        }
        EVP_CIPHER_CTX_set_padding(evp, 0);
    }
    return a;
}

void aes_openssl_free(struct aes_openssl *a)
{
    if (!a) return;
    for (int i = 0; i < SCHEDULES; i++) EVP_CIPHER_CTX_free(a->schedules[i].evp);
    OPENSSL_cleanse(a, sizeof *a);
    free(a);
}

const struct al_aes *aes_openssl_aes(const struct aes_openssl *a)
{
    return &a->aes;
}
