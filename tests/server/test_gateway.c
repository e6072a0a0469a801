/* The Zigbee gateway in virtual time: joining, interviews, and a first upgrade. Schedules
 * are in test_gateway_upgrade.c. */
#include "tests/support/gateway_bench.h"

#include <string.h>

#define CODE  "83FED3407A939723A5C639B26916D505C3B5" /* with its CRC */
#define OTHER "83FED3407A939738C552"

static void devices_are_asked_who_they_are(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    struct bench_device *router =
        bench_add(b, &(struct bench_device_config){.router = true, .model = "plug", .version = 5});
    struct bench_device *sleepy = bench_add(
        b, &(struct bench_device_config){.sleepy = true, .manufacturer = 0x117a, .version = 9});
    bench_until_idle(b);
    assert_string_equal(bench_says(b, router, "role"), "router");
    assert_string_equal(bench_says(b, router, "model"), "plug");
    assert_string_equal(bench_says(b, router, "manufacturer"), "Bench");
    assert_string_equal(bench_says(b, router, "software_build"), "1.0");
    assert_string_equal(bench_says(b, router, "power"), "mains");
    assert_int_equal(bench_number(b, router, "file_version"), 5);
    assert_int_equal(bench_number(b, router, "image_type"), 0x1011);
    assert_int_equal(bench_number(b, router, "ota_endpoint"), 10);
    assert_string_equal(bench_says(b, sleepy, "role"), "sleepy end device");
    assert_string_equal(bench_says(b, sleepy, "power"), "battery");
    assert_int_equal(bench_number(b, sleepy, "manufacturer_code"), 0x117a);
    assert_int_equal(bench_events(b, "joined", router, NULL), 1);
    assert_int_equal(bench_events(b, "interview", sleepy, NULL), 1);
    bench_free(b);
}

static void a_device_gets_what_is_for_it(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    bench_add_image(b, "old", 0x131b, 0x1011, 2, 2000, NULL);
    bench_add_image(b, "new", 0x131b, 0x1011, 3, 2100, NULL);
    bench_add_image(b, "other", 0x131b, 0x2000, 9, 2200, NULL);
    struct bench_device *d = bench_add(b, &(struct bench_device_config){0});
    bench_until_idle(b);
    bench_has(b, d, "new");
    assert_int_equal(d->version, 3);
    assert_int_equal(d->finished, 1);
    assert_string_equal(bench_says(b, d, "upgrade"), "done");
    assert_int_equal(bench_number(b, d, "file_version"), 3);
    assert_int_equal(bench_events(b, "done", d, "\"confirmed\":true"), 1);
    assert_true(bench_events(b, "progress", d, NULL) > 0);
    bench_run(b, 120 * BENCH_MINUTE); /* its own queries come and go */
    assert_int_equal(d->finished, 1);
    bench_free(b);
}

static void a_new_file_is_noticed(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    struct bench_device *d = bench_add(b, &(struct bench_device_config){0});
    bench_until_idle(b);
    assert_int_equal(d->finished, 0);
    bench_add_image(b, "first", 0x131b, 0x1011, 2, 1000, NULL);
    bench_until_idle(b);
    bench_has(b, d, "first");
    bench_add_image(b, "second", 0x131b, 0x1011, 3, 1000, NULL);
    bench_until_idle(b);
    bench_has(b, d, "second");
    bench_free(b);
}

static void a_lossy_network_upgrades_too(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0.1);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 4000, NULL);
    struct bench_device *d[3] = {
        bench_add(b, &(struct bench_device_config){.router = true}),
        bench_add(b, &(struct bench_device_config){0}),
        bench_add(b, &(struct bench_device_config){.sleepy = true}),
    };
    bench_until_idle(b);
    bench_run(b, 40 * BENCH_MINUTE);
    bench_until_idle(b);
    for (int i = 0; i < 3; i++) {
        bench_has(b, d[i], "new");
        assert_string_equal(bench_says(b, d[i], "upgrade"), "done");
    }
    bench_free(b);
}

/* Killed again and again in the middle: everything goes on, no byte comes twice. */
static void a_killed_gateway_goes_on(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 8000, NULL);
    struct bench_device *d[2] = {
        bench_add(b, &(struct bench_device_config){.router = true}),
        bench_add(b, &(struct bench_device_config){.sleepy = true}),
    };
    for (int i = 0; i < 4; i++) {
        bench_run(b, 700000);
        bench_restart_gateway(b);
        bench_run(b, BENCH_SECOND);
        assert_int_equal(bench_events(b, "formed", NULL, "\"resumed\":true"), i + 1);
    }
    bench_until_idle(b);
    for (int i = 0; i < 2; i++) {
        bench_has(b, d[i], "new");
        assert_string_equal(bench_says(b, d[i], "upgrade"), "done");
        assert_int_equal(d[i]->finished, 1);
        assert_int_equal(bench_events(b, "joined", d[i], NULL), 1);
    }
    bench_free(b);
}

static bool has_ended(void *ctx)
{
    const struct bench_device *d = ctx;
    return d->ota.engine.state == AL_ZOTA_CLIENT_COUNT_DOWN;
}

/* Killed between the last byte and the restart of the device, it misses the announcement. */
static void a_missed_announcement_is_made_up_for(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 1000, NULL);
    struct bench_device *d = bench_add(b, &(struct bench_device_config){.router = true});
    bench_until(b, has_ended, d, "the order to upgrade");
    zb_sim_power_off(b->node);
    bench_run(b, 10 * BENCH_SECOND);
    assert_int_equal(d->finished, 1);
    bench_restart_gateway(b);
    assert_string_equal(bench_says(b, d, "upgrade"), "restarting");
    bench_run(b, 100 * BENCH_SECOND);
    assert_string_equal(bench_says(b, d, "upgrade"), "done");
    bench_free(b);
}

/* As after the backup of another program: the network is known, the devices are not. */
static void members_of_a_foreign_backup_are_asked(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    struct bench_device *d[2] = {
        bench_add(b, &(struct bench_device_config){.router = true, .model = "plug"}),
        bench_add(b, &(struct bench_device_config){.sleepy = true}),
    };
    bench_until_idle(b);
    const struct al_zb_store *s = b->node->config.store;
    for (uint16_t i = 0; i < BENCH_DEVICES; i++) s->save(s->ctx, (uint16_t)(0x5000 + i), NULL, 0);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 1000, NULL);
    bench_restart_gateway(b);
    bench_until_idle(b);
    assert_string_equal(bench_says(b, d[0], "model"), "plug");
    assert_string_equal(bench_says(b, d[1], "role"), "sleepy end device");
    bench_has(b, d[0], "new");
    bench_run(b, 40 * BENCH_MINUTE);
    bench_has(b, d[1], "new");
    bench_free(b);
}

/* Copies, the gateway's own address, no device's address, numbers out of range. */
static void strange_records_of_devices_do_no_harm(void **state)
{
    static const char *const records[] = {
        "{\"ext\":\"00:00:00:00:00:00:00:71\",\"addr\":4660,\"version\":1e300,\"upgrade\":99}",
        "{\"ext\":\"00:00:00:00:00:00:00:71\",\"addr\":4661}",
        "{\"ext\":\"00:00:00:00:00:00:00:72\",\"addr\":65535,\"ota\":1}",
        "{\"ext\":\"00:00:00:00:00:00:00:73\",\"addr\":-5,\"capability\":1e9}",
        "{\"ext\":5}",
        "[",
    };
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    const struct al_zb_store *s = b->node->config.store;
    for (uint16_t i = 0; i < sizeof records / sizeof *records; i++)
        assert_int_equal(s->save(s->ctx, (uint16_t)(0x5000 + i), records[i], strlen(records[i])),
                         0);
    bench_restart_gateway(b);
    bench_run(b, BENCH_SECOND);
    cJSON *answer = bench_command(b, true, "{\"command\":\"devices\"}");
    const cJSON *list = cJSON_GetObjectItem(answer, "devices");
    assert_int_equal(cJSON_GetArraySize(list), 3);
    for (int i = 0; i < 3; i++) {
        const cJSON *d = cJSON_GetArrayItem(list, i);
        assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(d, "away")), i > 0);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(d, "upgrade")), "none");
    }
    cJSON_Delete(answer);
    bench_free(b);
}

static void install_codes_decide_who_comes_in(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){.install_codes_only = true}, 0);
    struct bench_device *good =
        bench_add_outside(b, &(struct bench_device_config){.install_code = CODE});
    struct bench_device *wrong =
        bench_add_outside(b, &(struct bench_device_config){.install_code = OTHER});
    struct bench_device *none = bench_add_outside(b, &(struct bench_device_config){0});
    bench_order(b, "{\"command\":\"install-code\",\"device\":\"%016llx\",\"code\":\"" CODE "\"}",
                (unsigned long long)good->sim->config.ext);
    bench_order(b, "{\"command\":\"install-code\",\"device\":\"%016llx\",\"code\":\"" CODE "\"}",
                (unsigned long long)wrong->sim->config.ext);
    cJSON_Delete(bench_command(
        b, false,
        "{\"command\":\"install-code\",\"device\":\"%016llx\",\"code\":\"83FED3407A939723A5C7\"}",
        (unsigned long long)good->sim->config.ext));
    assert_int_equal(bench_steer(good), AL_ZB_OK);
    assert_int_not_equal(bench_steer(wrong), AL_ZB_OK);
    assert_int_not_equal(bench_steer(none), AL_ZB_OK);
    bench_until_idle(b);
    assert_int_equal(bench_events(b, "joined", good, NULL), 1);
    assert_int_equal(bench_events(b, "joined", wrong, NULL), 0);
    assert_int_equal(bench_events(b, "joined", none, NULL), 0);
    assert_true(bench_events(b, "refused", none, NULL) > 0);
    bench_free(b);
}

static void a_closed_network_stays_closed(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    bench_order(b, "{\"command\":\"permit\",\"seconds\":0}");
    struct bench_device *d = bench_add_outside(b, &(struct bench_device_config){0});
    assert_int_not_equal(bench_steer(d), AL_ZB_OK);
    /* Longer than a network opens in one go. */
    bench_order(b, "{\"command\":\"permit\",\"seconds\":900}");
    bench_run(b, 800 * BENCH_SECOND);
    assert_int_equal(bench_steer(d), AL_ZB_OK);
    bench_run(b, 400 * BENCH_SECOND);
    struct bench_device *late = bench_add_outside(b, &(struct bench_device_config){0});
    assert_int_not_equal(bench_steer(late), AL_ZB_OK);
    bench_free(b);
}

static void a_removed_device_is_forgotten(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    struct bench_device *d = bench_add(b, &(struct bench_device_config){0});
    bench_until_idle(b);
    bench_order(b, "{\"command\":\"remove\",\"device\":\"%016llx\"}",
                (unsigned long long)d->sim->config.ext);
    bench_run(b, 5 * BENCH_SECOND);
    assert_false(al_bdb_is_member(&d->sim->zb.node.bdb));
    cJSON *answer = bench_command(b, true, "{\"command\":\"devices\"}");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(answer, "devices")), 0);
    cJSON_Delete(answer);
    bench_restart_gateway(b);
    answer = bench_command(b, true, "{\"command\":\"devices\"}");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(answer, "devices")), 0);
    cJSON_Delete(answer);
    bench_free(b);
}

static void the_network_key_changes_under_way(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 8000, NULL);
    struct bench_device *d = bench_add(b, &(struct bench_device_config){.router = true});
    bench_run(b, BENCH_SECOND);
    bench_order(b, "{\"command\":\"change-key\"}");
    bench_until_idle(b);
    bench_run(b, 60 * BENCH_SECOND);
    bench_has(b, d, "new");
    cJSON *answer = bench_command(b, true, "{\"command\":\"status\"}");
    const cJSON *network = cJSON_GetObjectItem(answer, "network");
    assert_int_equal(cJSON_GetObjectItem(network, "key_sequence")->valueint, 1);
    cJSON_Delete(answer);
    bench_free(b);
}

static void wrong_commands_are_refused_in_words(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    static const char *const wrong[][2] = {
        {"{}", "\"command\""},
        {"{\"command\":\"dance\"}", "dance"},
        {"{\"command\":\"permit\"}", "seconds"},
        {"{\"command\":\"permit\",\"seconds\":-1}", "seconds"},
        {"{\"command\":\"upgrade\",\"device\":\"x\"}", "EUI-64"},
        {"{\"command\":\"abort\",\"device\":\"00:00:00:00:00:00:00:77\"}", "no device"},
        {"{\"command\":\"upgrade\",\"file\":\"nothing\"}", "no file"},
        {"{\"command\":\"parallel\",\"value\":0}", "from 1 to"},
        {"{\"command\":\"abort\",\"devise\":\"00:00:00:00:00:00:00:77\"}", "devise"},
        {"{\"command\":\"status\",\"seconds\":1}", "seconds"},
        {"{\"command\":\"upgrade\",\"force\":\"yes\"}", "true or false"},
        {"{\"command\":\"install-code\",\"device\":\"0000000000000077\"}", "code"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cJSON *answer = bench_command(b, false, "%s", wrong[i][0]);
        const char *error = cJSON_GetStringValue(cJSON_GetObjectItem(answer, "error"));
        if (!strstr(error, wrong[i][1])) fail_msg("%s: %s", wrong[i][0], error);
        cJSON_Delete(answer);
    }
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_are_asked_who_they_are),
        cmocka_unit_test(a_device_gets_what_is_for_it),
        cmocka_unit_test(a_new_file_is_noticed),
        cmocka_unit_test(a_lossy_network_upgrades_too),
        cmocka_unit_test(a_killed_gateway_goes_on),
        cmocka_unit_test(a_missed_announcement_is_made_up_for),
        cmocka_unit_test(members_of_a_foreign_backup_are_asked),
        cmocka_unit_test(strange_records_of_devices_do_no_harm),
        cmocka_unit_test(install_codes_decide_who_comes_in),
        cmocka_unit_test(a_closed_network_stays_closed),
        cmocka_unit_test(a_removed_device_is_forgotten),
        cmocka_unit_test(the_network_key_changes_under_way),
        cmocka_unit_test(wrong_commands_are_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
