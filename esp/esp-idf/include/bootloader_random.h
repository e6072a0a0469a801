/* The chip's early entropy source; the host's is always there. */
#pragma once

static inline void bootloader_random_enable(void)
{
}
static inline void bootloader_random_disable(void)
{
}
