/* The default processes of ota_service: where data comes from, what can go wrong with it, and what
 * the apps' own steps may do meanwhile. Against http_peer.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "device/board.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp_fs_ota.h"
#include "esp_ota_ops.h"
#include "host/crypto_openssl.h"
#include "tests/support/adf_bench.h"
#include "tests/support/http_peer.h"
#include "tests/support/test_board.h"

static char compat[2] = "n";
const struct airlift_config_entry airlift_config[] = {
    {"ESP_HTTPS_OTA_ALLOW_HTTP", "y"},
    {"MBEDTLS_CERTIFICATE_BUNDLE", "y"},
    {"OTA_SERVICE_COMPAT_RESULTS", compat},
    {NULL, NULL},
};

static struct http_peer http, https;
static char *certs, *ca, *other_ca;

static int start_peers(void **state)
{
    char root[300], cert[300], key[300];
    adf_bench_make(state);
    certs = test_dir_new();
    test_cert_make(certs, &(struct test_cert){.name = "ca"});
    test_cert_make(certs, &(struct test_cert){.name = "other"});
    test_cert_make(certs,
                   &(struct test_cert){.name = "server", .san = "IP:127.0.0.1", .issuer = "ca"});
    ca = test_file_text(certs, "ca.pem");
    other_ca = test_file_text(certs, "other.pem");
    snprintf(root, sizeof root, "%s/sdcard", adf.dir);
    snprintf(cert, sizeof cert, "%s/server.pem", certs);
    snprintf(key, sizeof key, "%s/server.key", certs);
    http_peer_start(&http, (const char *[]){"--root", root, NULL});
    http_peer_start(&https, (const char *[]){"--root", root, "--tls", cert, key, NULL});
    return 0;
}

static int stop_peers(void **state)
{
    http_peer_stop(&http);
    http_peer_stop(&https);
    test_dir_remove(certs);
    free(ca);
    free(other_ca);
    return adf_bench_remove(state);
}

static int fresh(void **state)
{
    strcpy(compat, "n");
    return adf_bench_fresh(state);
}

static ota_service_err_reason_t run_data(const char *uri, char *cert, adf_need *need)
{
    ota_upgrade_ops_t entry = adf_data("storage", uri, need);
    entry.node.cert_pem = cert;
    return adf_run_one(entry);
}

/* ---- data ---- */

static void data_comes_over_http(void **state)
{
    static const char *const paths[] = {"/file/data.bin", "/file/data.bin?chunked",
                                        "/file/data.bin?close", "/to?/to?/file/data.bin",
                                        "/file/data.bin?pause=5000"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        fresh(state);
        assert_int_equal(run_data(http_peer_url(&http, paths[i]), NULL, adf_yes), 0);
        assert_true(adf_storage_is_new());
    }
}

static void data_over_https_is_verified(void **state)
{
    const char *url = http_peer_url(&https, "/file/data.bin");
    assert_int_equal(run_data(url, other_ca, adf_yes), OTA_SERV_ERR_REASON_STREAM_INIT_FAIL);
    assert_int_equal(run_data(url, NULL, adf_yes), OTA_SERV_ERR_REASON_STREAM_INIT_FAIL);
    assert_true(adf_storage_is_old());
    assert_int_equal(run_data(url, ca, adf_yes), 0);
    assert_true(adf_storage_is_new());
}

static void bad_sources_leave_the_old_data(void **state)
{
    static const struct {
        const char *path;
        ota_service_err_reason_t result;
    } cases[] = {
        {"/file/data.bin?fin=5000", OTA_SERV_ERR_REASON_STREAM_RD_FAIL},
        {"/file/data.bin?cut=5000", OTA_SERV_ERR_REASON_STREAM_RD_FAIL},
        {"/file/data.bin?chunked&fin=0", OTA_SERV_ERR_REASON_STREAM_RD_FAIL},
        {"/bytes/0", OTA_SERV_ERR_REASON_STREAM_RD_FAIL},
        {"/bytes/65537", OTA_SERV_ERR_REASON_PARTITION_WT_FAIL},
        {"/bytes/65537?chunked", OTA_SERV_ERR_REASON_PARTITION_WT_FAIL},
        {"/status/404", OTA_SERV_ERR_REASON_STREAM_INIT_FAIL},
        {"/status/416", OTA_SERV_ERR_REASON_STREAM_INIT_FAIL},
        {"/loop", OTA_SERV_ERR_REASON_STREAM_INIT_FAIL},
        {"/torn", OTA_SERV_ERR_REASON_STREAM_INIT_FAIL},
        {"/file/data.bin?gzip", OTA_SERV_ERR_REASON_STREAM_INIT_FAIL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int original = 0; original < 2; original++) {
            adf.options.compat_results = original;
            ota_service_err_reason_t r =
                run_data(http_peer_url(&http, cases[i].path), NULL, adf_yes);
            bool lost = original && cases[i].result == OTA_SERV_ERR_REASON_STREAM_INIT_FAIL;
            if (r != (lost ? OTA_SERV_ERR_REASON_UNKNOWN : cases[i].result))
                fail_msg("%s: 0x%x", cases[i].path, (unsigned)r);
            if (!adf_storage_is_old()) fail_msg("%s: the partition was touched", cases[i].path);
        }
}

static void cut_the_file(void *ctx, int id, int64_t done, int64_t total)
{
    char path[400];
    snprintf(path, sizeof path, "%s/sdcard/short.bin", adf.dir);
    assert_int_equal(truncate(path, 6000), 0);
}

static void a_file_that_gets_shorter_is_a_read_error(void **state)
{
    uint8_t bytes[30000] = {1};
    adf_bench_put("short.bin", bytes, sizeof bytes);
    adf.options.progress = cut_the_file;
    assert_int_equal(run_data("file://sdcard/short.bin", NULL, adf_yes),
                     OTA_SERV_ERR_REASON_STREAM_RD_FAIL);
    assert_true(adf_storage_is_old());
}

static void files_outside_of_the_card_are_not_there(void **state)
{
    static const char *const uris[] = {"file://sdcard/../sdcard/data.bin",
                                       "file://etc/passwd",
                                       "file:///etc/passwd",
                                       "file://sdcard",
                                       "file://",
                                       "file://sdcard/fifo"};
    char fifo[300];
    snprintf(fifo, sizeof fifo, "%s/sdcard/fifo", adf.dir);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        assert_int_equal(run_data(uris[i], NULL, adf_yes), OTA_SERV_ERR_REASON_STREAM_INIT_FAIL);
        assert_int_equal(adf_run_one(adf_app(NULL, uris[i], NULL)), OTA_SERV_ERR_REASON_UNKNOWN);
    }
    assert_true(adf_storage_is_old());
}

/* ---- an own need_upgrade ---- */

static const esp_partition_t *storage(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "storage");
}

/* As the vendor's example: compares a head, erases, writes what it has read. */
static ota_service_err_reason_t look_and_erase(void *handle, ota_node_attr_t *node)
{
    uint8_t head[8];
    char incoming[264];
    assert_int_equal(esp_partition_read(storage(), 0, head, sizeof head), ESP_OK);
    assert_int_equal(head[0], 0x5a);
    assert_int_equal(ota_data_image_stream_read(handle, incoming, 8), ESP_OK);
    assert_int_equal(ota_data_image_stream_read(handle, incoming + 8, 256), ESP_OK);
    for (uint32_t i = 0; i < sizeof incoming; i++)
        assert_int_equal((uint8_t)incoming[i], adf_byte(i));
    assert_int_equal(esp_partition_erase_range(storage(), 0, storage()->size), ESP_OK);
    assert_int_equal(ota_data_partition_erase_mark(handle), ESP_OK);
    assert_int_equal(ota_data_partition_write(handle, incoming, 8), ESP_OK);
    assert_int_equal(ota_data_partition_write(handle, incoming + 8, 256), ESP_OK);
    assert_int_equal(esp_partition_read(storage(), 0, head, sizeof head), ESP_OK);
    assert_memory_equal(head, incoming, 8); /* what it wrote is what it reads */
    assert_true(adf_storage_is_old());      /* but the partition has the old content yet */
    return OTA_SERV_ERR_REASON_SUCCESS;
}

static ota_service_err_reason_t erase_and_refuse(void *handle, ota_node_attr_t *node)
{
    look_and_erase(handle, node);
    return OTA_SERV_ERR_REASON_NO_HIGHER_VERSION;
}

static ota_service_err_reason_t erase_only(void *handle, ota_node_attr_t *node)
{
    assert_int_equal(esp_partition_erase_range(storage(), 0, storage()->size), ESP_OK);
    return OTA_SERV_ERR_REASON_SUCCESS;
}

static ota_service_err_reason_t read_all(void *handle, ota_node_attr_t *node)
{
    static char all[ADF_DATA_LEN];
    return ota_data_image_stream_read(handle, all, sizeof all);
}

static void own_steps_may_erase_and_write(void **state)
{
    assert_int_equal(run_data(ADF_DATA_URI, NULL, erase_and_refuse),
                     OTA_SERV_ERR_REASON_NO_HIGHER_VERSION);
    assert_true(adf_storage_is_old());
    assert_int_equal(run_data(ADF_DATA_URI, NULL, read_all), OTA_SERV_ERR_REASON_STREAM_RD_FAIL);
    assert_true(adf_storage_is_old()); /* nothing was written */
    assert_int_equal(run_data("file://sdcard/none", NULL, erase_only),
                     OTA_SERV_ERR_REASON_STREAM_INIT_FAIL);
    assert_int_equal(run_data(http_peer_url(&http, "/file/data.bin?fin=5000"), NULL, erase_only),
                     OTA_SERV_ERR_REASON_STREAM_RD_FAIL);
    assert_true(adf_storage_is_old());
    assert_int_equal(
        run_data(http_peer_url(&http, "/file/data.bin?pause=100"), NULL, look_and_erase),
        0); /* its second read spans the pause */
    assert_true(adf_storage_is_new());
    fresh(state);
    assert_int_equal(run_data(ADF_DATA_URI, NULL, erase_only), 0);
    assert_true(adf_storage_is_new());
}

static ota_service_err_reason_t told, verdict;

static ota_service_err_reason_t own_check(void *handle, ota_node_attr_t *node,
                                          ota_service_err_reason_t result)
{
    ota_upgrade_ops_t original;
    ota_data_get_default_proc(&original);
    told = original.finished_check(handle, node, result);
    return verdict;
}

static void only_data_that_was_taken_and_agreed_on_is_committed(void **state)
{
    ota_upgrade_ops_t entry = adf_data("storage", ADF_DATA_URI, adf_yes);
    entry.finished_check = own_check;
    verdict = OTA_SERV_ERR_REASON_ERROR_MAGIC_WORD;
    assert_int_equal(adf_run_one(entry), verdict);
    assert_int_equal(told, 0);
    assert_true(adf_storage_is_old());
    entry = adf_data("storage", http_peer_url(&http, "/file/data.bin?fin=5000"), adf_yes);
    entry.finished_check = own_check;
    verdict = OTA_SERV_ERR_REASON_SUCCESS; /* as it says, but there is only a part */
    assert_int_equal(adf_run_one(entry), verdict);
    assert_int_equal(told, OTA_SERV_ERR_REASON_STREAM_RD_FAIL);
    assert_true(adf_storage_is_old());
}

static ota_service_err_reason_t read_too_much(void *handle, ota_node_attr_t *node)
{
    static char all[ADF_DATA_LEN + 1];
    return ota_data_image_stream_read(handle, all, sizeof all);
}

static void helpers_say_what_is_wrong(void **state)
{
    char byte;
    assert_int_equal(run_data(ADF_DATA_URI, NULL, read_too_much),
                     OTA_SERV_ERR_REASON_STREAM_RD_FAIL);
    assert_int_equal(ota_data_image_stream_read(NULL, &byte, 1), OTA_SERV_ERR_REASON_NULL_POINTER);
    assert_int_equal(ota_data_partition_write(NULL, &byte, 1), OTA_SERV_ERR_REASON_NULL_POINTER);
    assert_int_equal(ota_data_partition_erase_mark(NULL), OTA_SERV_ERR_REASON_NULL_POINTER);
}

static void steps_work_without_the_service(void **state)
{
    void *handle = NULL;
    ota_upgrade_ops_t e = adf_data("storage", ADF_DATA_URI, adf_yes);
    assert_int_equal(e.prepare(&handle, &e.node), 0);
    assert_int_equal(e.execute_upgrade(handle, &e.node), 0);
    assert_true(adf_storage_is_old());
    assert_int_equal(e.finished_check(handle, &e.node, 0), 0);
    assert_true(adf_storage_is_new());
}

/* ---- digest, progress, stop ---- */

static void a_wrong_digest_changes_nothing(void **state)
{
    uint8_t data[ADF_DATA_LEN], digest[32], wrong[32] = {0};
    for (uint32_t i = 0; i < sizeof data; i++) data[i] = adf_byte(i);
    crypto_digest(AL_SHA256, data, sizeof data, digest);
    adf.sha256 = (const uint8_t(*)[32]) & wrong;
    assert_int_equal(run_data(ADF_DATA_URI, NULL, adf_yes), OTA_SERV_ERR_REASON_WRONG_DIGEST);
    assert_true(adf_storage_is_old());
    assert_int_equal(adf_run_one(adf_app(NULL, ADF_APP_URI, NULL)),
                     OTA_SERV_ERR_REASON_WRONG_DIGEST);
    adf.options.compat_results = true;
    assert_int_equal(adf_run_one(adf_app(NULL, http_peer_url(&http, "/file/app.bin"), NULL)),
                     OTA_SERV_ERR_REASON_WRONG_DIGEST);
    assert_false(adf_boots_new());
    adf.sha256 = (const uint8_t(*)[32]) & digest;
    assert_int_equal(run_data(ADF_DATA_URI, NULL, look_and_erase), 0);
    assert_true(adf_storage_is_new());
    crypto_digest(AL_SHA256, board()->nor.bytes + TEST_OTA_0, ADF_IMAGE_LEN, digest);
    assert_int_equal(adf_run_one(adf_app(NULL, http_peer_url(&http, "/file/app.bin"), NULL)), 0);
    assert_true(adf_boots_new());
}

static struct {
    int64_t done, total;
    int calls;
} seen;

static void note_progress(void *ctx, int id, int64_t done, int64_t total)
{
    assert_ptr_equal(ctx, &seen);
    assert_int_equal(id, 0);
    assert_true(done > seen.done);
    seen.done = done;
    seen.total = total;
    seen.calls++;
}

static void progress_counts_up_to_the_total(void **state)
{
    adf.options.progress = note_progress;
    adf.options.progress_ctx = &seen;
    memset(&seen, 0, sizeof seen);
    assert_int_equal(run_data(ADF_DATA_URI, NULL, look_and_erase), 0);
    assert_int_equal(seen.done, ADF_DATA_LEN);
    assert_int_equal(seen.total, ADF_DATA_LEN);
    const char *uris[] = {ADF_APP_URI, http_peer_url(&http, "/file/app.bin")};
    for (int i = 0; i < 2; i++) {
        memset(&seen, 0, sizeof seen);
        assert_int_equal(adf_run_one(adf_app(NULL, uris[i], NULL)), 0);
        assert_int_equal(seen.done, ADF_IMAGE_LEN);
        assert_int_equal(seen.total, ADF_IMAGE_LEN);
        assert_true(seen.calls > 10);
    }
}

static void stop_soon(void)
{
    usleep(300000);
    assert_int_equal(periph_service_stop(adf.service), ESP_OK);
}

static void stop_ends_a_transfer_that_hangs(void **state)
{
    adf.while_running = stop_soon;
    uint64_t begin = board_uptime_us();
    assert_int_equal(run_data(http_peer_url(&http, "/file/data.bin?stall=5000"), NULL, adf_yes),
                     OTA_SERV_ERR_REASON_CANCELLED);
    assert_true(board_uptime_us() - begin < 2000000);
    assert_true(adf_storage_is_old());
}

/* ---- apps ---- */

static ota_service_err_reason_t run_app(const char *uri, char *cert)
{
    ota_upgrade_ops_t entry = adf_app(NULL, uri, NULL);
    entry.node.cert_pem = cert;
    return adf_run_one(entry);
}

static void apps_come_over_https(void **state)
{
    const char *url = http_peer_url(&https, "/file/app.bin");
    assert_int_equal(run_app(url, NULL), OTA_SERV_ERR_REASON_UNKNOWN);
    assert_int_equal(run_app(url, other_ca), OTA_SERV_ERR_REASON_UNKNOWN);
    assert_false(adf_boots_new());
    assert_int_equal(run_app(url, ca), 0);
    assert_true(adf_boots_new());
}

/* ours, the original's */
static void assert_app_fails(const char *uri, int ours, int original)
{
    for (int i = 0; i < 2; i++) {
        adf.options.compat_results = i;
        ota_service_err_reason_t r = run_app(uri, NULL);
        if (r != (i ? original : ours)) fail_msg("%s: 0x%x", uri, (unsigned)r);
        if (adf_boots_new()) fail_msg("%s: chosen", uri);
    }
}

static void bad_apps_leave_the_old_one_chosen(void **state)
{
    uint8_t *image = malloc(ADF_IMAGE_LEN);
    assert_int_equal(run_app(ADF_APP_URI, NULL), 0);
    memcpy(image, board()->nor.bytes + TEST_OTA_0, ADF_IMAGE_LEN);
    fresh(state);
    adf_bench_put("tiny.bin", image, 288);
    adf_bench_put("half.bin", image, 30000);
    image[40000] ^= 1;
    adf_bench_put("flipped.bin", image, ADF_IMAGE_LEN);
    free(image);
    int desc = OTA_SERV_ERR_REASON_GET_NEW_APP_DESC_FAIL, invalid = ESP_ERR_OTA_VALIDATE_FAILED;
    assert_app_fails("file://sdcard/tiny.bin", desc, 0);
    assert_app_fails("file://sdcard/half.bin", invalid, invalid);
    assert_app_fails("file://sdcard/flipped.bin", invalid, invalid);
    assert_app_fails(http_peer_url(&http, "/file/app.bin?fin=30000"), -1, invalid);
    assert_app_fails(http_peer_url(&http, "/file/flipped.bin"), invalid, invalid);
    assert_app_fails(http_peer_url(&http, "/file/tiny.bin"), desc, 0);
    assert_app_fails(http_peer_url(&http, "/status/404"), -1, 0x90001);
}

static void a_broken_download_goes_on_when_asked(void **state)
{
    char line[300] = "";
    const char *url = http_peer_url(&http, "/file/app.bin?cut=30000"); /* of each answer */
    assert_int_equal(run_app(url, NULL), -1);
    assert_false(adf_boots_new());
    adf.options.retries = 2;
    assert_int_equal(run_app(http_peer_url(&http, "/file/app.bin?cut=30000&on"), NULL), 0);
    assert_true(adf_boots_new());
    while (!strstr(line, "&on")) http_peer_line(&http, line, sizeof line);
    for (int i = 0; i < 2; i++) {
        http_peer_line(&http, line, sizeof line);
        assert_non_null(strstr(line, "|bytes=")); /* not from its start */
        assert_null(strstr(line, "|bytes=0-"));
    }
}

static void fs_ota_counts_what_it_read(void **state)
{
    esp_fs_ota_config_t config = {.path = ADF_APP_URI, .buffer_size = 5120};
    esp_fs_ota_handle_t h;
    esp_app_desc_t desc;
    assert_int_equal(esp_fs_ota_begin(&config, &h), ESP_OK);
    assert_int_equal(esp_fs_ota_get_image_len_read(h), -1);
    assert_int_equal(esp_fs_ota_get_img_desc(h, &desc), ESP_OK);
    assert_int_equal(desc.magic_word, ESP_APP_DESC_MAGIC_WORD);
    assert_int_equal(esp_fs_ota_perform(h), ESP_ERR_FS_OTA_IN_PROGRESS);
    assert_int_equal(esp_fs_ota_get_image_len_read(h), 289);
    assert_int_equal(esp_fs_ota_perform(h), ESP_ERR_FS_OTA_IN_PROGRESS);
    assert_int_equal(esp_fs_ota_get_image_len_read(h), 289 + 5120);
    assert_int_equal(esp_fs_ota_get_img_desc(h, &desc), ESP_FAIL);
    assert_int_equal(esp_fs_ota_finish(h), ESP_ERR_OTA_VALIDATE_FAILED); /* not all of it */
    assert_int_equal(esp_fs_ota_begin(&config, &h), ESP_OK);
    assert_int_equal(esp_fs_ota_finish(h), ESP_OK); /* nothing begun */
    assert_false(adf_boots_new());
    assert_int_equal(esp_fs_ota(&config), ESP_OK);
    assert_true(adf_boots_new());
}

static void fs_ota_refuses_bad_arguments(void **state)
{
    esp_fs_ota_config_t config = {.path = NULL}, none = {.path = "file://sdcard/none"},
                        odd = {.path = "abc"};
    esp_fs_ota_handle_t h = &config;
    assert_int_equal(esp_fs_ota_begin(NULL, &h), ESP_ERR_INVALID_ARG);
    assert_null(h);
    assert_int_equal(esp_fs_ota_begin(&config, &h), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_fs_ota_begin(&none, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_fs_ota(&none), ESP_FAIL);
    assert_int_equal(esp_fs_ota(&odd), ESP_FAIL);
    assert_int_equal(esp_fs_ota_perform(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_fs_ota_finish(NULL), ESP_ERR_INVALID_ARG);
}

/* The flash fails at the nth operation from now; gives esp_fs_ota's result. */
static esp_err_t update_failing_at(uint64_t nth)
{
    esp_fs_ota_config_t config = {.path = ADF_APP_URI, .buffer_size = 5120};
    struct nor_flash *nor = &board()->nor;
    void (*on_cut)(void) = nor->on_power_cut;
    nor->on_power_cut = NULL;
    nor_flash_power_on(nor);
    nor_flash_cut_at(nor, nth);
    esp_err_t err = esp_fs_ota(&config);
    nor_flash_power_on(nor);
    nor->on_power_cut = on_cut;
    return err;
}

static void a_slot_that_cannot_be_chosen_is_a_failure(void **state)
{
    struct nor_flash *nor = &board()->nor;
    nor_flash_power_on(nor);
    assert_int_equal(update_failing_at(1000000), ESP_OK);
    fresh(state);
    /* the last two operations choose: one erase, one program */
    uint64_t before = nor->power->ops;
    esp_fs_ota_config_t config = {.path = ADF_APP_URI, .buffer_size = 5120};
    assert_int_equal(esp_fs_ota(&config), ESP_OK);
    uint64_t ops = nor->power->ops - before;
    fresh(state);
    assert_int_not_equal(update_failing_at(ops), ESP_OK);
    fresh(state);
    strcpy(compat, "y");
    assert_int_equal(update_failing_at(ops), ESP_OK); /* logged only, as in the original */
}

/* ---- log ---- */

static void update_both(void *arg)
{
    ota_upgrade_ops_t list[] = {adf_data("storage", ADF_DATA_URI, look_and_erase),
                                adf_app(NULL, ADF_APP_URI, NULL)};
    adf_run(list, 2);
}

static void log_has_the_lines_that_scripts_wait_for(void **state)
{
    static const char *const lines[] = {
        "I (", ") OTA_DEFAULT: data upgrade uri file://sdcard/data.bin\n",
        "I (", ") FATFS_STREAM: File size: 20000 byte, file position: 0\n",
        "I (", ") OTA_DEFAULT: write_offset 0, size 8\n",
        "I (", ") OTA_DEFAULT: write_offset 8, size 256\n",
        "W (", ") FATFS_STREAM: No more data, ret:0\n",
        "I (", ") AUDIO_ELEMENT: IN-[file] AEL_IO_DONE,0\n",
        "I (", ") OTA_DEFAULT: partition storage upgrade successes\n",
        "W (", ") AUDIO_ELEMENT: [file] Element has not create when AUDIO_ELEMENT_TERMINATE\n",
        "I (", ") esp_fs_ota: Starting OTA...\n",
        "I (", ") esp_fs_ota: Writing to partition subtype 16 at offset 0x110000\n",
        "I (", ") OTA_DEFAULT: Running firmware version: ",
        "W (", ") OTA_SERVICE: OTA_END!\n",
    };
    char *text = test_board_capture(update_both, NULL);
    test_board_assert_in_order(text, lines, sizeof lines / sizeof *lines);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(data_comes_over_http, fresh),
        cmocka_unit_test_setup(data_over_https_is_verified, fresh),
        cmocka_unit_test_setup(bad_sources_leave_the_old_data, fresh),
        cmocka_unit_test_setup(a_file_that_gets_shorter_is_a_read_error, fresh),
        cmocka_unit_test_setup(files_outside_of_the_card_are_not_there, fresh),
        cmocka_unit_test_setup(own_steps_may_erase_and_write, fresh),
        cmocka_unit_test_setup(only_data_that_was_taken_and_agreed_on_is_committed, fresh),
        cmocka_unit_test_setup(helpers_say_what_is_wrong, fresh),
        cmocka_unit_test_setup(steps_work_without_the_service, fresh),
        cmocka_unit_test_setup(a_wrong_digest_changes_nothing, fresh),
        cmocka_unit_test_setup(progress_counts_up_to_the_total, fresh),
        cmocka_unit_test_setup(stop_ends_a_transfer_that_hangs, fresh),
        cmocka_unit_test_setup(apps_come_over_https, fresh),
        cmocka_unit_test_setup(bad_apps_leave_the_old_one_chosen, fresh),
        cmocka_unit_test_setup(a_broken_download_goes_on_when_asked, fresh),
        cmocka_unit_test_setup(fs_ota_counts_what_it_read, fresh),
        cmocka_unit_test_setup(fs_ota_refuses_bad_arguments, fresh),
        cmocka_unit_test_setup(a_slot_that_cannot_be_chosen_is_a_failure, fresh),
        cmocka_unit_test_setup(log_has_the_lines_that_scripts_wait_for, fresh),
    };
    return cmocka_run_group_tests(tests, start_peers, stop_peers);
}
