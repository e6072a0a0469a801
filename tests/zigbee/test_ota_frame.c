#include "zigbee/ota_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/vectors.h"
#include "zigbee/zcl_frame.h"

static cJSON *frames;
static uint8_t bytes[300];
static struct al_zcl_frame zcl;
static struct al_zota_frame ota;

static int load(void **state)
{
    frames = vector_json("zigbee-ota/frames.json");
    return frames ? 0 : -1;
}

static int unload(void **state)
{
    cJSON_Delete(frames);
    return 0;
}

static void parse_vector(const cJSON *frame)
{
    size_t len = (size_t)vector_number(frame, "length");
    vector_hex(frame, "hex", bytes, len);
    assert_int_equal(al_zcl_parse(&zcl, bytes, len), 0);
    if (zcl.cluster_specific)
        assert_int_equal(al_zota_parse(zcl.command, zcl.payload, zcl.payload_len, &ota), 0);
}

/* The vector of this name, parsed into zcl and ota. */
static void parse_named(const char *name)
{
    const cJSON *frame;
    cJSON_ArrayForEach(frame, frames)
    {
        if (strcmp(vector_string(frame, "name"), name) != 0) continue;
        parse_vector(frame);
        return;
    }
    fail_msg("no frame %s", name);
}

static void every_frame_is_built_to_the_same_bytes(void **state)
{
    const cJSON *frame;
    int count = 0;
    cJSON_ArrayForEach(frame, frames)
    {
        uint8_t out[AL_ZOTA_PAYLOAD_MAX];
        parse_vector(frame);
        count++;
        if (!zcl.cluster_specific) continue;
        assert_int_equal(al_zota_build(&ota, out, sizeof out), zcl.payload_len);
        assert_memory_equal(out, zcl.payload, zcl.payload_len);
        assert_int_equal(al_zota_from_server(zcl.command), zcl.to_client);
        for (size_t room = 0; room < zcl.payload_len; room++)
            assert_int_equal(al_zota_build(&ota, out, room), AL_ERR_NO_MEM);
    }
    assert_int_equal(count, 38);
}

/* The lengths that are enough, less than the whole: see the header. */
static bool may_end_at(size_t len)
{
    switch (zcl.command) {
    case AL_ZOTA_IMAGE_NOTIFY:
        return len >= 2;
    case AL_ZOTA_IMAGE_BLOCK_REQ:
        return ota.u.image_block_req.has_min_block_period && len >= zcl.payload_len - 2;
    case AL_ZOTA_IMAGE_BLOCK_RSP:
        return ota.u.image_block_rsp.status == AL_ZOTA_WAIT_FOR_DATA && len >= 9;
    case AL_ZOTA_UPGRADE_END_REQ:
        return ota.u.upgrade_end_req.status != AL_ZOTA_SUCCESS && len == 1;
    default:
        return false;
    }
}

static void shorter_payloads_are_malformed(void **state)
{
    const cJSON *frame;
    cJSON_ArrayForEach(frame, frames)
    {
        parse_vector(frame);
        if (!zcl.cluster_specific) continue;
        for (size_t len = 0; len < zcl.payload_len; len++) {
            struct al_zota_frame f;
            int err = al_zota_parse(zcl.command, zcl.payload, len, &f);
            if (err != (may_end_at(len) ? 0 : AL_ERR_SHORT))
                fail_msg("%s cut to %zu: %d", vector_string(frame, "name"), len, err);
        }
    }
}

static void bytes_behind_the_last_field_are_ignored(void **state)
{
    const cJSON *frame;
    cJSON_ArrayForEach(frame, frames)
    {
        struct al_zota_frame more;
        uint8_t longer[300];
        parse_vector(frame);
        if (!zcl.cluster_specific) continue;
        memcpy(longer, zcl.payload, zcl.payload_len);
        memset(longer + zcl.payload_len, 0xa5, 1);
        assert_int_equal(al_zota_parse(zcl.command, longer, zcl.payload_len + 1, &more), 0);
        if (zcl.command == AL_ZOTA_IMAGE_BLOCK_RSP)
            more.u.image_block_rsp.data =
                ota.u.image_block_rsp.data; /* points into another buffer */
        assert_memory_equal(&more, &ota, sizeof ota);
    }
}

static void an_announced_block_period_may_be_missing(void **state)
{
    parse_named("block-req-period");
    assert_true(ota.u.image_block_req.has_min_block_period);
    assert_int_equal(ota.u.image_block_req.min_block_period, 250);
    for (size_t cut = 1; cut <= 2; cut++) {
        assert_int_equal(al_zota_parse(3, zcl.payload, zcl.payload_len - cut, &ota), 0);
        assert_false(ota.u.image_block_req.has_min_block_period);
        assert_int_equal(ota.u.image_block_req.file_offset, 446);
    }
}

static void wait_for_data_may_end_before_the_block_period(void **state)
{
    parse_named("block-rsp-wait");
    assert_true(ota.u.image_block_rsp.has_min_block_period);
    assert_int_equal(al_zota_parse(5, zcl.payload, 9, &ota), 0);
    assert_false(ota.u.image_block_rsp.has_min_block_period);
    assert_int_equal(ota.u.image_block_rsp.request_time, 60);
}

static void a_failed_upgrade_end_may_be_its_status(void **state)
{
    parse_named("end-req-abort");
    assert_true(ota.u.upgrade_end_req.has_id);
    assert_int_equal(al_zota_parse(6, zcl.payload, 1, &ota), 0);
    assert_false(ota.u.upgrade_end_req.has_id);
    assert_int_equal(ota.u.upgrade_end_req.status, AL_ZOTA_ABORT);
    parse_named("end-req-success");
    assert_int_equal(al_zota_parse(6, zcl.payload, 1, &ota), AL_ERR_SHORT);
}

static void a_notify_without_its_ids_asks_everybody(void **state)
{
    parse_named("notify-type3");
    assert_true(ota.u.image_notify.whole);
    assert_int_equal(ota.u.image_notify.id.file_version, 0x10022000);
    assert_int_equal(al_zota_parse(0, zcl.payload, 5, &ota), 0);
    assert_false(ota.u.image_notify.whole);
    assert_int_equal(ota.u.image_notify.id.manufacturer, AL_ZOTA_ANY_MANUFACTURER);
    assert_int_equal(ota.u.image_notify.id.file_version, AL_ZOTA_ANY_FILE_VERSION);
    assert_int_equal(al_zota_parse(0, (const uint8_t[]){4, 100, 1, 2, 3, 4, 5, 6, 7, 8}, 10, &ota),
                     0);
    assert_false(ota.u.image_notify.whole);
}

static void data_must_be_as_long_as_it_says(void **state)
{
    parse_named("block-rsp-success-223");
    assert_int_equal(ota.u.image_block_rsp.data_size, 223);
    assert_ptr_equal(ota.u.image_block_rsp.data, zcl.payload + 14);
    assert_int_equal(al_zota_parse(5, zcl.payload, 14 + 222, &ota), AL_ERR_SHORT);
}

static void other_commands_do_not_exist(void **state)
{
    uint8_t out[8];
    memset(&ota, 0, sizeof ota);
    for (unsigned c = AL_ZOTA_COMMANDS; c < 256; c++) {
        assert_int_equal(al_zota_parse((uint8_t)c, bytes, sizeof bytes, &ota),
                         AL_ERR_NOT_SUPPORTED);
        ota.command = (uint8_t)c;
        assert_int_equal(al_zota_build(&ota, out, sizeof out), AL_ERR_NOT_SUPPORTED);
        assert_null(al_zota_command_name((uint8_t)c));
        assert_false(al_zota_from_server((uint8_t)c));
    }
    assert_string_equal(al_zota_command_name(3), "Image Block Request");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_is_built_to_the_same_bytes),
        cmocka_unit_test(shorter_payloads_are_malformed),
        cmocka_unit_test(bytes_behind_the_last_field_are_ignored),
        cmocka_unit_test(an_announced_block_period_may_be_missing),
        cmocka_unit_test(wait_for_data_may_end_before_the_block_period),
        cmocka_unit_test(a_failed_upgrade_end_may_be_its_status),
        cmocka_unit_test(a_notify_without_its_ids_asks_everybody),
        cmocka_unit_test(data_must_be_as_long_as_it_says),
        cmocka_unit_test(other_commands_do_not_exist),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
