/* How long APS waits for an acknowledgement: by measured round trips, within limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka wants these before it */
#include <cmocka.h>

#include "zigbee/aps_internal.h"

#define MS(n) ((uint64_t)(n)*1000)
#define PEERS 3

static struct al_aps_peer peers[PEERS];
static struct al_aps aps;

static int set_up(void **state)
{
    memset(peers, 0, sizeof peers);
    aps = (struct al_aps){
        .c = {
            .peers = peers, .peer_count = PEERS, .ack_wait_ms = 3000, .ack_wait_sleepy_ms = 10000}};
    return 0;
}

static struct al_aps_tx message(uint16_t dst)
{
    return (struct al_aps_tx){.dst = dst, .quick = AL_APS_QUICK, .given_at = MS(1000)};
}

static void measure(uint16_t dst, uint64_t us)
{
    struct al_aps_tx t = message(dst);
    al_aps_measured(&aps, t.given_at + us, &t);
}

static uint64_t patience(uint16_t dst)
{
    struct al_aps_tx t = message(dst);
    return al_aps_patience(&aps, &t);
}

static void without_a_measurement_the_configured_time_holds(void **state)
{
    assert_int_equal(patience(1), MS(3000));
    measure(2, MS(20));
    assert_int_equal(patience(1), MS(3000));
    aps.c.peer_count = 0;
    assert_int_equal(patience(2), MS(3000));
}

static void it_follows_the_round_trips_of_each_destination(void **state)
{
    for (unsigned i = 0; i < 40; i++) measure(1, MS(20)), measure(2, MS(500));
    assert_int_equal(patience(1), MS(250)); /* never less */
    assert_in_range(patience(2), MS(480), MS(700));
    for (unsigned i = 0; i < 40; i++) measure(1, MS(i % 2 ? 100 : 600));
    assert_in_range(patience(1), MS(900), MS(2000)); /* the more they vary the longer */
    for (unsigned i = 0; i < 40; i++) measure(1, MS(9000));
    assert_int_equal(patience(1), MS(3000)); /* never more */
}

static void each_early_repetition_doubles_it_and_then_it_is_the_configured_one(void **state)
{
    for (unsigned i = 0; i < 40; i++) measure(1, MS(10));
    struct al_aps_tx t = message(1);
    assert_int_equal(al_aps_patience(&aps, &t), MS(250));
    t.quick--;
    assert_int_equal(al_aps_patience(&aps, &t), MS(500));
    t.quick--;
    assert_int_equal(al_aps_patience(&aps, &t), MS(3000));
}

static void what_was_repeated_or_goes_to_a_sleeper_is_not_measured(void **state)
{
    struct al_aps_tx t = message(1);
    t.repeated = true;
    al_aps_measured(&aps, t.given_at + MS(20), &t);
    assert_int_equal(patience(1), MS(3000));
    t = message(1);
    t.flags = AL_APS_TX_SLEEPY;
    al_aps_measured(&aps, t.given_at + MS(20), &t);
    assert_int_equal(patience(1), MS(3000));
    assert_int_equal(al_aps_patience(&aps, &t), MS(10000));
}

static void a_full_table_forgets_the_oldest(void **state)
{
    for (uint16_t i = 0; i < PEERS + 1; i++) measure(i, MS(20));
    assert_int_equal(patience(0), MS(3000));
    for (uint16_t i = 1; i < PEERS + 1; i++) assert_int_equal(patience(i), MS(250));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, set_up)
    const struct CMUnitTest tests[] = {
        T(without_a_measurement_the_configured_time_holds),
        T(it_follows_the_round_trips_of_each_destination),
        T(each_early_repetition_doubles_it_and_then_it_is_the_configured_one),
        T(what_was_repeated_or_goes_to_a_sleeper_is_not_measured),
        T(a_full_table_forgets_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
