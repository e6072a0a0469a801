#include "switch_driver.h"

#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/task.h"

enum { KEYS_WAITING = 10, LOOK_MS = 10, STACK = 4096, PRIORITY = 10 };

static const char *TAG = "switch_driver";

static switch_func_pair_t *keys;
static uint8_t key_count;
static esp_switch_callback_t callback;
static QueueHandle_t pressed;

static void enable(bool on)
{
    for (uint8_t i = 0; i < key_count; i++) {
        if (on)
            gpio_intr_enable(keys[i].pin);
        else
            gpio_intr_disable(keys[i].pin);
    }
}

/* The level stays low as long as the key is held: quiet until it is let go. */
static void on_low(void *key)
{
    gpio_intr_disable(((switch_func_pair_t *)key)->pin);
    xQueueSendFromISR(pressed, &key, NULL);
}

static void watch(void *arg)
{
    switch_func_pair_t *key;
    for (;;) {
        if (xQueueReceive(pressed, &key, portMAX_DELAY) != pdTRUE) continue;
        enable(false);
        while (gpio_get_level(key->pin) == GPIO_INPUT_LEVEL_ON)
            vTaskDelay(LOOK_MS / portTICK_PERIOD_MS);
        callback(key);
        enable(true);
    }
}

static bool configure_pins(void)
{
    gpio_config_t io = {.mode = GPIO_MODE_INPUT,
                        .pull_up_en = GPIO_PULLUP_ENABLE,
                        .intr_type = GPIO_INTR_LOW_LEVEL};
    for (uint8_t i = 0; i < key_count; i++) {
        if (!GPIO_IS_VALID_GPIO((int)keys[i].pin)) return false;
        io.pin_bit_mask = 1ull << keys[i].pin;
        ESP_LOGI("gpio",
                 "GPIO[%u]| InputEn: 1| OutputEn: 0| OpenDrain: 0| Pullup: 1| Pulldown: 0| Intr:4 ",
                 (unsigned)keys[i].pin);
        if (gpio_config(&io)) return false;
    }
    return true;
}

static bool watch_pins(void)
{
    gpio_install_isr_service(ESP_INTR_FLAG_DEFAULT); /* may be there already */
    for (uint8_t i = 0; i < key_count; i++)
        if (gpio_isr_handler_add(keys[i].pin, on_low, &keys[i])) return false;
    return true;
}

bool switch_driver_init(switch_func_pair_t *button_func_pair, uint8_t button_num,
                        esp_switch_callback_t cb)
{
    if (!button_func_pair || !button_num || !cb) return false;
    callback = cb;
    if (pressed) return true;
    keys = button_func_pair;
    key_count = button_num;
    pressed = xQueueCreate(KEYS_WAITING, sizeof(switch_func_pair_t *));
    bool ok = pressed && configure_pins() &&
              xTaskCreate(watch, "switch", STACK, NULL, PRIORITY, NULL) == pdPASS && watch_pins();
    if (!ok) ESP_LOGE(TAG, "the keys cannot be used");
    return ok;
}
