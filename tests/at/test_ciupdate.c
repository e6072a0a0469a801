/* AT+CIUPDATE on a virtual device in this process: exact output for what a cloud may answer.
 * Upgrades that end with a restart: test_ciupdate_restart.c. */
#include "at/at.h"

#include "esp/esp-idf/airlift_config.h"
#include "esp_ota_ops.h"
#include "tests/support/at_bench.h"
#include "tests/support/cloud_board.h"
#include "tests/support/http_peer.h"
#include "tests/support/script_server.h"
#include "tests/support/test_board.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define OK      "\r\nOK\r\n"
#define ERROR   "\r\nERROR\r\n"
#define S(n)    "+CIPUPDATE:" #n "\r\n"
#define MQTT_CA "AT+CIUPDATE=0,\"v2.2.0.0\",\"mqtt_ca\""

static char limit[8], strict[2], compat[2], unverified[2], token[64];
const struct airlift_config_entry airlift_config[] = {
    {"AT_COMPAT", compat},
    {"AT_ERROR_REASON", "y"},
    {"AT_OTA_LIMIT_S", limit},
    {"AT_OTA_SKIP_CERT_VERIFY", unverified},
    {"AT_OTA_SSL_SUPPORT", "y"},
    {"AT_OTA_STRICT_NAMES", strict},
    {"AT_OTA_SUPPORT", "y"},
    {"AT_OTA_TOKEN_KEY", token},
    {"ESP_HTTPS_OTA_ALLOW_HTTP", "y"},
    {"ESP_TLS_INSECURE", unverified},
    {"ESP_TLS_SKIP_SERVER_CERT_VERIFY", unverified},
    {NULL, NULL},
};

static const struct at_command *const groups[] = {at_basic_commands, at_ciupdate_commands,
                                                  at_user_ota_commands, NULL};
static struct script_server *plain, *tls;
static char *certs;
static struct script_answer query_ok, mqtt_ca;
static uint8_t *mqtt_ca_file;
static size_t mqtt_ca_len;

static int make_cloud(void **state)
{
    static const struct test_cert wanted[] = {
        {.name = "ca"},
        {.name = "good", .san = "DNS:iot.espressif.cn", .issuer = "ca"},
    };
    certs = test_dir_new();
    for (size_t i = 0; i < 2; i++) test_cert_make(certs, &wanted[i]);
    query_ok = script_vector("at-adf/resp_query_ok.http");
    mqtt_ca = script_vector("at-adf/resp_download_mqtt_ca.http");
    mqtt_ca_file = vector_file(&mqtt_ca_len, "at-adf/mqtt_ca.bin");
    plain = script_server_start(NULL, NULL);
    tls = script_server_start(certs, "good");
    return 0;
}

static int end_cloud(void **state)
{
    script_server_stop(plain);
    script_server_stop(tls);
    script_answers_free();
    free(mqtt_ca_file);
    test_dir_remove(certs);
    return 0;
}

static int open_device(void **state)
{
    strcpy(limit, "20");
    strcpy(strict, "n");
    strcpy(compat, "n");
    strcpy(unverified, "n");
    strcpy(token, "dd93253c287f725de50d4071a05dd28b72056ca7");
    cloud_board_new();
    cloud_board_connect("connect_to", script_server_port(plain));
    cloud_board_connect("ssl_connect", script_server_port(tls));
    at_bench_open(groups);
    return 0;
}

static int close_device(void **state)
{
    at_bench_close();
    return 0;
}

static void assert_request(struct script_server *s, unsigned nth, const char *vector)
{
    size_t len;
    char *want = (char *)vector_file(&len, "at-adf/%s", vector);
    assert_string_equal(script_server_request(s, nth), want);
    free(want);
}

static void assert_flash(uint32_t address, const void *content, size_t len, size_t size)
{
    const uint8_t *bytes = board()->nor.bytes + address;
    assert_memory_equal(bytes, content, len);
    for (size_t i = len; i < size; i++) assert_int_equal(bytes[i], 0xff);
}

static void assert_untouched(uint32_t address, size_t size)
{
    for (size_t i = 0; i < size; i++) assert_int_equal(board()->nor.bytes[address + i], 0x5a);
}

/* The command fails after that output; words are in the reason. */
static void fails(const char *command, const char *output, const char *words)
{
    at_bench_send(command);
    at_bench_send("\r\n");
    at_bench_expect(command);
    at_bench_expect("\r\n");
    at_bench_expect(output);
    at_bench_expect("ERR CODE:0x010a0001\r\n+ERRMSG:\"");
    char *why = at_bench_until("\"\r\n" ERROR);
    if (!strstr(why, words)) fail_msg("no \"%s\" in %s", words, why);
    free(why);
}

/* ---- firmware ---- */

static void failed_downloads_of_firmware_end_in_error_with_the_reason(void **state)
{
    static const uint8_t bytes[16] = {0xe9};
    size_t len;
    uint8_t *image = vector_file(&len, "esp-flash/image/app_c3_v2.bin");
    struct script_answer compact = script_vector("at-adf/resp_query_compact.http"),
                         not_found = script_vector("at-adf/resp_404.http"),
                         cut = script_file(image, len), reset = cut, nothing = script_text("");
    cut.len = 40000;
    reset.len = 2000;
    reset.end = SCRIPT_RESET;
    free(image);
    const struct {
        struct script_answer query, file;
        const char *output, *why;
    } cases[] = {
        {query_ok, script_vector("at-adf/resp_download_badmagic.http"), S(1) S(2) S(3),
         "index:0 expected 0xe9, saw 0xea"},
        {query_ok, not_found, S(1) S(2) S(3), "404"},
        {query_ok, script_vector("at-adf/resp_download_chunked.http"), S(1) S(2) S(3), "chunked"},
        /* 3000 bytes that begin as an image does, but are none */
        {query_ok, script_vector("at-adf/resp_download_ota.http"), S(1) S(2) S(3),
         "verification failed"},
        {compact, script_vector("at-adf/resp_download_lowercase_header.http"), S(1) S(2) S(3),
         "verification failed"},
        {query_ok, script_made("Content-Length: 1048577\r\n", bytes, sizeof bytes), S(1) S(2) S(3),
         "ota bin oversize, 1048577 > 1048576"},
        {query_ok, cut, S(1) S(2) S(3), "connection ended after"},
        {query_ok, reset, S(1) S(2) S(3), "broke off"},
        {query_ok, script_made("Content-Length: 10\r\n", bytes, sizeof bytes), S(1) S(2) S(3),
         "more than the 10 bytes"},
        {query_ok, script_file("ESP\2rest", 8), S(1) S(2) S(3), "compressed image"},
        {query_ok, script_file(bytes, 1), S(1) S(2) S(3), "verification failed"},
        {query_ok, script_file("", 0), S(1) S(2) S(3), "empty"},
        {query_ok, script_made("", bytes, sizeof bytes), S(1) S(2) S(3), "no Content-Length"},
        {query_ok, script_made("Content-Length: -1\r\n", bytes, 16), S(1) S(2) S(3),
         "Content-Length"},
        {query_ok, script_made("Content-Length: 18446744073709551632\r\n", bytes, 16),
         S(1) S(2) S(3), "Content-Length"},
        {query_ok, script_text("HTTP/1.1 200 OK\r\nConte"), S(1) S(2) S(3),
         "inside the answer's head"},
        {query_ok, nothing, S(1) S(2) S(3), "without an answer"},
        {not_found, query_ok, S(1) S(2), "404: no such version"},
        {nothing, query_ok, S(1) S(2), "without an answer"},
    };
    at_bench_command("AT+CIUPDATE?", "+CIUPDATE:0\r\n" OK);
    at_bench_command("AT+SYSLOG=1", OK);
    memset(board()->nor.bytes + TEST_OTA_0, 0x5a, 0x1000);
    SCRIPT_PLAY(plain, cases[0].query, cases[0].file);
    fails("AT+CIUPDATE", cases[0].output, cases[0].why);
    assert_untouched(TEST_OTA_0, 0x1000); /* before the first bytes are right */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SCRIPT_PLAY(plain, cases[i].query, cases[i].file);
        fails("AT+CIUPDATE", cases[i].output, cases[i].why);
        at_bench_command("AT+CIUPDATE?", "+CIUPDATE:-1\r\n" OK);
        assert_int_equal(esp_ota_get_boot_partition()->address, TEST_FACTORY);
    }
}

static void requests_of_a_module_are_the_originals(void **state)
{
    SCRIPT_PLAY(plain, query_ok, script_file("x", 1));
    at_bench_command("AT+CIUPDATE", S(1) S(2) S(3) ERROR);
    assert_int_equal(script_server_requests(plain), 2);
    assert_request(plain, 0, "ciupdate_query_http.req");
    assert_request(plain, 1, "ciupdate_download_ota_http.req");
    SCRIPT_PLAY(plain, script_file("x", 1));
    at_bench_command("AT+CIUPDATE=0,\"\"", S(1) ERROR); /* an empty version is one */
    assert_non_null(strstr(script_server_request(plain, 0), "&version=&filename=ota.bin "));
    SCRIPT_PLAY(plain, query_ok);
    at_bench_command("AT+CIUPDATE=0,,\"\"", S(1) S(2) S(3) ERROR); /* an empty name is ota */
    assert_non_null(strstr(script_server_request(plain, 1), "filename=ota.bin "));
}

/* ---- user partitions ---- */

static void user_partition_gets_the_file(void **state)
{
    struct script_answer split = mqtt_ca, drops = mqtt_ca, held = mqtt_ca;
    split.split = mqtt_ca.len - mqtt_ca_len; /* the head alone */
    drops.piece = 1;
    drops.pause_ms = 1;
    held.end = SCRIPT_HOLD;
    struct script_answer all[] = {mqtt_ca, split, drops, held};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        test_board_fill(CLOUD_MQTT_CA, "old", 3);
        SCRIPT_PLAY(plain, all[i]);
        at_bench_command(MQTT_CA, S(1) S(4) OK);
        at_bench_command("AT+CIUPDATE?", "+CIUPDATE:4\r\n" OK);
        assert_flash(CLOUD_MQTT_CA, mqtt_ca_file, mqtt_ca_len, CLOUD_PART_SIZE);
    }
    SCRIPT_PLAY(plain, query_ok, mqtt_ca);
    at_bench_command("AT+CIUPDATE=0,,\"mqtt_ca\"", S(1) S(2) S(3) S(4) OK);
    assert_non_null(
        strstr(script_server_request(plain, 1), "version=v2.2.0.0&filename=mqtt_ca.bin "));
}

static void over_tls_the_request_is_the_originals_too(void **state)
{
    char *ca = test_file_text(certs, "ca.pem");
    cloud_board_set("ca", ca);
    free(ca);
    SCRIPT_PLAY(tls, mqtt_ca);
    at_bench_command("AT+CIUPDATE=1,\"v2.2.0.0\",\"mqtt_ca\"", S(1) S(4) OK);
    assert_request(tls, 0, "ciupdate_download_mqtt_ca_https.req");
    assert_flash(CLOUD_MQTT_CA, mqtt_ca_file, mqtt_ca_len, CLOUD_PART_SIZE);
}

static void server_whose_certificate_nobody_trusts_is_refused(void **state)
{
    at_bench_command("AT+SYSLOG=1", OK);
    SCRIPT_PLAY(tls, mqtt_ca);
    fails("AT+CIUPDATE=1,\"v1\",\"mqtt_ca\"", S(1), "not among the trusted");
    assert_int_equal(script_server_requests(tls), 0);
    assert_untouched(CLOUD_MQTT_CA, CLOUD_PART_SIZE);
    strcpy(unverified, "y"); /* as the original */
    cloud_board_set("ssl_token", "11112222");
    at_bench_command("AT+CIUPDATE=1,\"v1\",\"mqtt_ca\"", S(1) S(4) OK);
    assert_non_null(strstr(script_server_request(tls, 0), "\r\nAuthorization: token 11112222\r\n"));
}

static void server_with_another_name_is_refused(void **state)
{
    char *ca = test_file_text(certs, "ca.pem");
    cloud_board_set("ca", ca);
    free(ca);
    cloud_board_set("ssl_server", "cloud.example");
    at_bench_command("AT+SYSLOG=1", OK);
    SCRIPT_PLAY(tls, mqtt_ca);
    fails("AT+CIUPDATE=1,\"v1\",\"mqtt_ca\"", S(1), "cloud.example");
}

static void nothing_is_erased_before_the_head_is_right(void **state)
{
    static const uint8_t zeros[4];
    struct script_answer cut = mqtt_ca;
    cut.len -= 1;
    const struct {
        struct script_answer file;
        const char *why;
    } cases[] = {
        {script_vector("at-adf/resp_download_chunked.http"), "chunked"},
        {script_vector("at-adf/resp_404.http"), "404"},
        {script_made("Content-Length: 8193\r\n", mqtt_ca_file, mqtt_ca_len),
         "ota bin oversize, 8193 > 8192"},
        {script_file(zeros, 4), "mqtt_ca partition has an invalid magic byte (index:0 expected "
                                "0xf1, saw 0x00)"},
        {script_file("\xf1\xf2..", 4), "(index:1 expected 0xf1, saw 0xf2)"},
        {script_file("\xf1", 1), "too short"},
        {cut, "after 131 of 132 bytes"},
        {script_made("Content-Encoding: gzip\r\nContent-Length: 4\r\n", zeros, 4), "compressed"},
    };
    at_bench_command("AT+SYSLOG=1", OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SCRIPT_PLAY(plain, cases[i].file);
        fails(MQTT_CA, S(1), cases[i].why);
        assert_untouched(CLOUD_MQTT_CA, CLOUD_PART_SIZE);
    }
    SCRIPT_PLAY(plain, mqtt_ca); /* after all that it still works */
    at_bench_command(MQTT_CA, S(1) S(4) OK);
}

static void other_names_are_taken_unless_names_are_strict(void **state)
{
    char text[CLOUD_PART_SIZE];
    memset(text, 'x', sizeof text);
    SCRIPT_PLAY(plain, script_file(text, sizeof text));
    at_bench_command("AT+CIUPDATE=0,\"1\",\"user_blob\",0", S(1) S(4) OK);
    assert_flash(CLOUD_USER_BLOB, text, sizeof text, sizeof text);
    strcpy(strict, "y");
    at_bench_command("AT+SYSLOG=1", OK);
    fails("AT+CIUPDATE=0,\"1\",\"user_blob\"", "", "STRICT_NAMES");
    assert_flash(CLOUD_USER_BLOB, text, sizeof text, sizeof text);
    fails("AT+CIUPDATE=0,\"1\",\"nvs\"", "", "no custom partition: nvs");
    fails("AT+CIUPDATE=0,\"1\",\"otadata\"", "", "whose name is ota");
}

static void ble_data_is_known_by_its_third_and_fourth_byte(void **state)
{
    size_t len;
    uint8_t *file = vector_file(&len, "at-adf/ble_data.bin");
    SCRIPT_PLAY(plain, script_file(file, len));
    at_bench_command("AT+CIUPDATE=0,\"1\",\"ble_data\"", S(1) S(4) OK);
    assert_flash(CLOUD_BLE_DATA, file, len, 0x1000);
    free(file);
    at_bench_command("AT+SYSLOG=1", OK);
    SCRIPT_PLAY(plain, script_file("\1\0", 2));
    fails("AT+CIUPDATE=0,\"1\",\"ble_data\"", S(1), "too short");
}

static void compat_mode_erases_first_as_the_original(void **state)
{
    strcpy(compat, "y");
    SCRIPT_PLAY(plain, script_vector("at-adf/resp_404.http"));
    at_bench_command(MQTT_CA, S(1) ERROR);
    assert_flash(CLOUD_MQTT_CA, "", 0, CLOUD_PART_SIZE);
    SCRIPT_PLAY(plain, script_vector("at-adf/resp_download_chunked.http"));
    at_bench_command(MQTT_CA, S(1) ERROR); /* the original says OK */
    SCRIPT_PLAY(plain, mqtt_ca);
    at_bench_command(MQTT_CA, S(1) S(4) OK);
    assert_flash(CLOUD_MQTT_CA, mqtt_ca_file, mqtt_ca_len, CLOUD_PART_SIZE);
}

/* ---- parameters ---- */

static void wrong_parameters_are_errors_before_any_work(void **state)
{
    static const struct {
        const char *command, *code;
    } cases[] = {
        {"AT+CIUPDATE=", "0x01070000"},          {"AT+CIUPDATE=2", "0x01070000"},
        {"AT+CIUPDATE=-1", "0x01070000"},        {"AT+CIUPDATE=\"0\"", "0x01050000"},
        {"AT+CIUPDATE=0,1", "0x01050001"},       {"AT+CIUPDATE=0,\"v 1\"", "0x01070001"},
        {"AT+CIUPDATE=0,,ota", "0x01050002"},    {"AT+CIUPDATE=0,,,2", "0x01070003"},
        {"AT+CIUPDATE=0,,,\"1\"", "0x01050003"}, {"AT+CIUPDATE=0,,,0,0", "0x01060405"},
        {"AT+CIUPDATE=?", "0x010c0000"},         {"AT+CIPFWVER", "0x010c0000"},
    };
    char text[200], long_one[80];
    SCRIPT_PLAY(plain, query_ok);
    at_bench_command("AT+SYSLOG=1", OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        at_bench_send(cases[i].command);
        at_bench_send("\r\n");
        char *said = at_bench_until(ERROR);
        snprintf(text, sizeof text, "\nERR CODE:%s\r\n", cases[i].code);
        if (!strstr(said, text)) fail_msg("%s: %s", cases[i].command, said);
        free(said);
    }
    memset(long_one, 'v', 65);
    long_one[65] = 0;
    snprintf(text, sizeof text, "AT+CIUPDATE=0,\"%s\"\r\n", long_one);
    at_bench_send(text);
    at_bench_expect(text);
    at_bench_expect("ERR CODE:0x01040001\r\n" ERROR);
    assert_int_equal(script_server_requests(plain), 0);
    at_bench_command("AT+CIUPDATE?", "+CIUPDATE:-1\r\n" OK); /* of the test before: untouched */
}

static void module_without_token_says_so(void **state)
{
    strcpy(token, "");
    at_bench_command("AT+SYSLOG=1", OK);
    fails("AT+CIUPDATE", "", "no token");
    cloud_board_set("token", "00112233445566778899aabbccddeeff00112233");
    SCRIPT_PLAY(plain, query_ok);
    fails("AT+CIUPDATE", S(1) S(2) S(3), "without an answer");
    assert_non_null(
        strstr(script_server_request(plain, 0),
               "\r\nAuthorization: token 00112233445566778899aabbccddeeff00112233\r\n"));
}

static void settings_that_do_not_fit_are_not_used(void **state)
{
    char long_one[301];
    memset(long_one, 'a', 300);
    long_one[300] = 0;
    cloud_board_set("token", long_one);
    SCRIPT_PLAY(plain, mqtt_ca);
    at_bench_command(MQTT_CA, S(1) S(4) OK);
    assert_non_null(strstr(script_server_request(plain, 0), "\r\nAuthorization: token dd93253c"));
    cloud_board_set_port("port", 0);
    at_bench_command("AT+SYSLOG=1", OK);
    fails(MQTT_CA, "", "there is no port 0");
}

static void server_and_port_come_from_the_manufacturing_nvs(void **state)
{
    cloud_board_new();
    cloud_board_set("server", "127.0.0.1");
    cloud_board_set_port("port", (uint16_t)script_server_port(plain));
    char host[64];
    snprintf(host, sizeof host, "\r\nHost: 127.0.0.1:%d\r\n", script_server_port(plain));
    SCRIPT_PLAY(plain, mqtt_ca);
    at_bench_command(MQTT_CA, S(1) S(4) OK);
    assert_non_null(strstr(script_server_request(plain, 0), host));
}

static void names_and_ports_that_lead_nowhere_are_told_apart(void **state)
{
    at_bench_command("AT+SYSLOG=1", OK);
    cloud_board_connect("connect_to", http_peer_free_port());
    fails("AT+CIUPDATE", S(1), "cannot connect");
    cloud_board_new();
    cloud_board_set("server", "no-such-host.invalid");
    fails("AT+CIUPDATE", "", "no address for");
}

/* ---- time ---- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void limit_ends_upgrades_over_tcp_and_tls(void **state)
{
    struct script_answer silent = query_ok, slow = mqtt_ca;
    silent.len = 20;
    silent.end = SCRIPT_HOLD;
    slow.piece = 1;
    slow.pause_ms = 30;
    strcpy(limit, "1");
    strcpy(unverified, "y");
    at_bench_command("AT+SYSLOG=1", OK);
    double begin = seconds();
    SCRIPT_PLAY(plain, silent);
    fails("AT+CIUPDATE", S(1) S(2), "did not finish in time");
    SCRIPT_PLAY(tls, slow);
    fails("AT+CIUPDATE=1,\"v1\",\"mqtt_ca\"", S(1), "did not finish in time");
    assert_untouched(CLOUD_MQTT_CA, CLOUD_PART_SIZE);
    assert_true(seconds() - begin > 1.9 && seconds() - begin < 8);
}

/* ---- without waiting ---- */

static void upgrade_that_does_not_block_tells_its_states(void **state)
{
    struct script_answer slow = mqtt_ca;
    slow.split = 100;
    slow.pause_ms = 300;
    SCRIPT_PLAY(plain, slow, mqtt_ca);
    at_bench_send("AT+CIUPDATE=0,\"v2.2.0.0\",\"mqtt_ca\",1\r\n");
    char *said = at_bench_until(OK);
    free(said);
    usleep(100000);
    at_bench_send("AT+CIUPDATE\r\nAT+CIUPDATE?\r\n");
    said = at_bench_until("+CIUPDATE:1\r\n" OK); /* it goes on meanwhile */
    assert_non_null(strstr(said, ERROR));
    free(said);
    at_bench_expect(S(4));
    assert_flash(CLOUD_MQTT_CA, mqtt_ca_file, mqtt_ca_len, CLOUD_PART_SIZE);
    at_bench_command(MQTT_CA, S(1) S(4) OK); /* at once */
    at_bench_silent(100);
    at_bench_command("AT+CIUPDATE?", "+CIUPDATE:4\r\n" OK);
    assert_int_equal(script_server_requests(plain), 2);
}

static void failure_without_waiting_is_a_line_of_its_own(void **state)
{
    SCRIPT_PLAY(plain, query_ok, script_vector("at-adf/resp_404.http"));
    at_bench_send("AT+CIUPDATE=0,\"\",,1\r\n"); /* here an empty version means the latest */
    char *said = at_bench_until("+CIPUPDATE:-1\r\n");
    assert_non_null(strstr(said, S(1)));
    assert_non_null(strstr(said, S(2) S(3)));
    assert_non_null(strstr(said, OK));
    assert_null(strstr(said, ERROR));
    free(said);
    at_bench_command("AT+CIUPDATE?", "+CIUPDATE:-1\r\n" OK);
}

static void two_upgrades_of_the_firmware_do_not_mix(void **state)
{
    size_t len;
    char url[64], text[128];
    uint8_t *image = vector_file(&len, "esp-flash/image/app_c3_v2.bin");
    struct script_answer whole = script_file(image, len), half = whole;
    free(image);
    half.len = 40000;
    half.end = SCRIPT_HOLD;
    strcpy(limit, "2");
    strcpy(unverified, "y");
    SCRIPT_PLAY(plain, half);
    SCRIPT_PLAY(tls, whole);
    at_bench_command("AT+SYSLOG=1", OK);
    at_bench_send("AT+CIUPDATE=0,\"v1\",,1\r\n");
    free(at_bench_until(OK));
    usleep(200000);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/app.bin", script_server_port(tls));
    snprintf(text, sizeof text, "AT+USEROTA=%zu\r\n", strlen(url));
    at_bench_send(text);
    free(at_bench_until("\r\n>"));
    at_bench_send(url);
    char *said = at_bench_until(ERROR);
    if (!strstr(said, "another upgrade")) fail_msg("%s", said);
    free(said);
    at_bench_expect("+CIPUPDATE:-1\r\n");
    assert_int_equal(esp_ota_get_boot_partition()->address, TEST_FACTORY);
}

/* ---- the list of versions ---- */

static void versions_are_listed(void **state)
{
    char *ca = test_file_text(certs, "ca.pem");
    cloud_board_set("ca", ca);
    free(ca);
    struct script_answer moved =
        script_text("HTTP/1.1 301 Moved\r\nLocation: /v1/device/rom/\r\nContent-Length: 17\r\n"
                    "Connection: close\r\n\r\n{\"version\": \"no\"}");
    SCRIPT_PLAY(tls, moved, script_vector("at-adf/resp_query_ok.http"));
    at_bench_command("AT+CIPFWVER?", "+CIPFWVER:\"v2.2.0.0\"\r\n+CIPFWVER:\"v2.1.0.0\"\r\n" OK);
    const char *request = script_server_request(tls, 0);
    assert_int_equal(strncmp(request, "GET /v1/device/rom HTTP/1.1\r\n", 29), 0);
    assert_non_null(strstr(request, "\r\nHost: iot.espressif.cn\r\n"));
    assert_non_null(strstr(request, "\r\nAuthorization: token dd93253c287f725de50d"));
    SCRIPT_PLAY(tls, script_vector("at-adf/resp_404.http"));
    at_bench_command("AT+CIPFWVER?", ERROR);
}

static void list_without_end_is_an_error(void **state)
{
    enum { LEN = 70000 };
    char *much = malloc(LEN);
    assert_non_null(much);
    memset(much, ' ', LEN);
    memcpy(much, "{\"version\": \"v1\", ", 18);
    strcpy(unverified, "y");
    SCRIPT_PLAY(tls, script_file(much, LEN));
    at_bench_command("AT+CIPFWVER?", ERROR);
    free(much);
}

static void list_that_drips_or_never_comes_ends_in_time(void **state)
{
    struct script_answer drips = script_vector("at-adf/resp_query_ok.http"), silent = drips;
    drips.piece = 1;
    drips.pause_ms = 50;
    silent.len = 10;
    silent.end = SCRIPT_HOLD;
    strcpy(limit, "1");
    strcpy(unverified, "y");
    at_bench_command("AT+SYSLOG=1", OK);
    double begin = seconds();
    SCRIPT_PLAY(tls, drips, silent);
    fails("AT+CIPFWVER?", "", "did not finish in time");
    fails("AT+CIPFWVER?", "", "did not finish in time");
    assert_true(seconds() - begin > 1.9 && seconds() - begin < 8);
}

#define DEVICE_TEST(f) cmocka_unit_test_setup_teardown(f, open_device, close_device)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DEVICE_TEST(failed_downloads_of_firmware_end_in_error_with_the_reason),
        DEVICE_TEST(requests_of_a_module_are_the_originals),
        DEVICE_TEST(wrong_parameters_are_errors_before_any_work),
        DEVICE_TEST(user_partition_gets_the_file),
        DEVICE_TEST(over_tls_the_request_is_the_originals_too),
        DEVICE_TEST(server_whose_certificate_nobody_trusts_is_refused),
        DEVICE_TEST(server_with_another_name_is_refused),
        DEVICE_TEST(nothing_is_erased_before_the_head_is_right),
        DEVICE_TEST(other_names_are_taken_unless_names_are_strict),
        DEVICE_TEST(ble_data_is_known_by_its_third_and_fourth_byte),
        DEVICE_TEST(compat_mode_erases_first_as_the_original),
        DEVICE_TEST(module_without_token_says_so),
        DEVICE_TEST(settings_that_do_not_fit_are_not_used),
        DEVICE_TEST(server_and_port_come_from_the_manufacturing_nvs),
        DEVICE_TEST(names_and_ports_that_lead_nowhere_are_told_apart),
        DEVICE_TEST(limit_ends_upgrades_over_tcp_and_tls),
        DEVICE_TEST(upgrade_that_does_not_block_tells_its_states),
        DEVICE_TEST(failure_without_waiting_is_a_line_of_its_own),
        DEVICE_TEST(two_upgrades_of_the_firmware_do_not_mix),
        DEVICE_TEST(versions_are_listed),
        DEVICE_TEST(list_without_end_is_an_error),
        DEVICE_TEST(list_that_drips_or_never_comes_ends_in_time),
    };
    return cmocka_run_group_tests(tests, make_cloud, end_cloud);
}
