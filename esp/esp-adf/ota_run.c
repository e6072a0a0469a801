#include "esp/esp-adf/ota_run.h"

#include <string.h>

#include "device/board.h"
#include "esp_log.h"
#include "host/crypto_openssl.h"

static _Thread_local struct ota_run *current;

void ota_run_set(struct ota_run *run)
{
    current = run;
}

struct ota_run *ota_run_current(void)
{
    return current;
}

bool ota_run_compat(void)
{
    return current ? current->options.compat_results : ota_service_default_options().compat_results;
}

bool ota_run_cancelled(void)
{
    return current && current->cancelled && current->cancelled(current->cancelled_ctx);
}

void ota_run_progress(int64_t done, int64_t total)
{
    if (current && current->options.progress)
        current->options.progress(current->options.progress_ctx, current->id, done, total);
}

bool ota_run_digest_fits(const uint8_t digest[32])
{
    char wanted[65], found[65];
    if (!current || !current->sha256 || !memcmp(current->sha256, digest, 32)) return true;
    crypto_hex(current->sha256, 32, wanted);
    crypto_hex(digest, 32, found);
    ESP_LOGE("OTA_DEFAULT", "The data has the SHA-256 %s, expected is %s: not used", found, wanted);
    return false;
}

void ota_pace_begin(struct ota_pace *p)
{
    p->begin_us = p->last_us = (int64_t)board_uptime_us();
    p->last_bytes = 0;
}

void ota_pace_log(struct ota_pace *p, const char *what, size_t bytes)
{
    int64_t now = (int64_t)board_uptime_us();
    if (now - p->last_us < 1000000) return;
    ESP_LOGI("OTA_DEFAULT", "%s process_size: %d KB, cur_size: %d bytes, total_speed: %d KB/s",
             what, (int)(bytes / 1024), (int)(bytes - p->last_bytes),
             (int)((int64_t)bytes * 1000000 / 1024 / (now - p->begin_us)));
    p->last_us = now;
    p->last_bytes = bytes;
}
