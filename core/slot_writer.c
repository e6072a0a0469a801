#include "core/slot_writer.h"

#include "core/app_image.h"
#include "core/bytes.h"
#include "core/err.h"
#include "core/part_table.h"

#define BLOCK 16u

static uint32_t round_up(uint32_t n)
{
    return (n + AL_SECTOR - 1) & ~(AL_SECTOR - 1);
}

int al_slot_begin(struct al_slot_writer *w, const struct al_slot_config *cfg)
{
    memset(w, 0, sizeof *w);
    w->cfg = *cfg;
    w->written = cfg->offset;
    if (cfg->offset > cfg->slot.size) return AL_ERR_INVALID_ARG;
    if (cfg->block16 && cfg->offset % BLOCK) return AL_ERR_INVALID_ARG;
    if (cfg->erase != AL_SLOT_ERASE_AHEAD) return AL_OK;
    uint32_t len = cfg->erase_len ? cfg->erase_len : cfg->slot.size;
    /* Rounding up must not wrap to nothing. */
    if (len > cfg->slot.size) return AL_ERR_INVALID_SIZE;
    return al_window_erase(&cfg->slot, 0, round_up(len));
}

/* The sectors that [from, to) enters: one that begins before from is in use. */
static int erase_entered(const struct al_slot_writer *w, uint32_t from, uint32_t to)
{
    uint32_t first = round_up(from), end = round_up(to);
    return first < end ? al_window_erase(&w->cfg.slot, first, end - first) : AL_OK;
}

/* In the sector where a resumed write began: can data be programmed over what is there? */
static int check_remains(const struct al_slot_writer *w, const uint8_t *data, uint32_t len)
{
    uint32_t end = round_up(w->cfg.offset);
    for (uint32_t at = w->written; at < end && len; at++, len--) {
        uint8_t byte;
        int err = al_window_read(&w->cfg.slot, at, &byte, 1);
        if (err) return err;
        if (*data++ & ~byte) return AL_ERR_NOT_NOR;
    }
    return AL_OK;
}

static int check_magic(struct al_slot_writer *w, const uint8_t *data, uint32_t len)
{
    uint32_t expected = AL_IMAGE_MAGIC;
    w->magic_seen = data[0];
    if (w->cfg.content == AL_SLOT_DATA) return AL_OK;
    if (w->cfg.content == AL_SLOT_PART_TABLE) {
        if (len < 2) return AL_OK; /* the original does not look either */
        w->magic_seen = al_get_le16(data);
        expected = AL_PART_MAGIC;
    }
    return w->magic_seen == expected ? AL_OK : AL_ERR_OTA_VALIDATE_FAILED;
}

/* Holds back the bytes behind the last whole block. */
static int write_blocks(struct al_slot_writer *w, const uint8_t *data, uint32_t len)
{
    uint32_t at = w->written - w->held_len;
    if (w->held_len) {
        uint32_t fill = BLOCK - w->held_len;
        if (fill > len) fill = len;
        memcpy(w->held + w->held_len, data, fill);
        if (w->held_len + fill == BLOCK) {
            int err = al_window_program(&w->cfg.slot, at, w->held, BLOCK);
            if (err) return err;
            at += BLOCK;
        }
        w->held_len = (w->held_len + fill) % BLOCK;
        w->written += fill;
        data += fill;
        len -= fill;
    }
    uint32_t rest = len % BLOCK;
    int err = al_window_program(&w->cfg.slot, at, data, len - rest);
    if (err || len == 0) return err;
    memcpy(w->held, data + len - rest, rest);
    w->held_len = rest;
    w->written += len;
    return AL_OK;
}

int al_slot_write(struct al_slot_writer *w, const void *data, uint32_t len)
{
    if (len == 0) return AL_OK;
    uint32_t size = w->cfg.slot.size;
    if (w->written > size || len > size - w->written) return AL_ERR_INVALID_SIZE;
    int err = check_remains(w, data, len);
    if (!err && w->cfg.erase == AL_SLOT_ERASE_ON_DEMAND)
        err = erase_entered(w, w->written, w->written + len);
    if (!err && w->written == 0) err = check_magic(w, data, len);
    if (err) return err;
    if (w->cfg.block16) return write_blocks(w, data, len);
    err = al_window_program(&w->cfg.slot, w->written, data, len);
    if (!err) w->written += len;
    return err;
}

int al_slot_write_at(struct al_slot_writer *w, uint32_t offset, const void *data, uint32_t len)
{
    if (w->cfg.erase == AL_SLOT_ERASE_ON_DEMAND) return AL_ERR_INVALID_STATE;
    if (w->cfg.block16 && len % BLOCK) return AL_ERR_INVALID_ARG;
    int err = al_window_program(&w->cfg.slot, offset, data, len);
    if (!err) w->written += len;
    return err;
}

int al_slot_flush(struct al_slot_writer *w)
{
    if (w->held_len == 0) return AL_OK;
    memset(w->held + w->held_len, 0xff, BLOCK - w->held_len);
    int err = al_window_program(&w->cfg.slot, w->written - w->held_len, w->held, BLOCK);
    if (!err) w->held_len = 0;
    return err;
}

uint32_t al_slot_resume_offset(const struct al_window *slot, uint32_t offset, bool block16)
{
    if (block16) offset -= offset % BLOCK;
    uint32_t end = round_up(offset);
    for (uint32_t at = offset; at < end; at++) {
        uint8_t byte;
        if (al_window_read(slot, at, &byte, 1) || byte != 0xff) return offset - offset % AL_SECTOR;
    }
    return offset;
}

bool al_slot_forges_record(const struct al_slot_writer *w, uint32_t off, const uint8_t *data,
                           uint32_t len)
{
    uint8_t magic[4] = {0};
    uint32_t size = w->cfg.slot.size, held = w->written - w->held_len;
    if (size < AL_SECTOR || off > size || len > size - off) return false; /* not written anyway */
    uint32_t at = size - AL_SECTOR;
    if (off >= at + sizeof magic || (off < at && len <= at - off)) return false;
    (void)al_window_read(&w->cfg.slot, at, magic, sizeof magic);
    for (uint32_t i = 0; i < sizeof magic; i++) {
        uint32_t pos = at + i;
        if (pos >= held && pos - held < w->held_len) magic[i] = w->held[pos - held];
        if (pos >= off && pos - off < len) magic[i] = data[pos - off];
    }
    return al_get_le32(magic) == AL_CHANGE_MAGIC;
}
