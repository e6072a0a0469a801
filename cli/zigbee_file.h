/* What the commands on Zigbee OTA files share. */
#ifndef CLI_ZIGBEE_FILE_H
#define CLI_ZIGBEE_FILE_H

#include "cli/cli.h"
#include "host/aes_openssl.h"
#include "host/zigbee_file.h"
#include "host/zigbee_sign.h"

#define ZIGBEE_FILE_MAX (64u << 20)

/* A file in memory and what its reader says of it. */
struct zigbee_input {
    const char *path;
    struct zigbee_bytes bytes;
    uint8_t *data;
    struct aes_openssl *aes;
    struct al_zfile file;
    int err; /* of al_zfile_open; then fault tells, and file is not to be used */
    struct al_zfile_fault fault;
};

/* CLI_OK also for bytes that are no OTA file; CLI_FAILED after a message. Closed in both
 * cases by the caller. */
int zigbee_input_open(struct zigbee_input *in, const char *path);
void zigbee_input_close(struct zigbee_input *in);

/* A key, with a message when it fails. */
int zigbee_load_key(const char *path, struct zigbee_key **key);

/* --tag and the like: "0xf001". false after a message. */
bool zigbee_number(const struct cli_args *a, const char *what, const char *text, uint64_t max,
                   uint64_t *out);
/* The EUI-64 of option, 0 without it. */
uint64_t zigbee_eui_option(const struct cli_args *a, const char *option, bool *ok);

/* --radio, which must be there. CLI_USAGE after a message. */
int zigbee_radio_option(const struct cli_args *a);

/* The document of zigbee info; NULL: out of memory. */
cJSON *zigbee_describe(const struct zigbee_input *in);

#endif
