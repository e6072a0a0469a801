/* The dissector on frames that the recorded ones do not have: other keys, tunnels, sources that
 * are not sent, unknown kinds, faults of every layer. */
#include "cli/zigbee_dissect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "tests/support/zigbee_vector.h"
#include "zigbee/aps_command.h"
#include "zigbee/aps_frame.h"
#include "zigbee/hash.h"
#include "zigbee/mac_frame.h"
#include "zigbee/nwk_frame.h"

static const uint8_t link_key[16] = {9, 8, 7, 6, 5, 4, 3, 2, 1};

static int begin(void **state)
{
    *state = zigbee_dissector_new();
    return *state ? 0 : -1;
}

static int end(void **state)
{
    zigbee_dissector_free(*state);
    return 0;
}

/* A NWK frame from a device, as data of the MAC. */
static cJSON *dissect_nwk(struct zigbee_dissector *d, const struct al_nwk_frame *f,
                          const uint8_t *key)
{
    uint8_t mpdu[AL_MPDU_MAX];
    struct al_put p = al_put(mpdu, sizeof mpdu);
    const struct al_mac_frame mac = {.type = AL_MAC_DATA,
                                     .dst = al_mac_short(ZIGBEE_PAN, f->dst),
                                     .src = al_mac_short(ZIGBEE_PAN, f->src)};
    assert_int_equal(al_mac_build(&mac, &p), 0);
    if (key)
        assert_int_equal(al_nwk_seal(f, zigbee_aes(), key, &p), 0);
    else
        assert_int_equal(al_nwk_build(f, &p), 0);
    const struct zigbee_frame frame = {.number = 1, .time = -1, .mpdu = mpdu, .len = p.len};
    cJSON *doc = zigbee_dissect(d, &frame);
    assert_non_null(doc);
    return doc;
}

static const cJSON *at(const cJSON *o, const char *first, const char *second)
{
    o = cJSON_GetObjectItem(o, first);
    return second ? cJSON_GetObjectItem(o, second) : o;
}

static void error_is(cJSON *doc, const char *layer, const char *name)
{
    assert_string_equal(cli_text_of(at(doc, "error", NULL), "layer"), layer);
    assert_string_equal(cli_text_of(at(doc, "error", NULL), "name"), name);
    cJSON_Delete(doc);
}

/* Transport-Key with the network key, protected by link_key. */
static size_t transport_key(uint8_t out[96], bool has_source)
{
    uint8_t payload[64], key[16];
    struct al_put inner = al_put(payload, sizeof payload), p = al_put(out, 96);
    struct al_aps_command cmd = {.id = AL_APS_TRANSPORT_KEY};
    cmd.transport_key.type = AL_KEY_TYPE_NETWORK;
    memcpy(cmd.transport_key.key, zigbee_network_key, 16);
    assert_int_equal(al_aps_command_build(&cmd, &inner), 0);
    const struct al_aps_frame f = {
        .type = AL_APS_COMMAND,
        .secured = true,
        .aux = {.key_id = AL_SEC_KEY_TRANSPORT,
                .has_source = has_source,
                .source = ZIGBEE_COORDINATOR},
        .payload = payload,
        .payload_len = inner.len,
    };
    al_key_derive(zigbee_aes(), link_key, AL_KEY_TRANSPORT, key);
    assert_int_equal(al_aps_seal(&f, zigbee_aes(), key, &p), 0);
    return p.len;
}

static void given_link_key_opens_the_key_that_opens_the_rest(void **state)
{
    struct zigbee_dissector *d = *state;
    uint8_t apdu[96];
    const struct al_nwk_frame later = {
        .dst = 0,
        .src = 0x60eb,
        .secured = true,
        .aux = {.key_id = AL_SEC_KEY_NETWORK, .has_source = true, .source = ZIGBEE_DEVICE},
        .payload = (const uint8_t *)"\x00\x0a\x06\x00\x04\x01\x01\x07\x01\x05\x02",
        .payload_len = 11};
    struct al_nwk_frame join = {.dst = 0x60eb, .payload = apdu};
    join.payload_len = transport_key(apdu, true);
    error_is(dissect_nwk(d, &join, NULL), "aps", "no_key");
    error_is(dissect_nwk(d, &later, zigbee_network_key), "nwk", "no_key");
    assert_true(zigbee_dissector_link_key(d, link_key));
    cJSON_Delete(dissect_nwk(d, &join, NULL));
    cJSON *doc = dissect_nwk(d, &later, zigbee_network_key);
    assert_null(at(doc, "error", NULL));
    assert_int_equal(at(doc, "zcl", "command_id")->valueint, 2);
    assert_string_equal(cli_text_of(at(doc, "zcl", NULL), "payload"), "");
    cJSON_Delete(doc);
}

static void source_that_is_not_sent_is_the_one_that_was_seen(void **state)
{
    struct zigbee_dissector *d = *state;
    uint8_t apdu[96];
    struct al_nwk_frame join = {.dst = 0x60eb, .payload = apdu};
    join.payload_len = transport_key(apdu, false);
    assert_true(zigbee_dissector_link_key(d, link_key));
    error_is(dissect_nwk(d, &join, NULL), "aps", "no_key");
    join.has_src_ext = true;
    join.src_ext = ZIGBEE_COORDINATOR;
    cJSON *doc = dissect_nwk(d, &join, NULL);
    assert_null(at(doc, "error", NULL));
    cJSON_Delete(doc);
    join.has_src_ext = false; /* now it is known */
    doc = dissect_nwk(d, &join, NULL);
    assert_null(at(doc, "error", NULL));
    cJSON_Delete(doc);
}

static void tunnel_is_followed(void **state)
{
    struct zigbee_dissector *d = *state;
    uint8_t apdu[96], tunnel[110];
    struct al_put p = al_put(tunnel, sizeof tunnel);
    struct al_aps_command cmd = {.id = AL_APS_TUNNEL};
    cmd.tunnel.dst = ZIGBEE_DEVICE;
    cmd.tunnel.frame = apdu;
    cmd.tunnel.len = transport_key(apdu, true);
    assert_true(zigbee_dissector_link_key(d, link_key));
    al_put_bytes(&p, "\x01\x05", 2); /* APS command, counter */
    assert_int_equal(al_aps_command_build(&cmd, &p), 0);
    const struct al_nwk_frame f = {.payload = tunnel, .payload_len = p.len};
    cJSON *doc = dissect_nwk(d, &f, NULL);
    const cJSON *frame = cJSON_GetObjectItem(at(doc, "aps", "command"), "frame");
    assert_string_equal(cli_text_of(at(frame, "command", NULL), "name"), "transport_key");
    cJSON_Delete(doc);
}

static cJSON *dissect_payload(struct zigbee_dissector *d, uint8_t type, const char *hex)
{
    uint8_t payload[100];
    struct al_nwk_frame f = {.type = type, .payload = payload};
    f.payload_len = zigbee_hex(hex, payload, sizeof payload);
    return dissect_nwk(d, &f, NULL);
}

static void faults_of_every_layer_are_named(void **state)
{
    struct zigbee_dissector *d = *state;
    error_is(dissect_payload(d, AL_NWK_COMMAND, "07 eb60"), "nwk", "truncated");
    error_is(dissect_payload(d, AL_NWK_COMMAND, "0e"), "nwk", "unsupported");
    error_is(dissect_payload(d, AL_NWK_DATA, "00 0a 06"), "aps", "truncated");
    error_is(dissect_payload(d, AL_NWK_DATA, "04 0a 0600 0401 01 07"), "aps", "bad_field");
    error_is(dissect_payload(d, AL_NWK_DATA, "01 07 08 09"), "aps", "unsupported");
    error_is(dissect_payload(d, AL_NWK_DATA, "00 00 0200 0000 00 07 01 eb"), "zdp", "truncated");
    error_is(dissect_payload(d, AL_NWK_DATA, "00 0a 0600 0401 01 07 01 05"), "zcl", "truncated");
    error_is(dissect_payload(d, AL_NWK_DATA, "00 0a 0600 0401 01 07 02 05 00"), "zcl",
             "unsupported");
    error_is(dissect_payload(d, AL_NWK_DATA, "00 0a 0600 0401 01 07 18 05 0a 0000 21 01"), "zcl",
             "truncated");
    error_is(dissect_payload(d, AL_NWK_DATA, "00 0a 1900 0401 01 07 01 05 03 00"), "zcl",
             "truncated");
}

static void attributes_are_shown_by_their_type(void **state)
{
    static const char report[] =
        "00 0a 0000 0401 01 07 18 05 0a 0000 29 feff 0100 42 026869 0200 10 01"
        "0300 41 02aabb 0400 f0 02aa60feffbd4d74 0500 27 ffffffffffffffff";
    cJSON *doc = dissect_payload(*state, AL_NWK_DATA, report);
    char *text = cJSON_PrintUnformatted(at(doc, "zcl", "records"));
    assert_string_equal(text, "[{\"attr\":0,\"type\":41,\"value\":-2},"
                              "{\"attr\":1,\"type\":66,\"value\":\"hi\"},"
                              "{\"attr\":2,\"type\":16,\"value\":true},"
                              "{\"attr\":3,\"type\":65,\"value\":\"aabb\"},"
                              "{\"attr\":4,\"type\":240,\"value\":\"74:4d:bd:ff:fe:60:aa:02\"},"
                              "{\"attr\":5,\"type\":39,\"value\":\"ffffffffffffffff\"}]");
    cJSON_free(text);
    cJSON_Delete(doc);
}

static void frames_that_are_not_of_this_stack_are_left_alone(void **state)
{
    struct zigbee_dissector *d = *state;
    cJSON *doc = dissect_payload(d, AL_NWK_DATA, "00 f2 0000 e0a1 f2 07 aabb"); /* Green Power */
    assert_null(at(doc, "error", NULL));
    assert_string_equal(cli_text_of(at(doc, "aps", NULL), "payload"), "aabb");
    cJSON_Delete(doc);
    doc = dissect_payload(d, AL_NWK_DATA, "00 00 4300 0000 00 07 09 aabb"); /* an unknown cluster */
    assert_null(at(doc, "error", NULL));
    assert_int_equal(at(doc, "zdp", "seq")->valueint, 9);
    cJSON_Delete(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(given_link_key_opens_the_key_that_opens_the_rest, begin,
                                        end),
        cmocka_unit_test_setup_teardown(source_that_is_not_sent_is_the_one_that_was_seen, begin,
                                        end),
        cmocka_unit_test_setup_teardown(tunnel_is_followed, begin, end),
        cmocka_unit_test_setup_teardown(faults_of_every_layer_are_named, begin, end),
        cmocka_unit_test_setup_teardown(attributes_are_shown_by_their_type, begin, end),
        cmocka_unit_test_setup_teardown(frames_that_are_not_of_this_stack_are_left_alone, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
