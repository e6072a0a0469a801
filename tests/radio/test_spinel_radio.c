/* spinel: radios and the co-processor's process, over real sockets and ptys: a medium and
 * a virtual co-processor in threads, a host and a plain radio in the test. */
#include "radio/spinel_radio.h"

#include "core/err.h"
#include "radio/medium_server.h"
#include "radio/rcp_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_US 5000000u

static char dir[64], medium_address[100], error[400];
static struct medium_server *medium;
static pthread_t medium_thread;
static atomic_bool medium_ends;

/* The co-processor in its thread. */
static struct rcp_server *rcp;
static pthread_t rcp_thread;
static int rcp_stop;

struct station {
    struct radio *radio;
    unsigned received, transmitted, scanned, restarted;
    uint8_t mpdu[AL_RADIO_MPDU_MAX];
    uint8_t len;
    enum al_radio_status status;
};
static struct station host, plain;

static void on_received(void *ctx, uint64_t now, const struct al_radio_rx *rx)
{
    struct station *s = ctx;
    s->received++;
    memcpy(s->mpdu, rx->mpdu, rx->len);
    s->len = rx->len;
}

static void on_transmitted(void *ctx, uint64_t now, enum al_radio_status status, bool pending)
{
    struct station *s = ctx;
    s->transmitted++;
    s->status = status;
}

static void on_scanned(void *ctx, uint64_t now, uint8_t channel, int8_t dbm)
{
    ((struct station *)ctx)->scanned++;
}

static void on_restarted(void *ctx, uint64_t now)
{
    ((struct station *)ctx)->restarted++;
}

static const struct radio_events events = {on_received, on_transmitted, on_scanned, on_restarted};

static void *serve_medium(void *arg)
{
    while (!medium_ends && medium_server_step(medium, 20) == 0) continue;
    return NULL;
}

static void *serve_rcp(void *arg)
{
    rcp_server_run(rcp);
    return NULL;
}

static void start_rcp(const char *listen)
{
    struct rcp_server_config c = {
        .radio = medium_address, .listen = listen, .eui64 = 0xf412fafffe000001};
    c.stop = rcp_stop = eventfd(0, EFD_CLOEXEC);
    rcp = rcp_server_open(&c, error, sizeof error);
    if (!rcp) fail_msg("%s", error);
    assert_int_equal(pthread_create(&rcp_thread, NULL, serve_rcp, NULL), 0);
}

static void stop_rcp(void)
{
    if (!rcp) return;
    assert_int_equal(write(rcp_stop, &(uint64_t){1}, 8), 8);
    pthread_join(rcp_thread, NULL);
    rcp_server_close(rcp);
    close(rcp_stop);
    rcp = NULL;
}

/* A radio on channel 15, PAN 0x1a62; fails the test if it does not open. */
static void open_station(struct station *s, const char *where, uint16_t short_addr)
{
    *s = (struct station){.radio = radio_open(where, 0, "test", &events, s, error, sizeof error)};
    if (!s->radio) fail_msg("%s", error);
    struct al_radio_config c = {.channel = 15,
                                .pan_id = 0x1a62,
                                .short_addr = short_addr,
                                .ext_addr = radio_eui64(s->radio),
                                .rx_on = true};
    const struct al_radio *port = radio_port(s->radio);
    assert_int_equal(port->configure(port->ctx, &c), 0);
}

static void open_host(void)
{
    char where[100];
    snprintf(where, sizeof where, "spinel:tcp://127.0.0.1:%u", rcp_server_port(rcp));
    open_station(&host, where, 0);
}

static int fresh(void **state)
{
    strcpy(dir, "/tmp/airlift-spinel-XXXXXX");
    assert_non_null(mkdtemp(dir));
    char path[80];
    snprintf(path, sizeof path, "%s/air", dir);
    snprintf(medium_address, sizeof medium_address, "medium:%s", path);
    medium =
        medium_server_open(&(struct medium_server_config){.address = path}, error, sizeof error);
    if (!medium) fail_msg("%s", error);
    medium_ends = false;
    assert_int_equal(pthread_create(&medium_thread, NULL, serve_medium, NULL), 0);
    host.radio = plain.radio = NULL;
    return 0;
}

static int done(void **state)
{
    radio_close(host.radio);
    radio_close(plain.radio);
    stop_rcp();
    medium_ends = true;
    pthread_join(medium_thread, NULL);
    medium_server_close(medium);
    assert_int_equal(rmdir(dir), 0); /* nothing is left behind */
    return 0;
}

static void send_frame(struct station *s, uint16_t from, uint16_t to, uint8_t seq)
{
    uint8_t mpdu[] = {0x61,
                      0x88,
                      seq,
                      0x62,
                      0x1a,
                      (uint8_t)to,
                      (uint8_t)(to >> 8),
                      (uint8_t)from,
                      (uint8_t)(from >> 8),
                      0xbb};
    const struct al_radio *port = radio_port(s->radio);
    assert_int_equal(port->transmit(port->ctx, mpdu, sizeof mpdu), 0);
}

/* Lets both radios work until *count is n. */
static void wait_for(const unsigned *count, unsigned n)
{
    uint64_t end = radio_now(host.radio) + PATIENCE_US;
    while (*count < n) {
        assert_int_equal(radio_wait(host.radio, radio_now(host.radio) + 2000, -1), 0);
        if (plain.radio) radio_wait(plain.radio, radio_now(plain.radio) + 2000, -1);
        assert_true(radio_now(host.radio) < end);
    }
    assert_int_equal(*count, n);
}

static void frames_go_both_ways(void)
{
    unsigned sent = host.transmitted, got = host.received, heard = plain.received;
    send_frame(&host, 0, 0x1234, 1);
    wait_for(&host.transmitted, sent + 1);
    assert_int_equal(host.status, AL_RADIO_SENT);
    wait_for(&plain.received, heard + 1);
    assert_int_equal(plain.mpdu[2], 1);
    sent = plain.transmitted;
    send_frame(&plain, 0x1234, 0, 2);
    wait_for(&plain.transmitted, sent + 1);
    assert_int_equal(plain.status, AL_RADIO_SENT);
    wait_for(&host.received, got + 1);
    assert_int_equal(host.len, 10);
    assert_int_equal(host.mpdu[2], 2);
}

static void a_co_processor_over_tcp_sends_and_hears(void **state)
{
    start_rcp("tcp:0");
    open_host();
    open_station(&plain, medium_address, 0x1234);
    assert_true(radio_eui64(host.radio) == 0xf412fafffe000001);
    assert_memory_equal(spinel_radio_version(host.radio), "AIRLIFT/", 8);
    frames_go_both_ways();
    assert_null(spinel_radio_trouble(host.radio));
    const struct al_radio *port = radio_port(host.radio);
    assert_int_equal(port->energy_scan(port->ctx, 20, 10000), 0);
    wait_for(&host.scanned, 1);
}

static void a_co_processor_on_a_pty_sends_and_hears(void **state)
{
    char listen[100], where[100];
    snprintf(listen, sizeof listen, "pty:%s/tty", dir);
    snprintf(where, sizeof where, "spinel:%s/tty?baud=115200", dir);
    start_rcp(listen);
    assert_memory_equal(rcp_server_device(rcp), "/dev/pts/", 9);
    open_station(&host, where, 0);
    open_station(&plain, medium_address, 0x1234);
    frames_go_both_ways();
    radio_close(host.radio); /* another host on the same line */
    open_station(&host, where, 0);
    frames_go_both_ways();
    assert_null(radio_open(where, 0, "second", &events, &host, error, sizeof error));
    assert_non_null(strstr(error, "used by another program"));
}

static void a_link_that_vanished_comes_back_with_the_configuration(void **state)
{
    char listen[32];
    start_rcp("tcp:0");
    snprintf(listen, sizeof listen, "tcp:%u", rcp_server_port(rcp));
    open_host();
    open_station(&plain, medium_address, 0x1234);
    frames_go_both_ways();
    stop_rcp();
    while (!spinel_radio_trouble(host.radio))
        assert_int_equal(radio_wait(host.radio, radio_now(host.radio) + 20000, -1), 0);
    unsigned before = host.transmitted;
    send_frame(&host, 0, 0x1234, 9);
    wait_for(&host.transmitted, before + 1);
    assert_int_equal(host.status, AL_RADIO_FAILED);
    start_rcp(listen);
    wait_for(&host.restarted, 1);
    frames_go_both_ways();
    assert_null(spinel_radio_trouble(host.radio));
}

static void a_second_host_is_turned_away(void **state)
{
    char where[100];
    start_rcp("tcp:0");
    open_host();
    open_station(&plain, medium_address, 0x1234);
    snprintf(where, sizeof where, "spinel:tcp://localhost:%u", rcp_server_port(rcp));
    assert_null(radio_open(where, 0, "second", &events, &host, error, sizeof error));
    if (!strstr(error, "closed") && !strstr(error, "reset")) fail_msg("%s", error);
    frames_go_both_ways();
}

static void without_a_host_it_acknowledges_nothing(void **state)
{
    start_rcp("tcp:0");
    open_host();
    open_station(&plain, medium_address, 0x1234);
    frames_go_both_ways();
    radio_close(host.radio);
    host.radio = NULL;
    uint64_t end = radio_now(plain.radio) + PATIENCE_US;
    while (plain.status == AL_RADIO_SENT) { /* until the co-processor has noticed */
        unsigned before = plain.transmitted;
        send_frame(&plain, 0x1234, 0, 3);
        while (plain.transmitted == before) radio_wait(plain.radio, end, -1);
        assert_true(radio_now(plain.radio) < end);
    }
    assert_int_equal(plain.status, AL_RADIO_NO_ACK);
}

static void waiting_ends_at_its_time_and_for_another_descriptor(void **state)
{
    start_rcp("tcp:0");
    open_host();
    uint64_t begin = radio_now(host.radio);
    assert_int_equal(radio_wait(host.radio, begin + 50000, -1), 0);
    assert_true(radio_now(host.radio) >= begin + 50000);
    int fd = eventfd(1, EFD_CLOEXEC);
    begin = radio_now(host.radio);
    assert_int_equal(radio_wait(host.radio, begin + 10000000, fd), 0);
    assert_true(radio_now(host.radio) < begin + 5000000);
    close(fd);
}

static void addresses_that_lead_nowhere_say_why(void **state)
{
    static const struct {
        const char *where, *reason;
    } cases[] = {
        {"spinel:", "expected a device"},
        {"spinel:tcp://127.0.0.1", "expected tcp://HOST:PORT"},
        {"spinel:tcp://:99", "expected tcp://HOST:PORT"},
        {"spinel:tcp://127.0.0.1:1", "Connection refused"},
        {"spinel:tcp://127.0.0.1:x", "127.0.0.1: "},
        {"spinel:/no/such/tty", "/no/such/tty: No such file"},
        {"spinel:/dev/null", "/dev/null is no serial line"},
        {"spinel:/dev/null?baud=12345", "not a speed of serial lines"},
        {"spinel:/dev/null?parity=even", "the options are baud=N and rtscts=1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(radio_open(cases[i].where, 0, "x", &events, &host, error, sizeof error));
        if (!strstr(error, cases[i].reason)) fail_msg("%s: %s", cases[i].where, error);
    }
}

static void a_peer_that_says_nothing_is_noticed(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&a, &len);
    char where[100];
    snprintf(where, sizeof where, "spinel:tcp://127.0.0.1:%u", ntohs(a.sin_port));
    assert_null(radio_open(where, 0, "x", &events, &host, error, sizeof error));
    if (!strstr(error, "is this an RCP")) fail_msg("%s", error);
    close(listener);
}

static void a_co_processor_says_why_it_cannot_start(void **state)
{
    static const struct {
        const char *radio, *listen, *reason;
    } cases[] = {
        {NULL, "tcp:x", "expected a port"},
        {NULL, "tcp:65536", "expected a port"},
        {NULL, "udp:1", "expected tcp:PORT or pty:LINK"},
        {NULL, "pty:", "expected tcp:PORT or pty:LINK"},
        {NULL, "pty:/no/such/dir/tty", "/no/such/dir/tty: No such file"},
        {NULL, "pty:/dev/null", "/dev/null: File exists"},
        {"medium:/no/such/medium", "tcp:0", "no medium is there"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rcp_server_config c = {.radio = cases[i].radio ? cases[i].radio : medium_address,
                                      .listen = cases[i].listen,
                                      .stop = -1};
        assert_null(rcp_server_open(&c, error, sizeof error));
        if (!strstr(error, cases[i].reason)) fail_msg("%s: %s", cases[i].listen, error);
    }
    start_rcp("tcp:0");
    char busy[32];
    snprintf(busy, sizeof busy, "tcp:%u", rcp_server_port(rcp));
    struct rcp_server_config c = {.radio = medium_address, .listen = busy, .stop = -1};
    assert_null(rcp_server_open(&c, error, sizeof error));
    assert_non_null(strstr(error, "Address already in use"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_co_processor_over_tcp_sends_and_hears, fresh, done),
        cmocka_unit_test_setup_teardown(a_co_processor_on_a_pty_sends_and_hears, fresh, done),
        cmocka_unit_test_setup_teardown(a_link_that_vanished_comes_back_with_the_configuration,
                                        fresh, done),
        cmocka_unit_test_setup_teardown(a_second_host_is_turned_away, fresh, done),
        cmocka_unit_test_setup_teardown(without_a_host_it_acknowledges_nothing, fresh, done),
        cmocka_unit_test_setup_teardown(waiting_ends_at_its_time_and_for_another_descriptor, fresh,
                                        done),
        cmocka_unit_test(addresses_that_lead_nowhere_say_why),
        cmocka_unit_test(a_peer_that_says_nothing_is_noticed),
        cmocka_unit_test_setup_teardown(a_co_processor_says_why_it_cannot_start, fresh, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
