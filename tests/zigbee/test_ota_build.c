#include "zigbee/ota_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "host/aes_openssl.h"
#include "host/zigbee_file.h"
#include "tests/support/vectors.h"

static struct aes_openssl *openssl;
static const struct al_aes *aes;
static uint8_t out[32768];
static size_t len;
static int writes_left;

static int load(void **state)
{
    openssl = aes_openssl_new();
    aes = aes_openssl_aes(openssl);
    return 0;
}

static int unload(void **state)
{
    aes_openssl_free(openssl);
    return 0;
}

static int append(void *ctx, const void *data, size_t n)
{
    if (writes_left-- == 0) return -9;
    assert_true(n <= sizeof out - len);
    memcpy(out + len, data, n);
    len += n;
    return 0;
}

static const struct al_zbuild_sink sink = {NULL, append};

static int begin(struct al_zbuild *b, const struct al_zfile_header *h)
{
    len = 0;
    writes_left = -1;
    return al_zbuild_begin(b, &sink, aes, h);
}

/* All elements of the file again, the integrity code computed anew. */
static int build_again(const struct al_zfile *f, const uint8_t *ota)
{
    struct al_zbuild b;
    enum al_zfile_coverage coverage;
    int err = al_zbuild_begin(&b, &sink, aes, &f->header);
    if (al_zfile_integrity(f, aes, &coverage)) coverage = AL_ZFILE_COVERS_NOTHING_KNOWN;
    for (struct al_zfile_iter it = al_zfile_first(f); !err && al_zfile_next(f, &it) == 1;) {
        const struct al_zfile_element *e = &it.element;
        if (e->tag == AL_ZFILE_INTEGRITY_CODE) {
            err = al_zbuild_integrity(&b, coverage);
            continue;
        }
        err = al_zbuild_element(&b, e->tag, e->length);
        for (uint32_t at = 0; !err && at < e->length; at += 100)
            err = al_zbuild_data(&b, ota + e->offset + at,
                                 e->length - at < 100 ? e->length - at : 100);
    }
    return err ? err : al_zbuild_end(&b);
}

static void every_file_is_built_again(void **state)
{
    cJSON *all = vector_json("zigbee-ota/files.json");
    const cJSON *want;
    cJSON_ArrayForEach(want, all)
    {
        struct zigbee_bytes bytes;
        struct al_zfile f;
        struct al_zfile_fault fault;
        uint8_t *data = vector_file(&bytes.len, "zigbee-ota/files/%s", vector_string(want, "file"));
        bytes.data = data;
        struct al_zfile_source source = zigbee_source(&bytes);
        assert_int_equal(al_zfile_open(&f, &source, &fault), 0);
        if (f.chain == AL_ZFILE_CHAIN_STANDARD) {
            len = 0;
            writes_left = -1;
            assert_int_equal(build_again(&f, data + f.start), 0);
            assert_int_equal(len, f.header.total_image_size);
            assert_memory_equal(out, data + f.start, len);
            for (int n = 0; n < 3; n++) { /* the sink's error comes back */
                len = 0;
                writes_left = n;
                assert_int_equal(build_again(&f, data + f.start), -9);
            }
        }
        free(data);
    }
    cJSON_Delete(all);
}

static void lengths_are_held_to(void **state)
{
    static const uint32_t lengths[] = {10, 0};
    struct al_zbuild b;
    struct al_zfile_header h = {.header_version = 0x0100};
    h.total_image_size = al_zbuild_size(0, lengths, 2);
    assert_int_equal(h.total_image_size, 56 + 16 + 6);
    assert_int_equal(begin(&b, &h), 0);
    assert_int_equal(al_zbuild_data(&b, "x", 1), AL_ERR_INVALID_SIZE);
    assert_int_equal(al_zbuild_element(&b, 0, 17), AL_ERR_INVALID_SIZE);
    assert_int_equal(al_zbuild_element(&b, 0, 10), 0);
    assert_int_equal(al_zbuild_data(&b, "0123456789x", 11), AL_ERR_INVALID_SIZE);
    assert_int_equal(al_zbuild_data(&b, "012345678", 9), 0);
    assert_int_equal(al_zbuild_element(&b, 1, 0), AL_ERR_INVALID_SIZE);
    assert_int_equal(al_zbuild_end(&b), AL_ERR_NOT_FINISHED);
    assert_int_equal(al_zbuild_data(&b, "9", 1), 0);
    assert_int_equal(al_zbuild_end(&b), AL_ERR_NOT_FINISHED);
    assert_int_equal(al_zbuild_element(&b, 1, 0), 0);
    assert_int_equal(al_zbuild_end(&b), 0);
    assert_int_equal(al_zbuild_element(&b, 1, 0), AL_ERR_INVALID_SIZE);
    assert_int_equal(len, h.total_image_size);
}

static void sizes_beyond_32_bits_are_refused(void **state)
{
    static const uint32_t lengths[] = {0xffffffff, 0xffffffff}, fits[] = {0xffffffff - 62};
    assert_int_equal(al_zbuild_size(0, lengths, 2), 0);
    assert_int_equal(al_zbuild_size(0, fits, 1), 0xffffffff);
    assert_int_equal(al_zbuild_size(1, fits, 1), 0);
    assert_int_equal(al_zbuild_size(7, NULL, 0), 69);
}

static void the_digest_is_of_all_bytes_so_far(void **state)
{
    struct al_zbuild b;
    struct al_zfile_header h = {.header_version = 0x0100, .total_image_size = 56 + 6 + 3};
    uint8_t digest[16], expected[16];
    assert_int_equal(begin(&b, &h), 0);
    assert_int_equal(al_zbuild_element(&b, 0, 3), 0);
    for (int i = 0; i < 3; i++) {
        al_mmo(aes, out, len, expected);
        al_zbuild_digest(&b, digest);
        assert_memory_equal(digest, expected, 16);
        assert_int_equal(al_zbuild_data(&b, &"abc"[i], 1), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_is_built_again),
        cmocka_unit_test(lengths_are_held_to),
        cmocka_unit_test(sizes_beyond_32_bits_are_refused),
        cmocka_unit_test(the_digest_is_of_all_bytes_so_far),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
