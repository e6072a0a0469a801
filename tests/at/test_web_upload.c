/* Uploads: what is refused when, one at a time, slow ones, and power cuts at every flash
 * operation, each followed by a second try. */
#include "at/web_upload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/app_image.h"
#include "device/nor_flash.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/part_update.h"
#include "esp_ota_ops.h"
#include "tests/support/cloud_board.h"
#include "tests/support/test_board.h"
#include "tests/support/vectors.h"

const struct airlift_config_entry airlift_config[] = {{"BOOTLOADER_APP_ROLLBACK_ENABLE", "y"},
                                                      {NULL, NULL}};

#define PIECE 4000u

static int told[64], told_count;
static uint8_t *image, *certificates;
static size_t image_len, certificates_len;
static char why[WEB_WHY];

static void tell(int n)
{
    told[told_count++ % 64] = n;
}

static int load(void **state)
{
    image = vector_file(&image_len, "esp-flash/image/app_c3_v2.bin");
    certificates = vector_file(&certificates_len, "at-adf/mqtt_ca.bin");
    return 0;
}

static int unload(void **state)
{
    free(image);
    free(certificates);
    return 0;
}

static int setup(void **state)
{
    cloud_board_new();
    told_count = 0;
    return 0;
}

static struct web_upload *begin(const char *object, size_t len, int64_t now)
{
    struct web_upload *u = NULL;
    assert_int_equal(web_upload_begin(object, (int64_t)len, now, tell, &u, why), WEB_UPLOAD_OK);
    return u;
}

/* The whole of it in pieces; what end says. */
static bool send_all(const char *object, const uint8_t *data, size_t len)
{
    struct web_upload *u = NULL;
    if (web_upload_begin(object, (int64_t)len, 0, tell, &u, why) != WEB_UPLOAD_OK) return false;
    bool ok = true;
    for (size_t at = 0; ok && at < len; at += PIECE)
        ok = web_upload_write(u, data + at, len - at < PIECE ? len - at : PIECE, 0);
    ok = ok && web_upload_end(u);
    snprintf(why, sizeof why, "%s", web_upload_why(u));
    web_upload_free(u);
    return ok;
}

static void told_is(int first, int second)
{
    assert_int_equal(told_count, second ? 2 : 1);
    assert_int_equal(told[0], first);
    if (second) assert_int_equal(told[1], second);
    told_count = 0;
}

static bool flash_is(uint32_t address, const void *data, size_t len)
{
    return memcmp(board()->nor.bytes + address, data, len) == 0;
}

static void an_app_is_written_verified_and_chosen(void **state)
{
    assert_true(send_all("ota", image, image_len));
    told_is(3, 0);
    assert_true(flash_is(TEST_OTA_0, image, image_len));
    assert_string_equal(esp_ota_get_boot_partition()->label, "ota_0");
}

static void a_user_partition_is_replaced_as_a_whole(void **state)
{
    uint8_t ones[CLOUD_PART_SIZE];
    memset(ones, 0xff, sizeof ones);
    assert_true(send_all("mqtt_ca", certificates, certificates_len));
    assert_true(flash_is(CLOUD_MQTT_CA, certificates, certificates_len));
    assert_true(flash_is(CLOUD_MQTT_CA + (uint32_t)certificates_len, ones,
                         CLOUD_PART_SIZE - certificates_len));
    assert_true(send_all("user_blob", (const uint8_t *)"any", 3));
    assert_true(flash_is(CLOUD_USER_BLOB, "any", 3));
}

/* Nothing on the flash has changed, and nothing is open. */
static void refused(const char *object, const uint8_t *data, size_t len, const char *reason)
{
    uint64_t ops = board()->control->power.ops;
    assert_false(send_all(object, data, len));
    if (!strstr(why, reason)) fail_msg("\"%s\" is not in \"%s\"", reason, why);
    assert_int_equal(board()->control->power.ops, ops);
    told_is(3, 5);
    assert_false(web_upload_busy());
}

static void what_does_not_fit_is_refused_before_anything_is_erased(void **state)
{
    uint8_t *other = malloc(image_len);
    assert_non_null(other);
    memcpy(other, image, image_len);
    other[12] = 13;
    refused("ota", other, image_len, "this image is for ESP32-C6; this device is an ESP32-C3");
    other[12] = 0xee;
    refused("ota", other, image_len, "an unknown chip");
    other[12] = image[12];
    other[15] = 0xff;
    other[16] = 0xfe;
    refused("ota", other, image_len, "does not fit this device");
    other[0] = 'E', other[1] = 'S', other[2] = 'P';
    refused("ota", other, image_len, "compressed");
    other[0] = 0;
    refused("ota", other, image_len, "magic byte");
    refused("ota", image, 288, "too short");
    refused("ota", image, 0, "too short");
    refused("mqtt_ca", image, 100, "magic byte");
    refused("mqtt_ca", certificates, 1, "too short");
    refused("mqtt_ca", certificates, 0, "too short");
    refused("nothing", image, 10, "nothing");
    refused("otax", image, image_len, "ota");
    free(other);
}

static void a_length_beyond_the_target_is_refused_at_once(void **state)
{
    struct web_upload *u;
    assert_int_equal(web_upload_begin("ota", 0x100001, 0, tell, &u, why), WEB_UPLOAD_FAILED);
    assert_non_null(strstr(why, "has room for"));
    told_is(3, 5);
    assert_int_equal(web_upload_begin("mqtt_ca", CLOUD_PART_SIZE + 1, 0, tell, &u, why),
                     WEB_UPLOAD_FAILED);
    told_is(3, 5);
}

static void an_image_that_does_not_verify_is_not_chosen(void **state)
{
    image[image_len / 2] ^= 1;
    assert_false(send_all("ota", image, image_len));
    image[image_len / 2] ^= 1;
    assert_non_null(strstr(why, "damaged"));
    told_is(3, 5);
    assert_string_equal(esp_ota_get_boot_partition()->label, "factory");
    assert_true(send_all("ota", image, image_len));
}

static void one_at_a_time_and_an_end_frees_the_place(void **state)
{
    struct web_upload *second = NULL, *first = begin("ota", image_len, 0);
    assert_true(web_upload_write(first, image, 1000, 10));
    assert_true(web_upload_writes(TEST_OTA_0));
    assert_false(web_upload_writes(TEST_OTA_1));
    assert_int_equal(web_upload_begin("mqtt_ca", 100, 20, tell, &second, why), WEB_UPLOAD_BUSY);
    told_is(3, 0);
    web_upload_free(first); /* the connection was cut */
    told_is(5, 0);
    assert_true(send_all("ota", image, image_len));
}

static void more_or_fewer_bytes_than_announced_are_an_error(void **state)
{
    struct web_upload *u = begin("ota", image_len, 0);
    assert_true(web_upload_write(u, image, image_len, 0));
    assert_false(web_upload_write(u, "x", 1, 0));
    web_upload_free(u);
    told_is(3, 5);
    u = begin("ota", image_len, 0);
    assert_true(web_upload_write(u, image, image_len - 1, 0));
    assert_false(web_upload_end(u));
    assert_non_null(strstr(web_upload_why(u), "ended after 65615 of 65616 bytes"));
    web_upload_free(u);
    told_is(3, 5);
}

static void a_silent_upload_gives_way_to_the_next(void **state)
{
    struct web_upload *next = NULL, *silent = begin("ota", image_len, 0);
    assert_true(web_upload_write(silent, image, 2000, 100));
    assert_int_equal(web_upload_begin("ota", (int64_t)image_len, 100 + WEB_UPLOAD_SILENT_MS - 1,
                                      tell, &next, why),
                     WEB_UPLOAD_BUSY);
    told_count = 0;
    next = begin("ota", image_len, 100 + WEB_UPLOAD_SILENT_MS);
    assert_int_equal(told[0], 5); /* of the first, then the next begins */
    assert_int_equal(told[1], 3);
    assert_false(web_upload_write(silent, image + 2000, 1000, 9000));
    assert_true(web_upload_write(next, image, image_len, 9000));
    web_upload_free(silent); /* does not touch the one that goes on */
    assert_true(web_upload_end(next));
    web_upload_free(next);
    assert_true(flash_is(TEST_OTA_0, image, image_len));
}

static void one_that_drips_is_given_up(void **state)
{
    struct web_upload *u = begin("ota", image_len, 0);
    int64_t now = 0;
    bool ok = true;
    for (size_t at = 0; ok && at < 1000; at++) ok = web_upload_write(u, image + at, 1, now += 1000);
    assert_false(ok);
    assert_int_equal(now, WEB_UPLOAD_WINDOW_MS);
    assert_non_null(strstr(web_upload_why(u), "too slowly"));
    assert_false(web_upload_busy());
    web_upload_free(u);
}

/* --- power cuts --- */

struct cut {
    const char *object;
    const uint8_t *data;
    size_t len;
    uint64_t nth, seed;
};

/* In a child: the power goes away in it, which ends the process. */
static void upload_until_cut(void *arg)
{
    const struct cut *c = arg;
    board()->control->power.seed = c->seed;
    nor_flash_cut_at(&board()->nor, c->nth);
    if (send_all(c->object, c->data, c->len)) puts("done");
}

/* In a child: the next start. */
static void start_again(void *arg)
{
    const struct cut *c = arg;
    static uint8_t ones[CLOUD_PART_SIZE];
    memset(ones, 0xff, sizeof ones);
    idf_change_recover();
    if (strcmp(c->object, "ota") == 0) {
        const esp_partition_t *boot = esp_ota_get_boot_partition();
        bool new = strcmp(boot->label, "ota_0") == 0;
        if (new && !flash_is(TEST_OTA_0, c->data, c->len)) puts("half is chosen");
        puts(new ? "new" : "old");
    } else {
        const uint8_t *now = board()->nor.bytes + CLOUD_MQTT_CA;
        bool new = memcmp(now, c->data, c->len) == 0 &&
                   memcmp(now + c->len, ones, CLOUD_PART_SIZE - c->len) == 0;
        memset(ones, 0x5a, sizeof ones);
        puts(new ? "new" : memcmp(now, ones, sizeof ones) == 0 ? "old" : "half");
    }
    if (!send_all(c->object, c->data, c->len)) printf("the second try failed: %s\n", why);
    uint32_t at = strcmp(c->object, "ota") == 0 ? TEST_OTA_0 : CLOUD_MQTT_CA;
    if (!flash_is(at, c->data, c->len)) puts("the second try is wrong");
}

/* Cuts at every operation; counts those that left the new content. */
static unsigned cut_everywhere(struct cut c)
{
    unsigned points = 0, fresh = 0;
    bool ended = false;
    for (c.nth = 1; !ended; c.nth++) {
        char *said;
        c.seed = c.nth * 7919;
        cloud_board_new();
        test_board_fork(upload_until_cut, &c, &said);
        ended = strstr(said, "done");
        free(said);
        nor_flash_power_on(&board()->nor);
        test_board_fork(start_again, &c, &said);
        bool old = strstr(said, "old\n"), new = strstr(said, "new\n");
        bool bad = strstr(said, "half") || strstr(said, "second try") || old == new;
        if (bad || (ended && !new)) fail_msg("operation %llu: %s", (unsigned long long)c.nth, said);
        free(said);
        points++;
        fresh += new;
    }
    printf("power: upload of %s: %u points, 0 bricked\n", c.object, points - 1);
    return fresh;
}

static void a_power_cut_in_a_firmware_leaves_the_old_and_a_second_try_is_right(void **state)
{
    struct cut c = {.object = "ota", .data = image, .len = image_len};
    assert_true(cut_everywhere(c) >= 1);
}

static void a_power_cut_in_a_user_partition_leaves_old_or_new(void **state)
{
    struct cut c = {.object = "mqtt_ca", .data = certificates, .len = certificates_len};
    assert_true(cut_everywhere(c) >= 1);
}

int main(void)
{
    const struct CMUnitTest cuts[] = {
        cmocka_unit_test(a_power_cut_in_a_firmware_leaves_the_old_and_a_second_try_is_right),
        cmocka_unit_test(a_power_cut_in_a_user_partition_leaves_old_or_new),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_app_is_written_verified_and_chosen, setup),
        cmocka_unit_test_setup(a_user_partition_is_replaced_as_a_whole, setup),
        cmocka_unit_test_setup(what_does_not_fit_is_refused_before_anything_is_erased, setup),
        cmocka_unit_test_setup(a_length_beyond_the_target_is_refused_at_once, setup),
        cmocka_unit_test_setup(an_image_that_does_not_verify_is_not_chosen, setup),
        cmocka_unit_test_setup(one_at_a_time_and_an_end_frees_the_place, setup),
        cmocka_unit_test_setup(more_or_fewer_bytes_than_announced_are_an_error, setup),
        cmocka_unit_test_setup(a_silent_upload_gives_way_to_the_next, setup),
        cmocka_unit_test_setup(one_that_drips_is_given_up, setup),
    };
    /* The children of the cuts start as a chip does: first, while nothing was read yet. */
    int bad = cmocka_run_group_tests(cuts, load, unload);
    return cmocka_run_group_tests(tests, load, unload) + bad;
}
