/* Alone in its file: a program on API 2.x has no esp_zb_app_signal_handler() to be linked. */
#include "esp/esp-zigbee/stack.h"

void esp_zb_init(esp_zb_cfg_t *nwk_cfg)
{
    zb_stack.signal = esp_zb_app_signal_handler;
    zb_stack_init(nwk_cfg);
}
