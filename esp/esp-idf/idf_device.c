#include "esp/esp-idf/idf_device.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/secure_boot_v1.h"
#include "device/board.h"
#include "esp/esp-idf/airlift_config.h"
#include "esp/esp-idf/kernel.h"
#include "esp_flash.h"
#include "esp_flash_encrypt.h"
#include "esp_log.h"
#include "host/crypto_openssl.h"
#include "host/vendor_log.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t loaded = PTHREAD_ONCE_INIT;
static struct al_part_table table;
static struct al_trusted_keys keys;
static struct al_ota ota;
static struct al_part *extra;

void idf_log_vendor_line(const struct vendor_line *line)
{
    static const char letters[] = "-EWIDV";
    const char *letter = line->level ? strchr(letters, line->level) : NULL;
    if (letter) esp_log_line((esp_log_level_t)(letter - letters), line->tag, "%s", line->text);
}

static void log_event(void *ctx, const struct al_ota_event_args *a)
{
    struct vendor_line line;
    vendor_line_ota(a, &line);
    idf_log_vendor_line(&line);
}

struct al_image_rules idf_device_rules(enum al_image_kind kind)
{
    struct al_image_rules rules = {
        .crypto = &crypto_openssl,
        .kind = kind,
        .keys = keys.count ? &keys : NULL,
        .skip_hash = kind == AL_IMAGE_BOOTLOADER && !keys.count,
    };
    efuse_device_ids(&board()->efuse, &rules.device);
    return rules;
}

/* The build puts the public half of the signing key into an app of Secure Boot V1, whose
 * signature names no key: X.509 SubjectPublicKeyInfo, which ends with the point's x and y. */
extern const uint8_t verification_key_start[] __asm__("_binary_signature_verification_key_start")
    __attribute__((weak));
extern const uint8_t verification_key_end[] __asm__("_binary_signature_verification_key_end")
    __attribute__((weak));

static struct al_sig_v1 own_key;

static void trust_own_key(void)
{
    size_t len = (size_t)(verification_key_end - verification_key_start);
    if (len < 64) return;
    al_sig_v1_init(&own_key, verification_key_start + len - 64);
    keys.v1 = &own_key;
    keys.count = 1;
}

/* Signed on update without Secure Boot: whoever signed the running app may sign
 * the next one. Only its first block counts. */
static void trust_running_app(const struct al_part *running)
{
    struct al_window slot;
    struct al_image image;
    struct al_sig_block block;
    uint8_t raw[AL_SIG_BLOCK_LEN];
    struct al_image_rules rules = idf_device_rules(AL_IMAGE_APP);
    if (al_part_window(ota.flash, running, &slot) || al_image_verify(&slot, &rules, &image, NULL))
        return;
    uint32_t at = (image.image_len + AL_SIG_SECTOR - 1) / AL_SIG_SECTOR * AL_SIG_SECTOR;
    if (al_window_read(&slot, at, raw, sizeof raw) || al_sig_block_parse(raw, &block) ||
        al_sig_key_digest(raw, &block, &crypto_openssl, keys.digest[0]))
        return;
    keys.version = block.version;
    keys.curve = block.version == AL_SIG_ECDSA ? block.curve : 0;
    keys.first_block_only = true;
    keys.count = 1;
}

static void load_keys(void)
{
    if (efuse_secure_boot(&board()->efuse)) {
        efuse_keys(&board()->efuse, &keys);
        if (airlift_config_bool("SECURE_SIGNED_APPS_ECDSA_V2_SCHEME")) keys.version = AL_SIG_ECDSA;
    } else if (airlift_config_bool("SECURE_SIGNED_ON_UPDATE") ||
               airlift_config_bool("SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT")) {
        if (airlift_config_bool("SECURE_SIGNED_APPS_ECDSA_SCHEME"))
            trust_own_key();
        else if (ota.running)
            trust_running_app(ota.running);
        /* An app without signature trusts nobody: then no update verifies. */
        if (!keys.count) keys = (struct al_trusted_keys){.version = AL_SIG_RSA, .count = 1};
    }
}

static void load(void)
{
    struct board *b = board();
    struct al_part_fault fault;
    ota.flash = &b->nor.flash;
    ota.table = &table;
    ota.crypto = &crypto_openssl;
    efuse_device_ids(&b->efuse, &ota.device);
    ota.rollback = airlift_config_bool("BOOTLOADER_APP_ROLLBACK_ENABLE");
    ota.anti_rollback = airlift_config_bool("BOOTLOADER_APP_ANTI_ROLLBACK");
    ota.flash_encryption = esp_flash_encryption_enabled();
    ota.secure_version = &b->efuse.secure_version;
    ota.signed_data = airlift_config_bool("APP_UPDATE_SECURE_SIGNED_DATA_PARTITION");
    ota.bootloader_offset = b->control->bootloader_offset;
    ota.table_offset = b->control->table_offset;
    ota.event = log_event;
    if (al_part_table_load(ota.flash, b->control->table_offset,
                           airlift_config_bool("PARTITION_TABLE_MD5"), &crypto_openssl, &table,
                           &fault)) {
        struct vendor_line line;
        vendor_line_table(&fault, &line);
        idf_log_vendor_line(&line);
        esp_log_line(ESP_LOG_ERROR, "partition", "The partition table at 0x%x cannot be used",
                     b->control->table_offset);
    }
    for (uint32_t i = 0; i < table.count; i++)
        if (table.part[i].type == AL_PART_APP && table.part[i].offset == b->control->running_offset)
            ota.running = &table.part[i];
    load_keys();
    ota.keys = keys.count ? &keys : NULL;
}

struct al_ota *idf_device_lock(void)
{
    pthread_once(&loaded, load);
    kernel_hold(); /* events are logged while the lock is held */
    pthread_mutex_lock(&lock);
    return &ota;
}

void idf_device_unlock(void)
{
    pthread_mutex_unlock(&lock);
    kernel_release();
}

void idf_device_refresh_keys(void)
{
    struct al_ota *o = idf_device_lock();
    load_keys();
    o->keys = keys.count ? &keys : NULL;
    idf_device_unlock();
}

bool idf_device_set_extra(const struct al_part *parts, uint32_t count)
{
    struct al_part *copy = malloc((count ? count : 1) * sizeof *copy);
    if (!copy) return false;
    if (count) memcpy(copy, parts, count * sizeof *copy);
    struct al_ota *o = idf_device_lock();
    free(extra);
    o->extra = extra = copy;
    o->extra_count = count;
    idf_device_unlock();
    return true;
}

struct al_part idf_part(const esp_partition_t *p)
{
    struct al_part out = {
        .type = (uint8_t)p->type,
        .subtype = (uint8_t)p->subtype,
        .offset = p->address,
        .size = p->size,
        .flags = (p->encrypted ? AL_PART_ENCRYPTED : 0) | (p->readonly ? AL_PART_READONLY : 0),
    };
    memcpy(out.label, p->label, sizeof out.label);
    out.label[sizeof out.label - 1] = 0;
    return out;
}

/* What a chip encrypts whatever the flag says (partition.c). */
static bool always_encrypted(const struct al_part *p)
{
    if (p->type == AL_PART_DATA)
        return p->subtype == AL_PART_DATA_OTA || p->subtype == ESP_PARTITION_SUBTYPE_DATA_TEE_OTA ||
               p->subtype == ESP_PARTITION_SUBTYPE_DATA_NVS_KEYS;
    return p->type == AL_PART_APP || p->type == AL_PART_BOOTLOADER ||
           p->type == AL_PART_PARTITION_TABLE;
}

void idf_partition(const struct al_part *p, esp_partition_t *out)
{
    *out = (esp_partition_t){
        .flash_chip = esp_flash_default_chip,
        .type = p->type,
        .subtype = p->subtype,
        .address = p->offset,
        .size = p->size,
        .erase_size = AL_SECTOR,
        .encrypted =
            esp_flash_encryption_enabled() && (always_encrypted(p) || p->flags & AL_PART_ENCRYPTED),
        .readonly = p->flags & AL_PART_READONLY,
    };
    memcpy(out->label, p->label, sizeof out->label);
}

esp_err_t idf_window(const esp_partition_t *p, struct al_window *out)
{
    struct al_window all = al_window_all(&board()->nor.flash);
    int err = al_window_sub(&all, p->address, p->size, out);
    out->readonly = !err && p->readonly;
    return idf_err(err);
}
