/* The gateway's schedule: whose turn it is, when not, and what came of an upgrade. */
#include "tests/support/gateway_bench.h"

#include <string.h>

static unsigned long long eui(const struct bench_device *d)
{
    return d->sim->config.ext;
}

static void so_many_at_a_time(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){.parallel = 2}, 0);
    struct bench_device *d[6];
    for (int i = 0; i < 6; i++) d[i] = bench_add(b, &(struct bench_device_config){0});
    bench_until_idle(b);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 6000, NULL);
    bench_until_idle(b);
    for (int i = 0; i < 6; i++) bench_has(b, d[i], "new");
    assert_int_equal(b->most_at_once, 2);
    for (int i = 0; i < 6; i++) /* nobody was told to come and then to wait */
        assert_int_equal(bench_events(b, "query", d[i], "offered"), 1);
    bench_free(b);
}

/* Lossy air, a third each of routers, end devices and sleepy ones. */
static void a_house_full_of_devices(void **state)
{
    enum { HOUSE = 48 };
    struct bench *b = bench_new(&(struct gateway_config){.parallel = 6}, 0.02);
    struct bench_device *d[HOUSE];
    for (int i = 0; i < HOUSE; i++)
        d[i] =
            bench_add(b, &(struct bench_device_config){.router = i % 3 == 0, .sleepy = i % 3 == 2});
    bench_until_idle(b);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 3000, NULL);
    bench_until_idle(b);
    bench_run(b, 45 * BENCH_MINUTE);
    bench_until_idle(b);
    for (int i = 0; i < HOUSE; i++) {
        bench_has(b, d[i], "new");
        assert_string_equal(bench_says(b, d[i], "upgrade"), "done");
        assert_int_equal(d[i]->finished, 1);
    }
    assert_in_range(b->most_at_once, 4, 6);
    bench_free(b);
}

/* gateway - router - router - lamp, on a line: each hears its neighbours only. */
static void routers_come_before_what_hangs_on_them(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    medium_place_node(b->node->air, 0, 0);
    struct bench_device *near =
        bench_add(b, &(struct bench_device_config){.router = true, .x = 20});
    struct bench_device *far = bench_add(b, &(struct bench_device_config){.router = true, .x = 40});
    struct bench_device *lamp = bench_add(b, &(struct bench_device_config){.x = 60});
    struct bench_device *sleepy =
        bench_add(b, &(struct bench_device_config){.sleepy = true, .x = 61});
    bench_until_idle(b);
    assert_int_equal(bench_number(b, far, "parent"), near->sim->zb.node.nwk.addr);
    assert_int_equal(bench_number(b, lamp, "parent"), far->sim->zb.node.nwk.addr);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 3000, NULL);
    bench_until_idle(b);
    bench_run(b, 40 * BENCH_MINUTE);
    bench_until_idle(b);
    bench_has(b, near, "new");
    bench_has(b, far, "new");
    bench_has(b, lamp, "new");
    bench_has(b, sleepy, "new");
    assert_true(near->ended_at < far->started_at);
    assert_true(far->ended_at < lamp->started_at);
    assert_true(far->ended_at < sleepy->started_at);
    bench_free(b);
}

static bool half_way(void *ctx)
{
    const struct bench_device *d = ctx;
    return d->bytes > 1000;
}

static void quiet_hours_hold_everything_back(void **state)
{
    struct bench *b =
        bench_new(&(struct gateway_config){.quiet_from = 22 * 60, .quiet_to = 6 * 60}, 0);
    b->minute = 21 * 60;
    struct bench_device *one = bench_add(b, &(struct bench_device_config){.router = true});
    struct bench_device *other =
        bench_add(b, &(struct bench_device_config){.sleepy = true, .image_type = 7});
    bench_until_idle(b);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 6000, NULL);
    bench_until(b, half_way, one, "half of the image");
    b->minute = 22 * 60 + 1; /* in the middle of a transfer */
    bench_add_image(b, "also", 0x131b, 7, 2, 1000, NULL);
    bench_run(b, 5 * BENCH_SECOND);
    uint32_t then = one->bytes;
    bench_run(b, 40 * BENCH_MINUTE);
    assert_int_equal(one->bytes, then);
    assert_int_equal(other->bytes, 0);
    b->minute = 6 * 60;
    bench_run(b, 45 * BENCH_MINUTE);
    bench_until_idle(b);
    bench_has(b, one, "new");
    bench_has(b, other, "also");
    bench_free(b);
}

static void pause_is_like_quiet_hours(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    struct bench_device *d = bench_add(b, &(struct bench_device_config){.router = true});
    bench_until_idle(b);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 6000, NULL);
    bench_until(b, half_way, d, "half of the image");
    bench_order(b, "{\"command\":\"pause\"}");
    bench_run(b, 5 * BENCH_MINUTE);
    assert_int_equal(d->finished, 0);
    bench_order(b, "{\"command\":\"resume\"}");
    bench_until_idle(b);
    bench_has(b, d, "new");
    bench_free(b);
}

static void an_aborted_upgrade_stays_aborted(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    struct bench_device *d = bench_add(b, &(struct bench_device_config){.router = true});
    bench_until_idle(b);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 8000, NULL);
    bench_until(b, half_way, d, "half of the image");
    bench_order(b, "{\"command\":\"abort\",\"device\":\"%016llx\"}", eui(d));
    bench_run(b, 10 * BENCH_SECOND);
    assert_int_equal(d->gave_up, 1);
    assert_int_equal(d->ota.engine.reason, AL_ZOTA_REASON_ABORTED);
    assert_string_equal(bench_says(b, d, "upgrade"), "aborted");
    assert_string_equal(bench_says(b, d, "last_error"), "aborted by the operator");
    bench_restart_gateway(b);
    bench_run(b, 90 * BENCH_MINUTE); /* its own queries get nothing */
    assert_int_equal(d->finished, 0);
    cJSON_Delete(bench_command(b, false, "{\"command\":\"abort\",\"device\":\"%016llx\"}", eui(d)));
    bench_order(b, "{\"command\":\"upgrade\",\"device\":\"%016llx\"}", eui(d));
    bench_until_idle(b);
    bench_has(b, d, "new");
    bench_free(b);
}

/* The order to abort comes while the gateway is about to be killed. */
static void an_abort_outlives_a_restart(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    struct bench_device *d = bench_add(b, &(struct bench_device_config){.router = true});
    bench_until_idle(b);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 8000, NULL);
    bench_until(b, half_way, d, "half of the image");
    cJSON_Delete(bench_command(b, true, "{\"command\":\"abort\"}"));
    bench_restart_gateway(b);
    bench_run(b, 5 * BENCH_MINUTE);
    assert_int_equal(d->finished, 0);
    assert_int_equal(d->gave_up, 1);
    assert_int_equal(d->ota.engine.reason, AL_ZOTA_REASON_ABORTED);
    bench_free(b);
}

static void what_was_not_applied_is_told_and_not_repeated(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 2000, NULL);
    struct bench_device *d = bench_add(b, &(struct bench_device_config){.stubborn = true});
    bench_until_idle(b);
    assert_string_equal(bench_says(b, d, "upgrade"), "not-applied");
    assert_non_null(strstr(bench_says(b, d, "last_error"), "still runs 0x00000001"));
    assert_int_equal(bench_events(b, "failed", d, "not applied"), 1);
    bench_run(b, 120 * BENCH_MINUTE);
    assert_int_equal(d->finished, 1);
    bench_free(b);
}

static void an_image_that_is_rejected_is_tried_so_often(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){.tries = 2}, 0);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 2000, NULL);
    struct bench_device *d = bench_add(b, &(struct bench_device_config){.rejects = true});
    bench_until_idle(b);
    bench_run(b, 120 * BENCH_MINUTE);
    assert_string_equal(bench_says(b, d, "upgrade"), "failed");
    assert_non_null(strstr(bench_says(b, d, "last_error"), "INVALID_IMAGE"));
    assert_int_equal(d->gave_up, 2 + bench_events(b, "query", d, "failed too often"));
    assert_int_equal(bench_events(b, "failed", d, "INVALID_IMAGE"), 1);
    bench_free(b);
}

static void makers_with_quirks_get_small_blocks(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    bench_add_image(b, "insta", 0x117a, 0x1011, 2, 1000, NULL);
    bench_add_image(b, "dresden", 0x1135, 0x1011, 2, 1000, NULL);
    bench_add_image(b, "other", 0x131b, 0x1011, 2, 1000, NULL);
    struct bench_device *insta =
        bench_add(b, &(struct bench_device_config){.manufacturer = 0x117a});
    struct bench_device *dresden =
        bench_add(b, &(struct bench_device_config){.manufacturer = 0x1135});
    struct bench_device *other = bench_add(b, &(struct bench_device_config){0});
    bench_until_idle(b);
    bench_has(b, insta, "insta");
    bench_has(b, dresden, "dresden");
    assert_int_equal(insta->largest, 40);
    assert_int_equal(dresden->largest, 40);
    assert_int_equal(other->largest, 223);
    bench_free(b);
}

static void one_that_misses_notifications_is_served_when_it_asks(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    struct bench_device *d =
        bench_add(b, &(struct bench_device_config){.sleepy = true, .deaf = true});
    bench_until_idle(b);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 2000, NULL);
    bench_run(b, 60 * BENCH_SECOND);
    assert_int_equal(d->bytes, 0);
    assert_string_equal(bench_says(b, d, "upgrade"), "waiting");
    bench_run(b, 70 * BENCH_MINUTE);
    bench_has(b, d, "new");
    assert_string_equal(bench_says(b, d, "upgrade"), "done");
    bench_free(b);
}

static void by_hand_means_nothing_by_itself(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){.manual = true}, 0);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 1000, NULL);
    struct bench_device *one = bench_add(b, &(struct bench_device_config){0});
    struct bench_device *two = bench_add(b, &(struct bench_device_config){0});
    bench_until_idle(b);
    bench_run(b, 70 * BENCH_MINUTE);
    assert_int_equal(one->bytes + two->bytes, 0);
    assert_true(bench_events(b, "query", one, "nobody has ordered it") > 0);
    bench_order(b, "{\"command\":\"upgrade\",\"device\":\"%016llx\"}", eui(one));
    bench_until_idle(b);
    bench_has(b, one, "new");
    assert_int_equal(two->bytes, 0);
    cJSON *answer = bench_command(b, true, "{\"command\":\"upgrade\"}");
    assert_int_equal(cJSON_GetObjectItem(answer, "ordered")->valueint, 1);
    cJSON_Delete(answer);
    bench_until_idle(b);
    bench_has(b, two, "new");
    bench_free(b);
}

static void an_older_version_only_by_force(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    bench_add_image(b, "old", 0x131b, 0x1011, 2, 1000, NULL);
    bench_add_image(b, "other", 0x131b, 0x2222, 9, 1000, NULL);
    struct bench_device *d = bench_add(b, &(struct bench_device_config){.version = 3});
    bench_until_idle(b);
    assert_int_equal(d->bytes, 0);
    cJSON *answer = bench_command(
        b, false, "{\"command\":\"upgrade\",\"device\":\"%016llx\",\"file\":\"old\"}", eui(d));
    assert_non_null(strstr(cJSON_GetObjectItem(answer, "error")->valuestring, "force"));
    cJSON_Delete(answer);
    cJSON_Delete(bench_command(
        b, false,
        "{\"command\":\"upgrade\",\"device\":\"%016llx\",\"file\":\"other\",\"force\":true}",
        eui(d)));
    bench_order(b,
                "{\"command\":\"upgrade\",\"device\":\"%016llx\",\"file\":\"old\",\"force\":true}",
                eui(d));
    bench_until_idle(b);
    bench_has(b, d, "old");
    assert_int_equal(d->version, 2);
    bench_free(b);
}

static void a_forced_file_is_given_once(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    bench_add_image(b, "again", 0x131b, 0x1011, 2, 1000, "{\"force\":true}");
    struct bench_device *d = bench_add(b, &(struct bench_device_config){.version = 2});
    bench_until_idle(b);
    bench_run(b, 120 * BENCH_MINUTE);
    bench_has(b, d, "again");
    assert_int_equal(d->finished, 1);
    bench_free(b);
}

static void a_dry_run_offers_nothing(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){.dry_run = true}, 0);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 1000, NULL);
    struct bench_device *d = bench_add(b, &(struct bench_device_config){0});
    bench_run(b, 70 * BENCH_MINUTE);
    assert_int_equal(d->bytes, 0);
    assert_true(bench_events(b, "query", d, "would get new") > 0);
    bench_free(b);
}

static void the_index_restricts_who_gets_a_file(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    bench_add_image(b, "plugs", 0x131b, 0x1011, 5, 1000, "{\"modelId\":\"plug\"}");
    bench_add_image(b, "young", 0x131b, 0x1011, 4, 1100, "{\"minFileVersion\":3}");
    bench_add_image(b, "boards", 0x131b, 0x1011, 3, 1200,
                    "{\"hardwareVersionMin\":2,\"hardwareVersionMax\":4}");
    bench_add_image(b, "makers", 0x131b, 0x1011, 6, 1300, "{\"manufacturerName\":[\"A\",\"B\"]}");
    struct bench_device *plug = bench_add(b, &(struct bench_device_config){.model = "plug"});
    struct bench_device *young = bench_add(b, &(struct bench_device_config){.version = 3});
    struct bench_device *board =
        bench_add(b, &(struct bench_device_config){.has_hardware = true, .hardware = 3});
    struct bench_device *none =
        bench_add(b, &(struct bench_device_config){.has_hardware = true, .hardware = 5});
    bench_run(b, 40 * BENCH_MINUTE);
    bench_until_idle(b);
    bench_has(b, plug, "plugs");
    bench_has(b, young, "young");
    assert_int_equal(board->version, 4); /* first what is for its board, then what is for that */
    assert_int_equal(none->bytes, 0);
    bench_free(b);
}

/* What is being transferred may be taken away. */
static void a_file_that_goes_stays_for_those_who_have_begun(void **state)
{
    struct bench *b = bench_new(&(struct gateway_config){0}, 0);
    struct bench_device *d = bench_add(b, &(struct bench_device_config){.router = true});
    bench_until_idle(b);
    bench_add_image(b, "new", 0x131b, 0x1011, 2, 8000, NULL);
    bench_until(b, half_way, d, "half of the image");
    gateway_images_remove(b->images, "new");
    gateway_images_changed(b->gateway, zb_sim_now(b->sim));
    bench_until_idle(b);
    assert_int_equal(d->finished, 1);
    assert_int_equal(d->version, 2);
    assert_int_equal(gateway_images_count(b->images), 0);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_at_a_time),
        cmocka_unit_test(a_house_full_of_devices),
        cmocka_unit_test(routers_come_before_what_hangs_on_them),
        cmocka_unit_test(quiet_hours_hold_everything_back),
        cmocka_unit_test(pause_is_like_quiet_hours),
        cmocka_unit_test(an_aborted_upgrade_stays_aborted),
        cmocka_unit_test(an_abort_outlives_a_restart),
        cmocka_unit_test(what_was_not_applied_is_told_and_not_repeated),
        cmocka_unit_test(an_image_that_is_rejected_is_tried_so_often),
        cmocka_unit_test(makers_with_quirks_get_small_blocks),
        cmocka_unit_test(one_that_misses_notifications_is_served_when_it_asks),
        cmocka_unit_test(by_hand_means_nothing_by_itself),
        cmocka_unit_test(an_older_version_only_by_force),
        cmocka_unit_test(a_forced_file_is_given_once),
        cmocka_unit_test(a_dry_run_offers_nothing),
        cmocka_unit_test(the_index_restricts_who_gets_a_file),
        cmocka_unit_test(a_file_that_goes_stays_for_those_who_have_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
