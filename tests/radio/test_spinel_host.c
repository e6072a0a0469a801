/* The host's side of spinel: against the virtual co-processor in virtual time, with
 * frames lost on the line. */
#include "radio/spinel_host.h"

#include "core/err.h"
#include "tests/support/rcp_bench.h"
#include "tests/support/spinel_examples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define STEP_US 250u

/* One direction of the line. */
struct line {
    uint8_t bytes[16384];
    size_t len;
    unsigned chunks, drop; /* written so far; the one to lose, from 1; 0: none */
    bool cut;              /* loses everything */
};

static struct rcp_bench *b;
static struct spinel_host *h;
static struct line to_rcp, to_host;
static struct {
    unsigned received, transmitted, scanned, restarted;
    struct al_radio_rx rx;
    uint8_t mpdu[AL_RADIO_MPDU_MAX];
    enum al_radio_status status;
    bool pending;
    int8_t dbm;
} seen;

static const struct al_radio_config coordinator = {.channel = RCP_BENCH_CHAN,
                                                   .power = 7,
                                                   .pan_id = RCP_BENCH_PAN,
                                                   .short_addr = 0,
                                                   .ext_addr = 0x744dbdfffe63788a,
                                                   .rx_on = true};

static void write_line(void *line, const uint8_t *bytes, size_t len)
{
    struct line *l = line;
    if (++l->chunks == l->drop || l->cut) return;
    assert_true(len <= sizeof l->bytes - l->len);
    memcpy(l->bytes + l->len, bytes, len);
    l->len += len;
}

static void on_received(void *ctx, uint64_t now, const struct al_radio_rx *rx)
{
    seen.received++;
    seen.rx = *rx;
    memcpy(seen.mpdu, rx->mpdu, rx->len);
}

static void on_transmitted(void *ctx, uint64_t now, enum al_radio_status status, bool pending)
{
    seen.transmitted++;
    seen.status = status;
    seen.pending = pending;
}

static void on_scanned(void *ctx, uint64_t now, uint8_t channel, int8_t dbm)
{
    seen.scanned++;
    seen.dbm = dbm;
}

static void on_restarted(void *ctx, uint64_t now)
{
    seen.restarted++;
}

static uint64_t now(void)
{
    return medium_now(b->medium);
}

static size_t take_line(struct line *l, uint8_t *out)
{
    size_t n = l->len;
    memcpy(out, l->bytes, n);
    l->len = 0;
    return n;
}

/* Carries bytes until both sides are quiet. */
static void carry(void)
{
    static uint8_t bytes[sizeof to_rcp.bytes];
    while (to_rcp.len || to_host.len) {
        rcp_input(&b->rcp, bytes, take_line(&to_rcp, bytes));
        size_t n = take_line(&to_host, bytes);
        if (h->state != SPINEL_LOST) spinel_host_input(h, now(), bytes, n);
    }
}

static void run(uint32_t us)
{
    for (uint32_t done = 0; done < us; done += STEP_US) {
        carry();
        rcp_bench_run(b, STEP_US);
        if (spinel_host_next(h) <= now()) spinel_host_run(h, now());
    }
    carry();
}

static int fresh(void **state)
{
    b = rcp_bench_new();
    b->to_host = write_line;
    b->to_host_ctx = &to_host;
    memset(&to_rcp, 0, sizeof to_rcp);
    memset(&to_host, 0, sizeof to_host);
    memset(&seen, 0, sizeof seen);
    h = calloc(1, sizeof *h);
    assert_non_null(h);
    h->events = (struct radio_events){on_received, on_transmitted, on_scanned, on_restarted};
    h->send = write_line;
    h->io = &to_rcp;
    spinel_host_init(h);
    return 0;
}

static int done(void **state)
{
    spinel_host_free(h);
    free(h);
    rcp_bench_free(b);
    return 0;
}

static int running(void **state)
{
    fresh(state);
    spinel_host_link_up(h, now());
    run(2000);
    assert_int_equal(h->state, SPINEL_RUNNING);
    assert_int_equal(spinel_host_configure(h, now(), &coordinator), 0);
    run(2000);
    return 0;
}

/* A frame to the neighbour of the bench that asks for an acknowledgement. */
static const uint8_t to_other[] = {0x61, 0x88, 5, 0x62, 0x1a, 0x34, 0x12, 0, 0, 0xbb};
static const uint8_t to_nobody[] = {0x61, 0x88, 6, 0x62, 0x1a, 0x99, 0x99, 0, 0, 0xbb};

static void the_start_leads_to_running_and_tells_who_it_is(void **state)
{
    assert_int_equal(h->state, SPINEL_DOWN);
    spinel_host_link_up(h, now());
    assert_int_equal(h->state, SPINEL_PROBING);
    run(2000);
    assert_int_equal(h->state, SPINEL_RUNNING);
    assert_true(h->probe.eui64 == RCP_BENCH_EUI);
    assert_memory_equal(h->probe.version, "AIRLIFT/", 8);
    assert_int_equal(seen.restarted, 0);
    assert_false(b->rcp.set.phy_enabled); /* nothing was asked for yet */
}

static void a_chip_that_is_still_starting_is_asked_from_the_beginning(void **state)
{
    spinel_host_link_up(h, now());
    rcp_input(&b->rcp, to_rcp.bytes, to_rcp.len);
    to_rcp.len = 0;
    spinel_host_input(h, now(), to_host.bytes, to_host.len);
    assert_int_equal(h->probe.step, 1);
    to_host.len = to_rcp.len = 0; /* the second question reaches nobody */
    spinel_host_input(h, now(), (const uint8_t *)"\x7e\x80\x06\x00\x70\xee\x74\x7e", 8);
    assert_int_equal(h->state, SPINEL_PROBING);
    assert_int_equal(h->probe.step, 0);
    run(2000);
    assert_int_equal(h->state, SPINEL_RUNNING);
}

static void the_configuration_arrives(void **state)
{
    const struct rcp_settings *s = &b->rcp.set;
    assert_true(s->phy_enabled && s->raw_stream && s->rx_on_when_idle && s->match_enabled);
    assert_int_equal(s->channel, RCP_BENCH_CHAN);
    assert_int_equal(s->power, 7);
    assert_int_equal(s->panid, RCP_BENCH_PAN);
    assert_int_equal(s->saddr, 0);
    assert_true(s->laddr == 0x744dbdfffe63788a);
    assert_int_equal(s->promiscuous, 0);
}

static void only_what_differs_is_sent(void **state)
{
    unsigned before = to_rcp.chunks;
    spinel_host_configure(h, now(), &coordinator);
    run(1000);
    assert_int_equal(to_rcp.chunks, before);
    struct al_radio_config c = coordinator;
    c.rx_on = false;
    c.promiscuous = true;
    spinel_host_configure(h, now(), &c);
    run(1000);
    assert_int_equal(to_rcp.chunks, before + 2);
    assert_true(!b->rcp.set.rx_on_when_idle && b->rcp.set.promiscuous == 2);
}

static void transmissions_end_with_what_the_air_gave(void **state)
{
    assert_int_equal(spinel_host_transmit(h, now(), to_other, sizeof to_other), 0);
    assert_int_equal(spinel_host_transmit(h, now(), to_other, sizeof to_other),
                     AL_ERR_INVALID_STATE);
    assert_int_equal(seen.transmitted, 0);
    run(20000);
    assert_int_equal(seen.transmitted, 1);
    assert_int_equal(seen.status, AL_RADIO_SENT);
    assert_int_equal(b->heard_len, sizeof to_other);
    assert_memory_equal(b->heard, to_other, sizeof to_other);
    assert_int_equal(spinel_host_transmit(h, now(), to_nobody, sizeof to_nobody), 0);
    run(100000);
    assert_int_equal(seen.transmitted, 2);
    assert_int_equal(seen.status, AL_RADIO_NO_ACK);
    struct medium_stats stats;
    medium_stats(b->medium, &stats);
    assert_int_equal(stats.repetitions, 3);
}

static void statuses_of_other_failures_are_told_apart(void **state)
{
    static const struct {
        const char *value;
        enum al_radio_status status;
    } answers[] = {{"120001", AL_RADIO_CHANNEL_BUSY},
                   {"040001", AL_RADIO_FAILED},
                   {"0c0001", AL_RADIO_FAILED},
                   {"000101", AL_RADIO_SENT}};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        uint8_t payload[32], line[80];
        char hex[64];
        to_rcp.cut = true;
        spinel_host_transmit(h, now(), to_other, sizeof to_other);
        snprintf(hex, sizeof hex, "8%x0600%s", h->tx.tid, answers[i].value);
        struct al_put p = al_put(line, sizeof line);
        hdlc_put(&p, payload, hex_bytes(hex, payload, sizeof payload));
        spinel_host_input(h, now(), line, p.len);
        assert_int_equal(seen.transmitted, i + 1);
        assert_int_equal(seen.status, answers[i].status);
        assert_int_equal(seen.pending, answers[i].status == AL_RADIO_SENT);
    }
}

static void wrong_calls_are_refused(void **state)
{
    uint8_t mpdu[128] = {0};
    struct al_radio_config c = coordinator;
    assert_int_equal(spinel_host_transmit(h, now(), mpdu, 2), AL_ERR_INVALID_ARG);
    assert_int_equal(spinel_host_transmit(h, now(), mpdu, 126), AL_ERR_INVALID_ARG);
    c.channel = 27;
    assert_int_equal(spinel_host_configure(h, now(), &c), AL_ERR_INVALID_ARG);
    assert_int_equal(spinel_host_energy_scan(h, now(), 10, 1000), AL_ERR_INVALID_ARG);
    spinel_host_transmit(h, now(), to_other, sizeof to_other);
    c.channel = 20;
    assert_int_equal(spinel_host_configure(h, now(), &c), AL_ERR_INVALID_STATE);
    assert_int_equal(spinel_host_energy_scan(h, now(), 11, 1000), AL_ERR_INVALID_STATE);
}

static void a_frame_waits_for_its_channel(void **state)
{
    struct al_radio_config c = coordinator;
    c.channel = 20;
    spinel_host_configure(h, now(), &c);
    spinel_host_transmit(h, now(), to_other, sizeof to_other);
    assert_int_equal(h->tx.state, SPINEL_TX_WAITING);
    run(100000);
    assert_int_equal(seen.status, AL_RADIO_NO_ACK); /* the neighbour is on channel 15 */
    assert_int_equal(b->heard_count, 0);
    spinel_host_configure(h, now(), &coordinator);
    spinel_host_transmit(h, now(), to_other, sizeof to_other);
    run(100000);
    assert_int_equal(seen.status, AL_RADIO_SENT);
}

static void heard_frames_arrive_without_fcs(void **state)
{
    rcp_bench_other_sends(b, "618801621a00003412aa");
    run(20000);
    assert_int_equal(seen.received, 1);
    assert_int_equal(seen.rx.len, 10);
    assert_memory_equal(seen.mpdu, "\x61\x88\x01\x62\x1a\0\0\x34\x12\xaa", 10);
    assert_int_equal(seen.rx.rssi, -50);
    assert_true(seen.rx.lqi > 0);
    assert_false(seen.rx.pending);
}

static void frames_with_a_bad_fcs_are_dropped(void **state)
{
    struct spinel_rx rx = {.mpdu = to_other, .len = sizeof to_other, .flags = SPINEL_RX_BAD_FCS};
    for (int bad = 1; bad >= 0; bad--) {
        uint8_t payload[64], line[HDLC_LINE_MAX(64)];
        struct al_put p = al_put(payload, sizeof payload), out = al_put(line, sizeof line);
        rx.flags = bad ? SPINEL_RX_BAD_FCS : 0;
        spinel_begin(&p, 0, SPINEL_IS, SPINEL_STREAM_RAW);
        spinel_rx_put(&p, &rx);
        hdlc_put(&out, payload, p.len);
        spinel_host_input(h, now(), line, out.len);
        assert_int_equal(seen.received, !bad);
    }
}

/* The neighbour polls; is there something for it? */
static bool poll_says_pending(void)
{
    rcp_bench_other_sends(b, "638804621a0000341204");
    run(30000);
    assert_int_equal(b->sent, AL_RADIO_SENT);
    assert_int_equal(seen.rx.pending, b->sent_pending);
    return b->sent_pending;
}

static void pending_addresses_are_kept_up_to_date(void **state)
{
    assert_false(poll_says_pending());
    assert_int_equal(spinel_host_set_pending(h, now(), false, 0x1234, true), 0);
    spinel_host_set_pending(h, now(), true, RCP_BENCH_OTHER, true);
    run(1000);
    assert_true(poll_says_pending());
    assert_int_equal(b->rcp.match_count, 2);
    spinel_host_set_pending(h, now(), false, 0x1234, false);
    spinel_host_set_pending(h, now(), false, 0x4321, false); /* was never there */
    run(1000);
    assert_false(poll_says_pending());
    spinel_host_set_pending(h, now(), false, 0x1234, true); /* and back before it is told */
    spinel_host_set_pending(h, now(), false, 0x1234, false);
    run(1000);
    assert_int_equal(b->rcp.match_count, 1);
}

static void when_the_table_is_full_every_poll_is_answered_with_pending(void **state)
{
    for (unsigned i = 0; i < RCP_MATCH_MAX + 3; i++)
        spinel_host_set_pending(h, now(), false, 0x2000 + i, true);
    run(300000);
    assert_int_equal(b->rcp.match_count, RCP_MATCH_MAX);
    assert_false(b->rcp.set.match_enabled);
    assert_true(poll_says_pending());
    for (unsigned i = 0; i < 3; i++) spinel_host_set_pending(h, now(), false, 0x2000 + i, false);
    run(100000);
    assert_int_equal(b->rcp.match_count, RCP_MATCH_MAX);
    assert_true(b->rcp.set.match_enabled);
    assert_false(poll_says_pending());
}

static void an_energy_scan_gives_the_level(void **state)
{
    assert_int_equal(spinel_host_energy_scan(h, now(), 20, 50000), 0);
    run(40000);
    assert_int_equal(seen.scanned, 0);
    run(20000);
    assert_int_equal(seen.scanned, 1);
    assert_int_equal(seen.dbm, MEDIUM_NOISE_DBM);
    spinel_host_transmit(h, now(), to_other, sizeof to_other);
    run(20000);
    assert_int_equal(seen.status, AL_RADIO_SENT);
}

static void a_scan_without_result_ends_all_the_same(void **state)
{
    spinel_host_energy_scan(h, now(), 20, 50000);
    run(5000);
    to_host.cut = true;
    run(2100000);
    assert_int_equal(seen.scanned, 1);
    assert_int_equal(seen.dbm, SPINEL_SCAN_FAILED_DBM);
}

static void after_an_unexpected_reset_everything_is_set_again(void **state)
{
    spinel_host_set_pending(h, now(), false, 0x1234, true);
    run(1000);
    spinel_host_transmit(h, now(), to_nobody, sizeof to_nobody);
    run(1000);
    rcp_bench_host(b, "860102"); /* not by this host */
    assert_int_equal(b->rcp.match_count, 0);
    run(5000);
    assert_int_equal(seen.transmitted, 1);
    assert_int_equal(seen.status, AL_RADIO_FAILED);
    assert_int_equal(seen.restarted, 1);
    the_configuration_arrives(state);
    assert_true(poll_says_pending());
    run(100000);
    assert_int_equal(seen.transmitted, 1);
}

static void every_frame_may_get_lost_once_in_either_direction(void **state)
{
    done(NULL); /* each round has its own */
    for (int direction = 0; direction < 2; direction++) {
        for (unsigned nth = 1; nth <= 24; nth++) {
            struct line *l = direction ? &to_host : &to_rcp;
            fresh(NULL);
            l->drop = nth;
            h->answer_us = 20000;
            spinel_host_configure(h, now(), &coordinator);
            spinel_host_set_pending(h, now(), false, 0x1234, true);
            spinel_host_link_up(h, now());
            run(200000);
            assert_int_equal(h->state, SPINEL_RUNNING);
            the_configuration_arrives(NULL);
            assert_int_equal(b->rcp.match_count, 1);
            assert_int_equal(seen.restarted, 0);
            done(NULL);
        }
    }
    fresh(NULL); /* for the teardown */
}

static void a_transmission_that_is_never_answered_fails(void **state)
{
    to_rcp.cut = true;
    spinel_host_transmit(h, now(), to_other, sizeof to_other);
    run(1100000);
    assert_int_equal(seen.status, AL_RADIO_FAILED);
    assert_int_equal(h->state, SPINEL_RUNNING); /* only that frame was damaged on the line */
    to_rcp.cut = false;
    spinel_host_transmit(h, now(), to_other, sizeof to_other);
    run(20000);
    assert_int_equal(seen.status, AL_RADIO_SENT);
    to_host.cut = true;
    for (unsigned i = 1; i <= SPINEL_TX_LOST_MAX; i++) {
        spinel_host_transmit(h, now(), to_other, sizeof to_other);
        run(1100000);
        assert_int_equal(seen.transmitted, 2 + i);
        assert_int_equal(seen.status, AL_RADIO_FAILED);
        assert_int_equal(h->state, i < SPINEL_TX_LOST_MAX ? SPINEL_RUNNING : SPINEL_LOST);
    }
    assert_non_null(strstr(h->why, "no longer answers"));
}

static void silence_and_noise_are_told_apart(void **state)
{
    to_rcp.cut = true;
    spinel_host_link_up(h, now());
    run(5100000);
    assert_int_equal(h->state, SPINEL_LOST);
    assert_non_null(strstr(h->why, "is this an RCP"));
    spinel_host_link_up(h, now());
    spinel_host_input(h, now(), (const uint8_t *)"\x80\xf0 boot: ESP-IDF \x7e\x01\x02\x7e", 20);
    run(5100000);
    assert_int_equal(h->state, SPINEL_LOST);
    assert_non_null(strstr(h->why, "20 bytes come"));
}

static void while_it_is_away_transmissions_fail_and_wishes_are_kept(void **state)
{
    spinel_host_link_down(h);
    assert_int_equal(h->state, SPINEL_DOWN);
    assert_int_equal(spinel_host_transmit(h, now(), to_other, sizeof to_other), 0);
    assert_int_equal(seen.transmitted, 0); /* never from inside a call */
    spinel_host_run(h, now());
    assert_int_equal(seen.status, AL_RADIO_FAILED);
    assert_int_equal(spinel_host_energy_scan(h, now(), 20, 50000), 0);
    spinel_host_run(h, now());
    assert_int_equal(seen.dbm, SPINEL_SCAN_FAILED_DBM);
    struct al_radio_config c = coordinator;
    c.channel = 25;
    assert_int_equal(spinel_host_configure(h, now(), &c), 0);
    spinel_host_set_pending(h, now(), true, 1, true);
    to_rcp.len = to_host.len = 0;
    rcp_new_host(&b->rcp);
    spinel_host_link_up(h, now());
    run(5000);
    assert_int_equal(h->state, SPINEL_RUNNING);
    assert_int_equal(seen.restarted, 1);
    assert_int_equal(b->rcp.set.channel, 25);
    assert_int_equal(b->rcp.match_count, 1);
}

static void what_is_no_usable_co_processor_is_refused(void **state)
{
    uint8_t payload[16], line[64];
    struct al_put p = al_put(line, sizeof line);
    spinel_host_link_up(h, now());
    hdlc_put(&p, payload, hex_bytes("8106010600", payload, sizeof payload));
    spinel_host_input(h, now(), line, p.len);
    assert_int_equal(h->state, SPINEL_REFUSED);
    assert_non_null(strstr(h->why, "protocol 6.0"));
}

/* Answers all requests, that for property with status. */
static void refuse_setting(uint32_t property, uint32_t status)
{
    uint8_t payload[16], line[64];
    for (int i = 0; i < 40 && h->ask.what; i++) {
        struct spinel_frame f;
        struct al_put p = al_put(payload, sizeof payload), out = al_put(line, sizeof line);
        assert_int_equal(spinel_parse(&f, h->ask.frame, h->ask.len), 0);
        bool refused = f.property == property;
        spinel_begin(&p, f.tid, SPINEL_IS, refused ? SPINEL_LAST_STATUS : f.property);
        if (refused)
            spinel_put_uint(&p, status);
        else
            al_put_bytes(&p, f.value.buf, f.value.len);
        hdlc_put(&out, payload, p.len);
        spinel_host_input(h, now(), line, out.len);
    }
}

static void a_setting_that_is_needed_must_be_taken_others_need_not(void **state)
{
    static const struct {
        uint32_t property, status;
        enum spinel_host_state state;
    } cases[] = {{SPINEL_PHY_CHAN, SPINEL_INVALID_ARGUMENT, SPINEL_REFUSED},
                 {SPINEL_MAC_RAW_STREAM, SPINEL_PROP_NOT_FOUND, SPINEL_REFUSED},
                 {SPINEL_PHY_ENABLED, SPINEL_INVALID_STATE, SPINEL_LOST}, /* tried again */
                 {SPINEL_PHY_TX_POWER, SPINEL_PROP_NOT_FOUND, SPINEL_RUNNING},
                 {SPINEL_MAC_RX_ON_WHEN_IDLE, SPINEL_PROP_NOT_FOUND, SPINEL_RUNNING},
                 {SPINEL_MAC_SRC_MATCH_ENABLED, SPINEL_PROP_NOT_FOUND, SPINEL_RUNNING}};
    done(NULL); /* each round has its own */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fresh(NULL);
        spinel_host_link_up(h, now());
        run(2000);
        to_rcp.cut = true;
        spinel_host_configure(h, now(), &coordinator);
        spinel_host_set_pending(h, now(), false, 0x1234, true);
        refuse_setting(cases[i].property, cases[i].status);
        assert_int_equal(h->state, cases[i].state);
        bool told = strstr(h->why, spinel_status_name(cases[i].status)) != NULL;
        assert_int_equal(told, cases[i].state != SPINEL_RUNNING);
        assert_int_equal(h->ask.what, SPINEL_ASK_NOTHING);
        assert_false(h->state == SPINEL_RUNNING && spinel_settings_differ(&h->settings));
        done(NULL);
    }
    fresh(NULL); /* for the teardown */
}

#define ON_A_NEW_ONE(test) cmocka_unit_test_setup_teardown(test, fresh, done)
#define ON_A_RUNNING(test) cmocka_unit_test_setup_teardown(test, running, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_NEW_ONE(the_start_leads_to_running_and_tells_who_it_is),
        ON_A_NEW_ONE(a_chip_that_is_still_starting_is_asked_from_the_beginning),
        ON_A_RUNNING(the_configuration_arrives),
        ON_A_RUNNING(only_what_differs_is_sent),
        ON_A_RUNNING(transmissions_end_with_what_the_air_gave),
        ON_A_RUNNING(statuses_of_other_failures_are_told_apart),
        ON_A_RUNNING(wrong_calls_are_refused),
        ON_A_RUNNING(a_frame_waits_for_its_channel),
        ON_A_RUNNING(heard_frames_arrive_without_fcs),
        ON_A_RUNNING(frames_with_a_bad_fcs_are_dropped),
        ON_A_RUNNING(pending_addresses_are_kept_up_to_date),
        ON_A_RUNNING(when_the_table_is_full_every_poll_is_answered_with_pending),
        ON_A_RUNNING(an_energy_scan_gives_the_level),
        ON_A_RUNNING(a_scan_without_result_ends_all_the_same),
        ON_A_RUNNING(after_an_unexpected_reset_everything_is_set_again),
        ON_A_NEW_ONE(every_frame_may_get_lost_once_in_either_direction),
        ON_A_RUNNING(a_transmission_that_is_never_answered_fails),
        ON_A_NEW_ONE(silence_and_noise_are_told_apart),
        ON_A_RUNNING(while_it_is_away_transmissions_fail_and_wishes_are_kept),
        ON_A_NEW_ONE(what_is_no_usable_co_processor_is_refused),
        ON_A_NEW_ONE(a_setting_that_is_needed_must_be_taken_others_need_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
