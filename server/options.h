/* What airliftd was told on its command line. */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define OPTIONS_MAX_NAMES 16u

struct options {
    const char *data, *listen, *cert, *key;
    const char *names[OPTIONS_MAX_NAMES + 1]; /* NULL-terminated */
    uint64_t max_size;
    unsigned connections, connections_per_address;
    unsigned cert_check_s; /* the certificate is looked at again this often */
    bool http, print_ca, new_token;
    const char *modules;              /* where modules find plain HTTP; NULL: nowhere */
    uint32_t module_limit, nat_limit; /* requests a minute of a key, of an address; 0: any */
    const char *zigbee_radio;         /* NULL: no gateway */
    unsigned zigbee_parallel;         /* 0: the default */
    unsigned zigbee_channel;          /* 0: any */
    uint16_t quiet_from, quiet_to;    /* minutes of the day */
    bool zigbee_manual;
};

/* -1: go on; else the exit status (after --help, --version, or wrong use). */
int options_parse(int argc, char **argv, struct options *out);

#endif
