#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "device/nor_flash.h"

#define SIZE 0x40000u

struct seen {
    unsigned count;
    uint32_t addr;
    uint8_t old, wanted;
    const void *caller;
};

static void note_defect(void *ctx, uint32_t addr, uint8_t old, uint8_t wanted, const void *caller)
{
    *(struct seen *)ctx = (struct seen){((struct seen *)ctx)->count + 1, addr, old, wanted, caller};
}

static int open_chip(void **state)
{
    struct nor_flash *n = malloc(sizeof *n);
    if (!n || nor_flash_memory(n, SIZE)) return -1;
    *state = n;
    return 0;
}

static int close_chip(void **state)
{
    nor_flash_close(*state);
    free(*state);
    return 0;
}

static int program(struct nor_flash *n, uint32_t addr, const void *src, uint32_t len)
{
    return n->flash.program(n->flash.ctx, addr, src, len);
}

static int erase(struct nor_flash *n, uint32_t addr, uint32_t len)
{
    return n->flash.erase(n->flash.ctx, addr, len);
}

static void every_byte_is(const struct nor_flash *n, uint32_t addr, uint32_t len, uint8_t value)
{
    for (uint32_t i = 0; i < len; i++) assert_int_equal(n->bytes[addr + i], value);
}

static void new_chip_is_erased_and_reads_what_was_programmed(void **state)
{
    struct nor_flash *n = *state;
    every_byte_is(n, 0, SIZE, 0xff);
    uint8_t data[600], back[600];
    for (unsigned i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 7);
    assert_int_equal(program(n, 0x1234, data, sizeof data), 0);
    assert_int_equal(n->flash.read(n, 0x1234, back, sizeof back), 0);
    assert_memory_equal(back, data, sizeof data);
    assert_memory_equal(n->flash.map(n, 0x1234, sizeof data), data, sizeof data);
    assert_int_equal(n->bytes[0x1233], 0xff);
    assert_int_equal(n->bytes[0x1234 + sizeof data], 0xff);
    assert_int_equal(erase(n, 0x1000, 0x1000), 0);
    every_byte_is(n, 0, SIZE, 0xff);
}

static void program_counts_one_operation_a_page(void **state)
{
    struct nor_flash *n = *state;
    uint8_t zeros[0x300] = {0};
    assert_int_equal(program(n, 0x80, zeros, sizeof zeros), 0); /* 128 + 256 + 256 + 128 */
    assert_int_equal(n->power->ops, 4);
    assert_int_equal(n->power->bytes_programmed, sizeof zeros);
}

static void erase_uses_the_largest_blocks_that_the_range_covers(void **state)
{
    struct nor_flash *n = *state;
    /* 0x7000..0x28000: one sector, a 32-KiB block, a 64-KiB block, a 32-KiB block */
    assert_int_equal(erase(n, 0x7000, 0x21000), 0);
    assert_int_equal(n->power->ops, 4);
    assert_int_equal(n->power->sectors_erased, 0x21);
}

static void strict_reports_address_bytes_and_caller(void **state)
{
    struct nor_flash *n = *state;
    struct seen seen = {0};
    uint8_t first[300], second[300];
    memset(first, 0xf0, sizeof first);
    memset(second, 0x30, sizeof second);
    second[290] = 0x31;
    assert_int_equal(program(n, 0x2000, first, sizeof first), 0);
    n->on_defect = note_defect;
    n->defect_ctx = &seen;
    assert_int_equal(program(n, 0x2000, second, sizeof second), AL_ERR_NOT_NOR);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.addr, 0x2000 + 290);
    assert_int_equal(seen.old, 0xf0);
    assert_int_equal(seen.wanted, 0x31);
    assert_non_null(seen.caller);
    every_byte_is(n, 0x2000, 256, 0x30);       /* the page before was fine */
    every_byte_is(n, 0x2100, 300 - 256, 0xf0); /* the refused one stayed */
}

static void without_strict_bits_are_anded_as_silicon_does(void **state)
{
    struct nor_flash *n = *state;
    n->strict = false;
    uint8_t a[64], b[64];
    memset(a, 0xf0, sizeof a);
    memset(b, 0x3c, sizeof b);
    assert_int_equal(program(n, 5, a, sizeof a), 0);
    assert_int_equal(program(n, 5, b, sizeof b), 0);
    every_byte_is(n, 5, sizeof a, 0x30);
}

static void bad_ranges_change_nothing(void **state)
{
    struct nor_flash *n = *state;
    uint8_t zeros[16] = {0};
    assert_int_equal(program(n, SIZE - 8, zeros, 16), AL_ERR_INVALID_SIZE);
    assert_int_equal(program(n, 0xffffffff, zeros, 16), AL_ERR_INVALID_SIZE);
    assert_int_equal(erase(n, 0x800, 0x1000), AL_ERR_INVALID_ARG);
    assert_int_equal(erase(n, SIZE, 0x1000), AL_ERR_INVALID_SIZE);
    assert_null(n->flash.map(n, SIZE - 8, 16));
    assert_int_equal(n->power->ops, 0);
    every_byte_is(n, 0, SIZE, 0xff);
}

static void cut_ends_everything_until_power_is_back(void **state)
{
    struct nor_flash *n = *state;
    uint8_t zeros[1024] = {0}, byte;
    n->power->tear = NOR_TEAR_NONE;
    nor_flash_cut_at(n, 3);
    assert_int_equal(program(n, 0, zeros, sizeof zeros), AL_ERR_POWER);
    every_byte_is(n, 0, 512, 0);
    every_byte_is(n, 512, 512, 0xff);
    assert_int_equal(n->power->cut_addr, 512);
    assert_int_equal(n->power->cut_len, 256);
    assert_int_equal(n->power->cut_erase, 0);
    assert_int_equal(n->flash.read(n, 0, &byte, 1), AL_ERR_POWER);
    assert_null(n->flash.map(n, 0, 1));
    assert_int_equal(erase(n, 0, 0x1000), AL_ERR_POWER);
    nor_flash_power_on(n);
    assert_int_equal(program(n, 512, zeros, 512), 0);
    assert_int_equal(n->power->ops, 2);
}

static void prefix_tear_stops_at_the_byte(void **state)
{
    struct nor_flash *n = *state;
    uint8_t zeros[256] = {0};
    for (uint32_t cut = 0; cut <= 256; cut += 16) {
        assert_int_equal(erase(n, 0, 0x1000), 0);
        n->power->tear = NOR_TEAR_PREFIX;
        n->power->cut_byte = cut;
        nor_flash_cut_at(n, 1);
        assert_int_equal(program(n, 0, zeros, 256), AL_ERR_POWER);
        every_byte_is(n, 0, cut, 0);
        every_byte_is(n, cut, 256 - cut, 0xff);
        nor_flash_power_on(n);
    }
}

/* Of each bit: a torn program leaves old or new, a torn erase old or one. */
static void mixed_tear_leaves_bits_between_old_and_new(void **state)
{
    struct nor_flash *n = *state;
    unsigned old = 0, done = 0, between = 0;
    uint8_t data[256], before[0x1000];
    for (uint64_t seed = 0; seed < 8; seed++) {
        assert_int_equal(erase(n, 0, 0x1000), 0);
        memset(data, 0x0f, sizeof data);
        assert_int_equal(program(n, 0, data, 128), 0);
        memset(data, 0x05, sizeof data);
        memcpy(before, n->bytes, sizeof before);
        n->power->tear = NOR_TEAR_MIXED;
        n->power->cut_byte = 10;
        n->power->seed = seed;
        nor_flash_cut_at(n, 1);
        assert_int_equal(program(n, 0, data, 256), AL_ERR_POWER);
        every_byte_is(n, 0, 10, 0x05);
        for (unsigned i = 10; i < 256; i++) {
            assert_int_equal(n->bytes[i] & ~before[i], 0);
            assert_int_equal(data[i] & before[i] & ~n->bytes[i], 0);
            old += n->bytes[i] == before[i];
            done += n->bytes[i] == data[i];
            between += n->bytes[i] != before[i] && n->bytes[i] != data[i];
        }
        nor_flash_power_on(n);
    }
    assert_true(old > 200 && done > 200 && between > 200);
}

static void torn_erase_leaves_old_ones_and_between(void **state)
{
    struct nor_flash *n = *state;
    static uint8_t zeros[0x1000];
    unsigned old = 0, ones = 0, between = 0;
    assert_int_equal(program(n, 0x3000, zeros, sizeof zeros), 0);
    n->power->tear = NOR_TEAR_MIXED;
    n->power->cut_byte = 0;
    nor_flash_cut_at(n, 1);
    assert_int_equal(erase(n, 0x3000, 0x1000), AL_ERR_POWER);
    assert_int_equal(n->power->cut_erase, 1);
    for (unsigned i = 0; i < 0x1000; i++) {
        uint8_t b = n->bytes[0x3000 + i];
        old += b == 0;
        ones += b == 0xff;
        between += b != 0 && b != 0xff;
    }
    assert_true(old > 1000 && ones > 1000 && between > 1000);
    every_byte_is(n, 0x4000, 0x1000, 0xff);
}

static void same_seed_tears_the_same_way(void **state)
{
    struct nor_flash *n = *state;
    static uint8_t zeros[0x1000], first[0x1000];
    unsigned different = 0;
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(erase(n, 0, 0x1000), 0);
        assert_int_equal(program(n, 0, zeros, sizeof zeros), 0);
        nor_flash_power_on(n);
        n->power->tear = NOR_TEAR_SEEDED;
        n->power->seed = i / 2;
        nor_flash_cut_at(n, 1);
        assert_int_equal(erase(n, 0, 0x1000), AL_ERR_POWER);
        nor_flash_power_on(n);
        if (i % 2)
            assert_memory_equal(first, n->bytes, sizeof first);
        else
            different += memcmp(first, n->bytes, sizeof first) != 0;
        memcpy(first, n->bytes, sizeof first);
    }
    assert_true(different > 3);
}

static void real_timing_takes_the_time_of_a_chip(void **state)
{
    struct nor_flash *n = *state;
    struct timespec a, b;
    uint8_t zeros[1024] = {0};
    n->real_timing = true;
    clock_gettime(CLOCK_MONOTONIC, &a);
    assert_int_equal(erase(n, 0, 0x1000), 0);
    assert_int_equal(program(n, 0, zeros, sizeof zeros), 0);
    clock_gettime(CLOCK_MONOTONIC, &b);
    long us = (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
    assert_true(us >= 45000 + 4 * 400);
}

static void file_keeps_what_was_written(void **state)
{
    char path[] = "/tmp/airlift-nor-XXXXXX";
    int fd = mkstemp(path);
    struct nor_flash n;
    struct nor_power power = {0};
    assert_int_equal(ftruncate(fd, 0x10800), 0);
    assert_int_equal(nor_flash_file(&n, fd, true, NULL), -EINVAL);
    assert_int_equal(ftruncate(fd, SIZE), 0);
    assert_int_equal(nor_flash_file(&n, fd, true, &power), 0);
    assert_int_equal(n.flash.size, SIZE);
    assert_int_equal(erase(&n, 0x1000, 0x1000), 0);
    assert_int_equal(program(&n, 0x1000, "abc", 3), 0);
    assert_int_equal(power.ops, 2);
    nor_flash_close(&n);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(nor_flash_file(&n, fd, false, NULL), 0);
    assert_memory_equal(n.readable + 0x1000, "abc\xff", 4);
    assert_int_equal(n.bytes[0], 0);
    assert_int_equal(program(&n, 0x1000, "\0", 1), AL_ERR_NOT_ALLOWED);
    nor_flash_close(&n);
    unlink(path);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_chip, close_chip)
    const struct CMUnitTest tests[] = {
        TEST(new_chip_is_erased_and_reads_what_was_programmed),
        TEST(program_counts_one_operation_a_page),
        TEST(erase_uses_the_largest_blocks_that_the_range_covers),
        TEST(strict_reports_address_bytes_and_caller),
        TEST(without_strict_bits_are_anded_as_silicon_does),
        TEST(bad_ranges_change_nothing),
        TEST(cut_ends_everything_until_power_is_back),
        TEST(prefix_tear_stops_at_the_byte),
        TEST(mixed_tear_leaves_bits_between_old_and_new),
        TEST(torn_erase_leaves_old_ones_and_between),
        TEST(same_seed_tears_the_same_way),
        TEST(real_timing_takes_the_time_of_a_chip),
        cmocka_unit_test(file_keeps_what_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
