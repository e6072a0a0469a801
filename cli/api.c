/* api: OTA API calls and resets on a flash image. */
#include "cli/api_ops.h"

#include <stdio.h>

static void print_step(const cJSON *step)
{
    cli_print("%s\n", cJSON_GetStringValue(cJSON_GetObjectItem(step, "op")));
    print_strings(step, "log", "    ");
    print_strings(step, "result", "  ");
    const cJSON *otadata = cJSON_GetObjectItem(step, "otadata");
    cli_print("  otadata (sequence/state/crc): %s  %s\n",
              cJSON_GetStringValue(cJSON_GetArrayItem(otadata, 0)),
              cJSON_GetStringValue(cJSON_GetArrayItem(otadata, 1)));
    const cJSON *version = cJSON_GetObjectItem(step, "efuse_secure_version_after");
    if (version) cli_print("  eFuse secure version is now %d\n", version->valueint);
}

static int run_all(const struct cli_args *a, struct flash_device *d, cJSON *steps)
{
    char why[512];
    for (size_t i = 1; i < cli_operand_count(a); i++) {
        cJSON *step = api_op_run(d, cli_operand(a, i), why, sizeof why);
        if (!step) return cli_fail("%s", why);
        if (!cli_json_wanted(a)) print_step(step);
        cJSON_AddItemToArray(steps, step);
    }
    return CLI_OK;
}

static int run(const struct cli_args *a)
{
    struct flash_image image;
    struct flash_device d;
    char why[512];
    for (size_t i = 1; i < cli_operand_count(a); i++)
        if (!api_op_check(cli_operand(a, i), why, sizeof why)) return cli_usage(a, "%s", why);
    int status = flash_device_open(a, &image, &d);
    if (status) return status;
    cJSON *doc = cJSON_CreateObject(), *steps = cJSON_AddArrayToObject(doc, "steps");
    if (image.table.count == 0) {
        flash_image_table_fault(&image, why, sizeof why);
        status = cli_fail("%s", why);
    }
    if (!status) status = run_all(a, &d, steps);
    if (!status) status = flash_device_save(a, &d);
    flash_image_close(&image);
    if (!status && cli_json_wanted(a)) return cli_print_json(doc);
    cJSON_Delete(doc);
    return status;
}

static const struct cli_option options[] = {FLASH_DEVICE_OPTIONS, {0}};

const struct cli_command api_commands[] = {
    {
        .name = "api",
        .operands = "FLASH OP...",
        .summary = "run OTA API calls and resets on a flash image",
        .details =
            "Runs the operations one after another as the app in that flash would, with the "
            "vendor's "
            "results, and shows otadata after each. X is a partition's label or slot name. Without "
            "--write the file stays as it is.\n\n" API_OPS_HELP,
        .example = "airlift api flash.bin --rollback boot ota=ota_0,app.bin setboot=ota_0 boot "
                   "valid",
        .options = options,
        .run = run,
    },
    {0},
};
