/* See certificate.h. */
#include "server/certificate.h"

#include <stdio.h>
#include <string.h>

#include "server/log.h"

#define PATH_LEN 4096u
#define WHY_LEN  5120u

bool certificate_load(const struct options *o, struct tls_material *out, char *why, size_t why_size)
{
    char dir[PATH_LEN];
    *out = (struct tls_material){0};
    if (o->http) return true;
    if (!o->cert) {
        snprintf(dir, sizeof dir, "%s/tls", o->data);
        return tls_material_own(dir, o->names, out, why, why_size) == 0;
    }
    if (tls_material_load(o->cert, o->key, out, why, why_size) != 0) return false;
    if (why[0]) server_log("warning: %s", why);
    return true;
}

void certificate_renew(const struct options *o, struct http_server *http,
                       struct tls_material *in_force)
{
    char why[WHY_LEN] = "";
    struct tls_material fresh;
    if (o->http) return;
    bool good = certificate_load(o, &fresh, why, sizeof why);
    if (good && strcmp(fresh.cert_pem, in_force->cert_pem) == 0) {
        tls_material_free(&fresh);
        return;
    }
    good = good &&
           http_server_set_certificate(http, fresh.cert_pem, fresh.key_pem, why, sizeof why) == 0;
    if (!good) {
        server_log("warning: the certificate in force stays: %s", why);
        tls_material_free(&fresh);
        return;
    }
    server_log("new connections get %s; SHA-256 of the %s: %s",
               fresh.made_cert ? "a new certificate" : "another certificate",
               fresh.ca_pem ? "CA" : "certificate", fresh.fingerprint);
    tls_material_free(in_force);
    *in_force = fresh;
}
