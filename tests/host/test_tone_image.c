#include "host/tone_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/err.h"
#include "host/file.h"

#define VECTORS "tests/vectors/at-adf/"

static char dir[] = "/tmp/airlift-tones-XXXXXX";
static char why[400];

static int setup(void **state)
{
    strcpy(dir + strlen(dir) - 6, "XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static void put(const char *name, const void *data, size_t len)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(file_write(path, data, len, 0644), 0);
}

static void build(const struct tone_image_options *o, const char *from, uint8_t **out, size_t *len)
{
    struct tone_folder folder;
    assert_int_equal(tone_folder_read(&folder, from, why, sizeof why), 0);
    assert_int_equal(tone_image_build(&folder, o, out, len, why, sizeof why), 0);
    tone_folder_free(&folder);
}

static void check_same(const uint8_t *data, size_t len, const char *vector)
{
    uint8_t *expected;
    size_t expected_len;
    assert_int_equal(file_read(vector, 1 << 20, &expected, &expected_len), 0);
    assert_int_equal(len, expected_len);
    assert_memory_equal(data, expected, len);
    free(expected);
}

static void images_have_the_bytes_of_the_vendors_tool(void **state)
{
    static const char *const versions[] = {"v1.0.0", "v1.0.1"};
    for (size_t i = 0; i < 2; i++) {
        struct tone_image_options o = {
            .format = 1, .version = versions[i], .time = "07:43:44", .date = "2026-11-20"};
        char path[100];
        uint8_t *data;
        size_t len;
        build(&o, VECTORS, &data, &len);
        snprintf(path, sizeof path, VECTORS "tone_f1_%s.bin", versions[i]);
        check_same(data, len, path);
        free(data);
    }
}

static void files_of_an_image_make_the_same_image_again(void **state)
{
    struct tone_bytes bytes;
    uint8_t *data, *again;
    size_t len;
    struct al_tone tone;
    struct al_tone_file file;
    struct al_tone_fault fault;
    assert_int_equal(file_read(VECTORS "tone_f0_21files.bin", 1 << 20, &data, &len), 0);
    bytes = (struct tone_bytes){data, len};
    struct al_tone_source source = tone_image_source(&bytes);
    assert_int_equal(al_tone_open(&tone, &source, &fault), 0);
    for (uint32_t i = 0; i < tone.count; i++) {
        char name[20];
        assert_int_equal(al_tone_read_file(&tone, i, &file, &fault), 0);
        snprintf(name, sizeof name, "%03u.%s", i, tone_image_type_name(file.type));
        put(name, data + file.address, file.length);
    }
    free(data);
    build(&(struct tone_image_options){.format = 0}, dir, &again, &len);
    check_same(again, len, VECTORS "tone_f0_21files.bin");
    free(again);
}

static void files_come_in_the_order_of_their_names(void **state)
{
    struct tone_folder f;
    put("b.mp3", "b", 1);
    put("a.wav", "a", 1);
    put("B.mp3", "B", 1);
    put("notes.txt", "n", 1);
    put("c.MP3", "C", 1);
    assert_int_equal(tone_folder_read(&f, dir, why, sizeof why), 0);
    assert_int_equal(f.count, 3);
    assert_string_equal(f.name[0], "B.mp3");
    assert_string_equal(f.name[1], "a.wav");
    assert_string_equal(f.name[2], "b.mp3");
    tone_folder_free(&f);
}

static void an_empty_file_has_no_bytes_and_no_padding(void **state)
{
    uint8_t *data;
    size_t len;
    struct al_tone tone;
    struct al_tone_fault fault;
    uint32_t end;
    put("a.mp3", "", 0);
    put("b.wav", "1234", 4);
    build(&(struct tone_image_options){.format = 0}, dir, &data, &len);
    assert_int_equal(len, 8 + 2 * 64 + 4);
    struct tone_bytes bytes = {data, len};
    struct al_tone_source source = tone_image_source(&bytes);
    assert_int_equal(al_tone_open(&tone, &source, &fault), 0);
    assert_int_equal(al_tone_verify(&tone, &end, &fault), 0);
    assert_int_equal(end, len);
    free(data);
}

static void a_folder_without_tones_is_refused(void **state)
{
    struct tone_folder f;
    put("readme.txt", "x", 1);
    assert_int_equal(tone_folder_read(&f, dir, why, sizeof why), AL_FAIL);
    assert_non_null(strstr(why, "no file ends with .mp3 or .wav"));
    assert_int_equal(tone_folder_read(&f, "/nonexistent", why, sizeof why), AL_FAIL);
    assert_non_null(strstr(why, "No such file"));
}

static void the_257th_file_is_one_too_many(void **state)
{
    struct tone_folder f;
    char name[20];
    for (int i = 0; i < 257; i++) {
        if (i == 256) {
            assert_int_equal(tone_folder_read(&f, dir, why, sizeof why), 0);
            assert_int_equal(f.count, 256);
            tone_folder_free(&f);
        }
        snprintf(name, sizeof name, "%d.mp3", i);
        put(name, "x", 1);
    }
    assert_int_equal(tone_folder_read(&f, dir, why, sizeof why), AL_FAIL);
    assert_non_null(strstr(why, "more than 256"));
}

static void a_version_that_does_not_fit_is_refused(void **state)
{
    struct tone_folder f;
    struct tone_image_options o = {
        .format = 1, .version = "v1.2.3-and-a-very-long-name-of-it", .time = "", .date = ""};
    uint8_t *data;
    size_t len;
    put("a.mp3", "x", 1);
    assert_int_equal(tone_folder_read(&f, dir, why, sizeof why), 0);
    assert_int_equal(tone_image_build(&f, &o, &data, &len, why, sizeof why), AL_FAIL);
    assert_non_null(strstr(why, "room for 31"));
    tone_folder_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_have_the_bytes_of_the_vendors_tool),
        cmocka_unit_test_setup_teardown(files_of_an_image_make_the_same_image_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(files_come_in_the_order_of_their_names, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_file_has_no_bytes_and_no_padding, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_without_tones_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(the_257th_file_is_one_too_many, setup, teardown),
        cmocka_unit_test_setup_teardown(a_version_that_does_not_fit_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
