#include "zigbee/ota_file.h"

#include <setjmp.h>
#include <stdarg.h>
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
static struct zigbee_bytes bytes;
static uint8_t *loaded;
static struct al_zfile file;
static struct al_zfile_fault fault;
static struct al_zfile_verdict verdict;

static int load(void **state)
{
    openssl = aes_openssl_new();
    return openssl ? 0 : -1;
}

static int unload(void **state)
{
    aes_openssl_free(openssl);
    return 0;
}

static int drop(void **state)
{
    free(loaded);
    loaded = NULL;
    return 0;
}

static int open_bytes(void)
{
    struct al_zfile_source source = zigbee_source(&bytes);
    return al_zfile_open(&file, &source, &fault);
}

static int open_vector(const char *name)
{
    drop(NULL);
    loaded = vector_file(&bytes.len, "zigbee-ota/%s", name);
    bytes.data = loaded;
    return open_bytes();
}

static const struct al_zfile_fault *check(bool lenient)
{
    assert_int_equal(al_zfile_check(&file, aes_openssl_aes(openssl), &verdict), 0);
    return al_zfile_error(&verdict, lenient);
}

static void check_header(const cJSON *want)
{
    const struct al_zfile_header *h = &file.header;
    assert_int_equal(h->header_version, vector_number(want, "header_version"));
    assert_int_equal(h->header_length, vector_number(want, "header_length"));
    assert_int_equal(h->field_control, vector_number(want, "field_control"));
    assert_int_equal(h->manufacturer, vector_number(want, "manufacturer_code"));
    assert_int_equal(h->image_type, vector_number(want, "image_type"));
    assert_int_equal(h->file_version, vector_number(want, "file_version"));
    assert_int_equal(h->stack_version, vector_number(want, "stack_version"));
    assert_int_equal(h->total_image_size, vector_number(want, "total_image_size"));
    assert_string_equal((const char *)h->string, vector_string(want, "header_string"));
    if (h->field_control & AL_ZFILE_HAS_CREDENTIAL)
        assert_int_equal(h->credential_version, vector_number(want, "security_credential_version"));
    if (h->field_control & AL_ZFILE_HAS_DESTINATION) {
        uint8_t destination[8];
        vector_hex(want, "upgrade_file_destination", destination, sizeof destination);
        assert_int_equal(h->destination, al_get_le64(destination));
    }
    if (h->field_control & AL_ZFILE_HAS_HARDWARE) {
        assert_int_equal(h->min_hardware, vector_number(want, "minimum_hardware_version"));
        assert_int_equal(h->max_hardware, vector_number(want, "maximum_hardware_version"));
    }
}

static void check_elements(const cJSON *want)
{
    const cJSON *list = vector_get(want, "elements"), *e;
    struct al_zfile_iter it = al_zfile_first(&file);
    cJSON_ArrayForEach(e, list)
    {
        assert_int_equal(al_zfile_next(&file, &it), 1);
        assert_int_equal(it.element.tag, vector_number(e, "tag"));
        assert_int_equal(it.element.length, vector_number(e, "length"));
        assert_int_equal(it.element.offset, vector_number(e, "data_offset"));
    }
    assert_int_equal(al_zfile_next(&file, &it), 0);
    assert_int_equal(file.elements, cJSON_GetArraySize(list));
}

static void good_files_are_read_field_by_field(void **state)
{
    static const char *const chains[] = {"none", "standard", "telink"};
    cJSON *all = vector_json("zigbee-ota/files.json");
    const cJSON *want;
    char path[128];
    cJSON_ArrayForEach(want, all)
    {
        snprintf(path, sizeof path, "files/%s", vector_string(want, "file"));
        assert_int_equal(open_vector(path), 0);
        assert_int_equal(file.start, vector_number(want, "ota_offset"));
        assert_int_equal(bytes.len - file.start - file.header.total_image_size,
                         vector_number(want, "trailing_bytes"));
        assert_string_equal(chains[file.chain], vector_string(want, "element_chain"));
        check_header(vector_get(want, "header"));
        check_elements(want);
        const struct al_zfile_fault *f = check(false);
        if (file.chain == AL_ZFILE_CHAIN_NONE)
            assert_int_equal(f->class, AL_ZFILE_ELEMENT_OVERRUN);
        else if (f)
            fail_msg("%s: class %d", path, f->class);
        assert_null(al_zfile_error(&verdict, true));
    }
    assert_int_equal(cJSON_GetArraySize(all), 16);
    cJSON_Delete(all);
}

static void wrappings_are_told_apart(void **state)
{
    static const struct {
        const char *name;
        enum al_zfile_wrapping wrapping;
    } cases[] = {
        {"plain-for-wrappers.zigbee", AL_ZFILE_PLAIN},
        {"trailing-4-bytes.zigbee", AL_ZFILE_PLAIN},
        {"wrapped-junk37.bin", AL_ZFILE_JUNK},
        {"wrapped-ngis.ota.signed", AL_ZFILE_NGIS},
        {"wrapped-legrand.zigbee", AL_ZFILE_LEGRAND},
        {"wrapped-thirdreality.ota", AL_ZFILE_THIRD_REALITY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[128];
        snprintf(path, sizeof path, "files/%s", cases[i].name);
        assert_int_equal(open_vector(path), 0);
        assert_int_equal(file.wrapping, cases[i].wrapping);
    }
}

static void bad_files_have_their_class(void **state)
{
    static const struct {
        const char *name;
        enum al_zfile_class class;
        uint32_t offset;
        uint64_t expected, found;
    } cases[] = {
        {"01-empty", AL_ZFILE_NO_MAGIC, 0, AL_ZFILE_MAGIC, 0},
        {"02-magic-not-found", AL_ZFILE_NO_MAGIC, 0, AL_ZFILE_MAGIC, 0},
        {"03-truncated-in-fixed-header", AL_ZFILE_TRUNCATED_HEADER, 0, 56, 40},
        {"04-header-version-0200", AL_ZFILE_BAD_HEADER_VERSION, 4, 0x0100, 0x0200},
        {"05-header-length-55", AL_ZFILE_BAD_HEADER_LENGTH, 6, 56, 55},
        {"06-header-length-too-small-for-options", AL_ZFILE_BAD_HEADER_LENGTH, 6, 60, 56},
        {"07-truncated-in-optional-fields", AL_ZFILE_TRUNCATED_HEADER, 0, 69, 60},
        {"08-file-shorter-than-total-image-size", AL_ZFILE_TRUNCATED_FILE, 52, 0, 0},
        {"09-total-size-less-than-header", AL_ZFILE_BAD_TOTAL_SIZE, 52, 56, 40},
        {"10-element-length-overruns-total", AL_ZFILE_ELEMENT_OVERRUN, 58, 512, 600},
        {"11-partial-element-header-at-end", AL_ZFILE_PARTIAL_ELEMENT, 0, 6, 3},
        {"12-no-elements", AL_ZFILE_NO_IMAGE, 56, 1, 0},
        {"13-no-upgrade-image-element", AL_ZFILE_NO_IMAGE, 56, 1, 0},
        {"14-integrity-code-wrong", AL_ZFILE_BAD_INTEGRITY, 0, 16, 16},
        {"15-integrity-code-length-15", AL_ZFILE_BAD_INTEGRITY, 0, 16, 15},
        {"16-min-hw-greater-than-max", AL_ZFILE_BAD_HW_RANGE, 56, 0x0100, 0x0200},
        {"18-image-type-wildcard", AL_ZFILE_WILDCARD_ID, 12, 0xfffe, 0xffff},
        {"19-file-version-wildcard", AL_ZFILE_WILDCARD_ID, 14, 0xfffffffe, 0xffffffff},
        {"20-element-length-0xffffffff", AL_ZFILE_ELEMENT_OVERRUN, 58, 0, 0xffffffff},
        {"21-duplicate-upgrade-image", AL_ZFILE_DUPLICATE_IMAGE, 0, 1, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[128], why[256];
        const struct al_zfile_fault *f = &fault;
        snprintf(path, sizeof path, "invalid/%s.zigbee", cases[i].name);
        int err = open_vector(path);
        bool header = cases[i].class <= AL_ZFILE_TRUNCATED_FILE;
        assert_int_equal(err, header ? AL_ERR_IMAGE_INVALID : 0);
        if (!header) f = check(false);
        if (!f || f->class != cases[i].class) fail_msg("%s: class %d", path, f ? (int)f->class : 0);
        if (cases[i].offset) assert_int_equal(f->offset, cases[i].offset);
        if (cases[i].found) assert_int_equal(f->found, cases[i].found);
        if (cases[i].expected) assert_int_equal(f->expected, cases[i].expected);
        zigbee_fault_explain(f, why, sizeof why);
        assert_true(strlen(why) > 20);
        if (!header)
            assert_int_equal(al_zfile_error(&verdict, true) == NULL,
                             cases[i].class != AL_ZFILE_WILDCARD_ID);
    }
}

static void a_magic_in_the_wrapping_is_passed_over(void **state)
{
    size_t len;
    uint8_t *inner = vector_file(&len, "zigbee-ota/files/plain-for-wrappers.zigbee");
    uint8_t *outer = calloc(1, 300 + len);
    for (size_t at = 0; at + 4 <= 300; at += 61) al_put_le32(outer + at, AL_ZFILE_MAGIC);
    memcpy(outer + 300, inner, len);
    bytes = (struct zigbee_bytes){outer, 300 + len};
    assert_int_equal(open_bytes(), 0);
    assert_int_equal(file.start, 300);
    /* Without a good one the first is told. */
    bytes.len = 300 + 50;
    assert_int_equal(open_bytes(), AL_ERR_IMAGE_INVALID);
    assert_int_equal(fault.class, AL_ZFILE_BAD_HEADER_VERSION);
    assert_int_equal(file.start, 0);
    free(outer);
    free(inner);
}

static void a_magic_across_the_buffer_is_found(void **state)
{
    size_t len;
    uint8_t *inner = vector_file(&len, "zigbee-ota/files/manufacturer-wildcard.zigbee");
    uint8_t *outer = malloc(1024 + len);
    for (uint32_t at = 240; at < 520; at++) {
        memset(outer, 0x1e, 1024);
        memcpy(outer + at, inner, len);
        bytes = (struct zigbee_bytes){outer, at + len};
        assert_int_equal(open_bytes(), 0);
        assert_int_equal(file.start, at);
    }
    free(outer);
    free(inner);
}

static void a_longer_header_is_skipped(void **state)
{
    uint8_t b[100] = {0};
    struct al_zfile_header h = {.header_version = 0x0100, .total_image_size = sizeof b};
    al_zfile_build_header(&h, b);
    al_put_le16(b + 6, 90);     /* 34 bytes of fields that nobody knows */
    al_put_le16(b + 8, 0xfff8); /* and their bits */
    al_put_le32(b + 92, 4);
    bytes = (struct zigbee_bytes){b, sizeof b};
    assert_int_equal(open_bytes(), 0);
    assert_null(check(false));
    assert_int_equal(file.image.offset, 96);
}

static void telinks_two_bytes_have_to_be_there(void **state)
{
    /* Two elements of Telink's; of the second one only `there` bytes follow its header. */
    for (uint32_t there = 0; there <= 3; there++) {
        uint8_t b[56 + 12 + 9] = {0};
        struct al_zfile_header h = {.header_version = 0x0100, .total_image_size = 74 + there};
        al_zfile_build_header(&h, b);
        al_put_le16(b + 56, AL_ZFILE_TELINK_AES);
        al_put_le32(b + 58, 4);
        memset(b + 62, 0xff, 6); /* standard reading: an element that overruns */
        al_put_le16(b + 68, AL_ZFILE_TELINK_AES);
        al_put_le32(b + 70, there == 3);
        bytes = (struct zigbee_bytes){b, 74 + there};
        assert_int_equal(open_bytes(), 0);
        assert_int_equal(file.chain, there < 2 ? AL_ZFILE_CHAIN_NONE : AL_ZFILE_CHAIN_TELINK);
        if (there < 2) assert_int_equal(check(false)->class, AL_ZFILE_ELEMENT_OVERRUN);
        if (there >= 2) assert_int_equal(file.elements, 2);
    }
}

static void header_and_fields_survive_building(void **state)
{
    static const char *const names[] = {"files/131B-0001-10022001-ota-file.zigbee",
                                        "files/esp-v1-min.zigbee"};
    for (size_t i = 0; i < 2; i++) {
        uint8_t out[AL_ZFILE_HEADER_MAX];
        assert_int_equal(open_vector(names[i]), 0);
        assert_int_equal(al_zfile_build_header(&file.header, out), file.header.header_length);
        assert_memory_equal(out, bytes.data, file.header.header_length);
    }
}

/* All reads before the n-th work. */
static int reads_left;

static int failing_read(void *ctx, uint32_t off, void *buf, size_t len)
{
    if (reads_left-- == 0) return -5;
    assert_true(off <= bytes.len && len <= bytes.len - off);
    memcpy(buf, bytes.data + off, len);
    return 0;
}

static void a_read_error_comes_back(void **state)
{
    struct al_zfile_source source = {NULL, failing_read, 0};
    assert_int_equal(open_vector("files/multi-elements-integrity.zigbee"), 0);
    source.size = (uint32_t)bytes.len;
    for (int n = 0;; n++) {
        reads_left = n;
        int err = al_zfile_open(&file, &source, &fault);
        if (!err) err = al_zfile_check(&file, aes_openssl_aes(openssl), &verdict);
        if (!err) {
            assert_true(n > 10);
            return;
        }
        assert_int_equal(err, -5);
    }
}

static void reads_end_at_the_total_size(void **state)
{
    uint8_t b[8];
    assert_int_equal(open_vector("files/trailing-4-bytes.zigbee"), 0);
    assert_int_equal(al_zfile_read(&file, 3150 - 8, b, 8), 0);
    assert_int_equal(al_zfile_read(&file, 3150 - 7, b, 8), AL_ERR_INVALID_SIZE);
    assert_int_equal(al_zfile_read(&file, 3151, b, 0), AL_ERR_INVALID_SIZE);
    assert_int_equal(al_zfile_read(&file, UINT32_MAX, b, 8), AL_ERR_INVALID_SIZE);
}

static void both_integrity_conventions_are_known(void **state)
{
    enum al_zfile_coverage c;
    const struct al_aes *aes = aes_openssl_aes(openssl);
    assert_int_equal(open_vector("files/multi-elements-integrity.zigbee"), 0);
    assert_int_equal(al_zfile_integrity(&file, aes, &c), 0);
    assert_int_equal(c, AL_ZFILE_UP_TO_VALUE);
    assert_int_equal(open_vector("files/integrity-excluding-tag.zigbee"), 0);
    assert_int_equal(al_zfile_integrity(&file, aes, &c), 0);
    assert_int_equal(c, AL_ZFILE_UP_TO_TAG);
    for (size_t at = 20; at < bytes.len; at += 97) {
        if (at == 52) continue; /* the total size */
        loaded[at] ^= 1;
        if (open_bytes() == 0 && file.chain == AL_ZFILE_CHAIN_STANDARD)
            assert_int_equal(check(false)->class, AL_ZFILE_BAD_INTEGRITY);
        loaded[at] ^= 1;
    }
    assert_int_equal(open_vector("files/esp-v1-min.zigbee"), 0);
    assert_int_equal(al_zfile_integrity(&file, aes, &c), AL_ERR_NOT_FOUND);
}

static void a_signature_is_not_in_its_digest(void **state)
{
    uint8_t a[16], b[16];
    const struct al_aes *aes = aes_openssl_aes(openssl);
    assert_int_equal(open_vector("files/signature-suite1-layout.zigbee"), 0);
    uint32_t total = file.header.total_image_size, skip = total - 42;
    assert_int_equal(al_zfile_digest(&file, aes, total, skip, 42, a), 0);
    assert_int_equal(al_zfile_digest(&file, aes, skip, skip, 0, b), 0);
    assert_memory_equal(a, b, 16);
    loaded[total - 1] ^= 1;
    assert_int_equal(al_zfile_digest(&file, aes, total, skip, 42, b), 0);
    assert_memory_equal(a, b, 16);
    loaded[skip - 1] ^= 1; /* the signer is in it */
    assert_int_equal(al_zfile_digest(&file, aes, total, skip, 42, b), 0);
    assert_memory_not_equal(a, b, 16);
    assert_int_equal(al_zfile_digest(&file, aes, total, 100, 10, a), 0);
    loaded[105] ^= 1;
    assert_int_equal(al_zfile_digest(&file, aes, total, 100, 10, b), 0);
    assert_memory_equal(a, b, 16);
    loaded[110] ^= 1;
    assert_int_equal(al_zfile_digest(&file, aes, total, 100, 10, b), 0);
    assert_memory_not_equal(a, b, 16);
}

static void a_file_is_for_one_device(void **state)
{
    struct al_zfile_device d = {.ext_addr = 0x4831b7fffec18405, .space = UINT32_MAX};
    assert_int_equal(open_vector("files/esp-v1-alloptions.zigbee"), 0);
    const struct al_zfile_header *h = &file.header;
    assert_int_equal(al_zfile_check_device(h, 3088, &d, &fault), AL_ZFILE_FITS);
    assert_int_equal(fault.class, AL_ZFILE_OK);
    d.ext_addr = 0x0584c1feffb73148;
    assert_int_equal(al_zfile_check_device(h, 3088, &d, &fault), AL_ZFILE_FITS_REVERSED);
    d.ext_addr++;
    assert_int_equal(al_zfile_check_device(h, 3088, &d, &fault), AL_ERR_NOT_ALLOWED);
    assert_int_equal(fault.class, AL_ZFILE_WRONG_DEVICE);
    assert_int_equal(fault.offset, 57);
}

static void hardware_and_space_are_compared(void **state)
{
    struct al_zfile_device d = {.ext_addr = 0x4831b7fffec18405, .has_hardware = true};
    assert_int_equal(open_vector("files/esp-v1-alloptions.zigbee"), 0);
    d.space = 3088;
    for (unsigned hw = 0; hw <= 0xffff; hw++) {
        d.hardware = (uint16_t)hw;
        bool fits = hw >= 0x0100 && hw <= 0x01ff;
        assert_int_equal(al_zfile_check_device(&file.header, 3088, &d, &fault),
                         fits ? AL_ZFILE_FITS : AL_ERR_NOT_ALLOWED);
        if (!fits) assert_int_equal(fault.offset, hw < 0x0100 ? 65 : 67);
    }
    d.hardware = 0x0100;
    assert_int_equal(al_zfile_check_device(&file.header, 3089, &d, &fault), AL_ERR_NOT_ALLOWED);
    assert_int_equal(fault.class, AL_ZFILE_TOO_LARGE);
    assert_int_equal(al_zfile_check_device(&file.header, 0, &d, &fault), AL_ERR_NOT_ALLOWED);
    d.space = 3163; /* unknown payload: the whole file */
    assert_int_equal(al_zfile_check_device(&file.header, 0, &d, &fault), AL_ZFILE_FITS);
}

static void classes_have_names(void **state)
{
    assert_string_equal(al_zfile_class_name(AL_ZFILE_NO_MAGIC), "no_magic");
    assert_string_equal(al_zfile_class_name(AL_ZFILE_TOO_LARGE), "too_large");
    assert_string_equal(al_zfile_class_name((enum al_zfile_class)16), "unknown");
    const unsigned lenient = 1u << 7 | 1u << 8 | 1u << 9 | 1u << 10 | 1u << 11 | 1u << 13;
    for (unsigned c = 1; c <= 15; c++)
        assert_int_equal(al_zfile_class_lenient((enum al_zfile_class)c), lenient >> c & 1);
}

static void addresses_are_read_and_shown(void **state)
{
    uint64_t eui;
    char text[ZIGBEE_EUI_TEXT];
    static const char *const good[] = {"74:4d:bd:ff:fe:60:aa:02", "744DBDFFFE60AA02",
                                       "0x744dbdfffe60aa02", "74-4d-bd-ff-fe-60-aa-02"};
    static const char *const bad[] = {"",
                                      "74:4d",
                                      "744dbdfffe60aa0",
                                      "744dbdfffe60aa022",
                                      "7:44dbdfffe60aa02",
                                      "74:4d:bd:ff:fe:60:aa:02:",
                                      ":744dbd",
                                      "74::4d:bd:ff:fe:60:aa:02"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(zigbee_eui_parse(good[i], &eui));
        assert_true(eui == 0x744dbdfffe60aa02);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(zigbee_eui_parse(bad[i], &eui));
    zigbee_eui_text(0x744dbdfffe60aa02, text);
    assert_string_equal(text, "74:4d:bd:ff:fe:60:aa:02");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(good_files_are_read_field_by_field, drop),
        cmocka_unit_test_teardown(wrappings_are_told_apart, drop),
        cmocka_unit_test_teardown(bad_files_have_their_class, drop),
        cmocka_unit_test(a_magic_in_the_wrapping_is_passed_over),
        cmocka_unit_test(a_magic_across_the_buffer_is_found),
        cmocka_unit_test(a_longer_header_is_skipped),
        cmocka_unit_test(telinks_two_bytes_have_to_be_there),
        cmocka_unit_test_teardown(header_and_fields_survive_building, drop),
        cmocka_unit_test_teardown(a_read_error_comes_back, drop),
        cmocka_unit_test_teardown(reads_end_at_the_total_size, drop),
        cmocka_unit_test_teardown(both_integrity_conventions_are_known, drop),
        cmocka_unit_test_teardown(a_signature_is_not_in_its_digest, drop),
        cmocka_unit_test_teardown(a_file_is_for_one_device, drop),
        cmocka_unit_test_teardown(hardware_and_space_are_compared, drop),
        cmocka_unit_test(classes_have_names),
        cmocka_unit_test(addresses_are_read_and_shown),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
