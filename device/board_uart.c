/* See board_uart.h. */
#include "device/board_uart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct board_uart board_uart(unsigned n)
{
    const char *text = getenv("AIRLIFT_UARTS");
    unsigned number;
    int in, out, len;
    while (text && sscanf(text, "%u=%d:%d,%n", &number, &in, &out, &len) == 3) {
        if (number == n) return (struct board_uart){in, out, true};
        text += len;
    }
    return n ? (struct board_uart){-1, -1, false}
             : (struct board_uart){STDIN_FILENO, STDOUT_FILENO, false};
}
