/* Network interfaces: names and addresses. Packets go through the host's sockets. */
#include "esp_netif.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/board.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/idf_netif.h"
#include "esp_event.h"
#include "esp_mac.h"

ESP_EVENT_DEFINE_BASE(IP_EVENT);

struct esp_netif_obj {
    esp_netif_t *next;
    char key[24], desc[32], hostname[33];
    int route_prio;
    bool up;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static esp_netif_t *all, *default_netif;

esp_err_t esp_netif_init(void)
{
    return ESP_OK;
}

esp_err_t esp_netif_deinit(void)
{
    return ESP_ERR_NOT_SUPPORTED; /* as the original */
}

/* --- the host's network --- */

struct host_net {
    char name[IF_NAMESIZE];
    esp_netif_ip_info_t ip;
};

/* The first interface that is up and not loopback; else loopback. */
static void find_host_net(struct host_net *out)
{
    struct ifaddrs *list = NULL;
    snprintf(out->name, sizeof out->name, "lo");
    out->ip =
        (esp_netif_ip_info_t){.ip.addr = htonl(INADDR_LOOPBACK), .netmask.addr = htonl(0xff000000)};
    if (getifaddrs(&list)) return;
    for (struct ifaddrs *i = list; i; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET) continue;
        if (!(i->ifa_flags & IFF_UP) || (i->ifa_flags & IFF_LOOPBACK)) continue;
        struct sockaddr_in address, mask = {0};
        memcpy(&address, i->ifa_addr, sizeof address);
        if (i->ifa_netmask) memcpy(&mask, i->ifa_netmask, sizeof mask);
        snprintf(out->name, sizeof out->name, "%s", i->ifa_name);
        out->ip.ip.addr = address.sin_addr.s_addr;
        out->ip.netmask.addr = mask.sin_addr.s_addr;
        break;
    }
    freeifaddrs(list);
}

void idf_netif_host_address(esp_netif_ip_info_t *out)
{
    struct host_net host;
    find_host_net(&host);
    *out = host.ip;
}

/* --- interfaces --- */

esp_netif_t *esp_netif_new(const esp_netif_config_t *config)
{
    if (!config || !config->base || !config->base->if_key) return NULL;
    if (esp_netif_get_handle_from_ifkey(config->base->if_key)) return NULL;
    esp_netif_t *n = calloc(1, sizeof *n);
    if (!n) return NULL;
    snprintf(n->key, sizeof n->key, "%s", config->base->if_key);
    snprintf(n->desc, sizeof n->desc, "%s", config->base->if_desc ? config->base->if_desc : "");
    snprintf(n->hostname, sizeof n->hostname, "%s",
             airlift_config_str("LWIP_LOCAL_HOSTNAME", "espressif"));
    n->route_prio = config->base->route_prio;
    pthread_mutex_lock(&lock);
    n->next = all;
    all = n;
    pthread_mutex_unlock(&lock);
    return n;
}

void esp_netif_destroy(esp_netif_t *n)
{
    if (!n) return;
    pthread_mutex_lock(&lock);
    esp_netif_t **p = &all;
    while (*p && *p != n) p = &(*p)->next;
    if (*p) *p = n->next;
    if (default_netif == n) default_netif = NULL;
    pthread_mutex_unlock(&lock);
    free(n);
}

esp_netif_t *esp_netif_next_unsafe(esp_netif_t *n)
{
    return n ? n->next : all;
}

esp_netif_t *esp_netif_find_if(esp_netif_find_predicate_t fn, void *ctx)
{
    esp_netif_t *n = all;
    while (n && !fn(n, ctx)) n = n->next;
    return n;
}

size_t esp_netif_get_nr_of_ifs(void)
{
    size_t count = 0;
    for (esp_netif_t *n = all; n; n = n->next) count++;
    return count;
}

esp_netif_t *esp_netif_get_handle_from_ifkey(const char *key)
{
    esp_netif_t *n = all;
    while (n && strcmp(n->key, key)) n = n->next;
    return n;
}

esp_netif_t *idf_netif_by_desc(const char *desc)
{
    esp_netif_t *n = all;
    while (n && strcmp(n->desc, desc)) n = n->next;
    return n;
}

const char *esp_netif_get_ifkey(esp_netif_t *n)
{
    return n ? n->key : NULL;
}

const char *esp_netif_get_desc(esp_netif_t *n)
{
    return n ? n->desc : NULL;
}

int esp_netif_get_route_prio(esp_netif_t *n)
{
    return n ? n->route_prio : -1;
}

esp_err_t esp_netif_get_netif_impl_name(esp_netif_t *n, char *name)
{
    if (!n || !name) return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    struct host_net host;
    find_host_net(&host);
    memcpy(name, host.name, sizeof host.name);
    return ESP_OK;
}

int esp_netif_get_netif_impl_index(esp_netif_t *n)
{
    char name[IF_NAMESIZE];
    return esp_netif_get_netif_impl_name(n, name) ? -1 : (int)if_nametoindex(name);
}

bool esp_netif_is_netif_up(esp_netif_t *n)
{
    return n && n->up;
}

esp_err_t esp_netif_get_ip_info(esp_netif_t *n, esp_netif_ip_info_t *ip_info)
{
    if (!n || !ip_info) return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    struct host_net host = {0};
    if (n->up) find_host_net(&host);
    *ip_info = host.ip;
    return ESP_OK;
}

esp_err_t esp_netif_get_mac(esp_netif_t *n, uint8_t mac[])
{
    if (!n || !mac) return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    return esp_read_mac(mac, strncmp(n->key, "ETH", 3) ? ESP_MAC_WIFI_STA : ESP_MAC_ETH);
}

esp_err_t esp_netif_set_hostname(esp_netif_t *n, const char *hostname)
{
    if (!n || !hostname || strlen(hostname) >= sizeof n->hostname)
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    memcpy(n->hostname, hostname, strlen(hostname) + 1);
    return ESP_OK;
}

esp_err_t esp_netif_get_hostname(esp_netif_t *n, const char **hostname)
{
    if (!n || !hostname) return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    *hostname = n->hostname;
    return ESP_OK;
}

esp_err_t esp_netif_set_default_netif(esp_netif_t *n)
{
    default_netif = n;
    return ESP_OK;
}

esp_netif_t *esp_netif_get_default_netif(void)
{
    return default_netif ? default_netif : all;
}

/* --- up and down --- */

void idf_netif_up(esp_netif_t *n, int32_t got_event)
{
    bool changed = !n->up;
    n->up = true;
    ip_event_got_ip_t event = {.esp_netif = n, .ip_changed = changed};
    esp_netif_get_ip_info(n, &event.ip_info);
    /* Without a default loop nobody can be listening. */
    (void)esp_event_post(IP_EVENT, got_event, &event, sizeof event, portMAX_DELAY);
}

void idf_netif_down(esp_netif_t *n, int32_t lost_event)
{
    if (!n->up) return;
    n->up = false;
    ip_event_got_ip_t event = {.esp_netif = n};
    (void)esp_event_post(IP_EVENT, lost_event, &event, sizeof event, portMAX_DELAY);
}

/* --- addresses as text --- */

char *esp_ip4addr_ntoa(const esp_ip4_addr_t *addr, char *buf, int buflen)
{
    if (buflen < 0) return NULL;
    int n = snprintf(buf, (size_t)buflen, IPSTR, IP2STR(addr));
    return n < buflen ? buf : NULL;
}

uint32_t esp_ip4addr_aton(const char *addr)
{
    struct in_addr in;
    return inet_pton(AF_INET, addr, &in) == 1 ? in.s_addr : 0;
}

esp_err_t esp_netif_str_to_ip4(const char *src, esp_ip4_addr_t *dst)
{
    struct in_addr in;
    if (!src || !dst) return ESP_ERR_INVALID_ARG;
    if (inet_pton(AF_INET, src, &in) != 1) return ESP_FAIL;
    dst->addr = in.s_addr;
    return ESP_OK;
}

uint64_t idf_netif_rate(void)
{
    return getenv("AIRLIFT_BOARD") ? board()->control->net_rate : 0;
}
