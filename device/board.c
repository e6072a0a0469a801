/* The firmware's side of the virtual chip. See board.h. */
#include "device/board.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"

static struct board the_board;
static pthread_once_t attached = PTHREAD_ONCE_INIT;

static _Noreturn void attach_failed(const char *what)
{
    fprintf(stderr,
            "airlift: this program is firmware of a virtual device: %s.\n"
            "Make a device and start it there:\n"
            "  airlift device create my-device --from BUILD_DIR\n"
            "  airlift device run my-device\n",
            what);
    exit(2);
}

/* Nothing may run any more: no destructors, no buffered output. */
static void power_is_gone(void)
{
    _exit(0);
}

static void attach(void)
{
    struct board *b = &the_board;
    const char *text = getenv("AIRLIFT_BOARD");
    int flash, efuse, control, dir_at = 0;
    if (!text) attach_failed("it was not started by a chip");
    if (sscanf(text, "flash=%d,efuse=%d,control=%d,dir=%n", &flash, &efuse, &control, &dir_at) !=
            3 ||
        !dir_at || strlen(text + dir_at) >= sizeof b->dir)
        attach_failed("AIRLIFT_BOARD is not what a chip writes");
    memcpy(b->dir, text + dir_at, strlen(text + dir_at) + 1);
    int err = control_map(control, &b->control);
    if (err == -EPROTO) attach_failed("the chip that started it is of another version of Airlift");
    if (err) attach_failed("the control page cannot be mapped");
    if (nor_flash_file(&b->nor, flash, true, &b->control->power))
        attach_failed("the flash cannot be mapped");
    if (efuse_file(&b->efuse, efuse, true)) attach_failed("the eFuses cannot be mapped");
    b->nor.strict = b->control->strict;
    b->nor.real_timing = b->control->real_timing;
    b->nor.on_power_cut = power_is_gone;
    /* The chip reads a pipe, and lines must come when they are printed. */
    setvbuf(stdout, NULL, _IOLBF, 0);
}

struct board *board(void)
{
    pthread_once(&attached, attach);
    return &the_board;
}

_Noreturn void board_reset(enum reset_reason reason)
{
    board()->control->next_reason = reason;
    fflush(stdout);
    _exit(0);
}

_Noreturn void board_deep_sleep(uint64_t wake_us)
{
    board()->control->sleep_us = wake_us;
    board_reset(RESET_DEEPSLEEP);
}

uint64_t board_uptime_us(void)
{
    return (control_now_ns() - board()->control->reset_ns) / 1000;
}

int board_gpio_level(unsigned pin)
{
    return control_gpio_level(board()->control, pin);
}

bool board_gpio_wait(uint32_t *seen, int timeout_ms)
{
    return control_gpio_wait(board()->control, seen, timeout_ms);
}
