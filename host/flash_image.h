/* A flash.bin as a tool sees it: a copy in memory that core/ works on by the NOR
 * rules, and that replaces the file only when asked to. */
#ifndef HOST_FLASH_IMAGE_H
#define HOST_FLASH_IMAGE_H

#include "core/image_verify.h"
#include "core/part_table.h"

#define FLASH_IMAGE_MAX (128u * 1024u * 1024u) /* the largest chip that a header can name */

struct flash_image {
    struct al_flash flash; /* over bytes: a program that would set bits is AL_ERR_NOT_NOR */
    uint8_t *bytes;
    const char *path; /* as given, not copied */
    unsigned mode;    /* of the file */
    uint32_t table_offset;
    struct al_part_table table; /* count 0: there is none that is valid */
    struct al_part_fault fault; /* why */
    struct al_part_table user;  /* of ESP-AT, inside at_customize; count 0: none that is valid */
    struct al_part_fault user_fault;
};

/* Reads the file and its partition table. table_offset 0: 0x8000, or where in the
 * first 128 KiB a valid table begins when 0x8000 does not begin like one. That the
 * table is wrong is no error here.
 * 0, or AL_FAIL with a sentence for the user in why. Ends with flash_image_close. */
int flash_image_open(struct flash_image *f, const char *path, uint32_t table_offset, char *why,
                     size_t why_size);
/* The same over bytes in memory (copied): for tests and for flashes not in a file. */
int flash_image_memory(struct flash_image *f, const void *bytes, uint32_t size,
                       uint32_t table_offset);
/* Replaces the file by the copy, whole or not at all. */
int flash_image_save(const struct flash_image *f, char *why, size_t why_size);
void flash_image_close(struct flash_image *f);

/* A sentence about what is wrong with the table: where, and what to do. */
void flash_image_table_fault(const struct flash_image *f, char *why, size_t why_size);

/* A device that the images would run on: the chip of the first one found, and the least
 * revisions with which it and all apps for that chip are content. Looked at: boot loader,
 * then the apps in table order; those with a description are believed first. false: no
 * image; out is zeroed. */
bool flash_image_device(const struct flash_image *f, struct al_device_ids *out);

/* Reads the user partitions anew, after bytes changed. 0, or an error of part_customize.h
 * (AL_ERR_NOT_FOUND also: no partition at_customize; user_fault has no check then). */
int flash_image_read_user(struct flash_image *f);

/* A partition by its label, user partitions last, or by the name of its subtype ("ota_0",
 * "factory", "test"). NULL: none. */
const struct al_part *flash_image_part(const struct flash_image *f, const char *name);

/* How a partition is called in results: its label; without one, its subtype's name. */
const char *flash_image_slot_name(const struct al_part *p);

#endif
