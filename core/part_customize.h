/* User partitions of ESP-AT: a second partition table at the start of a partition of the first
 * one, "at_customize" (type 0x40, subtype 0). Entries, MD5 entry and end marker as in part_table.h;
 * addresses are of the flash and lie inside at_customize, behind its first 4096 bytes, which belong
 * to the table. Source: ESP-AT customized_partitions, at_customize.csv. */
#ifndef CORE_PART_CUSTOMIZE_H
#define CORE_PART_CUSTOMIZE_H

#include "core/part_table.h"

#define AL_PART_CUSTOMIZE_LABEL   "at_customize"
#define AL_PART_CUSTOMIZE_TYPE    0x40u
#define AL_PART_CUSTOMIZE_SUBTYPE 0x00u
#define AL_PART_CUSTOMIZE_TABLE   AL_SECTOR /* bytes at the start that belong to the table */

/* The partition that has the table; NULL: there is none. */
const struct al_part *al_part_customize_area(const struct al_part_table *primary);

/* Can p be a user partition in an area? AL_PART_CHECK_NONE, or what is wrong: TYPE (data, and
 * 0x40 to 0xfe can), ALIGN (not at the start of a sector), OUTSIDE. 64 bits wide, so
 * that figures from a text need no check before. */
enum al_part_check al_part_customize_check(uint8_t type, uint64_t offset, uint64_t size,
                                           const struct al_part *area);

/* All entries of a table that was parsed: as above, and no two overlap. 0, or an error of
 * al_part_customize_read. */
int al_part_customize_judge(const struct al_part_table *t, const struct al_part *area,
                            struct al_part_fault *fault);

/* Reads and judges the table in area; f has the area inside. An MD5 entry is checked where there
 * is one. AL_ERR_NOT_FOUND: erased, no table; AL_ERR_INVALID_STATE: damaged, or an entry of a type
 * or alignment that cannot be; AL_ERR_INVALID_SIZE: an entry (fault->index) reaches where it may
 * not, or over another one; or the flash's error. On an error out->count is 0. fault may be NULL.
 */
int al_part_customize_read(const struct al_flash *f, const struct al_part *area,
                           const struct al_crypto *crypto, struct al_part_table *out,
                           struct al_part_fault *fault);

#endif
