#include "host/vendor_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct vendor_line lines[VENDOR_LINES_MAX];

static size_t boot(struct al_boot_event_args a)
{
    memset(lines, 0, sizeof lines);
    return vendor_lines_boot(&a, lines);
}

static void a_line_has_level_time_tag_and_colour(void **state)
{
    struct vendor_line l = {.level = 'E', .tag = "boot", .text = "no"};
    char out[64];
    vendor_line_print(&l, 123, false, out, sizeof out);
    assert_string_equal(out, "E (123) boot: no");
    vendor_line_print(&l, 123, true, out, sizeof out);
    assert_string_equal(out, "\033[0;31mE (123) boot: no\033[0m");
    l.level = 'I';
    vendor_line_print(&l, 0, true, out, sizeof out);
    assert_string_equal(out, "\033[0;32mI (0) boot: no\033[0m");
    l.level = 'D';
    vendor_line_print(&l, 0, true, out, sizeof out);
    assert_string_equal(out, "D (0) boot: no");
    vendor_line_print(&l, 0, true, out, 5);
    assert_string_equal(out, "D (0");
}

static void the_partition_list_looks_like_the_boot_loaders(void **state)
{
    struct al_part p = {.type = 1, .subtype = 2, .offset = 0x9000, .size = 0x4000, .label = "nvs"};
    struct al_boot_event_args a = {.event = AL_BOOT_EV_PARTITION, .part = &p, .value2 = 2};
    assert_int_equal(boot(a), 3);
    assert_string_equal(lines[0].text, "Partition Table:");
    assert_string_equal(lines[1].text,
                        "## Label            Usage          Type ST Offset   Length");
    assert_string_equal(lines[2].text,
                        " 0 nvs              WiFi data        01 02 00009000 00004000");
    a.value = 1;
    p = (struct al_part){.subtype = 0x11, .offset = 0x210000, .size = 0x100000, .label = "ota_1"};
    assert_int_equal(boot(a), 2);
    assert_string_equal(lines[0].text,
                        " 1 ota_1            OTA app          00 11 00210000 00100000");
    assert_string_equal(lines[1].text, "End of partition table");
}

static void usage_words_follow_type_and_subtype(void **state)
{
    static const struct {
        uint8_t type, subtype;
        const char *word;
    } known[] = {
        {0, 0, "factory app"},         {0, 0x20, "test app"},        {0, 0x1f, "OTA app"},
        {0, 0x30, "Unknown app"},      {1, 0, "OTA data"},           {1, 1, "RF data"},
        {1, 3, "Unknown data"},        {1, 4, "NVS keys"},           {1, 5, "efuse"},
        {1, 0x82, "Unknown data"},     {2, 0, "primary bootloader"}, {2, 2, "recovery bootloader"},
        {3, 1, "ota partition_table"}, {0x40, 0, "unknown"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct al_part p = {.type = known[i].type, .subtype = known[i].subtype, .label = "x"};
        assert_int_equal(boot((struct al_boot_event_args){
                             .event = AL_BOOT_EV_PARTITION, .part = &p, .value = 5, .value2 = 9}),
                         1);
        size_t len = strlen(known[i].word);
        assert_memory_equal(lines[0].text + 20, known[i].word, len);
        assert_int_equal(lines[0].text[20 + len], ' ');
    }
}

static void boot_events_have_the_vendors_words(void **state)
{
    struct al_part p = {.offset = 0x110000, .size = 0x1000, .label = "nvs"};
    struct al_part_fault table = {.check = AL_PART_CHECK_MD5};
    assert_int_equal(boot((struct al_boot_event_args){.event = AL_BOOT_EV_LOADED, .part = &p}), 1);
    assert_string_equal(lines[0].text, "Loaded app from partition at offset 0x110000");
    assert_int_equal(
        boot((struct al_boot_event_args){.event = AL_BOOT_EV_TABLE_FAULT, .table = &table}), 3);
    assert_string_equal(lines[0].tag, "flash_parts");
    assert_string_equal(lines[0].text, "Incorrect MD5 checksum");
    assert_string_equal(lines[2].text, "load partition table error!");
    assert_int_equal(
        boot((struct al_boot_event_args){.event = AL_BOOT_EV_CHECK_SECURE_VERSION, .value = 2}), 2);
    assert_string_equal(lines[1].text, "Secure version (from eFuse) = 2");
    assert_int_equal(
        boot((struct al_boot_event_args){.event = AL_BOOT_EV_OTADATA_SMALL, .value = 4096}), 1);
    assert_string_equal(lines[0].text,
                        "ota_info partition size 4096 is too small (minimum 8192 bytes)");
    boot((struct al_boot_event_args){.event = AL_BOOT_EV_NOT_BOOTABLE, .index = -1});
    assert_string_equal(lines[0].text, "Factory app partition is not bootable");
    boot((struct al_boot_event_args){.event = AL_BOOT_EV_NOT_BOOTABLE, .index = -2});
    assert_string_equal(lines[0].text, "Factory test app partition is not bootable");
    boot((struct al_boot_event_args){.event = AL_BOOT_EV_NOT_BOOTABLE, .index = 3});
    assert_string_equal(lines[0].text, "OTA app partition slot 3 is not bootable");
    boot((struct al_boot_event_args){.event = AL_BOOT_EV_ERASED, .part = &p, .value2 = 1});
    assert_string_equal(lines[0].text, " 0 nvs              data  00110000 00001000 [yes]");
    assert_int_equal(
        boot((struct al_boot_event_args){.event = AL_BOOT_EV_FACTORY_RESET, .text = "nvs, phy"}),
        3);
    assert_string_equal(lines[1].text, "Data partitions to erase: nvs, phy");
}

/* Only two events are steps without a line. */
static void every_boot_event_has_a_line_or_is_known_to_have_none(void **state)
{
    struct al_part p = {.label = "x"};
    struct al_part_fault table = {.check = AL_PART_CHECK_MAGIC};
    struct al_image_fault image = {.check = AL_IMAGE_CHECK_HASH};
    for (enum al_boot_event e = AL_BOOT_EV_TABLE_FAULT; e <= AL_BOOT_EV_NOTHING; e++) {
        size_t n = boot((struct al_boot_event_args){
            .event = e, .part = &p, .table = &table, .image = &image, .text = ""});
        bool silent = e == AL_BOOT_EV_STATE || e == AL_BOOT_EV_TOO_OLD;
        assert_int_equal(n == 0, silent);
        for (size_t i = 0; i < n; i++) assert_non_null(strchr("EWID", lines[i].level));
    }
}

static void ota_events_have_the_vendors_words(void **state)
{
    struct al_part a = {.label = "ota_0"}, b = {.label = "bl"};
    struct vendor_line l;
    vendor_line_ota(&(struct al_ota_event_args){.event = AL_OTA_EV_BAD_IMAGE_MAGIC, .value = 0x7f},
                    &l);
    assert_string_equal(l.text, "OTA image has invalid magic byte (expected 0xE9, saw 0x7f)");
    assert_string_equal(l.tag, "esp_ota_ops");
    vendor_line_ota(&(struct al_ota_event_args){.event = AL_OTA_EV_FINAL, .part = &a, .part2 = &b},
                    &l);
    assert_string_equal(l.text, "Staging partition - <ota_0>. Final partition - <bl>.");
    assert_int_equal(l.level, 'I');
}

static void segments_are_told_as_in_the_boot_log(void **state)
{
    struct vendor_line l;
    struct al_image_segment s = {.load_addr = 0x3c010020, .len = 304};
    vendor_line_segment(0, &s, 0x10020, true, false, &l);
    assert_string_equal(l.text,
                        "segment 0: paddr=00010020 vaddr=3c010020 size=00130h (   304) map");
    vendor_line_segment(0, &s, 0x10020, false, false, &l);
    assert_string_equal(l.text, "segment 0: paddr=00010020 vaddr=3c010020 size=00130h (   304) ");
}

static void every_check_has_a_name_and_an_explanation(void **state)
{
    char text[256];
    for (enum al_image_check c = AL_IMAGE_CHECK_NONE; c <= AL_IMAGE_CHECK_SECURE_VERSION; c++) {
        for (enum al_sig_check s = AL_SIG_CHECK_NONE; s <= AL_SIG_CHECK_SIGNATURE; s++) {
            struct al_image_fault f = {.check = c,
                                       .signature.check = s,
                                       .signature.v1 = c % 2,
                                       .expected = 0xffffffff,
                                       .found = 0xffffffff,
                                       .offset = 0xffffffff,
                                       .address = 0xffffffff,
                                       .segment = 0xffffffff};
            text[0] = '\0';
            image_fault_explain(&f, text, sizeof text);
            assert_in_range(strlen(text), 10, sizeof text - 2);
            assert_string_not_equal(image_check_name(c), "unknown");
        }
    }
    for (enum al_part_check c = AL_PART_CHECK_NONE; c <= AL_PART_CHECK_TYPE; c++) {
        struct al_part_fault f = {.check = c};
        text[0] = '\0';
        part_fault_explain(&f, text, sizeof text);
        assert_in_range(strlen(text), 10, sizeof text - 2);
        assert_string_not_equal(part_check_name(c), "unknown");
    }
}

static void error_numbers_have_the_vendors_names(void **state)
{
    static const struct {
        int code;
        const char *name;
    } known[] = {
        {0, "ESP_OK"},
        {-1, "ESP_FAIL"},
        {0x101, "ESP_ERR_NO_MEM"},
        {0x10d, "ESP_ERR_NOT_ALLOWED"},
        {0x1101, "ESP_ERR_NVS_NOT_INITIALIZED"},
        {0x1110, "ESP_ERR_NVS_NEW_VERSION_FOUND"},
        {0x1119, "ESP_ERR_NVS_WRONG_ENCRYPTION"},
        {0x1503, "ESP_ERR_OTA_VALIDATE_FAILED"},
        {0x1508, "ESP_ERR_OTA_SPI_MODE_MISMATCH"},
        {0x2002, "ESP_ERR_IMAGE_INVALID"},
        {0x6006, "ESP_ERR_FLASH_PROTECTED"},
        {0x7007, "ESP_ERR_HTTP_EAGAIN"},
        {0x700e, "ESP_ERR_HTTP_HEADER_TOO_LONG"},
        {0x9001, "ESP_ERR_HTTPS_OTA_IN_PROGRESS"},
        {0x10e, "UNKNOWN ERROR"},
        {0x700f, "UNKNOWN ERROR"},
        {1, "UNKNOWN ERROR"},
        {-2, "UNKNOWN ERROR"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_string_equal(vendor_err_name(known[i].code), known[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_level_time_tag_and_colour),
        cmocka_unit_test(the_partition_list_looks_like_the_boot_loaders),
        cmocka_unit_test(usage_words_follow_type_and_subtype),
        cmocka_unit_test(boot_events_have_the_vendors_words),
        cmocka_unit_test(every_boot_event_has_a_line_or_is_known_to_have_none),
        cmocka_unit_test(ota_events_have_the_vendors_words),
        cmocka_unit_test(segments_are_told_as_in_the_boot_log),
        cmocka_unit_test(every_check_has_a_name_and_an_explanation),
        cmocka_unit_test(error_numbers_have_the_vendors_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
