/* AT+SYSFLASH: user partitions. Source: spec of ESP-AT's commands; the text of the query is that
 * of the AT core. */
#include <stdlib.h>
#include <string.h>

#include "at/at_engine.h"
#include "esp/esp-idf/at_customize.h"

enum { ERASE, WRITE, READ, CHUNK = 4096 };

struct area {
    const esp_partition_t *partition;
    uint32_t offset, len;
};

static enum at_result list(struct at_call *call)
{
    const esp_partition_t *p;
    for (size_t i = 0; (p = idf_at_customize_at(i)); i++)
        at_print(call, "+SYSFLASH:\"%s\",%d,%d,0x%x,0x%x\r\n", p->label, p->type, p->subtype,
                 (unsigned)p->address, (unsigned)p->size);
    return AT_OK;
}

/* Parameters 1..3: label, offset, length. */
static enum at_result get_area(struct at_call *call, struct area *a)
{
    const char *label;
    int64_t offset, len;
    if (at_param_text(call, 1, &label) != AT_PARAM_OK) return AT_ERROR;
    a->partition = idf_at_customize_find(label);
    if (!a->partition) {
        (void)at_param_invalid(call, 1);
        return at_error(call, "there is no user partition \"%s\"; AT+SYSFLASH? lists them", label);
    }
    *a = (struct area){a->partition, 0, a->partition->size};
    if (at_param_count(call) == 2) return AT_OK;
    if (at_param_int(call, 2, &offset) != AT_PARAM_OK) return AT_ERROR;
    if (offset < 0 || offset > a->partition->size) return at_param_invalid(call, 2);
    if (at_param_int(call, 3, &len) != AT_PARAM_OK) return AT_ERROR;
    if (len < 1 || len > a->partition->size - offset) {
        (void)at_param_invalid(call, 3);
        return at_error(call, "length must be 1..%d at offset %d of \"%s\"",
                        (int)(a->partition->size - offset), (int)offset, label);
    }
    a->offset = (uint32_t)offset;
    a->len = (uint32_t)len;
    return AT_OK;
}

static enum at_result failed(struct at_call *call, const char *what, esp_err_t err)
{
    return at_error(call, "%s: %s", what, esp_err_to_name(err));
}

static enum at_result erase(struct at_call *call, const struct area *a)
{
    uint32_t sector = a->partition->erase_size;
    if (a->offset % sector || a->len % sector) {
        (void)at_param_invalid(call, a->offset % sector ? 2 : 3);
        return at_error(call, "offset and length must be multiples of %d", (int)sector);
    }
    esp_err_t err = esp_partition_erase_range(a->partition, a->offset, a->len);
    return err == ESP_OK ? AT_OK : failed(call, "erase failed", err);
}

/* Flash only clears bits: may these bytes be written over what is there? */
static bool fits(const struct area *a, uint32_t at, const uint8_t *data, size_t len, uint8_t *old)
{
    if (esp_partition_read(a->partition, at, old, len) != ESP_OK) return false;
    for (size_t i = 0; i < len; i++)
        if ((old[i] & data[i]) != data[i]) return false;
    return true;
}

/* All the data is taken, also behind an error. */
static enum at_result write_data(struct at_call *call, const struct area *a)
{
    uint8_t *data = malloc(2 * CHUNK);
    if (!data) return at_error(call, "no memory");
    enum at_result result = AT_OK;
    at_answer(call, AT_OK_AND_PROMPT);
    for (uint32_t done = 0; done < a->len;) {
        size_t want = a->len - done < CHUNK ? a->len - done : CHUNK;
        size_t n = at_read(call, data, want);
        if (!n) break; /* the port is gone */
        uint32_t at = a->offset + done;
        done += (uint32_t)n;
        if (result != AT_OK) continue;
        if (!fits(a, at, data, n, data + CHUNK)) {
            result = at_error(call, "not erased at offset 0x%x: AT+SYSFLASH=0 first", (unsigned)at);
            continue;
        }
        esp_err_t err = esp_partition_write(a->partition, at, data, n);
        if (err != ESP_OK) result = failed(call, "write failed", err);
    }
    at_drop_rest(call);
    free(data);
    return result;
}

static enum at_result read_data(struct at_call *call, const struct area *a)
{
    uint8_t *data = malloc(CHUNK);
    esp_err_t err = ESP_OK;
    if (!data) return at_error(call, "no memory");
    at_print(call, "+SYSFLASH:%d,", (int)a->len);
    for (uint32_t done = 0, n; done < a->len && err == ESP_OK; done += n) {
        n = a->len - done < CHUNK ? a->len - done : CHUNK;
        err = esp_partition_read(a->partition, a->offset + done, data, n);
        if (err == ESP_OK) at_write(call, data, n);
    }
    at_print(call, "\r\n");
    free(data);
    return err == ESP_OK ? AT_OK : failed(call, "read failed", err);
}

static enum at_result set(struct at_call *call)
{
    struct area a = {0};
    int64_t operation;
    if (!at_param_count_is(call, 2, 4)) return AT_ERROR;
    if (at_param_int(call, 0, &operation) != AT_PARAM_OK) return AT_ERROR;
    if (operation < ERASE || operation > READ) return at_param_invalid(call, 0);
    /* Offset and length come together; only an erase may do without. */
    if ((operation != ERASE || at_param_count(call) == 3) && !at_param_count_is(call, 4, 4))
        return AT_ERROR;
    if (get_area(call, &a) != AT_OK) return AT_ERROR;
    if (operation == ERASE) return erase(call, &a);
    return operation == WRITE ? write_data(call, &a) : read_data(call, &a);
}

const struct at_command at_sysflash_commands[] = {
    {"+SYSFLASH", .query = list, .set = set},
    {0},
};
