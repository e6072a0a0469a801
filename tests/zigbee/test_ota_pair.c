/* OTA clients against the OTA server over an air that loses, doubles and reorders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/zota_frames.h"
#include "tests/support/zota_net.h"

#define S(n)  ((uint64_t)(n)*1000000)
#define MS(n) ((uint64_t)(n)*1000)

static struct zota_net n;

static uint64_t took(unsigned i)
{
    return n.client[i].finished_at - n.client[i].started;
}

/* Bytes a second until the last block; 3 s of the time are the count-down. */
static double rate(unsigned i)
{
    return n.file.size / ((double)(took(i) - S(3)) / 1e6);
}

static void assert_all_finished(void)
{
    for (unsigned i = 0; i < n.config.clients; i++) {
        assert_int_equal(n.client[i].end, ZOTA_NET_FINISHED);
        assert_int_equal(n.client[i].written, n.file.size);
        assert_memory_equal(n.client[i].flash, n.image, n.file.size);
    }
}

static void without_loss_no_byte_is_asked_for_twice(void **state)
{
    static const uint16_t page[] = {0, 512, 4096};
    for (size_t i = 0; i < 3; i++) {
        struct zota_net_config config = {.seed = 1, .clients = 3, .size = 50001, .page = page[i]};
        zota_net_init(&n, &config);
        zota_net_run(&n, S(3600));
        assert_all_finished();
        for (unsigned k = 0; k < 3; k++) {
            assert_int_equal(n.client[k].asked, n.file.size);
            assert_int_equal(n.client[k].retries, 0);
        }
        assert_int_equal(n.repeats, 0);
        zota_net_free(&n);
    }
}

/* "Typical" figures of the airtime model. */
static void one_client_gets_what_the_air_can_carry(void **state)
{
    static const struct {
        uint16_t page;
        uint8_t block;
        double least, most;
    } row[] = {
        {0, 64, 0.95 * 4024, 4024 * 1.005},  /* answers acknowledged */
        {0, 223, 0.95 * 7485, 7485 * 1.005}, /* window 3, request not acknowledged */
        {512, 64, 0.95 * 8004, 8004 * 1.005},
        {4096, 64, 9000, 9154 * 1.005},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct zota_net_config config = {
            .seed = 1, .clients = 1, .size = 600000, .page = row[i].page, .block = row[i].block};
        zota_net_init(&n, &config);
        zota_net_run(&n, S(3600));
        assert_all_finished();
        print_message("page %u block %u: %.0f B/s\n", row[i].page, row[i].block, rate(0));
        assert_true(rate(0) >= row[i].least && rate(0) <= row[i].most);
        zota_net_free(&n);
    }
}

static void many_clients_share_the_air_fairly(void **state)
{
    static const struct {
        uint16_t page;
        unsigned clients;
    } row[] = {{0, 10}, {4096, 10}, {0, 40}, {4096, 40}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct zota_net_config config = {
            .seed = 7, .clients = 1, .size = 60000, .page = row[i].page, .loss = 0};
        zota_net_init(&n, &config);
        zota_net_run(&n, S(36000));
        double alone = rate(0);
        zota_net_free(&n);
        config.clients = row[i].clients;
        zota_net_init(&n, &config);
        zota_net_run(&n, S(36000));
        assert_all_finished();
        double slowest = alone;
        uint64_t end = 0;
        for (unsigned k = 0; k < config.clients; k++) {
            if (rate(k) < slowest) slowest = rate(k);
            if (n.client[k].finished_at > end) end = n.client[k].finished_at;
        }
        double sum = 60000.0 * config.clients / ((double)(end - n.client[0].started - S(3)) / 1e6);
        print_message("page %u, %u clients: alone %.0f, sum %.0f, slowest %.1f B/s\n", config.page,
                      config.clients, alone, sum, slowest);
        assert_true(sum >= 0.9 * alone);
        assert_true(slowest >= 0.8 * alone / config.clients);
        zota_net_free(&n);
    }
}

/* Every course of events ends with the file or with the next try already set. */
static void it_arrives_through_loss_doubles_and_disorder(void **state)
{
    static const unsigned loss[] = {0, 5, 10, 20, 30};
    for (uint32_t seed = 1; seed <= 4; seed++)
        for (size_t i = 0; i < sizeof loss / sizeof *loss; i++)
            for (int paged = 0; paged < 2; paged++) {
                struct zota_net_config config = {.seed = seed,
                                                 .clients = 3,
                                                 .size = 30011,
                                                 .loss = loss[i],
                                                 .twice = 5,
                                                 .jitter = 30,
                                                 .page = paged ? 1024 : 0};
                zota_net_init(&n, &config);
                zota_net_run(&n, S(24 * 3600));
                assert_all_finished();
                for (unsigned k = 0; k < 3; k++) assert_true(took(k) < S(60 + 40 * loss[i]));
                /* Doubles and disorder alone make nobody send again. */
                if (loss[i] == 0) assert_int_equal(n.repeats, 0);
                zota_net_free(&n);
            }
}

static void power_cuts_of_clients_and_server_lose_little(void **state)
{
    for (uint32_t seed = 1; seed <= 12; seed++) {
        struct zota_net_config config = {.seed = seed,
                                         .clients = 3,
                                         .size = 100003,
                                         .loss = seed % 3 * 5,
                                         .page = seed % 2 ? 2048 : 0,
                                         .writer_tells = seed % 4 < 2};
        zota_net_init(&n, &config);
        while (!zota_net_done(&n) && n.now < S(24 * 3600)) {
            zota_net_run(&n, n.now + MS(500 + zota_net_random(&n, 9000)));
            if (zota_net_done(&n)) break;
            unsigned who = zota_net_random(&n, 5);
            if (who < 3 && n.client[who].cuts < 10 && n.client[who].end == ZOTA_NET_RUNNING)
                zota_net_cut_client(&n, who, MS(100 + zota_net_random(&n, 5000)));
            if (who == 3 && n.server_cuts < 10)
                zota_net_cut_server(&n, MS(100 + zota_net_random(&n, 20000)));
        }
        assert_all_finished();
        unsigned cuts = 0;
        for (unsigned k = 0; k < 3; k++) {
            /* Beyond the last save, and what was on its way in a page. */
            uint32_t per_cut = 4096 + 2048 + 223;
            cuts += n.client[k].cuts;
            if (config.loss == 0)
                assert_true(n.client[k].asked <=
                            n.file.size + (n.client[k].cuts + n.server_cuts) * per_cut);
        }
        assert_true(cuts + n.server_cuts > 0);
        zota_net_free(&n);
    }
}

static void a_writer_that_knows_where_it_stands_gets_each_byte_once(void **state)
{
    struct zota_net_config config = {.seed = 3, .clients = 1, .size = 100003, .writer_tells = true};
    zota_net_init(&n, &config);
    for (unsigned i = 0; i < 8; i++) {
        zota_net_run(&n, n.now + MS(1700));
        zota_net_cut_client(&n, 0, S(1));
    }
    zota_net_run(&n, S(3600));
    assert_all_finished();
    assert_int_equal(n.client[0].cuts, 8);
    assert_in_range(n.client[0].asked, n.file.size, n.file.size + 8 * 223);
    zota_net_free(&n);
}

static void a_server_that_stays_away_is_a_reason_and_a_resume(void **state)
{
    struct zota_net_config config = {.seed = 1, .clients = 1, .size = 100000};
    zota_net_init(&n, &config);
    zota_net_run(&n, S(6));
    uint32_t had = n.client[0].written;
    assert_true(had > 10000);
    zota_net_cut_server(&n, S(400));
    zota_net_run(&n, S(300));
    assert_int_equal(n.client[0].reason, AL_ZOTA_REASON_UNANSWERED);
    assert_int_equal(n.client[0].engine.state, AL_ZOTA_CLIENT_IDLE);
    zota_net_run(&n, S(7200));
    assert_all_finished();
    assert_true(n.client[0].asked <= n.file.size + 223);
    zota_net_free(&n);
}

static void clients_without_fragmentation_get_small_blocks(void **state)
{
    struct zota_net_config config = {.seed = 1, .clients = 2, .size = 20000, .no_fragments = true};
    zota_net_init(&n, &config);
    zota_net_run(&n, S(3600));
    assert_all_finished();
    for (unsigned k = 0; k < 2; k++) {
        assert_true(took(k) < S(300));
        assert_int_equal(n.client[k].asked, n.file.size);
    }
    zota_net_free(&n);
}

static void sleepy_clients_get_there_and_hold_up_nobody(void **state)
{
    double alone = 0;
    for (unsigned sleepy = 0; sleepy <= 2; sleepy += 2) {
        struct zota_net_config config = {
            .seed = 4, .clients = sleepy + 1, .sleepy = sleepy, .size = 60000};
        zota_net_init(&n, &config);
        zota_net_run(&n, S(36000));
        assert_all_finished();
        for (unsigned k = 0; k <= sleepy; k++) assert_int_equal(n.client[k].retries, 0);
        if (sleepy == 0) alone = rate(0);
        /* At a poll each 250 ms two of them take a quarter of the air. */
        assert_true(rate(sleepy) > 0.7 * alone);
        zota_net_free(&n);
    }
}

static void the_operator_stops_a_download_and_the_client_says_so(void **state)
{
    struct zota_net_config config = {.seed = 1, .clients = 2, .size = 100000, .page = 1024};
    config.client.query_interval = UINT32_MAX - 1;
    zota_net_init(&n, &config);
    for (unsigned k = 0; k < 2; k++) al_zota_client_query(&n.client[k].engine, n.now);
    zota_net_run(&n, S(5));
    struct al_zota_session *s = al_zota_server_find(&n.server, 0x1000, 10);
    al_zota_server_abort(&n.server, n.now, s);
    zota_net_run(&n, S(60));
    assert_int_equal(n.client[0].reason, AL_ZOTA_REASON_ABORTED);
    assert_int_equal(n.client[0].engine.state, AL_ZOTA_CLIENT_IDLE);
    assert_int_equal(s->record.state, AL_ZOTA_SESSION_ABORTED);
    assert_int_equal(n.client[1].end, ZOTA_NET_FINISHED);
    /* Asked again it goes on. */
    uint32_t had = n.client[0].written;
    assert_true(had > 0 && had < n.file.size);
    al_zota_client_query(&n.client[0].engine, n.now);
    zota_net_run(&n, n.now + S(120));
    assert_all_finished();
    assert_true(n.client[0].asked <= n.file.size + 1024);
    zota_net_free(&n);
}

static void n_at_a_time_and_none_is_forgotten(void **state)
{
    struct zota_net_config config = {
        .seed = 5, .clients = 9, .size = 20000, .loss = 5, .server = {.parallel = 2}};
    zota_net_init(&n, &config);
    unsigned most = 0;
    while (!zota_net_done(&n) && n.now < S(7200)) {
        zota_net_run(&n, n.now + MS(500));
        unsigned busy = 0;
        for (unsigned i = 0; i < n.server.sessions; i++)
            busy += n.table[i].record.state == AL_ZOTA_SESSION_DOWNLOADING;
        if (busy > most) most = busy;
    }
    assert_all_finished();
    assert_int_equal(most, 2);
    zota_net_free(&n);
}

static void rogues_and_noise_change_nothing(void **state)
{
    static const struct al_zota_peer rogue = {0x6666, 5}, server = {0x0000, 5};
    struct zota_net_config config = {.seed = 9, .clients = 2, .size = 40000, .page = 1024};
    zota_net_init(&n, &config);
    for (unsigned i = 0; !zota_net_done(&n) && i < 4000; i++) {
        zota_net_run(&n, n.now + MS(20));
        int to = (int)zota_net_random(&n, 2);
        uint8_t noise[40];
        for (size_t k = 0; k < sizeof noise; k++) noise[k] = (uint8_t)zota_net_random(&n, 256);
        noise[0] = 0x19, noise[2] %= 10;
        zota_net_inject(&n, to, rogue, noise, 3 + zota_net_random(&n, sizeof noise - 3));
        noise[0] = 0x01;
        zota_net_inject(&n, -1, rogue, noise, 3 + zota_net_random(&n, sizeof noise - 3));
        /* Also the server's own voice: other ids, other offsets, orders out of turn. */
        noise[0] = 0x19, noise[2] = AL_ZOTA_IMAGE_BLOCK_RSP, noise[3] = 0, noise[16] = 20;
        zota_net_inject(&n, to, server, noise, sizeof noise);
        struct al_zota_frame f = {
            .command = AL_ZOTA_IMAGE_BLOCK_RSP,
            .u.image_block_rsp = {
                .id = n.file.id, .file_offset = 39990 + i % 40, .data_size = 20, .data = noise}};
        size_t len = zota_frame_bytes(noise, sizeof noise, 0, true, &f);
        if (f.u.image_block_rsp.file_offset > 39990) zota_net_inject(&n, to, server, noise, len);
        f = (struct al_zota_frame){.command = AL_ZOTA_UPGRADE_END_RSP,
                                   .u.upgrade_end_rsp = {{0x131b, 1, 3}, 0, 0}};
        len = zota_frame_bytes(noise, sizeof noise, 0, true, &f);
        zota_net_inject(&n, to, server, noise, len);
    }
    assert_all_finished();
    assert_int_equal(n.client[0].gave_up + n.client[1].gave_up, 0);
    zota_net_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_loss_no_byte_is_asked_for_twice),
        cmocka_unit_test(one_client_gets_what_the_air_can_carry),
        cmocka_unit_test(many_clients_share_the_air_fairly),
        cmocka_unit_test(it_arrives_through_loss_doubles_and_disorder),
        cmocka_unit_test(power_cuts_of_clients_and_server_lose_little),
        cmocka_unit_test(a_writer_that_knows_where_it_stands_gets_each_byte_once),
        cmocka_unit_test(a_server_that_stays_away_is_a_reason_and_a_resume),
        cmocka_unit_test(clients_without_fragmentation_get_small_blocks),
        cmocka_unit_test(sleepy_clients_get_there_and_hold_up_nobody),
        cmocka_unit_test(the_operator_stops_a_download_and_the_client_says_so),
        cmocka_unit_test(n_at_a_time_and_none_is_forgotten),
        cmocka_unit_test(rogues_and_noise_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
