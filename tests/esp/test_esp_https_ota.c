/* esp_https_ota on a virtual device in this process, against http_peer.py. */
#include "esp_https_ota.h"

#include "esp/esp-idf/airlift_config.h"
#include "esp_log.h"
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
#include <unistd.h>

#include <cmocka.h>

static char allow_http[2], decrypt_cb[2], stall[4];
const struct airlift_config_entry airlift_config[] = {
    {"AIRLIFT_HTTPS_OTA_STALL_TIMEOUT_S", stall},
    {"ESP_HTTPS_OTA_ALLOW_HTTP", allow_http},
    {"ESP_HTTPS_OTA_DECRYPT_CB", decrypt_cb},
    {"ESP_HTTPS_OTA_ENABLE_PARTIAL_DOWNLOAD", "y"},
    {"ESP_HTTPS_OTA_VERIFY_SPI_MODE", "y"},
    {"ESP_HTTP_CLIENT_ENABLE_BASIC_AUTH", "y"},
    {NULL, NULL},
};

static struct http_peer peer;
static struct ota_files files;

static int start_peer(void **state)
{
    ota_files_make(&files);
    ota_files_add(&files, "flipped.bin", OTA_IMAGE_LEN, 40000, files.image[40000] ^ 1);
    ota_files_add(&files, "magic.bin", OTA_IMAGE_LEN, 0, 0xea);
    ota_files_add(&files, "cut.bin", 30000, 0, files.image[0]);
    ota_files_add(&files, "short.bin", 180, 0, files.image[0]);
    ota_files_add(&files, "chip.bin", OTA_IMAGE_LEN, 12, 13);
    ota_files_add(&files, "newer_chip.bin", OTA_IMAGE_LEN, 15, 4); /* of revision 0.4 on */
    ota_files_add(&files, "older_chip.bin", OTA_IMAGE_LEN, 17, 2); /* up to revision 0.2 */
    ota_files_add(&files, "desc.bin", OTA_IMAGE_LEN, 32, 0);
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
    strcpy(allow_http, "y");
    strcpy(decrypt_cb, "n");
    strcpy(stall, "0");
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

static esp_http_client_config_t *http_of(esp_https_ota_config_t *ota)
{
    return (esp_http_client_config_t *)(uintptr_t)ota->http_config;
}

static void assert_boots(uint32_t slot)
{
    const esp_partition_t *p = esp_ota_get_boot_partition();
    assert_non_null(p);
    assert_int_equal(p->address, slot);
}

static void update_ends_in_the_new_slot(void **state)
{
    static const char *const paths[] = {OTA_IMAGE, OTA_IMAGE "?chunked", OTA_IMAGE "?close",
                                        OTA_IMAGE "?bye", ("/to?/to?" OTA_IMAGE)};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (int bulk = 0; bulk < 2; bulk++) {
            fresh_device(NULL);
            esp_https_ota_config_t *c = config(paths[i]);
            c->bulk_flash_erase = bulk;
            http_of(c)->buffer_size = i % 2 ? 0 : 4096;
            assert_int_equal(esp_https_ota(c), ESP_OK);
            ota_files_assert_slot(&files, TEST_OTA_0, OTA_IMAGE_LEN);
            assert_boots(TEST_OTA_0);
        }
}

static void steps_tell_how_far_the_download_is(void **state)
{
    esp_https_ota_handle_t h;
    esp_app_desc_t desc;
    assert_int_equal(esp_https_ota_begin(config(OTA_IMAGE), &h), ESP_OK);
    assert_int_equal(esp_https_ota_get_image_size(h), OTA_IMAGE_LEN);
    assert_int_equal(esp_https_ota_get_status_code(h), 200);
    assert_int_equal(esp_https_ota_get_image_len_read(h), -1);
    assert_int_equal(esp_https_ota_get_img_desc(h, &desc), ESP_OK);
    assert_int_equal(desc.magic_word, ESP_APP_DESC_MAGIC_WORD);
    assert_memory_equal(&desc, files.image + 32, sizeof desc);
    assert_int_equal(esp_https_ota_perform(h), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_int_equal(esp_https_ota_get_image_len_read(h), 1024);
    assert_false(esp_https_ota_is_complete_data_received(h));
    esp_err_t err;
    while ((err = esp_https_ota_perform(h)) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) continue;
    assert_int_equal(err, ESP_OK);
    assert_int_equal(esp_https_ota_get_image_len_read(h), OTA_IMAGE_LEN);
    assert_true(esp_https_ota_is_complete_data_received(h));
    assert_int_equal(esp_https_ota_finish(h), ESP_OK);
    assert_boots(TEST_OTA_0);
}

static void finish_before_the_end_selects_nothing(void **state)
{
    esp_https_ota_handle_t h;
    const esp_partition_t *before = esp_ota_get_boot_partition();
    assert_int_equal(esp_https_ota_begin(config(OTA_IMAGE), &h), ESP_OK);
    for (int i = 0; i < 3; i++) esp_https_ota_perform(h);
    assert_int_equal(esp_https_ota_finish(h), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_ptr_equal(esp_ota_get_boot_partition(), before);
    assert_int_equal(esp_https_ota_begin(config(OTA_IMAGE), &h), ESP_OK);
    esp_https_ota_perform(h);
    assert_int_equal(esp_https_ota_abort(h), ESP_OK);
    /* all bytes written, but the end not seen by the app: valid, yet not selected */
    assert_int_equal(esp_https_ota_begin(config(OTA_IMAGE), &h), ESP_OK);
    while (esp_https_ota_get_image_len_read(h) < OTA_IMAGE_LEN)
        assert_int_equal(esp_https_ota_perform(h), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_int_equal(esp_https_ota_finish(h), ESP_OK);
    assert_ptr_equal(esp_ota_get_boot_partition(), before);
    assert_int_equal(esp_https_ota(config(OTA_IMAGE)), ESP_OK); /* nothing of it is in the way */
}

static void bad_sources_leave_the_old_app_chosen(void **state)
{
    static const struct {
        const char *path;
        esp_err_t err;
    } cases[] = {
        {"/status/404", ESP_FAIL},
        {"/status/403", ESP_FAIL},
        {"/status/418", ESP_FAIL},
        {"/status/500", ESP_FAIL},
        {"/status/304", ESP_ERR_HTTP_NOT_MODIFIED},
        {"/loop", ESP_ERR_HTTP_MAX_REDIRECT},
        {OTA_IMAGE "?fin=30000", ESP_FAIL},
        {OTA_IMAGE "?cut=30000", ESP_FAIL},
        {OTA_IMAGE "?chunked&fin=0", ESP_FAIL},
        {"/file/short.bin", ESP_FAIL},            /* no whole header */
        {"/bytes/5000", ESP_ERR_INVALID_VERSION}, /* by chance another chip's */
        {"/file/chip.bin", ESP_ERR_INVALID_VERSION},
        {"/file/newer_chip.bin", ESP_ERR_INVALID_VERSION},
        {"/file/older_chip.bin", ESP_ERR_INVALID_VERSION},
        {"/file/magic.bin", ESP_ERR_OTA_VALIDATE_FAILED},
        {"/file/flipped.bin", ESP_ERR_OTA_VALIDATE_FAILED},
        {"/file/cut.bin", ESP_ERR_OTA_VALIDATE_FAILED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fresh_device(NULL);
        esp_err_t err = esp_https_ota(config(cases[i].path));
        if (err != cases[i].err) fail_msg("%s: 0x%x", cases[i].path, (unsigned)err);
        assert_boots(TEST_FACTORY);
    }
}

static void description_must_carry_its_magic(void **state)
{
    esp_https_ota_handle_t h;
    esp_app_desc_t desc;
    esp_bootloader_desc_t boot;
    assert_int_equal(esp_https_ota_begin(config("/file/desc.bin"), &h), ESP_OK);
    assert_int_equal(esp_https_ota_get_img_desc(h, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_get_img_desc(h, &desc), ESP_FAIL);
    assert_int_equal(esp_https_ota_abort(h), ESP_OK);
    assert_int_equal(esp_https_ota_begin(config(OTA_IMAGE), &h), ESP_OK);
    assert_int_equal(esp_https_ota_get_bootloader_img_desc(h, &boot), ESP_FAIL); /* it is an app */
    assert_int_equal(esp_https_ota_abort(h), ESP_OK);
    assert_int_equal(esp_https_ota_begin(config("/file/short.bin"), &h), ESP_OK);
    assert_int_equal(esp_https_ota_get_img_desc(h, &desc), ESP_FAIL);
    assert_int_equal(esp_https_ota_abort(h), ESP_OK);
}

static void settings_are_checked_first(void **state)
{
    esp_https_ota_handle_t h = &peer;
    assert_int_equal(esp_https_ota_begin(NULL, &h), ESP_ERR_INVALID_ARG);
    assert_null(h);
    assert_int_equal(esp_https_ota_begin(&(esp_https_ota_config_t){0}, &h), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_begin(config(OTA_IMAGE), NULL), ESP_ERR_INVALID_ARG);
    strcpy(allow_http, "n");
    h = &peer;
    assert_int_equal(esp_https_ota_begin(config(OTA_IMAGE), &h), ESP_ERR_INVALID_ARG);
    assert_null(h);
    strcpy(allow_http, "y");
    strcpy(decrypt_cb, "y");
    h = &peer;
    assert_int_equal(esp_https_ota_begin(config(OTA_IMAGE), &h), ESP_ERR_INVALID_ARG);
    assert_null(h);
    strcpy(decrypt_cb, "n");
    esp_https_ota_config_t *c = config(OTA_IMAGE);
    c->ota_resumption = true;
    assert_int_equal(esp_https_ota(c), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_https_ota_perform(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_finish(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_abort(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_get_image_size(NULL), -1);
}

static int init_calls;

static esp_err_t add_credentials(esp_http_client_handle_t client)
{
    init_calls++;
    esp_http_client_set_username(client, "otto");
    return esp_http_client_set_password(client, init_calls == 2 ? "falsch" : "geheim");
}

static esp_err_t refuse(esp_http_client_handle_t client)
{
    return 0x4711;
}

static void init_callback_shapes_the_request(void **state)
{
    init_calls = 0;
    esp_https_ota_config_t *c = config(OTA_IMAGE "?basic");
    c->http_client_init_cb = add_credentials;
    assert_int_equal(esp_https_ota(c), ESP_OK);
    assert_int_equal(esp_https_ota(c),
                     ESP_FAIL); /* wrong password, until the retries are used up */
    c->http_client_init_cb = refuse;
    assert_int_equal(esp_https_ota(c), 0x4711);
    assert_int_equal(init_calls, 2);
}

static void silence_ends_only_at_the_configured_limit(void **state)
{
    esp_https_ota_handle_t h;
    esp_https_ota_config_t *c = config(OTA_IMAGE "?stall=5000");
    http_of(c)->timeout_ms = 100;
    assert_int_equal(esp_https_ota_begin(c, &h), ESP_OK);
    for (int i = 0; i < 15; i++)
        assert_int_equal(esp_https_ota_perform(h), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    strcpy(stall, "1");
    esp_err_t err;
    while ((err = esp_https_ota_perform(h)) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) continue;
    assert_int_equal(err, ESP_ERR_TIMEOUT);
    assert_int_equal(esp_https_ota_abort(h), ESP_OK);
    c = config(OTA_IMAGE "?stall=500"); /* inside the header */
    http_of(c)->timeout_ms = 100;
    assert_int_equal(esp_https_ota_begin(c, &h), ESP_OK);
    assert_int_equal(esp_https_ota_perform(h), ESP_ERR_TIMEOUT);
    assert_int_equal(esp_https_ota_abort(h), ESP_OK);
}

/* A layer that turns all bits around and takes its own header off. */
struct cipher {
    size_t header_left;
    int calls, silent_call; /* that call gives nothing */
};

static esp_err_t turn_around(decrypt_cb_arg_t *args, void *ctx)
{
    struct cipher *c = ctx;
    size_t skip = c->header_left < args->data_in_len ? c->header_left : args->data_in_len;
    size_t len = args->data_in_len - skip;
    c->header_left -= skip;
    if (++c->calls == c->silent_call) return ESP_OK;
    args->data_out = malloc(len + 1);
    for (size_t i = 0; i < len; i++) args->data_out[i] = (char)~args->data_in[skip + i];
    args->data_out_len = len;
    return ESP_OK;
}

static void decrypt_layer_sits_before_the_flash(void **state)
{
    char path[300];
    struct cipher cipher = {.header_left = 512, .silent_call = 2};
    snprintf(path, sizeof path, "%s/turned.bin", files.root);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < 512; i++) fputc('h', f);
    for (size_t i = 0; i < OTA_IMAGE_LEN; i++) fputc((uint8_t)~files.image[i], f);
    fclose(f);
    strcpy(decrypt_cb, "y");

    esp_https_ota_handle_t h;
    esp_app_desc_t desc;
    esp_https_ota_config_t *c = config("/file/turned.bin");
    c->decrypt_cb = turn_around;
    c->decrypt_user_ctx = &cipher;
    c->enc_img_header_size = 512;
    assert_int_equal(esp_https_ota_begin(c, &h), ESP_OK);
    assert_int_equal(esp_https_ota_get_image_size(h), OTA_IMAGE_LEN);
    assert_int_equal(esp_https_ota_get_img_desc(h, &desc), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_https_ota_perform(h), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_int_equal(esp_https_ota_get_image_len_read(h), 512);
    ota_files_assert_slot(&files, TEST_OTA_0, 512);
    /* a layer that gives nothing yet keeps the loop going */
    assert_int_equal(esp_https_ota_perform(h), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_int_equal(esp_https_ota_get_image_len_read(h), 512);
    assert_int_equal(cipher.calls, 2);
    assert_int_equal(esp_https_ota_abort(h), ESP_OK);

    for (int in_pieces = 0; in_pieces < 2; in_pieces++) {
        fresh_device(NULL);
        strcpy(decrypt_cb, "y");
        cipher = (struct cipher){.header_left = 512};
        c->partial_http_download = in_pieces;
        c->max_http_request_size = 16384;
        assert_int_equal(esp_https_ota(c), ESP_OK);
        ota_files_assert_slot(&files, TEST_OTA_0, OTA_IMAGE_LEN);
        assert_boots(TEST_OTA_0);
    }
}

static void data_goes_to_its_partition_unchecked(void **state)
{
    const esp_partition_t *storage =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "storage");
    esp_https_ota_config_t *c = config("/bytes/500");
    c->partition.final = storage;
    c->partition.finalize_with_copy = true;
    assert_int_equal(esp_https_ota(c), ESP_OK);
    for (uint32_t i = 0; i < 500; i++)
        assert_int_equal(board()->nor.bytes[TEST_STORAGE + i], (uint8_t)(i * 7 + i / 256));
    assert_boots(TEST_FACTORY);

    fresh_device(NULL);
    c = config("/bytes/500"); /* the same partition for both: no copy */
    c->partition.staging = c->partition.final = storage;
    assert_int_equal(esp_https_ota(c), ESP_OK);
    assert_int_equal(board()->nor.bytes[TEST_STORAGE + 499], (uint8_t)(499 * 7 + 1));
    assert_int_equal(board()->nor.bytes[TEST_OTA_0], 0xff);
}

struct events {
    int count;
    int32_t id[16];
    int chip, revision, written, subtype;
};

static void note_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    struct events *e = arg;
    if (e->count && e->id[e->count - 1] == id) e->count--; /* runs count once */
    if (e->count < 16) e->id[e->count++] = id;
    if (id == ESP_HTTPS_OTA_VERIFY_CHIP_ID) e->chip = *(esp_chip_id_t *)data;
    if (id == ESP_HTTPS_OTA_VERIFY_CHIP_REVISION) e->revision = *(uint16_t *)data;
    if (id == ESP_HTTPS_OTA_WRITE_FLASH) e->written = *(int *)data;
    if (id == ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION) e->subtype = *(esp_partition_subtype_t *)data;
}

static void events_come_in_the_vendors_order(void **state)
{
    static const int32_t expected[] = {
        ESP_HTTPS_OTA_START,          ESP_HTTPS_OTA_CONNECTED,
        ESP_HTTPS_OTA_VERIFY_CHIP_ID, ESP_HTTPS_OTA_VERIFY_CHIP_REVISION,
        ESP_HTTPS_OTA_WRITE_FLASH,    ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION,
        ESP_HTTPS_OTA_FINISH};
    struct events seen = {.revision = -1};
    assert_int_equal(esp_event_loop_create_default(), ESP_OK);
    esp_event_handler_register(ESP_HTTPS_OTA_EVENT, ESP_EVENT_ANY_ID, note_event, &seen);
    assert_int_equal(esp_https_ota(config(OTA_IMAGE)), ESP_OK);
    for (int i = 0; i < 200 && (!seen.count || seen.id[seen.count - 1] != ESP_HTTPS_OTA_FINISH);
         i++)
        usleep(10000);
    esp_event_handler_unregister(ESP_HTTPS_OTA_EVENT, ESP_EVENT_ANY_ID, note_event);
    assert_int_equal(esp_event_loop_delete_default(), ESP_OK);
    assert_int_equal(seen.count, sizeof expected / sizeof *expected);
    assert_memory_equal(seen.id, expected, sizeof expected);
    assert_int_equal(seen.chip, ESP_CHIP_ID_ESP32C3);
    assert_int_equal(seen.revision, 3);
    assert_int_equal(seen.written, OTA_IMAGE_LEN);
    assert_int_equal(seen.subtype, ESP_PARTITION_SUBTYPE_APP_OTA_0);
}

static void log_of(void *arg)
{
    esp_https_ota_config_t **configs = arg;
    for (; *configs; configs++) {
        esp_https_ota_handle_t h;
        if (esp_https_ota_begin(*configs, &h) == ESP_OK) esp_https_ota_abort(h);
    }
}

static void log_has_the_lines_that_scripts_wait_for(void **state)
{
    static const char *const lines[] = {
        "W (",
        "esp_https_ota: Continuing with insecure option because "
        "CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP is set.",
        "W (",
        "esp_https_ota: Server ignored the requested Range header",
        "W (",
        "esp_https_ota: OTA resumption requires server with range request support.",
        "E (",
        "esp_https_ota: OTA resumption failed with err: 28682.",
        "I (",
        "esp_https_ota: Falling back to OTA without resumption and restarting download "
        "from beginning",
        "I (",
        "esp_https_ota: Starting OTA...",
        "I (",
        "esp_https_ota: Writing to <ota_0> partition at offset 0x110000",
    };
    esp_https_ota_config_t *c = config(OTA_IMAGE "?norange");
    c->ota_resumption = true;
    c->ota_image_bytes_written = 2048;
    char *text = test_board_capture(log_of, (esp_https_ota_config_t *[]){c, NULL});
    test_board_assert_in_order(text, lines, sizeof lines / sizeof *lines);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(update_ends_in_the_new_slot, fresh_device),
        cmocka_unit_test_setup(steps_tell_how_far_the_download_is, fresh_device),
        cmocka_unit_test_setup(finish_before_the_end_selects_nothing, fresh_device),
        cmocka_unit_test_setup(bad_sources_leave_the_old_app_chosen, fresh_device),
        cmocka_unit_test_setup(description_must_carry_its_magic, fresh_device),
        cmocka_unit_test_setup(settings_are_checked_first, fresh_device),
        cmocka_unit_test_setup(init_callback_shapes_the_request, fresh_device),
        cmocka_unit_test_setup(silence_ends_only_at_the_configured_limit, fresh_device),
        cmocka_unit_test_setup(decrypt_layer_sits_before_the_flash, fresh_device),
        cmocka_unit_test_setup(data_goes_to_its_partition_unchecked, fresh_device),
        cmocka_unit_test_setup(events_come_in_the_vendors_order, fresh_device),
        cmocka_unit_test_setup(log_has_the_lines_that_scripts_wait_for, fresh_device),
    };
    return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
