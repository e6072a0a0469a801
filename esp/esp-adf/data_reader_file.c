/* Reading a file of the SD card, as fatfs_stream does. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp/esp-adf/data_reader.h"
#include "esp/esp-adf/sdcard.h"
#include "esp_log.h"

static const char *TAG = "FATFS_STREAM";

struct file_reader {
    FILE *file;
    int64_t size, done;
    bool told;
};

/* What lies behind "://", with one slash in front. */
static void path_of(const char *uri, char *path, size_t size)
{
    const char *rest = strstr(uri, "://");
    rest = rest ? rest + 3 : uri;
    snprintf(path, size, "%s%s", *rest == '/' ? "" : "/", rest);
}

void *data_reader_file_open(const char *uri)
{
    char path[PATH_MAX];
    struct file_reader *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    path_of(uri, path, sizeof path);
    f->file = adf_sdcard_open(path, &f->size);
    if (!f->file) {
        ESP_LOGE(TAG, "Failed to open. File name: %s, error message: %s, line: %d", path,
                 strerror(errno), __LINE__);
        free(f);
        return NULL;
    }
    ESP_LOGI(TAG, "File size: %lld byte, file position: %d", (long long)f->size, 0);
    return f;
}

static int file_read(void *ctx, void *buf, size_t len)
{
    struct file_reader *f = ctx;
    size_t n = fread(buf, 1, len, f->file);
    f->done += (int64_t)n;
    if (n > 0) return (int)n;
    bool failed = ferror(f->file) || f->done < f->size;
    if (!f->told) {
        ESP_LOGW(TAG, "No more data, ret:%d", 0);
        if (failed)
            ESP_LOGE(TAG, "The file ended after %lld of its %lld bytes: %s", (long long)f->done,
                     (long long)f->size,
                     ferror(f->file) ? strerror(errno) : "it was cut meanwhile");
    }
    f->told = true;
    return failed ? DATA_READER_FAIL : 0;
}

static int64_t file_size(const void *ctx)
{
    return ((const struct file_reader *)ctx)->size;
}

static void file_close(void *ctx)
{
    struct file_reader *f = ctx;
    fclose(f->file);
    free(f);
}

const struct data_reader_ops data_reader_file = {
    .name = "file",
    .read = file_read,
    .size = file_size,
    .close = file_close,
};
