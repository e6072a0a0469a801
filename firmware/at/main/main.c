/* A module that is driven, and upgraded, by AT commands. */
#include <stdlib.h>

#include "at.h"
#include "sdkconfig.h"

void app_main(void)
{
#ifdef CONFIG_FIRMWARE_AT_CRASHES
    abort();
#endif
    at_start(NULL);
}
