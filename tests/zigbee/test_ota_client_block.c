/* Spec rows: Downloading, by blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/zota_client.h"

static struct client_bench b;

static int fresh(void **state)
{
    struct al_zota_client_config config = client_bench_config();
    client_bench_init(&b, &config);
    return 0;
}

static uint32_t asked(void)
{
    return zota_wire_only(&b.wire, AL_ZOTA_IMAGE_BLOCK_REQ)->frame.u.image_block_req.file_offset;
}

static uint8_t asked_size(void)
{
    return zota_wire_only(&b.wire, AL_ZOTA_IMAGE_BLOCK_REQ)->frame.u.image_block_req.max_data_size;
}

static void blocks_are_asked_for_one_after_the_other(void **state)
{
    client_bench_start(&b);
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_IMAGE_BLOCK_REQ);
    const struct al_zota_image_block_req *r = &s->frame.u.image_block_req;
    assert_int_equal(r->max_data_size, 223);
    assert_int_equal(r->file_offset, 0);
    assert_int_equal(r->id.file_version, 2);
    assert_false(r->has_node_addr);
    assert_int_equal(s->bytes[0], 0x01);
    client_bench_send_block(&b, 0, 223);
    assert_int_equal(asked(), 223);
    client_bench_send_block(&b, 223, 50); /* a server may send less */
    assert_int_equal(asked(), 273);
    client_bench_send_block(&b, 273, 223);
    client_bench_download(&b);
    zota_wire_only(&b.wire, AL_ZOTA_UPGRADE_END_REQ);
    assert_int_equal(b.got, 1000);
    assert_int_equal(b.events[AL_ZOTA_CLIENT_RETRY], 0);
}

static void the_own_address_is_sent_when_wished(void **state)
{
    b.client.config.send_ext_addr = true;
    client_bench_start(&b);
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_IMAGE_BLOCK_REQ);
    assert_true(s->frame.u.image_block_req.node_addr == 0x744dbdfffe60aa02);
}

static void what_is_not_the_next_block_is_ignored(void **state)
{
    struct al_zota_frame wrong[] = {
        client_bench_block(&b, 0, 223), /* a duplicate */
        client_bench_block(&b, 446, 100), client_bench_block(&b, 999, 1),
        client_bench_block(&b, 223, 223), client_bench_block(&b, 223, 223),
        client_bench_block(&b, 223, 223), client_bench_block(&b, 223, 0),
        client_bench_block(&b, 223, 224), /* more than asked for */
    };
    wrong[3].u.image_block_rsp.id.file_version = 3;
    wrong[4].u.image_block_rsp.id.image_type = 3;
    wrong[5].u.image_block_rsp.id.manufacturer = 3;
    client_bench_start(&b);
    assert_int_equal(asked(), 0);
    client_bench_send_block(&b, 0, 223);
    assert_int_equal(asked(), 223);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        client_bench_receive(&b, &wrong[i]);
        zota_wire_silent(&b.wire);
        assert_int_equal(b.got, 223);
    }
    assert_int_equal(b.events[AL_ZOTA_CLIENT_RETRY], 0);
    client_bench_send_block(&b, 223, 223);
    assert_int_equal(asked(), 446);
}

static void a_block_beyond_the_file_is_ignored(void **state)
{
    b.file.size = 100;
    client_bench_start(&b);
    assert_int_equal(asked(), 0);
    client_bench_send_block(&b, 0, 101);
    assert_int_equal(b.got, 0);
    struct al_zota_frame f = client_bench_block(&b, 0, 50);
    f.u.image_block_rsp.file_offset = 0xfffffff0;
    client_bench_receive(&b, &f);
    assert_int_equal(b.got, 0);
    client_bench_send_block(&b, 0, 100);
    assert_int_equal(b.got, 100);
}

static void the_same_offset_is_asked_again_with_growing_pauses_and_then_given_up(void **state)
{
    static const unsigned pause[] = {1, 2, 4, 8, 8, 8, 8, 8, 8, 8};
    client_bench_start(&b);
    client_bench_send_block(&b, 0, 100);
    zota_wire_clear(&b.wire);
    al_zota_client_run(&b.client, b.now);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(client_bench_wait(&b), S(5));
        assert_int_equal(b.last[AL_ZOTA_CLIENT_RETRY].arg, i + 1);
        zota_wire_clear(&b.wire);
        assert_int_equal(client_bench_wait(&b), S(pause[i]));
        if (i < 9) assert_int_equal(asked(), 100);
    }
    zota_wire_clear(&b.wire);
    assert_int_equal(client_bench_wait(&b), S(5));
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_UPGRADE_END_REQ);
    assert_int_equal(s->frame.u.upgrade_end_req.status, 0x95);
    assert_int_equal(b.last[AL_ZOTA_CLIENT_GAVE_UP].reason, AL_ZOTA_REASON_UNANSWERED);
    assert_int_equal(b.last[AL_ZOTA_CLIENT_GAVE_UP].offset, 100);
    /* What it has is kept: after a while it asks whether to go on. */
    assert_int_equal(b.saved.magic, AL_ZOTA_PROGRESS_MAGIC);
    assert_int_equal(b.saved.offset, 100);
    assert_int_equal(client_bench_wait(&b), S(600));
    zota_wire_only(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_REQ);
    client_bench_offer(&b);
    assert_int_equal(asked(), 100);
}

static void a_late_answer_counts(void **state)
{
    client_bench_start(&b);
    client_bench_wait(&b);
    zota_wire_clear(&b.wire);
    client_bench_send_block(&b, 0, 223);
    assert_int_equal(asked(), 223);
    assert_int_equal(b.client.tries, 0);
}

static void unanswered_big_requests_become_smaller_and_bigger_again(void **state)
{
    client_bench_start(&b);
    static const uint8_t size[] = {223, 223, 63, 63, 49, 49, 40, 40};
    for (size_t i = 0; i < sizeof size; i++) {
        assert_int_equal(asked_size(), size[i]);
        client_bench_wait(&b);
        client_bench_wait(&b);
    }
    assert_int_equal(asked_size(), 40);
    /* The late answer to the first request is welcome all the same. */
    client_bench_send_block(&b, 0, 223);
    assert_int_equal(b.got, 223);
    b.file.size = b.client.file.size = 20000;
    uint32_t at = 223;
    for (unsigned i = 0; i < 16; i++, at += 40) {
        assert_int_equal(asked_size(), 40);
        client_bench_send_block(&b, at, 40);
    }
    assert_int_equal(asked_size(), 49);
}

static void a_frame_that_did_not_get_through_is_not_waited_for(void **state)
{
    client_bench_start(&b);
    uint32_t handle = b.wire.sent[0].how.handle;
    zota_wire_clear(&b.wire);
    al_zota_client_sent(&b.client, b.now, handle, false);
    assert_int_equal(client_bench_wait(&b), 0);
    assert_int_equal(client_bench_wait(&b), S(1));
    assert_int_equal(asked(), 0);
    al_zota_client_sent(&b.client, b.now, handle, false); /* an old one */
    assert_true(al_zota_client_next(&b.client) > b.now);
}

static void wait_for_data_is_obeyed(void **state)
{
    static const struct {
        uint32_t current, request;
        int period;
        uint64_t pause;
    } row[] = {
        {0, 7, 0, S(7)},
        {1000, 1010, -1, S(10)},
        {0, 100000, 0, S(3600)}, /* no longer than an hour */
        {1000, 999, 0, S(300)},  /* nonsense */
        {0, 0, 0, MS(100)},      /* not at once */
        {0, 0, 500, MS(500)},    /* only a period is told */
        {0xfffffff0, 0xffffffff, 0, S(15)},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        fresh(state);
        client_bench_start(&b);
        zota_wire_clear(&b.wire);
        struct al_zota_frame f = client_bench_hold(row[i].current, row[i].request, row[i].period);
        client_bench_receive(&b, &f);
        zota_wire_silent(&b.wire);
        assert_int_equal(client_bench_wait(&b), row[i].pause);
        assert_int_equal(asked(), 0);
        assert_int_equal(b.events[AL_ZOTA_CLIENT_RETRY], 0);
        assert_int_equal(b.last[AL_ZOTA_CLIENT_HELD].arg, row[i].pause / 1000);
    }
}

static void the_minimum_block_period_is_kept_and_told(void **state)
{
    client_bench_start(&b);
    zota_wire_clear(&b.wire);
    struct al_zota_frame f = client_bench_hold(0, 0, 250);
    client_bench_receive(&b, &f);
    client_bench_wait(&b);
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_IMAGE_BLOCK_REQ);
    assert_true(s->frame.u.image_block_req.has_min_block_period);
    assert_int_equal(s->frame.u.image_block_req.min_block_period, 250);
    client_bench_send_block(&b, 0, 223);
    zota_wire_silent(&b.wire);
    assert_int_equal(client_bench_wait(&b), MS(250));
    assert_int_equal(asked(), 223);
    struct al_zota_attribute a;
    assert_int_equal(al_zota_client_attribute(&b.client, 0x0009, &a), 0);
    assert_int_equal(a.value, 250);
}

static void the_period_may_be_in_seconds(void **state)
{
    b.client.config.period_in_seconds = true;
    client_bench_start(&b);
    zota_wire_clear(&b.wire);
    struct al_zota_frame f = client_bench_hold(0, 0, 2);
    client_bench_receive(&b, &f);
    assert_int_equal(client_bench_wait(&b), S(2));
    /* But no server holds it for a day between two blocks. */
    f = client_bench_hold(0, 0, 0xfffe);
    client_bench_receive(&b, &f);
    assert_int_equal(client_bench_wait(&b), S(3600));
}

static void the_server_may_end_a_download(void **state)
{
    static const struct {
        bool by_default;
        uint8_t status;
        enum al_zota_reason reason;
    } row[] = {
        {false, 0x95, AL_ZOTA_REASON_ABORTED}, {false, 0x98, AL_ZOTA_REASON_WITHDRAWN},
        {true, 0x95, AL_ZOTA_REASON_ABORTED},  {true, 0x98, AL_ZOTA_REASON_WITHDRAWN},
        {true, 0x81, AL_ZOTA_REASON_REJECTED}, {true, 0x7e, AL_ZOTA_REASON_REJECTED},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        fresh(state);
        client_bench_start(&b);
        client_bench_send_block(&b, 0, 200);
        zota_wire_clear(&b.wire);
        struct al_zota_frame f = {.command = AL_ZOTA_IMAGE_BLOCK_RSP,
                                  .u.image_block_rsp = {.status = row[i].status}};
        if (row[i].by_default)
            client_bench_default(&b, AL_ZOTA_IMAGE_BLOCK_REQ, row[i].status);
        else
            client_bench_receive(&b, &f);
        assert_int_equal(b.client.state, AL_ZOTA_CLIENT_IDLE);
        assert_int_equal(b.last[AL_ZOTA_CLIENT_GAVE_UP].reason, row[i].reason);
        assert_int_equal(b.last[AL_ZOTA_CLIENT_GAVE_UP].status, row[i].status);
        assert_int_equal(b.saved.offset, 200);
        zota_wire_silent(&b.wire);
    }
}

static void other_default_responses_are_a_retry(void **state)
{
    client_bench_start(&b);
    zota_wire_clear(&b.wire);
    client_bench_default(&b, AL_ZOTA_IMAGE_BLOCK_REQ, 0x80);
    assert_int_equal(client_bench_wait(&b), S(5));
    client_bench_wait(&b);
    assert_int_equal(asked(), 0);
}

static void a_failing_write_ends_the_download_and_forgets_it(void **state)
{
    client_bench_start(&b);
    b.data_answer = AL_ERR_FLASH_OP_FAIL;
    zota_wire_clear(&b.wire);
    client_bench_send_block(&b, 0, 223);
    const struct zota_sent *s = zota_wire_only(&b.wire, AL_ZOTA_UPGRADE_END_REQ);
    assert_int_equal(s->frame.u.upgrade_end_req.status, 0x95);
    assert_int_equal(b.last[AL_ZOTA_CLIENT_GAVE_UP].reason, AL_ZOTA_REASON_WRITE);
    assert_int_equal(b.last[AL_ZOTA_CLIENT_GAVE_UP].err, AL_ERR_FLASH_OP_FAIL);
    assert_int_equal(b.saved.magic, 0);
}

static void progress_is_saved_at_a_bounded_rate(void **state)
{
    b.file.size = 20000;
    client_bench_start(&b);
    client_bench_download(&b);
    assert_int_equal(b.saved.offset, 20000);
    assert_in_range(b.saves, 2 + 4, 2 + 5); /* begin, each 4096, end */
}

static void restart_with(const struct al_zota_progress *p)
{
    struct al_zota_progress saved = *p;
    struct al_zota_client_config config = client_bench_config();
    client_bench_init(&b, &config);
    al_zota_client_start(&b.client, b.now, &saved);
}

static void after_a_restart_it_goes_on_where_it_was(void **state)
{
    struct al_zota_progress p = {AL_ZOTA_PROGRESS_MAGIC, b.file, 446};
    restart_with(&p);
    assert_true(client_bench_wait(&b) <= S(10));
    zota_wire_only(&b.wire, AL_ZOTA_QUERY_NEXT_IMAGE_REQ);
    client_bench_offer(&b);
    assert_int_equal(b.got, 446);
    assert_int_equal(asked(), 446);
    assert_int_equal(b.last[AL_ZOTA_CLIENT_START].offset, 446);
}

static void another_file_begins_anew(void **state)
{
    struct al_zota_progress p = {AL_ZOTA_PROGRESS_MAGIC, b.file, 446};
    restart_with(&p);
    client_bench_wait(&b);
    zota_wire_clear(&b.wire);
    b.file.id.file_version = 3;
    client_bench_offer(&b);
    assert_int_equal(asked(), 0);
    assert_int_equal(b.saved.offset, 0);
    assert_int_equal(b.saved.file.id.file_version, 3);
}

static void the_writer_knows_best_where_it_stands(void **state)
{
    static const uint32_t put[][2] = {{500, 500}, {300, 300}, {0, 0}, {1001, 0}};
    for (size_t i = 0; i < 4; i++) {
        fresh(state);
        struct al_zota_progress p = {AL_ZOTA_PROGRESS_MAGIC, b.file, 446};
        restart_with(&p);
        b.offer_put = put[i][0];
        client_bench_wait(&b);
        zota_wire_clear(&b.wire);
        client_bench_offer(&b);
        assert_int_equal(asked(), put[i][1]);
    }
}

static void a_complete_file_is_checked_and_not_asked_for_again(void **state)
{
    struct al_zota_progress p = {AL_ZOTA_PROGRESS_MAGIC, b.file, 1000};
    restart_with(&p);
    client_bench_wait(&b);
    zota_wire_clear(&b.wire);
    client_bench_offer(&b);
    assert_int_equal(b.checks, 1);
    zota_wire_only(&b.wire, AL_ZOTA_UPGRADE_END_REQ);
}

static void progress_of_what_runs_by_now_is_forgotten(void **state)
{
    struct al_zota_progress p = {AL_ZOTA_PROGRESS_MAGIC, b.file, 1000};
    p.file.id.file_version = 1;
    restart_with(&p);
    assert_int_equal(b.saves, 1);
    assert_int_equal(b.saved.magic, 0);
    assert_int_equal(al_zota_client_next(&b.client), UINT64_MAX);
}

static void a_damaged_record_is_none(void **state)
{
    struct al_zota_progress p = {AL_ZOTA_PROGRESS_MAGIC, b.file, 1001};
    restart_with(&p);
    assert_int_equal(b.client.kept.magic, 0);
    p.offset = 10, p.magic ^= 1;
    restart_with(&p);
    assert_int_equal(b.client.kept.magic, 0);
}

static void attributes_follow_the_download(void **state)
{
    static const struct {
        uint16_t id;
        uint8_t type, size;
        uint64_t idle, downloading;
    } row[] = {
        {0x0000, 0xf0, 8, 0x1122334455667788, 0x1122334455667788},
        {0x0001, 0x23, 4, 0xffffffff, 223},
        {0x0002, 0x23, 4, 1, 1},
        {0x0003, 0x21, 2, 2, 2},
        {0x0004, 0x23, 4, 0xffffffff, 2},
        {0x0005, 0x21, 2, 0xffff, 0x0302},
        {0x0006, 0x30, 1, 0, 1},
        {0x0007, 0x21, 2, 0x131b, 0x131b},
        {0x0008, 0x21, 2, 1, 1},
        {0x0009, 0x21, 2, 0, 0},
        {0x000a, 0x23, 4, 0xffffffff, 0xffffffff},
        {0x000b, 0x30, 1, 0, 0},
        {0x000c, 0x30, 1, 0, 0},
        {0xfffd, 0x21, 2, 4, 4},
    };
    b.image[18] = 0x02, b.image[19] = 0x03;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < AL_ZOTA_ATTRIBUTES; i++) {
            struct al_zota_attribute a;
            assert_int_equal(al_zota_attribute_ids[i], row[i].id);
            assert_int_equal(al_zota_client_attribute(&b.client, row[i].id, &a), 0);
            assert_int_equal(a.type, row[i].type);
            assert_int_equal(a.size, row[i].size);
            assert_true(a.value == (pass ? row[i].downloading : row[i].idle));
        }
        if (pass) break;
        client_bench_start(&b);
        client_bench_send_block(&b, 0, 223);
    }
    struct al_zota_attribute a;
    assert_int_equal(al_zota_client_attribute(&b.client, 0x000d, &a), AL_ERR_NOT_FOUND);
}

#define T(f) cmocka_unit_test_setup(f, fresh)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(blocks_are_asked_for_one_after_the_other),
        T(the_own_address_is_sent_when_wished),
        T(what_is_not_the_next_block_is_ignored),
        T(a_block_beyond_the_file_is_ignored),
        T(the_same_offset_is_asked_again_with_growing_pauses_and_then_given_up),
        T(a_late_answer_counts),
        T(unanswered_big_requests_become_smaller_and_bigger_again),
        T(a_frame_that_did_not_get_through_is_not_waited_for),
        T(wait_for_data_is_obeyed),
        T(the_minimum_block_period_is_kept_and_told),
        T(the_period_may_be_in_seconds),
        T(the_server_may_end_a_download),
        T(other_default_responses_are_a_retry),
        T(a_failing_write_ends_the_download_and_forgets_it),
        T(progress_is_saved_at_a_bounded_rate),
        T(after_a_restart_it_goes_on_where_it_was),
        T(another_file_begins_anew),
        T(the_writer_knows_best_where_it_stands),
        T(a_complete_file_is_checked_and_not_asked_for_again),
        T(progress_of_what_runs_by_now_is_forgotten),
        T(a_damaged_record_is_none),
        T(attributes_follow_the_download),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
