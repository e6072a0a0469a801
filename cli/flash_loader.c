/* The options that the boot loader inside a flash image was built with. */
#include "cli/flash_loader.h"

#include "host/crypto_openssl.h"
#include "host/image_build.h"

bool flash_loader_config(const struct flash_image *f, const struct al_device_ids *ids,
                         struct loader_config *out)
{
    const struct al_image_rules rules = {
        .crypto = &crypto_openssl, .device = *ids, .kind = AL_IMAGE_BOOTLOADER, .skip_hash = true};
    struct al_image image;
    uint32_t offset = ids->chip->bootloader_offset, at, len;
    if (offset >= f->flash.size) return false;
    const struct al_window w = {
        .flash = &f->flash, .offset = offset, .size = f->flash.size - offset};
    if (al_image_verify(&w, &rules, &image, NULL)) return false;
    const uint8_t *bytes = f->bytes + offset;
    if (!image_find_boot_config(bytes, image.image_len, image.segment, image.segment_count, &at,
                                &len))
        return false;
    loader_config_read((const char *)bytes + at, len, NULL, out);
    return true;
}
