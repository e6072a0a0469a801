/* otadata: which app slot boots next. Two 32-byte entries, each at the
 * start of its own 4096-byte sector. Little-endian. Source: ESP-IDF
 * esp_flash_partitions.h, bootloader_common_loader.c, esp_ota_ops.c. */
#ifndef CORE_OTA_DATA_H
#define CORE_OTA_DATA_H

#include "core/flash.h"

#define AL_OTADATA_LEN   0x2000u
#define AL_OTA_ENTRY_LEN 32u
#define AL_OTA_SEQ_EMPTY 0xffffffffu

enum al_ota_state {
    AL_OTA_NEW = 0,
    AL_OTA_PENDING_VERIFY = 1,
    AL_OTA_VALID = 2,
    AL_OTA_INVALID = 3,
    AL_OTA_ABORTED = 4
};
#define AL_OTA_UNDEFINED 0xffffffffu

struct al_ota_entry {
    uint32_t seq;          /* @0  counts switches from 1; 0xffffffff: empty */
    uint8_t seq_label[20]; /* @4  unused, kept as read */
    uint32_t state;        /* @24 enum al_ota_state or AL_OTA_UNDEFINED; not in the CRC */
    uint32_t crc;          /* @28 al_crc32(0xffffffff, seq's 4 bytes): seq 1 gives 4743989a */
};

void al_ota_entry_decode(const uint8_t raw[AL_OTA_ENTRY_LEN], struct al_ota_entry *out);
void al_ota_entry_encode(const struct al_ota_entry *e, uint8_t raw[AL_OTA_ENTRY_LEN]);

uint32_t al_ota_entry_crc(uint32_t seq);
bool al_ota_entry_crc_ok(const struct al_ota_entry *e);
/* Empty, INVALID or ABORTED. */
bool al_ota_entry_unusable(const struct al_ota_entry *e);
/* Usable, and the CRC is right. */
bool al_ota_entry_good(const struct al_ota_entry *e);

/* Really written: not empty, and the CRC is right, whatever the state. */
bool al_ota_entry_written(const struct al_ota_entry *e);

/* Of the entries with allowed[i] the one with the larger (else: smaller) seq,
 * unsigned; equal: 0; none: -1. */
int al_ota_pick(const struct al_ota_entry e[2], const bool allowed[2], bool larger);
/* The entry in force: both good, the larger seq (equal: 0); one good, that; else -1. */
int al_ota_active(const struct al_ota_entry e[2]);
/* The same when allowed[i] must hold as well (anti-rollback). */
int al_ota_active_allowed(const struct al_ota_entry e[2], const bool allowed[2]);
/* Slot of an entry: (seq - 1) mod slots, unsigned 32-bit. slots >= 1. */
uint32_t al_ota_entry_slot(const struct al_ota_entry *e, uint32_t slots);

/* Reads both entries. AL_ERR_INVALID_SIZE: partition smaller than 0x2000. */
int al_ota_data_read(const struct al_window *otadata, struct al_ota_entry e[2]);
/* Entry index (0, 1) becomes e, or empty. What is in flash at the end is what the
 * original writes; on the way there it takes two more steps, since the CRC covers
 * seq alone and the original's one write can leave a torn state that counts:
 *   CRC to zero    the old entry is void before its sector is erased: a torn erase
 *                  cannot turn INVALID or ABORTED into a state that boots
 *   erase
 *   state and CRC  (the second 16 bytes) while seq is still empty
 *   seq            (the first 16 bytes) makes the entry valid
 * A power cut at any point leaves the old entry, none, or e; never touches the other. */
int al_ota_data_write(const struct al_window *otadata, uint32_t index,
                      const struct al_ota_entry *e);
int al_ota_data_erase(const struct al_window *otadata, uint32_t index);

/* How a switch to slot is written: which entry, and its new seq
 * (esp_ota_set_boot_partition). The other entry is rewritten, with the next seq
 * that leads to slot; when slot is in force already, the entry in force is, with
 * the seq it has. slot < slots. seq is AL_OTA_SEQ_EMPTY when the numbers have run
 * out: writing that changes nothing about what boots. */
struct al_ota_switch {
    uint32_t index;
    uint32_t seq;
};
struct al_ota_switch al_ota_switch_plan(const struct al_ota_entry e[2], uint32_t slot,
                                        uint32_t slots);
/* The same as otatool.py switch_ota_partition does it: states are ignored, the
 * other sector is always written, the old state stays. */
struct al_ota_switch al_ota_switch_plan_tool(const struct al_ota_entry e[2], uint32_t slot,
                                             uint32_t slots);

#endif
