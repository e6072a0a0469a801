/* The mask ROM. See rom.h. */
#include "device/rom.h"

#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "core/err.h"
#include "host/crypto_openssl.h"
#include "host/image_build.h"

/* Families differ in the words of their reset reasons. */
enum family { FAMILY_ESP32, FAMILY_RTC, FAMILY_LP };

static const struct rom {
    const char *chip, *name, *build;
    enum family family;
    unsigned boot_pins; /* strapping value of a start from flash */
} roms[] = {
    {"esp32", "ets Jul 29 2019 12:21:46", NULL, FAMILY_ESP32, 0x13},
    {"esp32s2", "ESP-ROM:esp32s2-rc4-20191025", "Oct 25 2019", FAMILY_RTC, 0x8},
    {"esp32s3", "ESP-ROM:esp32s3-20210327", "Mar 27 2021", FAMILY_RTC, 0x8},
    {"esp32c3", "ESP-ROM:esp32c3-api1-20210207", "Feb  7 2021", FAMILY_RTC, 0xc},
    {"esp32c2", "ESP-ROM:esp8684-api2-20220127", "Jan 27 2022", FAMILY_RTC, 0xc},
    {"esp32c6", "ESP-ROM:esp32c6-20220919", "Sep 19 2022", FAMILY_LP, 0xc},
    {"esp32h2", "ESP-ROM:esp32h2-20221101", "Nov  1 2022", FAMILY_LP, 0xc},
    {"esp32p4", "ESP-ROM:esp32p4-eco1-20240205", "Feb  5 2024", FAMILY_LP, 0x30f},
    {"esp32c5", "ESP-ROM:esp32c5-eco2-20250121", "Jan 21 2025", FAMILY_LP, 0x18},
    {"esp32c61", "ESP-ROM:esp32c61-eco3-20250228", "Feb 28 2025", FAMILY_LP, 0xc},
};

static const struct rom *rom_of(const struct al_chip *chip)
{
    for (size_t i = 0; i < sizeof roms / sizeof *roms; i++)
        if (strcmp(roms[i].chip, chip->name) == 0) return &roms[i];
    return NULL;
}

void rom_reset_text(const struct al_chip *chip, enum reset_reason reason, char *out, size_t size)
{
    static const struct {
        enum reset_reason reason;
        struct {
            unsigned code;
            const char *word;
        } in[3];
    } rows[] = {
        {RESET_SW, {{0xc, "SW_CPU_RESET"}, {0x3, "RTC_SW_SYS_RST"}, {0xc, "SW_CPU"}}},
        {RESET_PANIC, {{0xc, "SW_CPU_RESET"}, {0x3, "RTC_SW_SYS_RST"}, {0xc, "SW_CPU"}}},
        {RESET_INT_WDT,
         {{0x8, "TG1WDT_SYS_RESET"}, {0x8, "TG1WDT_SYS_RST"}, {0x8, "TG1_WDT_HPSYS"}}},
        {RESET_TASK_WDT,
         {{0x7, "TG0WDT_SYS_RESET"}, {0x7, "TG0WDT_SYS_RST"}, {0x7, "TG0_WDT_HPSYS"}}},
        {RESET_WDT, {{0x10, "RTCWDT_RTC_RESET"}, {0x10, "RTCWDT_RTC_RST"}, {0x10, "LP_WDT_SYS"}}},
        {RESET_DEEPSLEEP, {{0x5, "DEEPSLEEP_RESET"}, {0x5, "DSLEEP"}, {0x5, "SLEEP"}}},
        {RESET_BROWNOUT,
         {{0xf, "RTCWDT_BROWN_OUT_RESET"}, {0xf, "BROWN_OUT_RST"}, {0xf, "PWR_BROWNOUT"}}},
        {RESET_POWERON, {{0x1, "POWERON_RESET"}, {0x1, "POWERON"}, {0x1, "POWERON"}}},
    };
    const struct rom *rom = rom_of(chip);
    enum family family = rom ? rom->family : FAMILY_LP;
    size_t i = 0, last = sizeof rows / sizeof *rows - 1;
    while (i < last && rows[i].reason != reason) i++;
    snprintf(out, size, "0x%x (%s)", rows[i].in[family].code, rows[i].in[family].word);
}

static void banner(struct device *d, struct uart *u, enum reset_reason reason)
{
    const struct rom *rom = rom_of(d->ids.chip);
    char why[48];
    rom_reset_text(d->ids.chip, reason, why, sizeof why);
    if (rom)
        uart_print(u, "%s\n", rom->name);
    else
        uart_print(u, "ESP-ROM:%s\n", d->ids.chip->name);
    if (rom && rom->build) uart_print(u, "Build:%s\n", rom->build);
    if (rom && rom->family == FAMILY_ESP32) uart_print(u, "\n");
    uart_print(u, "rst:%s,boot:0x%x (SPI_FAST_FLASH_BOOT)\n", why, rom ? rom->boot_pins : 0xc);
}

static void loading(struct uart *u, const struct al_chip *chip, const struct al_image *img)
{
    static const char *const modes[] = {"QIO", "QOUT", "DIO", "DOUT", "FAST READ", "SLOW READ"};
    bool esp32 = chip->id == 0;
    unsigned mode = img->header.spi_mode;
    if (esp32)
        uart_print(u, "configsip: 0, SPIWP:0xee\n"
                      "clk_drv:0x00,q_drv:0x00,d_drv:0x00,cs0_drv:0x00,hd_drv:0x00,wp_drv:0x00\n");
    else
        uart_print(u, "SPIWP:0xee\n");
    uart_print(u, "mode:%s, clock div:%u\n", mode < 6 ? modes[mode] : "SLOW READ",
               img->header.spi_speed == 0xf ? 1 : img->header.spi_speed + 2);
    for (uint32_t i = 0; i < img->segment_count; i++)
        uart_print(u, esp32 ? "load:0x%08x,len:%u\n" : "load:0x%08x,len:0x%x\n",
                   img->segment[i].load_addr, img->segment[i].len);
    uart_print(u, "entry 0x%08x\n", img->header.entry_addr);
}

static void print_digest(struct uart *u, const char *title, const uint8_t digest[32])
{
    char hex[65];
    crypto_hex(digest, 32, hex);
    uart_print(u, "%s: %s\n", title, hex);
}

/* The ROM warns of a wrong digest, and starts the boot loader all the same. */
static void check_digest(struct uart *u, const struct al_window *w, const struct al_image *img)
{
    uint8_t digest[32];
    const uint8_t *bytes = al_window_map(w, 0, img->image_len);
    if (!img->header.hash_appended || !bytes) return;
    uint32_t hashed = img->image_len - AL_IMAGE_HASH_LEN;
    crypto_digest(AL_SHA256, bytes, hashed, digest);
    if (memcmp(digest, bytes + hashed, sizeof digest) == 0) return;
    uart_print(u, "SHA-256 comparison failed:\n");
    print_digest(u, "Calculated", digest);
    print_digest(u, "Expected", bytes + hashed);
    uart_print(u, "Attempting to boot anyway...\n");
}

static void print_fault(struct uart *u, const struct al_image_fault *f, const uint8_t *first)
{
    switch (f->check) {
    case AL_IMAGE_CHECK_MAGIC:
        uart_print(u, "invalid header: 0x%08x\n", al_get_le32(first));
        break;
    case AL_IMAGE_CHECK_CHIP_ID:
        uart_print(u, "Invalid chip id. Expected %u read %u. Bootloader for wrong chip?\n",
                   f->expected, f->found);
        break;
    case AL_IMAGE_CHECK_CHECKSUM:
        uart_print(u, "Checksum failure. Calculated 0x%x stored 0x%x\n", f->expected, f->found);
        break;
    case AL_IMAGE_CHECK_SIGNATURE:
        uart_print(u, "secure boot verification failed\n");
        break;
    default:
        uart_print(u, "Invalid image block, can't boot.\n");
        break;
    }
}

static int try_loader(struct device *d, struct uart *u, uint32_t offset,
                      const struct al_trusted_keys *keys, struct rom_result *out)
{
    struct al_image_rules rules = {
        .crypto = &crypto_openssl,
        .device = d->ids,
        .kind = AL_IMAGE_BOOTLOADER,
        .skip_hash = true,
        .keys = keys,
    };
    struct al_image_fault fault;
    if (offset >= d->nor.flash.size) return AL_FAIL;
    const struct al_window w = {
        .flash = &d->nor.flash, .offset = offset, .size = d->nor.flash.size - offset};
    if (al_image_verify(&w, &rules, &out->image, &fault)) {
        print_fault(u, &fault, d->nor.readable + offset);
        return AL_FAIL;
    }
    if (!keys) check_digest(u, &w, &out->image);
    uint32_t at, len;
    out->offset = offset;
    out->config = NULL;
    if (image_find_boot_config(d->nor.readable + offset, out->image.image_len, out->image.segment,
                               out->image.segment_count, &at, &len)) {
        out->config = (const char *)d->nor.readable + offset + at;
        out->config_len = len;
    }
    loading(u, d->ids.chip, &out->image);
    return 0;
}

int rom_start(struct device *d, struct uart *u, enum reset_reason reason,
              const struct al_trusted_keys *keys, struct rom_result *out)
{
    banner(d, u, reason);
    if (try_loader(d, u, d->ids.chip->bootloader_offset, keys, out) == 0) return 0;
    uint32_t recovery = efuse_recovery_bootloader(&d->efuse);
    if (!recovery) return AL_FAIL;
    uart_print(u, "Trying recovery bootloader at 0x%x\n", recovery);
    return try_loader(d, u, recovery, keys, out);
}
