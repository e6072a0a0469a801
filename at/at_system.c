/* AT+GMR, AT+RST, AT+RESTORE, AT+SYSSTORE, AT+SYSROLLBACK. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "at/at_engine.h"
#include "at/at_settings.h"
#include "at/at_version.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp_app_desc.h"
#include "esp_ota_ops.h"
#include "host/version.h"

static enum at_result versions(struct at_call *call)
{
    const esp_app_desc_t *app = esp_app_get_description();
    char target[16];
    snprintf(target, sizeof target, "%s", airlift_config_str("IDF_TARGET", "esp32c3"));
    for (char *c = target; *c; c++) *c = (char)toupper((unsigned char)*c);
    at_print(call, "AT version:%s(airlift-%s - %s - %s %s)\r\n", AT_CORE_VERSION, AIRLIFT_VERSION,
             target, app->date, app->time);
    at_print(call, "SDK version:%.32s\r\n", app->idf_ver);
    at_print(call, "compile time(%s):%.16s %.16s\r\n", esp_app_get_elf_sha256_str(), app->date,
             app->time);
    at_print(call, "Bin version:%.32s(%s)\r\n", app->version,
             airlift_config_str("AT_MODULE_NAME", "MINI-1"));
    return AT_OK;
}

static enum at_result restart(struct at_call *call)
{
    at_answer(call, AT_OK);
    at_restart(call);
}

/* ESP32-C2 and ESP32-C3: 0 as without, 1 into the serial download mode. */
static enum at_result restart_into(struct at_call *call)
{
    const char *target = airlift_config_str("IDF_TARGET", "esp32c3");
    int64_t mode;
    if (strcmp(target, "esp32c3") && strcmp(target, "esp32c2")) {
        at_note(call, AT_SUB_CMD_OP_ERROR, 0);
        return AT_ERROR;
    }
    if (!at_param_count_is(call, 1, 1) || at_param_int(call, 0, &mode) != AT_PARAM_OK)
        return AT_ERROR;
    if (mode < 0 || mode > 1) return at_param_invalid(call, 0);
    if (mode == 1)
        return at_error(call, "a virtual device has no serial download mode; write its flash with "
                              "`airlift flash write`");
    return restart(call);
}

static enum at_result restore(struct at_call *call)
{
    if (!at_settings_forget()) return at_error(call, "the settings could not be erased");
    return restart(call);
}

static enum at_result store_query(struct at_call *call)
{
    at_print(call, "+SYSSTORE:%d\r\n", at_settings_stored);
    return AT_OK;
}

static enum at_result store_set(struct at_call *call)
{
    int64_t on;
    if (!at_param_count_is(call, 1, 1) || at_param_int(call, 0, &on) != AT_PARAM_OK)
        return AT_ERROR;
    if (on < 0 || on > 1) return at_param_invalid(call, 0);
    at_settings_stored = on;
    return AT_OK;
}

static enum at_result no_other_slot(struct at_call *call)
{
    return at_error(call, "the partition table has no other app slot");
}

static enum at_result rollback_query(struct at_call *call)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    const esp_partition_t *other = esp_ota_get_next_update_partition(NULL);
    esp_app_desc_t there = {0}; /* an empty slot has no version */
    if (!other || other == running) return no_other_slot(call);
    if (esp_ota_get_partition_description(other, &there) != ESP_OK) there.version[0] = 0;
    at_print(call, "+SYSROLLBACK:0x%x,\"%.32s\",0x%x,\"%.32s\"\r\n", (unsigned)running->address,
             esp_app_get_description()->version, (unsigned)other->address, there.version);
    return AT_OK;
}

static enum at_result rollback(struct at_call *call)
{
    const esp_partition_t *other = esp_ota_get_next_update_partition(NULL);
    if (!other || other == esp_ota_get_running_partition()) return no_other_slot(call);
    esp_err_t err = esp_ota_set_boot_partition(other); /* verifies the image */
    if (err != ESP_OK)
        return at_error(call, "partition %s has no app that could run: %s", other->label,
                        esp_err_to_name(err));
    return restart(call);
}

const struct at_command at_system_commands[] = {
    {"+GMR", .execute = versions},
    {"+RST", .set = restart_into, .execute = restart},
    {"+RESTORE", .execute = restore},
    {"+SYSSTORE", .query = store_query, .set = store_set},
    {"+SYSROLLBACK", .query = rollback_query, .execute = rollback},
    {0},
};
