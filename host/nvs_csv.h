/* NVS partitions from CSV, with the bytes that the vendor's nvs_partition_gen.py gives.
 *
 *   key,type,encoding,value
 *   storage,namespace,,              what follows is in this namespace
 *   count,data,u8,32                 u8 i8 u16 i16 u32 i32 u64 i64: decimal, 0x, 0o, 0b
 *   name,data,string,hello
 *   cert,data,hex2bin,0102ff         hex2bin, base64, binary: blobs
 *   key,file,binary,key.der          value from a file, by its path
 *
 * Lines that start with # are skipped. As in the original, duplicate keys are not
 * refused, and a namespace named again does not reopen it: the rows behind it belong
 * to the namespace created last (a warning says so). */
#ifndef HOST_NVS_CSV_H
#define HOST_NVS_CSV_H

#include <stddef.h>
#include <stdint.h>

struct nvs_csv_options {
    uint32_t size;    /* of the partition, bytes, a multiple of 4096. Below 0x3000: an
                         image for a read-only partition, without a reserve page */
    unsigned version; /* of the page format: 1, or 2 (0: 2). 1 limits blobs to one page */
    void (*warn)(void *ctx, unsigned line, const char *text); /* may be NULL */
    void *ctx;
};

/* text: the file's bytes, UTF-8. *out: malloc'ed, options->size bytes.
 * 0, or AL_FAIL with a sentence for the user in why: "line 7: ...". */
int nvs_csv_build(const char *text, size_t len, const struct nvs_csv_options *options,
                  uint8_t **out, char *why, size_t why_size);

#endif
