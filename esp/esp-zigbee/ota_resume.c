#include "esp/esp-zigbee/ota_resume.h"

#include <stdlib.h>

#include "esp/esp-zigbee/stack.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "mbedtls/sha256.h"
#include "zigbee/ota_file.h"

#define KEY "ota_client"

enum { DIGEST = 32, HEAD = 96 }; /* HEAD: header, and the first element's in most files */

struct kept {
    struct al_zota_progress progress;
    uint16_t header_len;
    uint8_t head[HEAD];
    uint8_t digest[DIGEST];
};

static struct kept now;   /* of the download under way */
static uint32_t digested; /* bytes in sum, and of these in now.head up to HEAD */
static mbedtls_sha256_context sum;

void ota_resume_begin(void)
{
    mbedtls_sha256_free(&sum);
    mbedtls_sha256_init(&sum);
    mbedtls_sha256_starts(&sum, 0);
    memset(&now, 0, sizeof now);
    digested = 0;
}

void ota_resume_add(const uint8_t *bytes, size_t len)
{
    if (digested < HEAD) {
        size_t n = HEAD - digested < len ? HEAD - digested : len;
        memcpy(now.head + digested, bytes, n);
    }
    mbedtls_sha256_update(&sum, bytes, len);
    digested += (uint32_t)len;
}

void ota_resume_save(const struct al_zota_progress *p, uint16_t header_len)
{
    mbedtls_sha256_context copy;
    if (p->magic != AL_ZOTA_PROGRESS_MAGIC || !p->offset) {
        zb_store_save_blob(KEY, NULL, 0);
        return;
    }
    if (p->offset != digested || !header_len) return; /* not of this run */
    now.progress = *p;
    now.header_len = header_len;
    mbedtls_sha256_init(&copy);
    mbedtls_sha256_clone(&copy, &sum);
    mbedtls_sha256_finish(&copy, now.digest);
    mbedtls_sha256_free(&copy);
    zb_store_save_blob(KEY, &now, sizeof now);
}

static bool load(struct kept *k)
{
    return zb_store_load_blob(KEY, k, sizeof *k) == sizeof *k &&
           k->progress.magic == AL_ZOTA_PROGRESS_MAGIC;
}

bool ota_resume_progress(struct al_zota_progress *p)
{
    struct kept k;
    if (!load(&k)) return false;
    *p = k.progress;
    return true;
}

static bool has_digest(const uint8_t *bytes, uint32_t len, const uint8_t digest[DIGEST])
{
    uint8_t own[DIGEST];
    mbedtls_sha256(bytes, len, own, 0);
    return memcmp(own, digest, DIGEST) == 0;
}

/* The file up to offset, if its bytes from skip on are those of the slot. */
static bool compose(uint8_t *out, const struct kept *k, uint32_t skip, const esp_partition_t *slot)
{
    uint32_t offset = k->progress.offset;
    if (skip > HEAD || skip > offset || offset - skip > slot->size) return false;
    memcpy(out, k->head, skip);
    if (esp_partition_read(slot, 0, out + skip, offset - skip)) return false;
    return has_digest(out, offset, k->digest);
}

uint8_t *ota_resume_load(const struct al_zota_file *file, uint32_t offset)
{
    struct kept k;
    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    if (!slot || !load(&k) || k.progress.offset != offset || k.progress.file.size != file->size)
        return NULL;
    uint8_t *out = malloc(offset);
    /* Applications write the image, or all behind the OTA header. */
    if (out && (compose(out, &k, k.header_len + AL_ZFILE_ELEMENT_HEADER, slot) ||
                compose(out, &k, k.header_len, slot)))
        return out;
    ESP_LOGW(ZB_TAG, "what was downloaded before is not in the slot any more: from the beginning");
    free(out);
    return NULL;
}

void ota_resume_free(uint8_t *bytes)
{
    free(bytes);
}
