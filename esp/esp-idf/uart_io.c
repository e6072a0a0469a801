/* UART driver: bytes in and out. See uart_driver.c. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device/board.h"
#include "esp/esp-idf/kernel.h"
#include "esp/esp-idf/uart_impl.h"
#include "esp_timer.h"

#define SLICE_MS 50 /* a task that is deleted or suspended has to notice */

/* --- waiting --- */

struct patience {
    bool forever;
    int64_t until_us;
};

static struct patience patience_of(TickType_t ticks)
{
    return (struct patience){.forever = ticks == portMAX_DELAY,
                             .until_us =
                                 esp_timer_get_time() + (int64_t)(ticks * kernel_tick_us())};
}

/* Milliseconds to wait now; 0: the time is over. */
static int next_slice(const struct patience *p)
{
    if (p->forever) return SLICE_MS;
    int64_t left = p->until_us - esp_timer_get_time();
    if (left <= 0) return 0;
    return left > SLICE_MS * 1000 ? SLICE_MS : (int)(left / 1000 + 1);
}

/* Where a deleted task ends and a suspended one stays. */
static void be_interruptible(void)
{
    kernel_lock();
    kernel_unlock();
}

static bool await_fd(int fd, short events, const struct patience *p)
{
    for (;;) {
        struct pollfd f = {.fd = fd, .events = events};
        int ms = next_slice(p);
        be_interruptible();
        if (poll(&f, 1, ms) > 0 && fd >= 0) return true;
        if (ms == 0) return false;
    }
}

/* --- in --- */

static size_t waiting(const struct uart_port *p)
{
    int n = 0;
    return p->line.in >= 0 && ioctl(p->line.in, FIONREAD, &n) == 0 ? (size_t)n : 0;
}

/* Bytes that wait, at most len. 0: the other end is closed. */
static size_t take(struct uart_port *p, void *buf, size_t len)
{
    ssize_t n = read(p->line.in, buf, len);
    if (n <= 0) return 0;
    kernel_lock();
    p->announced = p->announced > (size_t)n ? p->announced - (size_t)n : 0;
    kernel_unlock();
    return (size_t)n;
}

int uart_read_bytes(uart_port_t n, void *buf, uint32_t length, TickType_t ticks)
{
    struct uart_port *p = uart_impl_driver(n);
    if (!p || !buf || length > INT_MAX) return -1;
    struct patience patience = patience_of(ticks);
    uint32_t got = 0;
    while (got < length && await_fd(p->line.in, POLLIN, &patience)) {
        size_t more = take(p, (char *)buf + got, length - got);
        if (!more) p->line.in = -1; /* an end of stdin: silence from now on */
        got += (uint32_t)more;
    }
    return (int)got;
}

esp_err_t uart_get_buffered_data_len(uart_port_t n, size_t *size)
{
    struct uart_port *p = uart_impl_driver(n);
    if (!p || !size) return ESP_FAIL;
    *size = waiting(p);
    return ESP_OK;
}

esp_err_t uart_flush_input(uart_port_t n)
{
    char dropped[512];
    struct uart_port *p = uart_impl_driver(n);
    if (!p) return ESP_FAIL;
    for (size_t left = waiting(p), got; left; left -= got) {
        got = take(p, dropped, left < sizeof dropped ? left : sizeof dropped);
        if (!got) break;
    }
    return ESP_OK;
}

esp_err_t uart_flush(uart_port_t n)
{
    return uart_flush_input(n);
}

/* --- out --- */

/* Start bit, data, parity, stop bits. */
static void take_the_time(const struct uart_port *p, size_t bytes)
{
    if (!board()->control->real_timing) return;
    unsigned bits = 1 + 5 + (unsigned)p->config.data_bits + (p->config.parity ? 1 : 0) +
                    (p->config.stop_bits == UART_STOP_BITS_1 ? 1 : 2);
    usleep((useconds_t)((uint64_t)bytes * bits * 1000000u / (unsigned)p->config.baud_rate));
}

/* Pieces that a pipe takes without blocking once it says that it has room. */
static void put(struct uart_port *p, const char *data, size_t len)
{
    const struct patience forever = {.forever = true};
    while (len && p->line.out >= 0) {
        await_fd(p->line.out, POLLOUT, &forever);
        size_t piece = len < PIPE_BUF ? len : PIPE_BUF;
        ssize_t n = write(p->line.out, data, piece);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (n <= 0) return; /* nobody is there: gone, as on a wire */
        take_the_time(p, (size_t)n);
        data += n;
        len -= (size_t)n;
    }
}

int uart_write_bytes(uart_port_t n, const void *src, size_t size)
{
    struct uart_port *p = uart_impl_driver(n);
    if (!p || !src || size > INT_MAX) return -1;
    xSemaphoreTake(p->writing, portMAX_DELAY);
    if (p->number == 0) fflush(stdout); /* what was printed before comes before */
    put(p, src, size);
    xSemaphoreGive(p->writing);
    return (int)size;
}

esp_err_t uart_get_tx_buffer_free_size(uart_port_t n, size_t *size)
{
    struct uart_port *p = uart_impl_driver(n);
    int used = 0, all = p && p->line.out >= 0 ? fcntl(p->line.out, F_GETPIPE_SZ) : 0;
    if (!p || !size) return ESP_FAIL;
    if (p->line.out >= 0) (void)ioctl(p->line.out, FIONREAD, &used);
    *size = all > used ? (size_t)(all - used) : 0;
    return ESP_OK;
}

int uart_tx_chars(uart_port_t n, const char *buffer, uint32_t len)
{
    size_t room = 0;
    if (!buffer || uart_get_tx_buffer_free_size(n, &room)) return -1;
    return uart_write_bytes(n, buffer, len < room ? len : room);
}

esp_err_t uart_wait_tx_done(uart_port_t n, TickType_t ticks)
{
    struct uart_port *p = uart_impl_driver(n);
    if (!p) return ESP_FAIL;
    struct patience patience = patience_of(ticks);
    for (;;) {
        int left = 0;
        if (p->number == 0) fflush(stdout);
        if (p->line.out < 0 || ioctl(p->line.out, FIONREAD, &left) || left == 0) return ESP_OK;
        if (!next_slice(&patience)) return ESP_ERR_TIMEOUT;
        be_interruptible();
        usleep(500);
    }
}
