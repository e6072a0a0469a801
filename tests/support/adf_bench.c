#include "tests/support/adf_bench.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "esp/esp-adf/sdcard.h"
#include "esp_ota_ops.h"
#include "nvs_flash.h"
#include "tests/support/http_peer.h"
#include "tests/support/test_board.h"
#include "tests/support/vectors.h"

struct adf_bench adf;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

uint8_t adf_byte(uint32_t at)
{
    return (uint8_t)(at * 13 + at / 256);
}

void adf_bench_put(const char *name, const void *data, size_t len)
{
    char path[512];
    snprintf(path, sizeof path, "%s/sdcard/%s", adf.dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    fclose(f);
}

int adf_bench_make(void **state)
{
    char path[512];
    uint8_t data[ADF_DATA_LEN];
    size_t len;
    test_board_new();
    adf.dir = test_dir_new();
    snprintf(path, sizeof path, "%s/sdcard", adf.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(board()->dir, sizeof board()->dir, "%s", adf.dir);
    assert_int_equal(adf_sdcard_mount(), ESP_OK);
    for (uint32_t i = 0; i < sizeof data; i++) data[i] = adf_byte(i);
    adf_bench_put("data.bin", data, sizeof data);
    uint8_t *image = vector_file(&len, "%s", ADF_IMAGE);
    assert_int_equal(len, ADF_IMAGE_LEN);
    adf_bench_put("app.bin", image, len);
    free(image);
    return 0;
}

int adf_bench_remove(void **state)
{
    test_dir_remove(adf.dir);
    return 0;
}

int adf_bench_fresh(void **state)
{
    uint8_t old[TEST_STORAGE_SIZE];
    nvs_flash_deinit();
    test_board_new();
    assert_int_equal(nvs_flash_init(), ESP_OK);
    memset(old, 0x5a, sizeof old);
    test_board_fill(TEST_STORAGE, old, sizeof old);
    adf.options = ota_service_default_options();
    adf.sha256 = NULL;
    adf.while_running = NULL;
    return 0;
}

ota_service_err_reason_t adf_yes(void *handle, ota_node_attr_t *node)
{
    return OTA_SERV_ERR_REASON_SUCCESS;
}

ota_service_err_reason_t adf_no(void *handle, ota_node_attr_t *node)
{
    return OTA_SERV_ERR_REASON_UNKNOWN;
}

static ota_upgrade_ops_t entry(esp_partition_type_t type, const char *label, const char *uri,
                               void (*process)(ota_upgrade_ops_t *), adf_need *need)
{
    ota_upgrade_ops_t ops = {
        .node = {.type = type, .label = (char *)(uintptr_t)label, .uri = (char *)(uintptr_t)uri}};
    process(&ops);
    if (need) ops.need_upgrade = need;
    return ops;
}

ota_upgrade_ops_t adf_data(const char *label, const char *uri, adf_need *need)
{
    return entry(ESP_PARTITION_TYPE_DATA, label, uri, ota_data_get_default_proc, need);
}

ota_upgrade_ops_t adf_app(const char *label, const char *uri, adf_need *need)
{
    return entry(ESP_PARTITION_TYPE_APP, label, uri, ota_app_get_default_proc, need);
}

static esp_err_t note(periph_service_handle_t handle, periph_service_event_t *evt, void *ctx)
{
    struct adf_bench *b = ctx;
    const ota_result_t *r = evt->data;
    pthread_mutex_lock(&lock);
    if (b->events < 32)
        b->event[b->events++] = (struct adf_event){.type = evt->type,
                                                   .id = r ? r->id : -1,
                                                   .len = evt->len,
                                                   .source = evt->source,
                                                   .data = evt->data,
                                                   .result = r ? r->result : 0};
    b->finished += evt->type == OTA_SERV_EVENT_TYPE_FINISH;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return ESP_OK;
}

static void wait_for_finish(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&lock);
    int late = 0;
    while (!adf.finished && !late) late = pthread_cond_timedwait(&changed, &lock, &until);
    pthread_mutex_unlock(&lock);
    assert_false(late);
}

/* A child that is forked while the service's task holds a lock would wait for that for ever. */
static void wait_for_task(UBaseType_t tasks)
{
    enum { WAIT_US = 100, WAITS = 200000 };
    int waits = 0;
    while (uxTaskGetNumberOfTasks() > tasks && waits++ < WAITS) usleep(WAIT_US);
    assert_true(waits < WAITS);
}

void adf_run(ota_upgrade_ops_t *list, int len)
{
    UBaseType_t tasks = uxTaskGetNumberOfTasks();
    ota_service_config_t config = OTA_SERVICE_DEFAULT_CONFIG();
    config.evt_cb = note;
    config.cb_ctx = &adf;
    adf.events = adf.finished = 0;
    adf.service = ota_service_create(&config);
    assert_non_null(adf.service);
    assert_int_equal(ota_service_set_upgrade_param(adf.service, list, len), ESP_OK);
    assert_int_equal(ota_service_set_options(adf.service, &adf.options), ESP_OK);
    if (adf.sha256) ota_service_set_sha256(adf.service, 0, *adf.sha256);
    assert_int_equal(periph_service_start(adf.service), ESP_OK);
    if (adf.while_running) adf.while_running();
    wait_for_finish();
    assert_int_equal(periph_service_destroy(adf.service), ESP_OK);
    wait_for_task(tasks);
}

ota_service_err_reason_t adf_run_one(ota_upgrade_ops_t ops)
{
    adf_run(&ops, 1);
    assert_int_equal(adf.events, 2);
    assert_int_equal(adf.event[0].type, OTA_SERV_EVENT_TYPE_RESULT);
    return adf.event[0].result;
}

bool adf_storage_is_old(void)
{
    const uint8_t *p = board()->nor.bytes + TEST_STORAGE;
    uint32_t i = 0;
    while (i < TEST_STORAGE_SIZE && p[i] == 0x5a) i++;
    return i == TEST_STORAGE_SIZE;
}

bool adf_storage_is_new(void)
{
    const uint8_t *p = board()->nor.bytes + TEST_STORAGE;
    uint32_t i = 0;
    while (i < TEST_STORAGE_SIZE && p[i] == (i < ADF_DATA_LEN ? adf_byte(i) : 0xff)) i++;
    return i == TEST_STORAGE_SIZE;
}

bool adf_boots_new(void)
{
    const esp_partition_t *p = esp_ota_get_boot_partition();
    return p && p->address == TEST_OTA_0;
}
