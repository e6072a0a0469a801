/* Captures octet for octet; tests/e2e/test_radio_medium.py has them read by tshark. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/err.h"
#include "radio/capture.h"

#define EUI64 UINT64_C(0x744dbdfffe60aa02)
#define EPOCH UINT64_C(1700000000000000)

/* An acknowledgement; its FCS is that of 02 00 22 in the vectors: a8 b7. */
static const uint8_t ack[] = {0x02, 0x00, 0x22};

static const uint8_t pcap_header[] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0,
                                      0,    0,    0,    0,    0, 0, 0, 1, 0, 0};

struct bench {
    struct medium *m;
    struct medium_frame frame;
    char path[64];
};

static void begin(struct bench *b)
{
    b->m = medium_new(&(struct medium_config){0});
    const struct medium_node_config c = {.eui64 = EUI64};
    b->frame = (struct medium_frame){.start = 2500000,
                                     .end = 2500352,
                                     .from = medium_add_node(b->m, &c),
                                     .mpdu = ack,
                                     .len = sizeof ack,
                                     .channel = 20,
                                     .power = -4};
    snprintf(b->path, sizeof b->path, "/tmp/airlift-capture.XXXXXX");
    close(mkstemp(b->path));
}

static void end(struct bench *b)
{
    unlink(b->path);
    medium_free(b->m);
}

static size_t captured(struct bench *b, int link_type, uint8_t *file, size_t size)
{
    char why[128];
    const struct capture_config c = {.pcap = b->path, .link_type = link_type, .epoch_us = EPOCH};
    struct capture *capture = capture_open(&c, why, sizeof why);
    assert_non_null(capture);
    capture_frame(capture, &b->frame);
    assert_int_equal(capture_close(capture), 0);
    FILE *f = fopen(b->path, "rb");
    size_t len = fread(file, 1, size, f);
    fclose(f);
    return len;
}

static void pcap_holds_the_frame_with_its_check_sequence(void **state)
{
    static const uint8_t record[] = {195,  0,    0,    0,                  /* link type */
                                     0x02, 0xf1, 0x53, 0x65,               /* 1700000002 s */
                                     0x20, 0xa1, 0x07, 0x00,               /* 500000 us */
                                     5,    0,    0,    0,    5,   0, 0, 0, /* octets */
                                     0x02, 0x00, 0x22, 0xa8, 0xb7};
    struct bench b;
    uint8_t file[256];
    begin(&b);
    assert_int_equal(captured(&b, 0, file, sizeof file), sizeof pcap_header + sizeof record);
    assert_memory_equal(file, pcap_header, sizeof pcap_header);
    assert_memory_equal(file + sizeof pcap_header, record, sizeof record);
    end(&b);
}

static void tap_header_tells_channel_and_level(void **state)
{
    static const uint8_t packet[] = {0,    0,    28,   0,                        /* header */
                                     0,    0,    1,    0,    1,   0, 0,    0,    /* 16-bit FCS */
                                     1,    0,    4,    0,    0,   0, 0x80, 0xc0, /* -4.0 dBm */
                                     3,    0,    3,    0,    20,  0, 0,    0,    /* channel 20 */
                                     0x02, 0x00, 0x22, 0xa8, 0xb7};
    struct bench b;
    uint8_t file[256];
    begin(&b);
    assert_int_equal(captured(&b, CAPTURE_LINK_TAP, file, sizeof file), 24 + 16 + sizeof packet);
    assert_int_equal(file[20] | file[21] << 8, 283);
    assert_int_equal(file[32], sizeof packet);
    assert_memory_equal(file + 40, packet, sizeof packet);
    end(&b);
}

static void zep_datagram_has_its_32_octets_in_front(void **state)
{
    /* NTP: 2208988800 + 1700000002 = 0xe8fe6f82, half a second. */
    static const uint8_t datagram[] = {'E',  'X',  2,    1,    20,   0xaa, 0x02, 1, 255, 0xe8,
                                       0xfe, 0x6f, 0x82, 0x80, 0,    0,    0,    0, 0,   0,
                                       0,    0,    0,    0,    0,    0,    0,    0, 0,   0,
                                       0,    5,    0x02, 0x00, 0x22, 0xa8, 0xb7};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    struct bench b;
    char why[128];
    uint8_t got[128];
    begin(&b);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    getsockname(fd, (struct sockaddr *)&a, &len);
    const struct capture_config c = {.zep = true, .zep_port = ntohs(a.sin_port), .epoch_us = EPOCH};
    struct capture *capture = capture_open(&c, why, sizeof why);
    assert_non_null(capture);
    capture_frame(capture, &b.frame);
    capture_frame(capture, &b.frame);
    assert_int_equal(recv(fd, got, sizeof got, 0), sizeof datagram);
    assert_memory_equal(got, datagram, sizeof datagram);
    assert_int_equal(recv(fd, got, sizeof got, 0), sizeof datagram);
    assert_int_equal(got[20], 1); /* counts */
    close(fd);
    capture_frame(capture, &b.frame); /* nobody listens: no failure */
    capture_frame(capture, &b.frame);
    assert_int_equal(capture_close(capture), 0);
    end(&b);
}

static void file_that_cannot_be_written_is_named(void **state)
{
    struct bench b;
    char why[128];
    struct capture_config c = {.pcap = "/nowhere/air.pcap"};
    assert_null(capture_open(&c, why, sizeof why));
    assert_string_equal(why, "/nowhere/air.pcap: No such file or directory");
    begin(&b);
    c.pcap = "/dev/full";
    struct capture *capture = capture_open(&c, why, sizeof why);
    if (capture) {
        capture_frame(capture, &b.frame);
        assert_int_equal(capture_close(capture), AL_FAIL);
    }
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pcap_holds_the_frame_with_its_check_sequence),
        cmocka_unit_test(tap_header_tells_channel_and_level),
        cmocka_unit_test(zep_datagram_has_its_32_octets_in_front),
        cmocka_unit_test(file_that_cannot_be_written_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
