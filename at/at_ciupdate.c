/* AT+CIUPDATE: firmware, or a user partition, from the cloud. */
#include "at/at.h"

#include "at/at_cipfwver.h"
#include "at/at_upgrade.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TASK_STACK    8192
#define TASK_PRIORITY 5

static const char *TAG = "at-ota";

static atomic_int state_now;  /* enum at_upgrade_state of the last upgrade */
static atomic_bool under_way; /* one that does not block */

/* ctx: the call, NULL when it does not block: then the line goes to every port. */
static void reached(void *ctx, enum at_upgrade_state state)
{
    atomic_store(&state_now, state);
    /* Who sees that line may begin the next one. */
    if (!ctx && state == AT_UPGRADE_DONE) atomic_store(&under_way, false);
    at_print(ctx, "+CIPUPDATE:%d\r\n", state);
}

static bool run(struct at_upgrade *u)
{
    atomic_store(&state_now, AT_UPGRADE_IDLE);
    bool good = at_upgrade_run(u);
    if (!good) atomic_store(&state_now, AT_UPGRADE_FAILED);
    return good;
}

static void background(void *arg)
{
    struct at_upgrade *u = arg;
    if (!run(u)) {
        atomic_store(&under_way, false);
        at_print(NULL, "+CIPUPDATE:%d\r\n", AT_UPGRADE_FAILED);
    }
    free(u);
    vTaskDelete(NULL);
}

static enum at_result start(struct at_call *call, const struct at_upgrade *u)
{
    struct at_upgrade *mine = malloc(sizeof *mine);
    if (!mine) return at_error(call, "out of memory");
    *mine = *u;
    mine->ctx = NULL;
    atomic_store(&under_way, true);
    if (xTaskCreate(background, "at_ota", TASK_STACK, mine, TASK_PRIORITY, NULL) == pdPASS)
        return AT_OK;
    atomic_store(&under_way, false);
    free(mine);
    return at_error(call, "the upgrade's task cannot be started: out of memory");
}

static enum at_result block(struct at_call *call, struct at_upgrade *u)
{
    u->ctx = call;
    if (!run(u)) return at_error(call, "%s", u->why);
    if (strcmp(u->name, "ota") != 0) return AT_OK;
    at_answer(call, AT_OK);
    at_restart(call);
}

static enum at_result upgrade(struct at_call *call, struct at_upgrade *u, bool nonblocking)
{
    if (!airlift_config_bool("AT_OTA_SUPPORT"))
        return at_error(call, "this firmware has no upgrades from the cloud "
                              "(CONFIG_AT_OTA_SUPPORT)");
    if (atomic_load(&under_way)) { /* set only here, by the one task that runs commands */
        ESP_LOGE(TAG, "ALREADY IN OTA");
        return at_error(call, "an upgrade is under way: AT+CIUPDATE? tells how far it is");
    }
    u->reached = reached;
    return nonblocking ? start(call, u) : block(call, u);
}

/* Text that can stand in a request. given: also an empty one counts (may be NULL). */
static bool take_text(struct at_call *call, size_t index, char out[static AT_CLOUD_VERSION_MAX + 1],
                      bool *given)
{
    const char *text;
    enum at_param got = at_param_text(call, index, &text);
    if (got == AT_PARAM_OMITTED) return true;
    if (got != AT_PARAM_OK) return false;
    if (!at_param_length_is(call, index, text, 0, AT_CLOUD_VERSION_MAX)) return false;
    if (text[0] && !at_cloud_text_fits(text, AT_CLOUD_VERSION_MAX)) {
        at_param_invalid(call, index);
        at_error(call, "parameter %zu: expected no blanks and no control characters", index + 1);
        return false;
    }
    if (given) *given = true;
    if (text[0]) snprintf(out, AT_CLOUD_VERSION_MAX + 1, "%s", text);
    return true;
}

/* 0 or 1, *out is the default. must: it may not be left out. */
static bool take_switch(struct at_call *call, size_t index, bool must, bool *out)
{
    int64_t number;
    enum at_param got = at_param_int(call, index, &number);
    if (got == AT_PARAM_OMITTED && !must) return true;
    if (got == AT_PARAM_MALFORMED) return false;
    if (got == AT_PARAM_OMITTED || number < 0 || number > 1) {
        at_param_invalid(call, index);
        return false;
    }
    *out = number;
    return true;
}

static enum at_result set(struct at_call *call)
{
    struct at_upgrade u = {.name = "ota"};
    bool nonblocking = false, version_given = false;
    if (!at_param_count_is(call, 1, 4) || !take_switch(call, 0, true, &u.tls) ||
        !take_text(call, 1, u.version, &version_given) || !take_text(call, 2, u.name, NULL) ||
        !take_switch(call, 3, false, &nonblocking))
        return AT_ERROR;
    /* As in the original an empty version counts as one, but only when it blocks. */
    u.ask = !version_given || (nonblocking && !u.version[0]);
    return upgrade(call, &u, nonblocking);
}

static enum at_result execute(struct at_call *call)
{
    struct at_upgrade u = {.name = "ota", .ask = true};
    return upgrade(call, &u, false);
}

static enum at_result query(struct at_call *call)
{
    at_print(call, "+CIUPDATE:%d\r\n", atomic_load(&state_now));
    return AT_OK;
}

const struct at_command at_ciupdate_commands[] = {
    {.name = "+CIUPDATE", .query = query, .set = set, .execute = execute},
    {.name = "+CIPFWVER", .query = at_cipfwver_query},
    {.name = NULL},
};
