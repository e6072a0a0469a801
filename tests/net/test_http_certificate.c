/* Certificates that are replaced while handshakes may run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/http_certificate.h"
#include "net/http_server.h"
#include "net/tls_material.h"

static struct tls_material first, second;
static char why[256];

static void make(struct tls_material *out)
{
    char dir[] = "/tmp/airlift-test-XXXXXX", command[64];
    assert_non_null(mkdtemp(dir));
    assert_int_equal(tls_material_own(dir, NULL, out, why, sizeof why), 0);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

static int make_both(void **state)
{
    make(&first);
    make(&second);
    return 0;
}

static int free_both(void **state)
{
    tls_material_free(&first);
    tls_material_free(&second);
    return 0;
}

static int set(struct http_certificates *all, const char *cert, const char *key)
{
    why[0] = 0;
    return http_certificates_set(all, cert, key, why, sizeof why);
}

static void none_is_given_before_one_is_set(void **state)
{
    struct http_certificates all = {.now = NULL};
    gnutls_pcert_st *chain;
    gnutls_privkey_t key;
    unsigned count;
    assert_int_equal(http_certificates_get(&all, &chain, &count, &key), -1);
}

static void a_replaced_certificate_lives_on_for_its_handshakes(void **state)
{
    struct http_certificates all = {.now = NULL};
    gnutls_pcert_st *old, *new;
    gnutls_privkey_t old_key, new_key;
    unsigned count = 0;
    assert_int_equal(set(&all, first.cert_pem, first.key_pem), 0);
    assert_int_equal(http_certificates_get(&all, &old, &count, &old_key), 0);
    assert_int_equal(count, 2); /* the server's and the CA's */
    gnutls_datum_t was = old[0].cert;
    char *copy = malloc(was.size);
    memcpy(copy, was.data, was.size);
    assert_int_equal(set(&all, second.cert_pem, second.key_pem), 0);
    assert_int_equal(http_certificates_get(&all, &new, &count, &new_key), 0);
    assert_ptr_not_equal(old_key, new_key);
    assert_memory_equal(old[0].cert.data, copy, was.size);
    assert_true(new[0].cert.size != was.size || memcmp(new[0].cert.data, copy, was.size) != 0);
    free(copy);
    http_certificates_free(&all);
}

static void a_bad_one_leaves_the_one_before(void **state)
{
    struct http_certificates all = {.now = NULL};
    gnutls_pcert_st *chain, *after;
    gnutls_privkey_t key;
    unsigned count;
    assert_int_equal(set(&all, first.cert_pem, first.key_pem), 0);
    http_certificates_get(&all, &chain, &count, &key);
    assert_int_equal(set(&all, "junk", second.key_pem), -1);
    assert_non_null(strstr(why, "cannot be used"));
    assert_int_equal(set(&all, second.cert_pem, "junk"), -1);
    assert_int_equal(http_certificates_get(&all, &after, &count, &key), 0);
    assert_ptr_equal(chain, after);
    http_certificates_free(&all);
}

static void a_server_does_not_start_with_a_bad_certificate(void **state)
{
    static const struct http_handler nothing = {0};
    struct http_server_config cfg = {
        .cert_pem = "junk", .key_pem = "junk", .handler = &nothing, .threads = 1};
    unsigned port;
    int fd = http_listen("127.0.0.1:0", &port, why, sizeof why);
    assert_true(fd >= 0);
    assert_null(http_server_start(&cfg, fd, why, sizeof why));
    assert_non_null(strstr(why, "certificate or key cannot be used"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_given_before_one_is_set),
        cmocka_unit_test(a_replaced_certificate_lives_on_for_its_handshakes),
        cmocka_unit_test(a_bad_one_leaves_the_one_before),
        cmocka_unit_test(a_server_does_not_start_with_a_bad_certificate),
    };
    return cmocka_run_group_tests(tests, make_both, free_both);
}
