/* The control page: all that the chip process and the firmware process share
 * besides flash and eFuse. It is the file run/control in the device directory,
 * mapped by both and by `airlift device gpio`. Everything here is lost when the
 * power is (the chip clears it), but rtc_memory, which survives resets other than
 * power-on, as RTC memory does. */
#ifndef DEVICE_CONTROL_H
#define DEVICE_CONTROL_H

#include "device/nor_flash.h"

#define CONTROL_MAGIC   0x4c544341u /* "ACTL" */
#define CONTROL_VERSION 1u
#define CONTROL_GPIOS   64u
#define CONTROL_RTC_LEN 8192u

enum reset_reason { /* numbers of esp_reset_reason_t */
                    RESET_UNKNOWN = 0,
                    RESET_POWERON = 1,
                    RESET_EXT = 2,
                    RESET_SW = 3,
                    RESET_PANIC = 4,
                    RESET_INT_WDT = 5,
                    RESET_TASK_WDT = 6,
                    RESET_WDT = 7,
                    RESET_DEEPSLEEP = 8,
                    RESET_BROWNOUT = 9
};

struct control {
    uint32_t magic, version;
    uint32_t chip_pid;
    uint64_t reset_ns;       /* CLOCK_MONOTONIC at the last reset: log times count from here */
    uint32_t reset_reason;   /* enum reset_reason of this boot */
    uint32_t next_reason;    /* set by the firmware before it ends itself; 0: it did not */
    uint64_t sleep_us;       /* deep sleep: wake after this time; 0: for ever */
    uint32_t boot_count;     /* since the device was switched on */
    uint32_t running_offset; /* flash offset of the partition that was started */
    uint32_t table_offset;   /* of the partition table */
    uint32_t bootloader_offset;
    uint32_t rollback, anti_rollback; /* what the boot loader was built with */
    uint32_t app_started;             /* firmware has reached app_main */
    uint32_t strict;                  /* NOR violations are defects */
    uint32_t real_timing;
    uint64_t net_rate; /* bytes a second; 0: as fast as it goes */
    uint32_t colour;   /* log colours */
    struct nor_power power;
    /* GPIO: level of the outside world; 0, 1, or 2: not driven (pull decides) */
    uint8_t gpio_outside[CONTROL_GPIOS];
    uint8_t gpio_pull[CONTROL_GPIOS];   /* set by firmware: 0 none, 1 up, 2 down */
    uint8_t gpio_output[CONTROL_GPIOS]; /* level driven by firmware; 2: input */
    uint32_t gpio_changes;              /* counts; futex for waiting firmware */
    uint8_t rtc_memory[CONTROL_RTC_LEN];
};

#define CONTROL_PATH "run/control" /* in the device directory */

/* Makes a fresh page for a chip that is switched on; nothing is driven, inputs
 * float. *fd stays open for the firmware. 0 or -errno. */
int control_create(const char *dir, struct control **out, int *fd);
/* The page of a running chip. -EPROTO: not a control page of this version. */
int control_open(const char *dir, struct control **out);
/* The same from an open file, as a firmware gets it. fd stays open. */
int control_map(int fd, struct control **out);
void control_unmap(struct control *c);

/* What a reset clears: everything the firmware set. Power on: RTC memory too. */
void control_clear(struct control *c, bool power_on);

/* The outside world drives a pin: 0, 1, or 2 (lets go). Wakes who waits. */
void control_gpio_drive(struct control *c, unsigned pin, uint8_t level);
/* What the pin reads: the firmware's output, else the outside, else the pull, else 0. */
int control_gpio_level(const struct control *c, unsigned pin);
/* Waits until gpio_changes differs from *seen, or timeout_ms (-1: for ever). */
bool control_gpio_wait(struct control *c, uint32_t *seen, int timeout_ms);

uint64_t control_now_ns(void); /* the clock of reset_ns */

#endif
