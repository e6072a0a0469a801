/* Any bytes as a state file: opened, or refused by its name; what is opened takes a record and
 * is the same again after that. Bytes that are no such file are records (number u16, length
 * u8, data) instead, which lie in one: the last of a number counts. A coordinator starts on
 * whatever was read. */
#include <unistd.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "host/file.h"
#include "radio/zb_file.h"
#include "tests/fuzz/coordinator.h"

#define MAGIC      "AIRLIFTZ"
#define NEW_RECORD 0x7001u
#define IMAGE_MAX  65536u

static char dir[64], path[80];

static void remove_directory(void)
{
    unlink(path);
    rmdir(dir);
}

static int copy(void *ctx, uint16_t number, const void *data, size_t len)
{
    const struct al_zb_store *to = ctx;
    must(number != 0 && len > 0 && len <= ZB_FILE_RECORD_MAX);
    return to->save(to->ctx, number, data, len);
}

static int compare(void *ctx, uint16_t number, const void *data, size_t len)
{
    uint8_t other[ZB_FILE_RECORD_MAX];
    const struct al_zb_store *with = ctx;
    must(with->load(with->ctx, number, other, sizeof other) == (int)len);
    must(memcmp(other, data, len) == 0);
    return 0;
}

static struct zb_file *open_again(struct zb_file *f)
{
    char why[400];
    zb_file_close(f);
    f = zb_file_open(path, why, sizeof why);
    must(f != NULL);
    return f;
}

/* Both hold the same. */
static void compare_all(struct zb_file *f, struct zb_memory *records)
{
    struct al_zb_store file = *zb_file_store(f), memory = *zb_memory_store(records);
    must(zb_file_each(f, compare, &memory) == 0);
    must(zb_memory_each(records, compare, &file) == 0);
}

/* What is in the file, and after a save what was in it and the new record. */
static void use(struct zb_file *f, struct zb_memory *records)
{
    struct al_zb_store kept = *zb_memory_store(records);
    must(zb_file_each(f, copy, &kept) == 0);
    for (uint8_t value = 0; value < 2; value++) {
        const struct al_zb_store *s = zb_file_store(f);
        must(s->save(s->ctx, NEW_RECORD, &value, 1) == 0);
        must(kept.save(kept.ctx, NEW_RECORD, &value, 1) == 0);
        f = open_again(f);
        compare_all(f, records);
    }
    zb_file_close(f);
}

/* The records as a file, and as they should be read. */
static size_t build(const uint8_t *data, size_t size, uint8_t *image,
                    const struct al_zb_store *expected)
{
    struct al_cur c = al_cur(data, size);
    size_t len = 16;
    memset(image, 0, len);
    memcpy(image, MAGIC, 8);
    al_put_le32(image + 8, 1);
    for (;;) {
        uint16_t number = al_le16(&c);
        uint8_t count = al_u8(&c);
        const uint8_t *bytes = al_take(&c, count);
        if (c.failed || len + count + 8 > IMAGE_MAX) return len;
        if (!number) number = 1;
        al_put_le16(image + len, number);
        al_put_le16(image + len + 2, count);
        if (count) memcpy(image + len + 4, bytes, count);
        al_put_le32(image + len + 4 + count, al_crc32(0, image + len, 4u + count));
        len += 8u + count;
        must(expected->save(expected->ctx, number, bytes, count) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t image[IMAGE_MAX];
    char why[400] = "";
    bool raw = size >= 8 && memcmp(data, MAGIC, 8) == 0;
    struct zb_memory *records = zb_memory_new(), *expected = zb_memory_new();
    if (!dir[0]) {
        own_directory(dir, sizeof dir);
        snprintf(path, sizeof path, "%s/state", dir);
        atexit(remove_directory);
    }
    size_t len = raw ? size : build(data, size, image, zb_memory_store(expected));
    must(file_write(path, raw ? data : image, len, 0600) == 0);
    struct zb_file *f = zb_file_open(path, why, sizeof why);
    must(f || (raw && strncmp(why, path, strlen(path)) == 0));
    if (f && !raw) compare_all(f, expected);
    if (f) {
        use(f, records);
        resume(zb_memory_store(records));
    }
    zb_memory_free(records);
    zb_memory_free(expected);
    return 0;
}
