/* A virtual device for tests of the API layer inside the test's own process:
 * flash, eFuse and control page in memory, handed over by AIRLIFT_BOARD, so that
 * board() attaches. One a process; a test that resets the device (esp_restart)
 * does so in a forked child.
 *
 *   0x8000    partition table
 *   0x9000    nvs      0x4000     0x10000   factory 1 MiB
 *   0xd000    otadata  0x2000     0x110000  ota_0   1 MiB
 *   0xf000    phy_init 0x1000     0x210000  ota_1   1 MiB
 *                                 0x310000  storage 0x10000 (data, fat)
 * 4 MiB, ESP32-C3, revision 0.3. */
#ifndef TESTS_SUPPORT_TEST_BOARD_H
#define TESTS_SUPPORT_TEST_BOARD_H

#include "core/part_table.h"
#include "device/board.h"

#define TEST_FLASH_SIZE   0x400000u
#define TEST_NVS          0x9000u
#define TEST_OTADATA      0xd000u
#define TEST_FACTORY      0x10000u
#define TEST_OTA_0        0x110000u
#define TEST_OTA_1        0x210000u
#define TEST_STORAGE      0x310000u
#define TEST_STORAGE_SIZE 0x10000u

/* Makes the device and sets AIRLIFT_BOARD; on later calls the flash is erased,
 * the table written anew and the control page set back. Running: factory, which
 * holds esp-flash/image/app_c3_v1.bin. Gives board(). */
struct board *test_board_new(void);

/* Content of flash and eFuse without NOR rules. */
void test_board_fill(uint32_t address, const void *data, uint32_t len);
void test_board_put_vector(uint32_t address, const char *vector);
void test_board_erase(uint32_t address, uint32_t len);
/* Another chip in a fresh eFuse ("esp32c6"), before the first use of the OTA API. */
void test_board_chip(const char *name, uint16_t revision);
/* The partition that counts as started (before the first use of the OTA API). */
void test_board_run_from(uint32_t offset);

/* Runs fn in a child that gets the same device; gives the reset reason that it
 * left (enum reset_reason; 0: it ended without one) and what it wrote on
 * stdout and stderr (malloc'ed, may be NULL). A child that hangs is ended after 10 s. */
uint32_t test_board_fork(void (*fn)(void *arg), void *arg, char **output);

/* Runs fn with stdout caught; gives what was written (malloc'ed). */
char *test_board_capture(void (*fn)(void *arg), void *arg);

/* Fails unless text holds these, one behind the other. */
void test_board_assert_in_order(const char *text, const char *const *wanted, size_t count);

#endif
