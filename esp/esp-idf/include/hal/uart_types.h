/* Words of the UART driver. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "soc/soc_caps.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    UART_NUM_0,
    UART_NUM_1,
#if SOC_UART_HP_NUM > 2
    UART_NUM_2,
#endif
#if SOC_UART_HP_NUM > 3
    UART_NUM_3,
#endif
#if SOC_UART_HP_NUM > 4
    UART_NUM_4,
#endif
    UART_NUM_MAX
} uart_port_t;

typedef enum {
    UART_MODE_UART = 0,
    UART_MODE_RS485_HALF_DUPLEX = 1,
    UART_MODE_IRDA = 2,
    UART_MODE_RS485_COLLISION_DETECT = 3,
    UART_MODE_RS485_APP_CTRL = 4
} uart_mode_t;

typedef enum {
    UART_DATA_5_BITS = 0,
    UART_DATA_6_BITS = 1,
    UART_DATA_7_BITS = 2,
    UART_DATA_8_BITS = 3,
    UART_DATA_BITS_MAX = 4
} uart_word_length_t;

typedef enum {
    UART_STOP_BITS_1 = 1,
    UART_STOP_BITS_1_5 = 2,
    UART_STOP_BITS_2 = 3,
    UART_STOP_BITS_MAX = 4
} uart_stop_bits_t;

typedef enum { UART_PARITY_DISABLE = 0, UART_PARITY_EVEN = 2, UART_PARITY_ODD = 3 } uart_parity_t;

typedef enum {
    UART_HW_FLOWCTRL_DISABLE = 0,
    UART_HW_FLOWCTRL_RTS = 1,
    UART_HW_FLOWCTRL_CTS = 2,
    UART_HW_FLOWCTRL_CTS_RTS = 3,
    UART_HW_FLOWCTRL_MAX = 4
} uart_hw_flowcontrol_t;

typedef enum {
    UART_SCLK_DEFAULT,
    UART_SCLK_APB = UART_SCLK_DEFAULT,
    UART_SCLK_RTC,
    UART_SCLK_XTAL,
    UART_SCLK_REF_TICK
} uart_sclk_t;

/* Here and not in driver/uart.h, as older versions have it: other headers need no more. */
typedef struct {
    int baud_rate;
    uart_word_length_t data_bits;
    uart_parity_t parity;
    uart_stop_bits_t stop_bits;
    uart_hw_flowcontrol_t flow_ctrl;
    uint8_t rx_flow_ctrl_thresh;
    uint32_t rx_glitch_filt_thresh;
    union {
        uart_sclk_t source_clk;
    };
    struct {
        uint32_t allow_pd : 1;
        uint32_t backup_before_sleep : 1;
    } flags;
} uart_config_t;

#ifdef __cplusplus
}
#endif
