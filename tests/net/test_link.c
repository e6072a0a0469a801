/* A connection without HTTP: bytes, deadlines, ends, trust. */
#include "net/link.h"

#include "net/pace.h"
#include "tests/support/http_peer.h"
#include "tests/support/script_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define REQUEST "HELLO\r\n\r\n"

static char *certs, *ca;
static struct script_server *plain, *tls;

static int make_servers(void **state)
{
    static const struct test_cert wanted[] = {
        {.name = "ca"},
        {.name = "good", .san = "DNS:cloud.example,IP:127.0.0.1", .issuer = "ca"},
    };
    certs = test_dir_new();
    for (size_t i = 0; i < 2; i++) test_cert_make(certs, &wanted[i]);
    ca = test_file_text(certs, "ca.pem");
    plain = script_server_start(NULL, NULL);
    tls = script_server_start(certs, "good");
    return 0;
}

static int stop_servers(void **state)
{
    script_server_stop(plain);
    script_server_stop(tls);
    script_answers_free();
    free(ca);
    test_dir_remove(certs);
    return 0;
}

static struct link_peer peer_of(struct script_server *s)
{
    return (struct link_peer){.host = "127.0.0.1", .port = script_server_port(s), .tls = s == tls};
}

/* A link to s, trusted, with the request sent. */
static struct link *ask(struct script_server *s, const struct http_config *cfg)
{
    struct link_peer peer = peer_of(s);
    struct link *l = link_new(cfg);
    assert_non_null(l);
    assert_int_equal(link_connect(l, &peer), 0);
    assert_int_equal(link_send(l, REQUEST, strlen(REQUEST)), 0);
    return l;
}

static size_t read_all(struct link *l, uint8_t *out, size_t size)
{
    size_t total = 0;
    int n;
    while ((n = link_receive(l, out + total, size - total)) > 0) total += (size_t)n;
    assert_int_equal(n, 0);
    return total;
}

static void bytes_go_both_ways_unchanged(void **state)
{
    enum { LEN = 300000 };
    static uint8_t sent[LEN], got[LEN + 1];
    for (size_t i = 0; i < LEN; i++) sent[i] = (uint8_t)(i * 7 + i / 251);
    struct script_answer answer = {.data = sent, .len = LEN, .piece = 100000};
    for (int i = 0; i < 2; i++) {
        struct script_server *s = i ? tls : plain;
        SCRIPT_PLAY(s, answer);
        struct link *l = ask(s, &(struct http_config){.ca_pem = ca});
        assert_int_equal(read_all(l, got, sizeof got), LEN);
        assert_memory_equal(got, sent, LEN);
        assert_string_equal(script_server_request(s, 0), REQUEST);
        link_free(l);
    }
}

static void certificate_is_checked_for_the_name_not_the_address(void **state)
{
    char to[40];
    struct link_peer peer = peer_of(tls);
    snprintf(to, sizeof to, "127.0.0.1:%d", peer.port);
    peer = (struct link_peer){.host = "cloud.example", .port = 443, .tls = true, .connect_to = to};
    struct link *l = link_new(&(struct http_config){.ca_pem = ca});
    assert_int_equal(link_connect(l, &peer), 0);
    link_free(l);
    peer.host = "other.example";
    l = link_new(&(struct http_config){.ca_pem = ca});
    assert_int_equal(link_connect(l, &peer), HTTP_ERR_TLS);
    assert_non_null(strstr(link_error_text(l), "other.example"));
    link_free(l);
    l = link_new(&(struct http_config){0});
    assert_int_equal(link_connect(l, &peer), HTTP_ERR_TLS);
    assert_non_null(strstr(link_error_text(l), "not among the trusted"));
    link_free(l);
    l = link_new(&(struct http_config){.insecure = true});
    assert_int_equal(link_connect(l, &peer), 0);
    link_free(l);
}

static void count_call(void *ctx)
{
    (*(int *)ctx)++;
}

static void failures_to_connect_are_told_apart(void **state)
{
    int found = 0;
    struct link_peer peer = {.host = "127.0.0.1",
                             .port = http_peer_free_port(),
                             .ctx = &found,
                             .on_resolved = count_call};
    struct link *l = link_new(&(struct http_config){0});
    assert_int_equal(link_connect(l, &peer), HTTP_ERR_CONNECT);
    assert_int_equal(found, 1);
    assert_int_equal(link_connect(l, &peer), HTTP_ERR_STATE);
    link_free(l);
    peer.host = "no-such-host.invalid";
    l = link_new(&(struct http_config){0});
    link_set_deadline(l, pace_now_ms() + 5000);
    assert_int_equal(link_connect(l, &peer), HTTP_ERR_RESOLVE);
    assert_int_equal(found, 1);
    assert_non_null(strstr(link_error_text(l), "no-such-host.invalid"));
    assert_int_equal(link_send(l, "x", 1), HTTP_ERR_STATE);
    assert_int_equal(link_receive(l, ca, 1), HTTP_ERR_STATE);
    link_free(l);
}

static void deadline_ends_handshake_and_silence(void **state)
{
    char c[8];
    struct script_answer silent = {.data = "abc", .len = 3, .end = SCRIPT_HOLD};
    SCRIPT_PLAY(plain, silent, silent);
    struct link *l = ask(plain, &(struct http_config){0});
    assert_int_equal(link_receive(l, c, sizeof c), 3);
    int64_t begin = pace_now_ms();
    link_set_deadline(l, begin + 200);
    assert_int_equal(link_receive(l, c, sizeof c), HTTP_ERR_TIMEOUT);
    assert_in_range(pace_now_ms() - begin, 200, 2000);
    link_free(l);

    struct link_peer deaf = peer_of(plain); /* it waits for a request, not for a handshake */
    deaf.tls = true;
    l = link_new(&(struct http_config){.insecure = true});
    begin = pace_now_ms();
    link_set_deadline(l, begin + 200);
    assert_int_equal(link_connect(l, &deaf), HTTP_ERR_TIMEOUT);
    assert_in_range(pace_now_ms() - begin, 200, 2000);
    link_free(l);
}

static void *cancel_soon(void *arg)
{
    usleep(100000);
    link_cancel(arg);
    return NULL;
}

static void another_thread_ends_a_wait(void **state)
{
    char c[8];
    pthread_t thread;
    struct script_answer silent = {.data = "", .end = SCRIPT_HOLD};
    SCRIPT_PLAY(plain, silent);
    struct link *l = ask(plain, &(struct http_config){0});
    int64_t begin = pace_now_ms();
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, l), 0);
    assert_int_equal(link_receive(l, c, sizeof c), LINK_CANCELLED);
    assert_in_range(pace_now_ms() - begin, 50, 900); /* not only with the next look */
    assert_int_equal(link_send(l, "x", 1), LINK_CANCELLED);
    pthread_join(thread, NULL);
    link_free(l);
}

static void broken_connection_is_an_error_an_ended_one_is_not(void **state)
{
    uint8_t bytes[16];
    struct script_answer reset = {.data = "abc", .len = 3, .end = SCRIPT_RESET}, end = reset;
    end.end = SCRIPT_CLOSE;
    SCRIPT_PLAY(plain, reset, end);
    struct link *l = ask(plain, &(struct http_config){0});
    assert_int_equal(link_receive(l, bytes, sizeof bytes), 3);
    assert_int_equal(link_receive(l, bytes, sizeof bytes), HTTP_ERR_RECV);
    link_free(l);
    l = ask(plain, &(struct http_config){0});
    assert_int_equal(read_all(l, bytes, sizeof bytes), 3);
    link_free(l);
}

static void rate_limit_slows_reading(void **state)
{
    static uint8_t bytes[3000], got[3001];
    struct script_answer answer = {.data = bytes, .len = sizeof bytes};
    SCRIPT_PLAY(plain, answer);
    struct link *l = ask(plain, &(struct http_config){.rate_limit = 10000});
    int64_t begin = pace_now_ms();
    assert_int_equal(read_all(l, got, sizeof got), sizeof bytes);
    assert_in_range(pace_now_ms() - begin, 200, 3000);
    link_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_both_ways_unchanged),
        cmocka_unit_test(certificate_is_checked_for_the_name_not_the_address),
        cmocka_unit_test(failures_to_connect_are_told_apart),
        cmocka_unit_test(deadline_ends_handshake_and_silence),
        cmocka_unit_test(another_thread_ends_a_wait),
        cmocka_unit_test(broken_connection_is_an_error_an_ended_one_is_not),
        cmocka_unit_test(rate_limit_slows_reading),
    };
    return cmocka_run_group_tests(tests, make_servers, stop_servers);
}
