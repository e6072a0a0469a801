#include "progress.h"

#include "esp_log.h"

#define STEPS 10

static const char *TAG = "demo";
static int shown = -1;

void progress_reset(void)
{
    shown = -1;
}

void progress_show(size_t done, size_t total)
{
    static const char full[] = "##########";
    if (total == 0) return;
    int step = (int)(done * STEPS / total);
    if (step == shown) return;
    shown = step;
    ESP_LOGI(TAG, "[%-10.*s] %3d%%  %u / %u KiB", step, full, step * 100 / STEPS,
             (unsigned)(done / 1024), (unsigned)(total / 1024));
}
