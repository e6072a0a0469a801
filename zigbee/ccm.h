/* AES-CCM* as Zigbee uses it: 13 octets nonce, a length field of 2 octets, a message
 * integrity code (MIC) of 4 octets. */
#ifndef ZIGBEE_CCM_H
#define ZIGBEE_CCM_H

#include "zigbee/aes.h"

#define AL_CCM_MIC   4u
#define AL_CCM_NONCE 13u

/* Encrypts text in place. aad: authenticated, not encrypted; at most 0xfeff octets. */
void al_ccm_encrypt(const struct al_aes *aes, const uint8_t key[16],
                    const uint8_t nonce[AL_CCM_NONCE], const void *aad, size_t aad_len,
                    uint8_t *text, size_t len, uint8_t mic[AL_CCM_MIC]);

/* Decrypts text in place. 0, or AL_ERR_INVALID_CRC: the MIC is wrong, and text is cleared. */
int al_ccm_decrypt(const struct al_aes *aes, const uint8_t key[16],
                   const uint8_t nonce[AL_CCM_NONCE], const void *aad, size_t aad_len,
                   uint8_t *text, size_t len, const uint8_t mic[AL_CCM_MIC]);

#endif
