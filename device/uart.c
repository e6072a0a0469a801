/* UART 0. See uart.h. */
#include "device/uart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PLAIN, AFTER_ESC, IN_SEQUENCE };

void uart_init(struct uart *u, int out)
{
    *u = (struct uart){.out = out, .log = -1};
}

int uart_wait_for(struct uart *u, const char *pattern, char *why, size_t why_size)
{
    int err = regcomp(&u->until, pattern, REG_EXTENDED | REG_NOSUB);
    if (err) {
        regerror(err, &u->until, why, why_size);
        return -EINVAL;
    }
    u->waiting = true;
    return 0;
}

int uart_log_to(struct uart *u, const char *path)
{
    u->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    return u->log < 0 ? -errno : 0;
}

void uart_close(struct uart *u)
{
    if (u->waiting) regfree(&u->until);
    if (u->log >= 0) close(u->log);
    u->waiting = false;
    u->log = -1;
}

static bool write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
            continue;
        }
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* whole: the line is complete, so `$` may match. */
static void look(struct uart *u, bool whole)
{
    if (!u->waiting || u->matched) return;
    u->line[u->len] = 0;
    u->matched = regexec(&u->until, u->line, 0, NULL, whole ? 0 : REG_NOTEOL) == 0;
}

static void end_line(struct uart *u)
{
    look(u, true);
    if (u->log >= 0) {
        u->line[u->len] = '\n';
        if (!write_all(u->log, u->line, u->len + 1)) {
            close(u->log);
            u->log = -1;
            uart_note(u, "the log file cannot be written any more");
        }
    }
    u->len = 0;
}

/* Escape sequences (ESC [ ... letter) and carriage returns are not part of a line. */
static void take_char(struct uart *u, char c)
{
    if (u->escape == AFTER_ESC) {
        u->escape = c == '[' ? IN_SEQUENCE : PLAIN;
    } else if (u->escape == IN_SEQUENCE) {
        if (c >= '@' && c <= '~') u->escape = PLAIN;
    } else if (c == '\033') {
        u->escape = AFTER_ESC;
    } else if (c == '\n') {
        end_line(u);
    } else if (c != '\r' && c) {
        if (u->len == sizeof u->line - 2) end_line(u);
        u->line[u->len++] = c;
    }
}

void uart_write(struct uart *u, const char *data, size_t len)
{
    if (u->wire)
        wire_write(u->wire, data, len);
    else if (u->out >= 0 && !u->broken && !write_all(u->out, data, len))
        u->broken = true;
    for (size_t i = 0; i < len; i++) take_char(u, data[i]);
    if (u->len) look(u, false);
}

void uart_print(struct uart *u, const char *format, ...)
{
    char text[512], *line = text;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    while (u->wire && *line) {
        size_t len = strcspn(line, "\n");
        uart_write(u, line, len);
        line += len;
        if (*line) uart_write(u, "\r\n", 2), line++;
    }
    uart_write(u, line, strlen(line));
}

void uart_note(struct uart *u, const char *format, ...)
{
    char text[1024] = "airlift: ";
    size_t head = strlen(text);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text + head, sizeof text - head - 1, format, args);
    va_end(args);
    if (n < 0) return;
    size_t len = strlen(text);
    text[len++] = '\n';
    /* The firmware may have left an unfinished line. */
    if (u->len && u->out >= 0 && !u->wire) (void)!write(u->out, "\n", 1);
    if (u->len) end_line(u);
    (void)!write(STDERR_FILENO, text, len);
    if (u->log >= 0) (void)!write(u->log, text, len);
}
