#include "tests/support/test_board.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "host/crypto_openssl.h"
#include "tests/support/vectors.h"

static uint8_t *flash, *efuse_bytes;
static struct control *control;

static const struct al_part parts[] = {
    {AL_PART_DATA, AL_PART_DATA_NVS, TEST_NVS, 0x4000, "nvs", 0},
    {AL_PART_DATA, AL_PART_DATA_OTA, TEST_OTADATA, 0x2000, "otadata", 0},
    {AL_PART_DATA, AL_PART_DATA_PHY, 0xf000, 0x1000, "phy_init", 0},
    {AL_PART_APP, AL_PART_FACTORY, TEST_FACTORY, 0x100000, "factory", 0},
    {AL_PART_APP, AL_PART_OTA_0, TEST_OTA_0, 0x100000, "ota_0", 0},
    {AL_PART_APP, AL_PART_OTA_0 + 1, TEST_OTA_1, 0x100000, "ota_1", 0},
    {AL_PART_DATA, 0x81, TEST_STORAGE, TEST_STORAGE_SIZE, "storage", 0},
};

static void *shared_memory(const char *name, size_t len, int *fd)
{
    *fd = memfd_create(name, 0);
    assert_true(*fd >= 0);
    assert_int_equal(ftruncate(*fd, (off_t)len), 0);
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    assert_true(p != MAP_FAILED);
    return p;
}

static void make_device(void)
{
    int flash_fd, efuse_fd, control_fd;
    flash = shared_memory("flash", TEST_FLASH_SIZE, &flash_fd);
    efuse_bytes = shared_memory("efuse", EFUSE_LEN, &efuse_fd);
    control = shared_memory("control", sizeof *control, &control_fd);

    char text[128];
    snprintf(text, sizeof text, "flash=%d,efuse=%d,control=%d,dir=/tmp", flash_fd, efuse_fd,
             control_fd);
    setenv("AIRLIFT_BOARD", text, 1);
}

static void write_table(void)
{
    static struct al_part_table table;
    memset(&table, 0, sizeof table);
    table.count = sizeof parts / sizeof *parts;
    memcpy(table.part, parts, sizeof parts);
    uint8_t raw[AL_PART_TABLE_LEN];
    assert_int_equal(al_part_table_build(&table, true, &crypto_openssl, raw), 0);
    test_board_fill(AL_PART_TABLE_OFFSET, raw, sizeof raw);
}

static void reset_control(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    memset(control, 0, sizeof *control);
    control->magic = CONTROL_MAGIC;
    control->version = CONTROL_VERSION;
    control->chip_pid = (uint32_t)getpid();
    control->reset_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    control->reset_reason = RESET_POWERON;
    control->boot_count = 1;
    control->running_offset = TEST_FACTORY;
    control->table_offset = AL_PART_TABLE_OFFSET;
    control->strict = 1;
    memset(control->gpio_outside, 2, sizeof control->gpio_outside);
    memset(control->gpio_output, 2, sizeof control->gpio_output);
}

void test_board_chip(const char *name, uint16_t revision)
{
    struct efuse e;
    efuse_blank(&e, al_chip_by_name(name), revision);
    memcpy(efuse_bytes, e.bytes, EFUSE_LEN);
}

struct board *test_board_new(void)
{
    if (!flash) make_device();
    memset(flash, 0xff, TEST_FLASH_SIZE);
    reset_control();
    test_board_chip("esp32c3", 3);
    write_table();
    test_board_put_vector(TEST_FACTORY, "esp-flash/image/app_c3_v1.bin");
    return board();
}

void test_board_fill(uint32_t address, const void *data, uint32_t len)
{
    assert_true(address <= TEST_FLASH_SIZE && len <= TEST_FLASH_SIZE - address);
    memcpy(flash + address, data, len);
}

void test_board_put_vector(uint32_t address, const char *vector)
{
    size_t len;
    uint8_t *data = vector_file(&len, "%s", vector);
    test_board_fill(address, data, (uint32_t)len);
    free(data);
}

void test_board_erase(uint32_t address, uint32_t len)
{
    assert_true(address <= TEST_FLASH_SIZE && len <= TEST_FLASH_SIZE - address);
    memset(flash + address, 0xff, len);
}

void test_board_run_from(uint32_t offset)
{
    control->running_offset = offset;
}

/* Everything in fd from its start, NUL behind it. */
static char *whole_text(int fd)
{
    off_t len = lseek(fd, 0, SEEK_END);
    char *text = malloc((size_t)len + 1);
    assert_non_null(text);
    assert_int_equal(pread(fd, text, (size_t)len, 0), len);
    text[len] = 0;
    return text;
}

uint32_t test_board_fork(void (*fn)(void *arg), void *arg, char **output)
{
    int out = memfd_create("output", 0);
    assert_true(out >= 0);
    control->next_reason = 0;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(out, 1);
        dup2(out, 2);
        setvbuf(stdout, NULL, _IOLBF, 0);
        alarm(10);
        fn(arg);
        fflush(NULL);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) fail_msg("the child hangs");
    if (output) *output = whole_text(out);
    close(out);
    return control->next_reason;
}

char *test_board_capture(void (*fn)(void *arg), void *arg)
{
    int out = memfd_create("output", 0);
    fflush(stdout);
    int before = dup(1);
    assert_true(out >= 0 && before >= 0);
    dup2(out, 1);
    fn(arg);
    fflush(stdout);
    dup2(before, 1);
    close(before);
    char *text = whole_text(out);
    close(out);
    return text;
}

void test_board_assert_in_order(const char *text, const char *const *wanted, size_t count)
{
    const char *at = text;
    for (size_t i = 0; i < count; i++) {
        at = strstr(at, wanted[i]);
        if (!at) fail_msg("no \"%s\" in order in:\n%s", wanted[i], text);
        at += strlen(wanted[i]);
    }
}
