/* The hash of Zigbee (AES-128 in Matyas-Meyer-Oseas mode), the keyed hash, the keys that
 * are derived from a link key, and install codes. Source: Zigbee core specification,
 * annex B. */
#ifndef ZIGBEE_HASH_H
#define ZIGBEE_HASH_H

#include "zigbee/aes.h"

#define AL_KEY_SIZE 16u

/* "ZigBeeAlliance09": the trust centre link key of devices without an install code. */
extern const uint8_t al_default_link_key[AL_KEY_SIZE];

/* A hash under way. Messages of 2^16 bits or more are padded with their length in 32 bits;
 * at most 2^32 - 1 bits. */
struct al_mmo {
    const struct al_aes *aes;
    uint8_t hash[16];
    uint8_t block[16]; /* len % 16 octets of it wait */
    uint32_t len;      /* octets so far */
};

void al_mmo_begin(struct al_mmo *m, const struct al_aes *aes);
void al_mmo_update(struct al_mmo *m, const void *data, size_t len);
void al_mmo_finish(struct al_mmo *m, uint8_t hash[16]);
void al_mmo(const struct al_aes *aes, const void *data, size_t len, uint8_t hash[16]);

/* HMAC with this hash. */
void al_keyed_hash(const struct al_aes *aes, const uint8_t key[16], const void *text, size_t len,
                   uint8_t hash[16]);

/* What a link key is used as. AL_KEY_DATA is the key itself. */
enum al_key_use {
    AL_KEY_DATA,      /* key id 0 */
    AL_KEY_TRANSPORT, /* key id 2: Transport-Key with a network key */
    AL_KEY_LOAD,      /* key id 3: Transport-Key with a link key */
    AL_KEY_VERIFY     /* the hash that Verify-Key carries */
};
void al_key_derive(const struct al_aes *aes, const uint8_t link_key[16], enum al_key_use use,
                   uint8_t key[16]);

/* Install codes: 6, 8, 12 or 16 octets and their CRC-16/X-25, low octet first. */
#define AL_INSTALL_CODE_MAX 18u

/* text: hexadecimal digits of code and CRC in either case; blanks, colons and hyphens
 * between octets are skipped. code: the octets with the CRC. Returns their count, or
 *   AL_ERR_INVALID_ARG   a character that is no hexadecimal digit
 *   AL_ERR_INVALID_SIZE  not 8, 10, 14 or 18 octets
 *   AL_ERR_INVALID_CRC   the CRC does not match: a digit was mistyped */
int al_install_code_parse(const char *text, uint8_t code[AL_INSTALL_CODE_MAX]);

/* The link key of a code with its CRC. Errors as above, and key is untouched. */
int al_install_code_key(const struct al_aes *aes, const uint8_t *code, size_t len, uint8_t key[16]);

#endif
