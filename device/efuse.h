/* eFuses of the virtual chip: efuse.bin. Bits can only be set.
 * 256 bytes, little-endian; own layout (chips differ too much to copy one):
 *   @0   "ALEF", version 1, 3 zero bytes
 *   @8   u16 chip id, u16 chip revision (major*100+minor), u16 eFuse block revision,
 *        u8 flags: bit 0 DISABLE_WAFER_VERSION_MAJOR, bit 1 SECURE_BOOT_EN, u8 zero
 *   @16  MAC, 6 bytes; IEEE 802.15.4 address, 8 bytes; 2 zero
 *   @32  secure version: 32 bits, value = number of set bits
 *   @36  recovery boot loader offset (in sectors), u32, 0: unset
 *   @40  u32 revoked keys, bit i: digest i
 *   @48  secure boot key digests, 3 * 32 bytes; zeros: unset
 * Chip id, revisions and addresses are written once, at creation. */
#ifndef DEVICE_EFUSE_H
#define DEVICE_EFUSE_H

#include "core/image_verify.h"
#include "core/ota.h"

#define EFUSE_LEN              256u
#define EFUSE_REVISION         10u
#define EFUSE_BLOCK_REVISION   12u
#define EFUSE_FLAGS            14u
#define EFUSE_FLAG_SECURE_BOOT 0x02u
#define EFUSE_MAC              16u
#define EFUSE_IEEE             22u
#define EFUSE_SECURE_VERSION   32u
#define EFUSE_RECOVERY         36u
#define EFUSE_KEY_DIGESTS      48u

struct efuse {
    uint8_t *bytes; /* EFUSE_LEN, mapped from efuse.bin or in memory */
    int fd;
    uint8_t own[EFUSE_LEN];
    struct al_secure_version secure_version; /* bound to this eFuse */
};

/* A fresh chip, in memory. */
void efuse_blank(struct efuse *e, const struct al_chip *chip, uint16_t revision);
/* Maps a file of EFUSE_LEN bytes. 0, -errno, or AL_ERR_INVALID_ARG (not an eFuse file). */
int efuse_file(struct efuse *e, int fd, bool writable);
void efuse_close(struct efuse *e);

/* Sets bits inside one field. Flags, secure version and revocations take further
 * bits at any time; addresses, recovery offset and digests are written once and
 * whole (the same value again is fine). AL_ERR_INVALID_ARG: outside, or part of
 * such a value; AL_ERR_NOT_ALLOWED: already written, or no field to burn. */
int efuse_burn(struct efuse *e, uint32_t offset, const void *bits, uint32_t len);

void efuse_device_ids(const struct efuse *e, struct al_device_ids *out);
void efuse_mac(const struct efuse *e, uint8_t mac[6]);
void efuse_ieee(const struct efuse *e, uint8_t ieee[8]);
uint32_t efuse_secure_version(const struct efuse *e);
int efuse_raise_secure_version(struct efuse *e, uint32_t version); /* as struct al_secure_version */
bool efuse_secure_boot(const struct efuse *e);
/* Flash offset of the recovery boot loader, bytes; 0: none. */
uint32_t efuse_recovery_bootloader(const struct efuse *e);
/* Trusted keys not revoked; count 0: none. The eFuses do not tell the scheme:
 * RSA (ESP32-C2: ECDSA) unless the caller's configuration says otherwise. */
void efuse_keys(const struct efuse *e, struct al_trusted_keys *out);

#endif
