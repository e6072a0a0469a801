#include "tests/support/ota_files.h"

#include "tests/support/http_peer.h"
#include "tests/support/test_board.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

void ota_files_make(struct ota_files *f)
{
    size_t len;
    test_board_new();
    f->root = test_dir_new();
    f->image = vector_file(&len, "%s", "esp-flash/image/app_c3_v2.bin");
    assert_int_equal(len, OTA_IMAGE_LEN);
    ota_files_add(f, "app.bin", OTA_IMAGE_LEN, 0, f->image[0]);
}

void ota_files_add(struct ota_files *f, const char *name, size_t len, size_t at, uint8_t byte)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", f->root, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    uint8_t before = f->image[at];
    f->image[at] = byte;
    assert_int_equal(fwrite(f->image, 1, len, out), len);
    f->image[at] = before;
    fclose(out);
}

void ota_files_remove(struct ota_files *f)
{
    test_dir_remove(f->root);
    free(f->image);
}

void ota_files_assert_slot(const struct ota_files *f, uint32_t slot, size_t len)
{
    assert_memory_equal(board()->nor.bytes + slot, f->image, len);
}
