/* The peripherals as a running firmware reaches them. The chip process hands
 * over open files by number in the environment variable AIRLIFT_BOARD
 * ("flash=3,efuse=4,control=5,dir=/path"); nothing else connects the two. */
#ifndef DEVICE_BOARD_H
#define DEVICE_BOARD_H

#include "device/control.h"
#include "device/efuse.h"
#include "device/nor_flash.h"

struct board {
    struct nor_flash nor;
    struct efuse efuse;
    struct control *control;
    char dir[256]; /* the device directory */
};

/* The board of this process. The first call attaches; without a device it
 * explains how to start one and exits with status 2. A power cut inside a
 * flash operation ends the process at once. */
struct board *board(void);

/* Ends the process with the reset reason; flash and eFuse stay as they are. */
_Noreturn void board_reset(enum reset_reason reason);
_Noreturn void board_deep_sleep(uint64_t wake_us);

/* Time since reset. */
uint64_t board_uptime_us(void);

/* Level that a pin reads: what firmware drives, else the outside, else the pull, else 0. */
int board_gpio_level(unsigned pin);
/* Waits until a pin changes or timeout_ms passed (-1: for ever); false on time-out.
 * seen: the count the caller has handled, updated. */
bool board_gpio_wait(uint32_t *seen, int timeout_ms);

/* Turns fatal signals into a panic report ("Guru Meditation Error ...") on
 * UART 0 and a panic reset. Call it in each new thread too: it gives the thread
 * the stack on which its own stack overflow can be reported. */
void board_catch_faults(void);
/* The report for abort(), failed asserts and ESP_ERROR_CHECK: text, backtrace, panic reset. */
_Noreturn void board_panic(const char *what);

#endif
