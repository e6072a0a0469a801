#include "core/err.h"
#include "tests/support/mem_flash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
    static struct mem_flash m;
    mem_flash_init(&m, 0x8000, true);
    *state = &m;
    return 0;
}

static int teardown(void **state)
{
    mem_flash_free(*state);
    return 0;
}

static struct al_window part(struct mem_flash *m)
{
    struct al_window all = al_window_all(&m->flash), w;
    assert_int_equal(al_window_sub(&all, 0x2000, 0x3000, &w), 0);
    return w;
}

static void a_sub_window_must_lie_inside(void **state)
{
    struct al_window w = part(*state), out;
    assert_int_equal(al_window_sub(&w, 0, 0x3000, &out), 0);
    assert_int_equal(al_window_sub(&w, 0x3000, 0, &out), 0);
    assert_int_equal(al_window_sub(&w, 0, 0x3001, &out), AL_ERR_INVALID_SIZE);
    assert_int_equal(al_window_sub(&w, 0x3001, 0, &out), AL_ERR_INVALID_SIZE);
    assert_int_equal(al_window_sub(&w, 0x2fff, 0xffffffff, &out), AL_ERR_INVALID_SIZE);
    assert_int_equal(al_window_sub(&w, 0x1000, 0x1000, &out), 0);
    assert_int_equal(out.offset, 0x3000);
}

static void nothing_outside_a_window_is_reached(void **state)
{
    struct mem_flash *m = *state;
    struct al_window w = part(m);
    uint8_t byte = 0x55;
    assert_int_equal(al_window_program(&w, 0x3000, &byte, 1), AL_ERR_INVALID_SIZE);
    assert_int_equal(al_window_program(&w, 0x3001, &byte, 1), AL_ERR_INVALID_ARG);
    assert_int_equal(al_window_read(&w, 0x2fff, &byte, 2), AL_ERR_INVALID_SIZE);
    assert_int_equal(al_window_read(&w, 4, &byte, 0xffffffff), AL_ERR_INVALID_SIZE);
    assert_int_equal(al_window_erase(&w, 0x2000, 0x2000), AL_ERR_INVALID_SIZE);
    assert_null(al_window_map(&w, 0x2fff, 2));
    for (uint32_t i = 0; i < 0x8000; i++) assert_int_equal(m->bytes[i], 0xff);

    assert_int_equal(al_window_program(&w, 0x2fff, &byte, 1), 0);
    assert_int_equal(m->bytes[0x4fff], 0x55);
    assert_ptr_equal(al_window_map(&w, 0x2fff, 1), m->bytes + 0x4fff);
}

static void erase_takes_whole_sectors_with_the_vendors_codes(void **state)
{
    struct mem_flash *m = *state;
    struct al_window w = part(m), all = al_window_all(&m->flash), odd;
    memset(m->bytes, 0, 0x8000);
    assert_int_equal(al_window_erase(&w, 0, 0x800), AL_ERR_INVALID_SIZE);
    assert_int_equal(al_window_erase(&w, 0x800, 0x1000), AL_ERR_INVALID_ARG);
    assert_int_equal(al_window_sub(&all, 0x2100, 0x2000, &odd), 0);
    assert_int_equal(al_window_erase(&odd, 0, 0x1000), AL_ERR_INVALID_ARG);
    assert_int_equal(al_window_erase(&w, 0x1000, 0x1000), 0);
    assert_int_equal(m->bytes[0x2fff], 0);
    assert_int_equal(m->bytes[0x3000], 0xff);
    assert_int_equal(m->bytes[0x3fff], 0xff);
    assert_int_equal(m->bytes[0x4000], 0);
}

static void a_readonly_window_only_reads(void **state)
{
    struct al_window w = part(*state), sub;
    uint8_t byte = 0;
    w.readonly = true;
    assert_int_equal(al_window_sub(&w, 0, 0x1000, &sub), 0);
    assert_int_equal(al_window_program(&sub, 0, &byte, 1), AL_ERR_NOT_ALLOWED);
    assert_int_equal(al_window_program(&sub, 0x9000, &byte, 1), AL_ERR_NOT_ALLOWED);
    assert_int_equal(al_window_erase(&sub, 0, 0x1000), AL_ERR_NOT_ALLOWED);
    assert_int_equal(al_window_read(&sub, 0, &byte, 1), 0);
    assert_int_equal(byte, 0xff);
}

static void no_bytes_reach_no_callback(void **state)
{
    struct mem_flash *m = *state;
    struct al_window w = part(m);
    m->flash.read = NULL;
    m->flash.program = NULL;
    m->flash.erase = NULL;
    assert_int_equal(al_window_read(&w, 0x3000, NULL, 0), 0);
    assert_int_equal(al_window_program(&w, 0, NULL, 0), 0);
    assert_int_equal(al_window_erase(&w, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sub_window_must_lie_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_outside_a_window_is_reached, setup, teardown),
        cmocka_unit_test_setup_teardown(erase_takes_whole_sectors_with_the_vendors_codes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_readonly_window_only_reads, setup, teardown),
        cmocka_unit_test_setup_teardown(no_bytes_reach_no_callback, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
