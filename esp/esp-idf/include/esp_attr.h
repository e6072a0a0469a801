/* Where things lie in the chip. Here only RTC memory matters: RTC_NOINIT_ATTR
 * keeps its content over every reset but power-on, RTC_DATA_ATTR over deep
 * sleep; both in at most 8 KiB (control.h). Everything else is ordinary memory. */
#pragma once

#include "sdkconfig.h"

#define ROMFN_ATTR
#define IRAM_ATTR
#define DRAM_ATTR
#define TCM_IRAM_ATTR
#define TCM_DRAM_ATTR
#define IRAM_DATA_ATTR
#define IRAM_BSS_ATTR
#define FORCE_IRAM_ATTR
#define FORCE_INLINE_ATTR static inline __attribute__((always_inline))
#define EXT_RAM_BSS_ATTR
#define EXT_RAM_NOINIT_ATTR
#define EXT_RAM_ATTR
#define WORD_ALIGNED_ATTR __attribute__((aligned(4)))
#define DMA_ATTR          WORD_ALIGNED_ATTR
#define NOINLINE_ATTR     __attribute__((noinline))
#define PACKED_ATTR       __attribute__((packed))
#define COREDUMP_IRAM_DATA_ATTR
#define COREDUMP_DRAM_ATTR

#define RTC_IRAM_ATTR
#define RTC_DATA_ATTR       __attribute__((section("airlift_rtc_data")))
#define RTC_RODATA_ATTR     RTC_DATA_ATTR
#define RTC_SLOW_ATTR       RTC_DATA_ATTR
#define RTC_FAST_ATTR       RTC_DATA_ATTR
#define RTC_FORCE_FAST_ATTR RTC_DATA_ATTR
#define RTC_FORCE_SLOW_ATTR RTC_DATA_ATTR
#define RTC_NOINIT_ATTR     __attribute__((section("airlift_rtc_noinit")))
#define __NOINIT_ATTR       RTC_NOINIT_ATTR

#define FLAG_ATTR(TYPE)
#define IDF_DEPRECATED(REASON) __attribute__((deprecated(REASON)))
