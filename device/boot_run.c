/* ROM and boot loader of one reset. See boot_run.h. */
#include "device/boot_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "host/crypto_openssl.h"
#include "host/vendor_log.h"

/* --- the log --- */

static void print_line(struct boot_run *b, const struct vendor_line *line)
{
    static const char levels[] = "EWIDV";
    const char *level = line->level ? strchr(levels, line->level) : NULL;
    char text[256];
    if (!level || level - levels >= b->loader.log_level) return;
    uint64_t ms = (control_now_ns() - b->device->control->reset_ns) / 1000000u;
    vendor_line_print(line, (uint32_t)ms, b->uart->colour, text, sizeof text);
    uart_print(b->uart, "%s\n", text);
}

void boot_log(struct boot_run *b, char level, const char *tag, const char *format, ...)
{
    struct vendor_line line = {.level = level, .tag = tag};
    va_list args;
    va_start(args, format);
    vsnprintf(line.text, sizeof line.text, format, args);
    va_end(args);
    print_line(b, &line);
}

static void on_event(void *ctx, const struct al_boot_event_args *a)
{
    struct vendor_line lines[VENDOR_LINES_MAX];
    size_t n = vendor_lines_boot(a, lines);
    for (size_t i = 0; i < n; i++) print_line(ctx, &lines[i]);
}

static void on_segment(void *ctx, uint32_t index, const struct al_image_segment *seg,
                       uint32_t flash_address, bool mapped, bool loaded)
{
    struct vendor_line line;
    vendor_line_segment(index, seg, flash_address, mapped, loaded, &line);
    print_line(ctx, &line);
}

static void on_page_size(void *ctx, uint32_t configured, uint32_t found)
{
    struct vendor_line line;
    vendor_line_page_size(configured, found, &line);
    print_line(ctx, &line);
}

/* --- banner --- */

static bool has_two_cores(const struct al_chip *chip)
{
    return strcmp(chip->name, "esp32") == 0 || strcmp(chip->name, "esp32s3") == 0 ||
           strcmp(chip->name, "esp32p4") == 0;
}

/* Divider codes of the header mean other clocks on other chips. */
static const char *spi_speed(const struct al_chip *chip, unsigned code)
{
    static const char *const usual[] = {"40MHz", "26.7MHz", "20MHz"};
    static const char *const c2[] = {"30MHz", "20MHz", "15MHz"};
    static const char *const h2[] = {"24MHz", "16MHz", "12MHz"};
    static const char *const c6[] = {"80MHz", "40MHz", "20MHz"};
    const char *const *row = usual, *fastest = "80MHz";
    if (strcmp(chip->name, "esp32c2") == 0) row = c2, fastest = "60MHz";
    if (strcmp(chip->name, "esp32h2") == 0) row = h2, fastest = "48MHz";
    if (strcmp(chip->name, "esp32c6") == 0) row = c6;
    return code < 3 ? row[code] : fastest;
}

static void print_banner(struct boot_run *b)
{
    static const char *const modes[] = {"QIO", "QOUT", "DIO", "DOUT", "FAST READ", "SLOW READ"};
    const struct device *d = b->device;
    const struct al_image_header *h = &b->rom.image.header;
    struct al_boot_desc desc;
    char tag[24];
    const uint8_t *raw = d->nor.readable + b->rom.offset + AL_IMAGE_DESC_OFFSET;
    if (b->rom.image.segment_count && b->rom.image.segment[0].len >= AL_BOOT_DESC_LEN &&
        al_boot_desc_parse(raw, &desc) == 0) {
        boot_log(b, 'I', "boot", "ESP-IDF %s 2nd stage bootloader", desc.idf_ver);
        boot_log(b, 'I', "boot", "compile time %s", desc.date_time);
    } else {
        boot_log(b, 'I', "boot", "ESP-IDF 2nd stage bootloader");
    }
    if (has_two_cores(d->ids.chip)) boot_log(b, 'I', "boot", "Multicore bootloader");
    boot_log(b, 'I', "boot", "chip revision: v%d.%d", d->ids.revision / 100, d->ids.revision % 100);
    if (d->ids.chip->id != 0)
        boot_log(b, 'I', "boot", "efuse block revision: v%d.%d", d->ids.efuse_block_rev / 100,
                 d->ids.efuse_block_rev % 100);
    snprintf(tag, sizeof tag, "boot.%s", d->ids.chip->name);
    boot_log(b, 'I', tag, "SPI Speed      : %s", spi_speed(d->ids.chip, h->spi_speed));
    boot_log(b, 'I', tag, "SPI Mode       : %s", modes[h->spi_mode < 6 ? h->spi_mode : 5]);
    boot_log(b, 'I', tag, "SPI Flash Size : %uMB", 1u << (h->spi_size & 7));
    boot_log(b, 'I', "boot", "Enabling RNG early entropy source...");
}

/* --- Secure Boot --- */

/* At the first start of a boot loader built for Secure Boot V2 the digests of its
 * keys go into the eFuses, and the feature is on for ever. */
static int burn_secure_boot(struct boot_run *b)
{
    struct device *d = b->device;
    uint32_t len = (b->rom.image.image_len + AL_SECTOR - 1) & ~(AL_SECTOR - 1), burnt = 0;
    const uint8_t *sector = d->nor.flash.map(d->nor.flash.ctx, b->rom.offset + len, AL_SIG_SECTOR);
    boot_log(b, 'I', "secure_boot_v2", "enabling secure boot v2...");
    for (uint32_t i = 0; sector && i < AL_SIG_BLOCKS; i++) {
        struct al_sig_block block;
        uint8_t digest[32];
        const uint8_t *raw = sector + i * AL_SIG_BLOCK_LEN;
        if (al_sig_block_parse(raw, &block)) break;
        if (al_sig_key_digest(raw, &block, &crypto_openssl, digest)) break;
        if (efuse_burn(&d->efuse, EFUSE_KEY_DIGESTS + i * 32, digest, sizeof digest)) break;
        burnt++;
    }
    if (burnt == 0) {
        boot_log(b, 'E', "secure_boot_v2", "No signature block generated for valid scheme");
        return AL_FAIL;
    }
    const uint8_t flag = EFUSE_FLAG_SECURE_BOOT;
    (void)efuse_burn(&d->efuse, EFUSE_FLAGS, &flag, 1);
    boot_log(b, 'I', "secure_boot_v2", "Secure boot permanently enabled");
    return 0;
}

/* Keys to hold images against; NULL: Secure Boot is off. */
static const struct al_trusted_keys *trusted(const struct device *d, bool ecdsa,
                                             struct al_trusted_keys *keys)
{
    if (!efuse_secure_boot(&d->efuse)) return NULL;
    efuse_keys(&d->efuse, keys);
    if (ecdsa) keys->version = AL_SIG_ECDSA;
    return keys;
}

/* The eFuses do not name the scheme; the block behind the boot loader does. */
static bool loader_signed_with_ecdsa(const struct device *d)
{
    uint32_t at = d->ids.chip->bootloader_offset;
    for (uint32_t end = at + 0x20000; at < end && at < d->nor.flash.size; at += AL_SECTOR) {
        const uint8_t *p = d->nor.readable + at;
        struct al_sig_block block;
        if (p[0] == AL_SIG_MAGIC && al_sig_block_parse(p, &block) == 0)
            return block.version == AL_SIG_ECDSA;
    }
    return false;
}

/* --- one reset --- */

static bool held(const struct control *c, const struct loader_pin *p)
{
    return p->on && p->pin < CONTROL_GPIOS && c->gpio_outside[p->pin] == p->level;
}

static void tell_firmware(struct boot_run *b)
{
    struct control *c = b->device->control;
    c->rollback = b->loader.rollback;
    c->anti_rollback = b->loader.anti_rollback;
    c->table_offset = b->loader.table_offset;
    c->bootloader_offset = b->rom.offset;
    if (b->result.part) c->running_offset = b->result.part->offset;
}

static bool skips_validation(const struct loader_config *l, enum reset_reason reason)
{
    return l->skip_always || (l->skip_on_power_on && reason == RESET_POWERON) ||
           (l->skip_in_deep_sleep && reason == RESET_DEEPSLEEP);
}

enum boot_end boot_run(struct boot_run *b)
{
    struct device *d = b->device;
    struct control *c = d->control;
    struct al_trusted_keys keys;
    enum reset_reason reason = c->reset_reason;
    bool ecdsa = loader_signed_with_ecdsa(d);
    memset(&b->result, 0, sizeof b->result);
    if (rom_start(d, b->uart, reason, trusted(d, ecdsa, &keys), &b->rom)) return BOOT_NO_LOADER;
    loader_config_read(b->rom.config, b->rom.config_len, &d->conf, &b->loader);
    print_banner(b);
    if (b->loader.secure_boot && !efuse_secure_boot(&d->efuse) && burn_secure_boot(b))
        return BOOT_NO_APP;

    const struct al_image_trace trace = {
        .ctx = b, .segment = on_segment, .page_size = on_page_size};
    const struct al_boot_config cfg = {
        .crypto = &crypto_openssl,
        .device = d->ids,
        .table_offset = b->loader.table_offset,
        .rollback = b->loader.rollback,
        .anti_rollback = b->loader.anti_rollback,
        .secure_version = &d->efuse.secure_version,
        .keys = trusted(d, ecdsa || b->loader.ecdsa, &keys),
        .test_pin = held(c, &b->loader.test),
        .factory_reset_pin = held(c, &b->loader.factory_reset),
        .factory_reset_labels = b->loader.erase_labels,
        .factory_reset_otadata = b->loader.erase_otadata,
        .deep_sleep_wake = reason == RESET_DEEPSLEEP,
        .skip_validate = skips_validation(&b->loader, reason),
        .image_trace = &trace,
        .event_ctx = b,
        .event = on_event,
    };
    int err = al_boot(&d->nor.flash, &cfg, &b->result);
    tell_firmware(b);
    if (err == AL_ERR_POWER || c->power.off) return BOOT_POWER;
    return err ? BOOT_NO_APP : BOOT_STARTED;
}
