#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "device/efuse.h"

static struct efuse e;

static void new_chip(const char *name)
{
    efuse_blank(&e, al_chip_by_name(name), 103);
}

static void blank_chip_knows_what_it_is(void **state)
{
    struct al_device_ids ids;
    struct al_trusted_keys keys;
    new_chip("esp32c6");
    efuse_device_ids(&e, &ids);
    assert_string_equal(ids.chip->name, "esp32c6");
    assert_int_equal(ids.revision, 103);
    assert_false(ids.ignore_max_revision);
    assert_int_equal(efuse_secure_version(&e), 0);
    assert_false(efuse_secure_boot(&e));
    assert_int_equal(efuse_recovery_bootloader(&e), 0);
    efuse_keys(&e, &keys);
    assert_int_equal(keys.count, 0);
}

static void secure_version_only_rises_and_only_to_the_field_s_size(void **state)
{
    new_chip("esp32c2"); /* 4 bits */
    assert_int_equal(efuse_raise_secure_version(&e, 2), 0);
    assert_int_equal(efuse_secure_version(&e), 2);
    assert_int_equal(efuse_raise_secure_version(&e, 2), 0);
    assert_int_equal(efuse_raise_secure_version(&e, 1), AL_FAIL);
    assert_int_equal(efuse_raise_secure_version(&e, 5), AL_ERR_INVALID_ARG);
    assert_int_equal(e.secure_version.raise(e.secure_version.ctx, 4), 0);
    assert_int_equal(e.secure_version.get(e.secure_version.ctx), 4);
}

/* The value is the number of bits, wherever they are. */
static void secure_version_counts_bits(void **state)
{
    static const uint8_t bits[4] = {0x05, 0, 0x80, 0};
    new_chip("esp32c3");
    assert_int_equal(efuse_burn(&e, EFUSE_SECURE_VERSION, bits, sizeof bits), 0);
    assert_int_equal(efuse_secure_version(&e), 3);
    assert_int_equal(efuse_raise_secure_version(&e, 5), 0);
    assert_int_equal(efuse_secure_version(&e), 5);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(e.bytes[EFUSE_SECURE_VERSION + i] & bits[i], bits[i]);
}

static void values_are_burnt_once_and_whole(void **state)
{
    static const uint8_t mac[6] = {1, 2, 3, 4, 5, 6}, other[6] = {1, 2, 3, 4, 5, 7};
    uint8_t now[6];
    new_chip("esp32c3");
    assert_int_equal(efuse_burn(&e, EFUSE_MAC, mac, 3), AL_ERR_INVALID_ARG);
    assert_int_equal(efuse_burn(&e, EFUSE_MAC, mac, 6), 0);
    assert_int_equal(efuse_burn(&e, EFUSE_MAC, mac, 6), 0);
    assert_int_equal(efuse_burn(&e, EFUSE_MAC, other, 6), AL_ERR_NOT_ALLOWED);
    efuse_mac(&e, now);
    assert_memory_equal(now, mac, 6);
}

static void bits_add_up_and_the_rest_is_no_field(void **state)
{
    uint8_t one = 1, two = EFUSE_FLAG_SECURE_BOOT, big[8] = {0xff};
    struct al_device_ids ids;
    new_chip("esp32c3");
    assert_int_equal(efuse_burn(&e, EFUSE_FLAGS, &one, 1), 0);
    assert_int_equal(efuse_burn(&e, EFUSE_FLAGS, &two, 1), 0);
    efuse_device_ids(&e, &ids);
    assert_true(ids.ignore_max_revision);
    assert_true(efuse_secure_boot(&e));
    assert_int_equal(efuse_burn(&e, 8, &one, 1), AL_ERR_NOT_ALLOWED); /* the chip id */
    assert_int_equal(efuse_burn(&e, EFUSE_LEN, &one, 1), AL_ERR_INVALID_ARG);
    assert_int_equal(efuse_burn(&e, EFUSE_SECURE_VERSION, big, 8), AL_ERR_NOT_ALLOWED);
}

static void revoked_keys_are_not_trusted(void **state)
{
    struct al_trusted_keys keys;
    uint8_t digest[32], revoke[4] = {1};
    new_chip("esp32c3");
    for (uint8_t i = 0; i < 3; i++) {
        memset(digest, i + 1, sizeof digest);
        assert_int_equal(efuse_burn(&e, EFUSE_KEY_DIGESTS + i * 32u, digest, 32), 0);
    }
    efuse_keys(&e, &keys);
    assert_int_equal(keys.count, 3);
    assert_int_equal(efuse_burn(&e, 40, revoke, 4), 0);
    efuse_keys(&e, &keys);
    assert_int_equal(keys.count, 2);
    assert_int_equal(keys.digest[0][0], 2);
    assert_int_equal(keys.version, AL_SIG_RSA);
    new_chip("esp32c2");
    efuse_keys(&e, &keys);
    assert_int_equal(keys.version, AL_SIG_ECDSA);
    assert_int_equal(keys.digest_len, 16);
}

static void file_keeps_the_bits_and_others_are_refused(void **state)
{
    char path[] = "/tmp/airlift-efuse-XXXXXX";
    int fd = mkstemp(path);
    struct efuse file;
    new_chip("esp32h2");
    assert_int_equal(write(fd, e.bytes, EFUSE_LEN), EFUSE_LEN);
    assert_int_equal(efuse_file(&file, dup(fd), true), 0);
    assert_int_equal(efuse_raise_secure_version(&file, 7), 0);
    efuse_close(&file);
    assert_int_equal(efuse_file(&file, dup(fd), false), 0);
    assert_int_equal(efuse_secure_version(&file), 7);
    efuse_close(&file);
    assert_int_equal(pwrite(fd, "x", 1, 0), 1);
    assert_int_equal(efuse_file(&file, fd, false), AL_ERR_INVALID_ARG);
    assert_int_equal(pwrite(fd, "A", 1, 0), 1);
    assert_int_equal(pwrite(fd, "\xff\xff", 2, 8), 2); /* no such chip */
    assert_int_equal(efuse_file(&file, fd, false), AL_ERR_INVALID_ARG);
    assert_int_equal(ftruncate(fd, 100), 0);
    assert_int_equal(efuse_file(&file, fd, false), AL_ERR_INVALID_ARG);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blank_chip_knows_what_it_is),
        cmocka_unit_test(secure_version_only_rises_and_only_to_the_field_s_size),
        cmocka_unit_test(secure_version_counts_bits),
        cmocka_unit_test(values_are_burnt_once_and_whole),
        cmocka_unit_test(bits_add_up_and_the_rest_is_no_field),
        cmocka_unit_test(revoked_keys_are_not_trusted),
        cmocka_unit_test(file_keeps_the_bits_and_others_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
