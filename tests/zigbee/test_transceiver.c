/* The transceiver on hardware that only notes what it was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/err.h"
#include "zigbee/transceiver.h"

#define PAN      0x1a62
#define SHORT    0x1234
#define EXT      UINT64_C(0x744dbdfffe60aa02)
#define DATA_LEN 20
#define NEVER    UINT64_MAX

struct bench {
    struct al_transceiver t;
    struct al_pending_addr pending[2];
    uint64_t now;
    uint32_t chance;
    unsigned senses, sends, measures, received, transmitted, scanned;
    uint8_t sent[AL_RADIO_MPDU_MAX];
    uint8_t sent_len;
    bool listening;
    enum al_radio_status status;
    bool pending_bit;
    struct al_radio_rx rx;
    int8_t level;
};

static void phy_tune(void *ctx, uint8_t channel, int8_t power)
{
}

static void phy_listen(void *ctx, bool on)
{
    ((struct bench *)ctx)->listening = on;
}

static void phy_sense(void *ctx)
{
    ((struct bench *)ctx)->senses++;
}

static void phy_send(void *ctx, const uint8_t *mpdu, uint8_t len)
{
    struct bench *b = ctx;
    b->sends++;
    memcpy(b->sent, mpdu, len);
    b->sent_len = len;
}

static void phy_measure(void *ctx, uint8_t channel, uint32_t us)
{
    ((struct bench *)ctx)->measures++;
}

static uint32_t phy_random(void *ctx)
{
    return ((struct bench *)ctx)->chance;
}

static void on_received(void *ctx, uint64_t now, const struct al_radio_rx *rx)
{
    struct bench *b = ctx;
    b->received++;
    b->rx = *rx;
}

static void on_transmitted(void *ctx, uint64_t now, enum al_radio_status status, bool pending)
{
    struct bench *b = ctx;
    b->transmitted++;
    b->status = status;
    b->pending_bit = pending;
}

static void on_scanned(void *ctx, uint64_t now, uint8_t channel, int8_t dbm)
{
    struct bench *b = ctx;
    b->scanned++;
    b->level = dbm;
}

static struct al_radio_config usual(void)
{
    return (struct al_radio_config){
        .channel = 15, .pan_id = PAN, .short_addr = SHORT, .ext_addr = EXT, .rx_on = true};
}

static void begin(struct bench *b, bool rx_on)
{
    const struct al_phy phy = {b,        phy_tune,    phy_listen, phy_sense,
                               phy_send, phy_measure, phy_random};
    const struct al_transceiver_user user = {b, on_received, on_transmitted, on_scanned};
    struct al_radio_config c = usual();
    memset(b, 0, sizeof *b);
    b->now = 1000;
    c.rx_on = rx_on;
    al_transceiver_init(&b->t, &phy, &user, b->pending, 2);
    assert_int_equal(al_transceiver_configure(&b->t, b->now, &c), 0);
}

/* Runs to the next deadline; gives the time that it took. */
static uint64_t run(struct bench *b)
{
    uint64_t next = al_transceiver_next(&b->t), took = next - b->now;
    assert_true(next != NEVER);
    b->now = next;
    al_transceiver_run(&b->t, b->now);
    return took;
}

static void after(struct bench *b, uint64_t us)
{
    b->now += us;
}

static uint8_t data_frame(uint8_t f[DATA_LEN], uint16_t dst, uint8_t seq, bool ack)
{
    const uint8_t header[] = {ack ? 0x61 : 0x41,   0x88, seq, PAN & 0xff, PAN >> 8, (uint8_t)dst,
                              (uint8_t)(dst >> 8), 0x78, 0x56};
    memset(f, 0, DATA_LEN);
    memcpy(f, header, sizeof header);
    return DATA_LEN;
}

static uint8_t poll_frame(uint8_t f[10], uint16_t src, uint8_t seq)
{
    const uint8_t frame[] = {0x63,         0x88,       seq,          PAN & 0xff,          PAN >> 8,
                             SHORT & 0xff, SHORT >> 8, (uint8_t)src, (uint8_t)(src >> 8), 4};
    memcpy(f, frame, sizeof frame);
    return sizeof frame;
}

/* A frame that was on the air until now. */
static void arrives(struct bench *b, const uint8_t *mpdu, uint8_t len)
{
    struct al_air_frame f = {.mpdu = mpdu, .len = len, .rssi = -40, .lqi = 200};
    f.start = b->now;
    after(b, al_airtime(len));
    f.end = b->now;
    al_air_frame_parse(&f);
    al_transceiver_received(&b->t, &f);
}

static void ack_arrives(struct bench *b, uint8_t seq, bool pending)
{
    const uint8_t ack[] = {pending ? 0x12 : 0x02, 0, seq};
    after(b, AL_TURNAROUND_US);
    arrives(b, ack, sizeof ack);
}

/* From transmit() to the end of the frame, on an idle channel. */
static void goes_out(struct bench *b)
{
    unsigned sends = b->sends;
    run(b);
    after(b, AL_CCA_US);
    al_transceiver_sensed(&b->t, b->now, false);
    assert_int_equal(run(b), AL_TURNAROUND_US);
    assert_int_equal(b->sends, sends + 1);
    after(b, al_airtime(b->sent_len));
    al_transceiver_sent(&b->t, b->now);
}

static void acknowledged_frame_is_sent_once(void **state)
{
    struct bench b;
    uint8_t f[DATA_LEN];
    begin(&b, true);
    b.chance = 5;
    assert_int_equal(al_transceiver_transmit(&b.t, b.now, f, data_frame(f, 0x5678, 9, true)), 0);
    assert_int_equal(al_transceiver_next(&b.t), b.now + 5 * 320);
    assert_int_equal(al_transceiver_transmit(&b.t, b.now, f, DATA_LEN), AL_ERR_INVALID_STATE);
    goes_out(&b);
    assert_memory_equal(b.sent, f, DATA_LEN);
    assert_int_equal(b.transmitted, 0);
    ack_arrives(&b, 8, false); /* of another frame */
    assert_int_equal(b.transmitted, 0);
    b.now -= AL_TURNAROUND_US + al_airtime(AL_ACK_LEN);
    ack_arrives(&b, 9, true);
    assert_int_equal(b.transmitted, 1);
    assert_int_equal(b.status, AL_RADIO_SENT);
    assert_true(b.pending_bit);
    assert_int_equal(al_transceiver_next(&b.t), NEVER);
}

static void backoff_has_at_most_7_periods_at_first_and_31_at_last(void **state)
{
    static const unsigned most[] = {7, 15, 31, 31, 31};
    struct bench b;
    uint8_t f[DATA_LEN];
    begin(&b, true);
    b.chance = UINT32_MAX;
    al_transceiver_transmit(&b.t, b.now, f, data_frame(f, 0x5678, 1, true));
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(b.transmitted, 0);
        assert_int_equal(run(&b), most[i] * 320);
        after(&b, AL_CCA_US);
        al_transceiver_sensed(&b.t, b.now, true);
    }
    assert_int_equal(b.senses, 5);
    assert_int_equal(b.sends, 0);
    assert_int_equal(b.transmitted, 1);
    assert_int_equal(b.status, AL_RADIO_CHANNEL_BUSY);
}

static void frame_without_ack_is_sent_four_times_with_the_same_number(void **state)
{
    struct bench b;
    uint8_t f[DATA_LEN];
    begin(&b, true);
    al_transceiver_transmit(&b.t, b.now, f, data_frame(f, 0x5678, 77, true));
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(b.transmitted, 0);
        goes_out(&b);
        assert_int_equal(b.sent[2], 77);
        assert_int_equal(run(&b), AL_ACK_WAIT_US);
    }
    assert_int_equal(b.transmitted, 1);
    assert_int_equal(b.status, AL_RADIO_NO_ACK);
    assert_int_equal(b.t.counts.repetitions, 3);
    assert_int_equal(b.t.counts.no_ack, 1);
}

static void next_frame_keeps_the_spacing(void **state)
{
    struct bench b;
    uint8_t f[DATA_LEN];
    begin(&b, true);
    al_transceiver_transmit(&b.t, b.now, f, data_frame(f, 0x5678, 1, true));
    goes_out(&b);
    ack_arrives(&b, 1, false);
    al_transceiver_transmit(&b.t, b.now, f, data_frame(f, 0xffff, 2, false));
    assert_int_equal(al_transceiver_next(&b.t), b.now + AL_LIFS_US);
    goes_out(&b);
    assert_int_equal(b.transmitted, 2); /* a broadcast ends with its last octet */
    al_transceiver_transmit(&b.t, b.now, f, 16);
    goes_out(&b);
    al_transceiver_transmit(&b.t, b.now, f, 16);
    assert_int_equal(al_transceiver_next(&b.t), b.now + AL_SIFS_US);
}

static void frame_for_this_node_is_acknowledged_in_time(void **state)
{
    struct bench b;
    uint8_t f[DATA_LEN];
    begin(&b, true);
    arrives(&b, f, data_frame(f, SHORT, 200, true));
    assert_int_equal(b.received, 1);
    assert_false(b.rx.pending);
    assert_int_equal(b.rx.rssi, -40);
    assert_int_equal(run(&b), AL_TURNAROUND_US);
    assert_int_equal(b.sends, 1);
    assert_int_equal(b.sent_len, 3);
    assert_memory_equal(b.sent, ((uint8_t[]){0x02, 0x00, 200}), 3);
    assert_false(b.listening); /* half duplex */
    after(&b, al_airtime(3));
    al_transceiver_sent(&b.t, b.now);
    assert_true(b.listening);
    assert_int_equal(al_transceiver_next(&b.t), NEVER);
}

static void own_frame_waits_for_the_acknowledgement_that_is_due(void **state)
{
    struct bench b;
    uint8_t f[DATA_LEN], own[DATA_LEN];
    begin(&b, true);
    arrives(&b, f, data_frame(f, SHORT, 3, true));
    al_transceiver_transmit(&b.t, b.now, own, data_frame(own, 0x5678, 4, true));
    run(&b); /* backoff of 0: over at once, and put off */
    assert_int_equal(b.senses, 0);
    run(&b);
    assert_int_equal(b.sends, 1);
    assert_int_equal(b.sent_len, 3);
    assert_int_equal(run(&b), al_airtime(3));
    al_transceiver_sent(&b.t, b.now);
    if (b.senses == 0) run(&b);
    assert_int_equal(b.senses, 1);
}

static void filter_lets_through_what_is_for_this_node(void **state)
{
    static const struct {
        uint8_t frame[23];
        uint8_t len;
        bool heard;
    } cases[] = {
        {{0x41, 0x88, 1, 0x62, 0x1a, 0xff, 0xff, 1, 0, 9}, 10, true},  /* broadcast */
        {{0x41, 0x88, 1, 0xff, 0xff, 0xff, 0xff, 1, 0, 9}, 10, true},  /* in all PANs */
        {{0x41, 0x88, 1, 0x63, 0x1a, 0xff, 0xff, 1, 0, 9}, 10, false}, /* in another PAN */
        {{0x61, 0x88, 1, 0x62, 0x1a, 0x34, 0x12, 1, 0, 9}, 10, true},  /* short address */
        {{0x61, 0x88, 1, 0x62, 0x1a, 0x35, 0x12, 1, 0, 9}, 10, false}, /* of another */
        {{0x61, 0x88, 1, 0x63, 0x1a, 0x34, 0x12, 1, 0, 9}, 10, false}, /* in another PAN */
        {{0x61, 0x88, 1, 0x62, 0x1a, 0xfe, 0xff, 1, 0, 9}, 10, false}, /* nobody's */
        {{0x63, 0xcc, 1, 0x62, 0x1a, 0x02, 0xaa, 0x60, 0xfe, 0xff, 0xbd,
          0x4d, 0x74, 1, 2,    3,    4,    5,    6,    7,    8,    2},
         22,
         true}, /* extended address */
        {{0x63, 0xcc, 1, 0x62, 0x1a, 0x03, 0xaa, 0x60, 0xfe, 0xff, 0xbd,
          0x4d, 0x74, 1, 2,    3,    4,    5,    6,    7,    8,    2},
         22,
         false},
        {{0x00, 0x80, 1, 0x99, 0x99, 0, 0, 0xff, 0xcf, 0, 0}, 11, true}, /* any beacon */
        {{0x03, 0x08, 1, 0xff, 0xff, 0xff, 0xff, 7}, 8, true},           /* beacon request */
        {{0x23, 0x80, 1, 0x62, 0x1a, 1, 0, 4}, 8, false},                /* for the coordinator */
        {{0x02, 0x00, 1}, 3, false}, /* an acknowledgement nobody waits for */
        {{0x41, 0xa8, 1, 0x62, 0x1a, 0xff, 0xff, 1, 0, 9}, 10, false}, /* version 2 */
        {{0x49, 0x88, 1, 0x62, 0x1a, 0xff, 0xff, 1, 0, 9}, 10, false}, /* secured */
        {{0x41, 0x88, 1, 0x62}, 4, false},                             /* cut short */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        begin(&b, true);
        arrives(&b, cases[i].frame, cases[i].len);
        if ((b.received == 1) != cases[i].heard) fail_msg("case %zu", i);
        /* Promiscuous: all of them, but no acknowledgement. */
        begin(&b, true);
        struct al_radio_config c = usual();
        c.promiscuous = true;
        al_transceiver_configure(&b.t, b.now, &c);
        arrives(&b, cases[i].frame, cases[i].len);
        assert_int_equal(b.received, 1);
        assert_int_equal(al_transceiver_next(&b.t), NEVER);
    }
}

static void coordinator_takes_frames_without_destination(void **state)
{
    static const uint8_t frame[] = {0x23, 0x80, 1, 0x62, 0x1a, 1, 0, 4};
    struct bench b;
    struct al_radio_config c = usual();
    begin(&b, true);
    c.short_addr = 0;
    al_transceiver_configure(&b.t, b.now, &c);
    arrives(&b, frame, sizeof frame);
    assert_int_equal(b.received, 1);
    assert_int_equal(run(&b), AL_TURNAROUND_US);
}

static bool poll_is_answered_with_pending(struct bench *b, uint16_t src)
{
    uint8_t f[10];
    arrives(b, f, poll_frame(f, src, 5));
    run(b);
    after(b, al_airtime(3));
    al_transceiver_sent(&b->t, b->now);
    assert_int_equal(b->sent[0] == 0x12, b->rx.pending);
    return b->sent[0] == 0x12;
}

static void only_known_addresses_get_pending(void **state)
{
    struct bench b;
    begin(&b, true);
    assert_false(poll_is_answered_with_pending(&b, 0x5678));
    assert_int_equal(al_transceiver_set_pending(&b.t, false, 0x5678, true), 0);
    assert_int_equal(al_transceiver_set_pending(&b.t, false, 0x5678, true), 0);
    assert_int_equal(al_transceiver_set_pending(&b.t, true, 0x9999, true), 0);
    assert_int_equal(al_transceiver_set_pending(&b.t, false, 0x4444, true), AL_ERR_NO_MEM);
    assert_true(poll_is_answered_with_pending(&b, 0x5678));
    assert_false(poll_is_answered_with_pending(&b, 0x9999)); /* that is an extended one */
    uint8_t f[DATA_LEN];
    arrives(&b, f, data_frame(f, SHORT, 1, true)); /* data from it is no poll */
    assert_false(b.rx.pending);
    begin(&b, true);
    al_transceiver_set_pending(&b.t, false, 0x5678, true);
    al_transceiver_set_pending(&b.t, false, 0x5678, false);
    assert_false(poll_is_answered_with_pending(&b, 0x5678));
    al_transceiver_pending_for_all(&b.t, true);
    assert_true(poll_is_answered_with_pending(&b, 0x1111));
}

static void sleeper_listens_only_behind_a_poll_with_pending(void **state)
{
    struct bench b;
    uint8_t f[DATA_LEN], own[10];
    begin(&b, false);
    arrives(&b, f, data_frame(f, SHORT, 1, true));
    assert_int_equal(b.received, 0);
    al_transceiver_transmit(&b.t, b.now, own, poll_frame(own, SHORT, 6));
    goes_out(&b);
    assert_true(b.listening); /* for the acknowledgement */
    ack_arrives(&b, 6, false);
    assert_false(b.listening);
    al_transceiver_transmit(&b.t, b.now, own, poll_frame(own, SHORT, 7));
    goes_out(&b);
    ack_arrives(&b, 7, true);
    assert_true(b.listening);
    assert_int_equal(al_transceiver_next(&b.t), b.now + AL_RADIO_FRAME_WAIT_US);
    arrives(&b, f, data_frame(f, SHORT, 2, true));
    assert_int_equal(b.received, 1);
    assert_false(b.listening); /* it has come */
    run(&b);                   /* acknowledges all the same */
    assert_int_equal(b.sent_len, 3);
    after(&b, al_airtime(3));
    al_transceiver_sent(&b.t, b.now);
    al_transceiver_transmit(&b.t, b.now, own, poll_frame(own, SHORT, 8));
    goes_out(&b);
    ack_arrives(&b, 8, true);
    run(&b); /* nothing came */
    assert_false(b.listening);
    al_transceiver_transmit(&b.t, b.now, f, data_frame(f, 0x5678, 9, true));
    goes_out(&b);
    ack_arrives(&b, 9, true); /* data is no poll, whatever its acknowledgement says */
    assert_false(b.listening);
}

static void frame_that_began_before_the_receiver_was_on_is_lost(void **state)
{
    struct bench b;
    uint8_t f[DATA_LEN];
    struct al_radio_config c = usual();
    begin(&b, false);
    struct al_air_frame air = {.mpdu = f, .len = data_frame(f, SHORT, 1, true), .start = b.now};
    air.end = b.now + al_airtime(air.len);
    al_air_frame_parse(&air);
    al_transceiver_configure(&b.t, b.now + 1, &c);
    al_transceiver_received(&b.t, &air);
    assert_int_equal(b.received, 0);
    c.channel = 20;
    air.start = b.now + 2;
    al_transceiver_configure(&b.t, b.now + 3, &c); /* the rest of it on another channel */
    al_transceiver_received(&b.t, &air);
    assert_int_equal(b.received, 0);
}

static void scan_excludes_sending_and_receiving(void **state)
{
    struct bench b;
    uint8_t f[DATA_LEN];
    begin(&b, true);
    assert_int_equal(al_transceiver_energy_scan(&b.t, b.now, 27, 100), AL_ERR_INVALID_ARG);
    assert_int_equal(al_transceiver_energy_scan(&b.t, b.now, 26, 138240), 0);
    assert_int_equal(b.measures, 1);
    arrives(&b, f, data_frame(f, SHORT, 1, true));
    assert_int_equal(b.received, 0);
    assert_int_equal(al_transceiver_transmit(&b.t, b.now, f, DATA_LEN), AL_ERR_INVALID_STATE);
    assert_int_equal(al_transceiver_energy_scan(&b.t, b.now, 26, 1), AL_ERR_INVALID_STATE);
    al_transceiver_measured(&b.t, b.now, -77);
    assert_int_equal(b.scanned, 1);
    assert_int_equal(b.level, -77);
    assert_true(b.listening);
}

static void wrong_arguments_are_refused(void **state)
{
    struct bench b;
    uint8_t f[DATA_LEN];
    struct al_radio_config c = usual();
    begin(&b, true);
    assert_int_equal(al_transceiver_transmit(&b.t, b.now, f, 2), AL_ERR_INVALID_ARG);
    assert_int_equal(al_transceiver_transmit(&b.t, b.now, f, 126), AL_ERR_INVALID_ARG);
    c.channel = 10;
    assert_int_equal(al_transceiver_configure(&b.t, b.now, &c), AL_ERR_INVALID_ARG);
    al_transceiver_transmit(&b.t, b.now, f, data_frame(f, 0x5678, 1, true));
    c = usual();
    c.short_addr = 7;
    assert_int_equal(al_transceiver_configure(&b.t, b.now, &c), 0);
    c.channel = 16;
    assert_int_equal(al_transceiver_configure(&b.t, b.now, &c), AL_ERR_INVALID_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acknowledged_frame_is_sent_once),
        cmocka_unit_test(backoff_has_at_most_7_periods_at_first_and_31_at_last),
        cmocka_unit_test(frame_without_ack_is_sent_four_times_with_the_same_number),
        cmocka_unit_test(next_frame_keeps_the_spacing),
        cmocka_unit_test(frame_for_this_node_is_acknowledged_in_time),
        cmocka_unit_test(own_frame_waits_for_the_acknowledgement_that_is_due),
        cmocka_unit_test(filter_lets_through_what_is_for_this_node),
        cmocka_unit_test(coordinator_takes_frames_without_destination),
        cmocka_unit_test(only_known_addresses_get_pending),
        cmocka_unit_test(sleeper_listens_only_behind_a_poll_with_pending),
        cmocka_unit_test(frame_that_began_before_the_receiver_was_on_is_lost),
        cmocka_unit_test(scan_excludes_sending_and_receiving),
        cmocka_unit_test(wrong_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
