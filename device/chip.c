/* The reset loop.
 *
 *   power on -> boot_run -> firmware -> its end -> reason -> boot_run -> ...
 *                 |             \-> deep sleep: wait, then the same
 *                 \-> nothing boots: reset, until the loop limit
 *
 * The firmware's half of the control page is written by a program that is not
 * trusted: each value is checked where it is used. */
#include "device/chip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/err.h"
#include "device/boot_run.h"
#include "device/bus_guard.h"
#include "device/pump.h"
#include "device/sandbox.h"
#include "device/wires.h"
#include "host/image_build.h"

#define SHORT_LIFE_NS 1000000000u
#define NS            1e9
#define LONGEST_NS    (100ull * 365 * 86400 * 1000000000u)

struct chip {
    const struct chip_options *o;
    struct chip_report *r;
    struct device device;
    struct uart uart;
    struct wires wires;
    struct boot_run boot;
    struct firmware firmware;
    struct pump pump;
    uint64_t end_ns, brownout_ns; /* 0: none */
    unsigned short_lives;         /* in a row */
};

/* What a firmware's end led to. */
struct outcome {
    bool over; /* the run is: see end */
    enum chip_end end;
    enum reset_reason reason;
};

static const struct outcome no_outcome;

static struct outcome over(enum chip_end end)
{
    return (struct outcome){.over = true, .end = end};
}

static struct outcome reset_by(enum reset_reason reason)
{
    return (struct outcome){.reason = reason};
}

/* --- power --- */

static void begin_reset(struct chip *c, enum reset_reason reason)
{
    struct control *k = c->device.control;
    control_clear(k, reason == RESET_POWERON);
    k->reset_ns = control_now_ns();
    k->reset_reason = reason;
    k->boot_count = ++c->r->boots;
    c->r->last_reason = reason;
}

static const struct al_part *part_at(const struct al_part_table *t, uint32_t address)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (address - t->part[i].offset < t->part[i].size) return &t->part[i];
    return NULL;
}

/* The power went in a flash operation: says in which, and switches on again. */
static struct outcome power_cut(struct chip *c)
{
    struct control *k = c->device.control;
    const struct nor_power *p = &k->power;
    const struct al_part *part = part_at(&c->boot.result.table, p->cut_addr);
    char where[64] = "outside every partition";
    if (part) snprintf(where, sizeof where, "%s + 0x%x", part->label, p->cut_addr - part->offset);
    uart_note(&c->uart,
              "power cut in flash operation %llu: %s of %u bytes at 0x%06x (%s), torn by seed "
              "%llu. The power comes back",
              (unsigned long long)p->ops, p->cut_erase ? "erase" : "program", p->cut_len,
              p->cut_addr, where, (unsigned long long)p->seed);
    c->r->power_was_cut = true;
    nor_flash_power_on(&c->device.nor);
    return reset_by(RESET_POWERON);
}

/* --- the firmware --- */

/* The program inside the image that was verified; NULL: a real chip's image. */
static const uint8_t *find_program(const struct chip *c, uint32_t *size)
{
    const struct al_boot_result *r = &c->boot.result;
    const uint8_t *image = c->device.nor.readable + r->part->offset;
    uint32_t at;
    if (!image_find_program(image, r->image.image_len, r->image.segment, r->image.segment_count,
                            &at, size))
        return NULL;
    return image + at;
}

static bool start_program(struct chip *c)
{
    uint32_t size = 0;
    char why[256];
    const uint8_t *program = find_program(c, &size);
    const char *fault = program ? firmware_program_fault(program, size) : NULL;
    const struct firmware_start s = {.device = &c->device,
                                     .program = program,
                                     .size = size,
                                     .agent = c->device.conf.agent,
                                     .sandbox = !c->o->no_sandbox,
                                     .wired = c->wires.wired};
    if (!fault && firmware_start(&c->firmware, &s, why, sizeof why)) fault = why;
    if (!fault) return true;
    boot_log(&c->boot, 'E', "boot", "App in partition %s cannot be started",
             c->boot.result.part->label);
    uart_note(&c->uart, "%s cannot be started: %s", c->boot.result.part->label, fault);
    return false;
}

/* eFuse bits cannot be cleared; a firmware that wrote to the mapping did not. */
static void guard_efuses(struct chip *c, const uint8_t before[EFUSE_LEN])
{
    uint8_t *now = c->device.efuse.bytes;
    bool cleared = false;
    for (uint32_t i = 0; i < EFUSE_LEN; i++) {
        cleared |= before[i] & ~now[i];
        now[i] |= before[i];
    }
    if (cleared)
        uart_note(&c->uart, "the firmware tried to clear eFuse bits; they are as they were");
}

static struct outcome sleep_deep(struct chip *c)
{
    int status;
    uint64_t sleep_ns = c->device.control->sleep_us, wake = 0;
    if (sleep_ns) {
        sleep_ns = sleep_ns > LONGEST_NS / 1000 ? LONGEST_NS : sleep_ns * 1000;
        wake = control_now_ns() + sleep_ns;
    }
    bool time_first = c->end_ns && (!wake || c->end_ns < wake);
    switch (pump_run(&c->pump, time_first ? c->end_ns : wake, &status)) {
    case PUMP_DEADLINE:
        return time_first ? over(CHIP_TIME) : reset_by(RESET_DEEPSLEEP);
    case PUMP_MATCHED:
        return over(CHIP_MATCHED);
    case PUMP_NO_OUTPUT:
        return over(CHIP_NO_OUTPUT);
    default:
        return over(CHIP_INTERRUPTED);
    }
}

static struct outcome after_end(struct chip *c, int status)
{
    const struct control *k = c->device.control;
    uint32_t reason = k->next_reason;
    if (k->power.off) return power_cut(c);
    if (reason == RESET_DEEPSLEEP) return sleep_deep(c);
    if (reason > RESET_UNKNOWN && reason <= RESET_BROWNOUT) return reset_by(reason);
    if (WIFSIGNALED(status))
        uart_note(&c->uart, "the firmware was ended by signal %d (%s); that counts as a panic",
                  WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        uart_note(&c->uart,
                  "the firmware's process ended with status %d, but a firmware only ends by a "
                  "reset; that counts as a panic",
                  WEXITSTATUS(status));
    return reset_by(RESET_PANIC);
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return !a ? b : !b || a < b ? a : b;
}

/* A time has come: which one was it? */
static struct outcome at_deadline(struct chip *c, uint64_t *watchdog)
{
    uint64_t now = control_now_ns();
    if (c->end_ns && now >= c->end_ns) return over(CHIP_TIME);
    if (c->brownout_ns && now >= c->brownout_ns) {
        c->brownout_ns = 0;
        uart_print(&c->uart, "\nBrownout detector was triggered\n\n");
        return reset_by(RESET_BROWNOUT);
    }
    /* The app feeds this watchdog no more once app_main runs: it is off then. */
    if (*watchdog && now >= *watchdog) {
        *watchdog = 0;
        if (!c->device.control->app_started) return reset_by(RESET_WDT);
    }
    return no_outcome;
}

/* What the firmware left of its files cannot be looked at. */
static struct outcome cut_short(struct chip *c)
{
    snprintf(c->r->error, sizeof c->r->error,
             "the firmware cut flash.bin, efuse.bin or run/control short: the device is broken. "
             "Make it again with 'airlift device create'");
    return over(CHIP_FAILED);
}

static struct outcome watch_firmware(struct chip *c)
{
    uint64_t watchdog = 0;
    int status;
    if (c->boot.loader.watchdog_ms)
        watchdog = c->device.control->reset_ns + c->boot.loader.watchdog_ms * 1000000ull;
    for (;;) {
        uint64_t deadline = earliest(earliest(c->end_ns, c->brownout_ns), watchdog);
        struct outcome out;
        enum pump_end end = pump_run(&c->pump, deadline, &status);
        if (!device_is_whole(&c->device)) return cut_short(c);
        switch (end) {
        case PUMP_ENDED:
            return after_end(c, status);
        case PUMP_MATCHED:
            return over(CHIP_MATCHED);
        case PUMP_INTERRUPTED:
            return over(CHIP_INTERRUPTED);
        case PUMP_NO_OUTPUT:
            return over(CHIP_NO_OUTPUT);
        case PUMP_DEADLINE:
            out = at_deadline(c, &watchdog);
            if (out.over || out.reason) return out;
        }
    }
}

static struct outcome run_firmware(struct chip *c)
{
    uint8_t efuses[EFUSE_LEN];
    uint64_t began = control_now_ns();
    memcpy(efuses, c->device.efuse.bytes, sizeof efuses);
    if (!start_program(c)) {
        c->short_lives++;
        return reset_by(RESET_PANIC);
    }
    struct outcome out = watch_firmware(c);
    firmware_kill(&c->firmware);
    firmware_close(&c->firmware);
    if (!device_is_whole(&c->device)) return cut_short(c);
    guard_efuses(c, efuses);
    bool asleep = out.reason == RESET_DEEPSLEEP,
         short_life = control_now_ns() - began < SHORT_LIFE_NS;
    c->short_lives = short_life && !asleep ? c->short_lives + 1 : 0;
    return out;
}

/* --- the loop --- */

static struct outcome run_once(struct chip *c, enum reset_reason reason)
{
    begin_reset(c, reason);
    enum boot_end end = boot_run(&c->boot);
    c->r->running[0] = 0;
    if (c->uart.matched) return over(CHIP_MATCHED);
    switch (end) {
    case BOOT_POWER:
        return power_cut(c);
    case BOOT_NO_LOADER:
        return over(CHIP_NO_LOADER);
    case BOOT_NO_APP:
        c->short_lives++;
        return reset_by(RESET_SW);
    case BOOT_STARTED:
        break;
    }
    memcpy(c->r->running, c->boot.result.part->label, sizeof c->r->running);
    return run_firmware(c);
}

/* Between two boots: did anything end the run? */
static struct outcome between(struct chip *c)
{
    int status;
    uint32_t limit = c->device.conf.boot_loop_limit;
    c->r->resets++;
    if (c->o->resets && c->r->resets >= c->o->resets) return over(CHIP_RESETS);
    if (limit && c->short_lives >= limit) return over(CHIP_BOOT_LOOP);
    if (c->end_ns && control_now_ns() >= c->end_ns) return over(CHIP_TIME);
    if (pump_run(&c->pump, 1, &status) == PUMP_INTERRUPTED) return over(CHIP_INTERRUPTED);
    return no_outcome;
}

static enum chip_end run(struct chip *c)
{
    struct outcome out = reset_by(RESET_POWERON);
    do {
        out = run_once(c, out.reason);
        if (out.over) break;
        struct outcome end = between(c);
        if (end.over) out = end;
    } while (!out.over);
    return out.end;
}

/* --- beginning and end --- */

static int use_option(struct chip *c, const char *key, const char *value)
{
    char line[256], why[200];
    if (!value) return 0;
    snprintf(line, sizeof line, "%s = %s", key, value);
    if (device_conf_override(&c->device.conf, line, why, sizeof why) == 0) return 0;
    snprintf(c->r->error, sizeof c->r->error, "%s", why);
    return AL_FAIL;
}

static int use_options(struct chip *c)
{
    const struct chip_options *o = c->o;
    int err = use_option(c, "strict", o->strict);
    if (!err) err = use_option(c, "timing", o->timing);
    if (!err) err = use_option(c, "net_rate", o->net_rate);
    if (!err) err = use_option(c, "radio", o->radio);
    if (!err) err = use_option(c, "agent", o->agent);
    if (!err) err = use_option(c, "boot_loop_limit", o->boot_loop_limit);
    return err;
}

/* Silence would be taken for safety. */
static void note_weak_sandbox(struct chip *c)
{
    if (!c->o->no_sandbox && sandbox_landlock_version() == 0)
        uart_note(&c->uart, "this kernel has no Landlock: the firmware can read and write all "
                            "files that you can");
}

static void switch_on(struct chip *c)
{
    struct control *k = c->device.control;
    const struct device_conf *conf = &c->device.conf;
    k->chip_pid = (uint32_t)getpid();
    k->strict = conf->strict;
    k->real_timing = conf->real_timing;
    k->net_rate = conf->net_rate;
    k->colour = c->o->colour;
    memcpy(k->gpio_outside, conf->gpio, sizeof k->gpio_outside);
    k->power.cut_at = c->o->power_cut;
    k->power.seed = c->o->power_cut_seed;
    c->device.nor.strict = conf->strict;
    c->device.nor.real_timing = conf->real_timing;
    uint64_t now = control_now_ns();
    if (c->o->seconds > 0) c->end_ns = now + (uint64_t)(c->o->seconds * NS);
    if (c->o->brownout > 0) c->brownout_ns = now + (uint64_t)(c->o->brownout * NS);
    c->boot.device = &c->device;
    c->boot.uart = &c->uart;
    c->firmware = FIRMWARE_NONE;
}

static int open_uart(struct chip *c)
{
    const struct chip_options *o = c->o;
    char why[128];
    if (o->until && uart_wait_for(&c->uart, o->until, why, sizeof why)) {
        snprintf(c->r->error, sizeof c->r->error, "'%s' is not a regular expression: %s", o->until,
                 why);
        return AL_FAIL;
    }
    int err = o->log ? uart_log_to(&c->uart, o->log) : 0;
    if (err) snprintf(c->r->error, sizeof c->r->error, "%s: %s", o->log, strerror(-err));
    return err ? AL_FAIL : 0;
}

static int connect_uarts(struct chip *c)
{
    struct wire *wires[CONF_UARTS];
    for (unsigned n = 0; n < CONF_UARTS; n++) wires[n] = wires_of(&c->wires, n);
    int err = pump_open(&c->pump, &c->uart, &c->firmware, c->o->input, wires);
    if (err) snprintf(c->r->error, sizeof c->r->error, "signals: %s", strerror(-err));
    return err;
}

static void explain(struct chip *c, enum chip_end end)
{
    char *out = c->r->error;
    size_t size = sizeof c->r->error;
    if (end == CHIP_BOOT_LOOP)
        snprintf(out, size,
                 "the device reset %u times in a row within a second (the last reason: %s), and "
                 "would go on for ever. The log above says why it cannot stay up; "
                 "'--boot-loop-limit 0' lets it go on",
                 c->short_lives, reset_reason_name(c->r->last_reason));
    else if (end == CHIP_NO_LOADER)
        snprintf(out, size,
                 "the chip's ROM finds no boot loader to start at 0x%x of flash.bin. Make the "
                 "device again from a build ('airlift device create --from BUILD_DIR'), or write "
                 "a boot loader for %s there",
                 c->device.ids.chip->bootloader_offset, c->device.ids.chip->title);
    else if (c->o->until && end == CHIP_TIME)
        snprintf(out, size, "no line matched '%s' within %g s", c->o->until, c->o->seconds);
    else if (c->o->until && end != CHIP_MATCHED)
        snprintf(out, size, "no line matched '%s' before the end (%s)", c->o->until,
                 chip_end_name(end));
    else if (end == CHIP_NO_OUTPUT)
        snprintf(out, size, "UART 0 cannot be written any more");
}

/* A cut that never came would otherwise look like one that was survived. */
static void count_operations(struct chip *c)
{
    c->r->flash_ops = c->device.control->power.ops;
    if (c->o->power_cut && !c->r->power_was_cut)
        uart_note(&c->uart, "the power cut at flash operation %llu never came: there were %llu",
                  (unsigned long long)c->o->power_cut, (unsigned long long)c->r->flash_ops);
}

static bool as_asked(const struct chip_options *o, enum chip_end end)
{
    switch (end) {
    case CHIP_MATCHED:
        return true;
    case CHIP_TIME:
    case CHIP_RESETS:
        return !o->until;
    case CHIP_INTERRUPTED:
        return !o->until && !o->resets && !(o->seconds > 0);
    default:
        return false;
    }
}

static void run_device(struct chip *c)
{
    switch_on(c);
    note_weak_sandbox(c);
    if (connect_uarts(c)) return;
    c->r->end = run(c);
    if (c->r->end != CHIP_FAILED) {
        explain(c, c->r->end);
        count_operations(c);
    }
    pump_close(&c->pump);
}

bool chip_run(const struct chip_options *o, struct chip_report *r)
{
    memset(r, 0, sizeof *r);
    r->end = CHIP_FAILED;
    struct chip *c = calloc(1, sizeof *c);
    if (!c) return false;
    c->o = o;
    c->r = r;
    uart_init(&c->uart, o->output);
    c->uart.colour = o->colour;
    if (device_open(&c->device, o->dir, DEVICE_RUN, r->error, sizeof r->error) == 0) {
        bus_guard_on(&c->device);
        if (use_options(c) == 0 && open_uart(c) == 0 &&
            wires_open(&c->wires, &c->device, o->uarts, &c->uart, r->error, sizeof r->error) == 0) {
            run_device(c);
            wires_close(&c->wires);
        }
        uart_close(&c->uart);
        bus_guard_off();
        device_close(&c->device);
    }
    free(c);
    return as_asked(o, r->end);
}

const char *chip_end_name(enum chip_end end)
{
    static const char *const names[] = {[CHIP_MATCHED] = "until",
                                        [CHIP_TIME] = "time",
                                        [CHIP_RESETS] = "resets",
                                        [CHIP_INTERRUPTED] = "interrupted",
                                        [CHIP_NO_OUTPUT] = "no output",
                                        [CHIP_BOOT_LOOP] = "boot loop",
                                        [CHIP_NO_LOADER] = "no boot loader",
                                        [CHIP_FAILED] = "failed"};
    return names[end];
}

const char *reset_reason_name(enum reset_reason reason)
{
    static const char *const names[] = {"unknown",          "power on", "external reset",
                                        "software restart", "panic",    "interrupt watchdog",
                                        "task watchdog",    "watchdog", "deep sleep",
                                        "brownout"};
    return reason <= RESET_BROWNOUT ? names[reason] : names[0];
}
