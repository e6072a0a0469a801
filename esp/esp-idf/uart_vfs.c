/* stdin and stdout as UART 0. On the host's terminal lines end as the host's do. On a wire they
 * are translated as on a chip: CR LF goes out for a newline, CR comes in for one; what goes
 * through the driver is never touched. */
#include "driver/uart_vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "device/board_uart.h"
#include "esp/esp-idf/uart_impl.h"

static esp_line_endings_t out_mode = ESP_LINE_ENDINGS_CRLF, in_mode = ESP_LINE_ENDINGS_CR;

static bool write_all(const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(STDOUT_FILENO, data, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static ssize_t console_write(void *cookie, const char *text, size_t len)
{
    static const char *const ends[] = {"\r\n", "\r", "\n"};
    const char *at = text, *end = text + len;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        if (!write_all(at, (size_t)(stop - at))) return 0;
        if (newline && !write_all(ends[out_mode], strlen(ends[out_mode]))) return 0;
        at = newline ? newline + 1 : end;
    }
    return (ssize_t)len;
}

/* In place; gives the new length. */
static size_t translate_input(char *text, size_t len)
{
    size_t to = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '\r' && in_mode == ESP_LINE_ENDINGS_CRLF) continue;
        text[to++] = c == '\r' && in_mode == ESP_LINE_ENDINGS_CR ? '\n' : c;
    }
    return to;
}

static ssize_t console_read(void *cookie, char *text, size_t size)
{
    for (;;) {
        ssize_t n = read(STDIN_FILENO, text, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n;
        size_t len = translate_input(text, (size_t)n);
        if (len) return (ssize_t)len;
    }
}

static FILE *open_output(int mode)
{
    FILE *f = fopencookie(NULL, "w", (cookie_io_functions_t){.write = console_write});
    if (f) setvbuf(f, NULL, mode, 0);
    return f;
}

void uart_console_begin(void)
{
    if (!board_uart(0).wired) return;
    FILE *out = open_output(_IOLBF), *err = open_output(_IONBF),
         *in = fopencookie(NULL, "r", (cookie_io_functions_t){.read = console_read});
    if (!out || !err || !in) return;
    fflush(stdout);
    stdout = out;
    stderr = err;
    stdin = in;
}

static void set_blocking(int uart_num, bool blocking)
{
    int flags = fcntl(STDIN_FILENO, F_GETFL);
    if (uart_num != 0 || flags < 0) return;
    fcntl(STDIN_FILENO, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

void uart_vfs_dev_use_driver(int uart_num)
{
    set_blocking(uart_num, true);
}

void uart_vfs_dev_use_nonblocking(int uart_num)
{
    set_blocking(uart_num, false);
}

static int set_mode(esp_line_endings_t *which, int uart_num, esp_line_endings_t mode)
{
    if (uart_num != 0 || mode > ESP_LINE_ENDINGS_LF) return -1;
    *which = mode;
    return 0;
}

int uart_vfs_dev_port_set_rx_line_endings(int uart_num, esp_line_endings_t mode)
{
    return set_mode(&in_mode, uart_num, mode);
}

int uart_vfs_dev_port_set_tx_line_endings(int uart_num, esp_line_endings_t mode)
{
    return set_mode(&out_mode, uart_num, mode);
}
