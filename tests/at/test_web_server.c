/* The web server's options, by requests as they stand on the wire: captive portal, the original's
 * behaviour, listening, stopping. The rest is seen by tests/e2e/test_web_server.py. */
#include "at/web_server.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/cloud_board.h"
#include "tests/support/eventually.h"
#include "tests/support/vectors.h"

static struct web_server *server;
static unsigned port;
static volatile int told, restarts;
static char answer[8192];

static bool ready(void)
{
    return true;
}

static bool connect_station(const struct web_station *s, unsigned timeout_s)
{
    return strcmp(s->password, "12345678") == 0;
}

static int scan(struct web_access_point *list, int max)
{
    return -1;
}

static void address(char out[16])
{
    strcpy(out, "192.168.4.1");
}

static void tell(int n)
{
    told = n;
}

static void restart(void)
{
    restarts++;
}

static const struct web_wifi wifi = {ready, connect_station, scan, address};

static void start(struct web_server_config cfg)
{
    char why[200] = "";
    cfg.address = "127.0.0.1";
    cfg.timeout_s = 25;
    cfg.wifi = &wifi;
    cfg.tell = tell;
    cfg.restart = restart;
    cloud_board_new();
    server = web_server_start(&cfg, &port, why, sizeof why);
    if (!server) fail_msg("%s", why);
}

static int stop(void **state)
{
    web_server_stop(server);
    server = NULL;
    return 0;
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* Sends text and reads until the server closes; its answer. */
static const char *ask(const char *text)
{
    size_t len = 0;
    ssize_t n;
    int fd = dial();
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    while ((n = recv(fd, answer + len, sizeof answer - 1 - len, 0)) > 0) len += (size_t)n;
    answer[len] = 0;
    close(fd);
    return answer;
}

static void has(const char *text)
{
    if (!strstr(answer, text)) fail_msg("\"%s\" is not in:\n%s", text, answer);
}

#define REST "\r\nConnection: close\r\n\r\n"
#define POST(path, type, length, body)                              \
    "POST " path " HTTP/1.1\r\nHost: device\r\nContent-Type: " type \
    "\r\nContent-Length: " length REST body

static void the_captive_portal_leads_to_the_page(void **state)
{
    static const char *const asked[] = {
        "GET /generate_204 HTTP/1.1\r\nHost: connectivity.example" REST,
        "GET / HTTP/1.1\r\nHost: anything.example" REST,
        "GET /nothing HTTP/1.1\r\nHost: 192.168.4.1" REST,
        "DELETE /getversion HTTP/1.1\r\nHost: 192.168.4.1" REST,
        "GET /%00 HTTP/1.1\r\nHost: 192.168.4.1" REST,
    };
    char location[64];
    start((struct web_server_config){.captive = true});
    snprintf(location, sizeof location, "\r\nLocation: http://192.168.4.1:%u/\r\n", port);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        ask(asked[i]);
        has("HTTP/1.1 302 ");
        has(location);
        has("\r\n\r\nRedirect to captive portal");
    }
    ask("GET /getversion HTTP/1.1\r\nHost: 192.168.4.1" REST);
    has("\r\n\r\n{\"version\":\"1.0\"}");
}

static void without_it_they_are_errors(void **state)
{
    start((struct web_server_config){0});
    ask("GET / HTTP/1.1\r\nHost: anything.example" REST);
    has("HTTP/1.1 421 ");
    ask("GET /nothing HTTP/1.1\r\nHost: 192.168.4.1" REST);
    has("HTTP/1.1 404 ");
    ask("DELETE /getversion HTTP/1.1\r\nHost: 192.168.4.1" REST);
    has("HTTP/1.1 405 ");
    ask("GET /getaprecord HTTP/1.1\r\nHost: 192.168.4.1" REST); /* the scan fails */
    has("HTTP/1.1 500 ");
    has("\r\n\r\n{\"state\": 1}");
}

static void further_names_are_taken_when_told(void **state)
{
    start((struct web_server_config){.hosts = "a.example my.example"});
    ask("GET /getversion HTTP/1.1\r\nHost: my.example" REST);
    has("HTTP/1.1 200 ");
    ask("GET /getversion HTTP/1.1\r\nHost: your.example" REST);
    has("HTTP/1.1 421 ");
}

static void as_the_original_forms_and_the_password_are_plain(void **state)
{
    start((struct web_server_config){.compat = true});
    ask(POST("/setstainfo", "application/x-www-form-urlencoded", "35",
             "sta_ssid=home&sta_password=12345678"));
    has("\r\n\r\n{\"state\": 0}");
    eventually(web_provision_state() == WEB_PROVISION_CONNECTED);
    ask("GET /getstainfo HTTP/1.1\r\nHost: device" REST);
    has("{\"state\":1,\"sta_ssid\":\"home\",\"sta_password\":\"12345678\",\"message\":\"connect "
        "OK\"}");
    ask(POST("/getresult", "application/x-www-form-urlencoded", "10", "received=1"));
    has("\r\n\r\n{\"state\": 0}");
    assert_int_equal(told, 2);
    ask(POST("/setotadata", "application/octet-stream", "5", "12345")); /* no Object */
    assert_string_equal(answer, "");
}

static void the_old_form_is_no_json_without_it(void **state)
{
    start((struct web_server_config){0});
    ask(POST("/setstainfo", "application/json", "35", "sta_ssid=home&sta_password=12345678"));
    has("HTTP/1.1 400 ");
    has("\r\nReason: expected JSON");
    ask(POST("/getresult", "application/x-www-form-urlencoded", "10", "received=2"));
    has("HTTP/1.1 400 ");
}

static void a_body_longer_than_its_buffer_is_refused_chunked_too(void **state)
{
    static char text[2000], body[600];
    start((struct web_server_config){0});
    memset(body, 'x', sizeof body - 1);
    snprintf(text, sizeof text,
             "POST /setstainfo HTTP/1.1\r\nHost: device\r\nContent-Type: application/json\r\n"
             "Transfer-Encoding: chunked" REST "13b\r\n%.315s\r\n5\r\nxxxxx\r\n0\r\n\r\n",
             body);
    ask(text);
    has("HTTP/1.1 500 ");
    has("Reason: the body must be shorter than 320 bytes");
}

static void stopping_ends_an_upload_under_way(void **state)
{
    size_t len;
    char head[200];
    uint8_t *image = vector_file(&len, "esp-flash/image/app_c3_v2.bin");
    start((struct web_server_config){0});
    int n = snprintf(head, sizeof head,
                     "POST /setotadata HTTP/1.1\r\nHost: device\r\nObject: ota\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     len);
    int fd = dial();
    assert_int_equal(send(fd, head, (size_t)n, 0), n);
    assert_int_equal(send(fd, image, 1000, 0), 1000);
    eventually(told == 3);
    stop(state);
    assert_int_equal(told, 5);
    close(fd);
    free(image);
}

static void a_restart_comes_after_the_answer(void **state)
{
    start((struct web_server_config){0});
    ask(POST("/restart", "application/json", "2", "{}"));
    has("\r\n\r\n{\"state\": 0}");
    assert_int_equal(restarts, 0);
    stop(state); /* the order outlives the server */
    eventually(restarts == 1);
}

static void a_port_in_use_is_told(void **state)
{
    char why[200] = "";
    struct web_server_config cfg = {
        .address = "127.0.0.1", .wifi = &wifi, .tell = tell, .restart = restart};
    start((struct web_server_config){0});
    cfg.port = port;
    assert_null(web_server_start(&cfg, &cfg.port, why, sizeof why));
    assert_non_null(strstr(why, "another program listens there"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_captive_portal_leads_to_the_page, stop),
        cmocka_unit_test_teardown(without_it_they_are_errors, stop),
        cmocka_unit_test_teardown(further_names_are_taken_when_told, stop),
        cmocka_unit_test_teardown(as_the_original_forms_and_the_password_are_plain, stop),
        cmocka_unit_test_teardown(the_old_form_is_no_json_without_it, stop),
        cmocka_unit_test_teardown(a_body_longer_than_its_buffer_is_refused_chunked_too, stop),
        cmocka_unit_test_teardown(stopping_ends_an_upload_under_way, stop),
        cmocka_unit_test_teardown(a_restart_comes_after_the_answer, stop),
        cmocka_unit_test_teardown(a_port_in_use_is_told, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
