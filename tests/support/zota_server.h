/* An OTA server on a bench: the test is its clients and its store of files. */
#ifndef TESTS_SUPPORT_ZOTA_SERVER_H
#define TESTS_SUPPORT_ZOTA_SERVER_H

#include "tests/support/zota_frames.h"
#include "zigbee/ota_server.h"

#define S(n)  ((uint64_t)(n)*1000000)
#define MS(n) ((uint64_t)(n)*1000)

#define SERVER_BENCH_SESSIONS 8

struct server_bench {
    struct zota_wire wire;
    struct al_zota_server server;
    struct al_zota_session table[SERVER_BENCH_SESSIONS];
    uint64_t now;
    uint8_t seq; /* of the last frame from a client */

    uint8_t image[5000];
    struct al_zota_image file;
    int find_answer;
    struct al_zota_wanted wanted; /* of the last query */
    int read_answer;              /* < 0: instead of data */
    size_t read_most;             /* > 0: read gives no more at a time */
    struct al_zota_order order;
    struct al_zota_device device;
    struct al_zota_record saved;
    unsigned saves;
    unsigned events[AL_ZOTA_SERVER_REFUSED + 1];
    struct al_zota_server_event last[AL_ZOTA_SERVER_REFUSED + 1];
};

void server_bench_init(struct server_bench *b, const struct al_zota_server_config *config);
/* From a client of this address, endpoint 10; a new TSN each time. */
void server_bench_receive(struct server_bench *b, uint16_t addr, const struct al_zota_frame *f);
void server_bench_query(struct server_bench *b, uint16_t addr, uint32_t version);
struct al_zota_frame server_bench_block_req(const struct server_bench *b, uint32_t offset,
                                            uint8_t max);
void server_bench_ask(struct server_bench *b, uint16_t addr, uint32_t offset, uint8_t max);
void server_bench_ask_page(struct server_bench *b, uint16_t addr, uint32_t offset, uint16_t size,
                           uint16_t spacing);
void server_bench_end(struct server_bench *b, uint16_t addr, uint8_t status);
/* The only frame sent is a block with data of the file at offset. Its size. */
uint8_t server_bench_expect_block(struct server_bench *b, uint16_t addr, uint32_t offset);
/* The only frame sent is a block response without data. */
const struct al_zota_image_block_rsp *server_bench_expect_status(struct server_bench *b,
                                                                 uint8_t status);
struct al_zota_session *server_bench_session(struct server_bench *b, uint16_t addr);
/* The time of the next timer comes. How long it took, us. */
uint64_t server_bench_wait(struct server_bench *b);

#endif
