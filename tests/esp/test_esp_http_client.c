/* esp_http_client as apps use it, against http_peer.py. */
#include "esp_http_client.h"

#include "esp/esp-idf/airlift_config.h"
#include "esp_event.h"
#include "esp_tls.h"
#include "tests/support/http_peer.h"
#include "tests/support/test_board.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The project's configuration, as these tests change it. */
static char basic[2] = "y", digest[2] = "y", insecure[2] = "n";
const struct airlift_config_entry airlift_config[] = {
    {"ESP_HTTP_CLIENT_ENABLE_BASIC_AUTH", basic},
    {"ESP_HTTP_CLIENT_ENABLE_DIGEST_AUTH", digest},
    {"ESP_TLS_INSECURE", insecure},
    {"ESP_TLS_SKIP_SERVER_CERT_VERIFY", insecure},
    {NULL, NULL},
};

static struct http_peer peer, other;

static int start_peers(void **state)
{
    test_board_new(); /* the log goes to its UART */
    http_peer_start(&peer, NULL);
    http_peer_start(&other, NULL);
    return 0;
}

static int stop_peers(void **state)
{
    http_peer_stop(&peer);
    http_peer_stop(&other);
    return 0;
}

/* What the event handler saw. */
struct seen {
    char events[400]; /* a letter each, runs of D as one */
    size_t bytes;
    int status, finished;
    bool follow;
    char type[64];
};

static esp_err_t on_event(esp_http_client_event_t *e)
{
    static const char letters[] = "ECSHhsDFXR";
    struct seen *s = e->user_data;
    size_t n = strlen(s->events);
    char letter = letters[e->event_id];
    bool again = n && s->events[n - 1] == letter && (letter == 'D' || letter == 'H');
    if (!again && n + 1 < sizeof s->events) s->events[n] = letter;
    if (e->event_id == HTTP_EVENT_ON_DATA) s->bytes += (size_t)e->data_len;
    if (e->event_id == HTTP_EVENT_ON_STATUS_CODE) s->status = *(int *)e->data;
    if (e->event_id == HTTP_EVENT_ON_HEADER && strcasecmp(e->header_key, "X-Type") == 0)
        snprintf(s->type, sizeof s->type, "%s", e->header_value);
    if (e->event_id == HTTP_EVENT_REDIRECT && s->follow)
        assert_int_equal(esp_http_client_set_redirection(e->client), ESP_OK);
    return ESP_OK;
}

static esp_http_client_handle_t client(const char *path, struct seen *seen)
{
    *seen = (struct seen){0};
    esp_http_client_handle_t c = esp_http_client_init(&(esp_http_client_config_t){
        .url = http_peer_url(&peer, path), .event_handler = on_event, .user_data = seen});
    assert_non_null(c);
    return c;
}

static void perform_tells_every_step_in_order(void **state)
{
    struct seen seen;
    esp_http_client_handle_t c = client("/bytes/20000", &seen);
    assert_int_equal(esp_http_client_perform(c), ESP_OK);
    assert_string_equal(seen.events, "CSsHhDF");
    assert_int_equal(seen.bytes, 20000);
    assert_int_equal(seen.status, 200);
    assert_int_equal(esp_http_client_get_status_code(c), 200);
    assert_int_equal(esp_http_client_get_content_length(c), 20000);
    assert_true(esp_http_client_is_complete_data_received(c));
    memset(seen.events, 0, sizeof seen.events);
    assert_int_equal(esp_http_client_perform(c), ESP_OK); /* on the kept connection */
    assert_string_equal(seen.events, "SsHhDF");
    esp_http_client_cleanup(c);
    assert_string_equal(seen.events, "SsHhDFX");
}

/* What the vendor's handlers do with the end of a connection. */
static esp_err_t on_end(esp_http_client_event_t *e)
{
    esp_err_t *ends = e->user_data;
    if (e->event_id != HTTP_EVENT_ERROR && e->event_id != HTTP_EVENT_DISCONNECTED) return ESP_OK;
    esp_tls_error_handle_t h = e->data;
    assert_non_null(h);
    if (e->event_id == HTTP_EVENT_ERROR) {
        ends[0] = h->last_error;
    } else {
        int code = 7, flags = 7;
        ends[1] = esp_tls_get_and_clear_last_error(h, &code, &flags);
        ends[2]++;
        assert_int_equal(code, 0);
        assert_int_equal(flags, 0);
    }
    return ESP_OK;
}

static void a_failed_attempt_ends_with_its_error(void **state)
{
    esp_err_t ends[3] = {0};
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", http_peer_free_port());
    esp_http_client_handle_t c = esp_http_client_init(
        &(esp_http_client_config_t){.url = url, .event_handler = on_end, .user_data = ends});
    assert_int_equal(esp_http_client_perform(c), ESP_ERR_HTTP_CONNECT);
    esp_http_client_close(c);
    assert_int_equal(ends[0], ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST);
    assert_int_equal(ends[1], ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST);
    esp_http_client_set_url(c, http_peer_url(&peer, "/bytes/5"));
    assert_int_equal(esp_http_client_perform(c), ESP_OK);
    esp_http_client_cleanup(c);
    assert_int_equal(ends[1], ESP_OK);
    assert_int_equal(ends[2], 2);
    assert_int_equal(esp_tls_get_and_clear_last_error(NULL, NULL, NULL), ESP_ERR_INVALID_STATE);
}

static void perform_follows_redirects_up_to_the_limit(void **state)
{
    struct seen seen;
    char path[200], url[200];
    snprintf(path, sizeof path, "/to?/to?%s", http_peer_url(&other, "/bytes/700"));
    esp_http_client_handle_t c = client(path, &seen);
    esp_http_client_set_username(c, "otto");
    assert_int_equal(esp_http_client_perform(c), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(c), 200);
    assert_int_equal(esp_http_client_get_url(c, url, sizeof url), ESP_OK);
    assert_string_equal(url, http_peer_url(&other, "/bytes/700"));
    assert_true(seen.bytes >= 700);
    esp_http_client_cleanup(c);

    c = client("/loop", &seen);
    assert_int_equal(esp_http_client_perform(c), ESP_ERR_HTTP_MAX_REDIRECT);
    esp_http_client_cleanup(c);
}

static void redirect_to_another_host_forgets_who_one_is(void **state)
{
    struct seen seen;
    char path[200], *user, *header;
    snprintf(path, sizeof path, "/to?http://localhost:%d/bytes/10", other.port);
    esp_http_client_handle_t c = client(path, &seen);
    esp_http_client_set_username(c, "otto");
    esp_http_client_set_header(c, "Authorization", "Bearer x");
    esp_http_client_set_header(c, "X-Own", "stays");
    assert_int_equal(esp_http_client_perform(c), ESP_OK);
    esp_http_client_get_username(c, &user);
    assert_null(user);
    esp_http_client_get_header(c, "Authorization", &header);
    assert_null(header);
    esp_http_client_get_header(c, "X-Own", &header);
    assert_string_equal(header, "stays");
    esp_http_client_get_header(c, "Host", &header);
    assert_int_equal(strncmp(header, "localhost:", 10), 0);
    esp_http_client_cleanup(c);
}

static void app_can_decide_on_redirects_itself(void **state)
{
    struct seen seen = {0};
    for (int follow = 0; follow < 2; follow++) {
        esp_http_client_handle_t c = esp_http_client_init(
            &(esp_http_client_config_t){.url = http_peer_url(&peer, "/to?/bytes/700"),
                                        .event_handler = on_event,
                                        .user_data = &seen,
                                        .disable_auto_redirect = true});
        seen = (struct seen){.follow = follow};
        assert_int_equal(esp_http_client_perform(c), ESP_OK);
        assert_int_equal(esp_http_client_get_status_code(c), follow ? 200 : 302);
        assert_non_null(strchr(seen.events, 'R'));
        esp_http_client_cleanup(c);
    }
}

static void challenge_is_answered_as_configured(void **state)
{
    static const struct {
        const char *path;
        char basic, digest;
        int status;
    } cases[] = {
        {"/bytes/10?basic", 'y', 'y', 200},  {"/bytes/10?basic", 'n', 'y', 401},
        {"/bytes/10?digest", 'y', 'y', 200}, {"/bytes/10?digest", 'y', 'n', 401},
        {"/bytes/10?digest", 'n', 'y', 200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct seen seen;
        basic[0] = cases[i].basic;
        digest[0] = cases[i].digest;
        esp_http_client_handle_t c = client(cases[i].path, &seen);
        esp_http_client_set_username(c, "otto");
        esp_http_client_set_password(c, "geheim");
        assert_int_equal(esp_http_client_perform(c), ESP_OK);
        assert_int_equal(esp_http_client_get_status_code(c), cases[i].status);
        esp_http_client_cleanup(c);
    }
    basic[0] = digest[0] = 'y';
}

static void wrong_password_ends_after_the_retries(void **state)
{
    struct seen seen;
    esp_http_client_handle_t c = client("/bytes/10?basic", &seen);
    esp_http_client_set_username(c, "otto");
    esp_http_client_set_password(c, "falsch");
    assert_int_equal(esp_http_client_perform(c), ESP_FAIL);
    assert_int_equal(esp_http_client_get_status_code(c), 401);
    esp_http_client_cleanup(c);
}

static void credentials_may_stand_in_the_url(void **state)
{
    char url[100], *user, *password;
    snprintf(url, sizeof url, "http://otto:geheim@127.0.0.1:%d/bytes/10?basic", peer.port);
    esp_http_client_handle_t c = esp_http_client_init(
        &(esp_http_client_config_t){.url = url, .auth_type = HTTP_AUTH_TYPE_BASIC});
    esp_http_client_get_username(c, &user);
    esp_http_client_get_password(c, &password);
    assert_string_equal(user, "otto");
    assert_string_equal(password, "geheim");
    assert_int_equal(esp_http_client_perform(c), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(c), 200); /* at the first try */
    esp_http_client_cleanup(c);
}

static void post_field_is_sent_as_a_form(void **state)
{
    struct seen seen;
    char *data;
    esp_http_client_handle_t c = client("/echo", &seen);
    esp_http_client_set_method(c, HTTP_METHOD_POST);
    esp_http_client_set_post_field(c, "a=1&b=2", 7);
    assert_int_equal(esp_http_client_get_post_field(c, &data), 7);
    assert_int_equal(esp_http_client_perform(c), ESP_OK);
    assert_int_equal(seen.bytes, 7);
    assert_string_equal(seen.type, "application/x-www-form-urlencoded");
    esp_http_client_cleanup(c);
}

static void open_read_close_gives_the_body(void **state)
{
    static const struct {
        const char *path;
        int64_t fetched;
        bool chunked;
    } cases[] = {{"/bytes/5000", 5000, false},
                 {"/bytes/5000?chunked", 0, true},
                 {"/bytes/5000?close", 0, true}};
    char buf[2000];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct seen seen;
        esp_http_client_handle_t c = client(cases[i].path, &seen);
        assert_int_equal(esp_http_client_open(c, 0), ESP_OK);
        assert_int_equal(esp_http_client_fetch_headers(c), cases[i].fetched);
        assert_int_equal(esp_http_client_is_chunked_response(c), cases[i].chunked);
        assert_int_equal(esp_http_client_read(c, buf, sizeof buf), 2000);
        assert_int_equal(esp_http_client_read(c, buf, sizeof buf), 2000);
        assert_false(esp_http_client_is_complete_data_received(c));
        assert_int_equal(esp_http_client_read(c, buf, sizeof buf), 1000);
        errno = 99;
        assert_int_equal(esp_http_client_read(c, buf, sizeof buf), 0);
        assert_int_equal(errno, 0);
        assert_true(esp_http_client_is_complete_data_received(c));
        assert_int_equal(esp_http_client_close(c), ESP_OK);
        assert_string_equal(seen.events, "CSsHhDX"); /* no ON_FINISH on this path */
        esp_http_client_cleanup(c);
    }
}

static void written_chunks_arrive_whatever_the_pieces(void **state)
{
    static const char framed[] = "5\r\nhello\r\n1;ext=1\r\n \r\nA\r\nfirmware!!\r\n0\r\n\r\n";
    static const size_t pieces[] = {1, 4, sizeof framed};
    for (size_t i = 0; i < 3; i++) {
        struct seen seen;
        char body[64] = "";
        esp_http_client_handle_t c = client("/echo", &seen);
        esp_http_client_set_method(c, HTTP_METHOD_PUT);
        assert_int_equal(esp_http_client_open(c, -1), ESP_OK);
        for (size_t at = 0; at < sizeof framed - 1; at += pieces[i]) {
            size_t n = sizeof framed - 1 - at < pieces[i] ? sizeof framed - 1 - at : pieces[i];
            assert_int_equal(esp_http_client_write(c, framed + at, (int)n), n);
        }
        assert_int_equal(esp_http_client_fetch_headers(c), 16);
        assert_int_equal(esp_http_client_read(c, body, sizeof body), 16);
        assert_string_equal(body, "hello firmware!!");
        esp_http_client_cleanup(c);
    }
}

static void silence_and_breaks_have_the_vendors_codes(void **state)
{
    char buf[4000];
    struct seen seen;
    esp_http_client_handle_t c = client("/bytes/5000?stall=1000", &seen);
    esp_http_client_set_timeout_ms(c, 200);
    assert_int_equal(esp_http_client_open(c, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(c), 5000);
    assert_int_equal(esp_http_client_read(c, buf, sizeof buf), 1000);
    assert_int_equal(esp_http_client_read(c, buf, sizeof buf), -ESP_ERR_HTTP_EAGAIN);
    assert_false(esp_http_client_is_complete_data_received(c));
    assert_int_equal(esp_http_client_set_url(c, "/bytes/10?hang"), ESP_OK);
    assert_int_equal(esp_http_client_open(c, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(c), -ESP_ERR_HTTP_EAGAIN);
    assert_int_equal(esp_http_client_perform(c), ESP_ERR_HTTP_FETCH_HEADER);
    assert_int_equal(esp_http_client_set_url(c, "/bytes/5000?stall=1000"), ESP_OK);
    assert_int_equal(esp_http_client_perform(c), ESP_ERR_HTTP_READ_TIMEOUT);
    assert_int_equal(esp_http_client_set_url(c, "/bytes/5000?fin=1000"), ESP_OK);
    assert_int_equal(esp_http_client_perform(c), ESP_ERR_HTTP_INCOMPLETE_DATA);
    assert_int_equal(esp_http_client_set_url(c, "/bytes/50000?cut=1000"), ESP_OK);
    assert_int_equal(esp_http_client_open(c, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(c), 50000);
    while (esp_http_client_read(c, buf, sizeof buf) > 0) continue;
    assert_int_equal(esp_http_client_read(c, buf, sizeof buf), ESP_FAIL);
    assert_int_equal(errno, ECONNRESET);
    esp_http_client_cleanup(c);
}

static void head_too_long_for_the_buffer_is_refused(void **state)
{
    char text[600], path[700];
    struct seen seen;
    memset(text, 'a', sizeof text);
    text[599] = 0;
    esp_http_client_handle_t c = client("/bytes/10", &seen);
    esp_http_client_set_header(c, "X-Long", text);
    assert_int_equal(esp_http_client_open(c, 0), ESP_ERR_HTTP_HEADER_TOO_LONG);
    esp_http_client_delete_header(c, "X-Long");
    snprintf(path, sizeof path, "/bytes/10?%s", text);
    esp_http_client_set_url(c, path);
    assert_int_equal(esp_http_client_open(c, 0), ESP_FAIL);
    esp_http_client_cleanup(c);
    c = esp_http_client_init(&(esp_http_client_config_t){.url = http_peer_url(&peer, "/bytes/10"),
                                                         .buffer_size_tx = 2048});
    esp_http_client_set_header(c, "X-Long", text);
    esp_http_client_set_url(c, path);
    assert_int_equal(esp_http_client_perform(c), ESP_OK);
    esp_http_client_cleanup(c);
}

static void async_perform_says_again_until_done(void **state)
{
    struct seen seen = {0};
    int again = 0;
    esp_err_t err;
    esp_http_client_handle_t c = esp_http_client_init(
        &(esp_http_client_config_t){.url = http_peer_url(&peer, "/bytes/20000?delay=200"),
                                    .event_handler = on_event,
                                    .user_data = &seen,
                                    .is_async = true});
    while ((err = esp_http_client_perform(c)) == ESP_ERR_HTTP_EAGAIN && again++ < 1000)
        usleep(5000);
    assert_int_equal(err, ESP_OK);
    assert_true(again > 5);
    assert_int_equal(seen.bytes, 20000);
    assert_string_equal(seen.events, "CSsHhDF");
    esp_http_client_cleanup(c);
}

static void bad_settings_are_refused(void **state)
{
    assert_null(esp_http_client_init(NULL));
    assert_null(esp_http_client_init(&(esp_http_client_config_t){.path = "/x"}));
    assert_null(esp_http_client_init(&(esp_http_client_config_t){.url = "no url"}));
    assert_null(esp_http_client_init(&(esp_http_client_config_t){
        .url = "https://h/", .transport = (struct esp_transport_item_t *)&peer}));
    esp_http_client_handle_t c =
        esp_http_client_init(&(esp_http_client_config_t){.url = "ftp://127.0.0.1/x"});
    assert_int_equal(esp_http_client_perform(c), ESP_ERR_HTTP_INVALID_TRANSPORT);
    assert_int_equal(esp_http_client_set_header(c, "A", "b\r\nC: d"), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_http_client_set_redirection(c), ESP_ERR_INVALID_ARG);
    esp_http_client_cleanup(c);
}

static void url_may_come_in_parts(void **state)
{
    struct seen seen = {0};
    char *host, want[40];
    esp_http_client_handle_t c =
        esp_http_client_init(&(esp_http_client_config_t){.host = "127.0.0.1",
                                                         .port = peer.port,
                                                         .path = "/bytes/300",
                                                         .query = "chunked",
                                                         .event_handler = on_event,
                                                         .user_data = &seen});
    assert_int_equal(esp_http_client_perform(c), ESP_OK);
    assert_int_equal(seen.bytes, 300);
    esp_http_client_get_header(c, "Host", &host);
    snprintf(want, sizeof want, "127.0.0.1:%d", peer.port);
    assert_string_equal(host, want);
    esp_http_client_cleanup(c);
}

static esp_err_t fetch_tls(struct http_peer *tls, const esp_http_client_config_t *settings,
                           const char *path)
{
    esp_http_client_config_t config = *settings;
    config.url = http_peer_url(tls, path);
    esp_http_client_handle_t c = esp_http_client_init(&config);
    esp_err_t err = esp_http_client_perform(c);
    esp_http_client_cleanup(c);
    return err;
}

static void tls_needs_trust_or_a_deliberate_no(void **state)
{
    char *dir = test_dir_new(), pem[300], key[300];
    test_cert_make(dir, &(struct test_cert){.name = "server", .san = "IP:127.0.0.1"});
    snprintf(pem, sizeof pem, "%s/server.pem", dir);
    snprintf(key, sizeof key, "%s/server.key", dir);
    char *text = test_file_text(dir, "server.pem");
    struct http_peer tls;
    http_peer_start(&tls, (const char *[]){"--tls", pem, key, NULL});

    esp_http_client_config_t none = {0}, given = {.cert_pem = text},
                             global = {.use_global_ca_store = true};
    assert_int_equal(fetch_tls(&tls, &none, "/bytes/10"), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(fetch_tls(&tls, &given, "/bytes/10"), ESP_OK);
    assert_int_equal(fetch_tls(&tls, &global, "/bytes/10"), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(esp_tls_set_global_ca_store((const unsigned char *)"x", 2),
                     ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED);
    assert_int_equal(esp_tls_set_global_ca_store((unsigned char *)text, (unsigned)strlen(text) + 1),
                     ESP_OK);
    assert_int_equal(fetch_tls(&tls, &global, "/bytes/10"), ESP_OK);
    esp_tls_free_global_ca_store();
    insecure[0] = 'y';
    assert_int_equal(fetch_tls(&tls, &none, "/bytes/10"), ESP_OK);
    insecure[0] = 'n';

    char down[200];
    snprintf(down, sizeof down, "/to?%s", http_peer_url(&peer, "/bytes/10"));
    assert_int_equal(fetch_tls(&tls, &given, down), ESP_ERR_HTTP_REDIRECT_DOWNGRADE);
    assert_int_equal(fetch_tls(&tls, &given, "/to?/bytes/10"), ESP_OK); /* relative stays in TLS */
    http_peer_stop(&tls);
    free(text);
    test_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perform_tells_every_step_in_order),
        cmocka_unit_test(a_failed_attempt_ends_with_its_error),
        cmocka_unit_test(perform_follows_redirects_up_to_the_limit),
        cmocka_unit_test(redirect_to_another_host_forgets_who_one_is),
        cmocka_unit_test(app_can_decide_on_redirects_itself),
        cmocka_unit_test(challenge_is_answered_as_configured),
        cmocka_unit_test(wrong_password_ends_after_the_retries),
        cmocka_unit_test(credentials_may_stand_in_the_url),
        cmocka_unit_test(post_field_is_sent_as_a_form),
        cmocka_unit_test(open_read_close_gives_the_body),
        cmocka_unit_test(written_chunks_arrive_whatever_the_pieces),
        cmocka_unit_test(silence_and_breaks_have_the_vendors_codes),
        cmocka_unit_test(head_too_long_for_the_buffer_is_refused),
        cmocka_unit_test(async_perform_says_again_until_done),
        cmocka_unit_test(bad_settings_are_refused),
        cmocka_unit_test(url_may_come_in_parts),
        cmocka_unit_test(tls_needs_trust_or_a_deliberate_no),
    };
    return cmocka_run_group_tests(tests, start_peers, stop_peers);
}
