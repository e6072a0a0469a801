/* Pins. The levels are in the control page; interrupts come from a task that
 * waits for changes there, so pulses shorter than its turn are not seen. */
#include "driver/gpio.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device/board.h"
#include "esp/esp-idf/kernel.h"
#include "esp_log.h"

static const char *TAG = "gpio";

#define PINS ((int)CONTROL_GPIOS)

enum { FLOATING = 0, PULL_UP = 1, PULL_DOWN = 2, NOT_DRIVEN = 2 };

/* Under the kernel's lock. */
static struct pin {
    gpio_mode_t mode;
    uint8_t latch; /* level that an output drives */
    gpio_int_type_t intr_type;
    bool intr_enabled;
    gpio_isr_t handler;
    void *arg;
    int seen; /* level at the last look */
} pins[PINS];
static TaskHandle_t service;

static bool in_range(int n)
{
    return n >= 0 && n < PINS;
}

static bool valid(int n)
{
    if (in_range(n)) return true;
    ESP_LOGE(TAG, "GPIO number error: %d", n);
    return false;
}

/* Firmware changed a pin: tells whoever waits for pins. */
static void tell(void)
{
    struct control *c = board()->control;
    __atomic_add_fetch(&c->gpio_changes, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &c->gpio_changes, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void drive(gpio_num_t n)
{
    struct pin *p = &pins[n];
    bool out = p->mode & GPIO_MODE_DEF_OUTPUT;
    bool released = (p->mode & GPIO_MODE_DEF_OD) && p->latch; /* open drain: only low is driven */
    board()->control->gpio_output[n] = out && !released ? p->latch : NOT_DRIVEN;
    tell();
}

esp_err_t gpio_set_direction(gpio_num_t n, gpio_mode_t mode)
{
    if (!valid(n)) return ESP_ERR_INVALID_ARG;
    pins[n].mode = mode;
    drive(n);
    return ESP_OK;
}

static esp_err_t set_pull(gpio_num_t n, uint8_t pull)
{
    if (!valid(n)) return ESP_ERR_INVALID_ARG;
    board()->control->gpio_pull[n] = pull;
    tell();
    return ESP_OK;
}

/* With both pulls a pin reads high here. */
esp_err_t gpio_set_pull_mode(gpio_num_t n, gpio_pull_mode_t pull)
{
    if (pull > GPIO_FLOATING) return ESP_ERR_INVALID_ARG;
    return set_pull(n, pull == GPIO_PULLDOWN_ONLY ? PULL_DOWN
                       : pull == GPIO_FLOATING    ? FLOATING
                                                  : PULL_UP);
}

esp_err_t gpio_pullup_en(gpio_num_t n)
{
    return set_pull(n, PULL_UP);
}

esp_err_t gpio_pullup_dis(gpio_num_t n)
{
    if (!valid(n)) return ESP_ERR_INVALID_ARG;
    return board()->control->gpio_pull[n] == PULL_UP ? set_pull(n, FLOATING) : ESP_OK;
}

esp_err_t gpio_pulldown_en(gpio_num_t n)
{
    return set_pull(n, PULL_DOWN);
}

esp_err_t gpio_pulldown_dis(gpio_num_t n)
{
    if (!valid(n)) return ESP_ERR_INVALID_ARG;
    return board()->control->gpio_pull[n] == PULL_DOWN ? set_pull(n, FLOATING) : ESP_OK;
}

esp_err_t gpio_set_level(gpio_num_t n, uint32_t level)
{
    if (!valid(n)) return ESP_ERR_INVALID_ARG;
    pins[n].latch = level != 0;
    drive(n);
    return ESP_OK;
}

int gpio_get_level(gpio_num_t n)
{
    if (!in_range(n) || !(pins[n].mode & GPIO_MODE_DEF_INPUT)) return 0;
    return board_gpio_level((unsigned)n);
}

esp_err_t gpio_set_intr_type(gpio_num_t n, gpio_int_type_t type)
{
    if (!valid(n) || type >= GPIO_INTR_MAX) return ESP_ERR_INVALID_ARG;
    kernel_lock();
    pins[n].intr_type = type;
    pins[n].seen = board_gpio_level((unsigned)n);
    kernel_unlock();
    return ESP_OK;
}

static esp_err_t enable(gpio_num_t n, bool on)
{
    if (!valid(n)) return ESP_ERR_INVALID_ARG;
    kernel_lock();
    pins[n].intr_enabled = on;
    pins[n].seen = board_gpio_level((unsigned)n);
    kernel_unlock();
    tell();
    return ESP_OK;
}

esp_err_t gpio_intr_enable(gpio_num_t n)
{
    return enable(n, true);
}

esp_err_t gpio_intr_disable(gpio_num_t n)
{
    return enable(n, false);
}

esp_err_t gpio_config(const gpio_config_t *cfg)
{
    if (!cfg || !cfg->pin_bit_mask || cfg->intr_type >= GPIO_INTR_MAX) {
        ESP_LOGE(TAG, "GPIO_PIN mask error");
        return ESP_ERR_INVALID_ARG;
    }
    for (int n = 0; n < PINS; n++) {
        if (!(cfg->pin_bit_mask >> n & 1)) continue;
        gpio_set_pull_mode(n, cfg->pull_up_en     ? GPIO_PULLUP_ONLY
                              : cfg->pull_down_en ? GPIO_PULLDOWN_ONLY
                                                  : GPIO_FLOATING);
        gpio_set_direction(n, cfg->mode);
        gpio_set_intr_type(n, cfg->intr_type);
        enable(n, cfg->intr_type != GPIO_INTR_DISABLE);
    }
    return ESP_OK;
}

esp_err_t gpio_reset_pin(gpio_num_t n)
{
    if (!valid(n)) return ESP_ERR_INVALID_ARG;
    gpio_config_t cfg = {
        .pin_bit_mask = BIT64(n), .mode = GPIO_MODE_DISABLE, .pull_up_en = GPIO_PULLUP_ENABLE};
    return gpio_config(&cfg);
}

/* --- interrupts --- */

static bool triggered(const struct pin *p, int level)
{
    switch (p->intr_type) {
    case GPIO_INTR_POSEDGE:
        return level && !p->seen;
    case GPIO_INTR_NEGEDGE:
        return !level && p->seen;
    case GPIO_INTR_ANYEDGE:
        return level != p->seen;
    case GPIO_INTR_LOW_LEVEL:
        return !level;
    case GPIO_INTR_HIGH_LEVEL:
        return level;
    default:
        return false;
    }
}

/* Calls the handlers that are due; true when a level interrupt is still pending. */
static bool look_at_pins(void)
{
    bool pending = false;
    for (int n = 0; n < PINS; n++) {
        kernel_lock();
        struct pin *p = &pins[n];
        int level = board_gpio_level((unsigned)n);
        bool due = p->handler && p->intr_enabled && triggered(p, level);
        struct pin call = *p;
        p->seen = level;
        kernel_unlock();
        if (!due) continue;
        kernel_set_interrupt(true);
        call.handler(call.arg);
        kernel_set_interrupt(false);
        pending |= call.intr_type >= GPIO_INTR_LOW_LEVEL;
    }
    return pending;
}

static void service_task(void *arg)
{
    enum { IDLE_MS = 200, LEVEL_MS = 1 };
    uint32_t seen = 0;
    for (;;) board_gpio_wait(&seen, look_at_pins() ? LEVEL_MS : IDLE_MS);
}

esp_err_t gpio_install_isr_service(int intr_alloc_flags)
{
    if (service) {
        ESP_LOGE(TAG, "GPIO isr service already installed");
        return ESP_ERR_INVALID_STATE;
    }
    BaseType_t ok =
        xTaskCreate(service_task, "gpio_isr", 4096, NULL, configMAX_PRIORITIES - 1, &service);
    return ok == pdPASS ? ESP_OK : ESP_ERR_NO_MEM;
}

void gpio_uninstall_isr_service(void)
{
    if (!service) return;
    vTaskDelete(service);
    service = NULL;
    kernel_lock();
    for (int n = 0; n < PINS; n++) pins[n].handler = NULL;
    kernel_unlock();
}

static esp_err_t set_handler(gpio_num_t n, gpio_isr_t handler, void *arg)
{
    if (!valid(n)) return ESP_ERR_INVALID_ARG;
    if (!service) return ESP_ERR_INVALID_STATE;
    kernel_lock();
    pins[n].handler = handler;
    pins[n].arg = arg;
    pins[n].intr_enabled = handler;
    pins[n].seen = board_gpio_level((unsigned)n);
    kernel_unlock();
    return ESP_OK;
}

esp_err_t gpio_isr_handler_add(gpio_num_t n, gpio_isr_t handler, void *arg)
{
    return set_handler(n, handler, arg);
}

esp_err_t gpio_isr_handler_remove(gpio_num_t n)
{
    return set_handler(n, NULL, NULL);
}
