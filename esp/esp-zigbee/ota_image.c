#include "esp/esp-zigbee/ota_image.h"

#include <stdlib.h>
#include <string.h>

#include "airlift_zigbee.h"
#include "core/err.h"
#include "esp/esp-zigbee/stack.h"
#include "esp_log.h"

enum { STEP = 223, STACK_PRO = 2 };

static uint32_t wanted_offset; /* during next_data */
static bool offset_asked;

uint32_t airlift_zb_ota_next_data_offset(void)
{
    offset_asked = true;
    return wanted_offset;
}

/* ---- The header ---- */

static void build_header(struct ota_image *m)
{
    const esp_zb_ota_file_header_t *from = &m->header;
    struct al_zfile_header h = {
        .header_version = AL_ZFILE_HEADER_VERSION,
        .field_control = from->field_control & 7u,
        .manufacturer = from->manufacturer_code,
        .image_type = from->image_type,
        .file_version = from->file_version,
        .stack_version = STACK_PRO,
        .credential_version = from->optional.security_credential_version,
        .destination = zb_ext(from->optional.upgrade_file_destination),
        .min_hardware = from->optional.minimum_hardware_version,
        .max_hardware = from->optional.maximum_hardware_version,
    };
    h.total_image_size = al_zfile_header_size(h.field_control) + from->image_size;
    m->raw_len = al_zfile_build_header(&h, m->raw);
}

static bool same_header(const esp_zb_ota_file_header_t *a, const esp_zb_ota_file_header_t *b)
{
    return a->manufacturer_code == b->manufacturer_code && a->image_type == b->image_type &&
           a->file_version == b->file_version && a->image_size == b->image_size;
}

esp_err_t ota_image_set(struct ota_image *m, const esp_zb_ota_upgrade_server_notify_req_t *req)
{
    bool same = m->used && m->next_data == req->next_data_cb && m->index == req->index &&
                same_header(&m->header, &req->ota_file_header);
    if (!same) {
        uint8_t *room =
            malloc(req->ota_file_header.image_size ? req->ota_file_header.image_size : 1);
        if (!room) return ESP_ERR_NO_MEM;
        ota_image_free(m);
        *m = (struct ota_image){
            .used = true, .next_data = req->next_data_cb, .index = req->index, .bytes = room};
    }
    m->header = req->ota_file_header;
    m->upgrade_time = req->ota_upgrade_time;
    build_header(m);
    return ESP_OK;
}

void ota_image_free(struct ota_image *m)
{
    free(m->bytes);
    *m = (struct ota_image){0};
}

uint32_t ota_image_size(const struct ota_image *m)
{
    return m->raw_len + m->header.image_size;
}

void ota_image_rewind(struct ota_image *m)
{
    m->have = 0;
    m->linear = false;
}

/* ---- The application's bytes ---- */

static const uint8_t *call(struct ota_image *m, const esp_zb_ota_zcl_information_t *who,
                           uint32_t offset, uint32_t size)
{
    uint8_t *data = NULL;
    wanted_offset = offset;
    offset_asked = false;
    esp_err_t err = m->next_data(*who, m->index, (uint8_t)size, &data);
    if (offset_asked) m->seeks = true;
    if (!err && data) return data;
    ESP_LOGW(ZB_TAG, "the application has no data for bytes %u to %u of OTA file %u (%s)", offset,
             offset + size - 1, m->index, err ? esp_err_to_name(err) : "NULL");
    return NULL;
}

/* Where in the file these bytes really are. */
static bool place_of(struct ota_image *m, const uint8_t *data, uint32_t size, uint32_t *at)
{
    *at = m->have;
    if (m->have == 0) {
        m->base = data;
        m->first_len = size;
        return true;
    }
    if (m->have == m->first_len && !m->linear) m->linear = data == m->base + m->have;
    if (!m->linear || m->seeks) return true;
    if (data < m->base || data >= m->base + m->header.image_size) return false;
    *at = (uint32_t)(data - m->base);
    return *at <= m->have;
}

/* One call; what is new is kept. */
static int fetch(struct ota_image *m, const esp_zb_ota_zcl_information_t *who, uint32_t at,
                 uint32_t size, uint32_t *next)
{
    uint32_t place;
    const uint8_t *data = call(m, who, m->have, size);
    if (!data) return AL_FAIL;
    if (!place_of(m, data, size, &place)) {
        ESP_LOGW(ZB_TAG, "the application lost its place in OTA file %u: byte %u was wanted",
                 m->index, at);
        return AL_FAIL;
    }
    *next = place + size;
    if (*next <= m->have) return 0;
    memcpy(m->bytes + m->have, data + (m->have - place), *next - m->have);
    m->have = *next;
    return 0;
}

/* Asks until `until` bytes are there. first: size of the first call. */
static int fill(struct ota_image *m, const esp_zb_ota_zcl_information_t *who, uint32_t until,
                uint32_t first)
{
    uint32_t at = m->have; /* where the application is, as far as known */
    uint32_t size = first;
    while (m->have < until) {
        uint32_t left = (at < m->have ? m->have : until) - at;
        if (size > left) size = left;
        int err = fetch(m, who, at, size, &at);
        if (err) return err;
        size = STEP;
    }
    return 0;
}

static int read_seeking(struct ota_image *m, const esp_zb_ota_zcl_information_t *who,
                        uint32_t offset, uint8_t *out, size_t len)
{
    const uint8_t *data = call(m, who, offset, (uint32_t)len);
    if (!data) return AL_FAIL;
    memcpy(out, data, len);
    return (int)len;
}

int ota_image_read(struct ota_image *m, const esp_zb_ota_zcl_information_t *who, uint32_t offset,
                   uint8_t *out, size_t len)
{
    size_t head = offset < m->raw_len ? m->raw_len - offset : 0;
    uint32_t at = offset + (uint32_t)head - m->raw_len;
    if (len > UINT8_MAX) len = UINT8_MAX;
    if (head > len) head = len;
    memcpy(out, m->raw + offset, head);
    uint32_t body = (uint32_t)(len - head);
    if (body > m->header.image_size - at) body = m->header.image_size - at;
    if (!body) return (int)head;
    if (m->seeks) {
        int got = read_seeking(m, who, at, out + head, body);
        return got < 0 ? got : (int)head + got;
    }
    if (at > m->have && fill(m, who, at, STEP)) return AL_FAIL;
    if (at + body > m->have && fill(m, who, at + body, at + body - m->have)) return AL_FAIL;
    memcpy(out + head, m->bytes + at, body);
    return (int)(head + body);
}

esp_err_t ota_image_complete(struct ota_image *m, const esp_zb_ota_zcl_information_t *who)
{
    if (!m->have || m->seeks) return ESP_OK;
    return fill(m, who, m->header.image_size, STEP) ? ESP_FAIL : ESP_OK;
}
