/* The images of a gateway: a directory with an index.json, what is taken and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/err.h"
#include "host/crypto_openssl.h"
#include "host/file.h"
#include "host/zigbee_file.h"
#include "server/gateway_images.h"

#define VECTORS "tests/vectors/zigbee-ota/"

struct place {
    char dir[64];
    struct gateway_images *images;
    char told[8000];
};

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    snprintf(p->dir, sizeof p->dir, "/tmp/airlift-images-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    p->images = gateway_images_new();
    assert_non_null(p->images);
    *state = p;
    return 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;
    char command[100];
    gateway_images_free(p->images);
    snprintf(command, sizeof command, "rm -rf %s", p->dir);
    assert_int_equal(system(command), 0);
    free(p);
    return 0;
}

static void note(void *ctx, const char *line)
{
    struct place *p = ctx;
    size_t used = strlen(p->told);
    snprintf(p->told + used, sizeof p->told - used, "%s\n", line);
}

static void scan(struct place *p)
{
    char error[200];
    p->told[0] = '\0';
    assert_int_equal(gateway_images_scan(p->images, p->dir, note, p, error, sizeof error), 0);
}

static void put(const struct place *p, const char *name, const void *data, size_t len)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    assert_int_equal(file_write(path, data, len, 0644), 0);
}

static size_t make_file(uint8_t *out, uint32_t version, size_t len)
{
    struct al_zfile_header h = {.header_version = AL_ZFILE_HEADER_VERSION,
                                .manufacturer = 0x131b,
                                .image_type = 0x1011,
                                .file_version = version};
    uint16_t header = al_zfile_header_size(0);
    h.total_image_size = (uint32_t)(header + AL_ZFILE_ELEMENT_HEADER + len);
    memset(out, 0, h.total_image_size);
    al_zfile_build_header(&h, out);
    al_put_le32(out + header + 2, (uint32_t)len);
    return h.total_image_size;
}

static void put_image(const struct place *p, const char *name, uint32_t version, size_t len)
{
    uint8_t file[4096];
    put(p, name, file, make_file(file, version, len));
}

static const struct gateway_image *named(const struct place *p, const char *name)
{
    for (size_t i = 0; i < gateway_images_count(p->images); i++)
        if (strcmp(gateway_images_at(p->images, i)->name, name) == 0)
            return gateway_images_at(p->images, i);
    return NULL;
}

static void files_come_change_and_go(void **state)
{
    struct place *p = *state;
    char path[200];
    put_image(p, "a.zigbee", 1, 100);
    put_image(p, ".hidden", 1, 100);
    put(p, "notes.txt", "nothing", 7);
    scan(p);
    assert_int_equal(gateway_images_count(p->images), 1);
    assert_non_null(strstr(p->told, "a.zigbee: manufacturer 0x131b"));
    assert_non_null(strstr(p->told, "notes.txt: not taken"));
    uint64_t ref = named(p, "a.zigbee")->ref;
    scan(p);
    assert_string_equal(p->told, ""); /* what was told is not told again */
    put_image(p, "a.zigbee", 2, 120);
    scan(p);
    assert_int_equal(named(p, "a.zigbee")->header.file_version, 2);
    assert_int_not_equal(named(p, "a.zigbee")->ref, ref);
    assert_null(gateway_images_of(p->images, ref));
    snprintf(path, sizeof path, "%s/a.zigbee", p->dir);
    assert_int_equal(unlink(path), 0);
    scan(p);
    assert_int_equal(gateway_images_count(p->images), 0);
    assert_non_null(strstr(p->told, "no longer there"));
}

static bool yes(void *ctx, uint64_t ref)
{
    return true;
}

static bool no(void *ctx, uint64_t ref)
{
    return false;
}

static void what_is_in_use_stays_readable(void **state)
{
    struct place *p = *state;
    uint8_t file[4096], got[64];
    size_t len = make_file(file, 1, 300);
    put(p, "a", file, len);
    scan(p);
    uint64_t ref = named(p, "a")->ref;
    gateway_images_use(p->images, yes, NULL);
    put_image(p, "a", 2, 300);
    scan(p);
    assert_int_equal(gateway_images_count(p->images), 2);
    assert_int_equal(gateway_images_read(p->images, ref, 10, got, sizeof got), sizeof got);
    assert_memory_equal(got, file + 10, sizeof got);
    assert_int_equal(gateway_images_read(p->images, ref, (uint32_t)len - 4, got, 64), 4);
    assert_int_equal(gateway_images_read(p->images, ref, (uint32_t)len, got, 64), AL_ERR_NOT_FOUND);
    gateway_images_use(p->images, no, NULL);
    assert_int_equal(gateway_images_count(p->images), 1);
    assert_int_equal(gateway_images_read(p->images, ref, 0, got, 64), AL_ERR_NOT_FOUND);
}

static void the_index_is_honoured(void **state)
{
    struct place *p = *state;
    static const char index[] =
        "[{\"fileName\":\"a.ota\",\"modelId\":\"plug\",\"manufacturerName\":[\"X\",\"Y\"],"
        "\"minFileVersion\":5,\"maxFileVersion\":9,\"hardwareVersionMin\":2,\"force\":true},"
        "{\"url\":\"https://example.com/x/b.ota\",\"modelId\":\"lamp\"},"
        "{\"fileName\":\"c.ota\",\"fileSize\":1},"
        "{\"fileName\":\"d.ota\",\"sha512\":\"00\"}]";
    for (int i = 0; i < 4; i++)
        put_image(p, (const char *const[]){"a.ota", "b.ota", "c.ota", "d.ota"}[i], 1, 50);
    put(p, "index.json", index, sizeof index - 1);
    scan(p);
    const struct gateway_image *a = named(p, "a.ota");
    assert_string_equal(a->model, "plug");
    assert_string_equal(a->manufacturers[1], "Y");
    assert_int_equal(a->limits.min_running, 5);
    assert_int_equal(a->limits.max_running, 9);
    assert_true(a->limits.has_hardware && a->limits.force);
    assert_int_equal(a->limits.max_hardware, 0xffff);
    assert_string_equal(named(p, "b.ota")->model, "lamp");
    assert_null(named(p, "c.ota"));
    assert_null(named(p, "d.ota"));
    assert_non_null(strstr(p->told, "c.ota: not taken: index.json says fileSize 1"));
    assert_non_null(strstr(p->told, "SHA-512"));
    put(p, "index.json", "{", 1); /* changed: everything is read anew */
    scan(p);
    assert_string_equal(named(p, "a.ota")->model, "");
    assert_non_null(named(p, "c.ota"));
    assert_non_null(strstr(p->told, "expected a JSON array"));
}

static size_t copy_vectors(const struct place *p, const char *sub)
{
    char path[400];
    size_t count = 0;
    snprintf(path, sizeof path, VECTORS "%s", sub);
    DIR *d = opendir(path);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        uint8_t *data;
        size_t len;
        snprintf(path, sizeof path, VECTORS "%s/%s", sub, e->d_name);
        if (e->d_name[0] == '.' || file_read(path, 1u << 24, &data, &len)) continue;
        put(p, e->d_name, data, len);
        free(data);
        count++;
    }
    closedir(d);
    return count;
}

/* Wrapped ones too: what other programs made can be handed out. */
/* A limit that cannot be read must not be none. */
static void an_index_of_wrong_types_is_refused(void **state)
{
    static const char *const wrong[] = {
        "\"modelId\":5",
        "\"manufacturerName\":[\"A\",1]",
        "\"manufacturerName\":{}",
        "\"minFileVersion\":\"2\"",
        "\"maxFileVersion\":-1",
        "\"hardwareVersionMin\":65536",
        "\"sha512\":1",
        "\"fileSize\":[]",
    };
    struct place *p = *state;
    char index[200], name[40];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(name, sizeof name, "%zu.ota", i); /* another, so that it is told of */
        snprintf(index, sizeof index, "[{\"fileName\":\"%s\",%s}]", name, wrong[i]);
        put_image(p, name, 1, 100);
        put(p, "index.json", index, strlen(index));
        scan(p);
        assert_non_null(strstr(p->told, ".ota: not taken: \""));
        assert_non_null(strstr(p->told, "in index.json has the wrong type or range"));
        assert_int_equal(gateway_images_count(p->images), i);
    }
}

static void every_valid_vector_is_taken(void **state)
{
    struct place *p = *state;
    size_t count = copy_vectors(p, "files");
    assert_true(count >= 10);
    scan(p);
    if (gateway_images_count(p->images) != count) fail_msg("%s", p->told);
}

static const struct gateway_image *find(struct place *p, struct al_zota_wanted w, const char *model,
                                        char why[200])
{
    struct gateway_image_target t = {model, ""};
    w.id.manufacturer = 0x131b;
    w.id.image_type = 0x1011;
    why[0] = '\0';
    return gateway_images_for(p->images, &w, &t, why, 200);
}

static void the_best_that_fits_is_chosen_and_why_not_is_told(void **state)
{
    struct place *p = *state;
    char why[200];
    static const char index[] = "[{\"fileName\":\"plug\",\"modelId\":\"plug\"}]";
    put_image(p, "one", 3, 50);
    put_image(p, "two", 5, 60);
    put_image(p, "plug", 9, 70);
    put(p, "index.json", index, sizeof index - 1);
    scan(p);
    struct al_zota_wanted w = {.id.file_version = 1};
    assert_string_equal(find(p, w, "lamp", why)->name, "two");
    assert_string_equal(find(p, w, "plug", why)->name, "plug");
    w.id.file_version = 6;
    assert_null(find(p, w, "lamp", why));
    assert_string_equal(why, "plug is for another model");
    assert_null(find(p, w, "", why));
    assert_non_null(strstr(why, "this device's is not known"));
    w.id.file_version = 9;
    assert_null(find(p, w, "plug", why));
    assert_string_equal(why, "plug is what the device runs");
}

#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(files_come_change_and_go),
        PLACE_TEST(what_is_in_use_stays_readable),
        PLACE_TEST(the_index_is_honoured),
        PLACE_TEST(an_index_of_wrong_types_is_refused),
        PLACE_TEST(every_valid_vector_is_taken),
        PLACE_TEST(the_best_that_fits_is_chosen_and_why_not_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
