/* image make: a Linux program, or a boot loader's configuration, as an ESP image. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "cli/image.h"
#include "core/err.h"
#include "host/crypto_openssl.h"
#include "host/file.h"
#include "host/image_build.h"
#include "host/sdkconfig.h"

#define MAX_PROGRAM   (16u << 20)
#define MAX_SDKCONFIG (4u << 20)
#define IDF_VERSION   "v6.2-dev"

/* Options, and behind them the sdkconfig that was given. */
struct source {
    const struct cli_args *args;
    char *sdkconfig; /* "" without one */
    size_t sdkconfig_len;
    bool ok; /* false: a message was printed */
};

static void complain(struct source *s, const char *option, const char *value, const char *expected)
{
    s->ok = false;
    cli_fail("%s: unknown value '%s'; expected %s", option, value, expected);
}

/* The option's value, else that of CONFIG_<symbol>, else fallback. buf keeps it. */
static const char *text_from(const struct source *s, const char *option, const char *symbol,
                             const char *fallback, char *buf, size_t size)
{
    const char *given = cli_value(s->args, option);
    if (given) return given;
    if (symbol && sdkconfig_get(s->sdkconfig, s->sdkconfig_len, symbol, buf, size)) return buf;
    return fallback;
}

static uint32_t number_from(struct source *s, const char *option, const char *symbol, long fallback,
                            uint32_t max)
{
    long configured =
        symbol ? sdkconfig_int(s->sdkconfig, s->sdkconfig_len, symbol, fallback) : fallback;
    return (uint32_t)cli_number(s->args, option, (uint64_t)configured, max, &s->ok);
}

static const struct al_chip *chip_from(struct source *s)
{
    char buf[32], known[256] = "one of";
    const char *name = text_from(s, "--chip", "IDF_TARGET", NULL, buf, sizeof buf);
    if (!name) {
        s->ok = false;
        cli_fail("which chip is the image for? Give --chip NAME or --sdkconfig FILE");
        return NULL;
    }
    const struct al_chip *chip = al_chip_by_name(name);
    if (chip) return chip;
    for (unsigned i = 0; al_chip_at(i); i++) {
        size_t len = strlen(known);
        snprintf(known + len, sizeof known - len, " %s", al_chip_at(i)->name);
    }
    complain(s, "--chip", name, known);
    return NULL;
}

static uint8_t spi_mode_from(struct source *s)
{
    static const char *const names[] = {"qio", "qout", "dio", "dout"};
    char buf[16];
    const char *name = text_from(s, "--flash-mode", "ESPTOOLPY_FLASHMODE", "dio", buf, sizeof buf);
    for (uint8_t i = 0; i < 4; i++)
        if (strcasecmp(name, names[i]) == 0) return i;
    complain(s, "--flash-mode", name, "qio, qout, dio or dout");
    return 0;
}

/* The mode the running app uses, in the code of the app description. */
static uint8_t desc_spi_mode(const struct source *s, uint8_t header_mode)
{
    static const char *const symbols[] = {"ESPTOOLPY_FLASHMODE_QIO", "ESPTOOLPY_FLASHMODE_QOUT",
                                          "ESPTOOLPY_FLASHMODE_DIO", "ESPTOOLPY_FLASHMODE_DOUT"};
    for (uint8_t i = 0; i < 4; i++)
        if (sdkconfig_bool(s->sdkconfig, s->sdkconfig_len, symbols[i])) return i + 1;
    return header_mode + 1;
}

/* Divider codes differ between the chips. Source: esptool targets/. */
static uint8_t spi_speed_from(struct source *s, uint16_t chip_id)
{
    static const struct {
        const char *name;
        int chip_id; /* -1: all others */
        uint8_t code;
    } speeds[] = {
        {"60m", 12, 0xf}, {"30m", 12, 0},   {"20m", 12, 1}, {"15m", 12, 2}, {"48m", 16, 0xf},
        {"24m", 16, 0},   {"16m", 16, 1},   {"12m", 16, 2}, {"80m", 13, 0}, {"40m", 13, 0},
        {"20m", 13, 2},   {"80m", -1, 0xf}, {"40m", -1, 0}, {"26m", -1, 1}, {"20m", -1, 2},
    };
    char buf[16];
    const char *fallback = chip_id == 12 ? "60m" : chip_id == 16 ? "48m" : "80m";
    const char *name =
        text_from(s, "--flash-freq", "ESPTOOLPY_FLASHFREQ", fallback, buf, sizeof buf);
    bool own = chip_id == 12 || chip_id == 13 || chip_id == 16;
    char known[64] = "";
    for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++) {
        if (speeds[i].chip_id != (own ? chip_id : -1)) continue;
        if (strcasecmp(name, speeds[i].name) == 0) return speeds[i].code;
        snprintf(known + strlen(known), sizeof known - strlen(known), " %s", speeds[i].name);
    }
    complain(s, "--flash-freq", name, known + 1);
    return 0;
}

static uint8_t spi_size_from(struct source *s)
{
    char buf[16];
    const char *name = text_from(s, "--flash-size", "ESPTOOLPY_FLASHSIZE", "2MB", buf, sizeof buf);
    uint64_t bytes;
    if (cli_parse_number(name, UINT32_MAX, &bytes))
        for (uint8_t code = 0; code < 8; code++)
            if (bytes == 0x100000u << code) return code;
    complain(s, "--flash-size", name, "1MB, 2MB, 4MB, 8MB, 16MB, 32MB, 64MB or 128MB");
    return 0;
}

static void spec_from(struct source *s, struct image_spec *spec)
{
    spec->chip = chip_from(s);
    if (!spec->chip) return;
    spec->spi_mode = spi_mode_from(s);
    spec->spi_speed = spi_speed_from(s, spec->chip->id);
    spec->spi_size = spi_size_from(s);
    spec->min_chip_rev_full =
        (uint16_t)number_from(s, "--min-rev-full", "ESP_REV_MIN_FULL", 0, 0xffff);
    spec->max_chip_rev_full =
        (uint16_t)number_from(s, "--max-rev-full", "ESP_REV_MAX_FULL", 0xffff, 0xffff);
    spec->mmu_page_size = number_from(s, "--mmu-page-size", "MMU_PAGE_SIZE", 0x10000, 0x10000);
    spec->secure_pad = cli_has(s->args, "--secure-pad-v2");
    spec->no_hash = cli_has(s->args, "--dont-append-digest");
}

void image_build_time(struct tm *tm)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    time_t t = epoch && *epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
    if (epoch && *epoch)
        gmtime_r(&t, tm);
    else
        localtime_r(&t, tm);
}

static void copy_text(struct source *s, const char *what, const char *text, char *dst, size_t size)
{
    if (snprintf(dst, size, "%s", text) < (int)size) return;
    s->ok = false;
    cli_fail("%s '%s' is longer than %zu characters", what, text, size - 1);
}

static void app_desc_from(struct source *s, const struct image_spec *spec, struct al_app_desc *desc)
{
    const char *project = cli_value(s->args, "--project-name");
    const char *version = cli_value(s->args, "--version");
    const char *idf = cli_value(s->args, "--idf-ver");
    memset(desc, 0, sizeof *desc);
    /* One less than the fields: the vendor's ends with a NUL. */
    copy_text(s, "project name", project ? project : "", desc->project_name, 32);
    copy_text(s, "version", version ? version : "1", desc->version, 32);
    copy_text(s, "ESP-IDF version", idf ? idf : IDF_VERSION, desc->idf_ver, 32);
    const char *symbol =
        sdkconfig_bool(s->sdkconfig, s->sdkconfig_len, "BOOTLOADER_APP_ANTI_ROLLBACK")
            ? "BOOTLOADER_APP_SECURE_VERSION"
            : NULL;
    desc->secure_version = number_from(s, "--secure-version", symbol, 0, 32);
    desc->min_efuse_blk_rev_full = (uint16_t)number_from(s, "--min-efuse-block-rev",
                                                         "ESP_EFUSE_BLOCK_REV_MIN_FULL", 0, 0xffff);
    desc->max_efuse_blk_rev_full = (uint16_t)number_from(
        s, "--max-efuse-block-rev", "ESP_EFUSE_BLOCK_REV_MAX_FULL", 0xffff, 0xffff);
    desc->spi_flash_mode = desc_spi_mode(s, spec->spi_mode);
    if (cli_has(s->args, "--no-date")) return;
    struct tm tm;
    image_build_time(&tm);
    strftime(desc->time, sizeof desc->time, "%H:%M:%S", &tm);
    strftime(desc->date, sizeof desc->date, "%b %e %Y", &tm);
}

/* Does the boot loader obey this line of sdkconfig? */
static bool boot_line(const char *line)
{
    static const char *const prefixes[] = {
        "BOOTLOADER_", "PARTITION_TABLE_",     "SECURE_",       "ESPTOOLPY_FLASH",
        "IDF_TARGET",  "IDF_FIRMWARE_CHIP_ID", "MMU_PAGE_SIZE", "EFUSE_",
        "ESP_REV_",    "ESP_EFUSE_BLOCK_REV_",
    };
    if (strncmp(line, "CONFIG_", 7) != 0 || strncmp(line + 7, "SECURE_BOOT_SIGNING_KEY=", 24) == 0)
        return false; /* the key's path is of no use to a device */
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(line + 7, prefixes[i], strlen(prefixes[i])) == 0) return true;
    return false;
}

static char *boot_config(const struct source *s)
{
    char *config = malloc(sizeof BOOT_CONFIG_FIRST_LINE + s->sdkconfig_len + 1);
    if (!config) return NULL;
    char *at = stpcpy(config, BOOT_CONFIG_FIRST_LINE);
    for (const char *line = s->sdkconfig; *line;) {
        size_t len = strcspn(line, "\n");
        if (boot_line(line)) {
            at = mempcpy(at, line, len);
            *at++ = '\n';
        }
        line += len + (line[len] == '\n');
    }
    *at = 0;
    return config;
}

static int build_bootloader(struct source *s, const struct image_spec *spec, uint8_t **img,
                            size_t *len)
{
    struct al_boot_desc desc = {.version = (uint32_t)sdkconfig_int(s->sdkconfig, s->sdkconfig_len,
                                                                   "BOOTLOADER_PROJECT_VER", 1)};
    const char *idf = cli_value(s->args, "--idf-ver");
    copy_text(s, "ESP-IDF version", idf ? idf : IDF_VERSION, desc.idf_ver, 32);
    if (!cli_has(s->args, "--no-date")) {
        struct tm tm;
        image_build_time(&tm);
        strftime(desc.date_time, sizeof desc.date_time, "%b %e %Y %H:%M:%S", &tm);
    }
    if (!s->ok) return CLI_FAILED;
    char *config = boot_config(s);
    int err = config ? image_build_bootloader(spec, &desc, config, img, len) : AL_ERR_NO_MEM;
    free(config);
    return err ? cli_fail("the boot loader image cannot be made: error -0x%x", -err) : CLI_OK;
}

static int build_app(struct source *s, const struct image_spec *spec, uint8_t **img, size_t *len)
{
    const char *path = cli_value(s->args, "--elf");
    struct al_app_desc desc;
    app_desc_from(s, spec, &desc);
    if (!s->ok) return CLI_FAILED;
    uint8_t *elf;
    size_t elf_len;
    if (cli_read_file(path, MAX_PROGRAM, &elf, &elf_len)) return CLI_FAILED;
    bool program = elf_len >= 4 && memcmp(elf, "\177ELF", 4) == 0;
    int err = program ? image_build_app(spec, &desc, elf, elf_len, img, len) : AL_OK;
    free(elf);
    if (!program)
        return cli_fail("%s: not an ELF file; give the Linux program that the image shall run",
                        path);
    switch (err) {
    case AL_OK:
        return CLI_OK;
    case AL_ERR_INVALID_SIZE:
        return cli_fail("%s: %zu bytes do not fit into the flash window of %s", path, elf_len,
                        spec->chip->name);
    case AL_ERR_INVALID_ARG:
        return cli_fail("--mmu-page-size: %s cannot have pages of %u bytes", spec->chip->name,
                        spec->mmu_page_size);
    case AL_ERR_NOT_SUPPORTED:
        return cli_fail("%s: no program can be made for this chip", spec->chip->name);
    default:
        return cli_fail("%s: error -0x%x", path, -err);
    }
}

static int write_image(const struct source *s, const struct image_spec *spec, const uint8_t *img,
                       size_t len)
{
    const char *out = cli_value(s->args, "--out");
    int status = cli_write_file(out, img, len);
    if (status) return status;
    if (!cli_json_wanted(s->args)) return CLI_OK;
    uint8_t digest[32];
    char hex[65];
    crypto_digest(AL_SHA256, img, len, digest);
    crypto_hex(digest, sizeof digest, hex);
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "file", out);
    cJSON_AddStringToObject(doc, "chip", spec->chip->name);
    cJSON_AddNumberToObject(doc, "image_len", (double)len);
    cJSON_AddStringToObject(doc, "sha256", hex);
    return cli_print_json(doc);
}

int image_make_run(const struct cli_args *a)
{
    struct source s = {.args = a, .sdkconfig = NULL, .ok = true};
    bool bootloader = cli_has(a, "--bootloader");
    const char *path = cli_value(a, "--sdkconfig");
    if (!cli_has(a, "--out")) return cli_usage(a, "--out FILE is missing");
    if (bootloader == cli_has(a, "--elf")) return cli_usage(a, "give either --elf or --bootloader");
    if (bootloader && !path) return cli_usage(a, "--bootloader needs --sdkconfig FILE");
    int err = path ? file_read(path, MAX_SDKCONFIG, (uint8_t **)&s.sdkconfig, &s.sdkconfig_len) : 0;
    if (err) return cli_fail("%s: %s", path, strerror(-err));
    if (!path && !(s.sdkconfig = strdup(""))) return cli_fail("out of memory");

    struct image_spec spec = {0};
    uint8_t *img = NULL;
    size_t len = 0;
    spec_from(&s, &spec);
    int status = !s.ok        ? CLI_FAILED
                 : bootloader ? build_bootloader(&s, &spec, &img, &len)
                              : build_app(&s, &spec, &img, &len);
    if (status == CLI_OK) status = write_image(&s, &spec, img, len);
    free(img);
    free(s.sdkconfig);
    return status;
}

const struct cli_option image_make_options[] = {
    {"--elf", "PROGRAM", "the Linux program that the image runs", false},
    {"--bootloader", NULL, "make a boot loader image that obeys --sdkconfig", false},
    {"--sdkconfig", "FILE", "take chip, flash and versions from here where no option says more",
     false},
    {"--chip", "NAME", "esp32, esp32s2, esp32c3, ...", false},
    {"--project-name", "NAME", "for the app description", false},
    {"--version", "V", "for the app description (1)", false},
    {"--secure-version", "N", "for anti-rollback, 0..32", false},
    {"--idf-ver", "V", "for the description (" IDF_VERSION ")", false},
    {"--no-date", NULL, "leave date and time empty", false},
    {"--flash-mode", "qio|qout|dio|dout", "in the header (dio)", false},
    {"--flash-freq", "80m", "in the header; the choice depends on the chip", false},
    {"--flash-size", "4MB", "in the header (2MB)", false},
    {"--min-rev-full", "N", "lowest chip revision, major * 100 + minor", false},
    {"--max-rev-full", "N", "highest chip revision (65535: any)", false},
    {"--min-efuse-block-rev", "N", "lowest eFuse block revision", false},
    {"--max-efuse-block-rev", "N", "highest eFuse block revision (65535: any)", false},
    {"--mmu-page-size", "N", "flash page size on chips that have a choice (64K)", false},
    {"--secure-pad-v2", NULL, "end on a page, for a Secure Boot V2 signature", false},
    {"--dont-append-digest", NULL, "no SHA-256 at the end", false},
    {"--out", "FILE", "the image", false},
    {0},
};
