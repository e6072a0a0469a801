/* Names of error numbers, and the failed ESP_ERROR_CHECK. */
#include "esp_err.h"

#include <stdlib.h>
#include <string.h>

#include "host/vendor_log.h"

const char *esp_err_to_name(esp_err_t code)
{
    return vendor_err_name(code);
}

const char *esp_err_to_name_r(esp_err_t code, char *buf, size_t buflen)
{
    const char *name = vendor_err_name(code);
    if (strncmp(name, "ESP_", 4) && code > 0 && code < 0x100) name = strerror(code);
    if (buflen) snprintf(buf, buflen, "%s", name);
    return buf;
}

static void report(const char *what, esp_err_t rc, const char *file, int line, const char *function,
                   const char *expression, const void *caller)
{
    fflush(stdout);
    printf("%s failed: esp_err_t 0x%x (%s) at 0x%08lx\n"
           "file: \"%s\" line %d\nfunc: %s\nexpression: %s\n",
           what, (unsigned)rc, esp_err_to_name(rc), (unsigned long)(uintptr_t)caller, file, line,
           function, expression);
    fflush(stdout);
}

void _esp_error_check_failed(esp_err_t rc, const char *file, int line, const char *function,
                             const char *expression)
{
    report("ESP_ERROR_CHECK", rc, file, line, function, expression, __builtin_return_address(0));
    abort(); /* board_catch_faults() makes it a panic */
}

void _esp_error_check_failed_without_abort(esp_err_t rc, const char *file, int line,
                                           const char *function, const char *expression)
{
    report("ESP_ERROR_CHECK_WITHOUT_ABORT", rc, file, line, function, expression,
           __builtin_return_address(0));
}
