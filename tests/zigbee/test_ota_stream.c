#include "zigbee/ota_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/bytes.h"
#include "core/err.h"
#include "host/aes_openssl.h"
#include "host/zigbee_file.h"
#include "tests/support/vectors.h"

static struct aes_openssl *openssl;
static const struct al_aes *aes;

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

/* What came out. */
static struct {
    uint8_t image[32768];
    uint32_t image_len;
    uint32_t other; /* bytes of other elements */
    int headers;
    int refuse_header;  /* error that the callback gives */
    uint32_t refuse_at; /* image bytes after which data fails; 0: never */
} got;

static int take_header(void *ctx, const struct al_zfile_header *h)
{
    got.headers++;
    return got.refuse_header;
}

static int take_data(void *ctx, const struct al_zfile_element *e, uint32_t offset,
                     const uint8_t *data, size_t len)
{
    assert_true(len > 0 && offset + len <= e->length);
    if (e->tag != AL_ZFILE_UPGRADE_IMAGE) {
        got.other += (uint32_t)len;
        return 0;
    }
    assert_int_equal(offset, got.image_len); /* each byte once, in order */
    assert_true(offset + len <= sizeof got.image);
    memcpy(got.image + offset, data, len);
    got.image_len += (uint32_t)len;
    return got.refuse_at && got.image_len >= got.refuse_at ? -7 : 0;
}

static const struct al_zstream_app app = {NULL, take_header, take_data};

/* In pieces of so many bytes; between them the state is stored and taken up elsewhere. */
static int stream(struct al_zstream *s, const uint8_t *data, size_t len, size_t piece)
{
    memset(&got.image_len, 0, sizeof got - offsetof(typeof(got), image_len));
    al_zstream_begin(s);
    for (size_t at = 0; at < len; at += piece) {
        struct al_zstream stored;
        size_t n = len - at < piece ? len - at : piece;
        if (s->state != AL_ZSTREAM_DONE) assert_int_equal(s->position, at);
        int err = al_zstream_feed(s, aes, &app, data + at, n);
        if (err) return err;
        s->mmo.aes = NULL;
        memcpy(&stored, s, sizeof stored);
        memset(s, 0xee, sizeof *s);
        memcpy(s, &stored, sizeof stored);
    }
    return al_zstream_end(s);
}

static const size_t pieces[] = {1, 7, 48, 63, 223, 100000};
#define PIECES (sizeof pieces / sizeof *pieces)

static void files_come_in_any_pieces(void **state)
{
    cJSON *all = vector_json("zigbee-ota/files.json");
    const cJSON *want;
    int files = 0;
    cJSON_ArrayForEach(want, all)
    {
        size_t len;
        uint8_t *data = vector_file(&len, "zigbee-ota/files/%s", vector_string(want, "file"));
        uint32_t start = (uint32_t)vector_number(want, "ota_offset");
        if (strcmp(vector_string(want, "element_chain"), "standard") == 0) {
            uint32_t at = start + (uint32_t)vector_number(want, "upgrade_image_offset");
            files++;
            for (size_t i = 0; i < PIECES; i++) {
                struct al_zstream s;
                /* Behind the file: what a wrapping has there. */
                assert_int_equal(stream(&s, data + start, len - start, pieces[i]), 0);
                assert_int_equal(s.state, AL_ZSTREAM_DONE);
                assert_int_equal(s.position,
                                 vector_number(vector_get(want, "header"), "total_image_size"));
                assert_int_equal(got.headers, 1);
                assert_false(s.raw);
                assert_int_equal(s.image.length, got.image_len);
                assert_memory_equal(got.image, data + at, got.image_len);
                assert_int_equal(s.integrity_ok, cJSON_HasObjectItem(want, "integrity_code"));
            }
        }
        free(data);
    }
    assert_int_equal(files, 14);
    cJSON_Delete(all);
}

static void damaged_files_give_the_class_of_the_reader(void **state)
{
    static const struct {
        const char *name;
        enum al_zfile_class class;
    } cases[] = {
        {"04-header-version-0200", AL_ZFILE_BAD_HEADER_VERSION},
        {"05-header-length-55", AL_ZFILE_BAD_HEADER_LENGTH},
        {"06-header-length-too-small-for-options", AL_ZFILE_BAD_HEADER_LENGTH},
        {"09-total-size-less-than-header", AL_ZFILE_BAD_TOTAL_SIZE},
        {"11-partial-element-header-at-end", AL_ZFILE_PARTIAL_ELEMENT},
        {"12-no-elements", AL_ZFILE_NO_IMAGE},
        {"13-no-upgrade-image-element", AL_ZFILE_NO_IMAGE},
        {"14-integrity-code-wrong", AL_ZFILE_BAD_INTEGRITY},
        {"15-integrity-code-length-15", AL_ZFILE_BAD_INTEGRITY},
        {"16-min-hw-greater-than-max", AL_ZFILE_BAD_HW_RANGE},
        {"18-image-type-wildcard", AL_ZFILE_WILDCARD_ID},
        {"19-file-version-wildcard", AL_ZFILE_WILDCARD_ID},
        {"21-duplicate-upgrade-image", AL_ZFILE_DUPLICATE_IMAGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len;
        uint8_t *data = vector_file(&len, "zigbee-ota/invalid/%s.zigbee", cases[i].name);
        for (size_t p = 0; p < PIECES; p++) {
            struct al_zstream s;
            int err = stream(&s, data, len, pieces[p]);
            if (err != AL_ERR_IMAGE_INVALID || s.fault.class != cases[i].class)
                fail_msg("%s in pieces of %zu: %d, class %d", cases[i].name, pieces[p], err,
                         s.fault.class);
            assert_int_equal(al_zstream_feed(&s, aes, &app, data, 1), AL_ERR_IMAGE_INVALID);
            assert_int_equal(al_zstream_end(&s), AL_ERR_IMAGE_INVALID);
        }
        free(data);
    }
}

static void a_changed_bit_is_noticed_by_the_integrity_code(void **state)
{
    static const char *const names[] = {"multi-elements-integrity", "integrity-excluding-tag"};
    for (size_t i = 0; i < 2; i++) {
        size_t len;
        uint8_t *data = vector_file(&len, "zigbee-ota/files/%s.zigbee", names[i]);
        for (size_t at = 200; at < len; at += 71) {
            struct al_zstream s;
            data[at] ^= 0x10;
            assert_int_equal(stream(&s, data, len, 48), AL_ERR_IMAGE_INVALID);
            assert_int_equal(s.fault.class, AL_ZFILE_BAD_INTEGRITY);
            data[at] ^= 0x10;
        }
        free(data);
    }
}

static void an_unfinished_file_is_told_so(void **state)
{
    size_t len;
    uint8_t *data = vector_file(&len, "zigbee-ota/files/esp-v1-min.zigbee");
    struct al_zstream s;
    for (size_t n = 0; n < len; n += n < 100 ? 1 : 997)
        assert_int_equal(stream(&s, data, n, 223), AL_ERR_NOT_FINISHED);
    assert_int_equal(stream(&s, data, len - 1, 223), AL_ERR_NOT_FINISHED);
    /* It goes on where it stopped. */
    assert_int_equal(al_zstream_feed(&s, aes, &app, data + len - 1, 1), 0);
    assert_int_equal(al_zstream_end(&s), 0);
    assert_memory_equal(got.image, data + 62, 20080);
    free(data);
}

/* header || image, without an element header, as some applications serve it. */
static size_t make_raw(uint8_t *out, const void *image, size_t len)
{
    struct al_zfile_header h = {.header_version = 0x0100, .total_image_size = 56 + (uint32_t)len};
    al_zfile_build_header(&h, out);
    memcpy(out + 56, image, len);
    return 56 + len;
}

static void an_image_without_element_header_is_taken(void **state)
{
    /* Magics of an application (with an entry address that makes a small "length") and of
     * a patch; any bytes that promise too much; as short as can be. */
    static const uint8_t app_image[200] = {0xe9, 5, 10, 0, 0, 0, 1, 2, 3};
    static const uint8_t patch[100] = {0x10, 0xde, 0xcd, 0xfc, 0, 0};
    static const uint8_t other[64] = {0, 0, 59, 0, 0, 0};
    static const uint8_t six[6] = {1, 2, 3, 4, 5, 6};
    static const struct {
        const uint8_t *image;
        size_t len;
    } cases[] = {{app_image, 200}, {patch, 100}, {other, 64}, {six, 6}};
    uint8_t out[300];
    for (size_t i = 0; i < 4; i++) {
        size_t len = make_raw(out, cases[i].image, cases[i].len);
        for (size_t p = 0; p < PIECES; p++) {
            struct al_zstream s;
            assert_int_equal(stream(&s, out, len, pieces[p]), 0);
            assert_true(s.raw);
            assert_int_equal(got.image_len, cases[i].len);
            assert_memory_equal(got.image, cases[i].image, cases[i].len);
        }
    }
}

static void an_unknown_element_in_front_is_not_taken_for_an_image(void **state)
{
    uint8_t out[300], elements[] = {0x34, 0x12, 2, 0, 0, 0, 'x', 'y', 0, 0, 1, 0, 0, 0, 'i'};
    struct al_zstream s;
    size_t len = make_raw(out, elements, sizeof elements);
    assert_int_equal(stream(&s, out, len, 3), 0);
    assert_false(s.raw);
    assert_int_equal(got.other, 2);
    assert_int_equal(got.image_len, 1);
    /* Nor one of a manufacturer that begins as an application does. */
    elements[0] = 0xe9;
    elements[1] = 0xf0;
    make_raw(out, elements, sizeof elements);
    assert_int_equal(stream(&s, out, len, 3), 0);
    assert_false(s.raw);
    /* A later element that overruns is a fault, not an image. */
    elements[10] = 2;
    len = make_raw(out, elements, sizeof elements);
    assert_int_equal(stream(&s, out, len, 3), AL_ERR_IMAGE_INVALID);
    assert_int_equal(s.fault.class, AL_ZFILE_ELEMENT_OVERRUN);
    assert_int_equal(s.fault.offset, 56 + 10);
    assert_int_equal(s.fault.expected, 1);
}

static void callbacks_end_the_stream(void **state)
{
    size_t len;
    uint8_t *data = vector_file(&len, "zigbee-ota/files/esp-v1-min.zigbee");
    struct al_zstream s;
    al_zstream_begin(&s);
    memset(&got, 0, sizeof got);
    got.refuse_header = AL_ERR_NOT_ALLOWED;
    assert_int_equal(al_zstream_feed(&s, aes, &app, data, len), AL_ERR_NOT_ALLOWED);
    assert_int_equal(got.image_len, 0);
    al_zstream_begin(&s);
    memset(&got, 0, sizeof got);
    got.refuse_at = 1000;
    int err = 0;
    for (size_t at = 0; !err && at < len; at += 100)
        err = al_zstream_feed(&s, aes, &app, data + at, 100);
    assert_int_equal(err, -7);
    assert_int_equal(al_zstream_end(&s), -7);
    assert_int_equal(al_zstream_feed(&s, aes, &app, data, 0), -7);
    free(data);
}

static void without_aes_the_integrity_code_is_not_compared(void **state)
{
    size_t len;
    uint8_t *data = vector_file(&len, "zigbee-ota/invalid/14-integrity-code-wrong.zigbee");
    struct al_zstream s;
    memset(&got, 0, sizeof got);
    al_zstream_begin(&s);
    assert_int_equal(al_zstream_feed(&s, NULL, &app, data, len), 0);
    assert_int_equal(al_zstream_end(&s), 0);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_in_any_pieces),
        cmocka_unit_test(damaged_files_give_the_class_of_the_reader),
        cmocka_unit_test(a_changed_bit_is_noticed_by_the_integrity_code),
        cmocka_unit_test(an_unfinished_file_is_told_so),
        cmocka_unit_test(an_image_without_element_header_is_taken),
        cmocka_unit_test(an_unknown_element_in_front_is_not_taken_for_an_image),
        cmocka_unit_test(callbacks_end_the_stream),
        cmocka_unit_test(without_aes_the_integrity_code_is_not_compared),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
