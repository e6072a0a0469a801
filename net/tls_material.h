/* Certificates and keys of a server: made here, or given by the user.
 *
 * Own material is a small CA (EC P-256, ten years) and a server certificate signed by
 * it, in one directory:
 *
 *   ca.pem      what clients have to trust       ca.key      0600
 *   server.pem  server certificate, then the CA  server.key  0600
 *
 * The server certificate is made anew when it no longer names what the machine is
 * called, or ends soon; the CA stays, so clients need not be told. */
#ifndef NET_TLS_MATERIAL_H
#define NET_TLS_MATERIAL_H

#include <stdbool.h>
#include <stddef.h>

#define TLS_CA_FILE "ca.pem"

struct tls_material {
    char *cert_pem;       /* chain, the server's certificate first */
    char *key_pem;        /* private key */
    char *ca_pem;         /* own CA; NULL with given material */
    char fingerprint[96]; /* SHA-256 of the CA (own) or of the certificate, "AB:CD:..." */
    bool made_ca;         /* this call made the CA */
    bool made_cert;       /* this call made the server certificate */
};

/* Loads own material from dir, making what is missing or outdated. names: host names
 * and addresses for the certificate besides the machine's own, NULL-terminated; may be
 * NULL. 0, or -1 and why: what is wrong, in which file, what to do. */
int tls_material_own(const char *dir, const char *const *names, struct tls_material *out, char *why,
                     size_t why_size);

/* Loads given files and checks that they fit. A certificate that is not valid at this
 * time is taken; why then holds a warning (else it is empty). 0, or -1 and why. */
int tls_material_load(const char *cert_path, const char *key_path, struct tls_material *out,
                      char *why, size_t why_size);

void tls_material_free(struct tls_material *m);

#endif
