/* The general commands of ZCL, asked over the air and compared byte by byte. */
#include "zigbee/zcl.h"

#include <string.h>

#include "core/err.h"
#include "tests/support/zcl_pair.h"
#include "zigbee/zcl_basic.h"

#define LIGHT  0x0006u
#define MAKER  0x131bu
#define SECOND 1000000u
#define ON_AIR 20000u /* us that a frame may take more than the next */

/* What endpoint 10 of the device has. */
static struct zcl_pair pair;
static struct al_zcl_basic basic;
static uint8_t on_off, text[9], level[2], wish[4], secret[1];
static const struct al_zcl_attribute attributes[] = {
    {.id = 0x4003,
     .type = AL_ZCL_UINT32,
     .access = AL_ZCL_MAY_READ | AL_ZCL_MAY_WRITE,
     .value = wish},
    {.id = 0x0000,
     .type = AL_ZCL_BOOL,
     .access = AL_ZCL_MAY_READ | AL_ZCL_MAY_REPORT,
     .value = &on_off},
    {.id = 0x0001,
     .type = AL_ZCL_STRING,
     .access = AL_ZCL_MAY_READ | AL_ZCL_MAY_WRITE,
     .size = sizeof text,
     .value = text},
    {.id = 0x0002,
     .type = AL_ZCL_INT16,
     .access = AL_ZCL_MAY_READ | AL_ZCL_MAY_REPORT,
     .value = level},
    {.id = 0x0003, .type = AL_ZCL_EUI64, .access = AL_ZCL_MAY_READ | AL_ZCL_MAY_WRITE},
    {.id = 0x0004, .type = AL_ZCL_UINT8, .access = AL_ZCL_MAY_WRITE, .value = secret},
    {.id = 0x0000,
     .manufacturer = MAKER,
     .type = AL_ZCL_UINT8,
     .access = AL_ZCL_MAY_READ,
     .value = secret},
};
static unsigned commands, written;
static uint64_t kept;

static int command(void *ctx, uint64_t now, const struct al_zcl_rx *rx)
{
    commands++;
    switch (rx->frame->command) {
    case 0x00:
        return AL_ZCL_SUCCESS;
    case 0x01:
        assert_int_equal(al_zcl_respond(rx, now, 0x81, (const uint8_t *)"abc", 3), 0);
        return AL_ZCL_ANSWERED;
    default:
        return AL_ZCL_UNSUP_CLUSTER_COMMAND;
    }
}

static uint8_t read(void *ctx, const struct al_zcl_attribute *a, struct al_put *out)
{
    if (a->id != 3) return AL_ZCL_FAILURE;
    al_put64(out, kept);
    return AL_ZCL_SUCCESS;
}

static uint8_t write(void *ctx, uint64_t now, const struct al_zcl_rx *rx,
                     const struct al_zcl_attribute *a, const struct al_zcl_value *v)
{
    written++;
    if (a->id == 0x4003 && al_zcl_value_unsigned(v) > 1000) return AL_ZCL_INVALID_VALUE;
    if (a->id == 3) kept = al_zcl_value_unsigned(v);
    return AL_ZCL_SUCCESS;
}

static struct al_zcl_cluster light = {
    .id = LIGHT,
    .manufacturer = MAKER,
    .revision = 2,
    .attributes = attributes,
    .attribute_count = sizeof attributes / sizeof *attributes,
    .command = command,
    .read = read,
    .write = write,
};
static struct al_zcl_endpoint endpoint = {.id = 10, .profile = AL_PROFILE_HA, .device_id = 0x0100};

static int open_network(void **state)
{
    zcl_pair_new(&pair);
    al_zcl_basic_init(&basic, &(struct al_zcl_basic_config){
                                  .application_version = 7,
                                  .stack_version = 8,
                                  .hardware_version = 9,
                                  .manufacturer = "Airlift",
                                  .model = "A model whose name has more than 32 characters",
                                  .date_code = "20260101",
                                  .power_source = AL_ZCL_POWER_BATTERY,
                              });
    assert_int_equal(al_zcl_add_cluster(&endpoint, &basic.cluster), 0);
    assert_int_equal(al_zcl_add_cluster(&endpoint, &light), 0);
    assert_int_equal(al_zcl_add_endpoint(zcl_pair_zcl(pair.d), &endpoint), 0);
    return 0;
}

static int close_network(void **state)
{
    zcl_pair_free(&pair);
    return 0;
}

static int reset(void **state)
{
    pair.cluster = LIGHT;
    pair.endpoint = 10;
    commands = written = 0;
    on_off = 1;
    memcpy(text,
           "\x03"
           "abc",
           4);
    memcpy(level, "\xfe\xff", 2);
    memset(wish, 0, sizeof wish);
    kept = 0x0102030405060708;
    secret[0] = 0x5a;
    return 0;
}

/* ---- Attributes ---- */

static void values_are_read_from_where_they_are(void **state)
{
    zcl_pair_expect(&pair, AL_ZCL_READ, "0000 0100 0200 0300",
                    "18 01 0000001001"
                    "01000042"
                    "03616263"
                    "02000029"
                    "feff"
                    "030000f0"
                    "0807060504030201");
}

static void each_missing_attribute_is_named(void **state)
{
    zcl_pair_expect(&pair, AL_ZCL_READ, "7700 0000 0400 fdff",
                    "18 01 770086"
                    "0000001001"
                    "040086"
                    "fdff00210200");
    zcl_pair_expect(&pair, AL_ZCL_READ, "", "18 01 ");
}

static void an_interview_reads_the_basic_cluster(void **state)
{
    pair.cluster = AL_ZCL_BASIC;
    zcl_pair_expect(&pair, AL_ZCL_READ, "0500",
                    "18 01 0500004220"
                    "41206d6f64656c2077686f7365206e616d652068617320"
                    "6d6f7265207468616e");
    zcl_pair_expect(&pair, AL_ZCL_READ, "0400",
                    "18 01 0400004207"
                    "4169726c696674");
    zcl_pair_expect(&pair, AL_ZCL_READ, "0700", "18 01 0700003003");
    zcl_pair_expect(&pair, AL_ZCL_READ, "0000", "18 01 0000002008");
    zcl_pair_expect(&pair, AL_ZCL_READ, "0100", "18 01 0100002007");
    zcl_pair_expect(&pair, AL_ZCL_READ, "0200", "18 01 0200002008");
    zcl_pair_expect(&pair, AL_ZCL_READ, "0300", "18 01 0300002009");
    zcl_pair_expect(&pair, AL_ZCL_READ, "0600",
                    "18 01 0600004208"
                    "3230323630313031");
    zcl_pair_expect(&pair, AL_ZCL_READ, "0040", "18 01 004086");
}

static void what_does_not_fit_into_a_frame_is_said_to_need_space(void **state)
{
    char answer[ZCL_PAIR_TEXT];
    pair.cluster = AL_ZCL_BASIC;
    zcl_pair_ask(&pair, (struct al_zcl_send){.command = AL_ZCL_READ}, "0400 0500 0500 0700",
                 answer);
    assert_non_null(strstr(answer, "050089"));
    assert_string_equal(answer + strlen(answer) - 10, "0700003003");
    assert_int_equal(strlen(answer), 6 + 2 * (12 + 37 + 3 + 5));
}

static void attributes_of_a_manufacturer_are_apart(void **state)
{
    char answer[ZCL_PAIR_TEXT];
    struct al_zcl_send s = {.command = AL_ZCL_READ, .manufacturer = MAKER};
    zcl_pair_ask(&pair, s, "0000 0100", answer);
    assert_string_equal(answer, "1c 01 000000205a"
                                "010086");
    s.manufacturer = 0x1234;
    zcl_pair_ask(&pair, s, "0000", answer);
    assert_string_equal(answer, "1c 01 000086");
}

static void writes_change_values_and_name_what_they_could_not(void **state)
{
    zcl_pair_expect(&pair, AL_ZCL_WRITE, "0340 23 e8030000 0100 42 0261 62", "18 04 00");
    assert_memory_equal(wish, "\xe8\x03\x00\x00", 4);
    assert_memory_equal(text,
                        "\x02"
                        "ab",
                        3);
    zcl_pair_expect(&pair, AL_ZCL_WRITE,
                    "0000 10 00 "                    /* read only */
                    "0340 23 e9030000 "              /* refused by the application */
                    "0340 21 0100 "                  /* another type */
                    "7700 20 01 "                    /* not there */
                    "0100 42 09 313233343536373839 " /* too long for its place */
                    "0300 f0 1122334455667788",      /* kept by the application */
                    "18 04 880000"
                    "870340"
                    "8d0340"
                    "867700"
                    "870100");
    assert_int_equal(on_off, 1);
    assert_memory_equal(text,
                        "\x02"
                        "ab",
                        3);
    assert_true(kept == 0x8877665544332211);
}

static void an_undivided_write_does_all_or_nothing(void **state)
{
    zcl_pair_expect(&pair, AL_ZCL_WRITE_UNDIVIDED, "0340 23 01000000 0000 10 00", "18 04 880000");
    assert_memory_equal(wish, "\0\0\0\0", 4);
    assert_int_equal(written, 0);
    zcl_pair_expect(&pair, AL_ZCL_WRITE_UNDIVIDED, "0340 23 01000000", "18 04 00");
    assert_memory_equal(wish, "\1\0\0\0", 4);
}

static void a_write_without_response_has_none(void **state)
{
    zcl_pair_expect(&pair, AL_ZCL_WRITE_NO_RSP, "0340 23 05000000 0000 10 00", "TIMEOUT");
    assert_memory_equal(wish, "\5\0\0\0", 4);
}

static void lists_that_end_too_early_are_refused_as_a_whole(void **state)
{
    zcl_pair_expect(&pair, AL_ZCL_READ, "0000 01", "18 0b 0080");
    zcl_pair_expect(&pair, AL_ZCL_WRITE, "0340 23 05000000 0340 23 01", "18 0b 0280");
    zcl_pair_expect(&pair, AL_ZCL_WRITE, "0340 77 05000000", "18 0b 0280"); /* no such type */
    assert_memory_equal(wish, "\0\0\0\0", 4);
    zcl_pair_expect(&pair, AL_ZCL_DISCOVER, "0000", "18 0b 0c80");
}

static void attributes_are_discovered_in_their_order(void **state)
{
    zcl_pair_expect(&pair, AL_ZCL_DISCOVER, "0000 03",
                    "18 0d 00"
                    "000010"
                    "010042"
                    "020029");
    zcl_pair_expect(&pair, AL_ZCL_DISCOVER, "0300 ff",
                    "18 0d 01"
                    "0300f0"
                    "040020"
                    "034023"
                    "fdff21");
    zcl_pair_expect(&pair, AL_ZCL_DISCOVER, "feff ff", "18 0d 01");
}

/* ---- Default responses ---- */

static void commands_without_an_own_answer_get_a_default_response(void **state)
{
    zcl_pair_expect_command(&pair, 0x00, "", "18 0b 0000");
    zcl_pair_expect_command(&pair, 0x01, "", "19 81 616263");
    zcl_pair_expect_command(&pair, 0x55, "", "18 0b 5581");
    zcl_pair_expect(&pair, 0x33, "", "18 0b 3382");
    pair.cluster = 0x0500;
    zcl_pair_expect_command(&pair, 0x00, "", "18 0b 00c3");
    zcl_pair_expect(&pair, AL_ZCL_READ, "0000", "18 0b 00c3");
}

static void only_failures_get_one_where_it_is_disabled(void **state)
{
    char answer[ZCL_PAIR_TEXT];
    struct al_zcl_send s = {.command = 0, .cluster_specific = true, .no_default_response = true};
    zcl_pair_ask(&pair, s, "", answer);
    assert_string_equal(answer, "TIMEOUT");
    assert_int_equal(commands, 1);
    s.command = 0x55;
    zcl_pair_ask(&pair, s, "", answer);
    assert_string_equal(answer, "18 0b 5581");
}

static void commands_of_a_manufacturer_go_to_its_clusters_only(void **state)
{
    char answer[ZCL_PAIR_TEXT];
    struct al_zcl_send s = {.cluster_specific = true, .manufacturer = MAKER};
    zcl_pair_ask(&pair, s, "", answer);
    assert_string_equal(answer, "1c 0b 0000");
    s.manufacturer = 0x1234;
    zcl_pair_ask(&pair, s, "", answer);
    assert_string_equal(answer, "1c 0b 0083");
    assert_int_equal(commands, 1);
}

static void a_broadcast_is_obeyed_and_never_answered(void **state)
{
    char answer[ZCL_PAIR_TEXT];
    uint32_t before = zcl_pair_zcl(pair.d)->default_responses;
    struct al_zcl_send s = {
        .dst = AL_NWK_ALL_RX_ON, .dst_ep = AL_ENDPOINT_ALL, .cluster_specific = true};
    zcl_pair_ask(&pair, s, "", answer);
    assert_string_equal(answer, "TIMEOUT");
    s.command = 0x55;
    zcl_pair_ask(&pair, s, "", answer);
    assert_int_equal(commands, 2);
    s.cluster_specific = false;
    s.command = AL_ZCL_READ;
    zcl_pair_ask(&pair, s, "0000", answer);
    assert_string_equal(answer, "TIMEOUT");
    s.command = AL_ZCL_WRITE;
    zcl_pair_ask(&pair, s, "0340 23 09000000", answer);
    assert_string_equal(answer, "TIMEOUT");
    assert_memory_equal(wish, "\x09\0\0\0", 4);
    assert_int_equal(zcl_pair_zcl(pair.d)->default_responses, before);
}

static void frames_for_no_endpoint_of_this_node_are_nothing(void **state)
{
    pair.endpoint = 77;
    zcl_pair_expect_command(&pair, 0x00, "", "TIMEOUT");
    assert_int_equal(commands, 0);
}

static void profiles_of_before_zigbee_3_stand_for_one_another(void **state)
{
    char answer[ZCL_PAIR_TEXT];
    zcl_pair_ask(&pair, (struct al_zcl_send){.command = AL_ZCL_READ, .profile = 0x0108}, "7700",
                 answer);
    assert_string_equal(answer, "18 01 770086");
    zcl_pair_ask(&pair, (struct al_zcl_send){.command = AL_ZCL_READ, .profile = 0x010a}, "7700",
                 answer);
    assert_string_equal(answer, "TIMEOUT");
}

static void sides_of_a_cluster_are_two_things(void **state)
{
    char answer[ZCL_PAIR_TEXT];
    struct al_zcl_send s = {.cluster_specific = true, .to_client = true};
    zcl_pair_ask(&pair, s, "", answer);
    assert_string_equal(answer, "10 0b 00c3");
}

static void a_request_nobody_acknowledges_fails_soon(void **state)
{
    char answer[ZCL_PAIR_TEXT];
    struct zb_sim_node *gone = zcl_pair_add(&pair, AL_NWK_ROLE_END_DEVICE, false);
    uint16_t addr = gone->zb.node.nwk.addr;
    zb_sim_power_off(gone);
    zcl_pair_ask(&pair, (struct al_zcl_send){.dst = addr, .command = AL_ZCL_READ}, "0000", answer);
    assert_true(!strcmp(answer, "NO_ACK") || !strcmp(answer, "NO_ROUTE"));
}

/* ---- Reporting ---- */

static struct {
    unsigned count;
    uint8_t payload[16];
    size_t len;
    uint64_t at;
} report;

static void note_report(void *ctx, uint64_t now, const struct al_zcl_rx *rx)
{
    report.count++;
    report.at = now;
    report.len = rx->frame->payload_len;
    assert_in_range(report.len, 1, sizeof report.payload);
    memcpy(report.payload, rx->frame->payload, report.len);
}

static void assert_reports(unsigned count, const char *payload, size_t len)
{
    assert_int_equal(report.count, count);
    assert_int_equal(report.len, len);
    assert_memory_equal(report.payload, payload, len);
}

static void bind_light(void)
{
    struct al_zdp r, q = {.cluster = AL_ZDP_BIND,
                          .bind = {.src = pair.d->config.ext,
                                   .dst = pair.c->config.ext,
                                   .cluster = LIGHT,
                                   .src_endpoint = 10,
                                   .dst_endpoint = 1,
                                   .mode = AL_ZDP_BIND_EXT}};
    assert_int_equal(zcl_pair_zdp(&pair, pair.d->zb.node.nwk.addr, &q, &r), AL_ZB_OK);
    assert_int_equal(r.status, AL_ZDP_SUCCESS);
}

static void set(uint16_t attr, uint64_t value)
{
    assert_int_equal(al_zcl_set_number(zcl_pair_zcl(pair.d), zcl_pair_now(&pair), &endpoint, &light,
                                       attr, value),
                     0);
    zcl_pair_wait(&pair, SECOND / 2);
}

static void changes_are_reported_not_too_often_and_silence_not_too_long(void **state)
{
    static const struct al_zcl_up up = {.report = note_report};
    zcl_pair_zcl(pair.c)->c.up = &up;
    bind_light();
    /* int16 0x0002: every 5 to 60 s, change of 10 */
    zcl_pair_expect(&pair, AL_ZCL_CONFIGURE_REPORTING, "00 0200 29 0500 3c00 0a00", "18 07 00");
    zcl_pair_expect(&pair, AL_ZCL_READ_REPORTING, "00 0200",
                    "18 09 00"
                    "000200"
                    "2905003c000a00");
    zcl_pair_wait(&pair, 6 * SECOND);
    assert_reports(1, "\x02\x00\x29\xfe\xff", 5); /* where it begins: -2 */
    set(2, 5);
    zcl_pair_wait(&pair, 10 * SECOND);
    assert_int_equal(report.count, 1); /* too little */
    set(2, 8);
    assert_reports(2, "\x02\x00\x29\x08\x00", 5);
    uint64_t at = report.at;
    set(2, 100);
    assert_int_equal(report.count, 2); /* too soon */
    zcl_pair_wait(&pair, 5 * SECOND);
    assert_reports(3, "\x02\x00\x29\x64\x00", 5);
    assert_in_range(report.at - at, 5 * SECOND - ON_AIR, 5 * SECOND + SECOND / 2);
    at = report.at;
    zcl_pair_wait(&pair, 60 * SECOND);
    assert_int_equal(report.count, 4);
    assert_in_range(report.at - at, 60 * SECOND - ON_AIR, 60 * SECOND + SECOND / 2);
    zcl_pair_expect(&pair, AL_ZCL_CONFIGURE_REPORTING, "00 0200 29 0000 ffff 0000", "18 07 00");
    set(2, 1000);
    zcl_pair_wait(&pair, 70 * SECOND);
    assert_int_equal(report.count, 4);
    zcl_pair_zcl(pair.c)->c.up = NULL;
}

static void reporting_that_cannot_be_is_refused_attribute_by_attribute(void **state)
{
    zcl_pair_expect(&pair, AL_ZCL_CONFIGURE_REPORTING,
                    "00 0100 42 0000 0a00 "      /* not reportable */
                    "00 7700 20 0000 0a00 01 "   /* not there */
                    "00 0000 20 0000 0a00 01 "   /* another type */
                    "00 0200 29 0a00 0500 0100 " /* longest before shortest */
                    "01 0000 0a00",              /* this node receives no reports so */
                    "18 07 8c000100"
                    "86007700"
                    "8d000000"
                    "87000200"
                    "8c010000");
    zcl_pair_expect(&pair, AL_ZCL_READ_REPORTING, "00 0200 00 7700",
                    "18 09 8b000200"
                    "86007700");

    uint16_t count = zcl_pair_zcl(pair.d)->c.report_count;
    zcl_pair_zcl(pair.d)->c.report_count = 0;
    zcl_pair_expect(&pair, AL_ZCL_CONFIGURE_REPORTING, "00 0000 10 0000 0a00", "18 07 8c000000");
    zcl_pair_zcl(pair.d)->c.report_count = count;
}

/* ---- Registration ---- */

static void what_is_there_twice_is_refused(void **state)
{
    struct al_zcl_cluster twin = {.id = LIGHT}, other_side = {.id = LIGHT, .client = true};
    struct al_zcl_endpoint e = {.id = 10}, zero = {0}, high = {.id = 241};
    assert_int_equal(al_zcl_add_cluster(&endpoint, &twin), AL_ERR_INVALID_ARG);
    assert_int_equal(al_zcl_add_cluster(&e, &twin), 0);
    assert_int_equal(al_zcl_add_cluster(&e, &other_side), 0);
    assert_int_equal(al_zcl_add_endpoint(zcl_pair_zcl(pair.d), &e), AL_ERR_INVALID_ARG);
    assert_int_equal(al_zcl_add_endpoint(zcl_pair_zcl(pair.d), &zero), AL_ERR_INVALID_ARG);
    assert_int_equal(al_zcl_add_endpoint(zcl_pair_zcl(pair.d), &high), AL_ERR_INVALID_ARG);
}

static void values_are_set_within_their_type(void **state)
{
    struct al_zcl *z = zcl_pair_zcl(pair.d);
    assert_int_equal(al_zcl_set_string(z, 0, &endpoint, &light, 1, "12345678", 8), 0);
    assert_memory_equal(text,
                        "\x08"
                        "12345678",
                        9);
    assert_int_equal(al_zcl_set_string(z, 0, &endpoint, &light, 1, "123456789", 9),
                     AL_ERR_INVALID_SIZE);
    assert_int_equal(al_zcl_set_string(z, 0, &endpoint, &light, 2, "1", 1), AL_ERR_INVALID_ARG);
    assert_int_equal(al_zcl_set_number(z, 0, &endpoint, &light, 1, 1), AL_ERR_INVALID_ARG);
    assert_int_equal(al_zcl_set_number(z, 0, &endpoint, &light, 3, 1), AL_ERR_INVALID_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(values_are_read_from_where_they_are, reset),
        cmocka_unit_test_setup(each_missing_attribute_is_named, reset),
        cmocka_unit_test_setup(an_interview_reads_the_basic_cluster, reset),
        cmocka_unit_test_setup(what_does_not_fit_into_a_frame_is_said_to_need_space, reset),
        cmocka_unit_test_setup(attributes_of_a_manufacturer_are_apart, reset),
        cmocka_unit_test_setup(writes_change_values_and_name_what_they_could_not, reset),
        cmocka_unit_test_setup(an_undivided_write_does_all_or_nothing, reset),
        cmocka_unit_test_setup(a_write_without_response_has_none, reset),
        cmocka_unit_test_setup(lists_that_end_too_early_are_refused_as_a_whole, reset),
        cmocka_unit_test_setup(attributes_are_discovered_in_their_order, reset),
        cmocka_unit_test_setup(commands_without_an_own_answer_get_a_default_response, reset),
        cmocka_unit_test_setup(only_failures_get_one_where_it_is_disabled, reset),
        cmocka_unit_test_setup(commands_of_a_manufacturer_go_to_its_clusters_only, reset),
        cmocka_unit_test_setup(a_broadcast_is_obeyed_and_never_answered, reset),
        cmocka_unit_test_setup(frames_for_no_endpoint_of_this_node_are_nothing, reset),
        cmocka_unit_test_setup(profiles_of_before_zigbee_3_stand_for_one_another, reset),
        cmocka_unit_test_setup(sides_of_a_cluster_are_two_things, reset),
        cmocka_unit_test_setup(a_request_nobody_acknowledges_fails_soon, reset),
        cmocka_unit_test_setup(changes_are_reported_not_too_often_and_silence_not_too_long, reset),
        cmocka_unit_test_setup(reporting_that_cannot_be_is_refused_attribute_by_attribute, reset),
        cmocka_unit_test_setup(what_is_there_twice_is_refused, reset),
        cmocka_unit_test_setup(values_are_set_within_their_type, reset),
    };
    return cmocka_run_group_tests_name("zcl", tests, open_network, close_network);
}
