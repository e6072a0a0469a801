/* What a machine is called: the names and addresses a server certificate carries. */
#ifndef NET_TLS_NAMES_H
#define NET_TLS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define TLS_NAMES_MAX 64u
#define TLS_NAME_LEN  254u

struct tls_names {
    size_t count;
    char name[TLS_NAMES_MAX][TLS_NAME_LEN]; /* DNS names in lower case; addresses as
                                               inet_ntop writes them. No two are equal */
};

/* Host name, HOST.local, localhost, the loopback addresses and those of all interfaces
 * (link-local ones not), and extra (NULL-terminated, may be NULL), in this order, extra
 * first. 0, or -1 with *bad: the extra name that is neither DNS name nor address. */
int tls_names_collect(const char *const *extra, struct tls_names *out, const char **bad);

bool tls_name_is_address(const char *name);
bool tls_names_have(const struct tls_names *n, const char *name);

#endif
