/* IP addresses; IPv4 in network byte order. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_IPADDR_TYPE_V4  0U
#define ESP_IPADDR_TYPE_V6  6U
#define ESP_IPADDR_TYPE_ANY 46U

#define esp_ip4_addr_get_byte(ipaddr, idx) (((const uint8_t *)(&(ipaddr)->addr))[idx])
#define esp_ip4_addr1(ipaddr)              esp_ip4_addr_get_byte(ipaddr, 0)
#define esp_ip4_addr2(ipaddr)              esp_ip4_addr_get_byte(ipaddr, 1)
#define esp_ip4_addr3(ipaddr)              esp_ip4_addr_get_byte(ipaddr, 2)
#define esp_ip4_addr4(ipaddr)              esp_ip4_addr_get_byte(ipaddr, 3)
#define esp_ip4_addr1_16(ipaddr)           ((uint16_t)esp_ip4_addr1(ipaddr))
#define esp_ip4_addr2_16(ipaddr)           ((uint16_t)esp_ip4_addr2(ipaddr))
#define esp_ip4_addr3_16(ipaddr)           ((uint16_t)esp_ip4_addr3(ipaddr))
#define esp_ip4_addr4_16(ipaddr)           ((uint16_t)esp_ip4_addr4(ipaddr))

#define IPSTR "%d.%d.%d.%d"
#define IP2STR(ipaddr)                                                            \
    esp_ip4_addr1_16(ipaddr), esp_ip4_addr2_16(ipaddr), esp_ip4_addr3_16(ipaddr), \
        esp_ip4_addr4_16(ipaddr)

#define ESP_IP4TOADDR(a, b, c, d) \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

struct esp_ip4_addr {
    uint32_t addr;
};
typedef struct esp_ip4_addr esp_ip4_addr_t;
struct esp_ip6_addr {
    uint32_t addr[4];
    uint8_t zone;
};
typedef struct esp_ip6_addr esp_ip6_addr_t;
typedef struct {
    union {
        esp_ip6_addr_t ip6;
        esp_ip4_addr_t ip4;
    } u_addr;
    uint8_t type;
} esp_ip_addr_t;

#ifdef __cplusplus
}
#endif
