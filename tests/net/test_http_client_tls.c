/* Whom http_client trusts, and what it says when it does not. */
#include "net/http_client.h"

#include "tests/support/http_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char *dir;
static char *ca, *other_ca;

static int make_certificates(void **state)
{
    static const struct test_cert certs[] = {
        {.name = "ca"},
        {.name = "other"},
        {.name = "good", .san = "IP:127.0.0.1,DNS:ota.example", .issuer = "ca"},
        {.name = "elsewhere", .san = "DNS:elsewhere.example", .issuer = "ca"},
        {.name = "old", .san = "IP:127.0.0.1", .issuer = "ca", .from_s = -864000, .to_s = -86400},
        {.name = "early", .san = "IP:127.0.0.1", .issuer = "ca", .from_s = 86400, .to_s = 864000},
        {.name = "device", .san = "DNS:device", .issuer = "ca"},
    };
    dir = test_dir_new();
    for (size_t i = 0; i < sizeof certs / sizeof *certs; i++) test_cert_make(dir, &certs[i]);
    ca = test_file_text(dir, "ca.pem");
    other_ca = test_file_text(dir, "other.pem");
    return 0;
}

static int remove_certificates(void **state)
{
    free(ca);
    free(other_ca);
    test_dir_remove(dir);
    return 0;
}

static void serve(struct http_peer *p, const char *cert, const char *option, const char *value)
{
    char pem[300], key[300];
    snprintf(pem, sizeof pem, "%s/%s.pem", dir, cert);
    snprintf(key, sizeof key, "%s/%s.key", dir, cert);
    http_peer_start(p, (const char *[]){"--tls", pem, key, option, value, NULL});
}

/* One request; the result of it, and what was said if it failed. */
static int ask(struct http_peer *p, const struct http_config *cfg, char *said, size_t size)
{
    char buf[64];
    int total = 0, n;
    struct http_client *c = http_client_new(cfg);
    assert_int_equal(http_client_set_url(c, http_peer_url(p, "/bytes/100")), 0);
    int err = http_client_open(c, 0);
    if (!err) err = http_client_headers(c);
    if (!err) {
        while ((n = http_client_read(c, buf, sizeof buf)) > 0) total += n;
        assert_int_equal(total, 100);
    }
    snprintf(said, size, "%s", http_client_error_text(c));
    http_client_free(c);
    return err;
}

static void refuses(struct http_peer *p, const struct http_config *cfg, const char *words)
{
    char said[1024];
    assert_int_equal(ask(p, cfg, said, sizeof said), HTTP_ERR_TLS);
    if (!strstr(said, words)) fail_msg("no \"%s\" in: %s", words, said);
}

static void accepts(struct http_peer *p, const struct http_config *cfg)
{
    char said[1024];
    int err = ask(p, cfg, said, sizeof said);
    if (err) fail_msg("%d: %s", err, said);
}

static void chain_must_end_in_what_is_trusted(void **state)
{
    struct http_peer p;
    char both[20000], file[300];
    snprintf(both, sizeof both, "%s%s", other_ca, ca);
    snprintf(file, sizeof file, "%s/ca.pem", dir);
    serve(&p, "good", NULL, NULL);
    accepts(&p, &(struct http_config){.ca_pem = ca});
    accepts(&p, &(struct http_config){.ca_pem = ca, .ca_pem_len = strlen(ca) + 1});
    accepts(&p, &(struct http_config){.ca_pem = both});
    accepts(&p, &(struct http_config){.ca_file = file});
    accepts(&p, &(struct http_config){.ca_bundle = true, .ca_file = file});
    accepts(&p, &(struct http_config){.insecure = true});
    refuses(&p, &(struct http_config){.ca_pem = other_ca}, "issued by /CN=ca, which is not among");
    refuses(&p, &(struct http_config){0}, "not among the trusted certificates given");
    refuses(&p, &(struct http_config){.ca_bundle = true}, "trusted certificates of this system");
    refuses(&p, &(struct http_config){.ca_pem = "nonsense"}, "cannot be read");
    refuses(&p, &(struct http_config){.ca_file = "/nowhere.pem"}, "/nowhere.pem cannot be read");
    refuses(&p, &(struct http_config){.ca_pem = other_ca, .skip_name_check = true}, "not among");
    http_peer_stop(&p);
}

static void anchor_may_be_der(void **state)
{
    char command[700], der[4096];
    struct http_peer p;
    snprintf(command, sizeof command, "openssl x509 -in %s/ca.pem -outform DER -out %s/ca.der", dir,
             dir);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "%s/ca.der", dir);
    FILE *f = fopen(command, "r");
    assert_non_null(f);
    size_t len = fread(der, 1, sizeof der, f);
    fclose(f);
    serve(&p, "good", NULL, NULL);
    accepts(&p, &(struct http_config){.ca_pem = der, .ca_pem_len = len});
    refuses(&p, &(struct http_config){.ca_pem = der, .ca_pem_len = len / 2}, "cannot be read");
    http_peer_stop(&p);
}

static void name_must_be_the_expected_one(void **state)
{
    struct http_peer p;
    serve(&p, "elsewhere", NULL, NULL);
    refuses(&p, &(struct http_config){.ca_pem = ca}, "certificate is not for \"127.0.0.1\"");
    accepts(&p, &(struct http_config){.ca_pem = ca, .skip_name_check = true});
    accepts(&p, &(struct http_config){.ca_pem = ca, .common_name = "elsewhere.example"});
    refuses(&p, &(struct http_config){.ca_pem = ca, .common_name = "ota.example"},
            "not for the expected name \"ota.example\"");
    http_peer_stop(&p);
    serve(&p, "good", NULL, NULL);
    accepts(&p, &(struct http_config){.ca_pem = ca, .common_name = "127.0.0.1"});
    http_peer_stop(&p);
}

static void clock_and_validity_must_agree(void **state)
{
    struct http_peer p;
    serve(&p, "old", NULL, NULL);
    refuses(&p, &(struct http_config){.ca_pem = ca}, "renew the server's certificate");
    http_peer_stop(&p);
    serve(&p, "early", NULL, NULL);
    refuses(&p, &(struct http_config){.ca_pem = ca}, "set the clock");
    http_peer_stop(&p);
}

static void tls_version_can_be_pinned(void **state)
{
    struct http_peer p;
    serve(&p, "good", "--tls-version", "1.2");
    accepts(&p, &(struct http_config){.ca_pem = ca});
    accepts(&p, &(struct http_config){.ca_pem = ca, .tls_version = 12});
    refuses(&p, &(struct http_config){.ca_pem = ca, .tls_version = 13}, "which TLS versions");
    http_peer_stop(&p);
    serve(&p, "good", "--tls-version", "1.3");
    accepts(&p, &(struct http_config){.ca_pem = ca, .tls_version = 13});
    refuses(&p, &(struct http_config){.ca_pem = ca, .tls_version = 12}, "which TLS versions");
    http_peer_stop(&p);
}

static void server_can_ask_for_the_clients_certificate(void **state)
{
    struct http_peer p;
    char path[300], said[1024];
    char *cert = test_file_text(dir, "device.pem"), *key = test_file_text(dir, "device.key");
    char *wrong = test_file_text(dir, "good.key");
    snprintf(path, sizeof path, "%s/ca.pem", dir);
    serve(&p, "good", "--client-ca", path);
    accepts(&p,
            &(struct http_config){.ca_pem = ca, .client_cert_pem = cert, .client_key_pem = key});
    assert_int_not_equal(ask(&p, &(struct http_config){.ca_pem = ca}, said, sizeof said), 0);
    refuses(&p,
            &(struct http_config){.ca_pem = ca, .client_cert_pem = cert, .client_key_pem = wrong},
            "own certificate or key");
    http_peer_stop(&p);
    free(cert);
    free(key);
    free(wrong);
}

/* "new" or "resumed", of the second of two connections */
static void second_session(bool sessions, char *word, size_t size)
{
    struct http_peer p;
    char line[300], buf[256];
    serve(&p, "good", NULL, NULL);
    struct http_client *c =
        http_client_new(&(struct http_config){.ca_pem = ca, .tls_sessions = sessions});
    for (int i = 0; i < 2; i++) {
        http_client_set_url(c, http_peer_url(&p, "/bytes/100?bye"));
        assert_int_equal(http_client_open(c, 0), 0);
        assert_int_equal(http_client_headers(c), 0);
        while (http_client_read(c, buf, sizeof buf) > 0) continue;
        http_client_disconnect(c);
        http_peer_line(&p, line, sizeof line);
    }
    snprintf(word, size, "%s", strrchr(line, '|') + 1);
    http_client_free(c);
    http_peer_stop(&p);
}

static void sessions_are_resumed_only_when_asked(void **state)
{
    char word[32];
    second_session(true, word, sizeof word);
    assert_string_equal(word, "resumed");
    second_session(false, word, sizeof word);
    assert_string_equal(word, "new");
}

/* libcurl decrypts faster than small reads take: what is ahead is kept, then held up. */
static void large_body_survives_small_reads(void **state)
{
    static const size_t pieces[] = {1000, 70000};
    struct http_peer p;
    serve(&p, "good", NULL, NULL);
    for (size_t k = 0; k < 2; k++) {
        unsigned char *buf = malloc(pieces[k]);
        size_t at = 0;
        int n;
        struct http_client *c = http_client_new(&(struct http_config){.ca_pem = ca});
        http_client_set_url(c, http_peer_url(&p, "/bytes/6000000"));
        assert_int_equal(http_client_open(c, 0), 0);
        assert_int_equal(http_client_headers(c), 0);
        usleep(200000); /* lets the socket fill */
        while ((n = http_client_read(c, buf, pieces[k])) > 0)
            for (int i = 0; i < n; i++, at++)
                if (buf[i] != (unsigned char)(at * 7 + at / 256)) fail_msg("byte %zu", at);
        assert_int_equal(n, 0);
        assert_int_equal(at, 6000000);
        assert_true(http_client_complete(c));
        http_client_free(c);
        free(buf);
    }
    http_peer_stop(&p);
}

static void openssl_s_server_ends_a_body_by_closing(void **state)
{
    struct http_peer p;
    char pem[300], key[300], port[16], buf[700];
    int total = 0, n, number = http_peer_free_port();
    snprintf(pem, sizeof pem, "%s/good.pem", dir);
    snprintf(key, sizeof key, "%s/good.key", dir);
    snprintf(port, sizeof port, "%d", number);
    snprintf(buf, sizeof buf,
             "cd %s && exec openssl s_server -quiet -WWW -cert %s -key %s -port %s", dir, pem, key,
             port);
    http_peer_run(&p, (const char *[]){"/bin/sh", "-c", buf, NULL}, number);
    p.tls = true;
    struct http_client *c = http_client_new(&(struct http_config){.ca_pem = ca});
    http_client_set_url(c, http_peer_url(&p, "/ca.pem"));
    assert_int_equal(http_client_open(c, 0), 0);
    assert_int_equal(http_client_headers(c), 0);
    assert_int_equal(http_client_content_length(c), -1);
    assert_false(http_client_persistent(c));
    while ((n = http_client_read(c, buf, sizeof buf)) > 0) total += n;
    assert_int_equal(n, 0);
    assert_int_equal(total, strlen(ca));
    assert_true(http_client_complete(c));
    http_client_free(c);
    http_peer_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_must_end_in_what_is_trusted),
        cmocka_unit_test(anchor_may_be_der),
        cmocka_unit_test(name_must_be_the_expected_one),
        cmocka_unit_test(clock_and_validity_must_agree),
        cmocka_unit_test(tls_version_can_be_pinned),
        cmocka_unit_test(server_can_ask_for_the_clients_certificate),
        cmocka_unit_test(sessions_are_resumed_only_when_asked),
        cmocka_unit_test(large_body_survives_small_reads),
        cmocka_unit_test(openssl_s_server_ends_a_body_by_closing),
    };
    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
