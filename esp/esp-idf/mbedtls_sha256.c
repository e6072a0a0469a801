/* SHA-256 under mbedTLS's names, through OpenSSL. */
#include <openssl/evp.h>
#include <string.h>

#include "host/crypto_openssl.h"
#include "mbedtls/sha256.h"

void mbedtls_sha256_init(mbedtls_sha256_context *ctx)
{
    ctx->md = NULL;
}

void mbedtls_sha256_free(mbedtls_sha256_context *ctx)
{
    if (!ctx) return;
    EVP_MD_CTX_free(ctx->md);
    ctx->md = NULL;
}

void mbedtls_sha256_clone(mbedtls_sha256_context *dst, const mbedtls_sha256_context *src)
{
    if (!dst->md) dst->md = EVP_MD_CTX_new();
    if (dst->md && src->md) EVP_MD_CTX_copy_ex(dst->md, src->md);
}

int mbedtls_sha256_starts(mbedtls_sha256_context *ctx, int is224)
{
    if (is224) return MBEDTLS_ERR_SHA256_BAD_INPUT_DATA;
    if (!ctx->md) ctx->md = EVP_MD_CTX_new();
    return ctx->md && EVP_DigestInit_ex(ctx->md, EVP_sha256(), NULL)
               ? 0
               : MBEDTLS_ERR_SHA256_BAD_INPUT_DATA;
}

int mbedtls_sha256_update(mbedtls_sha256_context *ctx, const unsigned char *input, size_t ilen)
{
    return ctx->md && EVP_DigestUpdate(ctx->md, input, ilen) ? 0
                                                             : MBEDTLS_ERR_SHA256_BAD_INPUT_DATA;
}

int mbedtls_sha256_finish(mbedtls_sha256_context *ctx, unsigned char *output)
{
    return ctx->md && EVP_DigestFinal_ex(ctx->md, output, NULL) ? 0
                                                                : MBEDTLS_ERR_SHA256_BAD_INPUT_DATA;
}

int mbedtls_sha256(const unsigned char *input, size_t ilen, unsigned char *output, int is224)
{
    if (is224) return MBEDTLS_ERR_SHA256_BAD_INPUT_DATA;
    crypto_digest(AL_SHA256, input, ilen, output);
    return 0;
}
