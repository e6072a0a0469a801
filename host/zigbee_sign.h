/* ECDSA signatures of Zigbee OTA files and the implicit (ECQV) certificates behind them.
 * Suite 1: curve sect163k1, elements 0x0001 and 0x0002; suite 2: sect283k1, 0x0005 and
 * 0x0006. Both hash with AES-MMO.
 *
 * A certificate holds no key but a point P; the key of its subject is e*P + Q, with e the
 * AES-MMO hash of the certificate as a big-endian number and Q the key of the authority.
 * The certificate's numbers are big-endian, the signer in the signature element is
 * little-endian. Source: Smart Energy certificates as Certicom makes them, SEC 4; seen to
 * give the keys of its test certificates. */
#ifndef HOST_ZIGBEE_SIGN_H
#define HOST_ZIGBEE_SIGN_H

#include "zigbee/aes.h"
#include "zigbee/ota_file.h"

struct zigbee_suite {
    int number; /* 1, 2 */
    const char *curve;
    uint16_t signature_tag, certificate_tag;
    uint8_t signature_len;   /* r and s, each half of it: 42, 72 */
    uint8_t certificate_len; /* 48, 74 */
    uint8_t point_len;       /* a compressed public key: 22, 37 */
    uint8_t point_at, subject_at, issuer_at;
};
#define ZIGBEE_CERTIFICATE_MAX 74
#define ZIGBEE_SIGNATURE_MAX   72
#define ZIGBEE_SIGNER_LEN      8

/* number: 1 or 2. */
const struct zigbee_suite *zigbee_suite(int number);
/* By the tag of its signature or certificate element; NULL: neither. */
const struct zigbee_suite *zigbee_suite_of_tag(uint16_t tag);
/* By the length of a certificate; NULL: no certificate has it. */
const struct zigbee_suite *zigbee_suite_of_certificate(size_t len);

/* A certificate's file, raw or as hexadecimal digits, becomes raw in place. The length; 0:
 * no certificate has it. */
size_t zigbee_certificate_from_text(uint8_t *data, size_t len);
uint64_t zigbee_certificate_subject(const struct zigbee_suite *s, const uint8_t *certificate);
uint64_t zigbee_certificate_issuer(const struct zigbee_suite *s, const uint8_t *certificate);

/* A key on one of the two curves. */
struct zigbee_key;

/* PEM, private or public; or hexadecimal digits: a private key of 21 or 36 bytes, a
 * compressed public key of 22 or 37. Errors: -errno; AL_ERR_INVALID_ARG: neither of that;
 * AL_ERR_NOT_SUPPORTED: another curve. */
int zigbee_key_load(const char *path, struct zigbee_key **key);
/* The key of the certificate's subject: public. AL_ERR_INVALID_ARG: no point of the
 * curve, or an authority of the other suite. */
int zigbee_key_of_certificate(const struct zigbee_suite *s, const uint8_t *certificate,
                              const struct zigbee_key *authority, const struct al_aes *aes,
                              struct zigbee_key **key);
void zigbee_key_free(struct zigbee_key *key);
const struct zigbee_suite *zigbee_key_suite(const struct zigbee_key *key);
bool zigbee_key_is_private(const struct zigbee_key *key);
bool zigbee_key_same(const struct zigbee_key *a, const struct zigbee_key *b);
/* Compressed public key, suite->point_len bytes. */
int zigbee_key_point(const struct zigbee_key *key, uint8_t *point);
/* PEM of the private key into a file only its owner may read. 0 or -errno. */
int zigbee_key_write(const struct zigbee_key *key, const char *path);

/* digest: of the file without the signature's bytes (al_zfile_digest, al_zbuild_digest).
 * signature: suite->signature_len bytes. AL_ERR_INVALID_ARG: the key is not private;
 * AL_FAIL: OpenSSL refused. */
int zigbee_sign(const struct zigbee_key *key, const uint8_t digest[16], uint8_t *signature);
bool zigbee_signature_ok(const struct zigbee_key *key, const uint8_t digest[16],
                         const uint8_t *signature);

/* A certificate for subject by the authority's private key, and the subject's new private
 * key. suite->certificate_len bytes. For one's own authority: only devices that have its
 * public key trust it. now: seconds since 1970 (suite 2: begin of validity). */
int zigbee_certify(const struct zigbee_key *authority, uint64_t subject, uint64_t issuer,
                   uint64_t now, const struct al_aes *aes, uint8_t *certificate,
                   struct zigbee_key **key);

#endif
