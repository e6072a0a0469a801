/* Slots and partitions for the page. See web_slots.h. */
#include "at/web_slots.h"

#include <string.h>

#include "at/at_version.h"
#include "at/web_text.h"
#include "esp/esp-idf/at_customize.h"
#include "esp/esp-idf/idf_device.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_random.h"
#include "host/crypto_openssl.h"

static const char *TAG = "at-web";

void web_slots_write_info(FILE *out)
{
    fputs("{\"state\":0,\"fw_version\":", out);
    web_json_text(out, esp_app_get_description()->version);
    fputs(",\"at_core_version\":", out);
    web_json_text(out, AT_CORE_VERSION);
    fputs(",\"partitions\":[\"ota\"", out);
    const esp_partition_t *p;
    for (size_t i = 0; (p = idf_at_customize_at(i)); i++) {
        fputc(',', out);
        web_json_text(out, p->label);
    }
    fputs("]}", out);
}

static const char *state_name(const esp_partition_t *slot)
{
    esp_ota_img_states_t state;
    if (web_upload_writes(slot->address)) return "writing";
    if (esp_ota_get_state_partition(slot, &state) != ESP_OK) return "undefined";
    switch (state) {
    case ESP_OTA_IMG_NEW:
        return "new";
    case ESP_OTA_IMG_PENDING_VERIFY:
        return "pending";
    case ESP_OTA_IMG_VALID:
        return "valid";
    case ESP_OTA_IMG_INVALID:
        return "invalid";
    case ESP_OTA_IMG_ABORTED:
        return "aborted";
    default:
        return "undefined";
    }
}

static void write_text(FILE *out, const char *key, const char *text)
{
    fprintf(out, ",\"%s\":", key);
    web_json_text(out, text);
}

/* Of a slot with a whole image. Its digest is the one behind the checksum. */
static void write_image(FILE *out, const esp_partition_t *slot, const esp_app_desc_t *desc,
                        const struct al_image *image)
{
    const struct al_chip *chip = al_chip_by_id(image->header.chip_id);
    static const uint8_t not_hashed[32];
    char text[65];
    snprintf(text, sizeof text, "%.32s", desc->project_name);
    write_text(out, "project", text);
    snprintf(text, sizeof text, "%.32s", desc->version);
    write_text(out, "version", text);
    write_text(out, "chip", chip ? chip->title : "unknown");
    fprintf(out, ",\"image_len\":%u", (unsigned)image->image_len);
    if (memcmp(image->hash, not_hashed, sizeof not_hashed) == 0) return;
    crypto_hex(image->hash, sizeof image->hash, text);
    write_text(out, "sha256", text);
}

/* Verified as at a start, without a word in the log. */
static bool read_image(const esp_partition_t *slot, esp_app_desc_t *desc, struct al_image *image)
{
    struct al_window w;
    struct al_image_rules rules = idf_device_rules(AL_IMAGE_APP);
    return esp_ota_get_partition_description(slot, desc) == ESP_OK &&
           idf_window(slot, &w) == ESP_OK && al_image_verify(&w, &rules, image, NULL) == 0;
}

/* What the boot loader takes: the chosen slot; the one that runs when that holds half an image. */
static const esp_partition_t *starts_next(void)
{
    esp_app_desc_t desc;
    struct al_image image;
    const esp_partition_t *chosen = esp_ota_get_boot_partition();
    const esp_partition_t *running = esp_ota_get_running_partition();
    if (!chosen || chosen == running || web_upload_writes(chosen->address)) return running;
    return read_image(chosen, &desc, &image) ? chosen : running;
}

static void write_slot(FILE *out, const esp_partition_t *slot, const esp_partition_t *next)
{
    esp_app_desc_t desc;
    struct al_image image;
    uint8_t first = 0xff;
    bool running = slot == esp_ota_get_running_partition();
    bool writing = web_upload_writes(slot->address);
    bool whole = !writing && read_image(slot, &desc, &image);
    esp_partition_read(slot, 0, &first, 1);
    const char *state = whole || writing ? state_name(slot) : first == 0xff ? "empty" : "damaged";
    fputs("{\"label\":", out);
    web_json_text(out, slot->label);
    fprintf(out, ",\"size\":%u,\"running\":%s,\"boot\":%s", (unsigned)slot->size,
            running ? "true" : "false", slot == next ? "true" : "false");
    write_text(out, "state", state);
    if (whole) write_image(out, slot, &desc, &image);
    fputc('}', out);
}

static void write_partition(FILE *out, const char *name, const esp_partition_t *p)
{
    fputs("{\"name\":", out);
    web_json_text(out, name);
    fprintf(out, ",\"size\":%u}", p ? (unsigned)p->size : 0);
}

/* Another number at each start of the chip. */
static uint32_t start_number(void)
{
    static uint32_t number;
    while (!number) number = esp_random();
    return number;
}

void web_slots_write(FILE *out)
{
    struct al_ota *o = idf_device_lock();
    const struct al_chip *chip = o->device.chip;
    idf_device_unlock();
    const esp_partition_t *p, *other = esp_ota_get_next_update_partition(NULL);
    const esp_partition_t *next = starts_next();
    fputs("{\"state\":0,\"chip\":", out);
    web_json_text(out, chip->title);
    fprintf(out, ",\"chip_id\":%u,\"start\":%u,\"upload\":%s,\"partitions\":[", chip->id,
            (unsigned)start_number(), web_upload_busy() ? "true" : "false");
    write_partition(out, "ota", other);
    for (size_t i = 0; (p = idf_at_customize_at(i)); i++) {
        fputc(',', out);
        write_partition(out, p->label, p);
    }
    fputs("],\"other\":", out);
    web_json_text(out, other ? other->label : "");
    fputs(",\"slots\":[", out);
    bool first = true;
    esp_partition_iterator_t it =
        esp_partition_find(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_ANY, NULL);
    for (; it; it = esp_partition_next(it)) {
        if (!first) fputc(',', out);
        first = false;
        write_slot(out, esp_partition_get(it), next);
    }
    fputs("]}", out);
}

bool web_slots_roll_back(char why[WEB_WHY])
{
    const esp_partition_t *other = esp_ota_get_next_update_partition(NULL);
    if (!other) {
        snprintf(why, WEB_WHY, "this device has no second slot");
        return false;
    }
    esp_err_t err = esp_ota_set_boot_partition(other);
    if (err) {
        snprintf(why, WEB_WHY, "slot %s holds no firmware that could start: %s", other->label,
                 esp_err_to_name(err));
        ESP_LOGE(TAG, "roll back: %s", why);
        return false;
    }
    ESP_LOGI(TAG, "%s starts next", other->label);
    return true;
}
