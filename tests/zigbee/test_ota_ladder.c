/* Which block size works: steps down and up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these before it */
#include <cmocka.h>

#include "zigbee/ota_ladder.h"

static unsigned good_until_change(struct al_zota_ladder *l)
{
    for (unsigned n = 1; n < 3000; n++)
        if (al_zota_ladder_good(l)) return n;
    return 0;
}

static unsigned bad_until_change(struct al_zota_ladder *l)
{
    for (unsigned n = 1; n < 3000; n++)
        if (al_zota_ladder_bad(l)) return n;
    return 0;
}

static void a_size_that_never_worked_is_left_after_two_failures(void **state)
{
    struct al_zota_ladder l = {0};
    static const uint8_t sizes[] = {223, 63, 49, 40};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(al_zota_ladder_size(&l), sizes[i]);
        assert_int_equal(bad_until_change(&l), i < 3 ? 2 : 0);
    }
}

static void a_success_in_between_counts(void **state)
{
    struct al_zota_ladder l = {0};
    for (unsigned i = 0; i < 5; i++) {
        assert_false(al_zota_ladder_bad(&l));
        al_zota_ladder_good(&l);
    }
    assert_int_equal(al_zota_ladder_size(&l), 223);
}

static void a_size_that_never_worked_is_tried_ever_more_rarely(void **state)
{
    struct al_zota_ladder l = {0};
    for (unsigned need = 16; need <= 256; need *= 2) {
        bad_until_change(&l);
        assert_int_equal(good_until_change(&l), need);
        assert_int_equal(al_zota_ladder_size(&l), 223);
    }
}

static void a_size_that_worked_is_not_given_up_soon_and_soon_tried_again(void **state)
{
    struct al_zota_ladder l = {0};
    for (unsigned i = 0; i < 8; i++) al_zota_ladder_good(&l);
    for (unsigned turn = 0; turn < 5; turn++) {
        assert_int_equal(bad_until_change(&l), 4);
        assert_int_equal(al_zota_ladder_size(&l), 63);
        /* Single failures on the way do not count against it. */
        for (unsigned i = 0; i < 15; i++) {
            assert_false(al_zota_ladder_good(&l));
            assert_false(al_zota_ladder_bad(&l));
        }
        assert_true(al_zota_ladder_good(&l));
        assert_int_equal(al_zota_ladder_size(&l), 223);
    }
}

static void what_the_transport_refuses_is_never_tried_again(void **state)
{
    struct al_zota_ladder l = {0};
    al_zota_ladder_refused(&l, 63);
    assert_int_equal(al_zota_ladder_size(&l), 49);
    assert_int_equal(good_until_change(&l), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test(f)
    const struct CMUnitTest tests[] = {
        T(a_size_that_never_worked_is_left_after_two_failures),
        T(a_success_in_between_counts),
        T(a_size_that_never_worked_is_tried_ever_more_rarely),
        T(a_size_that_worked_is_not_given_up_soon_and_soon_tried_again),
        T(what_the_transport_refuses_is_never_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
