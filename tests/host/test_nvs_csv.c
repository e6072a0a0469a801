#include "host/nvs_csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/support/nvs_case.h"

static char why[256];
static unsigned warned;

static void count_warning(void *ctx, unsigned line, const char *text)
{
    warned = line;
}

static uint8_t *build(const char *text, uint32_t size, unsigned version)
{
    struct nvs_csv_options o = {.size = size, .version = version, .warn = count_warning};
    uint8_t *out = NULL;

    warned = 0;
    why[0] = 0;
    if (nvs_csv_build(text, strlen(text), &o, &out, why, sizeof why)) assert_null(out);
    return out;
}

static void gives_the_bytes_of_the_vendors_generator(void **state)
{
    cJSON *all = vector_json("nvs/expected.json");
    const cJSON *image;
    int count = 0;

    cJSON_ArrayForEach(image, vector_get(all, "images"))
    {
        const cJSON *csv = cJSON_GetObjectItem(image, "csv");
        const char *by = vector_string(image, "by"), *size = strstr(by, "0x");
        const char *version = strstr(by, "--version ");
        if (!csv || strncmp(by, "generate ", 9) != 0) continue;
        size_t text_len, len;
        uint8_t *text = vector_file(&text_len, "nvs/%s", csv->valuestring);
        uint8_t *wanted = vector_file(&len, "nvs/%s", image->string);
        uint8_t *got = build((char *)text, (uint32_t)strtoul(size, NULL, 0),
                             version ? (unsigned)atoi(version + 10) : 0);
        if (!got) fail_msg("%s: %s", image->string, why);
        for (size_t i = 0; i < len; i++)
            if (got[i] != wanted[i]) fail_msg("%s differs at 0x%zx", image->string, i);
        free(got);
        free(wanted);
        free(text);
        count++;
    }
    assert_int_equal(count, 6);
    cJSON_Delete(all);
}

#define HEAD "key,type,encoding,value\n"

static void refuse(const char *text, uint32_t size, unsigned version, const char *word)
{
    assert_null(build(text, size, version));
    if (!strstr(why, word)) fail_msg("'%s' lacks '%s'", why, word);
}

static void bad_rows_are_refused_with_their_line(void **state)
{
    refuse("", 0x3000, 2, "empty");
    refuse("a,b\n", 0x3000, 2, "line 1: no column 'key'");
    refuse(HEAD "x,data,u8,1\n", 0x3000, 2, "line 2: 'x' has no namespace");
    refuse(HEAD "n,namespace,,\nx,data,u8,256\n", 0x3000, 2, "line 3: 256 does not fit u8");
    refuse(HEAD "n,namespace,,\nx,data,i8,-129\n", 0x3000, 2, "does not fit i8");
    refuse(HEAD "n,namespace,,\nx,data,u16,-1\n", 0x3000, 2, "does not fit u16");
    refuse(HEAD "n,namespace,,\nx,data,u64,18446744073709551616\n", 0x3000, 2, "no number");
    refuse(HEAD "n,namespace,,\nx,data,u8,1x\n", 0x3000, 2, "no number");
    refuse(HEAD "n,namespace,,\nx,data,hex2bin,abc\n", 0x3000, 2, "two digits a byte");
    refuse(HEAD "n,namespace,,\nx,data,hex2bin,zz\n", 0x3000, 2, "no hex byte");
    refuse(HEAD "n,namespace,,\nx,data,base64,A?==\n", 0x3000, 2, "no base64");
    refuse(HEAD "n,namespace,,\nx,data,float,1\n", 0x3000, 2, "encoding 'float' is unknown");
    refuse(HEAD "n,namespace,,\nx,thing,u8,1\n", 0x3000, 2, "type 'thing' is unknown");
    refuse(HEAD "n,namespace,,\nsixteen-letters!,data,u8,1\n", 0x3000, 2, "15 at most");
    refuse(HEAD "n,namespace,,\nx,data,string,\"open\n", 0x3000, 2, "never closed");
    refuse(HEAD "n,namespace,,\nx,file,binary,/no/such/file\n", 0x3000, 2, "cannot read");
    refuse(HEAD, 0x3001, 2, "no multiple of 4096");
    refuse(HEAD, 0x3000, 3, "version 3");
}

static void values_that_are_too_long_are_refused(void **state)
{
    char text[9000];

    snprintf(text, sizeof text, HEAD "n,namespace,,\ns,data,string,%04000d\n", 1);
    refuse(text, 0x3000, 2, "4001 bytes");
    snprintf(text, sizeof text, HEAD "n,namespace,,\ns,data,string,%03999d\n", 1);
    refuse(text, 0x3000, 1, "1984");
    /* One page of items and its reserve cannot hold two such strings. */
    snprintf(text, sizeof text, HEAD "n,namespace,,\ns,data,string,%03500d\n", 1);
    free(build(text, 0x1000, 2));
    assert_string_equal(why, "");
    snprintf(text, sizeof text,
             HEAD "n,namespace,,\ns,data,string,%03500d\nt,data,string,%03500d\n", 1, 2);
    refuse(text, 0x1000, 2, "partition is full");
}

static void quotes_commas_comments_and_files_are_read(void **state)
{
    char path[] = "/tmp/airlift-nvs-XXXXXX", text[512], got[32];
    int fd = mkstemp(path);
    uint8_t ns, blob[4];

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "\x01\x00\xff", 3), 3);
    close(fd);
    snprintf(text, sizeof text,
             "\xef\xbb\xbf# made by hand\r\n" HEAD "a,namespace,,\r\n\r\n# more\r\n"
             "s,data,string,\"one, \"\"two\"\"\nthree\"\r\nn,data,i16, -0x10\r\nf,file,binary,%s",
             path);
    uint8_t *image = build(text, 0x3000, 2);
    if (!image) fail_msg("%s", why);
    struct nvs_case *c = nvs_case_new("erased:3", true);
    mem_flash_put(&c->mem, 0, image, 0x3000);
    assert_int_equal(nvs_case_init(c), 0);
    assert_int_equal(al_nvs_namespace(&c->nvs, "a", false, &ns), 0);
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_STR, "s", got, sizeof got, NULL), 0);
    assert_string_equal(got, "one, \"two\"\nthree");
    int16_t n;
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_I16, "n", &n, 2, NULL), 0);
    assert_int_equal(n, -16);
    size_t len;
    assert_int_equal(al_nvs_get(&c->nvs, ns, AL_NVS_BLOB, "f", blob, sizeof blob, &len), 0);
    assert_int_equal(len, 3);
    assert_memory_equal(blob, "\x01\x00\xff", 3);
    nvs_case_free(c);
    free(image);
    unlink(path);
}

static void namespace_named_again_is_warned_of(void **state)
{
    free(build(HEAD "a,namespace,,\nb,namespace,,\na,namespace,,\nx,data,u8,1\n", 0x3000, 2));
    assert_int_equal(warned, 4);
    free(build(HEAD "a,namespace,,\na,namespace,,\nx,data,u8,1\n", 0x3000, 2));
    assert_int_equal(warned, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_bytes_of_the_vendors_generator),
        cmocka_unit_test(bad_rows_are_refused_with_their_line),
        cmocka_unit_test(values_that_are_too_long_are_refused),
        cmocka_unit_test(quotes_commas_comments_and_files_are_read),
        cmocka_unit_test(namespace_named_again_is_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
