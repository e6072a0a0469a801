/* User partitions. See at_customize.h. */
#include "esp/esp-idf/at_customize.h"

#include <pthread.h>
#include <string.h>

#include "core/part_customize.h"
#include "device/board.h"
#include "esp/esp-idf/idf_device.h"
#include "esp/esp-idf/kernel.h"
#include "esp_log.h"
#include "host/crypto_openssl.h"
#include "host/vendor_log.h"

static const char *TAG = "at-customize";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const esp_partition_t *user[AL_PART_MAX];
static size_t user_count;

static esp_err_t refuse(esp_err_t err, const char *why)
{
    ESP_LOGE(TAG, "find secondary partition failed: %s", why);
    return err;
}

static esp_err_t load(void)
{
    static struct al_part_table table;
    struct al_part_fault fault;
    char why[300];
    const struct al_ota *o = idf_device_lock();
    const struct al_part *area = al_part_customize_area(o->table);
    idf_device_unlock(); /* the table stays */
    if (!area) return refuse(ESP_ERR_NOT_FOUND, "there is no partition at_customize");
    int err = al_part_customize_read(&board()->nor.flash, area, &crypto_openssl, &table, &fault);
    if (err) {
        part_fault_explain(&fault, why, sizeof why);
        return refuse(idf_err(err), why);
    }
    esp_err_t added = idf_partition_add_user(table.part, table.count, user);
    if (added) return refuse(added, "out of memory");
    user_count = table.count;
    for (size_t i = 0; i < user_count; i++)
        ESP_LOGD(TAG, "%s: type 0x%x subtype 0x%x at 0x%lx size 0x%lx", user[i]->label,
                 user[i]->type, user[i]->subtype, (unsigned long)user[i]->address,
                 (unsigned long)user[i]->size);
    return ESP_OK;
}

esp_err_t idf_at_customize_load(void)
{
    kernel_hold(); /* a deleted task must not take the lock with it */
    pthread_mutex_lock(&lock);
    esp_err_t err = user_count ? ESP_OK : load();
    pthread_mutex_unlock(&lock);
    kernel_release();
    return err;
}

const esp_partition_t *idf_at_customize_at(size_t index)
{
    pthread_mutex_lock(&lock);
    const esp_partition_t *p = index < user_count ? user[index] : NULL;
    pthread_mutex_unlock(&lock);
    return p;
}

const esp_partition_t *idf_at_customize_find(const char *label)
{
    const esp_partition_t *p;
    for (size_t i = 0; (p = idf_at_customize_at(i)); i++)
        if (strcmp(p->label, label) == 0) return p;
    return NULL;
}
