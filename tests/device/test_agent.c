/* Images of real chips, and the agent that stands in for what they cannot do here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/ota_data.h"
#include "tests/support/test_device.h"

static const char rollback[] = "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n";
static const char image[] = "real:tests/vectors/esp-flash/image/app_c6_8k.bin";

/* Two images; the second was just chosen and has to prove itself. */
static void new_trial(struct test_device *t)
{
    test_device_new(t, rollback, image, image);
    test_device_put_otadata(t, 0, 1, AL_OTA_VALID);
    test_device_put_otadata(t, 1, 2, AL_OTA_NEW);
}

static void run(struct test_device *t, const char *agent, const char *until)
{
    if (test_device_run(t, (struct chip_options){.until = until, .agent = agent})) return;
    fputs(t->output, stderr);
    fail_msg("%s", t->report.error);
}

static void agent_prints_the_description_and_what_it_is(void **state)
{
    struct test_device t;
    test_device_new(&t, "", image, NULL);
    run(&t, NULL, "built-in agent stands in");
    assert_int_equal(test_device_count(&t, "app_init: Application information:"), 1);
    assert_int_equal(test_device_count(&t, "app_init: App version:      "), 1);
    assert_int_equal(test_device_count(&t, "app_init: ELF file SHA256:  "), 1);
    test_device_free(&t);
}

static void agent_confirms_when_told(void **state)
{
    struct test_device t;
    new_trial(&t);
    run(&t, "confirm", "Self-test passed");
    assert_int_equal(test_device_state(&t, 1), AL_OTA_VALID);
    assert_string_equal(t.report.running, "ota_1");
    test_device_free(&t);
}

static void agent_fails_and_the_old_app_is_back(void **state)
{
    struct test_device t;
    new_trial(&t);
    test_device_conf(&t, "agent = fail");
    run(&t, NULL, "Loaded app from partition at offset 0x10000");
    assert_int_equal(test_device_count(&t, "Self-test failed"), 1);
    assert_int_equal(test_device_state(&t, 1), AL_OTA_INVALID);
    assert_string_equal(t.report.running, "");
    test_device_free(&t);
}

static void ignoring_agent_leaves_the_trial_to_the_next_reset(void **state)
{
    struct test_device t;
    new_trial(&t);
    run(&t, NULL, "nobody confirms it");
    assert_int_equal(test_device_state(&t, 1), AL_OTA_PENDING_VERIFY);
    run(&t, NULL, "Loaded app from partition at offset 0x10000");
    assert_int_equal(test_device_state(&t, 1), AL_OTA_ABORTED);
    test_device_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agent_prints_the_description_and_what_it_is),
        cmocka_unit_test(agent_confirms_when_told),
        cmocka_unit_test(agent_fails_and_the_old_app_is_back),
        cmocka_unit_test(ignoring_agent_leaves_the_trial_to_the_next_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
