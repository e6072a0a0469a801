#include "core/ota_data.h"

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/err.h"

#define STATE_OFFSET 24u
#define CRC_OFFSET   28u

void al_ota_entry_decode(const uint8_t raw[AL_OTA_ENTRY_LEN], struct al_ota_entry *out)
{
    struct al_cur c = al_cur(raw, AL_OTA_ENTRY_LEN);
    out->seq = al_le32(&c);
    al_bytes(&c, out->seq_label, sizeof out->seq_label);
    out->state = al_le32(&c);
    out->crc = al_le32(&c);
}

void al_ota_entry_encode(const struct al_ota_entry *e, uint8_t raw[AL_OTA_ENTRY_LEN])
{
    al_put_le32(raw, e->seq);
    memcpy(raw + 4, e->seq_label, sizeof e->seq_label);
    al_put_le32(raw + STATE_OFFSET, e->state);
    al_put_le32(raw + CRC_OFFSET, e->crc);
}

uint32_t al_ota_entry_crc(uint32_t seq)
{
    uint8_t raw[4];
    al_put_le32(raw, seq);
    return al_crc32(0xffffffff, raw, sizeof raw);
}

bool al_ota_entry_crc_ok(const struct al_ota_entry *e)
{
    return e->crc == al_ota_entry_crc(e->seq);
}

bool al_ota_entry_unusable(const struct al_ota_entry *e)
{
    return e->seq == AL_OTA_SEQ_EMPTY || e->state == AL_OTA_INVALID || e->state == AL_OTA_ABORTED;
}

bool al_ota_entry_good(const struct al_ota_entry *e)
{
    return !al_ota_entry_unusable(e) && al_ota_entry_crc_ok(e);
}

bool al_ota_entry_written(const struct al_ota_entry *e)
{
    return e->seq != AL_OTA_SEQ_EMPTY && al_ota_entry_crc_ok(e);
}

int al_ota_pick(const struct al_ota_entry e[2], const bool allowed[2], bool larger)
{
    if (allowed[0] && allowed[1]) {
        if (e[0].seq == e[1].seq) return 0;
        return (e[0].seq > e[1].seq) == larger ? 0 : 1;
    }
    return allowed[0] ? 0 : allowed[1] ? 1 : -1;
}

int al_ota_active_allowed(const struct al_ota_entry e[2], const bool allowed[2])
{
    bool good[2];
    for (int i = 0; i < 2; i++) good[i] = allowed[i] && al_ota_entry_good(&e[i]);
    return al_ota_pick(e, good, true);
}

int al_ota_active(const struct al_ota_entry e[2])
{
    return al_ota_active_allowed(e, (const bool[2]){true, true});
}

uint32_t al_ota_entry_slot(const struct al_ota_entry *e, uint32_t slots)
{
    return (e->seq - 1) % slots;
}

int al_ota_data_read(const struct al_window *otadata, struct al_ota_entry e[2])
{
    if (otadata->size < AL_OTADATA_LEN) return AL_ERR_INVALID_SIZE;
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t raw[AL_OTA_ENTRY_LEN];
        int err = al_window_read(otadata, i * AL_SECTOR, raw, sizeof raw);
        if (err) return err;
        al_ota_entry_decode(raw, &e[i]);
    }
    return AL_OK;
}

int al_ota_data_erase(const struct al_window *otadata, uint32_t index)
{
    static const uint8_t no_crc[4];
    int err = al_window_program(otadata, index * AL_SECTOR + CRC_OFFSET, no_crc, sizeof no_crc);
    return err ? err : al_window_erase(otadata, index * AL_SECTOR, AL_SECTOR);
}

int al_ota_data_write(const struct al_window *otadata, uint32_t index, const struct al_ota_entry *e)
{
    uint8_t raw[AL_OTA_ENTRY_LEN];
    uint32_t at = index * AL_SECTOR, half = AL_OTA_ENTRY_LEN / 2;
    al_ota_entry_encode(e, raw);
    int err = al_ota_data_erase(otadata, index);
    if (!err) err = al_window_program(otadata, at + half, raw + half, half);
    return err ? err : al_window_program(otadata, at, raw, half);
}

/* The smallest number >= seq that leads to slot; empty when none is left. */
static uint32_t next_seq(uint32_t seq, uint32_t slot, uint32_t slots)
{
    uint32_t base = (slot + 1) % slots;
    if (seq <= base) return base;
    uint32_t over = (seq - base) % slots;
    uint32_t add = over ? slots - over : 0;
    return add > AL_OTA_SEQ_EMPTY - seq ? AL_OTA_SEQ_EMPTY : seq + add;
}

struct al_ota_switch al_ota_switch_plan(const struct al_ota_entry e[2], uint32_t slot,
                                        uint32_t slots)
{
    int active = al_ota_active(e);
    if (active < 0) return (struct al_ota_switch){.index = 0, .seq = slot + 1};
    uint32_t seq = e[active].seq;
    if (al_ota_entry_slot(&e[active], slots) == slot)
        return (struct al_ota_switch){.index = (uint32_t)active, .seq = seq};
    return (struct al_ota_switch){.index = active ? 0 : 1, .seq = next_seq(seq, slot, slots)};
}

struct al_ota_switch al_ota_switch_plan_tool(const struct al_ota_entry e[2], uint32_t slot,
                                             uint32_t slots)
{
    bool written[2] = {al_ota_entry_written(&e[0]), al_ota_entry_written(&e[1])};
    int base = al_ota_pick(e, written, true);
    if (base < 0) return (struct al_ota_switch){.index = 0, .seq = slot + 1};
    return (struct al_ota_switch){.index = base ? 0 : 1, .seq = next_seq(e[base].seq, slot, slots)};
}
