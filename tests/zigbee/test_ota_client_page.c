/* Image Page on the client's side. */
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
    config.page_buffer = b.page;
    config.page_size = 512;
    client_bench_init(&b, &config);
    b.file.size = 1200;
    return 0;
}

static const struct al_zota_image_page_req *page(void)
{
    return &zota_wire_only(&b.wire, AL_ZOTA_IMAGE_PAGE_REQ)->frame.u.image_page_req;
}

static const struct al_zota_image_block_req *block(void)
{
    return &zota_wire_only(&b.wire, AL_ZOTA_IMAGE_BLOCK_REQ)->frame.u.image_block_req;
}

/* Blocks of 64 at 7 ms, without those of the mask. */
static void send_page(uint32_t from, uint32_t to, uint32_t without)
{
    for (uint32_t i = 0, at = from; at < to; i++, at += 64) {
        b.now += MS(7);
        if (without >> i & 1) continue;
        client_bench_send_block(&b, at, (uint8_t)(to - at < 64 ? to - at : 64));
    }
}

static void pages_follow_each_other(void **state)
{
    client_bench_start(&b);
    const struct al_zota_image_page_req *r = page();
    assert_int_equal(r->file_offset, 0);
    assert_int_equal(r->page_size, 512);
    assert_int_equal(r->max_data_size, 64);
    assert_int_equal(r->response_spacing, 5);
    assert_true(b.client.in_page);
    send_page(0, 512, 0);
    assert_int_equal(page()->file_offset, 512);
    send_page(512, 1024, 0);
    r = page();
    assert_int_equal(r->file_offset, 1024);
    assert_int_equal(r->page_size, 176);
    send_page(1024, 1200, 0);
    zota_wire_only(&b.wire, AL_ZOTA_UPGRADE_END_REQ);
    assert_int_equal(b.got, 1200);
    assert_int_equal(b.events[AL_ZOTA_CLIENT_RETRY], 0);
}

static void holes_are_fetched_by_blocks_of_their_size(void **state)
{
    client_bench_start(&b);
    page();
    send_page(0, 512, 1 << 1 | 1 << 4 | 1 << 5);
    assert_int_equal(b.got, 64); /* in order only */
    zota_wire_silent(&b.wire);
    assert_true(client_bench_wait(&b) < MS(60)); /* the last byte was there */
    const struct al_zota_image_block_req *r = block();
    assert_int_equal(r->file_offset, 64);
    assert_int_equal(r->max_data_size, 64);
    client_bench_send_block(&b, 64, 64);
    assert_int_equal(b.got, 256);
    r = block();
    assert_int_equal(r->file_offset, 256);
    assert_int_equal(r->max_data_size, 128);
    client_bench_send_block(&b, 256, 128);
    assert_int_equal(b.got, 512);
    const struct al_zota_image_page_req *p = page();
    assert_int_equal(p->file_offset, 512);
    assert_true(p->response_spacing > 5); /* it lost more than an eighth */
}

static void blocks_may_come_in_any_order_and_twice(void **state)
{
    static const uint32_t order[] = {448, 64, 64, 0, 0, 384, 128, 320, 192, 256};
    client_bench_start(&b);
    page();
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        client_bench_send_block(&b, order[i], 64);
    assert_int_equal(b.got, 512);
    assert_int_equal(page()->file_offset, 512);
}

static void blocks_of_another_size_overlap_without_harm(void **state)
{
    client_bench_start(&b);
    page();
    client_bench_send_block(&b, 100, 40);
    client_bench_send_block(&b, 30, 40);
    client_bench_send_block(&b, 0, 50);
    assert_int_equal(b.got, 70);
    client_bench_send_block(&b, 60, 64);
    assert_int_equal(b.got, 140);
}

static void a_block_beyond_the_page_is_not_of_it(void **state)
{
    client_bench_start(&b);
    page();
    client_bench_send_block(&b, 500, 13);
    client_bench_send_block(&b, 512, 64);
    client_bench_send_block(&b, 0, 65); /* more than asked for */
    assert_int_equal(b.client.page_got, 0);
    assert_int_equal(b.got, 0);
}

static void silence_in_a_page_ends_it_soon_after_fast_blocks(void **state)
{
    client_bench_start(&b);
    page();
    send_page(0, 512, 0xfc);
    assert_int_equal(b.got, 128);
    assert_true(client_bench_wait(&b) <= MS(250));
    const struct al_zota_image_block_req *r = block();
    assert_int_equal(r->file_offset, 128);
    assert_int_equal(r->max_data_size, 223);
    /* Late blocks of the page are still welcome. */
    client_bench_send_block(&b, 128, 64);
    assert_int_equal(block()->file_offset, 192);
    client_bench_send_block(&b, 192, 223);
    assert_int_equal(b.got, 415);
}

static void a_server_without_pages_gets_block_requests(void **state)
{
    client_bench_start(&b);
    page();
    client_bench_default(&b, AL_ZOTA_IMAGE_PAGE_REQ, 0x81);
    assert_int_equal(b.events[AL_ZOTA_CLIENT_NO_PAGES], 1);
    client_bench_download(&b);
    zota_wire_only(&b.wire, AL_ZOTA_UPGRADE_END_REQ);
}

static void a_silent_server_gets_block_requests_and_pages_three_times(void **state)
{
    b.file.size = 4000;
    client_bench_start(&b);
    for (unsigned i = 0; i < 3; i++) {
        const struct al_zota_image_page_req *p = page();
        assert_int_equal(p->max_data_size, i == 0 ? 64 : 40);
        uint32_t end = p->file_offset + 512;
        assert_in_range(client_bench_wait(&b), S(5), MS(5100));
        while (b.client.offset < end && b.wire.sent[0].zcl.command == AL_ZOTA_IMAGE_BLOCK_REQ) {
            const struct al_zota_image_block_req *r = block();
            client_bench_send_block(&b, r->file_offset, r->max_data_size);
            if (b.client.no_pages) break;
        }
    }
    assert_true(b.client.no_pages);
    client_bench_download(&b);
    assert_int_equal(b.got, 4000);
}

static void wait_for_data_answers_a_page_request_too(void **state)
{
    client_bench_start(&b);
    page();
    struct al_zota_frame f = client_bench_hold(0, 20, 300);
    client_bench_receive(&b, &f);
    assert_int_equal(client_bench_wait(&b), S(20));
    const struct al_zota_image_page_req *p = page();
    assert_int_equal(p->file_offset, 0);
    assert_int_equal(p->response_spacing, 300);
}

static void abort_in_a_page_ends_the_download(void **state)
{
    client_bench_start(&b);
    page();
    send_page(0, 192, 0);
    struct al_zota_frame f = {.command = AL_ZOTA_IMAGE_BLOCK_RSP,
                              .u.image_block_rsp = {.status = AL_ZOTA_ABORT}};
    client_bench_receive(&b, &f);
    assert_int_equal(b.client.state, AL_ZOTA_CLIENT_IDLE);
    assert_int_equal(b.saved.offset, 192);
    assert_int_equal(b.last[AL_ZOTA_CLIENT_GAVE_UP].reason, AL_ZOTA_REASON_ABORTED);
}

#define T(f) cmocka_unit_test_setup(f, fresh)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(pages_follow_each_other),
        T(holes_are_fetched_by_blocks_of_their_size),
        T(blocks_may_come_in_any_order_and_twice),
        T(blocks_of_another_size_overlap_without_harm),
        T(a_block_beyond_the_page_is_not_of_it),
        T(silence_in_a_page_ends_it_soon_after_fast_blocks),
        T(a_server_without_pages_gets_block_requests),
        T(a_silent_server_gets_block_requests_and_pages_three_times),
        T(wait_for_data_answers_a_page_request_too),
        T(abort_in_a_page_ends_the_download),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
