/* What goes out: lines, answers with their error codes, reasons. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at/at_engine.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp_log.h"

static const char TAG[] = "at";

void at_write(struct at_call *call, const void *data, size_t len)
{
    if (call)
        at_session_write(call->session, data, len);
    else
        at_sessions_write(data, len);
}

void at_print(struct at_call *call, const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0) return;
    at_write(call, text, (size_t)len);
    free(text);
}

/* "+ERRMSG:"..."" with what a string of AT escapes. */
static void print_reason(struct at_call *call)
{
    char line[2 * AT_REASON_MAX + 16] = "+ERRMSG:\"";
    size_t len = strlen(line);
    for (const char *c = call->reason; *c; c++) {
        if (*c == '"' || *c == '\\') line[len++] = '\\';
        line[len++] = *c == '\r' || *c == '\n' ? ' ' : *c;
    }
    at_print(call, "%.*s\"\r\n", (int)len, line);
}

static void answer_error(struct at_call *call, enum at_result result)
{
    uint32_t code = call->code;
    if (!code) code = AT_ERROR_CODE(AT_SUB_CMD_EXEC_FAIL, (uint32_t)result);
    if (at_switches.error_codes) {
        at_print(call, "ERR CODE:0x%08x\r\n", (unsigned)code);
        if (call->reason[0] && airlift_config_bool("AT_ERROR_REASON")) print_reason(call);
    }
    at_print(call, "\r\nERROR\r\n");
}

void at_answer(struct at_call *call, enum at_result result)
{
    switch (result) {
    case AT_OK:
        at_print(call, "\r\nOK\r\n");
        break;
    case AT_SEND_OK:
        at_print(call, "\r\nSEND OK\r\n");
        break;
    case AT_SEND_FAIL:
        at_print(call, "\r\nSEND FAIL\r\n");
        break;
    case AT_OK_AND_PROMPT:
        at_session_raw(call->session); /* the other side may send as soon as it sees the prompt */
        at_print(call, "\r\nOK\r\n\r\n>");
        break;
    case AT_IGNORE:
    case AT_PROCESS_DONE:
        break;
    case AT_ERROR:
    case AT_FAIL:
        answer_error(call, result);
        break;
    }
}

void at_drain(struct at_call *call)
{
    at_session_drain(call->session);
}

enum at_result at_error(struct at_call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(call->reason, sizeof call->reason, format, args);
    va_end(args);
    if (call->guess) call->code = 0;
    ESP_LOGE(TAG, "AT%.*s: %s", (int)call->request.name.len, call->request.name.at, call->reason);
    return AT_ERROR;
}
