/* Requests and answers of the module cloud, without a network. */
#include "at/at_cloud_answer.h"

#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOKEN "dd93253c287f725de50d4071a05dd28b72056ca7"

static const struct at_cloud_peer plain = {"iot.espressif.cn", 80, TOKEN};
static const struct at_cloud_peer tls = {"iot.espressif.cn", 443, TOKEN};

/* ---- requests ---- */

static void assert_is_vector(const char *request, size_t len, const char *name)
{
    size_t want_len;
    uint8_t *want = vector_file(&want_len, "at-adf/%s", name);
    assert_int_equal(len, want_len);
    assert_memory_equal(request, want, len);
    free(want);
}

static void requests_are_byte_for_byte_the_originals(void **state)
{
    char r[AT_CLOUD_REQUEST_MAX];
    assert_is_vector(r, at_cloud_query(&plain, r), "ciupdate_query_http.req");
    assert_is_vector(r, at_cloud_download(&plain, "v2.2.0.0", "ota", r),
                     "ciupdate_download_ota_http.req");
    assert_is_vector(r, at_cloud_download(&tls, "v2.2.0.0", "mqtt_ca", r),
                     "ciupdate_download_mqtt_ca_https.req");
    assert_true(at_cloud_download(&plain, "", "ota", r) > 0);
    assert_non_null(strstr(r, "&version=&filename=ota.bin HTTP/1.1\r\n"));
}

static void what_would_break_a_request_is_not_sent(void **state)
{
    static const char *const bad[] = {"v 1", "v1\r\nX: y", "v1\n", "\x7f", "v\t1"};
    char r[AT_CLOUD_REQUEST_MAX], longest[AT_CLOUD_VERSION_MAX + 2] = "";
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct at_cloud_peer p = plain;
        assert_int_equal(at_cloud_download(&plain, bad[i], "ota", r), 0);
        assert_int_equal(at_cloud_download(&plain, "v1", bad[i], r), 0);
        p.token = bad[i];
        assert_int_equal(at_cloud_query(&p, r), 0);
        p = plain;
        p.server = bad[i];
        assert_int_equal(at_cloud_query(&p, r), 0);
    }
    assert_int_equal(at_cloud_download(&plain, "v1", "", r), 0);
    assert_int_equal(at_cloud_query(&(struct at_cloud_peer){"x", 80, ""}, r), 0);
    memset(longest, 'v', AT_CLOUD_VERSION_MAX);
    assert_true(at_cloud_download(&plain, longest, longest, r) > 0);
    longest[AT_CLOUD_VERSION_MAX] = 'v';
    assert_int_equal(at_cloud_download(&plain, longest, "ota", r), 0);
}

/* ---- the version ---- */

static struct at_cloud_query_answer answer;
static char why[200];

/* Feeds text in pieces; gives whether there is a version in the end. */
static bool feed(const char *text, size_t len, size_t piece)
{
    enum at_cloud_step step = AT_CLOUD_MORE;
    why[0] = 0;
    at_cloud_query_init(&answer);
    for (size_t at = 0; at < len && step == AT_CLOUD_MORE; at += piece) {
        uint8_t copy[4096];
        size_t n = len - at < piece ? len - at : piece;
        memcpy(copy, text + at, n);
        step = at_cloud_query_feed(&answer, copy, n, why, sizeof why);
    }
    return step != AT_CLOUD_BAD && at_cloud_query_end(&answer, why, sizeof why);
}

/* head + body with that status line and fields, in every size of pieces. */
static void assert_version(const char *head, const char *body, const char *version)
{
    char text[2048];
    int len = snprintf(text, sizeof text, "%s\r\n\r\n%s", head, body);
    for (size_t piece = 1; piece <= (size_t)len; piece++) {
        if (!feed(text, (size_t)len, piece)) fail_msg("%zu: %s (%s)", piece, why, body);
        assert_string_equal(answer.version, version);
    }
}

static void assert_refused(const char *head, const char *body, const char *words)
{
    char text[2048];
    int len = snprintf(text, sizeof text, "%s\r\n\r\n%s", head, body);
    for (size_t piece = 1; piece <= (size_t)len; piece += piece < 8 ? 1 : 97)
        if (feed(text, (size_t)len, piece)) fail_msg("piece %zu: taken: %s", piece, text);
    assert_false(feed(text, (size_t)len, sizeof text));
    if (!strstr(why, words)) fail_msg("no \"%s\" in: %s", words, why);
}

static void version_answers_of_all_shapes_are_understood(void **state)
{
    static const char *const vectors[] = {"resp_query_ok.http", "resp_query_compact.http"};
    for (size_t i = 0; i < 2; i++) {
        size_t len;
        char *text = (char *)vector_file(&len, "at-adf/%s", vectors[i]);
        for (size_t piece = 1; piece <= len; piece++) {
            assert_true(feed(text, len, piece));
            assert_string_equal(answer.version, "v2.2.0.0");
            assert_int_equal(answer.status, 200);
        }
        free(text);
    }
    assert_version("HTTP/1.0 200 OK", "{\"status\":200,\"recommended_rom_version\":\"v1\"}", "v1");
    assert_version("HTTP/1.1 200 OK\ncontent-length: 35",
                   "{\"recommended_rom_version\": \"v1.0\"}  ", "v1.0");
    assert_version("HTTP/1.0 200 OK", "{\n \"rom_version\" :\n\t\"v\\u0031\\/2\"\n}", "v1/2");
    assert_version("HTTP/1.0 200",
                   "{\"pre_rom_version\":\"v0\",\"a\":[{\"b\":\"}\"}],"
                   "\"recommended_rom_version\":\"v3\",\"status\":200}",
                   "v3");
    assert_version("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", "{\"rom_version\":\"v4\"}",
                   "v4");
    assert_version("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
                   "9;x=y\r\n{\"status\"\r\n2\r\n:2\r\n1D\r\n00,\"recommended_rom_version\":\r\n"
                   "5\r\n\"v9\"}\r\n0\r\nTrailer: x\r\n\r\n",
                   "v9");
}

static void answers_without_a_usable_version_say_why(void **state)
{
    const char *ok = "HTTP/1.0 200 OK";
    assert_refused("HTTP/1.1 403 Forbidden", "{\"status\": 403}", "403");
    assert_refused(ok, "{\"status\": 404, \"message\": \"no such device\"}", "no such device");
    assert_refused(ok, "<html>hello</html>", "recommended_rom_version");
    assert_refused(ok, "{\"recommended_rom_version\": 7, \"status\": 200}", "recommended");
    assert_refused(ok, "{\"recommended_rom_version\": \"v 1\", \"status\": 200}", "blanks");
    assert_refused(ok, "{\"recommended_rom_version\": \"v\\n1\", \"status\": 200}", "blanks");
    assert_refused(ok, "{\"recommended_rom_version\": \"\", \"status\": 200}", "characters");
    assert_refused("HTTP/1.0 200 OK\r\nContent-Length: 99", "{\"rom_version\": \"v1\"", "inside");
    assert_refused("HTTP/1.0 200 OK\r\nContent-Encoding: gzip", "\x1f\x8b", "compressed");
    assert_refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked", "{\"rom_version\":\"v1\"}",
                   "chunked coding");
    assert_refused("SSH-2.0-OpenSSH", "", "no HTTP");
    assert_refused("HTTP/1.1 2000 OK", "", "no HTTP");
    assert_refused("HTTP/1.1 200 OK\r\nContent-Length: 1x", "", "Content-Length");
    assert_refused("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2", "", "one number");
    assert_false(feed("", 0, 1));
    assert_non_null(strstr(why, "without an answer"));
    assert_false(feed("HTTP/1.1 200 OK\r\n", 17, 17));
    assert_non_null(strstr(why, "inside the answer's head"));
}

static void long_answers_end_somewhere(void **state)
{
    enum { LEN = 200000 };
    char *text = malloc(LEN);
    const char *head = "HTTP/1.0 200 OK\r\n\r\n";
    assert_non_null(text);
    memset(text, 'x', LEN);
    memcpy(text, head, strlen(head));
    assert_false(feed(text, LEN, 4096));
    assert_non_null(strstr(why, "longer than 65536"));
    memset(text, 'x', LEN);
    memcpy(text, "HTTP/1.0 200 OK\r\nX: ", 20);
    assert_false(feed(text, LEN, 4096));
    assert_non_null(strstr(why, "longer than 8192"));
    free(text);
}

/* ---- the head of a download ---- */

static void download_heads_are_read_in_any_pieces(void **state)
{
    static const struct {
        const char *name;
        int status, length;
        bool chunked;
    } cases[] = {
        {"resp_download_ota.http", 200, 3000, false},
        {"resp_download_lowercase_header.http", 200, 3000, false},
        {"resp_download_mqtt_ca.http", 200, 132, false},
        {"resp_download_chunked.http", 200, -1, true},
        {"resp_404.http", 404, 45, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len;
        uint8_t *text = vector_file(&len, "at-adf/%s", cases[i].name);
        size_t head_len = (size_t)(strstr((char *)text, "\r\n\r\n") + 4 - (char *)text);
        for (size_t piece = 1; piece <= head_len + 5; piece++) {
            struct at_cloud_head h;
            enum at_cloud_step step = AT_CLOUD_MORE;
            size_t used = 0, at = 0;
            at_cloud_head_init(&h);
            while (step == AT_CLOUD_MORE) {
                assert_true(at < len);
                size_t n = len - at < piece ? len - at : piece;
                step = at_cloud_head_feed(&h, text + at, n, &used, why, sizeof why);
                at += used;
            }
            assert_int_equal(step, AT_CLOUD_DONE);
            assert_int_equal(at, head_len);
            assert_int_equal(h.status, cases[i].status);
            assert_int_equal(h.length, cases[i].length);
            assert_int_equal(h.chunked, cases[i].chunked);
        }
        free(text);
    }
}

/* ---- JSON ---- */

static char seen[400];

static void note(void *ctx, const char *key, const char *value, bool text)
{
    size_t n = strlen(seen);
    snprintf(seen + n, sizeof seen - n, text ? "%s='%s';" : "%s=%s;", key, value);
}

static void keys_and_plain_values_are_found_at_any_depth(void **state)
{
    static const char json[] =
        "{\"a\": \"x\\\"y\", \"b\": [1, \"z\", {\"c\": -2.5e3, \"d\": null}], \"e\": {}, "
        "\"\": true} {\"after\": 1}";
    for (size_t piece = 1; piece < sizeof json; piece++) {
        struct at_json j;
        seen[0] = 0;
        at_json_init(&j, note, NULL);
        for (size_t at = 0; at < sizeof json - 1; at += piece) {
            size_t n = sizeof json - 1 - at < piece ? sizeof json - 1 - at : piece;
            at_json_feed(&j, json + at, n);
        }
        assert_true(j.ended);
        assert_string_equal(seen, "a='x\"y';c=-2.5e3;d=null;=true;");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_byte_for_byte_the_originals),
        cmocka_unit_test(what_would_break_a_request_is_not_sent),
        cmocka_unit_test(version_answers_of_all_shapes_are_understood),
        cmocka_unit_test(answers_without_a_usable_version_say_why),
        cmocka_unit_test(long_answers_end_somewhere),
        cmocka_unit_test(download_heads_are_read_in_any_pieces),
        cmocka_unit_test(keys_and_plain_values_are_found_at_any_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
