/* A device that upgrades itself: it tests itself after an update, confirms or rolls
 * back, and looks for new firmware all the time. */
#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

#include "update.h"

static const char *TAG = "demo";

static bool self_test(void)
{
#ifdef CONFIG_DEMO_SELF_TEST_FAILS
    return false;
#else
    return true;
#endif
}

static void confirm_or_roll_back(void)
{
    esp_ota_img_states_t state;
    const esp_partition_t *running = esp_ota_get_running_partition();
    if (esp_ota_get_state_partition(running, &state) != ESP_OK ||
        state != ESP_OTA_IMG_PENDING_VERIFY)
        return;
    ESP_LOGI(TAG, "first start of this version: self-test ...");
    if (self_test()) {
        ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
        ESP_LOGI(TAG, "self-test passed: version %s stays", esp_app_get_description()->version);
    } else {
        ESP_LOGE(TAG, "self-test failed: rolling back");
        esp_ota_mark_app_invalid_rollback_and_reboot();
    }
}

void app_main(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    ESP_LOGI(TAG, "demo version %s runs from %s", esp_app_get_description()->version,
             running->label);
    confirm_or_roll_back();

    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());

    ESP_LOGI(TAG, "looking for new firmware at %s", CONFIG_DEMO_URL);
    for (;;) {
        update_poll();
        vTaskDelay(pdMS_TO_TICKS(CONFIG_DEMO_POLL_MS));
    }
}
