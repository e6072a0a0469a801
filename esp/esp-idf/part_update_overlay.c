/* A task sees the staged content in the partition's place. See part_update.h. */
#include <string.h>

#include "device/board.h"
#include "esp/esp-idf/part_update_impl.h"

static __thread struct overlay {
    struct part_update *u;
    bool hold_boot;
    const esp_partition_t *noted;
} overlay;

void part_overlay_begin(struct part_update *u, bool hold_boot)
{
    overlay = (struct overlay){.u = u, .hold_boot = hold_boot};
}

const esp_partition_t *part_overlay_end(void)
{
    const esp_partition_t *noted = overlay.noted;
    overlay = (struct overlay){.u = NULL};
    return noted;
}

struct part_update *part_overlay_of(const esp_partition_t *p)
{
    struct part_update *u = overlay.u;
    if (!u) return NULL;
    return p->address == u->target.address && p->size == u->target.size &&
                   p->flash_chip == u->target.flash_chip
               ? u
               : NULL;
}

bool part_overlay_holds(void)
{
    return overlay.hold_boot;
}

bool part_overlay_hold(const esp_partition_t *slot)
{
    if (!overlay.hold_boot) return false;
    overlay.noted = slot;
    return true;
}

/* Where the bytes of a sector are: NULL: nowhere, it is blank. */
static uint32_t source(const struct part_update *u, uint32_t off, bool *blank)
{
    bool fresh = part_update_is_fresh(u, off / AL_SECTOR);
    *blank = fresh && off >= u->room;
    return (fresh ? u->base : u->target.address) + off;
}

esp_err_t part_overlay_read(struct part_update *u, size_t off, void *dst, size_t len)
{
    struct al_window w = al_window_all(&board()->nor.flash);
    uint8_t *out = dst;
    uint32_t at = (uint32_t)off, end = (uint32_t)(off + len);
    while (at < end) {
        bool blank;
        uint32_t n = AL_SECTOR - at % AL_SECTOR;
        if (n > end - at) n = end - at;
        uint32_t from = source(u, at, &blank);
        int err = AL_OK;
        if (blank)
            memset(out, 0xff, n);
        else
            err = al_window_read(&w, from, out, n);
        if (err) return idf_err(err);
        /* What is held back is not in flash yet. */
        for (uint32_t i = u->written - u->held_len; i < u->written; i++)
            if (i >= at && i < at + n) out[i - at] = u->held[i - (u->written - u->held_len)];
        out += n;
        at += n;
    }
    return ESP_OK;
}

/* A write that erases nothing first needs the old bytes of its sectors there. */
static esp_err_t bring_in(struct part_update *u, uint32_t first, uint32_t end)
{
    struct al_window w = al_window_all(&board()->nor.flash);
    uint8_t sector[AL_SECTOR];
    for (uint32_t s = first; s < end; s++) {
        if (u->place == PART_UPDATE_IN_PLACE || part_update_is_fresh(u, s)) continue;
        uint32_t at = s * AL_SECTOR;
        esp_err_t err = idf_err(al_window_read(&w, u->target.address + at, sector, AL_SECTOR));
        if (!err) err = part_update_freshen(u, s, s + 1);
        if (!err) err = part_update_program(u, at, sector, AL_SECTOR);
        if (err) return err;
    }
    return ESP_OK;
}

esp_err_t part_overlay_write(struct part_update *u, size_t off, const void *src, size_t len)
{
    uint32_t at = (uint32_t)off, end = (uint32_t)(off + len);
    if (!len) return ESP_OK;
    if (end > u->room) return ESP_ERR_INVALID_SIZE;
    esp_err_t err = part_update_touch(u);
    u->overlaid = true;
    if (!err) err = bring_in(u, at / AL_SECTOR, (end - 1) / AL_SECTOR + 1);
    if (err) return err;
    if (u->in_order && at == u->written) return part_update_write(u, src, len);
    if (u->block16 && (at % 16 || len % 16 || u->held_len)) return ESP_ERR_INVALID_ARG;
    part_update_out_of_order(u);
    struct al_window w = al_window_all(&board()->nor.flash);
    err = idf_err(al_window_program(&w, u->base + at, src, (uint32_t)len));
    if (!err && u->written < end) u->written = end;
    return err;
}

esp_err_t part_overlay_erase(struct part_update *u, size_t off, size_t len)
{
    uint32_t at = (uint32_t)off, end = (uint32_t)(off + len);
    if (at % AL_SECTOR) return ESP_ERR_INVALID_ARG;
    if (len % AL_SECTOR) return ESP_ERR_INVALID_SIZE;
    esp_err_t err = part_update_touch(u);
    if (err || !len) return err;
    u->overlaid = true;
    if (at < u->written) {
        part_update_out_of_order(u);
        if (end >= u->written) {
            u->held_len = 0;
            u->written = at;
        }
    }
    for (uint32_t s = at / AL_SECTOR; s < end / AL_SECTOR; s++)
        u->fresh[s / 8] &= (uint8_t) ~(1u << s % 8);
    return part_update_freshen(u, at / AL_SECTOR, end / AL_SECTOR);
}

esp_err_t part_overlay_map(struct part_update *u, size_t off, size_t len, const void **out)
{
    struct al_window w = al_window_all(&board()->nor.flash);
    uint32_t at = (uint32_t)off, end = (uint32_t)(off + len);
    bool blank, mixed;
    if (!len || u->held_len) return ESP_ERR_NOT_SUPPORTED;
    uint32_t from = source(u, at, &blank);
    for (uint32_t s = at / AL_SECTOR + 1; s <= (end - 1) / AL_SECTOR; s++)
        if (source(u, s * AL_SECTOR, &mixed) != from + (s * AL_SECTOR - at) || mixed) blank = true;
    /* One piece of flash, or it cannot be shown without copying. */
    if (blank) return ESP_ERR_NOT_SUPPORTED;
    *out = al_window_map(&w, from, (uint32_t)len);
    return *out ? ESP_OK : ESP_ERR_NO_MEM;
}
