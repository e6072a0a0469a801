/* OTA update with one call: esp_https_ota. */
#include <string.h>

#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"
#include <sys/socket.h>

#ifdef CONFIG_EXAMPLE_USE_CERT_BUNDLE
#include "esp_crt_bundle.h"
#endif
#if CONFIG_EXAMPLE_CONNECT_WIFI
#include "esp_wifi.h"
#endif

#define HASH_LEN 32
#define URL_SIZE 256

#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_BIND_IF
/* The interface that the download shall use. */
#if defined(CONFIG_EXAMPLE_FIRMWARE_UPGRADE_BIND_IF_ETH)
static const char *bind_interface_name = EXAMPLE_NETIF_DESC_ETH;
#elif defined(CONFIG_EXAMPLE_FIRMWARE_UPGRADE_BIND_IF_THREAD)
static const char *bind_interface_name = EXAMPLE_NETIF_DESC_THREAD;
#else
static const char *bind_interface_name = EXAMPLE_NETIF_DESC_STA;
#endif
#endif

static const char *TAG = "simple_ota_example";

extern const uint8_t server_cert_pem_start[] asm("_binary_ca_cert_pem_start");
extern const uint8_t server_cert_pem_end[] asm("_binary_ca_cert_pem_end");

static esp_err_t http_event_handler(esp_http_client_event_t *evt)
{
    switch (evt->event_id) {
    case HTTP_EVENT_ERROR:
        ESP_LOGD(TAG, "HTTP_EVENT_ERROR");
        break;
    case HTTP_EVENT_ON_CONNECTED:
        ESP_LOGD(TAG, "HTTP_EVENT_ON_CONNECTED");
        break;
    case HTTP_EVENT_HEADER_SENT:
        ESP_LOGD(TAG, "HTTP_EVENT_HEADER_SENT");
        break;
    case HTTP_EVENT_ON_HEADER:
        ESP_LOGD(TAG, "HTTP_EVENT_ON_HEADER, key=%s, value=%s", evt->header_key, evt->header_value);
        break;
    case HTTP_EVENT_ON_HEADERS_COMPLETE:
        ESP_LOGD(TAG, "HTTP_EVENT_ON_HEADERS_COMPLETE");
        break;
    case HTTP_EVENT_ON_DATA:
        ESP_LOGD(TAG, "HTTP_EVENT_ON_DATA, len=%d", evt->data_len);
        break;
    case HTTP_EVENT_ON_FINISH:
        ESP_LOGD(TAG, "HTTP_EVENT_ON_FINISH");
        break;
    case HTTP_EVENT_DISCONNECTED:
        ESP_LOGD(TAG, "HTTP_EVENT_DISCONNECTED");
        break;
    case HTTP_EVENT_REDIRECT:
        ESP_LOGD(TAG, "HTTP_EVENT_REDIRECT");
        break;
    default:
        break;
    }
    return ESP_OK;
}

#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_BIND_IF
static void choose_interface(struct ifreq *ifr)
{
    esp_netif_t *netif = get_example_netif_from_desc(bind_interface_name);
    if (netif == NULL) {
        ESP_LOGE(TAG, "Can't find netif from interface description");
        abort();
    }
    esp_netif_get_netif_impl_name(netif, ifr->ifr_name);
    ESP_LOGI(TAG, "Bind interface name is %s", ifr->ifr_name);
}
#endif

#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL_FROM_STDIN
static const char *read_url(const char *configured)
{
    static char url[URL_SIZE];
    if (strcmp(configured, "FROM_STDIN") != 0) {
        ESP_LOGE(TAG, "Configuration mismatch: wrong firmware upgrade image url");
        abort();
    }
    example_configure_stdin_stdout();
    if (!fgets(url, sizeof url, stdin)) url[0] = 0;
    if (url[0]) url[strlen(url) - 1] = 0; /* the newline */
    return url;
}
#endif

static void simple_ota_example_task(void *unused)
{
    ESP_LOGI(TAG, "Starting OTA example task");
    esp_http_client_config_t config = {
        .url = CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL,
#ifdef CONFIG_EXAMPLE_USE_CERT_BUNDLE
        .crt_bundle_attach = esp_crt_bundle_attach,
#else
        .cert_pem = (char *)server_cert_pem_start,
#endif
        .event_handler = http_event_handler,
        .keep_alive_enable = true,
#ifdef CONFIG_EXAMPLE_TLS_DYN_BUF_RX_STATIC
        .tls_dyn_buf_strategy = HTTP_TLS_DYN_BUF_RX_STATIC,
#endif
    };
#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_BIND_IF
    struct ifreq ifr = {0};
    choose_interface(&ifr);
    config.if_name = &ifr;
#endif
#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL_FROM_STDIN
    config.url = read_url(config.url);
#endif
#ifdef CONFIG_EXAMPLE_SKIP_COMMON_NAME_CHECK
    config.skip_cert_common_name_check = true;
#endif

    esp_https_ota_config_t ota_config = {.http_config = &config};
    ESP_LOGI(TAG, "Attempting to download update from %s", config.url);
    if (esp_https_ota(&ota_config) == ESP_OK) {
        ESP_LOGI(TAG, "OTA Succeed, Rebooting...");
        esp_restart();
    }
    ESP_LOGE(TAG, "Firmware upgrade failed");
    for (;;) vTaskDelay(1000 / portTICK_PERIOD_MS);
}

static void print_sha256(const uint8_t *hash, const char *label)
{
    char hex[HASH_LEN * 2 + 1];
    for (int i = 0; i < HASH_LEN; i++) sprintf(hex + i * 2, "%02x", hash[i]);
    ESP_LOGI(TAG, "%s %s", label, hex);
}

static void print_hashes(void)
{
    uint8_t hash[HASH_LEN] = {0};
    esp_partition_t bootloader;
    bootloader.address = ESP_BOOTLOADER_OFFSET;
    bootloader.size = ESP_PARTITION_TABLE_OFFSET;
    bootloader.type = ESP_PARTITION_TYPE_APP;
    esp_partition_get_sha256(&bootloader, hash);
    print_sha256(hash, "SHA-256 for bootloader: ");
    esp_partition_get_sha256(esp_ota_get_running_partition(), hash);
    print_sha256(hash, "SHA-256 for current firmware: ");
}

void app_main(void)
{
    ESP_LOGI(TAG, "OTA example app_main start");
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);
    print_hashes();
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
#if CONFIG_EXAMPLE_CONNECT_WIFI
    esp_wifi_set_ps(WIFI_PS_NONE); /* full speed while downloading */
#endif
    xTaskCreate(&simple_ota_example_task, "ota_example_task", 8192, NULL, 5, NULL);
}
