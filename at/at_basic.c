/* AT, ATE, AT+CMD, AT+SYSLOG: commands about the interpreter itself. */
#include "at/at_engine.h"

static enum at_result ok(struct at_call *call)
{
    return AT_OK;
}

static enum at_result echo_off(struct at_call *call)
{
    at_switches.echo = false;
    return AT_OK;
}

static enum at_result echo_on(struct at_call *call)
{
    at_switches.echo = true;
    return AT_OK;
}

static enum at_result list(struct at_call *call)
{
    unsigned index = 0;
    for (const struct at_command *const *g = at_command_groups(); *g; g++)
        for (const struct at_command *c = *g; c->name; c++)
            at_print(call, "+CMD:%u,\"AT%s\",%d,%d,%d,%d\r\n", index++, c->name, c->test != NULL,
                     c->query != NULL, c->set != NULL, c->execute != NULL);
    return AT_OK;
}

static enum at_result syslog_query(struct at_call *call)
{
    at_print(call, "+SYSLOG:%d\r\n", at_switches.error_codes);
    return AT_OK;
}

static enum at_result syslog_set(struct at_call *call)
{
    int64_t on;
    if (!at_param_count_is(call, 1, 1) || at_param_int(call, 0, &on) != AT_PARAM_OK)
        return AT_ERROR;
    if (on < 0 || on > 1) return at_param_invalid(call, 0);
    at_switches.error_codes = on;
    return AT_OK;
}

const struct at_command at_basic_commands[] = {
    {"", .execute = ok},
    {"E0", .execute = echo_off},
    {"E1", .execute = echo_on},
    {"+CMD", .query = list},
    {"+SYSLOG", .query = syslog_query, .set = syslog_set},
    {0},
};
