/* Open updates: begin or resume, write, end. See ota.h. */
#include "core/ota_internal.h"

#include "core/err.h"

#include <string.h>

#define COPY_CHUNK 256u

static bool known(const struct al_ota *o, const struct al_part *p)
{
    for (uint32_t i = 0; i < o->table->count; i++)
        if (al_ota_same_part(&o->table->part[i], p)) return true;
    for (uint32_t i = 0; i < o->extra_count; i++)
        if (al_ota_same_part(&o->extra[i], p)) return true;
    return false;
}

static bool is_open(const struct al_ota *o, const struct al_ota_update *u)
{
    const struct al_ota_update *i = o->open;
    while (i && i != u) i = i->next;
    return u && i;
}

static void open_update(struct al_ota *o, struct al_ota_update *u, const struct al_part *p)
{
    memset(u, 0, sizeof *u);
    u->staging = u->final = *p;
    u->next = o->open;
    o->open = u;
}

static void close_update(struct al_ota *o, struct al_ota_update *u)
{
    struct al_ota_update **link = &o->open;
    while (*link != u) link = &(*link)->next;
    *link = u->next;
    u->next = NULL;
}

static bool busy(const struct al_ota *o, const struct al_part *p)
{
    for (const struct al_ota_update *u = o->open; u; u = u->next) {
        if (!al_ota_same_part(&u->staging, p) && !al_ota_same_part(&u->final, p)) continue;
        al_ota_tell_part(o, AL_OTA_EV_IN_PROGRESS, p, NULL);
        return true;
    }
    return false;
}

/* May p be written to now? */
static int check_target(struct al_ota *o, const struct al_part *p)
{
    if (!known(o, p)) return AL_ERR_NOT_FOUND;
    if (p->type == AL_PART_APP) {
        uint32_t state;
        if (!al_ota_is_slot(p)) return AL_ERR_INVALID_ARG;
        if (o->running && al_ota_same_part(p, o->running)) return AL_ERR_OTA_PARTITION_CONFLICT;
        if (o->rollback && !al_ota_get_state(o, o->running, &state) &&
            state == AL_OTA_PENDING_VERIFY) {
            al_ota_tell_part(o, AL_OTA_EV_NOT_CONFIRMED, o->running, NULL);
            return AL_ERR_OTA_ROLLBACK_INVALID_STATE;
        }
    }
    return busy(o, p) ? AL_ERR_OTA_ALREADY_IN_PROGRESS : AL_OK;
}

static enum al_slot_content content_of(const struct al_part *final)
{
    switch (final->type) {
    case AL_PART_APP:
    case AL_PART_BOOTLOADER:
        return AL_SLOT_IMAGE;
    case AL_PART_PARTITION_TABLE:
        return AL_SLOT_PART_TABLE;
    default:
        return AL_SLOT_DATA;
    }
}

static int begin_writer(struct al_ota *o, struct al_ota_update *u, enum al_slot_erase erase,
                        uint32_t erase_len, uint32_t offset)
{
    struct al_slot_config cfg = {
        .erase = erase,
        .erase_len = erase_len,
        .offset = offset,
        .content = content_of(&u->final),
        .block16 = o->flash_encryption,
    };
    int err = al_part_window(o->flash, &u->staging, &cfg.slot);
    return err ? err : al_slot_begin(&u->writer, &cfg);
}

int al_ota_begin(struct al_ota *o, const struct al_part *p, uint32_t image_size,
                 struct al_ota_update *u)
{
    if (!p || !u) return AL_ERR_INVALID_ARG;
    int err = check_target(o, p);
    if (err) return err;
    open_update(o, u, p);
    if (image_size == AL_OTA_SEQUENTIAL)
        err = begin_writer(o, u, AL_SLOT_ERASE_ON_DEMAND, 0, 0);
    else
        err = begin_writer(o, u, AL_SLOT_ERASE_AHEAD,
                           image_size == AL_OTA_SIZE_UNKNOWN ? 0 : image_size, 0);
    /* What is being overwritten must not be chosen any more. That there is
     * nothing to invalidate is no fault. */
    if (!err && o->rollback && p->type == AL_PART_APP) (void)al_ota_invalidate_inactive(o);
    return err;
}

int al_ota_resume(struct al_ota *o, const struct al_part *p, uint32_t erase_size,
                  uint32_t image_offset, struct al_ota_update *u)
{
    if (!p || !u || image_offset > p->size) return AL_ERR_INVALID_ARG;
    int err = check_target(o, p);
    if (err) return err;
    open_update(o, u, p);
    u->resumed = true;
    enum al_slot_erase erase =
        erase_size == AL_OTA_SEQUENTIAL ? AL_SLOT_ERASE_ON_DEMAND : AL_SLOT_ERASE_NONE;
    err = begin_writer(o, u, erase, 0, image_offset);
    if (err) close_update(o, u);
    return err;
}

int al_ota_set_final(struct al_ota *o, struct al_ota_update *u, const struct al_part *final,
                     bool copy)
{
    if (!final) return AL_ERR_INVALID_ARG;
    if (!is_open(o, u)) return AL_ERR_NOT_FOUND;
    if (u->writer.written && !u->resumed) return AL_ERR_INVALID_STATE;
    if (!known(o, final)) return AL_ERR_NOT_FOUND;
    if (al_ota_same_part(final, &u->staging)) return AL_OK;
    u->final = *final;
    u->has_final = true;
    u->copy = copy;
    u->writer.cfg.content = content_of(final);
    al_ota_tell_part(o, AL_OTA_EV_FINAL, &u->staging, &u->final);
    return AL_OK;
}

static int check_forged(const struct al_ota *o, const struct al_ota_update *u, uint32_t offset,
                        const void *data, uint32_t len)
{
    if (!al_slot_forges_record(&u->writer, offset, data, len)) return AL_OK;
    al_ota_tell_part(o, AL_OTA_EV_FORGED_RECORD, &u->staging, NULL);
    return AL_ERR_OTA_VALIDATE_FAILED;
}

int al_ota_write(struct al_ota *o, struct al_ota_update *u, const void *data, uint32_t len)
{
    if (!data) return AL_ERR_INVALID_ARG;
    if (len == 0) return AL_OK;
    if (!is_open(o, u)) return AL_ERR_INVALID_ARG;
    int err = check_forged(o, u, u->writer.written, data, len);
    if (err) return err;
    err = al_slot_write(&u->writer, data, len);
    if (err == AL_ERR_OTA_VALIDATE_FAILED)
        al_ota_tell(o, &(struct al_ota_event_args){.event = u->writer.cfg.content == AL_SLOT_IMAGE
                                                                ? AL_OTA_EV_BAD_IMAGE_MAGIC
                                                                : AL_OTA_EV_BAD_TABLE_MAGIC,
                                                   .part = &u->staging,
                                                   .value = u->writer.magic_seen});
    return err;
}

int al_ota_write_at(struct al_ota *o, struct al_ota_update *u, const void *data, uint32_t len,
                    uint32_t offset)
{
    if (!data) return AL_ERR_INVALID_ARG;
    if (len == 0) return AL_OK;
    if (!is_open(o, u)) return AL_ERR_INVALID_ARG;
    int err = check_forged(o, u, offset, data, len);
    return err ? err : al_slot_write_at(&u->writer, offset, data, len);
}

/* --- end --- */

static int verify_table(const struct al_ota *o, const struct al_part *p)
{
    struct al_part_fault fault;
    if (!al_part_table_read(o->flash, p->offset, o->crypto, NULL, &fault)) return AL_OK;
    al_ota_tell(
        o, &(struct al_ota_event_args){.event = AL_OTA_EV_TABLE_FAULT, .part = p, .table = &fault});
    return AL_ERR_OTA_VALIDATE_FAILED;
}

/* Data with a signature sector behind it. */
static int verify_data(const struct al_ota *o, const struct al_ota_update *u)
{
    struct al_window w;
    struct al_image_fault fault = {.check = AL_IMAGE_CHECK_SIGNATURE, .address = u->staging.offset};
    uint32_t len = u->writer.written;
    if (!o->signed_data || !o->keys || u->final.type != AL_PART_DATA ||
        u->final.subtype != AL_PART_DATA_UNDEFINED)
        return AL_OK;
    uint32_t sig_len = o->keys->v1 ? AL_SIG_V1_LEN : AL_SIG_SECTOR;
    if (!o->keys->v1) len &= ~(AL_SIG_SECTOR - 1);
    int err = al_part_window(o->flash, &u->staging, &w);
    if (!err && len <= sig_len) err = AL_ERR_INVALID_SIZE;
    if (!err)
        err = al_sig_verify(&w, len - sig_len, o->keys, false, o->crypto, NULL, &fault.signature);
    if (!err) return AL_OK;
    fault.err = err;
    fault.offset = fault.signature.offset;
    al_ota_tell(o, &(struct al_ota_event_args){
                       .event = AL_OTA_EV_IMAGE_FAULT, .part = &u->staging, .image = &fault});
    return AL_ERR_OTA_VALIDATE_FAILED;
}

static int verify_staging(const struct al_ota *o, const struct al_ota_update *u)
{
    switch (u->final.type) {
    case AL_PART_APP:
        return al_ota_verify_kind(o, &u->staging, AL_IMAGE_APP, false, NULL);
    case AL_PART_BOOTLOADER:
        return al_ota_verify_kind(o, &u->staging, AL_IMAGE_BOOTLOADER, false, NULL);
    case AL_PART_PARTITION_TABLE:
        return verify_table(o, &u->staging);
    default:
        return verify_data(o, u);
    }
}

/* A power cut in here leaves the final partition in part: only staging saves
 * a boot loader or a table from it, and not by itself. */
static int copy_to_final(const struct al_ota *o, const struct al_ota_update *u)
{
    struct al_window from = {.size = 0}, to = {.size = 0};
    uint8_t buf[COPY_CHUNK];
    al_ota_tell_part(o, AL_OTA_EV_COPY, &u->staging, &u->final);
    int err = al_part_window(o->flash, &u->staging, &from);
    if (!err) err = al_part_window(o->flash, &u->final, &to);
    if (!err && to.size > from.size) err = AL_ERR_INVALID_SIZE;
    if (!err) err = al_window_erase(&to, 0, to.size);
    for (uint32_t at = 0; !err && at < to.size; at += COPY_CHUNK) {
        uint32_t len = to.size - at < COPY_CHUNK ? to.size - at : COPY_CHUNK;
        err = al_window_read(&from, at, buf, len);
        if (!err) err = al_window_program(&to, at, buf, len);
    }
    return err;
}

int al_ota_end(struct al_ota *o, struct al_ota_update *u)
{
    if (!is_open(o, u)) return AL_ERR_NOT_FOUND;
    close_update(o, u);
    if (u->writer.written == 0) return AL_ERR_INVALID_ARG;
    if (al_slot_flush(&u->writer)) return AL_ERR_INVALID_STATE;
    int err = verify_staging(o, u);
    if (err)
        al_ota_tell_part(o, AL_OTA_EV_VERIFY_FAILED, &u->staging, NULL);
    else if (u->copy)
        err = copy_to_final(o, u);
    return err;
}

int al_ota_abort(struct al_ota *o, struct al_ota_update *u)
{
    if (!is_open(o, u)) return AL_ERR_NOT_FOUND;
    close_update(o, u);
    return AL_OK;
}
