/* struct al_aes (zigbee/aes.h) through OpenSSL. The key schedules of the keys used last are
 * kept. An object is for one thread. */
#ifndef HOST_AES_OPENSSL_H
#define HOST_AES_OPENSSL_H

#include "zigbee/aes.h"

struct aes_openssl;

struct aes_openssl *aes_openssl_new(void); /* NULL: out of memory */
void aes_openssl_free(struct aes_openssl *a);

/* Valid as long as a is. */
const struct al_aes *aes_openssl_aes(const struct aes_openssl *a);

#endif
