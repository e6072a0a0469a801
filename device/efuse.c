/* eFuses. See efuse.h for the layout. */
#include "device/efuse.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/err.h"

#define AT_CHIP_ID 8u
#define AT_REVOKED 40u
#define DIGEST_LEN 32u
#define DIGESTS    3u

#define FLAG_NO_MAX_REVISION 0x01u

static const uint8_t signature[8] = {'A', 'L', 'E', 'F', 1, 0, 0, 0};

/* What may be burnt: bit fields take bits at any time, values only once and whole. */
static const struct field {
    uint32_t offset, len;
    bool value;
} fields[] = {
    {EFUSE_FLAGS, 1, false},
    {EFUSE_MAC, 6, true},
    {EFUSE_IEEE, 8, true},
    {EFUSE_SECURE_VERSION, 4, false},
    {EFUSE_RECOVERY, 4, true},
    {AT_REVOKED, 4, false},
    {EFUSE_KEY_DIGESTS, DIGEST_LEN, true},
    {EFUSE_KEY_DIGESTS + DIGEST_LEN, DIGEST_LEN, true},
    {EFUSE_KEY_DIGESTS + 2 * DIGEST_LEN, DIGEST_LEN, true},
};

static bool all_zero(const uint8_t *p, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (p[i]) return false;
    return true;
}

static uint32_t version_get(void *ctx)
{
    return efuse_secure_version(ctx);
}

static int version_raise(void *ctx, uint32_t version)
{
    return efuse_raise_secure_version(ctx, version);
}

static void bind_secure_version(struct efuse *e)
{
    e->secure_version =
        (struct al_secure_version){.ctx = e, .get = version_get, .raise = version_raise};
}

void efuse_blank(struct efuse *e, const struct al_chip *chip, uint16_t revision)
{
    memset(e, 0, sizeof *e);
    e->fd = -1;
    e->bytes = e->own;
    memcpy(e->own, signature, sizeof signature);
    al_put_le16(e->own + AT_CHIP_ID, chip->id);
    al_put_le16(e->own + EFUSE_REVISION, revision);
    bind_secure_version(e);
}

int efuse_file(struct efuse *e, int fd, bool writable)
{
    struct stat st;
    if (fstat(fd, &st) < 0) return -errno;
    if (st.st_size != EFUSE_LEN) return AL_ERR_INVALID_ARG;
    void *map = mmap(NULL, EFUSE_LEN, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) return -errno;
    const uint8_t *bytes = map;
    if (memcmp(bytes, signature, sizeof signature) != 0 ||
        !al_chip_by_id(al_get_le16(bytes + AT_CHIP_ID))) {
        munmap(map, EFUSE_LEN);
        return AL_ERR_INVALID_ARG;
    }
    memset(e, 0, sizeof *e);
    e->bytes = map;
    e->fd = fd;
    bind_secure_version(e);
    return 0;
}

void efuse_close(struct efuse *e)
{
    if (e->bytes && e->bytes != e->own) {
        munmap(e->bytes, EFUSE_LEN);
        close(e->fd);
    }
    e->bytes = NULL;
}

static const struct field *field_of(uint32_t offset, uint32_t len)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const struct field *f = &fields[i];
        if (offset >= f->offset && offset - f->offset < f->len &&
            len <= f->len - (offset - f->offset))
            return f;
    }
    return NULL;
}

int efuse_burn(struct efuse *e, uint32_t offset, const void *bits, uint32_t len)
{
    const uint8_t *from = bits;
    if (len == 0 || offset > EFUSE_LEN || len > EFUSE_LEN - offset) return AL_ERR_INVALID_ARG;
    const struct field *f = field_of(offset, len);
    if (!f) return AL_ERR_NOT_ALLOWED;
    if (f->value) {
        if (offset != f->offset || len != f->len) return AL_ERR_INVALID_ARG;
        if (!all_zero(e->bytes + offset, len))
            return memcmp(e->bytes + offset, bits, len) == 0 ? 0 : AL_ERR_NOT_ALLOWED;
    }
    for (uint32_t i = 0; i < len; i++) e->bytes[offset + i] |= from[i];
    return 0;
}

void efuse_device_ids(const struct efuse *e, struct al_device_ids *out)
{
    *out = (struct al_device_ids){
        .chip = al_chip_by_id(al_get_le16(e->bytes + AT_CHIP_ID)),
        .revision = al_get_le16(e->bytes + EFUSE_REVISION),
        .efuse_block_rev = al_get_le16(e->bytes + EFUSE_BLOCK_REVISION),
        .ignore_max_revision = e->bytes[EFUSE_FLAGS] & FLAG_NO_MAX_REVISION,
    };
}

void efuse_mac(const struct efuse *e, uint8_t mac[6])
{
    memcpy(mac, e->bytes + EFUSE_MAC, 6);
}

void efuse_ieee(const struct efuse *e, uint8_t ieee[8])
{
    memcpy(ieee, e->bytes + EFUSE_IEEE, 8);
}

uint32_t efuse_secure_version(const struct efuse *e)
{
    return (uint32_t)__builtin_popcount(al_get_le32(e->bytes + EFUSE_SECURE_VERSION));
}

int efuse_raise_secure_version(struct efuse *e, uint32_t version)
{
    const struct al_chip *chip = al_chip_by_id(al_get_le16(e->bytes + AT_CHIP_ID));
    uint32_t now = efuse_secure_version(e);
    if (version > chip->secure_version_bits) return AL_ERR_INVALID_ARG;
    if (version < now) return AL_FAIL;
    uint32_t bits = al_get_le32(e->bytes + EFUSE_SECURE_VERSION);
    for (; now < version; now++) bits |= bits + 1; /* the lowest clear bit */
    al_put_le32(e->bytes + EFUSE_SECURE_VERSION, bits);
    return 0;
}

bool efuse_secure_boot(const struct efuse *e)
{
    return e->bytes[EFUSE_FLAGS] & EFUSE_FLAG_SECURE_BOOT;
}

uint32_t efuse_recovery_bootloader(const struct efuse *e)
{
    return al_get_le32(e->bytes + EFUSE_RECOVERY) * AL_SECTOR;
}

void efuse_keys(const struct efuse *e, struct al_trusted_keys *out)
{
    const struct al_chip *chip = al_chip_by_id(al_get_le16(e->bytes + AT_CHIP_ID));
    uint32_t revoked = al_get_le32(e->bytes + AT_REVOKED);
    /* ESP32-C2 knows ECDSA alone and stores half a digest. */
    bool small = strcmp(chip->name, "esp32c2") == 0;
    *out = (struct al_trusted_keys){.version = small ? AL_SIG_ECDSA : AL_SIG_RSA,
                                    .digest_len = small ? 16 : 0};
    for (uint32_t i = 0; i < DIGESTS && i < chip->secure_boot_digests; i++) {
        const uint8_t *digest = e->bytes + EFUSE_KEY_DIGESTS + i * DIGEST_LEN;
        if (all_zero(digest, DIGEST_LEN) || revoked >> i & 1) continue;
        memcpy(out->digest[out->count++], digest, DIGEST_LEN);
    }
}
