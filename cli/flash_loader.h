/* The options that the boot loader inside a flash image was built with. */
#ifndef CLI_FLASH_LOADER_H
#define CLI_FLASH_LOADER_H

#include "device/loader_config.h"
#include "host/flash_image.h"

/* False: there is no boot loader of Airlift's in the flash (a real chip's does not
 * say how it was built), or it does not verify. */
bool flash_loader_config(const struct flash_image *f, const struct al_device_ids *ids,
                         struct loader_config *out);

#endif
