/* Own CA and server certificate, as a client's verification sees them; given files that do
 * not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "host/file.h"
#include "net/tls_material.h"
#include "net/tls_names.h"

static char dir[128], why[1024];

static int make_dir(void **state)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%s/tls-XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(dir) ? 0 : -1;
}

static const char *in_dir(const char *name)
{
    static char path[2][256];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
    return path[turn];
}

static int remove_dir(void **state)
{
    static const char *const names[] = {"ca.pem", "ca.key", "server.pem", "server.key", "other"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlink(in_dir(names[i]));
    return rmdir(dir);
}

static X509 *first_cert(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(cert);
    return cert;
}

/* As a TLS client: chain to the CA, for a server, with this name or address. */
static int verify(const struct tls_material *m, const char *host, const char *address)
{
    X509 *ca = first_cert(m->ca_pem), *cert = first_cert(m->cert_pem);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE_add_cert(store, ca);
    X509_STORE_CTX_init(ctx, store, cert, NULL);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
    if (host) X509_VERIFY_PARAM_set1_host(param, host, 0);
    if (address) X509_VERIFY_PARAM_set1_ip_asc(param, address);
    int error = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_free(cert);
    X509_free(ca);
    return error;
}

static void own(const char *const *names, struct tls_material *m)
{
    if (tls_material_own(dir, names, m, why, sizeof why) != 0) fail_msg("%s", why);
}

static void a_client_that_trusts_the_ca_accepts_the_server(void **state)
{
    static const char *const names[] = {"Updates.Example.com", "192.0.2.7", NULL};
    struct tls_material m;
    char host[256] = "";
    own(names, &m);
    assert_true(m.made_ca && m.made_cert);
    assert_int_equal(strlen(m.fingerprint), 95);
    gethostname(host, sizeof host - 1);
    assert_int_equal(verify(&m, "updates.example.com", NULL), X509_V_OK);
    assert_int_equal(verify(&m, "localhost", NULL), X509_V_OK);
    assert_int_equal(verify(&m, host, NULL), X509_V_OK);
    assert_int_equal(verify(&m, NULL, "127.0.0.1"), X509_V_OK);
    assert_int_equal(verify(&m, NULL, "::1"), X509_V_OK);
    assert_int_equal(verify(&m, NULL, "192.0.2.7"), X509_V_OK);
    assert_int_equal(verify(&m, "example.org", NULL), X509_V_ERR_HOSTNAME_MISMATCH);
    assert_int_equal(verify(&m, NULL, "192.0.2.8"), X509_V_ERR_IP_ADDRESS_MISMATCH);
    tls_material_free(&m);
}

static void keys_are_for_the_owner_only(void **state)
{
    struct tls_material m;
    struct stat st;
    own(NULL, &m);
    assert_int_equal(stat(in_dir("ca.key"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(in_dir("server.key"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    tls_material_free(&m);
}

static void a_second_start_keeps_both_certificates(void **state)
{
    struct tls_material a, b;
    own(NULL, &a);
    own(NULL, &b);
    assert_false(b.made_ca || b.made_cert);
    assert_string_equal(a.cert_pem, b.cert_pem);
    assert_string_equal(a.key_pem, b.key_pem);
    tls_material_free(&a);
    tls_material_free(&b);
}

static void a_new_name_renews_the_server_and_keeps_the_ca(void **state)
{
    static const char *const names[] = {"new.example", NULL};
    struct tls_material a, b;
    own(NULL, &a);
    own(names, &b);
    assert_true(b.made_cert && !b.made_ca);
    assert_string_equal(a.ca_pem, b.ca_pem);
    assert_string_not_equal(a.cert_pem, b.cert_pem);
    assert_int_equal(verify(&b, "new.example", NULL), X509_V_OK);
    tls_material_free(&a);
    tls_material_free(&b);
}

static void a_server_certificate_that_ends_soon_is_renewed(void **state)
{
    struct tls_material a, b;
    own(NULL, &a);
    char command[1024];
    snprintf(command, sizeof command,
             "cd %s && openssl x509 -in server.pem -x509toreq -signkey server.key -out other "
             "-copy_extensions copyall 2>/dev/null && openssl x509 -req -in other -CA ca.pem "
             "-CAkey ca.key -days 80 -copy_extensions copyall -out server.pem 2>/dev/null",
             dir);
    assert_int_equal(system(command), 0);
    own(NULL, &b);
    assert_true(b.made_cert && !b.made_ca);
    assert_int_equal(verify(&b, "localhost", NULL), X509_V_OK);
    tls_material_free(&a);
    tls_material_free(&b);
}

static void halves_of_a_pair_are_made_again(void **state)
{
    struct tls_material m;
    own(NULL, &m);
    tls_material_free(&m);
    assert_int_equal(file_write(in_dir("server.key"), "torn", 4, 0600), 0);
    own(NULL, &m);
    assert_true(m.made_cert && !m.made_ca);
    tls_material_free(&m);
    assert_int_equal(unlink(in_dir("server.pem")), 0);
    own(NULL, &m);
    assert_true(m.made_cert && !m.made_ca);
    assert_int_equal(verify(&m, "localhost", NULL), X509_V_OK);
    tls_material_free(&m);
}

static void without_the_ca_key_a_good_certificate_still_serves(void **state)
{
    static const char *const names[] = {"new.example", NULL};
    struct tls_material m;
    own(NULL, &m);
    tls_material_free(&m);
    assert_int_equal(unlink(in_dir("ca.key")), 0);
    own(NULL, &m);
    assert_false(m.made_cert);
    tls_material_free(&m);
    assert_int_equal(tls_material_own(dir, names, &m, why, sizeof why), -1);
    assert_non_null(strstr(why, "ca.key"));
}

static void a_broken_ca_is_told_and_kept(void **state)
{
    struct tls_material m;
    assert_int_equal(file_write(in_dir("ca.pem"), "junk", 4, 0644), 0);
    assert_int_equal(tls_material_own(dir, NULL, &m, why, sizeof why), -1);
    assert_non_null(strstr(why, "ca.pem"));
    uint8_t *data;
    size_t len;
    assert_int_equal(file_read(in_dir("ca.pem"), 100, &data, &len), 0);
    assert_string_equal((char *)data, "junk");
    free(data);
}

/* A self-signed pair that begins and ends so many seconds from now. */
static void make_pair(const char *cert_name, const char *key_name, long begins, long ends)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(cert), begins);
    X509_gmtime_adj(X509_getm_notAfter(cert), ends);
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    FILE *f = fopen(in_dir(cert_name), "w");
    PEM_write_X509(f, cert);
    fclose(f);
    f = fopen(in_dir(key_name), "w");
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void a_clock_far_off_is_suspected(void **state)
{
    struct tls_material m;
    make_pair("ca.pem", "ca.key", 3600, 7200);
    assert_int_equal(tls_material_own(dir, NULL, &m, why, sizeof why), -1);
    assert_non_null(strstr(why, "not valid yet; is the clock"));
    assert_int_equal(tls_material_load(in_dir("ca.pem"), in_dir("ca.key"), &m, why, sizeof why), 0);
    assert_non_null(strstr(why, "not valid yet; is the clock"));
    tls_material_free(&m);
    make_pair("ca.pem", "ca.key", -7200, -3600);
    assert_int_equal(tls_material_own(dir, NULL, &m, why, sizeof why), -1);
    assert_non_null(strstr(why, "no longer valid"));
    assert_int_equal(tls_material_load(in_dir("ca.pem"), in_dir("ca.key"), &m, why, sizeof why), 0);
    assert_non_null(strstr(why, "no longer valid"));
    tls_material_free(&m);
}

static void names_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {"a b", "", "a..b", "x,IP:1.2.3.4", "a\nb", ".a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *names[] = {bad[i], NULL};
        struct tls_material m;
        assert_int_equal(tls_material_own(dir, names, &m, why, sizeof why), -1);
    }
}

static void given_files_that_do_not_fit_are_told_apart(void **state)
{
    struct tls_material m;
    own(NULL, &m);
    tls_material_free(&m);
    assert_int_equal(
        tls_material_load(in_dir("server.pem"), in_dir("server.key"), &m, why, sizeof why), 0);
    assert_string_equal(why, "");
    assert_null(m.ca_pem);
    tls_material_free(&m);
    assert_int_equal(tls_material_load(in_dir("server.pem"), in_dir("ca.key"), &m, why, sizeof why),
                     -1);
    assert_non_null(strstr(why, "does not fit"));
    assert_int_equal(tls_material_load(in_dir("none"), in_dir("ca.key"), &m, why, sizeof why), -1);
    assert_non_null(strstr(why, "No such file"));
    assert_int_equal(
        tls_material_load(in_dir("server.key"), in_dir("server.key"), &m, why, sizeof why), -1);
    assert_non_null(strstr(why, "no certificate"));
    assert_int_equal(tls_material_load(in_dir("server.pem"), in_dir("ca.pem"), &m, why, sizeof why),
                     -1);
    assert_non_null(strstr(why, "no private key"));
    char command[1024];
    snprintf(command, sizeof command,
             "cd %s && openssl pkey -aes128 -passout pass:secret -in server.key -out other", dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(tls_material_load(in_dir("server.pem"), in_dir("other"), &m, why, sizeof why),
                     -1);
    assert_non_null(strstr(why, "encrypted"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_that_trusts_the_ca_accepts_the_server),
        TEST(keys_are_for_the_owner_only),
        TEST(a_second_start_keeps_both_certificates),
        TEST(a_new_name_renews_the_server_and_keeps_the_ca),
        TEST(a_server_certificate_that_ends_soon_is_renewed),
        TEST(halves_of_a_pair_are_made_again),
        TEST(without_the_ca_key_a_good_certificate_still_serves),
        TEST(a_broken_ca_is_told_and_kept),
        TEST(a_clock_far_off_is_suspected),
        TEST(names_that_are_none_are_refused),
        TEST(given_files_that_do_not_fit_are_told_apart),
    };
    return cmocka_run_group_tests_name("tls_material", tests, NULL, NULL);
}
