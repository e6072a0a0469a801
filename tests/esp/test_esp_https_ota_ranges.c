/* esp_https_ota in pieces and after interruptions: which ranges it asks for. */
#include "esp_https_ota.h"

#include "esp/esp-idf/airlift_config.h"
#include "esp_ota_ops.h"
#include "tests/support/http_peer.h"
#include "tests/support/ota_files.h"
#include "tests/support/test_board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char partial[2];
const struct airlift_config_entry airlift_config[] = {
    {"ESP_HTTPS_OTA_ALLOW_HTTP", "y"},
    {"ESP_HTTPS_OTA_ENABLE_PARTIAL_DOWNLOAD", partial},
    {NULL, NULL},
};

static struct http_peer peer;
static struct ota_files files;

static int start_peer(void **state)
{
    ota_files_make(&files);
    http_peer_start(&peer, (const char *[]){"--root", files.root, NULL});
    return 0;
}

static int stop_peer(void **state)
{
    http_peer_stop(&peer);
    ota_files_remove(&files);
    return 0;
}

static int fresh_device(void **state)
{
    test_board_new();
    strcpy(partial, "y");
    return 0;
}

/* A configuration for path, valid until the next call. */
static esp_https_ota_config_t *config(const char *path)
{
    static esp_http_client_config_t http;
    static esp_https_ota_config_t ota;
    http = (esp_http_client_config_t){.url = http_peer_url(&peer, path), .timeout_ms = 2000};
    ota = (esp_https_ota_config_t){.http_config = &http};
    return &ota;
}

static void assert_boots(uint32_t slot)
{
    const esp_partition_t *p = esp_ota_get_boot_partition();
    assert_non_null(p);
    assert_int_equal(p->address, slot);
}

static void skip_lines(void)
{
    char line[256];
    esp_http_client_handle_t mark = esp_http_client_init(
        &(esp_http_client_config_t){.url = http_peer_url(&peer, "/status/299")});
    esp_http_client_perform(mark);
    esp_http_client_cleanup(mark);
    do {
        http_peer_line(&peer, line, sizeof line);
    } while (line[0] && !strstr(line, "/status/299"));
}

/* "GET bytes=0-9999, GET ..." of the requests since skip_lines, the connection's change as "/" */
static void requests(char *text, size_t size)
{
    char line[256], last[16] = "";
    esp_http_client_handle_t mark = esp_http_client_init(
        &(esp_http_client_config_t){.url = http_peer_url(&peer, "/status/298")});
    esp_http_client_perform(mark);
    esp_http_client_cleanup(mark);
    text[0] = 0;
    for (;;) {
        http_peer_line(&peer, line, sizeof line);
        if (!line[0] || strstr(line, "/status/298")) return;
        char *method = strtok(line, " "), *range = (strtok(NULL, "|"), strtok(NULL, "|"));
        char *number = (strtok(NULL, "|"), strtok(NULL, "|"));
        size_t n = strlen(text);
        snprintf(text + n, size - n, "%s%s%s %s", n ? ", " : "",
                 n && strcmp(number, last) != 0 ? "/" : "", method, range);
        snprintf(last, sizeof last, "%s", number);
    }
}

static void partial_download_asks_piece_by_piece(void **state)
{
    static const struct {
        const char *path;
        int request_len;
        const char *requests;
    } cases[] = {
        {OTA_IMAGE, 30000, "HEAD -, /GET bytes=0-29999, GET bytes=30000-59999, GET bytes=60000-"},
        {OTA_IMAGE "?nohead", 40000, "HEAD -, GET bytes=0-0, /GET bytes=0-39999, GET bytes=40000-"},
        {OTA_IMAGE "?bye", 40000, "HEAD -, /GET bytes=0-39999, /GET bytes=40000-"},
        {OTA_IMAGE, 0, "HEAD -, /GET bytes=0-65535, GET bytes=65536-"},
        {OTA_IMAGE, 70000, "HEAD -, /GET -"},
        {OTA_IMAGE "?chunked&nohead", 40000,
         "HEAD -, GET bytes=0-0, /GET bytes=0-39999, GET bytes=40000-"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1000];
        fresh_device(NULL);
        skip_lines();
        esp_https_ota_config_t *c = config(cases[i].path);
        c->partial_http_download = true;
        c->max_http_request_size = cases[i].request_len;
        assert_int_equal(esp_https_ota(c), ESP_OK);
        ota_files_assert_slot(&files, TEST_OTA_0, OTA_IMAGE_LEN);
        assert_boots(TEST_OTA_0);
        requests(text, sizeof text);
        assert_string_equal(text, cases[i].requests);
    }
    strcpy(partial, "n"); /* the option is off: one request, whatever the app says */
    char text[200];
    skip_lines();
    esp_https_ota_config_t *c = config(OTA_IMAGE);
    c->partial_http_download = true;
    c->max_http_request_size = 10000;
    assert_int_equal(esp_https_ota(c), ESP_OK);
    requests(text, sizeof text);
    assert_string_equal(text, "GET -");
}

static void pieces_smaller_than_the_header_work_too(void **state)
{
    esp_https_ota_config_t *c = config(OTA_IMAGE);
    c->partial_http_download = true;
    c->max_http_request_size = 400;
    assert_int_equal(esp_https_ota(c), ESP_OK);
    ota_files_assert_slot(&files, TEST_OTA_0, OTA_IMAGE_LEN);
}

/* A server that answers so for ever must not be asked for ever. */
static void empty_pieces_end_the_download(void **state)
{
    esp_https_ota_config_t *c = config(OTA_IMAGE "?empty");
    c->partial_http_download = true;
    c->max_http_request_size = 30000;
    assert_int_equal(esp_https_ota(c), ESP_FAIL);
    c->max_http_request_size = 400; /* within the header */
    assert_int_equal(esp_https_ota(c), ESP_FAIL);
}

static void partial_download_needs_a_length_and_ranges(void **state)
{
    esp_https_ota_config_t *c = config(OTA_IMAGE "?close");
    c->partial_http_download = true;
    c->max_http_request_size = 10000;
    assert_int_equal(esp_https_ota(c), ESP_FAIL);
    c = config(OTA_IMAGE "?norange"); /* gives the whole file at once: that is enough */
    c->partial_http_download = true;
    c->max_http_request_size = 10000;
    assert_int_equal(esp_https_ota(c), ESP_OK);
    assert_boots(TEST_OTA_0);
}

/* Downloads about `len` bytes and gives up, as if the power went; gives the bytes in flash. */
static size_t leave_half(const char *path, size_t len)
{
    esp_https_ota_handle_t h;
    assert_int_equal(esp_https_ota_begin(config(path), &h), ESP_OK);
    while ((size_t)(esp_https_ota_get_image_len_read(h) + 1) < len)
        assert_int_equal(esp_https_ota_perform(h), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    size_t got = (size_t)esp_https_ota_get_image_len_read(h);
    esp_https_ota_abort(h);
    return got;
}

static void resume_fetches_only_the_rest(void **state)
{
    static const char *const ranges[] = {"GET bytes=20480-",
                                         "HEAD -, /GET bytes=20480-45055, GET bytes=45056-"};
    for (int in_pieces = 0; in_pieces < 2; in_pieces++) {
        char text[300];
        esp_https_ota_handle_t h;
        esp_app_desc_t desc;
        fresh_device(NULL);
        leave_half(OTA_IMAGE, 20480);
        skip_lines();
        esp_https_ota_config_t *c = config(OTA_IMAGE);
        c->ota_resumption = true;
        c->ota_image_bytes_written = 20480;
        c->partial_http_download = in_pieces;
        c->max_http_request_size = 24576;
        assert_int_equal(esp_https_ota_begin(c, &h), ESP_OK);
        assert_int_equal(esp_https_ota_get_image_size(h), OTA_IMAGE_LEN);
        assert_int_equal(esp_https_ota_get_image_len_read(h), 20480);
        assert_int_equal(esp_https_ota_get_img_desc(h, &desc), ESP_OK);
        assert_memory_equal(&desc, files.image + 32, sizeof desc);
        esp_err_t err;
        while ((err = esp_https_ota_perform(h)) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) continue;
        assert_int_equal(err, ESP_OK);
        assert_int_equal(esp_https_ota_finish(h), ESP_OK);
        ota_files_assert_slot(&files, TEST_OTA_0, OTA_IMAGE_LEN);
        assert_boots(TEST_OTA_0);
        requests(text, sizeof text);
        assert_string_equal(text, ranges[in_pieces]);
    }
}

static void resume_starts_over_when_the_server_cannot(void **state)
{
    static const struct {
        const char *path;
        size_t offset;
        bool in_pieces;
    } cases[] = {{OTA_IMAGE "?norange", 20480, false}, /* 200 instead of 206 */
                 {OTA_IMAGE, 70000, false},            /* 416: the file has become shorter */
                 {OTA_IMAGE "?norange", 20480, true},
                 {OTA_IMAGE "?norange", 0, false},
                 {OTA_IMAGE, 1000, false}}; /* below the header's length: from the start */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        esp_https_ota_handle_t h;
        fresh_device(NULL);
        leave_half(OTA_IMAGE, 20480);
        esp_https_ota_config_t *c = config(cases[i].path);
        c->ota_resumption = true;
        c->ota_image_bytes_written = cases[i].offset;
        c->partial_http_download = cases[i].in_pieces;
        assert_int_equal(esp_https_ota_begin(c, &h), ESP_OK);
        assert_int_equal(esp_https_ota_get_image_size(h), OTA_IMAGE_LEN);
        esp_err_t err;
        while ((err = esp_https_ota_perform(h)) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) continue;
        assert_int_equal(err, ESP_OK);
        assert_int_equal(esp_https_ota_get_image_len_read(h), OTA_IMAGE_LEN);
        assert_int_equal(esp_https_ota_finish(h), ESP_OK);
        ota_files_assert_slot(&files, TEST_OTA_0, OTA_IMAGE_LEN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(partial_download_asks_piece_by_piece, fresh_device),
        cmocka_unit_test_setup(pieces_smaller_than_the_header_work_too, fresh_device),
        cmocka_unit_test_setup(empty_pieces_end_the_download, fresh_device),
        cmocka_unit_test_setup(partial_download_needs_a_length_and_ranges, fresh_device),
        cmocka_unit_test_setup(resume_fetches_only_the_rest, fresh_device),
        cmocka_unit_test_setup(resume_starts_over_when_the_server_cannot, fresh_device),
    };
    return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
