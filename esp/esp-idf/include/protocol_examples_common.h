/* What the vendor's network examples share: connecting, and a console. */
#pragma once

#include "esp_err.h"
#include "esp_netif.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EXAMPLE_NETIF_DESC_STA    "example_netif_sta"
#define EXAMPLE_NETIF_DESC_ETH    "example_netif_eth"
#define EXAMPLE_NETIF_DESC_PPP    "example_netif_ppp"
#define EXAMPLE_NETIF_DESC_THREAD "example_netif_thread"

/* Blocks until an address is there and logs it. ESP_FAIL: the host has no network. */
esp_err_t example_connect(void);
esp_err_t example_disconnect(void);
/* Unbuffered stdin for fgets(). */
esp_err_t example_configure_stdin_stdout(void);
/* NULL: not connected by that name. */
esp_netif_t *get_example_netif_from_desc(const char *desc);
void example_print_all_netif_infos(const char *prefix);

#ifdef __cplusplus
}
#endif
