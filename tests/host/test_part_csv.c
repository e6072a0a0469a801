#include "host/part_csv.h"

#include "core/err.h"
#include "host/crypto_openssl.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIR "esp-flash/partition-table/"

static uint8_t raw[AL_PART_TABLE_LEN];
static struct part_csv_fault fault;
static unsigned warnings;

static void count_warning(void *ctx, unsigned line, const char *text)
{
    assert_true(line > 0);
    assert_memory_equal(text, "WARNING: ", 9);
    warnings++;
}

static const char *flavor_only(void *ctx, const char *name)
{
    return strcmp(name, "FLAVOR") == 0 ? "app0" : NULL;
}

static struct part_csv_options options(void)
{
    return (struct part_csv_options){
        .crypto = &crypto_openssl, .warn = count_warning, .variable = flavor_only};
}

/* The original tool's arguments. */
static struct part_csv_options options_of(const cJSON *args)
{
    struct part_csv_options o = options();
    for (const cJSON *a = args->child; a; a = a->next) {
        const char *name = a->valuestring;
        if (strcmp(name, "--disable-md5sum") == 0) {
            o.no_md5 = true;
            continue;
        }
        a = a->next;
        uint32_t number = (uint32_t)strtoul(a->valuestring, NULL, 0);
        if (strcmp(name, "--offset") == 0) {
            o.table_offset = number;
        } else if (strcmp(name, "--flash-size") == 0) {
            o.flash_size = number * 0x100000;
        } else if (strcmp(name, "--secure") == 0) {
            o.secure = strcmp(a->valuestring, "v1") ? PART_CSV_SECURE_V2 : PART_CSV_SECURE_V1;
        } else if (strcmp(name, "--primary-bootloader-offset") == 0) {
            o.primary_given = true;
            o.primary_offset = number;
        } else if (strcmp(name, "--recovery-bootloader-offset") == 0) {
            o.recovery_given = true;
            o.recovery_offset = number;
        } else {
            fail_msg("vector uses %s", name);
        }
    }
    return o;
}

static int compile(const char *text)
{
    struct part_csv_options o = options();
    return part_csv_compile(text, strlen(text), &o, raw, &fault);
}

static void every_valid_vector_gives_the_same_bytes_and_text(void **state)
{
    cJSON *json = vector_json(DIR "expected.json");
    const cJSON *v;
    static struct al_part_table t;
    cJSON_ArrayForEach(v, vector_get(json, "valid"))
    {
        size_t len, bin_len, text_len;
        uint8_t *csv = vector_file(&len, DIR "%s", vector_string(v, "csv"));
        uint8_t *bin = vector_file(&bin_len, DIR "%s", vector_string(v, "bin"));
        uint8_t *want = vector_file(&text_len, DIR "%s", vector_string(v, "decoded_csv"));
        struct part_csv_options o = options_of(vector_get(v, "tool_args"));
        warnings = 0;
        if (part_csv_compile(csv, len, &o, raw, &fault))
            fail_msg("%s: %s", vector_string(v, "csv"), fault.message);
        assert_int_equal(bin_len, sizeof raw);
        assert_memory_equal(raw, bin, sizeof raw);
        const cJSON *known = cJSON_GetObjectItem(v, "tool_warnings");
        assert_int_equal(warnings, known ? known->valueint : 0);

        assert_int_equal(
            al_part_table_parse(raw, sizeof raw, 0xffffffff, &crypto_openssl, &t, NULL), 0);
        char *text = part_csv_write(&t);
        assert_string_equal(text, (char *)want);
        free(text);
        free(csv);
        free(bin);
        free(want);
    }
    cJSON_Delete(json);
}

static void every_invalid_vector_is_refused_with_its_class_and_words(void **state)
{
    cJSON *json = vector_json(DIR "expected.json");
    const cJSON *v;
    int seen = 0;
    cJSON_ArrayForEach(v, vector_get(json, "invalid_csv"))
    {
        size_t len;
        uint8_t *csv = vector_file(&len, DIR "%s", vector_string(v, "csv"));
        struct part_csv_options o = options_of(vector_get(v, "tool_args"));
        assert_int_equal(part_csv_compile(csv, len, &o, raw, &fault), AL_ERR_INVALID_ARG);
        assert_string_equal(fault.error_class, vector_string(v, "error_class"));
        assert_true(fault.line > 0);
        if (vector_number(v, "exit_code") == 2)
            assert_string_equal(fault.message, vector_string(v, "tool_message"));
        free(csv);
        seen++;
    }
    assert_true(seen >= 24);
    cJSON_Delete(json);
}

static void numbers_are_read_as_python_reads_them(void **state)
{
    static const struct {
        const char *text;
        int64_t value; /* -1: refused */
    } known[] = {
        {"4096", 4096},  {"0x1000", 4096},   {"0X1000", 4096}, {"0o10000", 4096}, {"0b1000", 8},
        {"4_096", 4096}, {"0x_10_00", 4096}, {"+4096", 4096},  {"4k", 4096},      {"4K", 4096},
        {"0x4k", 4096},  {"1m", 1 << 20},    {"1kk", 1 << 20}, {"4 k", 4096},     {"00", 0},
        {"0", 0},        {"0100", -1},       {"1.5", -1},      {"4__096", -1},    {"_4096", -1},
        {"4096_", -1},   {"0x", -1},         {"1G", -1},       {"k", -1},         {"0b2", -1},
        {"0o8", -1},     {"1 2", -1},        {"--1", -1},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char csv[100];
        snprintf(csv, sizeof csv, "x,0x40,0,0x9000,%s", known[i].text);
        int err = compile(csv);
        if (known[i].value < 0) {
            assert_int_equal(err, AL_ERR_INVALID_ARG);
            assert_string_equal(fault.error_class, "BAD_NUMBER");
        } else {
            if (err) fail_msg("%s: %s", known[i].text, fault.message);
            assert_int_equal(raw[8] | raw[9] << 8 | raw[10] << 16, known[i].value);
        }
    }
}

static void numbers_beyond_all_ranges_are_refused_cleanly(void **state)
{
    static const char *const sizes[] = {
        "0x100000000",
        "99999999999999999999999999999999",
        "9223372036854775807m",
        "-99999999999999999999999",
        "-0x1000",
        "0xffffffffffffffffffffffffffffffff k",
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char csv[120];
        snprintf(csv, sizeof csv, "a,0x40,0,,%s\nb,0x40,1,,0x1000", sizes[i]);
        assert_int_equal(compile(csv), AL_ERR_INVALID_ARG);
        assert_true(fault.line > 0);
        snprintf(csv, sizeof csv, "a,0x40,0,%s,0x1000", sizes[i]);
        assert_int_equal(compile(csv), AL_ERR_INVALID_ARG);
        snprintf(csv, sizeof csv, "a,%s,0,,0x1000", sizes[i]);
        assert_int_equal(compile(csv), AL_ERR_INVALID_ARG);
        assert_string_equal(fault.error_class, "VALUE_RANGE");
    }
}

static void a_keyword_ending_in_a_suffix_letter_never_matches(void **state)
{
    assert_int_equal(compile("x,data,spim,,4K"), AL_ERR_INVALID_ARG);
    assert_non_null(strstr(fault.message, "Value 'spi' is not valid. Known keywords: ota, phy, "
                                          "nvs, coredump, nvs_keys, efuse, undefined, esphttpd, "
                                          "fat, spiffs, littlefs, tee_ota"));
    assert_int_equal(compile("x,0x40,word,,4K"), AL_ERR_INVALID_ARG);
    assert_string_equal(fault.error_class, "BAD_NUMBER");
    assert_int_equal(compile("x,BootLoader,ROM,,4K"), AL_ERR_INVALID_ARG);
    assert_string_equal(fault.message,
                        "Error at line 1: Value 'RO' is not valid. Known keywords: primary, ota, "
                        "recovery");
}

static void variables_are_expanded_and_unknown_ones_fail_at_the_line_start_only(void **state)
{
    assert_int_equal(compile("${FLAVOR}_${NOPE}$NOPE,data,nvs,,0x6000"), 0);
    assert_memory_equal(raw + 12, "app0_${NOPE}$NOPE", 16);
    assert_int_equal(compile("x,data,nvs,,0x6000\n  $NOPE,data,phy,,4K"), 0);
    assert_int_equal(compile("x,data,nvs,,0x6000\n$NOPE2,data,phy,,4K"), AL_ERR_INVALID_ARG);
    assert_string_equal(fault.error_class, "UNKNOWN_VARIABLE");
    assert_string_equal(fault.message, "unknown variable 'NOPE2'");
    assert_int_equal(fault.line, 2);
    assert_int_equal(compile("$1,data,nvs,,0x6000"), 0);
    assert_int_equal(compile("${,data,nvs,,0x6000"), 0);
}

static void every_encoding_with_a_mark_is_read(void **state)
{
    static const char utf16[] = "\xff\xfe"
                                "n\0,\0"
                                "1\0,\0"
                                "2\0,\0,\0"
                                "3\0"
                                "2\0k\0\r\0\n\0";
    static const char utf32[] = "\0\0\xfe\xff\0\0\0n\0\0\0,\0\0\0"
                                "1\0\0\0,\0\0\0"
                                "2\0\0\0,\0\0\0,\0\0\0"
                                "3\0\0\0"
                                "2\0\0\0k";
    struct part_csv_options o = options();
    uint8_t plain[AL_PART_TABLE_LEN];
    assert_int_equal(compile("n,1,2,,32k"), 0);
    memcpy(plain, raw, sizeof plain);
    assert_int_equal(compile("\xef\xbb\xbfn,1,2,,32k"), 0);
    assert_memory_equal(raw, plain, sizeof plain);
    assert_int_equal(part_csv_compile(utf16, sizeof utf16 - 1, &o, raw, &fault), 0);
    assert_memory_equal(raw, plain, sizeof plain);
    assert_int_equal(part_csv_compile(utf32, sizeof utf32 - 1, &o, raw, &fault), 0);
    assert_memory_equal(raw, plain, sizeof plain);

    assert_int_equal(compile("n\xff,1,2,,32k"), AL_ERR_INVALID_ARG);
    assert_string_equal(fault.error_class, "ENCODING");
    assert_non_null(strstr(fault.message, "byte 1"));
    assert_int_equal(part_csv_compile("n\0,1,2,,32k", 11, &o, raw, &fault), AL_ERR_INVALID_ARG);
    assert_string_equal(fault.error_class, "ENCODING");
}

static void all_line_ends_count_as_one_line(void **state)
{
    static const char *const ends[] = {"\n", "\r\n", "\r", "\f", "\xc2\x85", "\xe2\x80\xa8"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char csv[100];
        snprintf(csv, sizeof csv, "# one%s%sx,data,nvs,,0x6000%s y,app", ends[i], ends[i], ends[i]);
        assert_int_equal(compile(csv), AL_ERR_INVALID_ARG);
        assert_string_equal(fault.error_class, "EMPTY_SUBTYPE");
        assert_int_equal(fault.line, 4);
    }
}

static void boot_loader_rows_take_their_place_from_the_options(void **state)
{
    struct part_csv_options o = options();
    const char *csv = "r,bootloader,recovery,,N/A";
    o.primary_given = true;
    o.primary_offset = 0x2000;
    assert_int_equal(part_csv_compile(csv, strlen(csv), &o, raw, &fault), AL_ERR_INVALID_ARG);
    assert_string_equal(fault.error_class, "BOOTLOADER_OFFSET_UNSET");
    assert_non_null(strstr(fault.message, "Recovery bootloader offset is not defined. Please use "
                                          "--recovery-bootloader-offset"));
    o.recovery_given = true;
    o.recovery_offset = 0x3f0000;
    assert_int_equal(part_csv_compile(csv, strlen(csv), &o, raw, &fault), 0);
    assert_int_equal(raw[8] | raw[9] << 8, 0x6000);
    o.primary_offset = 0x8000;
    assert_int_equal(part_csv_compile(csv, strlen(csv), &o, raw, &fault), AL_ERR_INVALID_ARG);
    assert_string_equal(fault.error_class, "PRIMARY_ABOVE_TABLE");
}

static void verification_can_be_left_out_but_not_placement(void **state)
{
    struct part_csv_options o = options();
    const char *odd = "a,app,factory,0x18000,0x123\na,data,ota,,1";
    assert_int_equal(compile(odd), AL_ERR_INVALID_ARG);
    o.no_verify = true;
    assert_int_equal(part_csv_compile(odd, strlen(odd), &o, raw, &fault), 0);
    odd = "a,app,factory,0x18000,0x123\nb,data,ota,0x9000,1";
    assert_int_equal(part_csv_compile(odd, strlen(odd), &o, raw, &fault), AL_ERR_INVALID_ARG);
    assert_string_equal(fault.error_class, "OVERLAP");
    assert_int_equal(fault.line, 2);
}

static void a_second_tee_otadata_and_one_of_another_size_are_refused(void **state)
{
    assert_int_equal(compile("a,data,tee_ota,,8K\nb,data,tee_ota,,8K"), AL_ERR_INVALID_ARG);
    assert_string_equal(fault.error_class, "TEE_OTADATA_DUPLICATE");
    assert_int_equal(compile("a,data,tee_ota,,4K"), AL_ERR_INVALID_ARG);
    assert_string_equal(fault.error_class, "TEE_OTADATA_SIZE");
}

static void a_file_of_endless_rows_is_refused(void **state)
{
    static char csv[5000 * 12 + 1];
    for (int i = 0; i < 5000; i++) memcpy(csv + 12 * i, "a,0x40,0,,1\n", 12);
    assert_int_equal(compile(csv), AL_ERR_INVALID_ARG);
    assert_string_equal(fault.error_class, "TOO_MANY");
}

static void a_file_without_rows_gives_an_empty_table(void **state)
{
    static const char *const files[] = {"", "\n\n", "# nothing\n \t\n"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        assert_int_equal(compile(files[i]), 0);
        assert_int_equal(raw[0], 0xeb); /* the MD5 entry alone */
        assert_int_equal(raw[32], 0xff);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_valid_vector_gives_the_same_bytes_and_text),
        cmocka_unit_test(every_invalid_vector_is_refused_with_its_class_and_words),
        cmocka_unit_test(numbers_are_read_as_python_reads_them),
        cmocka_unit_test(numbers_beyond_all_ranges_are_refused_cleanly),
        cmocka_unit_test(a_keyword_ending_in_a_suffix_letter_never_matches),
        cmocka_unit_test(variables_are_expanded_and_unknown_ones_fail_at_the_line_start_only),
        cmocka_unit_test(every_encoding_with_a_mark_is_read),
        cmocka_unit_test(all_line_ends_count_as_one_line),
        cmocka_unit_test(boot_loader_rows_take_their_place_from_the_options),
        cmocka_unit_test(verification_can_be_left_out_but_not_placement),
        cmocka_unit_test(a_second_tee_otadata_and_one_of_another_size_are_refused),
        cmocka_unit_test(a_file_of_endless_rows_is_refused),
        cmocka_unit_test(a_file_without_rows_gives_an_empty_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
