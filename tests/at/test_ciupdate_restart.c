/* Upgrades that end with a restart, and power cuts: each in a forked process with the device,
 * whose AT port writes into a file that stays. */
#include "at/at.h"

#include "at/at_port.h"
#include "device/control.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/part_update.h"
#include "esp_ota_ops.h"
#include "nvs_flash.h"
#include "tests/support/cloud_board.h"
#include "tests/support/http_peer.h"
#include "tests/support/ota_files.h"
#include "tests/support/script_server.h"
#include "tests/support/test_board.h"
#include "tests/support/vectors.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define OK     "\r\nOK\r\n"
#define ERROR  "\r\nERROR\r\n"
#define PROMPT "\r\nOK\r\n\r\n>"
#define S(n)   "+CIPUPDATE:" #n "\r\n"

static char allow_http[2] = "y";
const struct airlift_config_entry airlift_config[] = {
    {"AT_OTA_SSL_SUPPORT", "y"},
    {"AT_OTA_SUPPORT", "y"},
    {"BOOTLOADER_APP_ROLLBACK_ENABLE", "y"},
    {"ESP_HTTPS_OTA_ALLOW_HTTP", allow_http},
    {NULL, NULL},
};

static const struct at_command *const groups[] = {at_ciupdate_commands, at_user_ota_commands,
                                                  at_air_update_commands, NULL};
static struct script_server *cloud;
static struct http_peer files_http, files_https;
static struct ota_files files;
static char *certs;
static int transcript; /* memfd */

/* ---- a device with a port, in a child ---- */

struct talk {
    const char *command; /* without CR LF */
    const void *data;    /* behind the prompt; NULL: none */
    size_t len;          /* of data */
    const char *end;     /* this in the output ends it; or the device restarts before */
    uint64_t cut;        /* power cut at the nth flash operation; 0: none */
};

static int input[2];

static size_t port_read(struct at_port *p, void *buf, size_t len)
{
    ssize_t n = read(input[0], buf, len);
    return n > 0 ? (size_t)n : 0;
}

static void port_write(struct at_port *p, const void *data, size_t len)
{
    while (len) {
        ssize_t n = write(transcript, data, len);
        if (n <= 0) _exit(3);
        data = (const char *)data + n;
        len -= (size_t)n;
    }
}

static char *said(void)
{
    static char text[65536];
    ssize_t n = pread(transcript, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = 0;
    return text;
}

static void wait_for(const char *text)
{
    for (int i = 0; i < 9000 && !strstr(said(), text); i++) usleep(1000);
}

static void send_bytes(const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(input[1], data, len);
        if (n <= 0) _exit(3);
        data += n;
        len -= (size_t)n;
    }
}

static void send_text(const char *text)
{
    send_bytes(text, strlen(text));
}

static void run_device(void *arg)
{
    static struct at_port port = {.read = port_read, .write = port_write};
    const struct talk *t = arg;
    if (pipe(input)) _exit(3);
    at_engine_start(&(struct at_engine_config){.groups = groups, .terminator = -1});
    at_engine_add(&port);
    if (t->cut) nor_flash_cut_at(&board()->nor, t->cut);
    send_text(t->command);
    send_text("\r\n");
    if (t->data) {
        wait_for(">");
        send_bytes(t->data, t->len);
    }
    wait_for(t->end);
    usleep(t->cut ? 0 : 100000); /* it should not restart behind an ERROR */
}

/* Gives the reset reason, 0: it did not restart. */
static uint32_t talk(struct talk t)
{
    char *log = NULL;
    assert_int_equal(ftruncate(transcript, 0), 0);
    lseek(transcript, 0, SEEK_SET);
    if (!t.end) t.end = "nothing ends it but the restart";
    uint32_t reason = test_board_fork(run_device, &t, &log);
    free(log);
    return reason;
}

static void assert_said(const char *command, const char *answer)
{
    char text[9000];
    snprintf(text, sizeof text, "%s\r\n%s", command, answer);
    assert_string_equal(said(), text);
}

/* ---- servers ---- */

static int make_servers(void **state)
{
    static const struct test_cert wanted[] = {
        {.name = "ca"},
        {.name = "good", .san = "IP:127.0.0.1", .issuer = "ca"},
    };
    char pem[300], key[300];
    transcript = memfd_create("transcript", MFD_CLOEXEC);
    certs = test_dir_new();
    for (size_t i = 0; i < 2; i++) test_cert_make(certs, &wanted[i]);
    ota_files_make(&files);
    ota_files_add(&files, "flipped.bin", OTA_IMAGE_LEN, 40000, files.image[40000] ^ 1);
    snprintf(pem, sizeof pem, "%s/good.pem", certs);
    snprintf(key, sizeof key, "%s/good.key", certs);
    http_peer_start(&files_http, (const char *[]){"--root", files.root, NULL});
    http_peer_start(&files_https, (const char *[]){"--root", files.root, "--tls", pem, key, NULL});
    cloud = script_server_start(NULL, NULL);
    return 0;
}

static int stop_servers(void **state)
{
    script_server_stop(cloud);
    script_answers_free();
    http_peer_stop(&files_http);
    http_peer_stop(&files_https);
    ota_files_remove(&files);
    test_dir_remove(certs);
    close(transcript);
    return 0;
}

static int fresh_device(void **state)
{
    strcpy(allow_http, "y");
    cloud_board_new();
    cloud_board_connect("connect_to", script_server_port(cloud));
    return 0;
}

/* ---- which slot boots, asked of a fresh process ---- */

static void print_boot(void *arg)
{
    printf("boots=%s\n", esp_ota_get_boot_partition()->label);
}

static void assert_boots(const char *label)
{
    char want[32], *out = NULL;
    test_board_fork(print_boot, NULL, &out);
    snprintf(want, sizeof want, "boots=%s\n", label);
    if (!strstr(out, want)) fail_msg("expected %s in: %s", want, out);
    free(out);
}

/* ---- AT+CIUPDATE ---- */

static void firmware_from_the_cloud_restarts_into_it(void **state)
{
    struct script_answer query = script_vector("at-adf/resp_query_ok.http"),
                         compact = script_vector("at-adf/resp_query_compact.http"),
                         whole = script_file(files.image, OTA_IMAGE_LEN), split = whole,
                         lower =
                             script_made("content-length: 65616\r\n", files.image, OTA_IMAGE_LEN);
    split.split = 70; /* inside the head */
    const struct {
        struct script_answer query, file;
    } cases[] = {{query, whole}, {compact, split}, {query, lower}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fresh_device(NULL);
        SCRIPT_PLAY(cloud, cases[i].query, cases[i].file);
        assert_int_equal(talk((struct talk){.command = "AT+CIUPDATE"}), RESET_SW);
        assert_said("AT+CIUPDATE", S(1) S(2) S(3) S(4) OK);
        ota_files_assert_slot(&files, TEST_OTA_0, OTA_IMAGE_LEN);
        assert_boots("ota_0");
    }
}

static void without_blocking_nothing_restarts(void **state)
{
    SCRIPT_PLAY(cloud, script_file(files.image, OTA_IMAGE_LEN));
    struct talk t = {.command = "AT+CIUPDATE=0,\"v1\",\"ota\",1", .end = S(4)};
    assert_int_equal(talk(t), 0);
    assert_boots("ota_0");
}

static void restart_now(void *arg)
{
    nvs_flash_deinit_partition("mfg_nvs");
    nvs_flash_deinit();
    if (nvs_flash_init() != ESP_OK) printf("nvs broken\n");
    idf_change_recover();
    printf("recovered\n");
}

/* Whatever instant the power goes: the old content, or the new one. t ends with OK. */
static void cut_partition_update(struct talk t)
{
    uint8_t old[CLOUD_PART_SIZE], new[CLOUD_PART_SIZE];
    size_t len;
    uint8_t *file = vector_file(&len, "at-adf/mqtt_ca.bin");
    memset(old, 0x5a, sizeof old);
    memset(new, 0xff, sizeof new);
    memcpy(new, file, len);
    free(file);
    unsigned points = 0, kept = 0;
    for (bool whole = false; !whole; points++) {
        fresh_device(NULL);
        SCRIPT_PLAY(cloud, script_vector("at-adf/resp_download_mqtt_ca.http"));
        assert_true(points < 200);
        t.cut = points + 1;
        talk(t);
        whole = !board()->control->power.off;
        bool said_ok = strstr(said(), t.end) != NULL;
        nor_flash_power_on(&board()->nor);
        char *out = NULL;
        test_board_fork(restart_now, NULL, &out);
        if (!strstr(out, "recovered")) fail_msg("point %u: %s", points, out);
        free(out);
        const uint8_t *now = board()->nor.bytes + CLOUD_MQTT_CA;
        bool is_new = memcmp(now, new, sizeof new) == 0;
        if (!is_new && memcmp(now, old, sizeof old) != 0) fail_msg("point %u: half", points);
        if (said_ok && !is_new) fail_msg("point %u: it said OK", points);
        kept += !is_new;
    }
    print_message("%u points, %u times the old content\n", points, kept);
    assert_true(points > 5 && kept > 0 && kept < points);
}

static void power_cut_leaves_the_old_or_the_new_partition(void **state)
{
    cut_partition_update(
        (struct talk){.command = "AT+CIUPDATE=0,\"v1\",\"mqtt_ca\"", .end = S(4) OK});
}

static void power_cut_of_an_upload_leaves_the_old_or_the_new_partition(void **state)
{
    size_t len;
    uint8_t *file = vector_file(&len, "at-adf/mqtt_ca.bin");
    cut_partition_update((struct talk){.command = "AT+AIRUPDATE=132,,\"mqtt_ca\"",
                                       .data = file,
                                       .len = len,
                                       .end = "\r\nRecv 132 bytes\r\n" OK});
    free(file);
}

/* At every 37th operation: otadata is switched in the last ones, which all are tried. t.end
 * NULL: it ends with a restart. */
static void cut_firmware_update(struct talk t)
{
    struct script_answer file = script_file(files.image, OTA_IMAGE_LEN);
    uint32_t all = 0;
    for (uint32_t cut = 0; cut <= all; cut += cut + 37 < all - 6 ? 37 : 1) {
        char *out = NULL;
        fresh_device(NULL);
        uint64_t before = board()->control->power.ops;
        SCRIPT_PLAY(cloud, file);
        t.cut = cut;
        uint32_t reason = talk(t);
        if (cut == 0) all = (uint32_t)(board()->control->power.ops - before);
        assert_int_equal(reason, cut || t.end ? 0 : RESET_SW);
        nor_flash_power_on(&board()->nor);
        test_board_fork(print_boot, NULL, &out);
        bool is_new = strstr(out, "boots=ota_0\n") != NULL;
        if (!is_new && !strstr(out, "boots=factory\n")) fail_msg("cut %u: %s", cut, out);
        free(out);
        if (is_new) ota_files_assert_slot(&files, TEST_OTA_0, OTA_IMAGE_LEN);
        if (cut == 0) assert_true(is_new && all > 200);
        if (cut && cut + 10 < all) assert_false(is_new);
    }
}

static void power_cut_leaves_a_firmware_that_boots(void **state)
{
    cut_firmware_update((struct talk){.command = "AT+CIUPDATE=0,\"v1\""});
}

static void power_cut_of_an_upload_leaves_a_firmware_that_boots(void **state)
{
    char command[40];
    snprintf(command, sizeof command, "AT+AIRUPDATE=%u,,\"\"", (unsigned)OTA_IMAGE_LEN);
    cut_firmware_update((struct talk){
        .command = command, .data = files.image, .len = OTA_IMAGE_LEN, .end = " bytes\r\n" OK});
}

/* ---- AT+USEROTA ---- */

static char user_command[40];

static uint32_t user_ota(const char *url)
{
    snprintf(user_command, sizeof user_command, "AT+USEROTA=%zu", strlen(url));
    return talk(
        (struct talk){.command = user_command, .data = url, .len = strlen(url), .end = ERROR});
}

static void assert_user_said(const char *url, const char *end)
{
    char answer[300];
    snprintf(answer, sizeof answer, PROMPT "\r\nRecv %zu bytes\r\n%s", strlen(url), end);
    assert_said(user_command, answer);
}

static void firmware_from_a_url_restarts_into_it(void **state)
{
    char url[300], *ca = test_file_text(certs, "ca.pem");
    snprintf(url, sizeof url, "%s", http_peer_url(&files_http, "/to?" OTA_IMAGE));
    assert_int_equal(user_ota(url), RESET_SW);
    assert_user_said(url, OK);
    assert_boots("ota_0");
    fresh_device(NULL);
    cloud_board_set("ca", ca);
    free(ca);
    snprintf(url, sizeof url, "%s", http_peer_url(&files_https, OTA_IMAGE "?chunked"));
    assert_int_equal(user_ota(url), RESET_SW);
    assert_user_said(url, OK);
    ota_files_assert_slot(&files, TEST_OTA_0, OTA_IMAGE_LEN);
    assert_boots("ota_0");
}

static void long_signed_url_is_taken(void **state)
{
    static char url[8193];
    memset(url, 'x', sizeof url - 1);
    int n = snprintf(url, sizeof url, "%s", http_peer_url(&files_http, OTA_IMAGE "?signature="));
    url[n] = 'x';
    assert_int_equal(user_ota(url), RESET_SW);
    assert_user_said(url, OK);
}

static void user_upgrade_that_fails_keeps_the_old_firmware(void **state)
{
    char urls[6][300];
    snprintf(urls[0], 300, "%s", http_peer_url(&files_http, "/status/404"));
    snprintf(urls[1], 300, "%s", http_peer_url(&files_http, "/file/flipped.bin"));
    snprintf(urls[2], 300, "%s", http_peer_url(&files_http, OTA_IMAGE "?cut=30000"));
    snprintf(urls[3], 300, "%s", http_peer_url(&files_https, OTA_IMAGE)); /* not trusted */
    snprintf(urls[4], 300, "http://127.0.0.1:%d/x", http_peer_free_port());
    snprintf(urls[5], 300, "gopher://x");
    for (size_t i = 0; i < 6; i++) {
        fresh_device(NULL);
        assert_int_equal(user_ota(urls[i]), 0);
        assert_user_said(urls[i], ERROR);
        assert_boots("factory");
    }
}

static void plain_http_can_be_forbidden(void **state)
{
    char url[300];
    strcpy(allow_http, "n");
    snprintf(url, sizeof url, "%s", http_peer_url(&files_http, OTA_IMAGE));
    assert_int_equal(user_ota(url), 0);
    assert_user_said(url, ERROR);
    assert_boots("factory");
}

static void user_upgrade_refuses_wrong_lengths(void **state)
{
    static const char *const commands[] = {
        "AT+USEROTA=0", "AT+USEROTA=8193",  "AT+USEROTA=",    "AT+USEROTA",   "AT+USEROTA?",
        "AT+USEROTA=?", "AT+USEROTA=\"x\"", "AT+USEROTA=5,5", "AT+USEROTA=-1"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        talk((struct talk){.command = commands[i], .end = ERROR});
        assert_said(commands[i], ERROR);
    }
}

static void bytes_behind_the_url_are_dropped(void **state)
{
    struct talk t = {
        .command = "AT+USEROTA=8", .data = "http://xAT+GMR\r\n", .len = 16, .end = ERROR};
    talk(t);
    char *rest = strstr(said(), "\r\nRecv 8 bytes\r\n");
    assert_non_null(rest);
    assert_string_equal(rest, "\r\nRecv 8 bytes\r\n\r\nbusy p...\r\n" ERROR);
}

#define DEVICE_TEST(f) cmocka_unit_test_setup(f, fresh_device)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DEVICE_TEST(firmware_from_the_cloud_restarts_into_it),
        DEVICE_TEST(without_blocking_nothing_restarts),
        DEVICE_TEST(power_cut_leaves_the_old_or_the_new_partition),
        DEVICE_TEST(power_cut_of_an_upload_leaves_the_old_or_the_new_partition),
        DEVICE_TEST(power_cut_leaves_a_firmware_that_boots),
        DEVICE_TEST(power_cut_of_an_upload_leaves_a_firmware_that_boots),
        DEVICE_TEST(firmware_from_a_url_restarts_into_it),
        DEVICE_TEST(long_signed_url_is_taken),
        DEVICE_TEST(user_upgrade_that_fails_keeps_the_old_firmware),
        DEVICE_TEST(plain_http_can_be_forbidden),
        DEVICE_TEST(user_upgrade_refuses_wrong_lengths),
        DEVICE_TEST(bytes_behind_the_url_are_dropped),
    };
    return cmocka_run_group_tests(tests, make_servers, stop_servers);
}
