/* The chip: power, resets, watchdog, and what ends a run. `airlift device run`. */
#ifndef DEVICE_CHIP_H
#define DEVICE_CHIP_H

#include "device/conf.h"

/* Zeros mean the defaults; what device.conf can say is a text of its form, NULL:
 * as it stands there. */
struct chip_options {
    const char *dir;
    /* The run ends */
    const char *until; /* when a line of UART 0 matches this extended regular expression */
    double seconds;    /* after this time; 0: no limit */
    unsigned resets;   /* after so many resets; 0: no limit */
    /* UART 0 */
    int input, output; /* descriptors; input -1: none */
    bool colour;
    const char *log;               /* a file to append to */
    const char *uarts[CONF_UARTS]; /* wires, see wire.h; UART 0 has input and output without */
    /* Faults */
    uint64_t power_cut; /* at this flash operation, counted from power on, once; 0: none */
    uint64_t power_cut_seed;
    double brownout; /* so many seconds after power on, once; 0: none */
    /* Instead of device.conf */
    const char *strict, *timing, *net_rate, *radio, *agent, *boot_loop_limit;
    bool no_sandbox;
};

enum chip_end {
    CHIP_MATCHED,
    CHIP_TIME,
    CHIP_RESETS,
    CHIP_INTERRUPTED, /* Ctrl-C */
    CHIP_NO_OUTPUT,   /* nobody reads UART 0 any more */
    CHIP_BOOT_LOOP,
    CHIP_NO_LOADER, /* the ROM finds nothing to start */
    CHIP_FAILED     /* the run could not begin or go on: see error */
};

struct chip_report {
    enum chip_end end;
    unsigned boots, resets; /* resets: after the first power on */
    enum reset_reason last_reason;
    char running[17]; /* label of the partition started last; empty: none */
    bool power_was_cut;
    uint64_t flash_ops; /* flash operations since the last power on */
    char error[512];
};

/* Runs a device until something ends it. The process gets no other children meanwhile;
 * SIGINT and SIGTERM end the run. True: the end is the one that was asked for (with
 * `until`, only a match; without any limit, Ctrl-C). */
bool chip_run(const struct chip_options *o, struct chip_report *r);

const char *chip_end_name(enum chip_end end); /* "until", "time", ... */
const char *reset_reason_name(enum reset_reason reason);

#endif
