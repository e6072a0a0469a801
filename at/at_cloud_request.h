/* The requests of AT+CIUPDATE, byte for byte as modules in the field send them. */
#ifndef AT_CLOUD_REQUEST_H
#define AT_CLOUD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#define AT_CLOUD_VERSION_MAX 64  /* characters of a version and of a partition's name */
#define AT_CLOUD_TOKEN_MAX   128 /* of the token (the cloud's have 40) */
#define AT_CLOUD_REQUEST_MAX 1024

struct at_cloud_peer {
    const char *server; /* as it stands in the Host field */
    int port;
    const char *token;
};

/* Can text stand in a request line or a header? Values are not encoded on this wire: 1..max
 * characters, no blanks, no control characters. */
bool at_cloud_text_fits(const char *text, size_t max);

/* Asks for the recommended version. Bytes of the request at out, NUL behind them; 0: server or
 * token cannot be sent. */
size_t at_cloud_query(const struct at_cloud_peer *p, char out[static AT_CLOUD_REQUEST_MAX]);
/* Asks for NAME.bin of a version, which may be empty. 0: as above, or version or name. */
size_t at_cloud_download(const struct at_cloud_peer *p, const char *version, const char *name,
                         char out[static AT_CLOUD_REQUEST_MAX]);

#endif
