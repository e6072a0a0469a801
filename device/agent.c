/* The built-in agent. See agent.h. */
#include "device/agent.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/ota.h"
#include "device/board.h"
#include "host/crypto_openssl.h"
#include "host/vendor_log.h"

static void print_line(const struct vendor_line *line)
{
    char text[256];
    if (!line->level) return;
    vendor_line_print(line, (uint32_t)(board_uptime_us() / 1000), board()->control->colour, text,
                      sizeof text);
    puts(text);
    fflush(stdout); /* forked from the chip, it may be buffered as a whole */
}

static void say(char level, const char *tag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void say(char level, const char *tag, const char *format, ...)
{
    struct vendor_line line = {.level = level, .tag = tag};
    va_list args;
    va_start(args, format);
    vsnprintf(line.text, sizeof line.text, format, args);
    va_end(args);
    print_line(&line);
}

static void on_event(void *ctx, const struct al_ota_event_args *a)
{
    struct vendor_line line;
    vendor_line_ota(a, &line);
    print_line(&line);
}

/* What esp_app_desc prints when an app starts. */
static void print_description(const struct al_app_desc *d, bool anti_rollback)
{
    static const char tag[] = "app_init";
    char hex[65];
    crypto_hex(d->app_elf_sha256, 32, hex);
    say('I', tag, "Application information:");
    say('I', tag, "Project name:     %s", d->project_name);
    say('I', tag, "App version:      %s", d->version);
    if (anti_rollback) say('I', tag, "Secure version:   %u", d->secure_version);
    say('I', tag, "Compile time:     %s %s", d->date, d->time);
    say('I', tag, "ELF file SHA256:  %.9s...", hex);
    say('I', tag, "ESP-IDF:          %s", d->idf_ver);
}

static const struct al_part *running_part(const struct al_part_table *t, uint32_t offset)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (t->part[i].offset == offset) return &t->part[i];
    return NULL;
}

static void self_test(struct al_ota *o, enum agent_conduct conduct)
{
    static const char tag[] = "agent";
    uint32_t state;
    int err = al_ota_get_state(o, o->running, &state);
    if (err || state != AL_OTA_PENDING_VERIFY) return;
    switch (conduct) {
    case AGENT_IGNORE:
        say('W', tag,
            "This app is on trial and nobody confirms it: the next reset rolls back "
            "(agent = ignore)");
        break;
    case AGENT_CONFIRM:
        err = al_ota_mark_valid(o);
        if (err)
            say('E', tag, "Confirming failed: %s", vendor_err_name(al_err_vendor(err)));
        else
            say('I', tag, "Self-test passed: the app is confirmed (agent = confirm)");
        break;
    case AGENT_FAIL:
        say('E', tag, "Self-test failed: rolling back (agent = fail)");
        err = al_ota_mark_invalid(o);
        if (!err) board_reset(RESET_SW);
        say('E', tag, "Rolling back failed: %s", vendor_err_name(al_err_vendor(err)));
        break;
    }
}

_Noreturn void agent_run(enum agent_conduct conduct)
{
    struct board *b = board();
    const struct control *c = b->control;
    struct al_part_table table;
    struct al_app_desc desc;
    struct al_ota ota = {
        .flash = &b->nor.flash,
        .table = &table,
        .crypto = &crypto_openssl,
        .rollback = c->rollback,
        .anti_rollback = c->anti_rollback,
        .secure_version = &b->efuse.secure_version,
        .bootloader_offset = c->bootloader_offset,
        .table_offset = c->table_offset,
        .event = on_event,
    };
    struct al_window w;
    efuse_device_ids(&b->efuse, &ota.device);
    int err = al_part_table_read(&b->nor.flash, c->table_offset, &crypto_openssl, &table, NULL);
    if (!err) ota.running = running_part(&table, c->running_offset);
    if (!ota.running || al_part_window(&b->nor.flash, ota.running, &w))
        board_panic("agent: the partition that was started is not in the table any more");
    b->control->app_started = 1;
    if (al_app_desc_read(&w, &desc) == 0) print_description(&desc, c->anti_rollback);
    say('W', "agent",
        "This image is for a real %s and carries no Linux program; a built-in agent stands in",
        ota.device.chip->title);
    self_test(&ota, conduct);
    for (;;) pause();
}
