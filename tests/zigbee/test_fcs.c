#include "zigbee/fcs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void fcs_of_an_acknowledgement_is_the_recorded_one(void **state)
{
    static const uint8_t ack[] = {0x02, 0x00, 0x22, 0xa8, 0xb7};
    (void)state;
    assert_int_equal(al_fcs(0, ack, 3), 0xb7a8); /* sent low octet first: a8 b7 */
    assert_int_equal(al_fcs(0, ack, 5), 0);
}

static void check_string_gives_the_published_sums(void **state)
{
    (void)state;
    assert_int_equal(al_fcs(0, "123456789", 9), 0x2189);     /* CRC-16/KERMIT */
    assert_int_equal(al_crc_x25(0, "123456789", 9), 0x906e); /* CRC-16/X-25 */
}

static void data_with_its_x25_sum_give_the_good_value(void **state)
{
    static const uint8_t spinel[] = {0x81, 0x02, 0x01, 0xc5, 0xb2};
    (void)state;
    assert_int_equal(al_crc_x25(0, spinel, 3), 0xb2c5);
    assert_int_equal(al_crc_x25(0, spinel, 5), AL_CRC_X25_GOOD);
}

static void pieces_give_the_sum_of_the_whole(void **state)
{
    const char text[] = "beacon, data, acknowledgement, command";
    (void)state;
    for (size_t cut = 0; cut <= sizeof text; cut++) {
        size_t rest = sizeof text - cut;
        assert_int_equal(al_fcs(al_fcs(0, text, cut), text + cut, rest),
                         al_fcs(0, text, sizeof text));
        assert_int_equal(al_crc_x25(al_crc_x25(0, text, cut), text + cut, rest),
                         al_crc_x25(0, text, sizeof text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fcs_of_an_acknowledgement_is_the_recorded_one),
        cmocka_unit_test(check_string_gives_the_published_sums),
        cmocka_unit_test(data_with_its_x25_sum_give_the_good_value),
        cmocka_unit_test(pieces_give_the_sum_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
