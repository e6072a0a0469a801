/* device create. */
#include "cli/device.h"
#include "device/create.h"
#include "device/device.h"

const struct cli_option device_create_options[] = {
    {"--from", "BUILD_DIR", "fill the flash by this directory's flash_args", false},
    {"--flash", "FILE", "or with a whole flash, as read from a chip", false},
    {"--chip", "NAME", "esp32c3, ...; default: what the boot loader is for", false},
    {"--flash-size", "SIZE", "default: as flash_args or the file says, else 4MB", false},
    {"--mac", "ADDRESS", "default: random, with the vendor's prefix", false},
    {"--ieee", "ADDRESS", "802.15.4 address; default: made from the MAC address", false},
    {"--revision", "vX.Y", "of the chip; default: a usual one", false},
    {"--efuse-block-revision", "vX.Y", "default: a usual one", false},
    {"--secure-version", "N", "burnt into the eFuses, for anti-rollback; default: 0", false},
    {"--force", NULL, "replace the device that is there", false},
    {0},
};

static int print_result(const char *dir)
{
    char why[512];
    struct device d;
    if (device_open(&d, dir, DEVICE_LOOK, why, sizeof why)) return cli_fail("%s", why);
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddStringToObject(doc, "dir", d.dir);
    cJSON_AddStringToObject(doc, "chip", d.ids.chip->name);
    cJSON_AddNumberToObject(doc, "flash_size", d.nor.flash.size);
    device_close(&d);
    return cli_print_json(doc);
}

int device_create_main(const struct cli_args *a)
{
    char why[512];
    bool ok = true;
    if (cli_operand_count(a) != 1) return cli_usage(a, "expected one DIR");
    const struct device_spec spec = {
        .dir = cli_operand(a, 0),
        .from = cli_value(a, "--from"),
        .flash = cli_value(a, "--flash"),
        .chip = cli_value(a, "--chip"),
        .flash_size = (uint32_t)cli_number(a, "--flash-size", 0, 1u << 24, &ok),
        .mac = cli_value(a, "--mac"),
        .ieee = cli_value(a, "--ieee"),
        .revision = cli_value(a, "--revision"),
        .efuse_block_revision = cli_value(a, "--efuse-block-revision"),
        .secure_version = (uint32_t)cli_number(a, "--secure-version", 0, UINT32_MAX, &ok),
        .force = cli_has(a, "--force"),
    };
    if (!ok) return CLI_USAGE;
    if (spec.from && spec.flash) return cli_usage(a, "--from and --flash exclude each other");
    if (device_create(&spec, why, sizeof why)) return cli_fail("%s", why);
    return cli_json_wanted(a) ? print_result(spec.dir) : CLI_OK;
}
