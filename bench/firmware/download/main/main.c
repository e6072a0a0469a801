/* Downloads its own image into the other slot and says how long it took: from
 * the call of esp_https_ota to the verified image in flash. */
#include <inttypes.h>

#include "esp_event.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

extern const uint8_t ca_cert_pem_start[] asm("_binary_ca_cert_pem_start");
extern const uint8_t payload_bin_start[] asm("_binary_payload_bin_start");

static const char *TAG = "bench";

void app_main(void)
{
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());

    esp_http_client_config_t http = {
        .url = CONFIG_BENCH_URL,
        .cert_pem = (const char *)ca_cert_pem_start,
        .buffer_size = 65536,
    };
    esp_https_ota_config_t ota = {.http_config = &http};
    int64_t began = esp_timer_get_time();
    esp_err_t err = esp_https_ota(&ota);
    int64_t took = esp_timer_get_time() - began;
    ESP_LOGI(TAG, "payload begins with %02x", payload_bin_start[0]);
    ESP_LOGI(TAG, "result %s after %" PRId64 " us", esp_err_to_name(err), took);
    for (;;) vTaskDelay(pdMS_TO_TICKS(1000));
}
