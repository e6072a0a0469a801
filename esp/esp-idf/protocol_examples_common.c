/* Connecting, in the words of the vendor's examples. Which interface stands for the
 * host's network follows the configuration (CONFIG_EXAMPLE_CONNECT_*). */
#include "protocol_examples_common.h"

#include <stdio.h>
#include <string.h>

#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/idf_netif.h"
#include "esp_log.h"
#include "esp_wifi.h"

static const char *TAG = "example_connect", *TAG_COMMON = "example_common";

struct link {
    const char *config; /* CONFIG_ that asks for it */
    const char *key, *desc;
    int32_t got, lost;
};
static const struct link links[] = {
    {"EXAMPLE_CONNECT_WIFI", "WIFI_STA_DEF", EXAMPLE_NETIF_DESC_STA, IP_EVENT_STA_GOT_IP,
     IP_EVENT_STA_LOST_IP},
    {"EXAMPLE_CONNECT_ETHERNET", "ETH_DEF", EXAMPLE_NETIF_DESC_ETH, IP_EVENT_ETH_GOT_IP,
     IP_EVENT_ETH_LOST_IP},
    {"EXAMPLE_CONNECT_THREAD", "OT_DEF", EXAMPLE_NETIF_DESC_THREAD, IP_EVENT_ETH_GOT_IP,
     IP_EVENT_ETH_LOST_IP},
    {"EXAMPLE_CONNECT_PPP", "PPP_DEF", EXAMPLE_NETIF_DESC_PPP, IP_EVENT_PPP_GOT_IP,
     IP_EVENT_PPP_LOST_IP},
};
enum { LINKS = sizeof links / sizeof *links };

/* A project that says nothing gets the station. */
static bool wanted(int i)
{
    bool any = false;
    for (int j = 0; j < LINKS; j++) any |= airlift_config_bool(links[j].config);
    return any ? airlift_config_bool(links[i].config) : i == 0;
}

/* "name password" on one line; the name alone: no password. */
static void ask_for_access_point(char *ssid, size_t size)
{
    char line[128];
    example_configure_stdin_stdout();
    printf("Please input ssid password:\n");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) line[0] = 0;
    line[strcspn(line, " \r\n")] = 0;
    snprintf(ssid, size, "%s", line);
}

static esp_err_t connect_link(const struct link *l)
{
    const esp_netif_inherent_config_t base = {.if_key = l->key, .if_desc = l->desc};
    if (l == links) {
        char ssid[33];
        if (airlift_config_bool("EXAMPLE_WIFI_SSID_PWD_FROM_STDIN"))
            ask_for_access_point(ssid, sizeof ssid);
        else
            snprintf(ssid, sizeof ssid, "%s", airlift_config_str("EXAMPLE_WIFI_SSID", "myssid"));
        ESP_LOGI(TAG, "Connecting to %s...", ssid);
    }
    ESP_LOGI(TAG, "Waiting for IP(s)");
    esp_netif_t *netif = esp_netif_new(&(esp_netif_config_t){.base = &base});
    if (!netif) return ESP_ERR_INVALID_STATE; /* connected already */
    idf_netif_up(netif, l->got);
    esp_netif_ip_info_t info;
    esp_netif_get_ip_info(netif, &info);
    ESP_LOGI(TAG, "Got IPv4 event: Interface \"%s\" address: " IPSTR, l->desc, IP2STR(&info.ip));
    return ESP_OK;
}

void example_print_all_netif_infos(const char *prefix)
{
    esp_netif_t *netif = NULL;
    while ((netif = esp_netif_next_unsafe(netif))) {
        const char *desc = esp_netif_get_desc(netif);
        esp_netif_ip_info_t info;
        if (strncmp(desc, prefix, strlen(prefix)) || !esp_netif_is_netif_up(netif)) continue;
        esp_netif_get_ip_info(netif, &info);
        ESP_LOGI(TAG_COMMON, "Connected to %s", desc);
        ESP_LOGI(TAG_COMMON, "- IPv4 address: " IPSTR ",", IP2STR(&info.ip));
    }
}

esp_err_t example_connect(void)
{
    ESP_LOGI(TAG, "Start example_connect.");
    for (int i = 0; i < LINKS; i++) {
        esp_err_t err = wanted(i) ? connect_link(&links[i]) : ESP_OK;
        if (err) return err;
    }
    example_print_all_netif_infos("example_netif_");
    return ESP_OK;
}

esp_err_t example_disconnect(void)
{
    for (int i = 0; i < LINKS; i++) {
        esp_netif_t *netif = idf_netif_by_desc(links[i].desc);
        if (!netif) continue;
        idf_netif_down(netif, links[i].lost);
        esp_netif_destroy(netif);
    }
    return ESP_OK;
}

esp_err_t example_configure_stdin_stdout(void)
{
    setvbuf(stdin, NULL, _IONBF, 0);
    return ESP_OK;
}

esp_netif_t *get_example_netif_from_desc(const char *desc)
{
    return desc ? idf_netif_by_desc(desc) : NULL;
}
