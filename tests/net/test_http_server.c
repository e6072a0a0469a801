/* The HTTP server against plain sockets that send what a client might. TLS and real clients
 * are in the end-to-end tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/http_server.h"

static struct http_server *server;
static unsigned port;
static atomic_uint gone_count, body_bytes;
static atomic_bool hold, held; /* "/hold" waits until hold is false */

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void released(void *ctx)
{
    atomic_fetch_add((atomic_uint *)ctx, 1);
}

static atomic_uint release_count;

static void begin(void *ctx, struct http_request *r)
{
    const char *path = http_request_path(r);
    char value[16];
    if (!path)
        http_answer_text(r, 400, "text/plain", "bad path");
    else if (strcmp(path, "/early") == 0)
        http_answer_text(r, 403, "text/plain", "no");
    else if (strcmp(path, "/bytes") == 0)
        http_answer_bytes(r, 200, "0123456789", 10, released, &release_count);
    else if (strcmp(path, "/query") == 0)
        http_answer_text(r, http_request_query(r, "n", value, sizeof value) ? 200 : 404,
                         "text/plain", value);
    else if (strcmp(path, "/short") == 0)
        http_request_hurry(r);
    else if (strcmp(path, "/hold") == 0) {
        held = true;
        while (hold) pause_ms(5);
        http_answer_text(r, 200, "text/plain", "held");
    }
    http_answer_header(r, "X-Path", path ? path : "none");
}

static void body(void *ctx, struct http_request *r, const void *data, size_t len)
{
    atomic_fetch_add(&body_bytes, (unsigned)len);
}

static void end(void *ctx, struct http_request *r)
{
    http_answer_text(r, 200, "text/plain", "got it");
}

static void gone(void *ctx, struct http_request *r)
{
    atomic_fetch_add(&gone_count, 1);
}

static const struct http_handler handler = {begin, body, end, gone};

static int start(void **state)
{
    struct http_server_config cfg = {.handler = &handler,
                                     .threads = 2,
                                     .head_timeout_s = 1,
                                     .address_limit = 8,
                                     .connection_limit = 64,
                                     .drain_limit = 100000};
    char why[256];
    int fd = http_listen("127.0.0.1:0", &port, why, sizeof why);
    if (fd < 0) return -1;
    gone_count = body_bytes = release_count = 0;
    hold = held = false;
    server = http_server_start(&cfg, fd, why, sizeof why);
    return server ? 0 : -1;
}

static int stop(void **state)
{
    http_server_stop(server, 2);
    server = NULL;
    return 0;
}

static int dial(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = 5};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* One response, to the end of its Content-Length. Gives the status; 0: connection closed. */
static unsigned answer(int fd, char *text, size_t size)
{
    size_t used = 0;
    memset(text, 0, size);
    while (used + 1 < size) {
        const char *head_end = strstr(text, "\r\n\r\n");
        const char *length = strcasestr(text, "content-length:");
        if (head_end && length &&
            used >= (size_t)(head_end + 4 - text) + strtoul(length + 15, NULL, 10))
            break;
        ssize_t n = recv(fd, text + used, size - 1 - used, 0);
        if (n <= 0) break;
        used += (size_t)n;
    }
    return used > 12 ? (unsigned)strtoul(text + 9, NULL, 10) : 0;
}

static unsigned ask(const char *request, char *text, size_t size)
{
    int fd = dial();
    say(fd, request);
    unsigned status = answer(fd, text, size);
    close(fd);
    return status;
}

static void a_connection_serves_one_request_after_another(void **state)
{
    char text[2048];
    int fd = dial();
    for (int i = 0; i < 5; i++) {
        say(fd, "GET /bytes HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_int_equal(answer(fd, text, sizeof text), 200);
        assert_non_null(strstr(text, "\r\n\r\n0123456789"));
    }
    close(fd);
    for (int i = 0; i < 400 && gone_count < 5; i++) pause_ms(5);
    assert_int_equal(gone_count, 5);
    assert_int_equal(release_count, 5);
}

static void paths_come_decoded_and_bad_ones_not_at_all(void **state)
{
    char text[2048];
    assert_int_equal(
        ask("POST /a%20b%2Fc HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", text, sizeof text),
        200);
    assert_int_equal(ask("GET /bytes%00x HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof text), 400);
    assert_int_equal(ask("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof text), 400);
    assert_int_equal(ask("GET /% HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof text), 400);
    assert_int_equal(ask("GET /%62ytes HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof text), 200);
    assert_non_null(strstr(text, "X-Path: /bytes\r\n"));
    assert_int_equal(ask("GET HTTPS://x:1/bytes HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof text),
                     200);
    assert_non_null(strstr(text, "X-Path: /bytes\r\n"));
}

static void query_values_come_decoded_and_bounded(void **state)
{
    char text[2048];
    assert_int_equal(ask("GET /query?m=1&n=a%2Bb+c HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof text),
                     200);
    assert_non_null(strstr(text, "\r\n\r\na+b c"));
    assert_int_equal(
        ask("GET /query?n=0123456789abcdef HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof text), 404);
    assert_int_equal(ask("GET /query HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof text), 404);
}

static void bodies_arrive_whole(void **state)
{
    char text[2048];
    assert_int_equal(ask("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello world",
                         text, sizeof text),
                     200);
    assert_int_equal(body_bytes, 11);
    assert_int_equal(ask("POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "5\r\nhello\r\n0\r\n\r\n",
                         text, sizeof text),
                     200);
    assert_int_equal(body_bytes, 16);
}

static void an_early_answer_is_read_by_a_client_that_sends_on(void **state)
{
    char text[2048], block[1000];
    int fd = dial();
    memset(block, 'x', sizeof block);
    say(fd, "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n");
    for (int i = 0; i < 50; i++)
        assert_int_equal(send(fd, block, sizeof block, MSG_NOSIGNAL), sizeof block);
    assert_int_equal(answer(fd, text, sizeof text), 403);
    say(fd, "GET /bytes HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(answer(fd, text, sizeof text), 200);
    close(fd);
    assert_int_equal(body_bytes, 0);
}

static void a_client_that_waits_for_leave_is_answered_at_once(void **state)
{
    char text[2048];
    int fd = dial();
    say(fd, "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n"
            "Expect: 100-continue\r\n\r\n");
    assert_int_equal(answer(fd, text, sizeof text), 403);
    close(fd);
    assert_int_equal(ask("POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
                         text, sizeof text),
                     403);
}

static void a_body_behind_an_answer_ends_at_the_limit(void **state)
{
    char chunk[1000];
    memset(chunk, 'x', sizeof chunk);
    int fd = dial(), sent = 0;
    say(fd, "POST /early HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (sent < 20000) { /* 20 MB, were there no limit of 100 kB */
        if (send(fd, "3e8\r\n", 5, MSG_NOSIGNAL) < 0) break;
        if (send(fd, chunk, sizeof chunk, MSG_NOSIGNAL) < 0) break;
        if (send(fd, "\r\n", 2, MSG_NOSIGNAL) < 0) break;
        sent++;
    }
    close(fd);
    assert_in_range(sent, 100, 19999);
}

/* Sends what, then a byte each 100 ms; gives the seconds until the server closes. */
static long drip(const char *what)
{
    int fd = dial();
    char byte;
    time_t began = time(NULL);
    say(fd, what);
    while (time(NULL) - began < 5) {
        if (send(fd, "x", 1, MSG_NOSIGNAL) < 0) break;
        pause_ms(100);
        if (recv(fd, &byte, 1, MSG_DONTWAIT) == 0) break;
    }
    close(fd);
    return time(NULL) - began;
}

static void a_dripping_head_loses_its_connection(void **state)
{
    assert_in_range(drip("GET /bytes HTTP/1.1\r\nX-Slow: "), 1, 4);
}

static void a_dripping_body_behind_a_refusal_loses_its_connection(void **state)
{
    assert_in_range(drip("POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"), 1, 4);
    assert_in_range(drip("POST /wanted HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"), 5, 9);
}

static void a_dripping_body_that_should_be_short_loses_its_connection(void **state)
{
    assert_in_range(drip("POST /short HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"), 1, 4);
}

static void one_address_gets_its_share_of_connections(void **state)
{
    int fd[10];
    char text[2048];
    unsigned served = 0;
    for (int i = 0; i < 10; i++) {
        fd[i] = dial();
        send(fd[i], "GET /bytes HTTP/1.1\r\nHost: x\r\n\r\n", 32, MSG_NOSIGNAL);
        served += answer(fd[i], text, sizeof text) == 200;
    }
    for (int i = 0; i < 10; i++) close(fd[i]);
    assert_int_equal(served, 8);
}

static void *stop_in_thread(void *arg)
{
    http_server_stop(arg, 5);
    return NULL;
}

static void stopping_lets_a_request_finish(void **state)
{
    char text[2048];
    pthread_t stopper;
    hold = true;
    int fd = dial();
    say(fd, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 400 && !held; i++) pause_ms(5);
    pthread_create(&stopper, NULL, stop_in_thread, server);
    pause_ms(50);
    hold = false;
    assert_int_equal(answer(fd, text, sizeof text), 200);
    assert_non_null(strstr(text, "held"));
    pthread_join(stopper, NULL);
    close(fd);
    server = NULL;
}

static void addresses_are_taken_apart(void **state)
{
    static const char *const bad[] = {"",        "x",       "1.2.3.4", "1.2.3.4:", "::1:80",
                                      "[::1:80", "h:99999", "h:-1",    "[::1]",    "127.0.0.1:8o"};
    char why[512];
    unsigned p;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (http_listen(bad[i], &p, why, sizeof why) >= 0) fail_msg("'%s' was taken", bad[i]);
    int all = http_listen("[::]:0", &p, why, sizeof why);
    assert_true(all >= 0);
    char again[32];
    snprintf(again, sizeof again, "127.0.0.1:%u", p);
    assert_int_equal(http_listen(again, &p, why, sizeof why), -1);
    assert_non_null(strstr(why, "another program listens there"));
    assert_int_equal(http_listen("192.0.2.1:0", &p, why, sizeof why), -1);
    assert_non_null(strstr(why, "does not have that address"));
    close(all);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_connection_serves_one_request_after_another),
        TEST(paths_come_decoded_and_bad_ones_not_at_all),
        TEST(query_values_come_decoded_and_bounded),
        TEST(bodies_arrive_whole),
        TEST(an_early_answer_is_read_by_a_client_that_sends_on),
        TEST(a_client_that_waits_for_leave_is_answered_at_once),
        TEST(a_body_behind_an_answer_ends_at_the_limit),
        TEST(a_dripping_head_loses_its_connection),
        TEST(a_dripping_body_behind_a_refusal_loses_its_connection),
        TEST(a_dripping_body_that_should_be_short_loses_its_connection),
        TEST(one_address_gets_its_share_of_connections),
        TEST(stopping_lets_a_request_finish),
        cmocka_unit_test(addresses_are_taken_apart),
    };
    return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
