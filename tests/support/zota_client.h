/* An OTA client on a bench: the test is its server and its application. */
#ifndef TESTS_SUPPORT_ZOTA_CLIENT_H
#define TESTS_SUPPORT_ZOTA_CLIENT_H

#include "tests/support/zota_frames.h"
#include "zigbee/ota_client.h"

#define S(n)  ((uint64_t)(n)*1000000)
#define MS(n) ((uint64_t)(n)*1000)

struct client_bench {
    struct zota_wire wire;
    struct al_zota_client client;
    uint64_t now;
    struct al_zota_peer server;
    uint8_t seq; /* of frames from the server */

    struct al_zota_file file; /* that the server has */
    uint8_t image[20000];

    /* The application */
    uint8_t offer_answer;
    uint32_t offer_put; /* UINT32_MAX: leave the offset */
    bool reinstall;
    int data_answer, check_answer;
    uint32_t got; /* bytes so far */
    unsigned checks;
    struct al_zota_progress saved;
    unsigned saves;
    unsigned events[AL_ZOTA_CLIENT_IGNORED + 1];
    struct al_zota_client_event last[AL_ZOTA_CLIENT_IGNORED + 1];
    uint8_t page[AL_ZOTA_PAGE_BUFFER(4096)];
};

/* Server 0x0000 endpoint 5 is known; queries only when told. */
void client_bench_init(struct client_bench *b, const struct al_zota_client_config *config);
/* The defaults of the tests: 0x131b/0x0001, version 1 runs. */
struct al_zota_client_config client_bench_config(void);

void client_bench_receive(struct client_bench *b, const struct al_zota_frame *f);
void client_bench_receive_from(struct client_bench *b, struct al_zota_peer from, bool broadcast,
                               const struct al_zota_frame *f);
void client_bench_default(struct client_bench *b, uint8_t command, uint8_t status);
/* The time of the next timer comes; fails when there is none. How long it took, us. */
uint64_t client_bench_wait(struct client_bench *b);

void client_bench_offer(struct client_bench *b);
struct al_zota_frame client_bench_block(const struct client_bench *b, uint32_t offset, uint8_t n);
void client_bench_send_block(struct client_bench *b, uint32_t offset, uint8_t n);
struct al_zota_frame client_bench_hold(uint32_t current, uint32_t request, int period);
/* query, offer: the first block or page request is out. */
void client_bench_start(struct client_bench *b);
/* Answers block requests until all is there: Upgrade End Request is out. */
void client_bench_download(struct client_bench *b);
struct al_zota_frame client_bench_order(const struct client_bench *b, uint32_t current,
                                        uint32_t upgrade);

#endif
