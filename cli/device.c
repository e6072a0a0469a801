/* The device group, and device gpio. */
#include "cli/device.h"

#include <stdio.h>
#include <string.h>

#include "device/device.h"

static const char *const level_words[] = {"0", "1", "float"};

/* -1: none of them. */
static int level_of(const char *text)
{
    for (int i = 0; i < 3; i++)
        if (strcmp(text, level_words[i]) == 0) return i;
    return -1;
}

/* A running chip sees the level at once and keeps it until it is switched off; without
 * one the level is written down for the next run. */
static int device_gpio_main(const struct cli_args *a)
{
    const char *dir = cli_operand(a, 0);
    uint64_t pin;
    if (cli_operand_count(a) != 3) return cli_usage(a, "expected DIR, PIN and LEVEL");
    if (!cli_parse_number(cli_operand(a, 1), CONTROL_GPIOS - 1, &pin))
        return cli_fail("pin '%s': expected 0 to %u", cli_operand(a, 1), CONTROL_GPIOS - 1);
    int err, level = level_of(cli_operand(a, 2));
    if (level < 0) return cli_fail("level '%s': expected 0, 1 or float", cli_operand(a, 2));
    bool running = device_is_running(dir);
    if (running) {
        struct control *control;
        err = control_open(dir, &control);
        if (err) return cli_fail("%s/" CONTROL_PATH ": %s", dir, strerror(-err));
        control_gpio_drive(control, (unsigned)pin, (uint8_t)level);
        control_unmap(control);
    } else {
        char key[16];
        snprintf(key, sizeof key, "gpio%u", (unsigned)pin);
        err = device_conf_set(dir, key, level_words[level]);
        if (err) return cli_fail("%s/" DEVICE_CONF_NAME ": %s", dir, strerror(-err));
    }
    if (!cli_json_wanted(a)) return CLI_OK;
    cJSON *doc = cJSON_CreateObject();
    cJSON_AddNumberToObject(doc, "pin", (double)pin);
    cJSON_AddStringToObject(doc, "level", level_words[level]);
    cJSON_AddBoolToObject(doc, "running", running);
    return cli_print_json(doc);
}

const struct cli_command device_commands[] = {
    {.name = "device create",
     .operands = "DIR",
     .summary = "make a virtual device",
     .details = "DIR becomes a device directory: flash.bin, efuse.bin and device.conf. The flash "
                "is filled from a build directory's flash_args, or with what was read from a real "
                "chip; without either it is erased. Nothing is left behind on an error.",
     .example = "airlift device create my-device --from build",
     .options = device_create_options,
     .run = device_create_main},
    {.name = "device run",
     .operands = "DIR",
     .summary = "switch a virtual device on",
     .details =
         "Runs the chip: mask ROM, boot loader, and the firmware of the slot that was chosen. "
         "UART 0 is standard input and output. Ctrl-C switches the device off; so do --until, "
         "--for and --resets, whichever comes first. The exit status is 0 when the end that was "
         "asked for was reached: with --until only a match counts.\n\n"
         "The firmware's process is confined: it can write to the device directory only. With "
         "--json the UART goes to stderr, and a summary of the run to stdout.",
     .example = "airlift device run my-device --until 'Returned from app_main' --for 10",
     .options = device_run_options,
     .run = device_run_main},
    {.name = "device info",
     .operands = "DIR",
     .summary = "describe a virtual device: chip, partitions, apps, boot choice",
     .example = "airlift device info my-device --json",
     .run = device_info_main},
    {.name = "device gpio",
     .operands = "DIR PIN LEVEL",
     .summary = "set the level that the outside drives on a pin: 0, 1 or float",
     .details = "A running device sees it at once and keeps it until it is switched off. If the "
                "device is off, the level is written to its device.conf.",
     .example = "airlift device gpio my-device 4 0",
     .run = device_gpio_main},
    {0},
};
