/* See log.h. */
#include "server/log.h"

#include <stdarg.h>
#include <stdio.h>

void server_log(const char *format, ...)
{
    char line[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    fprintf(stderr, "airliftd: %s\n", line); /* one call: lines of threads do not mix */
}
