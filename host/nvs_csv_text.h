/* The text side of host/nvs_csv.h: records of a CSV file, and values in their encodings. */
#ifndef HOST_NVS_CSV_TEXT_H
#define HOST_NVS_CSV_TEXT_H

#include "core/nvs.h"

/* Where a message goes; line 0: about the whole file. */
struct nvs_csv_fault {
    char *why;
    size_t size;
    unsigned line;
};
/* Writes the message, gives AL_FAIL. */
int nvs_csv_fail(const struct nvs_csv_fault *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define NVS_CSV_FIELDS 16u

struct nvs_csv_reader {
    char *at, *end; /* the text, written over while it is read */
    unsigned line;  /* of at, from 1 */
};
struct nvs_csv_record {
    unsigned line; /* where it begins */
    size_t count;  /* fields; those behind NVS_CSV_FIELDS are dropped */
    char *field[NVS_CSV_FIELDS];
};
/* The next record that is neither blank nor a comment. 1: found; 0: end of text;
 * AL_FAIL: a quote is never closed. */
int nvs_csv_read(struct nvs_csv_reader *r, struct nvs_csv_record *out, struct nvs_csv_fault *f);

/* A value's bytes as NVS stores them. */
struct nvs_csv_value {
    enum al_nvs_type type; /* AL_NVS_BLOB for blobs of any version */
    uint8_t *data;         /* malloc'ed */
    size_t len;            /* str: with the NUL */
};
/* text: len bytes of the cell or the file. 0 or AL_FAIL. */
int nvs_csv_decode(const char *encoding, const char *text, size_t len, struct nvs_csv_value *out,
                   const struct nvs_csv_fault *f);

#endif
