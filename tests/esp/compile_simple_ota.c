/* Every name that the vendor's simple_ota_example takes from outside the C
 * library; what it uses without including must come in by the headers it has.
 * See compile_native_ota.c. */
#define CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL         "FROM_STDIN"
#define CONFIG_EXAMPLE_FIRMWARE_UPGRADE_BIND_IF     1
#define CONFIG_EXAMPLE_FIRMWARE_UPGRADE_BIND_IF_STA 1
#define CONFIG_EXAMPLE_TLS_DYN_BUF_RX_STATIC        1

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#include "esp_crt_bundle.h"
#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"
#include "string.h"

#include "esp_wifi.h"
#include <sys/socket.h>

static const char *TAG = "simple";
static const char *interfaces[] = {EXAMPLE_NETIF_DESC_STA, EXAMPLE_NETIF_DESC_ETH,
                                   EXAMPLE_NETIF_DESC_THREAD};

static esp_err_t on_event(esp_http_client_event_t *e)
{
    switch (e->event_id) {
    case HTTP_EVENT_ERROR:
    case HTTP_EVENT_ON_CONNECTED:
    case HTTP_EVENT_HEADER_SENT:
        break;
    case HTTP_EVENT_ON_HEADER:
        ESP_LOGD(TAG, "key=%s, value=%s", e->header_key, e->header_value);
        break;
    case HTTP_EVENT_ON_HEADERS_COMPLETE:
        break;
    case HTTP_EVENT_ON_DATA:
        ESP_LOGD(TAG, "len=%d", e->data_len);
        break;
    case HTTP_EVENT_ON_FINISH:
    case HTTP_EVENT_DISCONNECTED:
    case HTTP_EVENT_REDIRECT:
    default:
        break;
    }
    return ESP_OK;
}

static void update_task(void *arg)
{
    struct ifreq ifr;
    esp_netif_t *netif = get_example_netif_from_desc(interfaces[0]);
    if (!netif) abort();
    esp_netif_get_netif_impl_name(netif, ifr.ifr_name);
    ESP_LOGI(TAG, "%s", ifr.ifr_name);
    esp_http_client_config_t config = {
        .url = CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL,
        .crt_bundle_attach = esp_crt_bundle_attach,
        .event_handler = on_event,
        .keep_alive_enable = true,
        .if_name = &ifr,
        .tls_dyn_buf_strategy = HTTP_TLS_DYN_BUF_RX_STATIC,
    };
    char line[256];
    fgets(line, sizeof line, stdin);
    config.url = line;
    config.cert_pem = NULL;
    config.skip_cert_common_name_check = false;
    esp_https_ota_config_t ota_config = {
        .http_config = &config,
    };
    if (esp_https_ota(&ota_config) == ESP_OK) esp_restart();
    while (1) vTaskDelay(1000 / portTICK_PERIOD_MS);
}

void app_main(void);
void app_main(void)
{
    uint8_t digest[32];
    esp_partition_t p;
    p.address = ESP_BOOTLOADER_OFFSET;
    p.size = ESP_PARTITION_TABLE_OFFSET;
    p.type = ESP_PARTITION_TYPE_APP;
    esp_partition_get_sha256(&p, digest);
    esp_partition_get_sha256(esp_ota_get_running_partition(), digest);
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND)
        err = nvs_flash_erase();
    ESP_ERROR_CHECK(err);
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    example_configure_stdin_stdout();
    esp_wifi_set_ps(WIFI_PS_NONE);
    ESP_LOGE(TAG, "%d", if_nametoindex("lo"));
    xTaskCreate(&update_task, "ota_example_task", 8192, NULL, 5, NULL);
}
