/* UART driver. What has come waits in the pipe from the chip, not in a buffer of the driver: so
 * reading through the driver and reading stdin (UART 0) find the same bytes, and what there is no
 * room for stays with the sender. Reads and writes are in uart_io.c. */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device/board.h"
#include "driver/gpio.h"
#include "esp/esp-idf/kernel.h"
#include "esp/esp-idf/uart_impl.h"
#include "esp_check.h"
#include "esp_log.h"

static const char *TAG = "uart";

#define DEFAULT_BAUD 115200

static struct uart_port ports[UART_PORTS];
static pthread_once_t begun = PTHREAD_ONCE_INIT;

static const char *const with_more[] = {"esp32", "esp32s3", "esp32c61", "esp32p4"};

/* Of this chip, as SOC_UART_HP_NUM, less those that no wire leads to. */
static int port_count(void)
{
    struct al_device_ids ids;
    efuse_device_ids(&board()->efuse, &ids);
    for (size_t i = 0; ids.chip && i < sizeof with_more / sizeof *with_more; i++)
        if (strcmp(ids.chip->name, with_more[i]) == 0) return UART_PORTS;
    return 2;
}

static void begin(void)
{
    for (unsigned n = 0; n < UART_PORTS; n++)
        ports[n] = (struct uart_port){.number = n,
                                      .line = board_uart(n),
                                      .config = {.baud_rate = DEFAULT_BAUD,
                                                 .data_bits = UART_DATA_8_BITS,
                                                 .stop_bits = UART_STOP_BITS_1}};
}

struct uart_port *uart_impl_port(uart_port_t n)
{
    pthread_once(&begun, begin);
    if ((int)n >= 0 && (int)n < port_count()) return &ports[n];
    ESP_LOGE(TAG, "uart_num error");
    return NULL;
}

struct uart_port *uart_impl_driver(uart_port_t n)
{
    struct uart_port *p = uart_impl_port(n);
    if (!p || p->installed) return p && p->installed ? p : NULL;
    ESP_LOGE(TAG, "uart driver error");
    return NULL;
}

/* --- events --- */

/* Bytes that wait and that no event has told of. */
static size_t unannounced(struct uart_port *p)
{
    int waiting = 0;
    if (ioctl(p->line.in, FIONREAD, &waiting) < 0) return 0;
    kernel_lock();
    size_t fresh = (size_t)waiting > p->announced ? (size_t)waiting - p->announced : 0;
    p->announced += fresh;
    kernel_unlock();
    return fresh;
}

/* Tells of what has come, without taking it. */
static void watch_task(void *arg)
{
    enum { LOOK_MS = 100 }; /* a deleted task has to notice */
    struct uart_port *p = arg;
    struct epoll_event e = {.events = EPOLLIN | EPOLLET};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, p->line.in, &e);
    while (p->installed) {
        epoll_wait(epoll, &e, 1, LOOK_MS);
        size_t size = unannounced(p);
        const uart_event_t event = {.type = UART_DATA, .size = size, .timeout_flag = true};
        if (size && p->installed) xQueueSend(p->events, &event, 0);
    }
    close(epoll);
    xSemaphoreGive(p->watcher_gone);
    vTaskDelete(NULL);
}

static esp_err_t start_watching(struct uart_port *p, int queue_size)
{
    p->events = xQueueCreate((UBaseType_t)queue_size, sizeof(uart_event_t));
    if (!p->events) return ESP_ERR_NO_MEM;
    if (p->line.in < 0) return ESP_OK;
    p->watcher_gone = xSemaphoreCreateBinary();
    p->installed = true;
    if (p->watcher_gone &&
        xTaskCreate(watch_task, "uart", 4096, p, configMAX_PRIORITIES - 1, NULL) == pdPASS)
        return ESP_OK;
    if (p->watcher_gone) vSemaphoreDelete(p->watcher_gone);
    p->watcher_gone = NULL;
    p->installed = false;
    vQueueDelete(p->events);
    p->events = NULL;
    return ESP_ERR_NO_MEM;
}

/* --- the driver --- */

bool uart_is_driver_installed(uart_port_t n)
{
    pthread_once(&begun, begin);
    return (int)n >= 0 && (int)n < port_count() && ports[n].installed;
}

esp_err_t uart_driver_install(uart_port_t n, int rx_size, int tx_size, int queue_size,
                              QueueHandle_t *queue, int flags)
{
    struct uart_port *p = uart_impl_port(n);
    if (!p) return ESP_FAIL;
    ESP_RETURN_ON_FALSE(rx_size > SOC_UART_FIFO_LEN, ESP_FAIL, TAG, "uart rx buffer length error");
    ESP_RETURN_ON_FALSE(tx_size == 0 || tx_size > SOC_UART_FIFO_LEN, ESP_FAIL, TAG,
                        "uart tx buffer length error");
    ESP_RETURN_ON_FALSE(!p->installed, ESP_FAIL, TAG, "UART driver already installed");
    ESP_RETURN_ON_FALSE(!queue || queue_size > 0, ESP_FAIL, TAG, "uart queue size error");
    p->writing = xSemaphoreCreateMutex();
    if (!p->writing) return ESP_FAIL;
    p->announced = 0;
    /* No less than the chip gives; pipes of other sizes than pages are not to be had. */
    if (p->line.in >= 0 && rx_size > fcntl(p->line.in, F_GETPIPE_SZ))
        fcntl(p->line.in, F_SETPIPE_SZ, rx_size);
    if (queue && start_watching(p, queue_size)) {
        vSemaphoreDelete(p->writing);
        p->writing = NULL;
        return ESP_FAIL;
    }
    if (queue) *queue = p->events;
    p->installed = true;
    return ESP_OK;
}

esp_err_t uart_driver_delete(uart_port_t n)
{
    struct uart_port *p = uart_impl_port(n);
    if (!p) return ESP_FAIL;
    if (!p->installed) return ESP_OK;
    p->installed = false;
    if (p->watcher_gone) {
        xSemaphoreTake(p->watcher_gone, portMAX_DELAY);
        vSemaphoreDelete(p->watcher_gone);
    }
    vQueueDelete(p->events);
    vSemaphoreDelete(p->writing);
    p->events = NULL;
    p->watcher_gone = p->writing = NULL;
    return ESP_OK;
}

/* --- the line --- */

esp_err_t uart_param_config(uart_port_t n, const uart_config_t *c)
{
    struct uart_port *p = uart_impl_port(n);
    if (!p) return ESP_FAIL;
    ESP_RETURN_ON_FALSE(c, ESP_FAIL, TAG, "param null");
    ESP_RETURN_ON_FALSE(c->rx_flow_ctrl_thresh < SOC_UART_FIFO_LEN, ESP_FAIL, TAG,
                        "rx flow thresh error");
    ESP_RETURN_ON_FALSE(c->flow_ctrl < UART_HW_FLOWCTRL_MAX, ESP_FAIL, TAG,
                        "hw_flowctrl mode error");
    ESP_RETURN_ON_FALSE(c->data_bits < UART_DATA_BITS_MAX, ESP_FAIL, TAG, "data bit error");
    ESP_RETURN_ON_FALSE(c->baud_rate > 0 && c->baud_rate <= UART_BITRATE_MAX, ESP_FAIL, TAG,
                        "baud rate error");
    p->config = *c;
    return ESP_OK;
}

esp_err_t uart_set_baudrate(uart_port_t n, uint32_t baud)
{
    struct uart_port *p = uart_impl_port(n);
    if (!p || baud == 0 || baud > UART_BITRATE_MAX) return ESP_FAIL;
    p->config.baud_rate = (int)baud;
    return ESP_OK;
}

esp_err_t uart_get_baudrate(uart_port_t n, uint32_t *baud)
{
    struct uart_port *p = uart_impl_port(n);
    if (!p || !baud) return ESP_FAIL;
    *baud = (uint32_t)p->config.baud_rate;
    return ESP_OK;
}

/* A setting that is only kept: its pair of functions. */
#define SETTING(name, type, field, valid)                 \
    esp_err_t uart_set_##name(uart_port_t n, type value)  \
    {                                                     \
        struct uart_port *p = uart_impl_port(n);          \
        if (!p || !(valid)) return ESP_FAIL;              \
        p->config.field = value;                          \
        return ESP_OK;                                    \
    }                                                     \
    esp_err_t uart_get_##name(uart_port_t n, type *value) \
    {                                                     \
        const struct uart_port *p = uart_impl_port(n);    \
        if (!p || !value) return ESP_FAIL;                \
        *value = p->config.field;                         \
        return ESP_OK;                                    \
    }

SETTING(word_length, uart_word_length_t, data_bits, value < UART_DATA_BITS_MAX)
SETTING(stop_bits, uart_stop_bits_t, stop_bits, value &&value < UART_STOP_BITS_MAX)
SETTING(parity, uart_parity_t, parity, value <= UART_PARITY_ODD && value != 1)

esp_err_t uart_set_hw_flow_ctrl(uart_port_t n, uart_hw_flowcontrol_t flow, uint8_t rx_thresh)
{
    struct uart_port *p = uart_impl_port(n);
    if (!p || flow >= UART_HW_FLOWCTRL_MAX || rx_thresh >= SOC_UART_FIFO_LEN) return ESP_FAIL;
    p->config.flow_ctrl = flow;
    p->config.rx_flow_ctrl_thresh = rx_thresh;
    return ESP_OK;
}

esp_err_t uart_get_hw_flow_ctrl(uart_port_t n, uart_hw_flowcontrol_t *flow)
{
    const struct uart_port *p = uart_impl_port(n);
    if (!p || !flow) return ESP_FAIL;
    *flow = p->config.flow_ctrl;
    return ESP_OK;
}

esp_err_t uart_set_mode(uart_port_t n, uart_mode_t mode)
{
    if (!uart_impl_driver(n)) return ESP_ERR_INVALID_STATE;
    return mode == UART_MODE_UART ? ESP_OK : ESP_ERR_INVALID_ARG;
}

static bool pin_valid(int pin)
{
    return pin >= UART_PIN_NO_CHANGE && pin < SOC_GPIO_PIN_COUNT;
}

esp_err_t uart_set_pin(uart_port_t n, int tx, int rx, int rts, int cts)
{
    if (!uart_impl_port(n)) return ESP_FAIL;
    ESP_RETURN_ON_FALSE(pin_valid(tx), ESP_FAIL, TAG, "tx_io_num error");
    ESP_RETURN_ON_FALSE(pin_valid(rx), ESP_FAIL, TAG, "rx_io_num error");
    ESP_RETURN_ON_FALSE(pin_valid(rts), ESP_FAIL, TAG, "rts_io_num error");
    ESP_RETURN_ON_FALSE(pin_valid(cts), ESP_FAIL, TAG, "cts_io_num error");
    return ESP_OK;
}
