/* Makes ESP images that run on a virtual device: a true application image in
 * which one mapped segment carries a Linux executable, and a boot loader image
 * whose second segment carries the configuration it was built with.
 *
 *   app          segment 0  app description (+ custom)   flash-mapped data
 *                segment 1  the ELF file, zero padded    flash-mapped code
 *   boot loader  segment 0  boot loader description      RAM
 *                segment 1  "CONFIG_X=y" lines of sdkconfig that the boot
 *                           loader obeys, first line "# airlift boot loader"
 * Both with padding segments where page alignment asks for it, checksum and SHA-256. */
#ifndef HOST_IMAGE_BUILD_H
#define HOST_IMAGE_BUILD_H

#include "core/app_image.h"
#include "core/chip.h"

#define BOOT_CONFIG_FIRST_LINE "# airlift boot loader\n"

struct image_spec {
    const struct al_chip *chip;
    uint8_t spi_mode, spi_speed, spi_size; /* header codes */
    uint16_t min_chip_rev_full, max_chip_rev_full;
    uint32_t mmu_page_size; /* 0: 64 KiB */
    bool secure_pad;        /* end on a page boundary, for a signature (--secure-pad-v2) */
    bool no_hash;           /* no SHA-256 appended */
};

/* elf: the program. desc: app_elf_sha256 is filled in here. On success *out is
 * malloc'ed. 0; AL_ERR_INVALID_SIZE: does not fit the chip's flash window;
 * AL_ERR_INVALID_ARG: a page size the chip does not have; AL_ERR_NOT_SUPPORTED: a
 * chip that runs nothing from flash; AL_ERR_NO_MEM. */
int image_build_app(const struct image_spec *spec, const struct al_app_desc *desc,
                    const uint8_t *elf, size_t elf_len, uint8_t **out, size_t *out_len);
int image_build_bootloader(const struct image_spec *spec, const struct al_boot_desc *desc,
                           const char *config, uint8_t **out, size_t *out_len);

/* Where the Linux program lies inside an image; false: it has none (a real
 * chip's image). img: the whole image; segments from al_image_verify. */
bool image_find_program(const uint8_t *img, size_t len, const struct al_image_segment *segs,
                        uint32_t count, uint32_t *offset, uint32_t *size);
/* The configuration lines of a boot loader image; false: it has none. */
bool image_find_boot_config(const uint8_t *img, size_t len, const struct al_image_segment *segs,
                            uint32_t count, uint32_t *offset, uint32_t *size);

#endif
