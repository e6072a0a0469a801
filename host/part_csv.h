/* Partition tables as CSV text: compiled as gen_esp32part.py of ESP-IDF does it
 * (same bytes, same refusals), and written back as text.
 *
 *   Name, Type, SubType, Offset, Size, Flags
 *   ota_0, app, ota_0, , 1M,                   blank offset: the next free place
 *
 * The formats of numbers, keywords, variables and encodings are those of the
 * original, odd corners included. */
#ifndef HOST_PART_CSV_H
#define HOST_PART_CSV_H

#include "core/part_table.h"

enum part_csv_secure { PART_CSV_NOT_SECURE, PART_CSV_SECURE_V1, PART_CSV_SECURE_V2 };

/* Zeros mean the defaults. */
struct part_csv_options {
    uint32_t table_offset;          /* 0: AL_PART_TABLE_OFFSET */
    bool primary_given;             /* --primary-bootloader-offset */
    uint32_t primary_offset;        /* flash offset of the boot loader */
    bool recovery_given;            /* --recovery-bootloader-offset */
    uint32_t recovery_offset;       /* flash offset of the recovery boot loader */
    enum part_csv_secure secure;    /* v1: app sizes in steps of 64 KiB */
    bool no_md5;                    /* --disable-md5sum */
    bool no_verify;                 /* --no-verify: placement is checked all the same */
    const struct al_part *area;     /* a table of user partitions inside it, see part_customize.h;
                                       NULL: a primary table */
    uint32_t flash_size;            /* bytes; 0: not checked */
    const struct al_crypto *crypto; /* required */
    void *ctx;                      /* for both */
    void (*warn)(void *ctx, unsigned line, const char *text); /* may be NULL */
    const char *(*variable)(void *ctx, const char *name);     /* NULL: the environment */
};

/* Why a table was refused. */
struct part_csv_fault {
    const char *error_class; /* "OVERLAP"; static */
    unsigned line;           /* from 1; 0: no single line */
    char message[512];       /* the original tool's words, UTF-8 */
};

/* text: the file's bytes, any encoding with a BOM, else UTF-8. raw: the table,
 * AL_PART_TABLE_LEN bytes. 0; AL_ERR_INVALID_ARG: refused, see fault;
 * AL_ERR_NO_MEM. */
int part_csv_compile(const void *text, size_t len, const struct part_csv_options *opts,
                     uint8_t raw[AL_PART_TABLE_LEN], struct part_csv_fault *fault);

/* The text of a table. Result is malloc'ed, NULL without memory. */
char *part_csv_write(const struct al_part_table *t);

#endif
