/* esp_https_ota against servers that nobody here wrote: nginx, openssl s_server,
 * Python's http.server. */
#include "esp_https_ota.h"

#include "esp/esp-idf/airlift_config.h"
#include "esp_crt_bundle.h"
#include "esp_ota_ops.h"
#include "tests/support/http_peer.h"
#include "tests/support/ota_files.h"
#include "tests/support/test_board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char bundle_path[300], bundle[2] = "n";
const struct airlift_config_entry airlift_config[] = {
    {"ESP_HTTPS_OTA_ENABLE_PARTIAL_DOWNLOAD", "y"},
    {"ESP_HTTP_CLIENT_ENABLE_BASIC_AUTH", "y"},
    {"MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE", bundle},
    {"MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH", bundle_path},
    {NULL, NULL},
};

static struct ota_files files;
static char *ca;

static void write_text(const char *name, const char *text, size_t len)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", files.root, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    fclose(f);
}

static int make_files(void **state)
{
    ota_files_make(&files);
    test_cert_make(files.root, &(struct test_cert){.name = "ca"});
    test_cert_make(
        files.root,
        &(struct test_cert){.name = "server", .san = "IP:127.0.0.1,DNS:localhost", .issuer = "ca"});
    ca = test_file_text(files.root, "ca.pem");
    return 0;
}

static int remove_files(void **state)
{
    ota_files_remove(&files);
    free(ca);
    return 0;
}

static void start_nginx(struct http_peer *p)
{
    char conf[3000], path[320];
    int port = http_peer_free_port();
    int n =
        snprintf(conf, sizeof conf,
                 "daemon off; master_process off; pid %s/nginx.pid; error_log %s/error.log;\n"
                 "events {}\n"
                 "http { access_log off;\n"
                 "client_body_temp_path %s/t1; proxy_temp_path %s/t2; fastcgi_temp_path %s/t3;\n"
                 "uwsgi_temp_path %s/t4; scgi_temp_path %s/t5;\n"
                 "server { listen 127.0.0.1:%d ssl; ssl_certificate %s/server.pem;\n"
                 "ssl_certificate_key %s/server.key; ssl_protocols TLSv1.3; root %s;\n"
                 "location /moved { return 301 /app.bin; }\n"
                 "location /secret/ { alias %s/; auth_basic device;\n"
                 "auth_basic_user_file %s/users; } } }\n",
                 files.root, files.root, files.root, files.root, files.root, files.root, files.root,
                 port, files.root, files.root, files.root, files.root, files.root);
    write_text("nginx.conf", conf, (size_t)n);
    write_text("users", "otto:{PLAIN}geheim\n", 19);
    snprintf(path, sizeof path, "%s/nginx.conf", files.root);
    http_peer_run(p, (const char *[]){"/usr/sbin/nginx", "-c", path, "-p", files.root, NULL}, port);
    p->tls = true;
}

static esp_err_t update(const char *url, const esp_https_ota_config_t *settings,
                        const esp_http_client_config_t *http_settings)
{
    esp_https_ota_handle_t h;
    esp_https_ota_config_t c = *settings;
    esp_http_client_config_t http = *http_settings;
    http.url = url;
    if (!http.crt_bundle_attach) http.cert_pem = ca;
    http.buffer_size = 4000;
    c.http_config = &http;
    esp_err_t err = esp_https_ota_begin(&c, &h);
    if (err != ESP_OK) return err;
    while ((err = esp_https_ota_perform(h)) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) continue;
    if (err != ESP_OK) {
        esp_https_ota_abort(h);
        return err;
    }
    return esp_https_ota_finish(h);
}

static void assert_updated(void)
{
    assert_int_equal(esp_ota_get_boot_partition()->address, TEST_OTA_0);
    ota_files_assert_slot(&files, TEST_OTA_0, OTA_IMAGE_LEN);
}

static void nginx_serves_whole_pieces_and_rests(void **state)
{
    static const esp_https_ota_config_t ways[] = {
        {.bulk_flash_erase = true},
        {.partial_http_download = true, .max_http_request_size = 20000},
        {.ota_resumption = true},
        {.ota_resumption = true, .ota_image_bytes_written = 8192},
        {.ota_resumption = true,
         .ota_image_bytes_written = 8192,
         .partial_http_download = true,
         .max_http_request_size = 20000},
    };
    struct http_peer p;
    start_nginx(&p);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        for (int moved = 0; moved < 2; moved++) {
            test_board_new();
            if (ways[i].ota_image_bytes_written) test_board_fill(TEST_OTA_0, files.image, 8192);
            esp_http_client_config_t http = {.tls_version = ESP_HTTP_CLIENT_TLS_VER_TLS_1_3,
                                             .save_client_session = true,
                                             .keep_alive_enable = true};
            const char *url = http_peer_url(&p, moved ? "/moved" : "/app.bin");
            assert_int_equal(update(url, &ways[i], &http), ESP_OK);
            assert_updated();
        }
    esp_http_client_config_t old = {.tls_version = ESP_HTTP_CLIENT_TLS_VER_TLS_1_2};
    assert_int_equal(update(http_peer_url(&p, "/app.bin"), &ways[0], &old), ESP_ERR_HTTP_CONNECT);
    http_peer_stop(&p);
}

static void nginx_asks_for_the_password(void **state)
{
    const esp_https_ota_config_t plain = {0};
    esp_http_client_config_t http = {.username = "otto", .password = "geheim"};
    struct http_peer p;
    start_nginx(&p);
    test_board_new();
    assert_int_equal(update(http_peer_url(&p, "/secret/app.bin"), &plain, &http), ESP_OK);
    assert_updated();
    http.max_authorization_retries = -1;
    assert_int_equal(update(http_peer_url(&p, "/secret/app.bin"), &plain, &http), ESP_FAIL);
    http_peer_stop(&p);
}

static void trust_can_come_from_the_configured_bundle(void **state)
{
    const esp_https_ota_config_t plain = {0};
    esp_http_client_config_t http = {.crt_bundle_attach = esp_crt_bundle_attach};
    struct http_peer p;
    start_nginx(&p);
    test_board_new();
    const char *url = http_peer_url(&p, "/app.bin");
    assert_int_equal(update(url, &plain, &http), ESP_ERR_HTTP_CONNECT); /* the host's roots only */
    bundle[0] = 'y';
    snprintf(bundle_path, sizeof bundle_path, "%s/ca.pem", files.root);
    assert_int_equal(update(url, &plain, &http), ESP_OK);
    test_board_new();
    snprintf(bundle_path, sizeof bundle_path, "%s", files.root); /* a folder of certificates */
    assert_int_equal(update(url, &plain, &http), ESP_OK);
    bundle[0] = 'n';
    test_board_new();
    assert_int_equal(esp_crt_bundle_set((const uint8_t *)ca, strlen(ca) + 1), ESP_OK);
    assert_int_equal(update(url, &plain, &http), ESP_OK);
    assert_int_equal(esp_crt_bundle_set((const uint8_t *)"none", 5), ESP_ERR_INVALID_ARG);
    http_peer_stop(&p);
}

static void s_server_tells_no_length(void **state)
{
    const esp_https_ota_config_t plain = {0}, resumed = {.ota_resumption = true,
                                                         .ota_image_bytes_written = 4096};
    char command[600];
    int port = http_peer_free_port();
    struct http_peer p;
    snprintf(command, sizeof command,
             "cd %s && exec openssl s_server -quiet -WWW -cert server.pem -key server.key -port %d",
             files.root, port);
    http_peer_run(&p, (const char *[]){"/bin/sh", "-c", command, NULL}, port);
    p.tls = true;
    test_board_new();
    assert_int_equal(update(http_peer_url(&p, "/app.bin"), &plain, &(esp_http_client_config_t){0}),
                     ESP_OK);
    assert_updated();
    test_board_new();
    assert_int_equal(
        update(http_peer_url(&p, "/app.bin"), &resumed, &(esp_http_client_config_t){0}),
        ESP_OK); /* from the start */
    assert_updated();
    http_peer_stop(&p);
}

static void pythons_server_has_no_ranges(void **state)
{
    const esp_https_ota_config_t resumed = {.ota_resumption = true,
                                            .ota_image_bytes_written = 4096};
    char port[16];
    struct http_peer p;
    int number = http_peer_free_port();
    snprintf(port, sizeof port, "%d", number);
    http_peer_run(&p,
                  (const char *[]){"/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1",
                                   "-d", files.root, port, NULL},
                  number);
    test_board_new();
    assert_int_equal(
        update(http_peer_url(&p, "/app.bin"), &resumed, &(esp_http_client_config_t){0}), ESP_OK);
    assert_updated();
    http_peer_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nginx_serves_whole_pieces_and_rests),
        cmocka_unit_test(nginx_asks_for_the_password),
        cmocka_unit_test(trust_can_come_from_the_configured_bundle),
        cmocka_unit_test(s_server_tells_no_length),
        cmocka_unit_test(pythons_server_has_no_ranges),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
