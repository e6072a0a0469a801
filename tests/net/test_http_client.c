/* http_client against real servers: http_peer.py, nginx, openssl s_server. */
#include "net/http_client.h"

#include "tests/support/http_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct http_peer plain;

static int start_plain(void **state)
{
    http_peer_start(&plain, NULL);
    return 0;
}

static int stop_plain(void **state)
{
    http_peer_stop(&plain);
    return 0;
}

static void skip_lines(void)
{
    char line[256];
    do {
        http_peer_line(&plain, line, sizeof line);
    } while (strncmp(line, "GET /status/299", 15) != 0 && line[0]);
}

/* Lines of earlier requests are read away. */
static struct http_client *client(const struct http_config *cfg)
{
    struct http_client *c = http_client_new(cfg);
    assert_non_null(c);
    http_client_set_url(c, http_peer_url(&plain, "/status/299"));
    assert_int_equal(http_client_open(c, 0), 0);
    assert_int_equal(http_client_headers(c), 0);
    http_client_disconnect(c);
    skip_lines();
    return c;
}

static void go(struct http_client *c, const char *path)
{
    assert_int_equal(http_client_set_url(c, http_peer_url(&plain, path)), 0);
    assert_int_equal(http_client_open(c, 0), 0);
    assert_int_equal(http_client_headers(c), 0);
}

static bool is_pattern(const unsigned char *data, size_t from, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (data[i] != (unsigned char)((from + i) * 7 + (from + i) / 256)) return false;
    return true;
}

/* Reads to the end with pieces of `piece`; gives the bytes, *last the last result. */
static size_t read_all(struct http_client *c, size_t from, size_t piece, int *last)
{
    unsigned char *buf = malloc(piece);
    size_t total = 0;
    int n;
    while ((n = http_client_read(c, buf, piece)) > 0) {
        assert_true(is_pattern(buf, from + total, (size_t)n));
        total += (size_t)n;
    }
    *last = n;
    free(buf);
    return total;
}

static void every_kind_of_body_is_read_to_its_end(void **state)
{
    static const struct {
        const char *path;
        size_t len;
        int64_t announced;
        bool chunked, persistent;
    } bodies[] = {
        {"/bytes/300000", 300000, 300000, false, true},
        {"/bytes/300000?chunked", 300000, -1, true, true},
        {"/bytes/300000?close", 300000, -1, false, false},
        {"/bytes/0", 0, 0, false, true},
        {"/bytes/1500000?bye", 1500000, 1500000, false, false},
    };
    static const size_t pieces[] = {1, 1024, 65536, 1 << 20};
    struct http_client *c = client(&(struct http_config){0});
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        for (size_t k = bodies[i].len > 300000 ? 1 : 0; k < 4; k++) {
            int last;
            go(c, bodies[i].path);
            assert_int_equal(http_client_status(c), 200);
            assert_int_equal(http_client_content_length(c), bodies[i].announced);
            assert_int_equal(http_client_chunked(c), bodies[i].chunked);
            assert_int_equal(http_client_persistent(c), bodies[i].persistent);
            assert_int_equal(read_all(c, 0, pieces[k], &last), bodies[i].len);
            assert_int_equal(last, 0);
            assert_true(http_client_complete(c));
        }
    http_client_free(c);
}

/* Number of the connection that the next request in the peer's list came over. */
static int connection(void)
{
    char line[256];
    http_peer_line(&plain, line, sizeof line);
    *strrchr(line, '|') = 0; /* "new" or "resumed" */
    return atoi(strrchr(line, '|') + 1);
}

static void connection_is_kept_only_after_a_whole_response(void **state)
{
    int last, first;
    char buf[5000];
    struct http_client *c = client(&(struct http_config){0});
    for (int i = 0; i < 3; i++) {
        go(c, "/bytes/5000");
        read_all(c, 0, 1000, &last);
        http_client_close(c);
        if (i == 0)
            first = connection();
        else
            assert_int_equal(connection(), first);
    }
    go(c, "/bytes/5000?chunked&late"); /* all data taken, its end not looked for */
    for (int got = 0; got < 5000; got += http_client_read(c, buf, sizeof buf)) continue;
    usleep(50000);
    http_client_close(c);
    go(c, "/bytes/5000000"); /* not read: the connection cannot be used again */
    http_client_close(c);
    assert_int_equal(connection(), first);
    assert_int_equal(connection(), first);
    go(c, "/bytes/10");
    assert_int_not_equal(connection(), first);
    http_client_free(c);
}

static void range_gives_its_total(void **state)
{
    int last;
    struct http_client *c = client(&(struct http_config){0});
    http_client_set_header(c, "Range", "bytes=1000-1999");
    go(c, "/bytes/5000");
    assert_int_equal(http_client_status(c), 206);
    assert_int_equal(http_client_range_total(c), 5000);
    assert_string_equal(http_client_response_header(c, "content-range"), "bytes 1000-1999/5000");
    assert_int_equal(read_all(c, 1000, 333, &last), 1000);
    http_client_set_header(c, "Range", "bytes=9000-");
    go(c, "/bytes/5000");
    assert_int_equal(http_client_status(c), 416);
    assert_int_equal(http_client_range_total(c), 5000);
    http_client_set_header(c, "Range", NULL);
    go(c, "/bytes/5000");
    assert_int_equal(http_client_status(c), 200);
    assert_int_equal(http_client_range_total(c), -1);
    http_client_free(c);
}

static void redirect_is_shown_not_followed(void **state)
{
    struct http_client *c = client(&(struct http_config){0});
    go(c, "/to?http://127.0.0.1:9/x");
    assert_int_equal(http_client_status(c), 302);
    assert_string_equal(http_client_response_header(c, "Location"), "http://127.0.0.1:9/x");
    http_client_free(c);
}

static void head_brings_the_length_and_no_body(void **state)
{
    char buf[16];
    struct http_client *c = client(&(struct http_config){0});
    http_client_set_method(c, "HEAD");
    go(c, "/bytes/5000");
    assert_int_equal(http_client_content_length(c), 5000);
    assert_int_equal(http_client_read(c, buf, sizeof buf), 0);
    http_client_set_method(c, "GET");
    go(c, "/bytes/10");
    assert_int_equal(http_client_read(c, buf, sizeof buf), 10);
    http_client_free(c);
}

static void silence_is_a_timeout_and_the_request_goes_on(void **state)
{
    unsigned char buf[4096];
    struct http_client *c = client(&(struct http_config){.timeout_ms = 300});
    go(c, "/bytes/5000?stall=1000");
    size_t got = 0;
    int n;
    while ((n = http_client_read(c, buf, sizeof buf)) > 0) got += (size_t)n;
    assert_int_equal(got, 1000);
    assert_int_equal(n, HTTP_ERR_TIMEOUT);
    assert_int_equal(http_client_read(c, buf, sizeof buf), HTTP_ERR_TIMEOUT);
    assert_false(http_client_complete(c));

    http_client_set_url(c, http_peer_url(&plain, "/bytes/10?delay=700"));
    assert_int_equal(http_client_open(c, 0), 0);
    assert_int_equal(http_client_headers(c), HTTP_ERR_TIMEOUT);
    assert_int_equal(http_client_errno(c), EAGAIN);
    http_client_set_timeout(c, 3000);
    assert_int_equal(http_client_headers(c), 0); /* the same request */
    assert_int_equal(http_client_read(c, buf, sizeof buf), 10);
    http_client_free(c);
}

static void broken_connection_is_an_error_with_its_errno(void **state)
{
    static const struct {
        const char *path;
        int os_errno;
    } cuts[] = {{"/bytes/50000?cut=1000", ECONNRESET},
                {"/bytes/50000?fin=1000", ENOTCONN},
                {"/bytes/50000?chunked&fin=0", 0}};
    for (size_t i = 0; i < 3; i++) {
        int last;
        struct http_client *c = client(&(struct http_config){0});
        go(c, cuts[i].path);
        assert_true(read_all(c, 0, 512, &last) <= 1000);
        assert_int_equal(last, HTTP_ERR_RECV);
        assert_false(http_client_complete(c));
        if (cuts[i].os_errno) assert_int_equal(http_client_errno(c), cuts[i].os_errno);
        assert_non_null(strstr(http_client_error_text(c), "broke off"));
        http_client_free(c);
    }
}

static void head_that_breaks_off_is_no_answer(void **state)
{
    struct http_client *c = client(&(struct http_config){0});
    http_client_set_url(c, http_peer_url(&plain, "/torn"));
    assert_int_equal(http_client_open(c, 0), 0);
    assert_int_equal(http_client_headers(c), HTTP_ERR_RECV);
    assert_false(http_client_complete(c));
    http_client_free(c);
}

/* Answers before it is asked, with less body than announced, and takes its time to hang up. */
static void *answer_early(void *arg)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    char asked[2048];
    int fd = accept(*(int *)arg, NULL, NULL);
    if (fd < 0) return NULL;
    (void)!write(fd, answer, sizeof answer - 1);
    shutdown(fd, SHUT_WR);
    while (read(fd, asked, sizeof asked) > 0) {
    }
    close(fd);
    return NULL;
}

static void body_that_broke_off_early_is_read_up_to_there(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    pthread_t peer;
    assert_int_equal(pthread_create(&peer, NULL, answer_early, &fd), 0);

    char url[64], body[16];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(at.sin_port));
    struct http_client *c = http_client_new(&(struct http_config){.timeout_ms = 2000});
    http_client_set_url(c, url);
    assert_int_equal(http_client_start(c, 0), 0);
    usleep(20000); /* the whole answer lies ready when the request goes out */
    assert_int_equal(http_client_wait_open(c, 2000), 0);
    assert_int_equal(http_client_headers(c), 0);
    assert_int_equal(http_client_status(c), 200);
    assert_int_equal(http_client_read(c, body, sizeof body), 4);
    assert_memory_equal(body, "half", 4);
    assert_int_equal(http_client_read(c, body, sizeof body), HTTP_ERR_RECV);
    http_client_free(c);
    pthread_join(peer, NULL);
    close(fd);
}

static void body_is_sent_counted_or_in_chunks(void **state)
{
    static const int64_t lengths[] = {10000, -1, 0};
    char buf[20000], data[5000];
    memset(data, 'x', sizeof data);
    struct http_client *c = client(&(struct http_config){0});
    http_client_set_method(c, "PATCH");
    http_client_set_header(c, "Content-Type", "text/x-test");
    for (size_t i = 0; i < 3; i++) {
        http_client_set_url(c, http_peer_url(&plain, "/echo"));
        assert_int_equal(http_client_open(c, lengths[i]), 0);
        if (lengths[i]) {
            assert_int_equal(http_client_write(c, data, sizeof data), sizeof data);
            assert_int_equal(http_client_write(c, data, sizeof data), sizeof data);
        } else {
            assert_int_equal(http_client_write(c, data, 1), HTTP_ERR_STATE);
        }
        assert_int_equal(http_client_headers(c), 0);
        assert_int_equal(http_client_content_length(c), lengths[i] ? 10000 : 0);
        assert_string_equal(http_client_response_header(c, "X-Method"), "PATCH");
        assert_string_equal(http_client_response_header(c, "X-Type"), "text/x-test");
        int n, total = 0;
        while ((n = http_client_read(c, buf, sizeof buf)) > 0) total += n;
        assert_int_equal(total, lengths[i] ? 10000 : 0);
    }
    http_client_free(c);
}

static void basic_and_digest_authorize(void **state)
{
    struct http_client *c = client(&(struct http_config){0});
    http_client_set_auth(c, HTTP_AUTH_DIGEST, "otto", "geheim");
    go(c, "/bytes/10?digest"); /* the challenge is answered inside */
    assert_int_equal(http_client_status(c), 200);
    http_client_free(c);
    c = client(&(struct http_config){0});
    go(c, "/bytes/10?digest");
    assert_int_equal(http_client_status(c), 401);
    http_client_set_auth(c, HTTP_AUTH_DIGEST, "otto", "geheim");
    for (int i = 0; i < 2; i++) { /* the second one knows the nonce */
        go(c, "/bytes/10?digest");
        assert_int_equal(http_client_status(c), 200);
    }
    http_client_set_auth(c, HTTP_AUTH_DIGEST, "otto", "falsch");
    go(c, "/bytes/10?digest");
    assert_int_equal(http_client_status(c), 401);
    http_client_set_auth(c, HTTP_AUTH_BASIC, "otto", "geheim");
    go(c, "/bytes/10?basic");
    assert_int_equal(http_client_status(c), 200);
    http_client_set_auth(c, HTTP_AUTH_NONE, NULL, NULL);
    go(c, "/bytes/10?basic");
    assert_int_equal(http_client_status(c), 401);
    http_client_free(c);
}

struct seen {
    int connected, sent, status, headers;
    char length[32];
};

static void on_connected(void *ctx)
{
    ((struct seen *)ctx)->connected++;
}

static void on_sent(void *ctx)
{
    ((struct seen *)ctx)->sent++;
}

static void on_status(void *ctx, int status)
{
    ((struct seen *)ctx)->status = status;
}

static void on_header(void *ctx, const char *name, const char *value)
{
    struct seen *s = ctx;
    s->headers++;
    if (strcasecmp(name, "content-length") == 0) snprintf(s->length, sizeof s->length, "%s", value);
}

static void callbacks_tell_each_step(void **state)
{
    struct seen seen = {0};
    char buf[16];
    struct http_client *c = client(&(struct http_config){.ctx = &seen,
                                                         .on_connected = on_connected,
                                                         .on_sent = on_sent,
                                                         .on_status = on_status,
                                                         .on_header = on_header});
    seen = (struct seen){0};
    for (int i = 0; i < 2; i++) {
        go(c, "/bytes/10");
        while (http_client_read(c, buf, sizeof buf) > 0) continue;
    }
    assert_int_equal(seen.connected, 1); /* the second request used the kept one */
    assert_int_equal(seen.sent, 2);
    assert_int_equal(seen.status, 200);
    assert_true(seen.headers >= 4);
    assert_string_equal(seen.length, "10");
    http_client_free(c);
}

static void open_can_be_waited_for_in_steps(void **state)
{
    char buf[16];
    struct http_client *c = client(&(struct http_config){0});
    http_client_set_url(c, http_peer_url(&plain, "/bytes/10"));
    assert_int_equal(http_client_start(c, 0), 0);
    int err, steps = 0;
    while ((err = http_client_wait_open(c, 0)) == HTTP_ERR_TIMEOUT && steps++ < 100000) continue;
    assert_int_equal(err, 0);
    assert_int_equal(http_client_headers(c), 0);
    assert_int_equal(http_client_read(c, buf, sizeof buf), 10);
    http_client_free(c);
}

static void rate_limit_holds(void **state)
{
    int last;
    struct timespec a, b;
    struct http_client *c = client(&(struct http_config){.rate_limit = 100000});
    clock_gettime(CLOCK_MONOTONIC, &a);
    go(c, "/bytes/150000");
    assert_int_equal(read_all(c, 0, 4096, &last), 150000);
    clock_gettime(CLOCK_MONOTONIC, &b);
    double s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
    assert_true(s > 1.3 && s < 4);
    http_client_free(c);
}

static void wrong_calls_and_values_are_refused(void **state)
{
    char buf[16];
    struct http_client *c = http_client_new(&(struct http_config){0});
    assert_int_equal(http_client_open(c, 0), HTTP_ERR_STATE);
    assert_int_equal(http_client_read(c, buf, sizeof buf), HTTP_ERR_STATE);
    assert_int_equal(http_client_headers(c), HTTP_ERR_STATE);
    assert_int_equal(http_client_set_url(c, "ftp://host/x"), HTTP_ERR_URL);
    assert_non_null(strstr(http_client_error_text(c), "neither http nor https"));
    assert_int_equal(http_client_set_url(c, "http://"), HTTP_ERR_URL);
    assert_int_equal(http_client_set_header(c, "X-A", "b\r\nX-C: d"), HTTP_ERR_ARG);
    assert_int_equal(http_client_set_header(c, "X A", "b"), HTTP_ERR_ARG);
    assert_int_equal(http_client_set_header(c, "X-A", "b"), 0);
    assert_int_equal(http_client_longest_header(c), strlen("X-A: b\r\n"));
    assert_int_equal(http_client_set_header(c, "x-a", NULL), 0);
    assert_null(http_client_get_header(c, "X-A"));
    http_client_free(c);
}

static int fail_to_open(const char *url, const char *words)
{
    struct http_client *c = http_client_new(&(struct http_config){.timeout_ms = 1000});
    assert_int_equal(http_client_set_url(c, url), 0);
    int err = http_client_open(c, 0);
    if (!err) err = http_client_headers(c);
    if (!strstr(http_client_error_text(c), words))
        fail_msg("%s: \"%s\"", url, http_client_error_text(c));
    http_client_free(c);
    return err;
}

static void unreachable_servers_are_explained(void **state)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", http_peer_free_port());
    assert_int_equal(fail_to_open(url, "is the server running"), HTTP_ERR_CONNECT);
    assert_int_equal(fail_to_open("http://no-such-host.invalid/", "no address for"),
                     HTTP_ERR_RESOLVE);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", plain.port);
    assert_int_equal(fail_to_open(url, "check that it is an https server"), HTTP_ERR_TLS);
    /* a server whose first bytes are no status line */
    struct http_peer ssh = {0};
    int port = http_peer_free_port();
    char script[256];
    snprintf(
        script, sizeof script,
        "import socket\ns=socket.create_server(('127.0.0.1',%d))\nwhile 1:\n c=s.accept()[0]\n "
        "c.sendall(b'SSH-2.0-x\\r\\n')\n",
        port);
    http_peer_run(&ssh, (const char *[]){"/usr/bin/python3", "-c", script, NULL}, port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    assert_int_equal(fail_to_open(url, "does not speak HTTP"), HTTP_ERR_PROTOCOL);
    http_peer_stop(&ssh);
}

/* Servers for tests listen on the loopback address; bound to a card they would be out of reach. */
static void an_interface_is_bound_but_for_this_machine(void **state)
{
    struct http_client *c = client(&(struct http_config){.interface = "none0", .timeout_ms = 2000});
    go(c, "/bytes/5");
    assert_int_equal(http_client_set_url(c, "http://192.0.2.1/"), 0);
    assert_int_equal(http_client_open(c, 0), HTTP_ERR_CONNECT);
    assert_non_null(strstr(http_client_error_text(c), "none0"));
    http_client_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_body_is_read_to_its_end),
        cmocka_unit_test(connection_is_kept_only_after_a_whole_response),
        cmocka_unit_test(range_gives_its_total),
        cmocka_unit_test(redirect_is_shown_not_followed),
        cmocka_unit_test(head_brings_the_length_and_no_body),
        cmocka_unit_test(silence_is_a_timeout_and_the_request_goes_on),
        cmocka_unit_test(broken_connection_is_an_error_with_its_errno),
        cmocka_unit_test(head_that_breaks_off_is_no_answer),
        cmocka_unit_test(body_that_broke_off_early_is_read_up_to_there),
        cmocka_unit_test(body_is_sent_counted_or_in_chunks),
        cmocka_unit_test(basic_and_digest_authorize),
        cmocka_unit_test(callbacks_tell_each_step),
        cmocka_unit_test(open_can_be_waited_for_in_steps),
        cmocka_unit_test(rate_limit_holds),
        cmocka_unit_test(wrong_calls_and_values_are_refused),
        cmocka_unit_test(unreachable_servers_are_explained),
        cmocka_unit_test(an_interface_is_bound_but_for_this_machine),
    };
    return cmocka_run_group_tests(tests, start_plain, stop_plain);
}
