/* The medium as a process of its own, with nodes that behave and nodes that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "radio/medium_message.h"
#include "radio/medium_port.h"
#include "tests/support/medium_process.h"

#define PAN    0x1a62
#define SECOND 1000000u
#define ROUNDS 50

/* --- a node --- */

struct station {
    struct radio *radio;
    unsigned received, answered, sent, scanned;
    uint8_t last[AL_RADIO_MPDU_MAX];
    uint8_t len;
    bool pending;
    int8_t level;
    uint32_t digest;
    uint64_t now;
};

static void received(void *ctx, uint64_t now, const struct al_radio_rx *rx)
{
    struct station *s = ctx;
    s->received++;
    s->len = rx->len;
    memcpy(s->last, rx->mpdu, rx->len);
    s->pending = rx->pending;
    s->digest = s->digest * 31 + (uint32_t)now;
    s->now = now;
}

static void transmitted(void *ctx, uint64_t now, enum al_radio_status status, bool pending)
{
    struct station *s = ctx;
    s->answered++;
    s->sent += status == AL_RADIO_SENT;
    s->pending = pending;
    s->digest = s->digest * 31 + (uint32_t)now + status;
    s->now = now;
}

static void scanned(void *ctx, uint64_t now, uint8_t channel, int8_t dbm)
{
    struct station *s = ctx;
    s->scanned++;
    s->level = dbm;
}

static const struct radio_events events = {received, transmitted, scanned, NULL};

static void join(struct station *s, const char *where, uint64_t eui64, const char *name)
{
    char why[256];
    memset(s, 0, sizeof *s);
    s->radio = radio_open(where, eui64, name, &events, s, why, sizeof why);
    if (!s->radio) fail_msg("%s", why);
    const struct al_radio_config c = {.channel = 20,
                                      .pan_id = PAN,
                                      .short_addr = (uint16_t)eui64,
                                      .ext_addr = eui64,
                                      .rx_on = true};
    assert_int_equal(radio_port(s->radio)->configure(radio_port(s->radio)->ctx, &c), 0);
}

static int transmit(struct station *s, uint8_t from, uint8_t to, uint8_t seq)
{
    uint8_t f[30] = {0x61, 0x88, seq, PAN & 0xff, PAN >> 8, to, 0, from, 0};
    return radio_port(s->radio)->transmit(radio_port(s->radio)->ctx, f, sizeof f);
}

/* One event more, or a second of the node's time. */
static void one_event(struct station *s)
{
    assert_int_equal(radio_wait(s->radio, radio_now(s->radio) + SECOND, -1), 0);
}

static void frame_goes_from_process_to_process(const char *address)
{
    struct medium_process s;
    struct station a, b;
    medium_process_start(&s, (struct medium_server_config){.address = address});
    join(&a, s.where, 1, "lamp");
    join(&b, s.where, 2, "coordinator");
    assert_true(radio_eui64(a.radio) == 1);
    uint64_t began = radio_now(a.radio);
    assert_int_equal(transmit(&a, 1, 2, 42), 0);
    assert_int_equal(transmit(&a, 1, 2, 43), AL_ERR_INVALID_STATE);
    one_event(&b);
    assert_int_equal(b.received, 1);
    assert_int_equal(b.len, 30);
    assert_int_equal(b.last[2], 42);
    one_event(&a);
    assert_int_equal(a.sent, 1);
    /* No sooner than the frame's and its acknowledgement's time on the air. */
    assert_true(radio_now(a.radio) - began >= 128 + 192 + 32 * 38 + 192 + 352);
    assert_int_equal(transmit(&b, 2, 1, 1), 0);
    one_event(&b);
    assert_int_equal(b.sent, 1);
    medium_process_await_log(&s, "coordinator is attached as 0000000000000002");
    radio_close(a.radio);
    medium_process_await_log(&s, "lamp is gone");
    radio_close(b.radio);
    medium_process_end(&s);
}

static void two_processes_talk_through_a_unix_socket(void **state)
{
    frame_goes_from_process_to_process(NULL);
}

static void two_processes_talk_through_udp(void **state)
{
    frame_goes_from_process_to_process("udp:0");
}

static void pending_and_scans_work_from_outside(void **state)
{
    const uint8_t poll[] = {0x63, 0x88, 9, PAN & 0xff, PAN >> 8, 2, 0, 1, 0, 4};
    struct medium_process s;
    struct station a, b;
    medium_process_start(&s, (struct medium_server_config){.speed = 20});
    join(&a, s.where, 1, NULL);
    join(&b, s.where, 2, NULL);
    const struct al_radio *ap = radio_port(a.radio), *bp = radio_port(b.radio);
    for (int known = 0; known < 3; known++) {
        if (known == 1) bp->set_pending(bp->ctx, false, 1, true);
        if (known == 2) bp->set_pending(bp->ctx, false, 1, false);
        if (known == 2) medium_port_pending_for_all(b.radio, true);
        radio_wait(b.radio, radio_now(b.radio) + SECOND, -1); /* the medium has read that */
        ap->transmit(ap->ctx, poll, sizeof poll);
        one_event(&a);
        one_event(&b);
        assert_int_equal(a.pending, known > 0);
        assert_int_equal(b.pending, known > 0);
    }
    assert_int_equal(ap->energy_scan(ap->ctx, 20, 138240), 0);
    assert_int_equal(transmit(&a, 1, 2, 1), AL_ERR_INVALID_STATE);
    one_event(&a);
    assert_int_equal(a.scanned, 1);
    assert_int_equal(a.level, MEDIUM_NOISE_DBM);
    assert_int_equal(ap->energy_scan(ap->ctx, 27, 1), AL_ERR_INVALID_ARG);
    radio_close(a.radio);
    radio_close(b.radio);
    medium_process_end(&s);
}

static void scaled_time_goes_faster(void **state)
{
    struct medium_process s;
    struct station a;
    struct timespec began, ended;
    medium_process_start(&s, (struct medium_server_config){.speed = 50});
    join(&a, s.where, 1, NULL);
    clock_gettime(CLOCK_MONOTONIC, &began);
    uint64_t then = radio_now(a.radio);
    radio_wait(a.radio, then + 10 * SECOND, -1);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    double took =
        (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
    assert_true(radio_now(a.radio) >= then + 10 * SECOND);
    assert_true(took >= 0.19 && took < 5);
    radio_close(a.radio);
    medium_process_end(&s);
}

/* --- as fast as possible --- */

/* Answers each frame with one, until a second goes by without any. */
static _Noreturn void echo(const char *where)
{
    struct station b;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    join(&b, where, 2, "echo");
    for (unsigned answers = 0;;) {
        uint64_t until = radio_now(b.radio) + 60 * SECOND;
        if (radio_wait(b.radio, until, -1) || radio_now(b.radio) >= until) _exit(0);
        if (b.received > answers && b.answered == answers)
            answers += transmit(&b, 2, 1, (uint8_t)answers) == 0;
    }
}

/* Frames there and back; gives what all times of all events come to. */
static uint32_t ping_pong(uint64_t seed, uint64_t *took)
{
    struct medium_process s;
    struct station a;
    medium_process_start(&s, (struct medium_server_config){
                                 .fast = true, .wait = 2, .medium = {.seed = seed, .loss = 0.1}});
    join(&a, s.where, 1, "ping");
    pid_t child = fork();
    if (child == 0) {
        radio_close(a.radio); /* of which this process has a copy */
        echo(s.where);
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned before = a.received;
        uint64_t until = radio_now(a.radio) + 10 * SECOND;
        assert_int_equal(transmit(&a, 1, 2, (uint8_t)i), 0);
        while ((a.answered == i || a.received == before) && radio_now(a.radio) < until)
            assert_int_equal(radio_wait(a.radio, until, -1), 0);
    }
    *took = a.now;
    uint32_t digest = a.digest;
    radio_close(a.radio);
    assert_int_equal(waitpid(child, NULL, 0), child);
    medium_process_end(&s);
    return digest;
}

static void fast_time_passes_only_while_all_wait(void **state)
{
    uint64_t took[3];
    uint32_t digest = ping_pong(1, &took[0]);
    assert_true(took[0] > 2 * ROUNDS * (320 + 32 * 38 + 544));
    assert_int_equal(ping_pong(1, &took[1]), digest);
    assert_int_equal(took[0], took[1]);
    assert_int_not_equal(ping_pong(2, &took[2]), digest);
}

/* Hours go by in no time when nobody does anything. */
static void fast_time_leaps_to_the_next_event(void **state)
{
    struct medium_process s;
    struct station a;
    medium_process_start(&s, (struct medium_server_config){.fast = true});
    join(&a, s.where, 1, NULL);
    assert_int_equal(radio_wait(a.radio, UINT64_C(36000) * SECOND, -1), 0);
    assert_int_equal(radio_now(a.radio), UINT64_C(36000) * SECOND);
    radio_close(a.radio);
    medium_process_end(&s);
}

static void silent_node_is_cut_off_from_a_fast_medium(void **state)
{
    struct medium_process s;
    struct station a, silent;
    medium_process_start(&s, (struct medium_server_config){.fast = true, .patience = 0.2});
    join(&silent, s.where, 7, "sleeping beauty");
    join(&a, s.where, 1, NULL);
    assert_int_equal(radio_wait(a.radio, SECOND, -1), 0);
    assert_int_equal(radio_now(a.radio), SECOND);
    medium_process_await_log(
        &s, "sleeping beauty: was silent for 0.2 s while the others waited for it");
    assert_int_equal(radio_wait(silent.radio, SECOND, -1), AL_FAIL);
    assert_non_null(strstr(radio_error(silent.radio), "was silent for 0.2 s"));
    radio_close(silent.radio);
    radio_close(a.radio);
    medium_process_end(&s);
}

/* --- death --- */

static void killed_node_is_removed(bool fast)
{
    struct medium_process s;
    struct station a, b;
    int ready[2];
    char c;
    medium_process_start(&s, (struct medium_server_config){.fast = fast});
    join(&a, s.where, 1, NULL);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        join(&b, s.where, 2, "victim");
        if (write(ready[1], "", 1) == 1) radio_wait(b.radio, UINT64_MAX, -1);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    medium_process_await_log(&s, "victim is gone");
    assert_int_equal(transmit(&a, 1, 2, 1), 0);
    one_event(&a);
    assert_int_equal(a.answered, 1);
    assert_int_equal(a.sent, 0); /* nobody acknowledges */
    join(&b, s.where, 2, "its successor");
    radio_close(b.radio);
    radio_close(a.radio);
    close(ready[0]);
    close(ready[1]);
    medium_process_end(&s);
}

static void node_that_dies_is_removed(void **state)
{
    killed_node_is_removed(false);
    killed_node_is_removed(true);
}

static void node_says_that_its_medium_has_ended(void **state)
{
    struct medium_process s;
    struct station a;
    medium_process_start(&s, (struct medium_server_config){0});
    join(&a, s.where, 1, NULL);
    medium_process_end(&s);
    assert_int_equal(radio_wait(a.radio, UINT64_MAX, -1), AL_FAIL);
    assert_string_equal(radio_error(a.radio), "medium: it has ended");
    assert_int_equal(transmit(&a, 1, 2, 1), AL_FAIL);
    radio_close(a.radio);
}

/* --- messages that are none --- */

static int raw_connection(const struct medium_process *s)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    uint8_t hello[64];
    snprintf(a.sun_path, sizeof a.sun_path, "%s", s->path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(recv(fd, hello, sizeof hello, 0), 16);
    assert_memory_equal(hello,
                        "\x80"
                        "airlift medium\x01",
                        16);
    return fd;
}

static void expect_refusal(struct medium_process *s, bool attach, const void *message, size_t len,
                           const char *why)
{
    static const uint8_t attach_message[] = {1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 'x'};
    uint8_t answer[MEDIUM_MESSAGE_MAX];
    int fd = raw_connection(s);
    if (attach) {
        assert_int_equal(send(fd, attach_message, sizeof attach_message, 0), 11);
        assert_int_equal(recv(fd, answer, sizeof answer, 0), 22);
    }
    assert_int_equal(send(fd, message, len, 0), len);
    ssize_t n = recv(fd, answer, sizeof answer - 1, 0);
    assert_true(n > 1);
    answer[n] = 0;
    assert_int_equal(answer[0], MEDIUM_ERROR);
    if (!strstr((char *)answer + 1, why)) fail_msg("'%s', not '%s'", answer + 1, why);
    assert_int_equal(recv(fd, answer, sizeof answer, 0), 0); /* and hangs up */
    close(fd);
}

static void malformed_message_is_named_and_ends_the_connection(void **state)
{
    static const struct {
        bool attached;
        const char *message;
        size_t len;
        const char *why;
    } cases[] = {
        {false, "\x47", 1, "unknown (0x47): there is no such message"},
        {false, "\x01\x01\x00", 3, "ATTACH (0x01): 3 octets are too few"},
        {false, "\x01\x02\x00\x00\x00\x00\x00\x00\x00\x00", 10, "version 2"},
        {false, "\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x1b[2J", 14, "not printable"},
        {false, "\x03\x41\x88\x01", 4, "TRANSMIT: before it has attached"},
        {true, "\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00", 10, "ATTACH: it is attached already"},
        {true, "\x03\x41\x88", 3, "TRANSMIT (0x03): the MPDU has not 3 to 125 octets"},
        {true, "\x04\x04\x00\x00\x00\x00\x00\x00\x00\x00", 10, "SET_PENDING (0x04): unknown flags"},
        {true, "\x05\x0a\x01\x00\x00\x00", 6, "SCAN (0x05): the channel is not 11 to 26"},
        {true, "\x05\x0b\x00\x00\x00\x00", 6, "SCAN (0x05): a scan takes time"},
        {true, "\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 14, "1 octets too many"},
        {true, "\x85\x00\x00\x00\x00\x00\x00\x00\x00", 9, "TIME: only the medium says that"},
    };
    struct medium_process s;
    struct station a, b;
    uint8_t big[300] = {3};
    medium_process_start(&s, (struct medium_server_config){0});
    join(&a, s.where, 1, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refusal(&s, cases[i].attached, cases[i].message, cases[i].len, cases[i].why);
    expect_refusal(&s, true, big, sizeof big, "more than 256 octets");
    /* The others never noticed. */
    join(&b, s.where, 2, NULL);
    assert_int_equal(transmit(&a, 1, 2, 1), 0);
    one_event(&b);
    assert_int_equal(b.received, 1);
    radio_close(a.radio);
    radio_close(b.radio);
    medium_process_end(&s);
}

static void second_transmission_at_once_is_refused(void **state)
{
    static const uint8_t message[] = {3, 0x41, 0x88, 1, 0xff, 0xff, 0xff, 0xff, 0, 0};
    struct medium_process s;
    uint8_t answer[MEDIUM_MESSAGE_MAX];
    medium_process_start(&s, (struct medium_server_config){0});
    int fd = raw_connection(&s);
    send(fd, "\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00", 10, 0);
    assert_int_equal(recv(fd, answer, sizeof answer, 0), 22);
    for (int i = 0; i < 20; i++) send(fd, message, sizeof message, MSG_NOSIGNAL);
    do assert_true(recv(fd, answer, sizeof answer, 0) > 0);
    while (answer[0] != MEDIUM_ERROR);
    medium_process_await_log(&s, "TRANSMIT: a transmission or scan is under way");
    close(fd);
    medium_process_end(&s);
}

static void address_in_use_is_refused(void **state)
{
    struct medium_process s;
    struct station a;
    char why[256];
    medium_process_start(&s, (struct medium_server_config){0});
    join(&a, s.where, 5, NULL);
    assert_null(radio_open(s.where, 5, NULL, &events, &a, why, sizeof why));
    assert_non_null(strstr(why, "0000000000000005 is attached already"));
    radio_close(a.radio);
    medium_process_end(&s);
}

/* --- sockets --- */

static void socket_in_use_is_refused_and_a_stale_one_taken_over(void **state)
{
    struct medium_process s;
    struct stat st;
    char why[256];
    medium_process_start(&s, (struct medium_server_config){0});
    const struct medium_server_config c = {.address = s.path};
    assert_null(medium_server_open(&c, why, sizeof why));
    assert_non_null(strstr(why, "a process listens there already"));
    kill(s.pid, SIGKILL);
    waitpid(s.pid, NULL, 0);
    assert_int_equal(stat(s.path, &st), 0); /* left over */
    struct medium_server *next = medium_server_open(&c, why, sizeof why);
    if (!next) fail_msg("%s", why);
    assert_int_equal(stat(s.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    medium_server_close(next);
    assert_int_not_equal(stat(s.path, &st), 0);
    fclose(fopen(s.path, "w"));
    assert_null(medium_server_open(&c, why, sizeof why));
    assert_non_null(strstr(why, "no socket"));
    assert_int_equal(stat(s.path, &st), 0);
    close(s.log);
    unlink(s.path);
    rmdir(s.dir);
}

static void connection_can_be_handed_over(void **state)
{
    struct medium_process s;
    struct station a;
    char why[256], where[32];
    medium_process_start(&s, (struct medium_server_config){0});
    int fd = medium_port_connect(s.path, why, sizeof why);
    assert_true(fd >= 0);
    snprintf(where, sizeof where, "medium:fd:%d", fd);
    join(&a, where, 3, NULL);
    assert_int_equal(transmit(&a, 3, 2, 1), 0);
    one_event(&a);
    assert_int_equal(a.answered, 1);
    radio_close(a.radio);
    medium_process_end(&s);
}

static void what_is_no_medium_is_named(void **state)
{
    char why[256], dir[] = "/tmp/airlift-medium.XXXXXX", path[64], where[80];
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    assert_null(radio_open("airwaves", 0, NULL, &events, NULL, why, sizeof why));
    assert_non_null(strstr(why, "'airwaves' is no radio; it is medium:SOCKET, spinel:"));
    assert_null(radio_open("medium:/nowhere/air", 0, NULL, &events, NULL, why, sizeof why));
    assert_non_null(strstr(why, "no medium is there"));
    assert_null(radio_open("medium:udp:1", 0, NULL, &events, NULL, why, sizeof why));
    assert_null(radio_open("medium:udp:x", 0, NULL, &events, NULL, why, sizeof why));
    assert_null(radio_open("medium:fd:0x", 0, NULL, &events, NULL, why, sizeof why));
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/other", dir);
    snprintf(where, sizeof where, "medium:%s", path);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_null(radio_open(where, 0, NULL, &events, NULL, why, sizeof why));
    assert_non_null(strstr(why, "what listens there is no medium"));
    close(fd);
    unlink(path);
    fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 1), 0);
    pid_t child = fork();
    if (child == 0) {
        int c = accept(fd, NULL, NULL);
        _exit(send(c, "220 ready", 9, 0) != 9);
    }
    assert_null(radio_open(where, 0, NULL, &events, NULL, why, sizeof why));
    assert_non_null(strstr(why, "unknown (0x32)"));
    waitpid(child, NULL, 0);
    close(fd);
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_processes_talk_through_a_unix_socket),
        cmocka_unit_test(two_processes_talk_through_udp),
        cmocka_unit_test(pending_and_scans_work_from_outside),
        cmocka_unit_test(scaled_time_goes_faster),
        cmocka_unit_test(fast_time_passes_only_while_all_wait),
        cmocka_unit_test(fast_time_leaps_to_the_next_event),
        cmocka_unit_test(silent_node_is_cut_off_from_a_fast_medium),
        cmocka_unit_test(node_that_dies_is_removed),
        cmocka_unit_test(node_says_that_its_medium_has_ended),
        cmocka_unit_test(malformed_message_is_named_and_ends_the_connection),
        cmocka_unit_test(second_transmission_at_once_is_refused),
        cmocka_unit_test(address_in_use_is_refused),
        cmocka_unit_test(socket_in_use_is_refused_and_a_stale_one_taken_over),
        cmocka_unit_test(connection_can_be_handed_over),
        cmocka_unit_test(what_is_no_medium_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
